// A linear layer with grouped weights that owns them, ready to run. Host tier only.
#ifndef PARE_LAYERS_GROUPED_LINEAR_HPP
#define PARE_LAYERS_GROUPED_LINEAR_HPP

#include <pare/kernels/grouped_linear.hpp>
#include <pare/layers/owned_layer.hpp>

namespace pare {

/// A packed layer and its memory. Made by `pack_grouped_linear`; passes as
/// `packed_grouped_linear_view` wherever one is taken.
///
/// Moves only, and a move keeps the packed memory where it is: views taken before stay valid.
class grouped_linear_layer : public owned_layer<packed_grouped_linear_view> {
 public:
  using owned_layer::owned_layer;

  index_t out_features() const noexcept { return view().out_features; }
  index_t in_features() const noexcept { return view().in_features; }
};

inline namespace PARE_ABI {

/// Packs grouped weights for this machine, in memory of its own.
///
///     auto layer = pare::pack_grouped_linear(w, 4).value();
///     pare::linear(x, layer, y);
///
/// @return as the form of `pack_grouped_linear` that takes memory, or `out_of_memory`
template <class Scale, class E, class L>
[[nodiscard]] result<grouped_linear_layer> pack_grouped_linear(
    const grouped_view<Scale, E, L>& w, int bits, vector_view<const float> bias = {},
    const grouped_linear_options& options = {}) noexcept {
  return detail::pack_into_own_memory<grouped_linear_layer>(
      packed_grouped_linear_size(w, bits),
      [&](workspace memory) { return pack_grouped_linear(w, bits, bias, options, memory); });
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_LAYERS_GROUPED_LINEAR_HPP
