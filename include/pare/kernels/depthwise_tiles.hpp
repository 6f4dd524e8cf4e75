// The walk of vector kernels over a depthwise convolution, the same for every instruction set.
//
// Dot-product instructions sum four neighbouring bytes, but the taps of a channel lie a row or a
// pixel apart. So four rows of the image are interleaved byte by byte, once, into a buffer in L1:
// [column][channel][4]. A column of it then serves every tap of the window that falls on it, and,
// where the window leaves room among the four, the next row of outputs too: a 3x3 window of stride 1
// takes 3 products of four bytes for an output in place of 9, and half an interleaving. Padding is
// written into the buffer as the zero point, so that the products know no borders.
#ifndef PARE_KERNELS_DEPTHWISE_TILES_HPP
#define PARE_KERNELS_DEPTHWISE_TILES_HPP

#include <cstring>

#include <pare/kernels/depthwise_s8.hpp>

namespace pare::kernels {

/// Pixels that kernels have in registers together.
inline constexpr index_t depthwise_pixels = 4;
/// Channels of a panel at the most.
inline constexpr index_t depthwise_channels = 64;
/// The buffer of interleaved inputs: 64 columns of 64 channels.
inline constexpr index_t depthwise_input_bytes = 64 * 4 * depthwise_channels;
/// The buffer of accumulators, where the taps of a pixel come in several parts: 32 pixels of 64
/// channels.
inline constexpr index_t depthwise_accumulators = 32 * depthwise_channels;

/// A row of the image, or of padding: bytes from `at` on, a step for each column.
struct depthwise_row {
  const std::uint8_t* at;
  index_t step;
};

/// What stays the same for all rows of a panel.
struct depthwise_panel {
  index_t first, outputs;  ///< channels of the output
  index_t width;           ///< of the packed weights: a multiple of 16
  index_t column_bytes;    ///< of the interleaved inputs
  /// Outputs read the channels in their order, from the first one of a row on.
  bool is_in_order;
  /// And pixels follow each other without gaps, with no other panel between.
  bool is_flat;
  std::uint8_t flip;    ///< what codes are XORed with on their way into the buffer
  std::int32_t offset;  ///< the zero point of what comes out
  const std::int8_t* weights;

  /// Where the 16 outputs from 16 * i on find their channels: `loaded` bytes from group_first[i] on
  /// (never beyond the pixel: it may be the last one), then byte place[16 * i + j] of those.
  index_t group_first[4];
  index_t loaded;
  alignas(64) std::uint8_t place[64];  ///< 0x80: such an output does not exist
};

/// Interleaved inputs, weights and first accumulators of a vector of channels, with the bytes
/// (inputs, weights) or elements (start) from one to the next.
struct depthwise_operands {
  const std::uint8_t* inputs;
  index_t pixel_bytes, tap_bytes;
  index_t taps;
  const std::int8_t* weights;
  index_t weight_bytes, variant_bytes;
  const std::int32_t* start;
  index_t start_pixel, start_row;
};

/// A vector of channels of a tile, 4 pixels at a time.
///
/// @param channel     the first of them
/// @param channels    how many exist, from 1 on
/// @param to          their first output
/// @param stride      elements from pixel to pixel
/// @param row_stride  elements from row to row
using depthwise_tile_function = void (*)(const gemm_s8_args&, index_t channel, index_t channels,
                                         const depthwise_operands&, index_t pixels, void* to,
                                         index_t stride, index_t row_stride) noexcept;

/// The part that is different for each instruction set.
struct depthwise_functions {
  index_t vector;     ///< channels that a tile function takes
  std::uint8_t flip;  ///< 0x80 where interleaved inputs are signed

  /// `count` columns of four rows, from their first byte for this panel on. May write up to 255
  /// bytes more.
  void (*interleave)(const depthwise_panel&, const depthwise_row (&)[4], index_t count,
                     std::uint8_t* to) noexcept;

