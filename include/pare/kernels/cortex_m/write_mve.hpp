// From four accumulators to four outputs with Helium: the same bits as `requantize` in
// core/fixed_point.hpp.
#ifndef PARE_KERNELS_CORTEX_M_WRITE_MVE_HPP
#define PARE_KERNELS_CORTEX_M_WRITE_MVE_HPP

#include <pare/kernels/cortex_m/write_dsp.hpp>

#if PARE_MVE_KERNELS

#include <arm_mve.h>

namespace pare::kernels::mve {
inline namespace PARE_ABI {

/// `scale_double_rounding` of four accumulators, for multipliers that are 0 or more.
PARE_ALWAYS_INLINE int32x4_t scale_double_rounding(int32x4_t acc, int32x4_t multipliers,
                                                   int32x4_t shifts) noexcept {
  const int32x4_t zero = vdupq_n_s32(0);
  const int32x4_t right = vminq_s32(shifts, zero);
  acc = vqrdmulhq_s32(vshlq_s32(acc, vmaxq_s32(shifts, zero)), multipliers);
  // VRSHL rounds ties up; where something is shifted out, negative numbers get one less before.
  return vrshlq_s32(vaddq_s32(acc, vshrq_n_s32(vandq_s32(acc, right), 31)), right);
}

#if (__ARM_FEATURE_MVE & 2) != 0
/// rint of accumulators times factors, saturated to 32 bits; for `onnx` with the zero point.
template <requantization Rule>
PARE_ALWAYS_INLINE int32x4_t scale_float(int32x4_t acc, float32x4_t factors,
                                         float zero_point) noexcept {
  float32x4_t y = vmulq_f32(vcvtq_f32_s32(acc), factors);
  if (Rule == requantization::onnx) {
    __asm__("" : "+t"(y));  // no fused product and sum
    y = vaddq_n_f32(y, zero_point);
  }
  return vcvtnq_s32_f32(y);
}
#endif

/// Codes of outputs from `column` on, four at a time. Helium has no products of 64 bits in lanes:
/// single_rounding is left to DSP instructions, as are the float rules where it has no float.
template <requantization Rule>
PARE_ALWAYS_INLINE void write_codes(const gemm_s8_args& args, std::uint8_t* to, index_t column,
                                    index_t columns, const std::int32_t* acc,
                                    dsp::output_steps steps) noexcept {
  const std::int32_t move = Rule == requantization::onnx ? 0 : args.zero_point;
  const int32x4_t low = vdupq_n_s32(args.low), high = vdupq_n_s32(args.high);
  for (; steps.count > 0; --steps.count, acc += 4, to += steps.step) {
    int32x4_t y = vld1q_s32(acc);
    if constexpr (Rule == requantization::double_rounding) {
      y = scale_double_rounding(y, vld1q_s32(args.multipliers + column),
                                vld1q_s32(args.shifts + column));
    } else {
#if (__ARM_FEATURE_MVE & 2) != 0
      y = scale_float<Rule>(y, vld1q_f32(args.factors + column),
                            static_cast<float>(args.zero_point));
#endif
    }
    y = vminq_s32(vmaxq_s32(vqaddq_n_s32(y, move), low), high);
    vstrbq_p_s32(reinterpret_cast<std::int8_t*>(to), y,
                 vctp32q(static_cast<std::uint32_t>(columns)));
    column += steps.column_step;
    columns -= steps.column_step;
  }
}

/// Outputs `column` to `column + columns - 1` of a row, or of `rows` of them where there are at most
/// four columns. What is beside the panels, and `acc`, have four columns everywhere.
inline void write(const gemm_s8_args& args, index_t row, index_t column, index_t columns,
                  const std::int32_t* acc, index_t rows = 1) noexcept {
  if (args.kind == output_kind::q8) {
    std::uint8_t* to = static_cast<std::uint8_t*>(args.c) + row * args.c_stride + column;
    const auto steps = dsp::output_steps::of(rows, columns, args.c_stride);
    switch (args.rule) {
      case requantization::double_rounding:
        return write_codes<requantization::double_rounding>(args, to, column, columns, acc, steps);
#if (__ARM_FEATURE_MVE & 2) != 0
      case requantization::nearest:
        return write_codes<requantization::nearest>(args, to, column, columns, acc, steps);
      case requantization::onnx:
        return write_codes<requantization::onnx>(args, to, column, columns, acc, steps);
#endif
      default: break;
    }
  }
  dsp::write(args, row, column, columns, acc, rows);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::mve

#endif  // PARE_MVE_KERNELS
#endif  // PARE_KERNELS_CORTEX_M_WRITE_MVE_HPP
