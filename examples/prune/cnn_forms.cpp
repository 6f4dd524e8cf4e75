#include "cnn_forms.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include <pare/kernels/add.hpp>
#include <pare/kernels/global_average_pool.hpp>
#include <pare/layers/conv2d.hpp>
#include <pare/layers/linear.hpp>
#include <pare/layers/sparse_conv2d.hpp>

namespace demo {

using pare::index_t;

namespace {

index_t bytes_of_floats(index_t count) { return count * static_cast<index_t>(sizeof(float)); }

pare::window window_of(const conv& c) {
  pare::window w;
  w.height = w.width = c.side();
  w.stride_y = w.stride_x = c.stride;
  w.pad_top = w.pad_bottom = w.pad_left = w.pad_right = c.side() / 2;
  return w;
}

template <class T>
using images_of = pare::tensor_view<T, pare::dextents<index_t, 4>>;

/// The sides of what each convolution reads, and of what the last one gives.
std::vector<index_t> sides_of(const cnn& network, index_t pixels) {
  std::vector<index_t> sides = {
      static_cast<index_t>(std::lround(std::sqrt(static_cast<double>(pixels))))};
  for (const conv& c : network.convs) sides.push_back(side_after(sides.back(), c));
  return sides;
}

/// What all forms have: the convolutions, and an output of each for `most_rows` pictures.
template <class T>
struct activations {
  std::vector<index_t> sides;
  std::vector<index_t> channels;
  std::vector<std::vector<T>> outputs;

  activations(const cnn& network, index_t pixels) : sides(sides_of(network, pixels)) {
    for (std::size_t i = 0; i < network.convs.size(); ++i) {
      channels.push_back(network.convs[i].outputs());
      outputs.emplace_back(
          static_cast<std::size_t>(most_rows * sides[i + 1] * sides[i + 1] * channels.back()));
    }
  }

  images_of<T> output(std::size_t i, index_t rows) {
    return images_of<T>(outputs[i].data(), rows, sides[i + 1], sides[i + 1], channels[i]);
  }
  /// What convolution i reads.
  images_of<const T> input(std::size_t i, const T* pixels, index_t rows) {
    if (i > 0) return output(i - 1, rows);
    return images_of<const T>(pixels, rows, sides[0], sides[0], index_t{1});
  }
};

/// f32 blocks; the mean and the last layer in Eigen.
struct block_cnn {
  cnn network;
  std::vector<sparse_weights> weights;
  pare::tensor<std::byte, 1> scratch;
  std::unique_ptr<activations<float>> between;
  matrix mean;

  void prepare(index_t pixels) {
    if (between) return;
    between = std::make_unique<activations<float>>(network, pixels);
    index_t bytes = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const index_t side = between->sides[i];
      bytes =
          std::max(bytes, pare::sparse_conv2d_workspace_size(
                              weights[i].view, window_of(network.convs[i]), most_rows, side, side)
                              .value());
    }
    scratch = pare::tensor<std::byte, 1>({bytes});
  }

  void run(const pictures& p, pare::matrix_view<float> logits) {
    prepare(p.inputs.extent(1));
    const index_t rows = p.inputs.extent(0);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const conv& c = network.convs[i];
      const auto y = between->output(i, rows);
      const auto act = c.added < 0 ? pare::activation::relu : pare::activation::none;
      check(pare::conv2d(between->input(i, p.inputs.data_handle(), rows), weights[i].view,
                         window_of(c), c.bias.view(), y,
                         pare::workspace(scratch.data(), scratch.size()), act));
      if (c.added < 0) continue;
      const auto count = static_cast<index_t>(y.size());
      const float* other = between->outputs[static_cast<std::size_t>(c.added)].data();
      auto sum = Eigen::Map<Eigen::ArrayXf>(y.data_handle(), count);
      sum = (sum + Eigen::Map<const Eigen::ArrayXf>(other, count)).max(0.0f);
    }
    const index_t positions = between->sides.back() * between->sides.back();
    const auto y = pare::to_eigen(
        pare::view(between->outputs.back().data(), rows * positions, between->channels.back()));
    mean.resize(rows, y.cols());
    for (index_t r = 0; r < rows; ++r) {
      mean.row(r) = y.middleRows(r * positions, positions).colwise().mean();
    }
    auto out = pare::to_eigen(logits);
    out.noalias() = mean * pare::to_eigen(std::as_const(network.last.weight).view()).transpose();
    out.rowwise() += pare::to_eigen(std::as_const(network.last.bias).view()).transpose();
  }
};

