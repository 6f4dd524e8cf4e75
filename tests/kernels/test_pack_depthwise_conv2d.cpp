// Packing of depthwise weights: sizes to the byte, the layout, and everything that can be wrong.
#include <pare/core/subview.hpp>
#include <pare/kernels/pack_depthwise_conv2d.hpp>

#include <limits>

#include "support/conv_case.hpp"
#include "support/isas.hpp"

using pare::index_t;
using pare_test::conv_case;

namespace {

pare::depthwise_conv2d_options options_of(const conv_case& c) {
  pare::depthwise_conv2d_options o;
  o.window = c.window;
  o.multiplier = c.out / c.groups;
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

TEST_CASE("depthwise: the packed size is exact") {
  pare_test::for_each_isa([](pare::isa) {
    for (const index_t channels : {1, 16, 33, 100}) {
      for (const index_t size : {1, 3, 4, 5}) {
        for (int what = 0; what < 4; ++what) {
          const conv_case c(channels, 1, channels, pare_test::square_window(size, 1, 0), 1);
          auto o = options_of(c);
          if (what < 2) o.output = {0.0f, 0};
          if (what < 1) o.input = {0.0f, 0};
          if (what == 3) o.rule = pare::requantization::double_rounding;
          const index_t bytes = pare::packed_depthwise_conv2d_size(channels, size, size, o).value();
          pare::tensor<std::byte, 1> memory({bytes});
          CHECK(pare::pack_depthwise_conv2d(c.view(), c.linear.bias.view(), o,
                                            pare::workspace(memory.data(), bytes)));
          for (auto& b : memory) b = std::byte{0x5a};
          const auto short_by_one = pare::pack_depthwise_conv2d(
              c.view(), c.linear.bias.view(), o, pare::workspace(memory.data(), bytes - 1));
          CHECK(short_by_one == pare::status::workspace_too_small);
          CHECK(short_by_one.error().position == bytes);
          CHECK(is_untouched(memory));
        }
      }
    }
  });
}

TEST_CASE("depthwise: panels hold the weights as the format says, and zeros where there are none") {
  pare_test::for_each_isa([](pare::isa) {
    for (const index_t height : {3, 4, 5}) {
      pare::window w;
      w.height = height;
      w.width = 2;
      const conv_case c(37, 1, 37, w, 2);
      pare::tensor<std::byte, 1> memory(
          {pare::packed_depthwise_conv2d_size(37, height, 2, options_of(c)).value()});
      const auto v = pare::pack_depthwise_conv2d(c.view(), c.linear.bias.view(), options_of(c),
                                                 pare::workspace(memory.data(), memory.size()))
                         .value();
      const index_t nr = v.outputs.tile_columns, groups = (height + 3) / 4;
      CHECK(reinterpret_cast<std::uintptr_t>(v.outputs.panels) % 64 == 0);
      const std::int8_t* at = v.outputs.panels;
      index_t same = 0;
      for (index_t first = 0; first < 37; first += nr) {
        for (index_t variant = 0; variant < v.variants; ++variant) {
          for (index_t i = 0; i < groups * 2 * nr * 4; ++i, ++at) {
            const index_t row = i / (2 * nr * 4) * 4 + i % 4 - variant, column = i / (nr * 4) % 2;
            const index_t o = first + i / 4 % nr;
            const bool exists = o < 37 && row >= 0 && row < height;
            same += *at == (exists ? c.view().codes(o, 0, row, column) : 0);
          }
        }
      }
      CHECK(same == at - v.outputs.panels);
      for (index_t o = 0; o < 37; ++o) {
        std::int32_t sum = 0;
        for (index_t k = 0; k < c.linear.k; ++k) sum += c.linear.codes(o, k);
        CHECK(v.outputs.sums[o] == sum);
        CHECK(v.outputs.bias[o] == c.linear.bias(o));
      }
    }
  });
}

TEST_CASE(
    "depthwise: what cannot be packed is refused with the reason, and memory stays as it is") {
  conv_case c(6, 1, 3, pare_test::square_window(3, 1, 1), 3);
  auto o = options_of(c);
  pare::tensor<std::byte, 1> memory({4096});
  for (auto& b : memory) b = std::byte{0x5a};
  const auto pack = [&] {
    return pare::pack_depthwise_conv2d(c.view(), c.linear.bias.view(), o,
                                       pare::workspace(memory.data(), 4096));
  };
  SUBCASE("windows that cannot be slid") {
    o.window.stride_x = 0;
    CHECK(pack() == pare::status::out_of_range);
    o.window = {};
    o.window.dilation_y = -1;
    CHECK(pack() == pare::status::out_of_range);
    o.window = {};
    o.window.pad_left = -1;
    CHECK(pack() == pare::status::out_of_range);
    o.window = {};
    o.window.dilation_x = PTRDIFF_MAX;
    CHECK(pack() == pare::status::overflow);
  }
  SUBCASE("weights without rows") {
    const pare::affine_view<std::int8_t, pare::dextents<index_t, 4>> none{
        pare::view(c.linear.codes.view().data_handle(), 6, 1, 0, 3), c.linear.scales.view(), {}, 0};
    CHECK(pare::pack_depthwise_conv2d(none, c.linear.bias.view(), o,
                                      pare::workspace(memory.data(), 4096)) ==
          pare::status::out_of_range);
  }
  SUBCASE("filters of several channels") {
    const conv_case two(6, 2, 3, c.window, 4);
    CHECK(pare::pack_depthwise_conv2d(two.view(), c.linear.bias.view(), o,
                                      pare::workspace(memory.data(), 4096)) ==
          pare::status::shape_mismatch);
  }
  SUBCASE("multipliers") {
    o.multiplier = 0;
    CHECK(pack() == pare::status::out_of_range);
    o.multiplier = 4;
    CHECK(pack() == pare::status::shape_mismatch);
  }
  SUBCASE("scales and biases, as a linear layer") {
    c.linear.scales(4) = std::numeric_limits<float>::quiet_NaN();
    CHECK(pack() == pare::status::out_of_range);
    CHECK(pack().error().position == 4);
    c.linear.scales(4) = 1.0f;
    c.linear.bias(5) = std::numeric_limits<float>::infinity();
    CHECK(pack() == pare::status::non_finite);
    c.linear.bias(5) = 0.0f;
    o.output.zero_point = 300;
    CHECK(pack() == pare::status::out_of_range);
    o.output = {0.1f, 0};
    o.input.scale = 0.0f;
    CHECK(pack() == pare::status::invalid_argument);
    const std::int32_t codes[6] = {};
    CHECK(pare::pack_depthwise_conv2d(
              c.view(), pare::vector_view<const std::int32_t>(codes, index_t{6}), o,
              pare::workspace(memory.data(), 4096)) == pare::status::invalid_argument);
  }
  CHECK(is_untouched(memory));
}

TEST_CASE("depthwise: sizes that overflow are refused") {
  CHECK(pare::packed_depthwise_conv2d_size(PTRDIFF_MAX / 2, 3, 3) == pare::status::overflow);
  CHECK(pare::packed_depthwise_conv2d_size(3, PTRDIFF_MAX / 2, 3) == pare::status::overflow);
  CHECK(pare::packed_depthwise_conv2d_size(3, 3, PTRDIFF_MAX / 2) == pare::status::overflow);
  CHECK(pare::packed_depthwise_conv2d_size(-1, 3, 3) == pare::status::overflow);
  CHECK(pare::packed_depthwise_conv2d_size(3, 0, 3) == pare::status::out_of_range);
}
