// Linear with 4-bit, 2-bit and ternary weights on every instruction set, against plain loops and
// against the layer of 8 bits.
#include <pare/core/std_threads.hpp>
#include <pare/core/subview.hpp>
#include <pare/kernels/low_bit_linear.hpp>

#include <limits>
#include <vector>

#include "support/isas.hpp"
#include "support/low_bit_case.hpp"
#include "support/vectors.hpp"

using pare::index_t;
using pare::low_bit;
using pare_test::low_bit_case;

namespace {

constexpr pare::requantization all_rules[] = {
    pare::requantization::nearest, pare::requantization::onnx,
    pare::requantization::double_rounding, pare::requantization::single_rounding};

constexpr low_bit all_kinds[] = {low_bit::s4, low_bit::s2, low_bit::ternary};

/// Tails of rows, columns and inputs around every tile: 4, 6 and 8 rows, 16 to 64 columns, 8 and 16
/// inputs; around what ARM decodes at once, 24 rows and 1024 inputs; and what is empty.
struct shape {
  index_t m, n, k;
};
constexpr shape shapes[] = {{0, 5, 7},    {3, 0, 7},     {3, 5, 0},     {1, 1, 1},     {1, 2, 3},
                            {2, 3, 4},    {5, 15, 5},    {6, 16, 8},    {7, 17, 9},    {12, 31, 15},
                            {13, 32, 16}, {4, 33, 17},   {11, 47, 33},  {8, 48, 27},   {9, 64, 23},
                            {1, 63, 130}, {6, 64, 64},   {50, 65, 12},  {3, 96, 7},    {49, 97, 21},
                            {2, 128, 1},  {10, 144, 24}, {23, 10, 65},  {1, 200, 301}, {7, 70, 40},
                            {8, 129, 31}, {25, 20, 77},  {8, 17, 1025}, {24, 3, 1055}};

template <class X>
void check_codes(const low_bit_case& c, const pare::tensor<X, 2>& x) {
  const auto layer = c.pack_low_bit();
  pare_test::check_code_outputs(
      c, x, [&](const auto& from, const auto& to) { return pare::linear(from, layer.view(), to); });
}

}  // namespace

TEST_CASE("every instruction set gives the accumulators and codes of plain loops, low bit") {
  pare_test::for_each_isa([](pare::isa) {
    std::uint32_t seed = 100;
    for (const shape s : shapes) {
      for (const low_bit kind : all_kinds) {
        for (const bool has_zero_points : {false, true}) {
          CAPTURE(s.m);
          CAPTURE(s.n);
          CAPTURE(s.k);
          CAPTURE(static_cast<int>(kind));
          CAPTURE(has_zero_points);
          ++seed;
          low_bit_case c(s.n, s.k, seed, kind, has_zero_points);
          c.options.rule = all_rules[seed % 4];
          c.options.act = static_cast<pare::activation>(seed % 3);
          c.options.output.zero_point = static_cast<std::int32_t>(seed % 5) * 3 - 6;
          check_codes(c, pare_test::random_codes<std::int8_t>({s.m, s.k}, seed));
          c.options.input.zero_point = 131;
          check_codes(c, pare_test::random_codes<std::uint8_t>({s.m, s.k}, seed));
        }
      }
    }
  });
}

TEST_CASE("extreme low-bit weights neither saturate nor lose a carry") {
  pare_test::for_each_isa([](pare::isa) {
    for (const low_bit kind : {low_bit::s4, low_bit::s2}) {
      const int least = kind == low_bit::s4 ? -8 : -2, most = -1 - least;
      for (const int w : {least, most}) {
        for (const int zero_point : {0, least, most}) {
          for (const int x : {0, 255}) {
            // Up to 65536 inputs sums would fit even with weights at the top of their bytes.
            for (const index_t k : {2, 64, 66000}) {
              CAPTURE(w);
              CAPTURE(zero_point);
              CAPTURE(x);
              CAPTURE(k);
              low_bit_case c(k > 100 ? 2 : 33, k, 1, kind, true);
              for (auto& code : c.low_bit_codes) code = static_cast<std::int8_t>(w);
              for (auto& z : c.zero_points) z = zero_point;
              c.subtract_zero_points();
              pare::tensor<std::uint8_t, 2> x_u8({2, k});
              for (auto& code : x_u8) code = static_cast<std::uint8_t>(x);
              check_codes(c, x_u8);
              pare::tensor<std::int8_t, 2> x_s8({7, k > 100 ? 3 : k});
              if (k > 100) continue;
              for (auto& code : x_s8) code = x == 0 ? -128 : 127;
              check_codes(c, x_s8);
            }
          }
        }
      }
    }
  });
}

