// Requantization against the published formulas, computed without bounds
// (vectors: tools/make_core_vectors.py), and against exact rational rounding.
#include <pare/core/fixed_point.hpp>

#include <cmath>
#include <limits>

#include <doctest/doctest.h>
#include "support/check.hpp"
#include "support/random.hpp"
#include "support/vectors.hpp"

using pare::fixed_multiplier;
using pare::index_t;
using pare::requantization;

namespace {

const pare_test::archive& vectors() {
  static const pare_test::archive all = pare_test::load("core/fixed_point.npz");
  return all;
}

constexpr std::int32_t int_min = std::numeric_limits<std::int32_t>::min();
constexpr std::int32_t int_max = std::numeric_limits<std::int32_t>::max();

#if defined(__SIZEOF_INT128__)
__extension__ using wide = __int128;

/// floor(numerator / 2^power).
wide floor_shift(wide numerator, int power) {
  const wide divisor = wide{1} << power;
  const wide q = numerator / divisor;
  return q * divisor > numerator ? q - 1 : q;
}

/// The nearest integer to numerator / 2^power: ties up, or away from zero.
wide nearest_ties_up(wide numerator, int power) {
  return power == 0 ? numerator : floor_shift(numerator + (wide{1} << (power - 1)), power);
}
wide nearest_ties_away(wide numerator, int power) {
  return numerator >= 0 ? nearest_ties_up(numerator, power) : -nearest_ties_up(-numerator, power);
}

std::int32_t any_int(pare_test::random_source& random) {
  return static_cast<std::int32_t>(random.integer(int_min, int_max) >> random.integer(0, 31));
}
#endif

}  // namespace

// --- the formulas, to the bit ---

TEST_CASE("the doubling high multiply is gemmlowp's") {
  const auto v = vectors().get<std::int32_t, 2>("srdhm");
  for (index_t i = 0; i < v.extent(0); ++i) {
    CAPTURE(v(i, 0));
    CAPTURE(v(i, 1));
    CHECK(pare::saturating_rounding_doubling_high_multiply(v(i, 0), v(i, 1)) == v(i, 2));
  }
}

TEST_CASE("the division by a power of two is gemmlowp's") {
  const auto v = vectors().get<std::int32_t, 2>("rdbypot");
  for (index_t i = 0; i < v.extent(0); ++i) {
    CAPTURE(v(i, 0));
    CAPTURE(v(i, 1));
    CHECK(pare::rounding_divide_by_power_of_two(v(i, 0), v(i, 1)) == v(i, 2));
  }
}

TEST_CASE("both fixed-point rules are TFLite's, for every shift") {
  const auto v = vectors().get<std::int32_t, 2>("scaled");
  bool shifts[62] = {};
  index_t rules_differ = 0;
  for (index_t i = 0; i < v.extent(0); ++i) {
    const fixed_multiplier m{v(i, 1), v(i, 2)};
    CAPTURE(v(i, 0));
    CAPTURE(m.multiplier);
    CAPTURE(m.shift);
    CHECK(pare::scale_double_rounding(v(i, 0), m) == v(i, 3));
    CHECK(pare::scale_single_rounding(v(i, 0), m) == v(i, 4));
    shifts[m.shift + 31] = true;
    rules_differ += v(i, 3) != v(i, 4);
  }
  for (bool seen : shifts) CHECK(seen);
  CHECK(rules_differ > 0);
}

TEST_CASE("factors become the multipliers of TFLite's QuantizeMultiplier") {
  const auto factors = vectors().get<double, 1>("factors");
  const auto expected = vectors().get<std::int32_t, 2>("multipliers");
  for (index_t i = 0; i < factors.size(); ++i) {
    CAPTURE(factors(i));
    const fixed_multiplier m = pare::make_fixed_multiplier(factors(i));
    CHECK(m.multiplier == expected(i, 0));
    CHECK(m.shift == expected(i, 1));
  }
}

TEST_CASE("the float rules are XNNPACK's and ONNX's") {
  const auto acc = vectors().get<std::int32_t, 1>("acc");
  const auto scale = vectors().get<float, 1>("scale");
  const auto zero_point = vectors().get<std::int32_t, 1>("zero_point");
  const auto nearest = vectors().get<std::int32_t, 1>("nearest");
  const auto onnx = vectors().get<std::int32_t, 1>("onnx");
  index_t rules_differ = 0;
  for (index_t i = 0; i < acc.size(); ++i) {
    CAPTURE(acc(i));
    CAPTURE(scale(i));
    CAPTURE(zero_point(i));
    CHECK(pare::requantize_nearest(acc(i), scale(i), zero_point(i), -128, 127) == nearest(i));
    CHECK(pare::requantize_onnx(acc(i), scale(i), zero_point(i), -128, 127) == onnx(i));
    rules_differ += nearest(i) != onnx(i);
  }
  CHECK(rules_differ > 0);
}

// --- what the formulas mean, by exact arithmetic ---

