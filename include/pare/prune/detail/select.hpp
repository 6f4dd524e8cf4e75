// The n smallest of many numbers, without sorting or copying them: a histogram of the leading bits,
// then of the next ones among those that share them.
//
// Radix selection, "MSD radix sort that follows one bucket": Knuth, "The Art of Computer
// Programming", volume 3, 5.2.5.
#ifndef PARE_PRUNE_DETAIL_SELECT_HPP
#define PARE_PRUNE_DETAIL_SELECT_HPP

#include <type_traits>

#include <pare/core/bit_cast.hpp>
#include <pare/core/checked.hpp>
#include <pare/core/for_each.hpp>
#include <pare/core/rounding.hpp>
#include <pare/core/small_float.hpp>

namespace pare::detail {

template <class T>
inline constexpr bool is_float_element = std::is_same_v<T, float> || std::is_same_v<T, double> ||
                                         std::is_same_v<T, half> || std::is_same_v<T, bfloat16>;

/// The type that elements of type T are compared in: exact for each of them.
template <class T>
using comparable_t =
    std::conditional_t<std::is_same_v<std::remove_const_t<T>, double>, double, float>;

/// Unsigned integers of the size of a float or double, which sort as the numbers do.
template <class T>
using order_key_t =
    std::conditional_t<std::is_same_v<comparable_t<T>, double>, std::uint64_t, std::uint32_t>;

/// Sorts as |x|. Finite x.
template <class T>
constexpr PARE_ALWAYS_INLINE order_key_t<T> magnitude_key(T x) noexcept {
  using key = order_key_t<T>;
  return bit_cast<key>(static_cast<comparable_t<T>>(x)) & static_cast<key>(~key{0} >> 1);
}

/// Sorts as x, and takes -0 for 0. Finite x.
template <class T>
constexpr PARE_ALWAYS_INLINE order_key_t<T> value_key(T x) noexcept {
  using key = order_key_t<T>;
  constexpr key sign = static_cast<key>(~(~key{0} >> 1));
  const key bits = bit_cast<key>(static_cast<comparable_t<T>>(x));
  if ((bits & static_cast<key>(~sign)) == 0) return sign;
  return (bits & sign) != 0 ? static_cast<key>(~bits) : static_cast<key>(bits | sign);
}

/// Where a list is cut: keys below `key` go, and the first `ties` of those equal to it.
template <class Key>
struct selection_cut {
  Key key = 0;
  index_t ties = 0;
};

inline namespace PARE_ABI {

/// The cut that takes the n smallest keys, the earlier ones where keys tie.
///
/// @param for_each_key  `for_each_key(f)` calls f(key) for every candidate; it is called three
/// times
///                      for 32-bit keys and six times for 64-bit keys
/// @param n             1 to the number of candidates
///
/// Linear time, no allocation.
template <class Key, class ForEachKey>
selection_cut<Key> cut_smallest(index_t n, const ForEachKey& for_each_key) noexcept {
  constexpr int digit_bits = 11;
  Key known = 0, known_bits = 0;
  for (int shift = static_cast<int>(sizeof(Key) * 8); shift > 0;) {
    const int width = min(digit_bits, shift);
    shift -= width;
    const Key digits = static_cast<Key>((Key{1} << width) - 1);
    index_t histogram[1 << digit_bits] = {};
    for_each_key([&](Key key) {
      if ((key & known_bits) == known) ++histogram[(key >> shift) & digits];
    });
    Key digit = 0;
    while (digit < digits && histogram[digit] < n) n -= histogram[digit++];
    known = static_cast<Key>(known | (digit << shift));
    known_bits = static_cast<Key>(known_bits | (digits << shift));
  }
  return {known, n};
}

/// Whether the next candidate goes; counts the ties down, so ask in the order of the candidates.
template <class Key>
constexpr bool takes(selection_cut<Key>& cut, Key key) noexcept {
  if (key < cut.key) return true;
  if (key > cut.key || cut.ties == 0) return false;
  --cut.ties;
  return true;
}

/// `non_finite` with the first element that is NaN or infinite, `empty` where there is none.
template <class T, class E, class L>
[[nodiscard]] status check_prunable(tensor_view<T, E, L> values, const char* subject) noexcept {
  static_assert(is_float_element<std::remove_const_t<T>>,
                "pare: magnitudes are those of float, double, half or bfloat16");
  if (values.empty()) return {status_code::empty, "there is nothing to prune", subject};
  index_t at = 0;
  const auto finite = [&at](const T& x, index_t i) {
    at = i;
    return is_finite(static_cast<comparable_t<T>>(x));
  };
  if (for_each_element_while(values, finite)) return {};
  return {status_code::non_finite, "a NaN or an infinity has no place in the order", subject,
          position_kind::element, at};
}

}  // namespace PARE_ABI
}  // namespace pare::detail

#endif  // PARE_PRUNE_DETAIL_SELECT_HPP
