// Linear with block-sparse int8 weights on every instruction set, against plain loops: as rows and
// in panels, over all kinds of blocks, outputs and rules.
#include <pare/core/std_threads.hpp>
#include <pare/kernels/block_sparse_linear.hpp>
#include <pare/layers/sparse_linear.hpp>

#include <limits>
#include <vector>

#include "support/isas.hpp"
#include "support/linear_case.hpp"

using pare::index_t;
using pare_test::linear_case;

namespace {

constexpr pare::requantization all_rules[] = {
    pare::requantization::nearest, pare::requantization::onnx,
    pare::requantization::double_rounding, pare::requantization::single_rounding};

/// Tails of rows, columns and inputs around every tile: 1 to 8 rows, panels of 16 to 64, blocks of 1
/// to 16 outputs; and what is empty.
struct shape {
  index_t m, n, k;
};
constexpr shape shapes[] = {{0, 5, 8},    {3, 0, 8},    {3, 5, 0},      {1, 1, 1},    {2, 3, 7},
                            {5, 16, 64},  {8, 33, 30},  {13, 20, 17},   {16, 64, 64}, {17, 65, 12},
                            {40, 70, 33}, {63, 31, 40}, {64, 128, 100}, {70, 19, 66}, {130, 50, 9}};

constexpr pare::bcsr_shape all_blocks[] = {{1, 4, 0},  {1, 4, 16}, {4, 4, 0},
                                           {4, 4, 32}, {16, 4, 0}, {16, 4, 16}};

/// A layer whose weights are pruned in blocks of 1 x 4 and, in some places, one by one.
struct sparse_case : linear_case {
  pare::bcsr_shape blocks;

  sparse_case(index_t outputs, index_t inputs, std::uint32_t seed, pare::bcsr_shape shape,
              std::int8_t least = -128)
      : linear_case(outputs, inputs, seed, least), blocks(shape) {
    const auto dice = pare_test::random_codes<std::uint8_t>({outputs, inputs / 4 + 1}, seed + 9);
    for (index_t o = 0; o < n; ++o) {
      for (index_t i = 0; i < k; ++i) {
        if (dice(o, i / 4) < 160 || (dice(o, i / 4) < 180 && i % 2 == 0)) codes(o, i) = 0;
      }
    }
  }
  pare::sparse_linear_layer pack_sparse() const {
    return pare::pack_sparse_linear(view(), blocks, bias.view(), options).value();
  }
};

/// Scratch of exactly the bytes asked for.
template <class X = std::uint8_t>
struct scratch_of {
  pare::tensor<std::byte, 1> bytes;
  scratch_of(const pare::packed_sparse_linear_view& layer, index_t rows)
      : bytes({pare::sparse_linear_workspace_size<X>(layer, rows).value()}) {}
  operator pare::workspace() { return {bytes.data(), bytes.size()}; }
};

template <class X>
void check_codes(const sparse_case& c, const pare::tensor<X, 2>& x) {
  const index_t m = x.extent(0);
  const auto layer = c.pack_sparse();
  scratch_of<> scratch(layer, m);
  pare_test::check_code_outputs(c, x, [&](const auto& from, const auto& to) {
    return pare::linear(from, layer.view(), to, scratch);
  });
  // f32 outputs are those of the dense layer.
  pare::tensor<float, 2> dense({m, c.n}), sparse({m, c.n});
  REQUIRE(pare::linear(x.view(), c.pack().view(), dense.view()) == pare::status::ok);
  REQUIRE(pare::linear(x.view(), layer.view(), sparse.view(), scratch) == pare::status::ok);
  CHECK(pare_test::equal(sparse.view(), dense));
}

/// Floats in and out: as the dense layer.
void check_floats(const sparse_case& c, index_t m, std::uint32_t seed) {
  const auto x =
      pare_test::strided_copy(pare_test::random_uniform<float>({m, c.k}, seed, -2.0, 3.0), 3);
  pare::tensor<float, 2> dense({m, c.n});
  pare_test::strided<float, 2> sparse({m, c.n}, {c.n + 3, 1});
  const auto layer = c.pack_sparse();
  scratch_of<float> scratch(layer, m);
  REQUIRE(pare::linear(x.view(), c.pack().view(), dense.view()) == pare::status::ok);
  REQUIRE(pare::linear(x.view(), layer.view(), sparse.view(), scratch) == pare::status::ok);
  CHECK(pare_test::equal(sparse.view(), dense));
  CHECK(sparse.gaps_untouched());
}

/// Two layers, with panels in between.
template <class Code>
void check_panels(const sparse_case& first, const sparse_case& second,
                  const pare::tensor<Code, 2>& x) {
  const index_t m = x.extent(0);
  const auto one = first.pack_sparse(), two = second.pack_sparse();
  pare::tensor<std::byte, 1> in({pare::activation_panels_size<Code>(m, first.k).value()});
  pare::tensor<std::byte, 1> between({pare::activation_panels_size<Code>(m, first.n).value()});
  const auto panels =
      pare::pack_activations(x.view(), pare::workspace(in.data(), in.size())).value();
  pare::activation_panels_view<Code> hidden{reinterpret_cast<Code*>(between.data()), m, first.n};
  pare::tensor<Code, 2> y({m, second.n});
  REQUIRE(pare::linear(panels, one.view(), hidden) == pare::status::ok);
  REQUIRE(pare::linear(hidden, two.view(), y.view()) == pare::status::ok);
  CHECK(pare_test::equal(
      y.view(), second.template expected_codes<Code>(first.template expected_codes<Code>(x))));
}

}  // namespace

