// Histograms of streams: the same counts for any order and any split.
#include <pare/quantize/histogram.hpp>

#include <limits>

#include "support/check.hpp"
#include "support/random.hpp"

using pare::histogram;
using pare::index_t;
using pare::status;

namespace {

histogram of(std::initializer_list<pare::tensor<float, 1>> batches) {
  auto seen = histogram::create().value();
  for (const auto& batch : batches) REQUIRE(pare::observe(seen, batch.view()) == status::ok);
  return seen;
}

void check_same(const histogram& a, const histogram& b) {
  CHECK(a.exponent == b.exponent);
  CHECK(a.total == b.total);
  CHECK(a.range.min == b.range.min);
  CHECK(a.range.max == b.range.max);
  CHECK(pare_test::equal(a.counts, b.counts));
}

}  // namespace

TEST_CASE("every value lies in the bin that counts it") {
  auto x = pare_test::random_normal<float>({500}, 1);
  x(0) = 0.0f;
  x(1) = -0.0f;
  x(2) = 4.0f;
  x(3) = -4.0f;
  const auto seen = of({x});
  std::vector<std::uint64_t> expected(histogram::bins);
  for (const float v : x) {
    bool found = false;
    for (index_t i = 0; i < histogram::bins; ++i) {
      if (double{v} >= seen.begin(i) && double{v} < seen.begin(i + 1)) {
        ++expected[static_cast<std::size_t>(i)];
        found = true;
      }
    }
    CHECK(found);
  }
  CHECK(pare_test::equal(seen.counts, expected));
  CHECK(seen.total == 500);
  CHECK(seen.width() == 4.0 / 1024);
}

TEST_CASE("neither the order of batches nor a split changes the counts") {
  auto small = pare_test::random_normal<float>({300}, 1);
  auto middle = pare_test::random_normal<float>({300}, 2);
  auto large = pare_test::random_normal<float>({300}, 3);
  for (float& v : small) v *= 1e-3f;
  for (float& v : large) v *= 1e4f;
  const pare::tensor<float, 1> zeros({10});
  const auto forward = of({small, middle, large, zeros});
  check_same(of({zeros, large, middle, small}), forward);
  check_same(of({middle, zeros, small, large}), forward);

  auto first = of({small, zeros}), second = of({large, middle});
  auto merged = of({small, zeros});
  pare::merge(merged, second);
  check_same(merged, forward);
  pare::merge(second, first);
  check_same(second, forward);
  pare::merge(second, histogram::create().value());
  check_same(second, forward);
}

TEST_CASE("values of all sizes, from the least to the largest float") {
  const float largest = std::numeric_limits<float>::max();
  pare::tensor<float, 1> x({4});
  x(0) = largest;
  x(1) = -largest;
  x(2) = 1e-45f;
  const auto seen = of({x});
  CHECK(seen.total == 4);
  std::uint64_t sum = 0;
  for (const auto c : seen.counts) sum += c;
  CHECK(sum == 4);
  CHECK(seen.counts(histogram::side) == 2);
  const auto tiny = of({pare::tensor<float, 1>({3})});
  CHECK(tiny.counts(histogram::side) == 3);
  CHECK(tiny.exponent == histogram::smallest_exponent);
}

TEST_CASE("a batch of any layout; a bad one leaves the histogram as it was") {
  const auto x = pare_test::random_normal<float>({7, 9}, 4);
  auto a = histogram::create().value(), b = histogram::create().value();
  REQUIRE(pare::observe(a, x.view()) == status::ok);
  REQUIRE(pare::observe(b, pare_test::strided_copy(x, 2, 3).view()) == status::ok);
  check_same(a, b);
  float bad[] = {1e9f, std::numeric_limits<float>::infinity()};
  CHECK(pare::observe(a, pare::view(bad)) == status::non_finite);
  check_same(a, b);
}
