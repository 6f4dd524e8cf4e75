// 4-bit and 2-bit weights of a linear layer as the kernels read them: the panels of
// format/packed_linear.hpp, with two or four of their K-groups in one.
//
// A byte has two planes of 4 bits or four of 2 bits (format/low_bit.hpp). For a tile of NR columns
// a panel is
//
//     [NR][4] u8              the zero point of each column, plus 8 or 2, four times over
//     [ceil(K/B)][NR][4] u8   blocks of B = 8 (4 bits) or 16 (2 bits) inputs
//
// and plane p of byte j of a column in block b is input B * b + 4 * p + j: a shift and a mask turn a
// register into the operand of vpdpbusd. Where K is more than B and no multiple of it, the last
// block holds inputs K - B to K - 1, with zero points for those of the block before, so that kernels
// read whole blocks of a row and nothing beyond it. Columns that do not exist have codes and zero
// points of 0.
#ifndef PARE_FORMAT_PACKED_LOW_BIT_LINEAR_HPP
#define PARE_FORMAT_PACKED_LOW_BIT_LINEAR_HPP

#include <pare/format/low_bit.hpp>
#include <pare/format/packed_linear.hpp>

namespace pare {

/// A packed layer that lives elsewhere: made by `pack_low_bit_linear`, taken by `linear`. Trivial,
/// and may stand in flash.
struct packed_low_bit_linear_view {
  /// All that a layer of 8 bits has too. Its panels have the layout above, and its sums are those
  /// of the differences to the zero points: by itself it is no layer for `linear`.
  packed_linear_view base{};
  std::int32_t bits = 4;             ///< 4 or 2
  std::int32_t has_zero_points = 0;  ///< 1 where some zero point is not 0

  /// Bytes from one panel to the next.
  constexpr PARE_ALWAYS_INLINE index_t panel_bytes() const noexcept;
};

namespace detail {

/// Inputs of a block.
constexpr PARE_ALWAYS_INLINE index_t low_bit_block(int bits) noexcept { return 32 / bits; }

constexpr PARE_ALWAYS_INLINE index_t low_bit_panel_bytes(int bits, index_t in_features,
                                                         index_t tile_columns) noexcept {
  return (1 + ceil_div(in_features, low_bit_block(bits))) * tile_columns * 4;
}

/// Which of `k` inputs stands in place `at` of the packed ones; -1: none, a zero point stands
/// there.
constexpr PARE_ALWAYS_INLINE index_t low_bit_input(index_t k, index_t block, index_t at) noexcept {
  const index_t whole = k / block * block;
  if (at < whole) return at;
  if (k < block) return at < k ? at : -1;
  const index_t input = k - block + at % block;
  return input >= whole ? input : -1;
}

/// Where each part of a packed layer lies. False where the size overflows.
constexpr PARE_ALWAYS_INLINE bool low_bit_layout_of(index_t out_features, index_t in_features,
                                                    index_t tile_columns, int bits,
                                                    const linear_options& options,
                                                    packed_linear_layout& layout) noexcept {
  if (out_features < 0 || in_features < 0 || out_features > max_packed_size ||
      in_features > max_packed_size / 64)
    return false;
  const index_t columns = round_up(out_features, tile_columns);
  index_t panel_bytes = 0;
  return checked_multiply(columns, low_bit_panel_bytes(bits, in_features, 1), panel_bytes) &&
         layout_of(columns, panel_bytes, options, layout);
}

}  // namespace detail

constexpr PARE_ALWAYS_INLINE index_t packed_low_bit_linear_view::panel_bytes() const noexcept {
  return detail::low_bit_panel_bytes(bits, base.in_features, base.tile_columns);
}

}  // namespace pare

#endif  // PARE_FORMAT_PACKED_LOW_BIT_LINEAR_HPP
