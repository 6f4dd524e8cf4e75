// Linear with grouped weights on every instruction set, against plain loops, ONNX MatMulNBits and
// the block formats of ggml (vectors: tools/make_low_bit_vectors.py).
#include <pare/core/std_threads.hpp>
#include <pare/core/subview.hpp>
#include <pare/kernels/grouped_linear.hpp>

#include <limits>
#include <vector>

#include "support/grouped_case.hpp"
#include "support/isas.hpp"
#include "support/vectors.hpp"

using pare::index_t;
using pare_test::grouped_case;

namespace {

/// Tails of rows, columns and inputs around every tile: 1 to 6 rows, 16 to 64 columns, 8 inputs,
/// groups; and what is empty.
struct shape {
  index_t m, n, k;
};
constexpr shape shapes[] = {{0, 5, 7},    {3, 0, 7},    {3, 5, 0},     {1, 1, 1},
                            {2, 3, 32},   {3, 64, 65},  {4, 33, 127},  {5, 70, 40},
                            {6, 16, 128}, {7, 130, 96}, {1, 200, 301}, {13, 31, 260},
                            {2, 64, 64},  {50, 9, 33},  {97, 4, 40},   {6, 17, 1100}};

constexpr pare::grouped_arithmetic both[] = {pare::grouped_arithmetic::integer,
                                             pare::grouped_arithmetic::floating};

/// f(case, x) for all shapes, bits, groups and ways to multiply.
template <class F>
void for_each_case(F f) {
  std::uint32_t seed = 1;
  for (const shape s : shapes) {
    for (const int bits : {4, 8}) {
      for (const index_t group : {32, 64, 128}) {
        for (const auto arithmetic : both) {
          CAPTURE(s.m);
          CAPTURE(s.n);
          CAPTURE(s.k);
          CAPTURE(bits);
          CAPTURE(group);
          CAPTURE(static_cast<int>(arithmetic));
          ++seed;
          grouped_case c(s.n, s.k, group, bits, seed % 3 != 0, seed);
          c.options.act = static_cast<pare::activation>(seed % 3);
          c.options.arithmetic = arithmetic;
          f(c, pare_test::random_normal<float>({s.m, s.k}, seed));
        }
      }
    }
  }
}

}  // namespace

TEST_CASE("every instruction set gives the bits of plain loops, grouped") {
  for_each_case([](const grouped_case& c, const pare::tensor<float, 2>& x) {
    const index_t m = x.extent(0);
    const auto expected = c.expected(x);
    const auto x_apart = pare_test::strided_copy(x, 5);
    pare_test::for_each_isa([&](pare::isa i) {
      const auto layer = c.pack();
      CHECK(pare::linear_kernel(layer.view()) == i);
      pare_test::strided<float, 2> y({m, c.n}, {c.n + 3, 1});
      REQUIRE(pare::linear(x_apart.view(), layer.view(), y.view()) == pare::status::ok);
      CHECK(pare_test::equal_bits(y.view(), expected.view()));
      CHECK(y.gaps_untouched());

      const index_t bytes = pare::grouped_linear_workspace_size(layer.view(), m).value();
      pare::tensor<std::byte, 1> memory({bytes});
      pare::tensor<float, 2> again({m, c.n});
      REQUIRE(pare::linear(x.view(), layer.view(), again.view(),
                           pare::workspace(memory.data(), bytes),
                           pare::std_threads{3}) == pare::status::ok);
      CHECK(pare_test::equal_bits(again, expected));
    });
  });
}

TEST_CASE("extreme grouped weights stay exact") {
  for (const int bits : {4, 8}) {
    for (const index_t group : {32, 128}) {
      for (const bool upper : {false, true}) {
        for (const bool has_zero_points : {false, true}) {
          CAPTURE(bits);
          CAPTURE(group);
          CAPTURE(upper);
          CAPTURE(has_zero_points);
          grouped_case c(33, 256, group, bits, has_zero_points, 1);
          const int least = bits == 4 ? -8 : -128, most = -1 - least;
          for (auto& code : c.codes) code = static_cast<std::int8_t>(upper ? most : least);
          for (auto& z : c.zero_points) z = static_cast<std::int8_t>(upper ? least : most);
          pare::tensor<float, 2> x({7, 256});
          for (auto& v : x) v = 1.0f;  // codes of 255
          const auto expected = c.expected(x);
          pare_test::for_each_isa([&](pare::isa) {
            pare::tensor<float, 2> y({7, 33});
            REQUIRE(pare::linear(x.view(), c.pack().view(), y.view()) == pare::status::ok);
            CHECK(pare_test::equal_bits(y, expected));
          });
        }
      }
    }
  }
}

