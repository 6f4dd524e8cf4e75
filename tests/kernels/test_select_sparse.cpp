// The selector of sparse forms: what it counts, and choices that no machine disputes.
#include <pare/core/tensor.hpp>
#include <pare/kernels/select_sparse.hpp>

#include <cstring>

#include <doctest/doctest.h>

using pare::index_t;
using pare::sparse_form;
using pare::sparse_statistics;

namespace {

/// Nothing pruned.
constexpr sparse_statistics full(index_t n, index_t k) {
  return {n, k, n * k / 4, n * k / 16, n * k / 64, n * k, 0};
}

}  // namespace

TEST_CASE("blocks are counted by values, or by a mask") {
  pare::tensor<std::int8_t, 2> codes({18, 9});
  codes(0, 0) = codes(1, 1) = codes(17, 8) = 1;
  const auto by_value = pare::sparse_statistics_of(codes.view()).value();
  CHECK(by_value.rows == 18);
  CHECK(by_value.columns == 9);
  CHECK(by_value.blocks_1x4 == 3);
  CHECK(by_value.blocks_4x4 == 2);
  CHECK(by_value.blocks_16x4 == 2);
  CHECK(by_value.stored == 3);
  CHECK(by_value.is_2_of_4 == 1);
  codes(3, 4) = codes(3, 5) = codes(3, 7) = 1;
  CHECK(pare::sparse_statistics_of(codes.view()).value().is_2_of_4 == 0);
  pare::tensor<std::uint8_t, 2> mask({18, 9});
  mask(5, 5) = 1;
  CHECK(pare::sparse_statistics_of(codes.view(), mask.view()).value().blocks_1x4 == 1);
  const pare::tensor<std::uint8_t, 2> narrow({18, 8});
  CHECK(pare::sparse_statistics_of(codes.view(), narrow.view()).error().code ==
        pare::status_code::shape_mismatch);
}

TEST_CASE("what is not pruned stays dense") {
  for (const index_t rows : {1, 8, 64, 500}) {
    const auto choice = pare::select_sparse_linear(full(1024, 1024), rows);
    CHECK(choice.form == sparse_form::dense);
    CHECK(choice.speed_up == 1);
  }
}

TEST_CASE("blocks pay, by rows of activations") {
  // 10 % of the blocks of 16x4 left, and so of all smaller ones.
  sparse_statistics s = full(1024, 1024);
  s.blocks_1x4 /= 10, s.blocks_4x4 /= 10, s.blocks_16x4 /= 10;
  CHECK(pare::select_sparse_linear(s, 1).form == sparse_form::blocks_16x4);
  CHECK(pare::select_sparse_linear(s, 64).form == sparse_form::blocks_4x4);
  CHECK(pare::select_sparse_linear(s, 64).shape.block_rows == 4);
  CHECK(pare::select_sparse_linear(s, 64).speed_up > 5);
  // Blocks of 1x4 alone: no larger one is empty.
  s = full(1024, 1024);
  s.blocks_1x4 /= 10;
  CHECK(pare::select_sparse_linear(s, 64).form == sparse_form::blocks_1x4);
  // Half of the weights here and there: nothing is empty.
  s = full(1024, 1024);
  s.blocks_1x4 = s.blocks_1x4 / 16 * 15;
  CHECK(pare::select_sparse_linear(s, 64).form == sparse_form::dense);
}

TEST_CASE("one row of weights from memory: what has the fewest bytes") {
  using pare::weights_in;
  sparse_statistics s = full(4096, 4096);
  CHECK(pare::select_sparse_linear(s, 1, weights_in::memory).form == sparse_form::dense);
  s.stored /= 2;
  s.is_2_of_4 = 1;
  const auto choice = pare::select_sparse_linear(s, 1, weights_in::memory);
  CHECK(choice.form == sparse_form::bitmask);
  CHECK(choice.kind.pattern.keep == 2);
  CHECK(choice.speed_up > 1.2);
  CHECK(choice.speed_up < 1.6);
  CHECK(pare::select_sparse_linear(s, 64, weights_in::memory).form == sparse_form::dense);
  s.blocks_16x4 /= 10;
  CHECK(pare::select_sparse_linear(s, 1, weights_in::memory).form == sparse_form::blocks_16x4);
}

TEST_CASE("forms have names") {
  CHECK(std::strcmp(pare::name(sparse_form::bitmask), "bitmask") == 0);
  CHECK(std::strcmp(pare::name(sparse_form::dense), "dense") == 0);
  CHECK(std::strcmp(pare::name(sparse_form::blocks_1x4), "1x4") == 0);
  CHECK(std::strcmp(pare::name(sparse_form::blocks_4x4), "4x4") == 0);
  CHECK(std::strcmp(pare::name(sparse_form::blocks_16x4), "16x4") == 0);
}
