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
#include <pare/kernels/cortex_m/copy_mve.hpp>

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

/// Bytes of copied windows. They are no more than those of a panel of four columns.
constexpr PARE_CHOICE_INLINE index_t copied_window_bytes(const packed_conv2d_view& layer,
                                                         index_t out_width) noexcept {
  return reads_pixels(layer) ? 0 : min(copied_windows, out_width) * layer.first_group.in_features;
}

PARE_ALWAYS_INLINE void copy_pixels(void* to, const void* from, index_t bytes) noexcept {
#if PARE_MVE_KERNELS
  kernels::mve::copy_bytes(to, from, bytes);
#else
  std::memcpy(to, from, static_cast<std::size_t>(bytes));
#endif
}

/// Copies one window as its weights are packed: taps of whole words, where the last word of a tap ends
/// with it and overlaps the one before.
///
/// @param pixels  the group's first channel of the first pixel of the image
/// @param y, x    where the window begins in the image
/// @return the end of the copy
template <class X>
PARE_NOINLINE std::uint8_t* copy_window(const strided_image_view<const X>& image,
                                        const packed_conv2d_view& layer, const X* pixels, index_t y,
                                        index_t x, std::uint8_t* to) noexcept {
  const window& w = layer.window;
  const index_t channels = layer.group_inputs();
  const bool is_row = layer.taps == conv2d_taps::rows;
  const index_t tap = is_row ? w.width * channels : channels, rest = tap % 4;
  // Pixels side by side are copied together, unless their taps are filled up.
  const bool is_run =
      image.stride(2) == channels && w.dilation_x == 1 && (is_row || channels % 4 == 0);
  const index_t run = is_run ? w.width : 1, bytes = run * channels;
  for (index_t i = 0; i < w.height; ++i) {
    const index_t row = y + i * w.dilation_y;
    for (index_t j = 0; j < w.width; j += run) {
      const index_t at = x + j * w.dilation_x;
      const index_t first = max<index_t>(-at, 0), count = min(image.extent(2) - at, run) - first;
      const bool is_inside = row >= 0 && row < image.extent(1) && count > 0;
      if (!is_inside || count < run) {
        std::memset(to, layer.first_group.options.input.zero_point,
                    static_cast<std::size_t>(bytes));
      }
      if (is_inside) {
        copy_pixels(to + first * channels,
                    pixels + row * image.stride(1) + (at + first) * image.stride(2),
                    count * channels);
      }
      to += bytes;
      if (rest == 0 || (is_row && j + run < w.width)) continue;
      if (tap >= 4) std::memcpy(to - rest, to - 4, 4);
      to += 4 - rest;
    }
  }
  return to;
}

/// From the weights of one group to those of the next.
template <class Y>
void move_to_next_group(kernels::gemm_s8_args& args, index_t bytes) noexcept {
  const auto move = [bytes](auto*& p) {
    using pointer = std::remove_reference_t<decltype(p)>;
    if (p != nullptr) p = reinterpret_cast<pointer>(reinterpret_cast<const std::byte*>(p) + bytes);
  };
  move(args.panels), move(args.sums), move(args.bias_codes);
  if constexpr (std::is_same_v<Y, float>) move(args.column_scales), move(args.bias);
  if constexpr (sizeof(Y) == 1) move(args.factors), move(args.multipliers), move(args.shifts);
}

/// What copies windows, where there may be any to copy.
template <class X>
using window_copier = std::uint8_t* (*)(const strided_image_view<const X>&,
                                        const packed_conv2d_view&, const X*, index_t, index_t,
                                        std::uint8_t*) noexcept;

/// Null where the compiler knows that pixels are read.
template <class X>
PARE_CHOICE_INLINE window_copier<X> window_copier_of(const packed_conv2d_view& layer) noexcept {
  return reads_pixels(layer) ? nullptr : copy_window<X>;
}

/// The convolution after the checks.
template <class X, class Y>
PARE_NOINLINE status run_conv2d_windows(gemm_function gemm, window_copier<X> copy,
                                        const output_choice& choice,
                                        const strided_image_view<const X>& x,
                                        const packed_conv2d_view& layer,
                                        const strided_image_view<Y>& y,
                                        workspace scratch) noexcept {
  const window& w = layer.window;
  const index_t out_width = y.extent(2), bytes = copied_window_bytes(layer, out_width);
  if (scratch.size() < bytes) {
    return {status_code::workspace_too_small,
            "the scratch is shorter than conv2d_workspace_size says", "scratch",
            position_kind::byte, bytes};
  }
  if (layer.out_channels == 0) return {};
  const index_t at_once = copy != nullptr ? copied_windows : out_width;
  for (index_t image = 0; image < x.extent(0); ++image) {
    kernels::gemm_s8_args args = args_of(layer.first_group, 0);
    set_codes<X, Y>(args, layer.first_group, choice);
    args.c_stride = y.stride(2);
    const X* pixels = x.data_handle() + image * x.stride(0);
    Y* out = y.data_handle() + image * y.stride(0);
    for (index_t group = 0; group < layer.groups; ++group) {
      for (index_t line = 0; line < y.extent(1); ++line) {
        for (index_t pixel = 0; pixel < out_width; pixel += args.rows) {
          args.rows = min(at_once, out_width - pixel);
          args.c = out + line * y.stride(1) + pixel * args.c_stride;
          if (copy != nullptr) {
            auto* to = reinterpret_cast<std::uint8_t*>(scratch.data());
            args.a = to;
            args.a_stride = args.k;
            for (index_t i = pixel; i < pixel + args.rows; ++i) {
              to = copy(x, layer, pixels, line * w.stride_y - w.pad_top,
                        i * w.stride_x - w.pad_left, to);
            }
          } else {
            args.a =
                reinterpret_cast<const std::uint8_t*>(pixels + line * w.stride_y * x.stride(1));
            args.a_stride = args.rows > 1 ? w.stride_x * x.stride(2) : 0;
            args.k = layer.group_inputs();
          }
          gemm(args, {0, args.rows, 0, ceil_div(args.columns, args.tile_columns)});
        }
      }
      move_to_next_group<Y>(args, layer.group_bytes);
      pixels += layer.group_inputs();
      out += args.columns;
    }
  }
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare::detail

#endif  // PARE_KERNELS_CONV2D_WINDOWS_HPP
