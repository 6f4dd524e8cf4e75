// Groups of weights on AVX2: symmetric ones to codes, eight at a time, whose scales are computed in
// one vector; and any of them back.
#ifndef PARE_QUANTIZE_DETAIL_GROUPED_AVX2_HPP
#define PARE_QUANTIZE_DETAIL_GROUPED_AVX2_HPP

#include <pare/core/small_float.hpp>
#include <pare/quantize/detail/affine_row_avx2.hpp>

#if PARE_X86_KERNELS

PARE_TARGET_AVX2_BEGIN
namespace pare::detail::avx2 {
inline namespace PARE_ABI {

PARE_ALWAYS_INLINE __m256i magnitudes_of_8(const float* x) noexcept {
  const __m256i bits = _mm256_castps_si256(_mm256_loadu_ps(x));
  return _mm256_and_si256(bits, _mm256_set1_epi32(0x7fffffff));
}

/// The largest magnitudes of a multiple of 32 floats, as their bits, in 4 lanes.
PARE_ALWAYS_INLINE __m128i magnitudes_of_group(const float* x, index_t count) noexcept {
  __m256i largest = _mm256_setzero_si256();
  index_t i = 0;
  do {
    const __m256i a = _mm256_max_epi32(magnitudes_of_8(x + i), magnitudes_of_8(x + i + 8));
    const __m256i b = _mm256_max_epi32(magnitudes_of_8(x + i + 16), magnitudes_of_8(x + i + 24));
    largest = _mm256_max_epi32(largest, _mm256_max_epi32(a, b));
    i += 32;
  } while (i < count);
  return _mm_max_epi32(_mm256_castsi256_si128(largest), _mm256_extracti128_si256(largest, 1));
}

/// The largest magnitude of each of 4 groups.
PARE_ALWAYS_INLINE __m128i magnitudes_of_4(const float* x, index_t group) noexcept {
  const __m128i a = magnitudes_of_group(x, group), b = magnitudes_of_group(x + group, group);
  const __m128i c = magnitudes_of_group(x + 2 * group, group);
  const __m128i d = magnitudes_of_group(x + 3 * group, group);
  const __m128i ab = _mm_max_epi32(_mm_unpacklo_epi32(a, b), _mm_unpackhi_epi32(a, b));
  const __m128i cd = _mm_max_epi32(_mm_unpacklo_epi32(c, d), _mm_unpackhi_epi32(c, d));
  return _mm_max_epi32(_mm_unpacklo_epi64(ab, cd), _mm_unpackhi_epi64(ab, cd));
}

/// Halves, and the same numbers as floats.
struct half_scales {
  __m256i halves;
  __m256 floats;
  bool normal;  ///< whether all are normal numbers in half; otherwise the others mean nothing
};

/// To the nearest halves, ties to even; the numbers are not negative.
PARE_ALWAYS_INLINE half_scales round_to_half(__m256 exact) noexcept {
  // 13 bits of the significand go.
  const __m256i bits = _mm256_castps_si256(exact);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 13), _mm256_set1_epi32(1));
  const __m256i up = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0xfff)));
  const __m256i kept = _mm256_srli_epi32(up, 13);
  const __m256i halves = _mm256_sub_epi32(kept, _mm256_set1_epi32(112 << 10));
  const __m256i too_small = _mm256_cmpgt_epi32(_mm256_set1_epi32(113 << 23), bits);
  const __m256i too_large = _mm256_cmpgt_epi32(halves, _mm256_set1_epi32(0x7bff));
  return {halves, _mm256_castsi256_ps(_mm256_slli_epi32(kept, 13)),
          _mm256_movemask_epi8(_mm256_or_si256(too_small, too_large)) == 0};
}

/// Codes and scales of groups side by side, each of a multiple of 32 floats, 8 at a time.
///
/// @param half_steps  scale = largest magnitude / half_steps, rounded to half
/// @param terms       for codes; `factor` is not used
/// @param scales      of each group
/// @return the groups done; it ends before 8 of which a float is not finite, or a scale none that is
///         normal in half
template <affine_rule Rule>
index_t quantize_groups_run(const float* x, index_t groups, index_t group, float half_steps,
                            const quantizer_terms& terms, std::int8_t* codes,
                            half* scales) noexcept {
  vector_terms t = in_lanes(terms);
  index_t g = 0;
  for (; g + 8 <= groups; g += 8) {
    const __m256i magnitudes =
        _mm256_inserti128_si256(_mm256_castsi128_si256(magnitudes_of_4(x, group)),
                                magnitudes_of_4(x + 4 * group, group), 1);
    const half_scales s =
        round_to_half(divide(_mm256_castsi256_ps(magnitudes), _mm256_set1_ps(half_steps)));
    if (!s.normal) break;
    const __m256i words = _mm256_permute4x64_epi64(_mm256_packus_epi32(s.halves, s.halves), 0x08);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(scales + g), _mm256_castsi256_si128(words));
    alignas(32) float factors[8];
    _mm256_store_ps(factors, multiplies<Rule> ? divide(_mm256_set1_ps(1.0f), s.floats) : s.floats);
    for (int i = 0; i < 8; ++i) {
      t.factor = _mm256_broadcast_ss(factors + i);
      const float* const end = x + group;
      do {
        quantize_32<Rule>(x, t, codes);
        x += 32, codes += 32;
      } while (x < end);
    }
  }
  return g;
}

/// x[i] = (codes[i] - zero point) * scale for groups side by side, each of a multiple of 8 codes.
///
/// @param zero_points  null where all are 0
inline void dequantize_groups_run(const std::int8_t* codes, index_t groups, index_t group,
                                  const float* scales, const std::int8_t* zero_points,
                                  float* x) noexcept {
  for (index_t g = 0; g < groups; ++g) {
    const __m256 scale = _mm256_broadcast_ss(scales + g);
    const __m256i zero_point = _mm256_set1_epi32(zero_points == nullptr ? 0 : zero_points[g]);
    for (index_t i = 0; i < group; i += 8, codes += 8, x += 8) {
      const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(codes));
      const __m256i steps = _mm256_sub_epi32(_mm256_cvtepi8_epi32(bytes), zero_point);
      _mm256_storeu_ps(x, _mm256_mul_ps(_mm256_cvtepi32_ps(steps), scale));
    }
  }
}

}  // namespace PARE_ABI
}  // namespace pare::detail::avx2
PARE_TARGET_AVX2_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_QUANTIZE_DETAIL_GROUPED_AVX2_HPP
