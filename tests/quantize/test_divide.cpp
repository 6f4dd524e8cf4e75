// Divisions against exact arithmetic: they must hold under -ffast-math too.
#include <pare/quantize/detail/divide.hpp>

#include <cmath>

#include <doctest/doctest.h>
#include "support/random.hpp"

namespace detail = pare::detail;

TEST_CASE("divide rounds the quotient of two floats once, also by a divisor that a loop keeps") {
  pare_test::random_source random(1);
  for (int round = 0; round < 50; ++round) {
    const float divisor = static_cast<float>(random.uniform() + 0.5);
    for (int i = 0; i < 400; ++i) {
      const float x = static_cast<float>(random.uniform() + 0.5);
      const float quotient = detail::divide(x, divisor);
      // The product of two floats is exact in double. The quotient is the nearest float where no
      // neighbour is nearer, which these differences tell exactly: they have few bits.
      const double off = std::abs(double{x} - double{quotient} * double{divisor});
      const double above = std::abs(double{x} - double{std::nextafter(quotient, 4.0f)} * divisor);
      const double below = std::abs(double{x} - double{std::nextafter(quotient, 0.0f)} * divisor);
      CHECK((off <= above && off <= below));
    }
  }
}

TEST_CASE("an inverse from divide is multiplied by, not divided by") {
  // The example of FBGEMM's QuantUtils.h: the product is 127.5, the quotient 127.499992.
  const volatile float scale = 0.00214854861f, x = 0.273939937f;
  const float inverse = detail::divide(1.0f, static_cast<float>(scale));
  CHECK(static_cast<float>(x) * inverse == 127.5f);
  CHECK(detail::divide(static_cast<float>(x), static_cast<float>(scale)) < 127.5f);
}

TEST_CASE("divide gives the double nearest to a quotient, also by a constant") {
  // 1 / 255, 2 / 255 ... to the last of 53 bits, by long division of integers.
  for (std::uint64_t n = 1; n < 255; ++n) {
    CAPTURE(n);
    int exponent = 0;
    std::uint64_t dividend = n;
    while (dividend < (std::uint64_t{255} << 8)) {  // quotient gets 53 bits after 45 more steps
      dividend *= 2;
      --exponent;
    }
    std::uint64_t quotient = dividend / 255, rest = dividend % 255;
    while (quotient < (std::uint64_t{1} << 52)) {
      rest *= 2;
      quotient = quotient * 2 + rest / 255;
      rest %= 255;
      --exponent;
    }
    if (rest * 2 > 255 || (rest * 2 == 255 && (quotient & 1) != 0)) ++quotient;
    const double expected = std::ldexp(static_cast<double>(quotient), exponent);
    CHECK(detail::divide(static_cast<double>(n), 255.0) == expected);
  }
}
