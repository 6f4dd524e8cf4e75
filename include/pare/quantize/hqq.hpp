// HQQ: zero points that leave the least p-norm of the rounding errors, p below 1, so that a few large
// weights do not decide for all; found in a few closed steps, without any data.
//
// Badri and Shaji, "Half-Quadratic Quantization of Large Machine Learning Models", 2023,
// mobiusml.github.io/hqq_blog.
//
//     const pare::half_scheme<pare::hqq_scheme> scheme;  // search_scheme.hpp
//     const auto w4 = pare::quantize_to_grid(w.view(), scheme, 64).value();
//     const auto layer =
//         pare::pack_offset_grouped_linear(pare::to_offset_grouped(w4)->view(), 4).value();
#ifndef PARE_QUANTIZE_HQQ_HPP
#define PARE_QUANTIZE_HQQ_HPP

#include <cmath>

#include <pare/format/offset_grouped.hpp>
#include <pare/quantize/grid_tensor.hpp>

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

/// Grouped codes with offsets, owned.
struct offset_grouped_tensor {
  tensor<std::int8_t, 2> codes;  ///< [out, in]
  tensor<half, 2> scales;        ///< [out, ceil(in / group)]
  tensor<float, 2> offsets;      ///< as scales
  index_t group = 32;

  PARE_ALWAYS_INLINE offset_grouped_view<half, dextents<index_t, 2>> view() const noexcept {
    return {{codes.view(), scales.view(), {}, group}, offsets.view()};
  }
};

/// Codes on grids with real zeros as `pack_offset_grouped_linear` takes them: codes count from the
/// middle, and the offset is what the middle stands for.
///
/// @return `unsupported` where a scale is not exact in half: `half_scheme` makes them so;
///         `non_finite` where an offset leaves the range of float; `out_of_memory`
[[nodiscard]] inline result<offset_grouped_tensor> to_offset_grouped(
    const grid_tensor<real_zero_grid>& q) noexcept {
  auto codes = tensor<std::int8_t, 2>::create(q.codes.extents());
  if (!codes) return codes.error();
  auto scales = tensor<half, 2>::create(q.grids.extents());
  if (!scales) return scales.error();
  auto offsets = tensor<float, 2>::create(q.grids.extents());
  if (!offsets) return offsets.error();
  for (index_t i = 0; i < q.grids.size(); ++i) {
    const real_zero_grid& grid = q.grids.data()[i];
    const half scale(grid.scale);
    if (static_cast<float>(scale) != grid.scale) {
      return {status_code::unsupported, "a scale is not exact in half: fit it by half_scheme", "q",
              position_kind::element, i};
    }
    scales->data()[i] = scale;
    offsets->data()[i] = grid.value((grid.max + 1) / 2);
    if (!detail::is_finite(offsets->data()[i])) {
      return {status_code::non_finite, "an offset leaves the range of float", "q",
              position_kind::element, i};
    }
  }
  const index_t in = q.codes.extent(1), groups = q.grids.extent(1);
  for (index_t i = 0; i < q.codes.size(); ++i) {
    const index_t grid = in == 0 ? 0 : i / in * groups + i % in / q.group;
    const std::int32_t middle = (q.grids.data()[grid].max + 1) / 2;
    codes->data()[i] = static_cast<std::int8_t>(q.codes.data()[i] - middle);
  }
  return offset_grouped_tensor{*std::move(codes), *std::move(scales), *std::move(offsets), q.group};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_HQQ_HPP
