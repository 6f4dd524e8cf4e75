// Every kind of layer that can leave the host, in one piece of memory: how long it is and where its
// arrays lie, from its shape, and for sparse weights the number of their blocks.
//
// Packers write by the same layouts; here they are found again for a layer that exists, by those
// that copy one: kernels/repack.hpp, format/image.hpp.
#ifndef PARE_FORMAT_LAYER_PARTS_HPP
#define PARE_FORMAT_LAYER_PARTS_HPP

#include <pare/format/low_rank.hpp>
#include <pare/format/offset_grouped.hpp>
#include <pare/format/packed_grouped_linear.hpp>
#include <pare/format/packed_parts.hpp>
#include <pare/format/packed_sparse_linear.hpp>

namespace pare::detail {

/// Layers whose arrays are those of a `packed_linear_layout`, panels among them.
template <class Layer>
inline constexpr bool is_dense_layer =
    std::is_same_v<Layer, packed_linear_view> ||
    std::is_same_v<Layer, packed_low_bit_linear_view> ||
    std::is_same_v<Layer, packed_conv2d_view> || std::is_same_v<Layer, packed_depthwise_view>;

/// Layers of grouped weights.
template <class Layer>
inline constexpr bool is_grouped_layer = std::is_same_v<Layer, packed_grouped_linear_view> ||
                                         std::is_same_v<Layer, packed_offset_grouped_linear_view>;

/// What grouped layers have in common: with offsets, the layer of the codes.
constexpr PARE_ALWAYS_INLINE const packed_grouped_linear_view& grouped_part(
    const packed_grouped_linear_view& layer) noexcept {
  return layer;
}
constexpr PARE_ALWAYS_INLINE packed_grouped_linear_view& grouped_part(
    packed_grouped_linear_view& layer) noexcept {
  return layer;
}
constexpr PARE_ALWAYS_INLINE const packed_grouped_linear_view& grouped_part(
    const packed_offset_grouped_linear_view& layer) noexcept {
  return layer.base;
}
constexpr PARE_ALWAYS_INLINE packed_grouped_linear_view& grouped_part(
    packed_offset_grouped_linear_view& layer) noexcept {
  return layer.base;
}

/// The activation of a grouped layer.
constexpr PARE_ALWAYS_INLINE activation
activation_of(const packed_grouped_linear_view& layer) noexcept {
  return layer.options.act;
}
constexpr PARE_ALWAYS_INLINE activation
activation_of(const packed_offset_grouped_linear_view& layer) noexcept {
  return layer.act;
}

/// Elements of a view, as an index.
template <class View>
constexpr PARE_ALWAYS_INLINE index_t count_of(const View& view) noexcept {
  return static_cast<index_t>(view.size());
}

inline namespace PARE_ABI {

// --- what there is ---

/// Whether a layer points to its arrays, as every layer does that was packed.
template <class Layer>
constexpr bool has_parts(const Layer& layer) noexcept {
  if constexpr (std::is_same_v<Layer, packed_offset_grouped_linear_view>) {
    return has_parts(layer.base) && (layer.offsets != nullptr || layer.base.out_features == 0);
  } else if constexpr (std::is_same_v<Layer, packed_grouped_linear_view>) {
    return layer.sums != nullptr || layer.out_features == 0;
  } else if constexpr (std::is_same_v<Layer, packed_sparse_linear_view>) {
    return layer.weights.block_offsets != nullptr &&
           (layer.base.sums != nullptr || layer.base.out_features == 0);
  } else if constexpr (std::is_same_v<Layer, low_rank_view<float>>) {
    return (layer.left.data_handle() != nullptr || layer.left.empty()) &&
           (layer.right.data_handle() != nullptr || layer.right.empty());
  } else if constexpr (std::is_same_v<Layer, bcsr_view<float>>) {
    return layer.block_offsets != nullptr;
  } else if constexpr (std::is_same_v<Layer, vector_view<const float>>) {
    return layer.data_handle() != nullptr || layer.empty();
  } else {
    const packed_linear_view& linear = linear_part(layer);
    return linear.sums != nullptr || linear.out_features == 0;
  }
}

/// Stored blocks of sparse weights, which have their parts; 0 for other layers.
template <class Layer>
constexpr index_t blocks_of(const Layer& layer) noexcept {
  if constexpr (std::is_same_v<Layer, packed_sparse_linear_view>) {
    return layer.weights.blocks();
  } else if constexpr (std::is_same_v<Layer, bcsr_view<float>>) {
    return layer.blocks();
  } else {
    return 0;
  }
}

/// Outputs and inputs, as far as they tell whether there is anything to write: of a group, and for a
/// depthwise convolution the window's. A vector has one input.
template <class Layer>
constexpr index_t outputs_of(const Layer& layer) noexcept {
  if constexpr (is_grouped_layer<Layer>) {
    return grouped_part(layer).out_features;
  } else if constexpr (std::is_same_v<Layer, packed_sparse_linear_view>) {
    return layer.base.out_features;
  } else if constexpr (std::is_same_v<Layer, low_rank_view<float>>) {
    return layer.out_features();
  } else if constexpr (std::is_same_v<Layer, bcsr_view<float>>) {
    return layer.rows;
  } else if constexpr (std::is_same_v<Layer, vector_view<const float>>) {
    return count_of(layer);
  } else {
    return linear_part(layer).out_features;
  }
}
template <class Layer>
constexpr index_t inputs_of(const Layer& layer) noexcept {
  if constexpr (is_grouped_layer<Layer>) {
    return grouped_part(layer).in_features;
  } else if constexpr (std::is_same_v<Layer, packed_sparse_linear_view>) {
    return layer.base.in_features;
  } else if constexpr (std::is_same_v<Layer, low_rank_view<float>>) {
    return layer.in_features();
  } else if constexpr (std::is_same_v<Layer, bcsr_view<float>>) {
    return layer.columns;
  } else if constexpr (std::is_same_v<Layer, vector_view<const float>>) {
    return 1;
  } else {
    return quads_of(layer);
  }
}

// --- where it lies ---

template <class T>
void point_to(const std::byte* base, index_t offset, const T*& part) noexcept {
  if (base != nullptr) part = reinterpret_cast<const T*>(base + offset);
}

// Bytes that a layer of this shape takes, and where `base` is not null, its pointers set to parts
// that are laid out from there. False where the size overflows. Sizes are not negative, tiles and
// blocks positive.
//
// `blocks`: of sparse weights; 0 for others.

template <class Layer>
bool lay_out(Layer& layer, [[maybe_unused]] index_t blocks, const std::byte* base,
             index_t& bytes) noexcept {
  static_assert(is_dense_layer<Layer>);
  packed_linear_layout layout;
  if (!parts_of(layer, layout, bytes)) return false;
  if (base == nullptr) return true;
  point_to_parts(base, layout, linear_part(layer));
  if constexpr (std::is_same_v<Layer, packed_conv2d_view>) layer.group_bytes = layout.bytes;
  return true;
}

inline bool lay_out(packed_grouped_linear_view& layer, index_t, const std::byte* base,
                    index_t& bytes) noexcept {
  packed_grouped_linear_layout layout;
  if (!layout_of(layer, layout)) return false;
  point_to(base, layout.panels, layer.panels);
  point_to(base, layout.sums, layer.sums);
  point_to(base, layout.bias, layer.bias);
  bytes = layout.bytes;
  return true;
}

inline bool lay_out(packed_offset_grouped_linear_view& layer, index_t, const std::byte* base,
                    index_t& bytes) noexcept {
  index_t codes = 0, offsets = 0;
  if (!lay_out(layer.base, 0, base, codes) ||
      !checked_multiply(layer.offset_stride(), layer.base.groups(), offsets) ||
      offsets > max_index / 8 || !checked_add(codes, round_up(offsets * 4, 64), bytes))
    return false;
  point_to(base, codes, layer.offsets);
  return true;
}

template <class T>
bool lay_out(bcsr_view<T>& weights, index_t blocks, const std::byte* base,
             index_t& bytes) noexcept {
  bcsr_layout layout;
  if (!layout_of(weights.rows, weights.columns, weights.shape, blocks, index_t{sizeof(T)}, layout))
    return false;
  point_to(base, layout.values, weights.values);
  point_to(base, layout.columns, weights.block_columns);
  point_to(base, layout.offsets, weights.block_offsets);
  bytes = layout.bytes;
  return true;
}

inline bool lay_out(packed_sparse_linear_view& layer, index_t blocks, const std::byte* base,
                    index_t& bytes) noexcept {
  packed_linear_layout layout;
  index_t weights_bytes = 0;
  if (!lay_out(layer.weights, blocks, base, weights_bytes) ||
      !sparse_layout_of(layer.base.out_features, weights_bytes, layer.base.options, layout))
    return false;
  bytes = layout.bytes;
  if (base == nullptr) return true;
  point_to_parts(base, layout, layer.base);
  layer.base.panels = nullptr;
  return true;
}

inline bool lay_out(low_rank_view<float>& layer, index_t, const std::byte* base,
                    index_t& bytes) noexcept {
  constexpr index_t most = max_index / 16;
  index_t left = 0, right = 0;
  if (!checked_multiply(layer.out_features(), layer.rank(), left) ||
      !checked_multiply(layer.rank(), layer.in_features(), right) || left > most || right > most)
    return false;
  left = round_up(left * 4, 64);
  bytes = left + round_up(right * 4, 64);
  if (base == nullptr) return true;
  layer.left = matrix_view<const float>(reinterpret_cast<const float*>(base), layer.out_features(),
                                        layer.rank());
  layer.right = matrix_view<const float>(reinterpret_cast<const float*>(base + left), layer.rank(),
                                         layer.in_features());
  return true;
}

inline bool lay_out(vector_view<const float>& vector, index_t, const std::byte* base,
                    index_t& bytes) noexcept {
  const index_t count = count_of(vector);
  if (count > max_index / 8) return false;
  bytes = round_up(count * 4, 64);
  if (base != nullptr) {
    vector = vector_view<const float>(reinterpret_cast<const float*>(base), count);
  }
  return true;
}

}  // namespace PARE_ABI
}  // namespace pare::detail

#endif  // PARE_FORMAT_LAYER_PARTS_HPP
