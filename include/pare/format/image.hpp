// Packed layers in one piece of memory: a file that a host writes and a target reads in place.
//
// An image is a header of 64 bytes, a record of 192 bytes for each layer, and the layers' memory at
// multiples of 64 bytes, laid out as format/layer_parts.hpp says. Numbers have the byte order of the
// machine that wrote it, which a mark tells; another machine refuses the image. A CRC-32 stands over
// all of it but its own field and what comes before.
//
//     const auto image = pare::open_image(flash, size);              // checks everything, once
//     const auto fc1 = image->layer<pare::packed_linear_view>("fc1");
//     pare::linear(x, *fc1, y);
//
// Nothing in an image is trusted: each field, and whatever a kernel would be led astray by, is checked
// before a layer is given out. Weights may be any numbers.
#ifndef PARE_FORMAT_IMAGE_HPP
#define PARE_FORMAT_IMAGE_HPP

#include <cstring>

#include <pare/core/result.hpp>
#include <pare/format/image_check.hpp>

namespace pare {

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
  /// @tparam Layer  as `image_kind` says: `packed_linear_view`, `packed_conv2d_view`, ...
  /// @return `out_of_range` where there is no such layer, `unsupported` where it is of another kind
  template <class Layer>
  [[nodiscard]] PARE_ALWAYS_INLINE result<Layer> layer(index_t i) const noexcept {
    if (i < 0 || i >= layers_) {
      return {status_code::out_of_range, "the image has no such layer", "layer"};
    }
    if (kind(i) != detail::kind_of<Layer>) {
      return {status_code::unsupported, "the layer is of another kind", "layer"};
    }
    detail::image_record r;
    std::memcpy(&r, record(i), sizeof(r));
    Layer layer = detail::layer_of<Layer>(r);
    index_t bytes = 0;
    static_cast<void>(
        detail::lay_out(layer, static_cast<index_t>(r.blocks), image_ + r.offset, bytes));
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
