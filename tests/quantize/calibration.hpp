// What the tests of calibrated methods share: inputs that depend on each other, their sums, schemes.
#ifndef PARE_TESTS_QUANTIZE_CALIBRATION_HPP
#define PARE_TESTS_QUANTIZE_CALIBRATION_HPP

#include <algorithm>

#include <pare/quantize/grid_tensor.hpp>
#include <pare/quantize/hessian.hpp>

#include "support/check.hpp"
#include "support/random.hpp"

namespace calibration {

using pare::index_t;

/// The sums of some inputs.
inline pare::hessian of(const pare::tensor<float, 2>& x) {
  auto h = pare::hessian::create(x.extent(1)).value();
  REQUIRE(pare::accumulate(x.view(), h) == pare::status::ok);
  return h;
}

inline pare::affine_scheme affine_of(int bits,
                                     pare::symmetry symmetry = pare::symmetry::symmetric) {
  pare::affine_scheme scheme;
  scheme.options.bits = bits;
  scheme.options.scheme = symmetry;
  return scheme;
}

/// Inputs that depend on each other and are not negative, as those behind a ReLU.
inline pare::tensor<float, 2> inputs_of(index_t rows, index_t in) {
  auto x = pare_test::random_normal<float>({rows, in}, 1);
  for (index_t r = 0; r < rows; ++r) {
    for (index_t i = 1; i < in; ++i) x(r, i) = std::max(0.0f, x(r, i) + 0.9f * x(r, i - 1));
  }
  return x;
}

template <class Grid>
double error_of(const pare::tensor<float, 2>& w, const pare::grid_tensor<Grid>& q,
                const pare::hessian& h) {
  return pare::output_error(w.view(), pare::dequantize(q).value().view(), h).value();
}

/// The error of rounding to nearest.
template <class Scheme>
double nearest_error(const pare::tensor<float, 2>& w, const Scheme& scheme, const pare::hessian& h,
                     index_t group = 0) {
  return error_of(w, pare::quantize_to_grid(w.view(), scheme, group).value(), h);
}

}  // namespace calibration

#endif  // PARE_TESTS_QUANTIZE_CALIBRATION_HPP
