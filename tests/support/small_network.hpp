// One small layer of each kind that can leave the host, for tests of what writes and reads them.
#ifndef PARE_TESTS_SUPPORT_SMALL_NETWORK_HPP
#define PARE_TESTS_SUPPORT_SMALL_NETWORK_HPP

#include <vector>

#include <pare/io/named_layer.hpp>
#include <pare/layers/conv2d.hpp>
#include <pare/layers/depthwise_conv2d.hpp>
#include <pare/layers/offset_grouped_linear.hpp>
#include <pare/layers/sparse_linear.hpp>

#include "support/conv_case.hpp"
#include "support/grouped_case.hpp"
#include "support/low_bit_case.hpp"

namespace pare_test {

/// The same weights on every machine, packed for this one.
struct small_network {
  pare::linear_layer fc, fc_f32;
  pare::low_bit_linear_layer fc_s4;
  pare::conv2d_layer conv, conv_rows, conv_grouped;
  pare::depthwise_conv2d_layer depthwise;
  pare::grouped_linear_layer fc_grouped, fc_grouped_s8;
  pare::offset_grouped_linear_layer fc_offsets;
  pare::sparse_linear_layer fc_sparse;
  pare::tensor<float, 2> left = random_uniform<float>({5, 2}, 10, -1.0, 1.0);
  pare::tensor<float, 2> right = random_uniform<float>({2, 7}, 11, -1.0, 1.0);
  pare::tensor<float, 2> pruned = random_uniform<float>({6, 10}, 12, -1.0, 1.0);
  pare::tensor<float, 1> bias = random_uniform<float>({5}, 13, -1.0, 1.0);
  pare::tensor<std::byte, 1> blocks;
  pare::bcsr_view<float> sparse;

  small_network() {
    fc = layer(linear_case(10, 7, 1), pare::activation::relu, pare::requantization::nearest);
    linear_case floats(5, 12, 2);
    floats.options = {};
    fc_f32 = floats.pack();
    low_bit_case few_bits(6, 19, 3, pare::low_bit::s4, true);
    few_bits.options.rule = pare::requantization::double_rounding;
    fc_s4 = few_bits.pack_low_bit();
    conv = convolution(conv_case(6, 4, 1, square_window(3, 1, 1), 4));
    conv_rows = convolution(conv_case(5, 3, 1, square_window(3, 2, 0), 5));
    conv_grouped = convolution(conv_case(4, 2, 2, square_window(2, 1, 0), 6));
    const conv_case c(7, 1, 1, square_window(3, 1, 1), 7);
    pare::depthwise_conv2d_options o;
    o.window = c.window;
    o.act = pare::activation::relu6;
    o.input = c.linear.options.input;
    o.output = c.linear.options.output;
    o.rule = pare::requantization::single_rounding;
    depthwise = pare::pack_depthwise_conv2d(c.view(), c.linear.bias.view(), o).value();
    grouped_case groups(6, 40, 32, 4, true, 8);
    groups.options.act = pare::activation::relu;
    fc_grouped = groups.pack();
    groups = grouped_case(3, 70, 64, 8, false, 9);
    groups.options.arithmetic = pare::grouped_arithmetic::floating;
    fc_grouped_s8 = groups.pack();
    grouped_case codes(5, 40, 32, 4, false, 14);
    codes.options.act = pare::activation::relu6;
    const auto offsets = random_uniform<float>({5, 2}, 15, -0.1, 0.1);
    fc_offsets = pare::pack_offset_grouped_linear(
                     pare::offset_grouped_view<pare::half, pare::dextents<index_t, 2>>{
                         codes.view(), offsets.view()},
                     4, codes.bias.view(), codes.options)
                     .value();
    linear_case dense(18, 22, 10);
    for (index_t i = 0; i < dense.codes.size(); ++i) {
      if (i / 22 / 4 % 2 == i % 22 / 4 % 2) dense.codes.data()[i] = 0;
    }
    dense.options.rule = pare::requantization::onnx;
    fc_sparse =
        pare::pack_sparse_linear(dense.view(), {4, 4, 8}, dense.bias.view(), dense.options).value();
    for (index_t i = 0; i < pruned.size(); ++i) {
      if (i % 3 != 0) pruned.data()[i] = 0.0f;
    }
    blocks = pare::tensor<std::byte, 1>({pare::bcsr_size(pruned.view(), {1, 1}).value()});
    sparse = pare::make_bcsr(pruned.view(), {1, 1}, pare::workspace(blocks.data(), blocks.size()))
                 .value();
  }

  pare::low_rank_view<float> low_rank() const { return {left.view(), right.view()}; }

  static constexpr index_t count = 14;  ///< of layers

  std::vector<pare::named_layer> layers() const {
    return {{"fc", fc.view(), "A comment\nof two lines."},
            {"fc_f32", fc_f32.view()},
            {"fc_s4", fc_s4.view()},
            {"conv", conv.view()},
            {"conv_rows", conv_rows.view()},
            {"conv_grouped", conv_grouped.view()},
            {"depthwise", depthwise.view()},
            {"fc_grouped", fc_grouped.view()},
            {"fc_grouped_s8", fc_grouped_s8.view()},
            {"fc_sparse", fc_sparse.view()},
            {"fc_low_rank", low_rank()},
            {"fc_pruned", sparse},
            {"bias", bias.view()},
            {"fc_shifted", fc_offsets.view()}};
  }

 private:
  static pare::linear_layer layer(linear_case c, pare::activation act, pare::requantization rule) {
    c.options.act = act;
    c.options.rule = rule;
    return c.pack();
  }
  static pare::conv2d_layer convolution(const conv_case& c) {
    pare::conv2d_options o;
    o.window = c.window;
    o.groups = c.groups;
    o.input = c.linear.options.input;
    o.output = c.linear.options.output;
    return pare::pack_conv2d(c.view(), c.linear.bias.view(), o).value();
  }
};

}  // namespace pare_test

#endif  // PARE_TESTS_SUPPORT_SMALL_NETWORK_HPP
