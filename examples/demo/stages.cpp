#include "stages.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include <pare/distill/loss.hpp>
#include <pare/prune/magnitude.hpp>
#include <pare/prune/mask.hpp>
#include <pare/prune/structured.hpp>
#include <pare/prune/surgery.hpp>
#include <pare/quantize/affine.hpp>

namespace demo {
namespace {

using pare::index_t;

/// One scale for each output, as PyTorch chooses them.
pare::affine per_channel() {
  pare::affine options;
  options.axis = 0;
  return options;
}

index_t bytes_of(const pare::tensor<float, 1>& bias) {
  return bias.size() * static_cast<index_t>(sizeof(float));
}

}  // namespace

// --- training ---

void train_on_labels(mlp& network, const dataset& data, const training& options) {
  train(network, data, options, [](const minibatch& b, pare::matrix_view<float> gradient) {
    return pare::cross_entropy(b.logits, b.labels, gradient);
  });
}

void distil(const mlp& teacher, mlp& student, const dataset& data, const training& options,
            const pare::distillation& loss) {
  const auto taught = logits_of(in_eigen(teacher), data.train, data.pixel_scale);

  train(student, data, options, [&](const minibatch& b, pare::matrix_view<float> gradient) {
    pare::tensor<float, 2> targets(b.logits.extents());
    for (index_t row = 0; row < targets.extent(0); ++row) {
      std::copy_n(&taught(b.pictures[row], 0), classes, &targets(row, 0));
    }
    return pare::distillation_loss(b.logits, targets.view(), b.labels, loss, gradient);
  });
}

// --- smaller networks ---

masks prune_weights(mlp& network, double fraction) {
  masks kept;
  for (dense& layer : network) {
    kept.push_back(pare::full_mask(layer.weight.view()).value());
    if (&layer == &network.back()) break;  // small, and every class needs it
    check(pare::prune_magnitude(layer.weight.view(), pare::amount::fraction(fraction),
                                kept.back().view()));
    check(pare::apply_mask(kept.back().view(), layer.weight.view()));
  }
  return kept;
}

training under(const masks& kept, training options) {
  options.after_step = [&kept](mlp& network) {
    for (std::size_t i = 0; i < network.size(); ++i) {
      check(pare::apply_mask(kept[i].view(), network[i].weight.view()));
    }
  };
  return options;
}

mlp remove_neurons(const mlp& network, double fraction) {
  mlp narrow = network;
  for (std::size_t i = 0; i + 1 < narrow.size(); ++i) {
    dense &layer = narrow[i], &next = narrow[i + 1];
    const auto norms = pare::channel_norms(layer.weight.view(), 0, pare::norm::l2).value();
    const auto stay = pare::keep_channels(norms.view(), pare::amount::fraction(fraction)).value();
    auto less = pare::remove_neurons(layer.weight.view(), layer.bias.view(), next.weight.view(),
                                     stay.view())
                    .value();
    layer.weight = std::move(less.weights);
    layer.bias = std::move(less.bias);
    next.weight = std::move(less.next_weights);
  }
  return narrow;
}

// --- networks that run ---

runnable in_eigen(const mlp& network) {
  runnable r;
  r.stored = "f32 weights, biases";
  for (const dense& layer : network) {
    r.bytes += layer.weight.size() * static_cast<index_t>(sizeof(float)) + bytes_of(layer.bias);
  }
  r.packed_bytes = r.bytes;
  auto outputs = std::make_shared<std::vector<matrix>>();
  r.run = [network, outputs](const pictures& p, pare::matrix_view<float> logits) {
    pare::to_eigen(logits) = forward(network, p.inputs, *outputs);
  };
  return r;
}

runnable as_sparse(const mlp& network) {
  std::vector<float_network::layer> layers;
  index_t bytes = 0;
  for (const dense& layer : network) {
    sparse_layer sparse{pare::to_csr(layer.weight.view()).value(), layer.bias, layer.act};
    bytes += sparse.weight.bytes() + bytes_of(sparse.bias);
    layers.emplace_back(std::move(sparse));
  }
  return make_runnable<float_network>(std::move(layers), bytes, bytes,
                                      "f32 non-zeros, their columns, row offsets, biases");
}

runnable as_low_rank(const mlp& factors) {
  std::vector<float_network::layer> layers;
  index_t bytes = 0;
  for (std::size_t i = 0; i < factors.size(); i += 2) {
    const dense &right = factors[i], &left = factors[i + 1];
    low_rank_layer low_rank{left.weight, right.weight, left.bias, left.act};
    bytes += low_rank.weight().bytes() + bytes_of(low_rank.bias);
    layers.emplace_back(std::move(low_rank));
  }
  return make_runnable<float_network>(std::move(layers), bytes, bytes, "f32 factors, biases");
}

runnable as_int8(const mlp& network) {
  std::vector<float_network::layer> layers;
  index_t bytes = 0, packed_bytes = 0;
  for (const dense& layer : network) {
    const auto codes = pare::quantize(layer.weight.view(), per_channel()).value();
    pare::linear_options options;
    options.act = layer.act;
    auto packed = pare::pack_linear(codes.view(), layer.bias.view(), options).value();
    bytes += codes.bytes() + bytes_of(layer.bias);
    packed_bytes += packed.packed_bytes();
    layers.emplace_back(int8_layer{std::move(packed)});
  }
  return make_runnable<float_network>(std::move(layers), bytes, packed_bytes,
                                      "s8 weights, f32 scales, biases");
}

runnable as_static_int8(const mlp& network, const dataset& data) {
  // What the layers give for some training pictures decides the range of their codes.
  const index_t some = std::min<index_t>(data.train.count(), 2000);
  const auto inputs = to_inputs(slice(data.train, 0, some), data.pixel_scale);
  std::vector<matrix> outputs;
  forward(network, inputs.view(), outputs);

  pare::affine range_options;
  range_options.scheme = pare::symmetry::asymmetric;
  pare::affine_params reads{data.pixel_scale, 0};  // pixels are codes already
  std::vector<pare::linear_layer> layers;
  index_t bytes = 0, packed_bytes = 0;
  for (std::size_t i = 0; i < network.size(); ++i) {
    const dense& layer = network[i];
    const auto codes = pare::quantize(layer.weight.view(), per_channel()).value();
    pare::linear_options options;
    options.act = layer.act;
    options.input = reads;
    if (i + 1 < network.size()) {
      const auto range = pare::min_max(view_of(outputs[i])).value();
      options.output = pare::choose_params<std::uint8_t>(range, range_options).value();
    }
    auto packed = pare::pack_linear(codes.view(), layer.bias.view(), options).value();
    bytes +=
        codes.bytes() + bytes_of(layer.bias) + static_cast<index_t>(sizeof(pare::affine_params));
    packed_bytes += packed.packed_bytes();
    layers.push_back(std::move(packed));
    reads = options.output;
  }
  return make_runnable<int8_network>(std::move(layers), bytes, packed_bytes,
                                     "s8 weights, f32 scales, biases, activation ranges");
}

// --- figures ---

pare::tensor<float, 2> logits_of(const runnable& network, const labelled_images& set,
                                 float pixel_scale) {
  pare::tensor<float, 2> logits({set.count(), classes});
  for (index_t first = 0; first < set.count(); first += most_rows) {
    const index_t last = std::min(first + most_rows, set.count());
    const labelled_images some = slice(set, first, last);
    const auto inputs = to_inputs(some, pixel_scale);
    network.run({inputs.view(), some.rows()},
                pare::subview(logits.view(), pare::range{first, last}, pare::all));
  }
  return logits;
}

double accuracy(const runnable& network, const labelled_images& set, float pixel_scale) {
  const auto logits = logits_of(network, set, pixel_scale);
  return 100.0 * static_cast<double>(count_correct(logits.view(), set.labels.view())) /
         static_cast<double>(std::max<index_t>(set.count(), 1));
}

}  // namespace demo
