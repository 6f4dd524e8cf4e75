#include "cnn.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include <pare/prune/mask.hpp>
#include <pare/prune/masked_update.hpp>

#include "../demo/network.hpp"
#include "../demo/random.hpp"

namespace demo {

using pare::index_t;

namespace {

/// Calls f(patch, offset within the patch, pixel) for each window and each of its pixels; -1 for
/// those outside of the picture.
template <class F>
void for_each_pixel(index_t rows, index_t side, const conv& c, F f) {
  const index_t out = side_after(side, c), pad = c.side() / 2;
  index_t patch = 0;
  for (index_t row = 0; row < rows; ++row) {
    for (index_t y = 0; y < out; ++y) {
      for (index_t x = 0; x < out; ++x, ++patch) {
        for (index_t k = 0; k < c.taps(); ++k) {
          const index_t in_y = y * c.stride + k / c.side() - pad;
          const index_t in_x = x * c.stride + k % c.side() - pad;
          const bool is_inside = in_y >= 0 && in_y < side && in_x >= 0 && in_x < side;
          f(patch, k, is_inside ? (row * side + in_y) * side + in_x : -1);
        }
      }
    }
  }
}

/// The windows of pictures [rows * side * side, channels] side by side.
void gather(const float* pictures, index_t rows, index_t side, const conv& c, matrix& patches) {
  const index_t out = side_after(side, c), channels = c.inputs(), taps = c.taps();
  patches.resize(rows * out * out, taps * channels);
  for_each_pixel(rows, side, c, [&](index_t patch, index_t k, index_t pixel) {
    float* to = patches.data() + (patch * taps + k) * channels;
    for (index_t i = 0; i < channels; ++i) to[i] = pixel < 0 ? 0 : pictures[pixel * channels + i];
  });
}

/// Adds the gradients of windows to those of the pixels they came from.
void scatter(const matrix& patches, index_t rows, index_t side, const conv& c, matrix& pictures) {
  const index_t channels = c.inputs(), taps = c.taps();
  for_each_pixel(rows, side, c, [&](index_t patch, index_t k, index_t pixel) {
    if (pixel < 0) return;
    const float* from = patches.data() + (patch * taps + k) * channels;
    float* to = pictures.data() + pixel * channels;
    for (index_t i = 0; i < channels; ++i) to[i] += from[i];
  });
}

pare::matrix_view<float> mutable_view(matrix& m) {
  return pare::view(m.data(), m.rows(), m.cols());
}

index_t side_of(index_t pixels) {
  return static_cast<index_t>(std::lround(std::sqrt(static_cast<double>(pixels))));
}

struct conv_shape {
  index_t in, out, side, stride, added = -1;
};

conv make_conv(const conv_shape& s, random& numbers) {
  conv c{pare::tensor<float, 4>({s.out, s.side, s.side, s.in}), pare::tensor<float, 1>({s.out}),
         s.stride, s.added};
  // A residual sum begins near the identity.
  const float limit = std::sqrt(6.0f / static_cast<float>(c.taps() * s.in));
  for (float& w : c.weight) w = numbers.uniform(s.added < 0 ? limit : 0.3f * limit);
  return c;
}

}  // namespace

cnn make_cnn(index_t narrow, index_t wide, index_t inner, std::uint64_t seed) {
  random numbers(seed);
  cnn network;
  for (const conv_shape& s : {conv_shape{1, narrow, 3, 2}, conv_shape{narrow, wide, 3, 2},
                              conv_shape{wide, inner, 1, 1}, conv_shape{inner, inner, 3, 1},
                              conv_shape{inner, wide, 1, 1, 1}, conv_shape{wide, inner, 1, 1},
                              conv_shape{inner, inner, 3, 1}, conv_shape{inner, wide, 1, 1, 4}}) {
    network.convs.push_back(make_conv(s, numbers));
  }
  network.last = make_mlp({wide, classes}, seed).front();
  return network;
}

cnn_masks full_masks(const cnn& network) {
  cnn_masks masks;
  for (const conv& c : network.convs) masks.push_back(pare::full_mask(c.matrix()).value());
  masks.push_back(pare::full_mask(network.last.weight.view()).value());
  return masks;
}

const matrix& forward(const cnn& network, pare::matrix_view<const float> pictures,
                      cnn_state& state) {
  const index_t rows = pictures.extent(0);
  const std::size_t layers = network.convs.size();
  state.patches.resize(layers);
  state.outputs.resize(layers);
  index_t side = side_of(pictures.extent(1));
  const float* x = pictures.data_handle();
  for (std::size_t i = 0; i < layers; ++i) {
    const conv& c = network.convs[i];
    if (!c.is_pointwise()) gather(x, rows, side, c, state.patches[i]);
    matrix& y = state.outputs[i];
    const auto in = pare::to_eigen(state.input_of(network, i));
    y.resize(in.rows(), c.outputs());
    y.noalias() = in * pare::to_eigen(c.matrix()).transpose();
    const auto bias = pare::to_eigen(c.bias.view()).transpose();
    for (index_t r = 0; r < y.rows(); ++r) {
      if (c.added < 0) {
        y.row(r) = (y.row(r) + bias).cwiseMax(0.0f);
      } else {
        const matrix& other = state.outputs[static_cast<std::size_t>(c.added)];
        y.row(r) = (y.row(r) + bias + other.row(r)).cwiseMax(0.0f);
      }
    }
    side = side_after(side, c);
    x = y.data();
  }
  const matrix& y = state.outputs.back();
  const index_t positions = side * side;
  state.mean.resize(rows, y.cols());
  for (index_t r = 0; r < rows; ++r) {
    state.mean.row(r) = y.middleRows(r * positions, positions).colwise().mean();
  }
  state.logits.noalias() =
      state.mean * pare::to_eigen(std::as_const(network.last.weight).view()).transpose();
  state.logits.rowwise() += pare::to_eigen(std::as_const(network.last.bias).view()).transpose();
  return state.logits;
}

namespace {

/// Gradients of all layers, in the order of the masks, and of what lies between them.
struct gradients {
  std::vector<matrix> weight, output;
  std::vector<Eigen::VectorXf> bias;
  matrix patches;

