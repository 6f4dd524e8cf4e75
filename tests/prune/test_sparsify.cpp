#include <pare/prune/sparsify.hpp>

#include <limits>

#include <doctest/doctest.h>
#include "support/check.hpp"
#include "support/random.hpp"

namespace {

using pare::index_t;
using pare::status;
using pare::tensor;
using pare::view;
using pare_test::random_normal;

constexpr float quiet_nan = std::numeric_limits<float>::quiet_NaN();

/// Random weights of which about one in three is not zero.
tensor<float, 2> sparse_weights(index_t rows, index_t columns, std::uint32_t seed) {
  auto w = random_normal<float>({rows, columns}, seed);
  pare_test::random_source random(seed + 1);
  for (float& x : w) {
    if (random.integer(0, 2) != 0) x = 0;
  }
  return w;
}

}  // namespace

TEST_CASE("non-zeros are stored row by row with their columns") {
  const float weights[4][3] = {{0, 2, 0}, {0, 0, 0}, {-1, 0, 3}, {0, -0.0f, 0}};
  const auto sparse = pare::to_csr(view(weights)).value();
  CHECK(sparse.rows() == 4);
  CHECK(sparse.columns == 3);
  CHECK(sparse.nonzeros() == 3);
  CHECK_EQUAL_RANGES(sparse.row_offsets, {0, 1, 1, 3, 3});
  CHECK_EQUAL_RANGES(sparse.column_indices, {1, 0, 2});
  CHECK_EQUAL_RANGES(sparse.values, {2.0f, -1.0f, 3.0f});
  CHECK(sparse.bytes() == 3 * 4 + 3 * 4 + 5 * 4);
  CHECK(pare::validate(sparse.view(), sparse.nonzeros()) == status::ok);
}

TEST_CASE("a mask leaves entries out, and zeros are not stored for it") {
  const float weights[2][3] = {{1, 2, 0}, {4, 5, 6}};
  const std::uint8_t mask[2][3] = {{1, 0, 1}, {0, 0, 1}};
  const auto sparse = pare::to_csr(view(weights), view(mask)).value();
  CHECK_EQUAL_RANGES(sparse.row_offsets, {0, 1, 2});
  CHECK_EQUAL_RANGES(sparse.column_indices, {0, 2});
  CHECK_EQUAL_RANGES(sparse.values, {1.0f, 6.0f});
}

TEST_CASE("there and back gives the same matrix") {
  for (const index_t rows : {1, 2, 7, 33}) {
    for (const index_t columns : {1, 5, 64}) {
      CAPTURE(rows);
      CAPTURE(columns);
      const auto weights =
          sparse_weights(rows, columns, static_cast<std::uint32_t>(rows * columns));
      const auto sparse = pare::to_csr(weights.view()).value();
      CHECK(pare::validate(sparse.view(), sparse.nonzeros()) == status::ok);
      CHECK(pare_test::equal(pare::densify(sparse).value(), weights));
    }
  }
}

TEST_CASE("every layout and float type is read and written") {
  const auto weights = sparse_weights(5, 6, 1);
  const auto columns = pare_test::column_major_copy(weights);
  const auto sparse = pare::to_csr(columns.view(), pare_test::ones_like(weights).view()).value();
  auto out = pare_test::strided_copy(random_normal<float>({5, 6}, 2), 3, 2);
  REQUIRE(pare::densify(sparse.view(), out.view()) == status::ok);
  CHECK(pare_test::equal(out.view(), weights));
  CHECK(out.gaps_untouched());

  tensor<pare::half, 2> halves({2, 2});
  halves(1, 0) = pare::half(0.5f);
  const auto half_sparse = pare::to_csr(halves.view()).value();
  CHECK(half_sparse.nonzeros() == 1);
  CHECK(pare_test::equal(pare::densify(half_sparse).value(), halves));
}

