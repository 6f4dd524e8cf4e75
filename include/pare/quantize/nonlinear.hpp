// Levels on a curve: dense near zero, where most weights are, and sparse where they are rare.
//
// mu-law: Bernard Smith, "Instantaneous Companding of Quantized Signals", Bell System Technical
// Journal 36(3), 1957; ITU-T G.711 takes mu = 255. Logarithmic: Miyashita, Lee and Murmann,
// "Convolutional Neural Networks using Logarithmic Data Representation", 2016, arXiv:1603.01025.
// Powers of two: Zhou et al., "Incremental Network Quantization", 2017, arXiv:1702.03044.
//
// A curve has a range and a shape. Both are fitted here to the least squared error, and weights go to
// the level that is nearest to them (companding in the literature rounds on the curve, which takes the
// farther level near the middle of two). The result is a codebook.
//
//     auto w4 = pare::quantize_nonlinear(w, pare::nonlinear{}).value();  // mu-law, 4 bits
//     run(w4.codebook.view());
#ifndef PARE_QUANTIZE_NONLINEAR_HPP
#define PARE_QUANTIZE_NONLINEAR_HPP

#include <cmath>

#include <pare/quantize/codebook.hpp>

namespace pare {

/// Where the levels of positive codes lie, for u = 1/n, 2/n, ... 1 (see `zero_level`) in units of the
/// range; negative ones mirror them.
enum class level_curve : std::uint8_t {
  linear,        ///< u
  sigmoid,       ///< atanh(u tanh(shape)) / shape: equal steps of a sigmoid
  mu_law,        ///< ((1 + shape)^u - 1) / shape
  logarithmic,   ///< shape^(n - 1), ... shape, 1, with shape below 1
  power_of_two,  ///< 2^(1 - n), ... 1/2, 1, and the range is a power of two
};

/// Whether zero is one of the levels. Words of the field: a mid-tread or a mid-rise quantizer.
enum class zero_level : std::uint8_t {
  mid_tread,  ///< 2^bits - 1 levels, zero among them: u of n = 2^(bits - 1) - 1 levels
  mid_rise,  ///< 2^bits levels, none of them zero: u of n = 2^(bits - 1) levels; on the curves of u
             ///< half a step nearer to zero, at u = (i - 1/2) / (n - 1/2)
};

/// What places the levels of a curve.
struct curve_params {
  float range = 1.0f;  ///< the largest level, positive
  float shape = 1.0f;  ///< see `level_curve`; `linear` and `power_of_two` have none
};

/// How a tensor is quantized to the levels of a curve.
struct nonlinear {
  level_curve curve = level_curve::mu_law;
  int bits = 4;           ///< of a code, 2 to 8
  int axis = per_tensor;  ///< a dimension with parameters for each index
  zero_level zero = zero_level::mid_tread;
};

/// Codes with their levels and the parameters that the levels follow from, owned.
template <std::size_t Rank>
struct nonlinear_tensor {
  codebook_tensor<Rank> codebook;
  tensor<curve_params, 1> params;  ///< one, or one for each index along the axis
};

namespace detail {
inline namespace PARE_ABI {

/// The shapes that are tried, from almost linear to the strongest.
struct shape_range {
  double low;
  double high;
};
inline shape_range shapes_of(level_curve curve) noexcept {
  switch (curve) {
    case level_curve::sigmoid: return {0.05, 8.0};
    case level_curve::mu_law: return {0.05, 5000.0};
    case level_curve::logarithmic: return {0.2, 0.98};
    case level_curve::linear:
    case level_curve::power_of_two: break;
  }
  return {1.0, 1.0};
}

inline index_t positive_levels(int bits, zero_level zero) noexcept {
  const index_t half = index_t{1} << (bits - 1);
  return zero == zero_level::mid_tread ? half - 1 : half;
}

/// The i-th of n positive levels, i from 1, for a range of 1.
inline double level_on_curve(level_curve curve, double shape, zero_level zero, index_t i,
                             index_t n) noexcept {
  const double back = zero == zero_level::mid_tread ? 0.0 : 0.5;
  const double u = (static_cast<double>(i) - back) / (static_cast<double>(n) - back);
  switch (curve) {
    case level_curve::linear: break;
    case level_curve::sigmoid: return std::atanh(u * std::tanh(shape)) / shape;
    case level_curve::mu_law: return std::expm1(u * std::log1p(shape)) / shape;
    case level_curve::logarithmic: return std::pow(shape, static_cast<double>(n - i));
    case level_curve::power_of_two: return std::ldexp(1.0, static_cast<int>(i - n));
  }
  return u;
}

/// All levels in rising order. Returns how many: 2^bits - 1 or 2^bits.
template <class Level>
index_t fill_levels(level_curve curve, int bits, zero_level zero, double range, double shape,
                    Level* levels) noexcept {
  const index_t n = positive_levels(bits, zero);
  const index_t middle = zero == zero_level::mid_tread ? 1 : 0;
  if (middle == 1) levels[n] = 0;
  for (index_t i = 1; i <= n; ++i) {
    const double level = range * level_on_curve(curve, shape, zero, i, n);
    levels[n + middle + i - 1] = static_cast<Level>(level);
    levels[n - i] = static_cast<Level>(-level);
  }
  return 2 * n + middle;
}

/// The range and shape with the least squared error: a search on a grid, and on ever finer ones
/// around the best of it. Ranges and shapes are spaced by factors.
inline curve_params fit_curve(const sorted_values& v, level_curve curve, int bits,
                              zero_level zero) noexcept {
  const double largest = max(std::fabs(double{v[0]}), std::fabs(double{v[v.size() - 1]}));
  if (largest == 0) return {1.0f, static_cast<float>(shapes_of(curve).high)};
  double levels[256];
  const auto error_of = [&](double range, double shape) {
    const index_t count = fill_levels(curve, bits, zero, range, shape, levels);
    return v.squared_error(levels, count);
  };
  if (curve == level_curve::power_of_two) {
    const int top = std::ilogb(largest);
    int best = top;
    for (int e = top + 1; e > top - 8; --e) {
      if (error_of(std::ldexp(1.0, e), 1) < error_of(std::ldexp(1.0, best), 1)) best = e;
    }
    return {std::ldexp(1.0f, best < -149 ? -149 : best > 127 ? 127 : best), 1.0f};
  }
  const shape_range shapes = shapes_of(curve);
  const bool has_shape = shapes.low < shapes.high;
  constexpr int half = 8;  // tries on each side of the middle
  double range_low = 0.2 * largest, range_high = largest;
  double shape_low = shapes.low, shape_high = shapes.high;
  double best_range = largest, best_shape = shapes.low, least = error_of(best_range, best_shape);
  for (int round = 0; round < 6; ++round) {
    const double range_step = std::pow(range_high / range_low, 1.0 / (2 * half));
    const double shape_step = std::pow(shape_high / shape_low, 1.0 / (2 * half));
    for (int s = 0; s <= (has_shape ? 2 * half : 0); ++s) {
      const double shape = shape_low * std::pow(shape_step, s);
      for (int r = 0; r <= 2 * half; ++r) {
        const double range = range_low * std::pow(range_step, r);
        const double error = error_of(range, shape);
        if (error < least) {
          least = error;
          best_range = range;
          best_shape = shape;
        }
      }
    }
    // The next round looks at two steps on each side of the best.
    range_low = best_range / (range_step * range_step);
    range_high = min(best_range * range_step * range_step, largest);
    shape_low = max(best_shape / (shape_step * shape_step), shapes.low);
    shape_high = min(best_shape * shape_step * shape_step, shapes.high);
  }
  return {static_cast<float>(best_range), static_cast<float>(best_shape)};
}

inline status check_curve(level_curve curve, int bits, zero_level zero) noexcept {
  if (bits < 2 || bits > 8) {
    return {status_code::out_of_range, "codes have 2 to 8 bits", "bits"};
  }
  if (zero != zero_level::mid_tread && zero != zero_level::mid_rise) {
    return {status_code::invalid_argument, "the levels have a zero or have none", "zero"};
  }
  switch (curve) {
    case level_curve::linear:
    case level_curve::sigmoid:
    case level_curve::mu_law:
    case level_curve::logarithmic:
    case level_curve::power_of_two: return {};
  }
  return {status_code::invalid_argument, "the curve is none of those offered", "curve"};
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Levels of a curve with `bits` bits: 2^bits - 1 with zero among them, or 2^bits.
constexpr index_t level_count(int bits, zero_level zero) noexcept {
  return (index_t{1} << bits) - (zero == zero_level::mid_tread ? 1 : 0);
}

/// The levels of a curve, in rising order.
///
/// @param params  range positive and finite; shape positive and finite, and for `logarithmic` below 1
/// @param levels  [level_count(bits, zero)]
/// @return `out_of_range` for bits or parameters, `invalid_argument` for a curve or zero that is none,
///         `shape_mismatch`; `levels` is then untouched
[[nodiscard]] inline status curve_levels(level_curve curve, int bits, zero_level zero,
                                         curve_params params, vector_view<float> levels) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_curve(curve, bits, zero));
  if (levels.extent(0) != level_count(bits, zero)) {
    return {status_code::shape_mismatch, "there are as many levels as codes", "levels"};
  }
  if (!is_valid_scale(params.range)) {
    return {status_code::out_of_range, "a range is positive and finite", "range"};
  }
  if (!is_valid_scale(params.shape) ||
      (curve == level_curve::logarithmic && params.shape >= 1.0f)) {
    return {status_code::out_of_range,
            "a shape is positive and finite, and that of a logarithmic curve below 1", "shape"};
  }
  detail::fill_levels(curve, bits, zero, double{params.range}, double{params.shape},
                      levels.data_handle());
  return {};
}

/// Quantizes to the levels of a curve whose range and shape have the least squared error.
///
/// The range is searched from a fifth of the largest magnitude to that magnitude. A channel of zeros
/// has range 1.
///
/// @param w       any rank and layout, finite, not empty
/// @param errors  gathers what is lost, where it is not null
/// @return `out_of_range` for bits or axis, `invalid_argument` for a curve or zero that is none,
///         `empty`, `non_finite` with the first NaN or infinity, `out_of_memory`
///
/// Sorts each channel, then costs some thousand searches for each level.
template <class T, class E, class L>
[[nodiscard]] result<nonlinear_tensor<E::rank()>> quantize_nonlinear(
    tensor_view<T, E, L> w, nonlinear options = {}, error_meter* errors = nullptr) noexcept {
  static_assert(detail::is_float<T>, "pare: codes are made of float");
  PARE_RETURN_IF_ERROR(detail::check_curve(options.curve, options.bits, options.zero));
  if (options.axis != per_tensor) PARE_RETURN_IF_ERROR(detail::check_axis(options.axis, E::rank()));
  if (w.empty()) return {status_code::empty, "a tensor without elements has no values", "w"};
  PARE_RETURN_IF_ERROR(detail::check_finite(detail::input(w), "w"));
  tensor<float, 2> values;
  PARE_RETURN_IF_ERROR(
      detail::gather_channels(detail::input(w), detail::input(w), options.axis, values, nullptr));
  const index_t channels = values.extent(0), count = values.extent(1);
  auto codes = tensor<std::uint8_t, E::rank()>::create(dextents<index_t, E::rank()>(w.extents()));
  if (!codes) return codes.error();
  auto levels = tensor<float, 2>::create(
      dextents<index_t, 2>(channels, level_count(options.bits, options.zero)));
  if (!levels) return levels.error();
  auto params = tensor<curve_params, 1>::create(dextents<index_t, 1>(channels));
  if (!params) return params.error();
  for (index_t c = 0; c < channels; ++c) {
    const auto sorted = detail::sorted_values::create(values.data() + c * count, nullptr, count);
    if (!sorted) return sorted.error();
    (*params)(c) = detail::fit_curve(*sorted, options.curve, options.bits, options.zero);
    detail::fill_levels(options.curve, options.bits, options.zero, double{(*params)(c).range},
                        double{(*params)(c).shape}, levels->data() + c * levels->extent(1));
  }
  detail::encode_levels(detail::input(w), options.axis, levels->data(), levels->extent(1),
                        detail::output(codes->view()), errors);
  return nonlinear_tensor<E::rank()>{
      codebook_tensor<E::rank()>{*std::move(codes), *std::move(levels), options.axis},
      *std::move(params)};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_NONLINEAR_HPP
