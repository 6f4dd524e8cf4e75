// The owning convolution: from float weights to results, and what moving it does.
#include <pare/layers/conv2d.hpp>
#include <pare/quantize/affine.hpp>

#include "support/conv_case.hpp"

using pare::index_t;

TEST_CASE("conv2d: quantize, pack, run") {
  const auto w = pare_test::random_normal<float>({24, 8, 3, 3}, 1);
  const auto bias = pare_test::random_normal<float>({24}, 2);
  const auto x = pare_test::random_codes<std::int8_t>({1, 6, 7, 8}, 3);
  pare::affine affine;
  affine.axis = 0;
  const auto w8 = pare::quantize(w.view(), affine).value();
  pare::conv2d_options o;
  o.window = pare::same_padding({3, 3}, 6, 7).value();
  o.input = {0.05f, -3};
  const auto layer = pare::pack_conv2d(w8.view(), bias.view(), o).value();
  pare::tensor<std::byte, 1> memory({pare::conv2d_workspace_size(layer, 6, 7).value()});
  pare::tensor<float, 4> y({1, 6, 7, 24});
  REQUIRE(pare::conv2d(x.view(), layer, y.view(), pare::workspace(memory.data(), memory.size())) ==
          pare::status::ok);

  double error = 0, power = 0;
  for (index_t r = 0; r < 6; ++r) {
    for (index_t q = 0; q < 7; ++q) {
      for (index_t c = 0; c < 24; ++c) {
        double exact = bias(c);
        for (index_t i = 0; i < 9; ++i) {
          const index_t row = r + i / 3 - 1, column = q + i % 3 - 1;
          if (row < 0 || row >= 6 || column < 0 || column >= 7) continue;
          for (index_t k = 0; k < 8; ++k)
            exact += 0.05 * (x(0, row, column, k) + 3) * w(c, k, i / 3, i % 3);
        }
        error += std::pow(y(0, r, q, c) - exact, 2);
        power += exact * exact;
      }
    }
  }
  CHECK(error < 1e-4 * power);
}

TEST_CASE("conv2d: moving a layer keeps its memory") {
  const pare_test::conv_case c(20, 6, 2, pare_test::square_window(3, 2, 0), 4);
  pare::conv2d_options o;
  o.window = c.window;
  o.groups = 2;
  auto first = pare::pack_conv2d(c.view(), c.linear.bias.view(), o).value();
  const std::int8_t* panels = first.view().first_group.panels;
  const auto second = std::move(first);
  CHECK(second.view().first_group.panels == panels);
  CHECK(second.packed_bytes() == pare::packed_conv2d_size(20, 6, 3, 3, o).value());
  CHECK(second.in_channels() == 12);
  CHECK(second.out_channels() == 20);
  CHECK(second.window().stride_y == 2);
}

TEST_CASE("conv2d: errors of packing come back") {
  pare_test::conv_case c(4, 6, 1, pare_test::square_window(3, 1, 1), 6);
  c.linear.scales(1) = -1.0f;
  const auto r = pare::pack_conv2d(c.view(), c.linear.bias.view());
  CHECK(r == pare::status::out_of_range);
  CHECK(r.error().position == 1);
}
