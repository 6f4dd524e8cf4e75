// Induction of sparsity while a network is trained: what weights cost beside the loss, its
// gradient, and the proximal step that sets weights to exactly zero.
//
// A regulariser r of strength s adds s * r(w) to the loss. Either its gradient is added to that of
// the loss, or, after each step of gradient descent with rate t, the proximal step
//
//     w = argmin over v of |v - w|^2 / 2 + t * s * r(v)
//
// is taken, which is what makes zeros. Parikh and Boyd, "Proximal algorithms", 2014; group lasso:
// Yuan and Lin, 2006, and for networks Wen et al., "Learning structured sparsity in deep neural
// networks", 2016, arXiv:1608.03665; Linf: Duchi et al., "Efficient projections onto the l1-ball",
// 2008; hard threshold and top-k: Blumensath and Davies, "Iterative thresholding", 2008.
#ifndef PARE_PRUNE_REGULARIZE_HPP
#define PARE_PRUNE_REGULARIZE_HPP

#include <cmath>
#include <limits>

#include <pare/prune/magnitude.hpp>
#include <pare/prune/structured.hpp>

namespace pare {

/// strength * sum |w|: gradient strength * sign(w), 0 at 0; proximal step: soft threshold.
struct l1_penalty {
  double strength = 1e-4;  ///< finite, not negative, as all of these
};

/// strength / 2 * sum w^2, weight decay: gradient strength * w; proximal step: w / (1 + t s).
struct l2_penalty {
  double strength = 1e-4;
};

/// strength * sum over the slices along an axis of root(size) * |slice|_2: whole channels become
/// zero. Gradient strength * root(size) * w / |slice|_2, 0 where the slice is 0.
struct group_lasso_penalty {
  double strength = 1e-4;
  int axis = 0;       ///< 0 for neurons or filters
  index_t block = 1;  ///< slices of a group, as for `channel_norms`
};

/// strength * max |w|: gradient strength * sign(w), shared evenly by the largest; proximal step: the
/// largest are cut to one level.
struct linf_penalty {
  double strength = 1e-4;
};

/// strength * number of weights that are not 0: no gradient; proximal step: weights up to
/// root(2 t s) in magnitude become 0.
struct l0_penalty {
  double strength = 1e-4;
};

/// No cost, but only the `kept` largest may stay: no gradient; proximal step: the others become 0,
/// the lower index first where magnitudes tie.
struct top_k {
  index_t kept = 0;  ///< not negative; beyond the number of weights all stay
};

namespace detail {
inline namespace PARE_ABI {

template <class Penalty>
[[nodiscard]] constexpr status check_strength(const Penalty& p) noexcept {
  if (is_finite(p.strength) && p.strength >= 0) return {};
  return {status_code::invalid_argument, "a strength is finite and not negative", "strength"};
}
[[nodiscard]] constexpr status check_strength(const top_k& p) noexcept {
  if (p.kept >= 0) return {};
  return {status_code::invalid_argument, "a number of weights is not negative", "kept"};
}

/// Settings, and finite weights.
template <class Penalty, class W, class E, class L>
[[nodiscard]] status check_penalty(const Penalty& p, tensor_view<W, E, L> weights) noexcept {
  static_assert(std::is_same_v<std::remove_const_t<W>, float> ||
                    std::is_same_v<std::remove_const_t<W>, double>,
                "pare: weights to train are float or double");
  PARE_RETURN_IF_ERROR(check_strength(p));
  if constexpr (std::is_same_v<Penalty, group_lasso_penalty>) {
    PARE_RETURN_IF_ERROR(check_axis(p.axis, E::rank()));
    const auto groups = count_blocks(
        static_cast<index_t>(weights.extent(static_cast<std::size_t>(p.axis))), p.block);
    if (!groups) return groups.error();
  }
  return check_prunable(weights, "weights");
}

/// f(slice) for each group.
template <class View, class F>
void for_each_slice(const View& v, const group_lasso_penalty& p, const F& f) {
  const auto size = static_cast<index_t>(v.extent(static_cast<std::size_t>(p.axis)));
  for (index_t first = 0; first < size; first += p.block) {
    f(slices_of(v, p.axis, first, p.block), first);
  }
}

template <class View>
double sum_of_squares(const View& v) noexcept {
  double sum = 0;
  for_each_element(v, [&sum](const auto& w, index_t) {
    sum += static_cast<double>(w) * static_cast<double>(w);
  });
  return sum;
}

template <class View>
double largest_of(const View& v) noexcept {
  double most = 0;
  for_each_element(
      v, [&most](const auto& w, index_t) { most = max(most, std::fabs(static_cast<double>(w))); });
  return most;
}

constexpr PARE_ALWAYS_INLINE double sign_of(double x) noexcept {
  return static_cast<double>(x > 0) - static_cast<double>(x < 0);
}

// --- values over strength ---

template <class View>
double penalty_value(const l1_penalty&, const View& w) noexcept {
  double sum = 0;
  for_each_element(w, [&sum](const auto& x, index_t) { sum += std::fabs(static_cast<double>(x)); });
  return sum;
}
template <class View>
double penalty_value(const l2_penalty&, const View& w) noexcept {
  return 0.5 * sum_of_squares(w);
}
template <class View>
double penalty_value(const group_lasso_penalty& p, const View& w) noexcept {
  double sum = 0;
  for_each_slice(w, p, [&sum](const auto& slice, index_t) {
    sum += std::sqrt(static_cast<double>(slice.size()) * sum_of_squares(slice));
  });
  return sum;
}
template <class View>
double penalty_value(const linf_penalty&, const View& w) noexcept {
  return largest_of(w);
}
template <class View>
double penalty_value(const l0_penalty&, const View& w) noexcept {
  double count = 0;
  for_each_element(w, [&count](const auto& x, index_t) { count += x != 0 ? 1 : 0; });
  return count;
}

// --- gradients: add(f), f(weight, gradient) ---

template <class W, class G>
void add_gradient(const l1_penalty& p, const W& weights, const G& gradients) noexcept {
  using value = typename G::value_type;
  for_each_pair(weights, gradients, [&p](const auto& w, value& g, index_t) {
    g += static_cast<value>(p.strength * sign_of(static_cast<double>(w)));
  });
}
template <class W, class G>
void add_gradient(const l2_penalty& p, const W& weights, const G& gradients) noexcept {
  using value = typename G::value_type;
  for_each_pair(weights, gradients, [&p](const auto& w, value& g, index_t) {
    g += static_cast<value>(p.strength * static_cast<double>(w));
  });
}
template <class W, class G>
void add_gradient(const group_lasso_penalty& p, const W& weights, const G& gradients) noexcept {
  using value = typename G::value_type;
  for_each_slice(weights, p, [&](const auto& slice, index_t first) {
    const double squares = sum_of_squares(slice);
    if (squares == 0) return;
    const double factor = p.strength * std::sqrt(static_cast<double>(slice.size()) / squares);
    for_each_pair(slice, slices_of(gradients, p.axis, first, p.block),
                  [factor](const auto& w, value& g, index_t) {
                    g += static_cast<value>(factor * static_cast<double>(w));
                  });
  });
}
template <class W, class G>
void add_gradient(const linf_penalty& p, const W& weights, const G& gradients) noexcept {
  using value = typename G::value_type;
  const double most = largest_of(weights);
  if (most == 0) return;
  index_t count = 0;
  for_each_element(weights, [&](const auto& w, index_t) {
    count += std::fabs(static_cast<double>(w)) == most ? 1 : 0;
  });
  const double share = p.strength / static_cast<double>(count);
  for_each_pair(weights, gradients, [=](const auto& w, value& g, index_t) {
    const double x = static_cast<double>(w);
    if (std::fabs(x) == most) g += static_cast<value>(share * sign_of(x));
  });
}

// --- proximal steps, t the product of rate and strength ---

template <class View>
void proximal(const l1_penalty&, double t, const View& weights) noexcept {
  using value = typename View::value_type;
  for_each_element(weights, [t](value& w, index_t) {
    const double x = static_cast<double>(w);
    w = static_cast<value>(sign_of(x) * max(std::fabs(x) - t, 0.0));
  });
}
template <class View>
void proximal(const l2_penalty&, double t, const View& weights) noexcept {
  using value = typename View::value_type;
  for_each_element(weights, [t](value& w, index_t) {
    w = static_cast<value>(static_cast<double>(w) / (1 + t));
  });
}
template <class View>
void proximal(const group_lasso_penalty& p, double t, const View& weights) noexcept {
  using value = typename View::value_type;
  for_each_slice(weights, p, [t](const auto& slice, index_t) {
    const double norm_of_slice = std::sqrt(sum_of_squares(slice));
    const double cut = t * std::sqrt(static_cast<double>(slice.size()));
    const double factor = norm_of_slice > cut ? 1 - cut / norm_of_slice : 0.0;
    for_each_element(slice, [factor](value& w, index_t) {
      w = static_cast<value>(factor * static_cast<double>(w));
    });
  });
}
template <class View>
void proximal(const linf_penalty&, double t, const View& weights) noexcept {
  // The level at which what is cut off the largest adds up to t, by bisection and then exactly.
  using value = typename View::value_type;
  if (t == 0) return;
  const auto above = [&weights](double level, double& sum) {
    double count = 0;
    sum = 0;
    for_each_element(weights, [&](const value& w, index_t) {
      const double x = std::fabs(static_cast<double>(w));
      if (x <= level) return;
      sum += x;
      ++count;
    });
    return count;
  };
  double low = 0, high = largest_of(weights), sum = 0;
  if (above(0, sum) == 0 || sum <= t) {
    for_each_element(weights, [](value& w, index_t) { w = 0; });
    return;
  }
  for (int i = 0; i < 100 && low < high; ++i) {
    const double middle = 0.5 * (low + high);
    if (middle <= low || middle >= high) break;
    const double count = above(middle, sum);
    (sum - count * middle > t ? low : high) = middle;
  }
  const double count = above(low, sum);
  const double level = count > 0 ? max((sum - t) / count, 0.0) : low;
  for_each_element(weights, [level](value& w, index_t) {
    const double x = static_cast<double>(w);
    w = static_cast<value>(clamp(x, -level, level));
  });
}
template <class View>
void proximal(const l0_penalty&, double t, const View& weights) noexcept {
  using value = typename View::value_type;
  for_each_element(weights, [t](value& w, index_t) {
    const double x = static_cast<double>(w);
    if (0.5 * x * x <= t) w = 0;
  });
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// What the weights cost: strength * r(w).
///
/// @param regularizer  one of the penalties above
/// @param weights      float or double, any shape and layout, finite
/// @return `empty`, `non_finite` at the first NaN or infinity, `invalid_argument` for the strength
///         or the block, `out_of_range` for the axis, `shape_mismatch` for the block, `overflow`
///         where the value does not fit a double
template <class Penalty, class W, class E, class L>
[[nodiscard]] result<double> penalty(const Penalty& regularizer,
                                     tensor_view<W, E, L> weights) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_penalty(regularizer, weights));
  const double value = regularizer.strength * detail::penalty_value(regularizer, weights);
  if (detail::is_finite(value)) return value;
  return {status_code::overflow, "the penalty does not fit a double", "weights"};
}

/// Adds the gradient (at 0 the subgradient 0) of a penalty to that of the loss. Not for `l0_penalty`
/// and `top_k`, which have none.
///
/// @param gradients  float or double, the shape of the weights
/// @return as `penalty`, and `shape_mismatch`; `gradients` is then untouched
template <class Penalty, class W, class E, class L, class G, class GE, class GL>
[[nodiscard]] status add_penalty_gradient(const Penalty& regularizer, tensor_view<W, E, L> weights,
                                          tensor_view<G, GE, GL> gradients) noexcept {
  static_assert(!std::is_same_v<Penalty, l0_penalty> && !std::is_same_v<Penalty, top_k>,
                "pare: a number of weights has no gradient: use proximal_step");
  PARE_RETURN_IF_ERROR(detail::check_penalty(regularizer, weights));
  if (!detail::same_shape(weights, gradients)) {
    return {status_code::shape_mismatch, "there is one gradient for each weight", "gradients"};
  }
  detail::add_gradient(regularizer, weights, gradients);
  return {};
}

/// The proximal step that follows a step of gradient descent.
///
/// @param rate     of that step, finite, not negative
/// @param weights  float or double, any shape and layout, finite
/// @return as `penalty`, `invalid_argument` for the rate; `weights` is then untouched
template <class Penalty, class W, class E, class L>
[[nodiscard]] status proximal_step(const Penalty& regularizer, double rate,
                                   tensor_view<W, E, L> weights) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_penalty(regularizer, weights));
  if (!detail::is_finite(rate) || rate < 0) {
    return {status_code::invalid_argument, "a rate is finite and not negative", "rate"};
  }
  if constexpr (std::is_same_v<Penalty, top_k>) {
    const auto size = static_cast<index_t>(weights.size());
    const index_t gone = size - detail::min(regularizer.kept, size);
    if (gone == 0) return {};
    using key = detail::order_key_t<W>;
    auto cut = detail::cut_smallest<key>(gone, [&weights](const auto& f) {
      for_each_element(weights, [&f](const W& w, index_t) { f(detail::magnitude_key(w)); });
    });
    for_each_element(weights, [&cut](W& w, index_t) {
      if (detail::takes(cut, detail::magnitude_key(w))) w = 0;
    });
  } else {
    const double t = rate * regularizer.strength;
    if (!detail::is_finite(t)) {
      return {status_code::invalid_argument, "rate times strength does not fit a double", "rate"};
    }
    detail::proximal(regularizer, t, weights);
  }
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_PRUNE_REGULARIZE_HPP
