// Block-compressed sparse rows: to and from dense, exact sizes, and the check of a matrix from an
// untrusted source.
#include <pare/core/tensor.hpp>
#include <pare/format/bcsr.hpp>

#include <limits>

#include <doctest/doctest.h>
#include "support/check.hpp"
#include "support/random.hpp"

using pare::bcsr_shape;
using pare::bcsr_view;
using pare::index_t;

namespace {

template <class T>
struct sparse {
  pare::tensor<std::byte, 1> memory;
  bcsr_view<T> view;

  sparse(const pare::tensor<T, 2>& dense, bcsr_shape shape)
      : memory({pare::bcsr_size(dense.view(), shape).value()}),
        view(pare::make_bcsr(dense.view(), shape, pare::workspace(memory.data(), memory.size()))
                 .value()) {}
};

template <class T>
pare::tensor<T, 2> random_sparse(index_t rows, index_t columns, std::uint32_t seed) {
  auto dense = pare_test::random_codes<T>({rows, columns}, seed);
  const auto dice = pare_test::random_codes<std::uint8_t>({rows, columns}, seed + 1);
  for (index_t r = 0; r < rows; ++r) {
    for (index_t c = 0; c < columns; ++c) {
      if (dice(r, c) < 220) dense(r, c) = T{};
    }
  }
  return dense;
}

constexpr std::uint32_t offsets[] = {0, 2, 2, 3};
constexpr std::uint16_t columns[] = {0, 2, 1};
constexpr std::int8_t values[] = {1, 2, 3};

/// 3 x 3, blocks of 1 x 1.
constexpr bcsr_view<std::int8_t> small{3, 3, {1, 1, 3}, offsets, columns, values};

}  // namespace

TEST_CASE("dense, sparse, dense: the same, for blocks of all kinds") {
  std::uint32_t seed = 1;
  for (const bcsr_shape shape : {bcsr_shape{1, 1, 0}, bcsr_shape{1, 4, 8}, bcsr_shape{4, 4, 0},
                                 bcsr_shape{16, 4, 12}, bcsr_shape{3, 5, 10}}) {
    for (const auto& [rows, columns_count] :
         {std::pair<index_t, index_t>{1, 1}, {4, 8}, {17, 31}, {0, 5}, {5, 0}}) {
      const auto dense = random_sparse<std::int8_t>(rows, columns_count, ++seed);
      const sparse<std::int8_t> m(dense, shape);
      CHECK(pare::validate(m.view, m.view.blocks(), m.view.lines()) == pare::status::ok);
      CHECK(m.view.bytes() <= m.memory.size());
      CHECK(m.memory.size() - m.view.bytes() < 3 * 64);
      pare::tensor<std::int8_t, 2> back({rows, columns_count});
      for (auto& x : back) x = 99;
      REQUIRE(pare::to_dense(m.view, back.view()) == pare::status::ok);
      CHECK(pare_test::equal(back.view(), dense));
    }
  }
}

TEST_CASE("a known matrix has the blocks that it should") {
  pare::tensor<float, 2> dense({4, 6});
  dense(1, 0) = 1;
  dense(0, 3) = 2;
  dense(3, 5) = std::numeric_limits<float>::quiet_NaN();  // no zero: it is kept
  const sparse<float> m(dense, {2, 2, 4});
  REQUIRE(m.view.blocks() == 3);
  const std::uint32_t expected_offsets[] = {0, 2, 2, 2, 3};
  for (int i = 0; i < 5; ++i) CHECK(m.view.block_offsets[i] == expected_offsets[i]);
  const std::uint16_t expected_columns[] = {0, 1, 0};
  for (int i = 0; i < 3; ++i) CHECK(m.view.block_columns[i] == expected_columns[i]);
  CHECK(m.view.values[2] == 1);
  CHECK(m.view.values[4 + 1] == 2);
}

TEST_CASE("more columns than 16 bits count go into several K-blocks") {
  pare::tensor<std::int8_t, 2> dense({2, 65536 + 10});
  dense(0, 65535) = 1;
  dense(1, 65536 + 9) = 2;
  const sparse<std::int8_t> m(dense, {1, 1, 0});
  CHECK(m.view.k_blocks() == 2);
  CHECK(m.view.block_columns[0] == 65535);
  CHECK(m.view.block_columns[1] == 9);
  pare::tensor<std::int8_t, 2> back({2, 65536 + 10});
  REQUIRE(pare::to_dense(m.view, back.view()) == pare::status::ok);
  CHECK(pare_test::equal(back.view(), dense));
  CHECK(pare::bcsr_size(dense.view(), {1, 1, 65537}).error().code ==
        pare::status_code::out_of_range);
}

TEST_CASE("an untrusted matrix is refused where a kernel would read beyond its arrays") {
  static_assert(pare::validate(small, 3, 3).is_ok());
  CHECK(pare::validate(small, 2, 3).code() == pare::status_code::out_of_range);
  CHECK(pare::validate(small, 3, 2).code() == pare::status_code::out_of_range);

  bcsr_view<std::int8_t> m = small;
  m.columns = 2;
  CHECK(pare::validate(m, 3, 3).code() == pare::status_code::out_of_range);
  m = small;
  m.rows = -1;
  CHECK(pare::validate(m, 3, 3).code() == pare::status_code::out_of_range);
  m = small;
  m.shape.k_block = 0;
  CHECK(pare::validate(m, 3, 3).code() == pare::status_code::out_of_range);
  m = small;
  m.block_offsets = nullptr;
  CHECK(pare::validate(m, 3, 3).code() == pare::status_code::bad_format);
  const std::uint32_t falling[] = {0, 2, 1, 3}, late[] = {1, 2, 2, 3};
  m.block_offsets = falling;
  const pare::status fall = pare::validate(m, 3, 3);
  CHECK(fall.code() == pare::status_code::out_of_range);
  CHECK(fall.error().position == 1);
  m.block_offsets = late;
  CHECK(pare::validate(m, 3, 3).code() == pare::status_code::bad_format);
  m = small;
  const std::uint16_t equal[] = {1, 1, 1};
  m.block_columns = equal;
  CHECK(pare::validate(m, 3, 3).code() == pare::status_code::out_of_range);
}

TEST_CASE("bad shapes, masks and memory are refused") {
  const pare::tensor<std::int8_t, 2> dense({4, 4});
  CHECK(pare::bcsr_size(dense.view(), {0, 4, 0}).error().code == pare::status_code::out_of_range);
  CHECK(pare::bcsr_size(dense.view(), {4, 65, 0}).error().code == pare::status_code::out_of_range);
  CHECK(pare::bcsr_size(dense.view(), {4, 4, 6}).error().code == pare::status_code::out_of_range);
  const pare::tensor<std::uint8_t, 2> mask({4, 5});
  CHECK(pare::bcsr_size(dense.view(), {4, 4, 0}, mask.view()).error().code ==
        pare::status_code::shape_mismatch);
  std::byte small_memory[16];
  CHECK(pare::make_bcsr(dense.view(), {4, 4, 0}, small_memory).error().code ==
        pare::status_code::workspace_too_small);
  pare::tensor<std::int8_t, 2> narrow({3, 2});
  CHECK(pare::to_dense(small, narrow.view()).code() == pare::status_code::shape_mismatch);
}
