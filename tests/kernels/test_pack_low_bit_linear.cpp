// Packing of low-bit weights: sizes to the byte, the layout of the panels, and everything that can
// be wrong with codes and zero points.
#include <pare/kernels/pack_low_bit_linear.hpp>

#include <limits>

#include "support/isas.hpp"
#include "support/low_bit_case.hpp"

using pare::index_t;
using pare::low_bit;
using pare_test::low_bit_case;

TEST_CASE("the packed size of a low-bit layer is exact") {
  pare_test::for_each_isa([](pare::isa) {
    for (const index_t n : {0, 1, 16, 33, 100, 144, 300}) {
      for (const index_t k : {0, 1, 8, 27}) {
        for (const low_bit kind : {low_bit::s4, low_bit::s2, low_bit::ternary}) {
          low_bit_case c(n, k, 1, kind);
          if (k == 1) c.options.input = c.options.output = {0.0f, 0};
          if (k == 8) c.options.rule = pare::requantization::double_rounding;
          const index_t bytes = pare::packed_low_bit_linear_size(n, k, kind, c.options).value();
          pare::tensor<std::byte, 1> memory({bytes});
          CHECK(pare::pack_low_bit_linear(c.low_bit_view(), kind, c.bias.view(), c.options,
                                          pare::workspace(memory.data(), bytes)));
          if (bytes > 0) {
            const auto short_by_one =
                pare::pack_low_bit_linear(c.low_bit_view(), kind, c.bias.view(), c.options,
                                          pare::workspace(memory.data(), bytes - 1));
            CHECK(short_by_one == pare::status::workspace_too_small);
            CHECK(short_by_one.error().position == bytes);
          }
        }
      }
    }
  });
}

TEST_CASE("low-bit panels take a half and a quarter of the memory") {
  const index_t n = 512, k = 1024, bytes8 = pare::packed_linear_size(n, k).value() - n * 3 * 4;
  const index_t bytes4 =
      pare::packed_low_bit_linear_size(n, k, low_bit::s4).value() - n * 3 * 4 - n * 4;
  const index_t bytes2 =
      pare::packed_low_bit_linear_size(n, k, low_bit::ternary).value() - n * 3 * 4 - n * 4;
  CHECK(bytes4 * 2 == bytes8);
  CHECK(bytes2 * 4 == bytes8);
}

TEST_CASE("low-bit panels hold the weights as the format says") {
  pare_test::for_each_isa([](pare::isa) {
    for (const low_bit kind : {low_bit::s4, low_bit::s2}) {
      for (const index_t k : {3, 16, 37}) {
        const low_bit_case c(37, k, 2, kind, true);
        const auto layer = c.pack_low_bit();
        const auto& v = layer.view();
        const index_t nr = v.base.tile_columns, block = kind == low_bit::s4 ? 8 : 16;
        const int offset = kind == low_bit::s4 ? 8 : 2;
        CHECK(v.bits == 32 / block);
        CHECK(v.has_zero_points == 1);
        CHECK(reinterpret_cast<std::uintptr_t>(v.base.panels) % 64 == 0);
        for (index_t column = 0; column < v.base.panels_count() * nr; ++column) {
          CAPTURE(column);
          const auto* head = reinterpret_cast<const std::uint8_t*>(v.base.panels) +
                             column / nr * v.panel_bytes() + column % nr * 4;
          const int zero_point = column < 37 ? c.zero_points(column) : 0;
          for (int j = 0; j < 4; ++j) CHECK(head[j] == zero_point + offset);
          std::int32_t sum = 0;
          for (index_t input = 0; input < (k + block - 1) / block * block; ++input) {
            // The last block is moved back to end with the last input.
            index_t source = input;
            if (k > block && input >= k / block * block) source = input % block + k - block;
            const bool is_new = source < k && (source == input || source >= k / block * block);
            const std::uint8_t byte = head[(1 + input / block) * nr * 4 + input % 4];
            const int field = (byte >> (v.bits * (input % block / 4))) & (2 * offset - 1);
            const int code = (field ^ offset) - offset;
            CHECK(code == (column < 37 && is_new ? c.low_bit_codes(column, source) : zero_point));
            sum += code - zero_point;
          }
          CHECK(v.base.sums[column] == sum);
        }
      }
    }
  });
}

TEST_CASE("low-bit weights may have any layout") {
  const low_bit_case c(9, 14, 3, low_bit::s4, true);
  const auto expected = c.pack_low_bit();
  const auto transposed = pare_test::column_major_copy(c.low_bit_codes);
  const auto apart = pare_test::strided_copy(c.low_bit_codes, 5, 2);
  const auto same = [&](const auto& codes) {
    using view = std::decay_t<decltype(codes)>;
    const pare::affine_view<std::int8_t, typename view::extents_type, typename view::layout_type> w{
        codes, c.scales.view(), c.zero_points.view(), 0};
    const auto layer = pare::pack_low_bit_linear(w, c.kind, c.bias.view(), c.options).value();
    const index_t bytes = layer.view().base.panels_count() * layer.view().panel_bytes();
    return pare_test::equal(pare::view(layer.view().base.panels, bytes),
                            pare::view(expected.view().base.panels, bytes));
  };
  CHECK(same(transposed.view()));
  CHECK(same(apart.view()));
}

