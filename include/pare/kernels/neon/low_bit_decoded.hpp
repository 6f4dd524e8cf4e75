// Low-bit panels decoded to panels of s8, once for many rows, on 64-bit ARM: the product then is that
// of the s8 kernels. A panel takes about 60 instructions for 256 weights, which from some rows on is
// less than decoding in every tile.
#ifndef PARE_KERNELS_NEON_LOW_BIT_DECODED_HPP
#define PARE_KERNELS_NEON_LOW_BIT_DECODED_HPP

#include <pare/kernels/neon/low_bit_neon.hpp>

#if PARE_NEON_KERNELS

namespace pare::kernels::neon {
inline namespace PARE_ABI {

/// Inputs of a panel that are decoded at once: 16 KB, half a first-level cache.
inline constexpr index_t decoded_inputs = 1024;

/// 4 columns of two groups of four inputs, from `column` on, to their place in K-groups of KGroup.
template <int KGroup>
PARE_ALWAYS_INLINE void store_two_groups(int8x16_t even, int8x16_t odd, std::int8_t* to,
                                         index_t column) noexcept {
  if constexpr (KGroup == 4) {
    vst1q_s8(to + 4 * column, even);
    vst1q_s8(to + 4 * (panel_columns + column), odd);
  } else {
    const int32x4x2_t words = vzipq_s32(vreinterpretq_s32_s8(even), vreinterpretq_s32_s8(odd));
    vst1q_s8(to + 8 * column, vreinterpretq_s8_s32(words.val[0]));
    vst1q_s8(to + 8 * column + 16, vreinterpretq_s8_s32(words.val[1]));
  }
}

/// 4 columns of a block, minus zero points (each four times).
template <int Bits, int KGroup>
PARE_ALWAYS_INLINE void decode_columns(const std::int8_t* w, const std::int8_t* zero_points,
                                       std::int8_t* to, index_t column) noexcept {
  const int8x16_t fields = vld1q_s8(w + 4 * column), z = vld1q_s8(zero_points + 4 * column);
  store_two_groups<KGroup>(vsubq_s8(plane_of<Bits, 0>(fields), z),
                           vsubq_s8(plane_of<Bits, 1>(fields), z), to, column);
  if constexpr (Bits == 2) {
    store_two_groups<KGroup>(vsubq_s8(plane_of<2, 2>(fields), z),
                             vsubq_s8(plane_of<2, 3>(fields), z), to + 8 * panel_columns, column);
  }
}

/// A block of 16 columns, in K-groups of KGroup.
///
/// @return behind the last weight
template <int Bits, int KGroup>
PARE_ALWAYS_INLINE std::int8_t* decode_block(const std::int8_t* w, const std::int8_t* zero_points,
                                             std::int8_t* to) noexcept {
  decode_columns<Bits, KGroup>(w, zero_points, to, 0);
  decode_columns<Bits, KGroup>(w, zero_points, to, 4);
  decode_columns<Bits, KGroup>(w, zero_points, to, 8);
  decode_columns<Bits, KGroup>(w, zero_points, to, 12);
  return to + panel_columns * pare::detail::low_bit_block(Bits);
}

/// How many of the inputs from one on, `left` of them, are decoded at once: whole blocks, but for
/// the last ones, which are more than a block.
constexpr PARE_ALWAYS_INLINE index_t decoded_length(index_t left) noexcept {
  return left <= decoded_inputs ? left : decoded_inputs - 16;
}

/// Inputs [first, first + n) of a panel as a panel of s8 for a K of `n`.
///
/// @param w  the panel's head
template <int Bits, int KGroup>
void decode_panel(const std::int8_t* w, index_t first, index_t n, std::int8_t* to) noexcept {
  constexpr index_t block = pare::detail::low_bit_block(Bits), block_bytes = 4 * panel_columns;
  std::int8_t zero_points[4 * panel_columns];
  load_zero_points<Bits>(w, zero_points);
  const std::int8_t* at = w + (1 + first / block) * block_bytes;
  std::int8_t* end = to;
  for (index_t i = n / block; i > 0; --i, at += block_bytes)
    end = decode_block<Bits, KGroup>(at, zero_points, end);
  if (n % block == 0) return;
  // The last inputs, from a block that ends with the row, to groups that end with it.
  const index_t block_begin = n - block;
  for (index_t place = n / block * block; place < pare::detail::round_up(n, KGroup); ++place) {
    const index_t input = pare::detail::packed_input(n, place);
    for (index_t column = 0; column < panel_columns; ++column) {
      std::int32_t weight = 0;
      if (input >= 0) {
        const index_t of_block = input - block_begin, byte = 4 * column + of_block % 4;
        weight =
            pare::detail::unpack_field(static_cast<std::uint8_t>(at[byte]), Bits, of_block / 4) -
            zero_points[byte];
      }
      to[pare::detail::place_in_panel(column, place, panel_columns, KGroup)] =
          static_cast<std::int8_t>(weight);
    }
  }
}

/// to += from, `rows` rows of a panel.
PARE_NOINLINE inline void add_rows(std::int32_t* to, const std::int32_t* from,
                                   index_t rows) noexcept {
  for (index_t j = 0; j < rows * panel_columns; j += 4)
    vst1q_s32(to + j, wrapping_add(vld1q_s32(to + j), vld1q_s32(from + j)));
}

/// Runs the tiles of an s8 kernel over a block of a low-bit product.
///
/// @param kernel  reads groups of KGroup
/// @param offset  the zero point of the activations as the kernel multiplies them
template <int Bits, int KGroup>
void decoded_panels(const gemm_s8_args& args, const gemm_block& block, const kernel_tiles& kernel,
                    std::int32_t offset) noexcept {
  constexpr index_t buffer_rows = 96;
  alignas(64) std::int8_t decoded[decoded_inputs * panel_columns];
  std::int32_t start[panel_columns], sums[buffer_rows * panel_columns],
      more[buffer_rows * panel_columns];
  constexpr std::int32_t zeros[panel_columns] = {};
  const tile_heights heights = cut_rows(block.last_row - block.first_row, kernel);
  gemm_s8_args some_inputs = args;
  for (index_t panel = block.first_panel; panel < block.last_panel; ++panel) {
    const std::int8_t* w = low_bit_panel(args, Bits, panel);
    const index_t column = panel * panel_columns;
    const index_t columns = pare::detail::min(panel_columns, args.columns - column);
    start_values(args, column, offset, start);
    index_t row = block.first_row, decoded_first = -1;
    for (const tiles_of_height& part : heights.part) {
      for (index_t left = part.count; left > 0;) {
        const index_t count = pare::detail::min(left, buffer_rows / part.rows);
        const std::uint8_t* a = args.a + row * args.a_stride;
        for (index_t first = 0; first < args.k; first += some_inputs.k) {
          some_inputs.k = decoded_length(args.k - first);
          if (decoded_first != first) decode_panel<Bits, KGroup>(w, first, some_inputs.k, decoded);
          decoded_first = first;
          kernel.of_height[part.rows - 1](some_inputs, a + first, args.a_stride, count, decoded,
                                          first == 0 ? start : zeros, first == 0 ? sums : more,
                                          panel_columns);
          if (first > 0) add_rows(sums, more, count * part.rows);
        }
        write(args, sums, row, count * part.rows, column, columns);
        row += count * part.rows;
        left -= count;
      }
    }
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::neon

#endif  // PARE_NEON_KERNELS
#endif  // PARE_KERNELS_NEON_LOW_BIT_DECODED_HPP