TEST_CASE("everything pruned, or nothing") {
  const float weights[2][2] = {{1, 2}, {3, 4}};
  const std::uint8_t none[2][2] = {}, all[2][2] = {{1, 1}, {1, 1}};
  const auto empty = pare::to_csr(view(weights), view(none)).value();
  CHECK(empty.nonzeros() == 0);
  CHECK_EQUAL_RANGES(empty.row_offsets, {0, 0, 0});
  CHECK(pare_test::equal(pare::densify(empty).value(), tensor<float, 2>({2, 2})));
  CHECK(pare_test::equal(pare::densify(pare::to_csr(view(weights), view(all)).value()).value(),
                         view(weights)));
}

TEST_CASE("to_csr refuses bad input") {
  float weights[2][2] = {{1, 2}, {3, quiet_nan}};
  const std::uint8_t mask[2][2] = {{1, 1}, {1, 0}};
  const auto r = pare::to_csr(view(weights), view(mask));
  CHECK(r == status::non_finite);
  CHECK(r.error().position == 3);
  CHECK(pare::to_csr(view(weights)) == status::non_finite);
  weights[1][1] = std::numeric_limits<float>::infinity();
  CHECK(pare::to_csr(view(weights)) == status::non_finite);
  CHECK(pare::to_csr(view(&weights[0][0], 1, 2), view(mask)) == status::shape_mismatch);
  CHECK(pare::to_csr(tensor<float, 2>({0, 3}).view()) == status::empty);
  CHECK(pare::to_csr(tensor<float, 2>({3, 0}).view(), tensor<std::uint8_t, 2>({3, 0}).view()) ==
        status::empty);
}

TEST_CASE("what 32-bit indices cannot say is an error") {
  if constexpr (sizeof(index_t) == 8) {
    const auto limit = static_cast<index_t>(std::int64_t{0xffffffff});
    CHECK(pare::detail::check_csr_size(limit, limit) == status::ok);
    CHECK(pare::detail::check_csr_size(limit + 1, 0) == status::overflow);
    CHECK(pare::detail::check_csr_size(1, limit + 1) == status::overflow);

    // One element seen very often: a shape too large, without its memory.
    const float one = 1;
    using huge = pare::tensor_view<const float, pare::dextents<index_t, 2>, pare::layout_stride>;
    const huge wide(&one, huge::mapping_type(pare::dextents<index_t, 2>(1, limit + 1), {{0, 0}}));
    CHECK(pare::to_csr(wide) == status::overflow);
  }
}

TEST_CASE("densify refuses indices that lie, and leaves the output untouched") {
  float out[2][3] = {{7, 7, 7}, {7, 7, 7}};
  std::uint32_t offsets[] = {0, 1, 2}, columns[] = {0, 2};
  const float values[] = {1, 2};
  pare::csr_view<float> sparse{2, 3, offsets, columns, values};
  SUBCASE("a column beyond the last") {
    columns[1] = 3;
    CHECK(pare::densify(sparse, view(out)) == status::out_of_range);
  }
  SUBCASE("offsets that fall") {
    offsets[1] = 3;
    CHECK(pare::densify(sparse, view(out)) == status::out_of_range);
  }
  SUBCASE("a first offset that is not zero") {
    offsets[0] = 1;
    CHECK(pare::densify(sparse, view(out)) == status::bad_format);
  }
  SUBCASE("no offsets") {
    sparse.row_offsets = nullptr;
    CHECK(pare::densify(sparse, view(out)) == status::bad_format);
  }
  SUBCASE("another shape") {
    CHECK(pare::densify(sparse, view(&out[0][0], 1, 3)) == status::shape_mismatch);
    CHECK(pare::densify(sparse, view(&out[0][0], 2, 2)) == status::shape_mismatch);
  }
  CHECK(pare_test::equal(view(&out[0][0], 6), {7, 7, 7, 7, 7, 7}));
}

TEST_CASE("a sparse matrix that holds nothing yet is empty") {
  const pare::csr_matrix<float> sparse;
  CHECK(sparse.rows() == 0);
  CHECK(sparse.nonzeros() == 0);
  CHECK(pare::densify(sparse).value().empty());
}
