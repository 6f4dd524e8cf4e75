// A matrix as two factors: sizes.
#include <pare/format/low_rank.hpp>

#include <doctest/doctest.h>
#include "support/check.hpp"

TEST_CASE("two factors tell their sizes and bytes") {
  const float left[10 * 2] = {}, right[2 * 7] = {};
  const pare::low_rank_view<float> w{pare::view(left, 10, 2), pare::view(right, 2, 7)};
  CHECK(w.out_features() == 10);
  CHECK(w.in_features() == 7);
  CHECK(w.rank() == 2);
  CHECK(w.bytes() == (20 + 14) * 4);
  static_assert(std::is_trivially_copyable_v<pare::low_rank_view<float>>);
}

TEST_CASE("rank 0 stands for a matrix of zeros that costs nothing") {
  const pare::low_rank_view<float> w{pare::matrix_view<const float>(nullptr, 10, 0),
                                     pare::matrix_view<const float>(nullptr, 0, 7)};
  CHECK(w.out_features() == 10);
  CHECK(w.in_features() == 7);
  CHECK(w.rank() == 0);
  CHECK(w.bytes() == 0);
}
