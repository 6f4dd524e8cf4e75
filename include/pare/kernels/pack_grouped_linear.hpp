// Grouped 4-bit and 8-bit weights -> panels for the kernels, in memory that the caller gives.
#ifndef PARE_KERNELS_PACK_GROUPED_LINEAR_HPP
#define PARE_KERNELS_PACK_GROUPED_LINEAR_HPP

#include <cstring>

#include <pare/core/result.hpp>
#include <pare/core/rounding.hpp>
#include <pare/core/workspace.hpp>
#include <pare/format/grouped.hpp>
#include <pare/format/low_bit.hpp>
#include <pare/format/packed_grouped_linear.hpp>
#include <pare/kernels/linear_shapes.hpp>
#include <pare/kernels/pack_low_bit_linear.hpp>

namespace pare {

/// The instruction set whose kernel `linear` runs for this layer now: see the form for 8 bits.
PARE_ALWAYS_INLINE isa linear_kernel(const packed_grouped_linear_view& layer) noexcept {
  for (int i = static_cast<int>(active_isa()); i > 0; --i) {
    const isa candidate = static_cast<isa>(i);
    if (is_supported(candidate) && detail::reads_low_bit_tile(candidate, layer.tile_columns))
      return candidate;
  }
  return isa::scalar;
}

namespace detail {
inline namespace PARE_ABI {

/// The shape of the packed layer; shapes have been checked.
template <class Scale, class E, class L>
packed_grouped_linear_view grouped_shape(const grouped_view<Scale, E, L>& w, int bits) noexcept {
  packed_grouped_linear_view layer;
  layer.out_features = w.codes.extent(0);
  layer.in_features = w.codes.extent(1);
  layer.group = w.group;
  layer.bits = bits;
  layer.tile_columns = low_bit_tile_columns(active_isa(), layer.out_features);
  for (index_t row = 0; row < w.zero_points.extent(0); ++row) {
    for (index_t g = 0; g < w.zero_points.extent(1); ++g) {
      if (w.zero_points(row, g) != 0) layer.has_zero_points = 1;
    }
  }
  return layer;
}

template <class Scale, class E, class L>
status check_grouped_shapes(const grouped_view<Scale, E, L>& w, int bits) noexcept {
  static_assert(E::rank() == 2, "pare: weights of a linear layer are [out, in]");
  static_assert(std::is_same_v<Scale, half> || std::is_same_v<Scale, float>,
                "pare: scales of groups are half or float");
  if (bits != 4 && bits != 8) {
    return {status_code::unsupported, "grouped weights have 4 or 8 bits", "bits"};
  }
  if (w.group != 32 && w.group != 64 && w.group != 128) {
    return {status_code::unsupported, "a group has 32, 64 or 128 inputs", "group"};
  }
  const index_t out = w.codes.extent(0), groups = w.groups();
  if (w.scales.extent(0) != out || w.scales.extent(1) != groups) {
    return {status_code::shape_mismatch, "there must be a scale for each group of each output",
            "scales"};
  }
  const bool has_zero_points = w.zero_points.extent(0) != 0 || w.zero_points.extent(1) != 0;
  if (has_zero_points && (w.zero_points.extent(0) != out || w.zero_points.extent(1) != groups)) {
    return {status_code::shape_mismatch, "there must be as many zero points as scales, or none",
            "zero_points"};
  }
  return {};
}

template <class Scale, class E, class L>
status check_grouped(const grouped_view<Scale, E, L>& w, int bits,
                     vector_view<const float> bias) noexcept {
  PARE_RETURN_IF_ERROR(check_grouped_shapes(w, bits));
  const index_t out = w.codes.extent(0), in = w.codes.extent(1), groups = w.groups();
  PARE_RETURN_IF_ERROR(check_bias(bias, out));
  for (index_t row = 0; row < out; ++row) {
    if (!bias.empty() && !is_finite(bias[row]))
      return {status_code::non_finite, "a bias is not finite", "bias", position_kind::row, row};
    for (index_t g = 0; g < groups; ++g) {
      if (!is_finite(static_cast<float>(half(static_cast<float>(w.scales(row, g)))))) {
        return {status_code::non_finite, "a scale is not finite, or too large for 16 bits",
                "scales", position_kind::element, row * groups + g};
      }
    }
    if (bits == 8) continue;
    for (index_t k = 0; k < in; ++k) {
      if (!is_low_bit_code(low_bit::s4, w.codes(row, k))) {
        return {status_code::out_of_range, "a weight is no code of 4 bits", "weights",
                position_kind::element, row * in + k};
      }
    }
    for (index_t g = 0; g < w.zero_points.extent(1); ++g) {
      if (!is_low_bit_code(low_bit::s4, w.zero_points(row, g))) {
        return {status_code::out_of_range, "a zero point is no code of 4 bits", "zero_points",
                position_kind::element, row * groups + g};
      }
    }
  }
  return {};
}

/// One column of a panel; everything has been checked.
///
/// @param to  the column's first byte
/// @return the sum of the column's weights, in reals
template <class Scale, class E, class L>
float pack_grouped_column(const grouped_view<Scale, E, L>& w,
                          const packed_grouped_linear_view& layer, index_t column,
                          std::uint8_t* panel) noexcept {
  const index_t nr = layer.tile_columns, own = column % nr, block = 32 / layer.bits;
  const index_t code_bytes = layer.group * layer.bits / 8 * nr;
  const bool exists = column < layer.out_features;
  double sum = 0;
  for (index_t g = 0; g < layer.groups(); ++g, panel += layer.group_bytes() * nr) {
    std::memset(panel + own * 4, 0, 4);
    const half scale = exists ? half(static_cast<float>(w.scales(column, g))) : half();
    const std::int32_t zero_point =
        exists && layer.has_zero_points != 0 ? w.zero_points(column, g) : 0;
    std::int32_t group_sum = 0;
    for (index_t i = 0; i < layer.group; ++i) {
      std::uint8_t* byte = panel + (i / block * nr + own) * 4 + i % 4;
      if (i % block < 4) *byte = 0;
      const index_t k = g * layer.group + i;
      if (!exists || k >= layer.in_features) continue;
      const std::int32_t code = w.codes(column, k);
      group_sum += code - zero_point;
      *byte = static_cast<std::uint8_t>(
          *byte | (layer.bits == 4 ? pack_field(code, 4, i % block / 4) : code & 0xff));
    }
    std::memcpy(panel + code_bytes + 2 * own, &scale.bits, 2);
    if (layer.has_zero_points != 0) {
      panel[code_bytes + 2 * nr + own] =
          static_cast<std::uint8_t>(layer.bits == 4 ? zero_point * 16 : zero_point);
    }
    sum += static_cast<double>(static_cast<float>(scale)) * group_sum;
  }
  return static_cast<float>(sum);
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Bytes that `pack_grouped_linear` needs for these weights on this machine, exact for 64-byte
/// aligned memory.
///
/// @param bits  4 or 8
/// @return `unsupported` and `shape_mismatch` as `pack_grouped_linear`, `overflow` where the bytes
/// do not fit the index type
template <class Scale, class E, class L>
[[nodiscard]] result<index_t> packed_grouped_linear_size(const grouped_view<Scale, E, L>& w,
                                                         int bits) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_grouped_shapes(w, bits));
  detail::packed_grouped_linear_layout layout;
  if (!detail::layout_of(detail::grouped_shape(w, bits), layout)) {
    return {status_code::overflow, "the packed layer does not fit the index type", "weights"};
  }
  return layout.bytes;
}

/// Packs a linear layer with grouped weights for the kernels of this machine.
///
/// @param w        int8 codes [out, in] in any layout, of 4 bits ([-8, 7]) or 8, with a scale and
/// where asymmetric a zero point in the range of the codes for each group; scales are rounded to
/// half; either extent may be 0, and `in` need be no multiple of the group
/// @param bits     4 or 8
/// @param bias     [out] in reals, finite, or empty
/// @param options  activation, and how to multiply; may be changed in the packed layer
/// @param memory   at least `packed_grouped_linear_size` bytes, 64-byte aligned; must outlive the
/// result
/// @return a view of the layer in `memory`; or `unsupported` (bits, groups other than 32, 64 and
/// 128), `shape_mismatch`, `non_finite` (scales, bias), `out_of_range` (codes and zero points beyond
/// 4 bits, with the place), `workspace_too_small` with the bytes needed, `overflow`; `memory` is then
/// untouched
template <class Scale, class E, class L>
[[nodiscard]] result<packed_grouped_linear_view> pack_grouped_linear(
    const grouped_view<Scale, E, L>& w, int bits, vector_view<const float> bias,
    const grouped_linear_options& options, workspace memory) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_grouped(w, bits, bias));
  packed_grouped_linear_view layer = detail::grouped_shape(w, bits);
  layer.options = options;
  detail::packed_grouped_linear_layout layout;
  if (!detail::layout_of(layer, layout)) {
    return {status_code::overflow, "the packed layer does not fit the index type", "weights"};
  }
  std::byte* base = memory.take<std::byte>(layout.bytes);
  if (base == nullptr && layout.bytes > 0) {
    return {status_code::workspace_too_small,
            "the memory for the packed layer is shorter than packed_grouped_linear_size says",
            "memory", position_kind::byte, layout.bytes};
  }
  auto* panels = reinterpret_cast<std::uint8_t*>(base);
  auto* sums = reinterpret_cast<float*>(base + layout.sums);
  auto* biases = reinterpret_cast<float*>(base + layout.bias);
  const index_t columns = detail::round_up(layer.out_features, layer.tile_columns);
  for (index_t i = 0; i < columns; ++i) {
    sums[i] = detail::pack_grouped_column(w, layer, i,
                                          panels + i / layer.tile_columns * layer.panel_bytes());
    biases[i] = i < layer.out_features && !bias.empty() ? bias[i] : 0.0f;
  }
  layer.panels = panels;
  layer.sums = sums;
  layer.bias = biases;
  return layer;
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_KERNELS_PACK_GROUPED_LINEAR_HPP
