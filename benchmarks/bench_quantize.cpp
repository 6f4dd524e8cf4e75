// Quantize and dequantize of 1 M weights, and codebooks of 16 values for them.
//
// Bytes count as read and written by the definition of the operation: 4 for a float, 1 for a code.
// Limit: a copy of floats that moves as many bytes. The peer of codebooks is one step of Lloyd's
// iterations as tensor libraries do it, distances of all weights to all centroids; ours is the whole
// search, to its end.
#include <pare/core/tensor.hpp>
#include <pare/quantize/affine.hpp>
#include <pare/quantize/codebook.hpp>
#include <pare/quantize/grouped.hpp>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "support/machine.hpp"
#include "support/suite.hpp"

namespace {

using pare::index_t;
using pare_bench::contender;

constexpr index_t rows = 1024, columns = 1024, size = rows * columns;

void must(const pare::status& s) {
  if (s) return;
  std::fprintf(stderr, "%s\n", s.error().message);
  std::exit(1);
}

/// Weights as trained layers have them: a sum of four uniform numbers.
pare::tensor<float, 2> make_weights() {
  pare::tensor<float, 2> w({rows, columns});
  std::uint32_t state = 1;
  const auto next = [&state] {
    state = state * 1664525u + 1013904223u;
    return static_cast<float>(state >> 8) / 16777216.0f - 0.5f;
  };
  for (float& x : w) x = 0.1f * (next() + next() + next() + next());
  return w;
}

struct data {
  pare::tensor<float, 2> w = make_weights();
  pare::tensor<float, 2> back{{rows, columns}};
  pare::tensor<std::int8_t, 2> codes{{rows, columns}};
  pare::tensor<float, 1> scales{{rows}};
  std::vector<char> from, to;  // what the copy loop moves
};

/// The loop that a compiler makes of a plain copy of floats.
void copy_loop(const float* from, float* to, index_t count) {
  for (index_t i = 0; i < count; ++i) to[i] = from[i];
}

/// One step of Lloyd's iterations on all pairs of weights and centroids.
void naive_step(const float* w, float* centroids, index_t count) {
  double sums[16] = {};
  index_t counts[16] = {};
  for (index_t i = 0; i < count; ++i) {
    float least = std::fabs(w[i] - centroids[0]);
    int nearest = 0;
    for (int c = 1; c < 16; ++c) {
      const float distance = std::fabs(w[i] - centroids[c]);
      nearest = distance < least ? c : nearest;
      least = distance < least ? distance : least;
    }
    sums[nearest] += static_cast<double>(w[i]);
    ++counts[nearest];
  }
  for (int c = 0; c < 16; ++c) {
    if (counts[c] > 0) centroids[c] = static_cast<float>(sums[c] / static_cast<double>(counts[c]));
  }
}

class suite {
 public:
  suite(const pare_bench::options& o, pare_bench::report& report) : options_(o), report_(report) {}

  /// A row of memory work that moves `bytes`.
  void memory(const char* name, double bytes, const std::function<void()>& run) {
    if (std::string(name).find(options_.filter) == std::string::npos) return;
    const index_t floats = static_cast<index_t>(bytes / 8);
    auto from = std::make_shared<pare::tensor<float, 1>>(pare::dextents<index_t, 1>(floats));
    auto to = std::make_shared<pare::tensor<float, 1>>(pare::dextents<index_t, 1>(floats));
    const auto figures = pare_bench::measure(
        {{"ours", 1e-9 * bytes, run},
         {"copy", 1e-9 * bytes, [=] { copy_loop(from->data(), to->data(), floats); }}},
        options_);
    add(name, "GB/s", figures[0], figures[1], {});
  }

