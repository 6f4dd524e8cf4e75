// Reads IDX, the format in which MNIST and Fashion-MNIST come, plain or gzipped.
//
// LeCun, Cortes and Burges, "The MNIST database of handwritten digits", section "File formats": two
// zero bytes, the element type, the number of dimensions, one big-endian 32-bit size a dimension,
// the elements.
#ifndef PARE_EXAMPLES_DEMO_IDX_HPP
#define PARE_EXAMPLES_DEMO_IDX_HPP

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <pare/core/tensor.hpp>

namespace demo {

/// A file of bytes that zlib decompresses on the way in, or passes on as it is where it is plain.
class byte_source {
 public:
  explicit byte_source(const std::string& path) : file_(gzopen(path.c_str(), "rb")) {}
  byte_source(const byte_source&) = delete;
  byte_source& operator=(const byte_source&) = delete;
  ~byte_source() {
    if (file_ != nullptr) gzclose(file_);
  }

  bool is_open() const { return file_ != nullptr; }

  /// Bytes delivered so far, counted after decompression.
  pare::index_t position() const { return position_; }

  /// Up to `count` bytes; fewer where the file ends or breaks.
  pare::index_t read(std::uint8_t* to, pare::index_t count) {
    const int got = gzread(file_, to, static_cast<unsigned>(count));
    position_ += std::max(got, 0);
    return std::max(got, 0);
  }

  /// Why the last read brought less than it was asked for; ok at the orderly end of the file.
  pare::status end() const {
    using pare::status_code;
    const auto at = [&](status_code code, const char* message) {
      return pare::status(code, message, "idx", pare::position_kind::byte, position_);
    };
    int code = Z_OK;
    gzerror(file_, &code);
    switch (code) {
      case Z_OK:
      case Z_STREAM_END: return {};
      case Z_BUF_ERROR: return at(status_code::truncated, "the compressed data ends too early");
      case Z_ERRNO: return at(status_code::io, "the file cannot be read");
      default: return at(status_code::bad_format, "the compressed data is damaged");
    }
  }

 private:
  gzFile file_;
  pare::index_t position_ = 0;
};

/// Files that promise more are refused: real image sets of this format are far smaller.
inline constexpr pare::index_t most_idx_bytes = pare::index_t{1} << 31;

/// The bytes of an IDX file: `read_idx<3>` for images [count, rows, columns], `read_idx<1>` for
/// labels.
///
/// A header is not believed until the bytes are there, so a small file that claims to be huge costs
/// no memory.
///
/// @return `io` where the file cannot be opened; `bad_format` for another magic number, another
///         number of dimensions, damaged compression, or bytes left over; `out_of_range` beyond
///         `most_idx_bytes`; `truncated`. The position is a byte of the decompressed file
template <std::size_t Rank>
pare::result<pare::tensor<std::uint8_t, Rank>> read_idx(const std::string& path) {
  using pare::position_kind;
  using pare::status_code;

  byte_source source(path);
  if (!source.is_open()) return {status_code::io, "the file cannot be opened", "idx"};
  const auto too_short = [&]() -> pare::error {
    PARE_RETURN_IF_ERROR(source.end());
    return {status_code::truncated, position_kind::byte, "the file ends too early", "idx",
            source.position()};
  };

  constexpr pare::index_t header_bytes = 4 + 4 * static_cast<pare::index_t>(Rank);
  std::uint8_t header[header_bytes];
  if (source.read(header, header_bytes) < header_bytes) return too_short();
  constexpr std::uint8_t unsigned_bytes = 0x08;
  const std::uint8_t magic[] = {0, 0, unsigned_bytes, static_cast<std::uint8_t>(Rank)};
  for (int i = 0; i < 4; ++i) {
    if (header[i] != magic[i]) {
      return {status_code::bad_format,
              i < 3 ? "this is not an IDX file of unsigned bytes"
                    : "the IDX file has another number of dimensions (3 for images, 1 for labels)",
              "idx", position_kind::byte, i};
    }
  }

  pare::index_t shape[Rank] = {};
  for (std::size_t r = 0; r < Rank; ++r) {
    const std::uint8_t* at = header + 4 + 4 * r;
    shape[r] = static_cast<pare::index_t>(at[0]) << 24 | at[1] << 16 | at[2] << 8 | at[3];
  }
  const pare::dextents<pare::index_t, Rank> extents(shape);
  const auto size = pare::checked_size(extents);
  if (!size || *size > most_idx_bytes) {
    return {status_code::out_of_range, "the header promises more than 2 GiB", "idx",
            position_kind::byte, 4};
  }

  std::vector<std::uint8_t> bytes;
  constexpr pare::index_t chunk = 1 << 20;
  for (pare::index_t have = 0; have < *size;) {
    const pare::index_t want = std::min(chunk, *size - have);
    bytes.resize(static_cast<std::size_t>(have + want));
    const pare::index_t got = source.read(bytes.data() + have, want);
    have += got;
    if (got < want) return too_short();
  }
  std::uint8_t beyond = 0;
  if (source.read(&beyond, 1) > 0) {
    return {status_code::bad_format, "the file holds more than its header says", "idx",
            position_kind::byte, source.position() - 1};
  }
  PARE_RETURN_IF_ERROR(source.end());  // a checksum stands after the last byte

  auto elements = pare::tensor<std::uint8_t, Rank>::create(extents);
  if (elements && *size > 0) {
    std::memcpy(elements->data(), bytes.data(), static_cast<std::size_t>(*size));
  }
  return elements;
}

}  // namespace demo

#endif  // PARE_EXAMPLES_DEMO_IDX_HPP
