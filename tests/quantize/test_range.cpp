// Ranges against a plain search, in every layout and of every length that vectors cut apart.
#include <pare/quantize/range.hpp>

#include <doctest/doctest.h>
#include "quantize/cases.hpp"
#include "support/check.hpp"
#include "support/isas.hpp"
#include "support/random.hpp"

using pare::index_t;
using pare::status;
using quantize_cases::infinity;
using quantize_cases::nan;

namespace {

template <class View>
pare::value_range search(const View& v) {
  pare::value_range range{quantize_cases::largest, -quantize_cases::largest};
  pare::for_each_element(v, [&](float x, index_t) {
    if (x < range.min) range.min = x;
    if (x > range.max) range.max = x;
  });
  return range;
}

}  // namespace

TEST_CASE("min_max finds an extreme at every place of a row of any length") {
  pare_test::for_each_isa([](pare::isa) {
    pare::tensor<float, 1> row({70});
    for (index_t n = 1; n <= 70; ++n) {
      for (index_t at = 0; at < n; ++at) {
        for (float& x : row) x = 0.25f;
        row(at) = -2.0f;
        auto range = pare::min_max(pare::view(row.data(), n));
        REQUIRE(range);
        REQUIRE(range->min == -2.0f);
        REQUIRE(range->max == (n == 1 ? -2.0f : 0.25f));
        row(at) = 3.0f;
        range = pare::min_max(pare::view(row.data(), n));
        REQUIRE(range);
        REQUIRE(range->min == (n == 1 ? 3.0f : 0.25f));
        REQUIRE(range->max == 3.0f);
      }
    }
  });
}

TEST_CASE("min_max is the same in every layout") {
  const auto t = pare_test::random_normal<float>({5, 7, 33}, 1);
  const pare::value_range expected = search(t.view());
  const auto left = pare_test::column_major_copy(t);
  const auto apart = pare_test::strided_copy(t, 3, 2);
  const auto padded = pare_test::strided_copy(t, 5, 1);
  const auto check = [&](const auto& v) {
    const auto range = pare::min_max(v);
    REQUIRE(range);
    CHECK(range->min == expected.min);
    CHECK(range->max == expected.max);
  };
  check(t.view());
  check(left.view());
  check(apart.view());
  check(padded.view());
}

TEST_CASE("min_max along an axis is the range of each slice, in every layout") {
  const auto t = pare_test::random_normal<float>({5, 7, 33}, 2);
  const auto left = pare_test::column_major_copy(t);
  const auto apart = pare_test::strided_copy(t, 3, 2);
  const auto padded = pare_test::strided_copy(t, 5, 1);
  for (int axis = 0; axis < 3; ++axis) {
    CAPTURE(axis);
    const index_t channels = t.extent(static_cast<std::size_t>(axis));
    pare::tensor<float, 1> low({channels}), high({channels});
    for (index_t c = 0; c < channels; ++c) low(c) = 1e9f, high(c) = -1e9f;
    pare::for_each_element(t.view(), [&](float x, index_t i) {
      const index_t at[] = {i / (7 * 33), i / 33 % 7, i % 33};
      const index_t c = at[axis];
      if (x < low(c)) low(c) = x;
      if (x > high(c)) high(c) = x;
    });
    const auto check = [&](const auto& v) {
      pare_test::strided<float, 1> mins({channels}, {2}), maxs({channels}, {3});
      REQUIRE(pare::min_max(v, axis, mins.view(), maxs.view()) == status::ok);
      CHECK(pare_test::equal(mins.view(), low));
      CHECK(pare_test::equal(maxs.view(), high));
      CHECK(mins.gaps_untouched());
      CHECK(maxs.gaps_untouched());
    };
    check(t.view());
    check(left.view());
    check(apart.view());
    check(padded.view());
  }
}

TEST_CASE("a slice above or below zero has a range without it") {
  const float x[] = {1, 2, 3, -6, -5, -4};
  float mins[3], maxs[3];
  REQUIRE(pare::min_max(pare::view(x, 2, 3), 0, pare::view(mins, 2), pare::view(maxs, 2)) ==
          status::ok);
  CHECK_EQUAL_RANGES(pare::view(mins, 2), {1, -6});
  CHECK_EQUAL_RANGES(pare::view(maxs, 2), {3, -4});
  const float y[] = {1, -6, 2, -5, 3, -4};
  REQUIRE(pare::min_max(pare::view(y, 3, 2), 1, pare::view(mins, 2), pare::view(maxs, 2)) ==
          status::ok);
  CHECK_EQUAL_RANGES(pare::view(mins, 2), {1, -6});
  CHECK_EQUAL_RANGES(pare::view(maxs, 2), {3, -4});
}

