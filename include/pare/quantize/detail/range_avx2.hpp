// Whether floats are finite, and their range, on AVX2: chosen at run time where the flags allow less.
//
// Each function takes contiguous elements, does whole vectors and returns how many elements it did.
#ifndef PARE_QUANTIZE_DETAIL_RANGE_AVX2_HPP
#define PARE_QUANTIZE_DETAIL_RANGE_AVX2_HPP

#include <pare/kernels/isa.hpp>
#include <pare/kernels/target_region.hpp>

namespace pare::detail {

/// Whether loops over floats run on AVX2 by the choice of `active_isa`. Where the flags allow AVX-512
/// they have wider vectors without.
PARE_ALWAYS_INLINE bool runs_on_avx2() noexcept {
#if PARE_X86_KERNELS && !defined(__AVX512F__)
  return has_avx2(active_isa());
#else
  return false;
#endif
}

}  // namespace pare::detail

#if PARE_X86_KERNELS

PARE_TARGET_AVX2_BEGIN
namespace pare::detail::avx2 {
inline namespace PARE_ABI {

/// Whether floats are finite: `finite` becomes false where one is not.
inline index_t check_run(const float* x, index_t count, bool& finite) noexcept {
  // The exponent of a NaN or an infinity is all ones: adding one to it carries into the sign.
  const __m256i no_sign = _mm256_set1_epi32(0x7fffffff), carry = _mm256_set1_epi32(0x00800000);
  __m256i seen0 = _mm256_setzero_si256(), seen1 = seen0;
  index_t i = 0;
  for (; i + 16 <= count; i += 16) {
    const __m256i a = _mm256_castps_si256(_mm256_loadu_ps(x + i));
    const __m256i b = _mm256_castps_si256(_mm256_loadu_ps(x + i + 8));
    seen0 = _mm256_or_si256(seen0, _mm256_add_epi32(_mm256_and_si256(a, no_sign), carry));
    seen1 = _mm256_or_si256(seen1, _mm256_add_epi32(_mm256_and_si256(b, no_sign), carry));
  }
  const __m256i seen = _mm256_or_si256(seen0, seen1);
  finite = finite && _mm256_movemask_ps(_mm256_castsi256_ps(seen)) == 0;
  return i;
}

/// What has been seen of floats: the range, and the largest bits of a magnitude, which are those of an
/// infinity or more where one was not finite.
struct seen_range {
  float min, max;
  std::int32_t magnitude;
};

/// Smallest, largest, and largest magnitude of the lanes so far.
struct vector_range {
  __m256 low, high;
  __m256i magnitude;
};
PARE_ALWAYS_INLINE void see_8(vector_range& r, const float* x) noexcept {
  const __m256 v = _mm256_loadu_ps(x);
  // Of equal numbers the second operand stays, so that a -0 does not replace a 0.
  r.low = _mm256_min_ps(v, r.low);
  r.high = _mm256_max_ps(v, r.high);
  r.magnitude = _mm256_max_epi32(
      r.magnitude, _mm256_and_si256(_mm256_castps_si256(v), _mm256_set1_epi32(0x7fffffff)));
}

PARE_ALWAYS_INLINE std::int32_t largest_of_8(__m256i v) noexcept {
  __m128i m = _mm_max_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  m = _mm_max_epi32(m, _mm_shuffle_epi32(m, 0x4e));
  return _mm_cvtsi128_si32(_mm_max_epi32(m, _mm_shuffle_epi32(m, 0xb1)));
}

inline index_t range_run(const float* x, index_t count, seen_range& seen) noexcept {
  vector_range r = {_mm256_set1_ps(seen.min), _mm256_set1_ps(seen.max),
                    _mm256_set1_epi32(seen.magnitude)};
  vector_range s = r;
  index_t i = 0;
  for (; i + 16 <= count; i += 16) {
    see_8(r, x + i);
    see_8(s, x + i + 8);
  }
  r.low = _mm256_min_ps(s.low, r.low);
  r.high = _mm256_max_ps(s.high, r.high);
  __m128 low = _mm_min_ps(_mm256_castps256_ps128(r.low), _mm256_extractf128_ps(r.low, 1));
  __m128 high = _mm_max_ps(_mm256_castps256_ps128(r.high), _mm256_extractf128_ps(r.high, 1));
  low = _mm_min_ps(low, _mm_movehl_ps(low, low));
  high = _mm_max_ps(high, _mm_movehl_ps(high, high));
  low = _mm_min_ps(low, _mm_movehdup_ps(low));
  high = _mm_max_ps(high, _mm_movehdup_ps(high));
  seen = {_mm_cvtss_f32(low), _mm_cvtss_f32(high),
          largest_of_8(_mm256_max_epi32(r.magnitude, s.magnitude))};
  return i;
}

}  // namespace PARE_ABI
}  // namespace pare::detail::avx2
PARE_TARGET_AVX2_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_QUANTIZE_DETAIL_RANGE_AVX2_HPP
