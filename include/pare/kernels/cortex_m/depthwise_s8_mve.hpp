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

/// Pixels of a part of a line of outputs.
inline constexpr index_t depthwise_pixels = 32;

/// Codes of four channels as 32 bits; where channels are not whole fours, `exist` says which may be
/// read.
template <bool IsSigned, bool IsWhole>
PARE_ALWAYS_INLINE int32x4_t load_codes(const std::uint8_t* codes, mve_pred16_t exist) noexcept {
  const auto* as_signed = reinterpret_cast<const std::int8_t*>(codes);
  if constexpr (IsSigned) return IsWhole ? vldrbq_s32(as_signed) : vldrbq_z_s32(as_signed, exist);
  return vreinterpretq_s32_u32(IsWhole ? vldrbq_u32(codes) : vldrbq_z_u32(codes, exist));
}

/// acc + four codes times weights.
template <bool IsSigned, bool IsWhole>
PARE_ALWAYS_INLINE int32x4_t multiply_add(int32x4_t acc, const std::uint8_t* codes,
                                          int32x4_t weights, mve_pred16_t exist) noexcept {
  const int32x4_t x = load_codes<IsSigned, IsWhole>(codes, exist);
  return vaddq_s32(acc, vmulq_s32(x, weights));
}

/// What stays the same for a line of outputs of four channels.
struct depthwise_line {
  const depthwise_s8_args& args;
  index_t image, in_y, channel;
  const std::int8_t* weights;
  mve_pred16_t exist;
  std::uint32_t padding;
  int32x4_t start;

  /// Row `i` under the windows, at the first channel of column 0, or null outside the image.
  PARE_ALWAYS_INLINE const std::uint8_t* row(index_t i) const noexcept {
    const index_t y = in_y + i * args.window.dilation_y;
    if (y < 0 || y >= args.height) return nullptr;
    return args.x + image * args.image_stride + y * args.row_stride + channel;
  }
  PARE_ALWAYS_INLINE const std::uint8_t* outside() const noexcept {
    return reinterpret_cast<const std::uint8_t*>(&padding);
  }
  /// Weights of row `i`, a column after the other 16 bytes on.
  PARE_ALWAYS_INLINE const std::int8_t* weights_of(index_t i) const noexcept {
    return weights + pare::detail::depthwise_offset(args.window, 4, i, 0, 0);
  }
};

/// Four pixels from column `x` of the image on, all of whose windows lie between the borders.
template <bool IsSigned, bool IsWhole>
PARE_ALWAYS_INLINE void four_pixels(const depthwise_line& line, index_t x,
                                    std::int32_t* acc) noexcept {
  const window& w = line.args.window;
  const index_t pixel = line.args.pixel_stride;
  int32x4_t a = line.start, b = a, c = a, d = a;
  for (index_t i = 0; i < w.height; ++i) {
    const std::uint8_t* at = line.row(i);
    // A row of padding stands still.
    index_t next = w.stride_x * pixel, tap = w.dilation_x * pixel;
    if (at == nullptr) {
      at = line.outside();
      next = tap = 0;
    } else {
      at += x * pixel;
    }
    const std::int8_t* weights = line.weights_of(i);
    const mve_pred16_t exist = line.exist;
    for (index_t j = w.width; j > 0; --j, at += tap, weights += 16) {
      const int32x4_t weight = vldrbq_gather_offset_s32(weights, vidupq_n_u32(0, 4));
      const std::uint8_t* p = at;
      a = multiply_add<IsSigned, IsWhole>(a, p, weight, exist);
      p += next;
      b = multiply_add<IsSigned, IsWhole>(b, p, weight, exist);
      p += next;
      c = multiply_add<IsSigned, IsWhole>(c, p, weight, exist);
      p += next;
      d = multiply_add<IsSigned, IsWhole>(d, p, weight, exist);
    }
  }
  vst1q_s32(acc, a);
  vst1q_s32(acc + 4, b);
  vst1q_s32(acc + 8, c);
  vst1q_s32(acc + 12, d);
}

