// What the matrix kernels for grouped weights are given and must do, to the bit.
#ifndef PARE_KERNELS_GEMM_GROUPED_HPP
#define PARE_KERNELS_GEMM_GROUPED_HPP

#include <cstring>

#include <pare/core/small_float.hpp>
#include <pare/format/packed_grouped_linear.hpp>
#include <pare/kernels/gemm_s8.hpp>

namespace pare::kernels {

/// One product C [rows, columns] = clamp(A [rows, k] * W + bias), W grouped.
///
/// Integer, A in u8 codes a with a scale and a zero point for each row:
///
///     i_g = sum over the group of a * (w - zero point of w)                exact
///     f   = f + float(i_g) * scale_g          for one group after the other, from 0
///     y   = (f - zero_point * sum) * row_scale + bias
///
/// Floating, A in f32:
///
///     p_g = p_g + a * float(w - zero point of w)   for one input after the other, from 0
///     f   = f + p_g * scale_g                      for one group after the other, from 0
///     y   = f + bias
///
/// Each product and each sum is rounded to f32; nothing is fused.
struct gemm_grouped_args {
  index_t rows = 0, columns = 0, k = 0;
  packed_grouped_linear_view layer;

  // integer
  const std::uint8_t* codes = nullptr;  ///< rows end in zeros up to whole groups
  index_t code_stride = 0;
  const float* row_scales = nullptr;
  const std::int32_t* row_zero_points = nullptr;
  const std::int32_t* code_sums = nullptr;  ///< [rows, groups]; where the layer has zero points

  // floating
  const float* x = nullptr;
  index_t x_stride = 0;

  float* c = nullptr;
  index_t c_stride = 0;  ///< elements from row to row
  float clamp_low = 0.0f, clamp_high = 0.0f;
};

/// A column's part of one group, behind it those of the next groups.
struct grouped_panel {
  const std::uint8_t* blocks;
  const std::uint8_t* scales;       ///< f16
  const std::uint8_t* zero_points;  ///< s8
};

/// @param column  of the panel
constexpr PARE_ALWAYS_INLINE grouped_panel panel_of(const packed_grouped_linear_view& layer,
                                                    index_t panel, index_t column) noexcept {
  const std::uint8_t* at = layer.panels + panel * layer.panel_bytes();
  const index_t code_bytes = layer.group * layer.bits / 8 * layer.tile_columns;
  return {at + column * 4, at + code_bytes + column * 2,
          at + code_bytes + layer.tile_columns * 2 + column};
}

/// The sums of a row's codes over each group; rows are padded to whole groups.
inline void sum_groups(const std::uint8_t* codes, index_t groups, index_t group,
                       std::int32_t* sums) noexcept {
  constexpr std::uint64_t even_bytes = 0x00ff00ff00ff00ff, add_words = 0x0001000100010001;
  for (index_t g = 0; g < groups; ++g) {
    std::uint64_t words = 0;  // four sums of 16 bits: of 128 codes at the most
    for (index_t i = 0; i < group; i += 8, codes += 8) {
      std::uint64_t eight;
      std::memcpy(&eight, codes, 8);
      words += (eight & even_bytes) + ((eight >> 8) & even_bytes);
    }
    sums[g] = static_cast<std::int32_t>((words * add_words) >> 48);
  }
}

}  // namespace pare::kernels

#endif  // PARE_KERNELS_GEMM_GROUPED_HPP
