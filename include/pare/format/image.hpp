// Packed layers in one piece of memory: a file that a host writes and a target reads in place.
//
// An image is a header of 64 bytes, a record of 192 bytes for each layer, and the layers' memory at
// multiples of 64 bytes, laid out as format/packed_parts.hpp says. Numbers have the byte order of the
// machine that wrote it, which a mark tells; another machine refuses the image. A CRC-32 stands over
// all of it but its own field and what comes before.
//
//     const auto image = pare::open_image(flash, size);              // checks everything, once
//     const auto fc1 = image->layer<pare::packed_linear_view>("fc1");
//     pare::linear(x, *fc1, y);
//
// Nothing in an image is trusted: each field, and whatever a kernel would be led astray by, is checked
// before a layer is given out. Weights may be any numbers.
//
// CRC-32: ISO/IEC/IEEE 8802-3 (polynomial 0x04c11db7, reflected), as in zlib and PNG.
#ifndef PARE_FORMAT_IMAGE_HPP
#define PARE_FORMAT_IMAGE_HPP

#include <cstring>

#include <pare/core/result.hpp>
#include <pare/format/packed_parts.hpp>

namespace pare {

/// What a record of an image describes.
enum class image_kind : std::uint32_t {
  linear = 1,            ///< `packed_linear_view`
  low_bit_linear = 2,    ///< `packed_low_bit_linear_view`
  conv2d = 3,            ///< `packed_conv2d_view`
  depthwise_conv2d = 4,  ///< `packed_depthwise_view`
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

/// A layer. Fields that its kind does not have are 0.
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
  // Low-bit layers.
  std::int32_t bits = 0, has_zero_points = 0;
  // Convolutions.
  std::int32_t out_channels = 0, in_channels = 0;
  std::int32_t groups = 0;  ///< or the multiplier of a depthwise convolution
  std::uint32_t taps = 0;
  std::int32_t variants = 0;
  std::int32_t window[10] = {};  ///< in the order of the members of `pare::window`
  std::uint32_t reserved[7] = {};
};
static_assert(sizeof(image_record) == 192);

constexpr image_kind kind_of(const packed_linear_view&) noexcept { return image_kind::linear; }
constexpr image_kind kind_of(const packed_low_bit_linear_view&) noexcept {
  return image_kind::low_bit_linear;
}
constexpr image_kind kind_of(const packed_conv2d_view&) noexcept { return image_kind::conv2d; }
constexpr image_kind kind_of(const packed_depthwise_view&) noexcept {
  return image_kind::depthwise_conv2d;
}

inline namespace PARE_ABI {

/// CRC-32 of some bytes, half a byte at a time.
inline std::uint32_t crc32(const std::byte* bytes, index_t count) noexcept {
  constexpr std::uint32_t table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                       0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                       0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                       0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
  std::uint32_t crc = 0xffffffffu;
  for (index_t i = 0; i < count; ++i) {
    crc ^= static_cast<std::uint32_t>(bytes[i]);
    crc = (crc >> 4) ^ table[crc & 15];
    crc = (crc >> 4) ^ table[crc & 15];
  }
  return ~crc;
}

// --- records and layers ---

constexpr void window_to(const window& w, std::int32_t (&to)[10]) noexcept {
  const index_t values[] = {w.height,     w.width,   w.stride_y,   w.stride_x, w.dilation_y,
                            w.dilation_x, w.pad_top, w.pad_bottom, w.pad_left, w.pad_right};
  for (int i = 0; i < 10; ++i) to[i] = static_cast<std::int32_t>(values[i]);
}
constexpr window window_from(const std::int32_t (&v)[10]) noexcept {
  return {v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9]};
}

/// All fields of a record but its name and the place of its memory. The layer's sizes fit 32 bits.
template <class Layer>
constexpr image_record record_of(const Layer& layer) noexcept {
  const packed_linear_view& l = linear_part(layer);
  image_record r;
  r.kind = static_cast<std::uint32_t>(kind_of(layer));
  r.out_features = static_cast<std::int32_t>(l.out_features);
  r.in_features = static_cast<std::int32_t>(l.in_features);
  r.tile_columns = l.tile_columns;
  r.k_group = l.k_group;
  r.has_minus_128 = l.has_minus_128;
  r.act = static_cast<std::uint32_t>(l.options.act);
  r.rule = static_cast<std::uint32_t>(l.options.rule);
  r.input_scale = l.options.input.scale;
  r.input_zero_point = l.options.input.zero_point;
  r.output_scale = l.options.output.scale;
  r.output_zero_point = l.options.output.zero_point;
  if constexpr (std::is_same_v<Layer, packed_low_bit_linear_view>) {
    r.bits = layer.bits;
    r.has_zero_points = layer.has_zero_points;
  } else if constexpr (std::is_same_v<Layer, packed_conv2d_view>) {
    r.out_channels = static_cast<std::int32_t>(layer.out_channels);
    r.in_channels = static_cast<std::int32_t>(layer.in_channels);
    r.groups = static_cast<std::int32_t>(layer.groups);
    r.taps = static_cast<std::uint32_t>(layer.taps);
    window_to(layer.window, r.window);
  } else if constexpr (std::is_same_v<Layer, packed_depthwise_view>) {
    r.out_channels = static_cast<std::int32_t>(layer.out_channels);
    r.groups = static_cast<std::int32_t>(layer.multiplier);
    r.variants = layer.variants;
    window_to(layer.window, r.window);
  }
  return r;
}

/// The layer of a record, without its memory.
template <class Layer>
constexpr Layer layer_of(const image_record& r) noexcept {
  Layer layer;
  packed_linear_view& l = linear_part(layer);
  l.out_features = r.out_features;
  l.in_features = r.in_features;
  l.tile_columns = r.tile_columns;
  l.k_group = r.k_group;
  l.has_minus_128 = r.has_minus_128;
  l.options.act = static_cast<activation>(r.act);
  l.options.rule = static_cast<requantization>(r.rule);
  l.options.input = {r.input_scale, r.input_zero_point};
  l.options.output = {r.output_scale, r.output_zero_point};
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

// --- checks ---

/// Reads an image whose header has been checked, and says what is wrong with its records.
class image_checker {
 public:
  image_checker(const std::byte* image, index_t bytes, index_t first_payload) noexcept
      : image_(image), bytes_(bytes), first_payload_(first_payload) {}

  /// @param at  where the record stands
  status check(const image_record& r, index_t at) noexcept {
    at_ = at;
    PARE_RETURN_IF_ERROR(check_name(r));
    for (std::size_t i = 0; i < sizeof(r.reserved) / sizeof(r.reserved[0]); ++i) {
      if (r.reserved[i] != 0) {
        return bad(offsetof(image_record, reserved) + 4 * i, "a field of no meaning is not 0");
      }
    }
    PARE_RETURN_IF_ERROR(check_linear_part(r));
    switch (static_cast<image_kind>(r.kind)) {
      case image_kind::linear: return check_parts(r, layer_of<packed_linear_view>(r));
      case image_kind::low_bit_linear: return check_low_bit(r);
      case image_kind::conv2d: return check_conv2d(r);
      case image_kind::depthwise_conv2d: return check_depthwise(r);
    }
    return bad(offsetof(image_record, kind), "the kind of a layer is none of those known");
  }

 private:
  /// @param offset  of the field
  status bad(std::size_t offset, const char* message) const noexcept {
    return {status_code::bad_format, message, "image", position_kind::byte,
            at_ + static_cast<index_t>(offset)};
  }

  status check_name(const image_record& r) const noexcept {
    bool has_ended = false;
    for (std::size_t i = 0; i < sizeof(r.name); ++i) {
      const auto c = static_cast<unsigned char>(r.name[i]);
      if (has_ended ? c != 0 : (c != 0 && (c < 0x21 || c > 0x7e))) {
        return bad(i, "a name is printable characters without spaces, and zeros behind them");
      }
      has_ended = has_ended || c == 0;
    }
    if (!has_ended || r.name[0] == '\0') return bad(0, "a name is empty, or does not end");
    return {};
  }

  status check_linear_part(const image_record& r) const noexcept {
    if (r.out_features < 0) {
      return bad(offsetof(image_record, out_features), "a size is negative");
    }
    if (r.in_features < 0) {
      return bad(offsetof(image_record, in_features), "a size is negative");
    }
    const std::int32_t tile = r.tile_columns;
    if (tile != 4 && tile != 16 && tile != 32 && tile != 48 && tile != 64) {
      return bad(offsetof(image_record, tile_columns), "no kernel reads panels of this width");
    }
    const bool may_have_eight = r.kind == static_cast<std::uint32_t>(image_kind::linear) ||
                                r.kind == static_cast<std::uint32_t>(image_kind::conv2d);
    if (r.k_group != 4 && !(r.k_group == 8 && may_have_eight)) {
      return bad(offsetof(image_record, k_group), "no kernel reads groups of so many inputs");
    }
    if (r.has_minus_128 != 0 && r.has_minus_128 != 1) {
      return bad(offsetof(image_record, has_minus_128), "a flag is 0 or 1");
    }
    if (r.act > static_cast<std::uint32_t>(activation::relu6)) {
      return bad(offsetof(image_record, act), "the activation is none of those known");
    }
    if (r.rule > static_cast<std::uint32_t>(requantization::single_rounding)) {
      return bad(offsetof(image_record, rule), "the rounding rule is none of those known");
    }
    const bool has_input = r.input_scale != 0.0f, has_output = r.output_scale != 0.0f;
    if (has_input && !is_valid_scale(r.input_scale)) {
      return bad(offsetof(image_record, input_scale), "a scale is positive and finite, or 0");
    }
    if (has_output && (!is_valid_scale(r.output_scale) || !has_input)) {
      return bad(offsetof(image_record, output_scale),
                 "a scale is positive and finite, and that of outputs needs that of inputs");
    }
    if (r.input_zero_point < -128 || r.input_zero_point > 255) {
      return bad(offsetof(image_record, input_zero_point), "a zero point is a code");
    }
    if (r.output_zero_point < -128 || r.output_zero_point > 255) {
      return bad(offsetof(image_record, output_zero_point), "a zero point is a code");
    }
    return {};
  }

  status check_low_bit(const image_record& r) const noexcept {
    if (r.bits != 4 && r.bits != 2) {
      return bad(offsetof(image_record, bits), "low-bit weights have 4 or 2 bits");
    }
    if (r.has_zero_points != 0 && r.has_zero_points != 1) {
      return bad(offsetof(image_record, has_zero_points), "a flag is 0 or 1");
    }
    return check_parts(r, layer_of<packed_low_bit_linear_view>(r));
  }

  status check_window_of(const image_record& r) const noexcept {
    constexpr std::int32_t most_taps = 4096;
    if (r.window[0] > most_taps || r.window[1] > most_taps ||
        !check_window(window_from(r.window))) {
      return bad(offsetof(image_record, window), "this is no window of a convolution");
    }
    return {};
  }

  status check_conv2d(const image_record& r) const noexcept {
    PARE_RETURN_IF_ERROR(check_window_of(r));
    if (r.groups < 1) return bad(offsetof(image_record, groups), "there is at least one group");
    if (r.out_channels < 0 || r.out_channels % r.groups != 0 ||
        r.out_channels / r.groups != r.out_features) {
      return bad(offsetof(image_record, out_channels), "groups do not have the outputs they say");
    }
    if (r.in_channels < 0 || r.in_channels % r.groups != 0) {
      return bad(offsetof(image_record, in_channels), "groups do not have the inputs they say");
    }
    const auto layer = layer_of<packed_conv2d_view>(r);
    if (r.taps > static_cast<std::uint32_t>(conv2d_taps::padded_pixels) ||
        layer.taps != choose_taps(layer.window, layer.group_inputs(), layer.groups)) {
      return bad(offsetof(image_record, taps), "the taps are not those of this convolution");
    }
    conv2d_k k{};
    index_t inputs = 0;
    if (!k_of(layer.window, layer.group_inputs(), layer.taps, k) || k.bytes > max_packed_size ||
        !checked_multiply(k.taps_y * k.taps_x, round_up(k.bytes, 4), inputs) ||
        inputs != r.in_features) {
      return bad(offsetof(image_record, in_features), "the window does not show so many inputs");
    }
    if (r.k_group == 8 && k.taps_y * k.taps_x > 1 && ceil_div(k.bytes, 4) % 2 != 0) {
      return bad(offsetof(image_record, k_group), "a tap is no whole number of groups");
    }
    return check_parts(r, layer);
  }

  status check_depthwise(const image_record& r) const noexcept {
    PARE_RETURN_IF_ERROR(check_window_of(r));
    if (r.out_channels != r.out_features) {
      return bad(offsetof(image_record, out_channels), "the channels are not the outputs");
    }
    if (r.in_features != 0) {
      return bad(offsetof(image_record, in_features),
                 "the linear part of a depthwise convolution has no inputs");
    }
    if (r.groups < 1 || r.out_channels % r.groups != 0) {
      return bad(offsetof(image_record, groups), "the multiplier does not divide the outputs");
    }
    const auto layer = layer_of<packed_depthwise_view>(r);
    if (r.variants != 1 && (r.variants != 2 || depthwise_variants(layer.window) != 2)) {
      return bad(offsetof(image_record, variants), "the panels cannot hold the window so often");
    }
    return check_parts(r, layer);
  }

  /// The layer's memory: where it is, how long, and what in it must be right.
  template <class Layer>
  status check_parts(const image_record& r, const Layer& layer) const noexcept {
    packed_linear_layout layout;
    index_t bytes = 0;
    if (!parts_of(layer, layout, bytes) || static_cast<std::uint64_t>(bytes) != r.bytes) {
      return bad(offsetof(image_record, bytes), "a layer of this shape takes other bytes");
    }
    const std::uint64_t offset = r.offset, end = offset + r.bytes;
    if (offset % 64 != 0 || offset < static_cast<std::uint64_t>(first_payload_) ||
        end > static_cast<std::uint64_t>(bytes_)) {
      return bad(offsetof(image_record, offset),
                 "a layer's memory is not aligned, or not within the image");
    }
    const index_t columns = padded_columns(linear_part(layer));
    for (index_t group = 0; group < groups_of(layer); ++group) {
      const index_t base = static_cast<index_t>(r.offset) + group * layout.bytes;
      PARE_RETURN_IF_ERROR(check_floats(base, layout.scales, columns));
      PARE_RETURN_IF_ERROR(check_floats(base, layout.bias, columns));
      PARE_RETURN_IF_ERROR(check_floats(base, layout.factors, columns));
      PARE_RETURN_IF_ERROR(check_integers(base, layout.multipliers, columns, 0, INT32_MAX));
      PARE_RETURN_IF_ERROR(check_integers(base, layout.shifts, columns, -31, 30));
    }
    return {};
  }

  /// An absent array is at -1.
  status check_floats(index_t base, index_t offset, index_t count) const noexcept {
    for (index_t i = 0; offset >= 0 && i < count; ++i) {
      float x = 0;
      const index_t at = base + offset + i * 4;
      std::memcpy(&x, image_ + at, sizeof(x));
      if (!is_finite(x)) {
        return {status_code::non_finite, "a scale, factor or bias is not finite", "image",
                position_kind::byte, at};
      }
    }
    return {};
  }
  status check_integers(index_t base, index_t offset, index_t count, std::int32_t low,
                        std::int32_t high) const noexcept {
    for (index_t i = 0; offset >= 0 && i < count; ++i) {
      std::int32_t x = 0;
      const index_t at = base + offset + i * 4;
      std::memcpy(&x, image_ + at, sizeof(x));
      if (x < low || x > high) {
        return {status_code::out_of_range, "a multiplier or a shift is none", "image",
                position_kind::byte, at};
      }
    }
    return {};
  }

  const std::byte* image_;
  index_t bytes_, first_payload_;
  index_t at_ = 0;
};

/// Checks the header: what comes before the CRC by value, then the CRC, then the rest.
inline status check_image_header(const std::byte* image, index_t size, image_header& h) noexcept {
  const auto bad = [](std::size_t offset, const char* message,
                      status_code code = status_code::bad_format) {
    return status(code, message, "image", position_kind::byte, static_cast<index_t>(offset));
  };
  if (size < static_cast<index_t>(sizeof(h))) {
    return bad(static_cast<std::size_t>(max<index_t>(size, 0)), "the image ends within its header",
               status_code::truncated);
  }
  std::memcpy(&h, image, sizeof(h));
  if (std::memcmp(h.magic, image_magic, sizeof(image_magic)) != 0) {
    return bad(0, "this is no image of packed layers");
  }
  if (h.order != image_order) {
    return bad(offsetof(image_header, order), "the image is of a machine of the other byte order",
               h.order == 0x04030201 ? status_code::unsupported : status_code::bad_format);
  }
  if (h.version != image_version) {
    return bad(offsetof(image_header, version), "the image is of another version of the format",
               status_code::unsupported);
  }
  if (h.bytes < sizeof(h) || h.bytes % 64 != 0) {
    return bad(offsetof(image_header, bytes), "the image says it is no multiple of 64 bytes");
  }
  if (h.bytes > static_cast<std::uint64_t>(size)) {
    return bad(static_cast<std::size_t>(size), "the image ends too early", status_code::truncated);
  }
  if (h.layers > (h.bytes - sizeof(h)) / sizeof(image_record)) {
    return bad(offsetof(image_header, layers), "the image has no room for so many layers");
  }
  if (crc32(image + image_crc_begin, static_cast<index_t>(h.bytes) - image_crc_begin) != h.crc) {
    return bad(offsetof(image_header, crc), "the image is damaged: its checksum differs");
  }
  for (std::size_t i = 0; i < sizeof(h.reserved) / 4; ++i) {
    if (h.reserved[i] != 0) {
      return bad(offsetof(image_header, reserved) + 4 * i, "a field of no meaning is not 0");
    }
  }
  return {};
}

inline status check_image(const std::byte* image, index_t size, image_header& h) noexcept {
  if (reinterpret_cast<std::uintptr_t>(image) % 64 != 0) {
    return {status_code::invalid_argument, "an image lies at a multiple of 64 bytes", "image"};
  }
  PARE_RETURN_IF_ERROR(check_image_header(image, size, h));
  const index_t records = static_cast<index_t>(h.layers * sizeof(image_record));
  image_checker checker(image, static_cast<index_t>(h.bytes), 64 + records);
  for (index_t at = 64; at < 64 + records; at += static_cast<index_t>(sizeof(image_record))) {
    image_record r;
    std::memcpy(&r, image + at, sizeof(r));
    PARE_RETURN_IF_ERROR(checker.check(r, at));
  }
  return {};
}

}  // namespace PARE_ABI
}  // namespace detail

