// Scale and zero point from a range, as each framework computes them: in its precision, in its
// order of operations, with its answer to a range of nothing.
//
// PyTorch 1.13: torch/ao/quantization/observer.py (UniformQuantizationObserverBase) and
// aten/src/ATen/native/quantized/cpu/QuantUtils.h (ChooseQuantizationParams). ONNX: the operator
// DynamicQuantizeLinear; for symmetric codes compute_scale_zp of ONNX Runtime's
// tools/quantization/quant_utils.py. TensorFlow Lite: kernels/internal/quantization_util.h
// (ChooseQuantizationParams), reference/portable_tensor_utils.cc. compressed-tensors:
// quantization/utils/helpers.py (calculate_qparams).
#ifndef PARE_QUANTIZE_DETAIL_SCALE_RULES_HPP
#define PARE_QUANTIZE_DETAIL_SCALE_RULES_HPP

#include <limits>

#include <pare/core/checked.hpp>
#include <pare/core/rounding.hpp>
#include <pare/format/affine.hpp>
#include <pare/quantize/detail/divide.hpp>
#include <pare/quantize/range.hpp>
#include <pare/quantize/rules.hpp>

namespace pare::detail {

/// The smallest and the largest code in use.
struct code_range {
  std::int32_t min;
  std::int32_t max;

