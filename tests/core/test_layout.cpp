// Layouts: offsets and strides against their definitions.
#include <pare/core/layout.hpp>

#include <type_traits>
#include <vector>

#include <doctest/doctest.h>
#include "support/check.hpp"

using pare::dextents;
using pare::extents;
using pare::index_t;
using pare::layout_left;
using pare::layout_right;
using pare::layout_stride;

namespace {

/// Every index of [a, b, c] falls where the strides say, and within the required span.
template <class Mapping>
void check_offsets(const Mapping& m) {
  index_t last = -1;
  for (index_t i = 0; i < m.extents().extent(0); ++i) {
    for (index_t j = 0; j < m.extents().extent(1); ++j) {
      for (index_t k = 0; k < m.extents().extent(2); ++k) {
        const index_t at = i * m.stride(0) + j * m.stride(1) + k * m.stride(2);
        CHECK(m(i, j, k) == at);
        last = at > last ? at : last;
      }
    }
  }
  CHECK(m.required_span_size() == last + 1);
}

template <class Mapping>
void check_visits_all_once(const Mapping& m) {
  std::vector<int> visits(static_cast<std::size_t>(m.required_span_size()));
  for (index_t i = 0; i < m.extents().extent(0); ++i) {
    for (index_t j = 0; j < m.extents().extent(1); ++j) {
      for (index_t k = 0; k < m.extents().extent(2); ++k) {
        ++visits[static_cast<std::size_t>(m(i, j, k))];
      }
    }
  }
  for (int v : visits) CHECK(v == 1);
}

}  // namespace

TEST_CASE("row-major runs the last index fastest") {
  constexpr layout_right::mapping<dextents<index_t, 3>> m(dextents<index_t, 3>(2, 3, 4));
  static_assert(m.stride(0) == 12 && m.stride(1) == 4 && m.stride(2) == 1);
  static_assert(m(1, 2, 3) == 23 && m.required_span_size() == 24 && m.is_exhaustive());
  check_offsets(m);
  check_visits_all_once(m);
}

TEST_CASE("column-major runs the first index fastest") {
  constexpr layout_left::mapping<dextents<index_t, 3>> m(dextents<index_t, 3>(2, 3, 4));
  static_assert(m.stride(0) == 1 && m.stride(1) == 2 && m.stride(2) == 6);
  static_assert(m(1, 2, 3) == 23 && m(1, 0, 0) == 1 && m.required_span_size() == 24);
  check_offsets(m);
  check_visits_all_once(m);
}

TEST_CASE("strides may be any") {
  using mapping = layout_stride::mapping<dextents<index_t, 3>>;
  constexpr mapping m(dextents<index_t, 3>(2, 3, 4), {{50, 1, 10}});
  static_assert(m.stride(0) == 50 && m.stride(1) == 1 && m.stride(2) == 10);
  static_assert(m(1, 2, 3) == 82 && m.required_span_size() == 83 && !m.is_exhaustive());
  check_offsets(m);
  constexpr mapping dense(dextents<index_t, 3>(2, 3, 4), {{1, 8, 2}});
  static_assert(dense.is_exhaustive());
  check_visits_all_once(dense);
  constexpr mapping none(dextents<index_t, 3>(2, 0, 4), {{50, 1, 10}});
  static_assert(none.required_span_size() == 0);
}

TEST_CASE("a strided mapping takes the places of any other") {
  const layout_left::mapping<dextents<index_t, 3>> left(dextents<index_t, 3>(2, 3, 4));
  const layout_stride::mapping<dextents<index_t, 3>> m(left);
  CHECK(m.is_exhaustive());
  for (std::size_t r = 0; r < 3; ++r) CHECK(m.stride(r) == left.stride(r));
}

TEST_CASE("static extents take no room in a mapping") {
  static_assert(std::is_empty_v<layout_right::mapping<extents<index_t, 3, 4>>>);
  static_assert(std::is_empty_v<layout_left::mapping<extents<index_t, 3, 4>>>);
  static_assert(sizeof(layout_stride::mapping<extents<index_t, 3, 4>>) == 2 * sizeof(index_t));
  static_assert(sizeof(layout_right::mapping<dextents<index_t, 2>>) == 2 * sizeof(index_t));
}

TEST_CASE("a mapping of rank 0 has one element, and empty ones none") {
  constexpr layout_right::mapping<extents<index_t>> right{extents<index_t>()};
  constexpr layout_left::mapping<extents<index_t>> left{extents<index_t>()};
  constexpr layout_stride::mapping<extents<index_t>> strided{extents<index_t>(), {}};
  static_assert(right() == 0 && left() == 0 && strided() == 0);
  static_assert(right.required_span_size() == 1 && left.required_span_size() == 1 &&
                strided.required_span_size() == 1);
  constexpr layout_right::mapping<dextents<index_t, 2>> none{dextents<index_t, 2>(0, 5)};
  static_assert(none.required_span_size() == 0);
  CHECK(none.is_exhaustive());
}

TEST_CASE("layouts only promise what always holds") {
  using shape = dextents<index_t, 2>;
  static_assert(layout_right::mapping<shape>::is_always_exhaustive());
  static_assert(layout_left::mapping<shape>::is_always_exhaustive());
  static_assert(!layout_stride::mapping<shape>::is_always_exhaustive());
  static_assert(std::is_trivially_copyable_v<layout_stride::mapping<shape>>);
}
