// `linear` with 256 -> 256 weights, dense and with three of four blocks pruned, each in a region of
// its own.
#include <pare/kernels/block_sparse_linear.hpp>

#include "board.hpp"

namespace {

using pare::index_t;
using matrix = pare::dextents<index_t, 2>;

constexpr index_t in = 256, out = 256;

alignas(64) std::byte memory[96 * 1024], scratch[2048];
std::int8_t weights[out * in];
float scales[out];
alignas(4) std::int8_t inputs[in];
alignas(4) std::int8_t outputs[out];

pare::affine_view<std::int8_t, matrix> view_of_weights() {
  return {pare::tensor_view<const std::int8_t, matrix>(weights, out, in),
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

template <class Layer>
[[gnu::noinline]] void run(const Layer& layer) {
  CHECK(pare::linear(pare::tensor_view<const std::int8_t, matrix>(inputs, 1, in), layer,
                     pare::tensor_view<std::int8_t, matrix>(outputs, 1, out),
                     pare::workspace(scratch)));
}

/// Of four blocks in a row, one stays.
pare::packed_sparse_linear_view prune_and_pack(std::int32_t block_rows, board::random& random) {
  for (index_t row = 0; row < out; row += block_rows) {
    for (index_t column = 0; column < in; column += 16) {
      const index_t stays = column + 4 * random.between(0, 3);
      for (index_t r = row; r < row + block_rows; ++r) {
        for (index_t c = column; c < column + 16; ++c) {
          const bool is_kept = c >= stays && c < stays + 4;
          weights[r * in + c] = std::int8_t(is_kept ? random.between(1, 127) : 0);
        }
      }
    }
  }
  return *pare::pack_sparse_linear(view_of_weights(), {block_rows, 4, 0},
                                   pare::vector_view<const float>(), options(),
                                   pare::workspace(memory));
}

}  // namespace

int main() {
  board::random random(1);
  for (std::int8_t& w : weights) w = std::int8_t(random.between(-127, 127));
  for (std::int8_t& x : inputs) x = std::int8_t(random.between(-128, 127));
  for (float& s : scales) s = random.real(0.01f, 0.02f);
  const auto dense = *pare::pack_linear(view_of_weights(), pare::vector_view<const float>(),
                                        options(), pare::workspace(memory));
  COUNT_BEGIN(0);
  run(dense);
  COUNT_END(0);
  const auto by_1 = prune_and_pack(1, random);
  COUNT_BEGIN(1);
  run(by_1);
  COUNT_END(1);
  const auto by_4 = prune_and_pack(4, random);
  COUNT_BEGIN(2);
  run(by_4);
  COUNT_END(2);
  return 0;
}