TEST_CASE("grouped results come as close to the exact product as the documentation says") {
  const index_t m = 5, n = 40, k = 1000;
  for (const int bits : {4, 8}) {
    for (const index_t group : {32, 64, 128}) {
      grouped_case c(n, k, group, bits, true, 7);
      for (auto& s : c.scales) s = pare::half(std::abs(static_cast<float>(s)) < 1 ? 0.01f : 0.02f);
      const auto x = pare_test::random_normal<float>({m, k}, 8);
      for (const auto arithmetic : both) {
        c.options.arithmetic = arithmetic;
        pare::tensor<float, 2> y({m, n});
        REQUIRE(pare::linear(x.view(), c.pack().view(), y.view()) == pare::status::ok);
        for (index_t r = 0; r < m; ++r) {
          const auto q = pare::kernels::scalar::row_range(x.data() + r * k, k);
          for (index_t o = 0; o < n; ++o) {
            double exact = c.bias(o), magnitude = std::abs(c.bias(o)), weights = 0;
            for (index_t i = 0; i < k; ++i) {
              const double w = c.real_weight(o, i);
              exact += x(r, i) * w;
              magnitude += std::abs(x(r, i) * w);
              weights += std::abs(w);
            }
            const double of_floats = static_cast<double>(group + c.groups + 3) * 0x1p-24;
            const double bound = arithmetic == pare::grouped_arithmetic::floating
                                     ? of_floats * magnitude
                                     : (0.51 * static_cast<double>(q.scale) + 1e-5) * weights;
            CHECK(std::abs(y(r, o) - exact) <= bound);
          }
        }
      }
    }
  }
}

TEST_CASE("matches ONNX MatMulNBits") {
  const auto a = pare_test::load("kernels/matmul_nbits.npz");
  for (int i = 0; i < a.scalar<int>("cases"); ++i) {
    const auto id = std::to_string(i);
    const auto codes = a.get<std::int8_t, 2>("codes" + id),
               zero_points = a.get<std::int8_t, 2>("zero_points" + id);
    const auto scales = a.get<float, 2>("scales" + id), x = a.get<float, 2>("x" + id),
               expected = a.get<float, 2>("y" + id);
    const pare::grouped_view<float, pare::dextents<index_t, 2>> w{
        codes.view(), scales.view(), zero_points.view(), a.scalar<index_t>("group" + id)};
    pare::grouped_linear_options o;
    o.arithmetic = pare::grouped_arithmetic::floating;
    pare_test::for_each_isa([&](pare::isa) {
      const auto layer = pare::pack_grouped_linear(w, a.scalar<int>("bits" + id), {}, o).value();
      pare::tensor<float, 2> y({x.extent(0), codes.extent(0)});
      REQUIRE(pare::linear(x.view(), layer.view(), y.view()) == pare::status::ok);
      CHECK(pare_test::near(y, expected, 1e-5, 1e-5));
    });
  }
}

TEST_CASE("takes the blocks of ggml Q4_0 and Q8_0") {
  // Inputs are integers and scales powers of two, so that both ways to multiply are exact.
  const auto a = pare_test::load("kernels/ggml_blocks.npz");
  const auto x = a.get<float, 2>("x");
  for (const char* type : {"q4_0", "q8_0"}) {
    const auto codes = a.get<std::int8_t, 2>(std::string(type) + "_codes");
    const auto scales = a.get<float, 2>(std::string(type) + "_scales");
    const auto expected = a.get<float, 2>(std::string(type) + "_y");
    const pare::grouped_view<float, pare::dextents<index_t, 2>> w{
        codes.view(), scales.view(), {}, 32};
    for (const auto arithmetic : both) {
      pare::grouped_linear_options o;
      o.arithmetic = arithmetic;
      pare_test::for_each_isa([&](pare::isa) {
        const auto layer = pare::pack_grouped_linear(w, type[1] == '4' ? 4 : 8, {}, o).value();
        pare::tensor<float, 2> y({x.extent(0), codes.extent(0)});
        REQUIRE(pare::linear(x.view(), layer.view(), y.view()) == pare::status::ok);
        CHECK(pare_test::equal(y, expected));
      });
    }
  }
}

TEST_CASE("a grouped layer packed for one instruction set runs on every other") {
  const auto x = pare_test::random_normal<float>({5, 100}, 3);
  for (const auto arithmetic : both) {
    grouped_case c(70, 100, 32, 4, true, 2);
    c.options.arithmetic = arithmetic;
    const auto expected = c.expected(x);
    pare_test::for_each_isa([&](pare::isa) {
      const auto layer = c.pack();
      pare_test::for_each_isa([&](pare::isa) {
        pare::tensor<float, 2> y({5, 70});
        REQUIRE(pare::linear(x.view(), layer.view(), y.view()) == pare::status::ok);
        CHECK(pare_test::equal_bits(y, expected));
      });
    });
  }
}

