// Division that stays a division under -ffast-math.
//
// With -freciprocal-math a compiler turns x / d into x * (1 / d) where d is a constant or does not
// change in a loop, or x * (1 / d) into x / d, and the last bit with it. Rules that promise bits
// divide through here.
#ifndef PARE_QUANTIZE_DETAIL_DIVIDE_HPP
#define PARE_QUANTIZE_DETAIL_DIVIDE_HPP

#include <pare/core/config.hpp>

namespace pare::detail {

/// x, as a value of which the compiler knows nothing, anew at every call.
template <class Float>
PARE_ALWAYS_INLINE Float opaque(Float x) noexcept {
#if (defined(__GNUC__) || defined(__clang__)) && defined(__x86_64__)
  __asm__ volatile("" : "+x"(x));
  return x;
#elif (defined(__GNUC__) || defined(__clang__)) && defined(__aarch64__)
  __asm__ volatile("" : "+w"(x));
  return x;
#else
  volatile Float kept = x;
  return kept;
#endif
}

/// x / divisor, rounded once, and apart from all that is done with it.
template <class Float>
PARE_ALWAYS_INLINE Float divide(Float x, Float divisor) noexcept {
  return opaque(x / opaque(divisor));
}

}  // namespace pare::detail

#endif  // PARE_QUANTIZE_DETAIL_DIVIDE_HPP
