// Linear with a bitmask and with N:M on every instruction set, against plain loops: all kinds of
// activations, outputs, rules and values.
#include <pare/core/std_threads.hpp>
#include <pare/layers/bitmask_linear.hpp>

#include <utility>

#include "support/isas.hpp"
#include "support/linear_case.hpp"

using pare::bitmask_kind;
using pare::index_t;
using pare_test::linear_case;

namespace {

constexpr pare::requantization all_rules[] = {
    pare::requantization::nearest, pare::requantization::onnx,
    pare::requantization::double_rounding, pare::requantization::single_rounding};

/// Tails of rows, columns and inputs around every tile, what is empty, and inputs of several slices.
struct shape {
  index_t m, n, k;
};
constexpr shape shapes[] = {{0, 5, 8},    {3, 0, 8},     {3, 5, 0},    {1, 1, 1},     {2, 3, 7},
                            {3, 16, 64},  {4, 33, 30},   {5, 20, 17},  {6, 64, 64},   {7, 65, 12},
                            {8, 70, 33},  {10, 100, 40}, {26, 130, 9}, {50, 17, 100}, {9, 70, 515},
                            {1, 20, 517}, {9, 20, 523}};

constexpr bitmask_kind kinds[] = {{8, {0, 0}}, {8, {2, 4}}, {4, {0, 0}}, {4, {2, 4}},
                                  {8, {1, 2}}, {4, {3, 8}}, {8, {1, 4}}};

/// A layer whose weights keep a pattern, or about half of them.
struct sparse_case : linear_case {
  bitmask_kind kind;

  sparse_case(index_t outputs, index_t inputs, std::uint32_t seed, bitmask_kind of_weights,
              std::int8_t least = -128)
      : linear_case(outputs, inputs, seed, least), kind(of_weights) {
    const auto dice = pare_test::random_codes<std::uint8_t>({outputs, inputs}, seed + 9);
    const index_t of = kind.pattern.of == 0 ? 1 : kind.pattern.of;
    const index_t keep = kind.pattern.of == 0 ? 1 : kind.pattern.keep;
    for (index_t o = 0; o < n; ++o) {
      for (index_t i = 0, kept = 0; i < k; ++i) {
        if (i % of == 0) kept = 0;
        if (kind.value_bits == 4) codes(o, i) = static_cast<std::int8_t>(codes(o, i) >> 4);
        if (kept == keep || dice(o, i) < 120) codes(o, i) = 0;
        kept += codes(o, i) != 0 ? 1 : 0;
      }
    }
  }
  pare::bitmask_linear_layer pack_sparse() const {
    return pare::pack_bitmask_linear(view(), kind, bias.view(), options).value();
  }
};

template <class X>
void check_codes(const sparse_case& c, const pare::tensor<X, 2>& x) {
  const index_t m = x.extent(0);
  const auto layer = c.pack_sparse();
  pare_test::check_code_outputs(
      c, x, [&](const auto& from, const auto& to) { return pare::linear(from, layer.view(), to); });
  // f32 outputs are those of the dense layer.
  pare::tensor<float, 2> dense({m, c.n}), sparse({m, c.n});
  REQUIRE(pare::linear(x.view(), c.pack().view(), dense.view()) == pare::status::ok);
  REQUIRE(pare::linear(x.view(), layer.view(), sparse.view()) == pare::status::ok);
  CHECK(pare_test::equal(sparse.view(), dense));
}

/// All that the kernels of one instruction set can do.
void check_all_kinds() {
  std::uint32_t seed = 100;
  for (const shape s : shapes) {
    for (const bitmask_kind& kind : kinds) {
      CAPTURE(s.m);
      CAPTURE(s.n);
      CAPTURE(s.k);
      CAPTURE(kind.value_bits);
      CAPTURE(kind.pattern.keep);
      ++seed;
      sparse_case c(s.n, s.k, seed, kind, seed % 2 == 0 ? -127 : -128);
      c.options.rule = all_rules[seed / 2 % 4];
      c.options.act = static_cast<pare::activation>(seed % 3);
      c.options.output.zero_point = static_cast<std::int32_t>(seed % 5) * 3 - 6;
      check_codes(c, pare_test::random_codes<std::int8_t>({s.m, s.k}, seed));
      c.options.input.zero_point = 131;
      check_codes(c, pare_test::random_codes<std::uint8_t>({s.m, s.k}, seed));
    }
  }
}

}  // namespace

TEST_CASE("every instruction set gives the bits of plain loops, for all kinds") {
  pare_test::for_each_isa([](pare::isa) { check_all_kinds(); });
}

#if PARE_X86_KERNELS
TEST_CASE("AVX-512 without VBMI2 gives the same bits") {
  if (!pare::is_supported(pare::isa::avx512vnni)) return;
  const unsigned state = pare::detail::isas();
  pare::detail::store_isa_state(state & ~pare::detail::has_vbmi2_bit);
  check_all_kinds();
  pare::detail::store_isa_state(state);
}
#endif

