// The walk of Cortex-M kernels over a matrix product, the same for DSP and Helium instructions.
//
// The bytes of one or two rows of A are unpacked, in the order of a panel, into a buffer on the
// stack, and panel after panel passes by; their sums stand on the stack, too, and become outputs
// together. What is irregular in A (taps, last groups that overlap, s8 or u8) ends in the unpacking,
// and what the outputs want is asked once for many of them, so that all inner loops are plain. Rows
// longer than the buffer come in parts. 2 KB of stack.
#ifndef PARE_KERNELS_CORTEX_M_GEMM_WALK_HPP
#define PARE_KERNELS_CORTEX_M_GEMM_WALK_HPP

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

/// Calls `unpack(bytes, n)` for `n` groups of four inputs after each other, until it has had groups
/// [first, first + count) of a row, in the order of a panel whose blocks have `block` inputs.
///
/// @param a  the row's first byte; of one tap, if it has fewer bytes than a block
template <class Unpack>
PARE_ALWAYS_INLINE void for_each_run(const gemm_s8_args& args, const std::uint8_t* a, index_t first,
                                     index_t count, index_t block, const Unpack& unpack) noexcept {
  std::uint8_t narrow[16];
  index_t k = args.k;
  if (PARE_UNLIKELY(k < block)) {
    copy_narrow_rows(args, a, 1, block, narrow);
    a = narrow;
    k = block;
  }
  // A tap has whole blocks, then one that ends with it.
  const index_t rest = k % block, whole = (k - rest) / 4;
  const index_t tap_groups = rest == 0 ? whole : whole + block / 4;
  index_t group = first, x = 0;
  for (; group >= tap_groups; group -= tap_groups) ++x;
  for (; x >= args.taps_x; x -= args.taps_x) a += args.tap_y_stride;
  while (count > 0) {
    index_t end = whole, at = 4 * group;
    if (group >= whole) end = tap_groups, at -= block - rest;
    end = pare::detail::min(end - group, count);
    unpack(a + x * args.tap_x_stride + at, end);
    count -= end;
    group += end;
    if (group == tap_groups) {
      group = 0;
      if (++x == args.taps_x) x = 0, a += args.tap_y_stride;
    }
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
///     multiply(unpacked, panel, first, count, panel_bytes, panels, rows, from, acc, step)
///         acc = from + the products of blocks [first, first + count); `step` from panel to panel
template <class Kernel>
PARE_ALWAYS_INLINE void walk_gemm(const Kernel& kernel, const gemm_s8_args& args,
                                  const gemm_block& block) noexcept {
  using pare::detail::min;
  alignas(16) std::byte buffer[cortex_m_input_bytes];
  alignas(16) std::int32_t starts[cortex_m_columns], acc[cortex_m_columns];
  const index_t tallest = min(Kernel::rows, block.last_row - block.first_row);
  const index_t most_panels = cortex_m_columns / 4 / tallest, step = 4 * tallest;
  const index_t block_groups = kernel.block_groups();
  const index_t most_blocks = cortex_m_input_bytes / (Kernel::group_bytes * block_groups * tallest);
  const index_t blocks =
      args.taps_y * args.taps_x * pare::detail::ceil_div(args.k, 4 * block_groups);
  const index_t panel_bytes = Kernel::head_bytes + 16 * blocks;
  for (index_t panel = block.first_panel; panel < block.last_panel; panel += most_panels) {
    const std::int8_t* weights = args.panels + panel * panel_bytes;
    const index_t panels = min(most_panels, block.last_panel - panel);
    const index_t column = 4 * panel, columns = min(4 * panels, args.columns - column);
    kernel.start(args, column, panels, tallest, starts);
    index_t rows = 0;
    for (index_t row = block.first_row; row < block.last_row; row += rows) {
      rows = min(tallest, block.last_row - row);
      const std::int32_t* from = starts;
      for (index_t first = 0; first < blocks; first += most_blocks) {
        const index_t count = min(blocks - first, most_blocks);
        typename Kernel::unpacked x;
        for (index_t i = 0; i < rows; ++i) {
          kernel.unpack(args, row_address(args, row + i), first * block_groups,
                        count * block_groups, buffer, i, rows, x);
        }
        kernel.multiply(x, weights, first, count, panel_bytes, panels, rows, from, acc, step);
        from = acc;
      }
      for (index_t i = 0; i < rows; ++i) {
        args.write(args, row + i, column, columns, 1, from + 4 * i, step);
      }
    }
  }
}

}  // namespace pare::kernels

#endif  // PARE_KERNELS_CORTEX_M_GEMM_WALK_HPP
