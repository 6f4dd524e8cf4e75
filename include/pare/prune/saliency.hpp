// Scores from gradients and from activations: what a weight is worth to the loss or to the output
// of its layer. Pruned by <pare/prune/scores.hpp>.
#ifndef PARE_PRUNE_SALIENCY_HPP
#define PARE_PRUNE_SALIENCY_HPP

#include <cmath>
#include <limits>

#include <pare/core/for_each.hpp>
#include <pare/core/status.hpp>
#include <pare/core/tensor_view.hpp>
#include <pare/prune/detail/select.hpp>
#include <pare/prune/detail/zip.hpp>

namespace pare {
namespace detail {
inline namespace PARE_ABI {

template <class T>
PARE_ALWAYS_INLINE double to_double(const T& x) noexcept {
  return static_cast<double>(static_cast<comparable_t<T>>(x));
}

/// Weights and gradients of one shape, both finite.
template <class W, class E, class L, class G, class GE, class GL>
[[nodiscard]] status check_gradients(tensor_view<W, E, L> weights,
                                     tensor_view<G, GE, GL> gradients) noexcept {
  if (!same_shape(weights, gradients)) {
    return {status_code::shape_mismatch, "there is one gradient for each weight", "gradients"};
  }
  PARE_RETURN_IF_ERROR(check_prunable(weights, "weights"));
  return check_prunable(gradients, "gradients");
}

/// Writes `score(element of a, element of b, old score)` to every score, or nothing where one does
/// not fit.
template <class A, class B, class S, class Score>
[[nodiscard]] status write_scores(const A& a, const B& b, const S& scores,
                                  const Score& score) noexcept {
  using value = typename S::value_type;
  static_assert(std::is_same_v<value, float> || std::is_same_v<value, double>,
                "pare: scores are float or double");
  if (!same_shape(a, scores)) {
    return {status_code::shape_mismatch, "there is one score for each weight", "scores"};
  }
  index_t at = -1;
  const auto fits = [&](const auto& x, const auto& y, const value& s) {
    ++at;
    const double next = score(to_double(x), to_double(y), static_cast<double>(s));
    return is_finite(next) && std::fabs(next) <= std::numeric_limits<value>::max();
  };
  if (!zip_while(fits, a, b, scores)) {
    return {status_code::overflow, "a score does not fit its type", "scores",
            position_kind::element, at};
  }
  zip(
      [&](const auto& x, const auto& y, value& s) {
        s = static_cast<value>(score(to_double(x), to_double(y), static_cast<double>(s)));
      },
      a, b, scores);
  return {};
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// What the loss changes to first order when a weight becomes zero: |w * dL/dw|.
///
/// Molchanov et al., "Importance estimation for neural network pruning", 2019, arXiv:1906.10771,
/// whose square orders weights the same. With the gradient of the network as it was initialized,
/// and `prune_lowest_globally`, this is SNIP: Lee, Ajanthan and Torr, 2019, arXiv:1810.02340.
///
/// @param weights    any shape and layout, finite
/// @param gradients  same shape, finite: of the loss, summed or averaged over the batch
/// @param scores     float or double, same shape
/// @return `shape_mismatch`, `empty`, `non_finite` at the first NaN or infinity, `overflow` at the
///         first score too large for its type; `scores` is then untouched
template <class W, class E, class L, class G, class GE, class GL, class S, class SE, class SL>
[[nodiscard]] status taylor_scores(tensor_view<W, E, L> weights, tensor_view<G, GE, GL> gradients,
                                   tensor_view<S, SE, SL> scores) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_gradients(weights, gradients));
  return detail::write_scores(weights, gradients, scores,
                              [](double w, double g, double) { return std::fabs(w * g); });
}

/// SNIP's connection sensitivity: `taylor_scores`, divided by their sum, so that a network of any
/// scale has sensitivities of one scale. It orders the weights of one layer as `taylor_scores`
/// does; over several layers use `taylor_scores`, which have one common sum.
///
/// Lee, Ajanthan and Torr, 2019, arXiv:1810.02340, equation 6.
///
/// @return as `taylor_scores`; all scores are 0 where every product is
template <class W, class E, class L, class G, class GE, class GL, class S, class SE, class SL>
[[nodiscard]] status snip_scores(tensor_view<W, E, L> weights, tensor_view<G, GE, GL> gradients,
                                 tensor_view<S, SE, SL> scores) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_gradients(weights, gradients));
  double sum = 0;
  for_each_pair(weights, gradients, [&sum](const W& w, const G& g, index_t) {
    sum += std::fabs(detail::to_double(w) * detail::to_double(g));
  });
  const double share = sum > 0 ? sum : 1.0;
  return detail::write_scores(weights, gradients, scores, [share](double w, double g, double) {
    return std::fabs(w * g) / share;
  });
}

