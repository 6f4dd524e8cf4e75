// A packed network as a flat binary image, which a target opens in place: see format/image.hpp.
//
//     pare::save_image("digits.img", {{"fc1", fc1.view()}, {"fc2", fc2.view()}});
#ifndef PARE_IO_WRITE_IMAGE_HPP
#define PARE_IO_WRITE_IMAGE_HPP

#include <cstring>
#include <filesystem>
#include <limits>
#include <vector>

#include <pare/core/tensor.hpp>
#include <pare/format/image.hpp>
#include <pare/io/detail/file.hpp>
#include <pare/io/named_layer.hpp>
#include <pare/kernels/repack.hpp>

namespace pare {

/// How an image is written.
struct image_options {
  /// Whose kernels will run the layers: they are packed anew for it. `isa::scalar` is also for
  /// Cortex-M. The target must have the byte order of this machine.
  isa target = isa::scalar;
};

namespace detail {
inline namespace PARE_ABI {

inline error too_large_for_image() noexcept {
  return {status_code::overflow, position_kind::none, "an image has less than 4 GiB", "layers", 0};
}

/// The layer's part of the image: its place in the record, and the size of the image with it.
inline status place_layer(const named_layer& named, isa target, image_record& record,
                          index_t& bytes) {
  return std::visit(
      [&](const auto& layer) -> status {
        constexpr index_t most = std::numeric_limits<std::int32_t>::max();
        if (!has_parts(layer)) {
          return {status_code::invalid_argument, "the layer has no weights: it was not packed",
                  "layer"};
        }
        if (inputs_of(layer) > most || outputs_of(layer) > most) return too_large_for_image();
        const auto size = repacked_size(layer, target);
        if (!size) return size.error();
        record.offset = static_cast<std::uint32_t>(bytes);
        record.bytes = static_cast<std::uint32_t>(*size);
        if (!checked_add(bytes, *size, bytes) || static_cast<std::uint64_t>(bytes) > 0xffffffffu)
          return too_large_for_image();
        return {};
      },
      named.layer);
}

inline status check_image_name(const std::string& name) {
  bool is_printable = true;
  for (const char c : name) is_printable = is_printable && c > 0x20 && c < 0x7f;
  if (name.empty() || !is_printable || name.size() > static_cast<std::size_t>(image_name_bytes)) {
    return {status_code::invalid_argument,
            "a name is 1 to 39 printable ASCII characters without spaces", "name"};
  }
  return {};
}

inline status with_row(const status& s, std::size_t row) noexcept {
  return {s.code(), s.error().message, s.error().subject, position_kind::row,
          static_cast<index_t>(row)};
}

inline result<tensor<std::byte, 1>> write_image(const std::vector<named_layer>& layers,
                                                const image_options& options) {
  if (static_cast<unsigned>(options.target) >= std::size(all_isas)) {
    return {status_code::invalid_argument, "the target is none of the instruction sets", "target"};
  }
  std::vector<image_record> records(layers.size());
  index_t bytes = round_up(
      static_cast<index_t>(sizeof(image_header) + sizeof(image_record) * layers.size()), 64);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    status s = check_image_name(layers[i].name);
    for (std::size_t j = 0; s && j < i; ++j) {
      if (layers[i].name == layers[j].name) {
        s = status(status_code::invalid_argument, "two layers have one name", "name");
      }
    }
    if (s) s = place_layer(layers[i], options.target, records[i], bytes);
    if (!s) return with_row(s, i).error();
  }

  auto image = tensor<std::byte, 1>::create(dextents<index_t, 1>(bytes));
  if (!image) return image;
  std::memset(image->data(), 0, static_cast<std::size_t>(bytes));
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::uint32_t offset = records[i].offset, size = records[i].bytes;
    const workspace memory(image->data() + offset, static_cast<index_t>(size));
    const status s = std::visit(
        [&](const auto& layer) -> status {
          const auto repacked = repack(layer, options.target, memory);
          if (!repacked) return repacked.error();
          records[i] = record_of(*repacked);
          records[i].blocks = static_cast<std::uint32_t>(blocks_of(*repacked));
          return {};
        },
        layers[i].layer);
    if (!s) return with_row(s, i).error();
    records[i].offset = offset;
    records[i].bytes = size;
    std::memcpy(records[i].name, layers[i].name.data(), layers[i].name.size());
    std::memcpy(image->data() + sizeof(image_header) + i * sizeof(image_record), &records[i],
                sizeof(image_record));
  }
  image_header h;
  std::memcpy(h.magic, image_magic, sizeof(image_magic));
  h.order = image_order;
  h.version = image_version;
  h.bytes = static_cast<std::uint32_t>(bytes);
  h.layers = static_cast<std::uint32_t>(layers.size());
  std::memcpy(image->data(), &h, sizeof(h));
  h.crc = crc32(image->data() + image_crc_begin, bytes - image_crc_begin);
  std::memcpy(image->data(), &h, sizeof(h));
  // Whoever reads it checks; so a view that contradicts itself is found here.
  if (const auto opened = open_image(image->data(), bytes); !opened) return opened.error();
  return image;
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// An image of these layers, in memory that `open_image` takes. The same layers give the same bytes,
/// whatever machine packed them.
///
/// @param layers  packed for any machine; names are 1 to 39 printable ASCII characters, no spaces, and
///                each of them different
/// @return `invalid_argument` for names and for layers that were not packed (with the layer's index),
///         `overflow`, `out_of_memory`
[[nodiscard]] inline result<tensor<std::byte, 1>> write_image(
    const std::vector<named_layer>& layers, const image_options& options = {}) noexcept {
  return detail::without_exceptions<result<tensor<std::byte, 1>>>(
      "layers", [&] { return detail::write_image(layers, options); });
}

/// Writes an image to a file. A file that is there stays as it was until the call succeeds.
///
/// @return as `write_image`, or `io`
[[nodiscard]] inline status save_image(const std::filesystem::path& path,
                                       const std::vector<named_layer>& layers,
                                       const image_options& options = {}) noexcept {
  const auto image = write_image(layers, options);
  if (!image) return image.error();
  return detail::without_exceptions<status>("path", [&] {
    return detail::replace_file(path, [&](detail::file& out) {
      return out.write(image->data(), static_cast<std::size_t>(image->size()));
    });
  });
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_IO_WRITE_IMAGE_HPP
