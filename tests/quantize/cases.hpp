// What the tests of quantize/ share: the order of the reference values, and the state of the
// floating-point unit.
#ifndef PARE_TESTS_QUANTIZE_CASES_HPP
#define PARE_TESTS_QUANTIZE_CASES_HPP

#include <cstdint>
#include <limits>
#include <string>

#include <pare/core/bit_cast.hpp>
#include <pare/quantize/rules.hpp>

namespace quantize_cases {

/// The code types and schemes in the order in which the vectors have them.
struct combination {
  const char* code;
  pare::symmetry scheme;
};
inline constexpr combination combinations[] = {{"s8", pare::symmetry::symmetric},
                                               {"s8", pare::symmetry::asymmetric},
                                               {"u8", pare::symmetry::symmetric},
                                               {"u8", pare::symmetry::asymmetric}};

struct named_rule {
  const char* name;
  pare::affine_rule rule;
};
inline constexpr named_rule rules[] = {{"pytorch", pare::affine_rule::pytorch},
                                       {"onnx", pare::affine_rule::onnx},
                                       {"tflite", pare::affine_rule::tflite}};

/// f(Code()) for "s8" or "u8".
template <class F>
void with_code(const std::string& code, F f) {
  if (code == "s8") return f(std::int8_t());
  return f(std::uint8_t());
}

/// Whether the program flushes denormal numbers to zero: GCC's -ffast-math links that in, and
/// reference values that need denormal numbers then cannot be met.
inline bool flushes_denormals() {
  volatile float denormal = pare::detail::bit_cast<float>(std::uint32_t{1000});
  volatile float doubled = denormal * 2.0f;
  return pare::detail::bit_cast<std::uint32_t>(static_cast<float>(doubled)) == 0;
}

/// Whether x is denormal, told from its bits.
inline bool is_denormal(float x) {
  const std::uint32_t magnitude = pare::detail::bit_cast<std::uint32_t>(x) & 0x7fffffffu;
  return magnitude != 0 && magnitude < 0x00800000u;
}

inline float nan() { return pare::detail::bit_cast<float>(0x7fc00000u); }
inline float infinity() { return pare::detail::bit_cast<float>(0x7f800000u); }
inline constexpr float largest = std::numeric_limits<float>::max();

}  // namespace quantize_cases

#endif  // PARE_TESTS_QUANTIZE_CASES_HPP
