// A block-sparse int8 linear layer that owns its packed weights, ready to run. Host tier only.
#ifndef PARE_LAYERS_SPARSE_LINEAR_HPP
#define PARE_LAYERS_SPARSE_LINEAR_HPP

#include <pare/kernels/block_sparse_linear.hpp>
#include <pare/layers/owned_layer.hpp>

namespace pare {

/// A packed block-sparse layer and its memory. Made by `pack_sparse_linear`; passes as
/// `packed_sparse_linear_view` wherever one is taken.
class sparse_linear_layer : public owned_layer<packed_sparse_linear_view> {
 public:
  using owned_layer::owned_layer;

  index_t out_features() const noexcept { return view().base.out_features; }
  index_t in_features() const noexcept { return view().base.in_features; }
};

inline namespace PARE_ABI {

/// Packs int8 weights with zeros among them, in memory of its own.
///
/// @param w        int8 codes [out, in], symmetric, one scale or one for each output
/// @param shape    of the blocks: 1x4, 4x4 or 16x4
/// @param bias     [out] in reals, or empty
/// @param options  activation, and for 8-bit inputs and outputs their scales
/// @param mask     uint8 [out, in]: which weights stay; without data, those that are not 0
/// @return as the form of `pack_sparse_linear` that takes memory, or `out_of_memory`
template <class E, class L, class Bias = const float, class Mask = no_mask>
[[nodiscard]] result<sparse_linear_layer> pack_sparse_linear(
    const affine_view<std::int8_t, E, L>& w, bcsr_shape shape, vector_view<Bias> bias = {},
    const linear_options& options = {}, const Mask& mask = {}) noexcept {
  return detail::pack_into_own_memory<sparse_linear_layer>(
      packed_sparse_linear_size(w, shape, options, mask), [&](workspace memory) {
        return pack_sparse_linear(w, shape, vector_view<const float>(bias), options, memory, mask);
      });
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_LAYERS_SPARSE_LINEAR_HPP
