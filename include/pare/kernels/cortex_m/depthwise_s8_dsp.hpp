// The s8 depthwise convolution on Cortex-M4, M7 and M33: a channel at a time along a line of outputs.
//
// SMLAD multiplies two neighbours, but the taps of a channel lie a row or a pixel apart. So four rows
// of the image are interleaved, four channels and a part of a line at a time, into pairs of 16 bits:
// [column][channel][rows 0 and 2, rows 1 and 3]. Then six SMLADs make the nine products of a 3x3
// window, and with a stride of 1 the same pairs serve the next line of outputs too. 2 KB of stack.
#ifndef PARE_KERNELS_CORTEX_M_DEPTHWISE_S8_DSP_HPP
#define PARE_KERNELS_CORTEX_M_DEPTHWISE_S8_DSP_HPP

#include <pare/kernels/cortex_m/gemm_s8_2x4c4_dsp.hpp>
#include <pare/kernels/scalar/depthwise_s8.hpp>

#if PARE_DSP_KERNELS

namespace pare::kernels::dsp {

/// Columns of interleaved rows that there is room for, 32 bytes each.
inline constexpr index_t depthwise_columns = 32;

/// Four rows of four channels at a pixel, from the left on; a row outside the image stands still at
/// a word of padding.
struct depthwise_rows {
  const std::uint8_t* at[4];
  index_t step[4];
};

/// The lower halves of a and b as a pair, and the upper ones.
PARE_ALWAYS_INLINE std::uint32_t lower_halves(std::uint32_t a, std::uint32_t b) noexcept {
  std::uint32_t y;
  __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(y) : "r"(a), "r"(b));
  return y;
}
PARE_ALWAYS_INLINE std::uint32_t upper_halves(std::uint32_t a, std::uint32_t b) noexcept {
  std::uint32_t y;
  __asm__("pkhtb %0, %1, %2, asr #16" : "=r"(y) : "r"(b), "r"(a));
  return y;
}

/// Bytes as numbers from 0 on: 0 and 2, and 1 and 3.
PARE_ALWAYS_INLINE std::uint32_t low_bytes(std::uint32_t x) noexcept {
  std::uint32_t y;
  __asm__("uxtb16 %0, %1" : "=r"(y) : "r"(x));
  return y;
}
PARE_ALWAYS_INLINE std::uint32_t high_bytes(std::uint32_t x) noexcept {
  std::uint32_t y;
  __asm__("uxtb16 %0, %1, ror #8" : "=r"(y) : "r"(x));
  return y;
}

/// What four channels begin with.
PARE_ALWAYS_INLINE void start_of(const gemm_s8_args& out, index_t channel,
                                 std::int32_t (&start)[4]) noexcept {
  for (index_t i = 0; i < 4; ++i) {
    start[i] = out.bias_codes != nullptr ? out.bias_codes[channel + i] : 0;
    add(start[i], -out.offset * out.sums[channel + i]);
  }
}

inline namespace PARE_ABI {

/// Pairs of `count` columns.
///
/// @param shift  bits below the first channel of a word
/// @return behind the last pair
inline word* interleave(depthwise_rows& rows, index_t count, std::uint32_t flip,
                        std::uint32_t shift, word* to) noexcept {
  for (const word* end = to + 8 * count; to != end; to += 8) {
    std::uint32_t x[4];
    PARE_UNROLL for (int i = 0; i < 4; ++i) {
      std::memcpy(&x[i], rows.at[i], 4);
      rows.at[i] += rows.step[i];
      x[i] = (x[i] ^ flip) >> shift;
    }
    PARE_UNROLL for (int i = 0; i < 2; ++i) {
      const std::uint32_t a = low_bytes(x[i]), b = low_bytes(x[i + 2]);
      to[i] = lower_halves(a, b);
      to[4 + i] = upper_halves(a, b);
    }
    PARE_UNROLL for (int i = 0; i < 2; ++i) {
      const std::uint32_t a = high_bytes(x[i]), b = high_bytes(x[i + 2]);
      to[2 + i] = lower_halves(a, b);
      to[6 + i] = upper_halves(a, b);
    }
  }
  return to;
}

/// sum += products of a column of a window, whose pairs stand `Offset` bytes behind x.
template <int Offset>
PARE_ALWAYS_INLINE void multiply_column(std::int32_t& sum, const word* x, std::uint32_t even,
                                        std::uint32_t odd) noexcept {
  std::uint32_t a, b;
  __asm__("ldrd %0, %1, [%2, %3]"
          : "=&r"(a), "=r"(b)
          : "r"(x), "i"(Offset), "m"(x[Offset / 4]), "m"(x[Offset / 4 + 1]));
  multiply_pairs(sum, a, even);
  multiply_pairs(sum, b, odd);
}

/// acc += products of three columns of a window, for `count` outputs of a channel.
///
/// @param x     the channel's pairs in the first column
/// @param step  words from output to output
/// @param w     weights of the columns: bytes for rows 0 to 3
/// @param acc   four elements from output to output
inline void multiply_columns(const word* x, index_t step, const std::uint32_t (&w)[3],
                             index_t count, std::int32_t* acc) noexcept {
  std::uint32_t even[3], odd[3];
  PARE_UNROLL for (int i = 0; i < 3; ++i) {
    __asm__("sxtb16 %0, %1" : "=r"(even[i]) : "r"(w[i]));
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(odd[i]) : "r"(w[i]));
  }
  for (const std::int32_t* end = acc + 4 * count; acc != end; acc += 4, x += step) {
    std::int32_t sum = *acc;
    multiply_column<0>(sum, x, even[0], odd[0]);
    multiply_column<32>(sum, x, even[1], odd[1]);
    multiply_column<64>(sum, x, even[2], odd[2]);
    *acc = sum;
  }
}

