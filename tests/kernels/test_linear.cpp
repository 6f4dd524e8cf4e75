// int8 linear on every instruction set, against plain loops, PyTorch, ONNX and TFLite (vectors:
// tools/make_kernel_vectors.py).
#include <pare/core/std_threads.hpp>
#include <pare/core/subview.hpp>
#include <pare/kernels/linear.hpp>

#include <limits>
#include <vector>

#include "support/guarded.hpp"
#include "support/isas.hpp"
#include "support/linear_case.hpp"
#include "support/vectors.hpp"

using pare::index_t;
using pare_test::linear_case;

namespace {

constexpr pare::requantization all_rules[] = {
    pare::requantization::nearest, pare::requantization::onnx,
    pare::requantization::double_rounding, pare::requantization::single_rounding};

/// Tails of rows, columns and inputs around every tile: 6 rows, 16 to 64 columns, 4 inputs; and
/// what is empty.
struct shape {
  index_t m, n, k;
};
constexpr shape shapes[] = {{0, 5, 7},
                            {3, 0, 7},
                            {3, 5, 0},
                            {1, 1, 1},
                            {1, 2, 3},
                            {2, 3, 4},
                            {5, 15, 5},
                            {6, 16, 8},
                            {7, 17, 9},
                            {12, 31, 15},
                            {13, 32, 16},
                            {4, 33, 2},
                            {11, 47, 33},
                            {8, 48, 27},
                            {9, 49, 3},
                            {1, 63, 130},
                            {6, 64, 64},
                            {50, 65, 12},
                            {3, 96, 7},
                            {49, 97, 21},
                            {2, 128, 1},
                            {10, 144, 24},
                            {97, 10, 65},
                            {1, 200, 301},
                            // Tiles of the tallest heights, side by side and below each other.
                            {23, 32, 29},
                            {35, 96, 30},
                            {15, 48, 13},
                            {47, 64, 31},
                            {7, 64, 6},
                            {9, 80, 40}};

template <class X>
void check_codes(const linear_case& c, const pare::tensor<X, 2>& x) {
  const auto layer = c.pack();
  pare_test::check_code_outputs(
      c, x, [&](const auto& from, const auto& to) { return pare::linear(from, layer, to); });
}

}  // namespace

TEST_CASE("every instruction set gives the accumulators and codes of plain loops") {
  pare_test::for_each_isa([](pare::isa) {
    std::uint32_t seed = 100;
    for (const shape s : shapes) {
      CAPTURE(s.m);
      CAPTURE(s.n);
      CAPTURE(s.k);
      for (const auto rule : all_rules) {
        CAPTURE(static_cast<int>(rule));
        ++seed;
        linear_case c(s.n, s.k, seed, seed % 2 == 0 ? std::int8_t{-128} : std::int8_t{-127});
        c.options.rule = rule;
        c.options.act = static_cast<pare::activation>(seed % 3);
        c.options.output.zero_point = static_cast<std::int32_t>(seed % 5) * 3 - 6;
        check_codes(c, pare_test::random_codes<std::int8_t>({s.m, s.k}, seed));
        c.options.input.zero_point = 131;
        check_codes(c, pare_test::random_codes<std::uint8_t>({s.m, s.k}, seed));
      }
    }
  });
}

TEST_CASE("extreme codes neither saturate nor lose a carry") {
  pare_test::for_each_isa([](pare::isa) {
    for (const int w : {-128, -127, 127}) {
      for (const int x : {-128, 127}) {
        for (const index_t k : {2, 64, 70001}) {
          CAPTURE(w);
          CAPTURE(x);
          CAPTURE(k);
          linear_case c(17, k, 1);
          for (auto& code : c.codes) code = static_cast<std::int8_t>(w);
          pare::tensor<std::int8_t, 2> x_s8({2, k});
          for (auto& code : x_s8) code = static_cast<std::int8_t>(x);
          check_codes(c, x_s8);
          pare::tensor<std::uint8_t, 2> x_u8({2, k});
          for (auto& code : x_u8) code = x < 0 ? 0 : 255;
          check_codes(c, x_u8);
        }
      }
    }
  });
}

