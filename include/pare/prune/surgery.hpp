// Surgery: pruned neurons, filters and channels really leave, from the layer that makes them and
// from the one that reads them, so that both become smaller and dense.
//
// Li, Kadav, Durdanovic, Samet and Graf, "Pruning Filters for Efficient ConvNets", 2017,
// arXiv:1608.08710, figure 1.
#ifndef PARE_PRUNE_SURGERY_HPP
#define PARE_PRUNE_SURGERY_HPP

#include <pare/core/for_each.hpp>
#include <pare/core/tensor.hpp>
#include <pare/prune/detail/slices.hpp>

namespace pare {

/// A layer that makes fewer outputs, and the next one, which reads as many fewer.
template <class T, std::size_t Rank, std::size_t NextRank>
struct narrowed_layers {
  tensor<T, Rank> weights;           ///< fewer slices along axis 0
  tensor<T, 1> bias;                 ///< as many; without elements where there was none
  tensor<T, NextRank> next_weights;  ///< fewer slices along axis 1; its own bias stays as it is
};

inline namespace PARE_ABI {

/// Copies the slices along `axis` that are named in `kept`, close together.
///
/// With `block` above 1 an index stands for that many slices side by side: a convolution's channel
/// c, flattened, is the columns c * kh * kw to (c + 1) * kh * kw - 1 of the linear layer behind it.
///
/// @param source  any rank above 0, any layout, any element type
/// @param axis    0 to rank - 1
/// @param kept    indices of the slices (or blocks) that stay, rising; may be none
/// @param out     the shape of `source`, but `kept.extent(0) * block` along `axis`; must not
/// overlap
/// @param block   slices for one index, at least 1; divides the extent along `axis`
/// @return `out_of_range` for the axis or a kept index, `invalid_argument` where the indices do not
///         rise or for `block`, `shape_mismatch`; `out` is then untouched
///
/// Linear in what stays; no allocation.
template <class T, class E, class L, class I, class IE, class IL, class O, class OE, class OL>
[[nodiscard]] status keep_slices(tensor_view<T, E, L> source, int axis, tensor_view<I, IE, IL> kept,
                                 tensor_view<O, OE, OL> out, index_t block = 1) noexcept {
  static_assert(E::rank() == OE::rank(), "pare: what stays has the rank of the source");
  static_assert(std::is_same_v<std::remove_const_t<T>, O>, "pare: slices keep their element type");
  PARE_RETURN_IF_ERROR(detail::check_axis(axis, E::rank()));
  const auto along = static_cast<std::size_t>(axis);
  const auto size = static_cast<index_t>(source.extent(along));
  if (block < 1) {
    return {status_code::invalid_argument, "a block has at least one slice", "block"};
  }
  if (size % block != 0) {
    return {status_code::shape_mismatch, "the extent of the axis is not a multiple of the block",
            "source", position_kind::axis, axis};
  }
  PARE_RETURN_IF_ERROR(detail::check_kept(kept, size / block));
  const auto count = static_cast<index_t>(kept.extent(0));
  for (std::size_t r = 0; r < E::rank(); ++r) {
    // No product overflows here: kept indices are at most size / block.
    const index_t expected = r == along ? count * block : static_cast<index_t>(source.extent(r));
    if (static_cast<index_t>(out.extent(r)) != expected) {
      return {status_code::shape_mismatch, "the output has not the shape of what stays", "out",
              position_kind::axis, static_cast<index_t>(r)};
    }
  }
  for (index_t i = 0; i < count; ++i) {
    for_each_pair(detail::slices_of(source, axis, static_cast<index_t>(kept(i)) * block, block),
                  detail::slices_of(out, axis, i * block, block),
                  [](const T& from, O& to, index_t) { to = from; });
  }
  return {};
}

/// As above, into a new tensor.
///
/// @return as above, or `out_of_memory`
template <class T, class E, class L, class I, class IE, class IL>
[[nodiscard]] result<tensor<std::remove_const_t<T>, E::rank()>> keep_slices(
    tensor_view<T, E, L> source, int axis, tensor_view<I, IE, IL> kept,
    index_t block = 1) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_axis(axis, E::rank()));
  // The view form checks the rest; here nonsense must only not overflow or fill the memory on the
  // way to it.
  index_t along = 0;
  if (!detail::checked_multiply(static_cast<index_t>(kept.extent(0)), block, along)) {
    return {status_code::invalid_argument, "a block has at least one slice, and not too many",
            "block"};
  }
  index_t sizes[E::rank()] = {};
  for (std::size_t r = 0; r < E::rank(); ++r) sizes[r] = static_cast<index_t>(source.extent(r));
  sizes[axis] = detail::min(along, sizes[axis]);
  auto out = tensor<std::remove_const_t<T>, E::rank()>::create(dextents<index_t, E::rank()>(sizes));
  if (out) PARE_RETURN_IF_ERROR(keep_slices(source, axis, kept, out->view(), block));
  return out;
}

