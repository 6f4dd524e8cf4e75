// Layers that the compiler quantizes and packs are those that the program would have made.
#include <limits>

#include <pare/kernels/linear.hpp>
#include <pare/kernels/repack.hpp>
#include <pare/kernels/static_linear.hpp>
#include <pare/layers/linear.hpp>
#include <pare/quantize/affine.hpp>

#include "support/isas.hpp"
#include "support/packed_parts.hpp"
#include "support/random.hpp"

using pare::index_t;
using pare::status;

namespace {

/// Weights and biases that a constant expression can make: any values, with ties of the rounding,
/// zeros and tiny numbers among them.
template <std::size_t Out, std::size_t In>
struct numbers {
  float weights[Out][In] = {};
  float bias[Out] = {};

  constexpr explicit numbers(std::uint32_t state) {
    for (std::size_t o = 0; o < Out; ++o) {
      for (std::size_t i = 0; i < In; ++i) {
        state = state * 1664525u + 1013904223u;
        const float x = static_cast<float>(static_cast<std::int32_t>(state)) * 0x1p-33f;
        weights[o][i] = (state >> 9) % 5 == 0 ? static_cast<float>(state % 256) * 0x1p-9f
                                              : (o == 3 ? x * 0x1p-140f : x);
        if (o == 5) weights[o][i] = 0.0f;
      }
      bias[o] = static_cast<float>(static_cast<std::int32_t>(state)) * 0x1p-28f;
    }
  }
};

constexpr pare::linear_options options_of(pare::requantization rule) {
  pare::linear_options o;
  o.act = pare::activation::relu;
  o.input = {0.02f, -7};
  o.output = {0.13f, 11};
  o.rule = rule;
  return o;
}

/// The same layer made at run time, for scalar code.
pare::linear_layer made(pare::matrix_view<const float> w, pare::vector_view<const float> bias,
                        const pare::linear_options& options) {
  pare::affine per_output;
  per_output.axis = 0;
  const pare::isa before = pare::active_isa();
  REQUIRE(pare::set_active_isa(pare::isa::scalar));
  auto layer = pare::pack_linear(pare::quantize(w, per_output).value().view(), bias, options);
  REQUIRE(pare::set_active_isa(before));
  return std::move(layer).value();
}

constexpr numbers<64, 64> large(1);
static constexpr auto fc_large =
    pare::make_static_linear(large.weights, large.bias, options_of(pare::requantization::nearest))
        .value();
constexpr numbers<10, 7> small(2);
static constexpr auto fc_small =
    pare::make_static_linear(small.weights, small.bias,
                             options_of(pare::requantization::double_rounding))
        .value();
static constexpr auto fc_floats = pare::make_static_linear(small.weights).value();

static_assert(fc_small.view().out_features == 10);

}  // namespace

TEST_CASE("static_linear: to the bit what quantize and pack_linear give") {
  const auto w = pare::view(large.weights);
  CHECK(pare_test::same_layer(
      fc_large.view(),
      made(w, pare::view(large.bias), options_of(pare::requantization::nearest)).view()));
  const auto v = pare::view(small.weights);
  CHECK(pare_test::same_layer(
      fc_small.view(),
      made(v, pare::view(small.bias), options_of(pare::requantization::double_rounding)).view()));
  CHECK(pare_test::same_layer(fc_floats.view(), made(v, {}, {}).view()));
}

TEST_CASE("static_linear: at run time too, for weights of any size") {
  pare_test::random_source random(3);
  for (int i = 0; i < 300; ++i) {
    const numbers<6, 33> n(random.bits());
    const auto layer =
        pare::make_static_linear(n.weights, n.bias, options_of(pare::requantization::onnx));
    REQUIRE(layer);
    CHECK(pare_test::same_layer(layer->view(), made(pare::view(n.weights), pare::view(n.bias),
                                                    options_of(pare::requantization::onnx))
                                                   .view()));
  }
}

TEST_CASE("static_linear: linear takes it") {
  const auto layer = made(pare::view(large.weights), pare::view(large.bias),
                          options_of(pare::requantization::nearest));
  const auto x = pare_test::random_codes<std::int8_t>({5, 64}, 4);
  pare::tensor<std::int8_t, 2> y({5, 64}), expected({5, 64});
  pare_test::for_each_isa([&](pare::isa) {
    CHECK(pare::linear(x.view(), fc_large.view(), y.view()) == status::ok);
    CHECK(pare::linear(x.view(), layer, expected.view()) == status::ok);
    CHECK(pare_test::equal(y, expected));
  });
}

TEST_CASE("static_linear: what is refused") {
  numbers<3, 4> n(5);
  n.weights[1][2] = std::numeric_limits<float>::quiet_NaN();
  const auto bad = pare::make_static_linear(n.weights, n.bias);
  CHECK(bad.status() == status::non_finite);
  CHECK(bad.error().position == 1);
  n.weights[1][2] = -std::numeric_limits<float>::infinity();
  CHECK(pare::make_static_linear(n.weights).status() == status::non_finite);
  n.weights[1][2] = 0.0f;
  pare::linear_options o;
  o.output = {0.1f, 0};
  CHECK(pare::make_static_linear(n.weights, o).status() == status::invalid_argument);
  o.input = {-0.1f, 0};
  CHECK(pare::make_static_linear(n.weights, n.bias, o).status() == status::out_of_range);
  n.bias[2] = std::numeric_limits<float>::infinity();
  CHECK(pare::make_static_linear(n.weights, n.bias).status() == status::non_finite);
}
