// Arithmetic on sizes against a wider integer.
#include <pare/core/checked.hpp>

#include <doctest/doctest.h>
#include "support/random.hpp"

namespace detail = pare::detail;
using pare::index_t;

TEST_CASE("checked_multiply and checked_add tell what fits, and leave the rest alone") {
  const index_t m = detail::max_index;
  const index_t bits = sizeof(index_t) == 8 ? 64 : 32;
  const auto root = static_cast<index_t>(sizeof(index_t) == 8 ? 3037000499 : 46340);  // of m
  const index_t edges[] = {0, 1, 2, 3, 7, root, root + 1, m / 2, m / 2 + 1, m - 1, m};
  const auto check = [&](index_t a, index_t b) {
    CAPTURE(a);
    CAPTURE(b);
#if defined(__SIZEOF_INT128__)
    __extension__ using wide = __int128;
    index_t product = -7, sum = -7;
    const bool product_fits = static_cast<wide>(a) * b <= m;
    CHECK(detail::checked_multiply(a, b, product) == product_fits);
    CHECK(product == (product_fits ? static_cast<index_t>(static_cast<wide>(a) * b) : -7));
    const bool sum_fits = static_cast<wide>(a) + b <= m;
    CHECK(detail::checked_add(a, b, sum) == sum_fits);
    CHECK(sum == (sum_fits ? static_cast<index_t>(static_cast<wide>(a) + b) : -7));
#endif
  };
  for (index_t a : edges) {
    for (index_t b : edges) check(a, b);
  }
  pare_test::random_source random(1);
  for (int i = 0; i < 1000; ++i) {
    check(random.index(0, m) >> random.index(0, bits - 2),
          random.index(0, m) >> random.index(0, bits - 2));
  }
  index_t out = -7;
  CHECK_FALSE(detail::checked_multiply(-1, 1, out));
  CHECK_FALSE(detail::checked_multiply(1, -1, out));
  CHECK_FALSE(detail::checked_multiply(-1, -1, out));
  CHECK_FALSE(detail::checked_add(-1, 1, out));
  CHECK_FALSE(detail::checked_add(1, -1, out));
  CHECK(out == -7);
}

TEST_CASE("round_up and ceil_div reach the next multiple") {
  static_assert(detail::round_up(0, 64) == 0 && detail::round_up(1, 64) == 64);
  static_assert(detail::round_up(64, 64) == 64 && detail::round_up(65, 64) == 128);
  static_assert(detail::ceil_div(0, 3) == 0 && detail::ceil_div(1, 3) == 1);
  static_assert(detail::ceil_div(3, 3) == 1 && detail::ceil_div(4, 3) == 2);
  CHECK(detail::ceil_div(detail::max_index, 2) == detail::max_index / 2 + 1);
}

TEST_CASE("min, max and clamp order their arguments") {
  static_assert(detail::min(2, 3) == 2 && detail::min(3, 2) == 2);
  static_assert(detail::max(2, 3) == 3 && detail::max(3, 2) == 3);
  static_assert(detail::clamp(1, 2, 4) == 2 && detail::clamp(3, 2, 4) == 3 &&
                detail::clamp(5, 2, 4) == 4);
}
