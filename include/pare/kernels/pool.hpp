// Max and average pooling of 8-bit codes, NHWC.
//
// TensorFlow Lite's MAX_POOL_2D and AVERAGE_POOL_2D (reference_integer_ops in
// reference/integer_ops/pooling.h): inputs and outputs have the same scale and zero point, padding
// does not count, means round ties away from zero.
//
//     pare::window w{2, 2, 2, 2};
//     pare::max_pool(x, w, y);
//     pare::average_pool(x, *pare::same_padding({3, 3, 2, 2}, height, width), y);
#ifndef PARE_KERNELS_POOL_HPP
#define PARE_KERNELS_POOL_HPP

#include <pare/core/parallel.hpp>
#include <pare/core/tensor_view.hpp>
#include <pare/format/code_limits.hpp>
#include <pare/format/window.hpp>
#include <pare/kernels/isa.hpp>
#include <pare/kernels/scalar/pool.hpp>

#if PARE_KERNELS_HERE
#include <pare/kernels/cortex_m/pool_dsp.hpp>
#include <pare/kernels/cortex_m/pool_mve.hpp>
#include <pare/kernels/neon/pool_neon.hpp>
#include <pare/kernels/x86/pool_avx2.hpp>
#endif

namespace pare {
namespace detail {

/// The kernels of one instruction set.
struct pool_kernels {
  void (*max_row)(const kernels::pool_row&) noexcept;
  void (*average_row)(const kernels::pool_row&) noexcept;
  void (*sum_channels)(const kernels::pool_row&, std::int32_t* sums) noexcept;
};

inline namespace PARE_KERNEL_ABI {

PARE_KERNEL_TABLE pool_kernels pool_kernels_of(isa i) noexcept;

#if PARE_KERNELS_HERE
PARE_KERNEL_TABLE pool_kernels pool_kernels_of(isa i) noexcept {
  switch (i) {
#if PARE_X86_KERNELS
    case isa::avx512vnni:
    case isa::avxvnni:
    case isa::avx512bw:
    case isa::avx2:
      return {kernels::avx2::max_row, kernels::avx2::average_row, kernels::avx2::sum_channels};
#endif
#if PARE_NEON_KERNELS
    case isa::i8mm:
    case isa::dotprod:
    case isa::neon:
      return {kernels::neon::max_row, kernels::neon::average_row, kernels::neon::sum_channels};
#endif
    default:
#if PARE_MVE_KERNELS
      return {kernels::mve::max_row, kernels::scalar::average_row, kernels::mve::sum_channels};
#elif PARE_DSP_KERNELS
      return {kernels::dsp::max_row, kernels::scalar::average_row, kernels::scalar::sum_channels};
#else
      return {kernels::scalar::max_row, kernels::scalar::average_row,
              kernels::scalar::sum_channels};
#endif
  }
}
#endif

}  // namespace PARE_KERNEL_ABI

inline namespace PARE_ABI {

/// Activations [images, height, width, channels] that the kernels read: channels side by side.
template <class T>
using image_view = tensor_view<T, dextents<index_t, 4>, layout_stride>;

template <class T>
constexpr PARE_CHOICE_INLINE status check_channels_adjacent(const image_view<T>& v,
                                                            const char* subject) noexcept {
  if (v.extent(3) <= 1 || v.stride(3) == 1) return {};
  return {status_code::unsupported,
          "channels must lie side by side; columns, rows and images may lie apart", subject,
          position_kind::axis, 3};
}

/// What a window of a pooling is, beyond one that can be slid.
constexpr PARE_CHOICE_INLINE status check_pool_window(const window& w) noexcept {
  constexpr index_t most_taps = index_t{1} << 23;  // sums of codes then fit in 32 bits
  PARE_RETURN_IF_ERROR(check_window(w));
  if (w.dilation_y != 1 || w.dilation_x != 1) {
    return {status_code::unsupported, "windows of a pooling have no dilation", "window"};
  }
  if (w.pad_top >= w.height || w.pad_bottom >= w.height || w.pad_left >= w.width ||
      w.pad_right >= w.width) {
    return {status_code::out_of_range,
            "padding must be less than the window, or a window would see nothing else", "window"};
  }
  index_t taps = 0;
  if (!checked_multiply(w.height, w.width, taps) || taps > most_taps) {
    return {status_code::overflow, "windows of a pooling have at most 2^23 taps", "window"};
  }
  return {};
}

template <class X, class Y>
constexpr PARE_CHOICE_INLINE status check_pool(const image_view<X>& x, const window& w,
                                               const image_view<Y>& y) noexcept {
  PARE_RETURN_IF_ERROR(check_pool_window(w));
  const auto height = output_height(w, x.extent(1)), width = output_width(w, x.extent(2));
  if (!height) {
    return height.error();
  }
  if (!width) {
    return width.error();
  }
  const index_t expected[] = {x.extent(0), *height, *width, x.extent(3)};
  for (std::size_t r = 0; r < 4; ++r) {
    if (y.extent(r) != expected[r]) {
      return {status_code::shape_mismatch,
              "y must be [images of x, outputs of the window, channels of x]", "y",
              position_kind::axis, static_cast<index_t>(r)};
    }
  }
  PARE_RETURN_IF_ERROR(check_channels_adjacent(x, "x"));
  return check_channels_adjacent(y, "y");
}

template <class X, class Y>
PARE_NOINLINE status check_pool_apart(const image_view<X>& x, const window& w,
                                      const image_view<Y>& y) noexcept {
  return check_pool(x, w, y);
}

/// Runs a kernel over all rows of outputs.
template <class Code, class Parallel>
void pool_rows(void (*kernel)(const kernels::pool_row&) noexcept, const image_view<const Code>& x,
               const window& w, const image_view<Code>& y, code_limits limits,
               const Parallel& parallel_for) noexcept {
  if (y.empty()) return;
  const window_axis rows = vertical(w);
  parallel_for(y.extent(0) * y.extent(1), [&](index_t i) {
    const index_t image = i / y.extent(1), output = i % y.extent(1);
    const index_t at = output * w.stride_y - w.pad_top;
    const tap_range reach = taps_inside(rows, at, x.extent(1));
    kernels::pool_row row;
    row.x = reinterpret_cast<const std::uint8_t*>(x.data_handle()) + image * x.stride(0) +
            (at + reach.first) * x.stride(1);
    row.rows = reach.last - reach.first;
    row.width = x.extent(2);
    row.channels = x.extent(3);
    row.row_stride = x.stride(1);
    row.column_stride = x.stride(2);
    row.taps = w.width;
    row.stride = w.stride_x;
    row.before = w.pad_left;
    row.y = reinterpret_cast<std::uint8_t*>(y.data_handle()) + image * y.stride(0) +
            output * y.stride(1);
    row.outputs = y.extent(2);
    row.y_stride = y.stride(2);
    row.low = limits.low - flip_of<Code>;
    row.high = limits.high - flip_of<Code>;
    row.flip = flip_of<Code>;
    kernel(row);
  });
}

/// What both poolings share.
template <class X, class EX, class LX, class Y, class EY, class LY, class Parallel>
PARE_CHOICE_INLINE status pool(void (*pool_kernels::*kernel)(const kernels::pool_row&) noexcept,
                               const tensor_view<X, EX, LX>& x, const window& w,
                               const tensor_view<Y, EY, LY>& y, code_limits limits,
                               const Parallel& parallel_for) noexcept {
  static_assert(EX::rank() == 4 && EY::rank() == 4,
                "pare: activations are [images, height, width, channels]");
  static_assert(is_code_type<Y> && std::is_same_v<std::remove_const_t<X>, Y>,
                "pare: x and y both have codes of std::int8_t or std::uint8_t");
  const image_view<const Y> from(x);
  const image_view<Y> to(y);
  if (!are_known(from.extent(1), w.height) || !check_pool(from, w, to).is_ok()) {
    PARE_RETURN_IF_ERROR(check_pool_apart(from, w, to));
  }
  const auto within = limits_within<Y>(limits);
  if (!within) {
    return within.error();
  }
  pool_rows(pool_kernels_of(active_isa()).*kernel, from, w, to, *within, parallel_for);
  return {};
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// y = clamp(the largest code of each window).
///
/// @param x             [images, height, width, channels], s8 or u8; channels side by side, other
///                      axes any stride apart; height and width at least 1
/// @param w             without dilation, padding less than the window on each side; padding is
///                      never the largest
/// @param y             [images, output_height(w, height), output_width(w, width), channels]; as x;
///                      must not overlap x
/// @param limits        what outputs are clamped to; see `activation_limits`
/// @param parallel_for  see core/parallel.hpp
/// @return `out_of_range` for the window or limits without a code, `unsupported` for dilation or
///         channels apart, `overflow`, `empty`, `shape_mismatch`; y is then untouched
template <class X, class EX, class LX, class Y, class EY, class LY, class Parallel = serial>
PARE_CHOICE_INLINE status max_pool(const tensor_view<X, EX, LX>& x, const window& w,
                                   const tensor_view<Y, EY, LY>& y, code_limits limits = {},
                                   const Parallel& parallel_for = {}) noexcept {
  return detail::pool(&detail::pool_kernels::max_row, x, w, y, limits, parallel_for);
}

/// y = clamp(round(sum / count)) over the codes of each window that lie in the input, ties away
/// from zero, where zero is the code.
///
/// @param w  as above; at most 2^23 taps
///
/// The rest as `max_pool`.
template <class X, class EX, class LX, class Y, class EY, class LY, class Parallel = serial>
PARE_CHOICE_INLINE status average_pool(const tensor_view<X, EX, LX>& x, const window& w,
                                       const tensor_view<Y, EY, LY>& y, code_limits limits = {},
                                       const Parallel& parallel_for = {}) noexcept {
  return detail::pool(&detail::pool_kernels::average_row, x, w, y, limits, parallel_for);
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_KERNELS_POOL_HPP
