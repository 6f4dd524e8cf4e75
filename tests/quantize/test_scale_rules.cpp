// Scales and zero points of many ranges, to the bit, against PyTorch 1.13 and the definitions of
// ONNX and TensorFlow Lite (vectors: tools/make_quantize_vectors.py).
#include <pare/quantize/detail/scale_rules.hpp>

#include <doctest/doctest.h>
#include <pare/quantize/dynamic.hpp>
#include "quantize/cases.hpp"
#include "support/check.hpp"
#include "support/vectors.hpp"

using pare::index_t;
using pare::status;
using pare::symmetry;
using rule = pare::affine_rule;
namespace detail = pare::detail;
using quantize_cases::combinations;
using quantize_cases::largest;

namespace {

pare::affine options_of(symmetry scheme, rule r) {
  pare::affine options;
  options.scheme = scheme;
  options.rule = r;
  return options;
}

template <class Code>
pare::affine_params choose(float low, float high, symmetry scheme, rule r) {
  const auto p = pare::choose_params<Code>({low, high}, options_of(scheme, r));
  REQUIRE(p);
  return *p;
}

std::uint32_t bits(float x) { return detail::bit_cast<std::uint32_t>(x); }

/// Whether a range can be compared in this program: see `flushes_denormals`.
bool comparable(float low, float high, float scale) {
  if (!quantize_cases::flushes_denormals()) return true;
  const float magnitude = detail::max(-low, high);
  return !quantize_cases::is_denormal(low) && !quantize_cases::is_denormal(high) &&
         !quantize_cases::is_denormal(scale) && (magnitude == 0.0f || magnitude > 1e-35f);
}

}  // namespace

TEST_CASE("choose_params gives the scale and the zero point of every rule") {
  const auto a = pare_test::load("quantize/ranges.npz");
  const auto mins = a.get<float, 1>("mins"), maxs = a.get<float, 1>("maxs");
  for (const auto& r : quantize_cases::rules) {
    CAPTURE(r.name);
    const auto scales = a.get<float, 2>(std::string(r.name) + "_scales");
    const auto zeros = a.get<std::int32_t, 2>(std::string(r.name) + "_zero_points");
    for (index_t k = 0; k < 4; ++k) {
      const auto& combination = combinations[k];
      CAPTURE(combination.code);
      CAPTURE(static_cast<int>(combination.scheme));
      quantize_cases::with_code(combination.code, [&](auto code) {
        for (index_t i = 0; i < mins.size(); ++i) {
          if (!comparable(mins(i), maxs(i), scales(k, i))) continue;
          CAPTURE(mins(i));
          CAPTURE(maxs(i));
          const auto p = choose<decltype(code)>(mins(i), maxs(i), combination.scheme, r.rule);
          CHECK(bits(p.scale) == bits(scales(k, i)));
          CHECK(p.zero_point == zeros(k, i));
        }
      });
    }
  }
}

TEST_CASE("the rules give the codes that their scales are made for") {
  const auto check = [](detail::code_range codes, int low, int high) {
    CHECK(codes.min == low);
    CHECK(codes.max == high);
  };
  const symmetry both[] = {symmetry::symmetric, symmetry::asymmetric};
  for (symmetry s : both) {
    check(detail::codes_of<std::int8_t>(s, rule::pytorch), -128, 127);
    check(detail::codes_of<std::uint8_t>(s, rule::pytorch), 0, 255);
  }
  check(detail::codes_of<std::int8_t>(symmetry::asymmetric, rule::onnx), -128, 127);
  check(detail::codes_of<std::uint8_t>(symmetry::asymmetric, rule::tflite), 0, 255);
  check(detail::codes_of<std::int8_t>(symmetry::symmetric, rule::onnx), -127, 127);
  check(detail::codes_of<std::uint8_t>(symmetry::symmetric, rule::onnx), 0, 255);
  check(detail::codes_of<std::int8_t>(symmetry::symmetric, rule::tflite), -127, 127);
  check(detail::codes_of<std::uint8_t>(symmetry::symmetric, rule::tflite), 1, 255);
  for (symmetry s : both) {
    check(detail::codes_of<std::int8_t>(s, rule::pytorch, 4), -8, 7);
    check(detail::codes_of<std::int8_t>(s, rule::pytorch, 2), -2, 1);
    check(detail::codes_of<std::uint8_t>(s, rule::pytorch, 4), 0, 15);
  }
  check(detail::codes_of<std::int8_t>(symmetry::symmetric, rule::onnx, 4), -7, 7);
  check(detail::codes_of<std::int8_t>(symmetry::asymmetric, rule::onnx, 4), -8, 7);
  check(detail::codes_of<std::uint8_t>(symmetry::symmetric, rule::tflite, 3), 1, 7);
}

