// Activations in panels on 64-bit ARM: how rows come into them, and sums out of them.
#ifndef PARE_KERNELS_NEON_PANELS_NEON_HPP
#define PARE_KERNELS_NEON_PANELS_NEON_HPP

#include <cstring>

#include <pare/format/activation_panels.hpp>
#include <pare/kernels/target_region.hpp>

#if PARE_NEON_KERNELS

namespace pare::kernels::neon {
inline namespace PARE_ABI {

/// Where a column's inputs are, by one multiplication and addition. The barriers keep compilers from
/// splitting `x` and `quad_bytes` into their terms again.
struct panel_columns_of {
  const std::uint8_t* x;
  index_t quad_bytes;

  PARE_ALWAYS_INLINE panel_columns_of(const std::uint8_t* first, index_t bytes) noexcept
      : x(first), quad_bytes(bytes) {
    __asm__("" : "+r"(x), "+r"(quad_bytes));
  }
  PARE_ALWAYS_INLINE const std::uint8_t* operator[](std::uint16_t column) const noexcept {
    return x + column * quad_bytes;
  }
};

/// Rows of a 4 x 4 transpose.
struct four_by_four {
  uint32x4_t r0, r1, r2, r3;
};
PARE_ALWAYS_INLINE four_by_four transpose(uint32x4_t r0, uint32x4_t r1, uint32x4_t r2,
                                          uint32x4_t r3) noexcept {
  const uint64x2_t left01 = vreinterpretq_u64_u32(vtrn1q_u32(r0, r1));
  const uint64x2_t left23 = vreinterpretq_u64_u32(vtrn1q_u32(r2, r3));
  const uint64x2_t right01 = vreinterpretq_u64_u32(vtrn2q_u32(r0, r1));
  const uint64x2_t right23 = vreinterpretq_u64_u32(vtrn2q_u32(r2, r3));
  return {vreinterpretq_u32_u64(vtrn1q_u64(left01, left23)),
          vreinterpretq_u32_u64(vtrn1q_u64(right01, right23)),
          vreinterpretq_u32_u64(vtrn2q_u64(left01, left23)),
          vreinterpretq_u32_u64(vtrn2q_u64(right01, right23))};
}

PARE_ALWAYS_INLINE void store_16_bytes(void* to, uint32x4_t x) noexcept {
  vst1q_u8(static_cast<std::uint8_t*>(to), vreinterpretq_u8_u32(x));
}
PARE_ALWAYS_INLINE uint32x4_t load_16_bytes(const std::uint8_t* from) noexcept {
  return vreinterpretq_u32_u8(vld1q_u8(from));
}

/// @param stride  bytes from one row to the next
PARE_ALWAYS_INLINE four_by_four transpose_bytes(const std::uint8_t* x, index_t stride) noexcept {
  return transpose(load_16_bytes(x), load_16_bytes(x + stride), load_16_bytes(x + 2 * stride),
                   load_16_bytes(x + 3 * stride));
}

/// 16 columns of 16 rows, of four bytes each -> rows of 16.
///
/// @param stride  elements from one column to the next
template <class T>
PARE_ALWAYS_INLINE void transpose_16x16(const T* from, index_t stride, T* to) noexcept {
  static_assert(sizeof(T) == 4, "pare: lanes have four bytes");
  for (index_t j = 0; j < 16; j += 4, from += 4 * stride) {
    for (index_t i = 0; i < 16; i += 4) {
      const four_by_four t =
          transpose_bytes(reinterpret_cast<const std::uint8_t*>(from + i), 4 * stride);
      store_16_bytes(to + 16 * i + j, t.r0);
      store_16_bytes(to + 16 * (i + 1) + j, t.r1);
      store_16_bytes(to + 16 * (i + 2) + j, t.r2);
      store_16_bytes(to + 16 * (i + 3) + j, t.r3);
    }
  }
}

/// 16 bytes of four rows, to four places of a panel.
PARE_ALWAYS_INLINE void pack_16_bytes(const std::uint8_t* x, index_t stride, uint32x4_t flips,
                                      std::uint8_t* to, index_t quad_bytes,
                                      index_t quads) noexcept {
  const four_by_four t = transpose_bytes(x, stride);
  store_16_bytes(to, veorq_u32(t.r0, flips));
  if (quads > 1) store_16_bytes(to + quad_bytes, veorq_u32(t.r1, flips));
  if (quads > 2) store_16_bytes(to + 2 * quad_bytes, veorq_u32(t.r2, flips));
  if (quads > 3) store_16_bytes(to + 3 * quad_bytes, veorq_u32(t.r3, flips));
}

/// Rows as bytes -> one panel: see scalar::pack_panel.
inline void pack_panel(const std::uint8_t* x, index_t stride, index_t rows, index_t bytes,
                       std::uint8_t flip, std::uint8_t* panel) noexcept {
  const index_t width = pare::detail::panel_width(rows), quad_bytes = 4 * width;
  const uint32x4_t flips = vreinterpretq_u32_u8(vdupq_n_u8(flip));
  for (index_t row = 0; row < width; row += 4, x += 4 * stride, panel += 16) {
    const index_t whole = row + 4 <= rows ? bytes / 16 * 16 : 0;
    std::uint8_t* to = panel;
    for (index_t i = 0; i < whole; i += 16, to += 4 * quad_bytes) {
      pack_16_bytes(x + i, stride, flips, to, quad_bytes, 4);
    }
    // The ends of rows, and rows that do not exist, through a copy with zeros.
    for (index_t i = whole; i < bytes; i += 16, to += 4 * quad_bytes) {
      std::uint8_t copy[4 * 16] = {};
      const index_t left = pare::detail::min<index_t>(16, bytes - i);
      for (index_t j = 0; j < 4 && row + j < rows; ++j) {
        std::memcpy(copy + 16 * j, x + j * stride + i, static_cast<std::size_t>(left));
      }
      pack_16_bytes(copy, 16, flips, to, quad_bytes, pare::detail::ceil_div(left, 4));
    }
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::neon

#endif  // PARE_NEON_KERNELS
#endif  // PARE_KERNELS_NEON_PANELS_NEON_HPP
