// Convolutions at the shapes of run.py, each in a region of its own.
#include <pare/kernels/conv2d.hpp>
#include <pare/kernels/depthwise_conv2d.hpp>

#include "board.hpp"

namespace {

using pare::index_t;
using image = pare::dextents<index_t, 4>;

alignas(64) std::byte memory[32 * 1024];
alignas(64) std::byte scratch[32 * 1024];
std::int8_t weights[64 * 64];
float scales[64];
alignas(4) std::int8_t inputs[16 * 16 * 32];
alignas(4) std::int8_t outputs[16 * 16 * 64];

pare::affine_view<std::int8_t, image> weights_of(index_t out, index_t in, index_t size) {
  return {pare::tensor_view<const std::int8_t, image>(weights, out, in, size, size),
          pare::vector_view<const float>(scales, out),
          {},
          0};
}

template <class Options>
Options options_of(index_t pad) {
  Options o;
  o.window.pad_top = o.window.pad_bottom = o.window.pad_left = o.window.pad_right = pad;
  o.rule = pare::requantization::double_rounding;
  o.input = {0.05f, 3};
  o.output = {0.5f, -5};
  return o;
}

pare::tensor_view<const std::int8_t, image> x_of(index_t size, index_t channels) {
  return pare::tensor_view<const std::int8_t, image>(inputs, 1, size, size, channels);
}
pare::tensor_view<std::int8_t, image> y_of(index_t size, index_t channels) {
  return pare::tensor_view<std::int8_t, image>(outputs, 1, size, size, channels);
}

[[gnu::noinline]] void conv(index_t size, index_t in, index_t out,
                            const pare::packed_conv2d_view& layer) {
  CHECK(pare::conv2d(x_of(size, in), layer, y_of(size, out), pare::workspace(scratch)));
}

[[gnu::noinline]] void depthwise(index_t size, index_t channels,
                                 const pare::packed_depthwise_view& layer) {
  CHECK(pare::depthwise_conv2d(x_of(size, channels), layer, y_of(size, channels)));
}

}  // namespace

int main() {
  board::random random(1);
  for (std::int8_t& w : weights) w = std::int8_t(random.between(-127, 127));
  for (std::int8_t& x : inputs) x = std::int8_t(random.between(-128, 127));
  for (float& s : scales) s = random.real(0.01f, 0.02f);
  const pare::vector_view<const float> no_bias;
  const auto pointwise = *pare::pack_conv2d(
      weights_of(64, 64, 1), no_bias, options_of<pare::conv2d_options>(0), pare::workspace(memory));
  COUNT_BEGIN(0);
  conv(8, 64, 64, pointwise);
  COUNT_END(0);
  // 4608 weights: those that are there, again.
  static std::int8_t many[32 * 16 * 9];
  for (index_t i = 0; i < index_t(sizeof(many)); ++i) many[i] = weights[i % sizeof(weights)];
  auto w = weights_of(32, 16, 3);
  w.codes = pare::tensor_view<const std::int8_t, image>(many, 32, 16, 3, 3);
  const auto square =
      *pare::pack_conv2d(w, no_bias, options_of<pare::conv2d_options>(1), pare::workspace(memory));
  COUNT_BEGIN(1);
  conv(16, 16, 32, square);
  COUNT_END(1);
  const auto thin = *pare::pack_depthwise_conv2d(weights_of(32, 1, 3), no_bias,
                                                 options_of<pare::depthwise_conv2d_options>(1),
                                                 pare::workspace(memory));
  COUNT_BEGIN(2);
  depthwise(16, 32, thin);
  COUNT_END(2);
  return 0;
}
