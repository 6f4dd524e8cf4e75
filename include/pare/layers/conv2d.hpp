// An int8 convolution that owns its packed weights, ready to run. Host tier only.
#ifndef PARE_LAYERS_CONV2D_HPP
#define PARE_LAYERS_CONV2D_HPP

#include <pare/kernels/conv2d.hpp>
#include <pare/layers/owned_layer.hpp>

namespace pare {

/// A packed convolution and its memory. Made by `pack_conv2d`; passes as
/// `packed_conv2d_view` wherever one is taken.
///
/// Moves only, and a move keeps the packed memory where it is: views taken before stay valid.
class conv2d_layer : public owned_layer<packed_conv2d_view> {
 public:
  using owned_layer::owned_layer;

  index_t out_channels() const noexcept { return view().out_channels; }
  index_t in_channels() const noexcept { return view().in_channels; }
  const pare::window& window() const noexcept { return view().window; }
};

inline namespace PARE_ABI {

/// Packs a convolution for this machine, in memory of its own.
///
///     pare::conv2d_options o;
///     o.window = pare::same_padding({3, 3}, height, width).value();
///     auto layer = pare::pack_conv2d(w8.view(), bias, o).value();
///     pare::conv2d(x, layer, y, scratch);
///
/// @param w        int8 codes [out, in / groups, kh, kw], symmetric, one scale or one for each
///                 output
/// @param bias     [out] in reals, or in codes of scale input * weight, or empty
/// @param options  window, groups, activation, scales, rounding rule
/// @return as the form of `pack_conv2d` that takes memory, or `out_of_memory`
template <class E, class L, class Bias = const float>
[[nodiscard]] result<conv2d_layer> pack_conv2d(const affine_view<std::int8_t, E, L>& w,
                                               vector_view<Bias> bias = {},
                                               const conv2d_options& options = {}) noexcept {
  return detail::pack_into_own_memory<conv2d_layer>(
      packed_conv2d_size(w.codes.extent(0), w.codes.extent(1), w.codes.extent(2), w.codes.extent(3),
                         options),
      [&](workspace memory) {
        return pack_conv2d(w, vector_view<const Bias>(bias), options, memory);
      });
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_LAYERS_CONV2D_HPP
