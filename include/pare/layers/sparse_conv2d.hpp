// A block-sparse int8 convolution that owns its packed weights, ready to run. Host tier only.
#ifndef PARE_LAYERS_SPARSE_CONV2D_HPP
#define PARE_LAYERS_SPARSE_CONV2D_HPP

#include <pare/kernels/sparse_conv2d.hpp>
#include <pare/layers/owned_layer.hpp>

namespace pare {

/// A packed block-sparse convolution and its memory. Made by `pack_sparse_conv2d`; passes as
/// `packed_sparse_conv2d_view` wherever one is taken.
class sparse_conv2d_layer : public owned_layer<packed_sparse_conv2d_view> {
 public:
  using owned_layer::owned_layer;

  index_t out_channels() const noexcept { return view().linear.base.out_features; }
  index_t in_channels() const noexcept { return view().in_channels; }
  const pare::window& window() const noexcept { return view().window; }
};

inline namespace PARE_ABI {

/// Packs int8 weights of a convolution with zeros among them, in memory of its own.
///
/// @param w        int8 codes [out, in, kh, kw], symmetric, one scale or one for each output
/// @param shape    of the blocks: 1x4, 4x4 or 16x4
/// @param bias     [out] in reals, or empty
/// @param options  window, activation, scales, rounding rule; one group
/// @return as the form of `pack_sparse_conv2d` that takes memory, or `out_of_memory`
template <class E, class L, class Bias = const float>
[[nodiscard]] result<sparse_conv2d_layer> pack_sparse_conv2d(
    const affine_view<std::int8_t, E, L>& w, bcsr_shape shape, vector_view<Bias> bias = {},
    const conv2d_options& options = {}) noexcept {
  return detail::pack_into_own_memory<sparse_conv2d_layer>(
      packed_sparse_conv2d_size(w, shape, options), [&](workspace memory) {
        return pack_sparse_conv2d(w, shape, vector_view<const float>(bias), options, memory);
      });
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_LAYERS_SPARSE_CONV2D_HPP
