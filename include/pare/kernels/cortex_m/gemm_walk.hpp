// The walk of Cortex-M kernels over a matrix product, the same for DSP and Helium instructions.
//
// One or two rows of A are unpacked, in the order of a panel, into a buffer on the stack, and panel
// after panel passes by; their sums stand on the stack, too, and become outputs together. What is
// irregular in A (last groups that overlap, s8 or u8) ends in the unpacking, and what the outputs
// want is asked once for many of them, so that all inner loops are plain. Rows longer than the buffer
// come in parts. A is a plain matrix: convolutions bring their windows as rows. 1.5 KB of stack.
#ifndef PARE_KERNELS_CORTEX_M_GEMM_WALK_HPP
#define PARE_KERNELS_CORTEX_M_GEMM_WALK_HPP

#include <cstring>

#include <pare/kernels/gemm_s8.hpp>

namespace pare::kernels {

/// Bytes on the stack for unpacked activations: with DSP instructions two rows of 256 inputs.
inline constexpr index_t cortex_m_input_bytes = 1024;
/// Accumulators on the stack, of all rows of a tile.
inline constexpr index_t cortex_m_columns = 128;

/// acc + x, modulo 2^32.
constexpr PARE_ALWAYS_INLINE void add(std::int32_t& acc, std::int32_t x) noexcept {
  acc = static_cast<std::int32_t>(static_cast<std::uint32_t>(acc) + static_cast<std::uint32_t>(x));
}

/// Calls `f(bytes)` for groups [first, first + count) of the row at `a`: four inputs each, in the order
/// of a panel whose blocks have `block` inputs.
///
/// The last block of a row ends with it, and overlaps the one before. Rows of less than a block get
/// zeros behind.
template <class F>
PARE_ALWAYS_INLINE void for_each_group(const std::uint8_t* a, index_t k, index_t first,
                                       index_t count, index_t block, const F& f) noexcept {
  std::uint8_t narrow[16] = {};
  if (PARE_UNLIKELY(k < block)) {
    std::memcpy(narrow, a, static_cast<std::size_t>(k));
    a = narrow;
    k = block;
  }
  const index_t rest = k % block, whole = k - rest;
  for (index_t at = 4 * first; count > 0; --count, at += 4) {
    f(a + (at < whole ? at : at + rest - block));
  }
}

/// One block of the product, for panels of four columns.
///
/// A panel has a head, and for each block of inputs 16 bytes. Accumulators come in fours: all rows of
/// a tile for a panel, then those for the next one. `Kernel` has
///
///     static constexpr index_t rows         at the most, of a tile
///     static constexpr index_t group_bytes  of four unpacked inputs
///     static constexpr index_t head_bytes   of a panel
///     index_t block_groups()                groups of four inputs of a block
///     unpacked                              where the unpacked rows are
///     unpack(args, a, first, count, buffer, row, rows, unpacked)
///         groups of the row at `a`, which is one of the tile's `rows`
///     start(args, column, panels, rows, acc)
///         what accumulators begin with
///     multiply(unpacked, panel, first, count, panel_bytes, panels, rows, acc)
///         acc += the products of blocks [first, first + count)
template <class Kernel>
PARE_ALWAYS_INLINE void walk_gemm(const Kernel& kernel, const gemm_s8_args& args,
                                  const gemm_block& block) noexcept {
  using pare::detail::min;
  alignas(16) std::byte buffer[cortex_m_input_bytes];
  alignas(16) std::int32_t acc[cortex_m_columns];
  const index_t block_groups = kernel.block_groups();
  const index_t blocks = pare::detail::ceil_div(args.k, 4 * block_groups);
  const index_t panel_bytes = Kernel::head_bytes + 16 * blocks;
  index_t rows = 0;
  for (index_t row = block.first_row; row < block.last_row; row += rows) {
    rows = min(Kernel::rows, block.last_row - row);
    const index_t most_panels = cortex_m_columns / 4 / rows;
    const index_t most_blocks = cortex_m_input_bytes / (Kernel::group_bytes * block_groups * rows);
    index_t panels = 0;
    for (index_t panel = block.first_panel; panel < block.last_panel; panel += panels) {
      panels = min(most_panels, block.last_panel - panel);
      const index_t column = 4 * panel, columns = min(4 * panels, args.columns - column);
      kernel.start(args, column, panels, rows, acc);
      index_t count = 0;
      for (index_t first = 0; first < blocks; first += count) {
        count = min(blocks - first, most_blocks);
        typename Kernel::unpacked x;
        for (index_t i = 0; i < rows; ++i) {
          kernel.unpack(args, args.a + (row + i) * args.a_stride, first * block_groups,
                        count * block_groups, buffer, i, rows, x);
        }
        kernel.multiply(x, args.panels + panel * panel_bytes, first, count, panel_bytes, panels,
                        rows, acc);
      }
      for (index_t i = 0; i < rows; ++i) {
        args.write(args, row + i, column, columns, 1, acc + 4 * i, 4 * rows);
      }
    }
  }
}

}  // namespace pare::kernels

#endif  // PARE_KERNELS_CORTEX_M_GEMM_WALK_HPP
