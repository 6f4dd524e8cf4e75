// Everything together: the weights and the bias that leave the least output error this library can
// reach in a given format.
//
//  1. The bias takes what the mean of the inputs does, so that the codes need only fit the covariance.
//  2. GPTQ in activation order, with the scales of the scheme and with searched ones, whose errors the
//     Hessian's diagonal weighs (search_scheme).
//  3. Coordinate descent over codes and scales (refine).
//  4. The better of the two stays.
//
// Sources: bias_correction.hpp, search_scheme.hpp, gptq.hpp, refine.hpp. The order of the steps is
// this library's; docs/quantization.md has what each of them is worth.
#ifndef PARE_QUANTIZE_CALIBRATED_HPP
#define PARE_QUANTIZE_CALIBRATED_HPP

#include <limits>
#include <utility>

#include <pare/quantize/bias_correction.hpp>
#include <pare/quantize/gptq.hpp>
#include <pare/quantize/refine.hpp>
#include <pare/quantize/search_scheme.hpp>

namespace pare {

struct calibrated_options {
  index_t group = 0;      ///< consecutive inputs that share a grid, 0 for all of an output
  double damping = 0.01;  ///< as `gptq_options` has it
  refine_options refining;
};

/// A layer's weights and bias, quantized by what its inputs are.
template <class Grid>
struct calibrated_layer {
  grid_tensor<Grid> weights;
  tensor<float, 1> bias;  ///< [out]
};

inline namespace PARE_ABI {

/// Quantizes a layer by its inputs.
///
///     const auto l = pare::quantize_calibrated(w.view(), bias.view(), h,
///                                              pare::affine_scheme{{4}}).value();
///     const auto packed = pare::pack_linear(pare::to_affine(l.weights)->view(), l.bias.view());
///
/// @param w        [out, in], any layout, finite
/// @param bias     [out], or none (`{}`) for zeros
/// @param h        sums of the layer's inputs
/// @param scheme   any of grid.hpp. Where scales have to be exact in half, pass
///                 `scale_change::to_half` in `options.refining`; where they have to stay as the scheme
///                 fits them, `scale_change::none`
/// @return as `gptq` and `correct_bias`
///
/// Time twice that of GPTQ and of `refine`; once where scales stay or are no floats.
template <class T, class E, class L, class Scheme, class Parallel = serial,
          class Progress = no_progress>
[[nodiscard]] result<calibrated_layer<grid_of<Scheme>>> quantize_calibrated(
    tensor_view<T, E, L> w, channel_view<const float> bias, const hessian& h, const Scheme& scheme,
    calibrated_options options = {}, const Parallel& parallel = {},
    const Progress& progress = {}) noexcept {
  const index_t out = static_cast<index_t>(w.extent(0));
  if (bias.extent(0) != out && bias.extent(0) != 0) {
    return {status_code::shape_mismatch, "there is one bias for each output, or none", "bias"};
  }
  const auto covariance = centered(h);
  if (!covariance) return covariance.error();
  gptq_options rounding;
  rounding.group = options.group;
  rounding.order = input_order::activation;
  rounding.damping = options.damping;
  using weights = grid_tensor<grid_of<Scheme>>;
  double least = std::numeric_limits<double>::infinity();
  result<weights> best = {status_code::overflow, "the output error leaves the range of float", "w"};
  constexpr bool can_search = detail::has_float_scale<grid_of<Scheme>>;
  const bool searches = can_search && options.refining.scales != scale_change::none;
  double before = 0.0;  // of the parts of the work
  const auto part = [&](double done) { progress((before + done) / (searches ? 4 : 2)); };
  const auto attempt = [&](const auto& fitting) -> status {
    auto q = gptq(w, *covariance, fitting, rounding, parallel, part);
    if (!q) return q.status();
    ++before;
    PARE_RETURN_IF_ERROR(refine(w, *covariance, *q, options.refining, parallel, part));
    ++before;
    const auto values = dequantize(*q);
    if (!values) return values.status();
    const auto left = output_error(w, values->view(), *covariance, parallel);
    if (!left) return left.status();
    if (*left < least) {
      least = *left;
      best = std::move(q);
    }
    return {};
  };
  if constexpr (can_search) {
    const search_scheme<Scheme> searched{scheme};
    if (options.refining.scales == scale_change::to_half) {
      PARE_RETURN_IF_ERROR(attempt(half_scheme<Scheme>{scheme}));
      PARE_RETURN_IF_ERROR(attempt(half_scheme<search_scheme<Scheme>>{searched}));
    } else {
      PARE_RETURN_IF_ERROR(attempt(scheme));
      if (searches) PARE_RETURN_IF_ERROR(attempt(searched));
    }
  } else {
    PARE_RETURN_IF_ERROR(attempt(scheme));
  }
  if (!best) return best.error();
  weights& q = *best;

  auto corrected = tensor<float, 1>::create(dextents<index_t, 1>(out));
  if (!corrected) return corrected.error();
  for (index_t r = 0; r < bias.extent(0); ++r) (*corrected)(r) = bias[r];
  const auto values = dequantize(q);
  if (!values) return values.error();
  PARE_RETURN_IF_ERROR(correct_bias(w, values->view(), h, corrected->view()));
  return calibrated_layer<grid_of<Scheme>>{std::move(q), *std::move(corrected)};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_CALIBRATED_HPP
