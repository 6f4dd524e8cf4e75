// Structured pruning: whole filters, channels, heads or neurons go, those with the lowest score
// first.
//
// Li, Kadav, Durdanovic, Samet and Graf, "Pruning Filters for Efficient ConvNets", 2017,
// arXiv:1608.08710. Norms and amounts follow torch.nn.utils.prune.ln_structured.
//
// Scores of channels, of which `keep_channels` keeps the highest:
//
//     magnitude          channel_norms, by L1, L2 or Linf
//     heads              channel_norms with a block: the rows of a head lie side by side
//     batch-norm scale   channel_norms(gamma.view(), 0, norm::l1), network slimming: Liu et al.,
//                        2017, arXiv:1708.06519
//     redundancy         channel_distances (FPGM)
//     loss               channel_taylor_scores
//     at random          random_scores of <pare/prune/random.hpp>
#ifndef PARE_PRUNE_STRUCTURED_HPP
#define PARE_PRUNE_STRUCTURED_HPP

#include <cmath>
#include <limits>

#include <pare/core/for_each.hpp>
#include <pare/core/tensor.hpp>
#include <pare/prune/amount.hpp>
#include <pare/prune/detail/select.hpp>
#include <pare/prune/detail/slices.hpp>
#include <pare/prune/mask.hpp>
#include <pare/prune/saliency.hpp>

