// A linear layer with 4-bit or 2-bit weights that owns them, ready to run. Host tier only.
#ifndef PARE_LAYERS_LOW_BIT_LINEAR_HPP
#define PARE_LAYERS_LOW_BIT_LINEAR_HPP

#include <pare/kernels/low_bit_linear.hpp>
#include <pare/layers/owned_layer.hpp>

namespace pare {

/// A packed layer and its memory. Made by `pack_low_bit_linear`; passes as
/// `packed_low_bit_linear_view` wherever one is taken.
///
/// Moves only, and a move keeps the packed memory where it is: views taken before stay valid.
class low_bit_linear_layer : public owned_layer<packed_low_bit_linear_view> {
 public:
  using owned_layer::owned_layer;

  index_t out_features() const noexcept { return view().base.out_features; }
  index_t in_features() const noexcept { return view().base.in_features; }
};

inline namespace PARE_ABI {

/// Packs weights of 4 bits, 2 bits or three values for this machine, in memory of its own.
///
///     auto layer = pare::pack_low_bit_linear(w4, pare::low_bit::s4, bias).value();
///     pare::linear(x, layer, y);
///
/// @return as the form of `pack_low_bit_linear` that takes memory, or `out_of_memory`
template <class E, class L, class Bias = const float>
[[nodiscard]] result<low_bit_linear_layer> pack_low_bit_linear(
    const affine_view<std::int8_t, E, L>& w, low_bit kind, vector_view<Bias> bias = {},
    const linear_options& options = {}) noexcept {
  return detail::pack_into_own_memory<low_bit_linear_layer>(
      packed_low_bit_linear_size(w.codes.extent(0), w.codes.extent(1), kind, options),
      [&](workspace memory) {
        return pack_low_bit_linear(w, kind, vector_view<const Bias>(bias), options, memory);
      });
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_LAYERS_LOW_BIT_LINEAR_HPP
