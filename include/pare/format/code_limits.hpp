// Codes of 8 bits as the kernels meet them: which types there are, what they hold, and what an
// activation leaves of them.
#ifndef PARE_FORMAT_CODE_LIMITS_HPP
#define PARE_FORMAT_CODE_LIMITS_HPP

#include <pare/core/checked.hpp>
#include <pare/core/rounding.hpp>
#include <pare/format/activation.hpp>
#include <pare/format/affine.hpp>

namespace pare {

/// What outputs are clamped to, both ends included. By default all codes of the type.
struct code_limits {
  std::int32_t low = INT32_MIN;
  std::int32_t high = INT32_MAX;
};

namespace detail {

template <class Code>
inline constexpr bool is_code_type =
    std::is_same_v<Code, std::int8_t> || std::is_same_v<Code, std::uint8_t>;

/// The ends of s8 or u8.
template <class Code>
inline constexpr std::int32_t least_code = std::is_signed_v<Code> ? -128 : 0;
template <class Code>
inline constexpr std::int32_t most_code = std::is_signed_v<Code> ? 127 : 255;

/// What turns a code into an s8 and back, as an exclusive or.
template <class Code>
inline constexpr std::uint8_t flip_of = std::is_signed_v<Code> ? 0 : 0x80;

/// `ok`, or what is wrong with the scale or the zero point of codes of type Code.
template <class Code>
constexpr PARE_ALWAYS_INLINE status check_code_params(affine_params p,
                                                      const char* subject) noexcept {
  static_assert(is_code_type<Code>, "pare: codes are std::int8_t or std::uint8_t");
  if (!is_finite(p.scale)) {
    return {status_code::non_finite, "the scale is a NaN or an infinity", subject};
  }
  if (!is_valid_scale(p.scale)) {
    return {status_code::out_of_range,
            "a scale is positive, and so large that its inverse is finite", subject};
  }
  if (p.zero_point < least_code<Code> || p.zero_point > most_code<Code>) {
    return {status_code::out_of_range, "the zero point is no code of the type", subject};
  }
  return {};
}

/// rint(6 / scale + zero_point), ties to even, or `most` where that is less. In integers: many
/// targets have no double, and its emulation takes 2 KB of flash.
///
/// @param scale       valid
/// @param zero_point  at most `most`
constexpr PARE_ALWAYS_INLINE std::int32_t code_of_six(float scale, std::int32_t zero_point,
                                                      std::int32_t most) noexcept {
  // scale = significand * 2^-shift
  const auto bits = bit_cast<std::uint32_t>(scale);
  const int exponent = static_cast<int>(bits >> 23), shift = 150 - max(exponent, 1);
  const std::uint64_t significand = (bits & 0x7fffffu) | (exponent > 0 ? 0x800000u : 0u);
  if (shift > 56) return most;
  if (shift < 0) return zero_point;
  const std::uint64_t twelve = std::uint64_t{12} << shift;
  std::int32_t low = zero_point, high = most;
  while (low < high) {  // the first code half a step above which is 6 or more
    const std::int32_t code = low + (high - low) / 2;
    const std::uint64_t above =
        static_cast<std::uint32_t>(2 * (code - zero_point) + 1) * significand;
    if (above > twelve || (above == twelve && code % 2 == 0)) {
      high = code;
    } else {
      low = code + 1;
    }
  }
  return low;
}

/// The limits within the codes of the type.
template <class Code>
constexpr PARE_ALWAYS_INLINE result<code_limits> limits_within(code_limits limits) noexcept {
  const code_limits within{max(limits.low, least_code<Code>), min(limits.high, most_code<Code>)};
  if (within.low > within.high) {
    return {status_code::out_of_range, "no code of the type lies within the limits", "limits"};
  }
  return within;
}

}  // namespace detail

/// The codes that an activation leaves: for `relu` those from the zero point on, for `relu6` from
/// there to zero_point + round(6 / scale), ties away from zero, as TensorFlow Lite has it
/// (CalculateActivationRangeQuantized).
///
/// @tparam Code   std::int8_t or std::uint8_t
/// @param output  how the outputs' codes map to reals
/// @return `non_finite` or `out_of_range` for scale and zero point, `invalid_argument` where the
///         activation is none of those offered
template <class Code>
[[nodiscard]] constexpr PARE_ALWAYS_INLINE result<code_limits> activation_limits(
    activation act, affine_params output) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_code_params<Code>(output, "output"));
  code_limits limits{detail::least_code<Code>, detail::most_code<Code>};
  if (act == activation::none) return limits;
  if (act != activation::relu && act != activation::relu6) {
    return {status_code::invalid_argument, "the activation is none of those offered", "act"};
  }
  limits.low = output.zero_point;
  const float six = 6.0f / output.scale;
  if (act == activation::relu6 && six < 256.0f) {
    limits.high = detail::min(limits.high, output.zero_point + detail::round_half_away(six));
  }
  return limits;
}

}  // namespace pare

#endif  // PARE_FORMAT_CODE_LIMITS_HPP
