// Statistics of masks.
#include <pare/prune/statistics.hpp>

#include <pare/kernels/select_sparse.hpp>

#include <doctest/doctest.h>
#include "support/check.hpp"
#include "support/random.hpp"

namespace {

using pare::status;
using pare::view;

}  // namespace

TEST_CASE("rows and columns are counted") {
  const std::uint8_t mask[3][5] = {{1, 0, 0, 3, 0}, {0, 0, 0, 0, 0}, {1, 0, 1, 1, 0}};
  const auto s = pare::statistics_of(view(mask)).value();
  CHECK(s.size == 15);
  CHECK(s.kept == 5);
  CHECK(s.sparsity() == doctest::Approx(10.0 / 15));
  CHECK(s.empty_rows == 1);
  CHECK(s.empty_columns == 2);
  CHECK(s.fewest_in_row == 0);
  CHECK(s.most_in_row == 3);
  CHECK_FALSE(s.is_2_4);  // the last row keeps three of its first four
}

TEST_CASE("blocks are counted, those at the edges too") {
  const std::uint8_t mask[3][5] = {{1, 0, 0, 0, 1}, {1, 0, 0, 0, 1}, {0, 0, 1, 0, 0}};
  const auto o = pare::occupancy_of(view(mask), {2, 2}).value();
  CHECK(o.blocks == 6);
  CHECK(o.occupied == 3);
  CHECK(o.kept == 5);
  CHECK(o.stored == 4 + 2 + 2);
  CHECK(o.block_sparsity() == 0.5);
  CHECK(o.fill() == doctest::Approx(5.0 / 8));
}

TEST_CASE("a mask made of blocks fills them") {
  const auto w = pare_test::random_normal<float>({16, 32}, 1);
  auto mask = pare_test::ones_like(w);
  REQUIRE(pare::prune_blocks(w.view(), {4, 4}, pare::norm::l2, pare::amount::fraction(0.75),
                             mask.view()) == status::ok);
  const auto o = pare::occupancy_of(mask.view(), {4, 4}).value();
  CHECK(o.fill() == 1);
  CHECK(o.block_sparsity() == 0.75);
  // The same sparsity at random occupies nearly all blocks.
  auto scattered = pare_test::ones_like(w);
  REQUIRE(pare::prune_random(1, pare::amount::fraction(0.75), scattered.view()) == status::ok);
  CHECK(pare::occupancy_of(scattered.view(), {4, 4}).value().block_sparsity() < 0.1);
}

TEST_CASE("everything pruned, and nothing there") {
  const std::uint8_t mask[2][4] = {};
  const auto s = pare::statistics_of(view(mask)).value();
  CHECK(s.sparsity() == 1);
  CHECK(s.empty_rows == 2);
  CHECK(s.empty_columns == 4);
  CHECK(s.is_2_4);
  const auto o = pare::occupancy_of(view(mask), {1, 4}).value();
  CHECK(o.block_sparsity() == 1);
  CHECK(o.fill() == 1);
  const auto none = pare::statistics_of(view(&mask[0][0], 0, 4)).value();
  CHECK(none.sparsity() == 0);
  CHECK(none.empty_columns == 4);
  CHECK(pare::occupancy_of(view(mask), {0, 4}) == status::invalid_argument);
}

TEST_CASE("the kernels' model reads masks: blocks pay, scattered zeros do not") {
  const auto w = pare_test::random_normal<float>({256, 512}, 2);
  auto mask = pare_test::ones_like(w);
  REQUIRE(pare::prune_blocks(w.view(), {4, 4}, pare::norm::l2, pare::amount::fraction(0.9),
                             mask.view()) == status::ok);
  const auto counts = pare::sparse_statistics_of(mask.view()).value();
  CHECK(counts.blocks_4x4 == pare::occupancy_of(mask.view(), {4, 4}).value().occupied);
  CHECK(counts.blocks_1x4 == pare::occupancy_of(mask.view(), {1, 4}).value().occupied);
  const auto choice = pare::select_sparse_linear(counts, 64);
  CHECK(choice.form == pare::sparse_form::blocks_4x4);
  CHECK(choice.speed_up > 3);

  auto scattered = pare_test::ones_like(w);
  REQUIRE(pare::prune_random(1, pare::amount::fraction(0.5), scattered.view()) == status::ok);
  const auto stay =
      pare::select_sparse_linear(pare::sparse_statistics_of(scattered.view()).value(), 64);
  CHECK(stay.form == pare::sparse_form::dense);
  CHECK(stay.speed_up == 1);
}
