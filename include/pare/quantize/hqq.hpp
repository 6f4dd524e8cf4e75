// HQQ: zero points that leave the least p-norm of the rounding errors, p below 1, so that a few large
// weights do not decide for all; found in a few closed steps, without any data.
//
// Badri and Shaji, "Half-Quadratic Quantization of Large Machine Learning Models", 2023,
// mobiusml.github.io/hqq_blog.
//
//     const auto w4 = pare::quantize_to_grid(w.view(), pare::hqq_scheme(), 64).value();
#ifndef PARE_QUANTIZE_HQQ_HPP
#define PARE_QUANTIZE_HQQ_HPP

#include <cmath>

#include <pare/quantize/grid.hpp>

namespace pare {

/// How HQQ searches; the defaults are its authors'.
struct hqq_options {
  int bits = 4;          ///< 2 to 8
  int iterations = 20;   ///< at most; ends where the error does not fall any more
  double norm = 0.7;     ///< p, in (0, 1]
  double penalty = 10;   ///< beta of the half-quadratic form, positive,
  double growth = 1.01;  ///< and by how much it grows with each iteration, at least 1
};

inline namespace PARE_ABI {

/// Evenly spaced values around a zero that is no code: (code - zero) * scale.
struct real_zero_grid {
  float scale = 1.0f;
  float zero = 0.0f;
  std::int32_t max = 15;  ///< the largest code; the smallest is 0

  PARE_ALWAYS_INLINE std::int32_t code(float x) const noexcept {
    const float steps = detail::divide(x, scale) + zero;
    return detail::round_half_even(detail::clamp(steps, 0.0f, static_cast<float>(max)));
  }
  PARE_ALWAYS_INLINE float value(std::int32_t code) const noexcept {
    return (static_cast<float>(code) - zero) * scale;
  }
  PARE_ALWAYS_INLINE float round(float x) const noexcept { return value(code(x)); }
};

/// Grids by HQQ: scales span the values, zeros are searched for.
struct hqq_scheme {
  hqq_options options;

  status check() const noexcept {
    affine of_bits;
    of_bits.bits = options.bits;
    PARE_RETURN_IF_ERROR(detail::check_options(of_bits));
    if (options.iterations < 0 || !(options.norm > 0.0 && options.norm <= 1.0) ||
        !(options.penalty > 0.0) || !(options.growth >= 1.0)) {
      return {status_code::out_of_range, "an option of HQQ is outside what it can be", "options"};
    }
    return {};
  }

  real_zero_grid fit(const group_view& x) const noexcept {
    real_zero_grid grid;
    grid.max = (std::int32_t{1} << options.bits) - 1;
    value_range range{x[0], x[0]};
    for (index_t i = 1; i < x.count; ++i) {
      range.min = detail::min(range.min, x[i]);
      range.max = detail::max(range.max, x[i]);
    }
    const double width = double{range.max} - double{range.min};
    const auto scale = static_cast<float>(width / grid.max);
    // One value: it is the zero, shifted by a code.
    grid.scale = is_valid_scale(scale) ? scale : detail::max(std::abs(range.max), 0x1p-100f);
    grid.zero = -detail::divide(range.min, grid.scale);

    double penalty = options.penalty, least = mean_error(x, grid);
    real_zero_grid best = grid;
    for (int i = 0; i < options.iterations; ++i, penalty *= options.growth) {
      double sum = 0.0;
      for (index_t j = 0; j < x.count; ++j) {
        const std::int32_t code = grid.code(x[j]);
        const double error = shrink(double{x[j]} - double{grid.value(code)}, penalty);
        sum += code - (double{x[j]} - error) / double{grid.scale};
      }
      grid.zero = static_cast<float>(sum / static_cast<double>(x.count));
      const double error = mean_error(x, grid);
      if (!(error < least)) break;
      least = error;
      best = grid;
    }
    return best;
  }

 private:
  /// The proximal operator of the p-norm, as its authors approximate it.
  double shrink(double x, double penalty) const noexcept {
    const double magnitude = std::abs(x);
    if (magnitude == 0.0) return 0.0;
    const double rest = magnitude - std::pow(magnitude, options.norm - 1.0) / penalty;
    return rest > 0.0 ? (x < 0.0 ? -rest : rest) : 0.0;
  }

  static double mean_error(const group_view& x, const real_zero_grid& grid) noexcept {
    double sum = 0.0;
    for (index_t i = 0; i < x.count; ++i) {
      sum += std::abs(double{x[i]} - double{grid.round(x[i])});
    }
    return sum / static_cast<double>(x.count);
  }
};

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_HQQ_HPP
