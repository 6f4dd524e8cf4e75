// Random pruning and its numbers.
#include <pare/prune/random.hpp>

#include <algorithm>

#include <doctest/doctest.h>
#include "support/check.hpp"

namespace {

using pare::amount;
using pare::index_t;
using pare::status;
using pare::view;

}  // namespace

TEST_CASE("numbers are uniform, and streams differ") {
  pare::tensor<double, 1> a({4000}), b({4000});
  pare::random_scores(1, a.view());
  pare::random_scores(2, b.view());
  double mean = 0, square = 0, product = 0;
  for (index_t i = 0; i < a.size(); ++i) {
    REQUIRE(a(i) >= 0);
    REQUIRE(a(i) < 1);
    mean += a(i) / 4000;
    square += a(i) * a(i) / 4000;
    product += (a(i) - 0.5) * (b(i) - 0.5) / 4000;
  }
  CHECK(mean == doctest::Approx(0.5).epsilon(0.03));
  CHECK(square == doctest::Approx(1.0 / 3).epsilon(0.04));
  CHECK(std::abs(product) < 0.006);
}

TEST_CASE("float numbers stay below one and follow the double ones") {
  pare::tensor<double, 1> exact({2000});
  pare::tensor<float, 1> rounded({2000});
  pare::random_scores(3, exact.view());
  pare::random_scores(3, rounded.view());
  CHECK(pare_test::near(rounded, exact, 0x1p-24));
  for (const float r : rounded) CHECK(r < 1.0f);
}

TEST_CASE("a seed prunes the same weights everywhere") {
  std::uint8_t mask[10] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, again[10], other[10];
  std::copy_n(mask, 10, again);
  std::copy_n(mask, 10, other);
  REQUIRE(pare::prune_random(7, amount::count(5), view(mask)) == status::ok);
  REQUIRE(pare::prune_random(7, amount::count(5), view(again)) == status::ok);
  REQUIRE(pare::prune_random(8, amount::count(5), view(other)) == status::ok);
  CHECK(pare_test::equal(mask, again));
  CHECK_FALSE(pare_test::equal(mask, other));
  CHECK(pare::kept(view(mask)) == 5);
}

TEST_CASE("more of the same seed nests, and a fraction is one of what remains") {
  pare::tensor<std::uint8_t, 2> mask({20, 10});
  for (auto& m : mask) m = 1;
  const auto before = mask;
  REQUIRE(pare::prune_random(1, amount::fraction(0.5), mask.view()) == status::ok);
  CHECK(pare::kept(mask.view()) == 100);
  const auto half = mask;
  REQUIRE(pare::prune_random(1, amount::fraction(0.5), mask.view()) == status::ok);
  CHECK(pare::kept(mask.view()) == 50);
  CHECK(pare::nests_in(mask.view(), half.view()));
  CHECK(pare::nests_in(half.view(), before.view()));
  CHECK_FALSE(pare::nests_in(before.view(), half.view()));
}

TEST_CASE("prune_random refuses bad input and leaves the mask untouched") {
  std::uint8_t mask[] = {1, 0, 1};
  CHECK(pare::prune_random(1, amount::count(3), view(mask)) == status::out_of_range);
  CHECK(pare::prune_random(1, amount::fraction(-0.1), view(mask)) == status::invalid_argument);
  CHECK(pare::prune_random(1, amount::count(0), view(mask, 0)) == status::empty);
  CHECK_EQUAL_RANGES(mask, {1, 0, 1});
}
