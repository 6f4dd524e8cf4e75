// Packing of grouped weights: sizes to the byte, the layout of the panels, and everything that can
// be wrong.
#include <pare/kernels/pack_grouped_linear.hpp>

#include <cstring>
#include <limits>

#include "support/grouped_case.hpp"
#include "support/isas.hpp"

using pare::index_t;
using pare_test::grouped_case;

TEST_CASE("the packed size of a grouped layer is exact") {
  pare_test::for_each_isa([](pare::isa) {
    for (const index_t n : {0, 1, 33, 100}) {
      for (const index_t k : {0, 1, 32, 70}) {
        for (const int bits : {4, 8}) {
          for (const bool has_zero_points : {false, true}) {
            const grouped_case c(n, k, 32, bits, has_zero_points, 1);
            const index_t bytes = pare::packed_grouped_linear_size(c.view(), bits).value();
            pare::tensor<std::byte, 1> memory({bytes});
            CHECK(pare::pack_grouped_linear(c.view(), bits, c.bias.view(), c.options,
                                            pare::workspace(memory.data(), bytes)));
            if (bytes > 0) {
              const auto short_by_one =
                  pare::pack_grouped_linear(c.view(), bits, c.bias.view(), c.options,
                                            pare::workspace(memory.data(), bytes - 1));
              CHECK(short_by_one == pare::status::workspace_too_small);
              CHECK(short_by_one.error().position == bytes);
            }
          }
        }
      }
    }
  });
}

TEST_CASE("grouped panels take 4.5 bits a weight in groups of 32, and 4.125 in groups of 128") {
  for (const index_t group : {32, 128}) {
    const grouped_case c(256, 1024, group, 4, false, 1);
    const auto layer = c.pack();
    const auto& v = layer.view();
    CHECK(v.panels_count() * v.panel_bytes() == 256 * 1024 / 2 + 256 * 1024 / group * 2);
  }
}

TEST_CASE("grouped panels hold the weights as the format says") {
  pare_test::for_each_isa([](pare::isa) {
    for (const int bits : {4, 8}) {
      for (const bool has_zero_points : {false, true}) {
        const index_t n = 37, k = 70, group = 32;
        const grouped_case c(n, k, group, bits, has_zero_points, 2);
        const auto layer = c.pack();
        const auto& v = layer.view();
        const index_t nr = v.tile_columns, block = 32 / bits;
        CHECK(v.has_zero_points == (has_zero_points ? 1 : 0));
        CHECK(v.groups() == 3);
        CHECK(reinterpret_cast<std::uintptr_t>(v.panels) % 64 == 0);
        for (index_t column = 0; column < v.panels_count() * nr; ++column) {
          double sum = 0;
          for (index_t g = 0; g < 3; ++g) {
            const std::uint8_t* at =
                v.panels + column / nr * v.panel_bytes() + g * v.group_bytes() * nr;
            for (index_t i = 0; i < group; ++i) {
              const index_t input = g * group + i;
              const std::uint8_t byte = at[(i / block * nr + column % nr) * 4 + i % 4];
              int code = static_cast<std::int8_t>(byte);
              if (bits == 4) code = static_cast<std::int8_t>(byte << (4 - 4 * (i % 8 / 4))) >> 4;
              const bool exists = column < n && input < k;
              CHECK(code == (exists ? c.codes(column, input) : 0));
              if (exists) sum += c.real_weight(column, input);
            }
            at += group * bits / 8 * nr;
            std::uint16_t scale;
            std::memcpy(&scale, at + 2 * (column % nr), 2);
            CHECK(scale == (column < n ? c.scales(column, g).bits : 0));
            if (has_zero_points) {
              const int zero_point = static_cast<std::int8_t>(at[2 * nr + column % nr]);
              CHECK(zero_point ==
                    (column < n ? c.zero_points(column, g) * (bits == 4 ? 16 : 1) : 0));
            }
          }
          CHECK(v.sums[column] == doctest::Approx(sum));
          CHECK(v.bias[column] == (column < n ? c.bias(column) : 0.0f));
        }
      }
    }
  });
}

