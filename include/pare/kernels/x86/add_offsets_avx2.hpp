// What the offsets of groups add to the outputs of a row, on AVX2: 32 outputs at a time, then 8. Bound:
// reading the offsets.
#ifndef PARE_KERNELS_X86_ADD_OFFSETS_AVX2_HPP
#define PARE_KERNELS_X86_ADD_OFFSETS_AVX2_HPP

#include <pare/kernels/scalar/add_offsets.hpp>
#include <pare/kernels/x86/gemm_grouped_3x16c4_avx2.hpp>

#if PARE_X86_KERNELS

PARE_TARGET_AVX2_BEGIN
namespace pare::kernels::avx2 {
inline namespace PARE_ABI {

/// Vectors [c, c + 8 * Vectors) of the outputs.
template <int Vectors>
PARE_ALWAYS_INLINE void add_offsets_at(const add_offsets_args& a, index_t c) noexcept {
  static_assert(Vectors == 1 || Vectors == 4);
  const __m256 none = _mm256_setzero_ps();
  row_of_floats low = {none, none}, high = {none, none};
  const float* offsets = a.offsets + c;
  for (index_t g = 0; g < a.groups; ++g, offsets += a.stride) {
    const __m256 sum = _mm256_broadcast_ss(a.sums + g);
    multiply_then_add(low.c0, sum, _mm256_loadu_ps(offsets));
    if constexpr (Vectors == 4) {
      multiply_then_add(low.c1, sum, _mm256_loadu_ps(offsets + 8));
      multiply_then_add(high.c0, sum, _mm256_loadu_ps(offsets + 16));
      multiply_then_add(high.c1, sum, _mm256_loadu_ps(offsets + 24));
    }
  }
  float* y = a.y + c;
  _mm256_storeu_ps(y, _mm256_add_ps(_mm256_loadu_ps(y), low.c0));
  if constexpr (Vectors == 4) {
    _mm256_storeu_ps(y + 8, _mm256_add_ps(_mm256_loadu_ps(y + 8), low.c1));
    _mm256_storeu_ps(y + 16, _mm256_add_ps(_mm256_loadu_ps(y + 16), high.c0));
    _mm256_storeu_ps(y + 24, _mm256_add_ps(_mm256_loadu_ps(y + 24), high.c1));
  }
}

inline void add_offsets(const add_offsets_args& a) noexcept {
  index_t c = 0;
  for (; c + 32 <= a.columns; c += 32) add_offsets_at<4>(a, c);
  for (; c + 8 <= a.columns; c += 8) add_offsets_at<1>(a, c);
  add_offsets_args rest = a;
  rest.offsets += c, rest.y += c, rest.columns -= c;
  scalar::add_offsets(rest);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx2
PARE_TARGET_AVX2_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_ADD_OFFSETS_AVX2_HPP
