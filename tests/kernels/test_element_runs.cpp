// Runs of tensors of one shape against visiting each element by its index.
#include <pare/core/std_threads.hpp>
#include <pare/core/subview.hpp>
#include <pare/kernels/element_runs.hpp>

#include <vector>

#include "support/check.hpp"

using pare::index_t;

namespace {

/// y = x + 1 along runs, for any strides, must equal the same by index and touch nothing else.
template <class X, class Y>
void check_runs(const X& x, Y& y) {
  const auto from = x.view();
  const auto to = y.view();
  const auto runs = pare::detail::runs_of(from, to);
  CHECK(runs.length * runs.count == static_cast<index_t>(to.size()));
  pare::detail::for_each_run(runs, pare::serial{}, [&](const index_t(&at)[2], index_t n) {
    for (index_t i = 0; i < n; ++i) {
      to.data_handle()[at[1] + i] = from.data_handle()[at[0] + i] + 1;
    }
  });
  bool all = true;
  pare::for_each_pair(from, to, [&](int a, int b, index_t) { all = all && b == a + 1; });
  CHECK(all);
  CHECK(y.gaps_untouched());
}

template <std::size_t Rank>
void check_strides(const index_t (&shape)[Rank], const index_t (&x_strides)[Rank],
                   const index_t (&y_strides)[Rank]) {
  pare_test::strided<int, Rank> x(shape, x_strides), y(shape, y_strides);
  pare::for_each_element(x.view(), [](int& e, index_t i) { e = static_cast<int>(i) * 3 + 1; });
  check_runs(x, y);
}

}  // namespace

TEST_CASE("every element is visited once, whatever the strides") {
  check_strides<1>({5}, {1}, {1});
  check_strides<1>({1}, {7}, {1});
  check_strides<2>({3, 4}, {4, 1}, {4, 1});
  check_strides<2>({3, 4}, {4, 1}, {6, 1});
  check_strides<2>({3, 1}, {1, 9}, {5, 1});
  check_strides<3>({2, 3, 4}, {12, 4, 1}, {20, 4, 1});
  check_strides<3>({2, 3, 4}, {12, 4, 1}, {15, 5, 1});
  check_strides<3>({2, 3, 4}, {13, 4, 1}, {16, 5, 1});
  check_strides<4>({2, 3, 1, 4}, {100, 30, 7, 1}, {50, 4, 4, 1});
  check_strides<4>({3, 1, 2, 5}, {11, 11, 5, 1}, {200, 40, 9, 1});
  check_strides<4>({2, 2, 2, 2}, {8, 4, 2, 1}, {64, 32, 16, 1});
  // Elements of the last axis apart: runs of one.
  check_strides<2>({3, 4}, {8, 2}, {4, 1});
}

TEST_CASE("axes without gaps are one run") {
  const int data[2 * 3 * 4 * 5] = {};
  const auto whole = pare::view(data, 2, 3, 4, 5);
  const auto one = pare::detail::runs_of(whole);
  CHECK(one.length == 120);
  CHECK(one.count == 1);
  CHECK(one.axes == 0);
  const auto part = pare::subview(whole, pare::all, pare::range{0, 2}, pare::all, pare::all);
  const auto two = pare::detail::runs_of(part);
  CHECK(two.length == 40);
  CHECK(two.count == 2);
  const auto channels = pare::subview(whole, pare::all, pare::all, pare::all, pare::range{1, 3});
  const auto many = pare::detail::runs_of(channels);
  CHECK(many.length == 2);
  CHECK(many.count == 24);
  CHECK(many.axes == 1);  // what is stepped through is one axis too
}

TEST_CASE("no elements, no runs") {
  const int data[1] = {};
  int calls = 0;
  const auto count = [&](const index_t(&)[1], index_t) { ++calls; };
  pare::detail::for_each_run(pare::detail::runs_of(pare::view(data, 0)), pare::serial{}, count);
  pare::detail::for_each_run(pare::detail::runs_of(pare::view(data, 3, 0)), pare::serial{}, count);
  pare::detail::for_each_run(pare::detail::runs_of(pare::view(data, 0, 3)), pare::serial{}, count);
  pare::detail::for_each_run(pare::detail::runs_of(pare::view_rows(data, 0, 3, 9)), pare::serial{},
                             count);
  pare::detail::for_each_run(pare::detail::runs_of(pare::view_rows(data, 3, 0, 9)), pare::serial{},
                             count);
  CHECK(calls == 0);
}

TEST_CASE("large tensors are cut into pieces that do not overlap") {
  const pare::std_threads parallel_for{4};
  for (const index_t rows : {index_t{1}, index_t{3}, index_t{5000}}) {
    for (const index_t gap : {index_t{0}, index_t{1}}) {
      const index_t columns = rows == 5000 ? 7 : 40000;
      std::vector<int> visits(static_cast<std::size_t>(rows * (columns + gap)));
      const auto v = pare::view_rows(visits.data(), rows, columns, columns + gap);
      pare::detail::for_each_run(pare::detail::runs_of(v), parallel_for,
                                 [&](const index_t(&at)[1], index_t n) {
                                   for (index_t i = 0; i < n; ++i)
                                     ++visits[static_cast<std::size_t>(at[0] + i)];
                                 });
      bool once = true;
      for (index_t i = 0; i < rows * (columns + gap); ++i) {
        const int expected = i % (columns + gap) < columns ? 1 : 0;
        once = once && visits[static_cast<std::size_t>(i)] == expected;
      }
      CHECK(once);
    }
  }
}
