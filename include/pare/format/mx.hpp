// Microscaling formats: 32 small floats or integers of a row share one power of two.
//
// OCP Microscaling Formats (MX) Specification 1.0, 2023.
#ifndef PARE_FORMAT_MX_HPP
#define PARE_FORMAT_MX_HPP

#include <pare/core/checked.hpp>
#include <pare/core/minifloat.hpp>
#include <pare/core/rounding.hpp>
#include <pare/core/tensor_view.hpp>

namespace pare {

/// What the elements of a microscaling format are.
enum class mx : std::uint8_t {
  fp4_e2m1,  ///< MXFP4
  fp6_e2m3,  ///< MXFP6
  fp6_e3m2,  ///< MXFP6, of more range
  fp8_e4m3,  ///< MXFP8
  fp8_e5m2,  ///< MXFP8, of more range
  int8,      ///< MXINT8: code / 64, codes -127 to 127
};

/// Elements that share a scale.
inline constexpr index_t mx_block = 32;

constexpr PARE_ALWAYS_INLINE bool is_mx(mx kind) noexcept { return kind <= mx::int8; }

/// Bits of an element.
constexpr PARE_ALWAYS_INLINE int bits_of(mx kind) noexcept {
  switch (kind) {
    case mx::fp4_e2m1: return 4;
    case mx::fp6_e2m3:
    case mx::fp6_e3m2: return 6;
    case mx::fp8_e4m3:
    case mx::fp8_e5m2:
    case mx::int8: break;
  }
  return 8;
}

/// floor(log2(largest element)): `emax` of the specification.
constexpr PARE_ALWAYS_INLINE int largest_exponent_of(mx kind) noexcept {
  switch (kind) {
    case mx::fp4_e2m1: return float4_e2m1::largest_exponent;
    case mx::fp6_e2m3: return float6_e2m3::largest_exponent;
    case mx::fp6_e3m2: return float6_e3m2::largest_exponent;
    case mx::fp8_e4m3: return float8_e4m3::largest_exponent;
    case mx::fp8_e5m2: return float8_e5m2::largest_exponent;
    case mx::int8: break;
  }
  return 0;
}

/// The element nearest to x, ties to even; beyond the largest it saturates. x is finite.
constexpr PARE_ALWAYS_INLINE std::uint8_t encode_element(mx kind, float x) noexcept {
  switch (kind) {
    case mx::fp4_e2m1: return float4_e2m1(x).bits;
    case mx::fp6_e2m3: return float6_e2m3(x).bits;
    case mx::fp6_e3m2: return float6_e3m2(x).bits;
    case mx::fp8_e4m3: return float8_e4m3(x).bits;
    case mx::fp8_e5m2: return float8_e5m2(x).bits;
    case mx::int8: break;
  }
  const std::int32_t code = detail::round_half_even(detail::clamp(x, -2.0f, 2.0f) * 64.0f);
  return static_cast<std::uint8_t>(detail::clamp(code, -127, 127));
}

/// The value of an element, before the scale.
constexpr PARE_ALWAYS_INLINE float decode_element(mx kind, std::uint8_t code) noexcept {
  switch (kind) {
    case mx::fp4_e2m1: return static_cast<float>(float4_e2m1::from_bits(code));
    case mx::fp6_e2m3: return static_cast<float>(float6_e2m3::from_bits(code));
    case mx::fp6_e3m2: return static_cast<float>(float6_e3m2::from_bits(code));
    case mx::fp8_e4m3: return static_cast<float>(float8_e4m3::from_bits(code));
    case mx::fp8_e5m2: return static_cast<float>(float8_e5m2::from_bits(code));
    case mx::int8: break;
  }
  return static_cast<float>(static_cast<std::int8_t>(code)) * 0.015625f;
}

/// The scale of a block whose largest magnitude is `largest`, finite: floor(log2(largest)) - emax.
/// A block of zeros has the smallest scale.
constexpr PARE_ALWAYS_INLINE float8_e8m0 mx_scale(mx kind, float largest) noexcept {
  if (largest == 0.0f) return float8_e8m0::from_bits(0);
  const int exponent = detail::exponent_of(largest) - largest_exponent_of(kind) + 127;
  return float8_e8m0::from_bits(static_cast<std::uint8_t>(exponent < 0 ? 0 : exponent));
}

/// The element of x under a scale, and back.
constexpr PARE_ALWAYS_INLINE std::uint8_t encode_scaled(mx kind, float8_e8m0 scale,
                                                        float x) noexcept {
  return encode_element(kind, detail::times_power_of_two(x, 127 - scale.bits));
}
constexpr PARE_ALWAYS_INLINE float decode_scaled(mx kind, float8_e8m0 scale,
                                                 std::uint8_t code) noexcept {
  const float element = decode_element(kind, code);
  return scale.is_nan() ? static_cast<float>(scale)
                        : detail::times_power_of_two(element, scale.bits - 127);
}

/// Microscaling elements of a matrix that live elsewhere.
///
/// Elements of a block lie side by side, the first in the lowest bits of the first byte: a block of
/// 4, 6 or 8 bits takes 16, 24 or 32 bytes. The specification leaves this order open.
struct mx_view {
  matrix_view<const std::uint8_t> codes;  ///< [rows, ceil(columns / 32) * 4 * bits]
  matrix_view<const float8_e8m0> scales;  ///< [rows, ceil(columns / 32)]
  index_t columns = 0;                    ///< the last block of a row is filled up with zeros
  mx kind = mx::fp4_e2m1;

  constexpr PARE_ALWAYS_INLINE std::uint8_t code(index_t row, index_t column) const noexcept {
    const int bits = bits_of(kind);
    const index_t first = column * bits;
    const index_t byte = first / 8;
    const int shift = static_cast<int>(first % 8);
    std::uint32_t two = codes(row, byte);
    if (shift + bits > 8) two |= static_cast<std::uint32_t>(codes(row, byte + 1)) << 8;
    return static_cast<std::uint8_t>((two >> shift) & ((1u << bits) - 1));
  }
  constexpr PARE_ALWAYS_INLINE float value(index_t row, index_t column) const noexcept {
    return decode_scaled(kind, scales(row, column / mx_block), code(row, column));
  }
};

/// Bytes of the elements of a row.
constexpr PARE_ALWAYS_INLINE index_t mx_row_bytes(mx kind, index_t columns) noexcept {
  return detail::ceil_div(columns, mx_block) * (mx_block / 8) * bits_of(kind);
}

}  // namespace pare

#endif  // PARE_FORMAT_MX_HPP
