// `linear` with weights of 8, 4 and 2 bits over random layers. Prints a hash of each layer's outputs:
// run.py compares those of this build with those of the scalar code (PARE_NO_SIMD), bit for bit.
#include <pare/kernels/linear.hpp>
#include <pare/kernels/low_bit_linear.hpp>

#include "board.hpp"
#include "hash.hpp"

namespace {

constexpr pare::index_t most_in = 1200, most_out = 40, most_rows = 5, gap = 3;

alignas(64) std::byte memory[most_in * (most_out + 24) + 64 * 1024];
std::int8_t weights[most_in * most_out];
std::uint8_t inputs[most_rows * (most_in + gap)];
std::int32_t outputs[most_rows * (most_out + gap)];
float scales[most_out], bias[most_out];
std::int32_t zero_points[most_out];

using pare::index_t;
using matrix = pare::dextents<index_t, 2>;

struct shape {
  index_t rows, in, out;
};

template <class X, class Y, class Layer>
void run(const shape& s, const Layer& layer) {
  using strided = pare::layout_stride;
  const pare::tensor_view<const X, matrix, strided> x(
      reinterpret_cast<const X*>(inputs),
      strided::mapping<matrix>(matrix(s.rows, s.in), {s.in + gap, 1}));
  const pare::tensor_view<Y, matrix, strided> y(
      reinterpret_cast<Y*>(outputs),
      strided::mapping<matrix>(matrix(s.rows, s.out), {s.out + gap, 1}));
  // What lies between the rows must stay as it is.
  for (std::int32_t& output : outputs) output = 0x5a5a5a5a;
  CHECK(pare::linear(x, layer, y));
  board::print_hash(outputs, sizeof(outputs));
}

template <class X, class Layer>
void run_all(const shape& s, const Layer& layer, bool y_is_signed) {
  run<X, std::int32_t>(s, layer);
  run<X, float>(s, layer);
  if (y_is_signed) {
    run<X, std::int8_t>(s, layer);
  } else {
    run<X, std::uint8_t>(s, layer);
  }
}

template <class Layer>
void run_all(const shape& s, const Layer& layer, bool x_is_signed, bool y_is_signed) {
  if (x_is_signed) {
    run_all<std::int8_t>(s, layer, y_is_signed);
  } else {
    run_all<std::uint8_t>(s, layer, y_is_signed);
  }
}

/// Any weights, scales and options for a shape.
void check(const shape& s, board::random& random) {
  const bool has_extremes = random.between(0, 3) == 0;
  const auto code = [&](int low, int high) {
    return has_extremes ? (random.between(0, 1) == 0 ? low : high) : random.between(low, high);
  };
  for (index_t i = 0; i < s.in * s.out; ++i) weights[i] = std::int8_t(code(-128, 127));
  for (std::uint8_t& input : inputs) input = std::uint8_t(code(0, 255));
  const bool has_zero_points = random.between(0, 1) == 1;
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
  // From outputs that all saturate to outputs that are all but zero, and factors above one.
  const int size = random.between(-4, 14);
  options.output = {size < 0 ? 0.0001f : 0.001f * static_cast<float>(1 << size),
                    y_is_signed ? random.between(-128, 127) : random.between(0, 255)};

  const pare::affine_view<std::int8_t, matrix> w8{
      pare::tensor_view<const std::int8_t, matrix>(weights, s.out, s.in),
      pare::vector_view<const float>(scales, s.out),
      {},
      0};
  const pare::vector_view<const float> b(bias, s.out);
  const auto layer = pare::pack_linear(w8, b, options, pare::workspace(memory));
  CHECK(layer);
  const auto choice = pare::explain_linear(*layer, s.rows);
  CHECK(choice.tile_columns == 4 && (choice.is_fastest || s.in < 4));
#if PARE_DSP_KERNELS || PARE_MVE_KERNELS
  CHECK(choice.tile_rows == (s.rows > 1 ? 2 : 1) && choice.kernel[8] == '2');
  auto other = *layer;
  other.tile_columns = 16;
  CHECK(!pare::explain_linear(other, s.rows).is_fastest);
#endif
  run_all(s, *layer, x_is_signed, y_is_signed);

  const auto kind = pare::low_bit(random.between(0, 2));
  const int least = kind == pare::low_bit::s4 ? -8 : kind == pare::low_bit::s2 ? -2 : -1;
  const int most = kind == pare::low_bit::s4 ? 7 : 1;
  for (index_t i = 0; i < s.in * s.out; ++i) weights[i] = std::int8_t(code(least, most));
  for (std::int32_t& z : zero_points) z = has_zero_points ? random.between(least, most) : 0;
  auto w = w8;
  w.zero_points = pare::vector_view<const std::int32_t>(zero_points, s.out);
  const auto small = pare::pack_low_bit_linear(w, kind, b, options, pare::workspace(memory));
  CHECK(small);
  run_all(s, *small, x_is_signed, y_is_signed);
}

}  // namespace

int main() {
  board::random random(1);
  for (index_t in = 0; in < 40; ++in) check({1 + in % most_rows, in, 1 + in % 11}, random);
  // Around what the buffer of unpacked activations takes.
  for (const index_t in : {508, 511, 512, 513, 516, 1021, 1024, 1025, 1030, 1200}) {
    for (const index_t rows : {1, 2, 3}) check({rows, in, 9}, random);
  }
  for (int i = 0; i < 60; ++i) {
    check({random.between(1, most_rows), random.between(1, 200), random.between(1, most_out)},
          random);
  }
  return 0;
}
