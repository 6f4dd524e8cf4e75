// Masks: which weights stay (1) and which are pruned (0), and what to do with that while a network
// is fine-tuned.
//
// Han, Pool, Tran and Dally, 2015, arXiv:1506.02626: the weights that stay are trained on, with the
// pruned ones held at zero.
#ifndef PARE_PRUNE_MASK_HPP
#define PARE_PRUNE_MASK_HPP

#include <pare/core/for_each.hpp>
#include <pare/core/status.hpp>
#include <pare/core/tensor.hpp>
#include <pare/core/tensor_view.hpp>

namespace pare {

/// One layer for calls that look at several: its weights (or their scores), and the mask of those
/// still kept.
template <class Weights, class Mask>
struct masked_weights {
  Weights weights;  ///< a view of any shape and layout
  Mask mask;        ///< a view of std::uint8_t of the same shape
};
template <class Weights, class Mask>
masked_weights(Weights, Mask) -> masked_weights<Weights, Mask>;

inline namespace PARE_ABI {

/// A mask for `weights` that keeps them all: where pruning starts.
///
/// @return `out_of_memory`, `overflow`
template <class W, class E, class L>
[[nodiscard]] result<tensor<std::uint8_t, E::rank()>> full_mask(
    tensor_view<W, E, L> weights) noexcept {
  auto mask = tensor<std::uint8_t, E::rank()>::create(weights.extents());
  if (mask) {
    for (std::uint8_t& m : *mask) m = 1;
  }
  return mask;
}

/// Sets to zero what the mask prunes: weights after pruning, and in fine-tuning either the
/// gradients before each step or the weights after it.
///
/// Pruned elements are assigned, not multiplied: a NaN among them becomes zero too. Momentum and
/// weight decay move weights without a gradient; with such an optimiser mask the weights.
///
/// @param mask    any layout; 0 is pruned, everything else stays
/// @param values  same shape, any element type; zero is written where the mask is 0
/// @return `shape_mismatch`; `values` is then untouched
template <class M, class ME, class ML, class T, class E, class L>
[[nodiscard]] status apply_mask(tensor_view<M, ME, ML> mask, tensor_view<T, E, L> values) noexcept {
  static_assert(std::is_same_v<std::remove_const_t<M>, std::uint8_t>,
                "pare: a mask is a view of std::uint8_t");
  static_assert(!std::is_const_v<T>, "pare: apply_mask writes to the values");
  if (!detail::same_shape(mask, values)) {
    return {status_code::shape_mismatch, "a mask has the shape of its values", "values"};
  }
  for_each_pair(mask, values, [](const std::uint8_t& m, T& x, index_t) {
    if (m == 0) x = T{};
  });
  return {};
}

/// Prunes in `mask` what `other` prunes too: masks multiply.
///
/// @param other  any layout
/// @param mask   same shape; set to 0 where `other` is 0
/// @return `shape_mismatch`; `mask` is then untouched
template <class M, class ME, class ML, class E, class L>
[[nodiscard]] status combine_masks(tensor_view<M, ME, ML> other,
                                   tensor_view<std::uint8_t, E, L> mask) noexcept {
  return apply_mask(other, mask);
}

/// Whether `inner` keeps nothing that `outer` prunes: masks of one weight nest as pruning goes on.
///
/// Masks of different shapes do not nest.
template <class M, class E, class L, class N, class NE, class NL>
[[nodiscard]] bool nests_in(tensor_view<M, E, L> inner, tensor_view<N, NE, NL> outer) noexcept {
  if (!detail::same_shape(inner, outer)) return false;
  bool nested = true;
  for_each_pair(inner, outer, [&nested](const std::uint8_t& in, const std::uint8_t& out, index_t) {
    nested = nested && (in == 0 || out != 0);
  });
  return nested;
}

/// How many weights the mask keeps.
template <class M, class E, class L>
[[nodiscard]] index_t kept(tensor_view<M, E, L> mask) noexcept {
  static_assert(std::is_same_v<std::remove_const_t<M>, std::uint8_t>,
                "pare: a mask is a view of std::uint8_t");
  index_t count = 0;
  for_each_element(mask, [&count](const std::uint8_t& m, index_t) { count += m != 0 ? 1 : 0; });
  return count;
}

/// The share of weights that the mask prunes, in [0, 1]; 0 for a mask without elements.
template <class M, class E, class L>
[[nodiscard]] double sparsity(tensor_view<M, E, L> mask) noexcept {
  const auto size = static_cast<index_t>(mask.size());
  return size == 0 ? 0.0 : static_cast<double>(size - kept(mask)) / static_cast<double>(size);
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_PRUNE_MASK_HPP
