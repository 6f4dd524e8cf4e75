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

/// Four accumulators as codes, for columns whose scales are given.
template <requantization Rule>
PARE_ALWAYS_INLINE int32x4_t codes_of(int32x4_t acc, int32x4_t multipliers, int32x4_t shifts,
                                      const dsp::code_range& range) noexcept {
  int32x4_t y;
  if constexpr (Rule == requantization::double_rounding) {
    y = scale_double_rounding(acc, multipliers, shifts);
  } else {
#if (__ARM_FEATURE_MVE & 2) != 0
    y = scale_float<Rule>(acc, vreinterpretq_f32_s32(multipliers), range.real_zero_point);
#else
    y = acc;
#endif
  }
  return vminq_s32(vmaxq_s32(vqaddq_n_s32(y, range.move), vdupq_n_s32(range.low)),
                   vdupq_n_s32(range.high));
}

/// Writes codes, four at a time; see `output_writer`. Helium has no products of 64 bits in lanes:
/// single_rounding is left to DSP instructions, as are the float rules where it has no float.
template <requantization Rule>
void write_codes(const gemm_s8_args& args, index_t row, index_t column, index_t columns,
                 index_t rows, const std::int32_t* acc, index_t acc_step) noexcept {
  constexpr bool is_fixed = Rule == requantization::double_rounding;
  auto* to = static_cast<std::int8_t*>(args.c) + row * args.c_stride + column;
  const dsp::code_range range = dsp::code_range::of<Rule>(args);
  // Bits of factors, for the float rules.
  const auto* scales =
      (is_fixed ? args.multipliers : reinterpret_cast<const std::int32_t*>(args.factors)) + column;
  const std::int32_t* shifts = is_fixed ? args.shifts + column : scales;
  if (rows == 1) {
    for (; columns >= 4; columns -= 4, acc += acc_step, scales += 4, shifts += 4, to += 4) {
      vstrbq_s32(to, codes_of<Rule>(vld1q_s32(acc), vld1q_s32(scales), vld1q_s32(shifts), range));
    }
    if (columns == 0) return;
  }
  const int32x4_t scale = vld1q_s32(scales), shift = vld1q_s32(shifts);
  const mve_pred16_t exist = vctp32q(static_cast<std::uint32_t>(columns));
  for (; rows > 0; --rows, acc += acc_step, to += args.c_stride) {
    vstrbq_p_s32(to, codes_of<Rule>(vld1q_s32(acc), scale, shift, range), exist);
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::mve

#endif  // PARE_MVE_KERNELS
#endif  // PARE_KERNELS_CORTEX_M_WRITE_MVE_HPP
