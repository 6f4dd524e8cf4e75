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
#include <pare/prune/detail/select.hpp>

namespace pare {

/// One layer for calls that look at several: its weights, and the mask of those still kept.
template <class Weights, class Mask>
struct masked_weights {
  Weights weights;  ///< a view of any shape and layout
  Mask mask;        ///< a view of std::uint8_t of the same shape
};
template <class Weights, class Mask>
masked_weights(Weights, Mask) -> masked_weights<Weights, Mask>;

namespace detail {
inline namespace PARE_ABI {

template <class W, class E, class L, class M, class ME, class ML>
[[nodiscard]] status check_masked(tensor_view<W, E, L> weights,
                                  tensor_view<M, ME, ML> mask) noexcept {
  static_assert(std::is_same_v<std::remove_const_t<M>, std::uint8_t>,
                "pare: a mask is a view of std::uint8_t");
  if (!same_shape(weights, mask)) {
    return {status_code::shape_mismatch, "a mask has the shape of its weights", "mask"};
  }
  return check_prunable(weights, "weights");
}

}  // namespace PARE_ABI
}  // namespace detail

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
  static_assert(sizeof...(layers) > 0, "pare: name at least one layer");
  using element = std::common_type_t<typename Weights::value_type...>;
  static_assert((std::is_same_v<element, typename Weights::value_type> && ...),
                "pare: magnitudes of different element types are not compared");
  using key = detail::order_key_t<element>;

  status valid;
  ((valid.is_ok() ? void(valid = detail::check_masked(layers.weights, layers.mask)) : void()), ...);
  PARE_RETURN_IF_ERROR(valid);

  const auto for_each_kept = [&](const auto& f) {
    (for_each_pair(layers.weights, layers.mask,
                   [&f](const element& w, std::uint8_t& m, index_t) {
                     if (m != 0) f(detail::magnitude_key(w), m);
                   }),
     ...);
  };
  index_t left = 0;
  for_each_kept([&left](key, std::uint8_t&) { ++left; });
  const result<index_t> count = pruned.of(left);
  if (!count) return count.error();
  if (*count == 0) return {};

  auto cut = detail::cut_smallest<key>(
      *count, [&](const auto& f) { for_each_kept([&f](key k, std::uint8_t&) { f(k); }); });
  for_each_kept([&cut](key k, std::uint8_t& m) {
    if (detail::takes(cut, k)) m = 0;
  });
  return {};
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
