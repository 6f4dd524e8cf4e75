// A small multilayer perceptron and its trainer, in Eigen float: what the library's parts are
// tried on here.
//
// He et al., "Delving deep into rectifiers", 2015, arXiv:1502.01852 (initialisation). Kingma and Ba,
// "Adam: a method for stochastic optimization", 2015, arXiv:1412.6980. Srivastava et al., "Dropout:
// a simple way to prevent neural networks from overfitting", 2014.
#ifndef PARE_EXAMPLES_DEMO_MLP_HPP
#define PARE_EXAMPLES_DEMO_MLP_HPP

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numeric>
#include <utility>
#include <vector>

#include <pare/core/eigen.hpp>
#include <pare/core/std_threads.hpp>
#include <pare/core/tensor.hpp>
#include <pare/format/activation.hpp>

#include "dataset.hpp"
#include "random.hpp"

namespace demo {

/// y = act(weight * x + bias)
struct dense {
  pare::tensor<float, 2> weight;  ///< [out, in]
  pare::tensor<float, 1> bias;    ///< [out], or empty
  pare::activation act = pare::activation::none;  ///< none or relu
};

/// The first layer reads a picture, the last one gives the logits.
using mlp = std::vector<dense>;

/// Row-major, as the library's views are: one picture a row.
using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

inline pare::matrix_view<const float> view_of(const matrix& m) {
  return pare::view(m.data(), m.rows(), m.cols());
}

/// Layers of these widths with ReLU between them, weights by He's rule, zero biases:
/// `make_mlp({784, 512, 10}, seed)`.
inline mlp make_mlp(const std::vector<pare::index_t>& widths, std::uint64_t seed) {
  mlp network;
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
    const pare::index_t in = widths[i], out = widths[i + 1];
    const bool is_last = i + 2 == widths.size();
    network.push_back({pare::tensor<float, 2>({out, in}), pare::tensor<float, 1>({out}),
                       is_last ? pare::activation::none : pare::activation::relu});
    random numbers(seed, i);
    const float limit = std::sqrt(6.0f / static_cast<float>(in));
    for (float& w : network.back().weight) w = numbers.uniform(limit);
  }
  return network;
}

/// One layer, by Eigen.
template <class Inputs>
void forward(const dense& layer, const Inputs& inputs, matrix& outputs) {
  const auto weight = pare::to_eigen(layer.weight.view());
  const auto bias = pare::to_eigen(layer.bias.view()).transpose();
  const bool rectified = layer.act == pare::activation::relu;
  outputs.noalias() = inputs * weight.transpose();
  if (layer.bias.empty()) {
    if (rectified) outputs = outputs.cwiseMax(0.0f);
  } else if (rectified) {
    outputs = (outputs.rowwise() + bias).cwiseMax(0.0f);
  } else {
    outputs.rowwise() += bias;
  }
}

/// The logits for pictures [count, pixels], by Eigen. `outputs` receives what each layer gives, the
/// logits last, and keeps its memory from call to call.
template <class Inputs>
const matrix& forward(const mlp& network, const Inputs& inputs, std::vector<matrix>& outputs) {
  outputs.resize(network.size());
  for (std::size_t i = 0; i < network.size(); ++i) {
    if (i == 0) {
      forward(network[i], inputs, outputs[i]);
    } else {
      forward(network[i], outputs[i - 1], outputs[i]);
    }
  }
  return outputs.back();
}

/// The number of rows whose largest logit, the first where several are, is the label's.
inline pare::index_t count_correct(pare::matrix_view<const float> logits,
                                   pare::vector_view<const std::uint8_t> labels) {
  pare::index_t correct = 0;
  for (pare::index_t row = 0; row < logits.extent(0); ++row) {
    const float* first = &logits(row, 0);
    correct += std::max_element(first, first + logits.extent(1)) - first == labels[row];
  }
  return correct;
}

/// What a loss sees.
struct minibatch {
  pare::vector_view<const pare::index_t> pictures;  ///< [rows], where they stand in the training part
  pare::matrix_view<const float> inputs;            ///< [rows, pixels]
  pare::vector_view<const std::uint8_t> labels;     ///< [rows]
  pare::matrix_view<const float> logits;         ///< [rows, classes]
};

/// Returns the mean loss, and its gradient with respect to the logits. Called from several threads
/// at once.
using loss_function = std::function<double(const minibatch&, pare::matrix_view<float> gradient)>;

struct training {
  int epochs = 10;
  pare::index_t batch = 128;    ///< even
  float learning_rate = 1e-3f;  ///< of Adam; falls to zero along half a cosine
  float weight_decay = 0;       ///< decoupled, as in AdamW
  float dropout = 0;            ///< of hidden activations
  int shift = 0;                ///< each picture is moved by up to so many pixels in both directions
  std::uint64_t seed = 1;
  int threads = 0;                       ///< 0: all there are. The result does not depend on it
  std::function<void(mlp&)> after_step;  ///< for example, applies a mask
  /// Called after every step: fraction of the work done, running loss and accuracy.
  std::function<void(double done, double loss, double accuracy)> progress;
};

