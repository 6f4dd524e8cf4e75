// A convolution whose windows are copied, a few at a time, into rows of a matrix: what Cortex-M runs.
//
// Its kernels unpack the rows of a product anyway, so that padding, dilation and gaps between pixels
// end in the copy, and the product is a plain one. Takes less code and less memory than a padded
// image. Windows of one pixel without padding are read where they are.
#ifndef PARE_KERNELS_CONV2D_WINDOWS_HPP
#define PARE_KERNELS_CONV2D_WINDOWS_HPP

#include <cstring>

#include <pare/format/packed_conv2d.hpp>
#include <pare/kernels/conv_shapes.hpp>

namespace pare::detail {

/// Whether `conv2d` copies windows rather than images.
inline constexpr bool copies_windows = has_no_caches;

/// Windows that one product takes.
inline constexpr index_t copied_windows = 4;

inline namespace PARE_ABI {

/// Whether the pixels of the image are the rows of the product.
constexpr PARE_CHOICE_INLINE bool reads_pixels(const packed_conv2d_view& layer) noexcept {
  const window& w = layer.window;
  return layer.taps == conv2d_taps::pixels && w.height == 1 && w.width == 1 &&
         (w.pad_top | w.pad_bottom | w.pad_left | w.pad_right) == 0;
}

/// Bytes of copied windows; false where they overflow.
constexpr bool copied_window_bytes(const packed_conv2d_view& layer, index_t out_width,
                                   index_t& bytes) noexcept {
  bytes = 0;
  return reads_pixels(layer) ||
         checked_multiply(min(copied_windows, out_width), layer.first_group.in_features, bytes);
}

/// What the windows of one group of channels are copied from.
struct window_source {
  const std::uint8_t* pixels;  ///< the group's first channel of the first pixel
  index_t height, width, row_stride, pixel_stride;
  index_t channels;  ///< of the group
  index_t run;       ///< pixels of a row of the window that are copied at once
  index_t tap;       ///< bytes of a tap, see `conv2d_taps`
  int zero_point;    ///< what padding is made of
};

/// Copies one window as its weights are packed: taps of whole words, where the last word of a tap ends
/// with it and overlaps the one before.
///
/// @param y, x  of the image, where the window begins
/// @return the end of the copy
PARE_NOINLINE inline std::uint8_t* copy_window(const window_source& s, const window& w, index_t y,
                                               index_t x, std::uint8_t* to) noexcept {
  const index_t bytes = s.run * s.channels, rest = s.tap % 4;
  index_t in_tap = 0;
  for (index_t i = 0; i < w.height; ++i) {
    const index_t row = y + i * w.dilation_y;
    for (index_t j = 0; j < w.width; j += s.run) {
      const index_t at = x + j * w.dilation_x;
      const index_t first = max<index_t>(-at, 0), last = min(s.width - at, s.run);
      const bool is_inside = row >= 0 && row < s.height && first < last;
      if (!is_inside || last - first < s.run) {
        std::memset(to, s.zero_point, static_cast<std::size_t>(bytes));
      }
      if (is_inside) {
        std::memcpy(to + first * s.channels,
                    s.pixels + row * s.row_stride + (at + first) * s.pixel_stride,
                    static_cast<std::size_t>((last - first) * s.channels));
      }
      to += bytes;
      in_tap += bytes;
      if (rest == 0 || in_tap < s.tap) continue;
      in_tap = 0;
      if (s.tap >= 4) std::memcpy(to - rest, to - 4, 4);
      to += 4 - rest;
    }
  }
  return to;
}

/// The convolution after the checks.
template <class X, class Y>
PARE_NOINLINE status run_conv2d_windows(gemm_function gemm, const output_choice& choice,
                                        const strided_image_view<const X>& x,
                                        const packed_conv2d_view& layer,
                                        const strided_image_view<Y>& y,
                                        workspace scratch) noexcept {
  const window& w = layer.window;
  const index_t out_width = y.extent(2);
  if (x.extent(0) == 0 || layer.out_channels == 0) return {};
  const bool is_copied = !reads_pixels(layer);
  index_t bytes = 0;
  if (!copied_window_bytes(layer, out_width, bytes)) {
    return {status_code::overflow, "the windows do not fit the index type", "x"};
  }
  std::uint8_t* const windows = scratch.take<std::uint8_t>(bytes);
  if (bytes > 0 && windows == nullptr) {
    return {status_code::workspace_too_small,
            "the scratch is shorter than conv2d_workspace_size says", "scratch",
            position_kind::byte, bytes};
  }

  window_source source;
  source.height = x.extent(1);
  source.width = x.extent(2);
  source.row_stride = x.stride(1);
  source.pixel_stride = x.stride(2);
  source.channels = layer.group_inputs();
  source.tap = source.channels;
  source.run = 1;
  source.zero_point = layer.first_group.options.input.zero_point;
  if (layer.taps == conv2d_taps::rows) source.tap *= w.width;
  if (source.pixel_stride == source.channels && w.dilation_x == 1 &&
      (source.tap != source.channels || source.channels % 4 == 0)) {
    source.run = w.width;
  }
  const index_t at_once = is_copied ? copied_windows : out_width;
  for (index_t image = 0; image < x.extent(0); ++image) {
    for (index_t group = 0; group < layer.groups; ++group) {
      const packed_linear_view linear = group_of(layer, group);
      kernels::gemm_s8_args args = args_of(linear, 0);
      set_codes<X, Y>(args, linear, choice);
      args.c_stride = y.stride(2);
      source.pixels = reinterpret_cast<const std::uint8_t*>(x.data_handle()) + image * x.stride(0) +
                      group * source.channels;
      for (index_t line = 0; line < y.extent(1); ++line) {
        for (index_t pixel = 0; pixel < out_width; pixel += at_once) {
          const index_t rows = min(at_once, out_width - pixel);
          args.rows = rows;
          args.c = y.data_handle() + image * y.stride(0) + line * y.stride(1) +
                   pixel * args.c_stride + group * args.columns;
          if (is_copied) {
            std::uint8_t* to = windows;
            args.a = windows;
            args.a_stride = args.k;
            for (index_t i = pixel; i < pixel + rows; ++i) {
              to = copy_window(source, w, line * w.stride_y - w.pad_top,
                               i * w.stride_x - w.pad_left, to);
            }
          } else {
            args.a = source.pixels + line * w.stride_y * source.row_stride;
            args.a_stride = rows > 1 ? w.stride_x * source.pixel_stride : 0;
            args.k = source.channels;
          }
          gemm(args, {0, rows, 0, linear.panels_count()});
        }
      }
    }
  }
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare::detail

#endif  // PARE_KERNELS_CONV2D_WINDOWS_HPP
