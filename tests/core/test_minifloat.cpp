// Small floats against tables made of their definitions (vectors: tools/make_block_vectors.py).
#include <pare/core/minifloat.hpp>

#include <limits>

#include "support/check.hpp"
#include "support/vectors.hpp"

namespace {

const pare_test::archive& vectors() {
  static const pare_test::archive a = pare_test::load("quantize/minifloat.npz");
  return a;
}

/// f(Element(), name) for every format.
template <class F>
void for_each_format(F f) {
  f(pare::float8_e4m3(), "e4m3");
  f(pare::float8_e5m2(), "e5m2");
  f(pare::float6_e2m3(), "e2m3");
  f(pare::float6_e3m2(), "e3m2");
  f(pare::float4_e2m1(), "e2m1");
}

std::uint32_t bits_of(float x) { return pare::detail::bit_cast<std::uint32_t>(x); }
bool is_nan(float x) { return (bits_of(x) & 0x7fffffffu) > 0x7f800000u; }

}  // namespace

TEST_CASE("every code of a small float has its value") {
  for_each_format([](auto format, const std::string& name) {
    using element = decltype(format);
    CAPTURE(name);
    const auto values = vectors().get<float, 1>(name + "_values");
    REQUIRE(values.size() == element::largest_bits + 1);
    for (int code = 0; code < element::sign_bit; ++code) {
      const float positive(element::from_bits(static_cast<std::uint8_t>(code)));
      const float negative(element::from_bits(static_cast<std::uint8_t>(code | element::sign_bit)));
      CHECK(bits_of(negative) == (bits_of(positive) ^ 0x80000000u));
      if (code <= element::largest_bits) {
        CHECK(positive == values(code));
      } else if (name == "e5m2" && code == 0x7c) {
        CHECK(bits_of(positive) == 0x7f800000u);
      } else {
        CHECK(is_nan(positive));
      }
    }
    CHECK(std::ilogb(values(element::largest_bits)) == element::largest_exponent);
  });
}

TEST_CASE("floats become the nearest small float: middles, their neighbours and beyond") {
  for_each_format([](auto format, const std::string& name) {
    using element = decltype(format);
    CAPTURE(name);
    const auto x = vectors().get<float, 1>(name + "_x");
    const auto codes = vectors().get<std::uint8_t, 1>(name + "_codes");
    const auto overflowing = vectors().get<std::uint8_t, 1>(name + "_overflowing");
    for (pare::index_t i = 0; i < x.size(); ++i) {
      CAPTURE(x(i));
      CHECK(element(x(i)).bits == codes(i));
      if constexpr (element::has_nan) CHECK(element::overflowing(x(i)).bits == overflowing(i));
    }
  });
}

TEST_CASE("infinity and NaN") {
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(pare::float8_e4m3(infinity).bits == 0x7e);
  CHECK(pare::float8_e4m3(-infinity).bits == 0xfe);
  CHECK(pare::float8_e4m3::overflowing(-infinity).bits == 0xff);
  CHECK(pare::float8_e5m2::overflowing(infinity).bits == 0x7c);
  CHECK(pare::float8_e5m2(infinity).bits == 0x7b);
  CHECK(is_nan(static_cast<float>(pare::float8_e4m3(nan))));
  CHECK(is_nan(static_cast<float>(pare::float8_e5m2(nan))));
  CHECK(pare::float4_e2m1(nan).bits == 7);
  CHECK(pare::float6_e3m2(-infinity).bits == 0x3f);
  static_assert(static_cast<float>(pare::float4_e2m1(2.5f)) == 2.0f, "constant expressions round");
}

TEST_CASE("shared scales are powers of two") {
  for (int b = 1; b < 255; ++b) {
    const auto scale = pare::float8_e8m0::from_bits(static_cast<std::uint8_t>(b));
    CHECK(static_cast<float>(scale) == std::ldexp(1.0f, b - 127));
  }
  CHECK(bits_of(static_cast<float>(pare::float8_e8m0::from_bits(0))) == 0x00400000u);
  CHECK(is_nan(static_cast<float>(pare::float8_e8m0::from_bits(255))));
  CHECK(pare::float8_e8m0::from_bits(255).is_nan());
}

TEST_CASE("exponents of all sizes of floats") {
  for (int e = -149; e < 128; ++e) {
    const float power = std::ldexp(1.0f, e);
    CHECK(pare::detail::exponent_of(-power) == e);
    if (e > -149) {
      const float below = std::nextafter(power, 0.0f);
      CHECK(pare::detail::exponent_of(below) == e - 1);
    }
    CHECK(pare::detail::times_power_of_two(1.5f, e < -126 ? -126 : e) ==
          std::ldexp(1.5f, e < -126 ? -126 : e));
  }
  CHECK(pare::detail::times_power_of_two(std::ldexp(1.0f, -127), 254) == std::ldexp(1.0f, 127));
}
