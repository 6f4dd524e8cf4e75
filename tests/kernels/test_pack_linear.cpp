// Packing: sizes to the byte, every layout of the weights, and everything that can be wrong with
// them.
#include <pare/core/subview.hpp>
#include <pare/kernels/pack_linear.hpp>

#include <limits>

#include "support/isas.hpp"
#include "support/linear_case.hpp"

using pare::index_t;
using pare_test::linear_case;

TEST_CASE("the packed size is exact for every kind of layer") {
  pare_test::for_each_isa([](pare::isa) {
    for (const index_t n : {0, 1, 16, 33, 100, 144}) {
      for (const index_t k : {0, 1, 4, 27}) {
        for (int what = 0; what < 4; ++what) {
          linear_case c(n, k, 1);
          if (what < 2) c.options.output = {0.0f, 0};
          if (what < 1) c.options.input = {0.0f, 0};
          if (what == 3) c.options.rule = pare::requantization::double_rounding;
          const index_t bytes = pare::packed_linear_size(n, k, c.options).value();
          pare::tensor<std::byte, 1> memory({bytes});
          CHECK(pare::pack_linear(c.view(), c.bias.view(), c.options,
                                  pare::workspace(memory.data(), bytes)));
          if (bytes > 0) {
            const auto short_by_one = pare::pack_linear(c.view(), c.bias.view(), c.options,
                                                        pare::workspace(memory.data(), bytes - 1));
            CHECK(short_by_one == pare::status::workspace_too_small);
            CHECK(short_by_one.error().position == bytes);
          }
        }
      }
    }
  });
}

TEST_CASE("panels hold the weights as the format says, and zeros where there are none") {
  pare_test::for_each_isa([](pare::isa) {
    const linear_case c(37, 10, 2);
    const auto layer = c.pack();
    const auto& v = layer.view();
    const index_t nr = v.tile_columns, kr = v.k_group;
    // Ten inputs: the last group begins at input 6, and 6 and 7 are in the group before. Groups of
    // eight end with zeros.
    const index_t inputs[] = {0, 1, 2, 3, 4, 5, 6, 7, -1, -1, 8, 9, -1, -1, -1, -1};
    CHECK(v.panel_bytes() == (kr == 8 ? 16 : 12) * nr);
    for (index_t column = 0; column < v.panels_count() * nr; ++column) {
      std::int32_t sum = 0;
      for (index_t k = 0; k < v.panel_bytes() / nr; ++k) {
        const std::int8_t code =
            v.panels[column / nr * v.panel_bytes() + (k / kr * nr + column % nr) * kr + k % kr];
        CHECK(code == (column < 37 && inputs[k] >= 0 ? c.codes(column, inputs[k]) : 0));
        sum += code;
      }
      CHECK(v.sums[column] == sum);
      CHECK(v.bias[column] == (column < 37 ? c.bias(column) : 0.0f));
    }
    CHECK(reinterpret_cast<std::uintptr_t>(v.panels) % 64 == 0);
  });
}

TEST_CASE("weights may have any layout") {
  const linear_case c(9, 14, 3);
  const auto expected = c.pack();
  const auto transposed = pare_test::column_major_copy(c.codes);
  const auto apart = pare_test::strided_copy(c.codes, 5, 2);
  const auto same = [&](const auto& codes) {
    using view = std::decay_t<decltype(codes)>;
    const pare::affine_view<std::int8_t, typename view::extents_type, typename view::layout_type> w{
        codes, c.scales.view(), {}, 0};
    const auto layer = pare::pack_linear(w, c.bias.view(), c.options).value();
    const index_t bytes = layer.view().panels_count() * layer.view().panel_bytes();
    return pare_test::equal(pare::view(layer.view().panels, bytes),
                            pare::view(expected.view().panels, bytes));
  };
  CHECK(same(transposed.view()));
  CHECK(same(apart.view()));
}

TEST_CASE("one scale serves all outputs") {
  linear_case c(5, 6, 4);
  const float scale[] = {0.5f};
  const pare::affine_view<std::int8_t, pare::dextents<index_t, 2>> w{
      c.codes.view(), pare::vector_view<const float>(scale, index_t{1}), {}, pare::per_tensor};
  const auto layer = pare::pack_linear(w, c.bias.view(), c.options).value();
  for (index_t i = 0; i < 5; ++i) CHECK(layer.view().scales[i] == 0.5f);
}

TEST_CASE("a bias in codes arrives as it is") {
  linear_case c(5, 6, 5);
  const std::int32_t codes[] = {1, -2, 3, 2147483647, -2147483647 - 1};
  const pare::vector_view<const std::int32_t> bias(codes, index_t{5});
  const auto layer = pare::pack_linear(c.view(), bias, c.options).value();
  for (index_t i = 0; i < 5; ++i) CHECK(layer.view().bias_codes[i] == codes[i]);
  c.options.input.scale = 0.0f;
  c.options.output.scale = 0.0f;
  CHECK(pare::pack_linear(c.view(), bias, c.options) == pare::status::invalid_argument);
}

