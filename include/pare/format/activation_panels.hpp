// Activations as the sparse kernels read them: panels of up to 64 rows, the rows side by side, four
// bytes of each.
//
//     [ceil(rows / 64)] panels of [ceil(bytes of a row / 4)][width][4] bytes
//
// where the width is 64, and for the last panel its rows rounded up to 16. Four bytes are four
// consecutive 8-bit inputs, or one float: a register then holds the same inputs of 16 rows, and a
// weight, broadcast, meets them all. A narrow panel also keeps equal inputs of many rows from
// falling into the same sets of the cache, as they do at the stride of a whole matrix.
#ifndef PARE_FORMAT_ACTIVATION_PANELS_HPP
#define PARE_FORMAT_ACTIVATION_PANELS_HPP

#include <pare/core/checked.hpp>

namespace pare {

/// Activations [rows, features] in panels that live elsewhere.
///
/// @tparam T  s8, u8 or float, const or not
template <class T>
struct activation_panels_view {
  T* data = nullptr;  ///< 64-byte aligned
  index_t rows = 0;
  index_t features = 0;
  /// Codes are stored as code ^ flip: some machines multiply unsigned activations, others signed
  /// ones.
  std::uint8_t flip = 0;

  constexpr PARE_ALWAYS_INLINE operator activation_panels_view<const T>() const noexcept {
    return {data, rows, features, flip};
  }
};

namespace detail {

inline constexpr index_t panel_rows = 64;

/// Rows that a panel of `rows` has room for.
constexpr PARE_ALWAYS_INLINE index_t panel_width(index_t rows) noexcept {
  return min(round_up(rows, 16), panel_rows);
}

/// Groups of four bytes of a row.
template <class T>
constexpr PARE_ALWAYS_INLINE index_t panel_quads(index_t features) noexcept {
  return ceil_div(features, 4 / static_cast<index_t>(sizeof(T)));
}

/// Where a byte of a row lies.
constexpr PARE_ALWAYS_INLINE index_t place_in_panels(index_t rows, index_t quads, index_t row,
                                                     index_t byte) noexcept {
  const index_t first = row / panel_rows * panel_rows;
  return 4 * (first * quads + byte / 4 * panel_width(rows - first) + row - first) + byte % 4;
}

}  // namespace detail

/// Bytes of `rows` rows in panels.
///
/// @tparam T  s8, u8 or float
/// @return `overflow`
template <class T>
[[nodiscard]] constexpr PARE_ALWAYS_INLINE result<index_t> activation_panels_size(
    index_t rows, index_t features) noexcept {
  index_t bytes = 0;
  if (rows < 0 || features < 0 || rows > detail::max_index / 64 ||
      features > detail::max_index / 64 ||
      !detail::checked_multiply(detail::round_up(rows, 16), 4 * detail::panel_quads<T>(features),
                                bytes)) {
    return {status_code::overflow, "the panels do not fit the index type", "rows"};
  }
  return bytes;
}

}  // namespace pare

#endif  // PARE_FORMAT_ACTIVATION_PANELS_HPP
