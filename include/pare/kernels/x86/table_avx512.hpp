// 256-entry tables on AVX-512 BW: 16 shuffles of 16 entries, half of them merged into the other
// half by their mask, and 7 blends.
//
// Bound: 23 instructions for 64 codes, 2 a cycle at best.
#ifndef PARE_KERNELS_X86_TABLE_AVX512_HPP
#define PARE_KERNELS_X86_TABLE_AVX512_HPP

#include <pare/kernels/target_region.hpp>

#if PARE_X86_KERNELS

PARE_TARGET_AVX512VNNI_BEGIN
namespace pare::kernels::avx512vnni {
inline namespace PARE_ABI {

/// The 16 entries of a part, in each quarter of a register.
PARE_ALWAYS_INLINE __m512i table_part(const std::uint8_t* table, int part) noexcept {
  return _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table) + part));
}

/// The bits 4, 5, 6 and 7 of 64 codes.
struct upper_bits {
  __mmask64 bit4, bit5, bit6, bit7;
};

/// Entries from 32 * `Pair` on, by bit 4 and the lower bits.
template <int Pair>
PARE_ALWAYS_INLINE __m512i look_up_pair(const __m512i (&parts)[16], __m512i low,
                                        const upper_bits& b) noexcept {
  return _mm512_mask_shuffle_epi8(_mm512_shuffle_epi8(parts[2 * Pair], low), b.bit4,
                                  parts[2 * Pair + 1], low);
}

template <int First>
PARE_ALWAYS_INLINE __m512i look_up_half(const __m512i (&parts)[16], __m512i low,
                                        const upper_bits& b) noexcept {
  const __m512i lower = _mm512_mask_blend_epi8(b.bit5, look_up_pair<First>(parts, low, b),
                                               look_up_pair<First + 1>(parts, low, b));
  const __m512i upper = _mm512_mask_blend_epi8(b.bit5, look_up_pair<First + 2>(parts, low, b),
                                               look_up_pair<First + 3>(parts, low, b));
  return _mm512_mask_blend_epi8(b.bit6, lower, upper);
}

PARE_ALWAYS_INLINE __m512i look_up_64(const __m512i (&parts)[16], __m512i codes) noexcept {
  const __m512i low = _mm512_and_si512(codes, _mm512_set1_epi8(0x0f));
  const upper_bits b{_mm512_test_epi8_mask(codes, _mm512_set1_epi8(0x10)),
                     _mm512_test_epi8_mask(codes, _mm512_set1_epi8(0x20)),
                     _mm512_test_epi8_mask(codes, _mm512_set1_epi8(0x40)),
                     _mm512_movepi8_mask(codes)};
  return _mm512_mask_blend_epi8(b.bit7, look_up_half<0>(parts, low, b),
                                look_up_half<4>(parts, low, b));
}

inline void apply_table(const std::uint8_t* x, index_t n, const std::uint8_t* table,
                        std::uint8_t* y) noexcept {
  __m512i parts[16];
  PARE_UNROLL for (int i = 0; i < 16; ++i) parts[i] = table_part(table, i);
  index_t i = 0;
  for (; i + 64 <= n; i += 64) {
    _mm512_storeu_si512(y + i, look_up_64(parts, _mm512_loadu_si512(x + i)));
  }
  if (i < n) {
    const __mmask64 rest = (__mmask64{1} << (n - i)) - 1;
    _mm512_mask_storeu_epi8(y + i, rest, look_up_64(parts, _mm512_maskz_loadu_epi8(rest, x + i)));
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx512vnni
PARE_TARGET_AVX512VNNI_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_TABLE_AVX512_HPP
