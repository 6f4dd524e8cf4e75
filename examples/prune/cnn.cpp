#include "cnn.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include <pare/distill/loss.hpp>
#include <pare/prune/mask.hpp>
#include <pare/prune/masked_update.hpp>

#include "../demo/network.hpp"
#include "../demo/random.hpp"

namespace demo {

using pare::index_t;

namespace {

constexpr index_t picture_side = 28;

/// The side of what a convolution with padding 1 gives.
index_t side_after(index_t side, index_t stride) { return (side - 1) / stride + 1; }

/// Calls f(patch, offset within the patch, pixel) for each 3x3 window and each of its pixels that
/// lies within the picture.
template <class F>
void for_each_pixel(index_t rows, index_t side, index_t stride, F f) {
  const index_t out = side_after(side, stride);
  index_t patch = 0;
  for (index_t row = 0; row < rows; ++row) {
    for (index_t y = 0; y < out; ++y) {
      for (index_t x = 0; x < out; ++x, ++patch) {
        for (index_t k = 0; k < 9; ++k) {
          const index_t in_y = y * stride + k / 3 - 1, in_x = x * stride + k % 3 - 1;
          if (in_y < 0 || in_y >= side || in_x < 0 || in_x >= side) continue;
          f(patch, k, (row * side + in_y) * side + in_x);
        }
      }
    }
  }
}

/// The windows of pictures [rows * side * side, channels] side by side.
void gather(const float* pictures, index_t rows, index_t side, const conv& c, matrix& patches) {
  const index_t out = side_after(side, c.stride), channels = c.inputs();
  patches.setZero(rows * out * out, 9 * channels);
  for_each_pixel(rows, side, c.stride, [&](index_t patch, index_t k, index_t pixel) {
    std::copy_n(pictures + pixel * channels, channels, patches.data() + (patch * 9 + k) * channels);
  });
}

/// Adds the gradients of windows to those of the pixels they came from.
void scatter(const matrix& patches, index_t rows, index_t side, const conv& c, matrix& pictures) {
  const index_t channels = c.inputs();
  for_each_pixel(rows, side, c.stride, [&](index_t patch, index_t k, index_t pixel) {
    const float* from = patches.data() + (patch * 9 + k) * channels;
    float* to = pictures.data() + pixel * channels;
    for (index_t i = 0; i < channels; ++i) to[i] += from[i];
  });
}

pare::matrix_view<float> mutable_view(matrix& m) {
  return pare::view(m.data(), m.rows(), m.cols());
}

conv make_conv(index_t in, index_t out, index_t stride, bool is_residual, random& numbers) {
  conv c{pare::tensor<float, 4>({out, 3, 3, in}), pare::tensor<float, 1>({out}), stride,
         is_residual};
  // A residual sum begins near the identity.
  const float limit = std::sqrt(6.0f / static_cast<float>(9 * in)) * (is_residual ? 0.3f : 1.0f);
  for (float& w : c.weight) w = numbers.uniform(limit);
  return c;
}

}  // namespace

cnn make_cnn(index_t narrow, index_t wide, std::uint64_t seed) {
  random numbers(seed);
  cnn network;
  network.convs.push_back(make_conv(1, narrow, 2, false, numbers));
  network.convs.push_back(make_conv(narrow, wide, 2, false, numbers));
  network.convs.push_back(make_conv(wide, wide, 1, true, numbers));
  network.convs.push_back(make_conv(wide, wide, 1, true, numbers));
  network.last = make_mlp({wide, classes}, seed).front();
  return network;
}

cnn_masks full_masks(const cnn& network) {
  cnn_masks masks;
  for (const conv& c : network.convs) masks.push_back(pare::full_mask(c.matrix()).value());
  masks.push_back(pare::full_mask(network.last.weight.view()).value());
  return masks;
}

product in_eigen(const cnn& network) {
  return
      [&network](std::size_t layer, pare::matrix_view<const float> x, pare::matrix_view<float> y) {
        const bool is_conv = layer < network.convs.size();
        const auto weight =
            pare::to_eigen(is_conv ? network.convs[layer].matrix() : network.last.weight.view());
        const auto& bias = is_conv ? network.convs[layer].bias : network.last.bias;
        auto out = pare::to_eigen(y);
        out.noalias() = pare::to_eigen(x) * weight.transpose();
        out.rowwise() += pare::to_eigen(bias.view()).transpose();
      };
}

const matrix& forward(const cnn& network, const product& multiply,
                      pare::matrix_view<const float> pictures, cnn_state& state) {
  const index_t rows = pictures.extent(0);
  const std::size_t layers = network.convs.size();
  state.patches.resize(layers);
  state.outputs.resize(layers);
  index_t side = picture_side;
  const float* x = pictures.data_handle();
  for (std::size_t i = 0; i < layers; ++i) {
    const conv& c = network.convs[i];
    matrix &patches = state.patches[i], &y = state.outputs[i];
    gather(x, rows, side, c, patches);
    y.resize(patches.rows(), c.outputs());
    multiply(i, view_of(patches), mutable_view(y));
    y = (c.is_residual ? matrix(y + state.outputs[i - 1]) : y).cwiseMax(0.0f);
    side = side_after(side, c.stride);
    x = y.data();
  }
  const matrix& y = state.outputs.back();
  const index_t positions = side * side;
  state.mean.resize(rows, y.cols());
  for (index_t r = 0; r < rows; ++r) {
    state.mean.row(r) = y.middleRows(r * positions, positions).colwise().mean();
  }
  state.logits.resize(rows, network.last.weight.extent(0));
  multiply(layers, view_of(state.mean), mutable_view(state.logits));
  return state.logits;
}

namespace {

/// Gradients of all layers, in the order of the masks.
struct gradients {
  std::vector<matrix> weight;
  std::vector<Eigen::VectorXf> bias;
};

void backward(const cnn& network, const cnn_state& state, index_t rows, matrix delta,
              gradients& g) {
  const std::size_t layers = network.convs.size();
  g.weight.resize(layers + 1);
  g.bias.resize(layers + 1);
  g.weight[layers].noalias() = delta.transpose() * state.mean;
  g.bias[layers] = delta.colwise().sum().transpose();
  const matrix of_mean = delta * pare::to_eigen(network.last.weight.view());

  const index_t positions = state.outputs.back().rows() / rows;
  delta.resize(state.outputs.back().rows(), state.outputs.back().cols());
  for (index_t r = 0; r < rows; ++r) {
    delta.middleRows(r * positions, positions).rowwise() =
        of_mean.row(r) / static_cast<float>(positions);
  }
  for (std::size_t i = layers; i-- > 0;) {
    const conv& c = network.convs[i];
    delta.array() *= (state.outputs[i].array() > 0).cast<float>();
    g.weight[i].noalias() = delta.transpose() * state.patches[i];
    g.bias[i] = delta.colwise().sum().transpose();
    if (i == 0) break;
    const matrix of_patches = delta * pare::to_eigen(c.matrix());
    const index_t pixels = state.outputs[i - 1].rows() / rows;
    const auto side = static_cast<index_t>(std::lround(std::sqrt(static_cast<double>(pixels))));
    matrix before = c.is_residual ? delta : matrix(matrix::Zero(pixels * rows, c.inputs()));
    scatter(of_patches, rows, side, c, before);
    delta = std::move(before);
  }
}

/// Adam's state of one layer, and a step of it through the library.
struct layer_state {
  pare::tensor<float, 1> first, second;

