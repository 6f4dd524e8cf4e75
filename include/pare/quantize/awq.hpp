// AWQ: weights of inputs that are large on average are scaled up before they are rounded, by as much
// as leaves the least output error.
//
// Lin et al., "AWQ: Activation-aware Weight Quantization for LLM Compression and Acceleration",
// 2023, arXiv:2306.00978.
//
//     const auto w4 = pare::awq(w.view(), h, pare::affine_scheme{{4}}, {.group = 64}).value();
//     pare::divide_outputs(before.view(), before_bias.view(), w4.scales.view());
#ifndef PARE_QUANTIZE_AWQ_HPP
#define PARE_QUANTIZE_AWQ_HPP

#include <cmath>
#include <limits>
#include <utility>

#include <pare/quantize/grid_tensor.hpp>
#include <pare/quantize/hessian.hpp>

namespace pare {

struct awq_options {
  index_t group = 0;  ///< consecutive inputs that share a grid, 0 for all of an output
  int steps = 20;     ///< exponents to try, from 0 to 1 - 1 / steps; at least 1
};

/// What AWQ found.
template <class Grid>
struct awq_weights {
  grid_tensor<Grid> weights;  ///< of w[:, i] * scales[i]
  tensor<float, 1> scales;    ///< [in]; the layer's inputs are to be divided by them
  double exponent = 0.0;      ///< the scales are the mean magnitudes to this power
  double error = 0.0;         ///< what `output_error` says of the weights over the scales
};

inline namespace PARE_ABI {

/// Searches the exponent a in s = mean |x|^a, with the scales' geometric middle at 1, for the least
/// output error.
///
/// @param w       [out, in], any layout, finite
/// @param h       sums of the layer's inputs
/// @param scheme  fits a grid to each group
/// @return `out_of_range` or `invalid_argument` for scheme or options, `empty`, `shape_mismatch`,
///         `non_finite`, `overflow` where scaled weights leave the range of float, `out_of_memory`
///
/// Time steps * out * in^2; two copies of the weights.
template <class T, class E, class L, class Scheme, class Parallel = serial,
          class Progress = no_progress>
[[nodiscard]] result<awq_weights<grid_of<Scheme>>> awq(tensor_view<T, E, L> w, const hessian& h,
                                                       const Scheme& scheme,
                                                       awq_options options = {},
                                                       const Parallel& parallel = {},
                                                       const Progress& progress = {}) noexcept {
  static_assert(detail::is_float<T> && E::rank() == 2, "pare: weights are [out, in] of float");
  PARE_RETURN_IF_ERROR(detail::check_scheme(scheme));
  if (options.steps < 1) return {status_code::out_of_range, "there is a step at least", "steps"};
  const auto inputs = detail::check_weights(detail::input(w), options.group);
  if (!inputs) return inputs.error();
  const index_t out = static_cast<index_t>(w.extent(0)), in = static_cast<index_t>(w.extent(1));
  PARE_RETURN_IF_ERROR(detail::check_hessian(h, in));
  auto scaled = tensor<float, 2>::create(dextents<index_t, 2>(out, in));
  if (!scaled) return scaled.error();
  auto scales = tensor<float, 1>::create(dextents<index_t, 1>(in));
  if (!scales) return scales.error();

  awq_weights<grid_of<Scheme>> best;
  for (int step = 0; step < options.steps; ++step) {
    const double exponent = static_cast<double>(step) / options.steps;
    double smallest = std::numeric_limits<double>::infinity(), largest = 0.0;
    const auto raw = [&](index_t i) {
      return detail::max(std::pow(h.magnitudes(i) / static_cast<double>(h.rows), exponent), 1e-4);
    };
    for (index_t i = 0; i < in; ++i) {
      smallest = detail::min(smallest, raw(i));
      largest = detail::max(largest, raw(i));
    }
    const double middle = std::sqrt(smallest) * std::sqrt(largest);
    for (index_t i = 0; i < in; ++i) (*scales)(i) = static_cast<float>(raw(i) / middle);
    for (index_t r = 0; r < out; ++r) {
      for (index_t i = 0; i < in; ++i) (*scaled)(r, i) = w(r, i) * (*scales)(i);
    }
    if (!detail::check_finite(detail::input(scaled->view()), "w").is_ok()) {
      return {status_code::overflow, "scaled weights leave the range of float", "w"};
    }
    auto q = quantize_to_grid(scaled->view(), scheme, options.group, parallel);
    if (!q) return q.error();
    for (index_t r = 0; r < out; ++r) {
      for (index_t i = 0; i < in; ++i) (*scaled)(r, i) = q->value(r, i) / (*scales)(i);
    }
    const auto error = output_error(w, scaled->view(), h, parallel);
    if (!error) return error.error();
    if (step == 0 || *error < best.error) {
      best.weights = *std::move(q);
      auto kept = tensor<float, 1>::copy_of(scales->view());
      if (!kept) return kept.error();
      best.scales = *std::move(kept);
      best.exponent = exponent;
      best.error = *error;
    }
    progress(static_cast<double>(step + 1) / options.steps);
  }
  return best;
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_AWQ_HPP