TEST_CASE("grouped weights may have any layout, and scales may be floats") {
  const grouped_case c(9, 70, 32, 4, true, 3);
  const auto expected = c.pack();
  const auto same = [&](const auto& w) {
    const auto layer = pare::pack_grouped_linear(w, 4, c.bias.view()).value();
    const index_t bytes = layer.view().panels_count() * layer.view().panel_bytes();
    return pare_test::equal(pare::view(layer.view().panels, bytes),
                            pare::view(expected.view().panels, bytes));
  };
  const auto transposed = pare_test::column_major_copy(c.codes);
  CHECK(same(pare::grouped_view<pare::half, pare::dextents<index_t, 2>, pare::layout_left>{
      transposed.view(), c.scales.view(), c.zero_points.view(), 32}));
  // Rounded to half: a part of the last place more.
  pare::tensor<float, 2> floats({9, 3});
  for (index_t i = 0; i < floats.size(); ++i)
    floats.data()[i] = static_cast<float>(c.scales.data()[i]) * 1.0001f;
  CHECK(same(pare::grouped_view<float, pare::dextents<index_t, 2>>{
      c.codes.view(), std::as_const(floats).view(), c.zero_points.view(), 32}));
}

TEST_CASE("zero points of 0 make a symmetric grouped layer") {
  grouped_case c(5, 64, 32, 4, true, 4);
  for (auto& z : c.zero_points) z = 0;
  CHECK(c.pack().view().has_zero_points == 0);
}

TEST_CASE("grouped weights that cannot be packed are refused with the reason and the place") {
  grouped_case c(4, 70, 32, 4, true, 7);
  pare::tensor<std::byte, 1> memory({1 << 16});
  for (auto& b : memory) b = std::byte{0x5a};
  auto w = c.view();
  const auto pack = [&](int bits) {
    return pare::pack_grouped_linear(w, bits, c.bias.view(), c.options,
                                     pare::workspace(memory.data(), memory.size()));
  };
  SUBCASE("bits and groups that are not offered") {
    CHECK(pack(2) == pare::status::unsupported);
    for (const index_t group : {0, -32, 16, 48, 256}) {
      w.group = group;
      CHECK(pack(4) == pare::status::unsupported);
      CHECK(pare::packed_grouped_linear_size(w, 4) == pare::status::unsupported);
    }
  }
  SUBCASE("codes and zero points beyond 4 bits") {
    c.codes(2, 5) = 8;
    auto r = pack(4);
    CHECK(r == pare::status::out_of_range);
    CHECK(r.error().position == 2 * 70 + 5);
    CHECK(std::string(r.error().subject) == "weights");
    c.codes(2, 5) = 0;
    c.zero_points(1, 2) = -9;
    r = pack(4);
    CHECK(r == pare::status::out_of_range);
    CHECK(r.error().position == 5);
    CHECK(std::string(r.error().subject) == "zero_points");
  }
  SUBCASE("scales that are not finite, or too large for half") {
    c.scales(1, 1) = pare::half::from_bits(0x7c00);
    const auto r = pack(4);
    CHECK(r == pare::status::non_finite);
    CHECK(r.error().position == 4);
    pare::tensor<float, 2> floats({4, 3});
    floats(3, 2) = 70000.0f;
    const pare::grouped_view<float, pare::dextents<index_t, 2>> large{
        c.codes.view(), std::as_const(floats).view(), c.zero_points.view(), 32};
    CHECK(pare::pack_grouped_linear(large, 4) == pare::status::non_finite);
  }
  SUBCASE("too few scales, zero points, biases") {
    pare::tensor<pare::half, 2> scales({4, 2});
    w.scales = std::as_const(scales).view();
    CHECK(pack(4) == pare::status::shape_mismatch);
    w = c.view();
    pare::tensor<std::int8_t, 2> zero_points({3, 3});
    w.zero_points = std::as_const(zero_points).view();
    CHECK(pack(4) == pare::status::shape_mismatch);
    w = c.view();
    c.bias = pare::tensor<float, 1>({3});
    CHECK(pack(4) == pare::status::shape_mismatch);
  }
  SUBCASE("a bias that is not finite") {
    c.bias(3) = std::numeric_limits<float>::quiet_NaN();
    CHECK(pack(4) == pare::status::non_finite);
  }
  for (const auto b : memory) CHECK(b == std::byte{0x5a});
}

TEST_CASE("sizes of grouped layers that overflow are refused") {
  pare::packed_grouped_linear_view layer;
  pare::detail::packed_grouped_linear_layout layout;
  for (const index_t n : {PTRDIFF_MAX, PTRDIFF_MAX / 2, index_t{-1}, index_t{3}}) {
    for (const index_t k : {PTRDIFF_MAX, PTRDIFF_MAX / 2, index_t{-1}}) {
      layer.out_features = n;
      layer.in_features = k;
      CHECK_FALSE(pare::detail::layout_of(layer, layout));
    }
  }
}
