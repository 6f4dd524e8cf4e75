// Float rows to u8 codes on AVX2, 8 values at a time. Bound: reading the row twice.
#ifndef PARE_KERNELS_X86_QUANTIZE_ROWS_AVX2_HPP
#define PARE_KERNELS_X86_QUANTIZE_ROWS_AVX2_HPP

#include <pare/kernels/quantize_rows.hpp>
#include <pare/kernels/target_region.hpp>

#if PARE_X86_KERNELS

PARE_TARGET_AVX2_BEGIN
namespace pare::kernels::avx2 {
inline namespace PARE_ABI {

inline row_quantization row_range(const float* x, index_t n) noexcept {
  const __m256i exponent = _mm256_set1_epi32(0x7f800000);
  __m256 low = _mm256_setzero_ps(), high = _mm256_setzero_ps();
  __m256i bad = _mm256_setzero_si256();
  index_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const __m256 v = _mm256_loadu_ps(x + i);
    low = _mm256_min_ps(low, v);
    high = _mm256_max_ps(high, v);
    const __m256i bits = _mm256_and_si256(_mm256_castps_si256(v), exponent);
    bad = _mm256_or_si256(bad, _mm256_cmpeq_epi32(bits, exponent));
  }
  bool finite = _mm256_testz_si256(bad, bad) != 0;
  alignas(32) float lows[8], highs[8];
  _mm256_store_ps(lows, low);
  _mm256_store_ps(highs, high);
  float least = 0.0f, most = 0.0f;
  for (int lane = 0; lane < 8; ++lane) {
    least = lows[lane] < least ? lows[lane] : least;
    most = most < highs[lane] ? highs[lane] : most;
  }
  for (; i < n; ++i) {
    finite = finite && pare::detail::is_finite(x[i]);
    least = x[i] < least ? x[i] : least;
    most = most < x[i] ? x[i] : most;
  }
  if (!finite) return {1.0f, 1.0f, 0, false};
  return choose_row_quantization(least, most);
}

inline void quantize_row(const float* x, index_t n, index_t padded, const row_quantization& q,
                         std::uint8_t* codes) noexcept {
  const __m256 inverse = _mm256_set1_ps(q.inverse);
  const __m256i zero_point = _mm256_set1_epi32(q.zero_point);
  index_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const __m256i rounded = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x + i), inverse));
    const __m256i code = _mm256_add_epi32(rounded, zero_point);
    // Saturation to s16 and then to u8 is the clamp to 0 ... 255.
    const __m128i words =
        _mm_packs_epi32(_mm256_castsi256_si128(code), _mm256_extracti128_si256(code, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(codes + i), _mm_packus_epi16(words, words));
  }
  for (; i < n; ++i) {
    const std::int32_t code = pare::detail::round_half_even(x[i] * q.inverse) + q.zero_point;
    codes[i] = static_cast<std::uint8_t>(pare::detail::clamp(code, 0, 255));
  }
  for (; i < padded; ++i) codes[i] = 0;
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx2
PARE_TARGET_AVX2_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_QUANTIZE_ROWS_AVX2_HPP
