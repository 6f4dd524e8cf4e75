// Small floats with scales: largest values, nearest elements, channels.
#include <pare/quantize/float8.hpp>

#include <limits>

#include "support/check.hpp"
#include "support/random.hpp"

using pare::float8_e4m3;
using pare::float8_e5m2;
using pare::index_t;
using pare::status;

TEST_CASE("the largest magnitude of each channel is the largest element") {
  auto w = pare_test::random_normal<float>({3, 4, 5}, 1);
  for (index_t j = 0; j < 4; ++j) {
    for (index_t k = 0; k < 5; ++k) w(1, j, k) = 0;
  }
  for (int axis = -1; axis < 3; ++axis) {
    CAPTURE(axis);
    pare::error_meter errors, expected;
    const auto q =
        pare::quantize_float<float8_e4m3>(pare_test::strided_copy(w).view(), axis, &errors).value();
    const index_t channels = axis < 0 ? 1 : w.extent(static_cast<std::size_t>(axis));
    REQUIRE(q.scales.size() == channels);
    pare::tensor<float, 3> back({3, 4, 5});
    REQUIRE(pare::dequantize(q, back.view()) == status::ok);
    for (index_t c = 0; c < channels; ++c) {
      float largest = 0;
      for (index_t i = 0; i < w.size(); ++i) {
        const index_t at[] = {i / 20, i / 5 % 4, i % 5};
        if (axis >= 0 && at[axis] != c) continue;
        largest = std::max(largest, std::abs(w.data()[i]));
        expected.add(w.data()[i], back.data()[i]);
        const float unit = w.data()[i] / q.scales(c);
        CHECK(int{q.elements.data()[i].bits} == int{float8_e4m3(unit).bits});
        CHECK(std::abs(back.data()[i] - w.data()[i]) <=
              std::max(std::abs(w.data()[i]) / 16, q.scales(c) / 1024));
      }
      CHECK(q.scales(c) == (largest == 0 ? 1.0f : largest / 448.0f));
    }
    CHECK(errors.count() == 60);
    CHECK(errors.rms_error() == doctest::Approx(expected.rms_error()));
  }
}

TEST_CASE("what small floats refuse") {
  pare::tensor<float, 2> w({2, 3}), other({3, 2});
  CHECK(pare::quantize_float<float8_e5m2>(w.view(), 2) == status::out_of_range);
  CHECK(pare::quantize_float<float8_e5m2>(pare::view(w.data(), 0, 3)) == status::empty);
  auto q = pare::quantize_float<float8_e5m2>(w.view(), 1).value();
  CHECK(pare::dequantize(q, other.view()) == status::shape_mismatch);
  q.axis = 0;
  CHECK(pare::dequantize(q, w.view()) == status::shape_mismatch);
  q.axis = 5;
  CHECK(pare::dequantize(q, w.view()) == status::out_of_range);
  w(1, 1) = std::numeric_limits<float>::infinity();
  CHECK(pare::quantize_float<float8_e5m2>(w.view()) == status::non_finite);
}
