// The records of an image of packed layers (format/image.hpp): what the fields of a file say, and the
// layers that they describe.
#ifndef PARE_FORMAT_IMAGE_RECORD_HPP
#define PARE_FORMAT_IMAGE_RECORD_HPP

#include <pare/format/layer_parts.hpp>

namespace pare {

/// What a record of an image describes.
enum class image_kind : std::uint32_t {
  linear = 1,                  ///< `packed_linear_view`
  low_bit_linear = 2,          ///< `packed_low_bit_linear_view`
  conv2d = 3,                  ///< `packed_conv2d_view`
  depthwise_conv2d = 4,        ///< `packed_depthwise_view`
  grouped_linear = 5,          ///< `packed_grouped_linear_view`
  sparse_linear = 6,           ///< `packed_sparse_linear_view`
  low_rank = 7,                ///< `low_rank_view<float>`
  sparse = 8,                  ///< `bcsr_view<float>`
  vector = 9,                  ///< `vector_view<const float>`: the bias of the two before
  offset_grouped_linear = 10,  ///< `packed_offset_grouped_linear_view`
};

/// The longest name of a layer, in bytes.
inline constexpr index_t image_name_bytes = 39;

namespace detail {

inline constexpr std::uint32_t image_version = 1, image_order = 0x01020304;
inline constexpr char image_magic[8] = {'p', 'a', 'r', 'e', 'i', 'm', 'g', '\n'};

/// The first bytes of an image.
struct image_header {
  char magic[8] = {};
  std::uint32_t order = 0;  ///< `image_order`, as the writer's machine stores it
  std::uint32_t crc = 0;    ///< of all bytes after this one
  std::uint32_t version = 0;
  std::uint32_t bytes = 0;   ///< of the whole image
  std::uint32_t layers = 0;  ///< records after the header
  std::uint32_t reserved[9] = {};
};
static_assert(sizeof(image_header) == 64);
inline constexpr index_t image_crc_begin = 16;

/// A layer. Fields that its kind does not have are 0. Of a vector, its elements are out_features.
struct image_record {
  char name[image_name_bytes + 1] = {};  ///< ends in zeros
  std::uint32_t kind = 0;
  std::uint32_t offset = 0, bytes = 0;  ///< of the layer's memory
  // The linear part: that of the first group of a convolution.
  std::int32_t out_features = 0, in_features = 0, tile_columns = 0, k_group = 0;
  std::int32_t has_minus_128 = 0;
  std::uint32_t act = 0, rule = 0;
  float input_scale = 0, output_scale = 0;
  std::int32_t input_zero_point = 0, output_zero_point = 0;
  // Low-bit and grouped layers.
  std::int32_t bits = 0, has_zero_points = 0;
  // Convolutions.
  std::int32_t out_channels = 0, in_channels = 0;
  std::int32_t groups = 0;  ///< or the multiplier of a depthwise convolution
  std::uint32_t taps = 0;
  std::int32_t variants = 0;
  std::int32_t window[10] = {};  ///< in the order of the members of `pare::window`
  // Grouped layers.
  std::int32_t group = 0;  ///< or the rank of a low-rank product
  std::uint32_t arithmetic = 0;
  // Sparse weights.
  std::int32_t block_rows = 0, block_columns = 0, k_block = 0;
  std::uint32_t blocks = 0;
  std::uint32_t reserved = 0;
};
static_assert(sizeof(image_record) == 192);

/// The kind of a layer's type.
template <class Layer>
inline constexpr image_kind kind_of = image_kind{0};
template <>
inline constexpr image_kind kind_of<packed_linear_view> = image_kind::linear;
template <>
inline constexpr image_kind kind_of<packed_low_bit_linear_view> = image_kind::low_bit_linear;
template <>
inline constexpr image_kind kind_of<packed_conv2d_view> = image_kind::conv2d;
template <>
inline constexpr image_kind kind_of<packed_depthwise_view> = image_kind::depthwise_conv2d;
template <>
inline constexpr image_kind kind_of<packed_grouped_linear_view> = image_kind::grouped_linear;
template <>
inline constexpr image_kind kind_of<packed_offset_grouped_linear_view> =
    image_kind::offset_grouped_linear;
template <>
inline constexpr image_kind kind_of<packed_sparse_linear_view> = image_kind::sparse_linear;
template <>
inline constexpr image_kind kind_of<low_rank_view<float>> = image_kind::low_rank;
template <>
inline constexpr image_kind kind_of<bcsr_view<float>> = image_kind::sparse;
template <>
inline constexpr image_kind kind_of<vector_view<const float>> = image_kind::vector;

inline namespace PARE_ABI {

constexpr void window_to(const window& w, std::int32_t (&to)[10]) noexcept {
  const index_t values[] = {w.height,     w.width,   w.stride_y,   w.stride_x, w.dilation_y,
                            w.dilation_x, w.pad_top, w.pad_bottom, w.pad_left, w.pad_right};
  for (int i = 0; i < 10; ++i) to[i] = static_cast<std::int32_t>(values[i]);
}
constexpr window window_from(const std::int32_t (&v)[10]) noexcept {
  return {v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9]};
}

constexpr std::int32_t small(index_t size) noexcept { return static_cast<std::int32_t>(size); }

constexpr void linear_to(const packed_linear_view& l, image_record& r) noexcept {
  r.out_features = small(l.out_features);
  r.in_features = small(l.in_features);
  r.tile_columns = l.tile_columns;
  r.k_group = l.k_group;
  r.has_minus_128 = l.has_minus_128;
  r.act = static_cast<std::uint32_t>(l.options.act);
  r.rule = static_cast<std::uint32_t>(l.options.rule);
  r.input_scale = l.options.input.scale;
  r.input_zero_point = l.options.input.zero_point;
  r.output_scale = l.options.output.scale;
  r.output_zero_point = l.options.output.zero_point;
}
constexpr void linear_from(const image_record& r, packed_linear_view& l) noexcept {
  l.out_features = r.out_features;
  l.in_features = r.in_features;
  l.tile_columns = r.tile_columns;
  l.k_group = r.k_group;
  l.has_minus_128 = r.has_minus_128;
  l.options.act = static_cast<activation>(r.act);
  l.options.rule = static_cast<requantization>(r.rule);
  l.options.input = {r.input_scale, r.input_zero_point};
  l.options.output = {r.output_scale, r.output_zero_point};
}

template <class T>
constexpr void blocks_to(const bcsr_view<T>& m, image_record& r) noexcept {
  r.out_features = small(m.rows);
  r.in_features = small(m.columns);
  r.block_rows = m.shape.block_rows;
  r.block_columns = m.shape.block_columns;
  r.k_block = small(m.shape.k_block);
}
template <class T>
constexpr void blocks_from(const image_record& r, bcsr_view<T>& m) noexcept {
  m.rows = r.out_features;
  m.columns = r.in_features;
  m.shape = {r.block_rows, r.block_columns, r.k_block};
}

/// All fields of a record but its name, the place of its memory and the number of blocks. The
/// layer's sizes fit 32 bits.
template <class Layer>
constexpr image_record record_of(const Layer& layer) noexcept {
  image_record r;
  r.kind = static_cast<std::uint32_t>(kind_of<Layer>);
  if constexpr (is_grouped_layer<Layer>) {
    const packed_grouped_linear_view& g = grouped_part(layer);
    r.out_features = small(g.out_features);
    r.in_features = small(g.in_features);
    r.tile_columns = g.tile_columns;
    r.act = static_cast<std::uint32_t>(activation_of(layer));
    r.bits = g.bits;
    r.has_zero_points = g.has_zero_points;
    r.group = small(g.group);
    r.arithmetic = static_cast<std::uint32_t>(g.options.arithmetic);
  } else if constexpr (std::is_same_v<Layer, packed_sparse_linear_view>) {
    blocks_to(layer.weights, r);
    linear_to(layer.base, r);
  } else if constexpr (std::is_same_v<Layer, low_rank_view<float>>) {
    r.out_features = small(layer.out_features());
    r.in_features = small(layer.in_features());
    r.group = small(layer.rank());
  } else if constexpr (std::is_same_v<Layer, bcsr_view<float>>) {
    blocks_to(layer, r);
  } else if constexpr (std::is_same_v<Layer, vector_view<const float>>) {
    r.out_features = small(count_of(layer));
  } else {
    linear_to(linear_part(layer), r);
  }
  if constexpr (std::is_same_v<Layer, packed_low_bit_linear_view>) {
    r.bits = layer.bits;
    r.has_zero_points = layer.has_zero_points;
  } else if constexpr (std::is_same_v<Layer, packed_conv2d_view>) {
    r.out_channels = small(layer.out_channels);
    r.in_channels = small(layer.in_channels);
    r.groups = small(layer.groups);
    r.taps = static_cast<std::uint32_t>(layer.taps);
    window_to(layer.window, r.window);
  } else if constexpr (std::is_same_v<Layer, packed_depthwise_view>) {
    r.out_channels = small(layer.out_channels);
    r.groups = small(layer.multiplier);
    r.variants = layer.variants;
    window_to(layer.window, r.window);
  }
  return r;
}

/// The layer of a record, without its memory.
template <class Layer>
constexpr Layer layer_of(const image_record& r) noexcept {
  Layer layer;
  if constexpr (is_grouped_layer<Layer>) {
    packed_grouped_linear_view& g = grouped_part(layer);
    g.out_features = r.out_features;
    g.in_features = r.in_features;
    g.tile_columns = r.tile_columns;
    g.bits = r.bits;
    g.has_zero_points = r.has_zero_points;
    g.group = r.group;
    g.options.arithmetic = static_cast<grouped_arithmetic>(r.arithmetic);
    if constexpr (std::is_same_v<Layer, packed_grouped_linear_view>) {
      g.options.act = static_cast<activation>(r.act);
    } else {
      layer.act = static_cast<activation>(r.act);
    }
  } else if constexpr (std::is_same_v<Layer, packed_sparse_linear_view>) {
    blocks_from(r, layer.weights);
    linear_from(r, layer.base);
  } else if constexpr (std::is_same_v<Layer, low_rank_view<float>>) {
    layer.left = matrix_view<const float>(nullptr, r.out_features, r.group);
    layer.right = matrix_view<const float>(nullptr, r.group, r.in_features);
  } else if constexpr (std::is_same_v<Layer, bcsr_view<float>>) {
    blocks_from(r, layer);
  } else if constexpr (std::is_same_v<Layer, vector_view<const float>>) {
    layer = vector_view<const float>(nullptr, r.out_features);
  } else {
    linear_from(r, linear_part(layer));
  }
  if constexpr (std::is_same_v<Layer, packed_low_bit_linear_view>) {
    layer.bits = r.bits;
    layer.has_zero_points = r.has_zero_points;
  } else if constexpr (std::is_same_v<Layer, packed_conv2d_view>) {
    layer.out_channels = r.out_channels;
    layer.in_channels = r.in_channels;
    layer.groups = r.groups;
    layer.taps = static_cast<conv2d_taps>(r.taps);
    layer.window = window_from(r.window);
  } else if constexpr (std::is_same_v<Layer, packed_depthwise_view>) {
    layer.out_channels = r.out_channels;
    layer.multiplier = r.groups;
    layer.variants = r.variants;
    layer.window = window_from(r.window);
  }
  return layer;
}

}  // namespace PARE_ABI
}  // namespace detail
}  // namespace pare

#endif  // PARE_FORMAT_IMAGE_RECORD_HPP
