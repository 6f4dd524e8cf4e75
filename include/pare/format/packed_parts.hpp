// The arrays of a packed layer in one piece of memory: how long they are and where each of them
// lies, from the layer's shape, tile and options alone.
//
// Packers write by the same layout (`layout_of` in format/packed_linear.hpp); here it is found again
// from a layer that exists, for those that copy one: kernels/repack.hpp, format/image.hpp.
#ifndef PARE_FORMAT_PACKED_PARTS_HPP
#define PARE_FORMAT_PACKED_PARTS_HPP

#include <pare/format/packed_conv2d.hpp>
#include <pare/format/packed_depthwise.hpp>
#include <pare/format/packed_low_bit_linear.hpp>

namespace pare::detail {

/// Columns of the arrays, those included that only fill the last panel.
constexpr PARE_ALWAYS_INLINE index_t padded_columns(const packed_linear_view& layer) noexcept {
  return round_up(layer.out_features, layer.tile_columns);
}

/// Groups of four bytes that a panel has for each column.
constexpr PARE_ALWAYS_INLINE index_t quads_of(const packed_linear_view& layer) noexcept {
  return round_up(layer.in_features, layer.k_group) / 4;
}
constexpr PARE_ALWAYS_INLINE index_t quads_of(const packed_low_bit_linear_view& layer) noexcept {
  return 1 + ceil_div(layer.base.in_features, low_bit_block(layer.bits));
}
constexpr PARE_ALWAYS_INLINE index_t quads_of(const packed_conv2d_view& layer) noexcept {
  return quads_of(layer.first_group);
}
constexpr PARE_ALWAYS_INLINE index_t quads_of(const packed_depthwise_view& layer) noexcept {
  return round_up(layer.window.height, 4) / 4 * layer.window.width * layer.variants;
}

/// What a linear layer has too: tile, options, pointers. Of a convolution, those of its first group.
constexpr PARE_ALWAYS_INLINE const packed_linear_view& linear_part(
    const packed_linear_view& layer) noexcept {
  return layer;
}
constexpr PARE_ALWAYS_INLINE packed_linear_view& linear_part(packed_linear_view& layer) noexcept {
  return layer;
}
constexpr PARE_ALWAYS_INLINE const packed_linear_view& linear_part(
    const packed_low_bit_linear_view& layer) noexcept {
  return layer.base;
}
constexpr PARE_ALWAYS_INLINE packed_linear_view& linear_part(
    packed_low_bit_linear_view& layer) noexcept {
  return layer.base;
}
constexpr PARE_ALWAYS_INLINE const packed_linear_view& linear_part(
    const packed_conv2d_view& layer) noexcept {
  return layer.first_group;
}
constexpr PARE_ALWAYS_INLINE packed_linear_view& linear_part(packed_conv2d_view& layer) noexcept {
  return layer.first_group;
}
constexpr PARE_ALWAYS_INLINE const packed_linear_view& linear_part(
    const packed_depthwise_view& layer) noexcept {
  return layer.outputs;
}
constexpr PARE_ALWAYS_INLINE packed_linear_view& linear_part(
    packed_depthwise_view& layer) noexcept {
  return layer.outputs;
}

/// Linear layers beside each other in memory: the groups of a convolution, or one.
template <class Layer>
constexpr PARE_ALWAYS_INLINE index_t groups_of(const Layer& layer) noexcept {
  if constexpr (std::is_same_v<Layer, packed_conv2d_view>) {
    return layer.groups;
  } else {
    return 1;
  }
}

/// Where the parts of a layer lie (of one group of it), and its size with all groups. False where
/// the size overflows. The tile is positive, and shapes are not negative.
///
/// @tparam Layer  any packed layer above
template <class Layer>
constexpr PARE_ALWAYS_INLINE bool parts_of(const Layer& layer, packed_linear_layout& layout,
                                           index_t& bytes) noexcept {
  const packed_linear_view& linear = linear_part(layer);
  index_t panel_bytes = 0;
  if (linear.out_features > max_packed_size || linear.in_features > max_packed_size) return false;
  const index_t columns = padded_columns(linear);
  return checked_multiply(columns, 4, panel_bytes) &&
         checked_multiply(panel_bytes, quads_of(layer), panel_bytes) &&
         layout_of(columns, panel_bytes, linear.options, layout) &&
         checked_multiply(layout.bytes, groups_of(layer), bytes);
}

/// Lets a layer point to its parts, laid out from `base` on.
PARE_ALWAYS_INLINE void point_to_parts(const std::byte* base, const packed_linear_layout& layout,
                                       packed_linear_view& layer) noexcept {
  const auto part = [base](index_t offset) { return offset < 0 ? nullptr : base + offset; };
  layer.panels = reinterpret_cast<const std::int8_t*>(part(layout.panels));
  layer.sums = reinterpret_cast<const std::int32_t*>(part(layout.sums));
  layer.scales = reinterpret_cast<const float*>(part(layout.scales));
  layer.bias = reinterpret_cast<const float*>(part(layout.bias));
  layer.bias_codes = reinterpret_cast<const std::int32_t*>(part(layout.bias_codes));
  layer.factors = reinterpret_cast<const float*>(part(layout.factors));
  layer.multipliers = reinterpret_cast<const std::int32_t*>(part(layout.multipliers));
  layer.shifts = reinterpret_cast<const std::int32_t*>(part(layout.shifts));
}

}  // namespace pare::detail

#endif  // PARE_FORMAT_PACKED_PARTS_HPP