namespace detail {
struct image_opener;
}

/// An image that has been checked: gives out layers that point into it. Made by `open_image`.
class image_view {
 public:
  /// No layers.
  constexpr image_view() noexcept = default;

  constexpr PARE_ALWAYS_INLINE index_t layers() const noexcept { return layers_; }

  /// The name of a layer, and what it is; 0 <= i < layers().
  PARE_ALWAYS_INLINE const char* name(index_t i) const noexcept {
    return reinterpret_cast<const char*>(record(i)) + offsetof(detail::image_record, name);
  }
  PARE_ALWAYS_INLINE image_kind kind(index_t i) const noexcept {
    std::uint32_t kind = 0;
    std::memcpy(&kind, record(i) + offsetof(detail::image_record, kind), sizeof(kind));
    return static_cast<image_kind>(kind);
  }

  /// The number of the first layer of this name, or -1.
  PARE_ALWAYS_INLINE index_t find(const char* name_of_layer) const noexcept {
    for (index_t i = 0; i < layers_; ++i) {
      if (std::strcmp(name(i), name_of_layer) == 0) return i;
    }
    return -1;
  }

  /// A layer. It points into the image and copies nothing.
  ///
  /// @tparam Layer  `packed_linear_view`, `packed_low_bit_linear_view`, `packed_conv2d_view` or
  ///                `packed_depthwise_view`
  /// @return `out_of_range` where there is no such layer, `unsupported` where it is of another kind
  template <class Layer>
  [[nodiscard]] PARE_ALWAYS_INLINE result<Layer> layer(index_t i) const noexcept {
    if (i < 0 || i >= layers_) {
      return {status_code::out_of_range, "the image has no such layer", "layer"};
    }
    if (kind(i) != detail::kind_of(Layer{})) {
      return {status_code::unsupported, "the layer is of another kind", "layer"};
    }
    detail::image_record r;
    std::memcpy(&r, record(i), sizeof(r));
    Layer layer = detail::layer_of<Layer>(r);
    detail::packed_linear_layout layout;
    index_t bytes = 0;
    static_cast<void>(detail::parts_of(layer, layout, bytes));
    detail::point_to_parts(image_ + r.offset, layout, detail::linear_part(layer));
    if constexpr (std::is_same_v<Layer, packed_conv2d_view>) layer.group_bytes = layout.bytes;
    return layer;
  }
  template <class Layer>
  [[nodiscard]] PARE_ALWAYS_INLINE result<Layer> layer(const char* name_of_layer) const noexcept {
    return layer<Layer>(find(name_of_layer));
  }

