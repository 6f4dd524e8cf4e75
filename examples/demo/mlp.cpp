#include "mlp.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include <pare/core/std_threads.hpp>

#include "random.hpp"

namespace demo {

using pare::index_t;

namespace {

/// One layer, by Eigen.
void forward(const dense& layer, pare::matrix_view<const float> inputs, matrix& outputs) {
  const auto weight = pare::to_eigen(layer.weight.view());
  const auto bias = pare::to_eigen(layer.bias.view()).transpose();
  const bool rectified = layer.act == pare::activation::relu;
  outputs.noalias() = pare::to_eigen(inputs) * weight.transpose();
  if (layer.bias.empty()) {
    if (rectified) outputs = outputs.cwiseMax(0.0f);
  } else if (rectified) {
    outputs = (outputs.rowwise() + bias).cwiseMax(0.0f);
  } else {
    outputs.rowwise() += bias;
  }
}

}  // namespace

mlp make_mlp(const std::vector<index_t>& widths, std::uint64_t seed) {
  mlp network;
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
    const index_t in = widths[i], out = widths[i + 1];
    const bool is_last = i + 2 == widths.size();
    network.push_back({pare::tensor<float, 2>({out, in}), pare::tensor<float, 1>({out}),
                       is_last ? pare::activation::none : pare::activation::relu});
    random numbers(seed, i);
    const float limit = std::sqrt(6.0f / static_cast<float>(in));
    for (float& w : network.back().weight) w = numbers.uniform(limit);
  }
  return network;
}

const matrix& forward(const mlp& network, pare::matrix_view<const float> inputs,
                      std::vector<matrix>& outputs) {
  outputs.resize(network.size());
  for (std::size_t i = 0; i < network.size(); ++i) {
    forward(network[i], i == 0 ? inputs : view_of(outputs[i - 1]), outputs[i]);
  }
  return outputs.back();
}

index_t count_correct(pare::matrix_view<const float> logits,
                      pare::vector_view<const std::uint8_t> labels) {
  index_t correct = 0;
  for (index_t row = 0; row < logits.extent(0); ++row) {
    const float* first = &logits(row, 0);
    correct += std::max_element(first, first + logits.extent(1)) - first == labels[row];
  }
  return correct;
}

