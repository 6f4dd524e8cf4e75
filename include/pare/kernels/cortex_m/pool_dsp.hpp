// Maxima over windows of 8-bit codes on Cortex-M4, M7 and M33: four channels at a time.
#ifndef PARE_KERNELS_CORTEX_M_POOL_DSP_HPP
#define PARE_KERNELS_CORTEX_M_POOL_DSP_HPP

#include <cstring>

#include <pare/kernels/scalar/pool.hpp>

#if PARE_DSP_KERNELS

namespace pare::kernels::dsp {
inline namespace PARE_ABI {

/// The larger of a and b, and the smaller one, byte by byte as s8.
PARE_ALWAYS_INLINE std::uint32_t larger(std::uint32_t a, std::uint32_t b) noexcept {
  std::uint32_t y;
  __asm__("ssub8 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(y) : "r"(a), "r"(b) : "cc");
  return y;
}
PARE_ALWAYS_INLINE std::uint32_t smaller(std::uint32_t a, std::uint32_t b) noexcept {
  std::uint32_t y;
  __asm__("ssub8 %0, %1, %2\n\tsel %0, %2, %1" : "=&r"(y) : "r"(a), "r"(b) : "cc");
  return y;
}

/// As scalar::max_row.
inline void max_row(const pool_row& row) noexcept {
  const auto four_times = [](std::int32_t byte) {
    return (static_cast<std::uint32_t>(byte) & 0xffu) * 0x01010101u;
  };
  const std::uint32_t flip = four_times(row.flip), low = four_times(row.low),
                      high = four_times(row.high);
  for (index_t o = 0; o < row.outputs; ++o) {
    const scalar::pool_taps taps = scalar::taps_of(row, o);
    std::uint8_t* y = row.y + o * row.y_stride;
    index_t c = 0;
    for (; c + 4 <= row.channels; c += 4) {
      std::uint32_t most = low;
      for (index_t i = 0; i < taps.rows; ++i) {
        const std::uint8_t* x = taps.first + i * row.row_stride + c;
        for (index_t j = 0; j < taps.columns; ++j, x += row.column_stride) {
          std::uint32_t codes;
          std::memcpy(&codes, x, 4);
          most = larger(most, codes ^ flip);
        }
      }
      most = smaller(most, high) ^ flip;
      std::memcpy(y + c, &most, 4);
    }
    for (; c < row.channels; ++c) scalar::max_channels<1>(row, taps, c, y);
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::dsp

#endif  // PARE_DSP_KERNELS
#endif  // PARE_KERNELS_CORTEX_M_POOL_DSP_HPP
