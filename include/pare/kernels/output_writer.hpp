// Which of the Cortex-M functions makes outputs of accumulators.
//
// A function for each kind of output and each rule, and the choice where the layer is still known to
// the compiler: firmware links those that its layers need.
#ifndef PARE_KERNELS_OUTPUT_WRITER_HPP
#define PARE_KERNELS_OUTPUT_WRITER_HPP

#include <pare/kernels/gemm_s8.hpp>

#if PARE_KERNELS_HERE
#include <pare/kernels/cortex_m/write_dsp.hpp>
#include <pare/kernels/cortex_m/write_mve.hpp>
#endif

namespace pare::detail {
inline namespace PARE_KERNEL_ABI {

/// Null where kernels write their outputs themselves.
PARE_KERNEL_TABLE kernels::output_writer code_writer_of(requantization rule) noexcept;
PARE_KERNEL_TABLE kernels::output_writer sum_writer() noexcept;
PARE_KERNEL_TABLE kernels::output_writer real_writer() noexcept;

#if PARE_KERNELS_HERE
#if PARE_DSP_KERNELS || PARE_MVE_KERNELS
PARE_KERNEL_TABLE kernels::output_writer code_writer_of(requantization rule) noexcept {
#if PARE_MVE_KERNELS
  if (rule == requantization::double_rounding) {
    return kernels::mve::write_codes<requantization::double_rounding>;
  }
#if (__ARM_FEATURE_MVE & 2) != 0
  if (rule == requantization::nearest) return kernels::mve::write_codes<requantization::nearest>;
  if (rule == requantization::onnx) return kernels::mve::write_codes<requantization::onnx>;
#endif
#endif
  switch (rule) {
    case requantization::nearest: return kernels::dsp::write_codes<requantization::nearest>;
    case requantization::onnx: return kernels::dsp::write_codes<requantization::onnx>;
#if PARE_DSP_KERNELS
    case requantization::double_rounding:
      return kernels::dsp::write_codes<requantization::double_rounding>;
#endif
    default: return kernels::dsp::write_codes<requantization::single_rounding>;
  }
}
PARE_KERNEL_TABLE kernels::output_writer sum_writer() noexcept { return kernels::dsp::write_sums; }
PARE_KERNEL_TABLE kernels::output_writer real_writer() noexcept {
  return kernels::dsp::write_reals;
}
#else
PARE_KERNEL_TABLE kernels::output_writer code_writer_of(requantization) noexcept { return nullptr; }
PARE_KERNEL_TABLE kernels::output_writer sum_writer() noexcept { return nullptr; }
PARE_KERNEL_TABLE kernels::output_writer real_writer() noexcept { return nullptr; }
#endif
#endif

}  // namespace PARE_KERNEL_ABI

/// For outputs of type Y.
template <class Y>
PARE_CHOICE_INLINE kernels::output_writer output_writer_of(requantization rule) noexcept {
  if constexpr (std::is_same_v<Y, std::int32_t>) {
    return sum_writer();
  } else if constexpr (std::is_same_v<Y, float>) {
    return real_writer();
  } else {
    return code_writer_of(rule);
  }
}

}  // namespace pare::detail

#endif  // PARE_KERNELS_OUTPUT_WRITER_HPP
