// Rows of floats to codes and back on AVX2, chosen at run time where the flags allow less.
//
// Each function takes contiguous elements, does whole vectors and returns how many elements it did.
// The bits are those of the code for single elements: the same operations in the same order, and
// quotients that are divided under -ffast-math too.
#ifndef PARE_QUANTIZE_DETAIL_AFFINE_ROW_AVX2_HPP
#define PARE_QUANTIZE_DETAIL_AFFINE_ROW_AVX2_HPP

#include <pare/quantize/detail/quantizer.hpp>
#include <pare/quantize/detail/range_avx2.hpp>

#if PARE_X86_KERNELS

PARE_TARGET_AVX2_BEGIN
namespace pare::detail::avx2 {
inline namespace PARE_ABI {

/// x / divisor. By assembly: with -freciprocal-math GCC multiplies by an approximate inverse.
PARE_ALWAYS_INLINE __m256 divide(__m256 x, __m256 divisor) noexcept {
  __m256 quotient;
  __asm__("vdivps %2, %1, %0" : "=x"(quotient) : "x"(x), "x"(divisor));
  return quotient;
}

/// `quantizer_terms` in all lanes.
struct vector_terms {
  __m256 factor, before, low, high;
  __m256i after;
};
PARE_ALWAYS_INLINE vector_terms in_lanes(const quantizer_terms& t) noexcept {
  return {_mm256_set1_ps(t.factor), _mm256_set1_ps(t.before), _mm256_set1_ps(t.low),
          _mm256_set1_ps(t.high), _mm256_set1_epi32(t.after)};
}

/// The codes of 8 floats.
template <affine_rule Rule>
PARE_ALWAYS_INLINE __m256i codes_of_8(const float* x, const vector_terms& t) noexcept {
  __m256 steps = _mm256_loadu_ps(x);
  if constexpr (multiplies<Rule>) {
    steps = _mm256_mul_ps(steps, t.factor);
  } else {
    steps = divide(steps, t.factor);
  }
  if constexpr (adds_before_rounding<Rule>) steps = _mm256_add_ps(steps, t.before);
  const __m256 bounded = _mm256_min_ps(_mm256_max_ps(steps, t.low), t.high);
  __m256i code;
  if constexpr (ties_to_even<Rule>) {
    code = _mm256_cvtps_epi32(bounded);
  } else {
    // x + 0.5 would round 0.49999997 up; the distance to the integer below in magnitude is exact.
    const __m256i whole = _mm256_cvttps_epi32(bounded);
    const __m256 rest = _mm256_sub_ps(bounded, _mm256_cvtepi32_ps(whole));
    const __m256 up = _mm256_cmp_ps(rest, _mm256_set1_ps(0.5f), _CMP_GE_OQ);
    const __m256 down = _mm256_cmp_ps(rest, _mm256_set1_ps(-0.5f), _CMP_LE_OQ);
    code = _mm256_add_epi32(_mm256_sub_epi32(whole, _mm256_castps_si256(up)),
                            _mm256_castps_si256(down));
  }
  return _mm256_add_epi32(code, t.after);
}

/// Four vectors of 8 codes, in order, as bytes. The codes lie in the range of the type.
template <bool Signed>
PARE_ALWAYS_INLINE __m256i narrow_32(__m256i a, __m256i b, __m256i c, __m256i d) noexcept {
  const __m256i low = _mm256_packs_epi32(a, b), high = _mm256_packs_epi32(c, d);
  const __m256i bytes = Signed ? _mm256_packs_epi16(low, high) : _mm256_packus_epi16(low, high);
  return _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

/// 32 codes of floats.
template <affine_rule Rule, class Code>
PARE_ALWAYS_INLINE void quantize_32(const float* x, const vector_terms& t, Code* codes) noexcept {
  constexpr bool is_signed = static_cast<Code>(-1) < 0;
  const __m256i bytes =
      narrow_32<is_signed>(codes_of_8<Rule>(x, t), codes_of_8<Rule>(x + 8, t),
                           codes_of_8<Rule>(x + 16, t), codes_of_8<Rule>(x + 24, t));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(codes), bytes);
}

/// codes[i] = the code of x[i].
template <affine_rule Rule, class Code>
index_t quantize_run(const float* x, Code* codes, index_t count,
                     const quantizer_terms& terms) noexcept {
  constexpr bool is_signed = static_cast<Code>(-1) < 0;
  const vector_terms t = in_lanes(terms);
  index_t i = 0;
  for (; i + 32 <= count; i += 32) quantize_32<Rule>(x + i, t, codes + i);
  for (; i + 8 <= count; i += 8) {
    const __m256i wide = codes_of_8<Rule>(x + i, t);
    const __m128i words =
        _mm_packs_epi32(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
    const __m128i bytes =
        is_signed ? _mm_packs_epi16(words, words) : _mm_packus_epi16(words, words);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(codes + i), bytes);
  }
  return i;
}

/// x[i] = (codes[i] - zero_point) * scale.
template <class Code>
index_t dequantize_run(const Code* codes, float* x, index_t count, affine_params p) noexcept {
  constexpr bool is_signed = static_cast<Code>(-1) < 0;
  const __m256 scale = _mm256_set1_ps(p.scale);
  const __m256i zero_point = _mm256_set1_epi32(p.zero_point);
  index_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(codes + i));
    const __m256i wide = is_signed ? _mm256_cvtepi8_epi32(bytes) : _mm256_cvtepu8_epi32(bytes);
    const __m256 steps = _mm256_cvtepi32_ps(_mm256_sub_epi32(wide, zero_point));
    _mm256_storeu_ps(x + i, _mm256_mul_ps(steps, scale));
  }
  return i;
}

}  // namespace PARE_ABI
}  // namespace pare::detail::avx2
PARE_TARGET_AVX2_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_QUANTIZE_DETAIL_AFFINE_ROW_AVX2_HPP
