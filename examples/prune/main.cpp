// Prunes a multilayer perceptron and a small residual network on Fashion-MNIST in four ways,
// fine-tunes them, and prints what that costs in accuracy and saves in bytes and time.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <pare/kernels/bcsr_linear.hpp>
#include <pare/prune/channel_graph.hpp>
#include <pare/prune/sparse_gpt.hpp>
#include <pare/quantize/inverse_cholesky.hpp>

#include "../demo/progress.hpp"
#include "../demo/stages.hpp"
#include "../demo/timing.hpp"
#include "cnn.hpp"
#include "recipes.hpp"

namespace demo {
namespace {

using pare::index_t;

const char* const usage =
    "pare_prune [--data DIR] [--network mlp|cnn] [--epochs N] [--fine-tuning N]\n"
    "\n"
    "  --data DIR        a folder with the four files of MNIST or Fashion-MNIST (IDX, plain or\n"
    "                    .gz); Debian's dataset-fashion-mnist unless said otherwise\n"
    "  --network NAME    only this one\n"
    "  --epochs N        of the dense networks; 10 unless said otherwise\n"
    "  --fine-tuning N   epochs while and after pruning; 10 unless said otherwise, 0 for none\n";

struct arguments {
  std::string data = "/usr/share/datasets/fashion-mnist", network;
  int epochs = 10, fine_tuning = 10;
};

bool parse(int argc, char** argv, arguments& a) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string option = argv[i], value = argv[i + 1];
    if (option == "--data") {
      a.data = value;
    } else if (option == "--network" && (value == "mlp" || value == "cnn")) {
      a.network = value;
    } else if (option == "--epochs" && std::atoi(value.c_str()) > 0) {
      a.epochs = std::atoi(value.c_str());
    } else if (option == "--fine-tuning" && std::atoi(value.c_str()) >= 0) {
      a.fine_tuning = std::atoi(value.c_str());
    } else {
      return false;
    }
  }
  return argc % 2 == 1;
}

index_t bytes_of_floats(index_t count) { return count * static_cast<index_t>(sizeof(float)); }

/// One line of the table.
struct row {
  std::string what, form;
  double sparsity = 0;  ///< of the weights that are pruned at all, in percent
  double accuracy = 0;
  index_t bytes = 0;
  timing time;  ///< of a picture, 64 at a time
};

void print(const char* title, const std::vector<row>& rows) {
  std::printf(
      "\n%s\n\n| pruned | stored and run as | zeros | accuracy | bytes | us a picture |"
      " against dense |\n|---|---|---|---|---|---|---|\n",
      title);
  for (const row& r : rows) {
    std::printf("| %s | %s | %.1f %% | %.2f %% | %lld | %.1f | %.2f x |\n", r.what.c_str(),
                r.form.c_str(), r.sparsity, r.accuracy, static_cast<long long>(r.bytes),
                r.time.ours, r.time.eigen / r.time.ours);
  }
  std::fflush(stdout);
}

/// Sparsity that rises while a network is fine-tuned, all of it in the first half; at once where there
/// are no steps.
class gradual {
 public:
  gradual(const recipe& r, pruned_layers layers, index_t steps)
      : recipe_(r), layers_(std::move(layers)) {
    schedule_.last = r.sparsity;
    schedule_.end = std::max<index_t>(1, steps / 2);
    schedule_.every = std::max<index_t>(1, steps / 40);
    if (steps == 0) recipe_.prune(layers_, r.sparsity);
  }

  void operator()(index_t step) const {
    if (!pare::prunes_at(schedule_, step)) return;
    recipe_.prune(layers_, pare::sparsity_at(schedule_, step).value());
  }

 private:
  recipe recipe_;
  pruned_layers layers_;
  pare::pruning_schedule schedule_;
};

/// A pruned layer as it runs.
struct sparse_weights {
  pare::tensor<std::byte, 1> memory, scratch;
  pare::bcsr_view<float> view;

