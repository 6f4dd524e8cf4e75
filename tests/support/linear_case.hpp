// A random int8 linear layer and what it must compute, by the shortest code that can say it.
#ifndef PARE_TESTS_SUPPORT_LINEAR_CASE_HPP
#define PARE_TESTS_SUPPORT_LINEAR_CASE_HPP

#include <pare/layers/linear.hpp>

#include "support/check.hpp"
#include "support/random.hpp"

namespace pare_test {

using pare::index_t;

/// Weights [n, k], a scale and a bias for each output.
struct linear_case {
  index_t n, k;
  pare::tensor<std::int8_t, 2> codes;
  pare::tensor<float, 1> scales, bias;
  pare::linear_options options;

  linear_case(index_t outputs, index_t inputs, std::uint32_t seed, std::int8_t least = -128)
      : n(outputs),
        k(inputs),
        codes(random_codes<std::int8_t>({outputs, inputs}, seed, least)),
        scales(random_uniform<float>({outputs}, seed + 1, 0.001, 0.02)),
        bias(random_uniform<float>({outputs}, seed + 2, -3.0, 3.0)) {
    options.input = {0.03f, 5};
    options.output = {0.25f, -9};
  }

  pare::affine_view<std::int8_t, pare::dextents<index_t, 2>> view() const {
    return {codes.view(), scales.view(), {}, 0};
  }
  pare::linear_layer pack() const {
    return pare::pack_linear(view(), bias.view(), options).value();
  }

  /// The accumulator of one output, modulo 2^32, without the bias.
  template <class X>
  std::int32_t accumulate(const X* x, index_t output, std::int32_t zero_point) const {
    std::int64_t sum = 0;
    for (index_t i = 0; i < k; ++i) sum += (std::int64_t{x[i]} - zero_point) * codes(output, i);
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(sum));
  }
  std::int32_t bias_code(index_t output) const {
    const double scale = static_cast<double>(options.input.scale) * scales(output);
    return static_cast<std::int32_t>(std::nearbyint(bias(output) / scale));
  }

  /// y [rows, n] in s32.
  template <class X>
  pare::tensor<std::int32_t, 2> expected_s32(const pare::tensor<X, 2>& x) const {
    pare::tensor<std::int32_t, 2> y({x.extent(0), n});
    for (index_t r = 0; r < x.extent(0); ++r) {
      for (index_t c = 0; c < n; ++c) {
        y(r, c) = static_cast<std::int32_t>(
            static_cast<std::uint32_t>(accumulate(x.data() + r * k, c, options.input.zero_point)) +
            static_cast<std::uint32_t>(bias_code(c)));
      }
    }
    return y;
  }

  /// y [rows, n] in codes.
  template <class Y, class X>
  pare::tensor<Y, 2> expected_codes(const pare::tensor<X, 2>& x) const {
    const auto acc = expected_s32(x);
    pare::tensor<Y, 2> y({x.extent(0), n});
    std::int32_t low = std::numeric_limits<Y>::min(), high = std::numeric_limits<Y>::max();
    const std::int32_t zero = options.output.zero_point;
    if (options.act != pare::activation::none) low = std::max(low, zero);
    if (options.act == pare::activation::relu6) {
      high = std::min(high,
                      static_cast<std::int32_t>(std::nearbyint(6.0 / options.output.scale + zero)));
    }
    for (index_t r = 0; r < x.extent(0); ++r) {
      for (index_t c = 0; c < n; ++c) {
        const float factor = options.input.scale * scales(c) / options.output.scale;
        const auto fixed = pare::make_fixed_multiplier(static_cast<double>(options.input.scale) *
                                                       scales(c) / options.output.scale);
        y(r, c) = static_cast<Y>(
            pare::requantize(options.rule, acc(r, c), factor, fixed, zero, low, high));
      }
    }
    return y;
  }
};

/// Checks s32, s8 and u8 outputs of codes against plain loops, as far as the output's zero point is
/// one of theirs. Rows lie apart on both sides, and gaps must stay as they are.
///
/// @param run  run(x, y): the call, for views of any strides
template <class Case, class X, class Run>
void check_code_outputs(const Case& c, const pare::tensor<X, 2>& x, const Run& run) {
  const index_t m = x.extent(0);
  const auto x_apart = strided_copy(x, 5);
  strided<std::int32_t, 2> y_s32({m, c.n}, {c.n + 3, 1});
  REQUIRE(run(x_apart.view(), y_s32.view()) == pare::status::ok);
  CHECK(equal(y_s32.view(), c.expected_s32(x)));
  CHECK(y_s32.gaps_untouched());
  const std::int32_t zero_point = c.options.output.zero_point;
  if (zero_point >= -128 && zero_point <= 127) {
    strided<std::int8_t, 2> y_s8({m, c.n}, {c.n + 7, 1});
    REQUIRE(run(x.view(), y_s8.view()) == pare::status::ok);
    CHECK(equal(y_s8.view(), c.template expected_codes<std::int8_t>(x)));
    CHECK(y_s8.gaps_untouched());
  }
  if (zero_point >= 0) {
    strided<std::uint8_t, 2> y_u8({m, c.n}, {c.n + 7, 1});
    REQUIRE(run(x.view(), y_u8.view()) == pare::status::ok);
    CHECK(equal(y_u8.view(), c.template expected_codes<std::uint8_t>(x)));
    CHECK(y_u8.gaps_untouched());
  }
}

}  // namespace pare_test

#endif  // PARE_TESTS_SUPPORT_LINEAR_CASE_HPP
