// Codes of a row of floats, and floats of a row of codes: what all forms of `quantize` and
// `dequantize` end in.
//
// One element at a time is the specification. Contiguous rows run on vectors and give the same
// bits: the same operations round the same way, and no product meets a sum that it could be fused
// with.
#ifndef PARE_QUANTIZE_DETAIL_AFFINE_ROW_HPP
#define PARE_QUANTIZE_DETAIL_AFFINE_ROW_HPP

#include <pare/core/checked.hpp>
#include <pare/core/rounding.hpp>
#include <pare/core/xsimd.hpp>
#include <pare/format/affine.hpp>
#include <pare/quantize/detail/divide.hpp>
#include <pare/quantize/detail/narrow.hpp>
#include <pare/quantize/detail/scale_rules.hpp>
#include <pare/quantize/rules.hpp>

namespace pare::detail {
inline namespace PARE_ABI {

/// Whether a rule multiplies by the inverse of the scale; the others divide by the scale.
template <affine_rule Rule>
inline constexpr bool multiplies = Rule == affine_rule::pytorch;

/// Whether ties go to the even code; with the others they go away from zero.
template <affine_rule Rule>
inline constexpr bool ties_to_even = Rule != affine_rule::tflite;

/// Whether vectors divide as single floats do. Under -ffast-math GCC divides vectors by an
/// approximate inverse, and xsimd 8.1 does so on ARM, AArch64 included.
inline constexpr bool divides_exactly =
#if defined(__FAST_MATH__) || defined(__RECIPROCAL_MATH__) || defined(__aarch64__)
    false;
#else
    PARE_XSIMD != 0;
#endif

/// Whether vectors follow a rule to the bit; otherwise it goes element by element.
template <affine_rule Rule>
inline constexpr bool has_exact_vectors = multiplies<Rule> ? PARE_XSIMD != 0 : divides_exactly;

/// From floats to codes with one scale and zero point, by one rule.
///
/// The frameworks round, add the zero point and clamp. Here the clamp comes first, to bounds that
/// are integers, which changes no code and keeps every conversion in range.
template <affine_rule Rule>
class quantizer {
 public:
  quantizer(affine_params p, code_range codes) noexcept
      : factor_(multiplies<Rule> ? divide(1.0f, p.scale) : p.scale),
        low_(static_cast<float>(codes.min - p.zero_point)),
        high_(static_cast<float>(codes.max - p.zero_point)),
        zero_point_(p.zero_point) {}

  PARE_ALWAYS_INLINE std::int32_t operator()(float x) const noexcept {
    const float steps = multiplies<Rule> ? x * factor_ : divide(x, factor_);
    const float bounded = clamp(steps, low_, high_);
    return (ties_to_even<Rule> ? round_half_even(bounded) : round_half_away(bounded)) + zero_point_;
  }

#if PARE_XSIMD
  template <class Arch>
  PARE_ALWAYS_INLINE xsimd::batch<std::int32_t, Arch> operator()(
      const xsimd::batch<float, Arch>& x) const noexcept {
    using floats = xsimd::batch<float, Arch>;
    const floats factor(factor_), low(low_), high(high_);
    const floats steps = multiplies<Rule> ? x * factor : x / factor;
    const floats bounded = xsimd::min(xsimd::max(steps, low), high);
    const xsimd::batch<std::int32_t, Arch> zero_point(zero_point_);
    if constexpr (ties_to_even<Rule>) {
      return xsimd::nearbyint_as_int(bounded) + zero_point;
    } else {
      // x + 0.5 would round 0.49999997 up; the distance to the integer below in magnitude is exact.
      const floats whole = xsimd::to_float(xsimd::to_int(bounded));
      const floats rest = bounded - whole;
      const floats half(0.5f), one(1.0f), none(0.0f);
      const floats up = xsimd::select(rest >= half, one, none);
      const floats down = xsimd::select(rest <= -half, one, none);
      return xsimd::to_int(whole + up - down) + zero_point;
    }
  }
#endif

 private:
  float factor_;  // the inverse of the scale, or the scale
  float low_;     // the bounds of the codes, less the zero point
  float high_;
  std::int32_t zero_point_;
};

/// codes[i * code_step] = the code of x[i * step], for `count` elements that share one scale.
template <affine_rule Rule, class Code>
PARE_NOINLINE void quantize_row(const float* x, index_t step, Code* codes, index_t code_step,
                                index_t count, const quantizer<Rule>& code_of) noexcept {
  index_t i = 0;
#if PARE_XSIMD
  if constexpr (has_exact_vectors<Rule>) {
    using floats = xsimd::batch<float>;
    constexpr index_t width = static_cast<index_t>(floats::size);
    if (step == 1 && code_step == 1) {
      for (; i + 16 <= count; i += 16) {
        xsimd::batch<std::int32_t> wide[vectors_of_16];
        PARE_UNROLL
        for (index_t j = 0; j < vectors_of_16; ++j) {
          wide[j] = code_of(floats::load_unaligned(x + i + j * width));
        }
        narrow_16(wide, codes + i);
      }
    }
  }
#endif
  for (; i < count; ++i) codes[i * code_step] = static_cast<Code>(code_of(x[i * step]));
}

/// The parameters of channel c; no zero points are zeros.
PARE_ALWAYS_INLINE affine_params params_at(const channel_view<const float>& scales,
                                           const channel_view<const std::int32_t>& zero_points,
                                           index_t c) noexcept {
  return {scales[c], zero_points.extent(0) == 0 ? 0 : zero_points[c]};
}

/// As `quantize_row`, where element i belongs to channel `first + i`.
template <affine_rule Rule, class Code>
PARE_NOINLINE void quantize_channels(const float* x, index_t step, Code* codes, index_t code_step,
                                     index_t count, index_t first,
                                     const channel_view<const float>& scales,
                                     const channel_view<const std::int32_t>& zero_points,
                                     code_range range) noexcept {
  for (index_t i = 0; i < count; ++i) {
    const quantizer<Rule> code_of(params_at(scales, zero_points, first + i), range);
    codes[i * code_step] = static_cast<Code>(code_of(x[i * step]));
  }
}

/// x[i * step] = (codes[i * code_step] - zero_point) * scale: all rules agree.
template <class Code>
PARE_NOINLINE void dequantize_row(const Code* codes, index_t code_step, float* x, index_t step,
                                  index_t count, affine_params p) noexcept {
  index_t i = 0;
#if PARE_XSIMD
  using floats = xsimd::batch<float>;
  using integers = xsimd::batch<std::int32_t>;
  constexpr index_t width = static_cast<index_t>(floats::size);
  if (step == 1 && code_step == 1) {
    const floats scale(p.scale);
    const integers zero_point(p.zero_point);
    for (; i + 16 <= count; i += 16) {
      integers wide[vectors_of_16];
      widen_16(codes + i, wide);
      PARE_UNROLL
      for (index_t j = 0; j < vectors_of_16; ++j) {
        const floats steps = xsimd::to_float(wide[j] - zero_point);
        (steps * scale).store_unaligned(x + i + j * width);
      }
    }
  }
#endif
  for (; i < count; ++i) {
    x[i * step] = static_cast<float>(codes[i * code_step] - p.zero_point) * p.scale;
  }
}

/// As `dequantize_row`, where element i belongs to channel `first + i`.
template <class Code>
PARE_NOINLINE void dequantize_channels(
    const Code* codes, index_t code_step, float* x, index_t step, index_t count, index_t first,
    const channel_view<const float>& scales,
    const channel_view<const std::int32_t>& zero_points) noexcept {
  for (index_t i = 0; i < count; ++i) {
    const affine_params p = params_at(scales, zero_points, first + i);
    x[i * step] = static_cast<float>(codes[i * code_step] - p.zero_point) * p.scale;
  }
}

}  // namespace PARE_ABI
}  // namespace pare::detail

#endif  // PARE_QUANTIZE_DETAIL_AFFINE_ROW_HPP
