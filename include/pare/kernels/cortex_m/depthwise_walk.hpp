// The walk of Cortex-M kernels over a depthwise convolution, the same for DSP and Helium instructions:
// four channels at a time along a part of a line of outputs.
//
// The taps of a channel lie a row or a pixel apart, but instructions multiply neighbours. So four rows
// of the image are interleaved, four channels of some columns at a time, in a buffer on the stack;
// with a stride of 1 the same ones serve the next line of outputs, too.
#ifndef PARE_KERNELS_CORTEX_M_DEPTHWISE_WALK_HPP
#define PARE_KERNELS_CORTEX_M_DEPTHWISE_WALK_HPP

#include <cstring>

#include <pare/kernels/depthwise_s8.hpp>

namespace pare::kernels {

/// Columns of interleaved rows that there is room for.
inline constexpr index_t depthwise_columns = 32;

/// Four rows of four channels at a pixel, from the left on; a row outside the image stands still at
/// a word of padding.
struct depthwise_rows {
  const std::uint8_t* at[4];
  index_t step[4];
};

inline namespace PARE_ABI {

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

/// Any convolution, an output at a time: for windows that the walk does not take.
inline void depthwise_any(const depthwise_s8_args& args, const depthwise_block& block) noexcept {
  const window& w = args.window;
  const auto rows = pare::detail::vertical(w), columns = pare::detail::horizontal(w);
  const std::uint8_t* image = args.x + block.image * args.image_stride;
  gemm_s8_args out = args.out;
  for (index_t y = block.first_row; y < block.last_row; ++y) {
    out.c = output_line(args, block.image, y);
    const index_t in_y = y * w.stride_y - w.pad_top;
    const auto taps_y = pare::detail::taps_inside(rows, in_y, args.height);
    for (index_t x = 0; x < args.out_width; ++x) {
      const index_t in_x = x * w.stride_x - w.pad_left;
      const auto taps_x = pare::detail::taps_inside(columns, in_x, args.width);
      for (index_t panel = block.first_panel; panel < block.last_panel; ++panel) {
        const index_t first = 4 * panel, count = pare::detail::min<index_t>(4, out.columns - first);
        std::int32_t acc[4];
        for (index_t c = 0; c < count; ++c) {
          const index_t channel = (first + c) / args.multiplier;
          const std::int8_t* weights = args.panels + panel * args.panel_bytes;
          // Unsigned arithmetic: sums beyond 32 bits wrap, as they do elsewhere.
          std::uint32_t sum = out.bias_codes != nullptr
                                  ? static_cast<std::uint32_t>(out.bias_codes[first + c])
                                  : 0u;
          for (index_t i = taps_y.first; i < taps_y.last; ++i) {
            const std::uint8_t* row = image + (in_y + i * w.dilation_y) * args.row_stride + channel;
            for (index_t j = taps_x.first; j < taps_x.last; ++j) {
              const std::int32_t code =
                  row[(in_x + j * w.dilation_x) * args.pixel_stride] ^ out.a_flip;
              sum += static_cast<std::uint32_t>(
                  (code - out.offset) * weights[pare::detail::depthwise_offset(w, 4, i, j, c)]);
            }
          }
          acc[c] = static_cast<std::int32_t>(sum);
        }
        out.write(out, x, first, count, 1, acc, 4);
      }
    }
  }
}

/// One block of the convolution. `Kernel` has
///
///     static constexpr index_t taps          columns of a window that `multiply` takes at once
///     static constexpr index_t column_words  of a column of the buffer
///     Kernel(args)
///     start(channel, four)                   what four accumulators begin with
///     interleave(rows, count, shift, to)     `count` columns; rows move on; `shift` bits below the
///                                            first channel of a word
///     multiply(words, weights, count, step, line, outputs, acc)
///         adds the products of `count` columns of a window, whose weights stand 16 bytes apart,
///         `line` rows further down, to those of `outputs`, `step` words from one to the next
template <class Kernel>
PARE_ALWAYS_INLINE void walk_depthwise(const depthwise_s8_args& args,
                                       const depthwise_block& block) noexcept {
  using pare::detail::clamp;
  using pare::detail::min;
  constexpr index_t taps = Kernel::taps;
  const window& w = args.window;
  const index_t channels = args.out.columns;
  if (args.multiplier != 1 || w.dilation_x != 1 || channels < 4 ||
      w.stride_x > depthwise_columns - taps) {
    return depthwise_any(args, block);
  }
  const Kernel kernel(args);
  alignas(16) std::uint32_t words[Kernel::column_words * (depthwise_columns + taps)];
  alignas(16) std::int32_t acc[2][4 * depthwise_columns], start[4];
  const std::uint32_t padding =
      ((static_cast<std::uint32_t>(args.out.offset) ^ args.out.a_flip) & 0xffu) * 0x01010101u;
  const index_t most = (depthwise_columns - taps) / w.stride_x + 1;
  const index_t most_lines = w.height < 4 && w.stride_y == 1 && w.dilation_y == 1 ? 2 : 1;
  gemm_s8_args out = args.out;
  index_t lines = 0;
  for (index_t y = block.first_row; y < block.last_row; y += lines) {
    lines = min(most_lines, block.last_row - y);
    for (index_t panel = block.first_panel; panel < block.last_panel; ++panel) {
      const index_t channel = 4 * panel, count = min<index_t>(4, channels - channel);
      // The last channels of a pixel are read from further back: nothing beyond the pixel is.
      const index_t back = 4 - count;
      const std::int8_t* weights = args.panels + panel * args.panel_bytes;
      kernel.start(channel, start);
      for (index_t x = 0; x < args.out_width; x += most) {
        const index_t outputs = min(most, args.out_width - x);
        for (index_t line = 0; line < lines; ++line) {
          for (index_t i = 0; i < 4 * outputs; i += 4) std::memcpy(acc[line] + i, start, 16);
        }
        for (index_t row = 0; row < w.height; row += 4) {
          for (index_t tap = 0; tap < w.width; tap += taps) {
            const index_t taps_now = min(taps, w.width - tap);
            const index_t columns = (outputs - 1) * w.stride_x + taps_now;
            const index_t first = x * w.stride_x - w.pad_left + tap;
            const index_t before = clamp<index_t>(-first, 0, columns);
            const index_t inside = clamp<index_t>(args.width - first, before, columns);
            depthwise_rows rows = rows_of(args, block.image, y, row, w.height + lines - 1,
                                          first + before, channel - back, &padding);
            depthwise_rows no_rows = rows_outside(&padding);
            constexpr index_t column = Kernel::column_words;
            kernel.interleave(no_rows, before, 0, words);
            kernel.interleave(rows, inside - before, 8 * static_cast<std::uint32_t>(back),
                              words + column * before);
            kernel.interleave(no_rows, columns - inside, 0, words + column * inside);
            for (index_t line = 0; line < lines; ++line) {
              kernel.multiply(words, weights + 16 * (row / 4 * w.width + tap), taps_now,
                              column * w.stride_x, line, outputs, acc[line]);
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
}  // namespace pare::kernels

#endif  // PARE_KERNELS_CORTEX_M_DEPTHWISE_WALK_HPP
