// The walk of vector kernels over the windows of a row of outputs, the same for every instruction
// set.
//
// A window is a list of offsets, the same for all outputs whose windows lie in the input, so that
// its taps are one loop. Where channels are no multiple of a register, the last registers overlap,
// so that few channels run one by one.
#ifndef PARE_KERNELS_POOL_WINDOWS_HPP
#define PARE_KERNELS_POOL_WINDOWS_HPP

#include <pare/kernels/scalar/pool.hpp>

namespace pare::kernels {
inline namespace PARE_ABI {

/// Taps of a window that are added up before 16 bits could overflow.
inline constexpr index_t listed_taps = 255;

/// The distances of a window's taps from its first one.
struct tap_list {
  index_t offsets[listed_taps];
  index_t columns = 0;  ///< of the window they were made for

  /// Taps first, first + 1, ... of a window with `columns`: as many as there are and fit.
  PARE_ALWAYS_INLINE index_t fill(const pool_row& row, index_t first, index_t taps) noexcept {
    const index_t n = pare::detail::min(taps - first, listed_taps);
    index_t i = first / columns, j = first % columns;
    for (index_t t = 0; t < n; ++t) {
      offsets[t] = i * row.row_stride + j * row.column_stride;
      if (++j == columns) j = 0, ++i;
    }
    return n;
  }
};

/// What a kernel does with the channels of one output: `x` is the first tap, `list` has its taps
/// where they are few.
using pool_function = void (*)(const pool_row& row, const std::uint8_t* x, index_t taps,
                               tap_list& list, std::uint8_t* y) noexcept;

/// A function for `width` channels.
struct pool_width {
  index_t width;
  pool_function run;
};

/// Runs the widest function that the channels fill, the last time over channels that are done
/// already. Widths fall to 8.
inline void pool_channels(const pool_row& row, const pool_width* widest) noexcept {
  const index_t channels = row.channels;
  while (widest->width > channels) ++widest;
  const pool_width function = *widest;
  tap_list list;
  for (index_t o = 0; o < row.outputs; ++o) {
    const pool_row::columns reach = row.columns_of(o);
    const index_t columns = reach.last - reach.first, taps = row.rows * columns;
    if (columns != list.columns) {
      list.columns = columns;
      list.fill(row, 0, taps);
    }
    const std::uint8_t* x = row.x + reach.first * row.column_stride;
    std::uint8_t* y = row.y + o * row.y_stride;
    for (index_t c = 0; c < channels; c += function.width) {
      const index_t at = pare::detail::min(c, channels - function.width);
      function.run(row, x + at, taps, list, y + at);
    }
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels

#endif  // PARE_KERNELS_POOL_WINDOWS_HPP
