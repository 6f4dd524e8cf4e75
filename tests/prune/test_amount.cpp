// Amounts against Python's round: round(f * n).
#include <pare/prune/amount.hpp>

#include <limits>

#include <doctest/doctest.h>
#include "support/check.hpp"

using pare::amount;
using pare::index_t;
using pare::status;

TEST_CASE("a fraction is rounded half to even, as Python rounds") {
  CHECK(amount::fraction(0.5).of(5).value() == 2);    // round(2.5)
  CHECK(amount::fraction(0.5).of(7).value() == 4);    // round(3.5)
  CHECK(amount::fraction(0.25).of(10).value() == 2);  // round(2.5)
  CHECK(amount::fraction(0.1).of(25).value() == 2);   // round(2.5)
  CHECK(amount::fraction(0.3).of(10).value() == 3);
  CHECK(amount::fraction(0.7).of(10).value() == 7);
  CHECK(amount::fraction(0.35).of(10).value() == 4);  // round(3.5)
}

TEST_CASE("the ends of a fraction are nothing and everything") {
  CHECK(amount::fraction(0.0).of(13).value() == 0);
  CHECK(amount::fraction(-0.0).of(13).value() == 0);
  CHECK(amount::fraction(1.0).of(13).value() == 13);
  CHECK(amount::fraction(0.9).of(0).value() == 0);
}

TEST_CASE("a fraction of a size that no double holds stays within it") {
  constexpr index_t largest = std::numeric_limits<index_t>::max();
  CHECK(amount::fraction(1.0).of(largest).value() == largest);
  CHECK(amount::fraction(std::nextafter(1.0, 0.0)).of(largest).value() <= largest);
  CHECK(amount::fraction(0.5).of(largest).value() == largest / 2 + 1);
}

TEST_CASE("a count is itself") {
  CHECK(amount::count(0).of(0).value() == 0);
  CHECK(amount::count(3).of(3).value() == 3);
}

TEST_CASE("an amount is known to the compiler") {
  static_assert(amount::count(3).of(8).has_value());
  static_assert(*amount::fraction(0.5).of(5) == 2);
  static_assert(*amount::fraction(0.5).of(7) == 4);
}

TEST_CASE("amounts outside their range are errors") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const double f : {-0.001, 1.001, -infinity, infinity, nan}) {
    CAPTURE(f);
    CHECK(amount::fraction(f).of(4) == status::invalid_argument);
  }
  CHECK(amount::count(-1).of(4) == status::invalid_argument);
  CHECK(amount::count(5).of(4) == status::out_of_range);
  CHECK(amount::count(1).of(0) == status::out_of_range);
}

TEST_CASE("an amount of which nothing is said prunes nothing") {
  CHECK(pare::amount().of(7).value() == 0);
}
