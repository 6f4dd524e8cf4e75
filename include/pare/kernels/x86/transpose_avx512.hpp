// Four-byte elements of 16 rows, side by side, become rows of their own: for panels of activations
// and back.
#ifndef PARE_KERNELS_X86_TRANSPOSE_AVX512_HPP
#define PARE_KERNELS_X86_TRANSPOSE_AVX512_HPP

#include <cstring>

#include <pare/core/checked.hpp>
#include <pare/format/activation_panels.hpp>
#include <pare/kernels/target_region.hpp>

#if PARE_X86_KERNELS

PARE_TARGET_AVX512VNNI_BEGIN
namespace pare::kernels::avx512vnni {
inline namespace PARE_ABI {

/// Four columns of 16 rows.
struct four_columns {
  __m512i c0, c1, c2, c3;
};

PARE_ALWAYS_INLINE __m128i load16(const std::byte* at) noexcept {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}

/// 16 bytes each of rows i, i + 4, i + 8 and i + 12.
PARE_ALWAYS_INLINE __m512i every_fourth_row(const std::byte* at, index_t stride) noexcept {
  __m512i r = _mm512_castsi128_si512(load16(at));
  r = _mm512_inserti32x4(r, load16(at + 4 * stride), 1);
  r = _mm512_inserti32x4(r, load16(at + 8 * stride), 2);
  return _mm512_inserti32x4(r, load16(at + 12 * stride), 3);
}

/// @param from    16 bytes of the first row
/// @param stride  bytes from row to row
PARE_ALWAYS_INLINE four_columns transpose(const void* from, index_t stride) noexcept {
  const std::byte* at = static_cast<const std::byte*>(from);
  const __m512i r0 = every_fourth_row(at, stride), r1 = every_fourth_row(at + stride, stride);
  const __m512i r2 = every_fourth_row(at + 2 * stride, stride);
  const __m512i r3 = every_fourth_row(at + 3 * stride, stride);
  const __m512i left01 = _mm512_unpacklo_epi32(r0, r1), right01 = _mm512_unpackhi_epi32(r0, r1);
  const __m512i left23 = _mm512_unpacklo_epi32(r2, r3), right23 = _mm512_unpackhi_epi32(r2, r3);
  return {_mm512_unpacklo_epi64(left01, left23), _mm512_unpackhi_epi64(left01, left23),
          _mm512_unpacklo_epi64(right01, right23), _mm512_unpackhi_epi64(right01, right23)};
}

/// `count` columns of 16 rows -> rows of 16; whole fours are read and written.
///
/// @param stride     elements from row to row
/// @param to_stride  elements from column to column
PARE_ALWAYS_INLINE void transpose(const std::int32_t* from, index_t stride, index_t count,
                                  std::int32_t* to, index_t to_stride) noexcept {
  for (index_t j = 0; j < count; j += 4, to += 4 * to_stride) {
    const four_columns c = transpose(from + j, 4 * stride);
    _mm512_storeu_si512(to, c.c0);
    _mm512_storeu_si512(to + to_stride, c.c1);
    _mm512_storeu_si512(to + 2 * to_stride, c.c2);
    _mm512_storeu_si512(to + 3 * to_stride, c.c3);
  }
}

/// Rows as bytes -> one panel: see scalar::pack_panel.
inline void pack_panel(const std::uint8_t* x, index_t stride, index_t rows, index_t bytes,
                       std::uint8_t flip, std::uint8_t* panel) noexcept {
  const index_t width = pare::detail::panel_width(rows), quad_bytes = 4 * width;
  const __m512i flips = _mm512_set1_epi8(static_cast<char>(flip));
  for (index_t row = 0; row < width; row += 16, x += 16 * stride, panel += 64) {
    const index_t whole = row + 16 <= rows ? bytes / 16 * 16 : 0;
    std::uint8_t* to = panel;
    for (index_t i = 0; i < bytes; i += 16) {
      // The ends of rows, and rows that do not exist, through a copy with zeros.
      alignas(16) std::uint8_t copy[16 * 16];
      const std::uint8_t* from = x + i;
      index_t from_stride = stride;
      const index_t left = pare::detail::min<index_t>(16, bytes - i);
      if (PARE_UNLIKELY(i >= whole)) {
        std::memset(copy, 0, sizeof(copy));
        for (index_t j = 0; j < 16 && row + j < rows; ++j)
          std::memcpy(copy + 16 * j, from + j * stride, static_cast<std::size_t>(left));
        from = copy, from_stride = 16;
      }
      const four_columns c = transpose(from, from_stride);
      _mm512_storeu_si512(to, _mm512_xor_si512(c.c0, flips)), to += quad_bytes;
      if (left > 4) _mm512_storeu_si512(to, _mm512_xor_si512(c.c1, flips)), to += quad_bytes;
      if (left > 8) _mm512_storeu_si512(to, _mm512_xor_si512(c.c2, flips)), to += quad_bytes;
      if (left > 12) _mm512_storeu_si512(to, _mm512_xor_si512(c.c3, flips)), to += quad_bytes;
    }
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx512vnni
PARE_TARGET_AVX512VNNI_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_TRANSPOSE_AVX512_HPP
