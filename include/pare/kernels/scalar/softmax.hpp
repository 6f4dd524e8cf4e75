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

/// `saturating_rounding_doubling_high_multiply` where nothing saturates.
constexpr PARE_ALWAYS_INLINE std::int32_t high_product(std::int32_t a, std::int32_t b) noexcept {
  return static_cast<std::int32_t>((static_cast<std::int64_t>(a) * b + (std::int64_t{1} << 30)) >>
                                   31);
}

/// exp(a) in Q0.31 for a in Q5.26, a <= 0.
///
/// The part of a below a quarter, in [-1/4, 0), by a polynomial around -1/8; then a factor for each
/// bit of the rest.
constexpr std::int32_t exp_of_negative(std::int32_t a) noexcept {
  constexpr std::int32_t quarter = 1 << 24;
  constexpr std::int32_t exp_of_eighth = 1895147668;  // exp(-1/8)
  constexpr std::int32_t third = 715827883;
  constexpr std::int32_t exp_of_power[] = {
      1672461947, 1302514674, 790015084, 290630308,
      39332535,   720401,     242};  // exp(-1/4), exp(-1/2), exp(-1), ... exp(-16)
  if (a == 0) return INT32_MAX;
  const std::int32_t below = (a & (quarter - 1)) - quarter;
  const std::int32_t x = below * 32 + (1 << 28);  // Q0.31
  const std::int32_t x2 = high_product(x, x), x3 = high_product(x2, x), x4 = high_product(x2, x2);
  // Even powers and what is added to them are not negative here, so that divisions by powers of two
  // round by adding a half.
  const std::int32_t series = (high_product(((x4 + 2) >> 2) + x3, third) + x2 + 1) >> 1;
  std::int32_t y = exp_of_eighth + high_product(exp_of_eighth, x + series);
  std::uint32_t quarters = static_cast<std::uint32_t>(below - a) >> 24;
  for (const std::int32_t* factor = exp_of_power; quarters != 0; quarters >>= 1, ++factor) {
    if ((quarters & 1u) != 0) y = high_product(y, *factor);
  }
  return y;
}

/// 1 / x as `scale` in Q0.31 times 2^-`bits`.
struct fixed_reciprocal {
  std::int32_t scale;
  std::int32_t bits;
};

/// The reciprocal of a sum in Q12.19, at least 1.
///
/// Three steps of Newton and Raphson for half the normalised sum, in [1/2, 1).
constexpr fixed_reciprocal reciprocal_of(std::int32_t sum) noexcept {
  std::uint32_t normalised = static_cast<std::uint32_t>(sum);
  std::int32_t headroom = 0;
  for (; (normalised & 0x80000000u) == 0; normalised <<= 1) ++headroom;
  const std::int32_t half = static_cast<std::int32_t>(normalised >> 1);
  constexpr std::int32_t c48_over_17 = 1515870810, c32_over_17 = 1010580540,
                         one = 1 << 29;  // Q2.29
  std::int32_t x = c48_over_17 + high_product(half, -c32_over_17);
  for (int step = 0; step < 3; ++step) x += high_product(x, one - high_product(half, x)) * 4;
  return {x >= (1 << 30) ? INT32_MAX : x * 2, 12 - headroom};
}

/// A probability as a code from 0 to 256, where 256 is 1: exponential * reciprocal.
constexpr PARE_ALWAYS_INLINE std::int32_t probability(std::int32_t exponential,
                                                      fixed_reciprocal r) noexcept {
  const std::int32_t right = r.bits + 31 - 8;
  if (right > 31) return 0;  // a sum of 512 or more: less than half a code for each
  const std::uint32_t product = static_cast<std::uint32_t>(high_product(exponential, r.scale));
  return static_cast<std::int32_t>((product + (std::uint32_t{1} << (right - 1))) >> right);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::scalar

#endif  // PARE_KERNELS_SCALAR_SOFTMAX_HPP
