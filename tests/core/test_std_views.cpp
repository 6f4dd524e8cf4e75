// Views as std::span and std::mdspan and back, where the standard library has them.
#include <pare/core/std_views.hpp>
#include <pare/core/subview.hpp>

#include <vector>

#include <doctest/doctest.h>
#include "support/check.hpp"

using pare::dextents;
using pare::extents;
using pare::index_t;

TEST_CASE("a library without span and mdspan still has the views") {
  int data[4] = {1, 2, 3, 4};
  CHECK(pare::view(data)(3) == 4);
}

#ifdef __cpp_lib_span
TEST_CASE("a vector view is a span of the same elements") {
  std::vector<float> data = {1, 2, 3, 4};
  const auto v = pare::view(data.data(), 4);
  const auto s = pare::to_span(v);
  static_assert(std::is_same_v<decltype(s), const std::span<float>>);
  CHECK(s.data() == data.data());
  CHECK(s.size() == 4);

  float fixed[3] = {};
  static_assert(std::is_same_v<decltype(pare::to_span(pare::view(fixed))), std::span<float, 3>>);
  const pare::vector_view<const float> in = v;
  static_assert(std::is_same_v<decltype(pare::to_span(in)), std::span<const float>>);
  CHECK(pare::to_span(pare::subview(v, pare::range{1, 3})).front() == 2);
  CHECK(pare::to_span(pare::vector_view<float>()).empty());
}

TEST_CASE("a span is a view of the same elements") {
  std::vector<float> data = {1, 2, 3, 4};
  const auto v = pare::view(std::span<const float>(data));
  static_assert(std::is_same_v<decltype(v), const pare::vector_view<const float>>);
  CHECK(v.extent(0) == 4);
  CHECK(&v(2) == &data[2]);
  const auto fixed = pare::view(std::span<float, 4>(data));
  static_assert(fixed.static_extent(0) == 4);
  CHECK(&fixed(3) == &data[3]);
}
#endif

#ifdef __cpp_lib_mdspan
namespace {

template <class View, class Span>
void check_same_places(const View& v, const Span& m) {
  REQUIRE(m.rank() == 2);
  REQUIRE(static_cast<index_t>(m.extent(0)) == v.extent(0));
  REQUIRE(static_cast<index_t>(m.extent(1)) == v.extent(1));
  for (index_t i = 0; i < v.extent(0); ++i) {
    for (index_t j = 0; j < v.extent(1); ++j) {
      CHECK(&v(i, j) == m.data_handle() + m.mapping()(i, j));
    }
  }
}

}  // namespace

TEST_CASE("a view is an mdspan of the same elements, extents and layout, and back") {
  float data[24] = {};
  const pare::tensor_view<float, extents<index_t, 4, pare::dynamic_extent>> right(data, 6);
  const pare::tensor_view<float, dextents<index_t, 2>, pare::layout_left> left(data, 4, 6);
  const auto strided = pare::subview(right, pare::all, pare::strided_range{1, 6, 2});

  const auto r = pare::to_mdspan(right);
  static_assert(std::is_same_v<decltype(r)::layout_type, std::layout_right>);
  static_assert(r.static_extent(0) == 4 && r.static_extent(1) == std::dynamic_extent);
  check_same_places(right, r);
  const auto l = pare::to_mdspan(left);
  static_assert(std::is_same_v<decltype(l)::layout_type, std::layout_left>);
  check_same_places(left, l);
  const auto s = pare::to_mdspan(strided);
  static_assert(std::is_same_v<decltype(s)::layout_type, std::layout_stride>);
  check_same_places(strided, s);

  const auto right_again = pare::view(r);
  static_assert(right_again.static_extent(0) == 4);
  static_assert(std::is_same_v<decltype(right_again)::layout_type, pare::layout_right>);
  check_same_places(right_again, r);
  check_same_places(pare::view(l), l);
  static_assert(std::is_same_v<decltype(pare::view(l))::layout_type, pare::layout_left>);
  check_same_places(pare::view(s), s);
  CHECK(pare::view(s).stride(1) == 2);

  const pare::matrix_view<const float> in = right;
  static_assert(std::is_same_v<decltype(pare::to_mdspan(in))::element_type, const float>);
  const std::mdspan<float, std::extents<int>> one(data);
  CHECK(&pare::view(one)() == data);
}
#endif