TEST_CASE("every instruction set gives the bits of plain loops, for all blocks") {
  pare_test::for_each_isa([](pare::isa) {
    std::uint32_t seed = 100;
    for (const shape s : shapes) {
      for (const pare::bcsr_shape blocks : all_blocks) {
        CAPTURE(s.m);
        CAPTURE(s.n);
        CAPTURE(s.k);
        CAPTURE(blocks.block_rows);
        CAPTURE(blocks.k_block);
        ++seed;
        sparse_case c(s.n, s.k, seed, blocks, seed % 2 == 0 ? -127 : -128);
        c.options.rule = all_rules[seed / 2 % 4];
        c.options.act = static_cast<pare::activation>(seed % 3);
        c.options.output.zero_point = static_cast<std::int32_t>(seed % 5) * 3 - 6;
        check_codes(c, pare_test::random_codes<std::int8_t>({s.m, s.k}, seed));
        c.options.input.zero_point = 131;
        check_codes(c, pare_test::random_codes<std::uint8_t>({s.m, s.k}, seed));
        check_floats(c, s.m, seed);
      }
    }
  });
}

TEST_CASE("layers pass panels on") {
  pare_test::for_each_isa([](pare::isa) {
    std::uint32_t seed = 7;
    for (const shape s : {shape{64, 40, 33}, shape{5, 7, 16}, shape{100, 66, 70}}) {
      for (const pare::bcsr_shape blocks : {pare::bcsr_shape{4, 4, 0}, pare::bcsr_shape{1, 4, 0}}) {
        for (const pare::requantization rule : all_rules) {
          ++seed;
          sparse_case first(s.n, s.k, seed, blocks), second(21, s.n, seed + 50, blocks);
          first.options.rule = second.options.rule = rule;
          check_panels(first, second, pare_test::random_codes<std::int8_t>({s.m, s.k}, seed));
          first.options.output.zero_point = second.options.output.zero_point = 9;
          check_panels(first, second, pare_test::random_codes<std::uint8_t>({s.m, s.k}, seed));
        }
      }
    }
  });
}

TEST_CASE("a mask decides what is stored, and pruned weights count as zero") {
  linear_case c(24, 40, 3);
  pare::tensor<std::uint8_t, 2> mask({24, 40});
  for (index_t o = 0; o < 24; ++o) {
    for (index_t i = 0; i < 40; ++i) mask(o, i) = (o / 4 + i / 4) % 3 == 0 && i % 5 != 0;
  }
  const auto layer = pare::pack_sparse_linear(c.view(), {4, 4, 0}, c.bias.view(), c.options,
                                              std::as_const(mask).view())
                         .value();
  CHECK(layer.view().weights.blocks() == 20);
  for (index_t o = 0; o < 24; ++o) {
    for (index_t i = 0; i < 40; ++i) {
      if (mask(o, i) == 0) c.codes(o, i) = 0;
    }
  }
  const auto x = pare_test::random_codes<std::int8_t>({16, 40}, 5);
  pare::tensor<std::int32_t, 2> y({16, 24});
  scratch_of<> scratch(layer, 16);
  REQUIRE(pare::linear(x.view(), layer.view(), y.view(), scratch) == pare::status::ok);
  CHECK(pare_test::equal(y.view(), c.expected_s32(x)));
}

