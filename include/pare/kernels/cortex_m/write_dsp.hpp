// From four accumulators to four outputs with the DSP instructions of Cortex-M4, M7 and M33.
//
// The same bits as `requantize` in core/fixed_point.hpp, in 15 instructions an output for
// double_rounding and 12 for single_rounding; zero points and clamps take four codes at a time.
#ifndef PARE_KERNELS_CORTEX_M_WRITE_DSP_HPP
#define PARE_KERNELS_CORTEX_M_WRITE_DSP_HPP

#include <cstring>

#include <pare/kernels/scalar/gemm_s8.hpp>

#if PARE_DSP_KERNELS || PARE_MVE_KERNELS

namespace pare::kernels::dsp {
inline namespace PARE_ABI {

/// `scale_double_rounding` for multipliers that are 0 or at least 2^30, as all of
/// `make_fixed_multiplier` are.
PARE_ALWAYS_INLINE std::int32_t scale_double_rounding(std::int32_t acc, std::int32_t multiplier,
                                                      std::int32_t shift) noexcept {
  std::int32_t left, y;
  __asm__("usat %0, #5, %1" : "=r"(left) : "r"(shift));  // max(shift, 0)
  acc = pare::detail::wrapping_shift_left(acc, static_cast<int>(left));
  // 2 * multiplier does not fit in 32 bits, but 2 * multiplier - 2^32 does; adding acc makes up for
  // the rest. Nothing is added for the multiplier 0.
  const std::int32_t twice = pare::detail::wrapping_shift_left(multiplier, 1);
  __asm__("smmlar %0, %1, %2, %3" : "=r"(y) : "r"(acc), "r"(twice), "r"(acc & (twice >> 31)));
  // A shift leaves the last bit it drops in the carry, which rounds ties up; negative numbers, one
  // less before the shift, round them down. Without a shift the first addition clears the carry.
  const std::int32_t right = left - shift;
  __asm__(
      "adds %0, %0, %1, asr #31\n\t"
      "asrs %0, %0, %2\n\t"
      "adc %0, %0, #0"
      : "+r"(y)
      : "r"(y & -right), "r"(right)
      : "cc");
  return y;
}

/// The same with single rounding.
PARE_ALWAYS_INLINE std::int32_t scale_single_rounding(std::int32_t acc, std::int32_t multiplier,
                                                      std::int32_t shift) noexcept {
  if (PARE_UNLIKELY(shift >= 0)) {
    return pare::scale_single_rounding(acc, {multiplier, shift});
  }
  const std::int64_t product = static_cast<std::int64_t>(acc) * multiplier;
  std::int32_t low = static_cast<std::int32_t>(product);
  std::int32_t high = static_cast<std::int32_t>(product >> 32);
  // The carry is the last bit dropped: bit 31 of the low word, unless the high word is shifted.
  __asm__(
      "adds %1, %1, %1\n\t"
      "asrs %0, %0, %2\n\t"
      "adc %0, %0, #0"
      : "+r"(high), "+r"(low)
      : "r"(~shift)
      : "cc");
  return high;
}

/// rint(x), ties to even, saturated to 32 bits.
PARE_ALWAYS_INLINE std::int32_t rounded_to_int(float x) noexcept {
#if defined(__ARM_FP)
  float bits;
  __asm__("vcvtr.s32.f32 %0, %1" : "=t"(bits) : "t"(x));
  return pare::detail::bit_cast<std::int32_t>(bits);
#else
  return pare::detail::round_half_even(pare::detail::clamp(x, -2147483648.0f, 2147483520.0f));
#endif
}

/// A scaled accumulator before zero point (after it, for `onnx`) and clamp, saturated to 32 bits.
PARE_ALWAYS_INLINE std::int32_t scaled(const gemm_s8_args& args, requantization rule,
                                       index_t column, std::int32_t acc) noexcept {
  switch (rule) {
    case requantization::double_rounding:
      return scale_double_rounding(acc, args.multipliers[column], args.shifts[column]);
    case requantization::single_rounding:
      return scale_single_rounding(acc, args.multipliers[column], args.shifts[column]);
    case requantization::nearest:
      return rounded_to_int(static_cast<float>(acc) * args.factors[column]);
    case requantization::onnx:
      return rounded_to_int(pare::detail::multiply_then_add(
          static_cast<float>(acc), args.factors[column], static_cast<float>(args.zero_point)));
  }
  return 0;
}

/// x - low as an unsigned byte, saturated.
PARE_ALWAYS_INLINE std::uint32_t above(std::int32_t x, std::int32_t minus_low) noexcept {
  std::uint32_t y;
  __asm__(
      "qadd %0, %1, %2\n\t"
      "usat %0, #8, %0"
      : "=r"(y)
      : "r"(x), "r"(minus_low));
  return y;
}

/// A byte four times over.
PARE_ALWAYS_INLINE std::uint32_t four_times(std::int32_t byte) noexcept {
  return (static_cast<std::uint32_t>(byte) & 0xffu) * 0x01010101u;
}

/// Codes of outputs from `column` on, four at a time.
PARE_ALWAYS_INLINE void write_codes(const gemm_s8_args& args, requantization rule, std::uint8_t* to,
                                    index_t column, index_t columns,
                                    const std::int32_t* acc) noexcept {
  // `onnx` has added the zero point before it rounded.
  const std::int32_t move = (rule == requantization::onnx ? 0 : args.zero_point) - args.low;
  const std::uint32_t low = four_times(args.low), range = four_times(args.high - args.low);
  for (; columns > 0; columns -= 4) {
    std::uint32_t codes = 0;
    for (index_t i = 0; i < 4; ++i, ++column, ++acc) {
      codes = codes >> 8 | above(scaled(args, rule, column, *acc), move) << 24;
    }
    // The smaller of both, byte by byte.
    std::uint32_t least;
    __asm__(
        "usub8 %0, %1, %2\n\t"
        "sel %0, %2, %1\n\t"
        "uadd8 %0, %0, %3"
        : "=&r"(least)
        : "r"(codes), "r"(range), "r"(low)
        : "cc");
    if (PARE_LIKELY(columns >= 4)) {
      std::memcpy(to, &least, 4);
      to += 4;
    } else {
      for (; columns > 0; --columns, least >>= 8) *to++ = static_cast<std::uint8_t>(least);
    }
  }
}

/// Outputs `column` to `column + columns - 1` of a row. What is beside the panels, and `acc`, have
/// four columns everywhere.
inline void write(const gemm_s8_args& args, index_t row, index_t column, index_t columns,
                  const std::int32_t* acc) noexcept {
  const index_t at = row * args.c_stride + column;
  if (args.kind == output_kind::q8) {
    std::uint8_t* to = static_cast<std::uint8_t*>(args.c) + at;
    const requantization rule = args.rule;
#if !defined(__OPTIMIZE_SIZE__)
    // A loop for each rule.
    if (rule == requantization::double_rounding) {
      return write_codes(args, requantization::double_rounding, to, column, columns, acc);
    }
    if (rule == requantization::single_rounding) {
      return write_codes(args, requantization::single_rounding, to, column, columns, acc);
    }
    if (rule == requantization::nearest) {
      return write_codes(args, requantization::nearest, to, column, columns, acc);
    }
#endif
    return write_codes(args, rule, to, column, columns, acc);
  }
  for (index_t i = 0; i < columns; ++i) {
    if (args.kind == output_kind::s32) {
      static_cast<std::int32_t*>(args.c)[at + i] = acc[i];
    } else {
      static_cast<float*>(args.c)[at + i] = scalar::real_of(args, row, column + i, acc[i]);
    }
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::dsp

#endif  // PARE_DSP_KERNELS || PARE_MVE_KERNELS
#endif  // PARE_KERNELS_CORTEX_M_WRITE_DSP_HPP
