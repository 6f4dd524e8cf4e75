// Hard swish, x * min(max(x + 3, 0), 6) / 6, of 8-bit codes as a table.
//
// TensorFlow Lite's HARD_SWISH (reference/hard_swish.h, HardSwishPrepare in kernels/activations.cc)
// is no table by its rule for others, but arithmetic in 16 bits: this table has its results. For
// the function rounded once, give it to `make_table`.
//
//     constexpr auto table = pare::make_hard_swish_table<std::int8_t>(in, out).value();
//     pare::apply_table(x, table, y);
#ifndef PARE_KERNELS_HARD_SWISH_HPP
#define PARE_KERNELS_HARD_SWISH_HPP

#include <pare/core/fixed_point.hpp>
#include <pare/kernels/table.hpp>

namespace pare {
namespace detail {

/// A factor as `multiplier * 2^(shift - 15)`, from the 32-bit one.
struct short_multiplier {
  std::int32_t multiplier, shift;
};
constexpr PARE_ALWAYS_INLINE short_multiplier make_short_multiplier(float factor) noexcept {
  const fixed_multiplier m = make_fixed_multiplier(static_cast<double>(factor));
  const std::int64_t rounded_up = (static_cast<std::int64_t>(m.multiplier) + 32768) >> 16;
  return {static_cast<std::int32_t>(min<std::int64_t>(rounded_up, 32767)), m.shift};
}

constexpr PARE_ALWAYS_INLINE std::int32_t saturate_to_s16(std::int64_t x) noexcept {
  return static_cast<std::int32_t>(clamp<std::int64_t>(x, -32768, 32767));
}

/// round(a * b / 2^15), ties up, of numbers of 16 bits that are not both the smallest one.
constexpr PARE_ALWAYS_INLINE std::int32_t short_product(std::int32_t a, std::int32_t b) noexcept {
  return (a * b + (1 << 14)) >> 15;
}

/// One code less its zero point; y before its zero point.
constexpr PARE_ALWAYS_INLINE std::int32_t hard_swish(std::int32_t x, short_multiplier gate,
                                                     short_multiplier output) noexcept {
  const std::int32_t raised = x * 128;
  // The gate: x / 3 in [-1, 1], saturated at the last bit of the shift, then in [0, 1].
  std::int32_t g = raised;
  if (gate.shift > 0) g = saturate_to_s16(std::int64_t{g} * (std::int64_t{1} << (gate.shift - 1)));
  g = short_product(g, gate.multiplier);
  if (gate.shift > 0) g = saturate_to_s16(std::int64_t{g} * 2);
  if (gate.shift < 0) g = rounding_divide_by_power_of_two(g, -gate.shift);
  g = (g + 32768) >> 1;
  // Rounding towards zero here makes up for the bias of the two products before.
  const std::int32_t y = g * short_product(raised, output.multiplier) / 32768;
  return rounding_divide_by_power_of_two(y, -output.shift);
}

}  // namespace detail

inline namespace PARE_ABI {

/// The table of hard swish between codes.
///
/// @tparam Code  std::int8_t or std::uint8_t, of inputs and outputs
/// @return `non_finite` or `out_of_range` for scales and zero points; `out_of_range` too where the
///         scale of inputs is 128 times that of outputs or more, which TensorFlow Lite refuses,
///         or 2^-9 times that or less, or below 2^-22, where its 16 bits do not hold the shift
///
/// A sum with the zero point beyond 16 bits saturates, where TensorFlow Lite's wraps.
template <class Code>
[[nodiscard]] constexpr result<code_table<Code>> make_hard_swish_table(
    affine_params input, affine_params output) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_code_params<Code>(input, "input"));
  PARE_RETURN_IF_ERROR(detail::check_code_params<Code>(output, "output"));
  const float raised_scale = input.scale / 128.0f;
  const auto gate = detail::make_short_multiplier(raised_scale / (3.0f / 32768.0f));
  const auto to_output = detail::make_short_multiplier(raised_scale / output.scale);
  const bool too_small = gate.multiplier == 0 || to_output.multiplier == 0 || gate.shift < -15 ||
                         to_output.shift < -15;
  if (too_small || to_output.shift > 0) {
    return {status_code::out_of_range,
            "the scales of inputs and outputs are too far apart for 16 bits", "input"};
  }
  code_table<Code> table;
  for (std::int32_t x = detail::least_code<Code>; x <= detail::most_code<Code>; ++x) {
    const std::int32_t y =
        detail::hard_swish(x - input.zero_point, gate, to_output) + output.zero_point;
    table.codes[static_cast<std::uint8_t>(x)] =
        static_cast<Code>(detail::clamp(y, detail::least_code<Code>, detail::most_code<Code>));
  }
  return table;
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_KERNELS_HARD_SWISH_HPP