/// One pixel, whose window may reach beyond the image.
template <bool IsSigned, bool IsWhole>
inline void one_pixel(const depthwise_line& line, index_t x, std::int32_t* acc) noexcept {
  const window& w = line.args.window;
  int32x4_t a = line.start;
  for (index_t i = 0; i < w.height; ++i) {
    const std::uint8_t* row = line.row(i);
    for (index_t j = 0; j < w.width; ++j) {
      const index_t column = x + j * w.dilation_x;
      const bool is_inside = row != nullptr && column >= 0 && column < line.args.width;
      const std::uint8_t* at = is_inside ? row + column * line.args.pixel_stride : line.outside();
      const int32x4_t weight =
          vldrbq_gather_offset_s32(line.weights_of(i) + 16 * j, vidupq_n_u32(0, 4));
      a = multiply_add<IsSigned, IsWhole>(a, at, weight, line.exist);
    }
  }
  vst1q_s32(acc, a);
}

template <bool IsSigned, bool IsWhole>
inline void depthwise_lines(const depthwise_s8_args& args, const depthwise_block& block) noexcept {
  using pare::detail::ceil_div;
  using pare::detail::clamp;
  using pare::detail::min;
  const window& w = args.window;
  gemm_s8_args out = args.out;
  // Outputs [left, right) have windows between the borders.
  const index_t span = (w.width - 1) * w.dilation_x;
  const index_t left = min(ceil_div(w.pad_left, w.stride_x), args.out_width);
  const index_t last = args.width - 1 - span + w.pad_left;
  const index_t right = clamp(last < 0 ? 0 : last / w.stride_x + 1, left, args.out_width);
  for (index_t panel = block.first_panel; panel < block.last_panel; ++panel) {
    const index_t channel = 4 * panel, count = min<index_t>(4, out.columns - channel);
    const std::int32_t* bias = out.bias_codes;
    // Signed codes are 128 less than a ^ a_flip, and so is their zero point.
    const std::int32_t offset = out.offset - (IsSigned ? 128 : 0);
    const int32x4_t start =
        vmlaq_n_s32(bias != nullptr ? vld1q_s32(bias + channel) : vdupq_n_s32(0),
                    vld1q_s32(out.sums + channel), -offset);
    for (index_t y = block.first_row; y < block.last_row; ++y) {
      const depthwise_line line = {args,
                                   block.image,
                                   y * w.stride_y - w.pad_top,
                                   channel,
                                   args.panels + panel * args.panel_bytes,
                                   vctp32q(static_cast<std::uint32_t>(count)),
                                   dsp::four_times(out.offset) ^ dsp::four_times(out.a_flip),
                                   start};
      out.c = output_line(args, block.image, y);
      for (index_t x = 0; x < args.out_width; x += depthwise_pixels) {
        alignas(16) std::int32_t acc[4 * depthwise_pixels];
        const index_t pixels = min(depthwise_pixels, args.out_width - x);
        index_t i = 0;
        // The last four between the borders may have been there before, in part.
        const index_t first = clamp<index_t>(left - x, 0, pixels);
        const index_t end = clamp<index_t>(right - x, first, pixels);
        while (i < pixels) {
          if (end - first >= 4 && i >= first && i < end) i = min(i, end - 4);
          const index_t in_x = (x + i) * w.stride_x - w.pad_left;
          if (end - first >= 4 && i >= first && i < end) {
            four_pixels<IsSigned, IsWhole>(line, in_x, acc + 4 * i);
            i += 4;
          } else {
            one_pixel<IsSigned, IsWhole>(line, in_x, acc + 4 * i);
            ++i;
          }
        }
        out.write(out, x, channel, count, pixels, acc, 4);
      }
    }
  }
}

/// One block of the convolution.
inline void depthwise_s8(const depthwise_s8_args& args, const depthwise_block& block) noexcept {
  if (args.multiplier != 1 || args.out.tile_columns != 4) {
    return scalar::depthwise_s8(args, block);
  }
  const bool is_whole = args.out.columns % 4 == 0;
  if (args.out.a_flip != 0) {
    return is_whole ? depthwise_lines<true, true>(args, block)
                    : depthwise_lines<true, false>(args, block);
  }
  depthwise_lines<false, false>(args, block);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::mve

#endif  // PARE_MVE_KERNELS
#endif  // PARE_KERNELS_CORTEX_M_DEPTHWISE_S8_MVE_HPP
