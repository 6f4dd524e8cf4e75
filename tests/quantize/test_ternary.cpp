// Binary and ternary weights: no other scale and threshold has a smaller squared error.
#include <pare/quantize/ternary.hpp>

#include <limits>

#include "support/check.hpp"
#include "support/random.hpp"

using pare::index_t;
using pare::status;

namespace {

double squared_error(const float* x, index_t count, float threshold, float scale) {
  double error = 0;
  for (index_t i = 0; i < count; ++i) {
    const float to = std::abs(x[i]) >= threshold ? std::copysign(scale, x[i]) : 0.0f;
    error += (double{x[i]} - to) * (double{x[i]} - to);
  }
  return error;
}

}  // namespace

TEST_CASE("ternary codes have the least squared error of all thresholds and scales") {
  const auto w = pare_test::random_normal<float>({4, 37}, 1);
  pare::error_meter errors;
  const auto q = pare::quantize_ternary(w.view(), 0, &errors).value();
  double total = 0;
  for (index_t c = 0; c < 4; ++c) {
    const float* x = w.data() + 37 * c;
    double least = squared_error(x, 37, 100.0f, 0.0f);
    for (index_t k = 0; k < 37; ++k) {  // every threshold, with its own mean
      double sum = 0;
      int kept = 0;
      for (index_t i = 0; i < 37; ++i) {
        if (std::abs(x[i]) < std::abs(x[k])) continue;
        sum += std::abs(x[i]);
        ++kept;
      }
      least = std::min(least, squared_error(x, 37, std::abs(x[k]), static_cast<float>(sum / kept)));
    }
    double error = 0;
    for (index_t i = 0; i < 37; ++i) {
      const int code = q.codes(c, i);
      CHECK((code == 0 || code == (x[i] < 0 ? -1 : 1)));
      error += std::pow(double{x[i]} - code * double{q.scales(c)}, 2);
    }
    CHECK(error == doctest::Approx(least));
    total += error;
  }
  CHECK(errors.mean_squared_error() * 4 * 37 == doctest::Approx(total));
  CHECK(q.axis == 0);
  CHECK(q.zero_points.empty());
}

TEST_CASE("binary codes are signs times the mean magnitude") {
  const float values[] = {1, -2, 0, 3, -0.0f, 6};
  const auto q = pare::quantize_binary(pare::view(values)).value();
  CHECK(q.scales(0) == 2.0f);
  CHECK_EQUAL_RANGES(q.codes, {1, -1, 1, 1, 1, 1});
}

TEST_CASE("equal magnitudes get equal codes; columns as channels; zeros") {
  const float values[2][3] = {{1, 5, 0}, {-1, -5, 0}};
  const auto q = pare::quantize_ternary(pare::view(values), 1).value();
  CHECK_EQUAL_RANGES(q.scales, {1, 5, 1});
  CHECK_EQUAL_RANGES(pare::view(q.codes.data(), 6), {1, 1, 0, -1, -1, 0});
  const auto binary = pare::quantize_binary(pare::view(values), 1).value();
  CHECK_EQUAL_RANGES(pare::view(binary.codes.data(), 6), {1, 1, 0, -1, -1, 0});
}

TEST_CASE("what binary and ternary refuse") {
  pare::tensor<float, 2> w({2, 3});
  CHECK(pare::quantize_ternary(w.view(), 2) == status::out_of_range);
  CHECK(pare::quantize_binary(pare::view(w.data(), 0, 3)) == status::empty);
  w(1, 0) = std::numeric_limits<float>::quiet_NaN();
  CHECK(pare::quantize_binary(w.view()) == status::non_finite);
  const auto bad = pare::quantize_ternary(w.view(), 0);
  CHECK(bad == status::non_finite);
  CHECK(bad.error().position == 3);
}
