// Extents: static and dynamic sizes, in the vocabulary of std::extents.
#include <pare/core/extents.hpp>

#include <type_traits>

#include <doctest/doctest.h>
#include "support/check.hpp"

using pare::dextents;
using pare::dynamic_extent;
using pare::extents;
using pare::index_t;

TEST_CASE("static extents take no room, dynamic ones one index each") {
  struct derived : extents<index_t, 3, 4> {
    char c;
  };
  static_assert(std::is_empty_v<extents<index_t, 3, 4>>);
  static_assert(std::is_empty_v<extents<index_t>>);
  static_assert(sizeof(derived) == 1);
  static_assert(sizeof(extents<index_t, 3, dynamic_extent>) == sizeof(index_t));
  static_assert(sizeof(dextents<std::int32_t, 3>) == 12);
  static_assert(std::is_trivially_copyable_v<dextents<index_t, 4>>);
}

TEST_CASE("rank and extents are known to the compiler as far as they can be") {
  using shape = extents<index_t, 3, dynamic_extent, 5>;
  static_assert(shape::rank() == 3 && shape::rank_dynamic() == 1);
  static_assert(shape::static_extent(0) == 3 && shape::static_extent(1) == dynamic_extent);
  constexpr shape s(7);
  static_assert(s.extent(0) == 3 && s.extent(1) == 7 && s.extent(2) == 5);
  static_assert(
      std::is_same_v<dextents<index_t, 2>, extents<index_t, dynamic_extent, dynamic_extent>>);
  static_assert(std::is_same_v<dextents<index_t, 0>, extents<index_t>>);
  static_assert(std::is_same_v<shape::size_type, std::size_t>);
}

TEST_CASE("extents are made from all sizes, from the dynamic ones, and from an array") {
  using shape = extents<index_t, dynamic_extent, 4, dynamic_extent>;
  constexpr shape all(2, 4, 6), dynamic(2, 6);
  static_assert(all == dynamic);
  const std::int64_t read[] = {2, 4, 6};
  CHECK(shape(read) == all);
  constexpr shape none;
  static_assert(none.extent(0) == 0 && none.extent(1) == 4 && none.extent(2) == 0);
  static_assert(!std::is_convertible_v<int, extents<index_t, dynamic_extent>>);
}

TEST_CASE("extents convert where no size is lost") {
  constexpr extents<std::int32_t, 2, 3> fixed;
  constexpr dextents<index_t, 2> free = fixed;
  static_assert(free.extent(0) == 2 && free.extent(1) == 3);
  constexpr extents<index_t, 2, dynamic_extent> half(free);
  static_assert(half.extent(0) == 2 && half.extent(1) == 3);
  static_assert(!std::is_constructible_v<dextents<index_t, 3>, dextents<index_t, 2>>);
}

TEST_CASE("extents compare by value, of any index type and rank") {
  static_assert(dextents<index_t, 2>(2, 3) == extents<std::int32_t, 2, 3>());
  static_assert(dextents<index_t, 2>(2, 3) != dextents<index_t, 2>(3, 2));
  static_assert(dextents<index_t, 1>(2) != dextents<index_t, 2>(2, 1));
  static_assert(dextents<index_t, 0>() == extents<index_t>());
}

TEST_CASE("checked_size multiplies, or says that the product does not fit") {
  static_assert(*checked_size(dextents<index_t, 3>(2, 3, 4)) == 24);
  static_assert(*checked_size(extents<index_t>()) == 1);
  static_assert(*checked_size(dextents<index_t, 2>(0, 5)) == 0);
  constexpr index_t m = pare::detail::max_index;
  CHECK(checked_size(dextents<index_t, 2>(m, 1)) == pare::status::ok);
  const auto product = checked_size(dextents<index_t, 3>(1, m / 2, 3));
  CHECK(product == pare::status::overflow);
  CHECK(product.error().kind == pare::position_kind::axis);
  CHECK(product.error().position == 2);
  CHECK(checked_size(dextents<index_t, 1>(m / 4 + 1), 4) == pare::status::overflow);
  CHECK(checked_size(dextents<index_t, 1>(m / 4), 4) == pare::status::ok);
  // Strides are products too, so a zero does not excuse the other extents.
  CHECK(checked_size(dextents<index_t, 3>(m, 0, m)) == pare::status::overflow);
}
