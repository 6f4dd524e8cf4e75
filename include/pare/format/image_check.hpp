// Whether bytes from anywhere are an image of packed layers (format/image.hpp): each field, and whatever
// a kernel would be led astray by.
//
// CRC-32: ISO/IEC/IEEE 8802-3 (polynomial 0x04c11db7, reflected), as in zlib and PNG.
#ifndef PARE_FORMAT_IMAGE_CHECK_HPP
#define PARE_FORMAT_IMAGE_CHECK_HPP

#include <cstring>

#include <pare/core/result.hpp>
#include <pare/format/image_record.hpp>

namespace pare::detail {
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

/// Reads an image whose header has been checked, and says what is wrong with its records.
class image_checker {
 public:
  image_checker(const std::byte* image, index_t bytes, index_t first_payload) noexcept
      : image_(image), bytes_(bytes), first_payload_(first_payload) {}

  /// @param at  where the record stands
  status check(const image_record& r, index_t at) noexcept {
    at_ = at;
    PARE_RETURN_IF_ERROR(check_name(r));
    switch (static_cast<image_kind>(r.kind)) {
      case image_kind::linear:
        PARE_RETURN_IF_ERROR(check_linear_part(r));
        return check_dense(r, layer_of<packed_linear_view>(r));
      case image_kind::low_bit_linear: return check_low_bit(r);
      case image_kind::conv2d: return check_conv2d(r);
      case image_kind::depthwise_conv2d: return check_depthwise(r);
      case image_kind::grouped_linear: return check_grouped<packed_grouped_linear_view>(r);
      case image_kind::offset_grouped_linear:
        return check_grouped<packed_offset_grouped_linear_view>(r);
      case image_kind::sparse_linear: return check_sparse_linear(r);
      case image_kind::low_rank: return check_low_rank(r);
      case image_kind::sparse: return check_sparse(r);
      case image_kind::vector: return check_vector(r);
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

  status check_sizes(const image_record& r) const noexcept {
    if (r.out_features < 0) {
      return bad(offsetof(image_record, out_features), "a size is negative");
    }
    if (r.in_features < 0) {
      return bad(offsetof(image_record, in_features), "a size is negative");
    }
    return {};
  }

  status other_tile() const noexcept {
    return bad(offsetof(image_record, tile_columns), "no kernel reads panels of this width");
  }

  status check_activation(const image_record& r) const noexcept {
    if (r.act <= static_cast<std::uint32_t>(activation::relu6)) return {};
    return bad(offsetof(image_record, act), "the activation is none of those known");
  }

  status check_zero_points_flag(const image_record& r) const noexcept {
    if (r.has_zero_points == 0 || r.has_zero_points == 1) return {};
    return bad(offsetof(image_record, has_zero_points), "a flag is 0 or 1");
  }

  status check_linear_part(const image_record& r) const noexcept {
    PARE_RETURN_IF_ERROR(check_sizes(r));
    const std::int32_t tile = r.tile_columns;
    if (tile != 4 && tile != 16 && tile != 32 && tile != 48 && tile != 64) return other_tile();
    const bool may_have_eight = r.kind == static_cast<std::uint32_t>(image_kind::linear) ||
                                r.kind == static_cast<std::uint32_t>(image_kind::conv2d);
    if (r.k_group != 4 && !(r.k_group == 8 && may_have_eight)) {
      return bad(offsetof(image_record, k_group), "no kernel reads groups of so many inputs");
    }
    if (r.has_minus_128 != 0 && r.has_minus_128 != 1) {
      return bad(offsetof(image_record, has_minus_128), "a flag is 0 or 1");
    }
    PARE_RETURN_IF_ERROR(check_activation(r));
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
    PARE_RETURN_IF_ERROR(check_linear_part(r));
    if (r.bits != 4 && r.bits != 2) {
      return bad(offsetof(image_record, bits), "low-bit weights have 4 or 2 bits");
    }
    PARE_RETURN_IF_ERROR(check_zero_points_flag(r));
    return check_dense(r, layer_of<packed_low_bit_linear_view>(r));
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
    PARE_RETURN_IF_ERROR(check_linear_part(r));
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
    return check_dense(r, layer);
  }

  status check_depthwise(const image_record& r) const noexcept {
    PARE_RETURN_IF_ERROR(check_linear_part(r));
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
    return check_dense(r, layer);
  }

  template <class Layer>
  status check_grouped(const image_record& r) const noexcept {
    PARE_RETURN_IF_ERROR(check_sizes(r));
    const std::int32_t tile = r.tile_columns;
    if (tile != 4 && tile != 16 && tile != 32 && tile != 64) return other_tile();
    PARE_RETURN_IF_ERROR(check_activation(r));
    if (r.bits != 4 && r.bits != 8) {
      return bad(offsetof(image_record, bits), "grouped weights have 4 or 8 bits");
    }
    PARE_RETURN_IF_ERROR(check_zero_points_flag(r));
    if (r.group != 32 && r.group != 64 && r.group != 128) {
      return bad(offsetof(image_record, group), "a group has 32, 64 or 128 inputs");
    }
    if (r.arithmetic > static_cast<std::uint32_t>(grouped_arithmetic::floating)) {
      return bad(offsetof(image_record, arithmetic), "the arithmetic is none of those known");
    }
    auto layer = layer_of<Layer>(r);
    PARE_RETURN_IF_ERROR(find_parts(r, layer));
    const packed_grouped_linear_view& g = grouped_part(layer);
    const index_t columns = round_up(g.out_features, g.tile_columns);
    PARE_RETURN_IF_ERROR(check_floats(g.sums, columns));
    PARE_RETURN_IF_ERROR(check_floats(g.bias, columns));
    if constexpr (std::is_same_v<Layer, packed_offset_grouped_linear_view>) {
      PARE_RETURN_IF_ERROR(check_floats(layer.offsets, columns * g.groups()));
    }
    return check_scales(g);
  }

  /// The scales of groups: half, and finite.
  status check_scales(const packed_grouped_linear_view& layer) const noexcept {
    const index_t tile = layer.tile_columns, group = layer.group_bytes() * tile;
    const index_t codes = layer.group * layer.bits / 8 * tile;
    for (index_t g = 0; g < layer.panels_count() * layer.groups(); ++g) {
      const std::uint8_t* scales = layer.panels + g * group + codes;
      for (index_t i = 0; i < tile; ++i) {
        std::uint16_t bits = 0;
        std::memcpy(&bits, scales + 2 * i, 2);
        if ((bits & 0x7c00) == 0x7c00) return not_finite(scales + 2 * i);
      }
    }
    return {};
  }

  template <class T>
  status check_blocks(const image_record& r, bcsr_view<T>& weights) const noexcept {
    if (!check_bcsr_shape(weights.shape)) {
      return bad(offsetof(image_record, block_rows), "these are no blocks of sparse weights");
    }
    if (r.k_block == 0) {
      return bad(offsetof(image_record, k_block), "a K-block has columns");
    }
    return {};
  }

  /// @param weights  with their parts
  template <class T>
  status check_block_places(const image_record& r, const bcsr_view<T>& weights) const noexcept {
    const auto blocks = static_cast<index_t>(r.blocks);
    const status s = validate(weights, blocks, weights.lines());
    if (!s) {
      const index_t line = s.error().kind == position_kind::row ? s.error().position : 0;
      return {s.code(), s.error().message, "image", position_kind::byte,
              place_of(weights.block_offsets + line)};
    }
    if (weights.blocks() != blocks) {
      return bad(offsetof(image_record, blocks), "there are not as many blocks as lines hold");
    }
    return {};
  }

  status check_sparse_linear(const image_record& r) const noexcept {
    PARE_RETURN_IF_ERROR(check_linear_part(r));
    if (r.tile_columns != sparse_tile_columns) return other_tile();
    auto layer = layer_of<packed_sparse_linear_view>(r);
    PARE_RETURN_IF_ERROR(check_blocks(r, layer.weights));
    if (r.block_columns != 4 || (r.block_rows != 1 && r.block_rows != 4 && r.block_rows != 16)) {
      return bad(offsetof(image_record, block_rows), "no kernel reads blocks of this shape");
    }
    PARE_RETURN_IF_ERROR(find_parts(r, layer));
    PARE_RETURN_IF_ERROR(check_arrays(layer.base));
    return check_block_places(r, layer.weights);
  }

  status check_sparse(const image_record& r) const noexcept {
    PARE_RETURN_IF_ERROR(check_sizes(r));
    auto weights = layer_of<bcsr_view<float>>(r);
    PARE_RETURN_IF_ERROR(check_blocks(r, weights));
    PARE_RETURN_IF_ERROR(find_parts(r, weights));
    PARE_RETURN_IF_ERROR(check_block_places(r, weights));
    return check_floats(weights.values, weights.blocks() * r.block_rows * r.block_columns);
  }

  status check_low_rank(const image_record& r) const noexcept {
    PARE_RETURN_IF_ERROR(check_sizes(r));
    if (r.group < 0) return bad(offsetof(image_record, group), "a rank is negative");
    auto weights = layer_of<low_rank_view<float>>(r);
    PARE_RETURN_IF_ERROR(find_parts(r, weights));
    PARE_RETURN_IF_ERROR(check_floats(weights.left.data_handle(), count_of(weights.left)));
    return check_floats(weights.right.data_handle(), count_of(weights.right));
  }

  status check_vector(const image_record& r) const noexcept {
    PARE_RETURN_IF_ERROR(check_sizes(r));
    auto vector = layer_of<vector_view<const float>>(r);
    PARE_RETURN_IF_ERROR(find_parts(r, vector));
    return check_floats(vector.data_handle(), count_of(vector));
  }

  /// @param layer  with all but its parts checked
  template <class Layer>
  status check_dense(const image_record& r, Layer layer) const noexcept {
    PARE_RETURN_IF_ERROR(find_parts(r, layer));
    if constexpr (std::is_same_v<Layer, packed_conv2d_view>) {
      for (index_t group = 0; group < layer.groups; ++group) {
        PARE_RETURN_IF_ERROR(check_arrays(group_of(layer, group)));
      }
      return {};
    } else {
      return check_arrays(linear_part(layer));
    }
  }

  /// Points a layer to its memory: where it is, how long, and that nothing else is said of it.
  template <class Layer>
  status find_parts(const image_record& r, Layer& layer) const noexcept {
    index_t bytes = 0;
    if (!lay_out(layer, static_cast<index_t>(r.blocks), nullptr, bytes) ||
        static_cast<std::uint64_t>(bytes) != r.bytes) {
      return bad(offsetof(image_record, bytes), "a layer of this shape takes other bytes");
    }
    const std::uint64_t offset = r.offset, end = offset + r.bytes;
    if (offset % 64 != 0 || offset < static_cast<std::uint64_t>(first_payload_) ||
        end > static_cast<std::uint64_t>(bytes_)) {
      return bad(offsetof(image_record, offset),
                 "a layer's memory is not aligned, or not within the image");
    }
    static_cast<void>(lay_out(layer, static_cast<index_t>(r.blocks), image_ + r.offset, bytes));
    return check_rest(r, record_of(layer_of<Layer>(r)));
  }

  /// Fields that the kind does not have are 0, as in the record that the layer itself would get.
  status check_rest(const image_record& r, image_record expected) const noexcept {
    std::memcpy(expected.name, r.name, sizeof(r.name));
    expected.offset = r.offset;
    expected.bytes = r.bytes;
    expected.blocks = expected.block_rows != 0 ? r.blocks : 0;
    for (std::size_t i = 0; i < sizeof(r); i += 4) {
      const auto* said = reinterpret_cast<const char*>(&r) + i;
      if (std::memcmp(said, reinterpret_cast<const char*>(&expected) + i, 4) != 0) {
        return bad(i, "a field of no meaning is not 0");
      }
    }
    return {};
  }

  /// What stands beside the panels.
  status check_arrays(const packed_linear_view& l) const noexcept {
    const index_t columns = padded_columns(l);
    PARE_RETURN_IF_ERROR(check_floats(l.scales, columns));
    PARE_RETURN_IF_ERROR(check_floats(l.bias, columns));
    PARE_RETURN_IF_ERROR(check_floats(l.factors, columns));
    PARE_RETURN_IF_ERROR(check_integers(l.multipliers, columns, 0, INT32_MAX));
    return check_integers(l.shifts, columns, -31, 30);
  }

  index_t place_of(const void* in_image) const noexcept {
    return static_cast<const std::byte*>(in_image) - image_;
  }
  status not_finite(const void* where) const noexcept {
    return {status_code::non_finite, "a weight, scale, factor or bias is not finite", "image",
            position_kind::byte, place_of(where)};
  }

  /// Arrays that are absent are null.
  status check_floats(const float* x, index_t count) const noexcept {
    for (index_t i = 0; x != nullptr && i < count; ++i) {
      if (!is_finite(x[i])) return not_finite(x + i);
    }
    return {};
  }
  status check_integers(const std::int32_t* x, index_t count, std::int32_t low,
                        std::int32_t high) const noexcept {
    for (index_t i = 0; x != nullptr && i < count; ++i) {
      if (x[i] < low || x[i] > high) {
        return {status_code::out_of_range, "a multiplier or a shift is none", "image",
                position_kind::byte, place_of(x + i)};
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
}  // namespace pare::detail

#endif  // PARE_FORMAT_IMAGE_CHECK_HPP
