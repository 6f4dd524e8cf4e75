// SmoothQuant's scales.
#include <pare/quantize/smooth_quant.hpp>

#include <limits>

#include "quantize/calibration.hpp"

using calibration::affine_of;
using calibration::inputs_of;
using calibration::of;
using pare::index_t;
using pare::status;

TEST_CASE("scales share out the ranges of inputs and weights") {
  auto x = inputs_of(40, 6), w = pare_test::random_normal<float>({5, 6}, 2);
  for (index_t r = 0; r < 40; ++r) x(r, 1) *= 50.0f, x(r, 3) = 0.0f;
  for (index_t o = 0; o < 5; ++o) w(o, 4) = 0.0f;
  const auto h = of(x);
  for (const double migration : {0.0, 0.3, 0.5, 1.0}) {
    const auto s = pare::smooth_quant_scales(w.view(), h, migration).value();
    CHECK(s(3) == 1.0f);
    CHECK(s(4) == 1.0f);
    for (const index_t i : {0, 1, 2, 5}) {
      double of_x = 0, of_w = 0;
      for (index_t r = 0; r < 40; ++r) of_x = std::max<double>(of_x, std::abs(x(r, i)));
      for (index_t o = 0; o < 5; ++o) of_w = std::max<double>(of_w, std::abs(w(o, i)));
      CHECK(s(i) == doctest::Approx(std::pow(of_x, migration) / std::pow(of_w, 1 - migration)));
    }
  }
  // Half and half: both have the same range after.
  const auto s = pare::smooth_quant_scales(w.view(), h).value();
  CHECK(h.largest(1) / s(1) ==
        doctest::Approx(pare::detail::largest_of_column(w.view(), 1) * s(1)));
}

TEST_CASE("what smooth_quant_scales refuses") {
  auto w = pare_test::random_normal<float>({5, 6}, 2);
  const auto h = of(inputs_of(10, 6));
  CHECK(pare::smooth_quant_scales(w.view(), h, 1.1) == status::out_of_range);
  CHECK(pare::smooth_quant_scales(w.view(), h, std::nan("")) == status::out_of_range);
  CHECK(pare::smooth_quant_scales(w.view(), of(inputs_of(10, 5))) == status::shape_mismatch);
  CHECK(pare::smooth_quant_scales(w.view(), pare::hessian::create(6).value()) == status::empty);
  CHECK(pare::smooth_quant_scales(pare::view(w.data(), 0, 6), h) == status::empty);
  w(0, 0) = std::numeric_limits<float>::infinity();
  CHECK(pare::smooth_quant_scales(w.view(), h) == status::non_finite);
}
