// Scale and zero point for activations whose range is known only while the network runs.
//
// PyTorch: ChooseQuantizationParams in aten/src/ATen/native/quantized/cpu/QuantUtils.h, as
// quantize_dynamic and torch._choose_qparams_per_tensor use it. ONNX: DynamicQuantizeLinear.
// TensorFlow Lite: AsymmetricQuantizeFloats of its hybrid operators.
#ifndef PARE_QUANTIZE_DYNAMIC_HPP
#define PARE_QUANTIZE_DYNAMIC_HPP

#include <pare/quantize/affine.hpp>

namespace pare {
inline namespace PARE_ABI {

/// Parameters for a tensor with values in `range`, to which 0 is added where it lies outside.
///
/// `pytorch` differs from its observers: scale = (max - min) / 255 in double, 0.1 in place of a
/// scale that is 0 or whose inverse is infinite, and at least 6.1e-5, to which the range is then
/// widened; the zero point comes from min or from max, whichever has the smaller error, ties to
/// even. These are all 256 codes: PyTorch's x86 engine halves them (`reduce_range`), for a
/// saturation that the kernels of this library do not have. `onnx` and `tflite` are the asymmetric
/// `choose_params`.
///
/// @tparam Code  std::uint8_t, as the frameworks have it, or std::int8_t by the same formula
/// @param range  finite, min <= max
/// @return `non_finite`, or `invalid_argument` where min > max or the rule is none of those offered
template <class Code = std::uint8_t>
[[nodiscard]] result<affine_params> choose_dynamic_params(
    value_range range, affine_rule rule = affine_rule::pytorch) noexcept {
  static_assert(detail::is_affine_code<Code>, "pare: codes are std::int8_t or std::uint8_t");
  PARE_RETURN_IF_ERROR(detail::check_rule(rule));
  PARE_RETURN_IF_ERROR(detail::check_range(range));
  if (rule == affine_rule::pytorch) {
    return detail::pytorch_dynamic_params(detail::with_zero(range), detail::full_codes<Code>);
  }
  affine options;
  options.scheme = symmetry::asymmetric;
  options.rule = rule;
  return detail::choose_checked<Code>(range, options);
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_DYNAMIC_HPP
