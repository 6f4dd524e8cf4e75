// A whole int8 network of depthwise-separable blocks with a residual sum, operator after operator:
// every instruction set gives the bits of the scalar code.
#include <pare/core/thread_team.hpp>
#include <pare/kernels/add.hpp>
#include <pare/kernels/global_average_pool.hpp>
#include <pare/kernels/pool.hpp>
#include <pare/kernels/softmax.hpp>
#include <pare/layers/conv2d.hpp>
#include <pare/layers/depthwise_conv2d.hpp>
#include <pare/layers/linear.hpp>
#include <pare/quantize/affine.hpp>

#include "support/check.hpp"
#include "support/isas.hpp"
#include "support/random.hpp"

namespace {

using pare::index_t;
using codes = pare::tensor<std::int8_t, 4>;

/// What a layer's codes mean. All layers here have the same scale and zero point.
constexpr pare::affine_params activations{0.05f, -20};

pare::affine per_channel() {
  pare::affine a;
  a.axis = 0;
  return a;
}

template <class Options>
Options with_window(const pare::window& w) {
  Options o;
  o.window = w;
  o.act = pare::activation::relu6;
  o.input = activations;
  o.output = activations;
  o.rule = pare::requantization::double_rounding;  // TensorFlow Lite's
  return o;
}

pare::tensor<float, 4> weights(index_t out, index_t in, index_t size, std::uint32_t seed) {
  auto w = pare_test::random_normal<float>({out, in, size, size}, seed);
  const float scale = 1.0f / std::sqrt(static_cast<float>(in * size * size));
  for (float& x : w) x *= scale;
  return w;
}

codes convolve(const codes& x, index_t out, index_t size, index_t stride, std::uint32_t seed,
               const pare::thread_team& team) {
  pare::window w{size, size, stride, stride};
  w = pare::same_padding(w, x.extent(1), x.extent(2)).value();
  const auto w8 = pare::quantize(weights(out, x.extent(3), size, seed).view(), per_channel());
  const auto bias = pare_test::random_normal<float>({out}, seed + 1);
  const auto layer =
      pare::pack_conv2d(w8.value().view(), bias.view(), with_window<pare::conv2d_options>(w))
          .value();
  pare::tensor<std::byte, 1> memory(
      {pare::conv2d_workspace_size(layer, x.extent(1), x.extent(2)).value()});
  codes y({x.extent(0), pare::output_height(w, x.extent(1)).value(),
           pare::output_width(w, x.extent(2)).value(), out});
  REQUIRE(pare::conv2d(x.view(), layer, y.view(), pare::workspace(memory.data(), memory.size()),
                       team) == pare::status::ok);
  return y;
}

codes convolve_depthwise(const codes& x, index_t stride, std::uint32_t seed,
                         const pare::thread_team& team) {
  pare::window w{3, 3, stride, stride};
  w = pare::same_padding(w, x.extent(1), x.extent(2)).value();
  const index_t channels = x.extent(3);
  const auto w8 = pare::quantize(weights(channels, 1, 3, seed).view(), per_channel());
  const auto bias = pare_test::random_normal<float>({channels}, seed + 1);
  const auto layer = pare::pack_depthwise_conv2d(w8.value().view(), bias.view(),
                                                 with_window<pare::depthwise_conv2d_options>(w))
                         .value();
  codes y({x.extent(0), pare::output_height(w, x.extent(1)).value(),
           pare::output_width(w, x.extent(2)).value(), channels});
  REQUIRE(pare::depthwise_conv2d(x.view(), layer, y.view(), team) == pare::status::ok);
  return y;
}

/// Images to the codes of ten probabilities.
pare::tensor<std::int8_t, 2> run(const codes& images, const pare::thread_team& team) {
  codes x = convolve(images, 16, 3, 2, 1, team);
  x = convolve(convolve_depthwise(x, 1, 2, team), 40, 1, 1, 3, team);
  x = convolve(convolve_depthwise(x, 2, 4, team), 64, 1, 1, 5, team);

  const codes branch = convolve(convolve_depthwise(x, 1, 6, team), 64, 1, 1, 7, team);
  const auto sum_params =
      pare::make_add_params<std::int8_t>(activations, activations, activations).value();
  codes sum({x.extent(0), x.extent(1), x.extent(2), x.extent(3)});
  REQUIRE(pare::add(x.view(), branch.view(), sum_params, sum.view()) == pare::status::ok);

  const auto mean_params =
      pare::make_global_average_pool_params<std::int8_t>(activations, activations).value();
  pare::tensor<std::int8_t, 2> mean({x.extent(0), 64});
  REQUIRE(pare::global_average_pool(sum.view(), mean_params, mean.view()) == pare::status::ok);

  const auto w8 =
      pare::quantize(pare_test::random_normal<float>({10, 64}, 8).view(), per_channel());
  pare::linear_options o;
  o.input = activations;
  o.output = {0.2f, 3};
  const auto bias = pare_test::random_normal<float>({10}, 9);
  const auto layer = pare::pack_linear(w8.value().view(), bias.view(), o).value();
  pare::tensor<std::int8_t, 2> logits({x.extent(0), 10}), y({x.extent(0), 10});
  REQUIRE(pare::linear(mean.view(), layer, logits.view()) == pare::status::ok);
  // Ten times flatter than the scale says, so that no class takes all.
  REQUIRE(pare::softmax(logits.view(), pare::make_softmax_params(0.02f).value(), y.view()) ==
          pare::status::ok);
  return y;
}

}  // namespace

TEST_CASE("a network gives the same bits on every instruction set and for any number of threads") {
  auto images = pare_test::random_codes<std::int8_t>({3, 33, 29, 3}, 42);
  const index_t pixels = 33 * 29 * 3;
  for (index_t j = 0; j < pixels; ++j) {  // noise, a ramp, and black
    images.data()[pixels + j] = static_cast<std::int8_t>(j * 255 / pixels - 128);
    images.data()[2 * pixels + j] = -128;
  }
  pare::tensor<std::int8_t, 2> scalar;
  pare_test::for_each_isa([&](pare::isa i) {
    for (const int threads : {1, 3}) {
      const pare::thread_team team(threads);
      auto y = run(images, team);
      if (i == pare::isa::scalar && threads == 1) {
        // Probabilities: they differ from image to image, and sum up to about one.
        for (index_t row = 0; row < 3; ++row) {
          int sum = 0;
          for (index_t c = 0; c < 10; ++c) sum += y(row, c) + 128;
          CHECK(sum > 240);
          CHECK(sum < 270);
        }
        CHECK_FALSE(std::equal(y.begin(), y.begin() + 10, y.begin() + 10));
        scalar = std::move(y);
      } else {
        CHECK(pare_test::equal(y, scalar));
      }
    }
  });
}
