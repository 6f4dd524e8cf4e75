// Layers with weights of few bits that own their memory: moved, they stay what they were.
#include <pare/layers/low_bit_linear.hpp>

#include <utility>

#include "support/low_bit_case.hpp"

using pare::index_t;
using pare_test::low_bit_case;

TEST_CASE("a low-bit layer packs into memory of its own and passes as a view") {
  const low_bit_case c(20, 30, 1, pare::low_bit::s4);
  const auto layer = c.pack_low_bit();
  CHECK(layer.out_features() == 20);
  CHECK(layer.in_features() == 30);
  CHECK(layer.packed_bytes() ==
        pare::packed_low_bit_linear_size(20, 30, pare::low_bit::s4, c.options).value());
  const pare::packed_low_bit_linear_view& view = layer;
  CHECK(view.base.out_features == 20);
}

TEST_CASE("views of a low-bit layer survive its move") {
  const low_bit_case c(9, 12, 2, pare::low_bit::ternary);
  auto layer = c.pack_low_bit();
  const pare::packed_low_bit_linear_view before = layer.view();
  const pare::low_bit_linear_layer moved = std::move(layer);
  CHECK(moved.view().base.panels == before.base.panels);
  const auto x = pare_test::random_codes<std::int8_t>({3, 12}, 3);
  pare::tensor<std::int32_t, 2> y({3, 9});
  REQUIRE(pare::linear(x.view(), before, y.view()) == pare::status::ok);
  CHECK(pare_test::equal(y, c.expected_s32(x)));
}

TEST_CASE("the bias of a low-bit layer may be left out") {
  low_bit_case c(3, 4, 4, pare::low_bit::s2);
  const auto layer = pare::pack_low_bit_linear(c.low_bit_view(), c.kind).value();
  for (index_t i = 0; i < 3; ++i) CHECK(layer.view().base.bias[i] == 0.0f);
}

TEST_CASE("a low-bit layer that cannot be packed is refused") {
  low_bit_case c(3, 4, 5, pare::low_bit::s4);
  c.low_bit_codes(1, 1) = 100;
  CHECK(pare::pack_low_bit_linear(c.low_bit_view(), c.kind) == pare::status::out_of_range);
}
