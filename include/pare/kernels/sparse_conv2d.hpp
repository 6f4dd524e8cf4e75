// y = act(convolution of x + bias) with block-sparse weights, int8 or f32: the sparse product over
// what the window shows.
//
// A 1x1 window of stride 1 reads the pixels as they lie: NHWC images are the rows of a linear layer.
// Other windows are gathered, 64 of them at a time, on their way into panels.
#ifndef PARE_KERNELS_SPARSE_CONV2D_HPP
#define PARE_KERNELS_SPARSE_CONV2D_HPP

#include <pare/kernels/bcsr_linear.hpp>
#include <pare/kernels/block_sparse_linear.hpp>
#include <pare/kernels/conv_shapes.hpp>
#include <pare/kernels/pack_sparse_conv2d.hpp>

namespace pare {
namespace detail {
inline namespace PARE_ABI {

/// Images under a window, in bytes: where the rows of a product come from.
struct gathered_images {
  const std::uint8_t* data = nullptr;
  index_t height = 0, width = 0, out_height = 0, out_width = 0;
  index_t image = 0, line = 0, pixel = 0;  ///< bytes to the next one
  index_t pixel_bytes = 0;                 ///< of its channels
  pare::window window{};
  std::uint8_t padding = 0;
};

/// One piece of each of 64 windows.
struct window_rows {
  static constexpr index_t bytes = 64;  ///< of a piece
  const std::uint8_t* image[panel_rows];
  index_t y[panel_rows], x[panel_rows];
  alignas(64) std::uint8_t piece[panel_rows * bytes];
};

/// Part of a tap: `count` bytes of its pixel from `first` on, to byte `to` of the pieces.
inline void gather_tap(const gathered_images& s, index_t rows, index_t tap, index_t first,
                       index_t count, index_t to, window_rows& r) noexcept {
  const index_t down = tap / s.window.width * s.window.dilation_y;
  const index_t right = tap % s.window.width * s.window.dilation_x;
  std::uint8_t* piece = r.piece + to;
  for (index_t i = 0; i < rows; ++i, piece += window_rows::bytes) {
    const index_t y = r.y[i] + down, x = r.x[i] + right;
    if (y < 0 || y >= s.height || x < 0 || x >= s.width) {
      std::memset(piece, s.padding, static_cast<std::size_t>(count));
      continue;
    }
    const std::uint8_t* from = r.image[i] + y * s.line + x * s.pixel + first;
    if (count == window_rows::bytes) {  // a size that the compiler knows
      std::memcpy(piece, from, window_rows::bytes);
    } else {
      std::memcpy(piece, from, static_cast<std::size_t>(count));
    }
  }
}

/// The windows of the outputs [first, first + rows), counted over all images, as one panel.
inline void pack_windows(pack_panel_function pack_panel, const gathered_images& s, index_t first,
                         index_t rows, std::uint8_t flip, std::uint8_t* panel) noexcept {
  window_rows r;
  for (index_t i = 0; i < rows; ++i) {
    const index_t line = (first + i) / s.out_width;
    r.image[i] = s.data + line / s.out_height * s.image;
    r.y[i] = line % s.out_height * s.window.stride_y - s.window.pad_top;
    r.x[i] = (first + i) % s.out_width * s.window.stride_x - s.window.pad_left;
  }
  const index_t bytes = s.window.height * s.window.width * s.pixel_bytes;
  for (index_t at = 0; at < bytes; at += window_rows::bytes) {
    const index_t end = min(at + window_rows::bytes, bytes);
    for (index_t k = at; k < end;) {
      const index_t within = k % s.pixel_bytes, count = min(end - k, s.pixel_bytes - within);
      gather_tap(s, rows, k / s.pixel_bytes, within, count, k - at, r);
      k += count;
    }
    pack_panel(r.piece, window_rows::bytes, rows, end - at, flip, panel + at * panel_width(rows));
  }
}

/// The bytes from pixel to pixel where they are the same throughout, from line to line and image to
/// image; otherwise 0.
template <class View>
constexpr index_t even_pixels(const View& v) noexcept {
  const index_t height = v.extent(1), width = v.extent(2);
  const index_t pixel = width > 1 ? v.stride(2) : height > 1 ? v.stride(1) : v.stride(0);
  if (height > 1 && v.stride(1) != width * pixel) return 0;
  if (v.extent(0) > 1 && v.stride(0) != height * width * pixel) return 0;
  return pixel > 0 || v.extent(0) * height * width > 1 ? max<index_t>(pixel, 0) : 1;
}

constexpr bool is_pointwise(const window& w) noexcept {
  return w.height == 1 && w.width == 1 && w.stride_y == 1 && w.stride_x == 1 && w.pad_top == 0 &&
         w.pad_bottom == 0 && w.pad_left == 0 && w.pad_right == 0;
}

/// Images whose pixels are evenly spaced as the rows of a linear layer.
template <class T>
strided_matrix_view<T> pixels_of(const strided_image_view<T>& v) noexcept {
  return view_rows(v.data_handle(), v.extent(0) * v.extent(1) * v.extent(2), v.extent(3),
                   even_pixels(v));
}

/// The pixels of one line of all images.
template <class T>
strided_matrix_view<T> line_of(const strided_image_view<T>& v, index_t line) noexcept {
  const index_t image = line / v.extent(1), row = line % v.extent(1);
  return view_rows(v.data_handle() + image * v.stride(0) + row * v.stride(1), v.extent(2),
                   v.extent(3), v.stride(2));
}

template <class X>
gathered_images source_of(const strided_image_view<const X>& x, const window& w, index_t out_height,
                          index_t out_width, std::uint8_t padding) noexcept {
  constexpr auto size = static_cast<index_t>(sizeof(X));
  gathered_images s;
  s.data = reinterpret_cast<const std::uint8_t*>(x.data_handle());
  s.height = x.extent(1);
  s.width = x.extent(2);
  s.out_height = out_height;
  s.out_width = out_width;
  s.image = x.stride(0) * size;
  s.line = x.stride(1) * size;
  s.pixel = x.stride(2) * size;
  s.pixel_bytes = x.extent(3) * size;
  s.window = w;
  s.padding = padding;
  return s;
}

/// Shapes, and whether the outputs are the rows of a product.
template <class X, class Y>
status check_sparse_conv2d(const strided_image_view<const X>& x, const window& w,
                           index_t in_channels, index_t inputs, index_t out_channels,
                           std::int32_t block_rows, const strided_image_view<Y>& y) noexcept {
  PARE_RETURN_IF_ERROR(check_window(w));
  PARE_RETURN_IF_ERROR(check_conv_shapes(x, w, in_channels, out_channels, y));
  index_t columns = 0, rows = 0;
  if (!checked_multiply(w.height, w.width, columns) ||
      !checked_multiply(columns, in_channels, columns) || columns != inputs) {
    return {status_code::shape_mismatch, "the weights have a column for each tap and channel",
            "weights", position_kind::axis, 1};
  }
  if (!checked_multiply(y.extent(0), y.extent(1), rows) ||
      !checked_multiply(rows, y.extent(2), rows)) {
    return {status_code::overflow, "the pixels of all images do not fit the index type", "y"};
  }
  if (even_pixels(y) == 0) {
    return {status_code::unsupported, "the pixels of y must be evenly spaced", "y"};
  }
  if (block_rows == 16 && !(is_pointwise(w) && even_pixels(x) != 0)) {
    return {status_code::unsupported,
            "blocks of 16 rows are for 1x1 windows of stride 1 over evenly spaced pixels",
            "weights"};
  }
  return {};
}

/// Rows of the product for images of this size.
constexpr result<index_t> sparse_conv2d_rows(const window& w, index_t images, index_t height,
                                             index_t width) noexcept {
  const auto out_height = output_height(w, height);
  if (!out_height) return out_height.error();
  const auto out_width = output_width(w, width);
  if (!out_width) return out_width.error();
  index_t rows = 0;
  if (!checked_multiply(images, *out_height, rows) || !checked_multiply(rows, *out_width, rows)) {
    return {status_code::overflow, "the pixels of all images do not fit the index type", "images"};
  }
  return rows;
}

template <class X, class Y, class Parallel>
status sparse_conv2d(const strided_image_view<const X>& x, const packed_sparse_conv2d_view& layer,
                     const strided_image_view<Y>& y, workspace scratch,
                     const Parallel& parallel_for) noexcept {
  const packed_sparse_linear_view& linear_part = layer.linear;
  PARE_RETURN_IF_ERROR(
      check_sparse_conv2d(x, layer.window, layer.in_channels, linear_part.base.in_features,
                          linear_part.base.out_features, linear_part.weights.shape.block_rows, y));
  const auto rows = pixels_of(y);
  if (is_pointwise(layer.window) && even_pixels(x) != 0) {
    return linear(pixels_of(x), linear_part, rows, scratch, parallel_for);
  }
  if (!has_panel_kernels && is_pointwise(layer.window)) {
    // Kernels that take a row at a time need no panels: the pixels of a line are evenly spaced.
    for (index_t line = 0; line < x.extent(0) * x.extent(1); ++line) {
      PARE_RETURN_IF_ERROR(
          linear(line_of(x, line), linear_part, line_of(y, line), scratch, parallel_for));
    }
    return {};
  }
  kernels::spmm_s8_args args;
  PARE_RETURN_IF_ERROR((set_sparse_args<X, Y>(linear_part, rows.extent(0), args)));
  args.product.c = rows.data_handle();
  args.product.c_stride = rows.stride(0);
  const auto pack_panel = pack_panel_kernel_of(active_isa());
  const gathered_images source =
      source_of(x, layer.window, y.extent(1), y.extent(2),
                static_cast<std::uint8_t>(linear_part.base.options.input.zero_point));
  const auto pack = [&](index_t first, index_t rows_of_panel, std::uint8_t* panel) {
    pack_windows(pack_panel, source, first, rows_of_panel, flip_of_panels<X>(), panel);
  };
  return run_packing(args, scratch, pack, parallel_for);
}

template <class Parallel>
status sparse_conv2d(const strided_image_view<const float>& x, const bcsr_view<float>& w,
                     const window& window, vector_view<const float> bias,
                     const strided_image_view<float>& y, workspace scratch, activation act,
                     const Parallel& parallel_for) noexcept {
  PARE_RETURN_IF_ERROR(check_bcsr_linear(w, bias));
  PARE_RETURN_IF_ERROR(
      check_sparse_conv2d(x, window, x.extent(3), w.columns, w.rows, w.shape.block_rows, y));
  const auto rows = pixels_of(y);
  if (is_pointwise(window) && even_pixels(x) != 0) {
    return linear(pixels_of(x), w, bias, rows, scratch, act, parallel_for);
  }
  kernels::spmm_f32_args args = args_of(w, bias, act, rows.extent(0));
  args.c = rows.data_handle();
  args.c_stride = rows.stride(0);
  const auto pack_panel = pack_panel_kernel_of(active_isa());
  const gathered_images source = source_of(x, window, y.extent(1), y.extent(2), 0);
  const auto pack = [&](index_t first, index_t rows_of_panel, std::uint8_t* panel) {
    pack_windows(pack_panel, source, first, rows_of_panel, 0, panel);
  };
  return run_packing(args, scratch, pack, parallel_for);
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Bytes of scratch that `conv2d` uses with block-sparse weights, exact for 64-byte aligned memory:
/// what the window shows of all images, in panels.
///
/// @return as `output_height` and `output_width`; `overflow`
[[nodiscard]] constexpr result<index_t> sparse_conv2d_workspace_size(
    const packed_sparse_conv2d_view& layer, index_t images, index_t height,
    index_t width) noexcept {
  const auto rows = detail::sparse_conv2d_rows(layer.window, images, height, width);
  if (!rows) return rows.error();
  if (layer.linear.weights.shape.block_rows == 16 || detail::is_pointwise(layer.window)) {
    return sparse_linear_workspace_size(layer.linear, *rows);
  }
  return activation_panels_size<std::uint8_t>(*rows, layer.linear.base.in_features);
}

/// The same for f32 weights.
[[nodiscard]] constexpr result<index_t> sparse_conv2d_workspace_size(const bcsr_view<float>& w,
                                                                     const window& window,
                                                                     index_t images, index_t height,
                                                                     index_t width) noexcept {
  const auto rows = detail::sparse_conv2d_rows(window, images, height, width);
  if (!rows) return rows.error();
  return sparse_linear_workspace_size(w, *rows);
}

/// y = act(convolution of x + bias), block-sparse int8 weights.
///
/// Outputs, options and arithmetic are those of `conv2d` with dense int8 weights (kernels/conv2d.hpp):
/// the same layer gives the same bits.
///
/// @param x             [images, height, width, in] in s8 or u8; channels side by side, the rest any
///                      strides apart
/// @param layer         from `pack_sparse_conv2d`
/// @param y             [images, output_height, output_width, out] in s32, f32, s8 or u8; pixels
///                      evenly spaced throughout; must not overlap x
/// @param scratch       `sparse_conv2d_workspace_size` bytes
/// @param parallel_for  see core/parallel.hpp
/// @return as `conv2d` with dense weights; `unsupported` where pixels of y are unevenly spaced, and
///         for blocks of 16 rows with other windows than 1x1 of stride 1; y is then untouched
///
/// Never allocates.
template <class X, class EX, class LX, class Y, class EY, class LY, class Parallel = serial>
status conv2d(const tensor_view<X, EX, LX>& x, const packed_sparse_conv2d_view& layer,
              const tensor_view<Y, EY, LY>& y, workspace scratch = {},
              const Parallel& parallel_for = {}) noexcept {
  using code = std::remove_const_t<X>;
  static_assert(detail::is_code_type<code>, "pare: inputs are int8_t or uint8_t");
  return detail::sparse_conv2d(strided_image_view<const code>(x), layer, strided_image_view<Y>(y),
                               scratch, parallel_for);
}

/// y = act(convolution of x + bias), block-sparse f32 weights. Padding is 0.
///
/// @param x       [images, height, width, in]; channels side by side, the rest any strides apart
/// @param w       [out, kh * kw * in] as `as_window_matrix` has them, blocks of 1x1 (CSR) or 4x1, or
///                16x1 for a 1x1 window of stride 1 and few pixels; trusted: see `validate` for
///                matrices from files
/// @param window  its height and width are those of the weights
/// @param bias    [out], or empty
/// @param y       [images, output_height, output_width, out]; pixels evenly spaced throughout; must
///                not overlap x
/// @param scratch `sparse_conv2d_workspace_size` bytes
/// @param act     what follows
/// @return as the int8 form, and as `linear` with block-sparse f32 weights
///
/// Sums are float: the same bits for any number of threads, not for every instruction set. Never
/// allocates.
template <class X, class EX, class LX, class EY, class LY, class Parallel = serial>
status conv2d(const tensor_view<X, EX, LX>& x, const bcsr_view<float>& w, const window& window,
              vector_view<const float> bias, const tensor_view<float, EY, LY>& y, workspace scratch,
              activation act = activation::none, const Parallel& parallel_for = {}) noexcept {
  static_assert(std::is_same_v<std::remove_const_t<X>, float>,
                "pare: activations of an f32 layer are float");
  return detail::sparse_conv2d(strided_image_view<const float>(x), w, window, bias,
                               strided_image_view<float>(y), scratch, act, parallel_for);
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_KERNELS_SPARSE_CONV2D_HPP
