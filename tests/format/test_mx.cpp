// Elements and scales one at a time; sizes.
#include <pare/format/mx.hpp>

#include <doctest/doctest.h>

using pare::mx;

TEST_CASE("sizes and exponents of the formats") {
  CHECK(pare::bits_of(mx::fp4_e2m1) == 4);
  CHECK(pare::bits_of(mx::fp6_e2m3) == 6);
  CHECK(pare::bits_of(mx::fp6_e3m2) == 6);
  CHECK(pare::bits_of(mx::int8) == 8);
  const int exponents[] = {2, 2, 4, 8, 15, 0};
  for (int i = 0; i < 6; ++i) {
    CHECK(pare::largest_exponent_of(static_cast<mx>(i)) == exponents[i]);
    CHECK(pare::is_mx(static_cast<mx>(i)));
  }
  CHECK_FALSE(pare::is_mx(static_cast<mx>(6)));
  CHECK(pare::mx_row_bytes(mx::fp4_e2m1, 33) == 32);
  CHECK(pare::mx_row_bytes(mx::fp6_e3m2, 32) == 24);
  CHECK(pare::mx_row_bytes(mx::int8, 0) == 0);
}

TEST_CASE("elements saturate, and int8 has no -128") {
  CHECK(pare::encode_element(mx::int8, -2.0f) == 0x81);
  CHECK(pare::encode_element(mx::int8, 1e30f) == 127);
  CHECK(pare::encode_element(mx::int8, 1.5f / 64) == 2);
  CHECK(pare::encode_element(mx::int8, 2.5f / 64) == 2);
  CHECK(pare::decode_element(mx::int8, 0xff) == -1.0f / 64);
  CHECK(pare::encode_element(mx::fp4_e2m1, -100.0f) == 0xf);
  CHECK(pare::encode_element(mx::fp8_e4m3, 500.0f) == 0x7e);
}

TEST_CASE("the scale is the power of two below the largest value, less emax") {
  CHECK(pare::mx_scale(mx::fp4_e2m1, 7.99f).bits == 127);
  CHECK(pare::mx_scale(mx::fp4_e2m1, 8.0f).bits == 128);
  CHECK(pare::mx_scale(mx::int8, 1.0f).bits == 127);
  CHECK(pare::mx_scale(mx::fp8_e5m2, 1e-40f).bits == 0);
  CHECK(pare::mx_scale(mx::fp8_e5m2, 0.0f).bits == 0);
}

TEST_CASE("codes of 6 bits cross bytes") {
  const std::uint8_t codes[24] = {0x41, 0x30, 0x04};  // 1, 1, 3, 1
  const pare::float8_e8m0 scale = pare::float8_e8m0::from_bits(128);
  const pare::mx_view v{pare::view(codes, 1, 24), pare::view(&scale, 1, 1), 32, mx::fp6_e2m3};
  const int expected[] = {1, 1, 3, 1, 0};
  for (int i = 0; i < 5; ++i) CHECK(v.code(0, i) == expected[i]);
  CHECK(v.value(0, 2) == 2.0f * 3.0f / 8.0f);
}