TEST_CASE("low-bit sums beyond 32 bits wrap, on every instruction set") {
  const index_t k = 1200000;  // 1200000 * 255 * 8 > 2^31
  low_bit_case c(2, k, 1, low_bit::s4);
  for (auto& code : c.low_bit_codes) code = -8;
  c.subtract_zero_points();
  c.options.input.zero_point = 0;
  pare::tensor<std::uint8_t, 2> x({1, k});
  for (auto& code : x) code = 255;
  pare_test::for_each_isa([&](pare::isa) {
    pare::tensor<std::int32_t, 2> y({1, 2});
    REQUIRE(pare::linear(x.view(), c.pack_low_bit().view(), y.view()) == pare::status::ok);
    CHECK(pare_test::equal(y, c.expected_s32(x)));
    CHECK(y(0, 0) > 0);
  });
}

TEST_CASE("a low-bit layer gives the bits of the 8-bit layer with the same weights") {
  for (const shape s : shapes) {
    for (const bool has_zero_points : {false, true}) {
      CAPTURE(s.m);
      CAPTURE(s.n);
      CAPTURE(s.k);
      low_bit_case c(s.n, s.k, 9, all_kinds[(s.m + s.k) % 3], has_zero_points);
      c.options.act = s.m % 2 == 0 ? pare::activation::relu : pare::activation::none;
      const auto x = pare_test::random_normal<float>({s.m, s.k}, 10);
      const auto x8 = pare_test::random_codes<std::int8_t>({s.m, s.k}, 11);
      pare_test::for_each_isa([&](pare::isa) {
        const auto layer = c.pack_low_bit();
        const auto layer8 = c.pack();
        pare::tensor<float, 2> y({s.m, s.n}), expected({s.m, s.n});
        REQUIRE(pare::linear(x.view(), layer8, expected.view()) == pare::status::ok);
        REQUIRE(pare::linear(x.view(), layer.view(), y.view()) == pare::status::ok);
        CHECK(pare_test::equal_bits(y, expected));

        pare::tensor<std::byte, 1> memory({pare::linear_workspace_size(s.k, s.m).value()});
        const pare::workspace scratch(memory.data(), memory.size());
        pare_test::strided<float, 2> apart({s.m, s.n}, {s.n + 3, 1});
        REQUIRE(pare::linear(x.view(), layer.view(), apart.view(), scratch, pare::std_threads{3}) ==
                pare::status::ok);
        CHECK(pare_test::equal_bits(apart.view(), expected.view()));
        CHECK(apart.gaps_untouched());

        REQUIRE(pare::linear(x8.view(), layer8, expected.view()) == pare::status::ok);
        REQUIRE(pare::linear(x8.view(), layer.view(), y.view()) == pare::status::ok);
        CHECK(pare_test::equal_bits(y, expected));
      });
    }
  }
}

TEST_CASE("any number of threads gives the same bits, low bit") {
  const low_bit_case c(150, 333, 13, low_bit::s4, true);
  const auto x = pare_test::random_codes<std::int8_t>({300, 333}, 14);
  const auto layer = c.pack_low_bit();
  pare::tensor<std::int8_t, 2> one({300, 150});
  REQUIRE(pare::linear(x.view(), layer.view(), one.view()) == pare::status::ok);
  for (const int threads : {2, 5}) {
    pare::tensor<std::int8_t, 2> many({300, 150});
    REQUIRE(pare::linear(x.view(), layer.view(), many.view(), {}, pare::std_threads{threads}) ==
            pare::status::ok);
    CHECK(pare_test::equal(many, one));
  }
}

