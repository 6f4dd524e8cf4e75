// The perceptron: pruned in four ways, fine-tuned, run.
#include <cstdio>
#include <utility>

#include "mlp_forms.hpp"
#include "pruning.hpp"

namespace demo {

using pare::index_t;

namespace {

pruned_layers layers_of(mlp& network, masks& kept) {
  pruned_layers layers;
  for (std::size_t i = 0; i + 1 < network.size(); ++i) {
    layers.push_back({std::as_const(network[i].weight).view(), kept[i].view()});
  }
  return layers;
}

double share_of_zeros(const mlp& network) {
  std::vector<pare::matrix_view<const float>> weights;
  for (std::size_t i = 0; i + 1 < network.size(); ++i) weights.push_back(network[i].weight.view());
  return zeros_of(weights);
}

std::vector<parameters> parameters_of(mlp& network) {
  std::vector<parameters> all;
  for (dense& layer : network) {
    all.push_back({layer.weight.data(), static_cast<index_t>(layer.weight.size())});
    all.push_back({layer.bias.data(), static_cast<index_t>(layer.bias.size())});
  }
  return all;
}

}  // namespace

void prune_mlp(const dataset& data, const arguments& a) {
  mlp network = make_mlp({data.train.pixels(), 512, 256, classes}, a.seed);
  training learning = training_of(a, a.epochs < 0 ? 8 : a.epochs);
  learning.dropout = 0.1f;
  learning.weight_decay = 0.05f;
  train_or_read(a, "mlp-dense", parameters_of(network), learning,
                [&](const training& t) { train_on_labels(network, data, t); });
  training tuning = training_of(a, a.fine_tuning < 0 ? 6 : a.fine_tuning);
  tuning.weight_decay = 0.01f;  // and no dropout: what is left has no weight to spare
  const index_t steps = steps_of(tuning, data);

  table lines(data, a, in_eigen(network), as_int8(network, data, zeros::kept));
  for (const recipe& r : {unstructured(0.9), blocks(0.75), two_of_four()}) {
    mlp pruned = network;
    train_or_read(a, "mlp-" + r.file, parameters_of(pruned), tuning, [&](training t) {
      masks kept;
      for (const dense& layer : pruned)
        kept.push_back(pare::full_mask(layer.weight.view()).value());
      const gradual prune(r, layers_of(pruned, kept), steps);
      prune(0);
      index_t step = 0;
      training options = under(kept, std::move(t));
      const auto apply = options.after_step;
      options.after_step = [&](mlp& n) {
        prune(++step);
        apply(n);
      };
      apply(pruned);
      train_on_labels(pruned, data, options);
    });
    lines.add(r.name, share_of_zeros(pruned), form_of(r.stored), as_blocks(pruned, r.stored));
    lines.add_int8(r.name, share_of_zeros(pruned), as_int8(pruned, data, zeros::left_out));
  }

  mlp narrow = remove_neurons(network, 0.5);
  train_or_read(a, "mlp-half-of-neurons", parameters_of(narrow), tuning,
                [&](const training& t) { train_on_labels(narrow, data, t); });
  lines.add("half of the neurons", 0, "f32, Eigen", in_eigen(narrow));
  lines.add_int8("half of the neurons", 0, as_int8(narrow, data, zeros::kept));
  lines.print("MLP 784-512-256-10, all layers but the last");

  const index_t some = std::min<index_t>(data.train.count(), 4096);
  const auto inputs = to_inputs(slice(data.train, 0, some), data.pixel_scale);
  std::vector<matrix> outputs;
  forward(network, inputs.view(), outputs);
  mlp halved = network, smallest = network;
  std::printf("\nMLP, SparseGPT at 50 %%, output error over that of magnitude:");
  for (std::size_t i = 0; i + 1 < halved.size(); ++i) {
    std::printf(" %.2f", halve(i == 0 ? inputs.view() : view_of(outputs[i - 1]),
                               halved[i].weight.view(), smallest[i].weight.view()));
  }
  std::printf("; accuracy %.2f %%, magnitude %.2f %%\n",
              accuracy(in_eigen(halved), data.test, data.pixel_scale),
              accuracy(in_eigen(smallest), data.test, data.pixel_scale));
}

}  // namespace demo