namespace pare {

/// How large a channel is.
enum class norm : std::uint8_t {
  l1,    ///< the sum of magnitudes
  l2,    ///< the root of the sum of squares
  linf,  ///< the largest magnitude
};

namespace detail {
inline namespace PARE_ABI {

/// Adds up one channel in double. Exact order: row-major.
class channel_sum {
 public:
  constexpr explicit channel_sum(norm kind) noexcept : kind_(kind) {}
  template <class T>
  PARE_ALWAYS_INLINE void add(const T& x) noexcept {
    const double v = std::fabs(to_double(x));
    sum_ = kind_ == norm::linf ? max(sum_, v) : sum_ + (kind_ == norm::l1 ? v : v * v);
  }
  double value() const noexcept { return kind_ == norm::l2 ? std::sqrt(sum_) : sum_; }

 private:
  norm kind_;
  double sum_ = 0.0;
};

/// `overflow` where a score passes `largest`.
[[nodiscard]] inline status check_norms(const tensor<double, 1>& norms, double largest) noexcept {
  for (index_t i = 0; i < norms.size(); ++i) {
    if (!is_finite(norms(i)) || norms(i) > largest) {
      return {status_code::overflow, "the score of this channel does not fit its type", "weights",
              position_kind::element, i};
    }
  }
  return {};
}

/// How many channels of `block` slices there are along an axis.
[[nodiscard]] constexpr result<index_t> count_blocks(index_t size, index_t block) noexcept {
  if (block < 1) {
    return {status_code::invalid_argument, "a block has at least one slice", "block"};
  }
  if (size % block != 0) {
    return {status_code::shape_mismatch, "the extent of the axis is not a multiple of the block",
            "weights"};
  }
  return size / block;
}

/// Checks what scores of channels are made from, computes them in double and hands them over.
///
/// `score(c, slice)` gives the score of a channel, a view of the weights that are its own.
template <class W, class E, class L, class O, class OE, class OL, class Score>
[[nodiscard]] status score_channels(tensor_view<W, E, L> weights, int axis, index_t block,
                                    tensor_view<O, OE, OL> out, const Score& score) noexcept {
  static_assert(OE::rank() == 1, "pare: scores of channels are a vector");
  static_assert(std::is_same_v<O, float> || std::is_same_v<O, double>,
                "pare: scores are float or double");
  PARE_RETURN_IF_ERROR(check_axis(axis, E::rank()));
  const result<index_t> channels =
      count_blocks(static_cast<index_t>(weights.extent(static_cast<std::size_t>(axis))), block);
  if (!channels) return channels.error();
  if (static_cast<index_t>(out.extent(0)) != *channels) {
    return {status_code::shape_mismatch, "there is one score for each index along the axis", "out"};
  }
  PARE_RETURN_IF_ERROR(check_prunable(weights, "weights"));
  auto scores = tensor<double, 1>::create(dextents<index_t, 1>(*channels));
  PARE_RETURN_IF_ERROR(scores.status());
  for (index_t c = 0; c < *channels; ++c) {
    (*scores)(c) = score(c, slices_of(weights, axis, c * block, block));
  }
  PARE_RETURN_IF_ERROR(check_norms(*scores, std::numeric_limits<O>::max()));
  for (index_t c = 0; c < *channels; ++c) out(c) = static_cast<O>((*scores)(c));
  return {};
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// The norm of every slice along `axis`, over all other dimensions.
///
/// Axis 0 of `[out, in]` or `[out, in, kh, kw]` gives neurons or filters, axis 1 their inputs. With
/// `block` above 1 that many slices side by side count as one: the rows of an attention head.
///
/// @param weights  any shape and layout, finite
/// @param axis     0 to rank - 1
/// @param out      float or double, one for each `block` of slices along `axis`
/// @param block    slices of a channel, at least 1; divides the extent along `axis`
/// @return `out_of_range` for the axis, `invalid_argument` for the block, `shape_mismatch`,
///         `empty`, `non_finite` at the first NaN or infinity, `overflow` at the first norm too
///         large for `out`, `out_of_memory`; `out` is then untouched
///
/// Linear time; sums in double.
template <class W, class E, class L, class O, class OE, class OL>
[[nodiscard]] status channel_norms(tensor_view<W, E, L> weights, int axis, norm kind,
                                   tensor_view<O, OE, OL> out, index_t block = 1) noexcept {
  return detail::score_channels(weights, axis, block, out, [kind](index_t, const auto& slice) {
    detail::channel_sum sum(kind);
    for_each_element(slice, [&sum](const W& x, index_t) { sum.add(x); });
    return sum.value();
  });
}

/// As above, into a new vector: of double for weights of double, of float otherwise.
template <class W, class E, class L>
[[nodiscard]] result<tensor<detail::comparable_t<W>, 1>> channel_norms(tensor_view<W, E, L> weights,
                                                                       int axis, norm kind,
                                                                       index_t block = 1) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_axis(axis, E::rank()));
  const auto channels = detail::count_blocks(
      static_cast<index_t>(weights.extent(static_cast<std::size_t>(axis))), block);
  if (!channels) return channels.error();
  auto out = tensor<detail::comparable_t<W>, 1>::create(dextents<index_t, 1>(*channels));
  if (out) PARE_RETURN_IF_ERROR(channel_norms(weights, axis, kind, out->view(), block));
  return out;
}

/// For every slice along `axis` the sum of its Euclidean distances to all others: the lowest lies
/// nearest to the geometric median, and the others can best stand in for it.
///
/// He et al., "Filter pruning via geometric median" (FPGM), 2019, arXiv:1811.00250.
///
/// @return as `channel_norms`
///
/// Time channels * elements.
template <class W, class E, class L, class O, class OE, class OL>
[[nodiscard]] status channel_distances(tensor_view<W, E, L> weights, int axis,
                                       tensor_view<O, OE, OL> out, index_t block = 1) noexcept {
  const auto channels = static_cast<index_t>(out.extent(0));
  return detail::score_channels(weights, axis, block, out, [&](index_t, const auto& slice) {
    double sum = 0;
    for (index_t other = 0; other < channels; ++other) {
      double squares = 0;
      for_each_pair(slice, detail::slices_of(weights, axis, other * block, block),
                    [&squares](const W& a, const W& b, index_t) {
                      const double difference = detail::to_double(a) - detail::to_double(b);
                      squares += difference * difference;
                    });
      sum += std::sqrt(squares);
    }
    return sum;
  });
}

/// What the loss changes to first order when a slice along `axis` becomes zero: |sum of w * dL/dw|.
///
/// Molchanov et al., "Importance estimation for neural network pruning", 2019, arXiv:1906.10771.
///
/// @param gradients  the shape of `weights`, finite
/// @return as `channel_norms`
template <class W, class E, class L, class G, class GE, class GL, class O, class OE, class OL>
[[nodiscard]] status channel_taylor_scores(tensor_view<W, E, L> weights,
                                           tensor_view<G, GE, GL> gradients, int axis,
                                           tensor_view<O, OE, OL> out, index_t block = 1) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_gradients(weights, gradients));
  return detail::score_channels(weights, axis, block, out, [&](index_t c, const auto& slice) {
    double sum = 0;
    for_each_pair(slice, detail::slices_of(gradients, axis, c * block, block),
                  [&sum](const W& w, const G& g, index_t) {
                    sum += detail::to_double(w) * detail::to_double(g);
                  });
    return std::fabs(sum);
  });
}

