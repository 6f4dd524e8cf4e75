// Steps of an optimiser under a mask: fine-tuning never revives a pruned weight, whatever momentum
// or weight decay would make of it.
//
// Polyak, 1964 (momentum); Kingma and Ba, "Adam: a method for stochastic optimization", 2015,
// arXiv:1412.6980; Loshchilov and Hutter, "Decoupled weight decay regularization", 2019,
// arXiv:1711.05101. Where nothing is pruned the steps are those of torch.optim.SGD and AdamW.
#ifndef PARE_PRUNE_MASKED_UPDATE_HPP
#define PARE_PRUNE_MASKED_UPDATE_HPP

#include <cmath>

#include <pare/core/status.hpp>
#include <pare/core/tensor_view.hpp>
#include <pare/prune/detail/select.hpp>
#include <pare/prune/detail/zip.hpp>

namespace pare {

/// w -= rate * v, v = momentum * v + g + weight_decay * w.
struct sgd {
  double learning_rate = 0.01;  ///< finite, not negative, as all of these
  double momentum = 0.0;
  double weight_decay = 0.0;
};

/// Adam with decoupled weight decay.
struct adamw {
  double learning_rate = 1e-3;  ///< finite, not negative, as all of these
  double keep_first = 0.9;      ///< of the running mean of gradients, below 1
  double keep_second = 0.999;   ///< of that of their squares, below 1
  double epsilon = 1e-8;
  double weight_decay = 0.0;
};

namespace detail {
inline namespace PARE_ABI {

/// Everything a step touches has the shape of the weights, and the gradients are finite.
template <class W, class E, class L, class G, class M, class... States>
[[nodiscard]] status check_step(tensor_view<W, E, L> weights, const G& gradients, const M& mask,
                                const States&... states) noexcept {
  static_assert(std::is_same_v<W, float> || std::is_same_v<W, double>,
                "pare: weights to train are float or double");
  static_assert(std::is_same_v<typename M::value_type, std::uint8_t>,
                "pare: a mask is a view of std::uint8_t");
  if (!same_shape(weights, mask)) {
    return {status_code::shape_mismatch, "a mask has the shape of its weights", "mask"};
  }
  if (!same_shape(weights, gradients)) {
    return {status_code::shape_mismatch, "there is one gradient for each weight", "gradients"};
  }
  if (!(same_shape(weights, states) && ...)) {
    return {status_code::shape_mismatch, "the optimiser's state has the shape of the weights",
            "state"};
  }
  return weights.empty() ? status() : check_prunable(gradients, "gradients");
}

constexpr PARE_ALWAYS_INLINE bool is_setting(double x) noexcept { return is_finite(x) && x >= 0; }

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// One step of gradient descent. Where the mask is 0, weight and velocity become 0.
///
/// @param gradients  any layout, the shape of the weights, finite; those of pruned weights are not
///                   used
/// @param mask       0 where a weight is pruned
/// @param velocity   float or double; zero before the first step
/// @param weights    float or double
/// @return `shape_mismatch`, `non_finite` at the first NaN or infinity, `invalid_argument` for a
///         setting; weights and velocity are then untouched
template <class G, class GE, class GL, class M, class ME, class ML, class V, class VE, class VL,
          class W, class E, class L>
[[nodiscard]] status masked_step(const sgd& options, tensor_view<G, GE, GL> gradients,
                                 tensor_view<M, ME, ML> mask, tensor_view<V, VE, VL> velocity,
                                 tensor_view<W, E, L> weights) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_step(weights, gradients, mask, velocity));
  if (!detail::is_setting(options.learning_rate) || !detail::is_setting(options.momentum) ||
      !detail::is_setting(options.weight_decay)) {
    return {status_code::invalid_argument, "settings are finite and not negative", "options"};
  }
  const W rate = static_cast<W>(options.learning_rate);
  const W momentum = static_cast<W>(options.momentum);
  const W decay = static_cast<W>(options.weight_decay);
  detail::zip(
      [&](const G& g, const std::uint8_t& m, V& v, W& w) {
        if (m == 0) {
          v = 0;
          w = 0;
          return;
        }
        const W step = momentum * static_cast<W>(v) + static_cast<W>(g) + decay * w;
        v = static_cast<V>(step);
        w -= rate * step;
      },
      gradients, mask, velocity, weights);
  return {};
}

/// One step of Adam. Where the mask is 0, weight and both means become 0.
///
/// @param step    1 for the first step, then 2, ...
/// @param first   running mean of the gradients, float or double; zero before the first step
/// @param second  that of their squares
/// @return as above, and `out_of_range` for the number of the step
template <class G, class GE, class GL, class M, class ME, class ML, class V, class VE, class VL,
          class S, class SE, class SL, class W, class E, class L>
[[nodiscard]] status masked_step(const adamw& options, index_t step,
                                 tensor_view<G, GE, GL> gradients, tensor_view<M, ME, ML> mask,
                                 tensor_view<V, VE, VL> first, tensor_view<S, SE, SL> second,
                                 tensor_view<W, E, L> weights) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_step(weights, gradients, mask, first, second));
  if (!detail::is_setting(options.learning_rate) || !detail::is_setting(options.keep_first) ||
      !detail::is_setting(options.keep_second) || !detail::is_setting(options.epsilon) ||
      !detail::is_setting(options.weight_decay) || options.keep_first >= 1 ||
      options.keep_second >= 1) {
    return {status_code::invalid_argument, "settings are finite and not negative, means below 1",
            "options"};
  }
  if (step < 1) return {status_code::out_of_range, "steps are counted from 1", "step"};
  const auto n = static_cast<double>(step);
  const W keep_first = static_cast<W>(options.keep_first), add_first = 1 - keep_first;
  const W keep_second = static_cast<W>(options.keep_second), add_second = 1 - keep_second;
  const W rate = static_cast<W>(options.learning_rate / (1 - std::pow(options.keep_first, n)));
  const W correction = static_cast<W>(1 / std::sqrt(1 - std::pow(options.keep_second, n)));
  const W epsilon = static_cast<W>(options.epsilon);
  const W keep = static_cast<W>(1 - options.learning_rate * options.weight_decay);
  detail::zip(
      [&](const G& g, const std::uint8_t& m, V& v, S& s, W& w) {
        if (m == 0) {
          v = 0;
          s = 0;
          w = 0;
          return;
        }
        const W gradient = static_cast<W>(g);
        const W mean = keep_first * static_cast<W>(v) + add_first * gradient;
        const W square = keep_second * static_cast<W>(s) + add_second * gradient * gradient;
        v = static_cast<V>(mean);
        s = static_cast<S>(square);
        w = w * keep - rate * mean / (std::sqrt(square) * correction + epsilon);
      },
      gradients, mask, first, second, weights);
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_PRUNE_MASKED_UPDATE_HPP
