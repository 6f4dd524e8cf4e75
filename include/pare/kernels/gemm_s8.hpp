// What every s8 matrix kernel is given and must do: the interface between `linear` and the ISAs.
#ifndef PARE_KERNELS_GEMM_S8_HPP
#define PARE_KERNELS_GEMM_S8_HPP

#include <pare/core/fixed_point.hpp>
#include <pare/format/packed_linear.hpp>

namespace pare::kernels {

/// What becomes of an accumulator.
enum class output_kind : std::uint8_t {
  s32,  ///< stored as it is
  f32,  ///< (acc - row_zero_point * sum) * (row_scale * column_scale) + bias, clamped
  q8,   ///< requantized to s8 or u8
};

struct gemm_s8_args;

/// Makes outputs of accumulators: `column` to `column + columns - 1` of a row, or of `rows` of them
/// where there are at most four columns. What is beside the panels, and `acc`, have four columns
/// everywhere.
///
/// @param acc_step  from four accumulators to the next four
using output_writer = void (*)(const gemm_s8_args& args, index_t row, index_t column,
                               index_t columns, index_t rows, const std::int32_t* acc,
                               index_t acc_step) noexcept;

/// One product C [rows, columns] = A [rows, K] * W, W packed in panels of `tile_columns`.
///
/// acc = bias_codes + sum over K of (a - zero_point) * w, modulo 2^32. Arrays for columns are
/// padded to whole panels.
///
/// A is addressed in place. Its rows come in lines, and a row's K bytes in taps, so that a
/// convolution is a product too: a line is a row of output pixels, a tap one position of the
/// window. The bytes of tap (y, x) of row i begin at
///
///     a + i / line_rows * line_stride + i % line_rows * a_stride + y * tap_y_stride
///       + x * tap_x_stride
///
/// A matrix has one line and one tap. K counts taps_y * taps_x * k bytes; in a panel each tap has
/// ceil(k / k_group) groups of its own. Where there are several taps, panels with groups of eight have
/// an even number of groups of four in each.
struct gemm_s8_args {
  const std::uint8_t* a = nullptr;  ///< codes, s8 or u8
  index_t a_stride = 0;             ///< bytes from row to row
  index_t line_rows = pare::detail::max_index, line_stride = 0;
  index_t taps_y = 1, taps_x = 1;
  index_t tap_y_stride = 0, tap_x_stride = 0;
  std::uint8_t a_flip = 0;  ///< 0x80 for s8 codes: a ^ a_flip is the code plus 128, unsigned
  std::int32_t offset = 0;  ///< zero point of a ^ a_flip: the codes' own, plus 128 for s8
  index_t rows = 0, columns = 0;
  index_t k = 0;  ///< bytes of a tap
  index_t tile_columns = 0;
  index_t k_group = 4;  ///< 4 or 8: see format/packed_linear.hpp

  const std::int8_t* panels = nullptr;
  const std::int32_t* sums = nullptr;
  const std::int32_t* bias_codes = nullptr;  ///< null: none
  std::int32_t has_minus_128 = 0;

  output_kind kind = output_kind::s32;
  /// Cortex-M: what does what `kind` and `rule` say. Those that no layer has are not linked.
  output_writer write = nullptr;
  void* c = nullptr;
  index_t c_stride = 0;  ///< elements from row to row

  // f32
  const float* column_scales = nullptr;
  const float* bias = nullptr;
  const float* row_scales = nullptr;              ///< null: `scale` for all rows
  const std::int32_t* row_zero_points = nullptr;  ///< null: all 0 (the offset above has done it)
  float scale = 1.0f;
  float clamp_low = 0.0f, clamp_high = 0.0f;

