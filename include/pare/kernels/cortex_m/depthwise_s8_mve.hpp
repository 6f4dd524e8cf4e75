// The s8 depthwise convolution with Helium (Cortex-M55, M85): four channels by up to four pixels.
//
// A lane has a channel. Loads widen activations to 32 bits, gathering loads weights, which serve four
// pixels of a line of outputs at once. Where the window reaches beyond the image, pixels come one at a
// time, and taps outside read a word of padding.
#ifndef PARE_KERNELS_CORTEX_M_DEPTHWISE_S8_MVE_HPP
#define PARE_KERNELS_CORTEX_M_DEPTHWISE_S8_MVE_HPP

#include <pare/kernels/cortex_m/write_mve.hpp>
#include <pare/kernels/scalar/depthwise_s8.hpp>

#if PARE_MVE_KERNELS

namespace pare::kernels::mve {
inline namespace PARE_ABI {

/// acc += codes of four channels, as they are in memory and `exist` says, times weights.
PARE_ALWAYS_INLINE int32x4_t multiply_add(int32x4_t acc, const std::uint8_t* codes,
                                          std::int32_t flip, int32x4_t w,
                                          mve_pred16_t exist) noexcept {
  const auto x = vreinterpretq_s32_u32(vldrbq_z_u32(codes, exist));
  return vaddq_s32(acc, vmulq_s32(veorq_s32(x, vdupq_n_s32(flip)), w));
}

/// One block of the convolution.
inline void depthwise_s8(const depthwise_s8_args& args, const depthwise_block& block) noexcept {
  using pare::detail::ceil_div;
  using pare::detail::clamp;
  using pare::detail::min;
  const window& w = args.window;
  if (args.multiplier != 1 || args.out.tile_columns != 4) {
    return scalar::depthwise_s8(args, block);
  }
  gemm_s8_args out = args.out;
  const std::int32_t flip = out.a_flip;
  const std::uint32_t padding = dsp::four_times(out.offset) ^ dsp::four_times(out.a_flip);
  const auto rows = pare::detail::vertical(w);
  const index_t pixel = args.pixel_stride, next = w.stride_x * pixel;
  // Outputs [left, right) have windows between the borders.
  const index_t span = (w.width - 1) * w.dilation_x;
  const index_t left = min(ceil_div(w.pad_left, w.stride_x), args.out_width);
  const index_t last = args.width - 1 - span + w.pad_left;
  const index_t right = clamp(last < 0 ? 0 : last / w.stride_x + 1, left, args.out_width);
  const uint32x4_t lanes = vidupq_n_u32(0, 4);
  for (index_t panel = block.first_panel; panel < block.last_panel; ++panel) {
    const index_t channel = 4 * panel;
    const index_t count = min<index_t>(4, out.columns - channel);
    const mve_pred16_t exist = vctp32q(static_cast<std::uint32_t>(count));
    const std::int8_t* weights = args.panels + panel * args.panel_bytes;
    const int32x4_t bias =
        out.bias_codes != nullptr ? vld1q_s32(out.bias_codes + channel) : vdupq_n_s32(0);
    for (index_t y = block.first_row; y < block.last_row; ++y) {
      const index_t in_y = y * w.stride_y - w.pad_top;
      const auto taps = pare::detail::taps_inside(rows, in_y, args.height);
      out.c = output_line(args, block.image, y);
      index_t pixels = 0;
      for (index_t x = 0; x < args.out_width; x += pixels) {
        const bool is_inside = x >= left && x < right;
        pixels = is_inside ? min<index_t>(4, right - x) : 1;
        const index_t in_x = x * w.stride_x - w.pad_left;
        const std::uint8_t* image = args.x + block.image * args.image_stride +
                                    in_y * args.row_stride + in_x * pixel + channel;
        // Fewer than four pixels: those that are not there read the last one.
        const index_t second = pixels > 1 ? next : 0, third = pixels > 2 ? 2 * next : 0,
                      fourth = pixels > 3 ? 3 * next : 0;
        int32x4_t a = bias, b = bias, c = bias, d = bias, sum = vdupq_n_s32(0);
        for (index_t i = taps.first; i < taps.last; ++i) {
          for (index_t j = 0; j < w.width; ++j) {
            const int32x4_t weight = vldrbq_gather_offset_s32(
                weights + pare::detail::depthwise_offset(w, 4, i, j, 0), lanes);
            sum = vaddq_s32(sum, weight);
            const std::uint8_t* at =
                image + i * w.dilation_y * args.row_stride + j * w.dilation_x * pixel;
            if (is_inside) {
              a = multiply_add(a, at, flip, weight, exist);
              b = multiply_add(b, at + second, flip, weight, exist);
              c = multiply_add(c, at + third, flip, weight, exist);
              d = multiply_add(d, at + fourth, flip, weight, exist);
            } else {
              const index_t tap = in_x + j * w.dilation_x;
              if (tap < 0 || tap >= args.width)
                at = reinterpret_cast<const std::uint8_t*>(&padding);
              a = multiply_add(a, at, flip, weight, exist);
            }
          }
        }
        const int32x4_t moved = vmulq_n_s32(sum, out.offset);
        std::int32_t acc[16];
        vst1q_s32(acc, vsubq_s32(a, moved));
        vst1q_s32(acc + 4, vsubq_s32(b, moved));
        vst1q_s32(acc + 8, vsubq_s32(c, moved));
        vst1q_s32(acc + 12, vsubq_s32(d, moved));
        for (index_t i = 0; i < pixels; ++i) write(out, x + i, channel, count, acc + 4 * i);
      }
    }
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::mve

#endif  // PARE_MVE_KERNELS
#endif  // PARE_KERNELS_CORTEX_M_DEPTHWISE_S8_MVE_HPP
