// Activations whose range is known only while the network runs: scale and zero point for a range, and
// the codes of a tensor or of each of its rows in one call.
//
//     auto x8 = pare::quantize_dynamic(x.view(), 0).value();  // u8, a scale for each row
//
// PyTorch: ChooseQuantizationParams in aten/src/ATen/native/quantized/cpu/QuantUtils.h, as
// quantize_dynamic and torch._choose_qparams_per_tensor use it. ONNX: DynamicQuantizeLinear.
// TensorFlow Lite: AsymmetricQuantizeFloats of its hybrid operators.
#ifndef PARE_QUANTIZE_DYNAMIC_HPP
#define PARE_QUANTIZE_DYNAMIC_HPP

#include <pare/core/parallel.hpp>
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

/// Codes of activations, with a scale and a zero point for the tensor or for each index along an axis,
/// by `choose_dynamic_params` and `quantize`.
///
/// Per tensor these are the codes of PyTorch's dynamically quantized modules and of ONNX
/// DynamicQuantizeLinear; along axis 0 of activations [rows, features] each row has its own, as
/// language models have it for each token.
///
/// @param x            any rank and layout, finite
/// @param axis         a dimension of x, or `per_tensor`
/// @param codes        std::uint8_t or std::int8_t, same shape as x, any layout
/// @param scales       one for each index along the axis, or one
/// @param zero_points  as scales
/// @param parallel     indices along the axis are independent
/// @return `invalid_argument` for a rule that is none, `out_of_range` for the axis, `shape_mismatch`,
///         `empty` where there is a scale to choose and no value to choose it by, `non_finite` with
///         the first NaN or infinity; outputs are then untouched
template <class T, class E, class L, class Code, class CodeE, class CodeL, class Parallel = serial>
[[nodiscard]] status quantize_dynamic(tensor_view<T, E, L> x, int axis, affine_rule rule,
                                      tensor_view<Code, CodeE, CodeL> codes,
                                      channel_view<float> scales,
                                      channel_view<std::int32_t> zero_points,
                                      const Parallel& parallel = {}) noexcept {
  static_assert(detail::is_float<T>, "pare: codes are made of float");
  static_assert(detail::is_affine_code<Code>, "pare: codes are std::int8_t or std::uint8_t");
  PARE_RETURN_IF_ERROR(detail::check_rule(rule));
  const bool each = axis != per_tensor;
  if (each) PARE_RETURN_IF_ERROR(detail::check_axis(axis, E::rank()));
  PARE_RETURN_IF_ERROR(detail::check_same_shape(x, codes, "codes"));
  const index_t channels =
      each ? static_cast<index_t>(x.extent(static_cast<std::size_t>(axis))) : 1;
  if (scales.extent(0) != channels || zero_points.extent(0) != channels) {
    return {status_code::shape_mismatch,
            "there is a scale and a zero point for the tensor, or for each index along the axis",
            scales.extent(0) != channels ? "scales" : "zero_points"};
  }
  if (channels == 0) return {};
  if (x.empty()) return {status_code::empty, "a tensor without elements has no range", "x"};
  const auto all = detail::input(x);
  const auto out = detail::output(codes);
  PARE_RETURN_IF_ERROR(detail::check_finite(all, "x"));
  parallel(channels, [&](index_t c) {
    const auto values = each ? detail::slice_of(all, axis, c, 1) : all;
    const auto p = choose_dynamic_params<Code>(*detail::range_of(values, "x"), rule);
    scales[c] = p->scale;
    zero_points[c] = p->zero_point;
    detail::quantize_checked(values, per_tensor, detail::one_channel(p->scale),
                             detail::one_channel(p->zero_point), rule, detail::full_codes<Code>,
                             each ? detail::slice_of(out, axis, c, 1) : out, nullptr);
  });
  return {};
}

/// As above, into a new tensor.
///
/// @return also `out_of_memory`
template <class Code = std::uint8_t, class T, class E, class L, class Parallel = serial>
[[nodiscard]] result<affine_tensor<Code, E::rank()>> quantize_dynamic(
    tensor_view<T, E, L> x, int axis = per_tensor, affine_rule rule = affine_rule::pytorch,
    const Parallel& parallel = {}) noexcept {
  if (axis != per_tensor) PARE_RETURN_IF_ERROR(detail::check_axis(axis, E::rank()));
  const index_t channels =
      axis == per_tensor ? 1 : static_cast<index_t>(x.extent(static_cast<std::size_t>(axis)));
  auto codes = tensor<Code, E::rank()>::create(dextents<index_t, E::rank()>(x.extents()));
  if (!codes) return codes.error();
  auto scales = tensor<float, 1>::create(dextents<index_t, 1>(channels));
  if (!scales) return scales.error();
  auto zero_points = tensor<std::int32_t, 1>::create(dextents<index_t, 1>(channels));
  if (!zero_points) return zero_points.error();
  PARE_RETURN_IF_ERROR(quantize_dynamic(x, axis, rule, codes->view(), scales->view(),
                                        zero_points->view(), parallel));
  return affine_tensor<Code, E::rank()>{*std::move(codes), *std::move(scales),
                                        *std::move(zero_points), axis};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_DYNAMIC_HPP
