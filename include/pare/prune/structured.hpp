// Structured pruning: whole filters, channels or neurons go, those with the smallest norm first.
//
// Li, Kadav, Durdanovic, Samet and Graf, "Pruning Filters for Efficient ConvNets", 2017,
// arXiv:1608.08710. Norms and amounts follow torch.nn.utils.prune.ln_structured.
#ifndef PARE_PRUNE_STRUCTURED_HPP
#define PARE_PRUNE_STRUCTURED_HPP

#include <cmath>
#include <limits>

#include <pare/core/for_each.hpp>
#include <pare/core/tensor.hpp>
#include <pare/prune/amount.hpp>
#include <pare/prune/detail/select.hpp>
#include <pare/prune/detail/slices.hpp>

namespace pare {

/// How large a channel is: the sum of magnitudes, or the root of the sum of squares.
enum class norm : std::uint8_t { l1, l2 };

namespace detail {
inline namespace PARE_ABI {

/// Adds up one channel in double. Exact order: row-major.
class channel_sum {
 public:
  constexpr explicit channel_sum(norm kind) noexcept : kind_(kind) {}
  template <class T>
  PARE_ALWAYS_INLINE void add(const T& x) noexcept {
    const double v = static_cast<double>(static_cast<comparable_t<T>>(x));
    sum_ += kind_ == norm::l1 ? std::fabs(v) : v * v;
  }
  double value() const noexcept { return kind_ == norm::l1 ? sum_ : std::sqrt(sum_); }

 private:
  norm kind_;
  double sum_ = 0.0;
};

/// `overflow` where a norm passes `largest`.
[[nodiscard]] inline status check_norms(const tensor<double, 1>& norms, double largest) noexcept {
  for (index_t i = 0; i < norms.size(); ++i) {
    if (!is_finite(norms(i)) || norms(i) > largest) {
      return {status_code::overflow, "the norm of this channel does not fit its type", "weights",
              position_kind::element, i};
    }
  }
  return {};
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// The norm of every slice along `axis`, over all other dimensions.
///
/// Axis 0 of `[out, in]` or `[out, in, kh, kw]` gives neurons or filters, axis 1 their inputs.
///
/// @param weights  any shape and layout, finite
/// @param axis     0 to rank - 1
/// @param out      float or double, one for each index along `axis`
/// @return `out_of_range` for the axis, `shape_mismatch`, `empty`, `non_finite` at the first NaN or
///         infinity, `overflow` at the first norm too large for `out`, `out_of_memory`; `out` is
///         then untouched
///
/// Linear time; sums in double.
template <class W, class E, class L, class O, class OE, class OL>
[[nodiscard]] status channel_norms(tensor_view<W, E, L> weights, int axis, norm kind,
                                   tensor_view<O, OE, OL> out) noexcept {
  static_assert(OE::rank() == 1, "pare: norms are a vector");
  static_assert(std::is_same_v<O, float> || std::is_same_v<O, double>,
                "pare: norms are float or double");
  PARE_RETURN_IF_ERROR(detail::check_axis(axis, E::rank()));
  const auto channels = static_cast<index_t>(weights.extent(static_cast<std::size_t>(axis)));
  if (static_cast<index_t>(out.extent(0)) != channels) {
    return {status_code::shape_mismatch, "there is one norm for each index along the axis", "out"};
  }
  PARE_RETURN_IF_ERROR(detail::check_prunable(weights, "weights"));
  auto norms = tensor<double, 1>::create(dextents<index_t, 1>(channels));
  PARE_RETURN_IF_ERROR(norms.status());
  for (index_t c = 0; c < channels; ++c) {
    detail::channel_sum sum(kind);
    for_each_element(detail::slices_of(weights, axis, c, 1),
                     [&sum](const W& x, index_t) { sum.add(x); });
    (*norms)(c) = sum.value();
  }
  PARE_RETURN_IF_ERROR(detail::check_norms(*norms, std::numeric_limits<O>::max()));
  for (index_t c = 0; c < channels; ++c) out(c) = static_cast<O>((*norms)(c));
  return {};
}

/// As above, into a new vector: of double for weights of double, of float otherwise.
template <class W, class E, class L>
[[nodiscard]] result<tensor<detail::comparable_t<W>, 1>> channel_norms(tensor_view<W, E, L> weights,
                                                                       int axis,
                                                                       norm kind) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_axis(axis, E::rank()));
  auto out = tensor<detail::comparable_t<W>, 1>::create(
      dextents<index_t, 1>(weights.extent(static_cast<std::size_t>(axis))));
  if (out) PARE_RETURN_IF_ERROR(channel_norms(weights, axis, kind, out->view()));
  return out;
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
/// that
///                 goes now
/// @return as `channel_norms`, or `invalid_argument` or `out_of_range` for the amount; `mask` is
/// then
///         untouched
///
/// Linear time.
template <class W, class E, class L, class ME, class ML>
[[nodiscard]] status prune_channels(tensor_view<W, E, L> weights, int axis, norm kind,
                                    amount pruned,
                                    tensor_view<std::uint8_t, ME, ML> mask) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_axis(axis, E::rank()));
  if (!detail::same_shape(weights, mask)) {
    return {status_code::shape_mismatch, "a mask has the shape of its weights", "mask"};
  }
  PARE_RETURN_IF_ERROR(detail::check_prunable(weights, "weights"));
  const auto channels = static_cast<index_t>(weights.extent(static_cast<std::size_t>(axis)));
  auto norms = tensor<double, 1>::create(dextents<index_t, 1>(channels));
  PARE_RETURN_IF_ERROR(norms.status());

  constexpr double gone = -1.0;  // no norm is negative
  index_t left = 0;
  for (index_t c = 0; c < channels; ++c) {
    detail::channel_sum sum(kind);
    bool any = false;
    for_each_pair(detail::slices_of(weights, axis, c, 1), detail::slices_of(mask, axis, c, 1),
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
    for_each_element(detail::slices_of(mask, axis, c, 1), [](std::uint8_t& m, index_t) { m = 0; });
  }
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_PRUNE_STRUCTURED_HPP
