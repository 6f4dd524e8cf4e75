// Maxima, means and sums over windows of 8-bit codes: the specification.
#ifndef PARE_KERNELS_SCALAR_POOL_HPP
#define PARE_KERNELS_SCALAR_POOL_HPP

#include <pare/core/checked.hpp>

namespace pare::kernels {

/// One row of outputs: windows along the rows of the input that they can reach.
struct pool_row {
  const std::uint8_t* x;  ///< column 0 of the first row that windows reach
  index_t rows;           ///< that they reach, at least 1
  index_t width;          ///< columns of the input
  index_t channels;
  index_t row_stride, column_stride;  ///< of the input
  index_t taps, stride, before;       ///< of the window, along the row
  std::uint8_t* y;
  index_t outputs;
  index_t y_stride;        ///< from output to output
  std::int32_t low, high;  ///< as s8, after the exclusive or with `flip`
  std::uint8_t flip;       ///< 0x80 for u8

  /// The columns that output o reads: [first, last), never empty.
  struct columns {
    index_t first, last;
  };
  PARE_ALWAYS_INLINE columns columns_of(index_t o) const noexcept {
    const index_t at = o * stride - before;
    return {pare::detail::max<index_t>(at, 0), pare::detail::min(at + taps, width)};
  }
  /// What codes of u8 lost by the exclusive or.
  PARE_ALWAYS_INLINE std::int32_t moved() const noexcept { return flip; }
};

namespace scalar {
inline namespace PARE_ABI {

/// The taps of one output.
struct pool_taps {
  const std::uint8_t* first;
  index_t rows, columns;
};

PARE_ALWAYS_INLINE pool_taps taps_of(const pool_row& row, index_t output) noexcept {
  const pool_row::columns reach = row.columns_of(output);
  return {row.x + reach.first * row.column_stride, row.rows, reach.last - reach.first};
}

PARE_ALWAYS_INLINE void write_pool(const pool_row& row, std::uint8_t* y,
                                   std::int32_t code) noexcept {
  const std::int32_t clamped = pare::detail::clamp(code, row.low, row.high);
  *y = static_cast<std::uint8_t>(static_cast<std::uint8_t>(clamped) ^ row.flip);
}

/// The maxima of `Channels` channels, which stay in registers.
template <int Channels>
PARE_ALWAYS_INLINE void max_channels(const pool_row& row, const pool_taps& taps, index_t channel,
                                     std::uint8_t* y) noexcept {
  const std::uint8_t flip = row.flip;
  std::int32_t most[Channels];
  PARE_UNROLL for (int c = 0; c < Channels; ++c) most[c] = -128;
  for (index_t i = 0; i < taps.rows; ++i) {
    const std::uint8_t* x = taps.first + i * row.row_stride + channel;
    for (index_t j = 0; j < taps.columns; ++j, x += row.column_stride) {
      PARE_UNROLL for (int c = 0; c < Channels; ++c) {
        const std::int32_t code = static_cast<std::int8_t>(x[c] ^ flip);
        most[c] = pare::detail::max(most[c], code);
      }
    }
  }
  PARE_UNROLL for (int c = 0; c < Channels; ++c) write_pool(row, y + channel + c, most[c]);
}

inline void max_row(const pool_row& row) noexcept {
  for (index_t o = 0; o < row.outputs; ++o) {
    const pool_taps taps = taps_of(row, o);
    std::uint8_t* y = row.y + o * row.y_stride;
    index_t c = 0;
    for (; c + 4 <= row.channels; c += 4) max_channels<4>(row, taps, c, y);
    for (; c < row.channels; ++c) max_channels<1>(row, taps, c, y);
  }
}

/// sum / count, ties away from zero.
PARE_ALWAYS_INLINE std::int32_t rounded_mean(std::int32_t sum, std::int32_t count) noexcept {
  return (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
}

/// The means of `Channels` channels. Sums stay within 32 bits: windows have at most 2^23 taps.
template <int Channels>
PARE_ALWAYS_INLINE void average_channels(const pool_row& row, const pool_taps& taps,
                                         index_t channel, std::uint8_t* y) noexcept {
  const std::int32_t count = static_cast<std::int32_t>(taps.rows * taps.columns);
  const std::uint8_t flip = row.flip;
  std::int32_t sums[Channels];
  PARE_UNROLL for (int c = 0; c < Channels; ++c) sums[c] = row.moved() * count;
  for (index_t i = 0; i < taps.rows; ++i) {
    const std::uint8_t* x = taps.first + i * row.row_stride + channel;
    for (index_t j = 0; j < taps.columns; ++j, x += row.column_stride) {
      PARE_UNROLL for (int c = 0; c < Channels; ++c) {
        sums[c] += static_cast<std::int8_t>(x[c] ^ flip);
      }
    }
  }
  PARE_UNROLL for (int c = 0; c < Channels; ++c) {
    write_pool(row, y + channel + c, rounded_mean(sums[c], count) - row.moved());
  }
}

inline void average_row(const pool_row& row) noexcept {
  for (index_t o = 0; o < row.outputs; ++o) {
    const pool_taps taps = taps_of(row, o);
    std::uint8_t* y = row.y + o * row.y_stride;
    index_t c = 0;
    for (; c + 4 <= row.channels; c += 4) average_channels<4>(row, taps, c, y);
    for (; c < row.channels; ++c) average_channels<1>(row, taps, c, y);
  }
}

/// sums[c] = the codes of channel c, as s8, over all rows and columns of `row`.
inline void sum_channels(const pool_row& row, std::int32_t* sums) noexcept {
  for (index_t c = 0; c < row.channels; ++c) sums[c] = 0;
  for (index_t i = 0; i < row.rows; ++i) {
    for (index_t j = 0; j < row.width; ++j) {
      const std::uint8_t* x = row.x + i * row.row_stride + j * row.column_stride;
      for (index_t c = 0; c < row.channels; ++c) {
        sums[c] += static_cast<std::int8_t>(x[c] ^ row.flip);
      }
    }
  }
}

}  // namespace PARE_ABI
}  // namespace scalar
}  // namespace pare::kernels

#endif  // PARE_KERNELS_SCALAR_POOL_HPP