/// The channels that stay when `pruned` of them go, smallest score first.
///
/// Where scores tie, the lower index goes first. Scores may come from `channel_norms` or from
/// anywhere else, and may be negative.
///
/// @param scores  one for each channel, finite
/// @param pruned  `amount::count(n)` or `amount::fraction(f)` of the channels
/// @param stay    as many as stay; receives their indices, rising
/// @return `empty`, `non_finite` at the first NaN or infinity, `invalid_argument` or `out_of_range`
///         for the amount, `shape_mismatch` where `stay` has another size; `stay` is then untouched
///
/// Linear time; no allocation.
template <class S, class E, class L, class KE, class KL>
[[nodiscard]] status keep_channels(tensor_view<S, E, L> scores, amount pruned,
                                   tensor_view<index_t, KE, KL> stay) noexcept {
  static_assert(E::rank() == 1 && KE::rank() == 1, "pare: scores and indices are vectors");
  PARE_RETURN_IF_ERROR(detail::check_prunable(scores, "scores"));
  const auto channels = static_cast<index_t>(scores.extent(0));
  const result<index_t> count = pruned.of(channels);
  if (!count) return count.error();
  if (static_cast<index_t>(stay.extent(0)) != channels - *count) {
    return {status_code::shape_mismatch, "there is one index for each channel that stays", "stay"};
  }
  using key = detail::order_key_t<S>;
  detail::selection_cut<key> cut;
  if (*count > 0) {
    cut = detail::cut_smallest<key>(*count, [&scores](const auto& f) {
      for_each_element(scores, [&f](const S& s, index_t) { f(detail::value_key(s)); });
    });
  }
  index_t next = 0;
  for (index_t c = 0; c < channels; ++c) {
    if (*count > 0 && detail::takes(cut, detail::value_key(scores(c)))) continue;
    stay(next++) = c;
  }
  return {};
}

/// As above, into a new vector; without elements where all channels go.
///
///     auto scores = pare::channel_norms(w, 0, pare::norm::l1).value();
///     auto stay = pare::keep_channels(scores.view(), pare::amount::fraction(0.5)).value();
///
/// @return as above, or `out_of_memory`
template <class S, class E, class L>
[[nodiscard]] result<tensor<index_t, 1>> keep_channels(tensor_view<S, E, L> scores,
                                                       amount pruned) noexcept {
  const auto channels = static_cast<index_t>(scores.extent(0));
  const result<index_t> count = pruned.of(channels);
  if (!count) return count.error();
  auto stay = tensor<index_t, 1>::create(dextents<index_t, 1>(channels - *count));
  if (stay) PARE_RETURN_IF_ERROR(keep_channels(scores, pruned, stay->view()));
  return stay;
}

