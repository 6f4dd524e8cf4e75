// Rounding to integers against NumPy and exact fractions (vectors: tools/make_core_vectors.py).
#include <pare/core/rounding.hpp>

#include <cmath>
#include <limits>

#include <doctest/doctest.h>
#include "support/check.hpp"
#include "support/vectors.hpp"

namespace detail = pare::detail;

#ifdef PARE_DETAIL_BIT_CAST_BUILTIN
static_assert(detail::is_finite(0.0f) && detail::is_finite(-3.4028235e38f) &&
              detail::is_finite(1e-45f) && detail::is_finite(1.7976931348623157e308));
static_assert(!detail::is_finite(std::numeric_limits<float>::infinity()) &&
              !detail::is_finite(-std::numeric_limits<double>::infinity()) &&
              !detail::is_finite(std::numeric_limits<float>::quiet_NaN()) &&
              !detail::is_finite(std::numeric_limits<double>::signaling_NaN()));
#endif

// Constant expressions take another way than run time.
static_assert(detail::round_half_even(0.5) == 0 && detail::round_half_even(1.5) == 2 &&
              detail::round_half_even(2.5) == 2 && detail::round_half_even(-0.5) == 0 &&
              detail::round_half_even(-1.5) == -2 && detail::round_half_even(-2.5) == -2);
static_assert(detail::round_half_even(0.49999999999999994) == 0 &&
              detail::round_half_even(0.5000000000000001) == 1 &&
              detail::round_half_even(-0.5000000000000001) == -1 &&
              detail::round_half_even(1125899906842624.5) == 1125899906842624 &&
              detail::round_half_even(-1125899906842625.5) == -1125899906842626);
static_assert(detail::round_half_even(2.5f) == 2 && detail::round_half_even(-3.5f) == -4);
static_assert(detail::round_half_away(0.5) == 1 && detail::round_half_away(-0.5) == -1 &&
              detail::round_half_away(2.5) == 3 && detail::round_half_away(-2.5) == -3 &&
              detail::round_half_away(0.49999999999999994) == 0 &&
              detail::round_half_away(-0.49999999999999994) == 0);
static_assert(detail::round_half_away(2.5f) == 3 && detail::round_half_away(-2.4f) == -2);

TEST_CASE("rounding at run time is NumPy's rint and C's round") {
  const auto vectors = pare_test::load("core/rounding.npz");
  const auto x = vectors.get<double, 1>("double");
  const auto even = vectors.get<std::int64_t, 1>("double_half_even");
  const auto away = vectors.get<std::int64_t, 1>("double_half_away");
  for (pare::index_t i = 0; i < x.size(); ++i) {
    CAPTURE(x(i));
    CHECK(detail::round_half_even(x(i)) == even(i));
    CHECK(detail::round_half_away(x(i)) == away(i));
  }
  const auto f = vectors.get<float, 1>("float");
  const auto f_even = vectors.get<std::int32_t, 1>("float_half_even");
  const auto f_away = vectors.get<std::int32_t, 1>("float_half_away");
  for (pare::index_t i = 0; i < f.size(); ++i) {
    CAPTURE(f(i));
    CHECK(detail::round_half_even(f(i)) == f_even(i));
    CHECK(detail::round_half_away(f(i)) == f_away(i));
  }
}

TEST_CASE("is_finite at run time") {
  volatile float zero = 0.0f;
  const float x = zero;
  CHECK(detail::is_finite(x));
  CHECK_FALSE(detail::is_finite(std::numeric_limits<float>::infinity() + x));
  CHECK_FALSE(detail::is_finite(std::numeric_limits<float>::quiet_NaN() + x));
}

TEST_CASE("multiply_then_add rounds twice where a fused operation rounds once") {
  // (1 + 2^-12)^2 = 1 + 2^-11 + 2^-24: the last term is lost in the product, and kept by fma.
  volatile float kept = 1.000244140625f;
  const float a = kept;
  CHECK(detail::multiply_then_add(a, a, -1.00048828125f) == 0.0f);
  CHECK(std::fma(a, a, -1.00048828125f) == 0x1p-24f);
  static_assert(detail::multiply_then_add(3.0f, 4.0f, 5.0f) == 17.0f);
  CHECK(detail::rounded(a) == a);
}