/// Adds one step of fine-tuning to movement scores: weights that move away from zero gain.
///
/// scores -= w * dL/dw. Sanh, Wolf and Rush, "Movement pruning", 2020, arXiv:2005.07683, equation 3
/// (without the learning rate, which does not change the order).
///
/// @param weights    before the step, any shape and layout, finite
/// @param gradients  same shape, finite
/// @param scores     float or double, same shape, finite; zero before the first step
/// @return as `taylor_scores`; `overflow` also where a score is not finite before
template <class W, class E, class L, class G, class GE, class GL, class S, class SE, class SL>
[[nodiscard]] status accumulate_movement(tensor_view<W, E, L> weights,
                                         tensor_view<G, GE, GL> gradients,
                                         tensor_view<S, SE, SL> scores) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_gradients(weights, gradients));
  return detail::write_scores(weights, gradients, scores,
                              [](double w, double g, double s) { return s - w * g; });
}

/// Wanda: |w| times the norm of the input that it weights. To be pruned by `prune_lowest_in_rows`,
/// or N:M.
///
/// Sun et al., "A simple and effective pruning approach for large language models", 2024,
/// arXiv:2306.11695, equation 1.
///
/// @param weights         [out, in], finite
/// @param square_sums     [in], finite, not negative: of each input over the calibration rows, the
///                        diagonal of X^T X
/// @param scores          float or double, [out, in]
/// @return as `taylor_scores`, `invalid_argument` at the first negative sum
template <class W, class E, class L, class X, class XE, class XL, class S, class SE, class SL>
[[nodiscard]] status wanda_scores(tensor_view<W, E, L> weights, tensor_view<X, XE, XL> square_sums,
                                  tensor_view<S, SE, SL> scores) noexcept {
  static_assert(E::rank() == 2 && XE::rank() == 1, "pare: linear weights, and one sum an input");
  if (square_sums.extent(0) != weights.extent(1)) {
    return {status_code::shape_mismatch, "there is one sum of squares for each input",
            "square_sums"};
  }
  PARE_RETURN_IF_ERROR(detail::check_prunable(weights, "weights"));
  PARE_RETURN_IF_ERROR(detail::check_prunable(square_sums, "square_sums"));
  for (index_t c = 0; c < static_cast<index_t>(square_sums.extent(0)); ++c) {
    if (detail::to_double(square_sums(c)) < 0) {
      return {status_code::invalid_argument, "a sum of squares is not negative", "square_sums",
              position_kind::element, c};
    }
  }
  // The sums as a matrix whose rows are all the same memory.
  using shape = dextents<index_t, 2>;
  using repeated = tensor_view<X, shape, layout_stride>;
  const shape extents(weights.extent(0), weights.extent(1));
  const repeated sums(
      square_sums.data_handle(),
      typename repeated::mapping_type(extents, {{0, static_cast<index_t>(square_sums.stride(0))}}));
  return detail::write_scores(weights, sums, scores, [](double w, double x, double) {
    return std::fabs(w) * std::sqrt(x);
  });
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_PRUNE_SALIENCY_HPP