 private:
  friend struct detail::image_opener;
  constexpr PARE_ALWAYS_INLINE image_view(const std::byte* image, index_t layers) noexcept
      : image_(image), layers_(layers) {}

  PARE_ALWAYS_INLINE const std::byte* record(index_t i) const noexcept {
    return image_ + sizeof(detail::image_header) +
           static_cast<std::size_t>(i) * sizeof(detail::image_record);
  }

  const std::byte* image_ = nullptr;
  index_t layers_ = 0;
};

namespace detail {

/// Makes views of images that have been checked.
struct image_opener {
  static constexpr PARE_ALWAYS_INLINE image_view open(const std::byte* image,
                                                      index_t layers) noexcept {
    return {image, layers};
  }
};

}  // namespace detail

inline namespace PARE_ABI {

/// Checks an image and opens it.
///
/// @param bytes  the image, at a multiple of 64 bytes; must outlive the layers, and must not change
/// @param size   bytes that are there; those behind the image are not looked at
/// @return `invalid_argument` where it is not aligned, `truncated`, `bad_format` for whatever an
///         image cannot hold and for a wrong checksum, `non_finite` or `out_of_range` for numbers that
///         no packed layer has, `unsupported` for another version or byte order; each with the byte
///
/// Reads the image once or twice: about ten instructions a byte. No allocation, 300 bytes of stack.
[[nodiscard]] inline result<image_view> open_image(const void* bytes, index_t size) noexcept {
  const auto* image = static_cast<const std::byte*>(bytes);
  detail::image_header h;
  PARE_RETURN_IF_ERROR(detail::check_image(image, size, h));
  return detail::image_opener::open(image, static_cast<index_t>(h.layers));
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_FORMAT_IMAGE_HPP
