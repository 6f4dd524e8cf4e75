// tensor_view: a pointer, a shape and a layout, in the vocabulary of std::mdspan.
#include <pare/core/tensor_view.hpp>

#include <type_traits>

#include <doctest/doctest.h>
#include "support/check.hpp"

using pare::dextents;
using pare::dynamic_extent;
using pare::extents;
using pare::index_t;
using pare::layout_left;
using pare::layout_right;
using pare::layout_stride;
using pare::tensor_view;

namespace {

constexpr index_t sum_of(tensor_view<const int, dextents<index_t, 2>> m) {
  index_t sum = 0;
  for (index_t i = 0; i < m.extent(0); ++i) {
    for (index_t j = 0; j < m.extent(1); ++j) sum += (j + 1) * m(i, j);
  }
  return sum;
}

constexpr int constant[] = {1, 2, 3, 4, 5, 6};

}  // namespace

TEST_CASE("a view costs a pointer and its dynamic extents") {
  static_assert(sizeof(tensor_view<float, extents<index_t, 3, 4>>) == sizeof(float*));
  static_assert(sizeof(tensor_view<float, extents<index_t, 3, 4>, layout_left>) == sizeof(float*));
  static_assert(sizeof(tensor_view<float, extents<index_t, 3, dynamic_extent>>) ==
                sizeof(float*) + sizeof(index_t));
  static_assert(sizeof(pare::strided_matrix_view<float>) == sizeof(float*) + 4 * sizeof(index_t));
  static_assert(std::is_trivially_copyable_v<pare::strided_matrix_view<const float>>);
}

TEST_CASE("views work in constant expressions") {
  static_assert(sum_of(pare::view(constant, 2, 3)) == 1 + 4 + 9 + 4 + 10 + 18);
  static_assert(pare::view(constant)(5) == 6 && pare::view(constant)[0] == 1);
  static_assert(pare::view(constant, 2, 3).size() == 6);
}

TEST_CASE("elements are where the layout puts them") {
  int data[24] = {};
  for (int i = 0; i < 24; ++i) data[i] = i;
  const tensor_view<int, dextents<index_t, 3>> right(data, 2, 3, 4);
  CHECK(right(1, 2, 3) == 23);
  CHECK(right(1, 0, 2) == 14);
  const tensor_view<int, dextents<index_t, 3>, layout_left> left(data, 2, 3, 4);
  CHECK(left(1, 0, 2) == 13);
  using strided = tensor_view<int, dextents<index_t, 2>, layout_stride>;
  const strided every(data, strided::mapping_type(dextents<index_t, 2>(3, 2), {{7, 3}}));
  CHECK(every(2, 1) == 17);
  CHECK_FALSE(every.is_exhaustive());
  right(1, 2, 3) = -1;
  CHECK(data[23] == -1);
#if defined(__cpp_multidimensional_subscript)
  CHECK(right[1, 0, 2] == 14);
#endif
}

TEST_CASE("a view tells its shape") {
  float data[12] = {};
  const tensor_view<float, extents<index_t, 3, dynamic_extent>> m(data, 4);
  static_assert(m.rank() == 2 && m.rank_dynamic() == 1);
  static_assert(m.static_extent(0) == 3 && m.is_always_exhaustive());
  CHECK(m.extent(0) == 3);
  CHECK(m.extent(1) == 4);
  CHECK(m.stride(0) == 4);
  CHECK(m.stride(1) == 1);
  CHECK(m.size() == 12);
  CHECK_FALSE(m.empty());
  CHECK(m.data_handle() == data);
  CHECK(m.extents() == dextents<index_t, 2>(3, 4));
  static_assert(std::is_same_v<decltype(m)::element_type, float>);
  static_assert(std::is_same_v<tensor_view<const float, extents<index_t, 3>>::value_type, float>);
}

TEST_CASE("empty views and views of a single element") {
  const pare::matrix_view<float> nothing;
  CHECK(nothing.empty());
  CHECK(nothing.data_handle() == nullptr);
  float x = 3;
  const tensor_view<float, extents<index_t>> one(&x);
  CHECK(one() == 3);
  CHECK(one.size() == 1);
  CHECK(pare::view(&x, 0, 5).empty());
}

TEST_CASE("a view converts to one that promises less, and to no other") {
  using fixed = tensor_view<float, extents<index_t, 2, 3>>;
  using rows = pare::matrix_view<float>;
  using const_rows = pare::matrix_view<const float>;
  using strided = pare::strided_matrix_view<float>;
  using columns = tensor_view<float, dextents<index_t, 2>, layout_left>;
  static_assert(std::is_convertible_v<fixed, rows>);
  static_assert(std::is_convertible_v<rows, const_rows>);
  static_assert(std::is_convertible_v<rows, strided>);
  static_assert(std::is_convertible_v<columns, strided>);
  static_assert(!std::is_convertible_v<const_rows, rows>);
  static_assert(!std::is_convertible_v<strided, rows>);
  static_assert(!std::is_convertible_v<columns, rows>);
  static_assert(!std::is_convertible_v<rows, columns>);
  static_assert(!std::is_convertible_v<rows, pare::vector_view<float>>);
  static_assert(!std::is_convertible_v<rows, pare::matrix_view<double>>);
  // A vector has one order only.
  static_assert(std::is_convertible_v<pare::vector_view<float>,
                                      tensor_view<float, dextents<index_t, 1>, layout_left>>);

  float data[6] = {0, 1, 2, 3, 4, 5};
  const fixed f(data);
  const strided s = f;
  CHECK(s.stride(0) == 3);
  CHECK(s(1, 2) == 5);
  const columns c(data, 2, 3);
  const strided t = c;
  CHECK(t.stride(0) == 1);
  CHECK(t(1, 2) == 5);
  CHECK(t(1, 0) == 1);
  const pare::vector_view<const float> v = pare::view(data);
  CHECK(v.extent(0) == 6);
}

TEST_CASE("view() makes views of pointers and arrays") {
  int data[2][3] = {{1, 2, 3}, {4, 5, 6}};
  const auto m = pare::view(data);
  static_assert(std::is_same_v<decltype(m), const tensor_view<int, extents<index_t, 2, 3>>>);
  CHECK(m(1, 0) == 4);
  const auto v = pare::view(data[1]);
  static_assert(v.static_extent(0) == 3);
  CHECK(v[2] == 6);
  const auto p = pare::view(&data[0][0], 3, 2);
  static_assert(std::is_same_v<decltype(p), const pare::matrix_view<int>>);
  CHECK(p(2, 1) == 6);
  const auto r = pare::view_rows(&data[0][0], 2, 2, 3);
  CHECK(r(1, 1) == 5);
  CHECK(r.extent(1) == 2);
  CHECK(r.stride(0) == 3);
}

TEST_CASE("same_shape compares rank and extents") {
  float data[12] = {};
  using pare::detail::same_shape;
  CHECK(same_shape(pare::view(data, 3, 4), pare::view_rows(data, 3, 4, 4)));
  CHECK_FALSE(same_shape(pare::view(data, 3, 4), pare::view(data, 4, 3)));
  CHECK_FALSE(same_shape(pare::view(data, 12), pare::view(data, 12, 1)));
}