TEST_CASE("single elements, denormal and huge values have their range") {
  float one = -1.5f;
  const auto scalar = pare::min_max(pare::tensor_view<float, pare::extents<index_t>>(&one));
  REQUIRE(scalar);
  CHECK(scalar->min == -1.5f);
  CHECK(scalar->max == -1.5f);

  if (!quantize_cases::flushes_denormals()) {
    const float denormal = pare::detail::bit_cast<float>(std::uint32_t{77});
    float tiny[20] = {};
    tiny[17] = denormal;
    const auto range = pare::min_max(pare::view(tiny));
    REQUIRE(range);
    CHECK(range->min == 0.0f);
    CHECK(range->max == denormal);
  }
  float huge[20] = {};
  huge[3] = quantize_cases::largest;
  huge[18] = -quantize_cases::largest;
  const auto range = pare::min_max(pare::view(huge));
  REQUIRE(range);
  CHECK(range->min == -quantize_cases::largest);
  CHECK(range->max == quantize_cases::largest);
}

TEST_CASE("zeros of either sign come back as +0") {
  const auto bits = [](float x) { return pare::detail::bit_cast<std::uint32_t>(x); };
  for (index_t n : {1, 2, 3, 40}) {
    pare::tensor<float, 1> zeros({n});
    for (float& x : zeros) x = -0.0f;
    const auto range = pare::min_max(zeros.view());
    REQUIRE(range);
    CHECK(bits(range->min) == 0);
    CHECK(bits(range->max) == 0);
    float low = 1, high = 1;
    REQUIRE(pare::min_max(pare::view(zeros.data(), 1, n), 0, pare::view(&low, 1),
                          pare::view(&high, 1)) == status::ok);
    CHECK(bits(low) == 0);
    CHECK(bits(high) == 0);
  }
}

TEST_CASE(
    "a NaN or an infinity is found wherever it is, and named by its place in row-major order") {
  pare_test::for_each_isa([](pare::isa) {
    const float bad[] = {nan(), -nan(), infinity(), -infinity()};
    auto t = pare_test::random_normal<float>({3, 37}, 3);
    for (index_t i = 0; i < t.size(); ++i) {
      const float kept = t.data()[i];
      t.data()[i] = bad[i % 4];
      const auto range = pare::min_max(t.view());
      REQUIRE(range == status::non_finite);
      REQUIRE(range.error().kind == pare::position_kind::element);
      REQUIRE(range.error().position == i);

      for (int axis = 0; axis < 2; ++axis) {
        const index_t channels = t.extent(static_cast<std::size_t>(axis));
        pare::tensor<float, 1> mins({channels}), maxs({channels});
        const status s = pare::min_max(t.view(), axis, mins.view(), maxs.view());
        REQUIRE(s == status::non_finite);
        REQUIRE(s.error().position == i);
        REQUIRE(search(mins.view()).max == 0.0f);  // untouched
        REQUIRE(search(mins.view()).min == 0.0f);
        REQUIRE(search(maxs.view()).max == 0.0f);
        REQUIRE(search(maxs.view()).min == 0.0f);
      }
      t.data()[i] = kept;
    }
  });
}

TEST_CASE("of several NaNs the first in row-major order is named, whatever the layout") {
  pare::tensor<float, 2> t({4, 5});
  t(1, 4) = nan();
  t(3, 0) = nan();
  const auto left = pare_test::column_major_copy(t);  // (3, 0) lies first in memory
  CHECK(pare::min_max(t.view()).error().position == 9);
  CHECK(pare::min_max(left.view()).error().position == 9);
}

TEST_CASE("bad input leaves ranges untouched") {
  const auto t = pare_test::random_normal<float>({3, 4}, 4);
  float mins[] = {7, 7, 7}, maxs[] = {7, 7, 7};
  const auto low = pare::view(mins), high = pare::view(maxs);
  SUBCASE("no elements") {
    CHECK(pare::min_max(pare::view(t.data(), 0)) == status::empty);
    CHECK(pare::min_max(pare::view(t.data(), 3, 0), 0, low, high) == status::empty);
    CHECK(pare::min_max(pare::view(t.data(), 0, 3), 1, low, high) == status::empty);
    CHECK(pare::min_max(pare::view(t.data(), 0, 3), 0, {}, {}) == status::empty);
  }
  SUBCASE("an axis that is no dimension") {
    for (int axis : {-2, -1, 2, 100}) {
      const status s = pare::min_max(t.view(), axis, low, high);
      CHECK(s == status::out_of_range);
      CHECK(s.error().kind == pare::position_kind::axis);
      CHECK(s.error().position == axis);
    }
    float x = 1;
    CHECK(pare::min_max(pare::tensor_view<float, pare::extents<index_t>>(&x), 0, low, high) ==
          status::out_of_range);
  }
  SUBCASE("outputs of another size") {
    CHECK(pare::min_max(t.view(), 1, low, high) == status::shape_mismatch);
    CHECK(pare::min_max(t.view(), 0, pare::view(mins, 2), high) == status::shape_mismatch);
    CHECK(pare::min_max(t.view(), 0, low, pare::view(maxs, 2)) == status::shape_mismatch);
    CHECK(pare::min_max(t.view(), 0, low, {}) == status::shape_mismatch);
  }
  CHECK_EQUAL_RANGES(mins, {7, 7, 7});
  CHECK_EQUAL_RANGES(maxs, {7, 7, 7});
}