/// Dense or block-sparse int8.
using int8_conv = std::variant<pare::conv2d_layer, pare::sparse_conv2d_layer>;

index_t workspace_of(const pare::conv2d_layer& l, index_t side) {
  return pare::conv2d_workspace_size(l, side, side).value();
}
index_t workspace_of(const pare::sparse_conv2d_layer& l, index_t side) {
  return pare::sparse_conv2d_workspace_size(l, most_rows, side, side).value();
}

struct int8_cnn {
  std::vector<int8_conv> convs;
  std::vector<index_t> added;
  std::vector<pare::add_params<std::uint8_t>> sums;  ///< of those with `added`, else unused
  pare::global_average_pool_params<std::uint8_t> pool;
  pare::linear_layer last;
  activations<std::uint8_t> between;
  pare::tensor<std::uint8_t, 2> mean;
  pare::tensor<std::byte, 1> scratch;

  void run(const pictures& p, pare::matrix_view<float> logits) {
    const index_t rows = p.pixels.extent(0);
    const pare::workspace memory(scratch.data(), scratch.size());
    for (std::size_t i = 0; i < convs.size(); ++i) {
      const auto x = between.input(i, p.pixels.data_handle(), rows);
      const auto y = between.output(i, rows);
      check(std::visit([&](const auto& c) { return pare::conv2d(x, c.view(), y, memory); },
                       convs[i]));
      if (added[i] < 0) continue;
      check(pare::add(y, between.output(static_cast<std::size_t>(added[i]), rows), sums[i], y));
    }
    const auto some = pare::subview(mean.view(), pare::range{0, rows}, pare::all);
    check(pare::global_average_pool(between.output(convs.size() - 1, rows), pool, some));
    check(pare::linear(some, last.view(), logits));
  }
};

/// The parameters of codes for values in [low, high], which hold 0.
pare::affine_params codes_for(float low, float high) {
  const float scale = std::max(high - low, 1e-6f) / 255.0f;
  return {scale, static_cast<std::int32_t>(std::lround(-low / scale))};
}

/// Weights [out, side, side, in] as [out, in, side, side], without copying.
template <class T>
auto in_pytorch_order(T* data, const conv& c) {
  using shape = pare::dextents<index_t, 4>;
  using strided = pare::tensor_view<T, shape, pare::layout_stride>;
  return strided(data, typename strided::mapping_type(
                           shape(c.outputs(), c.inputs(), c.side(), c.side()),
                           {{c.taps() * c.inputs(), 1, c.side() * c.inputs(), c.inputs()}}));
}

}  // namespace

runnable in_eigen(const cnn& network) {
  runnable r;
  for (const conv& c : network.convs) r.bytes += bytes_of_floats(c.weight.size() + c.bias.size());
  r.bytes += bytes_of_floats(network.last.weight.size() + network.last.bias.size());
  auto state = std::make_shared<cnn_state>();
  r.run = [network, state](const pictures& p, pare::matrix_view<float> logits) {
    pare::to_eigen(logits) = forward(network, p.inputs, *state);
  };
  return r;
}

runnable as_blocks(const cnn& network, const pare::bcsr_shape& shape) {
  auto n = std::make_shared<block_cnn>();
  n->network = network;
  runnable r;
  r.stored = form_of(shape);
  r.bytes = bytes_of_floats(network.last.weight.size() + network.last.bias.size());
  for (const conv& c : network.convs) {
    n->weights.emplace_back(c.matrix(), shape);
    r.bytes += n->weights.back().view.bytes() + bytes_of_floats(c.bias.size());
  }
  r.run = [n](const pictures& p, pare::matrix_view<float> logits) { n->run(p, logits); };
  return r;
}

