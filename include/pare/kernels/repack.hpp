// A packed layer for another machine: the same weights in panels of another width.
//
// Layers are packed for the machine that packs them. What a host has packed, tried and measured is
// packed anew here for the target, without the weights it was made of: bytes move, nothing is
// rounded again.
//
//     const auto small = pare::repack(layer, pare::isa::scalar, memory);  // also for Cortex-M
#ifndef PARE_KERNELS_REPACK_HPP
#define PARE_KERNELS_REPACK_HPP

#include <cstring>

#include <pare/format/layer_parts.hpp>
#include <pare/kernels/pack_depthwise_conv2d.hpp>
#include <pare/kernels/pack_low_bit_linear.hpp>

namespace pare {
namespace detail {
inline namespace PARE_ABI {

/// `layer` with the tile that kernels of `target` read; pointers are still those of `layer`.
constexpr packed_linear_view tiled_for(packed_linear_view layer, isa target) noexcept {
  layer.tile_columns = linear_tile_columns(target, layer.out_features);
  layer.k_group = linear_k_group(target);
  return layer;
}
constexpr packed_low_bit_linear_view tiled_for(packed_low_bit_linear_view layer,
                                               isa target) noexcept {
  layer.base.tile_columns = low_bit_tile_columns(target, layer.base.out_features);
  return layer;
}
constexpr packed_conv2d_view tiled_for(packed_conv2d_view layer, isa target) noexcept {
  layer.first_group = tiled_for(layer.first_group, target);
  conv2d_k k{};
  if (k_of(layer.window, layer.group_inputs(), layer.taps, k)) {
    layer.first_group.k_group = linear_k_group(target, k.taps_y * k.taps_x, k.bytes);
  }
  return layer;
}
constexpr packed_depthwise_view tiled_for(packed_depthwise_view layer, isa target) noexcept {
  layer.outputs.tile_columns = depthwise_tile_columns(target, layer.out_channels);
  layer.variants = layer.outputs.tile_columns == 4 ? 1 : depthwise_variants(layer.window);
  return layer;
}

constexpr packed_grouped_linear_view tiled_for(packed_grouped_linear_view layer,
                                               isa target) noexcept {
  layer.tile_columns = low_bit_tile_columns(target, layer.out_features);
  return layer;
}
constexpr packed_offset_grouped_linear_view tiled_for(packed_offset_grouped_linear_view layer,
                                                      isa target) noexcept {
  layer.base = tiled_for(layer.base, target);
  return layer;
}
/// Of weights that have no tiles.
template <class Layer, std::enable_if_t<!is_dense_layer<Layer>, int> = 0>
constexpr Layer tiled_for(const Layer& layer, isa) noexcept {
  return layer;
}

/// Where group `quad` of four bytes of a column stands in a layer's panels of `quads` groups.
constexpr index_t quad_offset(const packed_linear_view& layer, index_t quads, index_t column,
                              index_t quad) noexcept {
  const index_t tile = layer.tile_columns;
  return column / tile * tile * quads * 4 +
         place_in_panel(column % tile, quad * 4, tile, layer.k_group);
}

/// Panels of groups of four bytes.
///
/// @param from_quads     groups of a column; those that only `like` has are zeros
/// @param first_of_none  the first four bytes of columns that do not exist; their others are zeros
inline void repack_quads(const packed_linear_view& from, index_t from_quads,
                         const packed_linear_view& like, index_t quads, std::uint8_t first_of_none,
                         std::byte* to) noexcept {
  const auto* bytes = reinterpret_cast<const std::byte*>(from.panels);
  for (index_t column = 0; column < round_up(from.out_features, like.tile_columns); ++column) {
    for (index_t quad = 0; quad < quads; ++quad) {
      std::byte* at = to + quad_offset(like, quads, column, quad);
      if (column < from.out_features && quad < from_quads) {
        std::memcpy(at, bytes + quad_offset(from, from_quads, column, quad), 4);
      } else if (column < from.out_features) {
        std::memset(at, 0, 4);
      } else {
        std::memset(at, quad == 0 ? first_of_none : 0, 4);
      }
    }
  }
}

inline void repack_panels(const packed_linear_view& from, const packed_linear_view& like,
                          std::byte* to) noexcept {
  repack_quads(from, quads_of(from), like, quads_of(like), 0, to);
}

inline void repack_panels(const packed_low_bit_linear_view& from,
                          const packed_low_bit_linear_view& like, std::byte* to) noexcept {
  // The first bytes of a column are its zero point plus half the codes.
  repack_quads(from.base, quads_of(from), like.base, quads_of(like),
               static_cast<std::uint8_t>(1 << (from.bits - 1)), to);
}

inline void repack_panels(const packed_depthwise_view& from, const packed_depthwise_view& like,
                          std::byte* to) noexcept {
  const auto* bytes = reinterpret_cast<const std::byte*>(from.outputs.panels);
  const window& w = from.window;
  const index_t from_tile = from.outputs.tile_columns, tile = like.outputs.tile_columns;
  const index_t from_panel = quads_of(from) * from_tile * 4, panel = quads_of(like) * tile * 4;
  std::memset(to, 0, static_cast<std::size_t>(ceil_div(from.out_channels, tile) * panel));
  for (index_t o = 0; o < from.out_channels; ++o) {
    for (index_t i = 0; i < w.height; ++i) {
      for (index_t j = 0; j < w.width; ++j) {
        const std::byte code =
            bytes[o / from_tile * from_panel + depthwise_offset(w, from_tile, i, j, o % from_tile)];
        for (index_t v = 0; v < like.variants; ++v) {
          to[o / tile * panel + v * (panel / like.variants) +
             depthwise_offset(w, tile, i + v * w.stride_y, j, o % tile)] = code;
        }
      }
    }
  }
}

/// An array with an element for each column.
template <class T>
void repack_columns(const T* from, index_t outputs, index_t columns, T of_none, index_t offset,
                    std::byte* base) noexcept {
  if (offset < 0) return;
  T* to = reinterpret_cast<T*>(base + offset);
  for (index_t i = 0; i < columns; ++i) to[i] = i < outputs ? from[i] : of_none;
}

/// What stands beside the panels.
inline void repack_columns(const packed_linear_view& from, std::int32_t tile,
                           const packed_linear_layout& layout, std::byte* base) noexcept {
  const index_t n = from.out_features, columns = round_up(n, tile);
  repack_columns<std::int32_t>(from.sums, n, columns, 0, layout.sums, base);
  repack_columns<float>(from.scales, n, columns, 1.0f, layout.scales, base);
  repack_columns<float>(from.bias, n, columns, 0.0f, layout.bias, base);
  repack_columns<std::int32_t>(from.bias_codes, n, columns, 0, layout.bias_codes, base);
  repack_columns<float>(from.factors, n, columns, 0.0f, layout.factors, base);
  repack_columns<std::int32_t>(from.multipliers, n, columns, 0, layout.multipliers, base);
  repack_columns<std::int32_t>(from.shifts, n, columns, 0, layout.shifts, base);
}

// --- all parts of a layer: `like` is laid out from `base` ---

/// A layer, or a group of one; the panels follow.
template <class Layer>
void repack_group(const Layer& from, const Layer& like, const packed_linear_layout& layout,
                  std::byte* base) noexcept {
  repack_panels(from, like, base + layout.panels);
  repack_columns(linear_part(from), linear_part(like).tile_columns, layout, base);
}

template <class Layer>
void repack_parts(const Layer& from, const Layer& like, std::byte* base) noexcept {
  packed_linear_layout layout;
  index_t bytes = 0;
  static_cast<void>(parts_of(like, layout, bytes));
  if constexpr (std::is_same_v<Layer, packed_conv2d_view>) {
    for (index_t g = 0; g < from.groups; ++g) {
      repack_group(group_of(from, g), like.first_group, layout, base + g * layout.bytes);
    }
  } else {
    repack_group(from, like, layout, base);
  }
}

/// Copies an array to the place that `like` points to, if there is any.
template <class T>
void copy_part(const T* from, index_t count, const T* like) noexcept {
  if (count > 0)
    std::memcpy(const_cast<T*>(like), from, static_cast<std::size_t>(count) * sizeof(T));
}

/// A panel has rows of `tile` units of some bytes: a unit of every row goes to its new place.
inline void repack_parts(const packed_grouped_linear_view& from,
                         const packed_grouped_linear_view& like, std::byte* base) noexcept {
  packed_grouped_linear_layout layout;
  static_cast<void>(layout_of(like, layout));
  auto* const panels = reinterpret_cast<std::uint8_t*>(base);
  const index_t from_tile = from.tile_columns, tile = like.tile_columns;
  const index_t code_bytes = from.group * from.bits / 8;
  for (index_t column = 0; column < round_up(from.out_features, tile); ++column) {
    std::uint8_t* to = panels + column / tile * like.panel_bytes();
    // Of a column that does not exist, all is 0.
    const std::uint8_t* at = column < from.out_features
                                 ? from.panels + column / from_tile * from.panel_bytes()
                                 : nullptr;
    const auto move = [&](index_t unit) {
      std::uint8_t* const place = to + column % tile * unit;
      if (at == nullptr) {
        std::memset(place, 0, static_cast<std::size_t>(unit));
      } else {
        std::memcpy(place, at + column % from_tile * unit, static_cast<std::size_t>(unit));
        at += from_tile * unit;
      }
      to += tile * unit;
    };
    for (index_t g = 0; g < from.groups(); ++g) {
      for (index_t i = 0; i < code_bytes; i += 4) move(4);
      move(2);
      if (from.has_zero_points != 0) move(1);
    }
  }
  const index_t n = from.out_features, columns = round_up(n, tile);
  repack_columns<float>(from.sums, n, columns, 0.0f, layout.sums, base);
  repack_columns<float>(from.bias, n, columns, 0.0f, layout.bias, base);
}

inline void repack_parts(const packed_offset_grouped_linear_view& from,
                         const packed_offset_grouped_linear_view& like, std::byte* base) noexcept {
  repack_parts(from.base, like.base, base);
  auto* to = const_cast<float*>(like.offsets);
  for (index_t g = 0; g < from.base.groups(); ++g) {
    for (index_t column = 0; column < like.offset_stride(); ++column) {
      *to++ =
          column < from.base.out_features ? from.offsets[g * from.offset_stride() + column] : 0.0f;
    }
  }
}

template <class T>
void repack_parts(const bcsr_view<T>& from, const bcsr_view<T>& like, std::byte*) noexcept {
  const index_t blocks = from.blocks();
  copy_part(from.values, blocks * from.shape.block_rows * from.shape.block_columns, like.values);
  copy_part(from.block_columns, blocks, like.block_columns);
  copy_part(from.block_offsets, from.lines() + 1, like.block_offsets);
}

inline void repack_parts(const packed_sparse_linear_view& from,
                         const packed_sparse_linear_view& like, std::byte* base) noexcept {
  repack_parts(from.weights, like.weights, base);
  packed_linear_layout layout;
  bcsr_layout weights;
  static_cast<void>(layout_of(from.weights.rows, from.weights.columns, from.weights.shape,
                              from.weights.blocks(), 1, weights));
  static_cast<void>(
      sparse_layout_of(from.base.out_features, weights.bytes, from.base.options, layout));
  repack_columns(from.base, sparse_tile_columns, layout, base);
}

inline void repack_parts(const low_rank_view<float>& from, const low_rank_view<float>& like,
                         std::byte*) noexcept {
  copy_part(from.left.data_handle(), count_of(from.left), like.left.data_handle());
  copy_part(from.right.data_handle(), count_of(from.right), like.right.data_handle());
}

inline void repack_parts(const vector_view<const float>& from, const vector_view<const float>& like,
                         std::byte*) noexcept {
  copy_part(from.data_handle(), count_of(from), like.data_handle());
}

inline error too_large_to_repack() noexcept {
  return {status_code::overflow, position_kind::none,
          "the packed layer does not fit the index type", "layer", 0};
}

template <class Layer>
result<index_t> repacked_size(const Layer& layer, isa target) noexcept {
  Layer repacked = tiled_for(layer, target);
  index_t bytes = 0;
  if (!lay_out(repacked, blocks_of(layer), nullptr, bytes)) return too_large_to_repack();
  return bytes;
}

template <class Layer>
result<Layer> repack(const Layer& layer, isa target, workspace memory) noexcept {
  Layer repacked = tiled_for(layer, target);
  const index_t blocks = blocks_of(layer);
  index_t bytes = 0;
  if (!lay_out(repacked, blocks, nullptr, bytes)) return too_large_to_repack();
  std::byte* base = memory.take<std::byte>(bytes);
  if (base == nullptr && bytes > 0) {
    return {status_code::workspace_too_small,
            "the memory for the packed layer is shorter than repacked_size says", "memory",
            position_kind::byte, bytes};
  }
  if (base == nullptr) return repacked;  // a layer without outputs, in no memory
  static_cast<void>(lay_out(repacked, blocks, base, bytes));
  repack_parts(layer, repacked, base);
  return repacked;
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Bytes that `repack` needs, exact for 64-byte aligned memory.
///
/// @return `overflow` where they do not fit the index type
[[nodiscard]] inline result<index_t> repacked_size(const packed_linear_view& layer,
                                                   isa target) noexcept {
  return detail::repacked_size(layer, target);
}
[[nodiscard]] inline result<index_t> repacked_size(const packed_low_bit_linear_view& layer,
                                                   isa target) noexcept {
  return detail::repacked_size(layer, target);
}
[[nodiscard]] inline result<index_t> repacked_size(const packed_conv2d_view& layer,
                                                   isa target) noexcept {
  return detail::repacked_size(layer, target);
}
[[nodiscard]] inline result<index_t> repacked_size(const packed_depthwise_view& layer,
                                                   isa target) noexcept {
  return detail::repacked_size(layer, target);
}
[[nodiscard]] inline result<index_t> repacked_size(const packed_grouped_linear_view& layer,
                                                   isa target) noexcept {
  return detail::repacked_size(layer, target);
}
[[nodiscard]] inline result<index_t> repacked_size(const packed_offset_grouped_linear_view& layer,
                                                   isa target) noexcept {
  return detail::repacked_size(layer, target);
}
[[nodiscard]] inline result<index_t> repacked_size(const packed_sparse_linear_view& layer,
                                                   isa target) noexcept {
  return detail::repacked_size(layer, target);
}
[[nodiscard]] inline result<index_t> repacked_size(const low_rank_view<float>& layer,
                                                   isa target) noexcept {
  return detail::repacked_size(layer, target);
}
[[nodiscard]] inline result<index_t> repacked_size(const bcsr_view<float>& layer,
                                                   isa target) noexcept {
  return detail::repacked_size(layer, target);
}
[[nodiscard]] inline result<index_t> repacked_size(const vector_view<const float>& layer,
                                                   isa target) noexcept {
  return detail::repacked_size(layer, target);
}

/// The layer that packing the same weights on a machine of instruction set `target` gives, byte for
/// byte. Float weights and their bias (`low_rank_view`, `bcsr_view`, `vector_view`) are copied.
///
/// @param layer   packed for any machine
/// @param target  whose kernels will read it; this machine need not have it. `isa::scalar` is also
///                what Cortex-M reads
/// @param memory  at least `repacked_size` bytes, 64-byte aligned; must outlive the result
/// @return a view of the layer in `memory`; or `workspace_too_small` with the bytes needed,
///         `overflow`; `memory` is then untouched
[[nodiscard]] inline result<packed_linear_view> repack(const packed_linear_view& layer, isa target,
                                                       workspace memory) noexcept {
  return detail::repack(layer, target, memory);
}
[[nodiscard]] inline result<packed_low_bit_linear_view> repack(
    const packed_low_bit_linear_view& layer, isa target, workspace memory) noexcept {
  return detail::repack(layer, target, memory);
}
[[nodiscard]] inline result<packed_conv2d_view> repack(const packed_conv2d_view& layer, isa target,
                                                       workspace memory) noexcept {
  return detail::repack(layer, target, memory);
}
[[nodiscard]] inline result<packed_depthwise_view> repack(const packed_depthwise_view& layer,
                                                          isa target, workspace memory) noexcept {
  return detail::repack(layer, target, memory);
}
[[nodiscard]] inline result<packed_grouped_linear_view> repack(
    const packed_grouped_linear_view& layer, isa target, workspace memory) noexcept {
  return detail::repack(layer, target, memory);
}
[[nodiscard]] inline result<packed_offset_grouped_linear_view> repack(
    const packed_offset_grouped_linear_view& layer, isa target, workspace memory) noexcept {
  return detail::repack(layer, target, memory);
}
[[nodiscard]] inline result<packed_sparse_linear_view> repack(
    const packed_sparse_linear_view& layer, isa target, workspace memory) noexcept {
  return detail::repack(layer, target, memory);
}
[[nodiscard]] inline result<low_rank_view<float>> repack(const low_rank_view<float>& layer,
                                                         isa target, workspace memory) noexcept {
  return detail::repack(layer, target, memory);
}
[[nodiscard]] inline result<bcsr_view<float>> repack(const bcsr_view<float>& layer, isa target,
                                                     workspace memory) noexcept {
  return detail::repack(layer, target, memory);
}
[[nodiscard]] inline result<vector_view<const float>> repack(const vector_view<const float>& layer,
                                                             isa target,
                                                             workspace memory) noexcept {
  return detail::repack(layer, target, memory);
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_KERNELS_REPACK_HPP