#if defined(__SIZEOF_INT128__)
TEST_CASE("the doubling high multiply is a * b / 2^31 to nearest, ties up") {
  pare_test::random_source random(1);
  for (int i = 0; i < 20000; ++i) {
    const std::int32_t a = any_int(random), b = any_int(random);
    if (a == int_min && b == int_min) continue;
    const wide exact = nearest_ties_up(static_cast<wide>(a) * b, 31);
    if (pare::saturating_rounding_doubling_high_multiply(a, b) != exact) {
      FAIL_CHECK(a << " * " << b);
    }
  }
}

TEST_CASE("the division by a power of two is to nearest, ties away from zero") {
  pare_test::random_source random(2);
  for (int i = 0; i < 20000; ++i) {
    const std::int32_t x = any_int(random);
    const int e = static_cast<int>(random.integer(0, 31));
    if (pare::rounding_divide_by_power_of_two(x, e) != nearest_ties_away(x, e)) {
      FAIL_CHECK(x << " / 2^" << e);
    }
  }
}

TEST_CASE("single rounding is acc * factor to nearest, ties up") {
  pare_test::random_source random(3);
  for (int i = 0; i < 20000; ++i) {
    const fixed_multiplier m{static_cast<std::int32_t>(random.integer(1 << 30, int_max)),
                             static_cast<std::int32_t>(random.integer(-31, 30))};
    const std::int32_t acc = any_int(random);
    const wide exact = nearest_ties_up(static_cast<wide>(acc) * m.multiplier, 31 - m.shift);
    if (exact < int_min || exact > int_max) continue;
    if (pare::scale_single_rounding(acc, m) != exact) {
      FAIL_CHECK(acc << " * " << m.multiplier << " * 2^" << m.shift - 31);
    }
  }
}

TEST_CASE("double rounding is never further than one from acc * factor") {
  pare_test::random_source random(4);
  for (int i = 0; i < 20000; ++i) {
    const fixed_multiplier m{static_cast<std::int32_t>(random.integer(1 << 30, int_max)),
                             static_cast<std::int32_t>(random.integer(-31, 0))};
    const std::int32_t acc = any_int(random);
    const wide exact = nearest_ties_up(static_cast<wide>(acc) * m.multiplier, 31 - m.shift);
    const wide distance = pare::scale_double_rounding(acc, m) - exact;
    if (distance < -1 || distance > 1) FAIL_CHECK(acc << " * " << m.multiplier);
  }
}
#endif

TEST_CASE("a multiplier stands for its factor to 31 bits") {
  pare_test::random_source random(5);
  for (int i = 0; i < 2000; ++i) {
    const double factor = std::exp(-20.0 + 40.0 * random.uniform());
    const fixed_multiplier m = pare::make_fixed_multiplier(factor);
    CHECK(m.multiplier >= (1 << 30));
    const double back = std::ldexp(m.multiplier, m.shift - 31);
    CHECK(std::abs(back - factor) <= factor * 0x1p-31);
  }
}

// --- the edges ---

TEST_CASE("the doubling high multiply saturates in the one case that overflows") {
  static_assert(pare::saturating_rounding_doubling_high_multiply(int_min, int_min) == int_max);
  static_assert(pare::saturating_rounding_doubling_high_multiply(int_min, int_max) == -int_max);
  static_assert(pare::saturating_rounding_doubling_high_multiply(int_min, int_min + 1) == int_max);
  static_assert(pare::saturating_rounding_doubling_high_multiply(int_max, int_max) == int_max - 1);
  static_assert(pare::saturating_rounding_doubling_high_multiply(1, 1 << 30) == 1);    // 0.5, up
  static_assert(pare::saturating_rounding_doubling_high_multiply(-1, 1 << 30) == 0);   // -0.5, up
  static_assert(pare::saturating_rounding_doubling_high_multiply(-3, 1 << 30) == -1);  // -1.5, up
}

TEST_CASE("the division by a power of two rounds ties away from zero") {
  static_assert(pare::rounding_divide_by_power_of_two(1, 1) == 1);
  static_assert(pare::rounding_divide_by_power_of_two(-1, 1) == -1);
  static_assert(pare::rounding_divide_by_power_of_two(-3, 1) == -2);
  static_assert(pare::rounding_divide_by_power_of_two(5, 0) == 5);
  static_assert(pare::rounding_divide_by_power_of_two(int_min, 0) == int_min);
  static_assert(pare::rounding_divide_by_power_of_two(int_min, 31) == -1);
  static_assert(pare::rounding_divide_by_power_of_two(int_max, 31) == 1);
  static_assert(pare::rounding_divide_by_power_of_two(1 << 30, 31) == 1);
  static_assert(pare::rounding_divide_by_power_of_two((1 << 30) - 1, 31) == 0);
  static_assert(pare::rounding_divide_by_power_of_two(-(1 << 30), 31) == -1);
}

