// Rounding to integers, in constant expressions and at run time, and float arithmetic that no
// compiler fuses.
#ifndef PARE_CORE_ROUNDING_HPP
#define PARE_CORE_ROUNDING_HPP

#include <pare/core/bit_cast.hpp>

namespace pare::detail {

/// Whether x is neither NaN nor infinite; true to its word under -ffast-math too.
constexpr PARE_ALWAYS_INLINE bool is_finite(float x) noexcept {
  return (bit_cast<std::uint32_t>(x) & 0x7f800000u) != 0x7f800000u;
}
constexpr PARE_ALWAYS_INLINE bool is_finite(double x) noexcept {
  return (bit_cast<std::uint64_t>(x) & 0x7ff0000000000000u) != 0x7ff0000000000000u;
}

/// Nearest integer, ties to even, for |x| < 2^31 (float) or 2^51 (double). Assumes the default
/// rounding mode at run time.
constexpr PARE_ALWAYS_INLINE std::int64_t round_half_even(double x) noexcept {
#if defined(__GNUC__) || defined(__clang__)
  if (!is_constant_evaluated()) return static_cast<std::int64_t>(__builtin_rint(x));
#endif
  const std::int64_t below = static_cast<std::int64_t>(x) -
                             (x < static_cast<double>(static_cast<std::int64_t>(x)) ? 1 : 0);
  const double rest = x - static_cast<double>(below);
  if (rest > 0.5 || (rest == 0.5 && (below & 1) != 0)) return below + 1;
  return below;
}
constexpr PARE_ALWAYS_INLINE std::int32_t round_half_even(float x) noexcept {
#if defined(__GNUC__) || defined(__clang__)
  if (!is_constant_evaluated()) return static_cast<std::int32_t>(__builtin_lrintf(x));
#endif
  return static_cast<std::int32_t>(round_half_even(static_cast<double>(x)));
}

/// Nearest integer, ties away from zero (C's `round`), for |x| < 2^31 (float) or 2^51 (double).
constexpr PARE_ALWAYS_INLINE std::int64_t round_half_away(double x) noexcept {
  const std::int64_t towards_zero = static_cast<std::int64_t>(x);
  const double rest = x - static_cast<double>(towards_zero);
  return towards_zero + (rest >= 0.5 ? 1 : 0) - (rest <= -0.5 ? 1 : 0);
}
constexpr PARE_ALWAYS_INLINE std::int32_t round_half_away(float x) noexcept {
  return static_cast<std::int32_t>(round_half_away(static_cast<double>(x)));
}

/// x, behind a barrier that keeps the compiler from fusing the product that made it into a later
/// addition.
///
/// GCC contracts a * b + c into one rounding by default (-ffp-contract=fast), which would make
/// results depend on flags.
PARE_ALWAYS_INLINE float rounded(float x) noexcept {
#if (defined(__GNUC__) || defined(__clang__)) && defined(__x86_64__)
  __asm__("" : "+x"(x));
  return x;
#elif (defined(__GNUC__) || defined(__clang__)) && defined(__aarch64__)
  __asm__("" : "+w"(x));
  return x;
#elif (defined(__GNUC__) || defined(__clang__)) && defined(__arm__) && defined(__ARM_FP)
  __asm__("" : "+t"(x));
  return x;
#else
  volatile float kept = x;
  return kept;
#endif
}

/// a * b + c with two roundings, whatever the flags.
constexpr PARE_ALWAYS_INLINE float multiply_then_add(float a, float b, float c) noexcept {
  if (is_constant_evaluated()) return a * b + c;
  return rounded(a * b) + c;
}

}  // namespace pare::detail

#endif  // PARE_CORE_ROUNDING_HPP
