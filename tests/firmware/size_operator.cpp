// One operator alone, named by the macro OPERATOR: run.py says what it adds to `nothing`.
//
// As in firmware, where a layer is a constant, the compiler knows its requantization rule (TensorFlow
// Lite's) and activation; shapes, windows and all else it does not know.
#include <pare/kernels/add.hpp>
#include <pare/kernels/conv2d.hpp>
#include <pare/kernels/depthwise_conv2d.hpp>
#include <pare/kernels/global_average_pool.hpp>
#include <pare/kernels/linear.hpp>
#include <pare/kernels/low_bit_linear.hpp>
#include <pare/kernels/pool.hpp>
#include <pare/kernels/softmax.hpp>
#include <pare/kernels/table.hpp>

#include "board.hpp"

namespace {

template <std::size_t Rank>
using input = pare::tensor_view<const std::int8_t, pare::dextents<pare::index_t, Rank>>;
template <std::size_t Rank>
using output = pare::tensor_view<std::int8_t, pare::dextents<pare::index_t, Rank>>;

/// All that the compiler must not know.
struct unknown {
  input<2> rows, other_rows;
  output<2> out_rows;
  input<4> images;
  output<4> out_images;
  pare::packed_linear_view linear;
  pare::packed_low_bit_linear_view low_bit;
  pare::packed_conv2d_view conv;
  pare::packed_depthwise_view depthwise;
  pare::window window;
  pare::softmax_params softmax;
  pare::add_params<std::int8_t> add;
  pare::global_average_pool_params<std::int8_t> average;
  const pare::code_table<std::int8_t>* table;
  pare::workspace scratch;
};

constexpr auto rule = pare::requantization::double_rounding;
constexpr auto act = pare::activation::relu;

[[maybe_unused]] bool nothing(unknown&) { return true; }
[[maybe_unused]] bool linear_s8(unknown& u) {
  u.linear.options.rule = rule, u.linear.options.act = act;
  return bool(pare::linear(u.rows, u.linear, u.out_rows));
}
[[maybe_unused]] bool linear_s4(unknown& u) {
  u.low_bit.base.options.rule = rule, u.low_bit.base.options.act = act;
  u.low_bit.bits = 4;
  return bool(pare::linear(u.rows, u.low_bit, u.out_rows));
}
[[maybe_unused]] bool conv2d(unknown& u) {
  u.conv.first_group.options.rule = rule, u.conv.first_group.options.act = act;
  return bool(pare::conv2d(u.images, u.conv, u.out_images, u.scratch));
}
[[maybe_unused]] bool conv2d_1x1(unknown& u) {
  u.conv.first_group.options.rule = rule, u.conv.first_group.options.act = act;
  pare::window& w = u.conv.window;
  w.height = w.width = w.stride_y = w.stride_x = w.dilation_y = w.dilation_x = 1;
  w.pad_top = w.pad_bottom = w.pad_left = w.pad_right = 0;
  u.conv.taps = pare::conv2d_taps::pixels;
  return bool(pare::conv2d(u.images, u.conv, u.out_images, u.scratch));
}
[[maybe_unused]] bool depthwise(unknown& u) {
  u.depthwise.outputs.options.rule = rule, u.depthwise.outputs.options.act = act;
  return bool(pare::depthwise_conv2d(u.images, u.depthwise, u.out_images));
}
[[maybe_unused]] bool softmax(unknown& u) {
  return bool(pare::softmax(u.rows, u.softmax, u.out_rows));
}
[[maybe_unused]] bool max_pool(unknown& u) {
  return bool(pare::max_pool(u.images, u.window, u.out_images));
}
[[maybe_unused]] bool average_pool(unknown& u) {
  return bool(pare::average_pool(u.images, u.window, u.out_images));
}
[[maybe_unused]] bool global_average_pool(unknown& u) {
  return bool(pare::global_average_pool(u.images, u.average, u.out_rows));
}
[[maybe_unused]] bool add(unknown& u) {
  return bool(pare::add(u.rows, u.other_rows, u.add, u.out_rows));
}
[[maybe_unused]] bool table(unknown& u) {
  return bool(pare::apply_table(u.rows, *u.table, u.out_rows));
}

std::byte memory[sizeof(unknown)];

}  // namespace

int main() {
  void* arguments = memory;
  __asm__("" : "+r"(arguments) : : "memory");
  return OPERATOR(*static_cast<unknown*>(arguments)) ? 0 : 1;
}