TEST_CASE("factors far above one saturate, in tiles of every width") {
  pare_test::for_each_isa([](pare::isa) {
    for (const index_t n : {16, 32, 48, 64}) {
      for (const auto rule : {pare::requantization::nearest, pare::requantization::onnx}) {
        linear_case c(n, 24, 7, -127);
        c.options.rule = rule;
        c.options.output = {1e-9f, 0};
        check_codes(c, pare_test::random_codes<std::int8_t>({24, 24}, 9));
        // One column alone, so that the others of its tile stay small.
        c.options.output = {0.25f, 0};
        c.scales(n / 2) = 3e8f;
        check_codes(c, pare_test::random_codes<std::int8_t>({24, 24}, 11));
      }
    }
  });
}

TEST_CASE("sums beyond 32 bits wrap, on every instruction set") {
  const index_t k = 140000;  // 140000 * 127 * 127 > 2^31
  pare_test::for_each_isa([&](pare::isa) {
    linear_case c(3, k, 1);
    for (auto& code : c.codes) code = 127;
    pare::tensor<std::int8_t, 2> x({1, k});
    for (auto& code : x) code = 127;
    c.options.input.zero_point = 0;
    pare::tensor<std::int32_t, 2> y({1, 3});
    REQUIRE(pare::linear(x.view(), c.pack(), y.view()) == pare::status::ok);
    CHECK(pare_test::equal(y, c.expected_s32(x)));
    CHECK(y(0, 0) < 0);
  });
}

TEST_CASE("results far beyond the codes saturate at the right end") {
  pare_test::for_each_isa([](pare::isa) {
    for (const auto rule : {pare::requantization::nearest, pare::requantization::onnx}) {
      linear_case c(40, 300, 5);
      c.options.rule = rule;
      c.options.output.scale = 1e-12f;  // factors near 1e8: products far beyond 2^31
      check_codes(c, pare_test::random_codes<std::int8_t>({7, 300}, 6));
    }
  });
}

TEST_CASE("matches PyTorch: dequantize, linear, relu, quantize") {
  const auto a = pare_test::load("kernels/pytorch_linear.npz");
  pare_test::for_each_isa([&](pare::isa) {
    for (int i = 0; i < a.scalar<int>("cases"); ++i) {
      const auto id = std::to_string(i);
      const auto w = a.get<std::int8_t, 2>("w" + id);
      const auto scales = a.get<float, 1>("w_scales" + id), bias = a.get<float, 1>("bias" + id);
      const auto x = a.get<std::uint8_t, 2>("x" + id);
      const pare::affine_view<std::int8_t, pare::dextents<index_t, 2>> view{
          w.view(), scales.view(), {}, 0};
      for (const auto act : {pare::activation::none, pare::activation::relu}) {
        pare::linear_options o;
        o.act = act;
        o.input = {a.scalar<float>("x_scale" + id), a.scalar<std::int32_t>("x_zero" + id)};
        o.output = {a.scalar<float>("y_scale" + id), a.scalar<std::int32_t>("y_zero" + id)};
        const auto layer = pare::pack_linear(view, bias.view(), o).value();
        pare::tensor<std::uint8_t, 2> y({x.extent(0), w.extent(0)});
        REQUIRE(pare::linear(x.view(), layer, y.view()) == pare::status::ok);
        const char* suffix = act == pare::activation::relu ? "_1" : "_0";
        CHECK(pare_test::equal(y, a.get<std::uint8_t, 2>("y" + id + suffix)));
      }
    }
  });
}

TEST_CASE("matches TFLite's fully connected in both roundings") {
  const auto a = pare_test::load("kernels/tflite_linear.npz");
  pare_test::for_each_isa([&](pare::isa) {
    for (int i = 0; i < a.scalar<int>("cases"); ++i) {
      const auto id = std::to_string(i);
      const auto w = a.get<std::int8_t, 2>("w" + id), x = a.get<std::int8_t, 2>("x" + id);
      const auto scales = a.get<float, 1>("w_scales" + id);
      const auto bias = a.get<std::int32_t, 1>("bias" + id);
      const pare::affine_view<std::int8_t, pare::dextents<index_t, 2>> view{
          w.view(), scales.view(), {}, 0};
      for (const auto rule :
           {pare::requantization::double_rounding, pare::requantization::single_rounding}) {
        pare::linear_options o;
        o.rule = rule;
        o.input = {a.scalar<float>("x_scale" + id), a.scalar<std::int32_t>("x_zero" + id)};
        o.output = {a.scalar<float>("y_scale" + id), a.scalar<std::int32_t>("y_zero" + id)};
        const auto layer = pare::pack_linear(view, bias.view(), o).value();
        pare::tensor<std::int8_t, 2> y({x.extent(0), w.extent(0)});
        REQUIRE(pare::linear(x.view(), layer, y.view()) == pare::status::ok);
        const char* name = rule == pare::requantization::double_rounding ? "y_double" : "y_single";
        CHECK(pare_test::equal(y, a.get<std::int8_t, 2>(name + id)));
      }
    }
  });
}

