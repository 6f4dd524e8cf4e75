// Sums of 8-bit codes on AVX2, 16 at a time.
//
// Bound: the arithmetic, about 25 instructions for 8 sums.
#ifndef PARE_KERNELS_X86_ADD_AVX2_HPP
#define PARE_KERNELS_X86_ADD_AVX2_HPP

#include <pare/kernels/scalar/add.hpp>
#include <pare/kernels/target_region.hpp>

#if PARE_X86_KERNELS

PARE_TARGET_AVX2_BEGIN
namespace pare::kernels::avx2 {
inline namespace PARE_ABI {

/// What follows the product of a scaling, in registers.
struct add_constants {
  __m256i second, sign;
  __m128i right;
};

PARE_ALWAYS_INLINE add_constants add_constants_of(const scaling_steps& s) noexcept {
  return {_mm256_set1_epi32(s.second), _mm256_set1_epi32(s.sign), _mm_cvtsi32_si128(s.right)};
}

/// The second step: from the high part of a product to its place.
PARE_ALWAYS_INLINE __m256i add_shift(__m256i high, const add_constants& c) noexcept {
  const __m256i away = _mm256_and_si256(_mm256_srai_epi32(high, 31), c.sign);
  return _mm256_sra_epi32(_mm256_add_epi32(_mm256_add_epi32(high, c.second), away), c.right);
}

/// x * multiplier, the high part, for 8 lanes. `first` is in 64-bit lanes.
PARE_ALWAYS_INLINE __m256i add_high(__m256i x, __m256i multiplier, __m256i first) noexcept {
  const __m256i even = _mm256_add_epi64(_mm256_mul_epi32(x, multiplier), first);
  const __m256i odd =
      _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(x, 32), multiplier), first);
  // Bits 31 to 62 of each product.
  return _mm256_blend_epi32(_mm256_srli_epi64(even, 31), _mm256_slli_epi64(odd, 1), 0xaa);
}

inline void add(const add_args& p, const std::uint8_t* a, const std::uint8_t* b, index_t n,
                std::uint8_t* y) noexcept {
  // b's multiplier in two parts, upper * 2^11 + lower: since the lower 20 bits of its input are 0,
  // high = v * upper + ((v * lower + (first << 10)) >> 11), and each product fits in 32 bits.
  const __m256i upper = _mm256_set1_epi32(p.steps_b.multiplier >> 11),
                lower = _mm256_set1_epi32(p.steps_b.multiplier & 0x7ff),
                first_b = _mm256_set1_epi32(p.steps_b.first << 10);
  const __m256i zero_a = _mm256_set1_epi32(p.zero_a), zero_b = _mm256_set1_epi32(p.zero_b),
                zero = _mm256_set1_epi32(p.zero);
  const __m256i multiplier = _mm256_set1_epi32(p.steps.multiplier),
                first = _mm256_set1_epi64x(static_cast<std::int64_t>(p.steps.first) << 30);
  const add_constants c_b = add_constants_of(p.steps_b), c = add_constants_of(p.steps);
  const __m128i flip = _mm_set1_epi8(static_cast<char>(p.flip));
  const __m128i low = _mm_set1_epi8(static_cast<char>(p.low)),
                high = _mm_set1_epi8(static_cast<char>(p.high));
  index_t i = 0;
  for (; i + 16 <= n; i += 16) {
    __m128i from_a = _mm_xor_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(a + i)), flip);
    __m128i from_b = _mm_xor_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(b + i)), flip);
    __m256i sums[2];
    PARE_UNROLL for (int half = 0; half < 2; ++half) {
      const __m256i left = _mm256_sub_epi32(_mm256_cvtepi8_epi32(from_a), zero_a);
      const __m256i right = _mm256_sub_epi32(_mm256_cvtepi8_epi32(from_b), zero_b);
      const __m256i rest =
          _mm256_srai_epi32(_mm256_add_epi32(_mm256_mullo_epi32(right, lower), first_b), 11);
      const __m256i right_high = _mm256_add_epi32(_mm256_mullo_epi32(right, upper), rest);
      const __m256i sum =
          _mm256_add_epi32(_mm256_slli_epi32(left, add_left_shift - 1), add_shift(right_high, c_b));
      sums[half] = _mm256_add_epi32(add_shift(add_high(sum, multiplier, first), c), zero);
      from_a = _mm_unpackhi_epi64(from_a, from_a);
      from_b = _mm_unpackhi_epi64(from_b, from_b);
    }
    // Saturation to s16 and s8 lies beyond the clamp, so it never shows.
    const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(sums[0], sums[1]), 0xd8);
    const __m128i codes =
        _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    const __m128i clamped = _mm_min_epi8(_mm_max_epi8(codes, low), high);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(y + i), _mm_xor_si128(clamped, flip));
  }
  scalar::add(p, a + i, b + i, n - i, y + i);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx2
PARE_TARGET_AVX2_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_ADD_AVX2_HPP
