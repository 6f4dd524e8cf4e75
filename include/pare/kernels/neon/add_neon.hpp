// Sums of 8-bit codes on NEON, 16 at a time.
//
// Bound: the arithmetic, about 16 instructions for 4 sums.
#ifndef PARE_KERNELS_NEON_ADD_NEON_HPP
#define PARE_KERNELS_NEON_ADD_NEON_HPP

#include <pare/kernels/scalar/add.hpp>
#include <pare/kernels/target_region.hpp>

#if PARE_NEON_KERNELS

namespace pare::kernels::neon {
inline namespace PARE_ABI {

/// `scaling_steps` in registers.
struct step_constants {
  int32x4_t multiplier, second, sign, right;  // `right` negative: a shift to the left
};
PARE_ALWAYS_INLINE step_constants constants_of(const scaling_steps& s) noexcept {
  return {vdupq_n_s32(s.multiplier), vdupq_n_s32(s.second), vdupq_n_s32(s.sign),
          vdupq_n_s32(-s.right)};
}

/// @tparam First  `scaling_steps::first`: SQRDMULH or SQDMULH
template <bool First>
PARE_ALWAYS_INLINE int32x4_t scale_by_steps(int32x4_t x, const step_constants& s) noexcept {
  const int32x4_t high = First ? vqrdmulhq_s32(x, s.multiplier) : vqdmulhq_s32(x, s.multiplier);
  const int32x4_t away = vandq_s32(vshrq_n_s32(high, 31), s.sign);
  return vshlq_s32(vaddq_s32(vaddq_s32(high, s.second), away), s.right);
}

/// What an addition needs, in registers.
struct add_constants {
  int16x8_t zero_a, zero_b;
  int32x4_t zero;
  step_constants steps_b, steps;
};

/// 4 sums before the clamp, of differences to zero points.
template <bool FirstB, bool First>
PARE_ALWAYS_INLINE int32x4_t add_4(const add_constants& c, int16x4_t a, int16x4_t b) noexcept {
  const int32x4_t left = vshll_n_s16(a, 15), right = vshll_n_s16(b, 15);
  const int32x4_t sum =
      vaddq_s32(vshlq_n_s32(left, add_left_shift - 16),
                scale_by_steps<FirstB>(vshlq_n_s32(right, add_left_shift - 15), c.steps_b));
  return vaddq_s32(scale_by_steps<First>(sum, c.steps), c.zero);
}

template <bool FirstB, bool First>
PARE_ALWAYS_INLINE int8x8_t add_8(const add_constants& c, int8x8_t a, int8x8_t b) noexcept {
  const int16x8_t left = vsubq_s16(vmovl_s8(a), c.zero_a), right = vsubq_s16(vmovl_s8(b), c.zero_b);
  const int32x4_t low = add_4<FirstB, First>(c, vget_low_s16(left), vget_low_s16(right));
  const int32x4_t high = add_4<FirstB, First>(c, vget_high_s16(left), vget_high_s16(right));
  // Saturation to s16 and s8 lies beyond the clamp, so it never shows.
  return vqmovn_s16(vcombine_s16(vqmovn_s32(low), vqmovn_s32(high)));
}

template <bool FirstB, bool First>
void add_codes(const add_args& p, const std::uint8_t* a, const std::uint8_t* b, index_t n,
               std::uint8_t* y) noexcept {
  const add_constants c = {vdupq_n_s16(static_cast<std::int16_t>(p.zero_a)),
                           vdupq_n_s16(static_cast<std::int16_t>(p.zero_b)), vdupq_n_s32(p.zero),
                           constants_of(p.steps_b), constants_of(p.steps)};
  const uint8x16_t flip = vdupq_n_u8(p.flip);
  const int8x16_t low = vdupq_n_s8(static_cast<std::int8_t>(p.low)),
                  high = vdupq_n_s8(static_cast<std::int8_t>(p.high));
  index_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const int8x16_t from_a = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(a + i), flip));
    const int8x16_t from_b = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(b + i), flip));
    const int8x8_t first = add_8<FirstB, First>(c, vget_low_s8(from_a), vget_low_s8(from_b));
    const int8x8_t second = add_8<FirstB, First>(c, vget_high_s8(from_a), vget_high_s8(from_b));
    const int8x16_t codes = vminq_s8(vmaxq_s8(vcombine_s8(first, second), low), high);
    vst1q_u8(y + i, veorq_u8(vreinterpretq_u8_s8(codes), flip));
  }
  scalar::add(p, a + i, b + i, n - i, y + i);
}

inline void add(const add_args& p, const std::uint8_t* a, const std::uint8_t* b, index_t n,
                std::uint8_t* y) noexcept {
  if (p.steps.first != 0) {
    return p.steps_b.first != 0 ? add_codes<true, true>(p, a, b, n, y)
                                : add_codes<false, true>(p, a, b, n, y);
  }
  return p.steps_b.first != 0 ? add_codes<true, false>(p, a, b, n, y)
                              : add_codes<false, false>(p, a, b, n, y);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::neon

#endif  // PARE_NEON_KERNELS
#endif  // PARE_KERNELS_NEON_ADD_NEON_HPP
