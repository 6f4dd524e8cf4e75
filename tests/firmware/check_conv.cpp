// `conv2d` and `depthwise_conv2d` over random layers; see check_linear.cpp.
#include <pare/kernels/conv2d.hpp>
#include <pare/kernels/depthwise_conv2d.hpp>

#include "board.hpp"
#include "hash.hpp"

namespace {

using pare::index_t;
using image = pare::dextents<index_t, 4>;

constexpr index_t most_channels = 40;

alignas(64) std::byte memory[64 * 1024];
alignas(64) std::byte scratch[64 * 1024];
std::int8_t weights[most_channels * most_channels * 25];
alignas(4) std::uint8_t inputs[2 * 12 * 12 * (most_channels + 3)];
std::int32_t outputs[2 * 16 * 16 * most_channels];
float scales[most_channels], bias[most_channels];

/// A layer of either kind, and what it is run on.
struct layer_case {
  index_t images, height, width, in, out;
  index_t gap;  ///< between pixels
  bool x_is_signed, y_is_signed;
};

template <class X, class Y, class Layer>
void run(const layer_case& c, const Layer& layer) {
  using strided = pare::layout_stride;
  const index_t pixel = c.in + c.gap, row = c.width * pixel;
  const pare::tensor_view<const X, image, strided> x(
      reinterpret_cast<const X*>(inputs),
      strided::mapping<image>(image(c.images, c.height, c.width, c.in),
                              {c.height * row, row, pixel, 1}));
  const pare::tensor_view<Y, image> y(reinterpret_cast<Y*>(outputs), c.images,
                                      *pare::output_height(layer.window, c.height),
                                      *pare::output_width(layer.window, c.width), c.out);
  CHECK(y.size() <= index_t(sizeof(outputs) / 4));
  for (std::int32_t& output : outputs) output = 0x5a5a5a5a;
  if constexpr (std::is_same_v<Layer, pare::packed_conv2d_view>) {
    CHECK(pare::conv2d(x, layer, y, pare::workspace(scratch)));
  } else {
    CHECK(pare::depthwise_conv2d(x, layer, y));
  }
  board::print_hash(outputs, sizeof(outputs));
}

template <class X, class Layer>
void run_signed(const layer_case& c, const Layer& layer) {
  run<X, std::int32_t>(c, layer);
  run<X, float>(c, layer);
  if (c.y_is_signed) {
    run<X, std::int8_t>(c, layer);
  } else {
    run<X, std::uint8_t>(c, layer);
  }
}

template <class Layer>
void run_all(const layer_case& c, const Layer& layer) {
  if (c.x_is_signed) {
    run_signed<std::int8_t>(c, layer);
  } else {
    run_signed<std::uint8_t>(c, layer);
  }
}

void check(board::random& random) {
  layer_case c{};
  pare::window w;
  do {
    w.height = random.between(1, 5);
    w.width = random.between(1, 5);
    if (random.between(0, 1) == 0) w.height = w.width = 3;
    w.stride_y = random.between(1, 2);
    w.stride_x = random.between(1, 3);
    w.dilation_y = random.between(0, 3) == 0 ? 2 : 1;
    w.dilation_x = random.between(0, 3) == 0 ? 2 : 1;
    w.pad_top = random.between(0, 2);
    w.pad_bottom = random.between(0, 2);
    w.pad_left = random.between(0, 2);
    w.pad_right = random.between(0, 2);
    c.images = random.between(1, 2);
    c.height = random.between(1, 12);
    c.width = random.between(1, 12);
  } while (!pare::output_height(w, c.height) || !pare::output_width(w, c.width));
  c.gap = random.between(0, 2) == 0 ? random.between(1, 3) : 0;
  c.x_is_signed = random.between(0, 1) == 1;
  c.y_is_signed = random.between(0, 1) == 1;

  const bool has_extremes = random.between(0, 3) == 0;
  const auto code = [&](int low, int high) {
    return has_extremes ? (random.between(0, 1) == 0 ? low : high) : random.between(low, high);
  };
  for (std::int8_t& weight : weights) weight = std::int8_t(code(-128, 127));
  for (std::uint8_t& input : inputs) input = std::uint8_t(code(0, 255));
  for (float& s : scales) s = random.real(0.001f, 0.1f);
  for (float& b : bias) b = random.real(-10.0f, 10.0f);
  const auto act = pare::activation(random.between(0, 2));
  const auto rule = pare::requantization(random.between(0, 3));
  const pare::affine_params input{
      random.real(0.01f, 0.1f), c.x_is_signed ? random.between(-128, 127) : random.between(0, 255)};
  const pare::affine_params output{
      0.001f * static_cast<float>(1 << random.between(0, 12)),
      c.y_is_signed ? random.between(-128, 127) : random.between(0, 255)};
  const auto layer_of = [&](index_t group_inputs) {
    return pare::affine_view<std::int8_t, image>{
        pare::tensor_view<const std::int8_t, image>(weights, c.out, group_inputs, w.height,
                                                    w.width),
        pare::vector_view<const float>(scales, c.out),
        {},
        0};
  };

  const index_t groups = random.between(0, 3) == 0 ? 2 : 1;
  c.in = groups * random.between(1, 12);
  c.out = groups * random.between(1, 12);
  pare::conv2d_options conv;
  conv.window = w;
  conv.groups = groups;
  conv.act = act, conv.rule = rule, conv.input = input, conv.output = output;
  const auto dense =
      pare::pack_conv2d(layer_of(c.in / groups), pare::vector_view<const float>(bias, c.out), conv,
                        pare::workspace(memory));
  CHECK(dense);
  run_all(c, *dense);

  pare::depthwise_conv2d_options depthwise;
  depthwise.window = w;
  depthwise.multiplier = random.between(0, 3) == 0 ? 2 : 1;
  c.in = random.between(1, int(most_channels / depthwise.multiplier));
  c.out = c.in * depthwise.multiplier;
  depthwise.act = act, depthwise.rule = rule, depthwise.input = input, depthwise.output = output;
  const auto thin = pare::pack_depthwise_conv2d(
      layer_of(1), pare::vector_view<const float>(bias, c.out), depthwise, pare::workspace(memory));
  CHECK(thin);
  run_all(c, *thin);
}

}  // namespace

int main() {
  board::random random(3);
  for (int i = 0; i < 150; ++i) check(random);
  return 0;
}
