// What every s8 depthwise kernel is given and must do: the interface between `depthwise_conv2d` and
// the ISAs.
#ifndef PARE_KERNELS_DEPTHWISE_S8_HPP
#define PARE_KERNELS_DEPTHWISE_S8_HPP

#include <pare/format/packed_depthwise.hpp>
#include <pare/kernels/gemm_s8.hpp>

namespace pare::kernels {

/// One depthwise convolution over NHWC images.
///
/// acc = bias_codes + sum over the window's taps inside the image of (x - zero_point) * w, modulo
/// 2^32: taps outside the image read the zero point.
struct depthwise_s8_args {
  const std::uint8_t* x = nullptr;                             ///< codes, s8 or u8
  index_t image_stride = 0, row_stride = 0, pixel_stride = 0;  ///< of x, in bytes
  index_t height = 0, width = 0;                               ///< of x
  index_t out_height = 0, out_width = 0;
  index_t out_image_stride = 0, out_row_stride = 0;  ///< of y, in elements

  index_t multiplier = 1;
  pare::window window{};
  std::int32_t variants = 1;
  const std::int8_t* panels = nullptr;
  index_t panel_bytes = 0;

  /// Flip and zero point of the codes, start values of the accumulators, and what becomes of them:
  /// `rows` are the pixels of a line of outputs, `columns` the channels, `c` is y.
  gemm_s8_args out{};
};

/// A part of the work: rows of outputs [first_row, last_row) of one image, panels [first, last).
struct depthwise_block {
  index_t image, first_row, last_row, first_panel, last_panel;
};

/// The first element of a row of outputs, as the start of a product's C.
template <class T>
PARE_ALWAYS_INLINE T* output_line(const depthwise_s8_args& args, index_t image,
                                  index_t row) noexcept {
  return static_cast<T*>(args.out.c) + image * args.out_image_stride + row * args.out_row_stride;
}
PARE_ALWAYS_INLINE void* output_line(const depthwise_s8_args& args, index_t image,
                                     index_t row) noexcept {
  if (args.out.kind == output_kind::q8) return output_line<std::uint8_t>(args, image, row);
  return output_line<std::int32_t>(args, image, row);  // s32, and f32 of the same size
}

// --- for kernels that interleave four rows at a time ---

/// Pixels that such kernels have in registers together.
inline constexpr index_t depthwise_pixels = 4;

/// How the outputs of a row are cut: tiles of up to `pixels` outputs, and the columns of the window
/// into parts of up to `taps`, so that the interleaved inputs of one tile and part fit a buffer.
struct depthwise_tiles {
  index_t pixels, taps;
  index_t span;  ///< input columns under the taps of a part
  index_t step;  ///< columns of the buffer from pixel to pixel: those between two parts stay out
};

/// @param columns      input columns that the buffer takes, at least 4
/// @param most_pixels  whose accumulators have room, at least 4
constexpr PARE_ALWAYS_INLINE depthwise_tiles cut_depthwise(const window& w, index_t out_width,
                                                           index_t columns,
                                                           index_t most_pixels) noexcept {
  using pare::detail::ceil_div;
  using pare::detail::min;
  // A quarter of the buffer, so that four pixels fit even where their columns do not overlap.
  const index_t taps = min(w.width, (columns / 4 - 1) / w.dilation_x + 1);
  const index_t span = (taps - 1) * w.dilation_x + 1, step = min(w.stride_x, span);
  const index_t fitting = ((columns - span) / step + 1);
  const index_t most = min(most_pixels, fitting) / depthwise_pixels * depthwise_pixels;
  const index_t even = ceil_div(out_width, ceil_div(out_width, most));
  return {pare::detail::round_up(even, depthwise_pixels), taps, span, step};
}

/// A row of the image, or of padding: bytes from `at` on, a step for each column.
struct depthwise_row {
  const std::uint8_t* at;
  index_t step;
};

/// The row that row 4 * group + i of the window reads for row `y` of the outputs; `padding` where it
/// lies outside the image, and where it lies beyond the window: weights are zero there.
PARE_ALWAYS_INLINE depthwise_row row_of_group(const depthwise_s8_args& args, index_t image,
                                              index_t y, index_t group, index_t i,
                                              const std::uint8_t* padding) noexcept {
  const window& w = args.window;
  const index_t tap = 4 * group + i, taps = w.height + (args.variants - 1) * w.stride_y;
  if (tap >= taps) return {padding, 0};
  const index_t row = y * w.stride_y - w.pad_top + tap * w.dilation_y;
  if (row < 0 || row >= args.height) return {padding, 0};
  return {args.x + image * args.image_stride + row * args.row_stride, args.pixel_stride};
}

/// Columns of an image from left to right: padding, then the image's, then padding again.
struct column_range {
  index_t before, inside, after;
};
constexpr PARE_ALWAYS_INLINE column_range columns_inside(const depthwise_s8_args& args,
                                                         index_t first, index_t columns) noexcept {
  using pare::detail::clamp;
  const index_t before = clamp<index_t>(-first, 0, columns);
  const index_t inside = clamp<index_t>(args.width - first, before, columns) - before;
  return {before, inside, columns - before - inside};
}

}  // namespace pare::kernels

#endif  // PARE_KERNELS_DEPTHWISE_S8_HPP
