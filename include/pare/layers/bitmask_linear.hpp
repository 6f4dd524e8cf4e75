// A linear layer whose weights have a bitmask, N:M among them, that owns them, ready to run. Host
// tier only.
#ifndef PARE_LAYERS_BITMASK_LINEAR_HPP
#define PARE_LAYERS_BITMASK_LINEAR_HPP

#include <pare/kernels/bitmask_linear.hpp>
#include <pare/layers/owned_layer.hpp>

namespace pare {

/// A packed layer and its memory. Made by `pack_bitmask_linear`; passes as
/// `packed_bitmask_linear_view` wherever one is taken.
class bitmask_linear_layer : public owned_layer<packed_bitmask_linear_view> {
 public:
  using owned_layer::owned_layer;

  index_t out_features() const noexcept { return view().base.out_features; }
  index_t in_features() const noexcept { return view().base.in_features; }
};

inline namespace PARE_ABI {

/// Packs int8 or int4 codes with zeros among them, in memory of its own.
///
///     auto layer = pare::pack_bitmask_linear(w8, {8, {2, 4}}, bias).value();   // 2:4
///     pare::linear(x, layer, y);
///
/// @return as the form of `pack_bitmask_linear` that takes memory, or `out_of_memory`
template <class E, class L, class Bias = const float, class Mask = no_mask>
[[nodiscard]] result<bitmask_linear_layer> pack_bitmask_linear(
    const affine_view<std::int8_t, E, L>& w, const bitmask_kind& kind = {},
    vector_view<Bias> bias = {}, const linear_options& options = {},
    const Mask& mask = {}) noexcept {
  return detail::pack_into_own_memory<bitmask_linear_layer>(
      packed_bitmask_linear_size(w, kind, options, mask), [&](workspace memory) {
        return pack_bitmask_linear(w, kind, vector_view<const float>(bias), options, memory, mask);
      });
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_LAYERS_BITMASK_LINEAR_HPP
