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

/// The least and the greatest value of a row, 0 included; false where one is NaN or infinite.
PARE_ALWAYS_INLINE bool range_of_row(const float* x, index_t n, float& least,
                                     float& most) noexcept {
  constexpr int nan_or_infinity = 0x81 | 0x08 | 0x10;
  __m512 low = _mm512_setzero_ps(), high = low, low1 = low, high1 = low;
  __mmask16 bad = 0;
  index_t i = 0;
  for (; i + 32 <= n; i += 32) {
    const __m512 v = _mm512_loadu_ps(x + i), v1 = _mm512_loadu_ps(x + i + 16);
    low = _mm512_min_ps(low, v), low1 = _mm512_min_ps(low1, v1);
    high = _mm512_max_ps(high, v), high1 = _mm512_max_ps(high1, v1);
    bad = _kor_mask16(bad, _mm512_fpclass_ps_mask(v, nan_or_infinity));
    bad = _kor_mask16(bad, _mm512_fpclass_ps_mask(v1, nan_or_infinity));
  }
  for (; i < n; i += 16) {
    const __m512 v = _mm512_maskz_loadu_ps(first_lanes(n - i), x + i);
    low = _mm512_min_ps(low, v);
    high = _mm512_max_ps(high, v);
    bad = _kor_mask16(bad, _mm512_fpclass_ps_mask(v, nan_or_infinity));
  }
  // Both at once, side by side: the least value, and the least negative one.
  low = _mm512_min_ps(low, low1);
  high = _mm512_sub_ps(_mm512_setzero_ps(), _mm512_max_ps(high, high1));
  __m512 both =
      _mm512_min_ps(_mm512_shuffle_f32x4(low, high, 0x44), _mm512_shuffle_f32x4(low, high, 0xee));
  both = _mm512_min_ps(both, _mm512_shuffle_f32x4(both, both, 0xb1));
  both = _mm512_min_ps(both, _mm512_permute_ps(both, 0x4e));
  both = _mm512_min_ps(both, _mm512_permute_ps(both, 0xb1));
  least = _mm_cvtss_f32(_mm512_castps512_ps128(both));
  most = -_mm_cvtss_f32(_mm512_extractf32x4_ps(both, 2));
  return bad == 0;
}

inline row_quantization row_range(const float* x, index_t n) noexcept {
  float least, most;
  if (!range_of_row(x, n, least, most)) return {1.0f, 1.0f, 0, false};
  return choose_row_quantization(least, most);
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

/// `choose_row_quantization` for 16 rows.
PARE_ALWAYS_INLINE void choose_row_quantizations(const float* least, const float* most,
                                                 float* scales, float* inverses,
                                                 std::int32_t* zero_points) noexcept {
  const __m512 low = _mm512_loadu_ps(least), half = _mm512_set1_ps(0.5f);
  const __m512 width =
      _mm512_sub_ps(_mm512_mul_ps(_mm512_loadu_ps(most), half), _mm512_mul_ps(low, half));
  const __m512 scale =
      _mm512_max_ps(_mm512_set1_ps(1.17549435e-38f), _mm512_div_ps(width, _mm512_set1_ps(127.5f)));
  const __m512 inverse = _mm512_div_ps(_mm512_set1_ps(1.0f), scale);
  const __m512i zero_point =
      _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_sub_ps(_mm512_setzero_ps(), low), inverse));
  _mm512_storeu_ps(scales, scale);
  _mm512_storeu_ps(inverses, inverse);
  _mm512_storeu_si512(zero_points,
                      _mm512_max_epi32(_mm512_setzero_si512(),
                                       _mm512_min_epi32(zero_point, _mm512_set1_epi32(255))));
}

/// 16 rows at a time, so that short ones do not wait for the divisions.
inline void quantize_rows(const float* x, index_t x_stride, index_t rows, index_t n, index_t padded,
                          std::uint8_t* codes, index_t code_stride, float* scales,
                          std::int32_t* zero_points) noexcept {
  alignas(64) float least[16] = {}, most[16] = {}, scale[16], inverse[16];
  alignas(64) std::int32_t zero_point[16];
  for (index_t row = 0; row < rows; row += 16) {
    const index_t count = pare::detail::min<index_t>(16, rows - row);
    unsigned bad = 0;
    for (index_t i = 0; i < count; ++i) {
      if (!range_of_row(x + (row + i) * x_stride, n, least[i], most[i])) {
        bad |= 1u << i;
        least[i] = most[i] = 0.0f;
      }
    }
    choose_row_quantizations(least, most, scale, inverse, zero_point);
    for (index_t i = 0; i < count; ++i) {
      const bool is_finite = ((bad >> i) & 1u) == 0;
      scales[row + i] = scale[i];
      zero_points[row + i] = is_finite ? zero_point[i] : -1;
      if (is_finite) {
        quantize_row(x + (row + i) * x_stride, n, padded,
                     {scale[i], inverse[i], zero_point[i], true}, codes + (row + i) * code_stride);
      }
    }
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx512vnni
PARE_TARGET_AVX512VNNI_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_QUANTIZE_ROWS_AVX512_HPP
