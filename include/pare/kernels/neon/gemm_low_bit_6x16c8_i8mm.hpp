// The matrix product with 4-bit and 2-bit weights on 64-bit ARM with SMMLA: the s8 product of decoded
// panels. Few rows run by SDOT, which decodes on the way.
#ifndef PARE_KERNELS_NEON_GEMM_LOW_BIT_6X16C8_I8MM_HPP
#define PARE_KERNELS_NEON_GEMM_LOW_BIT_6X16C8_I8MM_HPP

#include <pare/kernels/neon/gemm_low_bit_6x16c4_dotprod.hpp>
#include <pare/kernels/neon/gemm_s8_6x16c8_i8mm.hpp>

#if PARE_NEON_KERNELS

PARE_TARGET_I8MM_BEGIN
namespace pare::kernels::i8mm {
inline namespace PARE_ABI {

/// One block of the product. Decoding takes about what 5 rows gain.
template <int Bits, low_bit_decoding How>
void gemm_low_bit(const gemm_s8_args& args, const gemm_block& block) noexcept {
  constexpr index_t least_rows = 8;
  if (block.last_row - block.first_row < least_rows || args.k < dotprod::least_decoded_inputs)
    return dotprod::gemm_low_bit<Bits, How>(args, block);
  neon::decoded_panels<Bits, 8>(args, block, tiles_for(args), offset_of(args));
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::i8mm
PARE_TARGET_I8MM_END

#endif  // PARE_NEON_KERNELS
#endif  // PARE_KERNELS_NEON_GEMM_LOW_BIT_6X16C8_I8MM_HPP
