// Walks of views in rows: each pair once, in rows as long as memory allows.
#include <pare/quantize/detail/rows.hpp>

#include <vector>

#include <doctest/doctest.h>
#include <pare/core/subview.hpp>
#include <pare/core/tensor.hpp>
#include "support/check.hpp"

using pare::index_t;
namespace detail = pare::detail;

namespace {

/// How many rows a walk has; marks each element of `b` with 1 + its channel, and counts a pair
/// whose elements do not belong together as an error.
struct walk_report {
  index_t rows = 0, elements = 0, strangers = 0;
};

/// Both views hold their own linear index; `seen` receives the channel of each, or -1.
template <class A, class B>
walk_report walk(const A& a, const B& b, int axis, std::vector<int>& seen) {
  walk_report report;
  seen.assign(static_cast<std::size_t>(a.size()), -1);
  detail::for_each_row(
      a, b, axis,
      [&](const int* from, const int* to, index_t channel, const detail::row_loop& row) {
        ++report.rows;
        for (index_t i = 0; i < row.count; ++i) {
          const int linear = from[i * row.step_a];
          ++report.elements;
          if (to[i * row.step_b] != linear) ++report.strangers;
          seen[static_cast<std::size_t>(linear)] = static_cast<int>(channel + i * row.step_channel);
        }
      });
  return report;
}

template <class View>
void number(const View& v) {
  pare::for_each_element(v, [](int& e, index_t i) { e = static_cast<int>(i); });
}

/// Every element was seen, with the right channel of a row-major [2, 3, 5].
void check_channels(const std::vector<int>& seen, int axis) {
  for (int i = 0; i < 30; ++i) {
    CAPTURE(i);
    const int at[] = {i / 15, i / 5 % 3, i % 5};
    CHECK(seen[static_cast<std::size_t>(i)] == (axis < 0 ? 0 : at[axis]));
  }
}

}  // namespace

TEST_CASE("every pair of every layout is visited once, with its channel") {
  pare::tensor<int, 3> right({2, 3, 5});
  number(right.view());
  const auto left = pare_test::column_major_copy(right);
  const auto apart = pare_test::strided_copy(right, 3, 2);
  const index_t strides[] = {1, 12, 2};  // the middle dimension outermost
  pare_test::strided<int, 3> mixed({2, 3, 5}, {strides[0], strides[1], strides[2]});
  number(mixed.view());

  for (int axis = -1; axis < 3; ++axis) {
    CAPTURE(axis);
    const auto check = [&](const auto& a, const auto& b) {
      std::vector<int> seen;
      const walk_report report = walk(a, b, axis, seen);
      CHECK(report.elements == 30);
      CHECK(report.strangers == 0);
      check_channels(seen, axis);
    };
    check(right.view(), right.view());
    check(left.view(), left.view());
    check(right.view(), left.view());
    check(left.view(), right.view());
    check(apart.view(), right.view());
    check(right.view(), apart.view());
    check(mixed.view(), apart.view());
    check(left.view(), mixed.view());
  }
}

TEST_CASE("views that share an order of memory without gaps are a single row") {
  pare::tensor<int, 3> right({2, 3, 5});
  number(right.view());
  const auto left = pare_test::column_major_copy(right);
  std::vector<int> seen;
  CHECK(walk(right.view(), right.view(), -1, seen).rows == 1);
  CHECK(walk(left.view(), left.view(), -1, seen).rows == 1);
  CHECK(walk(right.view(), left.view(), -1, seen).rows > 1);
  // Every second column: the rows merge, since their distance is two steps times their length.
  pare::tensor<int, 2> wide({4, 6});
  number(wide.view());
  const auto even = pare::subview(wide.view(), pare::all, pare::strided_range{0, 6, 2});
  pare::tensor<int, 2> packed({4, 3});
  pare::for_each_pair(packed.view(), even, [](int& to, int from, index_t) { to = from; });
  seen.assign(24, -1);
  index_t rows = 0;
  detail::for_each_row(even, packed.view(), -1,
                       [&](const int*, const int*, index_t, const detail::row_loop&) { ++rows; });
  CHECK(rows == 1);
}

TEST_CASE("channels cut rows at the axis, and only there") {
  pare::tensor<int, 3> t({2, 3, 5});
  number(t.view());
  std::vector<int> seen;
  CHECK(walk(t.view(), t.view(), 0, seen).rows == 2);
  CHECK(walk(t.view(), t.view(), 1, seen).rows == 6);
  CHECK(walk(t.view(), t.view(), 2, seen).rows == 6);
  const auto left = pare_test::column_major_copy(t);
  CHECK(walk(left.view(), left.view(), 2, seen).rows == 5);
}

TEST_CASE("rows may run backwards") {
  int numbers[] = {3, 2, 1, 0};
  using backwards = pare::tensor_view<int, pare::dextents<index_t, 1>, pare::layout_stride>;
  const backwards reversed(numbers + 3,
                           backwards::mapping_type(pare::dextents<index_t, 1>(4), {{-1}}));
  int expected[] = {0, 1, 2, 3};
  index_t same = 0;
  detail::for_each_row(
      reversed, pare::view(expected), 0,
      [&](const int* a, const int* b, index_t channel, const detail::row_loop& row) {
        for (index_t i = 0; i < row.count; ++i) {
          same += a[i * row.step_a] == b[i * row.step_b] &&
                  channel + i * row.step_channel == b[i * row.step_b];
        }
      });
  CHECK(same == 4);
}

TEST_CASE("no element is no row, and a single one is a row of one") {
  int one = 7;
  index_t rows = 0;
  const auto count = [&](const int* at, index_t channel, const detail::row_loop& row) {
    ++rows;
    CHECK(*at == 7);
    CHECK(channel == 0);
    CHECK(row.count == 1);
  };
  detail::for_each_row(pare::tensor_view<int, pare::extents<index_t>>(&one), -1, count);
  CHECK(rows == 1);
  detail::for_each_row(pare::view(&one, 1, 1, 1), 1, count);
  CHECK(rows == 2);
  detail::for_each_row(pare::view(&one, 0), 0, count);
  detail::for_each_row(pare::view(&one, 3, 0, 2), 0, count);
  CHECK(rows == 2);
}

TEST_CASE("a slice is a part along one axis, and the outermost axis has the longest steps") {
  pare::tensor<int, 3> t({2, 3, 5});
  number(t.view());
  const auto all = detail::input(t.view());
  const auto part = detail::slice_of(all, 1, 1, 2);
  CHECK(part.extent(0) == 2);
  CHECK(part.extent(1) == 2);
  CHECK(part.extent(2) == 5);
  CHECK(part(1, 0, 3) == t(1, 1, 3));
  CHECK(part(0, 1, 4) == t(0, 2, 4));
  CHECK(detail::is_outermost(all, 0));
  CHECK_FALSE(detail::is_outermost(all, 1));
  const auto left = pare_test::column_major_copy(t);
  CHECK(detail::is_outermost(detail::input(left.view()), 2));
  CHECK_FALSE(detail::is_outermost(detail::input(left.view()), 0));
  // A dimension of one element has no steps.
  CHECK(detail::is_outermost(detail::slice_of(all, 0, 1, 1), 1));
}
