// Moving a scale from one layer into the next, which changes no output where what stands between
// them is linear or a ReLU: what equalisation, SmoothQuant and AWQ do with the scales they choose.
#ifndef PARE_QUANTIZE_RESCALE_HPP
#define PARE_QUANTIZE_RESCALE_HPP

#include <pare/quantize/range.hpp>

namespace pare {
namespace detail {
inline namespace PARE_ABI {

/// `ok` where there are `count` scales that can divide and multiply.
inline status check_scales(channel_view<const float> scales, index_t count) noexcept {
  if (scales.extent(0) != count) {
    return {status_code::shape_mismatch, "there is one scale for each channel", "scales"};
  }
  for (index_t i = 0; i < count; ++i) {
    if (!is_valid_scale(scales[i])) {
      return {status_code::out_of_range,
              "a scale is positive, and so large that its inverse is finite", "scales",
              position_kind::element, i};
    }
  }
  return {};
}

/// `overflow` where factor(i, j) takes an element out of the range of float.
template <class View, class Factor>
[[nodiscard]] status check_rescaled(const View& w, const char* subject,
                                    const Factor& factor) noexcept {
  PARE_RETURN_IF_ERROR(check_finite(w, subject));
  for (index_t r = 0; r < w.extent(0); ++r) {
    for (index_t i = 0; i < w.extent(1); ++i) {
      if (!is_finite(static_cast<float>(double{w(r, i)} * factor(r, i)))) {
        return {status_code::overflow, "a rescaled weight leaves the range of float", subject,
                position_kind::element, r * w.extent(1) + i};
      }
    }
  }
  return {};
}

/// The largest magnitude of each input's column.
template <class View>
float largest_of_column(const View& w, index_t column) noexcept {
  float largest = 0.0f;
  for (index_t r = 0; r < w.extent(0); ++r) {
    const float x = w(r, column);
    largest = max(largest, x < 0.0f ? -x : x);
  }
  return largest;
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// w[:, i] *= scales[i]: for a layer whose inputs come divided by the scales.
///
/// @param w       [out, in] of float, any layout, finite; changed in place
/// @param scales  [in], positive, with a finite inverse
/// @return `shape_mismatch`, `out_of_range` for a scale, `non_finite`, `overflow`; `w` is then
///         untouched
template <class E, class L>
[[nodiscard]] status multiply_inputs(tensor_view<float, E, L> w,
                                     channel_view<const float> scales) noexcept {
  static_assert(E::rank() == 2, "pare: weights of a linear layer are [out, in]");
  PARE_RETURN_IF_ERROR(detail::check_scales(scales, static_cast<index_t>(w.extent(1))));
  PARE_RETURN_IF_ERROR(detail::check_rescaled(
      detail::input(w), "w", [&](index_t, index_t i) { return double{scales[i]}; }));
  for (index_t r = 0; r < static_cast<index_t>(w.extent(0)); ++r) {
    for (index_t i = 0; i < static_cast<index_t>(w.extent(1)); ++i) w(r, i) *= scales[i];
  }
  return {};
}

/// w[i, :] /= scales[i] and bias[i] /= scales[i]: for the layer before.
///
/// @param w       [out, in] of float, any layout, finite; changed in place
/// @param bias    [out], or none (`{}`); changed in place
/// @param scales  [out], positive, with a finite inverse
/// @return as above; `w` and `bias` are then untouched
template <class E, class L>
[[nodiscard]] status divide_outputs(tensor_view<float, E, L> w, channel_view<float> bias,
                                    channel_view<const float> scales) noexcept {
  static_assert(E::rank() == 2, "pare: weights of a linear layer are [out, in]");
  const index_t out = static_cast<index_t>(w.extent(0)), in = static_cast<index_t>(w.extent(1));
  PARE_RETURN_IF_ERROR(detail::check_scales(scales, out));
  if (bias.extent(0) != out && bias.extent(0) != 0) {
    return {status_code::shape_mismatch, "there is one bias for each output, or none", "bias"};
  }
  PARE_RETURN_IF_ERROR(detail::check_rescaled(
      detail::input(w), "w", [&](index_t r, index_t) { return 1.0 / double{scales[r]}; }));
  for (index_t r = 0; r < bias.extent(0); ++r) {
    if (!detail::is_finite(static_cast<float>(double{bias[r]} / double{scales[r]}))) {
      return {status_code::overflow, "a rescaled bias is not finite", "bias",
              position_kind::element, r};
    }
  }
  for (index_t r = 0; r < out; ++r) {
    for (index_t i = 0; i < in; ++i) {
      w(r, i) = static_cast<float>(double{w(r, i)} / double{scales[r]});
    }
    if (bias.extent(0) != 0) bias[r] = static_cast<float>(double{bias[r]} / double{scales[r]});
  }
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_RESCALE_HPP
