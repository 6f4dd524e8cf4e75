// The window that a convolution or a pooling slides over an NHWC tensor: its size, steps and
// padding, and the shape that comes out.
//
// Padding "SAME" is that of TensorFlow Lite (kernels/padding.h): ceil(size / stride) outputs, and
// where the padding is odd, the larger half at the end. "VALID" is no padding, the default here.
#ifndef PARE_FORMAT_WINDOW_HPP
#define PARE_FORMAT_WINDOW_HPP

#include <pare/core/checked.hpp>

namespace pare {

/// A window of `height` x `width` taps. Tap (i, j) of output (y, x) reads the input at
/// (y * stride_y - pad_top + i * dilation_y, x * stride_x - pad_left + j * dilation_x); what lies
/// outside the input is padding.
struct window {
  index_t height = 1, width = 1;           ///< taps, at least 1
  index_t stride_y = 1, stride_x = 1;      ///< steps from output to output, at least 1
  index_t dilation_y = 1, dilation_x = 1;  ///< steps from tap to tap, at least 1
  index_t pad_top = 0, pad_bottom = 0, pad_left = 0, pad_right = 0;  ///< not negative
};

namespace detail {

/// One axis of a window.
struct window_axis {
  index_t taps, stride, dilation, before, after;

  /// From the first tap to the last, both included. The window has been checked.
  constexpr PARE_ALWAYS_INLINE index_t span() const noexcept { return (taps - 1) * dilation + 1; }
};

constexpr PARE_ALWAYS_INLINE window_axis vertical(const window& w) noexcept {
  return {w.height, w.stride_y, w.dilation_y, w.pad_top, w.pad_bottom};
}
constexpr PARE_ALWAYS_INLINE window_axis horizontal(const window& w) noexcept {
  return {w.width, w.stride_x, w.dilation_x, w.pad_left, w.pad_right};
}

constexpr PARE_ALWAYS_INLINE status check_window_axis(const window_axis& a) noexcept {
  if (a.taps < 1) {
    return {status_code::out_of_range, "a window has at least one tap along each axis", "window"};
  }
  if (a.stride < 1 || a.dilation < 1) {
    return {status_code::out_of_range, "strides and dilations are at least 1", "window"};
  }
  if (a.before < 0 || a.after < 0) {
    return {status_code::out_of_range, "padding is not negative", "window"};
  }
  index_t span = 0, pads = 0;
  if (!checked_multiply(a.taps - 1, a.dilation, span) || !checked_add(span, 1, span) ||
      !checked_add(a.before, a.after, pads)) {
    return {status_code::overflow, "the window does not fit the index type", "window"};
  }
  return {};
}

constexpr PARE_ALWAYS_INLINE result<index_t> window_outputs(const window_axis& a,
                                                            index_t size) noexcept {
  PARE_RETURN_IF_ERROR(check_window_axis(a));
  if (size < 1) {
    return {status_code::empty, "a window slides over an input of at least one row and column",
            "input"};
  }
  index_t padded = 0;
  if (!checked_add(size, a.before + a.after, padded)) {
    return {status_code::overflow, "the padded input does not fit the index type", "window"};
  }
  if (padded < a.span()) {
    return {status_code::shape_mismatch, "the window is larger than the padded input", "window"};
  }
  return (padded - a.span()) / a.stride + 1;
}

/// Sets the padding of one axis to SAME; all has been checked.
constexpr PARE_ALWAYS_INLINE status same_padding_axis(const window_axis& a, index_t size,
                                                      index_t& before, index_t& after) noexcept {
  PARE_RETURN_IF_ERROR(check_window_axis(a));
  if (size < 1) {
    return {status_code::empty, "a window slides over an input of at least one row and column",
            "input"};
  }
  // (outputs - 1) * stride < size, and only what the window adds to it can overflow.
  const index_t last = (ceil_div(size, a.stride) - 1) * a.stride;
  const index_t rest = size - last;  // of the input, from where the last window begins
  const index_t total = max<index_t>(a.span() - rest, 0);
  before = total / 2;
  after = total - before;
  return {};
}

/// The taps that read the input, where the first would read it at `at`: [first, last), empty where
/// first >= last.
struct tap_range {
  index_t first, last;
};
constexpr PARE_ALWAYS_INLINE tap_range taps_inside(const window_axis& a, index_t at,
                                                   index_t size) noexcept {
  return {at >= 0 ? 0 : ceil_div(-at, a.dilation),
          at >= size ? 0 : min(a.taps, ceil_div(size - at, a.dilation))};
}

}  // namespace detail

/// Whether a window can be slid over some input.
///
/// @return `out_of_range` where taps, strides or dilations are below 1 or padding is negative,
///         `overflow` where its span or its padding do not fit the index type
constexpr PARE_ALWAYS_INLINE status check_window(const window& w) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_window_axis(detail::vertical(w)));
  return detail::check_window_axis(detail::horizontal(w));
}

/// The number of output rows over `height` input rows:
/// (height + pad_top + pad_bottom - span) / stride_y + 1, rounded down.
///
/// @return as `check_window`; `empty` where height is below 1; `shape_mismatch` where the window is
///         larger than the padded input
[[nodiscard]] constexpr PARE_ALWAYS_INLINE result<index_t> output_height(const window& w,
                                                                         index_t height) noexcept {
  return detail::window_outputs(detail::vertical(w), height);
}

/// The number of output columns over `width` input columns; as `output_height`.
[[nodiscard]] constexpr PARE_ALWAYS_INLINE result<index_t> output_width(const window& w,
                                                                        index_t width) noexcept {
  return detail::window_outputs(detail::horizontal(w), width);
}

/// `w` with the padding that gives ceil(height / stride_y) x ceil(width / stride_x) outputs:
/// TensorFlow Lite's SAME.
///
/// @param w       its own padding is not used, but must not be negative
/// @param height  of the input
/// @param width   of the input
/// @return as `check_window`, or `empty` where height or width is below 1
[[nodiscard]] constexpr PARE_ALWAYS_INLINE result<window> same_padding(window w, index_t height,
                                                                       index_t width) noexcept {
  PARE_RETURN_IF_ERROR(
      detail::same_padding_axis(detail::vertical(w), height, w.pad_top, w.pad_bottom));
  PARE_RETURN_IF_ERROR(
      detail::same_padding_axis(detail::horizontal(w), width, w.pad_left, w.pad_right));
  return w;
}

}  // namespace pare

#endif  // PARE_FORMAT_WINDOW_HPP
