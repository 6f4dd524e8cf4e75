// Tensors to small floats with a scale for the tensor or for each channel, and back.
//
// Micikevicius et al., "FP8 Formats for Deep Learning", 2022, arXiv:2209.05433; elements of the OCP
// 8-bit Floating Point Specification 1.0.
//
//     auto w8 = pare::quantize_float<pare::float8_e4m3>(w, 0).value();  // one scale a row
#ifndef PARE_QUANTIZE_FLOAT8_HPP
#define PARE_QUANTIZE_FLOAT8_HPP

#include <pare/core/minifloat.hpp>
#include <pare/core/tensor.hpp>
#include <pare/quantize/affine.hpp>
#include <pare/quantize/detail/channels.hpp>
#include <pare/quantize/error_meter.hpp>

namespace pare {

/// Small floats with their scales, owned: real = float(element) * scale.
///
/// @tparam Element  float8_e4m3, float8_e5m2 or another minifloat
template <class Element, std::size_t Rank>
struct float_tensor {
  tensor<Element, Rank> elements;  ///< row-major
  tensor<float, 1> scales;         ///< one, or one for each index along `axis`; positive
  int axis = per_tensor;
};

inline namespace PARE_ABI {

/// Quantizes a tensor so that its largest magnitude, or that of each channel, is the largest element.
///
/// The scale is largest / largest element, and 1 where that is 0 or its inverse is infinite; values
/// are divided by it.
///
/// @tparam Element  a minifloat
/// @param x       any rank and layout, finite, not empty
/// @param axis    a dimension of `x`, or `per_tensor`
/// @param errors  gathers what is lost, where it is not null
/// @return `out_of_range` for the axis, `empty`, `non_finite` with the first NaN or infinity,
///         `out_of_memory`
template <class Element, class T, class E, class L>
[[nodiscard]] result<float_tensor<Element, E::rank()>> quantize_float(
    tensor_view<T, E, L> x, int axis = per_tensor, error_meter* errors = nullptr) noexcept {
  static_assert(detail::is_float<T>, "pare: elements are made of float");
  if (axis != per_tensor) PARE_RETURN_IF_ERROR(detail::check_axis(axis, E::rank()));
  if (x.empty()) return {status_code::empty, "a tensor without elements has no range", "x"};
  PARE_RETURN_IF_ERROR(detail::check_finite(detail::input(x), "x"));
  const index_t channels = detail::channels_of(x, axis);
  auto elements = tensor<Element, E::rank()>::create(dextents<index_t, E::rank()>(x.extents()));
  if (!elements) return elements.error();
  auto scales = tensor<float, 1>::create(dextents<index_t, 1>(channels));
  if (!scales) return scales.error();

  detail::for_each_in_channels(detail::input(x), axis, [&](float value, index_t channel) {
    float& largest = (*scales)(channel);
    largest = detail::max(largest, value < 0 ? -value : value);
  });
  constexpr float largest_element = static_cast<float>(Element::from_bits(Element::largest_bits));
  for (float& scale : *scales) {
    scale = detail::divide(scale, largest_element);
    if (!is_valid_scale(scale)) scale = 1.0f;
  }
  detail::for_each_in_channels(detail::input(x), detail::output(elements->view()), axis,
                               [&](float value, Element& to, index_t channel) {
                                 const float scale = (*scales)(channel);
                                 to = Element(detail::divide(value, scale));
                                 if (errors != nullptr)
                                   errors->add(value, static_cast<float>(to) * scale);
                               });
  return float_tensor<Element, E::rank()>{*std::move(elements), *std::move(scales), axis};
}

/// float(element) * scale, rounded once to float.
///
/// @param out  the shape of the elements, any layout
/// @return `shape_mismatch`, or `out_of_range` for the axis; `out` is then untouched
template <class Element, std::size_t Rank, class OutE, class OutL>
[[nodiscard]] status dequantize(const float_tensor<Element, Rank>& x,
                                tensor_view<float, OutE, OutL> out) noexcept {
  if (x.axis != per_tensor) PARE_RETURN_IF_ERROR(detail::check_axis(x.axis, Rank));
  PARE_RETURN_IF_ERROR(detail::check_same_shape(x.elements.view(), out, "out"));
  const index_t channels = detail::channels_of(x.elements, x.axis);
  if (x.scales.size() != channels) {
    return {status_code::shape_mismatch,
            "there is one scale for the tensor, or one for each index along the axis", "scales"};
  }
  detail::for_each_in_channels(detail::input(x.elements.view()), detail::output(out), x.axis,
                               [&](const Element& element, float& to, index_t channel) {
                                 to = static_cast<float>(element) * x.scales(channel);
                               });
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_FLOAT8_HPP