TEST_CASE("a width beyond float is taken in double") {
  // (2 * largest) / 255, rounded once: largest is (2^24 - 1) * 2^104, and 2 / 255 of it fits.
  const float expected = static_cast<float>(2.0 * double{largest} / 255.0);
  for (rule r : {rule::pytorch, rule::onnx, rule::tflite}) {
    CAPTURE(static_cast<int>(r));
    const auto s = choose<std::int8_t>(-largest, largest, symmetry::asymmetric, r);
    CHECK(s.scale == expected);
    // Half way between -1 and 0: the three rules part here.
    CHECK(s.zero_point == (r == rule::tflite ? -1 : 0));
    const auto u = choose<std::uint8_t>(-largest, largest, symmetry::asymmetric, r);
    CHECK(u.scale == expected);
    CHECK(u.zero_point == 128);
    const auto m = choose<std::int8_t>(-largest, largest, symmetry::symmetric, r);
    CHECK(m.scale == detail::divide(largest, r == rule::pytorch ? 127.5f : 127.0f));
  }
}

TEST_CASE("a range of nothing has a scale that divides") {
  const auto s8 = [](symmetry s, rule r) { return choose<std::int8_t>(0.0f, 0.0f, s, r); };
  const auto u8 = [](symmetry s, rule r) { return choose<std::uint8_t>(0.0f, 0.0f, s, r); };
  const float eps = 1.0f / 8388608.0f;
  CHECK(s8(symmetry::symmetric, rule::pytorch).scale == eps);
  CHECK(s8(symmetry::asymmetric, rule::pytorch).scale == eps);
  CHECK(s8(symmetry::asymmetric, rule::pytorch).zero_point == -128);
  CHECK(u8(symmetry::symmetric, rule::pytorch).zero_point == 128);
  for (rule r : {rule::onnx, rule::tflite}) {
    CHECK(s8(symmetry::symmetric, r).scale == 1.0f);
    CHECK(s8(symmetry::symmetric, r).zero_point == 0);
    CHECK(u8(symmetry::symmetric, r).scale == 1.0f);
    CHECK(u8(symmetry::symmetric, r).zero_point == 128);
    CHECK(s8(symmetry::asymmetric, r).scale == 1.0f);
    CHECK(u8(symmetry::asymmetric, r).scale == 1.0f);
    CHECK(u8(symmetry::asymmetric, r).zero_point == 0);
  }
  CHECK(s8(symmetry::asymmetric, rule::onnx).zero_point == -128);
  CHECK(s8(symmetry::asymmetric, rule::tflite).zero_point == 0);
}

TEST_CASE("-0 is no bound of its own") {
  for (rule r : {rule::pytorch, rule::onnx, rule::tflite}) {
    for (symmetry s : {symmetry::symmetric, symmetry::asymmetric}) {
      const auto with = choose<std::uint8_t>(-0.0f, 1.0f, s, r);
      const auto without = choose<std::uint8_t>(0.0f, 1.0f, s, r);
      CHECK(bits(with.scale) == bits(without.scale));
      CHECK(with.zero_point == without.zero_point);
      CHECK(bits(choose<std::int8_t>(-0.0f, -0.0f, s, r).scale) ==
            bits(choose<std::int8_t>(0.0f, 0.0f, s, r).scale));
    }
  }
}

TEST_CASE("choose_params refuses what has no scale, and what it does not know") {
  pare::affine options;
  const auto code = [&](float low, float high) {
    return pare::choose_params<std::int8_t>({low, high}, options);
  };
  SUBCASE("bounds that are no numbers") {
    CHECK(code(quantize_cases::nan(), 1.0f) == status::non_finite);
    CHECK(code(0.0f, quantize_cases::nan()) == status::non_finite);
    CHECK(code(-quantize_cases::infinity(), 1.0f) == status::non_finite);
    CHECK(code(0.0f, quantize_cases::infinity()) == status::non_finite);
  }
  SUBCASE("a minimum above the maximum") { CHECK(code(1.0f, 0.5f) == status::invalid_argument); }
  SUBCASE("bits") {
    for (int bits : {-8, 0, 1, 9, 16}) {
      options.bits = bits;
      CHECK(code(0.0f, 1.0f) == status::out_of_range);
    }
  }
  SUBCASE("a rule or scheme that is none") {
    options.rule = static_cast<rule>(9);
    CHECK(code(0.0f, 1.0f) == status::invalid_argument);
    options.rule = rule::onnx;
    options.scheme = static_cast<symmetry>(2);
    CHECK(code(0.0f, 1.0f) == status::invalid_argument);
  }
}
