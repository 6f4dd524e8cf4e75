// Sorting by digits, running sums, quantiles and errors.
#include <pare/quantize/detail/sorted_values.hpp>

#include <algorithm>

#include "support/check.hpp"
#include "support/random.hpp"

using pare::index_t;
using pare::detail::sorted_values;

TEST_CASE("floats of all sizes and signs are sorted, and weights move along") {
  pare_test::random_source random(1);
  for (const index_t count : {index_t{1}, index_t{2}, index_t{1000}}) {
    pare::tensor<float, 1> x({count}), w({count}), scratch({2 * count});
    for (index_t i = 0; i < count; ++i) {
      x(i) = static_cast<float>(random.normal() * std::pow(10.0, random.integer(-40, 37)));
      w(i) = x(i) * 0.5f;
    }
    std::vector<float> expected(x.begin(), x.end());
    std::sort(expected.begin(), expected.end());
    auto alone = x;
    pare::detail::radix_sort(x.data(), w.data(), count, scratch.data());
    pare::detail::radix_sort(alone.data(), nullptr, count, scratch.data());
    CHECK(pare_test::equal(x, expected));
    CHECK(pare_test::equal_bits(alone, x));
    for (index_t i = 0; i < count; ++i) CHECK(w(i) == x(i) * 0.5f);
  }
}

TEST_CASE("sums, searches and quantiles") {
  float x[] = {5, -1, 2, 2};
  float w[] = {1, 2, 3, 4};
  const auto v = sorted_values::create(x, w, 4).value();
  CHECK_EQUAL_RANGES(x, {-1, 2, 2, 5});
  CHECK(v.mean() == doctest::Approx(1.7));
  CHECK(v.mass(1, 3) == 7.0);
  CHECK(v.sum(0, 4) == doctest::Approx(0.0));
  CHECK(v.sum(3, 4) == doctest::Approx(3.3));
  CHECK(v.count_up_to(2.0) == 3);
  CHECK(v.count_up_to(1.9) == 1);
  CHECK(v.count_up_to(-2.0) == 0);
  CHECK(v.count_up_to(5.0) == 4);
  CHECK(v.quantile(0.1) == 0);
  CHECK(v.quantile(0.3) == 1);
  CHECK(v.quantile(0.95) == 3);
  const float levels[] = {-1, 3};
  // 2 * 0 + 7 * 1 + 1 * 4
  CHECK(v.squared_error(levels, 2) == doctest::Approx(11.0));
}
