// Layers with grouped weights that own their memory: moved, they stay what they were.
#include <pare/layers/grouped_linear.hpp>

#include <utility>

#include "support/grouped_case.hpp"

using pare::index_t;
using pare_test::grouped_case;

TEST_CASE("a grouped layer packs into memory of its own and passes as a view") {
  const grouped_case c(20, 70, 32, 4, true, 1);
  const auto layer = c.pack();
  CHECK(layer.out_features() == 20);
  CHECK(layer.in_features() == 70);
  CHECK(layer.packed_bytes() == pare::packed_grouped_linear_size(c.view(), 4).value());
  const pare::packed_grouped_linear_view& view = layer;
  CHECK(view.group == 32);
}

TEST_CASE("views of a grouped layer survive its move") {
  const grouped_case c(9, 40, 32, 8, false, 2);
  auto layer = c.pack();
  const pare::packed_grouped_linear_view before = layer.view();
  const pare::grouped_linear_layer moved = std::move(layer);
  CHECK(moved.view().panels == before.panels);
  const auto x = pare_test::random_normal<float>({3, 40}, 3);
  pare::tensor<float, 2> y({3, 9});
  REQUIRE(pare::linear(x.view(), before, y.view()) == pare::status::ok);
  CHECK(pare_test::equal_bits(y, c.expected(x)));
}

TEST_CASE("a packed grouped layer may change its activation and its arithmetic") {
  grouped_case c(9, 40, 32, 4, true, 4);
  pare::packed_grouped_linear_view view;
  const auto layer = c.pack();
  view = layer.view();
  view.options.act = c.options.act = pare::activation::relu6;
  view.options.arithmetic = c.options.arithmetic = pare::grouped_arithmetic::floating;
  const auto x = pare_test::random_normal<float>({3, 40}, 5);
  pare::tensor<float, 2> y({3, 9});
  REQUIRE(pare::linear(x.view(), view, y.view()) == pare::status::ok);
  CHECK(pare_test::equal_bits(y, c.expected(x)));
}

TEST_CASE("a grouped layer that cannot be packed is refused") {
  grouped_case c(3, 40, 32, 4, false, 6);
  c.codes(1, 1) = 100;
  CHECK(pare::pack_grouped_linear(c.view(), 4) == pare::status::out_of_range);
  CHECK(pare::pack_grouped_linear(c.view(), 5) == pare::status::unsupported);
}
