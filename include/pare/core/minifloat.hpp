// Floating point in 4, 6 and 8 bits as storage: the elements and the shared scale of the OCP formats.
// Arithmetic happens in float.
//
// OCP 8-bit Floating Point Specification 1.0 (E4M3, E5M2); OCP Microscaling Formats 1.0 (E2M1, E2M3,
// E3M2, E8M0). Conversions round to nearest, ties to even.
#ifndef PARE_CORE_MINIFLOAT_HPP
#define PARE_CORE_MINIFLOAT_HPP

#include <pare/core/bit_cast.hpp>

namespace pare {

/// Which codes of a small float are no numbers.
enum class minifloat_specials : std::uint8_t {
  none,  ///< every code is a number
  nan,   ///< the largest magnitude is a NaN, and there is no infinity
  ieee,  ///< the largest exponent is for infinity and NaNs
};

/// A float of a sign, `ExponentBits` and `MantissaBits`, in the low bits of a byte.
///
/// @tparam ExponentBits  2 to 5; the bias is 2^(ExponentBits - 1) - 1
template <int ExponentBits, int MantissaBits, minifloat_specials Specials>
struct minifloat {
  std::uint8_t bits = 0;

  static constexpr int width = 1 + ExponentBits + MantissaBits;
  static constexpr int bias = (1 << (ExponentBits - 1)) - 1;
  static constexpr std::uint8_t sign_bit = 1 << (width - 1);
  /// The code of the largest number.
  static constexpr std::uint8_t largest_bits = Specials == minifloat_specials::none ? sign_bit - 1
                                               : Specials == minifloat_specials::nan
                                                   ? sign_bit - 2
                                                   : sign_bit - 1 - (1 << MantissaBits);
  /// floor(log2(largest number)).
  static constexpr int largest_exponent = (largest_bits >> MantissaBits) - bias;
  static constexpr bool has_nan = Specials != minifloat_specials::none;

  constexpr minifloat() noexcept = default;

  /// Rounds to nearest, ties to even; beyond the largest number, and from infinity, to that number.
  /// A NaN stays one where there is a code for it, and becomes the largest number where not.
  constexpr PARE_ALWAYS_INLINE explicit minifloat(float value) noexcept
      : minifloat(rounded(value, largest_bits)) {}

  /// As the constructor, but too large values become infinity, or NaN where there is no infinity:
  /// what PyTorch does and what ONNX calls `saturate = 0`.
  static constexpr PARE_ALWAYS_INLINE minifloat overflowing(float value) noexcept {
    static_assert(has_nan, "pare: what cannot be said can only saturate");
    return rounded(value, static_cast<std::uint8_t>(largest_bits + 1));
  }

  static constexpr PARE_ALWAYS_INLINE minifloat from_bits(std::uint8_t b) noexcept {
    minifloat f;
    f.bits = b;
    return f;
  }

  /// Exact.
  constexpr PARE_ALWAYS_INLINE explicit operator float() const noexcept {
    const std::uint32_t sign = static_cast<std::uint32_t>((bits & sign_bit) != 0) << 31;
    const std::uint32_t magnitude = bits & (sign_bit - 1u);
    const std::uint32_t exponent = magnitude >> MantissaBits;
    const std::uint32_t significand = magnitude & ((1u << MantissaBits) - 1);
    if (magnitude > largest_bits) {
      const bool infinite = Specials == minifloat_specials::ieee && significand == 0;
      return detail::bit_cast<float>(sign | (infinite ? 0x7f800000u : 0x7fc00000u));
    }
    if (exponent == 0) {  // zero or subnormal: a multiple of the smallest number
      constexpr std::uint32_t smallest = 127 + 1 - bias - MantissaBits;
      const float value = static_cast<float>(significand) * detail::bit_cast<float>(smallest << 23);
      return sign != 0 ? -value : value;
    }
    return detail::bit_cast<float>(sign | ((exponent + 127 - bias) << 23) |
                                   (significand << (23 - MantissaBits)));
  }

