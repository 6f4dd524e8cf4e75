// 16-bit floating point as storage: IEEE binary16 and bfloat16. Arithmetic happens in float.
//
// IEEE 754-2019 binary16; bfloat16 is the upper half of binary32. Conversions round to nearest,
// ties to even, as the hardware's vcvtps2ph and PyTorch do.
#ifndef PARE_CORE_SMALL_FLOAT_HPP
#define PARE_CORE_SMALL_FLOAT_HPP

#include <pare/core/bit_cast.hpp>

namespace pare {
namespace detail {

constexpr PARE_ALWAYS_INLINE std::uint16_t half_bits_of(float value) noexcept {
  const std::uint32_t bits = bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000u;
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) {  // NaN: keep the payload's top bits, and make it quiet
    return static_cast<std::uint16_t>(sign | 0x7e00u | ((magnitude >> 13) & 0x3ffu));
  }
  if (magnitude >= 0x47800000u)
    return static_cast<std::uint16_t>(sign | 0x7c00u);  // 65536 and above, infinity
  // Values below 2^-14 become subnormal: the significand, with its hidden bit, moves right.
  const std::uint32_t exponent = magnitude >> 23;
  std::uint32_t kept = 0, rest = 0, half_way = 0;
  if (exponent >= 113) {
    kept = (magnitude - (112u << 23)) >> 13;
    rest = magnitude & 0x1fffu;
    half_way = 0x1000u;
  } else {
    const std::uint32_t shift = 126 - exponent;
    if (shift > 24) return static_cast<std::uint16_t>(sign);
    const std::uint32_t significand = (magnitude & 0x7fffffu) | 0x800000u;
    kept = significand >> shift;
    rest = significand & ((1u << shift) - 1);
    half_way = 1u << (shift - 1);
  }
  // A carry out of the significand correctly raises the exponent, up to infinity.
  kept += rest > half_way || (rest == half_way && (kept & 1u) != 0) ? 1u : 0u;
  return static_cast<std::uint16_t>(sign | kept);
}

constexpr PARE_ALWAYS_INLINE float float_of_half_bits(std::uint16_t h) noexcept {
  const std::uint32_t sign = static_cast<std::uint32_t>(h & 0x8000u) << 16;
  const std::uint32_t exponent = (h >> 10) & 0x1fu;
  const std::uint32_t significand = h & 0x3ffu;
  if (exponent == 0x1f) return bit_cast<float>(sign | 0x7f800000u | (significand << 13));
  if (exponent == 0) {  // zero or subnormal: significand * 2^-24, exact in float
    const float value = static_cast<float>(significand) * 5.9604644775390625e-8f;
    return sign != 0 ? -value : value;
  }
  return bit_cast<float>(sign | ((exponent + 112u) << 23) | (significand << 13));
}

constexpr PARE_ALWAYS_INLINE std::uint16_t bfloat16_bits_of(float value) noexcept {
  const std::uint32_t bits = bit_cast<std::uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u)
    return static_cast<std::uint16_t>((bits >> 16) | 0x40u);  // quiet NaN
  return static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

}  // namespace detail

/// IEEE binary16: 11 significant bits, largest finite value 65504, smallest subnormal 2^-24.
struct half {
  std::uint16_t bits = 0;

  constexpr half() noexcept = default;
  /// Rounds to nearest, ties to even; beyond 65519.99 to infinity.
  constexpr PARE_ALWAYS_INLINE explicit half(float value) noexcept
      : bits(detail::half_bits_of(value)) {}
  /// Exact.
  constexpr PARE_ALWAYS_INLINE explicit operator float() const noexcept {
    return detail::float_of_half_bits(bits);
  }

  static constexpr PARE_ALWAYS_INLINE half from_bits(std::uint16_t b) noexcept {
    half h;
    h.bits = b;
    return h;
  }
};

/// The upper half of a binary32: 8 significant bits, the range of float.
struct bfloat16 {
  std::uint16_t bits = 0;

  constexpr bfloat16() noexcept = default;
  /// Rounds to nearest, ties to even.
  constexpr PARE_ALWAYS_INLINE explicit bfloat16(float value) noexcept
      : bits(detail::bfloat16_bits_of(value)) {}
  /// Exact.
  constexpr PARE_ALWAYS_INLINE explicit operator float() const noexcept {
    return detail::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
  }

  static constexpr PARE_ALWAYS_INLINE bfloat16 from_bits(std::uint16_t b) noexcept {
    bfloat16 h;
    h.bits = b;
    return h;
  }
};

// As floats compare: NaN equals nothing, and -0 equals +0.
constexpr PARE_ALWAYS_INLINE bool operator==(half a, half b) noexcept {
  return float(a) == float(b);
}
constexpr PARE_ALWAYS_INLINE bool operator!=(half a, half b) noexcept { return !(a == b); }
constexpr PARE_ALWAYS_INLINE bool operator==(bfloat16 a, bfloat16 b) noexcept {
  return float(a) == float(b);
}
constexpr PARE_ALWAYS_INLINE bool operator!=(bfloat16 a, bfloat16 b) noexcept { return !(a == b); }

}  // namespace pare

#endif  // PARE_CORE_SMALL_FLOAT_HPP
