// 4-bit and 2-bit weights to signed bytes on NEON, whose shifts keep to bytes: shared by the low-bit
// kernels of ARM, whose panels have 16 columns.
#ifndef PARE_KERNELS_NEON_LOW_BIT_NEON_HPP
#define PARE_KERNELS_NEON_LOW_BIT_NEON_HPP

#include <pare/kernels/gemm_low_bit.hpp>
#include <pare/kernels/neon/write_neon.hpp>

#if PARE_NEON_KERNELS || PARE_NEON32_KERNELS

namespace pare::kernels::neon {
inline namespace PARE_ABI {

/// Plane number Plane of 16 bytes: the codes of 4 columns.
template <int Bits, int Plane>
PARE_ALWAYS_INLINE int8x16_t plane_of(int8x16_t fields) noexcept {
  constexpr int shift = 8 - Bits * (Plane + 1);
  if constexpr (shift > 0) fields = vshlq_n_s8(fields, shift);
  return vshrq_n_s8(fields, 8 - Bits);
}

/// The zero points of a panel's columns, each four times, as its head has them: moved up by the
/// least code.
template <int Bits>
PARE_ALWAYS_INLINE void load_zero_points(const std::int8_t* head, std::int8_t* to) noexcept {
  for (index_t j = 0; j < 4 * panel_columns; j += 16) {
    vst1q_s8(to + j, vsubq_s8(vld1q_s8(head + j), vdupq_n_s8(1 << (Bits - 1))));
  }
}

/// Runs low-bit tiles over a block. They take the head of a panel for w and signed activations.
template <int Bits>
void low_bit_panels(const gemm_s8_args& args, const gemm_block& block, const tile_function* tiles,
                    index_t most_rows) noexcept {
  const kernel_tiles kernel = {tiles, most_rows, 1, pare::detail::low_bit_block(Bits)};
  panels(args, block, kernel, pare::detail::low_bit_panel_bytes(Bits, args.k, panel_columns),
         args.offset - 128);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::neon

#endif  // PARE_NEON_KERNELS || PARE_NEON32_KERNELS
#endif  // PARE_KERNELS_NEON_LOW_BIT_NEON_HPP
