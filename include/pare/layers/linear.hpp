// An int8 linear layer that owns its packed weights, ready to run. Host tier only.
#ifndef PARE_LAYERS_LINEAR_HPP
#define PARE_LAYERS_LINEAR_HPP

#include <pare/kernels/linear.hpp>
#include <pare/layers/owned_layer.hpp>

namespace pare {

/// A packed int8 layer and its memory. Made by `pack_linear`; passes as `packed_linear_view`
/// wherever one is taken.
///
/// Moves only, and a move keeps the packed memory where it is: views taken before stay valid.
class linear_layer : public owned_layer<packed_linear_view> {
 public:
  using owned_layer::owned_layer;

  index_t out_features() const noexcept { return view().out_features; }
  index_t in_features() const noexcept { return view().in_features; }
};

inline namespace PARE_ABI {

/// Packs int8 weights for this machine, in memory of its own.
///
///     auto w8 = pare::quantize(w, pare::affine{.axis = 0}).value();
///     auto layer = pare::pack_linear(w8.view(), bias).value();
///     pare::linear(x, layer, y);
///
/// @param w        int8 codes [out, in], symmetric, one scale or one for each output
/// @param bias     [out] in reals, or empty
/// @param options  activation, and for 8-bit inputs and outputs their scales
/// @return as the form of `pack_linear` that takes memory, or `out_of_memory`
template <class E, class L, class Bias = const float>
[[nodiscard]] result<linear_layer> pack_linear(const affine_view<std::int8_t, E, L>& w,
                                               vector_view<Bias> bias = {},
                                               const linear_options& options = {}) noexcept {
  return detail::pack_into_own_memory<linear_layer>(
      packed_linear_size(w.codes.extent(0), w.codes.extent(1), options), [&](workspace memory) {
        return pack_linear(w, vector_view<const Bias>(bias), options, memory);
      });
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_LAYERS_LINEAR_HPP
