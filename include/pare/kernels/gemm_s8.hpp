// What every s8 matrix kernel is given and must do: the interface between `linear` and the ISAs.
#ifndef PARE_KERNELS_GEMM_S8_HPP
#define PARE_KERNELS_GEMM_S8_HPP

#include <cstring>

#include <pare/core/fixed_point.hpp>
#include <pare/format/packed_linear.hpp>

namespace pare::kernels {

/// What becomes of an accumulator.
enum class output_kind : std::uint8_t {
  s32,  ///< stored as it is
  f32,  ///< (acc - row_zero_point * sum) * (row_scale * column_scale) + bias, clamped
  q8,   ///< requantized to s8 or u8
};

/// One product C [rows, columns] = A [rows, k] * W, W packed in panels of `tile_columns`.
///
/// acc = bias_codes + sum over k of (a - zero_point) * w, modulo 2^32. Arrays for columns are
/// padded to whole panels.
struct gemm_s8_args {
  const std::uint8_t* a = nullptr;  ///< codes, s8 or u8
  index_t a_stride = 0;             ///< bytes from row to row
  std::uint8_t a_flip = 0;  ///< 0x80 for s8 codes: a ^ a_flip is the code plus 128, unsigned
  std::int32_t offset = 0;  ///< zero point of a ^ a_flip: the codes' own, plus 128 for s8
  index_t rows = 0, columns = 0, k = 0;
  index_t tile_columns = 0;

  const std::int8_t* panels = nullptr;
  const std::int32_t* sums = nullptr;
  const std::int32_t* bias_codes = nullptr;  ///< null: none
  std::int32_t has_minus_128 = 0;

  output_kind kind = output_kind::s32;
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

/// Rows whose accumulators wait in L1 for one call that makes final values of them: 48 rows of 64
/// columns are 12 KB.
inline constexpr index_t buffered_rows = 48;

/// The last `left` (1 to 3) of a row's k activations, and zeros: four bytes.
///
/// @param a  where they begin, behind k - left others
PARE_ALWAYS_INLINE void last_inputs(const std::uint8_t* a, index_t k, index_t left,
                                    std::uint8_t* four) noexcept {
  if (k >= 4) {
    // The row's last four bytes, moved down (little-endian): one load in place of a loop over
    // bytes.
    std::uint32_t bytes;
    std::memcpy(&bytes, a + left - 4, 4);
    bytes >>= 8 * (4 - left);
    std::memcpy(four, &bytes, 4);
  } else {
    for (index_t j = 0; j < 4; ++j) four[j] = j < left ? a[j] : std::uint8_t{0};
  }
}

}  // namespace pare::kernels

#endif  // PARE_KERNELS_GEMM_S8_HPP
