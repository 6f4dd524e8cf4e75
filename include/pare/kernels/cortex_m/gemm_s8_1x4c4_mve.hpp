// Tiles of an s8 x s8 product with Helium (Cortex-M55, M85): a row by four columns.
//
// VMLADAV sums sixteen products. VLD4 takes four groups of a panel apart, so that each register has
// sixteen inputs of one column: ten instructions for 64 products.
#ifndef PARE_KERNELS_CORTEX_M_GEMM_S8_1X4C4_MVE_HPP
#define PARE_KERNELS_CORTEX_M_GEMM_S8_1X4C4_MVE_HPP

#include <pare/kernels/cortex_m/gemm_walk.hpp>
#include <pare/kernels/cortex_m/write_mve.hpp>

#if PARE_MVE_KERNELS

namespace pare::kernels::mve {
inline namespace PARE_ABI {

/// The groups of one column that exist; zeros for the others.
PARE_ALWAYS_INLINE int8x16_t column_of(const std::int32_t* w, uint32x4_t groups,
                                       mve_pred16_t exist) noexcept {
  return vreinterpretq_s8_s32(vldrwq_gather_shifted_offset_z_s32(w, groups, exist));
}

/// Sums over `count` times four groups; x and w move on. Intrinsics would do, but GCC 12 takes the
/// four registers of VLD4 through memory at -Os.
PARE_ALWAYS_INLINE void multiply_fours(const std::int8_t*& x, const std::int32_t*& w, index_t count,
                                       std::int32_t& c0, std::int32_t& c1, std::int32_t& c2,
                                       std::int32_t& c3) noexcept {
  __asm__(
      "dls lr, %[count]\n\t"
      "1:\n\t"
      "vldrb.8 q4, [%[x]], #16\n\t"
      "vld40.32 {q0, q1, q2, q3}, [%[w]]\n\t"
      "vld41.32 {q0, q1, q2, q3}, [%[w]]\n\t"
      "vld42.32 {q0, q1, q2, q3}, [%[w]]\n\t"
      "vld43.32 {q0, q1, q2, q3}, [%[w]]!\n\t"
      "vmladava.s8 %[c0], q4, q0\n\t"
      "vmladava.s8 %[c1], q4, q1\n\t"
      "vmladava.s8 %[c2], q4, q2\n\t"
      "vmladava.s8 %[c3], q4, q3\n\t"
      "le lr, 1b"
      : [x] "+r"(x), [w] "+r"(w), [c0] "+Te"(c0), [c1] "+Te"(c1), [c2] "+Te"(c2), [c3] "+Te"(c3)
      : [count] "r"(count)
      : "lr", "q0", "q1", "q2", "q3", "q4", "memory");
}

/// Groups of a row as s8, for a panel whose blocks have `block` inputs.
PARE_ALWAYS_INLINE void unpack_row(const gemm_s8_args& args, const std::uint8_t* a, index_t first,
                                   index_t count, index_t block, std::byte* to) noexcept {
  const std::uint32_t flip = dsp::four_times(args.a_flip ^ 0x80);
  for_each_group(args, a, first, count, block, [&](const std::uint8_t* codes) {
    std::uint32_t x;
    std::memcpy(&x, codes, 4);
    x ^= flip;
    std::memcpy(to, &x, 4);
    to += 4;
  });
}

struct gemm_s8_1x4c4 {
  static constexpr index_t rows = 1;
  static constexpr index_t group_bytes = 4, head_bytes = 0;
  static constexpr index_t block_groups() noexcept { return 1; }

  static PARE_ALWAYS_INLINE void unpack(const gemm_s8_args& args, const std::uint8_t* a,
                                        index_t first, index_t count, std::byte* buffer, index_t,
                                        index_t) noexcept {
    unpack_row(args, a, first, count, 4, buffer);
  }

  static PARE_ALWAYS_INLINE void start(const gemm_s8_args& args, index_t column, index_t panels,
                                       std::int32_t* acc) noexcept {
    const std::int32_t* bias = args.bias_codes;
    const std::int32_t *sums = args.sums + column, offset = 128 - args.offset;
    for (index_t i = 0; i < 4 * panels; i += 4) {
      const int32x4_t first = bias != nullptr ? vld1q_s32(bias + column + i) : vdupq_n_s32(0);
      vst1q_s32(acc + i, vmlaq_n_s32(first, vld1q_s32(sums + i), offset));
    }
  }

  static PARE_ALWAYS_INLINE void multiply(const std::byte* buffer, const std::int8_t* panel,
                                          index_t first, index_t count, index_t panel_bytes,
                                          index_t panels, index_t, std::int32_t* acc,
                                          std::int32_t*) noexcept {
    for (panel += 16 * first; panels > 0; --panels, panel += panel_bytes, acc += 4) {
      const auto* x = reinterpret_cast<const std::int8_t*>(buffer);
      const auto* w = reinterpret_cast<const std::int32_t*>(panel);
      std::int32_t c0 = acc[0], c1 = acc[1], c2 = acc[2], c3 = acc[3];
      if (count >= 4) multiply_fours(x, w, count / 4, c0, c1, c2, c3);
      if (count % 4 != 0) {
        // The last one to three groups: VLD4 would read beyond the panel.
        const auto left = static_cast<std::uint32_t>(count % 4);
        const mve_pred16_t exist = vctp32q(left);
        const int8x16_t a = vldrbq_z_s8(x, vctp8q(4 * left));
        const uint32x4_t groups = vidupq_n_u32(0, 4);
        c0 = vmladavaq_s8(c0, a, column_of(w, groups, exist));
        c1 = vmladavaq_s8(c1, a, column_of(w + 1, groups, exist));
        c2 = vmladavaq_s8(c2, a, column_of(w + 2, groups, exist));
        c3 = vmladavaq_s8(c3, a, column_of(w + 3, groups, exist));
      }
      acc[0] = c0, acc[1] = c1, acc[2] = c2, acc[3] = c3;
    }
  }

  static PARE_ALWAYS_INLINE void write(const gemm_s8_args& args, index_t row, index_t column,
                                       index_t columns, const std::int32_t* acc) noexcept {
    mve::write(args, row, column, columns, acc);
  }
};

/// One block of the product.
inline void gemm_s8(const gemm_s8_args& args, const gemm_block& block) noexcept {
  walk_gemm(gemm_s8_1x4c4{}, args, block);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::mve

#endif  // PARE_MVE_KERNELS
#endif  // PARE_KERNELS_CORTEX_M_GEMM_S8_1X4C4_MVE_HPP