  void step(const pare::adamw& options, index_t number, const float* gradient,
            pare::vector_view<const std::uint8_t> mask, pare::vector_view<float> weights) {
    if (first.empty()) first = second = pare::tensor<float, 1>({weights.extent(0)});
    check(pare::masked_step(options, number, pare::view(gradient, weights.extent(0)), mask,
                            first.view(), second.view(), weights));
  }
};

/// Pictures moved by up to `shift` pixels.
void load(const dataset& data, const index_t* chosen, int shift, random& numbers, matrix& x,
          pare::tensor<std::uint8_t, 1>& labels) {
  x.setZero();
  for (index_t r = 0; r < x.rows(); ++r) {
    const index_t down = numbers.below(2 * shift + 1) - shift;
    const index_t right = numbers.below(2 * shift + 1) - shift;
    const std::uint8_t* from = data.train.images.data() + chosen[r] * x.cols();
    for (index_t i = 0; i < x.cols(); ++i) {
      const index_t row = i / picture_side + down, column = i % picture_side + right;
      if (row < 0 || row >= picture_side || column < 0 || column >= picture_side) continue;
      x(r, row * picture_side + column) = static_cast<float>(from[i]) * data.pixel_scale;
    }
    labels(r) = data.train.labels(chosen[r]);
  }
}

}  // namespace

void train(cnn& network, const cnn_masks& masks, const dataset& data, const training& options,
           const std::function<void(index_t step)>& before_step) {
  const index_t rows = options.batch;
  const std::size_t layers = network.convs.size();
  std::vector<index_t> order(static_cast<std::size_t>(data.train.count()));
  std::iota(order.begin(), order.end(), index_t{0});
  const index_t batches = data.train.count() / rows, steps = batches * options.epochs;
  random numbers(options.seed);
  std::vector<layer_state> weights(layers + 1), biases(layers + 1);
  matrix x(rows, picture_side * picture_side);
  pare::tensor<std::uint8_t, 1> labels({rows});
  const product multiply = in_eigen(network);
  cnn_state state;
  gradients g;
  double running_loss = 0, running_accuracy = 0;
  for (index_t step = 0; step < steps; ++step) {
    if (step % batches == 0) shuffle(order, numbers);
    if (before_step) before_step(step);
    load(data, order.data() + step % batches * rows, options.shift, numbers, x, labels);
    const matrix& logits = forward(network, multiply, view_of(x), state);
    matrix delta(rows, logits.cols());
    const double loss =
        pare::cross_entropy(view_of(logits), labels.view(), mutable_view(delta)).value();
    const auto hits = static_cast<double>(count_correct(view_of(logits), labels.view()));
    backward(network, state, rows, std::move(delta), g);

    pare::adamw settings;
    const double done = static_cast<double>(step) / static_cast<double>(steps);
    settings.learning_rate = options.learning_rate * (0.5 + 0.5 * std::cos(3.14159265 * done));
    settings.weight_decay = options.weight_decay;
    for (std::size_t i = 0; i <= layers; ++i) {
      const bool is_conv = i < layers;
      float* w = is_conv ? network.convs[i].weight.data() : network.last.weight.data();
      pare::tensor<float, 1>& bias = is_conv ? network.convs[i].bias : network.last.bias;
      weights[i].step(settings, step + 1, g.weight[i].data(),
                      pare::view(masks[i].data(), masks[i].size()), pare::view(w, masks[i].size()));
      const auto all = pare::full_mask(bias.view()).value();
      biases[i].step(settings, step + 1, g.bias[i].data(), all.view(), bias.view());
    }
    const double weight = std::max(0.01, 1.0 / static_cast<double>(step + 1));
    running_loss += weight * (loss - running_loss);
    running_accuracy += weight * (hits / static_cast<double>(rows) - running_accuracy);
    if (options.progress) {
      options.progress(static_cast<double>(step + 1) / static_cast<double>(steps), running_loss,
                       running_accuracy);
    }
  }
}

double accuracy(const cnn& network, const product& multiply, const labelled_images& set,
                float pixel_scale) {
  index_t correct = 0;
  cnn_state state;
  for (index_t first = 0; first < set.count(); first += most_rows) {
    const labelled_images some = slice(set, first, std::min(first + most_rows, set.count()));
    const auto inputs = to_inputs(some, pixel_scale);
    correct += count_correct(view_of(forward(network, multiply, inputs.view(), state)),
                             some.labels.view());
  }
  return 100.0 * static_cast<double>(correct) / static_cast<double>(set.count());
}

}  // namespace demo
