// Sums of 8-bit codes with scales of their own: the specification.
#ifndef PARE_KERNELS_SCALAR_ADD_HPP
#define PARE_KERNELS_SCALAR_ADD_HPP

#include <pare/core/fixed_point.hpp>

namespace pare::kernels {

/// Bits that inputs are shifted left before they are scaled.
inline constexpr int add_left_shift = 20;

/// y = clamp((((a - zero_a) << 19) + ((b - zero_b) << 20) * factor_b) * factor + zero)
///
/// `a` is the operand with the larger scale: its factor is 1/2 by construction, which is exact by
/// either rule. All codes and zero points as s8, after an exclusive or with `flip`.
struct add_args {
  std::int32_t zero_a, zero_b, zero;
  fixed_multiplier factor_b;  ///< at most 1/2
  fixed_multiplier factor;    ///< below 1
  std::int32_t low, high;
  std::int32_t single;  ///< 1 where the rule is `single_rounding`, 0 for `double_rounding`
  std::uint8_t flip;    ///< 0x80 for u8
};

namespace scalar {
inline namespace PARE_ABI {

PARE_ALWAYS_INLINE std::int32_t to_s8(std::uint8_t code, std::uint8_t flip) noexcept {
  return static_cast<std::int8_t>(code ^ flip);
}
PARE_ALWAYS_INLINE std::uint8_t from_s8(std::int32_t code, std::uint8_t flip) noexcept {
  return static_cast<std::uint8_t>(static_cast<std::uint8_t>(code) ^ flip);
}

template <std::int32_t Single>
PARE_ALWAYS_INLINE std::int32_t add_one(const add_args& p, std::uint8_t a,
                                        std::uint8_t b) noexcept {
  const auto scale = [](std::int32_t x, fixed_multiplier m) {
    return Single != 0 ? scale_single_rounding(x, m) : scale_double_rounding(x, m);
  };
  const std::int32_t left = to_s8(a, p.flip) - p.zero_a, right = to_s8(b, p.flip) - p.zero_b;
  const std::int32_t sum =
      left * (1 << (add_left_shift - 1)) + scale(right * (1 << add_left_shift), p.factor_b);
  return add_zero_point(scale(sum, p.factor), p.zero, p.low, p.high);
}

template <std::int32_t Single>
void add_by(const add_args& p, const std::uint8_t* a, const std::uint8_t* b, index_t n,
            std::uint8_t* y) noexcept {
  for (index_t i = 0; i < n; ++i) y[i] = from_s8(add_one<Single>(p, a[i], b[i]), p.flip);
}

inline void add(const add_args& p, const std::uint8_t* a, const std::uint8_t* b, index_t n,
                std::uint8_t* y) noexcept {
  if (p.single != 0) return add_by<1>(p, a, b, n, y);
  add_by<0>(p, a, b, n, y);
}

}  // namespace PARE_ABI
}  // namespace scalar
}  // namespace pare::kernels

#endif  // PARE_KERNELS_SCALAR_ADD_HPP
