// Magnitude pruning: the weights nearest to zero go first.
//
// Han, Pool, Tran and Dally, "Learning both Weights and Connections for Efficient Neural Networks",
// 2015, arXiv:1506.02626. Amounts follow torch.nn.utils.prune.
#ifndef PARE_PRUNE_MAGNITUDE_HPP
#define PARE_PRUNE_MAGNITUDE_HPP

#include <pare/core/for_each.hpp>
#include <pare/core/status.hpp>
#include <pare/core/tensor_view.hpp>
#include <pare/prune/amount.hpp>
#include <pare/prune/detail/prune_smallest.hpp>
#include <pare/prune/mask.hpp>

namespace pare {

inline namespace PARE_ABI {

/// Keeps the weights whose magnitude is at least `threshold`.
///
/// @param weights    any shape and layout, finite
/// @param threshold  not negative, finite, in the unit of the weights
/// @param mask       same shape as `weights`; receives 1 where the weight stays and 0 where it goes
/// @return `non_finite` at the first NaN or infinity, `empty`, `shape_mismatch`, or
///         `invalid_argument` for the threshold; `mask` is then untouched
///
/// Two passes; no allocation.
template <class W, class E, class L, class ME, class ML>
[[nodiscard]] status magnitude_mask(tensor_view<W, E, L> weights, detail::comparable_t<W> threshold,
                                    tensor_view<std::uint8_t, ME, ML> mask) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_masked(weights, mask));
  if (!detail::is_finite(threshold) || threshold < 0) {
    return {status_code::invalid_argument, "a magnitude is finite and not negative", "threshold"};
  }
  const auto least = detail::magnitude_key(threshold);
  for_each_pair(weights, mask, [least](const W& w, std::uint8_t& m, index_t) {
    m = detail::magnitude_key<std::remove_const_t<W>>(w) >= least ? 1 : 0;
  });
  return {};
}

/// Prunes `pruned` of the weights that all masks together still keep, smallest magnitude first
/// wherever they are: one threshold for a whole network.
///
///     pare::prune_magnitude_globally(pare::amount::fraction(0.8),
///                                    pare::masked_weights{w1.view(), m1.view()},
///                                    pare::masked_weights{w2.view(), m2.view()});
///
/// Where magnitudes tie, the earlier layer and in it the lower index goes first.
///
/// @param pruned  `amount::count(n)` or `amount::fraction(f)` of what all layers keep
/// @param layers  weights and masks as for `prune_magnitude`, all of one element type
/// @return as `prune_magnitude`; all masks are then untouched
///
/// Linear time (selection, not sorting); no allocation.
template <class... Weights, class... Masks>
[[nodiscard]] status prune_magnitude_globally(amount pruned,
                                              masked_weights<Weights, Masks>... layers) noexcept {
  return detail::prune_smallest_of(pruned, detail::by_magnitude(), "weights", layers...);
}

/// As above, for as many layers as there are at run time.
///
/// @param layers  a range of `masked_weights`, such as a std::vector of them
template <class Layers, class = decltype(std::declval<const Layers&>().begin())>
[[nodiscard]] status prune_magnitude_globally(amount pruned, const Layers& layers) noexcept {
  return detail::prune_smallest_in(pruned, detail::by_magnitude(), "weights", layers);
}

/// Prunes `pruned` of the weights that `mask` still keeps, smallest magnitude first.
///
/// Iterating a fraction therefore prunes a fraction of what remains, as PyTorch does. Where
/// magnitudes tie, the lower index goes first, so the result does not depend on the machine.
///
/// @param weights  any shape and layout, finite: where the mask is 0 too
/// @param pruned   `amount::count(n)` or `amount::fraction(f)`, f in [0, 1], rounded half to even
/// @param mask     same shape; in: not 0 for the weights still kept, out: 0 for those that go now
/// @return `non_finite` at the first NaN or infinity, `empty`, `shape_mismatch`, `invalid_argument`
///         for the amount, `out_of_range` where the count exceeds the weights that remain; `mask`
///         is then untouched
///
/// Linear time (selection, not sorting); no allocation.
template <class W, class E, class L, class ME, class ML>
[[nodiscard]] status prune_magnitude(tensor_view<W, E, L> weights, amount pruned,
                                     tensor_view<std::uint8_t, ME, ML> mask) noexcept {
  return prune_magnitude_globally(pruned, masked_weights{weights, mask});
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_PRUNE_MAGNITUDE_HPP
