// Block pruning.
#include <pare/prune/blocks.hpp>

#include <limits>

#include <doctest/doctest.h>
#include "support/check.hpp"
#include "support/random.hpp"

namespace {

using pare::amount;
using pare::index_t;
using pare::norm;
using pare::status;
using pare::view;
using pare_test::ones_like;
using pare_test::random_normal;

/// What block pruning is: norms of blocks pruned as channels of a matrix with one block a row.
pare::tensor<std::uint8_t, 2> expected_mask(const pare::tensor<float, 2>& w, index_t rows,
                                            index_t columns, amount pruned) {
  const index_t down = w.extent(0) / rows, right = w.extent(1) / columns;
  pare::tensor<float, 2> blocks({down * right, rows * columns});
  for (index_t r = 0; r < w.extent(0); ++r) {
    for (index_t c = 0; c < w.extent(1); ++c) {
      blocks(r / rows * right + c / columns, r % rows * columns + c % columns) = w(r, c);
    }
  }
  auto of_blocks = ones_like(blocks);
  REQUIRE(pare::prune_channels(blocks.view(), 0, norm::l2, pruned, of_blocks.view()) == status::ok);
  pare::tensor<std::uint8_t, 2> mask(w.extents());
  for (index_t r = 0; r < w.extent(0); ++r) {
    for (index_t c = 0; c < w.extent(1); ++c) {
      mask(r, c) = of_blocks(r / rows * right + c / columns, 0);
    }
  }
  return mask;
}

}  // namespace

TEST_CASE("blocks of any shape go by their norm") {
  const auto w = random_normal<float>({24, 48}, 1);
  for (const pare::block_shape shape :
       {pare::block_shape{4, 4}, {1, 4}, {4, 1}, {8, 16}, {1, 1}, {3, 48}, {24, 1}}) {
    CAPTURE(shape.rows);
    CAPTURE(shape.columns);
    auto mask = ones_like(w);
    REQUIRE(pare::prune_blocks(w.view(), shape, norm::l2, amount::fraction(0.75), mask.view()) ==
            status::ok);
    CHECK(pare_test::equal(mask,
                           expected_mask(w, shape.rows, shape.columns, amount::fraction(0.75))));
  }
}

TEST_CASE("smaller blocks at the edges are compared by what they have") {
  const float w[3][3] = {{1, 1, 5}, {1, 1, 0}, {0, 3, 1}};
  std::uint8_t mask[3][3];
  std::fill_n(&mask[0][0], 9, std::uint8_t{1});
  REQUIRE(pare::prune_blocks(view(w), {2, 2}, norm::l1, amount::count(2), view(mask)) ==
          status::ok);
  CHECK_EQUAL_RANGES(view(&mask[0][0], 9), {1, 1, 1, 1, 1, 1, 0, 0, 0});
}

TEST_CASE("a balanced matrix keeps as many blocks in every row of blocks") {
  const auto w = random_normal<float>({16, 40}, 2);
  auto mask = ones_like(w);
  REQUIRE(pare::prune_blocks_balanced(w.view(), {4, 4}, norm::l2, amount::fraction(0.7),
                                      mask.view()) == status::ok);
  for (index_t r = 0; r < 16; ++r) {
    CHECK(pare::kept(pare::subview(mask.view(), r, pare::all)) == 12);
  }
}

TEST_CASE("empty blocks are not counted, and pruned weights have no norm") {
  const float w[2][4] = {{9, 9, 1, 1}, {2, 2, 3, 3}};
  std::uint8_t mask[2][4] = {{0, 0, 1, 1}, {1, 1, 0, 1}};
  REQUIRE(pare::prune_blocks(view(w), {1, 2}, norm::l1, amount::fraction(0.34), view(mask)) ==
          status::ok);
  CHECK_EQUAL_RANGES(view(&mask[0][0], 8), {0, 0, 0, 0, 1, 1, 0, 1});
}

TEST_CASE("prune_blocks refuses bad input and leaves the mask untouched") {
  float w[2][2] = {{1, 2}, {3, 4}};
  std::uint8_t mask[2][2] = {{1, 1}, {1, 1}};
  const auto prune = [&](const pare::block_shape& shape, amount pruned) {
    return pare::prune_blocks(view(w), shape, norm::l2, pruned, view(mask));
  };
  SUBCASE("blocks without rows") {
    CHECK(prune({0, 1}, amount::count(1)) == status::invalid_argument);
  }
  SUBCASE("more than there are") { CHECK(prune({2, 1}, amount::count(3)) == status::out_of_range); }
  SUBCASE("more than a row of them has") {
    CHECK(pare::prune_blocks_balanced(view(w), {1, 1}, norm::l2, amount::count(3), view(mask)) ==
          status::out_of_range);
  }
  SUBCASE("NaN") {
    w[1][0] = std::numeric_limits<float>::quiet_NaN();
    CHECK(prune({1, 1}, amount::count(1)) == status::non_finite);
  }
  SUBCASE("a mask of another shape") {
    CHECK(pare::prune_blocks(view(w), {1, 1}, norm::l2, amount::count(1),
                             view(&mask[0][0], 1, 4)) == status::shape_mismatch);
  }
  CHECK_EQUAL_RANGES(view(&mask[0][0], 4), {1, 1, 1, 1});
}
