// The f32 matrix product for 64-bit ARM: the portable code in a tile that fills its registers.
//
// Bound: 16 fused multiply-adds with 8 loads.
#ifndef PARE_KERNELS_NEON_GEMM_F32_4X4_HPP
#define PARE_KERNELS_NEON_GEMM_F32_4X4_HPP

#include <pare/kernels/scalar/gemm_f32.hpp>
#include <pare/kernels/target_region.hpp>

#if PARE_NEON_KERNELS

namespace pare::kernels::neon {
inline namespace PARE_ABI {

/// Outputs [first, last) of all rows. 4 x 4 sums in 32 registers.
inline void gemm_f32(const gemm_f32_args& args, index_t first, index_t last) noexcept {
  scalar::dot_product_columns<4, 4, 4>(args, first, last);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::neon

#endif  // PARE_NEON_KERNELS
#endif  // PARE_KERNELS_NEON_GEMM_F32_4X4_HPP