namespace {

/// Minibatches are split into so many parts, whatever the number of threads, and the parts are
/// added in order: results do not depend on the machine's cores.
constexpr index_t parts = 2;

/// One part of a minibatch on its way through the network and back.
struct part {
  pare::vector_view<const index_t> pictures;
  matrix inputs;
  pare::tensor<std::uint8_t, 1> labels;
  std::vector<matrix> outputs;  ///< of each layer, after ReLU and dropout
  std::vector<matrix> deltas;   ///< gradient with respect to what the layer gives before ReLU
  mlp gradient;                 ///< with respect to weights and biases
  pare::result<double> loss = 0.0;
  index_t correct = 0;
};

mlp zeros_like(const mlp& network) {
  mlp zeros;
  for (const dense& layer : network) {
    zeros.push_back({pare::tensor<float, 2>(layer.weight.extents()),
                     pare::tensor<float, 1>(layer.bias.extents()), layer.act});
  }
  return zeros;
}

/// One picture as network input, moved by (down, right); what comes in from outside is black.
void copy_shifted(const labelled_images& set, index_t image, float scale, index_t down,
                  index_t right, float* to) {
  const index_t rows = set.images.extent(1), columns = set.images.extent(2);
  const std::uint8_t* from = set.images.data() + image * rows * columns;
  std::fill(to, to + rows * columns, 0.0f);
  const index_t first = std::max<index_t>(right, 0);
  const index_t last = std::min(columns + right, columns);
  for (index_t r = 0; r < rows; ++r) {
    if (r - down < 0 || r - down >= rows) continue;
    const std::uint8_t* row = from + (r - down) * columns - right;
    for (index_t c = first; c < last; ++c) {
      to[r * columns + c] = static_cast<float>(row[c]) * scale;
    }
  }
}

/// Sets a part of the activations to zero and scales the others, so that their mean stays.
void drop(matrix& activations, float rate, random& numbers) {
  const auto threshold = static_cast<std::uint64_t>(rate * 256);
  const float scale = 256.0f / static_cast<float>(256 - threshold);
  float* a = activations.data();
  for (index_t i = 0; i < activations.size(); i += 8) {
    const index_t end = std::min<index_t>(i + 8, activations.size());
    std::uint64_t bits = numbers.bits();
    for (index_t j = i; j < end; ++j, bits >>= 8) {
      a[j] = (bits & 255) < threshold ? 0.0f : a[j] * scale;
    }
  }
}

/// Fills a part with its pictures and labels.
void load(const labelled_images& set, float pixel_scale, int shift, random& numbers, part& p) {
  for (index_t row = 0; row < p.inputs.rows(); ++row) {
    const index_t down = numbers.below(2 * shift + 1) - shift;
    const index_t right = numbers.below(2 * shift + 1) - shift;
    copy_shifted(set, p.pictures[row], pixel_scale, down, right, p.inputs.row(row).data());
    p.labels(row) = set.labels(p.pictures[row]);
  }
}

/// Loss, hits and gradients of a part.
void forward_and_backward(const mlp& network, const loss_function& loss, float dropout,
                          random& numbers, part& p) {
  const std::size_t layers = network.size();
  p.outputs.resize(layers);
  p.deltas.resize(layers);
  const auto input_of = [&](std::size_t i) -> const matrix& {
    return i == 0 ? p.inputs : p.outputs[i - 1];
  };
  for (std::size_t i = 0; i < layers; ++i) {
    forward(network[i], view_of(input_of(i)), p.outputs[i]);
    if (dropout > 0 && network[i].act == pare::activation::relu) {
      drop(p.outputs[i], dropout, numbers);
    }
  }

  const matrix& logits = p.outputs.back();
  p.deltas.back().resize(logits.rows(), logits.cols());
  p.correct = count_correct(view_of(logits), p.labels.view());
  p.loss = loss({p.pictures, p.labels.view(), view_of(logits)},
                pare::view(p.deltas.back().data(), logits.rows(), logits.cols()));

  const float kept_scale = 256.0f / (256.0f - std::floor(dropout * 256));
  for (std::size_t i = layers; i-- > 0;) {
    const matrix& delta = p.deltas[i];
    pare::to_eigen(p.gradient[i].weight.view()).noalias() = delta.transpose() * input_of(i);
    if (!network[i].bias.empty()) {
      pare::to_eigen(p.gradient[i].bias.view()) = delta.colwise().sum().transpose();
    }
    if (i == 0) break;
    p.deltas[i - 1].noalias() = delta * pare::to_eigen(network[i].weight.view());
    if (network[i - 1].act == pare::activation::relu) {
      // Zero is where ReLU or dropout stopped an activation: no gradient passes there either.
      p.deltas[i - 1].array() *= kept_scale * (p.outputs[i - 1].array() > 0).cast<float>();
    }
  }
}

/// Adam, with the gradient as the mean over the parts.
class adam {
 public:
  explicit adam(const mlp& network) : first_(zeros_like(network)), second_(zeros_like(network)) {}

  void step(mlp& network, const std::vector<part>& gradients, float rate, float decay,
            const pare::std_threads& in_parallel) {
    ++steps_;
    for (std::size_t i = 0; i < network.size(); ++i) {
      update(network[i], gradients, i, &dense::weight, rate, decay, in_parallel);
      update(network[i], gradients, i, &dense::bias, rate, 0, in_parallel);
    }
  }

 private:
  static constexpr float keep_first = 0.9f, keep_second = 0.999f, epsilon = 1e-8f;

