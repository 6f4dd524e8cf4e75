// Float rows to u8 codes on NEON, 8 values at a time. Bound: reading the row twice.
#ifndef PARE_KERNELS_NEON_QUANTIZE_ROWS_NEON_HPP
#define PARE_KERNELS_NEON_QUANTIZE_ROWS_NEON_HPP

#include <pare/kernels/quantize_rows.hpp>
#include <pare/kernels/target_region.hpp>

#if PARE_NEON_KERNELS

namespace pare::kernels::neon {
inline namespace PARE_ABI {

inline row_quantization row_range(const float* x, index_t n) noexcept {
  // Bits without the sign order floats by magnitude; the largest tell whether one is not finite.
  float32x4_t low0 = vdupq_n_f32(0.0f), low1 = low0, high0 = low0, high1 = low0;
  uint32x4_t largest = vdupq_n_u32(0);
  const uint32x4_t magnitude = vdupq_n_u32(0x7fffffff);
  index_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const float32x4_t v0 = vld1q_f32(x + i), v1 = vld1q_f32(x + i + 4);
    low0 = vminq_f32(low0, v0);
    low1 = vminq_f32(low1, v1);
    high0 = vmaxq_f32(high0, v0);
    high1 = vmaxq_f32(high1, v1);
    largest = vmaxq_u32(largest, vmaxq_u32(vandq_u32(vreinterpretq_u32_f32(v0), magnitude),
                                           vandq_u32(vreinterpretq_u32_f32(v1), magnitude)));
  }
  bool finite = vmaxvq_u32(largest) < 0x7f800000u;
  float least = vminvq_f32(vminq_f32(low0, low1)), most = vmaxvq_f32(vmaxq_f32(high0, high1));
  for (; i < n; ++i) {
    finite = finite && pare::detail::is_finite(x[i]);
    least = x[i] < least ? x[i] : least;
    most = most < x[i] ? x[i] : most;
  }
  if (!finite) return {1.0f, 1.0f, 0, false};
  return choose_row_quantization(least, most);
}

inline void quantize_row(const float* x, index_t n, index_t padded, const row_quantization& q,
                         std::uint8_t* codes) noexcept {
  const float32x4_t inverse = vdupq_n_f32(q.inverse);
  const int16x8_t zero_point = vdupq_n_s16(static_cast<std::int16_t>(q.zero_point));
  index_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const int32x4_t v0 = vcvtnq_s32_f32(vmulq_f32(vld1q_f32(x + i), inverse));
    const int32x4_t v1 = vcvtnq_s32_f32(vmulq_f32(vld1q_f32(x + i + 4), inverse));
    // Saturation to s16 and then to u8 is the clamp to 0 ... 255.
    const int16x8_t words = vcombine_s16(vqmovn_s32(v0), vqmovn_s32(v1));
    vst1_u8(codes + i, vqmovun_s16(vqaddq_s16(words, zero_point)));
  }
  for (; i < n; ++i) {
    const std::int32_t code = pare::detail::round_half_even(x[i] * q.inverse) + q.zero_point;
    codes[i] = static_cast<std::uint8_t>(pare::detail::clamp(code, 0, 255));
  }
  for (; i < padded; ++i) codes[i] = 0;
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::neon

#endif  // PARE_NEON_KERNELS
#endif  // PARE_KERNELS_NEON_QUANTIZE_ROWS_NEON_HPP
