// GPTQ of a whole layer, and the parts of it: how near each comes to Eigen's own product.
//
// Limit: the rate of Eigen's f32 product of 512 x n by n x n on this thread, in this program and by
// the same flags. Operations of GPTQ: 2 / 3 in^3 for the factor of the inverse, out * in^2 for the
// errors that are passed on.
#include <pare/core/eigen.hpp>
#include <pare/core/tensor.hpp>
#include <pare/quantize/gptq.hpp>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

#include "support/suite.hpp"

namespace {

using pare::index_t;
using matrix = pare::detail::row_major_matrix;

pare::tensor<float, 2> random_matrix(index_t rows, index_t columns) {
  pare::tensor<float, 2> m({rows, columns});
  std::uint32_t state = 1;
  for (float& x : m) {
    x = static_cast<float>((state = state * 1664525u + 1013904223u) >> 8) * 0x1p-23f - 1.0f;
  }
  return m;
}

/// Seconds of processor time that f() takes: the less of two calls, for they are long.
template <class F>
double seconds(const F& f) {
  double least = 1e30;
  for (int i = 0; i < 2; ++i) {
    const std::clock_t start = std::clock();
    f();
    const double taken = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    least = taken < least ? taken : least;
  }
  return least;
}

template <class Result>
void must(const Result& r) {
  if (r) return;
  std::fprintf(stderr, "%s\n", r.error().message);
  std::exit(1);
}

void measure(index_t n, const pare_bench::options& o, pare_bench::report& report) {
  const std::string shape = std::to_string(n) + "x" + std::to_string(n);
  if (shape.find(o.filter) == std::string::npos) return;
  const double cube =
      1e-9 * static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(n);
  const auto w = random_matrix(n, n), x = random_matrix(512, n);
  auto h = pare::hessian::create(n).value();
  must(pare::accumulate(x.view(), h));

  const auto gram = pare::to_eigen(h.gram.view());
  matrix product(512, n);
  const double rows = 512.0 / static_cast<double>(n);
  const double eigen =
      2 * cube * rows / seconds([&] { product.noalias() = pare::to_eigen(x.view()) * gram; });
  const auto add = [&](const char* name, double operations, double taken) {
    pare_bench::row row;
    row.work = name + (" " + shape);
    row.isa = "Eigen";
    row.unit = "GFLOP/s";
    row.ours = operations / taken;
    row.limit = eigen;
    report.add(row);
  };
  auto again = pare::hessian::create(n).value();
  add("X^T X, 512 rows", 1 * cube * rows,
      seconds([&] { must(pare::accumulate(x.view(), again)); }));
  add("inverse Cholesky", 2 * cube / 3, seconds([&] { must(pare::inverse_cholesky(h)); }));
  pare::affine_scheme scheme;
  scheme.options.bits = 4;
  pare::gptq_options options;
  add("GPTQ", 5 * cube / 3, seconds([&] { must(pare::gptq(w.view(), h, scheme, options)); }));
  options.group = 128;
  options.order = pare::input_order::activation;
  add("GPTQ groups of 128, ordered", 5 * cube / 3,
      seconds([&] { must(pare::gptq(w.view(), h, scheme, options)); }));
  add("GPTQ NF4", 5 * cube / 3,
      seconds([&] { must(pare::gptq(w.view(), h, pare::nf4_scheme())); }));
}

}  // namespace

int main(int argc, char** argv) {
  const auto o = pare_bench::parse(argc, argv, "GPTQ of a layer against Eigen's product");
  pare_bench::report report(o, "GPTQ to 4 bits, one thread; limit: Eigen's product");
  for (const index_t n : {512, 1024, 4096}) measure(n, o, report);
  return report.finish();
}
