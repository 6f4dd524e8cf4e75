// Tensors joined along each axis, against joining them element by element.
#include <pare/core/std_threads.hpp>
#include <pare/core/subview.hpp>
#include <pare/kernels/concat.hpp>

#include <limits>
#include <vector>

#include "support/check.hpp"
#include "support/isas.hpp"
#include "support/random.hpp"

using pare::index_t;

namespace {

template <class Code>
void check_axis(int axis) {
  CAPTURE(axis);
  const pare::affine_params out{0.1f, 7}, others[] = {{0.1f, 7}, {0.1f, 9}, {0.07f, 7}};
  const index_t sizes[] = {2, 0, 40};
  index_t whole[] = {3, 4, 5};
  whole[axis] = 42;
  std::vector<pare::tensor<Code, 3>> tensors;
  std::vector<pare::concat_input<Code, 3>> inputs;
  for (std::uint32_t i = 0; i < 3; ++i) {
    index_t shape[] = {3, 4, 5};
    shape[axis] = sizes[i];
    tensors.push_back(pare_test::random_codes<Code>(shape, i));
  }
  std::vector<decltype(pare_test::strided_copy(tensors[0]))> apart;
  for (std::size_t i = 0; i < 3; ++i) apart.push_back(pare_test::strided_copy(tensors[i], 2));
  for (std::size_t i = 0; i < 3; ++i) {
    const auto& copy = apart[i];
    inputs.push_back({copy.view(), others[i]});
  }

  pare::tensor<Code, 3> expected(whole);
  index_t first = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    const auto p = pare::make_requantize_params<Code>(others[i], out).value();
    const auto& x = tensors[i];
    for (index_t a = 0; a < x.extent(0); ++a) {
      for (index_t b = 0; b < x.extent(1); ++b) {
        for (index_t c = 0; c < x.extent(2); ++c) {
          index_t at[] = {a, b, c};
          at[axis] += first;
          expected(at[0], at[1], at[2]) = p(x(a, b, c));
        }
      }
    }
    first += sizes[i];
  }
  pare_test::for_each_isa([&](pare::isa) {
    pare_test::strided<Code, 3> y(whole, {4000, 50, 1});
    REQUIRE(pare::concat(inputs.data(), 3, axis, out, y.view()) == pare::status::ok);
    CHECK(pare_test::equal(y.view(), expected));
    CHECK(y.gaps_untouched());
    pare::tensor<Code, 3> dense(whole);
    REQUIRE(pare::concat(inputs.data(), 3, axis, out, dense.view(), pare::std_threads{2}) ==
            pare::status::ok);
    CHECK(pare_test::equal(dense, expected));
  });
}

}  // namespace

TEST_CASE("inputs follow each other along any axis, requantized") {
  for (const int axis : {0, 1, 2}) {
    check_axis<std::int8_t>(axis);
    check_axis<std::uint8_t>(axis);
  }
}

TEST_CASE("an array of inputs") {
  const std::int8_t a[2][2] = {{1, 2}, {3, 4}}, b[2][1] = {{10}, {20}};
  std::int8_t y[2][3] = {};
  const pare::concat_input<std::int8_t, 2> inputs[] = {{pare::view(a), {1.0f, 0}},
                                                       {pare::view(b), {2.0f, 0}}};
  REQUIRE(pare::concat(inputs, 1, {1.0f, 0}, pare::view(y)) == pare::status::ok);
  CHECK_EQUAL_RANGES(pare::view(&y[0][0], 6), {1, 2, 20, 3, 4, 40});
}

TEST_CASE("bad input leaves y untouched") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto x = pare_test::random_codes<std::int8_t>({2, 4}, 1);
  pare::tensor<std::int8_t, 2> y({4, 4});
  const auto before = y;
  pare::affine_params out{0.5f, 3};
  pare::concat_input<std::int8_t, 2> inputs[] = {{x.view(), out}, {x.view(), {0.25f, 1}}};
  int axis = 0;
  index_t count = 2;
  pare::status_code expected = pare::status::ok;
  SUBCASE("no inputs") { count = 0, expected = pare::status::empty; }
  SUBCASE("axis") { axis = 2, expected = pare::status::out_of_range; }
  SUBCASE("negative axis") { axis = -1, expected = pare::status::out_of_range; }
  SUBCASE("too short") { count = 1, expected = pare::status::shape_mismatch; }
  SUBCASE("another axis differs") { axis = 1, expected = pare::status::shape_mismatch; }
  SUBCASE("an input's shape") {
    inputs[1].codes = pare::view(x.data(), 2, 3), expected = pare::status::shape_mismatch;
  }
  SUBCASE("overflow") {
    inputs[0].codes = inputs[1].codes = pare::view(x.data(), PTRDIFF_MAX, 4);
    expected = pare::status::overflow;
  }
  SUBCASE("scale of y") { out.scale = nan, expected = pare::status::non_finite; }
  SUBCASE("zero point of y") { out.zero_point = 128, expected = pare::status::out_of_range; }
  SUBCASE("scale of an input") {
    inputs[1].params.scale = 0, expected = pare::status::out_of_range;
  }
  SUBCASE("zero point of an input") {
    inputs[1].params.zero_point = -129, expected = pare::status::out_of_range;
  }
  SUBCASE("NaN scale of an input") {
    inputs[1].params.scale = nan, expected = pare::status::non_finite;
  }
  SUBCASE("an input whose columns lie apart") {
    inputs[1].codes = pare::subview(pare::view(x.data(), 1, 8), pare::strided_range{0, 1, 1},
                                    pare::strided_range{0, 8, 2});
    inputs[0].codes = pare::view(x.data(), 3, 4);
    expected = pare::status::unsupported;
  }
  const auto s = pare::concat(inputs, count, axis, out, y.view());
  CHECK(s.code() == expected);
  if (expected != pare::status::ok) CHECK(pare_test::equal(y, before));

  CHECK(pare::concat(inputs, 2, 0, {0.5f, 3}, pare::transposed(y.view())).code() !=
        pare::status::ok);
}

TEST_CASE("an error names the input") {
  const auto x = pare_test::random_codes<std::int8_t>({2, 4}, 1);
  pare::tensor<std::int8_t, 2> y({4, 4});
  const pare::concat_input<std::int8_t, 2> inputs[] = {{x.view(), {0.5f, 3}},
                                                       {x.view(), {0.5f, 300}}};
  const auto s = pare::concat(inputs, 0, {0.5f, 3}, y.view());
  CHECK(s == pare::status::out_of_range);
  CHECK(s.error().position == 1);
}
