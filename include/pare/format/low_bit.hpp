// Codes of 4 and 2 bits, several to a byte.
//
// A byte holds codes in fields of two's complement, the first one in the lowest bits: the order of
// ggml, ONNX and CMSIS-NN s4.
#ifndef PARE_FORMAT_LOW_BIT_HPP
#define PARE_FORMAT_LOW_BIT_HPP

#include <pare/core/config.hpp>

namespace pare {

/// What weights of less than 8 bits look like.
enum class low_bit : std::uint8_t {
  s4,       ///< 4 bits, [-8, 7]
  s2,       ///< 2 bits, [-2, 1]
  ternary,  ///< -1, 0 and 1, in 2 bits
};

/// Bits that a code takes in memory.
constexpr PARE_ALWAYS_INLINE int bits_of(low_bit kind) noexcept {
  return kind == low_bit::s4 ? 4 : 2;
}

/// Whether `code` is one of those that weights of this kind have.
constexpr PARE_ALWAYS_INLINE bool is_low_bit_code(low_bit kind, std::int32_t code) noexcept {
  switch (kind) {
    case low_bit::s4: return code >= -8 && code <= 7;
    case low_bit::s2: return code >= -2 && code <= 1;
    case low_bit::ternary: return code >= -1 && code <= 1;
  }
  return false;
}

namespace detail {

/// The code in field number `field` of a byte.
constexpr PARE_ALWAYS_INLINE std::int32_t unpack_field(std::uint8_t byte, int bits,
                                                       index_t field) noexcept {
  const std::int32_t sign = std::int32_t{1} << (bits - 1);
  const std::int32_t code = (byte >> (static_cast<int>(field) * bits)) & (2 * sign - 1);
  return (code ^ sign) - sign;
}

/// A byte with `code` in field number `field` and zeros elsewhere.
constexpr PARE_ALWAYS_INLINE std::uint8_t pack_field(std::int32_t code, int bits,
                                                     index_t field) noexcept {
  const std::uint32_t value = static_cast<std::uint32_t>(code) & ((1u << bits) - 1u);
  return static_cast<std::uint8_t>(value
                                   << (static_cast<unsigned>(field) * static_cast<unsigned>(bits)));
}

}  // namespace detail
}  // namespace pare

#endif  // PARE_FORMAT_LOW_BIT_HPP
