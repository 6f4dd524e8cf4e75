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
///
/// 2 * multiplier does not fit in 32 bits, but 2 * multiplier - 2^32 does; adding acc makes up for
/// the rest (nothing is added for the multiplier 0). A shift leaves the last bit it drops in the
/// carry, which rounds ties up; negative numbers, one less before the shift, round them down. Without
/// a shift the addition before it clears the carry.
PARE_ALWAYS_INLINE std::int32_t scale_double_rounding(std::int32_t acc, std::int32_t multiplier,
                                                      std::int32_t shift) noexcept {
  std::int32_t right, t;
  __asm__(
      "usat %[right], #5, %[shift]\n\t"  // max(shift, 0)
      "lsls %[acc], %[acc], %[right]\n\t"
      "subs %[right], %[right], %[shift]\n\t"
      "lsls %[m], %[m], #1\n\t"
      "and %[t], %[acc], %[m], asr #31\n\t"
      "smmlar %[acc], %[acc], %[m], %[t]\n\t"
      "rsbs %[t], %[right], #0\n\t"
      "ands %[t], %[t], %[acc]\n\t"
      "adds %[acc], %[acc], %[t], asr #31\n\t"
      "asrs %[acc], %[acc], %[right]\n\t"
      "adc %[acc], %[acc], #0"
      : [acc] "+r"(acc), [m] "+r"(multiplier), [right] "=&r"(right), [t] "=&r"(t)
      : [shift] "r"(shift)
      : "cc");
  return acc;
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

/// How accumulators of some columns are scaled. A copy of what the arguments say: stores of codes
/// could change those, as far as the compiler knows.
struct column_scales {
  const std::int32_t *multipliers, *shifts;
  const float* factors;
  float zero_point;
};

/// A scaled accumulator before zero point (after it, for `onnx`) and clamp, saturated to 32 bits.
template <requantization Rule>
PARE_ALWAYS_INLINE std::int32_t scaled(const column_scales& s, index_t column,
                                       std::int32_t acc) noexcept {
  switch (Rule) {
    case requantization::double_rounding:
      return scale_double_rounding(acc, s.multipliers[column], s.shifts[column]);
    case requantization::single_rounding:
      return scale_single_rounding(acc, s.multipliers[column], s.shifts[column]);
    case requantization::nearest:
      return rounded_to_int(static_cast<float>(acc) * s.factors[column]);
    case requantization::onnx:
      return rounded_to_int(pare::detail::multiply_then_add(static_cast<float>(acc),
                                                            s.factors[column], s.zero_point));
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

/// What codes are moved by and clamped to after they were scaled.
struct code_range {
  std::int32_t move, low, high;
  float real_zero_point;

  template <requantization Rule>
  static PARE_ALWAYS_INLINE code_range of(const gemm_s8_args& args) noexcept {
    // `onnx` has added the zero point before it rounded.
    return {Rule == requantization::onnx ? 0 : args.zero_point, args.low, args.high,
            static_cast<float>(args.zero_point)};
  }
};

/// Which outputs are written: four at a time, either along a row or, where a row has no more than
/// four, one row after the other.
struct output_steps {
  index_t count;        ///< of steps
  index_t column_step;  ///< 4, or 0
  index_t step;         ///< elements from step to step

  static PARE_ALWAYS_INLINE output_steps of(index_t rows, index_t columns,
                                            index_t stride) noexcept {
    return rows == 1 ? output_steps{pare::detail::ceil_div(columns, 4), 4, 4}
                     : output_steps{rows, 0, stride};
  }
};

/// Writes codes; see `output_writer`.
template <requantization Rule>
void write_codes(const gemm_s8_args& args, index_t row, index_t column, index_t columns,
                 index_t rows, const std::int32_t* acc, index_t acc_step) noexcept {
  std::uint8_t* to = static_cast<std::uint8_t*>(args.c) + row * args.c_stride + column;
  output_steps steps = output_steps::of(rows, columns, args.c_stride);
  const code_range bounds = code_range::of<Rule>(args);
  const std::int32_t move = bounds.move - bounds.low;
  const std::uint32_t low = four_times(args.low), range = four_times(args.high - args.low);
  column_scales scales = {args.multipliers + column, args.shifts + column, args.factors + column,
                          bounds.real_zero_point};
  for (; steps.count > 0; --steps.count, columns -= steps.column_step, to += steps.step) {
    std::uint32_t codes = 0;
    for (index_t i = 0; i < 4; ++i) {
      codes = codes >> 8 | above(scaled<Rule>(scales, i, acc[i]), move) << 24;
    }
    acc += acc_step;
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
    } else {
      for (index_t i = 0; i < columns; ++i, least >>= 8) to[i] = static_cast<std::uint8_t>(least);
    }
    scales.multipliers += steps.column_step;
    scales.shifts += steps.column_step;
    scales.factors += steps.column_step;
  }
}

/// Writes accumulators as they are.
inline void write_sums(const gemm_s8_args& args, index_t row, index_t column, index_t columns,
                       index_t rows, const std::int32_t* acc, index_t acc_step) noexcept {
  auto* to = static_cast<std::int32_t*>(args.c) + row * args.c_stride + column;
  for (; rows > 0; --rows, to += args.c_stride) {
    for (index_t i = 0; i < columns; i += 4, acc += acc_step) {
      for (index_t j = 0; j < 4 && i + j < columns; ++j) to[i + j] = acc[j];
    }
  }
}

/// Writes reals.
inline void write_reals(const gemm_s8_args& args, index_t row, index_t column, index_t columns,
                        index_t rows, const std::int32_t* acc, index_t acc_step) noexcept {
  auto* to = static_cast<float*>(args.c) + row * args.c_stride + column;
  for (index_t last = row + rows; row < last; ++row, to += args.c_stride) {
    for (index_t i = 0; i < columns; i += 4, acc += acc_step) {
      for (index_t j = 0; j < 4 && i + j < columns; ++j) {
        to[i + j] = scalar::real_of(args, row, column + i + j, acc[j]);
      }
    }
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::dsp

#endif  // PARE_DSP_KERNELS || PARE_MVE_KERNELS
#endif  // PARE_KERNELS_CORTEX_M_WRITE_DSP_HPP
