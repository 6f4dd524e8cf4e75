// The matrix product with grouped weights on 64-bit ARM with SDOT, for many rows: tiles of up to 6
// rows by 16 columns over decoded panels. Bound: SDOT for 16 products, and for each group and four
// sums a conversion, a product, an addition, and a load and a store of a pair.
#ifndef PARE_KERNELS_NEON_GEMM_GROUPED_6X16C4_DOTPROD_HPP
#define PARE_KERNELS_NEON_GEMM_GROUPED_6X16C4_DOTPROD_HPP

#include <pare/kernels/neon/gemm_grouped_3x16c4_dotprod.hpp>
#include <pare/kernels/neon/gemm_s8_6x16c4_dotprod.hpp>
#include <pare/kernels/neon/grouped_decoded.hpp>

#if PARE_NEON_KERNELS

PARE_TARGET_DOTPROD_BEGIN
namespace pare::kernels::dotprod {
inline namespace PARE_ABI {

/// sums += rows * scales, for 4 columns.
template <int Rows>
PARE_ALWAYS_INLINE void add_scaled(float* sums, int32x4_t r0, int32x4_t r1, int32x4_t r2,
                                   int32x4_t r3, int32x4_t r4, int32x4_t r5,
                                   const float* scales) noexcept {
  const float32x4_t by = vld1q_f32(scales);
  neon::add_scaled(sums, r0, by);
  if constexpr (Rows > 1) neon::add_scaled(sums + 4, r1, by);
  if constexpr (Rows > 2) neon::add_scaled(sums + 8, r2, by);
  if constexpr (Rows > 3) neon::add_scaled(sums + 12, r3, by);
  if constexpr (Rows > 4) neon::add_scaled(sums + 16, r4, by);
  if constexpr (Rows > 5) neon::add_scaled(sums + 20, r5, by);
  __asm__ volatile("" : : : "memory");  // GCC 12 would do all columns at once, and spill
}

/// Inputs and weights lie side by side over all groups, so that one pipeline of loads runs through
/// them.
template <int Rows>
void group_tile(const std::uint8_t* codes, index_t stride, index_t groups, index_t group,
                const neon::decoded_groups& decoded, float* sums) noexcept {
  weight_pointers w = {decoded.weights, decoded.weights + 128};
  const std::int32_t* start = decoded.starts;
  const float* scales = decoded.scales;
  unsigned flip = 0x80;
  __asm__("" : "+r"(flip));  // a constant would get a vector register, and there is none
  weight_offsets o;
  __asm__("" : "+r"(o.of16), "+r"(o.of32), "+r"(o.of48), "+r"(o.of64));
  __asm__("" : "+r"(o.of80), "+r"(o.of96), "+r"(o.of112), "+r"(o.of128));
  const tile_inputs in = inputs_at<Rows>(codes, stride);
  __asm__ volatile("" : : : "memory");  // loads by inline assembly
  int8x16_t first = load_at(w.lower);
  tile_codes a = load<Rows, 16>(in, 0);
  const index_t last = groups * group - 16;
  index_t next = 16;
  for (; groups > 0; --groups) {
    tile_of_rows t;
    t.r0 = load_row(start), start += neon::panel_columns;
    t.r1 = t.r2 = t.r3 = t.r4 = t.r5 = t.r0;
    for (index_t i = group / 16; i > 0; --i) {
      make_signed<Rows>(a, flip);
      // Beyond the last group lies what may not be read.
      four_groups<Rows, next_codes::same>(t, a, in, pare::detail::min(next, last), first, w, o);
      advance(w, next);
    }
    add_scaled<Rows>(sums, t.r0.c0, t.r1.c0, t.r2.c0, t.r3.c0, t.r4.c0, t.r5.c0, scales);
    add_scaled<Rows>(sums + 24, t.r0.c1, t.r1.c1, t.r2.c1, t.r3.c1, t.r4.c1, t.r5.c1, scales + 4);
    add_scaled<Rows>(sums + 48, t.r0.c2, t.r1.c2, t.r2.c2, t.r3.c2, t.r4.c2, t.r5.c2, scales + 8);
    add_scaled<Rows>(sums + 72, t.r0.c3, t.r1.c3, t.r2.c3, t.r3.c3, t.r4.c3, t.r5.c3, scales + 12);
    scales += neon::panel_columns;
  }
}

/// One block of the product.
inline void gemm_grouped(const gemm_grouped_args& args, const gemm_block& block) noexcept {
  constexpr neon::group_tile_function tiles[] = {group_tile<1>, group_tile<2>, group_tile<3>,
                                                 group_tile<4>, group_tile<5>, group_tile<6>};
  if (!neon::is_decoded_first(args, block)) return gemm_grouped_few_rows(args, block);
  if (args.layer.bits == 4) return neon::grouped_decoded_panels<4, 4>(args, block, tiles);
  neon::grouped_decoded_panels<8, 4>(args, block, tiles);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::dotprod
PARE_TARGET_DOTPROD_END

#endif  // PARE_NEON_KERNELS
#endif  // PARE_KERNELS_NEON_GEMM_GROUPED_6X16C4_DOTPROD_HPP
