// A frame around a tensor, against its definition.
#include <pare/core/std_threads.hpp>
#include <pare/core/subview.hpp>
#include <pare/kernels/pad.hpp>

#include "support/check.hpp"
#include "support/random.hpp"

using pare::index_t;

TEST_CASE("x stands in a frame of one code") {
  const index_t shape[] = {2, 3, 4};
  const auto x = pare_test::random_codes<std::int8_t>(shape, 1);
  const auto apart = pare_test::strided_copy(x, 3);
  pare_test::random_source random(1);
  for (int run = 0; run < 50; ++run) {
    pare::axis_padding pads[3];
    index_t whole[3];
    for (std::size_t r = 0; r < 3; ++r) {
      pads[r] = {static_cast<index_t>(random.integer(0, 2)),
                 static_cast<index_t>(random.integer(0, 2))};
      whole[r] = pads[r].before + shape[r] + pads[r].after;
    }
    pare_test::strided<std::int8_t, 3> y(whole, {100, 11, 1});
    REQUIRE(pare::pad(apart.view(), pads, -7, y.view(), pare::std_threads{2}) == pare::status::ok);
    bool all = true;
    for (index_t a = 0; a < whole[0]; ++a) {
      for (index_t b = 0; b < whole[1]; ++b) {
        for (index_t c = 0; c < whole[2]; ++c) {
          const index_t i = a - pads[0].before, j = b - pads[1].before, k = c - pads[2].before;
          const bool inside = i >= 0 && i < 2 && j >= 0 && j < 3 && k >= 0 && k < 4;
          all = all && y.view()(a, b, c) == (inside ? x(i, j, k) : -7);
        }
      }
    }
    CHECK(all);
    CHECK(y.gaps_untouched());
  }
}

TEST_CASE("a tensor without elements becomes a box of one code") {
  const std::uint8_t x[1] = {};
  std::uint8_t y[6] = {};
  REQUIRE(pare::pad(pare::view(x, 0, 2), {{1, 1}, {1, 0}}, 200, pare::view(y, 2, 3)) ==
          pare::status::ok);
  CHECK_EQUAL_RANGES(y, {200, 200, 200, 200, 200, 200});
}

TEST_CASE("bad input leaves y untouched") {
  const auto x = pare_test::random_codes<std::int8_t>({2, 2}, 1);
  pare::tensor<std::int8_t, 2> y({4, 4});
  const auto before = y;
  CHECK(pare::pad(x.view(), {{-1, 3}, {1, 1}}, 0, y.view()) == pare::status::out_of_range);
  CHECK(pare::pad(x.view(), {{1, 1}, {3, -1}}, 0, y.view()) == pare::status::out_of_range);
  CHECK(pare::pad(x.view(), {{1, 0}, {1, 1}}, 0, y.view()) == pare::status::shape_mismatch);
  CHECK(pare::pad(x.view(), {{1, 1}, {1, 2}}, 0, y.view()) == pare::status::shape_mismatch);
  CHECK(pare::pad(x.view(), {{PTRDIFF_MAX, 1}, {1, 1}}, 0, y.view()) == pare::status::overflow);
  CHECK(pare::pad(x.view(), {{1, PTRDIFF_MAX}, {1, 1}}, 0, y.view()) == pare::status::overflow);
  CHECK(pare::pad(pare::transposed(x.view()), {{1, 1}, {1, 1}}, 0, y.view()) ==
        pare::status::unsupported);
  CHECK(pare::pad(x.view(), {{1, 1}, {1, 1}}, 0, pare::transposed(y.view())) ==
        pare::status::unsupported);
  CHECK(pare_test::equal(y, before));
}
