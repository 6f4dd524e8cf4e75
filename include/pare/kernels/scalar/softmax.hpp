// Exponentials and a reciprocal in 32-bit fixed point, as softmax needs them.
//
// gemmlowp/fixedpoint/fixedpoint.h (exp_on_negative_values, one_over_one_plus_x_for_x_in_0_1) and
// TensorFlow Lite's kernels/internal/common.h (GetReciprocal), bit for bit. Qm.n: n bits after the
// point.
#ifndef PARE_KERNELS_SCALAR_SOFTMAX_HPP
#define PARE_KERNELS_SCALAR_SOFTMAX_HPP

#include <pare/core/fixed_point.hpp>

namespace pare::kernels::scalar {
inline namespace PARE_ABI {

/// round(a * b / 2^32), ties up: SMMULR, which compilers do not find by themselves.
PARE_ALWAYS_INLINE std::int32_t rounded_high(std::int32_t a, std::int32_t b) noexcept {
#if defined(__arm__) && defined(__ARM_FEATURE_DSP) && __ARM_ARCH >= 6 && \
    (defined(__GNUC__) || defined(__clang__))
  std::int32_t y;
  __asm__("smmulr %0, %1, %2" : "=r"(y) : "r"(a), "r"(b));
  return y;
#else
  return static_cast<std::int32_t>((static_cast<std::int64_t>(a) * b + (std::int64_t{1} << 31)) >>
                                   32);
#endif
}

/// a * b in Q0.31, rounded as `saturating_rounding_doubling_high_multiply` rounds, for b in
/// [1/2, 1): 2 * b does not fit in 32 bits, but 2 * b - 2^32 does, and a makes up for the rest.
PARE_ALWAYS_INLINE std::int32_t times_large(std::int32_t a, std::int32_t b) noexcept {
  return a + rounded_high(a, pare::detail::wrapping_shift_left(b, 1));
}

/// The same for b in (-1/2, 1/2).
PARE_ALWAYS_INLINE std::int32_t times_small(std::int32_t a, std::int32_t b) noexcept {
  return rounded_high(a, 2 * b);
}

/// exp(a) in Q0.31 for a in Q5.26, a <= 0.
///
/// The part of a below a quarter, in [-1/4, 0), by a polynomial around -1/8; then a factor for each
/// bit of the rest.
inline std::int32_t exp_of_negative(std::int32_t a) noexcept {
  constexpr std::int32_t quarter = 1 << 24, third = 715827883, exp_of_eighth = 1895147668;
  if (a == 0) return INT32_MAX;
  const std::int32_t below = (a & (quarter - 1)) - quarter;
  const std::int32_t x = below * 32 + (1 << 28);  // Q0.31, in [-1/8, 1/8)
  const std::int32_t x2 = times_small(x, x), x3 = times_small(x2, x), x4 = times_small(x2, x2);
  // Even powers and what is added to them are not negative, so that divisions by powers of two
  // round by adding a half.
  const std::int32_t series = (times_small(((x4 + 2) >> 2) + x3, third) + x2 + 1) >> 1;
  std::int32_t y = exp_of_eighth + times_small(exp_of_eighth, x + series);
  const std::uint32_t quarters = static_cast<std::uint32_t>(below - a) >> 24;
  if ((quarters & 1u) != 0) y = times_large(y, 1672461947);  // exp(-1/4)
  if ((quarters & 2u) != 0) y = times_large(y, 1302514674);  // exp(-1/2)
  if ((quarters & 4u) != 0) y = times_small(y, 790015084);   // exp(-1)
  if ((quarters & 8u) != 0) y = times_small(y, 290630308);   // exp(-2)
  if ((quarters & 16u) != 0) y = times_small(y, 39332535);   // exp(-4)
  if ((quarters & 32u) != 0) y = times_small(y, 720401);     // exp(-8)
  if ((quarters & 64u) != 0) y = times_small(y, 242);        // exp(-16)
  return y;
}

/// The number of zeros above the highest one; x is not 0.
PARE_ALWAYS_INLINE std::int32_t leading_zeros(std::uint32_t x) noexcept {
#if defined(__GNUC__) || defined(__clang__)
  return __builtin_clz(static_cast<unsigned>(x));
#else
  std::int32_t n = 0;
  for (; (x & 0x80000000u) == 0; x <<= 1) ++n;
  return n;
#endif
}

/// 1 / x as `scale` in Q0.31, in [1/2, 1), times 2^-`bits`.
struct fixed_reciprocal {
  std::int32_t scale;
  std::int32_t bits;
};

/// The reciprocal of a sum in Q12.19, at least 1.
///
/// Three steps of Newton and Raphson for half the normalised sum, in [1/2, 1).
inline fixed_reciprocal reciprocal_of(std::int32_t sum) noexcept {
  constexpr std::int32_t c48_over_17 = 1515870810, c32_over_17 = 1010580540,
                         one = 1 << 29;  // Q2.29
  const std::int32_t headroom = leading_zeros(static_cast<std::uint32_t>(sum));
  const std::int32_t half =
      static_cast<std::int32_t>((static_cast<std::uint32_t>(sum) << headroom) >> 1);
  std::int32_t x = c48_over_17 + times_large(-c32_over_17, half);
  PARE_UNROLL for (int step = 0; step < 3; ++step) {
    x += times_small(x, one - times_large(x, half)) * 4;
  }
  return {x >= (1 << 30) ? INT32_MAX : x * 2, 12 - headroom};
}

/// A probability as a code from 0 to 256, where 256 is 1: exponential * reciprocal.
PARE_ALWAYS_INLINE std::int32_t probability(std::int32_t exponential, fixed_reciprocal r) noexcept {
  const std::int32_t right = r.bits + 31 - 8;
  if (right > 31) return 0;  // a sum of 512 or more: less than half a code for each
  const std::uint32_t product = static_cast<std::uint32_t>(times_large(exponential, r.scale));
  return static_cast<std::int32_t>((product + (std::uint32_t{1} << (right - 1))) >> right);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::scalar

#endif  // PARE_KERNELS_SCALAR_SOFTMAX_HPP
