// Weights of one or two bits: -1 and 1, or -1, 0 and 1, times the scale with the least squared error.
//
// Binary: Rastegari et al., "XNOR-Net", 2016, arXiv:1603.05279: the scale is the mean magnitude.
// Ternary: Li, Zhang and Liu, "Ternary Weight Networks", 2016, arXiv:1605.04711, whose threshold of
// 0.7 of the mean magnitude approximates the best one. Here it is exact: of the k largest magnitudes
// with the sum S, S^2 / k is largest, and the scale is S / k.
//
//     auto w2 = pare::quantize_ternary(w, 0).value();  // an affine_tensor: codes -1, 0, 1
#ifndef PARE_QUANTIZE_TERNARY_HPP
#define PARE_QUANTIZE_TERNARY_HPP

#include <algorithm>
#include <limits>

#include <pare/core/tensor.hpp>
#include <pare/quantize/affine.hpp>
#include <pare/quantize/detail/channels.hpp>
#include <pare/quantize/error_meter.hpp>

namespace pare {
namespace detail {
inline namespace PARE_ABI {

/// The scale of ternary codes and the smallest magnitude that is not 0 in them.
struct ternary_fit {
  float scale;
  float threshold;
};

/// @param magnitudes  some, in falling order
inline ternary_fit fit_ternary(const float* magnitudes, index_t count) noexcept {
  double sum = 0, best = -1;
  ternary_fit fit{0.0f, 0.0f};
  for (index_t k = 1; k <= count; ++k) {
    sum += magnitudes[k - 1];
    const double gain = sum * sum / static_cast<double>(k);
    // Equal magnitudes get equal codes.
    if (gain > best && (k == count || magnitudes[k] < magnitudes[k - 1])) {
      best = gain;
      fit = {static_cast<float>(sum / static_cast<double>(k)), magnitudes[k - 1]};
    }
  }
  return fit;
}

/// Codes of each channel, by `fit(magnitudes in no order, count)`, which may sort them.
template <class T, class E, class L, class Fit>
result<affine_tensor<std::int8_t, E::rank()>> quantize_by_magnitude(tensor_view<T, E, L> x,
                                                                    int axis, Fit fit,
                                                                    error_meter* errors) noexcept {
  if (axis != per_tensor) PARE_RETURN_IF_ERROR(check_axis(axis, E::rank()));
  if (x.empty()) return {status_code::empty, "a tensor without elements has no scale", "x"};
  PARE_RETURN_IF_ERROR(check_finite(input(x), "x"));
  tensor<float, 2> magnitudes;
  PARE_RETURN_IF_ERROR(gather_channels(input(x), input(x), axis, magnitudes, nullptr));
  for (float& m : magnitudes) m = m < 0 ? -m : m;
  const index_t channels = magnitudes.extent(0), count = magnitudes.extent(1);
  auto codes = tensor<std::int8_t, E::rank()>::create(dextents<index_t, E::rank()>(x.extents()));
  if (!codes) return codes.error();
  auto scales = tensor<float, 1>::create(dextents<index_t, 1>(channels));
  if (!scales) return scales.error();
  auto thresholds = tensor<float, 1>::create(dextents<index_t, 1>(channels));
  if (!thresholds) return thresholds.error();

  for (index_t c = 0; c < channels; ++c) {
    const ternary_fit f = fit(magnitudes.data() + c * count, count);
    (*scales)(c) = is_valid_scale(f.scale) ? f.scale : 1.0f;
    (*thresholds)(c) = f.scale > 0 ? f.threshold : std::numeric_limits<float>::max();
  }
  for_each_in_channels(input(x), output(codes->view()), axis,
                       [&](float value, std::int8_t& to, index_t c) {
                         const int kept = (value < 0 ? -value : value) >= (*thresholds)(c) ? 1 : 0;
                         const int code = value < 0 ? -kept : kept;
                         to = static_cast<std::int8_t>(code);
                         if (errors == nullptr) return;
                         errors->add(value, static_cast<float>(code) * (*scales)(c));
                       });
  return affine_tensor<std::int8_t, E::rank()>{*std::move(codes), *std::move(scales),
                                               tensor<std::int32_t, 1>(), axis};
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Codes -1 and 1, the sign of each value (that of 0 is 1), times the mean magnitude: the least
/// squared error that two opposite values allow. A channel of zeros has codes 0 and scale 1.
///
/// @param x       any rank and layout, finite, not empty
/// @param axis    a dimension of `x` with a scale for each index, or `per_tensor`
/// @param errors  gathers what is lost, where it is not null
/// @return `out_of_range` for the axis, `empty`, `non_finite` with the first NaN or infinity,
///         `out_of_memory`
template <class T, class E, class L>
[[nodiscard]] result<affine_tensor<std::int8_t, E::rank()>> quantize_binary(
    tensor_view<T, E, L> x, int axis = per_tensor, error_meter* errors = nullptr) noexcept {
  static_assert(detail::is_float<T>, "pare: codes are made of float");
  return detail::quantize_by_magnitude(
      x, axis,
      [](const float* magnitudes, index_t count) {
        double sum = 0;
        for (index_t i = 0; i < count; ++i) sum += double{magnitudes[i]};
        return detail::ternary_fit{static_cast<float>(sum / static_cast<double>(count)), 0.0f};
      },
      errors);
}

/// Codes -1, 0 and 1 and the scale, of all thresholds and scales those with the least squared error.
/// A channel of zeros has codes 0 and scale 1.
///
/// Sorts the magnitudes of each channel. Parameters and errors as above.
template <class T, class E, class L>
[[nodiscard]] result<affine_tensor<std::int8_t, E::rank()>> quantize_ternary(
    tensor_view<T, E, L> x, int axis = per_tensor, error_meter* errors = nullptr) noexcept {
  static_assert(detail::is_float<T>, "pare: codes are made of float");
  return detail::quantize_by_magnitude(
      x, axis,
      [](float* magnitudes, index_t count) {
        std::sort(magnitudes, magnitudes + count, [](float a, float b) { return a > b; });
        return detail::fit_ternary(magnitudes, count);
      },
      errors);
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_TERNARY_HPP
