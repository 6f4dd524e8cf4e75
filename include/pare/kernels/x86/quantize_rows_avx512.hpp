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
  return n >= 16 ? __mmask16(0xffff) : __mmask16((1u << n) - 1u);
}

inline row_quantization row_range(const float* x, index_t n) noexcept {
  constexpr int nan_or_infinity = 0x81 | 0x08 | 0x10;
  __m512 low = _mm512_setzero_ps(), high = _mm512_setzero_ps();
  unsigned bad = 0;
  for (index_t i = 0; i < n; i += 16) {
    const __m512 v = _mm512_maskz_loadu_ps(first_lanes(n - i), x + i);
    low = _mm512_min_ps(low, v);
    high = _mm512_max_ps(high, v);
    bad |= _mm512_fpclass_ps_mask(v, nan_or_infinity);
  }
  if (bad != 0) return {1.0f, 1.0f, 0, false};
  return choose_row_quantization(_mm512_reduce_min_ps(low), _mm512_reduce_max_ps(high));
}

inline void quantize_row(const float* x, index_t n, index_t padded, const row_quantization& q,
                         std::uint8_t* codes) noexcept {
  const __m512 inverse = _mm512_set1_ps(q.inverse);
  const __m512i zero_point = _mm512_set1_epi32(q.zero_point), zero = _mm512_setzero_si512();
  index_t i = 0;
  for (; i < n; i += 16) {
    const __mmask16 mask = first_lanes(n - i);
    const __m512i rounded =
        _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_maskz_loadu_ps(mask, x + i), inverse));
    const __m512i code = _mm512_max_epi32(_mm512_add_epi32(rounded, zero_point), zero);
    _mm_mask_storeu_epi8(codes + i, mask, _mm512_cvtusepi32_epi8(code));
  }
  for (i = n; i < padded; ++i) codes[i] = 0;
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx512vnni
PARE_TARGET_AVX512VNNI_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_QUANTIZE_ROWS_AVX512_HPP
