// Affine codes: which parameters belong to which slice.
#include <pare/format/affine.hpp>

#include <limits>

#include <doctest/doctest.h>
#include "support/check.hpp"

using pare::index_t;

namespace {

using view_type = pare::affine_view<std::int8_t, pare::dextents<index_t, 2>>;

}  // namespace

TEST_CASE("per tensor, every slice has the one scale and zero point") {
  const std::int8_t codes[6] = {};
  const float scales[] = {0.5f};
  const std::int32_t zero_points[] = {3};
  const view_type w{pare::view(codes, 2, 3), pare::view(scales), pare::view(zero_points)};
  CHECK(w.axis == pare::per_tensor);
  for (index_t i : {0, 1, 5}) {
    CHECK(w.params(i).scale == 0.5f);
    CHECK(w.params(i).zero_point == 3);
  }
}

TEST_CASE("along an axis, every slice has its own; without zero points they are 0") {
  const std::int8_t codes[6] = {};
  const float scales[] = {0.5f, 0.25f};
  const std::int32_t zero_points[] = {3, -4};
  const view_type w{pare::view(codes, 2, 3), pare::view(scales), pare::view(zero_points), 0};
  CHECK(w.params(0).scale == 0.5f);
  CHECK(w.params(1).scale == 0.25f);
  CHECK(w.params(1).zero_point == -4);
  const view_type symmetric{pare::view(codes, 2, 3), pare::view(scales), {}, 0};
  CHECK(symmetric.params(1).scale == 0.25f);
  CHECK(symmetric.params(1).zero_point == 0);
}

TEST_CASE("a scale is valid where it and its inverse are finite and positive") {
  for (float valid : {1.0f, 0.001f, 1.1754944e-38f, 3.4028235e38f, 0x1.00001p-128f}) {
    CAPTURE(valid);
    CHECK(pare::is_valid_scale(valid));
  }
  for (float bad :
       {0.0f, -0.0f, -1.0f, 1e-45f, 0x1p-128f, std::numeric_limits<float>::infinity(),
        -std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    CAPTURE(bad);
    CHECK_FALSE(pare::is_valid_scale(bad));
  }
}

TEST_CASE("views of codes are trivial to copy") {
  static_assert(std::is_trivially_copyable_v<view_type>);
  static_assert(std::is_trivially_copyable_v<pare::affine_params>);
  constexpr pare::affine_params identity;
  static_assert(identity.scale == 1.0f && identity.zero_point == 0);
}
