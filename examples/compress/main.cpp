// Which quantizer for how many bits: trains a classifier, quantizes its weights by every scheme and
// method of the library with 2, 3, 4 and 8 bits, and prints what each leaves of the layers' outputs
// and of the network's accuracy; then bits for each layer under budgets of bytes.
//
// Methods see inputs of training pictures. Errors are measured on the validation part, accuracy on
// the test part, which decides nothing.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include <pare/core/std_threads.hpp>
#include <pare/core/subview.hpp>
#include <pare/distill/loss.hpp>
#include <pare/quantize/bit_allocation.hpp>

#include "demo/data_folder.hpp"
#include "demo/mlp.hpp"
#include "demo/progress.hpp"
#include "quantizers.hpp"

namespace comparison {
namespace {

using demo::mlp;
using pare::index_t;

const char* const usage =
    "pare_compress [--data DIR] [--quick] [--seed N]\n"
    "\n"
    "  --data DIR    a folder with the four files of MNIST or Fashion-MNIST (IDX, plain or .gz)\n"
    "  --quick       a short training\n"
    "  --seed N      of the training; 1 unless said otherwise\n";

mlp train_network(const demo::dataset& data, bool quick, std::uint64_t seed) {
  demo::training options;
  options.epochs = quick ? 2 : 20;
  options.pictures = quick ? 20000 : 0;
  options.dropout = 0.1f;
  options.weight_decay = 0.05f;
  options.seed = seed;
  if (data.train.count() < 10000) options.batch = 32, options.epochs *= 3;
  demo::progress_bar bar("train");
  options.progress = [&](double done, double loss, double accuracy) {
    bar.show(done, loss, accuracy);
  };
  mlp network = demo::make_mlp({data.train.pixels(), 512, 256, demo::classes}, seed);
  demo::train(network, data, options,
              [](const demo::minibatch& b, pare::matrix_view<float> gradient) {
                return pare::cross_entropy(b.logits, b.labels, gradient);
              });
  bar.clear();
  return network;
}

/// Sums of the inputs of every layer, in a stream of batches.
std::vector<pare::hessian> inputs_of(const mlp& network, const demo::labelled_images& set,
                                     float pixel_scale, index_t pictures) {
  std::vector<pare::hessian> sums;
  for (const demo::dense& l : network) {
    sums.push_back(pare::hessian::create(l.weight.extent(1)).value());
  }
  std::vector<demo::matrix> outputs;
  const index_t count = std::min(pictures, set.count());
  constexpr index_t batch = 1000;
  for (index_t first = 0; first < count; first += batch) {
    const auto x = to_inputs(slice(set, first, std::min(first + batch, count)), pixel_scale);
    demo::forward(network, x.view(), outputs);
    for (std::size_t i = 0; i < network.size(); ++i) {
      const auto inputs =
          i == 0 ? pare::matrix_view<const float>(x.view()) : demo::view_of(outputs[i - 1]);
      if (const auto s = pare::accumulate(inputs, sums[i], pare::std_threads()); !s) {
        throw pare::bad_result_access(s.error());
      }
    }
  }
  return sums;
}

/// The squared error of a layer's outputs in percent of their variance.
double layer_error(const demo::dense& exact, const quantized_layer& q, const pare::hessian& h) {
  const auto covariance = pare::centered(h).value();
  const pare::tensor<float, 2> nothing(exact.weight.extents());
  double error = pare::output_error(exact.weight.view(), q.weight.view(), covariance).value();
  const double power = pare::output_error(nothing.view(), exact.weight.view(), covariance).value();
  const index_t out = exact.weight.extent(0), in = exact.weight.extent(1);
  for (index_t r = 0; r < out; ++r) {
    double mean = double{q.bias(r)} - double{exact.bias(r)};
    for (index_t i = 0; i < in; ++i) {
      mean += (double{q.weight(r, i)} - double{exact.weight(r, i)}) * h.sums(i) /
              static_cast<double>(h.rows);
    }
    error += mean * mean / static_cast<double>(out);
  }
  return 100 * error / power;
}

double accuracy(const mlp& network, const demo::labelled_images& set, float pixel_scale) {
  const auto x = to_inputs(set, pixel_scale);
  std::vector<demo::matrix> outputs;
  const auto logits = demo::view_of(demo::forward(network, x.view(), outputs));
  return 100.0 * static_cast<double>(demo::count_correct(logits, set.labels.view())) /
         static_cast<double>(set.count());
}

/// What is known of the network, and what it costs to quantize it.
class workbench {
 public:
  workbench(const demo::dataset& data, mlp network) : data_(data), network_(std::move(network)) {
    seen_ = inputs_of(network_, data.train, data.pixel_scale, 5000);
    held_out_ = inputs_of(network_, data.validation, data.pixel_scale, 5000);
  }

