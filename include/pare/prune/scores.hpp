// Pruning by scores, whatever they come from: the weights with the lowest scores go first.
//
// Scores stand for the loss that a weight saves: its magnitude, its first-order Taylor term, its
// movement, a random number, or what a user computes. Amounts follow torch.nn.utils.prune, whose
// `importance_scores` these are.
#ifndef PARE_PRUNE_SCORES_HPP
#define PARE_PRUNE_SCORES_HPP

#include <pare/core/status.hpp>
#include <pare/core/tensor_view.hpp>
#include <pare/prune/amount.hpp>
#include <pare/prune/detail/prune_smallest.hpp>
#include <pare/prune/mask.hpp>

namespace pare {
inline namespace PARE_ABI {

/// Prunes `pruned` of the weights that `mask` still keeps, lowest score first.
///
/// Where scores tie, the lower index goes first. A fraction is one of what remains.
///
/// @param scores  any shape and layout, finite, of any sign: where the mask is 0 too
/// @param pruned  `amount::count(n)` or `amount::fraction(f)`, f in [0, 1], rounded half to even
/// @param mask    same shape; in: not 0 for the weights still kept, out: 0 for those that go now
/// @return `non_finite` at the first NaN or infinity, `empty`, `shape_mismatch`, `invalid_argument`
///         for the amount, `out_of_range` where the count exceeds the weights that remain; `mask`
///         is then untouched
///
/// Linear time (selection, not sorting); no allocation.
template <class S, class E, class L, class ME, class ML>
[[nodiscard]] status prune_lowest(tensor_view<S, E, L> scores, amount pruned,
                                  tensor_view<std::uint8_t, ME, ML> mask) noexcept {
  return detail::prune_smallest_of(pruned, detail::by_value(), "scores",
                                   masked_weights{scores, mask});
}

/// Prunes `pruned` of the weights that all masks together still keep, under one threshold.
///
///     pare::prune_lowest_globally(pare::amount::fraction(0.8),
///                                 pare::masked_weights{s1.view(), m1.view()},
///                                 pare::masked_weights{s2.view(), m2.view()});
///
/// Where scores tie, the earlier layer and in it the lower index goes first.
///
/// @param layers  scores and masks as for `prune_lowest`, all of one element type
/// @return as `prune_lowest`; all masks are then untouched
template <class... Scores, class... Masks>
[[nodiscard]] status prune_lowest_globally(amount pruned,
                                           masked_weights<Scores, Masks>... layers) noexcept {
  return detail::prune_smallest_of(pruned, detail::by_value(), "scores", layers...);
}

/// As above, for as many layers as there are at run time.
///
/// @param layers  a range of `masked_weights`, such as a std::vector of them
template <class Layers, class = decltype(std::declval<const Layers&>().begin())>
[[nodiscard]] status prune_lowest_globally(amount pruned, const Layers& layers) noexcept {
  return detail::prune_smallest_in(pruned, detail::by_value(), "scores", layers);
}

/// Prunes `pruned` of what each group of `length` neighbours in a row still keeps: every group ends
/// equally sparse, so that lanes and threads that take a group each are equally busy.
///
/// Balanced sparsity: Yao et al., 2019, arXiv:1811.00206. A group as long as the row compares the
/// weights of one output with each other, as Wanda does.
///
/// @param scores  [rows, columns], as for `prune_lowest`
/// @param length  of a group, at least 1; the last group of a row may be shorter
/// @param pruned  of each group: a count beyond what a group keeps is an error
/// @param mask    [rows, columns], as for `prune_lowest`
/// @return as `prune_lowest`, `invalid_argument` for `length`; `mask` is then untouched
template <class S, class E, class L, class ME, class ML>
[[nodiscard]] status prune_lowest_in_groups(tensor_view<S, E, L> scores, index_t length,
                                            amount pruned,
                                            tensor_view<std::uint8_t, ME, ML> mask) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_group_length(length));
  return detail::prune_smallest_in_groups(
      scores, mask, length, detail::by_value(), "scores",
      [pruned](index_t left, index_t) { return pruned.of(left); });
}

/// As above with whole rows as groups.
template <class S, class E, class L, class ME, class ML>
[[nodiscard]] status prune_lowest_in_rows(tensor_view<S, E, L> scores, amount pruned,
                                          tensor_view<std::uint8_t, ME, ML> mask) noexcept {
  return prune_lowest_in_groups(scores, detail::max_index, pruned, mask);
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_PRUNE_SCORES_HPP