TEST_CASE("the two fixed-point rules differ where the first rounding makes a tie") {
  // 3 / 4 * 2^-1 ... : 0.375 rounds to 0; in two steps 0.75 -> 1, then 0.5 -> 1.
  constexpr fixed_multiplier m{3 << 29, -1};  // 0.375
  static_assert(pare::scale_single_rounding(1, m) == 0);
  static_assert(pare::scale_double_rounding(1, m) == 1);
  // -0.5: up for one, away from zero for the other.
  constexpr fixed_multiplier half{1 << 30, 0};
  static_assert(pare::scale_single_rounding(-1, half) == 0);
  static_assert(pare::scale_double_rounding(-1, half) == 0);
  constexpr fixed_multiplier quarter{1 << 30, -1};
  static_assert(pare::scale_single_rounding(-2, quarter) == 0);
  static_assert(pare::scale_double_rounding(-2, quarter) == -1);
}

TEST_CASE("left shifts and results beyond 32 bits wrap, without undefined behaviour") {
  CHECK(pare::scale_double_rounding(1 << 30, {1 << 30, 2}) == 0);
  CHECK(pare::scale_double_rounding(int_max, {int_max, 30}) ==
        pare::saturating_rounding_doubling_high_multiply(-(1 << 30), int_max));
  CHECK(pare::scale_single_rounding(1 << 30, {1 << 30, 2}) == int_min);
  CHECK(pare::scale_single_rounding(int_min, {int_max, -31}) == -1);
  CHECK(pare::scale_single_rounding(int_min, {1 << 30, -31}) == 0);  // -0.5
}

TEST_CASE("factors that no multiplier can hold") {
  static_assert(pare::make_fixed_multiplier(1.0).multiplier == 1 << 30 &&
                pare::make_fixed_multiplier(1.0).shift == 1);
  static_assert(pare::make_fixed_multiplier(0x1p-32).multiplier == 1 << 30 &&
                pare::make_fixed_multiplier(0x1p-32).shift == -31);
  static_assert(pare::make_fixed_multiplier(0x1p-33).multiplier == 0);
  static_assert(pare::make_fixed_multiplier(0.0).multiplier == 0);
  static_assert(pare::make_fixed_multiplier(-1.0).multiplier == 0);
  static_assert(pare::make_fixed_multiplier(1e300).multiplier == int_max &&
                pare::make_fixed_multiplier(1e300).shift == 30);
  CHECK(pare::make_fixed_multiplier(std::numeric_limits<double>::quiet_NaN()).multiplier == 0);
  CHECK(pare::make_fixed_multiplier(std::numeric_limits<double>::infinity()).multiplier == 0);
  CHECK(pare::make_fixed_multiplier(5e-324).multiplier == 0);
  CHECK(pare::scale_double_rounding(int_max, {}) == 0);
  CHECK(pare::scale_single_rounding(int_min, {}) == 0);
}

TEST_CASE("ONNX adds the zero point before it rounds, XNNPACK after: ties differ") {
  // 0.5: rint(0.5) + 1 = 1, rint(0.5 + 1) = 2.
  static_assert(pare::requantize_nearest(1, 0.5f, 1, -128, 127) == 1);
  static_assert(pare::requantize_onnx(1, 0.5f, 1, -128, 127) == 2);
  static_assert(pare::requantize_nearest(1, 0.5f, 2, -128, 127) == 2);
  static_assert(pare::requantize_onnx(1, 0.5f, 2, -128, 127) == 2);
  CHECK(pare::requantize_nearest(1, 0.5f, 1, -128, 127) == 1);
  CHECK(pare::requantize_onnx(1, 0.5f, 1, -128, 127) == 2);
}

TEST_CASE("every rule clamps the whole range of accumulators") {
  for (const requantization rule :
       {requantization::nearest, requantization::onnx, requantization::double_rounding,
        requantization::single_rounding}) {
    CAPTURE(static_cast<int>(rule));
    const fixed_multiplier half_fixed = pare::make_fixed_multiplier(0.5);
    for (const std::int32_t zp : {-128, -1, 0, 5, 127}) {
      CAPTURE(zp);
      const auto q = [&](std::int32_t acc) {
        return pare::requantize(rule, acc, 0.5f, half_fixed, zp, -128, 127);
      };
      CHECK(q(int_min) == -128);
      CHECK(q(int_max) == 127);
      CHECK(q(0) == zp);
      CHECK(q(4) == (zp + 2 > 127 ? 127 : zp + 2));
      CHECK(q(-4) == (zp - 2 < -128 ? -128 : zp - 2));
    }
    // A huge factor: the product overflows float, the clamp holds.
    if (rule == requantization::nearest || rule == requantization::onnx) {
      CHECK(pare::requantize(rule, int_max, 3e38f, {}, 3, 0, 255) == 255);
      CHECK(pare::requantize(rule, int_min, 3e38f, {}, 3, 0, 255) == 0);
    }
    static_assert(pare::requantize(requantization::single_rounding, 100, 0.0f,
                                   pare::make_fixed_multiplier(0.25), 10, 0, 255) == 35);
  }
  CHECK(pare::add_zero_point(int_max, 127, -128, 127) == 127);
  CHECK(pare::add_zero_point(int_min, -128, -128, 127) == -128);
}