namespace detail {

/// Minibatches are split into so many parts, whatever the number of threads, and the parts are
/// added in order: results do not depend on the machine's cores.
inline constexpr pare::index_t shards = 2;

/// One part of a minibatch on its way through the network and back.
struct shard {
  pare::vector_view<const pare::index_t> pictures;
  matrix inputs;
  pare::tensor<std::uint8_t, 1> labels;
  std::vector<matrix> outputs;  ///< of each layer, after ReLU and dropout
  std::vector<matrix> deltas;   ///< gradient with respect to what the layer gives before ReLU
  mlp gradient;                 ///< with respect to weights and biases
  double loss = 0;
  pare::index_t correct = 0;
};

/// Adam's running moments, in the shape of the network.
struct moments {
  mlp first, second;
};

inline mlp zeros_like(const mlp& network) {
  mlp zeros;
  for (const dense& layer : network) {
    zeros.push_back({pare::tensor<float, 2>(layer.weight.extents()),
                     pare::tensor<float, 1>(layer.bias.extents()), layer.act});
  }
  return zeros;
}

/// One picture as network input, moved by (down, right); what comes in from outside is black.
inline void copy_shifted(const labelled_images& set, pare::index_t image, float scale,
                         pare::index_t down, pare::index_t right, float* to) {
  const pare::index_t rows = set.images.extent(1), columns = set.images.extent(2);
  const std::uint8_t* from = set.images.data() + image * rows * columns;
  std::fill(to, to + rows * columns, 0.0f);
  const pare::index_t first = std::max<pare::index_t>(right, 0);
  const pare::index_t last = std::min(columns + right, columns);
  for (pare::index_t r = 0; r < rows; ++r) {
    if (r - down < 0 || r - down >= rows) continue;
    const std::uint8_t* row = from + (r - down) * columns - right;
    for (pare::index_t c = first; c < last; ++c) {
      to[r * columns + c] = static_cast<float>(row[c]) * scale;
    }
  }
}

/// Sets a part of the activations to zero and scales the others, so that their mean stays.
inline void drop(matrix& activations, float rate, random& numbers) {
  const auto threshold = static_cast<std::uint64_t>(rate * 256);
  const float scale = 256.0f / static_cast<float>(256 - threshold);
  float* a = activations.data();
  for (pare::index_t i = 0; i < activations.size(); i += 8) {
    const pare::index_t end = std::min<pare::index_t>(i + 8, activations.size());
    std::uint64_t bits = numbers.bits();
    for (pare::index_t j = i; j < end; ++j, bits >>= 8) {
      a[j] = (bits & 255) < threshold ? 0.0f : a[j] * scale;
    }
  }
}

/// Fills a shard with pictures.
inline void load(const labelled_images& set, float pixel_scale, int shift, random& numbers,
                 shard& s) {
  for (pare::index_t row = 0; row < s.inputs.rows(); ++row) {
    const pare::index_t down = numbers.below(2 * shift + 1) - shift;
    const pare::index_t right = numbers.below(2 * shift + 1) - shift;
    copy_shifted(set, s.pictures[row], pixel_scale, down, right, s.inputs.row(row).data());
    s.labels(row) = set.labels(s.pictures[row]);
  }
}

/// Loss, hits and gradients of a shard.
inline void forward_and_backward(const mlp& network, const loss_function& loss, float dropout,
                                 random& numbers, shard& s) {
  const std::size_t layers = network.size();
  s.outputs.resize(layers);
  s.deltas.resize(layers);
  const auto input_of = [&](std::size_t i) -> const matrix& {
    return i == 0 ? s.inputs : s.outputs[i - 1];
  };
  for (std::size_t i = 0; i < layers; ++i) {
    forward(network[i], input_of(i), s.outputs[i]);
    if (dropout > 0 && network[i].act == pare::activation::relu) drop(s.outputs[i], dropout, numbers);
  }

  const matrix& logits = s.outputs.back();
  s.deltas.back().resize(logits.rows(), logits.cols());
  s.correct = count_correct(view_of(logits), s.labels.view());
  s.loss = loss({s.pictures, view_of(s.inputs), s.labels.view(), view_of(logits)},
                pare::view(s.deltas.back().data(), logits.rows(), logits.cols()));

  const float kept_scale = dropout > 0 ? 256.0f / (256.0f - std::floor(dropout * 256)) : 1.0f;
  for (std::size_t i = layers; i-- > 0;) {
    const matrix& delta = s.deltas[i];
    pare::to_eigen(s.gradient[i].weight.view()).noalias() = delta.transpose() * input_of(i);
    if (!network[i].bias.empty()) {
      pare::to_eigen(s.gradient[i].bias.view()) = delta.colwise().sum().transpose();
    }
    if (i == 0) break;
    s.deltas[i - 1].noalias() = delta * pare::to_eigen(network[i].weight.view());
    if (network[i - 1].act == pare::activation::relu) {
      // Zero is where ReLU or dropout stopped an activation: no gradient passes there either.
      s.deltas[i - 1].array() *= kept_scale * (s.outputs[i - 1].array() > 0).cast<float>();
    }
  }
}

/// One step of Adam on `count` neighbouring parameters.
struct adam {
  float rate, decay, first_correction, second_correction;

