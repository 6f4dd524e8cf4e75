// The owning layer: from float weights to results in three lines, and what moving it does.
#include <pare/layers/linear.hpp>
#include <pare/quantize/affine.hpp>

#include "support/linear_case.hpp"

using pare::index_t;

TEST_CASE("three lines: quantize, pack, run") {
  const auto w = pare_test::random_normal<float>({32, 64}, 1);
  const auto bias = pare_test::random_normal<float>({32}, 2);
  const auto x = pare_test::random_normal<float>({5, 64}, 3);
  pare::tensor<float, 2> y({5, 32});

  pare::affine options;
  options.axis = 0;
  const auto w8 = pare::quantize(w.view(), options).value();
  const auto layer = pare::pack_linear(w8.view(), bias.view()).value();
  REQUIRE(pare::linear(x.view(), layer, y.view()) == pare::status::ok);

  double error = 0, power = 0;
  for (index_t r = 0; r < 5; ++r) {
    for (index_t o = 0; o < 32; ++o) {
      double exact = bias(o);
      for (index_t i = 0; i < 64; ++i) exact += static_cast<double>(x(r, i)) * w(o, i);
      error += std::pow(y(r, o) - exact, 2);
      power += exact * exact;
    }
  }
  CHECK(error < 2e-4 * power);
}

TEST_CASE("moving a layer keeps its memory") {
  const pare_test::linear_case c(20, 30, 4);
  const auto x = pare_test::random_codes<std::int8_t>({3, 30}, 5);
  auto first = c.pack();
  const std::int8_t* panels = first.view().panels;
  const auto second = std::move(first);
  CHECK(second.view().panels == panels);
  CHECK(second.packed_bytes() == pare::packed_linear_size(20, 30, c.options).value());
  pare::tensor<std::int8_t, 2> y({3, 20});
  REQUIRE(pare::linear(x.view(), second, y.view()) == pare::status::ok);
  CHECK(pare_test::equal(y, c.expected_codes<std::int8_t>(x)));
}

TEST_CASE("errors of packing come back") {
  pare_test::linear_case c(4, 6, 6);
  c.scales(1) = -1.0f;
  const auto r = pare::pack_linear(c.view(), c.bias.view(), c.options);
  CHECK(r == pare::status::out_of_range);
  CHECK(r.error().position == 1);
}
