// Maxima and sums over windows of 8-bit codes with Helium: sixteen channels, or four, at a time.
#ifndef PARE_KERNELS_CORTEX_M_POOL_MVE_HPP
#define PARE_KERNELS_CORTEX_M_POOL_MVE_HPP

#include <pare/kernels/scalar/pool.hpp>

#if PARE_MVE_KERNELS

#include <arm_mve.h>

namespace pare::kernels::mve {
inline namespace PARE_ABI {

/// As scalar::max_row.
inline void max_row(const pool_row& row) noexcept {
  const uint8x16_t flip = vdupq_n_u8(row.flip);
  const int8x16_t low = vdupq_n_s8(static_cast<std::int8_t>(row.low)),
                  high = vdupq_n_s8(static_cast<std::int8_t>(row.high));
  for (index_t o = 0; o < row.outputs; ++o) {
    const scalar::pool_taps taps = scalar::taps_of(row, o);
    std::uint8_t* y = row.y + o * row.y_stride;
    for (index_t c = 0; c < row.channels; c += 16) {
      const mve_pred16_t exist = vctp8q(static_cast<std::uint32_t>(row.channels - c));
      int8x16_t most = low;
      for (index_t i = 0; i < taps.rows; ++i) {
        const std::uint8_t* x = taps.first + i * row.row_stride + c;
        for (index_t j = 0; j < taps.columns; ++j, x += row.column_stride) {
          most = vmaxq_s8(most, vreinterpretq_s8_u8(veorq_u8(vldrbq_z_u8(x, exist), flip)));
        }
      }
      vstrbq_p_u8(y + c, veorq_u8(vreinterpretq_u8_s8(vminq_s8(most, high)), flip), exist);
    }
  }
}

/// As scalar::sum_channels.
inline void sum_channels(const pool_row& row, std::int32_t* sums) noexcept {
  // Codes as s8 are 128 more as numbers from 0 on.
  const uint32x4_t flip = vdupq_n_u32(row.flip ^ 0x80u);
  const std::int32_t more = 128 * static_cast<std::int32_t>(row.rows * row.width);
  for (index_t c = 0; c < row.channels; c += 4) {
    const mve_pred16_t exist = vctp32q(static_cast<std::uint32_t>(row.channels - c));
    uint32x4_t sum = vdupq_n_u32(0);
    for (index_t i = 0; i < row.rows; ++i) {
      const std::uint8_t* x = row.x + i * row.row_stride + c;
      for (index_t j = 0; j < row.width; ++j, x += row.column_stride) {
        sum = vaddq_u32(sum, veorq_u32(vldrbq_z_u32(x, exist), flip));
      }
    }
    vstrwq_p_s32(sums + c, vsubq_n_s32(vreinterpretq_s32_u32(sum), more), exist);
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::mve

#endif  // PARE_MVE_KERNELS
#endif  // PARE_KERNELS_CORTEX_M_POOL_MVE_HPP