  /// @param rows  of activations, at most
  sparse_weights(pare::matrix_view<const float> weights, pare::bcsr_shape shape, index_t rows) {
    index_t nonzeros = 0;
    pare::for_each_element(weights, [&](float w, index_t) { nonzeros += w != 0 ? 1 : 0; });
    const auto stored = static_cast<float>(nonzeros) / static_cast<float>(weights.size());
    shape.k_block = pare::f32_k_block(shape.block_rows, stored);
    memory = pare::tensor<std::byte, 1>({pare::bcsr_size(weights, shape).value()});
    view = pare::make_bcsr(weights, shape, pare::workspace(memory.data(), memory.size())).value();
    scratch = pare::tensor<std::byte, 1>({pare::sparse_linear_workspace_size(view, rows).value()});
  }

  void run(pare::matrix_view<const float> x, const pare::tensor<float, 1>& bias,
           pare::matrix_view<float> y, pare::activation act) {
    check(pare::linear(x, view, bias.view(), y, pare::workspace(scratch.data(), scratch.size()),
                       act));
  }
};

/// What the table says of a form.
std::string form_of(const pare::bcsr_shape& shape) {
  return shape.block_rows == 1 ? "f32 CSR" : "f32 BCSR 4x1";
}

// --- the perceptron ---

pruned_layers layers_of(mlp& network, masks& kept) {
  pruned_layers layers;
  for (std::size_t i = 0; i + 1 < network.size(); ++i) {
    layers.push_back({std::as_const(network[i].weight).view(), kept[i].view()});
  }
  return layers;
}

/// All layers but the last as sparse ones.
runnable as_sparse(const mlp& network, const pare::bcsr_shape& shape) {
  struct form {
    mlp network;
    std::vector<sparse_weights> weights;
    std::vector<matrix> outputs;
  };
  auto f = std::make_shared<form>();
  f->network = network;
  runnable r;
  for (const dense& layer : network) {
    r.bytes += bytes_of_floats(layer.bias.size());
    if (&layer == &network.back()) {
      r.bytes += bytes_of_floats(layer.weight.size());
    } else {
      f->weights.emplace_back(layer.weight.view(), shape, most_rows);
      f->outputs.emplace_back(most_rows, layer.weight.extent(0));
      r.bytes += f->weights.back().view.bytes();
    }
  }
  r.run = [f](const pictures& p, pare::matrix_view<float> logits) {
    const index_t rows = p.inputs.extent(0);
    pare::matrix_view<const float> x = p.inputs;
    for (std::size_t i = 0; i < f->weights.size(); ++i) {
      const auto y = pare::view(f->outputs[i].data(), rows, f->outputs[i].cols());
      f->weights[i].run(x, f->network[i].bias, y, f->network[i].act);
      x = y;
    }
    const dense& last = f->network.back();
    auto y = pare::to_eigen(logits);
    y.noalias() = pare::to_eigen(x) * pare::to_eigen(std::as_const(last.weight).view()).transpose();
    y.rowwise() += pare::to_eigen(last.bias.view()).transpose();
  };
  return r;
}

double sparsity_of(const pruned_layers& layers) {
  index_t kept = 0, all = 0;
  for (const pruned_layer& l : layers) {
    kept += pare::kept(l.mask);
    all += static_cast<index_t>(l.mask.size());
  }
  return 100.0 * static_cast<double>(all - kept) / static_cast<double>(all);
}

/// How much less the outputs of a layer change under SparseGPT than under magnitude, both at half
/// of the weights and without training. The layer becomes what SparseGPT makes of it.
double halve(pare::matrix_view<const float> inputs, pare::matrix_view<float> weights) {
  auto h = pare::hessian::create(weights.extent(1)).value();
  check(pare::accumulate(inputs, h));
  const auto half = pare::amount::fraction(0.5);
  const auto dense = pare::tensor<float, 2>::copy_of(weights).value();
  auto smallest = dense;
  auto mask = pare::full_mask(weights).value();
  check(pare::prune_magnitude(dense.view(), half, mask.view()));
  check(pare::apply_mask(mask.view(), smallest.view()));
  mask = pare::full_mask(weights).value();
  const auto factor = pare::inverse_cholesky(h).value();
  check(pare::sparse_gpt(weights, factor.view(), half, mask.view()));
  return pare::output_error(dense.view(), weights, h).value() /
         pare::output_error(dense.view(), smallest.view(), h).value();
}

