// Bias correction: the mean of what rounding the weights does to a layer's outputs, taken back by
// its bias.
//
// Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", 2019,
// arXiv:1906.04721; here with the measured mean of the inputs.
#ifndef PARE_QUANTIZE_BIAS_CORRECTION_HPP
#define PARE_QUANTIZE_BIAS_CORRECTION_HPP

#include <pare/quantize/hessian.hpp>

namespace pare {
inline namespace PARE_ABI {

/// bias += (w - changed) * mean(x), so that outputs have the mean they had with `w`.
///
///     pare::correct_bias(w.view(), pare::dequantize(w4)->view(), h, bias.view());
///
/// @param w        [out, in] of float, any layout, finite
/// @param changed  as `w`: the weights that the codes stand for
/// @param h        sums of the layer's inputs
/// @param bias     [out] of float; changed in place
/// @return `shape_mismatch`, `empty` where no rows have been seen, `non_finite`, `overflow` where a
///         bias leaves the range of float; `bias` is then untouched
template <class T, class E, class L, class U, class F, class M>
[[nodiscard]] status correct_bias(tensor_view<T, E, L> w, tensor_view<U, F, M> changed,
                                  const hessian& h, channel_view<float> bias) noexcept {
  static_assert(detail::is_float<T> && detail::is_float<U>, "pare: weights are float");
  static_assert(E::rank() == 2 && F::rank() == 2, "pare: weights are [out, in]");
  const index_t out = static_cast<index_t>(w.extent(0)), in = static_cast<index_t>(w.extent(1));
  PARE_RETURN_IF_ERROR(detail::check_hessian(h, in));
  if (!detail::same_shape(w, changed)) {
    return {status_code::shape_mismatch, "both weights have the same shape", "changed"};
  }
  if (bias.extent(0) != out) {
    return {status_code::shape_mismatch, "there is one bias for each output", "bias"};
  }
  PARE_RETURN_IF_ERROR(detail::check_finite(detail::input(w), "w"));
  PARE_RETURN_IF_ERROR(detail::check_finite(detail::input(changed), "changed"));
  PARE_RETURN_IF_ERROR(detail::check_finite(detail::input(bias), "bias"));
  auto corrected = tensor<float, 1>::create(dextents<index_t, 1>(out));
  if (!corrected) return corrected.error();
  for (index_t r = 0; r < out; ++r) {
    double lost = 0.0;
    for (index_t i = 0; i < in; ++i) {
      lost += (double{w(r, i)} - double{changed(r, i)}) * h.sums(i);
    }
    (*corrected)(r) = static_cast<float>(double{bias[r]} + lost / static_cast<double>(h.rows));
    if (!detail::is_finite((*corrected)(r))) {
      return {status_code::overflow, "a corrected bias leaves the range of float", "bias",
              position_kind::element, r};
    }
  }
  for (index_t r = 0; r < out; ++r) bias[r] = (*corrected)(r);
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_BIAS_CORRECTION_HPP
