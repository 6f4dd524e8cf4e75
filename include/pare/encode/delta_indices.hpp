// Rising indices as bytes: what a sparse matrix needs in a file, where the gap from one index to the
// next is stored instead of the index.
//
// A byte below 255 is a gap less one; 255 adds 255 and goes on with the next byte. The first index of
// a line counts from -1. A byte is enough for nearly all gaps down to about 2 % of what could be
// stored, where the 16 bits of BCSR take twice and the 32 of CSR four times as much. The method is
// that of Han et al., "Deep compression", 2016, arXiv:1510.00149, with an escape instead of filler
// zeros.
#ifndef PARE_ENCODE_DELTA_INDICES_HPP
#define PARE_ENCODE_DELTA_INDICES_HPP

#include <pare/core/checked.hpp>
#include <pare/core/result.hpp>
#include <pare/core/tensor_view.hpp>

namespace pare {
namespace detail {

inline constexpr std::uint32_t delta_escape = 255;

inline namespace PARE_ABI {

/// visit(gap less one) for all indices; or where they are wrong.
template <class Index, class Visit>
status for_each_gap(vector_view<const Index> indices, vector_view<const std::uint32_t> offsets,
                    const Visit& visit) noexcept {
  if (offsets.empty() || offsets[0] != 0) {
    return {status_code::bad_format, "offsets begin with 0", "offsets"};
  }
  const index_t lines = offsets.extent(0) - 1;
  for (index_t line = 0; line < lines; ++line) {
    const std::uint32_t first = offsets[line], last = offsets[line + 1];
    if (last < first ||
        static_cast<std::uint64_t>(last) > static_cast<std::uint64_t>(indices.extent(0))) {
      return {status_code::out_of_range, "offsets must rise and stay within the indices", "offsets",
              position_kind::row, line};
    }
    for (std::uint32_t i = first; i < last; ++i) {
      const std::uint32_t index = indices[static_cast<index_t>(i)];
      const std::uint32_t least =
          i == first ? 0u : std::uint32_t{indices[static_cast<index_t>(i) - 1]} + 1u;
      if (index < least || (i > first && least == 0)) {
        return {status_code::out_of_range, "indices must rise within a line", "indices",
                position_kind::row, line};
      }
      visit(index - least);
    }
  }
  if (static_cast<std::uint64_t>(offsets[lines]) != static_cast<std::uint64_t>(indices.extent(0))) {
    return {status_code::shape_mismatch, "the last offset is the number of indices", "offsets"};
  }
  return {};
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Bytes that `encode_delta_indices` writes, exactly.
///
/// @tparam Index   std::uint16_t (block columns of BCSR) or std::uint32_t (columns of CSR)
/// @param indices  rising within each line
/// @param offsets  [lines + 1]: where each line begins; the first is 0, the last the number of
///                 indices
/// @return `out_of_range` with the line whose offsets or indices do not rise, `bad_format`,
///         `shape_mismatch` (offsets), `overflow`
template <class Index>
[[nodiscard]] result<index_t> delta_indices_size(
    vector_view<const Index> indices, vector_view<const std::uint32_t> offsets) noexcept {
  std::uint64_t bytes = 0;
  PARE_RETURN_IF_ERROR(detail::for_each_gap(
      indices, offsets, [&bytes](std::uint32_t gap) { bytes += 1 + gap / detail::delta_escape; }));
  if (bytes > static_cast<std::uint64_t>(detail::max_index)) {
    return {status_code::overflow, "the size of the code does not fit the index type", "indices"};
  }
  return static_cast<index_t>(bytes);
}

/// Indices -> bytes.
///
/// @param indices, offsets  as for `delta_indices_size`
/// @param bytes             of the size that it says
/// @return as `delta_indices_size`; `shape_mismatch` where `bytes` has another size, and they are
///         then untouched
template <class Index>
[[nodiscard]] status encode_delta_indices(vector_view<const Index> indices,
                                          vector_view<const std::uint32_t> offsets,
                                          vector_view<std::uint8_t> bytes) noexcept {
  const auto size = delta_indices_size(indices, offsets);
  if (!size) return size.error();
  if (bytes.extent(0) != *size) {
    return {status_code::shape_mismatch, "the code has as many bytes as delta_indices_size says",
            "bytes"};
  }
  index_t at = 0;
  return detail::for_each_gap(indices, offsets, [&](std::uint32_t gap) {
    for (; gap >= detail::delta_escape; gap -= detail::delta_escape)
      bytes[at++] = static_cast<std::uint8_t>(detail::delta_escape);
    bytes[at++] = static_cast<std::uint8_t>(gap);
  });
}

/// Bytes -> indices. Nothing is trusted: what comes out rises within each line and lies below
/// `limit`.
///
/// @param bytes    from `encode_delta_indices`, or from anywhere
/// @param offsets  as for `delta_indices_size`
/// @param limit    what an index is less than, for CSR the number of columns, for BCSR the blocks of
///                 a K-block
/// @param indices  [offsets' last]; what is decoded before an error is written
/// @return `truncated` with the number of bytes where they end too early; `out_of_range` at the byte
///         where an index passes `limit`; `bad_format` at the first byte behind the last index;
///         `out_of_range`, `bad_format` and `shape_mismatch` for offsets
template <class Index>
[[nodiscard]] status decode_delta_indices(vector_view<const std::uint8_t> bytes,
                                          vector_view<const std::uint32_t> offsets,
                                          std::uint64_t limit,
                                          vector_view<Index> indices) noexcept {
  static_assert(std::is_same_v<Index, std::uint16_t> || std::is_same_v<Index, std::uint32_t>,
                "pare: indices have 16 or 32 bits");
  if (offsets.empty() || offsets[0] != 0) {
    return {status_code::bad_format, "offsets begin with 0", "offsets"};
  }
  constexpr std::uint64_t most = std::uint64_t{static_cast<Index>(~Index{0})} + 1;
  limit = detail::min(limit, most);
  const index_t lines = offsets.extent(0) - 1, count = indices.extent(0);
  for (index_t line = 0; line < lines; ++line) {
    if (offsets[line + 1] < offsets[line]) {
      return {status_code::out_of_range, "offsets must rise", "offsets", position_kind::row, line};
    }
  }
  if (static_cast<std::uint64_t>(offsets[lines]) != static_cast<std::uint64_t>(count)) {
    return {status_code::shape_mismatch, "the last offset is the number of indices", "indices"};
  }
  index_t at = 0;
  for (index_t line = 0; line < lines; ++line) {
    std::uint64_t index = 0;
    for (std::uint32_t i = offsets[line]; i < offsets[line + 1]; ++i, ++index) {
      for (std::uint32_t byte = detail::delta_escape; byte == detail::delta_escape; ++at) {
        if (at >= bytes.extent(0)) {
          return {status_code::truncated, "the code ends before the last index", "bytes",
                  position_kind::byte, at};
        }
        byte = bytes[at];
        index += byte;
        if (index >= limit) {
          return {status_code::out_of_range, "an index passes the last column", "bytes",
                  position_kind::byte, at};
        }
      }
      indices[static_cast<index_t>(i)] = static_cast<Index>(index);
    }
  }
  if (at != bytes.extent(0)) {
    return {status_code::bad_format, "there are bytes behind the last index", "bytes",
            position_kind::byte, at};
  }
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_ENCODE_DELTA_INDICES_HPP