  constexpr float steps() const noexcept { return static_cast<float>(max - min); }
};

template <class Code>
inline constexpr bool is_affine_code =
    std::is_same_v<Code, std::int8_t> || std::is_same_v<Code, std::uint8_t>;

/// All codes of the type: [-128, 127] or [0, 255].
template <class Code>
inline constexpr code_range full_codes{std::numeric_limits<Code>::min(),
                                       std::numeric_limits<Code>::max()};

/// The codes of `bits` bits, 2 to 8: [-2^(bits - 1), 2^(bits - 1) - 1] or [0, 2^bits - 1].
template <class Code>
constexpr code_range codes_with(int bits) noexcept {
  const std::int32_t count = std::int32_t{1} << bits;
  return std::is_signed_v<Code> ? code_range{-count / 2, count / 2 - 1} : code_range{0, count - 1};
}

/// The codes given out: without the lowest where both sides of zero are kept alike.
template <class Code>
constexpr code_range codes_of(symmetry scheme, affine_rule rule, int bits = 8,
                              code_span span = code_span::by_rule) noexcept {
  code_range codes = codes_with<Code>(bits);
  const bool rule_restricts =
      rule == affine_rule::tflite || (rule == affine_rule::onnx && std::is_signed_v<Code>);
  const bool restricted =
      span == code_span::by_rule ? rule_restricts : span == code_span::restricted;
  if (scheme == symmetry::symmetric && restricted) ++codes.min;
  return codes;
}

/// The code in the middle: 0 for signed codes, 128 for u8.
template <class Code>
constexpr std::int32_t middle_code(int bits) noexcept {
  return std::is_signed_v<Code> ? 0 : std::int32_t{1} << (bits - 1);
}

inline namespace PARE_ABI {

/// (max - min) / steps in float. Where the difference exceeds float, which leaves the frameworks
/// with an infinite scale, it is taken in double.
inline float float_scale(value_range range, float steps) noexcept {
  const float width = range.max - range.min;
  if (is_finite(width)) return divide(width, steps);
  return static_cast<float>(
      divide(static_cast<double>(range.max) - static_cast<double>(range.min), double{steps}));
}

/// Symmetric codes of every rule: the larger magnitude divided by half the codes.
template <class Code>
affine_params symmetric_params(value_range range, affine_rule rule, int bits,
                               code_span span = code_span::by_rule) noexcept {
  const float largest = max(range.max, -range.min);
  const code_range codes = codes_of<Code>(symmetry::symmetric, rule, bits, span);
  float scale = divide(largest, codes.steps() * 0.5f);
  switch (rule) {
    case affine_rule::pytorch: scale = max(scale, std::numeric_limits<float>::epsilon()); break;
    case affine_rule::onnx:
      if (scale < std::numeric_limits<float>::min()) scale = 1.0f;
      break;
    case affine_rule::tflite:
      if (!is_valid_scale(scale)) scale = 1.0f;
      break;
    case affine_rule::compressed_tensors:
      if (!is_valid_scale(scale)) scale = std::numeric_limits<float>::epsilon();
      break;
  }
  return {scale, middle_code<Code>(bits)};
}

/// PyTorch's observers, in float.
inline affine_params pytorch_params(value_range range, code_range codes) noexcept {
  const float scale = max(float_scale(range, codes.steps()), std::numeric_limits<float>::epsilon());
  const std::int32_t from_min = codes.min - round_half_even(divide(range.min, scale));
  return {scale, clamp(from_min, codes.min, codes.max)};
}

/// ONNX DynamicQuantizeLinear, in float, and compressed-tensors, which differs in the scale of a range
/// of nothing.
inline affine_params onnx_params(value_range range, code_range codes,
                                 float scale_of_nothing = 1.0f) noexcept {
  float scale = float_scale(range, codes.steps());
  if (!is_valid_scale(scale)) scale = scale_of_nothing;
  const float from_min = static_cast<float>(codes.min) - divide(range.min, scale);
  return {scale, round_half_even(clamp(from_min, static_cast<float>(codes.min),
                                       static_cast<float>(codes.max)))};
}

/// The zero point that maps min to the lowest code, and the one that maps max to the highest.
struct zero_point_candidates {
  double from_min;
  double from_max;
};
inline zero_point_candidates candidates(double min, double max, double scale,
                                        code_range codes) noexcept {
  return {codes.min - divide(min, scale), codes.max - divide(max, scale)};
}

inline double magnitude(double x) noexcept { return x < 0 ? -x : x; }

/// TensorFlow Lite's ChooseQuantizationParams, in double.
inline affine_params tflite_params(value_range range, code_range codes) noexcept {
  const double low = range.min, high = range.max;
  const double scale = divide(high - low, double{codes.steps()});
  if (!is_valid_scale(static_cast<float>(scale))) return {1.0f, 0};
  const zero_point_candidates zero = candidates(low, high, scale, codes);
  const double error_of_min = magnitude(codes.min) + magnitude(divide(low, scale));
  const double error_of_max = magnitude(codes.max) + magnitude(divide(high, scale));
  const double chosen = error_of_min < error_of_max ? zero.from_min : zero.from_max;
  const double bounded = clamp(chosen, double(codes.min), double(codes.max));
  return {static_cast<float>(scale), static_cast<std::int32_t>(round_half_away(bounded))};
}

/// PyTorch's ChooseQuantizationParams for activations: in double, but small ranges in float.
inline affine_params pytorch_dynamic_params(value_range range, code_range codes) noexcept {
  constexpr float smallest = 6.1e-5f;
  float low = range.min, high = range.max;
  double scale = divide(double{high} - double{low}, double{codes.steps()});
  if (!is_valid_scale(static_cast<float>(scale))) scale = 0.1;
  if (scale < double{smallest}) {
    if (low == 0.0f) {
      high = smallest * codes.steps();
    } else if (high == 0.0f) {
      low = -smallest * codes.steps();
    } else {
      const float amplifier = divide(smallest, static_cast<float>(scale));
      low *= amplifier;
      high *= amplifier;
    }
    scale = double{smallest};
  }
  const zero_point_candidates zero = candidates(low, high, scale, codes);
  // Differences where TensorFlow Lite has sums: so it stands in PyTorch.
  const double error_of_min = magnitude(codes.min) - magnitude(divide(double{low}, scale));
  const double error_of_max = magnitude(codes.max) - magnitude(divide(double{high}, scale));
  const double chosen = error_of_min < error_of_max ? zero.from_min : zero.from_max;
  const double bounded = clamp(chosen, double(codes.min), double(codes.max));
  return {static_cast<float>(scale), static_cast<std::int32_t>(round_half_even(bounded))};
}

/// `ok` for a range of finite numbers in order.
inline status check_range(value_range range) noexcept {
  if (!is_finite(range.min) || !is_finite(range.max)) {
    return {status_code::non_finite, "a bound of the range is a NaN or an infinity", "range"};
  }
  if (range.min > range.max) {
    return {status_code::invalid_argument, "the minimum of the range is above its maximum",
            "range"};
  }
  return {};
}

/// The smallest range that holds both `range` and 0, which every code range must be able to say.
inline value_range with_zero(value_range range) noexcept {
  return {min(range.min, 0.0f), max(range.max, 0.0f)};
}

}  // namespace PARE_ABI
}  // namespace pare::detail

#endif  // PARE_QUANTIZE_DETAIL_SCALE_RULES_HPP
