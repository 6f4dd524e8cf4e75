#include "mlp_forms.hpp"

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include <pare/layers/linear.hpp>
#include <pare/layers/sparse_linear.hpp>
#include <pare/quantize/range.hpp>

namespace demo {

using pare::index_t;

namespace {

index_t bytes_of_floats(index_t count) { return count * static_cast<index_t>(sizeof(float)); }

/// f32 blocks, the last layer in Eigen.
struct block_network {
  mlp layers;
  std::vector<sparse_weights> weights;
  std::vector<matrix> outputs;
  pare::tensor<std::byte, 1> scratch;

  void run(const pictures& p, pare::matrix_view<float> logits) {
    pare::matrix_view<const float> x = p.inputs;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const auto y = pare::view(outputs[i].data(), x.extent(0), outputs[i].cols());
      check(pare::linear(x, weights[i].view, layers[i].bias.view(), y,
                         pare::workspace(scratch.data(), scratch.size()), layers[i].act));
      x = y;
    }
    const dense& last = layers.back();
    auto y = pare::to_eigen(logits);
    y.noalias() = pare::to_eigen(x) * pare::to_eigen(std::as_const(last.weight).view()).transpose();
    y.rowwise() += pare::to_eigen(last.bias.view()).transpose();
  }
};

/// Dense or block-sparse int8.
using int8_linear = std::variant<pare::linear_layer, pare::sparse_linear_layer>;

struct int8_mlp {
  std::vector<int8_linear> layers;
  std::vector<pare::tensor<std::uint8_t, 2>> codes;  ///< between them
  pare::tensor<std::byte, 1> scratch;

  void run(const pictures& p, pare::matrix_view<float> logits) {
    const pare::workspace memory(scratch.data(), scratch.size());
    const auto run_layer = [&](std::size_t i, const auto& x, const auto& y) {
      check(std::visit([&](const auto& l) { return pare::linear(x, l.view(), y, memory); },
                       layers[i]));
    };
    pare::matrix_view<const std::uint8_t> x = p.pixels;
    for (std::size_t i = 0; i + 1 < layers.size(); ++i) {
      const auto y = pare::subview(codes[i].view(), pare::range{0, x.extent(0)}, pare::all);
      run_layer(i, x, y);
      x = y;
    }
    run_layer(layers.size() - 1, x, logits);
  }
};

template <class Network>
runnable runnable_of(std::shared_ptr<Network> network, index_t bytes, std::string stored) {
  auto run = [network](const pictures& p, pare::matrix_view<float> logits) {
    network->run(p, logits);
  };
  return {std::move(run), bytes, bytes, std::move(stored)};
}

}  // namespace

runnable as_blocks(const mlp& network, const pare::bcsr_shape& shape) {
  auto n = std::make_shared<block_network>();
  n->layers = network;
  index_t bytes = 0, scratch = 0;
  for (const dense& layer : network) {
    bytes += bytes_of_floats(layer.bias.size());
    if (&layer == &network.back()) {
      bytes += bytes_of_floats(layer.weight.size());
      continue;
    }
    n->weights.emplace_back(layer.weight.view(), shape);
    n->outputs.emplace_back(most_rows, layer.weight.extent(0));
    bytes += n->weights.back().view.bytes();
    scratch = std::max(
        scratch, pare::sparse_linear_workspace_size(n->weights.back().view, most_rows).value());
  }
  n->scratch = pare::tensor<std::byte, 1>({scratch});
  return runnable_of(std::move(n), bytes, form_of(shape));
}

runnable as_int8(const mlp& network, const dataset& data, zeros z) {
  const index_t some = std::min<index_t>(data.train.count(), 2000);
  const auto inputs = to_inputs(slice(data.train, 0, some), data.pixel_scale);
  std::vector<matrix> outputs;
  forward(network, inputs.view(), outputs);
  auto n = std::make_shared<int8_mlp>();
  std::string forms;
  pare::affine_params reads{data.pixel_scale, 0};  // pixels are codes already
  index_t bytes = 0, scratch = 0;
  for (std::size_t i = 0; i < network.size(); ++i) {
    const dense& layer = network[i];
    const auto codes = pare::quantize(layer.weight.view(), per_output()).value();
    pare::linear_options options;
    options.act = layer.act;
    options.input = reads;
    if (i + 1 < network.size()) {
      options.output = {outputs[i].maxCoeff() / 255.0f, 0};  // behind a ReLU
      n->codes.push_back(pare::tensor<std::uint8_t, 2>({most_rows, layer.weight.extent(0)}));
    }
    bytes += bytes_of_floats(layer.bias.size() + layer.weight.extent(0));  // biases and scales
    const bool is_last = i + 1 == network.size();                          // which is not pruned
    const auto choice = int8_choice(codes.view().codes, is_last ? zeros::kept : z, 1);
    note_form(forms, choice);
    if (choice.form == pare::sparse_form::dense) {
      bytes += layer.weight.size();
      n->layers.emplace_back(pare::pack_linear(codes.view(), layer.bias.view(), options).value());
    } else {
      auto packed =
          pare::pack_sparse_linear(codes.view(), choice.shape, layer.bias.view(), options).value();
      bytes += packed.view().weights.bytes();
      scratch =
          std::max(scratch, pare::sparse_linear_workspace_size(packed.view(), most_rows).value());
      n->layers.emplace_back(std::move(packed));
    }
    reads = options.output;
  }
  n->scratch = pare::tensor<std::byte, 1>({scratch});
  return runnable_of(std::move(n), bytes, forms);
}

}  // namespace demo
