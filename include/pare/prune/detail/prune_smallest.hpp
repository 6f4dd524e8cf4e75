// What all criteria end in: the weights with the smallest keys leave the masks, out of all layers
// together or out of each group of a row.
#ifndef PARE_PRUNE_DETAIL_PRUNE_SMALLEST_HPP
#define PARE_PRUNE_DETAIL_PRUNE_SMALLEST_HPP

#include <pare/core/for_each.hpp>
#include <pare/core/subview.hpp>
#include <pare/prune/amount.hpp>
#include <pare/prune/detail/select.hpp>
#include <pare/prune/mask.hpp>

namespace pare::detail {

/// The order of scores, and that of magnitudes.
struct by_value {
  template <class T>
  constexpr PARE_ALWAYS_INLINE auto operator()(const T& x, index_t) const noexcept {
    return value_key<T>(x);
  }
};
struct by_magnitude {
  template <class T>
  constexpr PARE_ALWAYS_INLINE auto operator()(const T& x, index_t) const noexcept {
    return magnitude_key<T>(x);
  }
};

inline namespace PARE_ABI {

template <class W, class E, class L, class M, class ME, class ML>
[[nodiscard]] status check_masked(tensor_view<W, E, L> values, tensor_view<M, ME, ML> mask,
                                  const char* subject = "weights") noexcept {
  static_assert(std::is_same_v<std::remove_const_t<M>, std::uint8_t>,
                "pare: a mask is a view of std::uint8_t");
  if (!same_shape(values, mask)) {
    return {status_code::shape_mismatch, "a mask has the shape of its weights", "mask"};
  }
  return check_prunable(values, subject);
}

/// Prunes the kept weights with the smallest keys, over all layers, the earlier ones on ties.
///
/// @param for_each_layer  `for_each_layer(f)` calls f(weights, mask) for every layer, checked
/// @param key_of          `key_of(weight, index within the layer)`
template <class Key, class ForEachLayer, class KeyOf>
[[nodiscard]] status prune_smallest(amount pruned, const ForEachLayer& for_each_layer,
                                    KeyOf key_of) noexcept {
  const auto for_each_kept = [&](const auto& f) {
    for_each_layer([&](const auto& weights, const auto& mask) {
      for_each_pair(weights, mask, [&](const auto& w, std::uint8_t& m, index_t i) {
        if (m != 0) f(key_of(w, i), m);
      });
    });
  };
  index_t left = 0;
  for_each_kept([&left](Key, std::uint8_t&) { ++left; });
  const result<index_t> count = pruned.of(left);
  if (!count) return count.error();
  if (*count == 0) return {};

  auto cut = cut_smallest<Key>(
      *count, [&](const auto& f) { for_each_kept([&f](Key k, std::uint8_t&) { f(k); }); });
  for_each_kept([&cut](Key k, std::uint8_t& m) {
    if (takes(cut, k)) m = 0;
  });
  return {};
}

/// As above for layers named one by one.
template <class KeyOf, class... Weights, class... Masks>
[[nodiscard]] status prune_smallest_of(amount pruned, KeyOf key_of, const char* subject,
                                       const masked_weights<Weights, Masks>&... layers) noexcept {
  static_assert(sizeof...(layers) > 0, "pare: name at least one layer");
  using element = std::common_type_t<typename Weights::value_type...>;
  static_assert((std::is_same_v<element, typename Weights::value_type> && ...),
                "pare: different element types are not compared");
  status valid;
  ((valid.is_ok() ? void(valid = check_masked(layers.weights, layers.mask, subject)) : void()),
   ...);
  PARE_RETURN_IF_ERROR(valid);
  return prune_smallest<order_key_t<element>>(
      pruned, [&](const auto& f) { (f(layers.weights, layers.mask), ...); }, key_of);
}

/// As above for as many layers as a range holds.
template <class KeyOf, class Layers>
[[nodiscard]] status prune_smallest_in(amount pruned, KeyOf key_of, const char* subject,
                                       const Layers& layers) noexcept {
  using element = typename std::decay_t<decltype((*layers.begin()).weights)>::value_type;
  for (const auto& layer : layers) {
    PARE_RETURN_IF_ERROR(check_masked(layer.weights, layer.mask, subject));
  }
  return prune_smallest<order_key_t<element>>(
      pruned,
      [&](const auto& f) {
        for (const auto& layer : layers) f(layer.weights, layer.mask);
      },
      key_of);
}

/// Prunes in each group of `length` neighbours within a row; the last group of a row may be
/// shorter.
///
/// @param how_many  `how_many(left, size)`: how many of the `left` kept weights of a group of
///                  `size` go, a result
/// @param length    at least 1
template <class W, class E, class L, class ME, class ML, class KeyOf, class HowMany>
[[nodiscard]] status prune_smallest_in_groups(tensor_view<W, E, L> weights,
                                              tensor_view<std::uint8_t, ME, ML> mask,
                                              index_t length, KeyOf key_of, const char* subject,
                                              const HowMany& how_many) noexcept {
  static_assert(E::rank() == 2, "pare: groups lie within the rows of a matrix");
  using key = order_key_t<std::remove_const_t<W>>;
  PARE_RETURN_IF_ERROR(check_masked(weights, mask, subject));
  const auto columns = static_cast<index_t>(weights.extent(1));
  const auto for_each_group = [&](const auto& f) -> status {
    for (index_t r = 0; r < static_cast<index_t>(weights.extent(0)); ++r) {
      for (index_t first = 0; first < columns; first += min(length, columns - first)) {
        const range group{first, first + min(length, columns - first)};
        const auto kept_here = subview(mask, r, group);
        PARE_RETURN_IF_ERROR(f(subview(weights, r, group), kept_here,
                               how_many(kept(kept_here), group.last - group.first)));
      }
    }
    return {};
  };
  // All groups are asked before the first is changed.
  PARE_RETURN_IF_ERROR(for_each_group(
      [](const auto&, const auto&, const result<index_t>& count) { return count.status(); }));
  return for_each_group([&](const auto& w, const auto& m, const result<index_t>& count) {
    return prune_smallest<key>(
        amount::count(*count), [&](const auto& f) { f(w, m); }, key_of);
  });
}

[[nodiscard]] constexpr status check_group_length(index_t length) noexcept {
  if (length >= 1) return {};
  return {status_code::invalid_argument, "a group has at least one weight", "length"};
}

}  // namespace PARE_ABI
}  // namespace pare::detail

#endif  // PARE_PRUNE_DETAIL_PRUNE_SMALLEST_HPP