/// Rows that are nowhere in the image.
PARE_ALWAYS_INLINE depthwise_rows rows_outside(const std::uint32_t* padding) noexcept {
  depthwise_rows rows;
  for (int i = 0; i < 4; ++i) {
    rows.at[i] = reinterpret_cast<const std::uint8_t*>(padding);
    rows.step[i] = 0;
  }
  return rows;
}

/// Rows [row, row + 4) under the windows of line `y` of the outputs, from a column and a channel on.
///
/// @param taps  rows that have weights
inline depthwise_rows rows_of(const depthwise_s8_args& args, index_t image, index_t y, index_t row,
                              index_t taps, index_t column, index_t channel,
                              const std::uint32_t* padding) noexcept {
  const window& w = args.window;
  depthwise_rows rows = rows_outside(padding);
  for (index_t i = 0; i < 4 && row + i < taps; ++i) {
    const index_t in_y = y * w.stride_y - w.pad_top + (row + i) * w.dilation_y;
    if (in_y < 0 || in_y >= args.height) continue;
    rows.at[i] = args.x + image * args.image_stride + in_y * args.row_stride +
                 column * args.pixel_stride + channel;
    rows.step[i] = args.pixel_stride;
  }
  return rows;
}

/// One block of the convolution.
inline void depthwise_s8(const depthwise_s8_args& args, const depthwise_block& block) noexcept {
  using pare::detail::clamp;
  using pare::detail::min;
  const window& w = args.window;
  const index_t channels = args.out.columns;
  if (args.multiplier != 1 || w.dilation_x != 1 || channels < 4 || args.out.tile_columns != 4 ||
      w.stride_x > depthwise_columns - 3) {
    return scalar::depthwise_s8(args, block);
  }
  alignas(8) word pairs[8 * depthwise_columns];
  alignas(8) std::int32_t acc[2][4 * depthwise_columns];
  const std::uint32_t flip = four_times(args.out.a_flip);
  const std::uint32_t padding = four_times(args.out.offset) ^ flip;
  const index_t most = (depthwise_columns - 3) / w.stride_x + 1;
  const index_t most_lines = w.height < 4 && w.stride_y == 1 && w.dilation_y == 1 ? 2 : 1;
  gemm_s8_args out = args.out;
  index_t lines = 0;
  for (index_t y = block.first_row; y < block.last_row; y += lines) {
    lines = min(most_lines, block.last_row - y);
    for (index_t panel = block.first_panel; panel < block.last_panel; ++panel) {
      const index_t channel = 4 * panel, count = min<index_t>(4, channels - channel);
      // The last channels of a pixel are read from further back: nothing beyond the pixel is.
      const index_t back = 4 - count;
      const auto* weights = reinterpret_cast<const word*>(args.panels + panel * args.panel_bytes);
      std::int32_t start[4];
      start_of(out, channel, start);
      for (index_t x = 0; x < args.out_width; x += most) {
        const index_t outputs = min(most, args.out_width - x);
        const index_t columns = (outputs - 1) * w.stride_x + 3;
        for (index_t line = 0; line < lines; ++line) {
          for (index_t i = 0; i < 4 * outputs; i += 4) std::memcpy(acc[line] + i, start, 16);
        }
        for (index_t row = 0; row < w.height; row += 4) {
          const word* row_weights = weights + row * w.width;
          for (index_t tap = 0; tap < w.width; tap += 3) {
            const index_t first = x * w.stride_x - w.pad_left + tap;
            const index_t before = clamp<index_t>(-first, 0, columns);
            const index_t inside = clamp<index_t>(args.width - first, before, columns);
            depthwise_rows rows = rows_of(args, block.image, y, row, w.height + lines - 1,
                                          first + before, channel - back, &padding);
            depthwise_rows no_rows = rows_outside(&padding);
            word* to = pairs;
            to = interleave(no_rows, before, flip, 0, to);
            to = interleave(rows, inside - before, flip, 8 * static_cast<std::uint32_t>(back), to);
            interleave(no_rows, columns - inside, flip, 0, to);
            for (index_t line = 0; line < lines; ++line) {
              for (index_t c = 0; c < 4; ++c) {
                std::uint32_t words[3];
                for (index_t i = 0; i < 3; ++i) {
                  // The next line of outputs sees the window one row further down.
                  words[i] = tap + i < w.width ? row_weights[4 * (tap + i) + c] << (8 * line) : 0;
                }
                multiply_columns(pairs + 2 * c, 8 * w.stride_x, words, outputs, acc[line] + c);
              }
            }
          }
        }
        for (index_t line = 0; line < lines; ++line) {
          out.c = output_line(args, block.image, y + line);
          out.write(out, x, channel, count, outputs, acc[line], 4);
        }
      }
    }
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::dsp

#endif  // PARE_DSP_KERNELS
#endif  // PARE_KERNELS_CORTEX_M_DEPTHWISE_S8_DSP_HPP
