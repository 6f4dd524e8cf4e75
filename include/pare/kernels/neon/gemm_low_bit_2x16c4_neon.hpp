// The matrix product with 4-bit and 2-bit weights on ARM without SDOT: tiles of up to 2 rows by 16
// columns, K in blocks of 8 or 16. 32-bit ARM has registers for one row.
//
// Weights, and their differences to zero points, are so small that SMLAL can add 17 products and more
// in 16 bits before they are widened; the s8 kernel has to after two. Bound: SMLAL for 8 products,
// and 3 operations to decode 32 weights of 4 bits, 7 to decode 64 of 2 bits.
#ifndef PARE_KERNELS_NEON_GEMM_LOW_BIT_2X16C4_NEON_HPP
#define PARE_KERNELS_NEON_GEMM_LOW_BIT_2X16C4_NEON_HPP

#include <pare/kernels/neon/gemm_s8_2x16c4_neon.hpp>
#include <pare/kernels/neon/low_bit_neon.hpp>

#if PARE_NEON_KERNELS || PARE_NEON32_KERNELS

namespace pare::kernels::neon {
inline namespace PARE_ABI {

/// Sums of products of 16 columns in 16 bits, four for each: a sum for each byte of a K-group.
struct word_sums {
  int16x8_t c0, c1, c2, c3, c4, c5, c6, c7;
};
PARE_ALWAYS_INLINE word_sums no_sums() noexcept {
  const int16x8_t zero = vdupq_n_s16(0);
  return {zero, zero, zero, zero, zero, zero, zero, zero};
}

/// The K-groups of a block, each in all lanes.
struct block_codes {
  int8x16_t g0, g1, g2, g3;
};
template <int Bits>
PARE_ALWAYS_INLINE block_codes load_block(const std::uint8_t* a, uint8x16_t flips) noexcept {
  block_codes x;
  x.g0 = broadcast4(a, flips);
  x.g1 = broadcast4(a + 4, flips);
  x.g2 = Bits == 2 ? broadcast4(a + 8, flips) : x.g0;
  x.g3 = Bits == 2 ? broadcast4(a + 12, flips) : x.g0;
  return x;
}

/// The blocks whose sums fit into 16 bits: products of -128 and a weight, 8 / Bits in each block.
template <int Bits, low_bit_decoding How>
constexpr PARE_ALWAYS_INLINE index_t blocks_in_words() noexcept {
  constexpr int largest = How == low_bit_decoding::shifted ? 1 << (Bits - 1) : (1 << Bits) - 1;
  return 32767 / (128 * largest) / (8 / Bits);
}

/// A K-group of both rows times 4 columns.
template <int Rows>
PARE_ALWAYS_INLINE void word_step(int16x8_t& r0c0, int16x8_t& r0c1, int16x8_t& r1c0,
                                  int16x8_t& r1c1, int8x16_t a0, int8x16_t a1,
                                  int8x16_t w) noexcept {
  r0c0 = vmlal_s8(r0c0, vget_low_s8(w), vget_low_s8(a0));
  r0c1 = multiply_add_high(r0c1, w, a0);
  if constexpr (Rows > 1) {
    r1c0 = vmlal_s8(r1c0, vget_low_s8(w), vget_low_s8(a1));
    r1c1 = multiply_add_high(r1c1, w, a1);
  }
}

/// A block of both rows times 4 columns.
template <int Bits, low_bit_decoding How, int Rows>
PARE_ALWAYS_INLINE void block_step(int16x8_t& r0c0, int16x8_t& r0c1, int16x8_t& r1c0,
                                   int16x8_t& r1c1, const block_codes& a0, const block_codes& a1,
                                   const std::int8_t* w, const std::int8_t* zero_points) noexcept {
  const int8x16_t fields = vld1q_s8(w);
  int8x16_t w0 = plane_of<Bits, 0>(fields), w1 = plane_of<Bits, 1>(fields), w2 = w0, w3 = w0;
  if constexpr (Bits == 2) w2 = plane_of<2, 2>(fields), w3 = plane_of<2, 3>(fields);
  if constexpr (How == low_bit_decoding::general) {
    const int8x16_t z = vld1q_s8(zero_points);
    w0 = vsubq_s8(w0, z), w1 = vsubq_s8(w1, z), w2 = vsubq_s8(w2, z), w3 = vsubq_s8(w3, z);
  }
  word_step<Rows>(r0c0, r0c1, r1c0, r1c1, a0.g0, a1.g0, w0);
  word_step<Rows>(r0c0, r0c1, r1c0, r1c1, a0.g1, a1.g1, w1);
  if constexpr (Bits == 2) {
    word_step<Rows>(r0c0, r0c1, r1c0, r1c1, a0.g2, a1.g2, w2);
    word_step<Rows>(r0c0, r0c1, r1c0, r1c1, a0.g3, a1.g3, w3);
  }
  __asm__ volatile("");  // GCC 12 would decode all columns before the first product, and spill
}

/// out += sums, for 4 and for 16 columns.
PARE_ALWAYS_INLINE void add_words(std::int32_t* out, int16x8_t left, int16x8_t right) noexcept {
  const int32x4_t sums = add_pairs(vpaddlq_s16(left), vpaddlq_s16(right));
  vst1q_s32(out, wrapping_add(vld1q_s32(out), sums));
}
PARE_ALWAYS_INLINE void add_words(std::int32_t* out, const word_sums& r) noexcept {
  add_words(out, r.c0, r.c1);
  add_words(out + 4, r.c2, r.c3);
  add_words(out + 8, r.c4, r.c5);
  add_words(out + 12, r.c6, r.c7);
}

/// out += A * W over some blocks; on to the next ones.
template <int Bits, low_bit_decoding How, int Rows>
PARE_ALWAYS_INLINE void add_blocks(const std::uint8_t*& in, index_t stride, uint8x16_t flips,
                                   index_t blocks, const std::int8_t*& w,
                                   const std::int8_t* zero_points, std::int32_t* out,
                                   index_t out_stride) noexcept {
  while (blocks > 0) {
    word_sums r0 = no_sums(), r1 = r0;
    index_t n = pare::detail::min(blocks, blocks_in_words<Bits, How>());
    blocks -= n;
    for (; n > 0; --n, in += pare::detail::low_bit_block(Bits), w += 64) {
      const block_codes a0 = load_block<Bits>(in, flips);
      const block_codes a1 = Rows > 1 ? load_block<Bits>(in + stride, flips) : a0;
      const std::int8_t* z = zero_points;
      block_step<Bits, How, Rows>(r0.c0, r0.c1, r1.c0, r1.c1, a0, a1, w, z);
      block_step<Bits, How, Rows>(r0.c2, r0.c3, r1.c2, r1.c3, a0, a1, w + 16, z + 16);
      block_step<Bits, How, Rows>(r0.c4, r0.c5, r1.c4, r1.c5, a0, a1, w + 32, z + 32);
      block_step<Bits, How, Rows>(r0.c6, r0.c7, r1.c6, r1.c7, a0, a1, w + 48, z + 48);
    }
    add_words(out, r0);
    if constexpr (Rows > 1) add_words(out + out_stride, r1);
  }
}

/// `count` tiles below each other: out = start + A * W over all of K, for 16 columns.
///
/// @param w  the panel's head
template <int Bits, low_bit_decoding How, int Rows>
void low_bit_tiles(const gemm_s8_args& args, const std::uint8_t* a, index_t stride, index_t count,
                   const std::int8_t* w, const std::int32_t* start, std::int32_t* out,
                   index_t out_stride) noexcept {
  constexpr index_t block = pare::detail::low_bit_block(Bits);
  const uint8x16_t flips = vdupq_n_u8(static_cast<std::uint8_t>(args.a_flip ^ 0x80));
  std::int8_t zero_points[4 * panel_columns];
  load_zero_points<Bits>(w, zero_points);
  for (; count > 0; --count, a += Rows * stride, out += Rows * out_stride) {
    store_row(out, load_row(start));
    if constexpr (Rows > 1) store_row(out + out_stride, load_row(start));
    const std::int8_t* weights = w + 4 * panel_columns;
    const std::uint8_t* in = a;
    add_blocks<Bits, How, Rows>(in, stride, flips, whole_blocks(args.k, block), weights,
                                zero_points, out, out_stride);
    if (has_last_block(args.k, block)) {
      in = a + args.k - block;
      add_blocks<Bits, How, Rows>(in, stride, flips, 1, weights, zero_points, out, out_stride);
    }
  }
}

/// One block of the product.
template <int Bits, low_bit_decoding How>
void gemm_low_bit(const gemm_s8_args& args, const gemm_block& block) noexcept {
  constexpr index_t most_rows = PARE_NEON_KERNELS ? 2 : 1;
  constexpr tile_function tiles[] = {low_bit_tiles<Bits, How, 1>,
                                     low_bit_tiles<Bits, How, most_rows>};
  low_bit_panels<Bits>(args, block, tiles, most_rows);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::neon

#endif  // PARE_NEON_KERNELS || PARE_NEON32_KERNELS
#endif  // PARE_KERNELS_NEON_GEMM_LOW_BIT_2X16C4_NEON_HPP