  void search(const char* name, const pare::tensor<float, 2>& w, const pare::codebook& options) {
    if (std::string(name).find(options_.filter) == std::string::npos) return;
    std::vector<float> centroids(16);
    for (int c = 0; c < 16; ++c) {
      centroids[static_cast<std::size_t>(c)] = 0.02f * (static_cast<float>(c) - 7.5f);
    }
    const auto figures = pare_bench::measure(
        {{"ours", 1, [&] { must(pare::quantize_codebook(w.view(), options).status()); }},
         {"one naive step", 1, [&] { naive_step(w.data(), centroids.data(), size); }}},
        options_);
    add(name, "1/s", figures[0], 0, {{"one naive step", figures[1]}});
  }

 private:
  void add(const char* name, const char* unit, double ours, double limit,
           const std::vector<std::pair<std::string, double>>& peers) {
    pare_bench::row row;
    row.work = name;
    row.isa = pare::name(pare::active_isa());
    row.unit = unit;
    row.ours = ours;
    row.limit = limit;
    row.peers = peers;
    report_.add(row);
  }

  const pare_bench::options& options_;
  pare_bench::report& report_;
};

}  // namespace

int main(int argc, char** argv) {
  const auto o = pare_bench::parse(argc, argv, "quantize, dequantize and codebooks of 1 M weights");
  pare_bench::report report(o, "1024 x 1024 weights, one thread; limit: a copy loop");
  suite all(o, report);
  const auto d = std::make_shared<data>();
  const double bytes = 5.0 * static_cast<double>(size);
  pare::affine affine;
  const auto p8 = pare::choose_params<std::int8_t>({-0.2f, 0.2f}).value();
  affine.bits = 4;
  const auto p4 = pare::choose_params<std::int8_t>({-0.2f, 0.2f}, affine).value();
  affine.axis = 0;
  for (index_t i = 0; i < rows; ++i) d->scales(i) = p4.scale;

  all.memory("quantize 8 bit, tensor", bytes, [=] {
    must(pare::quantize(d->w.view(), p8, pare::affine_rule::pytorch, d->codes.view()));
  });
  all.memory("quantize 8 bit, tensor, onnx", bytes, [=] {
    must(pare::quantize(d->w.view(), p8, pare::affine_rule::onnx, d->codes.view()));
  });
  all.memory("quantize 8 bit, rows", bytes, [=] {
    must(pare::quantize(d->w.view(), 0, d->scales.view(), {}, pare::affine_rule::pytorch,
                        d->codes.view()));
  });
  // With the range, which reads the weights once more.
  all.memory("quantize 4 bit, rows, with range", bytes,
             [=] { must(pare::quantize(d->w.view(), affine).status()); });
  all.memory("quantize 4 bit, groups of 32", bytes,
             [=] { must(pare::quantize_grouped(d->w.view()).status()); });
  must(pare::quantize(d->w.view(), p8, pare::affine_rule::pytorch, d->codes.view()));
  all.memory("dequantize 8 bit, tensor", bytes,
             [=] { must(pare::dequantize(d->codes.view(), p8, d->back.view())); });
  const auto q4 = std::make_shared<pare::affine_tensor<std::int8_t, 2>>(
      pare::quantize(d->w.view(), affine).value());
  all.memory("dequantize 4 bit, rows", bytes,
             [=] { must(pare::dequantize(q4->view(), d->back.view())); });
  const auto g4 =
      std::make_shared<pare::grouped_tensor>(pare::quantize_grouped(d->w.view()).value());
  all.memory("dequantize 4 bit, groups of 32", bytes,
             [=] { must(pare::dequantize(g4->view(), d->back.view())); });
  pare::codebook codebook;
  all.search("16 values, Lloyd, linear", d->w, codebook);
  codebook.search = pare::codebook_search::density;
  all.search("16 values, Lloyd, density", d->w, codebook);
  if (o.filter.empty() || std::string("16 values, exact").find(o.filter) != std::string::npos) {
    codebook.search = pare::codebook_search::exact;
    all.search("16 values, exact", d->w, codebook);
  }
  return report.finish();
}
