// The matrix product with grouped weights on 64-bit ARM with USMMLA, for many rows: tiles of up to 6
// rows by 16 columns over decoded panels. Few rows run by UDOT.
#ifndef PARE_KERNELS_NEON_GEMM_GROUPED_6X16C8_I8MM_HPP
#define PARE_KERNELS_NEON_GEMM_GROUPED_6X16C8_I8MM_HPP

#include <pare/kernels/neon/gemm_grouped_6x16c4_dotprod.hpp>
#include <pare/kernels/neon/gemm_s8_6x16c8_i8mm.hpp>

#if PARE_NEON_KERNELS

PARE_TARGET_I8MM_BEGIN
namespace pare::kernels::i8mm {
inline namespace PARE_ABI {

/// sums += rows * scales, for two columns of two rows each.
template <int Rows>
PARE_ALWAYS_INLINE void add_scaled(float* sums, int32x4_t p0, int32x4_t p1, int32x4_t p2,
                                   const float* scales) noexcept {
  const float32x4_t by = vld1q_f32(scales);
  neon::add_scaled(sums, p0, by);
  if constexpr (Rows > 2) neon::add_scaled(sums + 4, p1, by);
  if constexpr (Rows > 4) neon::add_scaled(sums + 8, p2, by);
  __asm__ volatile("" : : : "memory");  // GCC 12 would do all columns at once, and spill
}

template <int Rows>
void group_tile(const std::uint8_t* codes, index_t stride, index_t groups, index_t group,
                const neon::decoded_groups& decoded, float* sums) noexcept {
  const int32x4_t zero = vdupq_n_s32(0);
  const std::int8_t* w = decoded.weights;
  const float* scales = decoded.scales;
  for (; groups > 0; --groups, codes += group, scales += 2 * neon::panel_columns) {
    tile_of_rows t;
    t.p0 = {zero, zero, zero, zero, zero, zero, zero, zero};
    t.p1 = t.p2 = t.p0;
    add_tap<Rows, true>(t, codes, stride, group, w);
    add_scaled<Rows>(sums, t.p0.c0, t.p1.c0, t.p2.c0, scales);
    add_scaled<Rows>(sums + 12, t.p0.c1, t.p1.c1, t.p2.c1, scales + 4);
    add_scaled<Rows>(sums + 24, t.p0.c2, t.p1.c2, t.p2.c2, scales + 8);
    add_scaled<Rows>(sums + 36, t.p0.c3, t.p1.c3, t.p2.c3, scales + 12);
    add_scaled<Rows>(sums + 48, t.p0.c4, t.p1.c4, t.p2.c4, scales + 16);
    add_scaled<Rows>(sums + 60, t.p0.c5, t.p1.c5, t.p2.c5, scales + 20);
    add_scaled<Rows>(sums + 72, t.p0.c6, t.p1.c6, t.p2.c6, scales + 24);
    add_scaled<Rows>(sums + 84, t.p0.c7, t.p1.c7, t.p2.c7, scales + 28);
  }
}

/// One block of the product.
inline void gemm_grouped(const gemm_grouped_args& args, const gemm_block& block) noexcept {
  constexpr neon::group_tile_function tiles[] = {group_tile<1>, group_tile<2>, group_tile<3>,
                                                 group_tile<4>, group_tile<5>, group_tile<6>};
  if (!neon::is_decoded_first(args, block)) return dotprod::gemm_grouped_few_rows(args, block);
  if (args.layer.bits == 4) return neon::grouped_decoded_panels<4, 8>(args, block, tiles);
  neon::grouped_decoded_panels<8, 8>(args, block, tiles);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::i8mm
PARE_TARGET_I8MM_END

#endif  // PARE_NEON_KERNELS
#endif  // PARE_KERNELS_NEON_GEMM_GROUPED_6X16C8_I8MM_HPP
