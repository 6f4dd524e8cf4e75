// Ranges chosen from histograms.
#include <pare/quantize/histogram_range.hpp>

#include "support/check.hpp"
#include "support/random.hpp"
#include "support/vectors.hpp"

using pare::histogram;
using pare::index_t;
using pare::status;

namespace {

template <class Tensor>
histogram of(const Tensor& x) {
  auto seen = histogram::create().value();
  REQUIRE(pare::observe(seen, x.view()) == status::ok);
  return seen;
}

/// Normal values and one far away.
pare::tensor<float, 1> with_outlier(float outlier) {
  auto x = pare_test::random_normal<float>({4000}, 1);
  x(7) = outlier;
  return x;
}

}  // namespace

TEST_CASE("percentiles cut both tails") {
  pare::tensor<float, 1> x({1001});
  for (index_t i = 0; i < 1001; ++i) x(i) = static_cast<float>(i - 500);
  const auto seen = of(x);
  const auto range = pare::percentile_range(seen, 90).value();
  CHECK(std::abs(range.min + 450) <= 1.0f);
  CHECK(std::abs(range.max - 450) <= 1.0f);
  const auto all = pare::percentile_range(seen, 100).value();
  CHECK(all.min == -500.0f);
  CHECK(all.max == 500.0f);
  CHECK(pare::percentile_range(of(with_outlier(100.0f)), 99.9).value().max < 5.0f);
}

TEST_CASE(
    "the search that PyTorch's HistogramObserver does ends where it ends, given the same bins") {
  const auto vectors = pare_test::load("quantize/observers_stream.npz");
  for (const char* name : {"normal", "laplace", "relu", "outlier"}) {
    CAPTURE(std::string(name));
    const auto x = vectors.get<float, 1>(std::string("histogram_") + name + "_x");
    const auto expected = vectors.get<float, 1>(std::string("histogram_") + name + "_range");
    const auto seen = of(x);
    const auto range = pare::pytorch_histogram_range(seen).value();
    const double near = 1e-5 * double{expected(1)};
    CHECK(std::abs(double{range.min} - double{expected(0)}) <= near);
    CHECK(std::abs(double{range.max} - double{expected(1)}) <= near);
  }
}

TEST_CASE("the squared error picks a range whose codes are better than those of the whole range") {
  const auto x = with_outlier(30.0f);
  const auto seen = of(x);
  for (const int bits : {4, 8}) {
    for (const auto scheme : {pare::symmetry::symmetric, pare::symmetry::asymmetric}) {
      pare::affine options;
      options.bits = bits;
      options.scheme = scheme;
      const auto error_of = [&](pare::value_range range) {
        const auto p = pare::choose_params<std::int8_t>(range, options).value();
        double error = 0;
        for (const float v : x) {
          const double low = -(1 << (bits - 1)) - p.zero_point;
          const double high = (1 << (bits - 1)) - 1 - p.zero_point;
          const double code = std::min(std::max(std::nearbyint(v / double{p.scale}), low), high);
          error += (code * p.scale - v) * (code * p.scale - v);
        }
        return error;
      };
      const auto best = pare::mse_range<std::int8_t>(seen, options).value();
      for (int i = 1; i <= 100; i += 3) {
        const float part = static_cast<float>(i) / 100;
        CHECK(error_of(best) <= 1.02 * error_of({seen.range.min * part, seen.range.max * part}));
      }
      CHECK((bits == 8 || best.max < 20.0f));
    }
  }
}

TEST_CASE("entropy leaves out an outlier, and keeps what fills its range evenly") {
  const auto cut = pare::entropy_range(of(with_outlier(60.0f))).value();
  CHECK(cut.max < 20.0f);
  CHECK(cut.max > 1.5f);
  CHECK(cut.min < -1.5f);
  const auto even = pare_test::random_uniform<float>({20000}, 2, -1, 1);
  const auto kept = pare::entropy_range(of(even)).value();
  CHECK(kept.max > 0.97f);
  const auto positive = pare_test::random_uniform<float>({20000}, 2, 0, 1);
  CHECK(pare::entropy_range(of(positive)).value().min >= 0.0f);
}

TEST_CASE("all values alike, and what is refused") {
  pare::tensor<float, 1> same({5});
  for (float& v : same) v = 3.0f;
  const auto seen = of(same);
  CHECK(pare::percentile_range(seen).value().max == 3.0f);
  CHECK(pare::entropy_range(seen).value().max == 3.0f);
  CHECK(pare::pytorch_histogram_range(seen).value().max == 3.0f);
  CHECK(pare::mse_range(seen));
  const auto none = histogram::create().value();
  CHECK(pare::percentile_range(none) == status::empty);
  CHECK(pare::entropy_range(none) == status::empty);
  CHECK(pare::pytorch_histogram_range(none) == status::empty);
  CHECK(pare::mse_range(none) == status::empty);
  CHECK(pare::percentile_range(seen, 0) == status::out_of_range);
  CHECK(pare::percentile_range(seen, 100.5) == status::out_of_range);
  CHECK(pare::entropy_range(seen, 1) == status::out_of_range);
  CHECK(pare::entropy_range(seen, 1025) == status::out_of_range);
  CHECK(pare::pytorch_histogram_range(seen, 257) == status::out_of_range);
  pare::affine options;
  options.bits = 9;
  CHECK(pare::mse_range(seen, options) == status::out_of_range);
}