 private:
  static constexpr PARE_ALWAYS_INLINE minifloat rounded(float value, std::uint8_t beyond) noexcept {
    const std::uint32_t word = detail::bit_cast<std::uint32_t>(value);
    const std::uint8_t sign = (word >> 31) != 0 ? sign_bit : std::uint8_t{0};
    const std::uint32_t magnitude = word & 0x7fffffffu;
    const auto with_sign = [sign](std::uint32_t code) {
      return from_bits(static_cast<std::uint8_t>(sign | code));
    };
    if (magnitude > 0x7f800000u) return with_sign(has_nan ? sign_bit - 1u : largest_bits);
    // Below 2^(1 - bias) numbers are subnormal: the significand, with its hidden bit, moves right.
    constexpr std::uint32_t first_normal = 128 - bias, cut = 23 - MantissaBits;
    const std::uint32_t exponent = magnitude >> 23;
    std::uint32_t kept = 0, rest = 0, half_way = 0;
    if (exponent >= first_normal) {
      const std::uint32_t rebased = magnitude - ((first_normal - 1) << 23);
      kept = rebased >> cut;
      rest = rebased & ((1u << cut) - 1);
      half_way = 1u << (cut - 1);
    } else {
      const std::uint32_t shift = cut + first_normal - exponent;
      if (shift > 24) return with_sign(0);
      const std::uint32_t significand = (magnitude & 0x7fffffu) | 0x800000u;
      kept = significand >> shift;
      rest = significand & ((1u << shift) - 1);
      half_way = 1u << (shift - 1);
    }
    // A carry out of the significand correctly raises the exponent.
    kept += rest > half_way || (rest == half_way && (kept & 1u) != 0) ? 1u : 0u;
    return with_sign(kept > largest_bits ? beyond : kept);
  }
};

using float8_e4m3 = minifloat<4, 3, minifloat_specials::nan>;   ///< up to 448; no infinity
using float8_e5m2 = minifloat<5, 2, minifloat_specials::ieee>;  ///< up to 57344
using float6_e2m3 = minifloat<2, 3, minifloat_specials::none>;  ///< up to 7.5
using float6_e3m2 = minifloat<3, 2, minifloat_specials::none>;  ///< up to 28
using float4_e2m1 = minifloat<2, 1, minifloat_specials::none>;  ///< 0, 0.5, 1, 1.5, 2, 3, 4, 6

/// A power of two, 2^(bits - 127); 255 is NaN. There is no zero and no sign.
struct float8_e8m0 {
  std::uint8_t bits = 127;

  static constexpr std::uint8_t nan_bits = 255;

  static constexpr PARE_ALWAYS_INLINE float8_e8m0 from_bits(std::uint8_t b) noexcept {
    float8_e8m0 f;
    f.bits = b;
    return f;
  }
  constexpr PARE_ALWAYS_INLINE bool is_nan() const noexcept { return bits == nan_bits; }
  /// Exact: 2^-127 is a denormal float.
  constexpr PARE_ALWAYS_INLINE explicit operator float() const noexcept {
    if (is_nan()) return detail::bit_cast<float>(0x7fc00000u);
    return detail::bit_cast<float>(bits == 0 ? 0x00400000u
                                             : static_cast<std::uint32_t>(bits) << 23);
  }
};

namespace detail {

/// floor(log2(|x|)) for a finite x other than 0.
constexpr PARE_ALWAYS_INLINE int exponent_of(float x) noexcept {
  const std::uint32_t magnitude = bit_cast<std::uint32_t>(x) & 0x7fffffffu;
  if (magnitude >= 0x00800000u) return static_cast<int>(magnitude >> 23) - 127;
  int exponent = -149;  // denormal: the highest bit set
  for (std::uint32_t rest = magnitude; rest > 1; rest >>= 1) ++exponent;
  return exponent;
}

/// x * 2^exponent, -252 <= exponent <= 254, rounded at most where the result is denormal.
constexpr PARE_ALWAYS_INLINE float times_power_of_two(float x, int exponent) noexcept {
  const int first = exponent / 2, second = exponent - first;
  return x * bit_cast<float>(static_cast<std::uint32_t>(first + 127) << 23) *
         bit_cast<float>(static_cast<std::uint32_t>(second + 127) << 23);
}

}  // namespace detail
}  // namespace pare

#endif  // PARE_CORE_MINIFLOAT_HPP