TEST_CASE("nothing is read beyond the last grouped row") {
  pare_test::for_each_isa([](pare::isa) {
    for (index_t k = 1; k < 40; ++k) {
      grouped_case c(3, k, 32, k % 2 == 0 ? 4 : 8, false, 3);
      c.options.arithmetic = pare::grouped_arithmetic::floating;
      std::vector<float> x(static_cast<std::size_t>(7 * k), 1.0f);
      pare::tensor<float, 2> y({7, 3});
      REQUIRE(pare::linear(pare::view(static_cast<const float*>(x.data()), 7, k), c.pack().view(),
                           y.view()) == pare::status::ok);
    }
  });
}

TEST_CASE("bad input leaves y untouched and says what is wrong, grouped") {
  for (const auto arithmetic : both) {
    grouped_case c(10, 40, 32, 4, true, 20);
    c.options.arithmetic = arithmetic;
    const auto layer = c.pack();
    pare::tensor<float, 2> x({3, 40}), y({3, 10});
    for (auto& v : y) v = 42.0f;
    CHECK(pare::linear(subview(x.view(), pare::all, pare::range{0, 39}), layer.view(), y.view()) ==
          pare::status::shape_mismatch);
    CHECK(pare::linear(x.view(), layer.view(), subview(y.view(), pare::range{0, 2}, pare::all)) ==
          pare::status::shape_mismatch);
    pare::tensor<float, 2> wide({3, 80});
    CHECK(pare::linear(subview(wide.view(), pare::all, pare::strided_range{0, 80, 2}), layer.view(),
                       y.view()) == pare::status::unsupported);
    for (const float bad :
         {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
      x(1, 7) = bad;
      const auto s = pare::linear(x.view(), layer.view(), y.view());
      CHECK(s == pare::status::non_finite);
      CHECK(s.error().position == 1);
      x(1, 7) = 0.0f;
    }
    if (arithmetic == pare::grouped_arithmetic::integer) {
      alignas(64) std::byte small[128];
      const auto s = pare::linear(x.view(), layer.view(), y.view(), pare::workspace(small));
      CHECK(s == pare::status::workspace_too_small);
      CHECK(s.error().position == pare::grouped_linear_workspace_size(layer.view(), 3).value());
    }
    for (const float v : y) CHECK(v == 42.0f);
  }
}

TEST_CASE("grouped rows pass in several rounds where there is no scratch") {
  const index_t k = 5000;
  const grouped_case c(4, k, 64, 4, true, 21);
  auto x = pare_test::random_normal<float>({9, k}, 22);
  pare::tensor<float, 2> y({9, 4});
  REQUIRE(pare::linear(x.view(), c.pack().view(), y.view()) == pare::status::ok);
  CHECK(pare_test::equal_bits(y, c.expected(x)));
  for (auto& v : y) v = 42.0f;
  x(8, k - 1) = std::numeric_limits<float>::quiet_NaN();
  const auto s = pare::linear(x.view(), c.pack().view(), y.view());
  CHECK(s == pare::status::non_finite);
  CHECK(s.error().position == 8);
  for (const float v : y) CHECK(v == 42.0f);
  const grouped_case large(1, PARE_LINEAR_STACK_BYTES + 1, 32, 8, false, 23);
  pare::tensor<float, 2> row({1, PARE_LINEAR_STACK_BYTES + 1}), out({1, 1});
  CHECK(pare::linear(row.view(), large.pack().view(), out.view()) ==
        pare::status::workspace_too_small);
}

TEST_CASE("the workspace size of a grouped layer is exact") {
  const grouped_case c(10, 100, 32, 4, true, 23);
  const auto x = pare_test::random_normal<float>({13, 100}, 24);
  pare::tensor<float, 2> y({13, 10});
  const auto layer = c.pack();
  const index_t bytes = pare::grouped_linear_workspace_size(layer.view(), 13).value();
  pare::tensor<std::byte, 1> memory({bytes});
  CHECK(pare::linear(x.view(), layer.view(), y.view(), pare::workspace(memory.data(), bytes)) ==
        pare::status::ok);
  CHECK(
      pare::linear(x.view(), layer.view(), y.view(), pare::workspace(memory.data(), bytes - 64)) ==
      pare::status::workspace_too_small);
  CHECK(pare::grouped_linear_workspace_size(layer.view(), PTRDIFF_MAX) == pare::status::overflow);
  CHECK(pare::grouped_linear_workspace_size(layer.view(), -1) == pare::status::overflow);
}
