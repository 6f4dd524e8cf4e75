// Tiles of a product with 4-bit and 2-bit weights with Helium (Cortex-M55, M85): a row by four
// columns.
//
// VLD4 takes four blocks of a panel apart, so that a register has the fields of one column; a plane
// of them, shifted to the top of its bytes, meets the activations of that plane, which a gathering
// load picks from the row: 16 or 64 times too large, and shifted back at the end.
#ifndef PARE_KERNELS_CORTEX_M_GEMM_LOW_BIT_1X4C4_MVE_HPP
#define PARE_KERNELS_CORTEX_M_GEMM_LOW_BIT_1X4C4_MVE_HPP

#include <pare/kernels/cortex_m/gemm_s8_2x4c4_mve.hpp>
#include <pare/kernels/gemm_low_bit.hpp>

#if PARE_MVE_KERNELS

namespace pare::kernels::mve {
inline namespace PARE_ABI {

/// acc + products of a plane of fields.
template <int Bits>
PARE_ALWAYS_INLINE void multiply_plane(std::int32_t& acc, int8x16_t x, int32x4_t fields,
                                       int plane) noexcept {
  const int8x16_t mask = vdupq_n_s8(static_cast<std::int8_t>(0xff << (8 - Bits)));
  const auto bytes = vreinterpretq_s8_s32(fields);
  const int up = 8 - Bits * (plane + 1);
  const int8x16_t shifted = up == 0 ? bytes : vshlq_r_s8(bytes, up);
  acc = vmladavaq_s8(acc, x, vandq_s8(shifted, mask));
}

/// Four columns over `count` blocks.
template <int Bits>
PARE_ALWAYS_INLINE void multiply_fields(const std::int32_t* x, const std::int32_t* w, index_t count,
                                        std::int32_t* acc) noexcept {
  constexpr int planes = 8 / Bits;
  std::int32_t c0 = 0, c1 = 0, c2 = 0, c3 = 0;
  for (; count >= 4; count -= 4, x += 4 * planes, w += 16) {
    const int32x4x4_t columns = vld4q_s32(w);
    const uint32x4_t blocks = vidupq_n_u32(0, planes);
    PARE_UNROLL for (int plane = 0; plane < planes; ++plane) {
      const int8x16_t codes =
          vreinterpretq_s8_s32(vldrwq_gather_shifted_offset_s32(x + plane, blocks));
      multiply_plane<Bits>(c0, codes, columns.val[0], plane);
      multiply_plane<Bits>(c1, codes, columns.val[1], plane);
      multiply_plane<Bits>(c2, codes, columns.val[2], plane);
      multiply_plane<Bits>(c3, codes, columns.val[3], plane);
    }
  }
  if (count > 0) {
    // The last one to three blocks: VLD4 would read beyond the panel.
    const mve_pred16_t exist = vctp32q(static_cast<std::uint32_t>(count));
    const uint32x4_t blocks = vidupq_n_u32(0, planes), groups = vidupq_n_u32(0, 4);
    for (int plane = 0; plane < planes; ++plane) {
      const int8x16_t codes =
          vreinterpretq_s8_s32(vldrwq_gather_shifted_offset_z_s32(x + plane, blocks, exist));
      const auto column = [&](index_t i) {
        return vldrwq_gather_shifted_offset_z_s32(w + i, groups, exist);
      };
      multiply_plane<Bits>(c0, codes, column(0), plane);
      multiply_plane<Bits>(c1, codes, column(1), plane);
      multiply_plane<Bits>(c2, codes, column(2), plane);
      multiply_plane<Bits>(c3, codes, column(3), plane);
    }
  }
  constexpr int down = 8 - Bits;
  add(acc[0], c0 >> down), add(acc[1], c1 >> down);
  add(acc[2], c2 >> down), add(acc[3], c3 >> down);
}

struct gemm_low_bit_1x4c4 {
  static constexpr index_t rows = 1;
  static constexpr index_t group_bytes = 4, head_bytes = 16;
  int bits;

  index_t block_groups() const noexcept { return 8 / bits; }

  using unpacked = const std::int8_t*;
  PARE_ALWAYS_INLINE void unpack(const gemm_s8_args& args, const std::uint8_t* a, index_t first,
                                 index_t count, std::byte* buffer, index_t, index_t,
                                 unpacked& x) const noexcept {
    x = unpack_row(args, a, first, count, 32 / bits, buffer);
  }

  PARE_ALWAYS_INLINE void start(const gemm_s8_args& args, index_t column, index_t panels,
                                index_t rows_now, std::int32_t* acc) const noexcept {
    gemm_s8_2x4c4::start(args, column, panels, rows_now, acc);
  }

  PARE_ALWAYS_INLINE void multiply(unpacked codes, const std::int8_t* panel, index_t first,
                                   index_t count, index_t panel_bytes, index_t panels, index_t,
                                   std::int32_t* acc) const noexcept {
    const auto* x = reinterpret_cast<const std::int32_t*>(codes);
    std::int32_t sum = 0;
    for (index_t i = 0, bytes = 32 / bits * count; i < bytes; i += 16) {
      const auto left = static_cast<std::uint32_t>(bytes - i);
      sum = vaddvaq_s8(sum, vldrbq_z_s8(codes + i, vctp8q(left)));
    }
    for (; panels > 0; --panels, panel += panel_bytes, acc += 4) {
      // The zero points: of all products at once.
      const auto* w = reinterpret_cast<const std::int32_t*>(panel + head_bytes + 16 * first);
      for (index_t i = 0; i < 4; ++i) add(acc[i], -sum * (panel[4 * i] - (1 << (bits - 1))));
      if (bits == 4) {
        multiply_fields<4>(x, w, count, acc);
      } else {
        multiply_fields<2>(x, w, count, acc);
      }
    }
  }
};

/// One block of the product, for 4 or 2 bits and both decodings.
inline void gemm_low_bit_of(int bits, const gemm_s8_args& args, const gemm_block& block) noexcept {
  walk_gemm(gemm_low_bit_1x4c4{bits}, args, block);
}

template <int Bits>
void gemm_low_bit(const gemm_s8_args& args, const gemm_block& block) noexcept {
  gemm_low_bit_of(Bits, args, block);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::mve

#endif  // PARE_MVE_KERNELS
#endif  // PARE_KERNELS_CORTEX_M_GEMM_LOW_BIT_1X4C4_MVE_HPP
