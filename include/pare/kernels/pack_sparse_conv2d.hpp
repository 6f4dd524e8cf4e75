// Affine int8 weights of a convolution with zeros among them -> a block-sparse layer, in memory that
// the caller gives.
#ifndef PARE_KERNELS_PACK_SPARSE_CONV2D_HPP
#define PARE_KERNELS_PACK_SPARSE_CONV2D_HPP

#include <pare/format/packed_sparse_conv2d.hpp>
#include <pare/format/window_matrix.hpp>
#include <pare/kernels/pack_conv2d.hpp>
#include <pare/kernels/pack_sparse_linear.hpp>

namespace pare {
namespace detail {
inline namespace PARE_ABI {

template <class E, class L>
affine_view<std::int8_t, dextents<index_t, 2>, layout_window> as_window_matrix(
    const affine_view<std::int8_t, E, L>& w) noexcept {
  return {pare::as_window_matrix(w.codes), w.scales, w.zero_points, w.axis};
}

template <class E, class L>
status check_sparse_conv2d(const affine_view<std::int8_t, E, L>& w,
                           const conv2d_options& options) noexcept {
  if (options.groups != 1) {
    return {status_code::unsupported, "sparse convolutions have one group", "groups"};
  }
  return check_window(window_of(options.window, w.codes.extent(2), w.codes.extent(3)));
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Bytes that `pack_sparse_conv2d` needs for these weights, exact for 64-byte aligned memory.
///
/// @return as `packed_sparse_linear_size` and `check_window`; `unsupported` for groups
template <class E, class L>
[[nodiscard]] result<index_t> packed_sparse_conv2d_size(const affine_view<std::int8_t, E, L>& w,
                                                        bcsr_shape shape,
                                                        const conv2d_options& options) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_sparse_conv2d(w, options));
  return packed_sparse_linear_size(detail::as_window_matrix(w), shape,
                                   detail::output_options(options));
}

/// Packs a block-sparse convolution.
///
/// @param w        int8 codes [out, in, kh, kw] in any layout, symmetric, one scale or one for each
///                 output; what is not 0 is stored
/// @param shape    blocks of outputs x (tap, channel): 1x4 or 4x4, or 16x4 (1x1 windows of stride 1,
///                 few pixels). Blocks of 4 are 4 channels of a tap where channels are a multiple of 4
/// @param bias     [out] in reals, finite, or empty
/// @param options  as for `pack_conv2d`, with one group
/// @param memory   `packed_sparse_conv2d_size` bytes, 64-byte aligned; must outlive the result
/// @return as `pack_sparse_linear` and `check_window`; `unsupported` for groups; `memory` is
///         untouched on failure
template <class E, class L>
[[nodiscard]] result<packed_sparse_conv2d_view> pack_sparse_conv2d(
    const affine_view<std::int8_t, E, L>& w, bcsr_shape shape, vector_view<const float> bias,
    const conv2d_options& options, workspace memory) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_sparse_conv2d(w, options));
  const auto linear = pack_sparse_linear(detail::as_window_matrix(w), shape, bias,
                                         detail::output_options(options), memory);
  if (!linear) return linear.error();
  packed_sparse_conv2d_view layer;
  layer.linear = *linear;
  layer.window = detail::window_of(options.window, w.codes.extent(2), w.codes.extent(3));
  layer.in_channels = w.codes.extent(1);
  return layer;
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_KERNELS_PACK_SPARSE_CONV2D_HPP