void prune_mlp(const dataset& data, const arguments& a) {
  mlp dense_network = make_mlp({data.train.pixels(), 512, 256, classes}, 1);
  training learning;
  learning.epochs = a.epochs;
  learning.dropout = 0.1f;
  learning.weight_decay = 0.05f;
  learning.threads = 1;
  train_on_labels(dense_network, data, learning);
  training tuning = learning;
  tuning.epochs = a.fine_tuning;
  tuning.dropout = 0;  // what is left has no weight to spare
  tuning.weight_decay = 0.01f;
  const index_t steps = data.train.count() / tuning.batch * tuning.epochs;

  const auto inputs = to_inputs(data.test, data.pixel_scale);
  const pictures all{inputs.view(), data.test.rows()};
  const runnable reference = in_eigen(dense_network);
  std::vector<row> rows;
  const auto add = [&](std::string what, std::string form, double sparsity, index_t bytes,
                       const runnable& network) {
    rows.push_back({std::move(what), std::move(form), sparsity,
                    accuracy(network, data.test, data.pixel_scale), bytes,
                    time_against(network, reference, all, 64, 0.5)});
    std::fprintf(stderr, "%s: %.2f %%\n", rows.back().what.c_str(), rows.back().accuracy);
  };
  add("nothing", "dense f32, Eigen", 0, reference.bytes, reference);

  for (const recipe& r : {unstructured(0.9), blocks(0.75), two_of_four()}) {
    mlp network = dense_network;
    masks kept;
    for (const dense& layer : network) kept.push_back(pare::full_mask(layer.weight.view()).value());
    const pruned_layers layers = layers_of(network, kept);
    const gradual prune(r, layers, steps);
    prune(0);
    index_t step = 0;
    training options = under(kept, tuning);
    const auto apply = options.after_step;
    options.after_step = [&](mlp& n) {
      prune(++step);
      apply(n);
    };
    apply(network);
    if (steps > 0) train_on_labels(network, data, options);
    const runnable sparse = as_sparse(network, r.stored);
    add(r.name, form_of(r.stored), sparsity_of(layers), sparse.bytes, sparse);
  }

  mlp narrow = remove_neurons(dense_network, 0.5);
  if (steps > 0) train_on_labels(narrow, data, tuning);
  const runnable small = in_eigen(narrow);
  add("half of the neurons", "dense f32, Eigen", 0, small.bytes, small);

  const auto some = to_inputs(slice(data.train, 0, 4096), data.pixel_scale);
  std::vector<matrix> outputs;
  forward(dense_network, some.view(), outputs);
  mlp halved = dense_network;
  std::printf("\nMLP, SparseGPT at 50 %%, output error over that of magnitude:");
  for (std::size_t i = 0; i + 1 < halved.size(); ++i) {
    std::printf(" %.2f",
                halve(i == 0 ? some.view() : view_of(outputs[i - 1]), halved[i].weight.view()));
  }
  mlp smallest = dense_network;
  prune_weights(smallest, 0.5);
  std::printf("; accuracy %.2f %%, magnitude %.2f %%\n",
              accuracy(in_eigen(halved), data.test, data.pixel_scale),
              accuracy(in_eigen(smallest), data.test, data.pixel_scale));
  print("MLP 784-512-256-10", rows);
}

// --- the residual network ---

/// All convolutions but the first, which reads one channel.
pruned_layers layers_of(cnn& network, cnn_masks& masks) {
  pruned_layers layers;
  for (std::size_t i = 1; i < network.convs.size(); ++i) {
    layers.push_back({std::as_const(network.convs[i]).matrix(), masks[i].view()});
  }
  return layers;
}