runnable as_int8(const cnn& network, const dataset& data, zeros z) {
  const auto inputs =
      to_inputs(slice(data.train, 0, std::min<index_t>(data.train.count(), 256)), data.pixel_scale);
  cnn_state state;
  forward(network, inputs.view(), state);
  const std::size_t layers = network.convs.size();
  activations<std::uint8_t> between(network, data.train.pixels());
  std::vector<int8_conv> convs;
  std::vector<index_t> added;
  std::vector<pare::add_params<std::uint8_t>> sums(layers);
  std::vector<pare::affine_params> gives(layers);
  std::string forms;
  index_t bytes = 0, scratch = 0;
  for (std::size_t i = 0; i < layers; ++i) {
    const conv& c = network.convs[i];
    const auto codes = pare::quantize(c.matrix(), per_output()).value();
    gives[i] = codes_for(0, state.outputs[i].maxCoeff());
    pare::conv2d_options options;
    options.window = window_of(c);
    options.input = i == 0 ? pare::affine_params{data.pixel_scale, 0} : gives[i - 1];
    options.output = gives[i];
    options.act = pare::activation::relu;
    if (c.added >= 0) {
      const auto other = static_cast<std::size_t>(c.added);
      matrix y =
          pare::to_eigen(state.input_of(network, i)) * pare::to_eigen(c.matrix()).transpose();
      y.rowwise() += pare::to_eigen(c.bias.view()).transpose();
      options.output = codes_for(std::min(0.0f, y.minCoeff()), std::max(0.0f, y.maxCoeff()));
      options.act = pare::activation::none;
      sums[i] = pare::make_add_params<std::uint8_t>(options.output, gives[other], gives[i]).value();
    }
    added.push_back(c.added);
    const pare::affine_view<std::int8_t, pare::dextents<index_t, 4>, pare::layout_stride> weights{
        in_pytorch_order(codes.view().codes.data_handle(), c), codes.view().scales, {}, 0};
    bytes += bytes_of_floats(c.bias.size() + c.outputs());  // biases and scales
    const index_t side = between.sides[i + 1];
    // The first one is not pruned.
    const auto choice = int8_choice(codes.view().codes, i == 0 ? zeros::kept : z, side * side);
    note_form(forms, choice);
    if (choice.form == pare::sparse_form::dense) {
      bytes += c.weight.size();
      convs.emplace_back(pare::pack_conv2d(weights, c.bias.view(), options).value());
    } else {
      auto packed = pare::pack_sparse_conv2d(weights, choice.shape, c.bias.view(), options).value();
      bytes += packed.view().linear.weights.bytes();
      convs.emplace_back(std::move(packed));
    }
    scratch = std::max(
        scratch,
        std::visit([&](const auto& l) { return workspace_of(l, between.sides[i]); }, convs.back()));
  }
  const pare::affine_params of_mean = codes_for(0, state.mean.maxCoeff());
  const auto codes = pare::quantize(network.last.weight.view(), per_output()).value();
  pare::linear_options options;
  options.input = of_mean;
  bytes += codes.bytes() + bytes_of_floats(network.last.bias.size());
  auto n = std::make_shared<int8_cnn>(int8_cnn{
      std::move(convs), std::move(added), std::move(sums),
      pare::make_global_average_pool_params<std::uint8_t>(gives.back(), of_mean).value(),
      pare::pack_linear(codes.view(), network.last.bias.view(), options).value(),
      std::move(between), pare::tensor<std::uint8_t, 2>({most_rows, network.last.weight.extent(1)}),
      pare::tensor<std::byte, 1>({scratch})});
  runnable r;
  r.bytes = r.packed_bytes = bytes;
  r.stored = forms;
  r.run = [n](const pictures& p, pare::matrix_view<float> logits) { n->run(p, logits); };
  return r;
}

}  // namespace demo
