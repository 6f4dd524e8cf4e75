// y = act(x * W^T + bias) with 4-bit, 2-bit and ternary weights: `linear` in all its forms.
#ifndef PARE_KERNELS_LOW_BIT_LINEAR_HPP
#define PARE_KERNELS_LOW_BIT_LINEAR_HPP

#include <pare/kernels/linear.hpp>
#include <pare/kernels/pack_low_bit_linear.hpp>
#include <pare/kernels/scalar/gemm_low_bit.hpp>

#if PARE_KERNELS_HERE
#include <pare/kernels/cortex_m/gemm_low_bit_1x4c4_dsp.hpp>
#include <pare/kernels/cortex_m/gemm_low_bit_1x4c4_mve.hpp>
#include <pare/kernels/neon/gemm_low_bit_2x16c4_neon.hpp>
#include <pare/kernels/neon/gemm_low_bit_6x16c4_dotprod.hpp>
#include <pare/kernels/neon/gemm_low_bit_6x16c8_i8mm.hpp>
#include <pare/kernels/x86/gemm_low_bit_4x16c4_avx2.hpp>
#include <pare/kernels/x86/gemm_low_bit_6x16c4_avxvnni.hpp>
#include <pare/kernels/x86/gemm_low_bit_6x64c4_avx512vnni.hpp>
#endif

namespace pare {
namespace detail {
inline namespace PARE_KERNEL_ABI {

/// The kernels for a layer: those of 8 bits with another product.
PARE_KERNEL_TABLE linear_kernels
low_bit_kernels_of(const packed_low_bit_linear_view& layer) noexcept;

#if PARE_KERNELS_HERE
template <int Bits, kernels::low_bit_decoding How>
auto low_bit_gemm_of(isa i) noexcept {
  switch (i) {
#if PARE_X86_KERNELS
    case isa::avx512vnni: return kernels::avx512vnni::gemm_low_bit<Bits, How>;
    case isa::avxvnni: return kernels::avxvnni::gemm_low_bit<Bits, How>;
    case isa::avx512bw:
    case isa::avx2: return kernels::avx2::gemm_low_bit<Bits, How>;
#endif
#if PARE_NEON_KERNELS
    case isa::i8mm: return kernels::i8mm::gemm_low_bit<Bits, How>;
    case isa::dotprod: return kernels::dotprod::gemm_low_bit<Bits, How>;
#endif
#if PARE_NEON_KERNELS || PARE_NEON32_KERNELS
    case isa::neon: return kernels::neon::gemm_low_bit<Bits, How>;
#endif
#if PARE_MVE_KERNELS
    default: return kernels::mve::gemm_low_bit<Bits>;
#elif PARE_DSP_KERNELS
    default: return kernels::dsp::gemm_low_bit<Bits>;
#else
    default: return kernels::scalar::gemm_low_bit<Bits, How>;
#endif
  }
}

PARE_KERNEL_TABLE linear_kernels
low_bit_kernels_of(const packed_low_bit_linear_view& layer) noexcept {
  using kernels::low_bit_decoding;
  const isa i = linear_kernel(layer);
  const bool can_shift = kernels::decoding_of(layer) == low_bit_decoding::shifted;
  linear_kernels kernel = linear_kernels_of(i);
  if (layer.bits == 4) {
    kernel.gemm = can_shift ? low_bit_gemm_of<4, low_bit_decoding::shifted>(i)
                            : low_bit_gemm_of<4, low_bit_decoding::general>(i);
  } else {
    kernel.gemm = can_shift ? low_bit_gemm_of<2, low_bit_decoding::shifted>(i)
                            : low_bit_gemm_of<2, low_bit_decoding::general>(i);
  }
  return kernel;
}
#endif

}  // namespace PARE_KERNEL_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// y = act(x * W^T + bias), weights of 4 or 2 bits.
///
/// Inputs, outputs, options, arithmetic, scratch and errors are those of `linear` with 8-bit
/// weights: a layer gives the same bits as one whose 8-bit weights are the same numbers.
///
/// @param x             [rows, in] in f32, s8 or u8; columns side by side, rows any stride apart
/// @param layer         from `pack_low_bit_linear`
/// @param y             [rows, out] in f32 (for f32 x), or s32, f32, s8 or u8; as x; must not overlap
/// x
/// @param scratch       for f32: `linear_workspace_size` bytes, or none for a few rows at a time on
/// the stack
/// @param parallel_for  see core/parallel.hpp
/// @return as `linear` with 8-bit weights; y is untouched where it fails
///
/// Never allocates.
template <class X, class EX, class LX, class Y, class EY, class LY, class Parallel = serial>
PARE_CHOICE_INLINE status linear(const tensor_view<X, EX, LX>& x,
                                 const packed_low_bit_linear_view& layer,
                                 const tensor_view<Y, EY, LY>& y, workspace scratch = {},
                                 const Parallel& parallel_for = {}) noexcept {
  return detail::linear_by(detail::low_bit_kernels_of(layer), x, layer.base, y, scratch,
                           parallel_for);
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_KERNELS_LOW_BIT_LINEAR_HPP
