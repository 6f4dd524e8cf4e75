// Linear with grouped weights and offsets: the product of the codes, and the sums of the inputs of each
// group times its offsets, to the bit on every instruction set.
#include <pare/core/std_threads.hpp>
#include <pare/layers/offset_grouped_linear.hpp>

#include <limits>
#include <vector>

#include "support/grouped_case.hpp"
#include "support/isas.hpp"

using pare::index_t;
using pare::status;
using pare_test::grouped_case;

namespace {

struct offset_case {
  grouped_case base;
  pare::tensor<float, 2> offsets;

  offset_case(index_t n, index_t k, index_t group, int bits, std::uint32_t seed)
      : base(n, k, group, bits, seed % 2 != 0, seed),
        offsets(pare_test::random_uniform<float>({n, base.groups}, seed + 9, -0.2, 0.3)) {}

  pare::offset_grouped_view<pare::half, pare::dextents<index_t, 2>> view() const {
    return {base.view(), offsets.view()};
  }
  pare::offset_grouped_linear_layer pack() const {
    return pare::pack_offset_grouped_linear(view(), base.bits, base.bias.view(), base.options)
        .value();
  }

  /// Each operation rounded to float: volatile keeps the compiler from fusing them.
  pare::tensor<float, 2> expected(const pare::tensor<float, 2>& x) const {
    grouped_case plain = base;
    plain.options.act = pare::activation::none;
    pare::tensor<float, 2> y = plain.expected(x);
    for (index_t r = 0; r < x.extent(0); ++r) {
      for (index_t c = 0; c < base.n; ++c) {
        volatile float sum = 0.0f;
        for (index_t g = 0; g < base.groups; ++g) {
          volatile float of_fours[4] = {};
          for (index_t i = g * base.group; i < std::min(base.k, (g + 1) * base.group); ++i) {
            volatile float& to = of_fours[(i - g * base.group) % 4];
            to = to + x(r, i);
          }
          volatile float low = of_fours[0] + of_fours[1], high = of_fours[2] + of_fours[3];
          volatile float inputs = low + high;
          volatile float product = inputs * offsets(c, g);
          sum = sum + product;
          if (g % 128 == 127) {
            y(r, c) += sum;
            sum = 0.0f;
          }
        }
        if (base.groups % 128 != 0) y(r, c) += sum;
        y(r, c) = base.activate(y(r, c));
      }
    }
    return y;
  }
};

constexpr pare::grouped_arithmetic both[] = {pare::grouped_arithmetic::integer,
                                             pare::grouped_arithmetic::floating};

}  // namespace

TEST_CASE("every instruction set gives the bits of plain loops, with offsets") {
  struct shape {
    index_t m, n, k;
  };
  std::uint32_t seed = 1;
  for (const shape s : {shape{0, 5, 7},
                        {3, 0, 7},
                        {3, 5, 0},
                        {1, 1, 1},
                        {2, 64, 65},
                        {4, 33, 127},
                        {1, 200, 301},
                        {5, 45, 96},
                        {2, 9, 4200}}) {
    for (const int bits : {4, 8}) {
      for (const auto arithmetic : both) {
        CAPTURE(s.m);
        CAPTURE(s.n);
        CAPTURE(s.k);
        CAPTURE(bits);
        CAPTURE(static_cast<int>(arithmetic));
        ++seed;
        offset_case c(s.n, s.k, seed % 3 == 0 ? 64 : 32, bits, seed);
        c.base.options.act = static_cast<pare::activation>(seed % 3);
        c.base.options.arithmetic = arithmetic;
        const auto x = pare_test::random_normal<float>({s.m, s.k}, seed);
        const auto expected = c.expected(x);
        pare_test::for_each_isa([&](pare::isa) {
          const auto layer = c.pack();
          pare::tensor<float, 2> y({s.m, s.n}), parallel({s.m, s.n});
          REQUIRE(pare::linear(x.view(), layer.view(), y.view()) == status::ok);
          CHECK(pare_test::equal_bits(y, expected));
          REQUIRE(pare::linear(x.view(), layer.view(), parallel.view(), {}, pare::std_threads()) ==
                  status::ok);
          CHECK(pare_test::equal_bits(parallel, expected));
        });
      }
    }
  }
}

TEST_CASE(
    "a layer runs with scratch, on strided rows, and on another instruction set than packed") {
  const offset_case c(40, 100, 32, 4, 3);
  const auto x = pare_test::random_normal<float>({7, 100}, 4);
  const auto layer = c.pack();
  const auto expected = c.expected(x);
  const auto bytes = pare::offset_grouped_linear_workspace_size(layer.view(), 7).value();
  pare::tensor<std::byte, 1> scratch({bytes});
  const auto apart = pare_test::strided_copy(x);
  pare_test::for_each_isa([&](pare::isa) {
    pare_test::strided<float, 2> y({7, 40}, {50, 1});
    REQUIRE(pare::linear(apart.view(), layer.view(), y.view(),
                         pare::workspace(scratch.data(), bytes)) == status::ok);
    CHECK(pare_test::equal_bits(y.view(), expected));
  });
}

TEST_CASE("what cannot be packed or run with offsets is refused, and outputs stay") {
  offset_case c(5, 70, 32, 4, 2);
  CHECK(pare::pack_offset_grouped_linear(c.view(), 5) == status::unsupported);
  pare::tensor<float, 2> few({5, 2});
  auto view = c.view();
  view.offsets = few.view();
  CHECK(pare::pack_offset_grouped_linear(view, 4) == status::shape_mismatch);
  const auto needed = pare::packed_offset_grouped_linear_size(c.view(), 4).value();
  pare::tensor<std::byte, 1> memory({needed});
  const auto small = pare::pack_offset_grouped_linear(c.view(), 4, c.base.bias.view(), {},
                                                      pare::workspace(memory.data(), needed - 1));
  CHECK(small == status::workspace_too_small);
  CHECK(small.error().position == needed);
  const auto layer = c.pack();
  CHECK(layer.packed_bytes() == needed);
  auto x = pare_test::random_normal<float>({2, 70}, 3);
  x(1, 3) = std::numeric_limits<float>::infinity();
  pare::tensor<float, 2> y({2, 5});
  CHECK(pare::linear(x.view(), layer.view(), y.view()) == status::non_finite);
  for (const float value : y) CHECK(value == 0.0f);
  c.offsets(4, 2) = std::numeric_limits<float>::quiet_NaN();
  const auto bad = pare::pack_offset_grouped_linear(c.view(), 4);
  CHECK(bad == status::non_finite);
  CHECK(bad.error().position == 14);
}