index_t dense_bytes(const cnn& network) {
  index_t bytes = bytes_of_floats(network.last.weight.size() + network.last.bias.size());
  for (const conv& c : network.convs) bytes += bytes_of_floats(c.weight.size() + c.bias.size());
  return bytes;
}

/// Convolutions but the first as sparse linear layers over patches.
product as_sparse(const cnn& network, const pare::bcsr_shape& shape, index_t& bytes) {
  constexpr index_t positions = 7 * 7;
  auto weights = std::make_shared<std::vector<sparse_weights>>();
  bytes = dense_bytes(network);
  for (std::size_t i = 1; i < network.convs.size(); ++i) {
    weights->emplace_back(network.convs[i].matrix(), shape, most_rows * positions);
    bytes += weights->back().view.bytes() - bytes_of_floats(network.convs[i].weight.size());
  }
  const product dense_product = in_eigen(network);
  return [weights, dense_product, &network](std::size_t layer, pare::matrix_view<const float> x,
                                            pare::matrix_view<float> y) {
    if (layer == 0 || layer == network.convs.size()) return dense_product(layer, x, y);
    (*weights)[layer - 1].run(x, network.convs[layer].bias, y, pare::activation::none);
  };
}

runnable as_runnable(const cnn& network, product multiply) {
  runnable r;
  auto state = std::make_shared<cnn_state>();
  r.run = [&network, multiply, state](const pictures& p, pare::matrix_view<float> logits) {
    pare::to_eigen(logits) = forward(network, multiply, p.inputs, *state);
  };
  return r;
}

/// Weights [out, 3, 3, in] as [out, in, 3, 3], without copying.
template <class T>
auto as_pytorch(T* data, index_t out, index_t in) {
  using shape = pare::dextents<index_t, 4>;
  using strided = pare::tensor_view<T, shape, pare::layout_stride>;
  return strided(data,
                 typename strided::mapping_type(shape(out, in, 3, 3), {{9 * in, 1, 3 * in, in}}));
}

/// The network with half of its channels, those of the largest norm, in multiples of 16.
cnn halve_channels(const cnn& network) {
  pare::channel_graph graph;
  std::vector<pare::channel_graph::node> nodes;
  auto x = graph.input(1);
  for (const conv& c : network.convs) {
    const auto y = graph.conv2d(x, c.outputs());
    const auto norms = pare::channel_norms(c.weight.view(), 0, pare::norm::l2).value();
    check(graph.score(y, norms.view()));
    nodes.push_back(y);
    x = c.is_residual ? graph.add(x, y) : y;
  }
  nodes.push_back(graph.linear(x, classes));
  graph.output(nodes.back());
  const auto plan = graph.plan(pare::amount::fraction(0.5), 16).value();

  cnn narrow = network;
  const auto plan_of = [&](std::size_t i) -> const pare::layer_plan& {
    return plan[static_cast<std::size_t>(nodes[i])];
  };
  for (std::size_t i = 0; i < narrow.convs.size(); ++i) {
    conv& c = narrow.convs[i];
    const auto less =
        pare::narrow_weights(as_pytorch(std::as_const(c.weight).data(), c.outputs(), c.inputs()),
                             plan_of(i))
            .value();
    c.weight = pare::tensor<float, 4>({less.extent(0), 3, 3, less.extent(1)});
    pare::for_each_pair(as_pytorch(c.weight.data(), c.outputs(), c.inputs()), less.view(),
                        [](float& to, float from, index_t) { to = from; });
    c.bias = pare::narrow_vector(c.bias.view(), plan_of(i)).value();
  }
  narrow.last.weight =
      pare::narrow_weights(narrow.last.weight.view(), plan_of(narrow.convs.size())).value();
  return narrow;
}

