// What becomes of accumulators, by all rules and far beyond what layers have: products without
// inputs, whose accumulators are their biases. Prints hashes as check_linear.cpp does.
#include <pare/kernels/linear.hpp>

#include "board.hpp"
#include "hash.hpp"

namespace {

constexpr pare::index_t columns = 150;

std::int32_t biases[columns + 2], sums[columns + 2], multipliers[columns + 2], shifts[columns + 2];
float factors[columns + 2];
std::uint8_t outputs[columns + 2];

std::int32_t any_accumulator(board::random& random) {
  constexpr std::int32_t special[] = {INT32_MIN, INT32_MIN + 1, -(1 << 30) - 1, -(1 << 30), -1, 0,
                                      1,         1 << 30,       INT32_MAX - 1,  INT32_MAX};
  if (random.between(0, 3) == 0) return special[random.between(0, 9)];
  // All sizes are as likely.
  return static_cast<std::int32_t>(random.next()) >> random.between(0, 31);
}

}  // namespace

int main() {
  board::random random(2);
  for (int i = 0; i < 400; ++i) {
    const bool is_extreme = random.between(0, 1) == 1;
    for (pare::index_t j = 0; j < columns + 2; ++j) {
      biases[j] = any_accumulator(random);
      multipliers[j] = static_cast<std::int32_t>(random.next() >> 2 | 1u << 30);
      if (random.between(0, 7) == 0)
        multipliers[j] = random.between(0, 1) == 0 ? 1 << 30 : INT32_MAX;
      shifts[j] = is_extreme ? random.between(-31, 30) : random.between(-12, 2);
      if (random.between(0, 15) == 0) multipliers[j] = shifts[j] = 0;
      factors[j] = static_cast<float>(multipliers[j]) * (1.0f / 2147483648.0f);
      for (std::int32_t s = shifts[j]; s < 0; ++s) factors[j] *= 0.5f;
      for (std::int32_t s = shifts[j]; s > 0; --s) factors[j] *= 2.0f;
      // Ties, for the float rules.
      if (random.between(0, 3) == 0) factors[j] = 0.5f, biases[j] = random.between(-300, 300);
    }
    pare::kernels::gemm_s8_args args;
    args.rows = 1;
    args.columns = random.between(1, columns);
    args.tile_columns = 4;
    args.sums = sums;
    args.bias_codes = biases;
    args.kind = pare::kernels::output_kind::q8;
    args.c = outputs;
    args.write = pare::detail::code_writer_of(pare::requantization(i % 4));
    args.c_stride = columns;
    args.rule = pare::requantization(i % 4);
    args.factors = factors;
    args.multipliers = multipliers;
    args.shifts = shifts;
    const bool is_signed = random.between(0, 1) == 1;
    const int least = is_signed ? -128 : 0, most = least + 255;
    args.zero_point = random.between(least, most);
    args.low = random.between(0, 1) == 0 ? least : args.zero_point;
    args.high = random.between(0, 1) == 0 ? most : random.between(int(args.low), most);
    for (std::uint8_t& output : outputs) output = 0x5a;
    pare::detail::linear_kernels_of(pare::isa::scalar)
        .gemm(args, {0, 1, 0, pare::detail::ceil_div(args.columns, 4)});
    board::print_hash(outputs, sizeof(outputs));
  }
  return 0;
}