TEST_CASE("matches ONNX MatMulInteger and QLinearMatMul") {
  const auto a = pare_test::load("kernels/onnx_linear.npz");
  pare_test::for_each_isa([&](pare::isa) {
    {
      // The conformance data has B [k, n] in u8 with small values: a transposed view of s8 codes.
      const auto x = a.get<std::uint8_t, 2>("integer_a");
      const auto b =
          pare::tensor<std::int8_t, 2>::copy_of(a.get<std::uint8_t, 2>("integer_b").view()).value();
      const float one[] = {1.0f};
      const auto w = pare::transposed(b.view());
      const pare::affine_view<std::int8_t, pare::dextents<index_t, 2>, pare::layout_stride> view{
          w, pare::vector_view<const float>(one, index_t{1}), {}, pare::per_tensor};
      pare::linear_options o;
      o.input = {1.0f, a.scalar<std::int32_t>("integer_a_zero")};
      const auto layer = pare::pack_linear(view, pare::vector_view<const float>(), o).value();
      pare::tensor<std::int32_t, 2> y({x.extent(0), b.extent(1)});
      REQUIRE(pare::linear(x.view(), layer, y.view()) == pare::status::ok);
      CHECK(pare_test::equal(y, a.get<std::int32_t, 2>("integer_y")));
    }
    const auto w = a.get<std::int8_t, 2>("w"), x = a.get<std::int8_t, 2>("x");
    const auto scales = a.get<float, 1>("w_scales");
    const pare::affine_view<std::int8_t, pare::dextents<index_t, 2>> view{
        w.view(), scales.view(), {}, 0};
    pare::linear_options o;
    o.rule = pare::requantization::onnx;
    o.input = {a.scalar<float>("x_scale"), a.scalar<std::int32_t>("x_zero")};
    o.output = {a.scalar<float>("y_scale"), a.scalar<std::int32_t>("y_zero")};
    const auto layer = pare::pack_linear(view, pare::vector_view<const float>(), o).value();
    pare::tensor<std::int8_t, 2> y({x.extent(0), w.extent(0)});
    REQUIRE(pare::linear(x.view(), layer, y.view()) == pare::status::ok);
    CHECK(pare_test::equal(y, a.get<std::int8_t, 2>("y")));
  });
}

TEST_CASE("the requantization of the ONNX conformance data comes out to the bit") {
  const auto data = pare_test::load("kernels/onnx_linear.npz");
  const auto a = data.get<std::uint8_t, 2>("q_a"), b = data.get<std::uint8_t, 2>("q_b");
  const auto expected = data.get<std::uint8_t, 2>("q_y");
  const float factor = data.scalar<float>("q_a_scale") * data.scalar<float>("q_b_scale") /
                       data.scalar<float>("q_y_scale");
  const int a_zero = data.scalar<int>("q_a_zero"), b_zero = data.scalar<int>("q_b_zero");
  for (index_t r = 0; r < a.extent(0); ++r) {
    for (index_t c = 0; c < b.extent(1); ++c) {
      std::int32_t acc = 0;
      for (index_t i = 0; i < a.extent(1); ++i) acc += (a(r, i) - a_zero) * (b(i, c) - b_zero);
      CHECK(pare::requantize_onnx(acc, factor, data.scalar<int>("q_y_zero"), 0, 255) ==
            expected(r, c));
    }
  }
}

