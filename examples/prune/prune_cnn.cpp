// The residual network: pruned in four ways, fine-tuned, run.
#include <cstdio>
#include <utility>

#include <pare/prune/channel_graph.hpp>
#include <pare/prune/surgery.hpp>

#include "cnn_forms.hpp"
#include "pruning.hpp"

namespace demo {

using pare::index_t;

namespace {

/// All convolutions but the first, which reads one channel.
pruned_layers layers_of(const cnn& network, cnn_masks& masks) {
  pruned_layers layers;
  for (std::size_t i = 1; i < network.convs.size(); ++i) {
    layers.push_back({network.convs[i].matrix(), masks[i].view()});
  }
  return layers;
}

double share_of_zeros(const cnn& network) {
  std::vector<pare::matrix_view<const float>> weights;
  for (std::size_t i = 1; i < network.convs.size(); ++i) {
    weights.push_back(network.convs[i].matrix());
  }
  return zeros_of(weights);
}

std::vector<parameters> parameters_of(cnn& network) {
  std::vector<parameters> all;
  for (conv& c : network.convs) {
    all.push_back({c.weight.data(), static_cast<index_t>(c.weight.size())});
    all.push_back({c.bias.data(), static_cast<index_t>(c.bias.size())});
  }
  dense& last = network.last;
  all.push_back({last.weight.data(), static_cast<index_t>(last.weight.size())});
  all.push_back({last.bias.data(), static_cast<index_t>(last.bias.size())});
  return all;
}

/// Weights [out, side, side, in] as [out, in, side, side], without copying.
template <class T>
auto as_pytorch(T* data, index_t out, index_t side, index_t in) {
  using shape = pare::dextents<index_t, 4>;
  using strided = pare::tensor_view<T, shape, pare::layout_stride>;
  return strided(data, typename strided::mapping_type(shape(out, in, side, side),
                                                      {{side * side * in, 1, side * in, in}}));
}

/// The network with half of its channels, those of the largest norm, in multiples of 16.
cnn halve_channels(const cnn& network) {
  pare::channel_graph graph;
  std::vector<pare::channel_graph::node> convs, outputs;
  auto x = graph.input(1);
  for (const conv& c : network.convs) {
    const auto y = graph.conv2d(x, c.outputs());
    const auto norms = pare::channel_norms(c.weight.view(), 0, pare::norm::l2).value();
    check(graph.score(y, norms.view()));
    convs.push_back(y);
    x = c.added < 0 ? y : graph.add(outputs[static_cast<std::size_t>(c.added)], y);
    outputs.push_back(x);
  }
  const auto last = graph.linear(x, classes);
  graph.output(last);
  const auto plan = graph.plan(pare::amount::fraction(0.5), 16).value();
  const auto plan_of = [&](pare::channel_graph::node n) -> const pare::layer_plan& {
    return plan[static_cast<std::size_t>(n)];
  };

  cnn narrow = network;
  for (std::size_t i = 0; i < narrow.convs.size(); ++i) {
    conv& c = narrow.convs[i];
    const index_t side = c.side();
    const auto less = pare::narrow_weights(
                          as_pytorch(std::as_const(c.weight).data(), c.outputs(), side, c.inputs()),
                          plan_of(convs[i]))
                          .value();
    c.weight = pare::tensor<float, 4>({less.extent(0), side, side, less.extent(1)});
    pare::for_each_pair(as_pytorch(c.weight.data(), c.outputs(), side, c.inputs()), less.view(),
                        [](float& to, float from, index_t) { to = from; });
    c.bias = pare::narrow_vector(c.bias.view(), plan_of(convs[i])).value();
  }
  narrow.last.weight = pare::narrow_weights(narrow.last.weight.view(), plan_of(last)).value();
  return narrow;
}

training with_adam(training t, double rate, double decay) {
  t.batch = 64;
  t.learning_rate = static_cast<float>(rate);
  t.weight_decay = static_cast<float>(decay);
  return t;
}

std::string channels_of(const cnn& network) {
  std::string channels;
  for (const conv& c : network.convs) channels += std::to_string(c.outputs()) + "-";
  return channels + std::to_string(classes);
}

}  // namespace

void prune_cnn(const dataset& data, const arguments& a) {
  cnn network = make_cnn(32, 96, 48, a.seed);
  const auto on_labels = [](const minibatch& b, pare::matrix_view<float> gradient) {
    return pare::cross_entropy(b.logits, b.labels, gradient);
  };
  train_or_read(
      a, "cnn-dense", parameters_of(network),
      with_adam(training_of(a, a.epochs < 0 ? 8 : a.epochs), 2e-3, 0.02),
      [&](const training& t) { train(network, full_masks(network), data, t, on_labels); });

  // What is left of it learns from the whole.
  const auto taught = logits_of(in_eigen(network), data.train, data.pixel_scale);
  const loss_function loss = loss_of_teacher(taught.view());
  const training tuning =
      with_adam(training_of(a, a.fine_tuning < 0 ? 12 : a.fine_tuning), 4e-3, 0);
  const index_t steps = steps_of(tuning, data);

  table lines(data, a, in_eigen(network), as_int8(network, data, zeros::kept));
  for (const recipe& r : {unstructured(0.9), blocks(0.75), two_of_four()}) {
    cnn pruned = network;
    train_or_read(a, "cnn-" + r.file, parameters_of(pruned), tuning, [&](const training& t) {
      cnn_masks kept = full_masks(pruned);
      train(pruned, kept, data, t, loss, gradual(r, layers_of(pruned, kept), steps));
    });
    lines.add(r.name, share_of_zeros(pruned), form_of(r.stored), as_blocks(pruned, r.stored));
    lines.add_int8(r.name, share_of_zeros(pruned), as_int8(pruned, data, zeros::left_out));
  }
  cnn narrow = halve_channels(network);
  train_or_read(a, "cnn-half-of-channels", parameters_of(narrow), tuning,
                [&](const training& t) { train(narrow, full_masks(narrow), data, t, loss); });
  lines.add("half of the channels", 0, "f32, Eigen", in_eigen(narrow));
  lines.add_int8("half of the channels", 0, as_int8(narrow, data, zeros::kept));
  lines.print("CNN 1-" + channels_of(network) + ", all convolutions but the first; half of the " +
              "channels: 1-" + channels_of(narrow));

  const index_t some = std::min<index_t>(data.train.count(), 512);
  const auto inputs = to_inputs(slice(data.train, 0, some), data.pixel_scale);
  cnn_state state;
  forward(network, inputs.view(), state);
  cnn halved = network, smallest = network;
  std::printf("\nCNN, SparseGPT at 50 %%, output error over that of magnitude:");
  for (std::size_t i = 1; i < halved.convs.size(); ++i) {
    std::printf(" %.2f", halve(state.input_of(network, i), halved.convs[i].matrix(),
                               smallest.convs[i].matrix()));
  }
  std::printf("; accuracy %.2f %%, magnitude %.2f %%\n",
              accuracy(in_eigen(halved), data.test, data.pixel_scale),
              accuracy(in_eigen(smallest), data.test, data.pixel_scale));
}

}  // namespace demo
