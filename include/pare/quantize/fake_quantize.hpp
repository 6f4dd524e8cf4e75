// Quantization inside a training loop: values become those that codes stand for, and gradients pass
// where they should.
//
// Fake quantize: PyTorch 1.13, fake_quantize_per_tensor_affine and fake_quantize_per_channel_affine,
// with the straight-through estimator of Bengio, Leonard and Courville, 2013, arXiv:1308.3432.
// LSQ: Esser et al., "Learned Step Size Quantization", 2020, arXiv:1902.08153. PACT: Choi et al.,
// "PACT: Parameterized Clipping Activation", 2018, arXiv:1805.06085.
//
// Every function is plain arithmetic on views and keeps nothing:
//
//     pare::fake_quantize(w, p, codes, w_fake);                      // forward
//     pare::fake_quantize_backward(w, p, codes, grad_out, grad_w);   // backward
#ifndef PARE_QUANTIZE_FAKE_QUANTIZE_HPP
#define PARE_QUANTIZE_FAKE_QUANTIZE_HPP

#include <cmath>

#include <pare/quantize/affine.hpp>
#include <pare/quantize/detail/channels.hpp>

namespace pare {

/// The codes that a value may have.
struct code_bounds {
  std::int32_t min = -128;
  std::int32_t max = 127;
};

/// Where gradients pass.
enum class straight_through : std::uint8_t {
  clipped,   ///< where the value was not clamped: PyTorch's, and the usual choice
  identity,  ///< everywhere
};

namespace detail {
inline namespace PARE_ABI {

inline status check_bounds(code_bounds codes) noexcept {
  // Codes and zero points are exact in float, and so is their difference.
  constexpr std::int32_t most = 1 << 22;
  if (codes.min >= codes.max || codes.min < -most || codes.max > most) {
    return {status_code::invalid_argument, "codes go from a smallest to a larger one, within 2^22",
            "codes"};
  }
  return {};
}

inline status check_fake(affine_params p, code_bounds codes, index_t at,
                         position_kind kind) noexcept {
  if (!is_finite(p.scale)) {
    return {status_code::non_finite, "the scale is a NaN or an infinity", "scale", kind, at};
  }
  if (!is_valid_scale(p.scale)) {
    return {status_code::out_of_range,
            "a scale is positive, and so large that its inverse is finite", "scale", kind, at};
  }
  if (p.zero_point < codes.min || p.zero_point > codes.max) {
    return {status_code::out_of_range, "the zero point is not a code", "zero_point", kind, at};
  }
  return {};
}

/// All that the functions on a tensor with scales check before they write.
template <class X>
status check_fake_call(const X& x, int axis, channel_view<const float> scales,
                       channel_view<const std::int32_t> zero_points, code_bounds codes) noexcept {
  PARE_RETURN_IF_ERROR(check_bounds(codes));
  if (axis != per_tensor) PARE_RETURN_IF_ERROR(check_axis(axis, X::rank()));
  const index_t channels = channels_of(x, axis);
  PARE_RETURN_IF_ERROR(check_channels(scales, zero_points, channels));
  for (index_t c = 0; c < channels; ++c) {
    PARE_RETURN_IF_ERROR(
        check_fake(params_at(scales, zero_points, c), codes, c,
                   axis == per_tensor ? position_kind::none : position_kind::element));
  }
  return check_finite(input(x), "x");
}

/// Whether the rounded code of x needs no clamp.
inline bool within(float x, affine_params p, code_bounds codes) noexcept {
  const float steps = x * divide(1.0f, p.scale);
  const float low = static_cast<float>(codes.min - p.zero_point);
  const float high = static_cast<float>(codes.max - p.zero_point);
  if (!(steps > low - 1.0f && steps < high + 1.0f)) return false;
  const std::int32_t code = round_half_even(steps) + p.zero_point;
  return code >= codes.min && code <= codes.max;
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// out = (clamp(even(x * (1 / scale)) + zero_point) - zero_point) * scale, with one scale for each
/// index along `axis`, or one per tensor.
///
/// @param x            any rank and layout, finite; may be empty
/// @param axis         a dimension of `x`, or `per_tensor`
/// @param scales       positive, finite and with finite inverses
/// @param zero_points  as many, each one of the codes, or none (`{}`) where all are 0
/// @param out          same shape, any layout; may be `x` itself
/// @return `shape_mismatch`, `out_of_range` or `invalid_argument` for axis, parameters and codes, and
///         `non_finite` with the first NaN or infinity of `x`; `out` is then untouched
template <class T, class E, class L, class OutE, class OutL>
[[nodiscard]] status fake_quantize(tensor_view<T, E, L> x, int axis,
                                   channel_view<const float> scales,
                                   channel_view<const std::int32_t> zero_points, code_bounds codes,
                                   tensor_view<float, OutE, OutL> out) noexcept {
  static_assert(detail::is_float<T>, "pare: values are float");
  PARE_RETURN_IF_ERROR(detail::check_same_shape(x, out, "out"));
  PARE_RETURN_IF_ERROR(detail::check_fake_call(x, axis, scales, zero_points, codes));
  detail::for_each_in_channels(
      detail::input(x), detail::output(out), axis, [&](float value, float& to, index_t channel) {
        const affine_params p = detail::params_at(scales, zero_points, channel);
        const detail::quantizer<affine_rule::pytorch> code_of(p, {codes.min, codes.max});
        to = static_cast<float>(code_of(value) - p.zero_point) * p.scale;
      });
  return {};
}

/// As above, with one scale for the whole tensor.
template <class T, class E, class L, class OutE, class OutL>
[[nodiscard]] status fake_quantize(tensor_view<T, E, L> x, affine_params params, code_bounds codes,
                                   tensor_view<float, OutE, OutL> out) noexcept {
  return fake_quantize(x, per_tensor, detail::one_channel(params.scale),
                       detail::one_channel(params.zero_point), codes, out);
}

/// The gradient of x: that of the output where `pass` lets it through, and 0 elsewhere.
///
/// @param x         the input of `fake_quantize`, with its parameters
/// @param gradient  of the output, the shape of x, any layout
/// @param out       the shape of x, any layout; may be `gradient` itself
/// @return as `fake_quantize`
template <class T, class E, class L, class G, class GE, class GL, class OutE, class OutL>
[[nodiscard]] status fake_quantize_backward(
    tensor_view<T, E, L> x, int axis, channel_view<const float> scales,
    channel_view<const std::int32_t> zero_points, code_bounds codes,
    tensor_view<G, GE, GL> gradient, tensor_view<float, OutE, OutL> out,
    straight_through pass = straight_through::clipped) noexcept {
  static_assert(detail::is_float<T> && detail::is_float<G>, "pare: values and gradients are float");
  PARE_RETURN_IF_ERROR(detail::check_same_shape(x, gradient, "gradient"));
  PARE_RETURN_IF_ERROR(detail::check_same_shape(x, out, "out"));
  PARE_RETURN_IF_ERROR(detail::check_fake_call(x, axis, scales, zero_points, codes));
  detail::for_each_of_three(
      detail::input(x), detail::input(gradient), detail::output(out), axis,
      [&](float value, float g, float& to, index_t channel) {
        const affine_params p = detail::params_at(scales, zero_points, channel);
        to = pass == straight_through::identity || detail::within(value, p, codes) ? g : 0.0f;
      });
  return {};
}

/// As above, with one scale for the whole tensor.
template <class T, class E, class L, class G, class GE, class GL, class OutE, class OutL>
[[nodiscard]] status fake_quantize_backward(
    tensor_view<T, E, L> x, affine_params params, code_bounds codes,
    tensor_view<G, GE, GL> gradient, tensor_view<float, OutE, OutL> out,
    straight_through pass = straight_through::clipped) noexcept {
  return fake_quantize_backward(x, per_tensor, detail::one_channel(params.scale),
                                detail::one_channel(params.zero_point), codes, gradient, out, pass);
}

/// The step that LSQ starts from: 2 * mean(|x|) / sqrt(codes.max).
///
/// @param x      any rank and layout, finite, not empty
/// @param codes  the largest above 0
/// @return `empty`, `invalid_argument` for the codes, `non_finite` with the first NaN or infinity;
///         1 where all values are 0
template <class T, class E, class L>
[[nodiscard]] result<float> lsq_initial_step(tensor_view<T, E, L> x, code_bounds codes) noexcept {
  static_assert(detail::is_float<T>, "pare: values are float");
  PARE_RETURN_IF_ERROR(detail::check_bounds(codes));
  if (codes.max < 1) {
    return {status_code::invalid_argument, "the largest code is above 0", "codes"};
  }
  if (x.empty()) return {status_code::empty, "a tensor without elements has no mean", "x"};
  PARE_RETURN_IF_ERROR(detail::check_finite(detail::input(x), "x"));
  double sum = 0;
  for_each_element(x, [&](float value, index_t) { sum += std::fabs(double{value}); });
  const double mean = sum / static_cast<double>(x.size());
  const auto step = static_cast<float>(2 * mean / std::sqrt(static_cast<double>(codes.max)));
  return is_valid_scale(step) ? step : 1.0f;
}

/// LSQ's scale of a step's gradient: 1 / sqrt(values of the step * codes.max).
inline float lsq_gradient_scale(index_t values, code_bounds codes) noexcept {
  return static_cast<float>(
      1.0 / std::sqrt(static_cast<double>(values) * static_cast<double>(codes.max)));
}

/// LSQ forward: out = even(clamp(x / step, codes)) * step, with one step for each index along `axis`,
/// or one per tensor.
///
/// Parameters and errors as `fake_quantize`; the codes hold 0.
template <class T, class E, class L, class OutE, class OutL>
[[nodiscard]] status lsq(tensor_view<T, E, L> x, int axis, channel_view<const float> steps,
                         code_bounds codes, tensor_view<float, OutE, OutL> out) noexcept {
  static_assert(detail::is_float<T>, "pare: values are float");
  PARE_RETURN_IF_ERROR(detail::check_same_shape(x, out, "out"));
  PARE_RETURN_IF_ERROR(detail::check_fake_call(x, axis, steps, {}, codes));
  detail::for_each_in_channels(
      detail::input(x), detail::output(out), axis, [&](float value, float& to, index_t channel) {
        const affine_params p{steps[channel], 0};
        const detail::quantizer<affine_rule::onnx> code_of(p, {codes.min, codes.max});
        to = static_cast<float>(code_of(value)) * p.scale;
      });
  return {};
}

/// LSQ backward: the gradients of x and of the steps.
///
/// Of x: that of the output where x / step lies within the codes, else 0. Of a step: the sum over its
/// values of the output's gradient times even(x / step) - x / step within, and times the nearest code
/// beyond; times `gradient_scale` (see `lsq_gradient_scale`; 1 leaves it).
///
/// @param gradient    of the output, the shape of x, any layout, finite
/// @param out         the shape of x, any layout; receives the gradient of x
/// @param step_grads  as `steps`; sums are taken in double
/// @return as `lsq`, and `out_of_memory`
template <class T, class E, class L, class G, class GE, class GL, class OutE, class OutL>
[[nodiscard]] status lsq_backward(tensor_view<T, E, L> x, int axis, channel_view<const float> steps,
                                  code_bounds codes, tensor_view<G, GE, GL> gradient,
                                  float gradient_scale, tensor_view<float, OutE, OutL> out,
                                  channel_view<float> step_grads) noexcept {
  static_assert(detail::is_float<T> && detail::is_float<G>, "pare: values and gradients are float");
  PARE_RETURN_IF_ERROR(detail::check_same_shape(x, gradient, "gradient"));
  PARE_RETURN_IF_ERROR(detail::check_same_shape(x, out, "out"));
  PARE_RETURN_IF_ERROR(detail::check_fake_call(x, axis, steps, {}, codes));
  if (step_grads.extent(0) != steps.extent(0)) {
    return {status_code::shape_mismatch, "every step has a gradient", "step_grads"};
  }
  auto sums = tensor<double, 1>::create(dextents<index_t, 1>(steps.extent(0)));
  if (!sums) return sums.error();
  const float low = static_cast<float>(codes.min), high = static_cast<float>(codes.max);
  detail::for_each_of_three(detail::input(x), detail::input(gradient), detail::output(out), axis,
                            [&](float value, float g, float& to, index_t channel) {
                              const float ratio = detail::divide(value, steps[channel]);
                              const bool inside = ratio >= low && ratio <= high;
                              const double slope =
                                  !inside ? double{ratio < low ? low : high}
                                          : static_cast<double>(detail::round_half_even(ratio)) -
                                                double{ratio};
                              (*sums)(channel) += double{g} * slope;
                              to = inside ? g : 0.0f;
                            });
  for (index_t c = 0; c < sums->size(); ++c) {
    step_grads[c] = static_cast<float>((*sums)(c) * double{gradient_scale});
  }
  return {};
}

/// PACT forward: x clipped to [0, clip], in 2^bits - 1 equal steps: out = even(y / s) * s, where
/// s = clip / (2^bits - 1).
///
/// @param x     any rank and layout, finite; may be empty
/// @param clip  positive and finite
/// @param bits  1 to 16
/// @param out   same shape, any layout; may be `x` itself
/// @return `shape_mismatch`, `out_of_range` for clip or bits, `non_finite`; `out` is then untouched
template <class T, class E, class L, class OutE, class OutL>
[[nodiscard]] status pact(tensor_view<T, E, L> x, float clip, int bits,
                          tensor_view<float, OutE, OutL> out) noexcept {
  if (bits < 1 || bits > 16) return {status_code::out_of_range, "codes have 1 to 16 bits", "bits"};
  const code_bounds codes{0, (1 << bits) - 1};
  const float step = detail::divide(clip, static_cast<float>(codes.max));
  if (!is_valid_scale(clip) || !is_valid_scale(step)) {
    return {status_code::out_of_range, "a clipping level is positive and finite", "clip"};
  }
  return lsq(x, per_tensor, detail::one_channel(step), codes, out);
}

/// PACT backward: the gradient of x, which is that of the output where 0 < x < clip, and the gradient
/// of the clipping level, the sum of the output's gradients where x >= clip.
///
/// @return the gradient of `clip`; errors as `pact`
template <class T, class E, class L, class G, class GE, class GL, class OutE, class OutL>
[[nodiscard]] result<float> pact_backward(tensor_view<T, E, L> x, float clip,
                                          tensor_view<G, GE, GL> gradient,
                                          tensor_view<float, OutE, OutL> out) noexcept {
  static_assert(detail::is_float<T> && detail::is_float<G>, "pare: values and gradients are float");
  PARE_RETURN_IF_ERROR(detail::check_same_shape(x, gradient, "gradient"));
  PARE_RETURN_IF_ERROR(detail::check_same_shape(x, out, "out"));
  if (!is_valid_scale(clip)) {
    return {status_code::out_of_range, "a clipping level is positive and finite", "clip"};
  }
  PARE_RETURN_IF_ERROR(detail::check_finite(detail::input(x), "x"));
  double sum = 0;
  detail::for_each_of_three(detail::input(x), detail::input(gradient), detail::output(out),
                            per_tensor, [&](float value, float g, float& to, index_t) {
                              if (value >= clip) sum += double{g};
                              to = value > 0 && value < clip ? g : 0.0f;
                            });
  return static_cast<float>(sum);
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_FAKE_QUANTIZE_HPP
