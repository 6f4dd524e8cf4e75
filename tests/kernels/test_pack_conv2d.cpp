// Packing of convolutions: sizes to the byte, the layout, and everything that can be wrong.
#include <pare/kernels/pack_conv2d.hpp>

#include <limits>
#include <vector>

#include "support/conv_case.hpp"
#include "support/isas.hpp"

using pare::index_t;
using pare_test::conv_case;

namespace {

pare::conv2d_options options_of(const conv_case& c) {
  pare::conv2d_options o;
  o.window = c.window;
  o.groups = c.groups;
  o.input = c.linear.options.input;
  o.output = c.linear.options.output;
  return o;
}

bool is_untouched(const pare::tensor<std::byte, 1>& memory) {
  for (const auto b : memory) {
    if (b != std::byte{0x5a}) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("conv2d: the packed size is exact") {
  pare_test::for_each_isa([](pare::isa) {
    for (const index_t groups : {1, 3}) {
      for (const index_t in : {1, 3, 4, 6}) {
        for (const index_t size : {1, 3}) {
          for (int what = 0; what < 4; ++what) {
            const conv_case c(11 * groups, in, groups, pare_test::square_window(size, 1, 0), 1);
            auto o = options_of(c);
            if (what < 2) o.output = {0.0f, 0};
            if (what < 1) o.input = {0.0f, 0};
            if (what == 3) o.rule = pare::requantization::double_rounding;
            const index_t bytes = pare::packed_conv2d_size(c.out, in, size, size, o).value();
            pare::tensor<std::byte, 1> memory({bytes});
            CHECK(pare::pack_conv2d(c.view(), c.linear.bias.view(), o,
                                    pare::workspace(memory.data(), bytes)));
            for (auto& b : memory) b = std::byte{0x5a};
            const auto short_by_one = pare::pack_conv2d(c.view(), c.linear.bias.view(), o,
                                                        pare::workspace(memory.data(), bytes - 1));
            CHECK(short_by_one == pare::status::workspace_too_small);
            CHECK(short_by_one.error().position == bytes);
            CHECK(is_untouched(memory));
          }
        }
      }
    }
  });
}

TEST_CASE("conv2d: panels hold each weight once, and zeros elsewhere") {
  pare_test::for_each_isa([](pare::isa) {
    for (const index_t groups : {1, 2}) {
      for (const index_t in : {1, 3, 4, 6, 9}) {
        const conv_case c(21 * groups, in, groups, pare_test::square_window(3, 1, 0), 2);
        pare::tensor<std::byte, 1> memory(
            {pare::packed_conv2d_size(c.out, in, 3, 3, options_of(c)).value()});
        const auto layer = pare::pack_conv2d(c.view(), c.linear.bias.view(), options_of(c),
                                             pare::workspace(memory.data(), memory.size()))
                               .value();
        for (index_t group = 0; group < groups; ++group) {
          const auto v = pare::detail::group_of(layer, group);
          CHECK(reinterpret_cast<std::uintptr_t>(v.panels) % 64 == 0);
          const index_t nr = v.tile_columns, kr = v.k_group, k = v.panel_bytes() / nr;
          for (index_t o = 0; o < v.panels_count() * nr; ++o) {
            std::vector<std::int8_t> found, expected;
            for (index_t i = 0; i < k; ++i) {
              const std::int8_t code =
                  v.panels[o / nr * v.panel_bytes() + (i / kr * nr + o % nr) * kr + i % kr];
              if (code != 0) found.push_back(code);
            }
            std::int32_t sum = 0;
            for (index_t tap = 0; o < 21 && tap < 9; ++tap) {
              for (index_t channel = 0; channel < in; ++channel) {
                const std::int8_t code = c.view().codes(group * 21 + o, channel, tap / 3, tap % 3);
                if (code != 0) expected.push_back(code);
                sum += code;
              }
            }
            CHECK(found == expected);
            CHECK(v.sums[o] == sum);
            CHECK(v.bias[o] == (o < 21 ? c.linear.bias(group * 21 + o) : 0.0f));
          }
        }
      }
    }
  });
}

TEST_CASE("conv2d: one scale serves all outputs, and a bias may be in codes") {
  const conv_case c(8, 4, 2, pare_test::square_window(2, 1, 0), 3);
  const float scale[] = {0.5f};
  const std::int32_t codes[] = {1, -2, 3, 4, 5, 6, -7, 8};
  auto w = c.view();
  w.scales = pare::vector_view<const float>(scale, index_t{1});
  w.axis = pare::per_tensor;
  const auto o = options_of(c);
  pare::tensor<std::byte, 1> memory({pare::packed_conv2d_size(8, 4, 2, 2, o).value()});
  const auto layer = pare::pack_conv2d(w, pare::vector_view<const std::int32_t>(codes, index_t{8}),
                                       o, pare::workspace(memory.data(), memory.size()))
                         .value();
  for (index_t i = 0; i < 8; ++i) {
    CHECK(pare::detail::group_of(layer, i / 4).scales[i % 4] == 0.5f);
    CHECK(pare::detail::group_of(layer, i / 4).bias_codes[i % 4] == codes[i]);
  }
}

TEST_CASE("conv2d: what cannot be packed is refused with the reason, and memory stays as it is") {
  conv_case c(6, 4, 2, pare_test::square_window(3, 1, 1), 4);
  auto o = options_of(c);
  pare::tensor<std::byte, 1> memory({16384});
  for (auto& b : memory) b = std::byte{0x5a};
  const pare::workspace all(memory.data(), memory.size());
  const auto pack = [&] { return pare::pack_conv2d(c.view(), c.linear.bias.view(), o, all); };
  SUBCASE("windows that cannot be slid") {
    o.window.stride_y = 0;
    CHECK(pack() == pare::status::out_of_range);
    o.window = {};
    o.window.dilation_x = 0;
    CHECK(pack() == pare::status::out_of_range);
    o.window = {};
    o.window.pad_bottom = -1;
    CHECK(pack() == pare::status::out_of_range);
    o.window = {};
    o.window.dilation_y = PTRDIFF_MAX;
    CHECK(pack() == pare::status::overflow);
  }
  SUBCASE("groups") {
    o.groups = 0;
    CHECK(pack() == pare::status::out_of_range);
    o.groups = -2;
    CHECK(pack() == pare::status::out_of_range);
    o.groups = 4;
    CHECK(pack() == pare::status::shape_mismatch);
  }
  SUBCASE("scales and biases, as a linear layer") {
    c.linear.scales(4) = 0.0f;
    CHECK(pack() == pare::status::out_of_range);
    CHECK(pack().error().position == 4);
    c.linear.scales(4) = 1.0f;
    c.linear.bias(5) = std::numeric_limits<float>::quiet_NaN();
    CHECK(pack() == pare::status::non_finite);
    c.linear.bias(5) = 0.0f;
    auto w = c.view();
    w.axis = 1;
    CHECK(pare::pack_conv2d(w, c.linear.bias.view(), o, all) == pare::status::unsupported);
    w = c.view();
    w.scales = pare::vector_view<const float>(c.linear.scales.data(), index_t{5});
    CHECK(pare::pack_conv2d(w, c.linear.bias.view(), o, all) == pare::status::shape_mismatch);
    const std::int32_t zero_points[] = {0, 0, 0, 1, 0, 0};
    w = c.view();
    w.zero_points = pare::vector_view<const std::int32_t>(zero_points, index_t{6});
    CHECK(pare::pack_conv2d(w, c.linear.bias.view(), o, all) == pare::status::unsupported);
    o.input.zero_point = 256;
    CHECK(pack() == pare::status::out_of_range);
    o.input = {0.0f, 0};
    CHECK(pack() == pare::status::invalid_argument);
    CHECK(pare::pack_conv2d(c.view(),
                            pare::vector_view<const std::int32_t>(zero_points, index_t{6}), o,
                            all) == pare::status::invalid_argument);
  }
  CHECK(is_untouched(memory));
}

TEST_CASE("conv2d: sizes that overflow are refused") {
  const index_t half = PTRDIFF_MAX / 2;
  CHECK(pare::packed_conv2d_size(half, 3, 3, 3) == pare::status::overflow);
  CHECK(pare::packed_conv2d_size(3, half, 3, 3) == pare::status::overflow);
  CHECK(pare::packed_conv2d_size(3, 3, half, 3) == pare::status::overflow);
  CHECK(pare::packed_conv2d_size(3, 3, half, half) == pare::status::overflow);
  CHECK(pare::packed_conv2d_size(-1, 3, 3, 3) == pare::status::overflow);
  CHECK(pare::packed_conv2d_size(3, -1, 3, 3) == pare::status::overflow);
  CHECK(pare::packed_conv2d_size(3, 3, 0, 3) == pare::status::out_of_range);
  pare::conv2d_options o;
  o.groups = half;
  CHECK(pare::packed_conv2d_size(half, 3, 3, 3, o) == pare::status::overflow);
}
