// Views as Eigen maps and back: the same elements at the same places.
#include <pare/core/eigen.hpp>
#include <pare/core/subview.hpp>

#include <type_traits>

#include <doctest/doctest.h>
#include "support/check.hpp"
#include "support/random.hpp"

using pare::dextents;
using pare::extents;
using pare::index_t;
using pare::to_eigen;

namespace {

template <class View, class Map>
bool same_places(const View& v, Map&& m) {
  if (m.rows() != v.extent(0) || m.cols() != v.extent(1)) return false;
  for (index_t i = 0; i < v.extent(0); ++i) {
    for (index_t j = 0; j < v.extent(1); ++j) {
      if (&m.coeffRef(i, j) != &v(i, j)) return false;
    }
  }
  return true;
}

}  // namespace

TEST_CASE("a matrix of any layout maps to Eigen, rows to rows") {
  auto rows = pare_test::random_normal<float>({5, 7}, 1);
  auto columns = pare_test::column_major_copy(rows);
  auto apart = pare_test::strided_copy(rows, 3, 2);
  CHECK(same_places(rows.view(), to_eigen(rows.view())));
  CHECK(same_places(columns.view(), to_eigen(columns.view())));
  CHECK(same_places(apart.view(), to_eigen(apart.view())));
  CHECK(same_places(pare::transposed(rows.view()), to_eigen(pare::transposed(rows.view()))));
  const auto block = pare::subview(rows.view(), pare::range{1, 4}, pare::range{2, 6});
  CHECK(same_places(block, to_eigen(block)));
  const pare::tensor<float, 2>& fixed = rows;
  CHECK(to_eigen(fixed.view())(3, 4) == rows(3, 4));
  static_assert(!std::is_assignable_v<decltype(to_eigen(fixed.view())(0, 0)), float>);
}

TEST_CASE("products through maps are products of the elements") {
  const auto a = pare_test::random_normal<float>({4, 6}, 1);
  const auto b = pare_test::random_normal<float>({6, 3}, 2);
  const auto b_columns = pare_test::column_major_copy(b);
  const auto a_apart = pare_test::strided_copy(a, 5, 3);
  pare::tensor<float, 2> c({4, 3});
  to_eigen(c.view()).noalias() = to_eigen(a_apart.view()) * to_eigen(b_columns.view());
  for (index_t i = 0; i < 4; ++i) {
    for (index_t j = 0; j < 3; ++j) {
      double sum = 0;
      for (index_t k = 0; k < 6; ++k) sum += static_cast<double>(a(i, k)) * b(k, j);
      CHECK(c(i, j) == doctest::Approx(sum).epsilon(1e-5));
    }
  }
}

TEST_CASE("static extents become static sizes, single rows and columns included") {
  float data[12] = {};
  const pare::tensor_view<float, extents<index_t, 3, 4>> m(data);
  using map = decltype(to_eigen(m));
  static_assert(map::RowsAtCompileTime == 3 && map::ColsAtCompileTime == 4);
  CHECK(same_places(m, to_eigen(m)));
  const pare::tensor_view<float, extents<index_t, 1, 12>> row(data);
  CHECK(same_places(row, to_eigen(row)));
  const pare::tensor_view<float, extents<index_t, 12, 1>> column(data);
  CHECK(same_places(column, to_eigen(column)));
  const pare::tensor_view<float, extents<index_t, 1, 1>> one(data);
  CHECK(same_places(one, to_eigen(one)));
  const pare::tensor_view<float, extents<index_t, 1, 12>, pare::layout_left> left_row(data);
  CHECK(same_places(left_row, to_eigen(left_row)));
  const pare::tensor_view<float, extents<index_t, 12, 1>, pare::layout_left> left_column(data);
  CHECK(same_places(left_column, to_eigen(left_column)));
  const pare::tensor_view<float, extents<index_t, pare::dynamic_extent, 1>> tall(data, 12);
  CHECK(same_places(tall, to_eigen(tall)));
  const pare::tensor_view<float, extents<index_t, 1, pare::dynamic_extent>, pare::layout_left> flat(
      data, 12);
  CHECK(same_places(flat, to_eigen(flat)));
}

TEST_CASE("vectors map to column vectors") {
  float data[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  const auto v = pare::view(&data[0], 12);
  CHECK(to_eigen(v).sum() == 66);
  const auto odd = pare::subview(v, pare::strided_range{1, 12, 2});
  CHECK(to_eigen(odd).sum() == 36);
  to_eigen(odd).setZero();
  CHECK(data[3] == 0);
  CHECK(data[4] == 4);
  static_assert(decltype(to_eigen(pare::view(data)))::SizeAtCompileTime == 12);
}

TEST_CASE("Eigen matrices, maps and blocks are views") {
  Eigen::MatrixXf columns = Eigen::MatrixXf::Random(4, 6);
  Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> rows = columns;
  CHECK(same_places(pare::view(columns), columns));
  CHECK(same_places(pare::view(rows), rows));
  auto block = columns.block(1, 2, 3, 2);
  CHECK(same_places(pare::view(block), block));
  auto map = Eigen::Map<Eigen::MatrixXf>(columns.data(), 6, 4);
  CHECK(same_places(pare::view(map), map));
  Eigen::VectorXf vector = Eigen::VectorXf::Random(5);
  CHECK(same_places(pare::view(vector), vector));
  Eigen::RowVectorXf row = vector.transpose();
  CHECK(same_places(pare::view(row), row));

  const Eigen::MatrixXf& fixed = columns;
  const auto in = pare::view(fixed);
  static_assert(std::is_same_v<decltype(in)::element_type, const float>);
  CHECK(&in(3, 5) == &fixed.coeffRef(3, 5));
  CHECK(same_places(pare::view(columns), to_eigen(pare::view(columns))));
}
