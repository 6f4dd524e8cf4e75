// Cross-layer equalisation: a layer's outputs and the next one's inputs share out their ranges, so
// that one scale fits all channels of both.
//
// Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", 2019,
// arXiv:1906.04721.
#ifndef PARE_QUANTIZE_EQUALIZE_HPP
#define PARE_QUANTIZE_EQUALIZE_HPP

#include <cmath>

#include <pare/core/tensor.hpp>
#include <pare/quantize/rescale.hpp>

namespace pare {
inline namespace PARE_ABI {

/// Rescales two layers in a row so that every channel between them has the same range on both
/// sides: w[c, :] and bias[c] are divided and next[:, c] multiplied by
/// sqrt(max |w[c, :]| / max |next[:, c]|). What the network computes stays the same up to rounding,
/// where nothing but a ReLU or a linear operation stands between the layers.
///
/// In a longer network, run it over all neighbours in turn until the scales are near 1.
///
/// @param w     [mid, in] of float, any layout, finite; changed in place
/// @param bias  [mid], or none (`{}`); changed in place
/// @param next  [out, mid] of float, any layout, finite; changed in place
/// @return the scales, 1 where a channel is 0 on either side; `shape_mismatch`, `empty`,
///         `non_finite`, `overflow` where a bias leaves the range of float, `out_of_memory`;
///         nothing is changed then
template <class E, class L, class F, class M>
[[nodiscard]] result<tensor<float, 1>> equalize(tensor_view<float, E, L> w,
                                                channel_view<float> bias,
                                                tensor_view<float, F, M> next) noexcept {
  static_assert(E::rank() == 2 && F::rank() == 2, "pare: weights are [out, in]");
  const index_t channels = static_cast<index_t>(w.extent(0));
  if (static_cast<index_t>(next.extent(1)) != channels) {
    return {status_code::shape_mismatch, "the next layer has an input for each output", "next"};
  }
  if (w.empty() || next.empty()) return {status_code::empty, "there are no weights", "w"};
  PARE_RETURN_IF_ERROR(detail::check_finite(detail::input(w), "w"));
  PARE_RETURN_IF_ERROR(detail::check_finite(detail::input(next), "next"));
  auto scales = tensor<float, 1>::create(dextents<index_t, 1>(channels));
  if (!scales) return scales;
  for (index_t c = 0; c < channels; ++c) {
    float before = 0.0f;
    for (index_t i = 0; i < static_cast<index_t>(w.extent(1)); ++i) {
      before = detail::max(before, std::abs(w(c, i)));
    }
    const float after = detail::largest_of_column(next, c);
    const auto scale = static_cast<float>(std::sqrt(double{before} / double{after}));
    (*scales)(c) = before > 0.0f && after > 0.0f && is_valid_scale(scale) ? scale : 1.0f;
  }
  // The weights stay finite: both sides end at sqrt(before * after).
  PARE_RETURN_IF_ERROR(divide_outputs(w, bias, scales->view()));
  PARE_RETURN_IF_ERROR(multiply_inputs(next, scales->view()));
  return scales;
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_EQUALIZE_HPP