TEST_CASE("a low-bit layer packed for one instruction set runs on every other") {
  for (const low_bit kind : all_kinds) {
    const low_bit_case c(70, 45, 17, kind, true);
    const auto x = pare_test::random_codes<std::int8_t>({5, 45}, 18);
    pare_test::for_each_isa([&](pare::isa packed_for) {
      const auto layer = c.pack_low_bit();
      CHECK(pare::linear_kernel(layer.view()) == packed_for);
      pare_test::for_each_isa([&](pare::isa) {
        pare::tensor<std::int8_t, 2> y({5, 70});
        REQUIRE(pare::linear(x.view(), layer.view(), y.view()) == pare::status::ok);
        CHECK(pare_test::equal(y, c.expected_codes<std::int8_t>(x)));
      });
    });
  }
}

TEST_CASE("nothing is read beyond the last row, low bit") {
  // The row ends where its memory ends: the address sanitizer sees a read beyond it.
  pare_test::for_each_isa([](pare::isa) {
    for (index_t k = 1; k < 40; ++k) {
      for (const low_bit kind : {low_bit::s4, low_bit::s2}) {
        const low_bit_case c(3, k, 19, kind);
        std::vector<std::int8_t> x(static_cast<std::size_t>(7 * k), 1);
        pare::tensor<std::int32_t, 2> y({7, 3});
        REQUIRE(pare::linear(pare::view(static_cast<const std::int8_t*>(x.data()), 7, k),
                             c.pack_low_bit().view(), y.view()) == pare::status::ok);
      }
    }
  });
}

TEST_CASE("rows may run backwards, low bit") {
  const low_bit_case c(20, 33, 15, low_bit::s4);
  const auto x = pare_test::random_codes<std::int8_t>({4, 33}, 16);
  const auto layer = c.pack_low_bit();
  pare::tensor<std::int32_t, 2> y({4, 20});
  REQUIRE(pare::linear(pare::view_rows(x.data() + 3 * 33, 4, 33, -33), layer.view(), y.view()) ==
          pare::status::ok);
  const auto forwards = c.expected_s32(x);
  for (index_t r = 0; r < 4; ++r) {
    CHECK(pare_test::equal(subview(y.view(), r, pare::all),
                           subview(forwards.view(), 3 - r, pare::all)));
  }
}

TEST_CASE("bad input leaves y untouched and says what is wrong, low bit") {
  low_bit_case c(10, 12, 20, low_bit::s4);
  const auto layer = c.pack_low_bit();
  pare::tensor<float, 2> x({3, 12}), y({3, 10});
  pare::tensor<std::int8_t, 2> x8({3, 12}), y8({3, 10});
  for (auto& v : y) v = 42.0f;
  for (auto& v : y8) v = 42;
  SUBCASE("x has other columns") {
    const auto s =
        pare::linear(subview(x.view(), pare::all, pare::range{0, 11}), layer.view(), y.view());
    CHECK(s == pare::status::shape_mismatch);
  }
  SUBCASE("y has other rows") {
    CHECK(pare::linear(x.view(), layer.view(), subview(y.view(), pare::range{0, 2}, pare::all)) ==
          pare::status::shape_mismatch);
  }
  SUBCASE("columns lie apart") {
    pare::tensor<float, 2> wide({3, 24});
    CHECK(pare::linear(subview(wide.view(), pare::all, pare::strided_range{0, 24, 2}), layer.view(),
                       y.view()) == pare::status::unsupported);
  }
  SUBCASE("NaN in x names its row") {
    x(1, 7) = std::numeric_limits<float>::quiet_NaN();
    const auto s = pare::linear(x.view(), layer.view(), y.view());
    CHECK(s == pare::status::non_finite);
    CHECK(s.error().position == 1);
  }
  SUBCASE("scratch too small says how much is needed") {
    alignas(64) std::byte small[128];
    const auto s = pare::linear(x.view(), layer.view(), y.view(), pare::workspace(small));
    CHECK(s == pare::status::workspace_too_small);
    CHECK(s.error().position == pare::linear_workspace_size(12, 3).value());
  }
  SUBCASE("codes without the scale of the inputs") {
    c.options.input = c.options.output = {0.0f, 0};
    CHECK(pare::linear(x8.view(), c.pack_low_bit().view(), y8.view()) ==
          pare::status::invalid_argument);
  }
  SUBCASE("zero points that are no codes of x") {
    c.options.input.zero_point = 200;
    CHECK(pare::linear(x8.view(), c.pack_low_bit().view(), y8.view()) ==
          pare::status::out_of_range);
  }
  for (const float v : y) CHECK(v == 42.0f);
  for (const std::int8_t v : y8) CHECK(v == 42);
}
