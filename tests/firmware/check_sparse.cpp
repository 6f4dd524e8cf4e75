// `linear` with block-sparse weights over random layers, as check_linear.cpp has it for dense ones.
#include <pare/kernels/block_sparse_linear.hpp>

#include "board.hpp"
#include "hash.hpp"

namespace {

using pare::index_t;
using matrix = pare::dextents<index_t, 2>;

constexpr index_t most_in = 1100, most_out = 150, most_rows = 3, gap = 3;

alignas(64) std::byte memory[192 * 1024], scratch[16 * 1024];
std::int8_t weights[32 * 1024];
std::uint8_t inputs[most_rows * (most_in + gap)];
float reals[most_rows * (most_in + gap)];
std::int32_t outputs[most_rows * (most_out + gap)];
float scales[most_out], bias[most_out];

struct shape {
  index_t rows, in, out;
};

template <class X, class Y>
void run(const shape& s, const X* from, const pare::packed_sparse_linear_view& layer) {
  using strided = pare::layout_stride;
  const pare::tensor_view<const X, matrix, strided> x(
      from, strided::mapping<matrix>(matrix(s.rows, s.in), {s.in + gap, 1}));
  const pare::tensor_view<Y, matrix, strided> y(
      reinterpret_cast<Y*>(outputs),
      strided::mapping<matrix>(matrix(s.rows, s.out), {s.out + gap, 1}));
  for (std::int32_t& output : outputs) output = 0x5a5a5a5a;
  const auto bytes = pare::sparse_linear_workspace_size<X>(layer, s.rows);
  CHECK(bytes && *bytes <= static_cast<index_t>(sizeof(scratch)));
  if (sizeof(X) == 1 && *bytes > 0) {
    CHECK(!pare::linear(x, layer, y, pare::workspace(scratch, *bytes - 1)));
    CHECK(outputs[0] == 0x5a5a5a5a);
  }
  CHECK(pare::linear(x, layer, y, pare::workspace(scratch, *bytes)));
  board::print_hash(outputs, sizeof(outputs));
}

template <class X>
void run_all(const shape& s, const pare::packed_sparse_linear_view& layer, bool y_is_signed) {
  const auto* x = reinterpret_cast<const X*>(inputs);
  run<X, std::int32_t>(s, x, layer);
  run<X, float>(s, x, layer);
  if (y_is_signed) {
    run<X, std::int8_t>(s, x, layer);
  } else {
    run<X, std::uint8_t>(s, x, layer);
  }
}

/// Any weights, scales and options for a shape; of 64 blocks, `kept` stay.
void check(const shape& s, pare::bcsr_shape blocks, int kept, board::random& random) {
  const bool has_extremes = random.between(0, 3) == 0;
  const auto code = [&](int low, int high) {
    return has_extremes ? (random.between(0, 1) == 0 ? low : high) : random.between(low, high);
  };
  for (index_t i = 0; i < s.in * s.out; ++i) weights[i] = 0;
  for (index_t row = 0; row < s.out; row += blocks.block_rows) {
    for (index_t column = 0; column < s.in; column += 4) {
      if (random.between(0, 63) >= kept) continue;
      for (index_t r = row; r < row + blocks.block_rows && r < s.out; ++r) {
        for (index_t c = column; c < column + 4 && c < s.in; ++c) {
          weights[r * s.in + c] = std::int8_t(code(-128, 127));
        }
      }
    }
  }
  for (std::uint8_t& input : inputs) input = std::uint8_t(code(0, 255));
  for (float& x : reals) x = random.real(-3.0f, 5.0f);
  for (index_t i = 0; i < s.out; ++i) {
    scales[i] = random.real(0.001f, 0.1f);
    bias[i] = random.real(-10.0f, 10.0f);
  }
  const bool x_is_signed = random.between(0, 1) == 1, y_is_signed = random.between(0, 1) == 1;
  pare::linear_options options;
  options.act = pare::activation(random.between(0, 2));
  options.rule = pare::requantization(random.between(0, 3));
  options.input = {random.real(0.01f, 0.1f),
                   x_is_signed ? random.between(-128, 127) : random.between(0, 255)};
  const int size = random.between(-4, 14);
  options.output = {size < 0 ? 0.0001f : 0.001f * static_cast<float>(1 << size),
                    y_is_signed ? random.between(-128, 127) : random.between(0, 255)};
  const pare::affine_view<std::int8_t, matrix> w{
      pare::tensor_view<const std::int8_t, matrix>(weights, s.out, s.in),
      pare::vector_view<const float>(scales, s.out),
      {},
      0};
  const bool has_bias = random.between(0, 3) != 0;
  const pare::vector_view<const float> b(bias, has_bias ? s.out : 0);
  const auto layer = pare::pack_sparse_linear(w, blocks, b, options, pare::workspace(memory));
  CHECK(layer);
  if (x_is_signed) {
    run_all<std::int8_t>(s, *layer, y_is_signed);
  } else {
    run_all<std::uint8_t>(s, *layer, y_is_signed);
  }
  run<float, float>(s, reals, *layer);
}

}  // namespace

int main() {
  board::random random(1);
  for (const std::int32_t block_rows : {1, 4, 16}) {
    // Any number of blocks in a line, from none to all.
    for (index_t in = 0; in < 72; ++in) {
      const index_t k_block = random.between(0, 2) * 16;
      check({1 + in % most_rows, in, 1 + in % 37}, {block_rows, 4, k_block}, random.between(0, 64),
            random);
    }
    // More outputs than are summed at once, and K-blocks as they are chosen.
    check({2, 130, 150}, {block_rows, 4, 0}, 20, random);
    check({2, 201, 129}, {block_rows, 4, 64}, 20, random);
    check({1, 1100, 29}, {block_rows, 4, 0}, 32, random);
  }
  return 0;
}