  /// The tile function for one or two rows of outputs of channels [first, first + width).
  ///
  /// @param whole_taps  columns of the window, where its taps come in one part; otherwise 0
  depthwise_tile_function (*tile)(const gemm_s8_args&, index_t rows, index_t first, index_t width,
                                  index_t whole_taps) noexcept;
};

inline namespace PARE_ABI {

/// How the outputs of a row are cut: tiles of up to `pixels` outputs, and the columns of the window
/// into parts of up to `taps`, so that the interleaved inputs of one tile and part fit the buffer.
struct depthwise_cut {
  index_t pixels, taps;
  index_t span;  ///< input columns under the taps of a part
  index_t step;  ///< columns of the buffer from pixel to pixel: those that no tap reads stay out
};

/// @param columns      input columns that the buffer takes, at least 4
/// @param most_pixels  whose accumulators have room, at least 4
constexpr depthwise_cut cut_depthwise(const window& w, index_t out_width, index_t columns,
                                      index_t most_pixels) noexcept {
  using pare::detail::ceil_div;
  using pare::detail::min;
  // A quarter of the buffer, so that four pixels fit even where their columns do not overlap.
  const index_t taps = min(w.width, (columns / 4 - 1) / w.dilation_x + 1);
  const index_t span = (taps - 1) * w.dilation_x + 1, step = min(w.stride_x, span);
  const index_t fitting = (columns - span) / step + 1;
  const index_t most = min(most_pixels, fitting) / depthwise_pixels * depthwise_pixels;
  const index_t even = ceil_div(out_width, ceil_div(out_width, most));
  return {pare::detail::round_up(even, depthwise_pixels), taps, span, step};
}

inline depthwise_panel panel_of(const depthwise_s8_args& args, index_t panel,
                                std::uint8_t flip) noexcept {
  depthwise_panel p{};
  p.width = args.out.tile_columns;
  p.first = panel * p.width;
  p.outputs = pare::detail::min(p.width, args.out.columns - p.first);
  p.is_in_order = args.multiplier == 1;
  p.is_flat = p.is_in_order && p.outputs == args.out.columns && args.pixel_stride == p.outputs;
  p.column_bytes = 4 * (p.is_flat ? p.outputs : p.width);
  p.flip = static_cast<std::uint8_t>(args.out.a_flip ^ flip);
  p.offset = args.out.offset - flip;
  p.weights = args.panels + panel * args.panel_bytes;

  const index_t channels = args.out.columns / args.multiplier, base = p.first / args.multiplier;
  p.loaded = pare::detail::min<index_t>(channels, 16);
  index_t channel = base, served = p.first % args.multiplier;
  for (index_t i = 0; i < p.width; ++i) {
    if (i % 16 == 0) p.group_first[i / 16] = pare::detail::min(channel, channels - p.loaded) - base;
    p.place[i] = i < p.outputs ? static_cast<std::uint8_t>(channel - base - p.group_first[i / 16])
                               : std::uint8_t{0x80};
    if (++served == args.multiplier) ++channel, served = 0;
  }
  return p;
}

/// Columns [first, first + columns) of four rows; those outside the image are the zero point.
inline void fill_columns(const depthwise_s8_args& args, const depthwise_panel& p,
                         const depthwise_functions& f, const depthwise_row (&rows)[4],
                         index_t first, index_t columns, std::uint8_t* to) noexcept {
  const index_t before = pare::detail::clamp<index_t>(-first, 0, columns);
  const index_t inside = pare::detail::clamp<index_t>(args.width - first, before, columns) - before;
  const auto pad = [&p](std::uint8_t* at, index_t n) {
    if (n > 0) std::memset(at, p.offset & 0xff, static_cast<std::size_t>(n * p.column_bytes));
  };
  pad(to, before);
  to += before * p.column_bytes;
  // Before the padding that follows: it may write more than there is.
  if (inside > 0) {
    depthwise_row from[4] = {rows[0], rows[1], rows[2], rows[3]};
    for (depthwise_row& row : from) row.at += (first + before) * row.step;
    f.interleave(p, from, inside, to);
  }
  pad(to + inside * p.column_bytes, columns - before - inside);
}

/// The inputs of a tile for the taps from `tap` on. Pixels come in fours: those beyond the tile read
/// what lies there, or padding.
inline void fill_inputs(const depthwise_s8_args& args, const depthwise_panel& p,
                        const depthwise_functions& f, const depthwise_row (&rows)[4],
                        const depthwise_cut& cut, index_t x, index_t pixels, index_t tap,
                        std::uint8_t* to) noexcept {
  const window& w = args.window;
  const index_t first = x * w.stride_x - w.pad_left + tap * w.dilation_x;
  const index_t fours = pare::detail::round_up(pixels, depthwise_pixels);
  if (cut.step == w.stride_x) {
    return fill_columns(args, p, f, rows, first, (fours - 1) * cut.step + cut.span, to);
  }
  for (index_t i = 0; i < pixels; ++i, to += cut.span * p.column_bytes)
    fill_columns(args, p, f, rows, first + i * w.stride_x, cut.span, to);
}

/// The rows that rows 4 * group ... + 3 of the window read for row `y` of the outputs; `padding`
/// where they lie outside the image, and where they lie beyond the window: weights are zero there.
inline void find_rows(const depthwise_s8_args& args, const depthwise_panel& p, index_t image,
                      index_t y, index_t group, const std::uint8_t* padding,
                      depthwise_row (&rows)[4]) noexcept {
  const window& w = args.window;
  const index_t taps = w.height + (args.variants - 1) * w.stride_y;
  for (index_t i = 0; i < 4; ++i) {
    rows[i] = {padding, 0};
    if (4 * group + i >= taps) continue;
    const index_t row = y * w.stride_y - w.pad_top + (4 * group + i) * w.dilation_y;
    if (row < 0 || row >= args.height) continue;
    rows[i] = {
        args.x + image * args.image_stride + row * args.row_stride + p.first / args.multiplier,
        args.pixel_stride};
  }
}

/// Rows of outputs of one panel.
inline void depthwise_rows(const depthwise_s8_args& args, const depthwise_block& block,
                           const depthwise_panel& p, const depthwise_functions& f) noexcept {
  const window& w = args.window;
  alignas(64) std::int32_t start[depthwise_channels], acc[depthwise_accumulators];
  // Channels that do not exist are read behind the last column, and written.
  alignas(64) std::uint8_t inputs[depthwise_input_bytes + 256];
  // Rows are read from 15 bytes before their first channel on.
  alignas(64) std::uint8_t padding[192];
  std::memset(padding, args.out.offset ^ args.out.a_flip, sizeof(padding));
  for (index_t i = 0; i < p.width; ++i) {
    const auto moved = static_cast<std::uint32_t>(p.offset) *
                       static_cast<std::uint32_t>(args.out.sums[p.first + i]);
    const std::int32_t bias = args.out.bias_codes != nullptr ? args.out.bias_codes[p.first + i] : 0;
    start[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(bias) - moved);
  }

  const index_t groups = pare::detail::ceil_div(w.height, 4);
  const index_t columns = depthwise_input_bytes / p.column_bytes;
  depthwise_cut cut = cut_depthwise(w, args.out_width, columns, columns);
  const bool is_whole = groups == 1 && cut.taps == w.width;
  if (!is_whole) {
    cut =
        cut_depthwise(w, args.out_width, columns, depthwise_accumulators / args.variants / p.width);
  }
  gemm_s8_args unfinished = args.out;
  unfinished.kind = output_kind::s32;
  const index_t element_bytes = args.out.kind == output_kind::q8 ? 1 : 4;

  depthwise_operands o;
  o.pixel_bytes = cut.step * p.column_bytes;
  o.tap_bytes = cut.taps > 1 ? w.dilation_x * p.column_bytes : 0;
  o.weight_bytes = 4 * p.width;
  o.variant_bytes = groups * w.width * o.weight_bytes;
  const index_t acc_row = cut.pixels * p.width;
  depthwise_tile_function last_part = nullptr, other_part = nullptr;
  index_t rows = 0;
  for (index_t y = block.first_row; y < block.last_row; y += rows) {
    const index_t now = pare::detail::min<index_t>(args.variants, block.last_row - y);
    if (now != rows) {
      rows = now;
      last_part = f.tile(args.out, rows, p.first, p.width, is_whole ? w.width : 0);
      other_part = f.tile(unfinished, rows, p.first, p.width, 0);
    }
    std::byte* line = output_line(args, block.image, y);
    for (index_t x = 0; x < args.out_width; x += cut.pixels) {
      const index_t pixels = pare::detail::min(cut.pixels, args.out_width - x);
      for (index_t group = 0; group < groups; ++group) {
        depthwise_row from[4];
        find_rows(args, p, block.image, y, group, padding + 64, from);
        for (index_t tap = 0; tap < w.width; tap += cut.taps) {
          o.taps = pare::detail::min(cut.taps, w.width - tap);
          fill_inputs(args, p, f, from, cut, x, pixels, tap, inputs);
          const bool is_first = group == 0 && tap == 0;
          const bool is_last = group == groups - 1 && tap + o.taps == w.width;
          o.start_pixel = is_first ? 0 : p.width;
          o.start_row = is_first ? 0 : acc_row;
          for (index_t j = 0; j < p.outputs; j += f.vector) {
            o.inputs = inputs + 4 * j;
            o.weights = p.weights + (group * w.width + tap) * o.weight_bytes + 4 * j;
            o.start = is_first ? start + j : acc + j;
            if (is_last) {
              const index_t at = x * args.out.c_stride + p.first + j;
              last_part(args.out, p.first + j, p.outputs - j, o, pixels, line + at * element_bytes,
                        args.out.c_stride, args.out_row_stride);
            } else {
              other_part(unfinished, p.first + j, f.vector, o, cut.pixels, acc + j, p.width,
                         acc_row);
            }
          }
        }
      }
    }
  }
}

/// One block of the convolution.
inline void depthwise_panels(const depthwise_s8_args& args, const depthwise_block& block,
                             const depthwise_functions& f) noexcept {
  for (index_t panel = block.first_panel; panel < block.last_panel; ++panel)
    depthwise_rows(args, block, panel_of(args, panel, f.flip), f);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels

#endif  // PARE_KERNELS_DEPTHWISE_TILES_HPP