TEST_CASE("zero points of 0 make a symmetric layer, and one scale and zero point serve all") {
  low_bit_case c(5, 6, 4, low_bit::s4, true);
  for (auto& z : c.zero_points) z = 0;
  CHECK(c.pack_low_bit().view().has_zero_points == 0);
  const float scale[] = {0.5f};
  const std::int32_t zero_point[] = {3};
  auto w = c.low_bit_view();
  w.scales = pare::vector_view<const float>(scale, index_t{1});
  w.zero_points = pare::vector_view<const std::int32_t>(zero_point, index_t{1});
  w.axis = pare::per_tensor;
  const auto layer = pare::pack_low_bit_linear(w, c.kind, c.bias.view(), c.options).value();
  CHECK(layer.view().has_zero_points == 1);
  for (index_t i = 0; i < 5; ++i) {
    CHECK(layer.view().base.scales[i] == 0.5f);
    const index_t nr = layer.view().base.tile_columns;
    CHECK(layer.view().base.panels[i / nr * layer.view().panel_bytes() + i % nr * 4] == 3 + 8);
  }
}

TEST_CASE("what cannot be packed in few bits is refused with the reason and the place") {
  low_bit_case c(4, 6, 7, low_bit::s4, true);
  pare::tensor<std::byte, 1> memory({8192});
  for (auto& b : memory) b = std::byte{0x5a};
  const auto pack = [&](low_bit kind) {
    return pare::pack_low_bit_linear(c.low_bit_view(), kind, c.bias.view(), c.options,
                                     pare::workspace(memory.data(), memory.size()));
  };
  SUBCASE("codes beyond the kind") {
    for (auto& code : c.low_bit_codes) code = 0;
    for (auto& z : c.zero_points) z = 0;
    const struct {
      low_bit kind;
      int code;
    } bad[] = {{low_bit::s4, 8},  {low_bit::s4, -9},     {low_bit::s2, 2},
               {low_bit::s2, -3}, {low_bit::ternary, 2}, {low_bit::ternary, -2}};
    for (const auto b : bad) {
      c.low_bit_codes(2, 5) = static_cast<std::int8_t>(b.code);
      const auto r = pack(b.kind);
      CHECK(r == pare::status::out_of_range);
      CHECK(r.error().position == 17);
      CHECK(std::string(r.error().subject) == "weights");
    }
  }
  SUBCASE("zero points beyond the kind") {
    c.zero_points(3) = 8;
    const auto r = pack(low_bit::s4);
    CHECK(r == pare::status::out_of_range);
    CHECK(r.error().position == 3);
  }
  SUBCASE("too few zero points") {
    c.zero_points = pare::tensor<std::int32_t, 1>({2});
    CHECK(pack(low_bit::s4) == pare::status::shape_mismatch);
  }
  SUBCASE("a kind that is none") {
    CHECK(pack(static_cast<low_bit>(9)) == pare::status::invalid_argument);
  }
  SUBCASE("a scale that is not positive") {
    c.scales(2) = std::numeric_limits<float>::quiet_NaN();
    CHECK(pack(low_bit::s4) == pare::status::out_of_range);
  }
  SUBCASE("a bias that is not finite") {
    c.bias(1) = std::numeric_limits<float>::infinity();
    CHECK(pack(low_bit::s4) == pare::status::non_finite);
  }
  SUBCASE("a bias in codes without the scale of the inputs") {
    c.options.input = c.options.output = {0.0f, 0};
    const std::int32_t bias[] = {1, 2, 3, 4};
    CHECK(pare::pack_low_bit_linear(c.low_bit_view(), c.kind,
                                    pare::vector_view<const std::int32_t>(bias, index_t{4}),
                                    c.options) == pare::status::invalid_argument);
  }
  for (const auto b : memory) CHECK(b == std::byte{0x5a});
}

TEST_CASE("sizes of low-bit layers that overflow are refused") {
  for (const low_bit kind : {low_bit::s4, low_bit::s2}) {
    CHECK(pare::packed_low_bit_linear_size(PTRDIFF_MAX / 2, 3, kind) == pare::status::overflow);
    CHECK(pare::packed_low_bit_linear_size(3, PTRDIFF_MAX / 2, kind) == pare::status::overflow);
    CHECK(pare::packed_low_bit_linear_size(PTRDIFF_MAX, PTRDIFF_MAX, kind) ==
          pare::status::overflow);
    CHECK(pare::packed_low_bit_linear_size(-1, 3, kind) == pare::status::overflow);
  }
}
