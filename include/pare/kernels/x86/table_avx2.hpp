// 256-entry tables on AVX2: vpshufb looks into 16 entries at once, so there are 16 of them, and the
// four upper bits of a code choose between their answers by a tree of 15 blends.
//
// Bound: 16 shuffles and 15 blends for 32 codes, 2 a cycle at best.
#ifndef PARE_KERNELS_X86_TABLE_AVX2_HPP
#define PARE_KERNELS_X86_TABLE_AVX2_HPP

#include <pare/kernels/target_region.hpp>

#if PARE_X86_KERNELS

PARE_TARGET_AVX2_BEGIN
namespace pare::kernels::avx2 {
inline namespace PARE_ABI {

/// Entries 16 * Part to 16 * Part + 15, for each code by its lower bits.
template <int Part>
PARE_ALWAYS_INLINE __m256i look_up_part(const std::uint8_t* table, __m256i low) noexcept {
  const __m128i entries = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table) + Part);
  return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(entries), low);
}

/// The answers of 2^Bits parts from `First` on; `bits[b]` has bit 4 + b of each code in its sign,
/// which is all that a blend looks at.
template <int First, int Bits>
PARE_ALWAYS_INLINE __m256i look_up(const std::uint8_t* table, __m256i low,
                                   const __m256i (&bits)[4]) noexcept {
  if constexpr (Bits == 0) {
    return look_up_part<First>(table, low);
  } else {
    constexpr int half = 1 << (Bits - 1);
    return _mm256_blendv_epi8(look_up<First, Bits - 1>(table, low, bits),
                              look_up<First + half, Bits - 1>(table, low, bits), bits[Bits - 1]);
  }
}

PARE_ALWAYS_INLINE __m256i look_up_32(const std::uint8_t* table, __m256i codes) noexcept {
  // Bits 4, 5, 6 and 7 of each code, moved to its sign; what comes in from the byte beside it stays
  // below.
  const __m256i bits[4] = {_mm256_slli_epi16(codes, 3), _mm256_slli_epi16(codes, 2),
                           _mm256_slli_epi16(codes, 1), codes};
  return look_up<0, 4>(table, _mm256_and_si256(codes, _mm256_set1_epi8(0x0f)), bits);
}

inline void apply_table(const std::uint8_t* x, index_t n, const std::uint8_t* table,
                        std::uint8_t* y) noexcept {
  index_t i = 0;
  for (; i + 32 <= n; i += 32) {
    const __m256i codes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + i));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(y + i), look_up_32(table, codes));
  }
  for (; i < n; ++i) y[i] = table[x[i]];
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx2
PARE_TARGET_AVX2_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_TABLE_AVX2_HPP
