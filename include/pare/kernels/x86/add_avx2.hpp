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

/// What an addition needs, in registers.
///
/// b's multiplier is in two parts, upper * 2^11 + lower: since the lower 20 bits of its input are 0,
/// high = v * upper + ((v * lower + (first << 10)) >> 11), and each product fits in 32 bits.
struct add_constants {
  __m256i zero_a, zero_b, zero;
  __m256i upper, lower, first_b, second_b, sign_b;
  __m256i multiplier, first, second, sign;  // `first` in 64-bit lanes
  __m128i right_b, right;
};

inline add_constants add_constants_of(const add_args& p) noexcept {
  add_constants c;
  c.zero_a = _mm256_set1_epi32(p.zero_a);
  c.zero_b = _mm256_set1_epi32(p.zero_b);
  c.zero = _mm256_set1_epi32(p.zero);
  c.upper = _mm256_set1_epi32(p.steps_b.multiplier >> 11);
  c.lower = _mm256_set1_epi32(p.steps_b.multiplier & 0x7ff);
  c.first_b = _mm256_set1_epi32(p.steps_b.first << 10);
  c.second_b = _mm256_set1_epi32(p.steps_b.second);
  c.sign_b = _mm256_set1_epi32(p.steps_b.sign);
  c.right_b = _mm_cvtsi32_si128(p.steps_b.right);
  c.multiplier = _mm256_set1_epi32(p.steps.multiplier);
  c.first = _mm256_set1_epi64x(static_cast<std::int64_t>(p.steps.first) << 30);
  c.second = _mm256_set1_epi32(p.steps.second);
  c.sign = _mm256_set1_epi32(p.steps.sign);
  c.right = _mm_cvtsi32_si128(p.steps.right);
  return c;
}

/// The second step of a scaling: from the high part of a product to its place.
PARE_ALWAYS_INLINE __m256i add_shift(__m256i high, __m256i second, __m256i sign,
                                     __m128i right) noexcept {
  const __m256i away = _mm256_and_si256(_mm256_srai_epi32(high, 31), sign);
  return _mm256_sra_epi32(_mm256_add_epi32(_mm256_add_epi32(high, second), away), right);
}

/// 8 sums in s32, before the clamp, of the lower halves of a and b.
PARE_ALWAYS_INLINE __m256i add_8(const add_constants& c, __m128i a, __m128i b) noexcept {
  const __m256i left = _mm256_sub_epi32(_mm256_cvtepi8_epi32(a), c.zero_a);
  const __m256i right = _mm256_sub_epi32(_mm256_cvtepi8_epi32(b), c.zero_b);
  const __m256i rest =
      _mm256_srai_epi32(_mm256_add_epi32(_mm256_mullo_epi32(right, c.lower), c.first_b), 11);
  const __m256i right_high = _mm256_add_epi32(_mm256_mullo_epi32(right, c.upper), rest);
  const __m256i sum = _mm256_add_epi32(_mm256_slli_epi32(left, add_left_shift - 1),
                                       add_shift(right_high, c.second_b, c.sign_b, c.right_b));
  const __m256i even = _mm256_add_epi64(_mm256_mul_epi32(sum, c.multiplier), c.first);
  const __m256i odd =
      _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(sum, 32), c.multiplier), c.first);
  // Bits 31 to 62 of each product.
  const __m256i high =
      _mm256_blend_epi32(_mm256_srli_epi64(even, 31), _mm256_slli_epi64(odd, 1), 0xaa);
  return _mm256_add_epi32(add_shift(high, c.second, c.sign, c.right), c.zero);
}

inline void add(const add_args& p, const std::uint8_t* a, const std::uint8_t* b, index_t n,
                std::uint8_t* y) noexcept {
  const add_constants c = add_constants_of(p);
  const __m128i flip = _mm_set1_epi8(static_cast<char>(p.flip)),
                low = _mm_set1_epi8(static_cast<char>(p.low)),
                high = _mm_set1_epi8(static_cast<char>(p.high));
  index_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const __m128i from_a =
        _mm_xor_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(a + i)), flip);
    const __m128i from_b =
        _mm_xor_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(b + i)), flip);
    const __m256i first = add_8(c, from_a, from_b),
                  second = add_8(c, _mm_srli_si128(from_a, 8), _mm_srli_si128(from_b, 8));
    // Saturation to s16 and s8 lies beyond the clamp, so it never shows.
    const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(first, second), 0xd8);
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