  template <std::size_t Rank>
  void update(dense& layer, const std::vector<part>& gradients, std::size_t i,
              pare::tensor<float, Rank> dense::*member, float rate, float decay,
              const pare::std_threads& in_parallel) {
    using array = Eigen::Map<Eigen::ArrayXf>;
    using const_array = Eigen::Map<const Eigen::ArrayXf>;
    const float first_correction = 1 - std::pow(keep_first, static_cast<float>(steps_));
    const float second_correction = 1 - std::pow(keep_second, static_cast<float>(steps_));
    float* const parameters = (layer.*member).data();
    float* const first = (first_[i].*member).data();
    float* const second = (second_[i].*member).data();
    const index_t size = (layer.*member).size();

    const auto update_range = [&](index_t begin, index_t end) {
      constexpr index_t block = 2048;  // of six arrays, which then stay in the first-level cache
      Eigen::Array<float, block, 1> buffer;
      for (index_t at = begin; at < end; at += block) {
        const index_t n = std::min(block, end - at);
        auto g = buffer.head(n);
        g = const_array((gradients[0].gradient[i].*member).data() + at, n);
        for (std::size_t p = 1; p < gradients.size(); ++p) {
          g += const_array((gradients[p].gradient[i].*member).data() + at, n);
        }
        g *= 1.0f / static_cast<float>(parts);
        array w(parameters + at, n), m(first + at, n), v(second + at, n);
        m = keep_first * m + (1 - keep_first) * g;
        v = keep_second * v + (1 - keep_second) * g.square();
        w = w * (1 - rate * decay) -
            (rate / first_correction) * m / ((v / second_correction).sqrt() + epsilon);
      }
    };
    constexpr index_t worth_a_thread = 100000;
    if (size < worth_a_thread) {
      update_range(0, size);
    } else {
      in_parallel(2, [&](index_t half) { update_range(size * half / 2, size * (half + 1) / 2); });
    }
  }

  mlp first_, second_;  ///< running means of the gradient and of its square
  int steps_ = 0;
};

}  // namespace

void train(mlp& network, const dataset& data, const training& options, const loss_function& loss) {
  const index_t all = data.train.count();
  const index_t count = options.pictures > 0 ? std::min(options.pictures, all) : all;
  const index_t rows = std::max<index_t>(1, std::min(options.batch, count) / parts);
  const index_t batches = count / (rows * parts), steps = batches * options.epochs;
  const pare::std_threads in_parallel{options.threads};

  std::vector<part> minibatch_parts(parts);
  for (part& p : minibatch_parts) {
    p.inputs.resize(rows, data.train.pixels());
    p.labels = pare::tensor<std::uint8_t, 1>({rows});
    p.gradient = zeros_like(network);
  }
  adam optimizer(network);
  std::vector<index_t> order(static_cast<std::size_t>(all));
  std::iota(order.begin(), order.end(), index_t{0});
  random shuffling(options.seed);
  double running_loss = 0, running_accuracy = 0;

  for (index_t step = 0; step < steps; ++step) {
    if (step % batches == 0) shuffle(order, shuffling);
    const index_t* const chosen = order.data() + step % batches * rows * parts;
    in_parallel(parts, [&](index_t i) {
      part& p = minibatch_parts[static_cast<std::size_t>(i)];
      random numbers(options.seed, static_cast<std::uint64_t>(1 + step * parts + i));
      p.pictures = pare::view(chosen + i * rows, rows);
      load(data.train, data.pixel_scale, options.shift, numbers, p);
      forward_and_backward(network, loss, options.dropout, numbers, p);
    });

    double step_loss = 0, hits = 0;
    for (const part& p : minibatch_parts) {
      step_loss += p.loss.value() / static_cast<double>(parts);
      hits += static_cast<double>(p.correct) / static_cast<double>(rows * parts);
    }
    constexpr double pi = 3.14159265358979323846;
    const double done = static_cast<double>(step) / static_cast<double>(steps);
    const double rate = options.learning_rate * (0.5 + 0.5 * std::cos(pi * done));
    optimizer.step(network, minibatch_parts, static_cast<float>(rate), options.weight_decay,
                   in_parallel);
    if (options.after_step) options.after_step(network);

    const double weight = std::max(0.01, 1.0 / static_cast<double>(step + 1));
    running_loss += weight * (step_loss - running_loss);
    running_accuracy += weight * (hits - running_accuracy);
    if (options.progress) {
      options.progress(static_cast<double>(step + 1) / static_cast<double>(steps), running_loss,
                       running_accuracy);
    }
  }
}

}  // namespace demo