  void clear(const cnn& network) {
    const std::size_t layers = network.convs.size();
    weight.resize(layers + 1);
    bias.resize(layers + 1);
    output.resize(layers);
    for (std::size_t i = 0; i <= layers; ++i) {
      const auto w = i < layers ? network.convs[i].matrix() : network.last.weight.view();
      weight[i].setZero(w.extent(0), w.extent(1));
      bias[i].setZero(w.extent(0));
    }
  }
};

/// Adds the gradients of some pictures to g.
void backward(const cnn& network, const cnn_state& state, index_t rows, const matrix& of_logits,
              gradients& g) {
  const std::size_t layers = network.convs.size();
  g.weight[layers].noalias() += of_logits.transpose() * state.mean;
  g.bias[layers] += of_logits.colwise().sum().transpose();
  const index_t positions = state.outputs.back().rows() / rows;
  const matrix of_mean =
      of_logits * pare::to_eigen(network.last.weight.view()) / static_cast<float>(positions);
  for (std::size_t i = 0; i < layers; ++i) g.output[i].resize(0, 0);
  g.output[layers - 1].resize(rows * positions, of_mean.cols());
  for (index_t r = 0; r < rows; ++r) {
    g.output[layers - 1].middleRows(r * positions, positions).rowwise() = of_mean.row(r);
  }
  for (std::size_t i = layers; i-- > 0;) {
    const conv& c = network.convs[i];
    matrix& delta = g.output[i];
    delta.array() *= (state.outputs[i].array() > 0).cast<float>();
    g.weight[i].noalias() += delta.transpose() * pare::to_eigen(state.input_of(network, i));
    g.bias[i] += delta.colwise().sum().transpose();
    if (c.added >= 0)
      g.output[static_cast<std::size_t>(c.added)] = delta;  // the first to add there
    if (i == 0) break;
    matrix& before = g.output[i - 1];
    if (before.size() == 0) {
      before.setZero(state.outputs[i - 1].rows(), state.outputs[i - 1].cols());
    }
    const auto weight = pare::to_eigen(c.matrix());
    if (c.is_pointwise()) {
      before.noalias() += delta * weight;
    } else {
      g.patches.noalias() = delta * weight;
      scatter(g.patches, rows, side_of(before.rows() / rows), c, before);
    }
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

/// The chosen pictures of the training part.
void load(const dataset& data, pare::vector_view<const index_t> chosen, matrix& x,
          pare::tensor<std::uint8_t, 1>& labels) {
  for (index_t r = 0; r < x.rows(); ++r) {
    const std::uint8_t* from = data.train.images.data() + chosen(r) * x.cols();
    for (index_t i = 0; i < x.cols(); ++i) x(r, i) = static_cast<float>(from[i]) * data.pixel_scale;
    labels(r) = data.train.labels(chosen(r));
  }
}

}  // namespace

void train(cnn& network, const cnn_masks& masks, const dataset& data, const training& options,
           const loss_function& loss, const std::function<void(index_t step)>& before_step) {
  // So few pictures at once that what a layer reads and writes stays in the second-level cache.
  constexpr index_t together = 8;
  const std::size_t layers = network.convs.size();
  std::vector<index_t> order(static_cast<std::size_t>(data.train.count()));
  std::iota(order.begin(), order.end(), index_t{0});
  const index_t pictures = options.pictures > 0 ? options.pictures : data.train.count();
  const index_t batches = pictures / options.batch, steps = batches * options.epochs;
  random numbers(options.seed);
  std::vector<layer_state> weights(layers + 1), biases(layers + 1);
  cnn_state state;
  gradients g;
  double running_loss = 0, running_accuracy = 0;
  for (index_t step = 0; step < steps; ++step) {
    if (step % batches == 0) shuffle(order, numbers);
    if (before_step) before_step(step);
    g.clear(network);
    double batch_loss = 0, hits = 0;
    for (index_t first = 0; first < options.batch; first += together) {
      const index_t rows = std::min(together, options.batch - first);
      const float share = static_cast<float>(rows) / static_cast<float>(options.batch);
      const auto chosen =
          pare::view(std::as_const(order).data() + step % batches * options.batch + first, rows);
      matrix x(rows, data.train.pixels()), delta(rows, classes);
      pare::tensor<std::uint8_t, 1> labels({rows});
      load(data, chosen, x, labels);
      const matrix& logits = forward(network, view_of(x), state);
      batch_loss +=
          share * loss({chosen, std::as_const(labels).view(), view_of(logits)}, mutable_view(delta))
                      .value();
      hits += static_cast<double>(count_correct(view_of(logits), labels.view()));
      delta *= share;
      backward(network, state, rows, delta, g);
    }

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
    running_loss += weight * (batch_loss - running_loss);
    running_accuracy += weight * (hits / static_cast<double>(options.batch) - running_accuracy);
    if (options.progress) {
      options.progress(static_cast<double>(step + 1) / static_cast<double>(steps), running_loss,
                       running_accuracy);
    }
  }
}

}  // namespace demo