TEST_CASE("a bias too large for its codes saturates") {
  linear_case c(2, 3, 6);
  c.bias(0) = 1e30f;
  c.bias(1) = -1e30f;
  const auto layer = c.pack();
  CHECK(layer.view().bias_codes[0] == 2147483647);
  CHECK(layer.view().bias_codes[1] == -2147483647 - 1);
}

TEST_CASE("what cannot be packed is refused with the reason and the place") {
  linear_case c(4, 6, 7);
  pare::tensor<std::int32_t, 1> zero_points({4});
  auto w = c.view();
  SUBCASE("a scale that is 0, negative, NaN or infinite") {
    for (const float bad : {0.0f, -1.0f, std::numeric_limits<float>::quiet_NaN(),
                            std::numeric_limits<float>::infinity()}) {
      c.scales(2) = bad;
      const auto r = pare::pack_linear(w, c.bias.view(), c.options);
      CHECK(r == pare::status::out_of_range);
      CHECK(r.error().position == 2);
    }
  }
  SUBCASE("a bias that is not finite") {
    c.bias(3) = std::numeric_limits<float>::quiet_NaN();
    const auto r = pare::pack_linear(w, c.bias.view(), c.options);
    CHECK(r == pare::status::non_finite);
    CHECK(r.error().position == 3);
  }
  SUBCASE("asymmetric weights") {
    zero_points(1) = 3;
    w.zero_points = std::as_const(zero_points).view();
    CHECK(pare::pack_linear(w, c.bias.view(), c.options) == pare::status::unsupported);
  }
  SUBCASE("scales along the inputs") {
    w.axis = 1;
    CHECK(pare::pack_linear(w, c.bias.view(), c.options) == pare::status::unsupported);
  }
  SUBCASE("too few scales, zero points, biases") {
    w.scales = pare::vector_view<const float>(c.scales.data(), index_t{3});
    CHECK(pare::pack_linear(w, c.bias.view(), c.options) == pare::status::shape_mismatch);
    w = c.view();
    w.zero_points = pare::vector_view<const std::int32_t>(zero_points.data(), index_t{2});
    CHECK(pare::pack_linear(w, c.bias.view(), c.options) == pare::status::shape_mismatch);
    w = c.view();
    CHECK(pare::pack_linear(w, pare::vector_view<const float>(c.bias.data(), index_t{3}),
                            c.options) == pare::status::shape_mismatch);
  }
  SUBCASE("scales of inputs and outputs") {
    c.options.input.scale = -1.0f;
    CHECK(pare::pack_linear(w, c.bias.view(), c.options) == pare::status::out_of_range);
    c.options.input.scale = 0.0f;  // outputs known, inputs not
    CHECK(pare::pack_linear(w, c.bias.view(), c.options) == pare::status::invalid_argument);
    c.options.input.scale = 1e30f;
    c.options.output.scale = 1e-30f;  // their quotient is no float
    CHECK(pare::pack_linear(w, c.bias.view(), c.options) == pare::status::out_of_range);
  }
  SUBCASE("zero points that are no codes") {
    c.options.input.zero_point = 256;
    CHECK(pare::pack_linear(w, c.bias.view(), c.options) == pare::status::out_of_range);
    c.options.input.zero_point = 0;
    c.options.output.zero_point = -129;
    CHECK(pare::pack_linear(w, c.bias.view(), c.options) == pare::status::out_of_range);
  }
}

TEST_CASE("sizes that overflow are refused") {
  CHECK(pare::packed_linear_size(PTRDIFF_MAX / 2, 3) == pare::status::overflow);
  CHECK(pare::packed_linear_size(3, PTRDIFF_MAX / 2) == pare::status::overflow);
  CHECK(pare::packed_linear_size(PTRDIFF_MAX, PTRDIFF_MAX) == pare::status::overflow);
  CHECK(pare::packed_linear_size(-1, 3) == pare::status::overflow);
}

TEST_CASE("refused packing leaves the memory untouched") {
  linear_case c(4, 6, 8);
  c.scales(3) = 0.0f;
  pare::tensor<std::byte, 1> memory({4096});
  for (auto& b : memory) b = std::byte{0x5a};
  CHECK(pare::pack_linear(c.view(), c.bias.view(), c.options,
                          pare::workspace(memory.data(), 4096)) == pare::status::out_of_range);
  for (const auto b : memory) CHECK(b == std::byte{0x5a});
}
