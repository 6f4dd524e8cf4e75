// Trains a digit reader, quantizes it and writes it as a header for the firmware.
//
//     make_mlp DATA digits_mlp.hpp
//
// A network of 64 pixels, 32 hidden neurons and 10 digits, in 8 bits throughout: pixels are the
// codes of the first layer as they are, and the ranges of the others are those that the training
// pictures show.
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>

#include <pare/distill/loss.hpp>
#include <pare/io/write_c_source.hpp>
#include <pare/layers/linear.hpp>
#include <pare/quantize/affine.hpp>

#include "../demo/mlp.hpp"

namespace {

using pare::index_t;

demo::mlp trained(const demo::dataset& data) {
  demo::training options;
  options.epochs = 150;
  options.batch = 32;
  options.weight_decay = 0.01f;
  options.threads = 1;
  auto network = demo::make_mlp({64, 32, 10}, 1);
  demo::train(network, data, options,
              [](const demo::minibatch& b, pare::matrix_view<float> gradient) {
                return pare::cross_entropy(b.logits, b.labels, gradient);
              });
  return network;
}

/// How u8 codes cover what a layer gives for the training pictures.
pare::affine_params params_of(const demo::matrix& outputs) {
  pare::affine options;
  options.scheme = pare::symmetry::asymmetric;
  const auto range = pare::min_max(demo::view_of(outputs)).value();
  return pare::choose_params<std::uint8_t>(range, options).value();
}

/// 8-bit weights, a scale for each output.
pare::linear_layer quantized(const demo::dense& layer, pare::affine_params input,
                             pare::affine_params output) {
  pare::affine per_output;
  per_output.axis = 0;
  pare::linear_options options;
  options.act = layer.act;
  options.input = input;
  options.output = output;
  const auto weights = pare::quantize(layer.weight.view(), per_output).value();
  return pare::pack_linear(weights.view(), layer.bias.view(), options).value();
}

double percent(index_t correct, index_t count) {
  return 100.0 * static_cast<double>(correct) / static_cast<double>(count);
}

void run(const std::string& data_folder, const std::string& header) {
  const auto data = demo::load_dataset(data_folder).value();
  const auto network = trained(data);

  std::vector<demo::matrix> outputs;
  const auto seen = demo::to_inputs(data.train, data.pixel_scale);
  demo::forward(network, seen.view(), outputs);
  const pare::affine_params pixels{data.pixel_scale, 0}, hidden = params_of(outputs[0]),
                                                         logits = params_of(outputs[1]);
  const auto fc1 = quantized(network[0], pixels, hidden);
  const auto fc2 = quantized(network[1], hidden, logits);

  const auto test = demo::to_inputs(data.test, data.pixel_scale);
  const auto& exact = demo::forward(network, test.view(), outputs);
  const index_t count = data.test.count();
  const auto labels = data.test.labels.view();
  pare::tensor<std::uint8_t, 2> h({count, 32}), y({count, 10});
  if (!pare::linear(data.test.rows(), fc1, h.view()) || !pare::linear(h.view(), fc2, y.view())) {
    throw std::runtime_error("the quantized network does not run");
  }
  pare::tensor<float, 2> codes({count, 10});
  for (index_t i = 0; i < y.size(); ++i) codes.data()[i] = y.data()[i];
  std::printf("test pictures read right: float %.2f %%, 8 bits %.2f %%\n",
              percent(demo::count_correct(demo::view_of(exact), labels), count),
              percent(demo::count_correct(codes.view(), labels), count));

  pare::c_source_options options;
  options.namespace_name = "digits::mlp";
  options.alignment = 4;
  options.provenance =
      "A reader of handwritten digits of 8 x 8 pixels, trained by examples/firmware/make_mlp.cpp "
      "on\n"
      "the pictures of examples/data.";
  const pare::status written =
      pare::save_c_source(header, {{"fc1", fc1.view()}, {"fc2", fc2.view()}}, options);
  if (!written) throw std::runtime_error(written.error().message);
}

}  // namespace

int main(int count, char** words) {
  if (count != 3) {
    std::fputs("usage: make_mlp DATA HEADER\n", stderr);
    return 2;
  }
  try {
    run(words[1], words[2]);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
  return 0;
}