TEST_CASE("8-bit codes to float: the scaled accumulator plus the bias, the same bits everywhere") {
  for (const shape s : shapes) {
    const linear_case c(s.n, s.k, 7);
    const auto x = pare_test::random_codes<std::int8_t>({s.m, s.k}, 8);
    pare::tensor<float, 2> expected({s.m, s.n});
    for (index_t r = 0; r < s.m; ++r) {
      for (index_t o = 0; o < s.n; ++o) {
        volatile float scale = c.options.input.scale * c.scales(o);
        const volatile float product =
            static_cast<float>(c.accumulate(x.data() + r * s.k, o, 5)) * scale;
        expected(r, o) = product + c.bias(o);
      }
    }
    pare_test::for_each_isa([&](pare::isa) {
      pare::tensor<float, 2> y({s.m, s.n});
      REQUIRE(pare::linear(x.view(), c.pack(), y.view()) == pare::status::ok);
      CHECK(pare_test::equal_bits(y, expected));
    });
  }
}

TEST_CASE(
    "float activations: the same bits on every instruction set, with and without scratch, for any "
    "threads") {
  for (const shape s : shapes) {
    CAPTURE(s.m);
    CAPTURE(s.n);
    CAPTURE(s.k);
    linear_case c(s.n, s.k, 9);
    c.options.act = s.m % 2 == 0 ? pare::activation::relu : pare::activation::none;
    const auto x = pare_test::random_normal<float>({s.m, s.k}, 10);
    pare::tensor<float, 2> first;
    pare_test::for_each_isa([&](pare::isa i) {
      const auto layer = c.pack();
      pare::tensor<float, 2> y({s.m, s.n});
      REQUIRE(pare::linear(x.view(), layer, y.view()) == pare::status::ok);
      if (i == pare::isa::scalar) first = y;
      CHECK(pare_test::equal_bits(y, first));

      pare::tensor<std::byte, 1> memory({pare::linear_workspace_size(s.k, s.m).value()});
      const pare::workspace scratch(memory.data(), memory.size());
      pare_test::strided<float, 2> apart({s.m, s.n}, {s.n + 3, 1});
      REQUIRE(pare::linear(x.view(), layer, apart.view(), scratch, pare::std_threads{3}) ==
              pare::status::ok);
      CHECK(pare_test::equal_bits(apart.view(), first.view()));
      CHECK(apart.gaps_untouched());
    });
  }
}

TEST_CASE("float activations come close to the float product") {
  const linear_case c(24, 200, 11);
  const auto x = pare_test::random_normal<float>({9, 200}, 12);
  pare::tensor<float, 2> y({9, 24});
  REQUIRE(pare::linear(x.view(), c.pack(), y.view()) == pare::status::ok);
  double error = 0, power = 0;
  for (index_t r = 0; r < 9; ++r) {
    for (index_t o = 0; o < 24; ++o) {
      double exact = 0;
      for (index_t i = 0; i < 200; ++i)
        exact += static_cast<double>(x(r, i)) * c.codes(o, i) * c.scales(o);
      error += std::pow(y(r, o) - c.bias(o) - exact, 2);
      power += exact * exact;
    }
  }
  CHECK(error < 1e-4 * power);  // 8 bits over six sigmas: about 42 dB
}

TEST_CASE("any number of threads gives the same bits") {
  const linear_case c(150, 333, 13);
  const auto x = pare_test::random_codes<std::int8_t>({700, 333}, 14);
  const auto layer = c.pack();
  pare::tensor<std::int8_t, 2> one({700, 150});
  REQUIRE(pare::linear(x.view(), layer, one.view()) == pare::status::ok);
  for (const int threads : {2, 5}) {
    pare::tensor<std::int8_t, 2> many({700, 150});
    REQUIRE(pare::linear(x.view(), layer, many.view(), {}, pare::std_threads{threads}) ==
            pare::status::ok);
    CHECK(pare_test::equal(many, one));
  }
  // A pool that runs the parts backwards.
  pare::tensor<std::int8_t, 2> backwards({700, 150});
  const auto reversed = [](index_t n, auto&& body) {
    for (index_t i = n; i-- > 0;) body(i);
  };
  REQUIRE(pare::linear(x.view(), layer, backwards.view(), {}, reversed) == pare::status::ok);
  CHECK(pare_test::equal(backwards, one));
}

TEST_CASE("rows may run backwards") {
  const linear_case c(20, 33, 15);
  const auto x = pare_test::random_codes<std::int8_t>({4, 33}, 16);
  const auto layer = c.pack();
  pare::tensor<std::int32_t, 2> y({4, 20});
  REQUIRE(pare::linear(pare::view_rows(x.data() + 3 * 33, 4, 33, -33), layer, y.view()) ==
          pare::status::ok);
  const auto forwards = c.expected_s32(x);
  for (index_t r = 0; r < 4; ++r) {
    CHECK(pare_test::equal(subview(y.view(), r, pare::all),
                           subview(forwards.view(), 3 - r, pare::all)));
  }
}

