// A linear layer with grouped weights and offsets that owns them, ready to run. Host tier only.
#ifndef PARE_LAYERS_OFFSET_GROUPED_LINEAR_HPP
#define PARE_LAYERS_OFFSET_GROUPED_LINEAR_HPP

#include <pare/kernels/offset_grouped_linear.hpp>
#include <pare/layers/owned_layer.hpp>

namespace pare {

/// A packed layer and its memory. Made by `pack_offset_grouped_linear`; passes as
/// `packed_offset_grouped_linear_view` wherever one is taken.
///
/// Moves only, and a move keeps the packed memory where it is: views taken before stay valid.
class offset_grouped_linear_layer : public owned_layer<packed_offset_grouped_linear_view> {
 public:
  using owned_layer::owned_layer;

  index_t out_features() const noexcept { return view().base.out_features; }
  index_t in_features() const noexcept { return view().base.in_features; }
};

inline namespace PARE_ABI {

/// Packs grouped weights with offsets for this machine, in memory of its own.
///
///     const auto w4 = pare::to_offset_grouped(pare::quantize_to_grid(w, scheme, 64).value()).value();
///     auto layer = pare::pack_offset_grouped_linear(w4.view(), 4).value();
///     pare::linear(x, layer.view(), y);
///
/// @return as the form of `pack_offset_grouped_linear` that takes memory, or `out_of_memory`
template <class Scale, class E, class L>
[[nodiscard]] result<offset_grouped_linear_layer> pack_offset_grouped_linear(
    const offset_grouped_view<Scale, E, L>& w, int bits, vector_view<const float> bias = {},
    const grouped_linear_options& options = {}) noexcept {
  return detail::pack_into_own_memory<offset_grouped_linear_layer>(
      packed_offset_grouped_linear_size(w, bits),
      [&](workspace memory) { return pack_offset_grouped_linear(w, bits, bias, options, memory); });
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_LAYERS_OFFSET_GROUPED_LINEAR_HPP