/// Copies the slices along `axis` in another order: slice i of the result is slice order[i].
///
/// With the inputs of a layer (axis 1) the outputs of the layer before it (axis 0) are permuted by
/// the same order: the network computes what it did.
///
/// @param source  any rank above 0, any layout, any element type
/// @param axis    0 to rank - 1
/// @param order   each index along the axis once
/// @return `out_of_range` for the axis or an index, `shape_mismatch` for the number of indices,
///         `invalid_argument` where an index comes twice, `out_of_memory`
template <class T, class E, class L, class I, class IE, class IL>
[[nodiscard]] result<tensor<std::remove_const_t<T>, E::rank()>> permute_slices(
    tensor_view<T, E, L> source, int axis, tensor_view<I, IE, IL> order) noexcept {
  static_assert(IE::rank() == 1 && std::is_integral_v<I>, "pare: an order is a vector of integers");
  using value = std::remove_const_t<T>;
  PARE_RETURN_IF_ERROR(detail::check_axis(axis, E::rank()));
  const auto count = static_cast<index_t>(source.extent(static_cast<std::size_t>(axis)));
  if (static_cast<index_t>(order.extent(0)) != count) {
    return {status_code::shape_mismatch, "an order has each index of the axis once", "order"};
  }
  auto seen = tensor<std::uint8_t, 1>::create(dextents<index_t, 1>(count));
  if (!seen) return seen.error();
  for (index_t i = 0; i < count; ++i) {
    const auto from = static_cast<index_t>(order(i));
    if (from < 0 || from >= count) {
      return {status_code::out_of_range, "an index lies beyond the extent of its axis", "order",
              position_kind::element, i};
    }
    if ((*seen)(from)++ != 0) {
      return {status_code::invalid_argument, "an order has each index of the axis once", "order",
              position_kind::element, i};
    }
  }
  auto out = tensor<value, E::rank()>::create(dextents<index_t, E::rank()>(source.extents()));
  if (!out) return out;
  for (index_t i = 0; i < count; ++i) {
    for_each_pair(detail::slices_of(source, axis, static_cast<index_t>(order(i)), 1),
                  detail::slices_of(out->view(), axis, i, 1),
                  [](const T& from, value& to, index_t) { to = from; });
  }
  return out;
}

}  // namespace PARE_ABI

