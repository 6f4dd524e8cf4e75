// The walk of Cortex-M kernels over a matrix product, the same for DSP and Helium instructions.
//
// The bytes of one or two rows of A are unpacked, in the order of a panel, into a buffer on the
// stack, and panel after panel passes by; their sums stand on the stack, too, and become outputs
// together. What is irregular in A (taps, last groups that overlap, s8 or u8) ends in the unpacking,
// and what the outputs want is asked once for many of them, so that all inner loops are plain. Rows
// longer than the buffer come in parts. 1.5 KB of stack.
#ifndef PARE_KERNELS_CORTEX_M_GEMM_WALK_HPP
#define PARE_KERNELS_CORTEX_M_GEMM_WALK_HPP

#include <pare/kernels/gemm_s8.hpp>

namespace pare::kernels {

/// Bytes on the stack for unpacked activations: with DSP instructions two rows of 256 inputs.
inline constexpr index_t cortex_m_input_bytes = 1024;
/// Accumulators on the stack, of all rows of a tile.
inline constexpr index_t cortex_m_columns = 128;

/// Groups of four inputs of a row.
constexpr PARE_ALWAYS_INLINE index_t groups_of(const gemm_s8_args& args) noexcept {
  return args.taps_y * args.taps_x * pare::detail::ceil_div(args.k, 4);
}

/// Calls `unpack(four_bytes)` for groups [first, first + count) of a row, in order; count > 0.
///
/// @param a  the row's first byte; of one tap, if it has fewer than four
template <class Unpack>
PARE_ALWAYS_INLINE void for_each_group(const gemm_s8_args& args, const std::uint8_t* a,
                                       index_t first, index_t count,
                                       const Unpack& unpack) noexcept {
  std::uint8_t narrow[4];
  index_t k = args.k;
  if (PARE_UNLIKELY(k < 4)) {
    copy_narrow_rows(args, a, 1, narrow);
    a = narrow;
    k = 4;
  }
  index_t group = first, x = 0;
  for (const index_t tap_groups = pare::detail::ceil_div(k, 4); group >= tap_groups; ++x)
    group -= tap_groups;
  for (; x >= args.taps_x; x -= args.taps_x) a += args.tap_y_stride;
  while (true) {
    const std::uint8_t* tap = a + x * args.tap_x_stride;
    const std::uint8_t* at = tap + 4 * group;
    const std::uint8_t* end = at + 4 * pare::detail::min(k / 4 - group, count);
    count -= (end - at) / 4;
    bool has_more = k % 4 != 0 && count > 0;
    while (true) {
      for (; at != end; at += 4) unpack(at);
      if (!has_more) break;
      has_more = false;
      --count;
      end = tap + k;
      at = end - 4;
    }
    if (count == 0) return;
    group = 0;
    if (++x == args.taps_x) x = 0, a += args.tap_y_stride;
  }
}

/// One block of the product, for panels of four columns.
///
/// `Kernel` has
///
///     static constexpr index_t rows         at the most, of a tile
///     static constexpr index_t group_bytes  of unpacked inputs, for each row
///     static void unpack(args, a, first, count, buffer, row, rows)
///         groups of the row at `a`, which is one of the tile's `rows`
///     static void start(args, column, panels, acc)
///     static void multiply(buffer, weights, panel_bytes, count, panels, rows, acc, acc_1)
///         adds products to the accumulators of a row, and to those of a second one
///     static void write(args, row, column, columns, acc)
template <class Kernel>
PARE_ALWAYS_INLINE void walk_gemm(const gemm_s8_args& args, const gemm_block& block) noexcept {
  const index_t tallest = pare::detail::min(Kernel::rows, block.last_row - block.first_row);
  const index_t most_groups = cortex_m_input_bytes / Kernel::group_bytes / tallest;
  const index_t most_panels = cortex_m_columns / 4 / tallest, next_row = 4 * most_panels;
  alignas(16) std::byte buffer[cortex_m_input_bytes];
  alignas(16) std::int32_t acc[cortex_m_columns];
  const index_t groups = groups_of(args);
  for (index_t panel = block.first_panel; panel < block.last_panel; panel += most_panels) {
    const index_t panels = pare::detail::min(most_panels, block.last_panel - panel);
    const index_t column = 4 * panel;
    const index_t columns = pare::detail::min(4 * panels, args.columns - column);
    index_t rows = 0;
    for (index_t row = block.first_row; row < block.last_row; row += rows) {
      rows = pare::detail::min(tallest, block.last_row - row);
      for (index_t i = 0; i < rows; ++i) {
        Kernel::start(args, column, panels, acc + i * next_row);
      }
      for (index_t first = 0; first < groups; first += most_groups) {
        const index_t count = pare::detail::min(groups - first, most_groups);
        for (index_t i = 0; i < rows; ++i) {
          Kernel::unpack(args, row_address(args, row + i), first, count, buffer, i, rows);
        }
        Kernel::multiply(buffer, args.panels + 16 * (panel * groups + first), 16 * groups, count,
                         panels, rows, acc, acc + next_row);
      }
      for (index_t i = 0; i < rows; ++i) {
        Kernel::write(args, row + i, column, columns, acc + i * next_row);
      }
    }
  }
}

}  // namespace pare::kernels

#endif  // PARE_KERNELS_CORTEX_M_GEMM_WALK_HPP
