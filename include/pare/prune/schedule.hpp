// How sparse to be at which step of training: at once, at an even or a cubic pace, or by the same
// share of what remains each time.
//
// Zhu and Gupta, "To prune, or not to prune", 2017, arXiv:1710.01878 (cubic). Frankle and Carbin,
// "The lottery ticket hypothesis", 2019, arXiv:1803.03635 (iterated).
#ifndef PARE_PRUNE_SCHEDULE_HPP
#define PARE_PRUNE_SCHEDULE_HPP

#include <cmath>

#include <pare/core/result.hpp>
#include <pare/core/rounding.hpp>
#include <pare/prune/amount.hpp>
#include <pare/prune/mask.hpp>

namespace pare {

/// How sparsity goes from its first value to its last.
enum class pace : std::uint8_t {
  one_shot,  ///< all at the first step
  constant,  ///< by equal steps
  cubic,     ///< much at first, little at the end: s = sf + (si - sf) * (1 - p)^3
  iterated,  ///< the same share of what remains at each step: 1 - s falls geometrically
};

/// When to prune, and how far.
struct pruning_schedule {
  double first = 0.0;  ///< sparsity before the first step, in [0, 1]
  double last = 0.9;   ///< sparsity after the last step, in [0, 1], not below `first`
  index_t begin = 0;   ///< the training step at which pruning begins
  index_t end = 1;     ///< the training step at which it has ended, not before `begin`
  index_t every = 1;   ///< training steps from one pruning step to the next, at least 1
  pace by = pace::cubic;
};

inline namespace PARE_ABI {

/// Whether masks are to be renewed at a training step.
[[nodiscard]] constexpr bool prunes_at(const pruning_schedule& s, index_t step) noexcept {
  if (step < s.begin || step > s.end || s.every < 1) return false;
  if (s.by == pace::one_shot) return step == s.begin;
  return (step - s.begin) % s.every == 0 || step == s.end;
}

/// How sparse the network is to be after a training step.
///
/// @return `invalid_argument` for a schedule that contradicts itself
[[nodiscard]] inline result<double> sparsity_at(const pruning_schedule& s, index_t step) noexcept {
  if (!(s.first >= 0 && s.first <= s.last && s.last <= 1)) {
    return {status_code::invalid_argument, "sparsity rises from first to last, within [0, 1]",
            "schedule"};
  }
  if (s.begin > s.end || s.every < 1) {
    return {status_code::invalid_argument, "a schedule ends after it begins, with steps above 0",
            "schedule"};
  }
  if (step < s.begin) return s.first;
  if (step >= s.end || s.by == pace::one_shot) return s.last;
  const index_t passed = (step - s.begin) / s.every * s.every;  // between steps nothing changes
  const double p = static_cast<double>(passed) / static_cast<double>(s.end - s.begin);
  switch (s.by) {
    case pace::constant: return s.first + (s.last - s.first) * p;
    case pace::cubic: return s.last + (s.first - s.last) * (1 - p) * (1 - p) * (1 - p);
    case pace::iterated:
      // What is left has no ratio to nothing: everything goes at the last step.
      if (s.last == 1) return s.first;
      return 1 - (1 - s.first) * std::pow((1 - s.last) / (1 - s.first), p);
    case pace::one_shot: break;
  }
  return s.last;
}

/// What to prune of the weights that remain, so that `sparsity` of all are pruned.
///
///     if (pare::prunes_at(schedule, step)) {
///       const double s = pare::sparsity_at(schedule, step).value();
///       pare::prune_magnitude(w, pare::amount_to_reach(s, left, all).value(), mask);
///     }
///
/// @param sparsity   of all weights, in [0, 1]; rounded half to even to a number of them
/// @param remaining  weights that the masks keep, 0 to `all`
/// @param all        weights that there are
/// @return a count, 0 where the masks are sparser already; `invalid_argument`
[[nodiscard]] inline result<amount> amount_to_reach(double sparsity, index_t remaining,
                                                    index_t all) noexcept {
  if (remaining < 0 || remaining > all) {
    return {status_code::invalid_argument, "no more weights remain than there are", "remaining"};
  }
  const result<index_t> pruned = amount::fraction(sparsity).of(all);
  if (!pruned) return pruned.error();
  return amount::count(detail::max<index_t>(0, *pruned - (all - remaining)));
}

/// As above for one mask.
template <class M, class E, class L>
[[nodiscard]] result<amount> amount_to_reach(double sparsity, tensor_view<M, E, L> mask) noexcept {
  return amount_to_reach(sparsity, kept(mask), static_cast<index_t>(mask.size()));
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_PRUNE_SCHEDULE_HPP
