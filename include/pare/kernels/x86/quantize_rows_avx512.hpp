// Float rows to u8 codes on AVX-512, 16 values at a time. Bound: reading the row twice.
#ifndef PARE_KERNELS_X86_QUANTIZE_ROWS_AVX512_HPP
#define PARE_KERNELS_X86_QUANTIZE_ROWS_AVX512_HPP

#include <pare/kernels/quantize_rows.hpp>
#include <pare/kernels/target_region.hpp>

#if PARE_X86_KERNELS

PARE_TARGET_AVX512VNNI_BEGIN
namespace pare::kernels::avx512vnni {
inline namespace PARE_ABI {

PARE_ALWAYS_INLINE __mmask16 first_lanes(index_t n) noexcept {
  return n <= 0 ? __mmask16(0) : n >= 16 ? __mmask16(0xffff) : __mmask16((1u << n) - 1u);
}

inline row_quantization row_range(const float* x, index_t n) noexcept {
  constexpr int nan_or_infinity = 0x81 | 0x08 | 0x10;
  __m512 low = _mm512_setzero_ps(), high = low, low1 = low, high1 = low;
  unsigned bad = 0;
  index_t i = 0;
  for (; i + 32 <= n; i += 32) {
    const __m512 v = _mm512_loadu_ps(x + i), v1 = _mm512_loadu_ps(x + i + 16);
    low = _mm512_min_ps(low, v), low1 = _mm512_min_ps(low1, v1);
    high = _mm512_max_ps(high, v), high1 = _mm512_max_ps(high1, v1);
    bad |= _mm512_fpclass_ps_mask(v, nan_or_infinity);
    bad |= _mm512_fpclass_ps_mask(v1, nan_or_infinity);
  }
  for (; i < n; i += 16) {
    const __m512 v = _mm512_maskz_loadu_ps(first_lanes(n - i), x + i);
    low = _mm512_min_ps(low, v);
    high = _mm512_max_ps(high, v);
    bad |= _mm512_fpclass_ps_mask(v, nan_or_infinity);
  }
  if (bad != 0) return {1.0f, 1.0f, 0, false};
  return choose_row_quantization(_mm512_reduce_min_ps(_mm512_min_ps(low, low1)),
                                 _mm512_reduce_max_ps(_mm512_max_ps(high, high1)));
}

inline void quantize_row(const float* x, index_t n, index_t padded, const row_quantization& q,
                         std::uint8_t* codes) noexcept {
  const __m512 inverse = _mm512_set1_ps(q.inverse);
  const __m512i zero_point = _mm512_set1_epi16(static_cast<std::int16_t>(q.zero_point));
  // Packing works within 128 bits: each holds four codes of each vector.
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  for (index_t i = 0; i < n; i += 64) {
    const index_t left = n - i;
    __m512 x0, x1, x2, x3;
    if (PARE_LIKELY(left >= 64)) {
      x0 = _mm512_loadu_ps(x + i), x1 = _mm512_loadu_ps(x + i + 16);
      x2 = _mm512_loadu_ps(x + i + 32), x3 = _mm512_loadu_ps(x + i + 48);
    } else {
      x0 = _mm512_maskz_loadu_ps(first_lanes(left), x + i);
      x1 = _mm512_maskz_loadu_ps(first_lanes(left - 16), x + i + 16);
      x2 = _mm512_maskz_loadu_ps(first_lanes(left - 32), x + i + 32);
      x3 = _mm512_maskz_loadu_ps(first_lanes(left - 48), x + i + 48);
    }
    const __m512i low = _mm512_packs_epi32(_mm512_cvtps_epi32(_mm512_mul_ps(x0, inverse)),
                                           _mm512_cvtps_epi32(_mm512_mul_ps(x1, inverse)));
    const __m512i high = _mm512_packs_epi32(_mm512_cvtps_epi32(_mm512_mul_ps(x2, inverse)),
                                            _mm512_cvtps_epi32(_mm512_mul_ps(x3, inverse)));
    const __m512i bytes =
        _mm512_permutexvar_epi32(order, _mm512_packus_epi16(_mm512_adds_epi16(low, zero_point),
                                                            _mm512_adds_epi16(high, zero_point)));
    if (PARE_LIKELY(left >= 64)) {
      _mm512_storeu_si512(codes + i, bytes);
    } else {
      _mm512_mask_storeu_epi8(codes + i, ~__mmask64{0} >> (64 - left), bytes);
    }
  }
  for (index_t i = n; i < padded; ++i) codes[i] = 0;
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx512vnni
PARE_TARGET_AVX512VNNI_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_QUANTIZE_ROWS_AVX512_HPP
