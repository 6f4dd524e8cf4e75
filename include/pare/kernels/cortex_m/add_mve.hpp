// Sums of 8-bit codes with scales of their own, by Helium: four at a time.
#ifndef PARE_KERNELS_CORTEX_M_ADD_MVE_HPP
#define PARE_KERNELS_CORTEX_M_ADD_MVE_HPP

#include <pare/kernels/scalar/add.hpp>

#if PARE_MVE_KERNELS

#include <arm_mve.h>

namespace pare::kernels::mve {
inline namespace PARE_ABI {

/// As scalar::scale_by_steps: VQRDMULH adds half before it cuts, VQDMULH does not.
PARE_ALWAYS_INLINE int32x4_t scale_by_steps(int32x4_t x, const scaling_steps& s) noexcept {
  const int32x4_t high =
      s.first != 0 ? vqrdmulhq_n_s32(x, s.multiplier) : vqdmulhq_n_s32(x, s.multiplier);
  const int32x4_t less = vandq_s32(vshrq_n_s32(high, 31), vdupq_n_s32(s.sign));
  return vshlq_r_s32(vaddq_s32(vaddq_n_s32(high, s.second), less), -s.right);
}

/// Codes of s8, after the exclusive or with `flip`, less a zero point.
PARE_ALWAYS_INLINE int32x4_t codes_less(const std::uint8_t* x, std::uint32_t flip,
                                        std::int32_t zero, mve_pred16_t exist) noexcept {
  // 128 more as numbers from 0 on.
  const uint32x4_t above = veorq_u32(vldrbq_z_u32(x, exist), vdupq_n_u32(flip ^ 0x80u));
  return vsubq_n_s32(vreinterpretq_s32_u32(above), zero + 128);
}

/// As scalar::add.
inline void add_codes(const add_args& p, const std::uint8_t* a, const std::uint8_t* b, index_t n,
                      std::uint8_t* y) noexcept {
  const add_args args = p;  // stores of codes could change it, as far as the compiler knows
  const int32x4_t low = vdupq_n_s32(args.low), high = vdupq_n_s32(args.high);
  for (; n > 0; n -= 4, a += 4, b += 4, y += 4) {
    const mve_pred16_t exist = vctp32q(static_cast<std::uint32_t>(n));
    const int32x4_t left =
        vshlq_n_s32(codes_less(a, args.flip, args.zero_a, exist), add_left_shift - 1);
    const int32x4_t right =
        vshlq_n_s32(codes_less(b, args.flip, args.zero_b, exist), add_left_shift);
    const int32x4_t sum = vaddq_s32(left, scale_by_steps(right, args.steps_b));
    const int32x4_t code = vaddq_n_s32(scale_by_steps(sum, args.steps), args.zero);
    const auto bounded = vreinterpretq_u32_s32(vminq_s32(vmaxq_s32(code, low), high));
    vstrbq_p_u32(y, veorq_u32(bounded, vdupq_n_u32(args.flip)), exist);
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::mve

#endif  // PARE_MVE_KERNELS
#endif  // PARE_KERNELS_CORTEX_M_ADD_MVE_HPP