TEST_CASE("everything pruned gives the bias, nothing pruned the dense layer") {
  for (const pare::bcsr_shape blocks : all_blocks) {
    sparse_case c(20, 24, 4, blocks);
    for (auto& w : c.codes) w = 0;
    const auto x = pare_test::random_codes<std::int8_t>({9, 24}, 5);
    for (const bool is_full : {false, true}) {
      if (is_full) c.codes = pare_test::random_codes<std::int8_t>({20, 24}, 6);
      const auto layer = c.pack_sparse();
      pare::tensor<std::int8_t, 2> y({9, 20});
      scratch_of<> scratch(layer, 9);
      REQUIRE(pare::linear(x.view(), layer.view(), y.view(), scratch) == pare::status::ok);
      CHECK(pare_test::equal(y.view(), c.expected_codes<std::int8_t>(x)));
    }
  }
}

TEST_CASE("threads give the same bits") {
  for (const shape s : {shape{64, 600, 40}, shape{700, 40, 40}}) {
    const sparse_case c(s.n, s.k, 8, {4, 4, 0});
    const auto x = pare_test::random_codes<std::int8_t>({s.m, s.k}, 5);
    const auto layer = c.pack_sparse();
    pare::tensor<std::int8_t, 2> y({s.m, s.n});
    scratch_of<> scratch(layer, s.m);
    REQUIRE(pare::linear(x.view(), layer.view(), y.view(), scratch, pare::std_threads{3}) ==
            pare::status::ok);
    CHECK(pare_test::equal(y.view(), c.expected_codes<std::int8_t>(x)));
  }
}

TEST_CASE("what is wrong is said, and outputs stay as they were") {
  const sparse_case c(20, 24, 4, {4, 4, 0});
  const auto layer = c.pack_sparse();
  const auto x = pare_test::random_codes<std::int8_t>({9, 24}, 5);
  pare::tensor<std::int8_t, 2> y({9, 20}), narrow({9, 19});
  for (auto& v : y) v = 77;
  if (pare::sparse_linear_workspace_size(layer, 9).value() > 0) {
    CHECK(pare::linear(x.view(), layer.view(), y.view()).code() ==
          pare::status_code::workspace_too_small);
  }
  scratch_of<> scratch(layer, 9);
  CHECK(pare::linear(x.view(), layer.view(), narrow.view(), scratch).code() ==
        pare::status_code::shape_mismatch);
  const auto u8 = pare_test::random_codes<std::uint8_t>({9, 24}, 5);
  sparse_case negative = c;
  negative.options.input.zero_point = -3;
  CHECK(pare::linear(u8.view(), negative.pack_sparse().view(), y.view(), scratch).code() ==
        pare::status_code::out_of_range);
  sparse_case without = c;
  without.options.input.scale = without.options.output.scale = 0;
  CHECK(pare::linear(x.view(), without.pack_sparse().view(), y.view(), scratch).code() ==
        pare::status_code::invalid_argument);
  for (const auto v : y) CHECK(v == 77);

  pare::tensor<float, 2> reals({9, 24}), y_f32({9, 20});
  for (auto& v : reals) v = 1;
  for (auto& v : y_f32) v = 77;
  reals(6, 3) = std::numeric_limits<float>::infinity();
  scratch_of<float> enough(layer, 9), short_of(layer, 8);
  const auto done = pare::linear(reals.view(), layer.view(), y_f32.view(), enough);
  CHECK(done.code() == pare::status_code::non_finite);
  CHECK(done.error().position == 6);
  CHECK(pare::linear(reals.view(), layer.view(), y_f32.view(), short_of).code() ==
        pare::status_code::workspace_too_small);
  for (const auto v : y_f32) CHECK(v == 77);

  CHECK(pare::pack_sparse_linear(c.view(), {2, 4, 0}, c.bias.view(), c.options).error().code ==
        pare::status_code::unsupported);
  CHECK(pare::pack_sparse_linear(c.view(), {4, 4, 6}, c.bias.view(), c.options).error().code ==
        pare::status_code::out_of_range);
  const pare::tensor<std::uint8_t, 2> mask({20, 23});
  CHECK(pare::pack_sparse_linear(c.view(), {4, 4, 0}, c.bias.view(), c.options, mask.view())
            .error()
            .code == pare::status_code::shape_mismatch);
  std::byte small[64];
  CHECK(pare::pack_sparse_linear(c.view(), {4, 4, 0}, c.bias.view(), c.options,
                                 pare::workspace(small))
            .error()
            .code == pare::status_code::workspace_too_small);
}
