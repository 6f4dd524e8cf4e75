// The f32 matrix product for AVX2 and AVX-512: the portable code, compiled for them, in tiles that
// fill their registers.
//
// Bound: 2 fused multiply-adds a cycle on AVX-512; AVX2 without FMA (which AVX2 does not imply) a
// multiply and an add.
#ifndef PARE_KERNELS_X86_GEMM_F32_4X4_HPP
#define PARE_KERNELS_X86_GEMM_F32_4X4_HPP

#include <pare/kernels/scalar/gemm_f32.hpp>
#include <pare/kernels/target_region.hpp>

#if PARE_X86_KERNELS

PARE_TARGET_AVX2_BEGIN
namespace pare::kernels::avx2 {
inline namespace PARE_ABI {

/// Outputs [first, last) of all rows. 2 x 4 sums leave room for 3 operands in 16 registers.
inline void gemm_f32(const gemm_f32_args& args, index_t first, index_t last) noexcept {
  scalar::dot_product_columns<2, 4, 8>(args, first, last);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx2
PARE_TARGET_AVX2_END

PARE_TARGET_AVX512VNNI_BEGIN
namespace pare::kernels::avx512vnni {
inline namespace PARE_ABI {

/// Outputs [first, last) of all rows. 4 x 4 sums in 32 registers.
inline void gemm_f32(const gemm_f32_args& args, index_t first, index_t last) noexcept {
  scalar::dot_product_columns<4, 4, 16>(args, first, last);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx512vnni
PARE_TARGET_AVX512VNNI_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_GEMM_F32_4X4_HPP
