// The matrix product with 4-bit and 2-bit weights on 64-bit ARM with SDOT: tiles of up to 6 rows by
// 16 columns, K in blocks of 8 or 16.
//
// Few rows: the tile is that of the s8 product, with weights decoded on the way: 3 operations for a
// register of two planes, 7 for one of four. Zero points take an operation for each plane and
// registers of their own, which leaves 4 rows. Many rows: the s8 product of decoded panels.
#ifndef PARE_KERNELS_NEON_GEMM_LOW_BIT_6X16C4_DOTPROD_HPP
#define PARE_KERNELS_NEON_GEMM_LOW_BIT_6X16C4_DOTPROD_HPP

#include <pare/kernels/neon/gemm_s8_6x16c4_dotprod.hpp>
#include <pare/kernels/neon/low_bit_decoded.hpp>

#if PARE_NEON_KERNELS

PARE_TARGET_DOTPROD_BEGIN
namespace pare::kernels::dotprod {
inline namespace PARE_ABI {

/// The weights of 4 columns for one K-group.
template <int Bits, low_bit_decoding How, int Plane>
PARE_ALWAYS_INLINE int8x16_t plane_of(int8x16_t fields, int8x16_t zero_points) noexcept {
  const int8x16_t codes = neon::plane_of<Bits, Plane>(fields);
  return How == low_bit_decoding::general ? vsubq_s8(codes, zero_points) : codes;
}

/// 4 columns times the K-groups of one block out of those in `a`.
///
/// @param w  of the first of these blocks and columns
template <int Bits, low_bit_decoding How, int Rows, int Block>
PARE_ALWAYS_INLINE void block_step(int32x4_t& r0, int32x4_t& r1, int32x4_t& r2, int32x4_t& r3,
                                   int32x4_t& r4, int32x4_t& r5, const std::int8_t* w,
                                   int8x16_t zero_points, const tile_codes& a) noexcept {
  constexpr int first = Block * 8 / Bits;
  const int8x16_t fields = load_weights<64 * Block>(w);
  multiply_add<Rows, first>(r0, r1, r2, r3, r4, r5, plane_of<Bits, How, 0>(fields, zero_points), a);
  multiply_add<Rows, first + 1>(r0, r1, r2, r3, r4, r5, plane_of<Bits, How, 1>(fields, zero_points),
                                a);
  if constexpr (Bits == 2) {
    multiply_add<Rows, 2>(r0, r1, r2, r3, r4, r5, plane_of<2, How, 2>(fields, zero_points), a);
    multiply_add<Rows, 3>(r0, r1, r2, r3, r4, r5, plane_of<2, How, 3>(fields, zero_points), a);
  }
}

/// 4 columns times `Blocks` blocks.
template <int Bits, low_bit_decoding How, int Rows, int Blocks>
PARE_ALWAYS_INLINE void blocks_step(int32x4_t& r0, int32x4_t& r1, int32x4_t& r2, int32x4_t& r3,
                                    int32x4_t& r4, int32x4_t& r5, const std::int8_t* w,
                                    int8x16_t zero_points, const tile_codes& a) noexcept {
  block_step<Bits, How, Rows, 0>(r0, r1, r2, r3, r4, r5, w, zero_points, a);
  if constexpr (Blocks > 1)
    block_step<Bits, How, Rows, 1>(r0, r1, r2, r3, r4, r5, w, zero_points, a);
}

/// The zero points of 16 columns.
struct zero_points_of_panel {
  int8x16_t c0, c1, c2, c3;
};

/// 16 columns times `Blocks` blocks.
template <int Bits, low_bit_decoding How, int Rows, int Blocks>
PARE_ALWAYS_INLINE void blocks_step(tile_of_rows& t, const std::int8_t* w,
                                    const zero_points_of_panel& z, const tile_codes& a) noexcept {
  blocks_step<Bits, How, Rows, Blocks>(t.r0.c0, t.r1.c0, t.r2.c0, t.r3.c0, t.r4.c0, t.r5.c0, w,
                                       z.c0, a);
  blocks_step<Bits, How, Rows, Blocks>(t.r0.c1, t.r1.c1, t.r2.c1, t.r3.c1, t.r4.c1, t.r5.c1, w + 16,
                                       z.c1, a);
  blocks_step<Bits, How, Rows, Blocks>(t.r0.c2, t.r1.c2, t.r2.c2, t.r3.c2, t.r4.c2, t.r5.c2, w + 32,
                                       z.c2, a);
  blocks_step<Bits, How, Rows, Blocks>(t.r0.c3, t.r1.c3, t.r2.c3, t.r3.c3, t.r4.c3, t.r5.c3, w + 48,
                                       z.c3, a);
}

/// One row: its 16 columns take turns, so that no product waits for the one before.
template <int Bits, low_bit_decoding How, int Plane, int Group>
PARE_ALWAYS_INLINE void plane_step(row_of_tile& r, const int8x16x4_t& fields,
                                   const zero_points_of_panel& z, int8x16_t a) noexcept {
  multiply_add<Group>(r.c0, plane_of<Bits, How, Plane>(fields.val[0], z.c0), a);
  multiply_add<Group>(r.c1, plane_of<Bits, How, Plane>(fields.val[1], z.c1), a);
  multiply_add<Group>(r.c2, plane_of<Bits, How, Plane>(fields.val[2], z.c2), a);
  multiply_add<Group>(r.c3, plane_of<Bits, How, Plane>(fields.val[3], z.c3), a);
}
template <int Bits, low_bit_decoding How>
PARE_ALWAYS_INLINE void row_step(row_of_tile& even, row_of_tile& odd, const std::int8_t* w,
                                 const zero_points_of_panel& z, int8x16_t a) noexcept {
  const int8x16x4_t fields = vld1q_s8_x4(w);
  plane_step<Bits, How, 0, 0>(even, fields, z, a);
  plane_step<Bits, How, 1, 1>(odd, fields, z, a);
  if constexpr (Bits == 2) {
    plane_step<2, How, 2, 2>(even, fields, z, a);
    plane_step<2, How, 3, 3>(odd, fields, z, a);
  } else {
    const int8x16x4_t next = vld1q_s8_x4(w + 64);
    plane_step<4, How, 0, 2>(even, next, z, a);
    plane_step<4, How, 1, 3>(odd, next, z, a);
  }
}

/// t += A * W over some blocks; on to the next ones.
template <int Bits, low_bit_decoding How, int Rows>
PARE_ALWAYS_INLINE void add_blocks(tile_of_rows& t, tile_inputs& in, unsigned flip, index_t blocks,
                                   const std::int8_t*& w, const zero_points_of_panel& z) noexcept {
  constexpr int at_once = Bits / 2;  // blocks of 16 inputs together
  if constexpr (Rows == 1) {
    const int32x4_t zero = vdupq_n_s32(0);
    row_of_tile odd = {zero, zero, zero, zero};
    for (; blocks >= at_once; blocks -= at_once, w += 64 * at_once) {
      const int8x16_t a = load<1, 16>(in, flip).r0;
      advance<1>(in, 16);
      row_step<Bits, How>(t.r0, odd, w, z, a);
    }
    t.r0 = {wrapping_add(t.r0.c0, odd.c0), wrapping_add(t.r0.c1, odd.c1),
            wrapping_add(t.r0.c2, odd.c2), wrapping_add(t.r0.c3, odd.c3)};
  } else {
    for (; blocks >= at_once; blocks -= at_once, w += 64 * at_once) {
      const tile_codes a = load<Rows, 16>(in, flip);
      advance<Rows>(in, 16);
      blocks_step<Bits, How, Rows, at_once>(t, w, z, a);
    }
  }
  if (at_once == 2 && blocks > 0) {
    const tile_codes a = load<Rows, 8>(in, flip);
    advance<Rows>(in, 8);
    blocks_step<Bits, How, Rows, 1>(t, w, z, a);
    w += 64;
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
  const unsigned flip = args.a_flip ^ 0x80u;
  zero_points_of_panel z;
  z.c0 = z.c1 = z.c2 = z.c3 = vdupq_n_s8(0);
  if constexpr (How == low_bit_decoding::general) {
    std::int8_t zero_points[4 * neon::panel_columns];
    neon::load_zero_points<Bits>(w, zero_points);
    z = {vld1q_s8(zero_points), vld1q_s8(zero_points + 16), vld1q_s8(zero_points + 32),
         vld1q_s8(zero_points + 48)};
  }
  for (; count > 0; --count, a += Rows * stride) {
    tile_of_rows t;
    t.r0 = load_row(start);
    t.r1 = t.r2 = t.r3 = t.r4 = t.r5 = t.r0;
    const std::int8_t* weights = w + 4 * neon::panel_columns;
    tile_inputs in = inputs_at<Rows>(a, stride);
    add_blocks<Bits, How, Rows>(t, in, flip, whole_blocks(args.k, block), weights, z);
    if (has_last_block(args.k, block)) {
      in = inputs_at<Rows>(a + args.k - block, stride);
      add_blocks<Bits, How, Rows>(t, in, flip, 1, weights, z);
    }
    store_row(out, t.r0), out += out_stride;
    if constexpr (Rows > 1) store_row(out, t.r1), out += out_stride;
    if constexpr (Rows > 2) store_row(out, t.r2), out += out_stride;
    if constexpr (Rows > 3) store_row(out, t.r3), out += out_stride;
    if constexpr (Rows > 4) store_row(out, t.r4), out += out_stride;
    if constexpr (Rows > 5) store_row(out, t.r5), out += out_stride;
  }
}

/// From so many rows on a panel is decoded once, which takes about what 16 rows gain.
inline constexpr index_t rows_of_decoded_panel = 24, least_decoded_inputs = 64;

/// One block of the product.
template <int Bits, low_bit_decoding How>
void gemm_low_bit(const gemm_s8_args& args, const gemm_block& block) noexcept {
  if (block.last_row - block.first_row >= rows_of_decoded_panel && args.k >= least_decoded_inputs) {
    return neon::decoded_panels<Bits, 4>(args, block, tiles_for(args), args.offset - 128);
  }
  constexpr index_t most_rows = How == low_bit_decoding::shifted ? 6 : 4;
  constexpr neon::tile_function tiles[] = {low_bit_tiles<Bits, How, 1>,
                                           low_bit_tiles<Bits, How, 2>,
                                           low_bit_tiles<Bits, How, 3>,
                                           low_bit_tiles<Bits, How, 4>,
                                           low_bit_tiles<Bits, How, most_rows - 1>,
                                           low_bit_tiles<Bits, How, most_rows>};
  neon::low_bit_panels<Bits>(args, block, tiles, most_rows);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::dotprod
PARE_TARGET_DOTPROD_END

#endif  // PARE_NEON_KERNELS
#endif  // PARE_KERNELS_NEON_GEMM_LOW_BIT_6X16C4_DOTPROD_HPP
