// Grouped 4-bit and 8-bit weights of a linear layer as the kernels read them: panels that are read
// once, from front to back.
//
// For a tile of NR columns and groups of G inputs, a panel is for each group
//
//     [G/B][NR][4] u8   blocks of B = 8 (4 bits) or 4 (8 bits) inputs
//     [NR] f16          scales
//     [NR] s8           zero points, times 16 (4 bits); where the layer has any
//
// and plane p of byte j of a column in block b is input B * b + 4 * p + j of the group, as in
// format/packed_low_bit_linear.hpp. Inputs and columns that do not exist have codes of 0 and count
// for nothing. Arrays beside the panels are padded to whole panels.
#ifndef PARE_FORMAT_PACKED_GROUPED_LINEAR_HPP
#define PARE_FORMAT_PACKED_GROUPED_LINEAR_HPP

#include <pare/core/checked.hpp>
#include <pare/core/status.hpp>
#include <pare/format/activation.hpp>

namespace pare {

/// How a grouped layer multiplies.
enum class grouped_arithmetic : std::uint8_t {
  integer,   ///< rows become u8 on the fly, the products of a group are summed in s32
  floating,  ///< weights become f32: no error but that of float, at a fraction of the speed
};

/// How a grouped linear layer treats its inputs and outputs, beyond its weights.
struct grouped_linear_options {
  activation act = activation::none;
  grouped_arithmetic arithmetic = grouped_arithmetic::integer;
};

/// A packed layer that lives elsewhere: made by `pack_grouped_linear`, taken by `linear`. Trivial,
/// and may stand in flash.
struct packed_grouped_linear_view {
  index_t out_features = 0;
  index_t in_features = 0;
  index_t group = 32;                ///< 32, 64 or 128
  std::int32_t bits = 4;             ///< 4 or 8
  std::int32_t tile_columns = 4;     ///< NR of the panels: 4, 16, 32 or 64
  std::int32_t has_zero_points = 0;  ///< 1 where some zero point is not 0

  const std::uint8_t* panels = nullptr;  ///< 64-byte aligned
  const float* sums = nullptr;           ///< sum of the weights of each output feature, in reals
  const float* bias = nullptr;           ///< in reals

  grouped_linear_options options{};

  constexpr PARE_ALWAYS_INLINE index_t groups() const noexcept {
    return detail::ceil_div(in_features, group);
  }
  constexpr PARE_ALWAYS_INLINE index_t panels_count() const noexcept {
    return detail::ceil_div(out_features, tile_columns);
  }
  /// Bytes of a panel for each column of a group.
  constexpr PARE_ALWAYS_INLINE index_t group_bytes() const noexcept {
    return group * bits / 8 + 2 + has_zero_points;
  }
  /// Bytes from one panel to the next.
  constexpr PARE_ALWAYS_INLINE index_t panel_bytes() const noexcept {
    return groups() * group_bytes() * tile_columns;
  }
};

namespace detail {

/// Where each part of a packed layer lies in its memory.
struct packed_grouped_linear_layout {
  index_t panels = 0, sums = 0, bias = 0, bytes = 0;
};

/// False where the size overflows. Only the shape fields of `layer` are read.
constexpr PARE_ALWAYS_INLINE bool layout_of(const packed_grouped_linear_view& layer,
                                            packed_grouped_linear_layout& layout) noexcept {
  constexpr index_t most = max_index / 64;
  if (layer.out_features < 0 || layer.in_features < 0 || layer.out_features > most ||
      layer.in_features > most)
    return false;
  const index_t columns = round_up(layer.out_features, layer.tile_columns);
  const index_t array_bytes = round_up(columns * 4, 64);
  index_t panel_bytes = 0, column_bytes = 0;
  if (!checked_multiply(layer.groups(), layer.group_bytes(), column_bytes) ||
      !checked_multiply(columns, column_bytes, panel_bytes) ||
      panel_bytes > max_index - 64 - 2 * array_bytes)
    return false;
  layout.sums = round_up(panel_bytes, 64);
  layout.bias = layout.sums + array_bytes;
  layout.bytes = layout.bias + array_bytes;
  return true;
}

}  // namespace detail
}  // namespace pare

#endif  // PARE_FORMAT_PACKED_GROUPED_LINEAR_HPP
