// Quantizes the convolutional digit reader that train_cnn.py trained, and writes it as a header for
// the firmware.
//
//     make_cnn WEIGHTS DATA digits_cnn.hpp
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>

#include <pare/io/npy.hpp>
#include <pare/io/write_c_source.hpp>
#include <pare/kernels/sequential.hpp>
#include <pare/layers/conv2d.hpp>
#include <pare/layers/depthwise_conv2d.hpp>
#include <pare/layers/linear.hpp>
#include <pare/quantize/affine.hpp>

#include "../demo/dataset.hpp"

namespace {

using pare::index_t;

/// One layer in float, as PyTorch left it.
template <std::size_t Rank>
struct weights {
  pare::affine_tensor<std::int8_t, Rank> codes;  ///< a scale for each output
  pare::tensor<float, 1> bias;

  weights(const std::string& folder, const std::string& name)
      : bias(pare::load_npy<float, 1>(folder + "/" + name + "_bias.npy").value()) {
    const auto exact = pare::load_npy<float, Rank>(folder + "/" + name + "_weight.npy").value();
    pare::affine per_output;
    per_output.axis = 0;
    codes = pare::quantize(exact.view(), per_output).value();
  }
};

/// How u8 codes cover the ranges that the training pictures showed: one pair for each layer.
std::vector<pare::affine_params> params_of(const std::string& folder) {
  const auto ranges = pare::load_npy<float, 2>(folder + "/ranges.npy").value();
  pare::affine options;
  options.scheme = pare::symmetry::asymmetric;
  std::vector<pare::affine_params> params;
  for (index_t i = 0; i < ranges.extent(0); ++i) {
    params.push_back(
        pare::choose_params<std::uint8_t>({ranges(i, 0), ranges(i, 1)}, options).value());
  }
  return params;
}

template <class Options>
Options between(pare::affine_params input, pare::affine_params output) {
  Options o;
  o.act = pare::activation::relu;
  o.input = input;
  o.output = output;
  return o;
}

pare::window three_by_three() {
  pare::window w{3, 3};
  w.pad_top = w.pad_bottom = w.pad_left = w.pad_right = 1;
  return w;
}

pare::conv2d_layer conv(const weights<4>& w, const pare::window& window, pare::affine_params input,
                        pare::affine_params output) {
  auto o = between<pare::conv2d_options>(input, output);
  o.window = window;
  return pare::pack_conv2d(w.codes.view(), w.bias.view(), o).value();
}

pare::depthwise_conv2d_layer depthwise(const weights<4>& w, pare::affine_params input,
                                       pare::affine_params output) {
  auto o = between<pare::depthwise_conv2d_options>(input, output);
  o.window = three_by_three();
  return pare::pack_depthwise_conv2d(w.codes.view(), w.bias.view(), o).value();
}

void run(const std::string& folder, const std::string& data_folder, const std::string& header) {
  const auto data = demo::load_dataset(data_folder).value();
  const auto ranges = params_of(folder);
  const pare::affine_params pixels{data.pixel_scale, 0};
  const auto first = conv({folder, "conv"}, three_by_three(), pixels, ranges[0]);
  const auto depthwise1 = depthwise({folder, "depthwise1"}, ranges[0], ranges[1]);
  const auto pointwise1 = conv({folder, "pointwise1"}, {}, ranges[1], ranges[2]);
  const auto depthwise2 = depthwise({folder, "depthwise2"}, ranges[2], ranges[3]);
  const auto pointwise2 = conv({folder, "pointwise2"}, {}, ranges[3], ranges[4]);
  auto last = between<pare::linear_options>(ranges[4], ranges[5]);
  last.act = pare::activation::none;
  const weights<2> fc_weights(folder, "fc");
  const auto fc = pare::pack_linear(fc_weights.codes.view(), fc_weights.bias.view(), last).value();

  const pare::max_pooling halved{{2, 2, 2, 2}};
  const pare::sequential net(pare::feature_shape{8, 8, 1}, first.view(), depthwise1.view(),
                             pointwise1.view(), halved, depthwise2.view(), pointwise2.view(),
                             halved, fc.view());
  const index_t count = data.test.count();
  pare::tensor<std::byte, 1> arena({net.arena_size(count).value()});
  pare::tensor<std::uint8_t, 2> logits({count, demo::classes});
  const pare::status ran =
      net.run(data.test.rows(), logits.view(), pare::workspace(arena.data(), arena.size()));
  if (!ran) throw std::runtime_error(ran.error().message);
  index_t right = 0;
  for (index_t i = 0; i < count; ++i) {
    const std::uint8_t* of = &logits(i, 0);
    right += std::max_element(of, of + demo::classes) - of == data.test.labels(i);
  }
  std::printf("test pictures read right: %td of %td\n", right, count);

  pare::c_source_options options;
  options.namespace_name = "digits::cnn";
  options.alignment = 4;
  options.provenance =
      "A reader of handwritten digits of 8 x 8 pixels, of depthwise-separable convolutions, "
      "trained\n"
      "by examples/firmware/train_cnn.py on the pictures of examples/data.";
  const pare::status written = pare::save_c_source(header,
                                                   {{"conv", first.view()},
                                                    {"depthwise1", depthwise1.view()},
                                                    {"pointwise1", pointwise1.view()},
                                                    {"depthwise2", depthwise2.view()},
                                                    {"pointwise2", pointwise2.view()},
                                                    {"fc", fc.view()}},
                                                   options);
  if (!written) throw std::runtime_error(written.error().message);
}

}  // namespace

int main(int count, char** words) {
  if (count != 4) {
    std::fputs("usage: make_cnn WEIGHTS DATA HEADER\n", stderr);
    return 2;
  }
  try {
    run(words[1], words[2], words[3]);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
  return 0;
}
