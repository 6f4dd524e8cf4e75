// A random linear layer with grouped weights and what it must compute, by the shortest code that can
// say it.
#ifndef PARE_TESTS_SUPPORT_GROUPED_CASE_HPP
#define PARE_TESTS_SUPPORT_GROUPED_CASE_HPP

#include <pare/layers/grouped_linear.hpp>

#include <algorithm>

#include "support/check.hpp"
#include "support/random.hpp"

namespace pare_test {

using pare::index_t;

struct grouped_case {
  index_t n, k, group, groups;
  int bits;
  pare::tensor<std::int8_t, 2> codes, zero_points;
  pare::tensor<pare::half, 2> scales;
  pare::tensor<float, 1> bias;
  pare::grouped_linear_options options;

  grouped_case(index_t outputs, index_t inputs, index_t group_size, int code_bits,
               bool has_zero_points, std::uint32_t seed)
      : n(outputs),
        k(inputs),
        group(group_size),
        groups((inputs + group_size - 1) / group_size),
        bits(code_bits),
        scales({outputs, groups}),
        bias(random_uniform<float>({outputs}, seed + 2, -3.0, 3.0)) {
    const auto least = static_cast<std::int8_t>(bits == 4 ? -8 : -128);
    const auto most = static_cast<std::int8_t>(bits == 4 ? 7 : 127);
    codes = random_codes<std::int8_t>({n, k}, seed, least, most);
    if (has_zero_points)
      zero_points = random_codes<std::int8_t>({n, groups}, seed + 1, least, most);
    const auto drawn = random_uniform<float>({n, groups}, seed + 3, -0.02, 0.03);
    for (index_t i = 0; i < drawn.size(); ++i) scales.data()[i] = pare::half(drawn.data()[i]);
    // Subnormal scales, the smallest normal ones, zero and large ones are scales too.
    const std::uint16_t special[] = {0x0003, 0x83ff, 0x0400, 0x87fe, 0x0000, 0xe0b0};
    for (index_t i = 0; i < std::min<index_t>(6, scales.size()); ++i)
      scales.data()[i] = pare::half::from_bits(special[i]);
  }

  pare::grouped_view<pare::half, pare::dextents<index_t, 2>> view() const {
    return {codes.view(), scales.view(), zero_points.view(), group};
  }
  pare::grouped_linear_layer pack() const {
    return pare::pack_grouped_linear(view(), bits, bias.view(), options).value();
  }

  int weight(index_t output, index_t input) const {
    return codes(output, input) - (zero_points.empty() ? 0 : zero_points(output, input / group));
  }
  float scale(index_t output, index_t g) const { return static_cast<float>(scales(output, g)); }
  double real_weight(index_t output, index_t input) const {
    return weight(output, input) * static_cast<double>(scale(output, input / group));
  }

  float activate(float y) const {
    if (options.act != pare::activation::none) y = std::max(y, 0.0f);
    return options.act == pare::activation::relu6 ? std::min(y, 6.0f) : y;
  }

  /// y [rows, n], each operation rounded to float: volatile keeps the compiler from fusing them.
  pare::tensor<float, 2> expected(const pare::tensor<float, 2>& x) const {
    pare::tensor<float, 2> y({x.extent(0), n});
    for (index_t r = 0; r < x.extent(0); ++r) {
      const float* row = x.data() + r * k;
      const auto q = pare::kernels::scalar::row_range(row, k);
      std::vector<std::uint8_t> a(static_cast<std::size_t>(k));
      pare::kernels::scalar::quantize_row(row, k, k, q, a.data());
      for (index_t c = 0; c < n; ++c) {
        volatile float sum = 0.0f, product = 0.0f;
        double weights = 0;
        for (index_t g = 0; g < groups; ++g) {
          volatile float part = 0.0f;
          std::int64_t acc = 0;
          for (index_t i = g * group; i < std::min(k, (g + 1) * group); ++i) {
            acc += a[static_cast<std::size_t>(i)] * weight(c, i);
            weights += real_weight(c, i);
            product = row[i] * static_cast<float>(weight(c, i));
            part = part + product;
          }
          const bool is_integer = options.arithmetic == pare::grouped_arithmetic::integer;
          product = (is_integer ? static_cast<float>(acc) : part) * scale(c, g);
          sum = sum + product;
        }
        if (options.arithmetic == pare::grouped_arithmetic::integer) {
          product = static_cast<float>(q.zero_point) * static_cast<float>(weights);
          sum = sum - product;
          sum = sum * q.scale;
        }
        sum = sum + bias(c);
        y(r, c) = activate(sum);
      }
    }
    return y;
  }
};

}  // namespace pare_test

#endif  // PARE_TESTS_SUPPORT_GROUPED_CASE_HPP
