// A random linear layer with low-bit weights, beside the 8-bit layer that computes the same.
#ifndef PARE_TESTS_SUPPORT_LOW_BIT_CASE_HPP
#define PARE_TESTS_SUPPORT_LOW_BIT_CASE_HPP

#include <pare/layers/low_bit_linear.hpp>

#include "support/linear_case.hpp"

namespace pare_test {

/// `codes` of the base are the differences of the low-bit codes to their zero points.
struct low_bit_case : linear_case {
  pare::low_bit kind;
  pare::tensor<std::int8_t, 2> low_bit_codes;
  pare::tensor<std::int32_t, 1> zero_points;  ///< none where all are 0

  low_bit_case(index_t outputs, index_t inputs, std::uint32_t seed, pare::low_bit what,
               bool has_zero_points = false)
      : linear_case(outputs, inputs, seed), kind(what) {
    const auto least = static_cast<std::int8_t>(what == pare::low_bit::s4   ? -8
                                                : what == pare::low_bit::s2 ? -2
                                                                            : -1);
    const auto most = static_cast<std::int8_t>(what == pare::low_bit::s4 ? 7 : 1);
    low_bit_codes = random_codes<std::int8_t>({outputs, inputs}, seed, least, most);
    if (has_zero_points) zero_points = random_codes<std::int32_t>({outputs}, seed + 3, least, most);
    subtract_zero_points();
  }

  void subtract_zero_points() {
    for (index_t o = 0; o < n; ++o) {
      const std::int32_t zero_point = zero_points.empty() ? 0 : zero_points(o);
      for (index_t i = 0; i < k; ++i)
        codes(o, i) = static_cast<std::int8_t>(low_bit_codes(o, i) - zero_point);
    }
  }

  pare::affine_view<std::int8_t, pare::dextents<index_t, 2>> low_bit_view() const {
    return {low_bit_codes.view(), scales.view(), zero_points.view(), 0};
  }
  pare::low_bit_linear_layer pack_low_bit() const {
    return pare::pack_low_bit_linear(low_bit_view(), kind, bias.view(), options).value();
  }
};

}  // namespace pare_test

#endif  // PARE_TESTS_SUPPORT_LOW_BIT_CASE_HPP