  // q8
  requantization rule = requantization::nearest;
  const float* factors = nullptr;
  const std::int32_t* multipliers = nullptr;
  const std::int32_t* shifts = nullptr;
  std::int32_t zero_point = 0, low = 0, high = 0;  ///< of the output codes
};

/// A part of the product: rows and panels [first, last).
struct gemm_block {
  index_t first_row, last_row, first_panel, last_panel;
};

/// How rows are cut into tiles: as few as possible, and as even as possible, so that 8 rows are 4 +
/// 4 rather than 6 + 2. First `tall` tiles of `tall_rows` rows, then `low` tiles of one row less.
struct row_tiles {
  index_t tall_rows = 0, tall = 0, low = 0;
};
constexpr PARE_ALWAYS_INLINE row_tiles cut_rows(index_t rows, index_t most) noexcept {
  const index_t tiles = pare::detail::ceil_div(rows, most);
  const index_t even = rows / tiles, extra = rows % tiles;
  return extra == 0 ? row_tiles{even, tiles, 0} : row_tiles{even + 1, extra, tiles - extra};
}

/// The most rows of a tile of `columns` columns on AVX-512.
///
/// As many as registers allow, so that each weight that is loaded meets as many activations as can
/// be. Where the panel stays in the first-level cache, loads cost little, and half the rows are
/// better for accumulators that are stored as they are: the processor then overlaps the stores of a
/// tile with the next one's products, for which 24 accumulators leave it too short a window. Codes
/// take so many instructions that it is about the same for them; of the narrowest tiles half is
/// still better.
constexpr PARE_ALWAYS_INLINE index_t avx512_tile_rows(index_t columns, index_t panel_bytes,
                                                      output_kind kind) noexcept {
  const index_t most = columns == 64 ? 6 : columns == 48 ? 8 : 12;
  const bool is_halved = panel_bytes <= 16384 && (kind == output_kind::s32 || columns <= 32);
  return is_halved ? most / 2 : most;
}

/// The first byte of a row.
constexpr PARE_ALWAYS_INLINE const std::uint8_t* row_address(const gemm_s8_args& args,
                                                             index_t row) noexcept {
  if (row < args.line_rows) return args.a + row * args.a_stride;
  return args.a + row / args.line_rows * args.line_stride + row % args.line_rows * args.a_stride;
}

/// The rows from `row` on that lie in its line and before `last`.
constexpr PARE_ALWAYS_INLINE index_t rows_in_line(const gemm_s8_args& args, index_t row,
                                                  index_t last) noexcept {
  const index_t line_end =
      row < args.line_rows ? args.line_rows : (row / args.line_rows + 1) * args.line_rows;
  return pare::detail::min(last, line_end) - row;
}

/// Bytes of a panel.
constexpr PARE_ALWAYS_INLINE index_t panel_bytes(const gemm_s8_args& args) noexcept {
  return args.taps_y * args.taps_x * pare::detail::round_up(args.k, args.k_group) *
         args.tile_columns;
}

/// What the tiles below each other have in common, and where the next one begins.
///
/// `reload` lets the compiler think that all of it may have changed, so that it reads these from the
/// stack, one by one, where they are needed. Else GCC 12 runs out of registers and parks some in
/// vector registers: on the way back they queue behind the products of the whole tile, and the next
/// tile cannot begin before.
struct tile_walk {
  const std::uint8_t* a;       ///< the first row
  index_t stride;              ///< bytes from row to row
  index_t groups, last_group;  ///< whole K-groups of a tap; where the last one of four bytes begins
  bool has_tail;               ///< the last one overlaps the one before
  std::uint8_t a_flip;
  index_t taps_y, taps_x, tap_y_stride, tap_x_stride;
  const std::int8_t* w;  ///< the first of the panel's columns that the tile takes
  index_t w_bytes;       ///< from K-group to K-group of the panel, 64 for each 16 columns it has
  const std::int32_t* start;
};

constexpr PARE_ALWAYS_INLINE tile_walk walk_of(const gemm_s8_args& args, const std::uint8_t* a,
                                               index_t stride, const std::int8_t* w,
                                               index_t w_bytes,
                                               const std::int32_t* start) noexcept {
  return {a,           stride,      args.k / 4,  args.k < 4 ? 0 : args.k - 4, args.k % 4 != 0,
          args.a_flip, args.taps_y, args.taps_x, args.tap_y_stride,           args.tap_x_stride,
          w,           w_bytes,     start};
}

/// One tap of the rows of a tile: its first byte in the first row.
struct tap_position {
  const std::uint8_t* at;
  index_t y = 0, x = 0;
};

/// Goes on to the next tap. False behind the last one.
constexpr PARE_ALWAYS_INLINE bool to_next_tap(const tile_walk& walk, tap_position& tap) noexcept {
  tap.at += walk.tap_x_stride;
  if (++tap.x < walk.taps_x) return true;
  if (++tap.y >= walk.taps_y) return false;
  tap.x = 0;
  tap.at = walk.a + tap.y * walk.tap_y_stride;
  return true;
}

PARE_ALWAYS_INLINE void reload(tile_walk& walk) noexcept {
#if defined(__GNUC__) || defined(__clang__)
  __asm__ volatile("" : "+m"(walk));
#endif
  static_cast<void>(walk);
}

/// Whether a rule works in float, where the highest code can cut before rounding.
constexpr PARE_ALWAYS_INLINE bool is_float_rule(requantization rule) noexcept {
  return rule == requantization::nearest || rule == requantization::onnx;
}

/// Whether nothing but the saturation of s8 or u8 bounds the codes from above.
constexpr PARE_ALWAYS_INLINE bool is_bounded_by_type(const gemm_s8_args& args) noexcept {
  return args.high == 127 || args.high == 255;
}

// The bytes of a tap are read in groups of four. Where k is no multiple of four, the last group
// begins at byte k - 4, and its weights for bytes that the group before has had are zero: nothing
// is read beyond a tap, and nothing is copied. See `packed_input` in format/packed_linear.hpp.

inline namespace PARE_ABI {

/// Rows of a matrix that are shorter than what a kernel reads at once: `rows` of them, `bytes` each,
/// with zeros behind. Rare, and so not inlined.
PARE_NOINLINE inline void copy_narrow_rows(const gemm_s8_args& args, const std::uint8_t* a,
                                           index_t rows, index_t bytes, std::uint8_t* to) noexcept {
  for (index_t i = 0; i < rows; ++i) {
    for (index_t j = 0; j < bytes; ++j) {
      to[i * bytes + j] = j < args.k ? a[i * args.a_stride + j] : std::uint8_t{0};
    }
  }
}

}  // namespace PARE_ABI

}  // namespace pare::kernels

#endif  // PARE_KERNELS_GEMM_S8_HPP
