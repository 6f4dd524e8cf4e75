// Slicing against plain indexing.
#include <pare/core/subview.hpp>

#include <limits>
#include <type_traits>

#include <doctest/doctest.h>
#include "support/check.hpp"
#include "support/random.hpp"

using pare::all;
using pare::dextents;
using pare::dynamic_extent;
using pare::extents;
using pare::index_t;
using pare::layout_left;
using pare::layout_right;
using pare::layout_stride;
using pare::range;
using pare::strided_range;
using pare::subview;

namespace {

/// A slice as first, count, step, chosen at random within an extent.
strided_range any_range(pare_test::random_source& random, index_t extent) {
  const index_t first = random.index(0, extent);
  return {first, random.index(first, extent), random.index(1, 4)};
}

template <class View>
using layout_of = typename View::layout_type;

}  // namespace

TEST_CASE("a subview has the elements of its slices, whatever the layout") {
  const auto data = pare_test::random_codes<int>({5, 6, 7}, 1);
  const auto columns = pare_test::column_major_copy(data);
  const auto apart = pare_test::strided_copy(data, 3, 2);
  pare_test::random_source random(2);
  const auto check = [&](const auto& v) {
    const strided_range s0 = any_range(random, 5), s2 = any_range(random, 7);
    const strided_range s1 = any_range(random, 6);
    const range r1{s1.first, s1.last};
    const index_t at = random.index(0, 5);
    const auto part = subview(v, s0, r1, s2);
    CHECK(part.extent(0) == (s0.last - s0.first + s0.step - 1) / s0.step);
    CHECK(part.extent(1) == r1.last - r1.first);
    bool same = true;
    for (index_t i = 0; i < part.extent(0); ++i) {
      for (index_t j = 0; j < part.extent(1); ++j) {
        for (index_t k = 0; k < part.extent(2); ++k) {
          same &=
              &part(i, j, k) == &v(s0.first + i * s0.step, r1.first + j, s2.first + k * s2.step);
        }
      }
    }
    CHECK(same);
    const auto plane = subview(v, s0, at, all);
    static_assert(plane.rank() == 2);
    CHECK(plane.extent(1) == 7);
    for (index_t i = 0; i < plane.extent(0); ++i) {
      for (index_t k = 0; k < 7; ++k) same &= &plane(i, k) == &v(s0.first + i * s0.step, at, k);
    }
    CHECK(same);
    const auto element = subview(v, 4, at, 6);
    static_assert(element.rank() == 0);
    CHECK(&element() == &v(4, at, 6));
  };
  for (int round = 0; round < 100; ++round) {
    check(data.view());
    check(columns.view());
    check(apart.view());
    check(subview(data.view(), all, all, all));
  }
}

TEST_CASE("static extents stay static where a whole dimension is kept") {
  int data[2][3][4] = {};
  const pare::tensor_view<int, extents<index_t, 2, 3, 4>> v(&data[0][0][0]);
  const auto part = subview(v, 1, range{0, 2}, all);
  static_assert(part.rank() == 2);
  static_assert(part.static_extent(0) == dynamic_extent && part.static_extent(1) == 4);
  static_assert(
      std::is_same_v<decltype(subview(v, 1, 2, all)), pare::tensor_view<int, extents<index_t, 4>>>);
  static_assert(sizeof(subview(v, 1, 2, all)) == sizeof(int*));
  CHECK(subview(v, 1, 2, all).data_handle() == &data[1][2][0]);
}

TEST_CASE("a subview is row-major exactly where its type can tell") {
  int data[24] = {};
  const auto v = pare::view(data, 2, 3, 4);
  static_assert(std::is_same_v<layout_of<decltype(subview(v, all, all, all))>, layout_right>);
  static_assert(
      std::is_same_v<layout_of<decltype(subview(v, range{0, 1}, all, all))>, layout_right>);
  static_assert(std::is_same_v<layout_of<decltype(subview(v, 1, range{0, 1}, all))>, layout_right>);
  static_assert(std::is_same_v<layout_of<decltype(subview(v, 1, 2, range{0, 1}))>, layout_right>);
  static_assert(std::is_same_v<layout_of<decltype(subview(v, 1, 2, 3))>, layout_right>);
  static_assert(std::is_same_v<layout_of<decltype(subview(v, all, 1, all))>, layout_stride>);
  static_assert(std::is_same_v<layout_of<decltype(subview(v, all, all, 1))>, layout_stride>);
  static_assert(
      std::is_same_v<layout_of<decltype(subview(v, all, range{0, 1}, all))>, layout_stride>);
  static_assert(std::is_same_v<layout_of<decltype(subview(v, strided_range{0, 2, 1}, all, all))>,
                               layout_stride>);
  const pare::tensor_view<int, dextents<index_t, 2>, layout_left> left(data, 4, 6);
  static_assert(std::is_same_v<layout_of<decltype(subview(left, all, all))>, layout_stride>);
  // What is called row-major has the strides of a row-major view.
  const auto rows = subview(v, 1, range{1, 3}, all);
  CHECK(rows.stride(0) == 4);
  CHECK(&rows(1, 3) == &v(1, 2, 3));
}

TEST_CASE("empty slices have no elements and stay within the memory") {
  int data[6] = {};
  const auto v = pare::view(data, 2, 3);
  const auto behind = subview(v, range{2, 2}, range{3, 3});
  CHECK(behind.empty());
  CHECK(behind.data_handle() == data);
  CHECK(subview(v, all, range{3, 3}).extent(0) == 2);
  const auto none = pare::view(data, 0, 3);
  CHECK(subview(none, all, 2).empty());
}

TEST_CASE("a step beyond the range takes the first element") {
  int data[6] = {};
  const auto v = pare::view(data, 2, 3);
  constexpr index_t most = std::numeric_limits<index_t>::max();
  const auto first = subview(v, strided_range{0, 2, most}, strided_range{1, 3, most});
  CHECK(first.extent(0) == 1);
  CHECK(first.extent(1) == 1);
  CHECK(&first(0, 0) == &v(0, 1));
}

TEST_CASE("subviews and transposes work in constant expressions") {
  static constexpr int data[] = {0, 1, 2, 3, 4, 5};
  static_assert(subview(pare::view(data, 2, 3), 1, strided_range{0, 3, 2})(1) == 5);
  static_assert(pare::transposed(pare::view(data, 2, 3))(2, 1) == 5);
  CHECK_EQUAL_RANGES(subview(pare::view(data, 2, 3), all, 1), {1, 4});
}

TEST_CASE("a transposed matrix exchanges rows and columns") {
  int data[2][3] = {{0, 1, 2}, {3, 4, 5}};
  const auto t = pare::transposed(pare::view(data));
  static_assert(t.static_extent(0) == 3 && t.static_extent(1) == 2);
  for (index_t i = 0; i < 3; ++i) {
    for (index_t j = 0; j < 2; ++j) CHECK(&t(i, j) == &data[j][i]);
  }
  const auto back = pare::transposed(t);
  CHECK(back.stride(0) == 3);
  CHECK(&back(1, 2) == &data[1][2]);
}