TEST_CASE("a layer packed for one instruction set runs on every other") {
  const linear_case c(70, 45, 17);
  const auto x = pare_test::random_codes<std::int8_t>({5, 45}, 18);
  pare_test::for_each_isa([&](pare::isa) {
    const auto layer = c.pack();
    pare_test::for_each_isa([&](pare::isa) {
      pare::tensor<std::int8_t, 2> y({5, 70});
      REQUIRE(pare::linear(x.view(), layer, y.view()) == pare::status::ok);
      CHECK(pare_test::equal(y, c.expected_codes<std::int8_t>(x)));
    });
  });
}

TEST_CASE("nothing is read beyond the last row") {
  // The row ends where its memory ends: the address sanitizer sees a read beyond it.
  pare_test::for_each_isa([](pare::isa) {
    for (index_t k = 1; k < 40; ++k) {
      const linear_case c(3, k, 19);
      std::vector<std::int8_t> x(static_cast<std::size_t>(7 * k), 1);
      pare::tensor<std::int32_t, 2> y({7, 3});
      REQUIRE(pare::linear(pare::view(static_cast<const std::int8_t*>(x.data()), 7, k), c.pack(),
                           y.view()) == pare::status::ok);
    }
  });
}

TEST_CASE("nothing is read beyond the last row by any instruction") {
  pare_test::for_each_isa([](pare::isa) {
    for (const index_t m : {1, 2, 5, 6, 7}) {
      for (index_t k = 1; k < 40; ++k) {
        const linear_case c(17, k, 19);
        const pare_test::guarded_bytes memory(static_cast<std::size_t>(m * k));
        REQUIRE(memory.data() != nullptr);
        auto* x = reinterpret_cast<std::int8_t*>(memory.data());
        for (index_t i = 0; i < m * k; ++i) x[i] = static_cast<std::int8_t>(i);
        const auto rows = pare::view(static_cast<const std::int8_t*>(x), m, k);
        pare::tensor<std::int32_t, 2> y({m, 17});
        REQUIRE(pare::linear(rows, c.pack(), y.view()) == pare::status::ok);
        CHECK(pare_test::equal(
            y, c.expected_s32(pare::tensor<std::int8_t, 2>::copy_of(rows).value())));
      }
    }
  });
}

TEST_CASE("a zero keeps its sign through the activation, on every instruction set") {
  linear_case c(20, 8, 25);
  c.options.act = pare::activation::relu;
  c.options.input = {1e-30f, 0};
  c.options.output = {0.0f, 0};
  for (auto& scale : c.scales) scale = 1e-30f;  // accumulators times 0
  for (auto& bias : c.bias) bias = -0.0f;
  for (auto& code : c.codes) code = -1;
  pare::tensor<std::int8_t, 2> x({1, 8});
  for (auto& code : x) code = 1;
  pare_test::for_each_isa([&](pare::isa) {
    pare::tensor<float, 2> y({1, 20});
    REQUIRE(pare::linear(x.view(), c.pack(), y.view()) == pare::status::ok);
    for (const float v : y) {
      CHECK(v == 0.0f);
      CHECK(std::signbit(v));
    }
  });
}