void prune_cnn(const dataset& data, const arguments& a) {
  cnn dense_network = make_cnn(32, 64, 1);
  training learning;
  learning.epochs = a.epochs;
  learning.batch = 64;
  learning.learning_rate = 2e-3f;
  learning.weight_decay = 0.02f;
  const cnn_masks everything = full_masks(dense_network);
  const auto say = [](const char* what, double value) {
    std::fprintf(stderr, "%s: %.2f %%\n", what, value);
  };
  train(dense_network, everything, data, learning);
  training tuning = learning;
  tuning.epochs = a.fine_tuning;
  const index_t steps = data.train.count() / tuning.batch * tuning.epochs;

  const auto inputs = to_inputs(data.test, data.pixel_scale);
  const pictures all{inputs.view(), data.test.rows()};
  const runnable reference = as_runnable(dense_network, in_eigen(dense_network));
  std::vector<row> rows;
  const auto add = [&](std::string what, std::string form, double sparsity, index_t bytes,
                       const cnn& network, const product& multiply) {
    rows.push_back({std::move(what), std::move(form), sparsity,
                    accuracy(network, multiply, data.test, data.pixel_scale), bytes,
                    time_against(as_runnable(network, multiply), reference, all, 64, 0.5)});
    say(rows.back().what.c_str(), rows.back().accuracy);
  };
  add("nothing", "dense f32, Eigen", 0, dense_bytes(dense_network), dense_network,
      in_eigen(dense_network));

  for (const recipe& r : {unstructured(0.9), blocks(0.75), two_of_four()}) {
    cnn network = dense_network;
    cnn_masks masks = full_masks(network);
    const pruned_layers layers = layers_of(network, masks);
    const gradual prune(r, layers, steps);
    for (std::size_t i = 0; i < network.convs.size(); ++i) {
      check(pare::apply_mask(masks[i].view(), network.convs[i].matrix()));
    }
    train(network, masks, data, tuning, prune);
    index_t bytes = 0;
    const product sparse = as_sparse(network, r.stored, bytes);
    add(r.name, form_of(r.stored), sparsity_of(layers), bytes, network, sparse);
  }

  cnn narrow = halve_channels(dense_network);
  train(narrow, full_masks(narrow), data, tuning);
  add("half of the channels", "dense f32, Eigen", 0, dense_bytes(narrow), narrow, in_eigen(narrow));

  cnn_state state;
  const auto some = to_inputs(slice(data.train, 0, 512), data.pixel_scale);
  forward(dense_network, in_eigen(dense_network), some.view(), state);
  cnn halved = dense_network, smallest = dense_network;
  std::printf("\nCNN, SparseGPT at 50 %%, output error over that of magnitude:");
  for (std::size_t i = 1; i < halved.convs.size(); ++i) {
    std::printf(" %.2f", halve(view_of(state.patches[i]), halved.convs[i].matrix()));
    auto mask = pare::full_mask(smallest.convs[i].matrix()).value();
    check(pare::prune_magnitude(smallest.convs[i].matrix(), pare::amount::fraction(0.5),
                                mask.view()));
    check(pare::apply_mask(mask.view(), smallest.convs[i].matrix()));
  }
  std::printf("; accuracy %.2f %%, magnitude %.2f %%\n",
              accuracy(halved, in_eigen(halved), data.test, data.pixel_scale),
              accuracy(smallest, in_eigen(smallest), data.test, data.pixel_scale));
  print("CNN 32-64-64-64, two residual sums", rows);
}

}  // namespace
}  // namespace demo

int main(int argc, char** argv) {
  demo::arguments a;
  if (!demo::parse(argc, argv, a)) {
    std::fputs(demo::usage, stderr);
    return 2;
  }
  const auto data = demo::load_dataset(a.data);
  if (!data) {
    std::fprintf(stderr, "pare_prune: %s: %s\n", data.error().subject, data.error().message);
    return 1;
  }
#if PARE_EXCEPTIONS
  try {
#endif
    if (a.network != "cnn") demo::prune_mlp(*data, a);
    if (a.network != "mlp") demo::prune_cnn(*data, a);
#if PARE_EXCEPTIONS
  } catch (const std::exception& e) {
    std::fprintf(stderr, "pare_prune: %s\n", e.what());
    return 1;
  }
#endif
  return 0;
}
