// The arithmetic of both fixed-point rules in steps that a vector register can take: one set of
// constants for a whole tensor.
#ifndef PARE_KERNELS_X86_ADD_STEPS_HPP
#define PARE_KERNELS_X86_ADD_STEPS_HPP

#include <pare/kernels/scalar/add.hpp>

namespace pare::kernels {

/// x * multiplier * 2^shift for shift <= 0, by either rule, as
///
///     high = (x * multiplier + (first << 30)) >> 31
///     y    = (high + second + ((high >> 31) & sign)) >> right
///
/// double_rounding rounds twice: ties of the product up, those of the division away from zero,
/// which `sign` brings about. single_rounding rounds once, at the end, or in the product where
/// nothing is divided; the bits that `high` loses lie below all that is rounded.
struct rounding_steps {
  std::int32_t first, second, sign, right;
};

constexpr PARE_ALWAYS_INLINE rounding_steps steps_of(std::int32_t single,
                                                     std::int32_t shift) noexcept {
  const std::int32_t right = -shift;
  return {single == 0 || right == 0 ? 1 : 0, right > 0 ? 1 << (right - 1) : 0,
          single == 0 && right > 0 ? -1 : 0, right};
}

/// A multiplier in two parts, multiplier = upper * 2^11 + lower. For x = v << 20 with v of 9 bits
///
///     high = v * upper + ((v * lower + (first << 10)) >> 11)
///
/// is the same as above, and each product fits in 32 bits.
struct split_multiplier {
  std::int32_t upper, lower;
};

constexpr PARE_ALWAYS_INLINE split_multiplier split(std::int32_t multiplier) noexcept {
  return {multiplier >> 11, multiplier & 0x7ff};
}

}  // namespace pare::kernels

#endif  // PARE_KERNELS_X86_ADD_STEPS_HPP