/// Prunes `pruned` of the channels of which `mask` still keeps anything, smallest norm first: the
/// mask to fine-tune under before the channels are really removed.
///
/// The norm is that of the weights that the mask keeps. Where norms tie, the lower index goes
/// first.
///
/// @param weights  any shape and layout, finite: where the mask is 0 too
/// @param axis     0 to rank - 1
/// @param pruned   `amount::count(n)` or `amount::fraction(f)` of the channels still kept
/// @param mask     same shape; in: not 0 for the weights still kept, out: 0 in all of a channel
///                 that goes now
/// @param block    slices of a channel, as for `channel_norms`
/// @return as `channel_norms`, or `invalid_argument` or `out_of_range` for the amount; `mask` is
///         then untouched
///
/// Linear time.
template <class W, class E, class L, class ME, class ML>
[[nodiscard]] status prune_channels(tensor_view<W, E, L> weights, int axis, norm kind,
                                    amount pruned, tensor_view<std::uint8_t, ME, ML> mask,
                                    index_t block = 1) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_axis(axis, E::rank()));
  if (!detail::same_shape(weights, mask)) {
    return {status_code::shape_mismatch, "a mask has the shape of its weights", "mask"};
  }
  PARE_RETURN_IF_ERROR(detail::check_prunable(weights, "weights"));
  const auto count_of = detail::count_blocks(
      static_cast<index_t>(weights.extent(static_cast<std::size_t>(axis))), block);
  if (!count_of) return count_of.error();
  const index_t channels = *count_of;
  auto norms = tensor<double, 1>::create(dextents<index_t, 1>(channels));
  PARE_RETURN_IF_ERROR(norms.status());

  constexpr double gone = -1.0;  // no norm is negative
  index_t left = 0;
  for (index_t c = 0; c < channels; ++c) {
    detail::channel_sum sum(kind);
    bool any = false;
    for_each_pair(detail::slices_of(weights, axis, c * block, block),
                  detail::slices_of(mask, axis, c * block, block),
                  [&sum, &any](const W& x, const std::uint8_t& m, index_t) {
                    if (m == 0) return;
                    sum.add(x);
                    any = true;
                  });
    (*norms)(c) = any ? sum.value() : gone;
    left += any ? 1 : 0;
  }
  PARE_RETURN_IF_ERROR(detail::check_norms(*norms, std::numeric_limits<double>::max()));
  const result<index_t> count = pruned.of(left);
  if (!count) return count.error();
  if (*count == 0) return {};

  auto cut = detail::cut_smallest<std::uint64_t>(*count, [&norms](const auto& f) {
    for (const double n : *norms) {
      if (n != gone) f(detail::value_key(n));
    }
  });
  for (index_t c = 0; c < channels; ++c) {
    const double n = (*norms)(c);
    if (n == gone || !detail::takes(cut, detail::value_key(n))) continue;
    for_each_element(detail::slices_of(mask, axis, c * block, block),
                     [](std::uint8_t& m, index_t) { m = 0; });
  }
  return {};
}

/// The indices that a mask of channels keeps, rising: from masks that several layers' scores were
/// pruned under together (`prune_lowest_globally`) to what `keep_slices` takes.
///
/// @return `out_of_memory`
template <class M, class E, class L>
[[nodiscard]] result<tensor<index_t, 1>> kept_indices(tensor_view<M, E, L> mask) noexcept {
  static_assert(E::rank() == 1, "pare: a mask of channels is a vector");
  auto stay = tensor<index_t, 1>::create(dextents<index_t, 1>(kept(mask)));
  if (!stay) return stay;
  index_t next = 0;
  for_each_element(mask, [&](const std::uint8_t& m, index_t c) {
    if (m != 0) (*stay)(next++) = c;
  });
  return stay;
}

/// Prunes in `mask` all slices along `axis` but those named: a choice of channels as a mask of
/// weights.
///
/// @param stay   indices of the channels that stay, rising
/// @param axis   0 to rank - 1
/// @param mask   any shape and layout; set to 0 in the channels that are not named
/// @param block  slices of a channel, as for `channel_norms`
/// @return `out_of_range` for the axis or an index, `invalid_argument` for the block or where the
///         indices do not rise, `shape_mismatch`; `mask` is then untouched
template <class I, class IE, class IL, class E, class L>
[[nodiscard]] status mask_channels(tensor_view<I, IE, IL> stay, int axis,
                                   tensor_view<std::uint8_t, E, L> mask,
                                   index_t block = 1) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_axis(axis, E::rank()));
  const auto channels = detail::count_blocks(
      static_cast<index_t>(mask.extent(static_cast<std::size_t>(axis))), block);
  if (!channels) return channels.error();
  PARE_RETURN_IF_ERROR(detail::check_kept(stay, *channels));
  index_t next = 0;
  for (index_t c = 0; c < *channels; ++c) {
    if (next < static_cast<index_t>(stay.extent(0)) && static_cast<index_t>(stay(next)) == c) {
      ++next;
      continue;
    }
    for_each_element(detail::slices_of(mask, axis, c * block, block),
                     [](std::uint8_t& m, index_t) { m = 0; });
  }
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_PRUNE_STRUCTURED_HPP
