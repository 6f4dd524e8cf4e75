// Sums of 8-bit codes on AVX-512, 16 at a time in one register.
//
// Bound: the arithmetic, about 25 instructions for 16 sums.
#ifndef PARE_KERNELS_X86_ADD_AVX512_HPP
#define PARE_KERNELS_X86_ADD_AVX512_HPP

#include <pare/kernels/scalar/add.hpp>
#include <pare/kernels/target_region.hpp>

#if PARE_X86_KERNELS

PARE_TARGET_AVX512VNNI_BEGIN
namespace pare::kernels::avx512vnni {
inline namespace PARE_ABI {

/// What an addition needs, in registers; see kernels/scalar/add.hpp.
struct add_constants {
  __m512i zero_a, zero_b, zero;
  __m512i upper, lower, first_b, second_b, sign_b;
  __m512i multiplier, first, second, sign;
  __m512i low, high;
  __m128i right_b, right, flip;
};

PARE_ALWAYS_INLINE __m512i add_shift(__m512i high, __m512i second, __m512i sign,
                                     __m128i right) noexcept {
  const __m512i away = _mm512_and_si512(_mm512_srai_epi32(high, 31), sign);
  return _mm512_sra_epi32(_mm512_add_epi32(_mm512_add_epi32(high, second), away), right);
}

/// 16 sums, before the exclusive or.
PARE_ALWAYS_INLINE __m128i add_16(const add_constants& c, __m128i a, __m128i b) noexcept {
  const __m512i left = _mm512_sub_epi32(_mm512_cvtepi8_epi32(_mm_xor_si128(a, c.flip)), c.zero_a);
  const __m512i right = _mm512_sub_epi32(_mm512_cvtepi8_epi32(_mm_xor_si128(b, c.flip)), c.zero_b);
  const __m512i rest =
      _mm512_srai_epi32(_mm512_add_epi32(_mm512_mullo_epi32(right, c.lower), c.first_b), 11);
  const __m512i right_high = _mm512_add_epi32(_mm512_mullo_epi32(right, c.upper), rest);
  const __m512i sum = _mm512_add_epi32(_mm512_slli_epi32(left, add_left_shift - 1),
                                       add_shift(right_high, c.second_b, c.sign_b, c.right_b));
  const __m512i even = _mm512_add_epi64(_mm512_mul_epi32(sum, c.multiplier), c.first);
  const __m512i odd =
      _mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64(sum, 32), c.multiplier), c.first);
  // Bits 31 to 62 of each product.
  const __m512i high =
      _mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(even, 31), _mm512_slli_epi64(odd, 1));
  const __m512i y = _mm512_add_epi32(add_shift(high, c.second, c.sign, c.right), c.zero);
  return _mm512_cvtepi32_epi8(_mm512_min_epi32(_mm512_max_epi32(y, c.low), c.high));
}

inline void add(const add_args& p, const std::uint8_t* a, const std::uint8_t* b, index_t n,
                std::uint8_t* y) noexcept {
  add_constants c;
  c.zero_a = _mm512_set1_epi32(p.zero_a);
  c.zero_b = _mm512_set1_epi32(p.zero_b);
  c.zero = _mm512_set1_epi32(p.zero);
  c.upper = _mm512_set1_epi32(p.steps_b.multiplier >> 11);
  c.lower = _mm512_set1_epi32(p.steps_b.multiplier & 0x7ff);
  c.first_b = _mm512_set1_epi32(p.steps_b.first << 10);
  c.second_b = _mm512_set1_epi32(p.steps_b.second);
  c.sign_b = _mm512_set1_epi32(p.steps_b.sign);
  c.right_b = _mm_cvtsi32_si128(p.steps_b.right);
  c.multiplier = _mm512_set1_epi32(p.steps.multiplier);
  c.first = _mm512_set1_epi64(static_cast<std::int64_t>(p.steps.first) << 30);
  c.second = _mm512_set1_epi32(p.steps.second);
  c.sign = _mm512_set1_epi32(p.steps.sign);
  c.right = _mm_cvtsi32_si128(p.steps.right);
  c.low = _mm512_set1_epi32(p.low);
  c.high = _mm512_set1_epi32(p.high);
  c.flip = _mm_set1_epi8(static_cast<char>(p.flip));
  index_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const __m128i sums = add_16(c, _mm_loadu_si128(reinterpret_cast<const __m128i*>(a + i)),
                                _mm_loadu_si128(reinterpret_cast<const __m128i*>(b + i)));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(y + i), _mm_xor_si128(sums, c.flip));
  }
  if (i < n) {
    const __mmask16 rest = static_cast<__mmask16>((1u << (n - i)) - 1);
    const __m128i sums =
        add_16(c, _mm_maskz_loadu_epi8(rest, a + i), _mm_maskz_loadu_epi8(rest, b + i));
    _mm_mask_storeu_epi8(y + i, rest, _mm_xor_si128(sums, c.flip));
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx512vnni
PARE_TARGET_AVX512VNNI_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_ADD_AVX512_HPP