TEST_CASE("float activations give what dense weights give") {
  pare_test::for_each_isa([](pare::isa) {
    for (const shape s : {shape{1, 20, 37}, shape{12, 70, 64}}) {
      const sparse_case c(s.n, s.k, 5, {8, {2, 4}});
      const auto x = pare_test::random_uniform<float>({s.m, s.k}, 3, -2.0, 2.0);
      pare::tensor<float, 2> dense({s.m, s.n}), sparse({s.m, s.n});
      REQUIRE(pare::linear(x.view(), c.pack().view(), dense.view()) == pare::status::ok);
      REQUIRE(pare::linear(x.view(), c.pack_sparse().view(), sparse.view()) == pare::status::ok);
      CHECK(pare_test::equal(sparse.view(), dense));
    }
  });
}

TEST_CASE("everything pruned gives the bias, nothing pruned the dense layer") {
  pare_test::for_each_isa([](pare::isa) {
    for (const index_t rows : {1, 9}) {
      for (const bool is_full : {false, true}) {
        sparse_case c(20, 24, 4, {8, {4, 4}});
        for (auto& w : c.codes) w = 0;
        if (is_full) c.codes = pare_test::random_codes<std::int8_t>({20, 24}, 6);
        const auto x = pare_test::random_codes<std::int8_t>({rows, 24}, 5);
        for (const pare::n_m pattern : {pare::n_m{0, 0}, pare::n_m{4, 4}}) {
          c.kind.pattern = pattern;
          pare::tensor<std::int8_t, 2> y({rows, 20});
          REQUIRE(pare::linear(x.view(), c.pack_sparse().view(), y.view()) == pare::status::ok);
          CHECK(pare_test::equal(y.view(), c.expected_codes<std::int8_t>(x)));
        }
      }
    }
  });
}

TEST_CASE("a mask decides what is stored") {
  linear_case c(24, 40, 3);
  pare::tensor<std::uint8_t, 2> mask({24, 40});
  for (index_t o = 0; o < 24; ++o) {
    for (index_t i = 0; i < 40; ++i) mask(o, i) = (o + i) % 4 < 2 ? 1 : 0;
  }
  const auto layer = pare::pack_bitmask_linear(c.view(), {8, {2, 4}}, c.bias.view(), c.options,
                                               std::as_const(mask).view())
                         .value();
  for (index_t o = 0; o < 24; ++o) {
    for (index_t i = 0; i < 40; ++i) {
      if (mask(o, i) == 0) c.codes(o, i) = 0;
    }
  }
  const auto x = pare_test::random_codes<std::int8_t>({5, 40}, 5);
  pare::tensor<std::int32_t, 2> y({5, 24});
  REQUIRE(pare::linear(x.view(), layer.view(), y.view()) == pare::status::ok);
  CHECK(pare_test::equal(y.view(), c.expected_s32(x)));
}

TEST_CASE("threads give the same bits") {
  for (const shape s : {shape{2, 600, 40}, shape{700, 40, 40}}) {
    const sparse_case c(s.n, s.k, 8, {8, {0, 0}});
    const auto x = pare_test::random_codes<std::int8_t>({s.m, s.k}, 5);
    pare::tensor<std::int8_t, 2> y({s.m, s.n});
    REQUIRE(pare::linear(x.view(), c.pack_sparse().view(), y.view(), {}, pare::std_threads{3}) ==
            pare::status::ok);
    CHECK(pare_test::equal(y.view(), c.expected_codes<std::int8_t>(x)));
  }
}

TEST_CASE("what is wrong is said, and outputs stay as they were") {
  using pare::status_code;
  const sparse_case c(20, 24, 4, {8, {2, 4}});
  const auto layer = c.pack_sparse();
  const auto x = pare_test::random_codes<std::int8_t>({9, 24}, 5);
  pare::tensor<std::int8_t, 2> y({9, 20}), narrow({9, 19});
  for (auto& v : y) v = 77;
  CHECK(pare::linear(x.view(), layer.view(), narrow.view()).code() == status_code::shape_mismatch);
  const auto u8 = pare_test::random_codes<std::uint8_t>({9, 24}, 5);
  sparse_case negative = c;
  negative.options.input.zero_point = -3;
  CHECK(pare::linear(u8.view(), negative.pack_sparse().view(), y.view()).code() ==
        status_code::out_of_range);
  for (const auto v : y) CHECK(v == 77);

  const auto code_of = [&](bitmask_kind kind) {
    return pare::pack_bitmask_linear(c.view(), kind, c.bias.view(), c.options).error().code;
  };
  CHECK(code_of({8, {1, 4}}) == status_code::out_of_range);
  CHECK(code_of({4, {2, 4}}) == status_code::out_of_range);
  CHECK(code_of({5, {2, 4}}) == status_code::out_of_range);
  const pare::tensor<std::uint8_t, 2> mask({20, 23});
  CHECK(
      pare::pack_bitmask_linear(c.view(), {}, c.bias.view(), c.options, mask.view()).error().code ==
      status_code::shape_mismatch);
  const index_t bytes = pare::packed_bitmask_linear_size(c.view(), c.kind, c.options).value();
  CHECK(layer.packed_bytes() == bytes);
  pare::tensor<std::byte, 1> memory({bytes});
  const auto small = pare::pack_bitmask_linear(c.view(), c.kind, c.bias.view(), c.options,
                                               pare::workspace(memory.data(), bytes - 1));
  CHECK(small.error().code == status_code::workspace_too_small);
  CHECK(small.error().position == bytes);
}
