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

PARE_ALWAYS_INLINE std::int32_t pool_code(const std::uint8_t* x, std::uint8_t flip) noexcept {
  return static_cast<std::int8_t>(*x ^ flip);
}

PARE_ALWAYS_INLINE void write_pool(const pool_row& row, index_t output, index_t channel,
                                   std::int32_t code) noexcept {
  const std::int32_t clamped = pare::detail::clamp(code, row.low, row.high);
  row.y[output * row.y_stride + channel] =
      static_cast<std::uint8_t>(static_cast<std::uint8_t>(clamped) ^ row.flip);
}

inline void max_row(const pool_row& row) noexcept {
  for (index_t o = 0; o < row.outputs; ++o) {
    const pool_row::columns columns = row.columns_of(o);
    for (index_t c = 0; c < row.channels; ++c) {
      std::int32_t most = -128;
      for (index_t i = 0; i < row.rows; ++i) {
        const std::uint8_t* x = row.x + i * row.row_stride + columns.first * row.column_stride + c;
        for (index_t j = columns.first; j < columns.last; ++j, x += row.column_stride) {
          most = pare::detail::max(most, pool_code(x, row.flip));
        }
      }
      write_pool(row, o, c, most);
    }
  }
}

/// sum / count, ties away from zero.
PARE_ALWAYS_INLINE std::int32_t rounded_mean(std::int32_t sum, std::int32_t count) noexcept {
  return (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
}

/// Sums of codes stay within 32 bits: windows have at most 2^23 taps.
inline void average_row(const pool_row& row) noexcept {
  for (index_t o = 0; o < row.outputs; ++o) {
    const pool_row::columns columns = row.columns_of(o);
    const std::int32_t count = static_cast<std::int32_t>(row.rows * (columns.last - columns.first));
    for (index_t c = 0; c < row.channels; ++c) {
      std::int32_t sum = row.moved() * count;
      for (index_t i = 0; i < row.rows; ++i) {
        const std::uint8_t* x = row.x + i * row.row_stride + columns.first * row.column_stride + c;
        for (index_t j = columns.first; j < columns.last; ++j, x += row.column_stride) {
          sum += pool_code(x, row.flip);
        }
      }
      write_pool(row, o, c, rounded_mean(sum, count) - row.moved());
    }
  }
}

/// sums[c] = the codes of channel c, as s8, over all rows and columns of `row`.
inline void sum_channels(const pool_row& row, std::int32_t* sums) noexcept {
  for (index_t c = 0; c < row.channels; ++c) sums[c] = 0;
  for (index_t i = 0; i < row.rows; ++i) {
    for (index_t j = 0; j < row.width; ++j) {
      const std::uint8_t* x = row.x + i * row.row_stride + j * row.column_stride;
      for (index_t c = 0; c < row.channels; ++c) sums[c] += pool_code(x + c, row.flip);
    }
  }
}

}  // namespace PARE_ABI
}  // namespace scalar
}  // namespace pare::kernels

#endif  // PARE_KERNELS_SCALAR_POOL_HPP