TEST_CASE("bad input leaves y untouched and says what is wrong") {
  linear_case c(10, 12, 20);
  const auto layer = c.pack();
  pare::tensor<float, 2> x({3, 12}), y({3, 10});
  pare::tensor<std::int8_t, 2> x8({3, 12}), y8({3, 10});
  for (auto& v : y) v = 42.0f;
  for (auto& v : y8) v = 42;
  SUBCASE("x has other columns") {
    const auto s = pare::linear(subview(x.view(), pare::all, pare::range{0, 11}), layer, y.view());
    CHECK(s == pare::status::shape_mismatch);
    CHECK(std::string(s.error().subject) == "x");
  }
  SUBCASE("y has other columns") {
    CHECK(pare::linear(x.view(), layer, subview(y.view(), pare::all, pare::range{0, 9})) ==
          pare::status::shape_mismatch);
  }
  SUBCASE("y has other rows") {
    CHECK(pare::linear(x.view(), layer, subview(y.view(), pare::range{0, 2}, pare::all)) ==
          pare::status::shape_mismatch);
  }
  SUBCASE("columns lie apart") {
    pare::tensor<float, 2> wide({3, 24});
    CHECK(pare::linear(subview(wide.view(), pare::all, pare::strided_range{0, 24, 2}), layer,
                       y.view()) == pare::status::unsupported);
  }
  SUBCASE("NaN and infinity in x name their row") {
    for (const float bad :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
          -std::numeric_limits<float>::infinity()}) {
      pare_test::for_each_isa([&](pare::isa) {
        for (const index_t column : {0, 7, 8, 11}) {
          x(1, column) = bad;
          const auto s = pare::linear(x.view(), layer, y.view());
          CHECK(s == pare::status::non_finite);
          CHECK(s.error().position == 1);
          x(1, column) = 0.0f;
        }
      });
    }
  }
  SUBCASE("NaN in a late row, when rows pass in several rounds") {
    const index_t k = 5000;
    const linear_case large(4, k, 21);
    pare::tensor<float, 2> many({9, k}), out({9, 4});
    for (auto& v : out) v = 42.0f;
    many(8, k - 1) = std::numeric_limits<float>::quiet_NaN();
    const auto s = pare::linear(many.view(), large.pack(), out.view());
    CHECK(s == pare::status::non_finite);
    CHECK(s.error().position == 8);
    for (const float v : out) CHECK(v == 42.0f);
  }
  SUBCASE("scratch too small says how much is needed") {
    alignas(64) std::byte small[128];
    const auto s = pare::linear(x.view(), layer, y.view(), pare::workspace(small));
    CHECK(s == pare::status::workspace_too_small);
    CHECK(s.error().position == pare::linear_workspace_size(12, 3).value());
  }
  SUBCASE("a row that does not fit on the stack wants a workspace") {
    const index_t k = PARE_LINEAR_STACK_BYTES + 1;
    const linear_case large(1, k, 22);
    pare::tensor<float, 2> row({1, k}), out({1, 1});
    out(0, 0) = 42.0f;
    CHECK(pare::linear(row.view(), large.pack(), out.view()) == pare::status::workspace_too_small);
    CHECK(out(0, 0) == 42.0f);
  }
  SUBCASE("codes without the scale of the inputs or outputs") {
    c.options.output = {0.0f, 0};
    CHECK(pare::linear(x8.view(), c.pack(), y8.view()) == pare::status::invalid_argument);
    c.options.input = {0.0f, 0};
    CHECK(pare::linear(x8.view(), c.pack(), y8.view()) == pare::status::invalid_argument);
    CHECK(pare::linear(x8.view(), c.pack(), y.view()) == pare::status::invalid_argument);
  }
  SUBCASE("zero points that are no codes of x or y") {
    c.options.input.zero_point = 200;
    CHECK(pare::linear(x8.view(), c.pack(), y8.view()) == pare::status::out_of_range);
    c.options.input.zero_point = 0;
    c.options.output.zero_point = 200;
    CHECK(pare::linear(x8.view(), c.pack(), y8.view()) == pare::status::out_of_range);
  }
  for (const float v : y) CHECK(v == 42.0f);
  for (const std::int8_t v : y8) CHECK(v == 42);
}

TEST_CASE("the workspace size is exact") {
  const linear_case c(10, 100, 23);
  const auto x = pare_test::random_normal<float>({13, 100}, 24);
  pare::tensor<float, 2> y({13, 10});
  const index_t bytes = pare::linear_workspace_size(100, 13).value();
  pare::tensor<std::byte, 1> memory({bytes});
  const auto layer = c.pack();
  CHECK(pare::linear(x.view(), layer, y.view(), pare::workspace(memory.data(), bytes)) ==
        pare::status::ok);
  CHECK(pare::linear(x.view(), layer, y.view(), pare::workspace(memory.data(), bytes - 64)) ==
        pare::status::workspace_too_small);
  CHECK(pare::linear_workspace_size(PTRDIFF_MAX / 2, 3) == pare::status::overflow);
  CHECK(pare::linear_workspace_size(1, PTRDIFF_MAX) == pare::status::overflow);
}