  void update(float* parameters, const float* const* gradients, float* first, float* second,
              pare::index_t count) const {
    using array = Eigen::Map<Eigen::ArrayXf>;
    using const_array = Eigen::Map<const Eigen::ArrayXf>;
    constexpr float keep_first = 0.9f, keep_second = 0.999f, epsilon = 1e-8f;
    constexpr pare::index_t block = 4096;  // of five arrays, which stay in the first-level cache
    Eigen::ArrayXf g(block);
    for (pare::index_t at = 0; at < count; at += block) {
      const pare::index_t n = std::min(block, count - at);
      array p(parameters + at, n), m(first + at, n), v(second + at, n);
      g.head(n) = const_array(gradients[0] + at, n);
      for (pare::index_t s = 1; s < shards; ++s) g.head(n) += const_array(gradients[s] + at, n);
      g.head(n) /= static_cast<float>(shards);
      m = keep_first * m + (1 - keep_first) * g.head(n);
      v = keep_second * v + (1 - keep_second) * g.head(n).square();
      p = p * (1 - rate * decay) -
          (rate / first_correction) * m / ((v / second_correction).sqrt() + epsilon);
    }
  }
};

}  // namespace detail

/// Trains in place. Runs of the same seed end in the same bits.
inline void train(mlp& network, const dataset& data, const training& options,
                  const loss_function& loss) {
  using pare::index_t;
  const index_t rows = options.batch / detail::shards;
  const index_t batches = data.train.count() / (rows * detail::shards);
  const index_t steps = batches * options.epochs;
  const pare::std_threads in_parallel{options.threads};

  std::vector<detail::shard> shards(detail::shards);
  for (detail::shard& s : shards) {
    s.inputs.resize(rows, data.train.pixels());
    s.labels = pare::tensor<std::uint8_t, 1>({rows});
    s.gradient = detail::zeros_like(network);
  }
  mlp first = detail::zeros_like(network), second = detail::zeros_like(network);

  std::vector<index_t> order(static_cast<std::size_t>(data.train.count()));
  std::iota(order.begin(), order.end(), index_t{0});
  random shuffling(options.seed);
  double running_loss = 0, running_accuracy = 0;

  for (index_t step = 0; step < steps; ++step) {
    const index_t batch = step % batches;
    if (batch == 0) {
      for (std::size_t i = order.size(); i > 1; --i) {
        std::swap(order[i - 1],
                  order[static_cast<std::size_t>(shuffling.below(static_cast<std::int64_t>(i)))]);
      }
    }
    in_parallel(detail::shards, [&](index_t i) {
      detail::shard& s = shards[static_cast<std::size_t>(i)];
      random numbers(options.seed, static_cast<std::uint64_t>(1 + step * detail::shards + i));
      s.pictures = pare::view(std::as_const(order).data() + (batch * detail::shards + i) * rows, rows);
      detail::load(data.train, data.pixel_scale, options.shift, numbers, s);
      detail::forward_and_backward(network, loss, options.dropout, numbers, s);
    });

    const double done = static_cast<double>(step) / static_cast<double>(steps);
    const double t = static_cast<double>(step + 1);
    detail::adam adam;
    adam.rate = options.learning_rate *
                static_cast<float>(0.5 + 0.5 * std::cos(3.14159265358979 * done));
    adam.decay = options.weight_decay;
    adam.first_correction = static_cast<float>(1 - std::pow(0.9, t));
    adam.second_correction = static_cast<float>(1 - std::pow(0.999, t));
    for (std::size_t i = 0; i < network.size(); ++i) {
      const auto update = [&](auto member, index_t from, index_t to) {
        const float* gradients[detail::shards];
        for (std::size_t s = 0; s < shards.size(); ++s) {
          gradients[s] = (shards[s].gradient[i].*member).data() + from;
        }
        adam.update((network[i].*member).data() + from, gradients,
                    (first[i].*member).data() + from, (second[i].*member).data() + from, to - from);
      };
      const index_t size = network[i].weight.size();
      constexpr index_t parts = 2;
      if (size > 100000) {
        in_parallel(parts, [&](index_t part) {
          update(&dense::weight, size * part / parts, size * (part + 1) / parts);
        });
      } else {
        update(&dense::weight, 0, size);
      }
      update(&dense::bias, 0, network[i].bias.size());
    }
    if (options.after_step) options.after_step(network);

    double step_loss = 0, hits = 0;
    for (const detail::shard& s : shards) {
      step_loss += s.loss / static_cast<double>(shards.size());
      hits += static_cast<double>(s.correct);
    }
    const double weight = std::max(0.01, 1.0 / t);
    running_loss += weight * (step_loss - running_loss);
    running_accuracy += weight * (hits / static_cast<double>(rows * detail::shards) - running_accuracy);
    if (options.progress) {
      options.progress(t / static_cast<double>(steps), running_loss, running_accuracy);
    }
  }
}

}  // namespace demo

#endif  // PARE_EXAMPLES_DEMO_MLP_HPP
