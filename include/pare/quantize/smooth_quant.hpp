// SmoothQuant: what outliers of a layer's inputs make hard to quantize is moved into its weights.
//
// Xiao et al., "SmoothQuant: Accurate and Efficient Post-Training Quantization for Large Language
// Models", 2022, arXiv:2211.10438.
//
//     const auto s = pare::smooth_quant_scales(w.view(), h).value();
//     pare::multiply_inputs(w.view(), s.view());                    // and the layer before:
//     pare::divide_outputs(before.view(), before_bias.view(), s.view());
#ifndef PARE_QUANTIZE_SMOOTH_QUANT_HPP
#define PARE_QUANTIZE_SMOOTH_QUANT_HPP

#include <cmath>

#include <pare/quantize/hessian.hpp>
#include <pare/quantize/rescale.hpp>

namespace pare {
inline namespace PARE_ABI {

/// s[i] = max |x[i]|^migration / max |w[:, i]|^(1 - migration): inputs are to be divided by it and
/// the weights of input i multiplied.
///
/// @param w          [out, in] of float, any layout, finite
/// @param h          sums of the layer's inputs, whose largest values count
/// @param migration  0 leaves the inputs as hard as they are, 1 makes all of them alike
/// @return [in], at least 1e-5, and 1 where an input or its weights are 0; `shape_mismatch`,
///         `empty`, `non_finite`, `out_of_range` for `migration`, `out_of_memory`
template <class T, class E, class L>
[[nodiscard]] result<tensor<float, 1>> smooth_quant_scales(tensor_view<T, E, L> w, const hessian& h,
                                                           double migration = 0.5) noexcept {
  static_assert(detail::is_float<T> && E::rank() == 2, "pare: weights are [out, in] of float");
  const index_t in = static_cast<index_t>(w.extent(1));
  PARE_RETURN_IF_ERROR(detail::check_hessian(h, in));
  if (!(migration >= 0.0 && migration <= 1.0)) {
    return {status_code::out_of_range, "the migration lies in [0, 1]", "migration"};
  }
  if (w.empty()) return {status_code::empty, "there are no weights", "w"};
  PARE_RETURN_IF_ERROR(detail::check_finite(detail::input(w), "w"));
  auto scales = tensor<float, 1>::create(dextents<index_t, 1>(in));
  if (!scales) return scales;
  for (index_t i = 0; i < in; ++i) {
    const double input = double{h.largest(i)};
    const double weight = double{detail::largest_of_column(w, i)};
    const auto scale =
        static_cast<float>(std::pow(input, migration) / std::pow(weight, 1.0 - migration));
    const bool is_alive = input > 0.0 && weight > 0.0 && is_valid_scale(scale);
    (*scales)(i) = is_alive ? detail::max(scale, 1e-5f) : 1.0f;
  }
  return scales;
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_SMOOTH_QUANT_HPP
