// What activations leave of 8-bit codes, against TensorFlow Lite's formula in other words.
#include <pare/format/code_limits.hpp>

#include <cmath>
#include <limits>

#include "support/check.hpp"
#include "support/random.hpp"

namespace {

static_assert(pare::activation_limits<std::int8_t>(pare::activation::relu6, {0.05f, -128})->high ==
              -8);

template <class Code>
void check_limits(float scale, std::int32_t zero_point) {
  CAPTURE(scale);
  CAPTURE(zero_point);
  const std::int32_t least = std::numeric_limits<Code>::min(),
                     most = std::numeric_limits<Code>::max();
  const pare::affine_params p{scale, zero_point};
  const auto none = pare::activation_limits<Code>(pare::activation::none, p).value();
  CHECK(none.low == least);
  CHECK(none.high == most);
  const auto relu = pare::activation_limits<Code>(pare::activation::relu, p).value();
  CHECK(relu.low == zero_point);
  CHECK(relu.high == most);
  const auto relu6 = pare::activation_limits<Code>(pare::activation::relu6, p).value();
  CHECK(relu6.low == zero_point);
  CHECK(relu6.high == std::min<double>(most, zero_point + double{std::round(6.0f / scale)}));
}

}  // namespace

TEST_CASE("limits are those of CalculateActivationRangeQuantized") {
  for (const float scale :
       {1e-30f, 0.01f, 0.0235f, 0.024f, 0.05f, 0.1f, 0.8f, 1.0f, 4.0f, 12.0f, 13.0f, 1e30f}) {
    for (const int zero_point : {0, 1, 64, 127}) {
      check_limits<std::int8_t>(scale, zero_point);
      check_limits<std::int8_t>(scale, -zero_point - 1);
      check_limits<std::uint8_t>(scale, 2 * zero_point + 1);
    }
  }
  // 6 / 12 is a tie, which goes away from zero.
  CHECK(pare::activation_limits<std::int8_t>(pare::activation::relu6, {12.0f, 0})->high == 1);
}

TEST_CASE("what is not a quantization has no limits") {
  using pare::activation;
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              infinity = std::numeric_limits<float>::infinity();
  const auto s8 = [](float scale, int zero_point, activation act = activation::relu) {
    return pare::activation_limits<std::int8_t>(act, {scale, zero_point});
  };
  const auto u8 = [](float scale, int zero_point) {
    return pare::activation_limits<std::uint8_t>(activation::relu, {scale, zero_point});
  };
  CHECK(s8(nan, 0) == pare::status::non_finite);
  CHECK(s8(infinity, 0) == pare::status::non_finite);
  CHECK(s8(0.0f, 0) == pare::status::out_of_range);
  CHECK(s8(-1.0f, 0) == pare::status::out_of_range);
  CHECK(s8(1e-40f, 0) == pare::status::out_of_range);
  CHECK(s8(1.0f, 128) == pare::status::out_of_range);
  CHECK(s8(1.0f, -129) == pare::status::out_of_range);
  CHECK(u8(1.0f, 256) == pare::status::out_of_range);
  CHECK(u8(1.0f, -1) == pare::status::out_of_range);
  CHECK(s8(1.0f, 0, static_cast<activation>(9)) == pare::status::invalid_argument);
}

TEST_CASE("limits are kept within the codes of the type") {
  const auto all = pare::detail::limits_within<std::int8_t>({}).value();
  CHECK(all.low == -128);
  CHECK(all.high == 127);
  const auto some = pare::detail::limits_within<std::uint8_t>({-5, 100}).value();
  CHECK(some.low == 0);
  CHECK(some.high == 100);
  CHECK(pare::detail::limits_within<std::uint8_t>({-5, -1}) == pare::status::out_of_range);
  CHECK(pare::detail::limits_within<std::int8_t>({3, 2}) == pare::status::out_of_range);
}

TEST_CASE("code_of_six rounds in integers as double does") {
  const auto expected = [](float scale, std::int32_t zero_point, std::int32_t most) {
    const double six = 6.0 / static_cast<double>(scale) + zero_point;
    return six < most ? static_cast<std::int32_t>(std::nearbyint(six)) : most;
  };
  const auto check = [&](float scale, std::int32_t zero_point) {
    CAPTURE(scale);
    CAPTURE(zero_point);
    if (zero_point <= 127) {
      CHECK(pare::detail::code_of_six(scale, zero_point, 127) == expected(scale, zero_point, 127));
    }
    CHECK(pare::detail::code_of_six(scale, zero_point, 255) == expected(scale, zero_point, 255));
  };
  // Ties: 6 / scale is half a step off an integer.
  for (const float scale : {12.0f, 4.0f, 2.4f, 1.5f, 0.75f, 0.375f, 12.0f / 511, 6.0f / 128}) {
    for (const std::int32_t zero_point : {-128, -127, -1, 0, 1, 2, 126, 127, 128, 254, 255}) {
      check(scale, zero_point);
    }
  }
  for (const float scale : {0x1p-128f, 0x1.8p-127f, 1e-30f, 1e-7f, 1e30f, 0x1.fffffep127f,
                            11.99999f, 12.000001f, 0x1p23f, 0x1p24f}) {
    check(scale, -5);
  }
  pare_test::random_source random(1);
  for (int i = 0; i < 20000; ++i) {
    check(static_cast<float>(std::exp(-6.0 + 9.0 * random.uniform())),
          static_cast<std::int32_t>(random.integer(-128, 255)));
  }
}
