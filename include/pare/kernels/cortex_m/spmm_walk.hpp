// The walk of Cortex-M kernels over a block-sparse product, one row of activations at a time.
//
// Blocks meet inputs anywhere in a row, so a whole row is unpacked beforehand, into memory that the
// caller of `linear` gives; then line after line of blocks passes by, and their sums become outputs
// together. 0.6 KB of stack.
#ifndef PARE_KERNELS_CORTEX_M_SPMM_WALK_HPP
#define PARE_KERNELS_CORTEX_M_SPMM_WALK_HPP

#include <pare/kernels/cortex_m/gemm_walk.hpp>
#include <pare/kernels/spmm_s8.hpp>

namespace pare::kernels {

/// Lines of blocks that follow each other, and the part of the row that their K-block meets.
struct cortex_m_lines {
  const std::byte* x;         ///< unpacked inputs
  const std::uint32_t* ends;  ///< where the first line begins, where it ends, ...
  index_t count;
  const std::uint16_t* columns;  ///< of the first block
  const std::int8_t* values;
  std::int32_t* acc;  ///< of the first line's outputs
};

/// One row of the product, tiles [block.first_panel, block.last_panel). `args.panels` is the row,
/// unpacked. `Kernel` has
///
///     static constexpr index_t quad_bytes  of four unpacked inputs
///     unpack(args, a, to)                  a row
///     start(args, column, count, acc)      what accumulators begin with; count is a multiple of 16
///     lines_of_1(lines)                    acc += blocks of 1x4
///     lines_of_4(lines)                    the same for 4x4
///     line_of_16(line, i)                  the same for outputs 4 * i to 4 * i + 3 of a line of 16x4
template <class Kernel>
PARE_ALWAYS_INLINE void walk_spmm(const spmm_s8_args& args, const gemm_block& block) noexcept {
  using pare::detail::min;
  const gemm_s8_args& p = args.product;
  const bcsr_view<std::int8_t>& w = args.weights;
  const index_t block_rows = w.shape.block_rows, lines_count = w.block_rows_count();
  const index_t last_column = min(p.columns, 16 * block.last_panel);
  alignas(16) std::int32_t acc[cortex_m_columns];
  for (index_t column = 16 * block.first_panel; column < last_column; column += cortex_m_columns) {
    const index_t columns = min(cortex_m_columns, last_column - column);
    Kernel::start(p, column, pare::detail::round_up(columns, 16), acc);
    for (index_t k_block = 0; k_block < w.k_blocks(); ++k_block) {
      cortex_m_lines lines;
      lines.x = reinterpret_cast<const std::byte*>(args.panels) +
                k_block * (w.shape.k_block / 4) * Kernel::quad_bytes;
      lines.ends = w.block_offsets + k_block * lines_count + column / block_rows;
      lines.count = pare::detail::ceil_div(columns, block_rows);
      lines.columns = w.block_columns + *lines.ends;
      lines.values = w.values + static_cast<index_t>(*lines.ends) * block_rows * 4;
      lines.acc = acc;
      if (block_rows == 1) {
        Kernel::lines_of_1(lines);
      } else if (block_rows == 4) {
        Kernel::lines_of_4(lines);
      } else {
        for (; lines.count > 0; --lines.count, ++lines.ends, lines.acc += 16) {
          lines.columns = w.block_columns + *lines.ends;
          lines.values = w.values + static_cast<index_t>(*lines.ends) * 64;
          for (index_t i = 0; i < 4; ++i) Kernel::line_of_16(lines, i);
        }
      }
    }
    p.write(p, block.first_row, column, columns, 1, acc, 4);
  }
}

}  // namespace pare::kernels

#endif  // PARE_KERNELS_CORTEX_M_SPMM_WALK_HPP
