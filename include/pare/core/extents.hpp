// The shape of a tensor: each extent known to the compiler, or carried at run time.
//
// Vocabulary of ISO C++23 [mdspan.extents].
#ifndef PARE_CORE_EXTENTS_HPP
#define PARE_CORE_EXTENTS_HPP

#include <type_traits>
#include <utility>

#include <pare/core/assert.hpp>
#include <pare/core/checked.hpp>
#include <pare/core/config.hpp>

namespace pare {

/// Stands for an extent that is known at run time only.
inline constexpr std::size_t dynamic_extent = static_cast<std::size_t>(-1);

namespace detail {

/// N values, none of which takes room where N is 0.
template <class T, std::size_t N>
struct value_array {
  T values[N] = {};
  constexpr PARE_ALWAYS_INLINE T& operator[](std::size_t i) noexcept { return values[i]; }
  constexpr PARE_ALWAYS_INLINE const T& operator[](std::size_t i) const noexcept {
    return values[i];
  }
};

template <class T>
struct value_array<T, 0> {
  constexpr PARE_ALWAYS_INLINE T operator[](std::size_t) const noexcept { return T{}; }
};

}  // namespace detail

/// @tparam IndexType  integer type of the extents
/// @tparam Extents    one value a dimension: a size, or `dynamic_extent`
template <class IndexType, std::size_t... Extents>
class extents
    : private detail::value_array<IndexType,
                                  (std::size_t(0) + ... + std::size_t(Extents == dynamic_extent))> {
  static constexpr std::size_t dynamic_count =
      (std::size_t(0) + ... + std::size_t(Extents == dynamic_extent));
  using dynamic_values = detail::value_array<IndexType, dynamic_count>;
  static constexpr std::size_t values_[sizeof...(Extents) + 1] = {Extents..., 0};

 public:
  using index_type = IndexType;
  using size_type = std::make_unsigned_t<IndexType>;
  using rank_type = std::size_t;

  static constexpr PARE_ALWAYS_INLINE rank_type rank() noexcept { return sizeof...(Extents); }
  static constexpr PARE_ALWAYS_INLINE rank_type rank_dynamic() noexcept { return dynamic_count; }
  static constexpr PARE_ALWAYS_INLINE std::size_t static_extent(rank_type r) noexcept {
    return values_[r];
  }

  /// Dynamic extents start at 0.
  constexpr extents() noexcept = default;

  /// All extents, or the dynamic ones only.
  template <class... I, std::enable_if_t<(sizeof...(I) > 0) &&
                                             (sizeof...(I) == sizeof...(Extents) ||
                                              sizeof...(I) == dynamic_count) &&
                                             (std::is_convertible_v<I, IndexType> && ...),
                                         int> = 0>
  constexpr PARE_ALWAYS_INLINE explicit extents(I... sizes) noexcept {
    const IndexType given[] = {static_cast<IndexType>(sizes)...};
    assign(given, sizeof...(I));
  }

  /// All extents from an array, as read from a file.
  template <class I, std::size_t N, std::enable_if_t<N == sizeof...(Extents), int> = 0>
  constexpr PARE_ALWAYS_INLINE explicit extents(const I (&sizes)[N]) noexcept {
    IndexType given[N] = {};
    for (std::size_t r = 0; r < N; ++r) given[r] = static_cast<IndexType>(sizes[r]);
    assign(given, N);
  }

  /// From extents of the same rank: implicit where no static extent has to be checked.
  template <class J, std::size_t... Other,
            std::enable_if_t<sizeof...(Other) == sizeof...(Extents), int> = 0>
  constexpr PARE_ALWAYS_INLINE extents(const extents<J, Other...>& other) noexcept {
    static_assert(
        ((Extents == dynamic_extent || Other == dynamic_extent || Extents == Other) && ...),
        "pare: these static extents differ");
    IndexType given[sizeof...(Extents) + 1] = {};
    for (std::size_t r = 0; r < rank(); ++r) given[r] = static_cast<IndexType>(other.extent(r));
    assign(given, rank());
  }

  constexpr PARE_ALWAYS_INLINE IndexType extent(rank_type r) const noexcept {
    PARE_ASSERT(r < rank(), "this dimension does not exist");
    if constexpr (dynamic_count == sizeof...(Extents)) {
      return dynamic_values::operator[](r);
    } else {
      if (values_[r] != dynamic_extent) return static_cast<IndexType>(values_[r]);
      return dynamic_values::operator[](dynamic_index(r));
    }
  }

  template <class J, std::size_t... Other>
  friend constexpr PARE_ALWAYS_INLINE bool operator==(const extents& a,
                                                      const extents<J, Other...>& b) noexcept {
    if constexpr (sizeof...(Other) != sizeof...(Extents)) {
      return false;
    } else {
      for (std::size_t r = 0; r < rank(); ++r) {
        if (a.extent(r) != static_cast<IndexType>(b.extent(r))) return false;
      }
      return true;
    }
  }
#if __cplusplus < 202002L
  template <class J, std::size_t... Other>
  friend constexpr PARE_ALWAYS_INLINE bool operator!=(const extents& a,
                                                      const extents<J, Other...>& b) noexcept {
    return !(a == b);
  }
#endif

 private:
  static constexpr PARE_ALWAYS_INLINE std::size_t dynamic_index(rank_type r) noexcept {
    std::size_t before = 0;
    for (rank_type i = 0; i < r; ++i) before += values_[i] == dynamic_extent;
    return before;
  }

  /// Short for what is all dynamic: loops that a compiler does not unroll at -Os cost more than what
  /// they do.
  constexpr PARE_ALWAYS_INLINE void assign(const IndexType* given, std::size_t count) noexcept {
    if constexpr (dynamic_count == sizeof...(Extents)) {
      assign_all(given, std::make_index_sequence<dynamic_count>());
    } else {
      assign_some(given, count);
    }
  }
  template <std::size_t... R>
  constexpr PARE_ALWAYS_INLINE void assign_all(const IndexType* given,
                                               std::index_sequence<R...>) noexcept {
    (assign_one(given[R], R), ...);
    static_cast<void>(given);
  }
  constexpr PARE_ALWAYS_INLINE void assign_one(IndexType given, std::size_t r) noexcept {
    PARE_ASSERT(given >= 0, "an extent is negative");
    dynamic_values::operator[](r) = given;
  }
  constexpr PARE_ALWAYS_INLINE void assign_some(const IndexType* given,
                                                std::size_t count) noexcept {
    for (std::size_t r = 0, next = 0; r < rank(); ++r) {
      if (count == rank()) {
        PARE_ASSERT(given[r] >= 0, "an extent is negative");
        PARE_ASSERT(values_[r] == dynamic_extent || static_cast<IndexType>(values_[r]) == given[r],
                    "a size contradicts the static extent");
      }
      if (values_[r] == dynamic_extent) {
        if constexpr (dynamic_count > 0)
          dynamic_values::operator[](next) = count == rank() ? given[r] : given[next];
        ++next;
      }
    }
  }
};

namespace detail {

constexpr std::size_t always_dynamic(std::size_t) noexcept { return dynamic_extent; }

template <class IndexType, class>
struct dextents_of;
template <class IndexType, std::size_t... R>
struct dextents_of<IndexType, std::index_sequence<R...>> {
  using type = extents<IndexType, always_dynamic(R)...>;
};

template <class>
struct is_extents : std::false_type {};
template <class I, std::size_t... E>
struct is_extents<extents<I, E...>> : std::true_type {};

}  // namespace detail

/// Extents of `Rank` dimensions, all of them dynamic.
template <class IndexType, std::size_t Rank>
using dextents = typename detail::dextents_of<IndexType, std::make_index_sequence<Rank>>::type;

/// The number of elements, or `overflow` where an extent is negative or the product does not fit.
template <class IndexType, std::size_t... E>
constexpr result<index_t> checked_size(const extents<IndexType, E...>& e,
                                       index_t element_bytes = 1) noexcept {
  index_t size = 1, bytes = element_bytes;
  bool empty = false;
  for (std::size_t r = 0; r < e.rank(); ++r) {
    const index_t n = static_cast<index_t>(e.extent(r));
    if (n == 0) empty = true;
    if (n < 0 || (n != 0 && (!detail::checked_multiply(size, n, size) ||
                             !detail::checked_multiply(bytes, n, bytes)))) {
      return {status_code::overflow, "the number of elements does not fit the index type",
              "extents", position_kind::axis, static_cast<index_t>(r)};
    }
  }
  return empty ? index_t(0) : size;
}

}  // namespace pare

#endif  // PARE_CORE_EXTENTS_HPP
