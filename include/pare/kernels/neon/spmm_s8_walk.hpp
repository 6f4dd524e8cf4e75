// What the block-sparse s8 kernels of 64-bit ARM have in common: the walk over panels, and outputs.
#ifndef PARE_KERNELS_NEON_SPMM_S8_WALK_HPP
#define PARE_KERNELS_NEON_SPMM_S8_WALK_HPP

#include <pare/kernels/neon/panels_neon.hpp>
#include <pare/kernels/neon/write_neon.hpp>
#include <pare/kernels/spmm_s8.hpp>

#if PARE_NEON_KERNELS

namespace pare::kernels::neon {
inline namespace PARE_ABI {

/// Sums of one output for 16 rows. Of the first K-block: the start value. Of others: what is there.
PARE_ALWAYS_INLINE row_of_tile first_sums(bool is_first, std::int32_t start,
                                          const std::int32_t* acc) noexcept {
  if (!is_first) return load_row(acc);
  const int32x4_t s = vdupq_n_s32(start);
  return {s, s, s, s};
}

/// Four inputs of one row, in all lanes, signed.
PARE_ALWAYS_INLINE int8x16_t broadcast4(std::uint32_t four, std::uint8_t flip) noexcept {
  return vreinterpretq_s8_u8(veorq_u8(vreinterpretq_u8_u32(vdupq_n_u32(four)), vdupq_n_u8(flip)));
}

/// Four inputs of a row. The group that it ends within must not be read as a whole.
///
/// @param left  inputs up to the row's end
PARE_ALWAYS_INLINE std::uint32_t four_inputs(const std::uint8_t* x, index_t left) noexcept {
  if (PARE_UNLIKELY(left < 4)) return last_bytes(x, left, 0);
  std::uint32_t four;
  std::memcpy(&four, x, 4);
  return four;
}

/// Sums [16 outputs][width] of a panel become values of C, as rows or in panels.
inline void write_sums(const spmm_s8_args& args, const std::int32_t* acc, index_t width,
                       index_t row, index_t rows, index_t column, index_t columns) noexcept {
  std::int32_t turned[16 * 16];
  for (index_t i = 0; i < rows; i += 16) {
    transpose_16x16(acc + i, width, turned);
    const index_t count = pare::detail::min<index_t>(16, rows - i);
    if (args.c_panels == nullptr) {
      write(args.product, turned, row + i, count, column, columns);
      continue;
    }
    std::uint8_t codes[16 * 16];
    write(codes_of_tile(args, column, codes), turned, 0, count, 0, 16);
    const uint8x16_t flips = vdupq_n_u8(args.c_flip);
    for (index_t j = 0; j < count; ++j) {
      vst1q_u8(codes + 16 * j, veorq_u8(vld1q_u8(codes + 16 * j), flips));
      for (index_t k = 0; k < columns; k += 4) {
        std::memcpy(quad_of_output(args, row + i + j, column + k), codes + 16 * j + k, 4);
      }
    }
  }
}

/// Blocks of 16x4 for a tile: up to four rows at a time.
inline void walk_rows(const spmm_s8_args& args, const gemm_block& block, index_t column,
                      index_t columns, const std::int32_t* start,
                      const sparse_lines& lines) noexcept {
  const gemm_s8_args& p = args.product;
  const bcsr_view<std::int8_t>& w = args.weights;
  std::int32_t acc[4 * 16];
  for (index_t row = block.first_row; row < block.last_row; row += 4) {
    const index_t rows = pare::detail::min<index_t>(4, block.last_row - row);
    for (index_t i = 0; i < 4; ++i) store_row(acc + 16 * i, load_row(start));
    for (index_t k_block = 0; k_block < w.k_blocks(); ++k_block) {
      const std::uint32_t* ends = w.block_offsets + k_block * w.block_rows_count() + column / 16;
      lines.of_16(p, p.a + row * p.a_stride, rows, k_block * w.shape.k_block,
                  w.block_columns + ends[0], w.block_columns + ends[1],
                  w.values + index_t{ends[0]} * 64, acc);
    }
    write(p, acc, row, rows, column, columns);
  }
}

/// Activations signed, their zero point less by 128.
inline void spmm_s8_by(const spmm_s8_args& args, const gemm_block& block,
                       const sparse_lines& lines) noexcept {
  const gemm_s8_args& p = args.product;
  const bcsr_view<std::int8_t>& w = args.weights;
  const index_t block_rows = w.shape.block_rows, lines_count = w.block_rows_count();
  std::int32_t start[16], acc[16 * pare::detail::panel_rows];
  for (index_t tile = block.first_panel; tile < block.last_panel; ++tile) {
    const index_t column = tile * 16, columns = pare::detail::min<index_t>(16, p.columns - column);
    start_values(p, column, p.offset - 128, start);
    if (block_rows == 16) {
      walk_rows(args, block, column, columns, start, lines);
      continue;
    }
    for (index_t row = block.first_row; row < block.last_row; row += pare::detail::panel_rows) {
      const index_t rows = pare::detail::min(pare::detail::panel_rows, block.last_row - row);
      const index_t width = width_of_panel(args, row);
      if (w.k_blocks() == 0) {
        for (index_t i = 0; i < 16 * width; ++i) acc[i] = start[i / width];
      }
      for (index_t k_block = 0; k_block < w.k_blocks(); ++k_block) {
        const std::uint32_t* offsets =
            w.block_offsets + k_block * lines_count + column / block_rows;
        const std::uint8_t* x = panel_of(args, row) + k_block * w.shape.k_block * width;
        const sparse_line_args of_tile = {offsets,   w.block_columns, w.values,    x,
                                          4 * width, start,           k_block == 0};
        (block_rows == 4 ? lines.of_4 : lines.of_1)(
            of_tile, pare::detail::ceil_div(columns, block_rows), acc);
      }
      write_sums(args, acc, width, row, rows, column, columns);
    }
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::neon

#endif  // PARE_NEON_KERNELS
#endif  // PARE_KERNELS_NEON_SPMM_S8_WALK_HPP
