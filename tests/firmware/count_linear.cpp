// `linear` at the shapes of anchors.json, each in a region of its own.
#include <pare/kernels/linear.hpp>
#include <pare/kernels/low_bit_linear.hpp>

#include "board.hpp"

namespace {

using pare::index_t;

alignas(64) std::byte memory[128 * 1024];
std::int8_t weights[784 * 100];
float scales[128];
alignas(4) std::int8_t inputs[784];
alignas(4) std::int8_t outputs[128];

template <class Layer>
[[gnu::noinline]] void run(const Layer& layer, index_t in, index_t out) {
  using matrix = pare::dextents<index_t, 2>;
  CHECK(pare::linear(pare::tensor_view<const std::int8_t, matrix>(inputs, 1, in), layer,
                     pare::tensor_view<std::int8_t, matrix>(outputs, 1, out)));
}

using view = pare::affine_view<std::int8_t, pare::dextents<index_t, 2>>;

view weights_of(index_t in, index_t out) {
  return {pare::tensor_view<const std::int8_t, pare::dextents<index_t, 2>>(weights, out, in),
          pare::vector_view<const float>(scales, out),
          {},
          0};
}

pare::linear_options options() {
  pare::linear_options o;
  o.rule = pare::requantization::double_rounding;
  o.input = {0.05f, 3};
  o.output = {0.5f, -5};
  return o;
}

pare::packed_linear_view pack(index_t in, index_t out) {
  return *pare::pack_linear(weights_of(in, out), pare::vector_view<const float>(), options(),
                            pare::workspace(memory));
}

}  // namespace

int main() {
  board::random random(1);
  for (std::int8_t& w : weights) w = std::int8_t(random.between(-127, 127));
  for (std::int8_t& x : inputs) x = std::int8_t(random.between(-128, 127));
  for (float& s : scales) s = random.real(0.01f, 0.02f);
  run(pack(64, 10), 64, 10);
  const auto small = pack(64, 10);
  COUNT_BEGIN(0);
  run(small, 64, 10);
  COUNT_END(0);
  const auto middle = pack(256, 128);
  COUNT_BEGIN(1);
  run(middle, 256, 128);
  COUNT_END(1);
  const auto large = pack(784, 100);
  COUNT_BEGIN(2);
  run(large, 784, 100);
  COUNT_END(2);
  for (std::int8_t& w : weights) w = std::int8_t(random.between(-8, 7));
  const auto low_bit = *pare::pack_low_bit_linear(weights_of(256, 128), pare::low_bit::s4,
                                                  pare::vector_view<const float>(), options(),
                                                  pare::workspace(memory));
  COUNT_BEGIN(3);
  run(low_bit, 256, 128);
  COUNT_END(3);
  return 0;
}
