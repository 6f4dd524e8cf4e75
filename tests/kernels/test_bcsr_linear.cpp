// Linear with block-sparse f32 weights on every instruction set, against sums in double: as rows and
// in panels.
#include <pare/core/std_threads.hpp>
#include <pare/core/tensor.hpp>
#include <pare/kernels/bcsr_linear.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include "support/check.hpp"
#include "support/isas.hpp"
#include "support/random.hpp"

using pare::index_t;

namespace {

struct shape {
  index_t m, n, k;
};
constexpr shape shapes[] = {{0, 5, 8},    {3, 0, 8},    {3, 5, 0},     {1, 1, 1},    {2, 3, 7},
                            {5, 16, 64},  {8, 33, 30},  {13, 20, 17},  {16, 64, 64}, {17, 65, 12},
                            {40, 70, 33}, {63, 31, 40}, {64, 128, 50}, {70, 19, 66}, {130, 50, 9}};
constexpr pare::bcsr_shape all_blocks[] = {{1, 1, 0}, {1, 1, 16}, {4, 1, 0},
                                           {4, 1, 8}, {16, 1, 0}, {16, 1, 16}};

struct sparse_matrix {
  pare::tensor<float, 2> dense;
  pare::tensor<std::byte, 1> memory;
  pare::bcsr_view<float> view;

  sparse_matrix(index_t n, index_t k, std::uint32_t seed, pare::bcsr_shape blocks)
      : dense(pare_test::random_uniform<float>({n, k}, seed, -1.0, 1.0)) {
    const auto dice = pare_test::random_codes<std::uint8_t>({n, k}, seed + 9);
    for (index_t o = 0; o < n; ++o) {
      for (index_t i = 0; i < k; ++i) {
        if (dice(o, i) < 170) dense(o, i) = 0;
      }
    }
    memory = pare::tensor<std::byte, 1>({pare::bcsr_size(dense.view(), blocks).value()});
    view = pare::make_bcsr(std::as_const(dense).view(), blocks,
                           pare::workspace(memory.data(), memory.size()))
               .value();
  }
};

bool is_near(const pare::tensor<float, 2>& x, const sparse_matrix& w,
             const pare::tensor<float, 1>& bias, pare::activation act, index_t row, index_t column,
             float y) {
  double sum = bias.empty() ? 0.0 : static_cast<double>(bias(column)), size = std::fabs(sum);
  for (index_t i = 0; i < x.extent(1); ++i) {
    const double product = static_cast<double>(x(row, i)) * static_cast<double>(w.dense(column, i));
    sum += product, size += std::fabs(product);
  }
  if (act != pare::activation::none) sum = std::max(sum, 0.0);
  if (act == pare::activation::relu6) sum = std::min(sum, 6.0);
  return std::fabs(sum - static_cast<double>(y)) <= 1e-6 * size;
}

}  // namespace

TEST_CASE("every instruction set is within rounding of sums in double, for all blocks") {
  pare_test::for_each_isa([](pare::isa) {
    std::uint32_t seed = 1;
    for (const shape s : shapes) {
      for (const pare::bcsr_shape blocks : all_blocks) {
        CAPTURE(s.m);
        CAPTURE(s.n);
        CAPTURE(s.k);
        CAPTURE(blocks.block_rows);
        CAPTURE(blocks.k_block);
        ++seed;
        const sparse_matrix w(s.n, s.k, seed, blocks);
        const auto x = pare_test::random_uniform<float>({s.m, s.k}, seed, -2.0, 2.0);
        const auto x_apart = pare_test::strided_copy(x, 5);
        pare::tensor<float, 1> bias;
        if (seed % 4 != 0) bias = pare_test::random_uniform<float>({s.n}, seed, -1.0, 1.0);
        const auto act = static_cast<pare::activation>(seed % 3);
        pare::tensor<std::byte, 1> scratch(
            {pare::sparse_linear_workspace_size(w.view, s.m).value()});
        pare_test::strided<float, 2> y({s.m, s.n}, {s.n + 3, 1});
        REQUIRE(pare::linear(x_apart.view(), w.view, std::as_const(bias).view(), y.view(),
                             pare::workspace(scratch.data(), scratch.size()),
                             act) == pare::status::ok);
        CHECK(y.gaps_untouched());
        index_t wrong = 0;
        for (index_t r = 0; r < s.m; ++r) {
          for (index_t c = 0; c < s.n; ++c)
            wrong += is_near(x, w, bias, act, r, c, y.view()(r, c)) ? 0 : 1;
        }
        CHECK(wrong == 0);
        if (blocks.block_rows == 16) continue;
        pare::tensor<std::byte, 1> out({pare::activation_panels_size<float>(s.m, s.n).value()});
        const auto panels =
            pare::pack_activations(x.view(), pare::workspace(scratch.data(), scratch.size()))
                .value();
        const pare::activation_panels_view<float> to{reinterpret_cast<float*>(out.data()), s.m,
                                                     s.n};
        REQUIRE(pare::linear(panels, w.view, std::as_const(bias).view(), to, act) ==
                pare::status::ok);
        for (index_t r = 0; r < s.m; ++r) {
          for (index_t c = 0; c < s.n; ++c) {
            const index_t at = pare::detail::place_in_panels(s.m, s.n, r, 4 * c) / 4;
            wrong += is_near(x, w, bias, act, r, c, to.data[at]) ? 0 : 1;
          }
        }
        CHECK(wrong == 0);
      }
    }
  });
}

TEST_CASE("an infinite activation reaches only the outputs that use it") {
  pare_test::for_each_isa([](pare::isa) {
    sparse_matrix w(3, 9, 5, {1, 1, 0});
    auto x = pare_test::random_uniform<float>({1, 9}, 6, -2.0, 2.0);
    x(0, 4) = std::numeric_limits<float>::infinity();
    pare::tensor<float, 2> y({1, 3});
    pare::tensor<std::byte, 1> scratch({pare::sparse_linear_workspace_size(w.view, 1).value()});
    REQUIRE(pare::linear(x.view(), w.view, {}, y.view(),
                         pare::workspace(scratch.data(), scratch.size())) == pare::status::ok);
    for (index_t o = 0; o < 3; ++o) CHECK(std::isfinite(y(0, o)) == (w.dense(o, 4) == 0));
  });
}

TEST_CASE("what is wrong is said, and outputs stay as they were") {
  const sparse_matrix w(6, 9, 5, {4, 1, 0}), wide(6, 9, 5, {4, 2, 0});
  const pare::tensor<float, 2> x({2, 9}), narrow({2, 8});
  pare::tensor<float, 2> y({2, 6});
  for (float& v : y) v = 5;
  std::byte scratch[4096];
  const pare::tensor<float, 1> bias({5});
  CHECK(pare::linear(x.view(), w.view, {}, y.view(), {}).code() ==
        pare::status_code::workspace_too_small);
  CHECK(pare::linear(narrow.view(), w.view, {}, y.view(), scratch).code() ==
        pare::status_code::shape_mismatch);
  CHECK(pare::linear(x.view(), wide.view, {}, y.view(), scratch).code() ==
        pare::status_code::unsupported);
  CHECK(pare::linear(x.view(), w.view, bias.view(), y.view(), scratch).code() ==
        pare::status_code::shape_mismatch);
  for (const float v : y) CHECK(v == 5);
}
