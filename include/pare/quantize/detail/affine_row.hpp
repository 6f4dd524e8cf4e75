// Codes of a row of floats, and floats of a row of codes: what all forms of `quantize` and
// `dequantize` end in.
//
// One element at a time is the specification. Contiguous rows run on vectors and give the same
// bits: the same operations round the same way, and no product meets a sum that it could be fused
// with.
#ifndef PARE_QUANTIZE_DETAIL_AFFINE_ROW_HPP
#define PARE_QUANTIZE_DETAIL_AFFINE_ROW_HPP

#include <pare/core/xsimd.hpp>
#include <pare/format/affine.hpp>
#include <pare/quantize/detail/affine_row_avx2.hpp>
#include <pare/quantize/detail/narrow.hpp>
#include <pare/quantize/detail/quantizer.hpp>
#include <pare/quantize/range.hpp>

namespace pare::detail {
inline namespace PARE_ABI {

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

#if PARE_XSIMD
/// The codes of a vector of floats.
template <affine_rule Rule, class Arch>
PARE_ALWAYS_INLINE xsimd::batch<std::int32_t, Arch> codes_of_vector(
    const xsimd::batch<float, Arch>& x, const quantizer_terms& t) noexcept {
  using floats = xsimd::batch<float, Arch>;
  const floats factor(t.factor), low(t.low), high(t.high);
  floats steps = multiplies<Rule> ? x * factor : x / factor;
  if constexpr (adds_before_rounding<Rule>) steps = steps + floats(t.before);
  const floats bounded = xsimd::min(xsimd::max(steps, low), high);
  const xsimd::batch<std::int32_t, Arch> after(t.after);
  if constexpr (ties_to_even<Rule>) {
    return xsimd::nearbyint_as_int(bounded) + after;
  } else {
    // x + 0.5 would round 0.49999997 up; the distance to the integer below in magnitude is exact.
    const floats whole = xsimd::to_float(xsimd::to_int(bounded));
    const floats rest = bounded - whole;
    const floats half(0.5f), one(1.0f), none(0.0f);
    const floats up = xsimd::select(rest >= half, one, none);
    const floats down = xsimd::select(rest <= -half, one, none);
    return xsimd::to_int(whole + up - down) + after;
  }
}
#endif

/// codes[i] = the code of x[i], for the first elements of `count`. Returns how many.
template <affine_rule Rule, class Code>
PARE_ALWAYS_INLINE index_t quantize_vectors(
    [[maybe_unused]] const float* x, [[maybe_unused]] Code* codes, [[maybe_unused]] index_t count,
    [[maybe_unused]] const quantizer_terms& terms) noexcept {
#if PARE_X86_KERNELS
  if (runs_on_avx2()) return avx2::quantize_run<Rule>(x, codes, count, terms);
#endif
  index_t i = 0;
#if PARE_XSIMD
  if constexpr (has_exact_vectors<Rule>) {
    using floats = xsimd::batch<float>;
    constexpr index_t width = static_cast<index_t>(floats::size);
    for (; i + 16 <= count; i += 16) {
      xsimd::batch<std::int32_t> wide[vectors_of_16];
      PARE_UNROLL
      for (index_t j = 0; j < vectors_of_16; ++j) {
        wide[j] = codes_of_vector<Rule>(floats::load_unaligned(x + i + j * width), terms);
      }
      narrow_16(wide, codes + i);
    }
  }
#endif
  return i;
}

/// codes[i * code_step] = the code of x[i * step], for `count` elements that share one scale.
template <affine_rule Rule, class Code>
PARE_NOINLINE void quantize_row(const float* x, index_t step, Code* codes, index_t code_step,
                                index_t count, const quantizer<Rule>& code_of) noexcept {
  index_t i = 0;
  if (step == 1 && code_step == 1) i = quantize_vectors<Rule>(x, codes, count, code_of.terms());
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

/// x[i] = (codes[i] - zero_point) * scale, for the first elements of `count`. Returns how many.
template <class Code>
PARE_ALWAYS_INLINE index_t dequantize_vectors([[maybe_unused]] const Code* codes,
                                              [[maybe_unused]] float* x,
                                              [[maybe_unused]] index_t count,
                                              [[maybe_unused]] affine_params p) noexcept {
#if PARE_X86_KERNELS
  if (runs_on_avx2()) return avx2::dequantize_run(codes, x, count, p);
#endif
  index_t i = 0;
#if PARE_XSIMD
  using floats = xsimd::batch<float>;
  using integers = xsimd::batch<std::int32_t>;
  constexpr index_t width = static_cast<index_t>(floats::size);
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
#endif
  return i;
}

/// x[i * step] = (codes[i * code_step] - zero_point) * scale: all rules agree.
template <class Code>
PARE_NOINLINE void dequantize_row(const Code* codes, index_t code_step, float* x, index_t step,
                                  index_t count, affine_params p) noexcept {
  index_t i = 0;
  if (step == 1 && code_step == 1) i = dequantize_vectors(codes, x, count, p);
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
