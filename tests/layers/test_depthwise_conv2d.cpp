// The owning depthwise convolution: what it says of itself, and what moving it does.
#include <pare/layers/depthwise_conv2d.hpp>

#include "support/conv_case.hpp"

using pare::index_t;

TEST_CASE("depthwise: moving a layer keeps its memory") {
  const pare_test::conv_case c(12, 1, 4, pare_test::square_window(3, 1, 1), 1);
  pare::depthwise_conv2d_options o;
  o.window = c.window;
  o.multiplier = 3;
  o.input = c.linear.options.input;
  auto first = pare::pack_depthwise_conv2d(c.view(), c.linear.bias.view(), o).value();
  const std::int8_t* panels = first.view().outputs.panels;
  const auto second = std::move(first);
  CHECK(second.view().outputs.panels == panels);
  CHECK(second.packed_bytes() == pare::packed_depthwise_conv2d_size(12, 3, 3, o).value());
  CHECK(second.in_channels() == 4);
  CHECK(second.out_channels() == 12);
  CHECK(second.window().pad_left == 1);
  const auto x = pare_test::random_codes<std::int8_t>({1, 5, 6, 4}, 2);
  pare::tensor<std::int32_t, 4> y({1, 5, 6, 12});
  REQUIRE(pare::depthwise_conv2d(x.view(), second, y.view()) == pare::status::ok);
  CHECK(pare_test::equal(y, c.expected_s32(x)));
}

TEST_CASE("depthwise: errors of packing come back") {
  pare_test::conv_case c(4, 1, 4, pare_test::square_window(3, 1, 1), 3);
  c.linear.scales(1) = -1.0f;
  const auto r = pare::pack_depthwise_conv2d(c.view(), c.linear.bias.view());
  CHECK(r == pare::status::out_of_range);
  CHECK(r.error().position == 1);
}
