// The checks of shapes and strides that every convolution begins with.
#ifndef PARE_KERNELS_CONV_SHAPES_HPP
#define PARE_KERNELS_CONV_SHAPES_HPP

#include <pare/format/window.hpp>
#include <pare/kernels/linear.hpp>

namespace pare {

/// Four dimensions of any strides: what an NHWC tensor looks like to the kernels.
template <class T>
using strided_image_view = tensor_view<T, dextents<index_t, 4>, layout_stride>;

namespace detail {
inline namespace PARE_ABI {

/// Whether the channels of a pixel lie side by side.
template <class View>
constexpr PARE_CHOICE_INLINE bool has_unit_channels(const View& v) noexcept {
  return v.extent(3) <= 1 || v.stride(3) == 1;
}

/// x [n, h, w, in], y [n, ., ., out], channels side by side.
template <class X, class Y>
constexpr PARE_CHOICE_INLINE status check_conv_channels(const X& x, index_t in_channels,
                                                        index_t out_channels, const Y& y) noexcept {
  static_assert(X::rank() == 4 && Y::rank() == 4,
                "pare: images are [batch, height, width, channels]");
  if (x.extent(3) != in_channels) {
    return {status_code::shape_mismatch, "the channels of x must be the layer's inputs", "x",
            position_kind::axis, 3};
  }
  if (y.extent(3) != out_channels) {
    return {status_code::shape_mismatch, "the channels of y must be the layer's outputs", "y",
            position_kind::axis, 3};
  }
  if (x.extent(0) != y.extent(0)) {
    return {status_code::shape_mismatch, "x and y must have the same number of images", "y",
            position_kind::axis, 0};
  }
  if (!has_unit_channels(x) || !has_unit_channels(y)) {
    return {status_code::unsupported,
            "the channels of a pixel must lie side by side; pixels may lie apart",
            has_unit_channels(x) ? "y" : "x", position_kind::axis, 3};
  }
  return {};
}

/// The rows and columns of y are the outputs of the window over x.
template <class X, class Y>
constexpr PARE_CHOICE_INLINE status check_conv_windows(const X& x, const window& w,
                                                       const Y& y) noexcept {
  const auto height = output_height(w, x.extent(1));
  if (!height) return height.error();
  const auto width = output_width(w, x.extent(2));
  if (!width) return width.error();
  if (y.extent(1) != *height || y.extent(2) != *width) {
    return {status_code::shape_mismatch,
            "y must have the rows and columns that output_height and output_width say", "y",
            position_kind::axis, y.extent(1) != *height ? 1 : 2};
  }
  return {};
}
/// Both.
template <class X, class Y>
constexpr PARE_CHOICE_INLINE status check_conv_shapes(const X& x, const window& w,
                                                      index_t in_channels, index_t out_channels,
                                                      const Y& y) noexcept {
  PARE_RETURN_IF_ERROR(check_conv_channels(x, in_channels, out_channels, y));
  return check_conv_windows(x, w, y);
}

template <class X, class Y>
PARE_NOINLINE status check_conv_windows_apart(const X& x, const window& w, const Y& y) noexcept {
  return check_conv_windows(x, w, y);
}

/// Whether the compiler knows that a window is a pixel, and outputs are as many as inputs.
constexpr PARE_CHOICE_INLINE bool is_known_pixel(const window& w) noexcept {
  const index_t pads = w.pad_top | w.pad_bottom | w.pad_left | w.pad_right;
  const bool is_pixel = w.height == 1 && w.width == 1 && w.stride_y == 1 && w.stride_x == 1 &&
                        w.dilation_y == 1 && w.dilation_x == 1 && pads == 0;
  return are_known(is_pixel) && is_pixel;
}

/// `check_conv_windows`, as short as it can be.
template <class X, class Y>
PARE_CHOICE_INLINE status check_windows(const X& x, const window& w, const Y& y) noexcept {
  return is_known_pixel(w) ? check_conv_windows(x, w, y) : check_conv_windows_apart(x, w, y);
}

}  // namespace PARE_ABI
}  // namespace detail
}  // namespace pare

#endif  // PARE_KERNELS_CONV_SHAPES_HPP
