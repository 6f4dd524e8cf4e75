// From a 32-bit accumulator back to a small integer: the rules by which frameworks scale and round.
//
// double_rounding, single_rounding: gemmlowp/fixedpoint/fixedpoint.h and TensorFlow Lite's
// kernels/internal/common.h (SaturatingRoundingDoublingHighMul, RoundingDivideByPOT,
// MultiplyByQuantizedMultiplier, QuantizeMultiplier); CMSIS-NN. nearest: XNNPACK's fp32
// requantization. onnx: QLinearMatMul and QuantizeLinear of the ONNX specification.
#ifndef PARE_CORE_FIXED_POINT_HPP
#define PARE_CORE_FIXED_POINT_HPP

#include <pare/core/checked.hpp>
#include <pare/core/rounding.hpp>

namespace pare {

/// How an s32 accumulator becomes an 8-bit code. Frameworks differ in the last bit, so the caller
/// names the rule.
enum class requantization : std::uint8_t {
  nearest,  ///< clamp(rint(float(acc) * scale) + zero_point): XNNPACK fp32, PyTorch's QNNPACK
            ///< engine
  onnx,  ///< clamp(rint(float(acc) * scale + zero_point)): the zero point is added before rounding
  double_rounding,  ///< RDByPOT(SRDHM(acc << left, multiplier), right) + zero_point: TFLite
                    ///< reference, CMSIS-NN default
  single_rounding,  ///< (acc * multiplier + 2^(30 - shift)) >> (31 - shift): TFLite and CMSIS-NN
                    ///< with single rounding
};

/// A positive real factor as `multiplier * 2^(shift - 31)`, multiplier in [2^30, 2^31), or 0 for
/// factors below 2^-32.
struct fixed_multiplier {
  std::int32_t multiplier = 0;
  std::int32_t shift = 0;  ///< -31 to 30: positive shifts left
};

namespace detail {

/// `std::frexp` for positive normal values, constexpr: value = fraction * 2^exponent, fraction in
/// [0.5, 1).
constexpr PARE_ALWAYS_INLINE double split_exponent(double value, int& exponent) noexcept {
  int scaled = 0;
  if (value < 2.2250738585072014e-308) {  // subnormal: bring it into the normal range first
    value *= 18014398509481984.0;         // 2^54
    scaled = -54;
  }
  const std::uint64_t bits = bit_cast<std::uint64_t>(value);
  exponent = static_cast<int>((bits >> 52) & 0x7ff) - 1022 + scaled;
  return bit_cast<double>((bits & 0x800fffffffffffffu) | 0x3fe0000000000000u);
}

constexpr PARE_ALWAYS_INLINE std::int32_t wrapping_shift_left(std::int32_t x, int by) noexcept {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(x) << by);
}

}  // namespace detail

/// TFLite's QuantizeMultiplier.
///
/// @param factor  positive, finite, below 2^30; typically s_in * s_weight / s_out
/// @return {0, 0} for factors below 2^-32, and for 0, negative and non-finite ones
constexpr PARE_ALWAYS_INLINE fixed_multiplier make_fixed_multiplier(double factor) noexcept {
  if (!(factor > 0) || !detail::is_finite(factor)) return {};
  int shift = 0;
  const double fraction = detail::split_exponent(factor, shift);
  std::int64_t q = detail::round_half_away(fraction * 2147483648.0);
  if (q == (std::int64_t{1} << 31)) {
    q /= 2;
    ++shift;
  }
  if (shift < -31) return {};
  if (shift > 30) return {0x7fffffff, 30};
  return {static_cast<std::int32_t>(q), shift};
}

/// round(a * b / 2^31), ties up, saturating where both are the smallest integer.
constexpr PARE_ALWAYS_INLINE std::int32_t saturating_rounding_doubling_high_multiply(
    std::int32_t a, std::int32_t b) noexcept {
  if (a == INT32_MIN && b == INT32_MIN) return INT32_MAX;
  // gemmlowp nudges by 2^30 or 1 - 2^30 and truncates; that is the floor of (a * b + 2^30) / 2^31
  // for either sign.
  return static_cast<std::int32_t>((static_cast<std::int64_t>(a) * b + (std::int64_t{1} << 30)) >>
                                   31);
}

