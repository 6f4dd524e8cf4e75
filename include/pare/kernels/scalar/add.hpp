// Sums of 8-bit codes with scales of their own: the specification.
//
// Both fixed-point rules of core/fixed_point.hpp are one formula with other constants here, so that
// every kernel is written once.
#ifndef PARE_KERNELS_SCALAR_ADD_HPP
#define PARE_KERNELS_SCALAR_ADD_HPP

#include <pare/core/fixed_point.hpp>

namespace pare::kernels {

/// Bits that inputs are shifted left before they are scaled.
inline constexpr int add_left_shift = 20;

/// x * multiplier * 2^-right by either rule:
///
///     high = (x * multiplier + (first << 30)) >> 31
///     y    = (high + second + ((high >> 31) & sign)) >> right
///
/// `double_rounding` rounds twice: ties of the product go up, those of the division away from zero,
/// which is what `sign` is for. `single_rounding` rounds at the end, or in the product where
/// nothing is divided; the bits that `high` loses lie below the rounded one.
struct scaling_steps {
  std::int32_t multiplier, first, second, sign, right;
};

/// @param m     of a factor below 1
/// @param rule  one of the fixed-point rules
constexpr PARE_ALWAYS_INLINE scaling_steps steps_of(fixed_multiplier m,
                                                    requantization rule) noexcept {
  const bool twice = rule == requantization::double_rounding;
  const std::int32_t right = -m.shift;
  return {m.multiplier, twice || right == 0 ? 1 : 0,
          right > 0 ? static_cast<std::int32_t>(1) << (right - 1) : 0, twice && right > 0 ? -1 : 0,
          right};
}

/// y = clamp(steps((a - zero_a) << 19 + steps_b((b - zero_b) << 20)) + zero)
///
/// `a` is the operand with the larger scale: its factor is 1/2 by construction, which is exact by
/// either rule. Codes, zero points and limits as s8, after an exclusive or with `flip`.
struct add_args {
  std::int32_t zero_a, zero_b, zero;
  scaling_steps steps_b, steps;
  std::int32_t low, high;
  std::uint8_t flip;  ///< 0x80 for u8
};

namespace scalar {
inline namespace PARE_ABI {

/// |x| below 2^29, so that no sum overflows.
constexpr PARE_ALWAYS_INLINE std::int32_t scale_by_steps(std::int32_t x,
                                                         const scaling_steps& s) noexcept {
  const std::int64_t product = static_cast<std::int64_t>(x) * s.multiplier;
  const auto high =
      static_cast<std::int32_t>((product + (static_cast<std::int64_t>(s.first) << 30)) >> 31);
  return (high + s.second + ((high >> 31) & s.sign)) >> s.right;
}

inline void add(const add_args& p, const std::uint8_t* a, const std::uint8_t* b, index_t n,
                std::uint8_t* y) noexcept {
  const scaling_steps steps_b = p.steps_b, steps = p.steps;
  for (index_t i = 0; i < n; ++i) {
    const std::int32_t left = static_cast<std::int8_t>(a[i] ^ p.flip) - p.zero_a,
                       right = static_cast<std::int8_t>(b[i] ^ p.flip) - p.zero_b;
    const std::int32_t sum =
        left * (1 << (add_left_shift - 1)) + scale_by_steps(right * (1 << add_left_shift), steps_b);
    const std::int32_t code =
        pare::detail::clamp(scale_by_steps(sum, steps) + p.zero, p.low, p.high);
    y[i] = static_cast<std::uint8_t>(static_cast<std::uint8_t>(code) ^ p.flip);
  }
}

}  // namespace PARE_ABI
}  // namespace scalar
}  // namespace pare::kernels

#endif  // PARE_KERNELS_SCALAR_ADD_HPP
