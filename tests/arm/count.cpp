// Operators at the shapes of run.py with one instruction set, each in a region whose instructions
// are counted (tests/firmware/count_instructions.c).
//
//     count dotprod
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <pare/inference.hpp>

namespace {

using pare::index_t;
using matrix = pare::dextents<index_t, 2>;
using image = pare::dextents<index_t, 4>;

void check(pare::status done, const char* what) {
  if (done) return;
  std::fprintf(stderr, "count: %s\n", what);
  std::exit(1);
}

// Marks: hints that do nothing.
#if defined(__aarch64__)
#define COUNT_BEGIN(number) __asm__ volatile("hint #64 + %c0" ::"i"(number) : "memory")
#define COUNT_END(number) __asm__ volatile("hint #96 + %c0" ::"i"(number) : "memory")
#else
#define COUNT_BEGIN(number) __asm__ volatile(".inst.w 0xf3af80e0 + %c0" ::"i"(number) : "memory")
#define COUNT_END(number) __asm__ volatile(".inst.w 0xf3af80d0 + %c0" ::"i"(number) : "memory")
#endif

constexpr index_t rows = 128, in = 1024, out = 1024;

alignas(64) std::byte memory[4 * out * in];
alignas(64) std::byte scratch[256 * 1024];
std::int8_t weights[out * in];
float scales[out * in / 32];
std::int8_t inputs[rows * in], more[rows * in];
float reals[rows * in], real_weights[out * in];
alignas(64) std::byte more_scratch[4 * rows * in];
alignas(4) std::byte outputs[4 * rows * out];

/// Numbers by chance (Marsaglia, "Xorshift RNGs", 2003).
std::uint32_t state = 1;
int between(int first, int last) {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return first + static_cast<int>(state % static_cast<unsigned>(last - first + 1));
}

void fill_weights(int least, int most) {
  for (std::int8_t& w : weights) w = static_cast<std::int8_t>(between(least, most));
}

pare::affine_view<std::int8_t, matrix> view_of_weights() {
  return {pare::tensor_view<const std::int8_t, matrix>(weights, out, in),
          pare::vector_view<const float>(scales, out),
          {},
          0};
}

template <class Options>
Options options() {
  Options o;
  o.rule = pare::requantization::double_rounding;
  o.input = {0.05f, 3};
  o.output = {0.5f, -5};
  return o;
}

template <class X>
pare::tensor_view<const X, matrix> x_of(const X* data, index_t n) {
  return pare::tensor_view<const X, matrix>(data, n, in);
}
template <class Y>
pare::tensor_view<Y, matrix> y_of(index_t n) {
  return pare::tensor_view<Y, matrix>(reinterpret_cast<Y*>(outputs), n, out);
}

/// Codes in, codes out: many rows and one.
template <int First, class Layer>
void run_linear(const Layer& layer) {
  COUNT_BEGIN(First);
  check(pare::linear(x_of(inputs, rows), layer, y_of<std::int8_t>(rows)), "linear");
  COUNT_END(First);
  COUNT_BEGIN(First + 1);
  check(pare::linear(x_of(inputs, 1), layer, y_of<std::int8_t>(1)), "linear");
  COUNT_END(First + 1);
}

void run_low_bit_and_grouped() {
  const pare::vector_view<const float> no_bias;
  const auto options_of_linear = options<pare::linear_options>();
  fill_weights(-8, 7);
  run_linear<3>(*pare::pack_low_bit_linear(view_of_weights(), pare::low_bit::s4, no_bias,
                                           options_of_linear, pare::workspace(memory)));
  pare::grouped_view<float, matrix> grouped;
  grouped.codes = pare::tensor_view<const std::int8_t, matrix>(weights, out, in);
  grouped.scales = pare::matrix_view<const float>(scales, out, in / 32);
  const auto layer = *pare::pack_grouped_linear(grouped, 4, no_bias, {}, pare::workspace(memory));
  COUNT_BEGIN(7);
  check(pare::linear(x_of(reals, rows), layer, y_of<float>(rows), pare::workspace(scratch)),
        "grouped linear");
  COUNT_END(7);
  COUNT_BEGIN(8);
  check(pare::linear(x_of(reals, 1), layer, y_of<float>(1), pare::workspace(scratch)),
        "grouped linear");
  COUNT_END(8);
  fill_weights(-2, 1);
  run_linear<5>(*pare::pack_low_bit_linear(view_of_weights(), pare::low_bit::s2, no_bias,
                                           options_of_linear, pare::workspace(memory)));
}

void run_depthwise() {
  auto o = options<pare::depthwise_conv2d_options>();
  o.window.pad_top = o.window.pad_bottom = o.window.pad_left = o.window.pad_right = 1;
  const pare::affine_view<std::int8_t, image> w = {
      pare::tensor_view<const std::int8_t, image>(weights, 64, 1, 3, 3),
      pare::vector_view<const float>(scales, 64),
      {},
      0};
  const auto layer =
      *pare::pack_depthwise_conv2d(w, pare::vector_view<const float>(), o, pare::workspace(memory));
  const pare::tensor_view<const std::int8_t, image> x(inputs, 1, 32, 32, 64);
  const pare::tensor_view<std::int8_t, image> y(reinterpret_cast<std::int8_t*>(outputs), 1, 32, 32,
                                                64);
  COUNT_BEGIN(9);
  check(pare::depthwise_conv2d(x, layer, y), "depthwise_conv2d");
  COUNT_END(9);
}

void run_elementwise() {
  const pare::tensor_view<const std::int8_t, image> a(inputs, 1, 32, 32, 64),
      b(more, 1, 32, 32, 64);
  auto* const to = reinterpret_cast<std::int8_t*>(outputs);
  const pare::tensor_view<std::int8_t, image> y(to, 1, 32, 32, 64), half(to, 1, 16, 16, 64);
  const auto sum = *pare::make_add_params<std::int8_t>({0.1f, 3}, {0.07f, -4}, {0.12f, 5});
  COUNT_BEGIN(10);
  check(pare::add(a, b, sum, y), "add");
  COUNT_END(10);
  const auto codes = *pare::make_requantize_params<std::int8_t>({0.1f, 3}, {0.12f, 5});
  COUNT_BEGIN(11);
  check(pare::requantize(a, codes, y), "requantize");
  COUNT_END(11);
  const pare::window w{2, 2, 2, 2};
  COUNT_BEGIN(12);
  check(pare::max_pool(a, w, half), "max_pool");
  COUNT_END(12);
  COUNT_BEGIN(13);
  check(pare::average_pool(a, w, half), "average_pool");
  COUNT_END(13);
}

/// Of four blocks in a row, one stays.
void prune(std::int32_t block_rows, std::int32_t block_columns) {
  const index_t group = 4 * block_columns;
  for (index_t row = 0; row < out; row += block_rows) {
    for (index_t column = 0; column < in; column += group) {
      const index_t stays = between(0, 3);
      for (index_t r = row; r < row + block_rows; ++r) {
        for (index_t i = 0; i < group; ++i) {
          const bool is_kept = i / block_columns == stays;
          weights[r * in + column + i] = static_cast<std::int8_t>(is_kept ? between(1, 127) : 0);
        }
      }
    }
  }
}

template <int Number>
void run_sparse(std::int32_t block_rows, index_t n) {
  prune(block_rows, 4);
  const auto layer = *pare::pack_sparse_linear(
      view_of_weights(), {block_rows, 4, 0}, pare::vector_view<const float>(),
      options<pare::linear_options>(), pare::workspace(memory));
  COUNT_BEGIN(Number);
  check(pare::linear(x_of(inputs, n), layer, y_of<std::int8_t>(n), pare::workspace(scratch)),
        "sparse linear");
  COUNT_END(Number);
}

template <int Number>
void run_sparse_floats(std::int32_t block_rows, index_t n) {
  prune(block_rows, 1);
  for (index_t i = 0; i < out * in; ++i) real_weights[i] = static_cast<float>(weights[i]);
  const auto w = *pare::make_bcsr(pare::tensor_view<const float, matrix>(real_weights, out, in),
                                  {block_rows, 1, pare::f32_k_block(block_rows, 0.25f)},
                                  pare::workspace(memory));
  COUNT_BEGIN(Number);
  check(pare::linear(x_of(reals, n), w, pare::vector_view<const float>(), y_of<float>(n),
                     pare::workspace(more_scratch)),
        "sparse linear");
  COUNT_END(Number);
}

}  // namespace