  double float_accuracy() const { return accuracy(network_, data_.test, data_.pixel_scale); }

  void print_row(const quantizer& q) const {
    double bits = 0, weights = 0, errors = 0;
    mlp quantized = network_;
    for (std::size_t i = 0; i < network_.size(); ++i) {
      quantized_layer l = q.run(network_[i], seen_[i]);
      bits += l.bits;
      weights += static_cast<double>(l.weight.size());
      errors += layer_error(network_[i], l, held_out_[i]) / static_cast<double>(network_.size());
      quantized[i].weight = std::move(l.weight);
      quantized[i].bias = std::move(l.bias);
    }
    std::printf("| %d | %s | %s | %.2f | %.4f | %.2f |\n", q.bits, q.name.c_str(), q.grids.c_str(),
                bits / weights, errors, accuracy(quantized, data_.test, data_.pixel_scale));
    std::fflush(stdout);
  }

  /// Bits for each layer, the best there are for budgets between 2 and 4 bits a weight.
  void print_mixed() const {
    const std::vector<int> bits = {2, 3, 4, 5, 6, 8};
    const auto layers = static_cast<index_t>(network_.size());
    const auto options = static_cast<index_t>(bits.size());
    pare::tensor<pare::bit_choice, 2> choices({layers, options});
    std::vector<std::vector<quantized_layer>> made(network_.size());
    double weights = 0;
    for (index_t i = 0; i < layers; ++i) {
      const auto at = static_cast<std::size_t>(i);
      weights += static_cast<double>(network_[at].weight.size());
      for (index_t o = 0; o < options; ++o) {
        const int b = bits[static_cast<std::size_t>(o)];
        made[at].push_back(quantizers(b).back().run(network_[at], seen_[at]));
        const quantized_layer& l = made[at].back();
        choices(i, o) = {b, static_cast<index_t>(std::ceil(l.bits / 8)),
                         layer_error(network_[at], l, seen_[at])};
      }
    }
    for (const double budget : {2.3, 2.5, 3.0, 3.5, 4.0}) {
      const auto chosen =
          pare::allocate_bits(choices.view(), static_cast<index_t>(budget * weights / 8)).value();
      mlp quantized = network_;
      std::string text;
      for (index_t i = 0; i < layers; ++i) {
        const auto at = static_cast<std::size_t>(i);
        const auto choice = chosen.choices(i);
        quantized[at].weight = made[at][static_cast<std::size_t>(choice)].weight;
        quantized[at].bias = made[at][static_cast<std::size_t>(choice)].bias;
        text += (i > 0 ? ", " : "") + std::to_string(choices(i, choice).bits);
      }
      std::printf("| %.1f | %s | %td | %.4f | %.2f |\n", budget, text.c_str(), chosen.bytes,
                  chosen.error / static_cast<double>(layers),
                  accuracy(quantized, data_.test, data_.pixel_scale));
    }
  }

 private:
  const demo::dataset& data_;
  mlp network_;
  std::vector<pare::hessian> seen_, held_out_;  ///< of each layer
};

int run(int argc, char** argv) {
  std::string folder;
  bool quick = false;
  std::uint64_t seed = 1;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    if (option == "--quick") {
      quick = true;
    } else if (option == "--data" && i + 1 < argc) {
      folder = argv[++i];
    } else if (option == "--seed" && i + 1 < argc) {
      seed = std::strtoull(argv[++i], nullptr, 10);
    } else {
      std::printf("%s", usage);
      return option == "--help" || option == "-h" ? 0 : 2;
    }
  }
  folder = demo::data_folder(folder);
  const auto data = demo::load_dataset(folder);
  if (!data) {
    std::fprintf(stderr, "pare_compress: %s/%s: %s\n", folder.c_str(), data.error().subject,
                 data.error().message);
    return 1;
  }
  const workbench bench(*data, train_network(*data, quick, seed));
  std::printf("Float: %.2f %% of the test pictures.\n\n", bench.float_accuracy());
  std::printf(
      "| bits | method | scales for each | bits a weight | output error %% | accuracy %% |\n"
      "|--:|---|---|--:|--:|--:|\n");
  for (const int bits : {8, 4, 3, 2}) {
    for (const quantizer& q : quantizers(bits)) bench.print_row(q);
  }
  std::printf(
      "\n| budget | bits of the layers | bytes | output error %% | accuracy %% |\n"
      "|--:|---|--:|--:|--:|\n");
  bench.print_mixed();
  return 0;
}

}  // namespace
}  // namespace comparison

int main(int argc, char** argv) {
  try {
    return comparison::run(argc, argv);
  } catch (const pare::bad_result_access& e) {
    std::fprintf(stderr, "pare_compress: %s: %s\n", e.error().subject, e.what());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "pare_compress: %s\n", e.what());
  }
  return 1;
}
