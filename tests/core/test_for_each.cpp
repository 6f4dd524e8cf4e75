// Visiting elements in row-major order.
#include <pare/core/for_each.hpp>

#include <vector>

#include <doctest/doctest.h>
#include "support/check.hpp"
#include "support/random.hpp"

using pare::index_t;

namespace {

constexpr int weighted_sum() {
  const int data[] = {1, 2, 3, 4, 5, 6};
  int sum = 0;
  pare::for_each_element(pare::view(data, 2, 3),
                         [&](int x, index_t i) { sum += static_cast<int>(i + 1) * x; });
  return sum;
}

}  // namespace

TEST_CASE("every element is visited once, in row-major order, in any layout") {
  const auto data = pare_test::random_codes<int>({3, 4, 5}, 1);
  const auto columns = pare_test::column_major_copy(data);
  const auto apart = pare_test::strided_copy(data, 2, 3);
  const auto check = [&](const auto& v) {
    std::vector<int> seen;
    pare::for_each_element(v, [&](const int& x, index_t i) {
      CHECK(i == static_cast<index_t>(seen.size()));
      seen.push_back(x);
    });
    CHECK(pare_test::equal(seen, pare::view(data.data(), data.size())));
  };
  check(data.view());
  check(columns.view());
  check(apart.view());
  static_assert(weighted_sum() == 1 + 4 + 9 + 16 + 25 + 36);
}

TEST_CASE("elements can be written while they are visited") {
  pare_test::strided<int, 2> m({2, 3}, {10, 2});
  pare::for_each_element(m.view(), [](int& x, index_t i) { x = static_cast<int>(i); });
  CHECK(m.view()(1, 2) == 5);
  CHECK(m.gaps_untouched());
}

TEST_CASE("a visit ends where the callable returns false") {
  const int data[] = {3, 1, 4, 1, 5, 9};
  int visits = 0;
  const auto until = [&](int stop) {
    visits = 0;
    return pare::for_each_element_while(pare::view(data, 2, 3),
                                        [&](int x, index_t) { return ++visits, x != stop; });
  };
  CHECK_FALSE(until(1));
  CHECK(visits == 2);
  CHECK_FALSE(until(9));
  CHECK(visits == 6);
  CHECK(until(7));
  CHECK(visits == 6);
}

TEST_CASE("pairs meet at the same index of different layouts") {
  const auto a = pare_test::random_codes<int>({4, 3, 2}, 1);
  auto columns = pare_test::column_major_copy(a);
  index_t expected = 0;
  pare::for_each_pair(a.view(), columns.view(), [&](int x, int& y, index_t i) {
    CHECK(x == y);
    CHECK(i == expected++);
    y = 0;
  });
  CHECK(expected == 24);
  CHECK(columns.view()(3, 2, 1) == 0);
}

TEST_CASE("rank 0 has one element and an empty view none") {
  int x = 5, visits = 0;
  const pare::tensor_view<int, pare::extents<index_t>> one(&x);
  pare::for_each_element(one, [&](int& e, index_t i) { visits += e + static_cast<int>(i); });
  CHECK(visits == 5);
  visits = 0;
  const pare::tensor_view<int, pare::dextents<index_t, 3>> none(nullptr, 3, 0, 4);
  pare::for_each_element(none, [&](int&, index_t) { ++visits; });
  pare::for_each_pair(none, none, [&](int&, int&, index_t) { ++visits; });
  CHECK(pare::for_each_element_while(none, [&](int&, index_t) { return false; }));
  CHECK(visits == 0);
}