int main(int argc, char** argv) {
  for (const pare::isa i : pare::all_isas) {
    if (argc == 2 && std::strcmp(argv[1], pare::name(i)) == 0)
      check(pare::set_active_isa(i), "this machine has no such instruction set");
  }
  if (argc != 2 || std::strcmp(argv[1], pare::name(pare::active_isa())) != 0) {
    std::fprintf(stderr, "count: name an instruction set\n");
    return 1;
  }
  for (std::int8_t& x : inputs) x = static_cast<std::int8_t>(between(-128, 127));
  for (std::int8_t& x : more) x = static_cast<std::int8_t>(between(-128, 127));
  for (float& x : reals) x = static_cast<float>(between(-100, 100));
  for (float& s : scales) s = static_cast<float>(between(1, 100)) * 0.0001f;
  fill_weights(-127, 127);
  const auto layer = *pare::pack_linear(view_of_weights(), pare::vector_view<const float>(),
                                        options<pare::linear_options>(), pare::workspace(memory));
  COUNT_BEGIN(0);
  check(pare::linear(x_of(inputs, rows), layer, y_of<std::int32_t>(rows)), "linear");
  COUNT_END(0);
  run_linear<1>(layer);
  run_low_bit_and_grouped();
  run_depthwise();
  run_elementwise();
  run_sparse<14>(4, rows);
  run_sparse<15>(1, rows);
  run_sparse<16>(16, 1);
  run_sparse_floats<17>(1, rows);
  run_sparse_floats<18>(4, rows);
  run_sparse_floats<19>(16, 1);
}