/// round(x / 2^exponent), ties away from zero. exponent in [0, 31].
constexpr PARE_ALWAYS_INLINE std::int32_t rounding_divide_by_power_of_two(std::int32_t x,
                                                                          int exponent) noexcept {
  const std::int32_t mask = static_cast<std::int32_t>((std::int64_t{1} << exponent) - 1);
  const std::int32_t remainder = x & mask;
  const std::int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return (x >> exponent) + (remainder > threshold ? 1 : 0);
}

/// acc * factor by the rule `double_rounding`, before the zero point and the clamp. The left shift
/// wraps.
constexpr PARE_ALWAYS_INLINE std::int32_t scale_double_rounding(std::int32_t acc,
                                                                fixed_multiplier m) noexcept {
  const int left = m.shift > 0 ? m.shift : 0, right = m.shift > 0 ? 0 : -m.shift;
  return rounding_divide_by_power_of_two(saturating_rounding_doubling_high_multiply(
                                             detail::wrapping_shift_left(acc, left), m.multiplier),
                                         right);
}

/// acc * factor by the rule `single_rounding`, before the zero point and the clamp. Results beyond
/// 32 bits wrap.
constexpr PARE_ALWAYS_INLINE std::int32_t scale_single_rounding(std::int32_t acc,
                                                                fixed_multiplier m) noexcept {
  const int total = 31 - m.shift;
  const std::int64_t rounding = std::int64_t{1} << (total - 1);
  return static_cast<std::int32_t>((static_cast<std::int64_t>(acc) * m.multiplier + rounding) >>
                                   total);
}

/// clamp(rint(acc * factor) + zero_point, low, high), in float. `zero_point` within [-255, 255].
///
/// As XNNPACK does, the product is clamped to [low - zero_point, high - zero_point] before it is
/// rounded.
constexpr PARE_ALWAYS_INLINE std::int32_t requantize_nearest(std::int32_t acc, float factor,
                                                             std::int32_t zero_point,
                                                             std::int32_t low,
                                                             std::int32_t high) noexcept {
  const float scaled = static_cast<float>(acc) * factor;
  const float bounded = detail::clamp(scaled, static_cast<float>(low - zero_point),
                                      static_cast<float>(high - zero_point));
  return detail::round_half_even(bounded) + zero_point;
}

/// clamp(rint(acc * factor + zero_point), low, high), in float, product and sum rounded separately.
constexpr PARE_ALWAYS_INLINE std::int32_t requantize_onnx(std::int32_t acc, float factor,
                                                          std::int32_t zero_point, std::int32_t low,
                                                          std::int32_t high) noexcept {
  const float moved =
      detail::multiply_then_add(static_cast<float>(acc), factor, static_cast<float>(zero_point));
  return detail::round_half_even(
      detail::clamp(moved, static_cast<float>(low), static_cast<float>(high)));
}

/// clamp(scaled + zero_point, low, high) for the two fixed-point rules; the sum does not overflow.
constexpr PARE_ALWAYS_INLINE std::int32_t add_zero_point(std::int32_t scaled,
                                                         std::int32_t zero_point, std::int32_t low,
                                                         std::int32_t high) noexcept {
  return detail::clamp(scaled, low - zero_point, high - zero_point) + zero_point;
}

/// One accumulator by the rule the caller names.
///
/// @param factor  used by `nearest` and `onnx`
/// @param fixed   used by `double_rounding` and `single_rounding`
constexpr PARE_ALWAYS_INLINE std::int32_t requantize(requantization rule, std::int32_t acc,
                                                     float factor, fixed_multiplier fixed,
                                                     std::int32_t zero_point, std::int32_t low,
                                                     std::int32_t high) noexcept {
  switch (rule) {
    case requantization::nearest: return requantize_nearest(acc, factor, zero_point, low, high);
    case requantization::onnx: return requantize_onnx(acc, factor, zero_point, low, high);
    case requantization::double_rounding:
      return add_zero_point(scale_double_rounding(acc, fixed), zero_point, low, high);
    case requantization::single_rounding:
      return add_zero_point(scale_single_rounding(acc, fixed), zero_point, low, high);
  }
  return zero_point;
}

}  // namespace pare

#endif  // PARE_CORE_FIXED_POINT_HPP
