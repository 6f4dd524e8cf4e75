// The matrix product with grouped weights on 64-bit ARM with UDOT, for few rows: tiles of up to 3
// rows by 16 columns. Bound: UDOT for 16 products, and 3 operations to decode 32 weights of 4 bits.
#ifndef PARE_KERNELS_NEON_GEMM_GROUPED_3X16C4_DOTPROD_HPP
#define PARE_KERNELS_NEON_GEMM_GROUPED_3X16C4_DOTPROD_HPP

#include <pare/kernels/neon/gemm_grouped_3x16c4_neon.hpp>

#if PARE_NEON_KERNELS

namespace pare::kernels::dotprod {
inline namespace PARE_ABI {

/// 16 codes of up to 3 rows.
struct group_codes {
  uint8x16_t r0, r1, r2;
};

/// Products by UDOT. For functions in a region that has it; inline assembly, so that this need not
/// be in one: what stands in one would not inline into a template outside.
struct group_dots {
  template <int Group>
  static PARE_ALWAYS_INLINE void multiply_add(int32x4_t& c, uint8x16_t w, uint8x16_t a) noexcept {
    __asm__("udot %0.4s, %1.16b, %2.4b[%3]" : "+w"(c) : "w"(w), "w"(a), "i"(Group));
  }
  template <int Rows, int Group>
  static PARE_ALWAYS_INLINE void multiply_add(int32x4_t& r0, int32x4_t& r1, int32x4_t& r2,
                                              uint8x16_t w, const group_codes& a) noexcept {
    multiply_add<Group>(r0, w, a.r0);
    if constexpr (Rows > 1) multiply_add<Group>(r1, w, a.r1);
    if constexpr (Rows > 2) multiply_add<Group>(r2, w, a.r2);
  }

  /// 16 columns times one K-group of the four in `a`.
  template <int Bits, int Plane, int Group, int Rows>
  static PARE_ALWAYS_INLINE void step(neon::group_tile& t, const uint8x16x4_t& fields,
                                      const group_codes& a) noexcept {
    using neon::unsigned_plane;
    multiply_add<Rows, Group>(t.r0.c0, t.r1.c0, t.r2.c0, unsigned_plane<Bits, Plane>(fields.val[0]),
                              a);
    multiply_add<Rows, Group>(t.r0.c1, t.r1.c1, t.r2.c1, unsigned_plane<Bits, Plane>(fields.val[1]),
                              a);
    multiply_add<Rows, Group>(t.r0.c2, t.r1.c2, t.r2.c2, unsigned_plane<Bits, Plane>(fields.val[2]),
                              a);
    multiply_add<Rows, Group>(t.r0.c3, t.r1.c3, t.r2.c3, unsigned_plane<Bits, Plane>(fields.val[3]),
                              a);
  }

  template <int Bits, int Rows>
  static PARE_ALWAYS_INLINE void add_products(neon::group_tile& t, const std::uint8_t* a,
                                              index_t stride, const std::uint8_t* w,
                                              index_t group) noexcept {
    for (index_t i = 0; i < group; i += 16, a += 16, w += 32 * Bits) {
      group_codes x;
      x.r0 = vld1q_u8(a);
      x.r1 = Rows > 1 ? vld1q_u8(a + stride) : x.r0;
      x.r2 = Rows > 2 ? vld1q_u8(a + 2 * stride) : x.r0;
      if constexpr (Bits == 4) {
        const uint8x16x4_t first = vld1q_u8_x4(w), second = vld1q_u8_x4(w + 64);
        step<4, 0, 0, Rows>(t, first, x);
        step<4, 1, 1, Rows>(t, first, x);
        step<4, 0, 2, Rows>(t, second, x);
        step<4, 1, 3, Rows>(t, second, x);
      } else {
        step<8, 0, 0, Rows>(t, vld1q_u8_x4(w), x);
        step<8, 0, 1, Rows>(t, vld1q_u8_x4(w + 64), x);
        step<8, 0, 2, Rows>(t, vld1q_u8_x4(w + 128), x);
        step<8, 0, 3, Rows>(t, vld1q_u8_x4(w + 192), x);
      }
    }
  }
};

}  // namespace PARE_ABI
}  // namespace pare::kernels::dotprod

PARE_TARGET_DOTPROD_BEGIN
namespace pare::kernels::dotprod {
inline namespace PARE_ABI {

template <int Bits, int Rows>
void grouped_tile(const gemm_grouped_args& args, index_t row, grouped_panel p, index_t column,
                  index_t columns) noexcept {
  neon::integer_tile<group_dots, Bits, Rows>(args, row, p, column, columns);
}

/// One block of the product.
inline void gemm_grouped_few_rows(const gemm_grouped_args& args, const gemm_block& block) noexcept {
  constexpr neon::grouped_tile_function of_4_bits[] = {grouped_tile<4, 1>, grouped_tile<4, 2>,
                                                       grouped_tile<4, 3>};
  constexpr neon::grouped_tile_function of_8_bits[] = {grouped_tile<8, 1>, grouped_tile<8, 2>,
                                                       grouped_tile<8, 3>};
  if (args.layer.options.arithmetic == grouped_arithmetic::floating)
    return neon::gemm_grouped_floating(args, block);
  neon::grouped_panels(args, block, args.layer.bits == 4 ? of_4_bits : of_8_bits, 3);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::dotprod
PARE_TARGET_DOTPROD_END

#endif  // PARE_NEON_KERNELS
#endif  // PARE_KERNELS_NEON_GEMM_GROUPED_3X16C4_DOTPROD_HPP