namespace detail {
inline namespace PARE_ABI {

/// Narrows a layer and the next one; `block` columns of the next layer read one output.
template <class T, class E, class L, class B, class BE, class BL, class N, class NE, class NL,
          class I, class IE, class IL>
[[nodiscard]] result<narrowed_layers<std::remove_const_t<T>, E::rank(), NE::rank()>> narrow(
    tensor_view<T, E, L> weights, tensor_view<B, BE, BL> bias, tensor_view<N, NE, NL> next_weights,
    index_t block, tensor_view<I, IE, IL> kept) noexcept {
  using value = std::remove_const_t<T>;
  static_assert(std::is_same_v<value, std::remove_const_t<B>> &&
                    std::is_same_v<value, std::remove_const_t<N>>,
                "pare: both layers and the bias have one element type");
  static_assert(BE::rank() == 1, "pare: a bias is a vector");
  if (!bias.empty() && static_cast<index_t>(bias.extent(0)) != weights.extent(0)) {
    return {status_code::shape_mismatch, "a bias has one element for each output", "bias"};
  }
  narrowed_layers<value, E::rank(), NE::rank()> narrowed;
  auto smaller = keep_slices(weights, 0, kept);
  if (!smaller) return smaller.error();
  narrowed.weights = *std::move(smaller);
  if (!bias.empty()) {
    auto smaller_bias = keep_slices(bias, 0, kept);
    if (!smaller_bias) return smaller_bias.error();
    narrowed.bias = *std::move(smaller_bias);
  }
  auto smaller_next = keep_slices(next_weights, 1, kept, block);
  if (!smaller_next) return smaller_next.error();
  narrowed.next_weights = *std::move(smaller_next);
  return narrowed;
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Removes all neurons but those in `kept` from between two linear layers.
///
///     auto small = pare::remove_neurons(w1.view(), b1.view(), w2.view(), stay.view()).value();
///
/// @param weights       [out, in] of the layer whose neurons go
/// @param bias          [out], or a view without elements
/// @param next_weights  [next_out, out] of the layer that reads them
/// @param kept          indices of the neurons that stay, rising; may be none
/// @return `shape_mismatch` where the layers do not fit each other, errors of `keep_slices`,
///         `out_of_memory`
///
/// What a removed neuron added to the next layer is gone: a neuron with weights and bias zero was
/// worth nothing, others change the network, which is then fine-tuned.
template <class T, class E, class L, class B, class BE, class BL, class N, class NE, class NL,
          class I, class IE, class IL>
[[nodiscard]] result<narrowed_layers<std::remove_const_t<T>, 2, 2>> remove_neurons(
    tensor_view<T, E, L> weights, tensor_view<B, BE, BL> bias, tensor_view<N, NE, NL> next_weights,
    tensor_view<I, IE, IL> kept) noexcept {
  static_assert(E::rank() == 2 && NE::rank() == 2, "pare: linear weights are [out, in]");
  if (static_cast<index_t>(next_weights.extent(1)) != static_cast<index_t>(weights.extent(0))) {
    return {status_code::shape_mismatch, "the next layer reads as many inputs as this one makes",
            "next_weights", position_kind::axis, 1};
  }
  return detail::narrow(weights, bias, next_weights, 1, kept);
}

/// Removes all filters but those in `kept` from a convolution, and their channels from the layer
/// behind it: a convolution, or a linear layer behind a flatten.
///
/// Between the layers may stand whatever treats channels alone (activation, pooling); parameters of
/// a normalisation go through `keep_slices` along axis 0. Grouped convolutions are not offered.
///
/// @param weights       [out, in, kh, kw] of the layer whose filters go
/// @param bias          [out], or a view without elements
/// @param next_weights  [next_out, out, kh, kw], or [next_out, out * block] of a linear layer that
///                      reads the flattened channels, `block` = height * width values of each side
///                      by side, as PyTorch flattens NCHW
/// @param kept          indices of the filters that stay, rising; may be none
/// @return as `remove_neurons`
template <class T, class E, class L, class B, class BE, class BL, class N, class NE, class NL,
          class I, class IE, class IL>
[[nodiscard]] result<narrowed_layers<std::remove_const_t<T>, 4, NE::rank()>> remove_filters(
    tensor_view<T, E, L> weights, tensor_view<B, BE, BL> bias, tensor_view<N, NE, NL> next_weights,
    tensor_view<I, IE, IL> kept) noexcept {
  static_assert(E::rank() == 4, "pare: convolution weights are [out, in, kh, kw]");
  static_assert(NE::rank() == 4 || NE::rank() == 2,
                "pare: behind a convolution comes a convolution or a linear layer");
  const auto filters = static_cast<index_t>(weights.extent(0));
  const auto inputs = static_cast<index_t>(next_weights.extent(1));
  constexpr bool flattened = NE::rank() == 2;
  if (filters == 0 ? inputs != 0 : (flattened ? inputs % filters != 0 : inputs != filters)) {
    return {status_code::shape_mismatch,
            flattened ? "the next layer's inputs are not a multiple of the filters"
                      : "the next layer reads as many channels as this one has filters",
            "next_weights", position_kind::axis, 1};
  }
  const index_t block = filters == 0 || inputs == 0 ? 1 : inputs / filters;
  return detail::narrow(weights, bias, next_weights, block, kept);
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_PRUNE_SURGERY_HPP
