// Tiles of an s8 x s8 product with Helium (Cortex-M55, M85): one or two rows by four columns.
//
// VMLADAV sums sixteen products. VLD4 takes four groups of a panel apart, so that each register has
// sixteen inputs of one column: for one row ten instructions for 64 products, for two rows sixteen
// for 128.
#ifndef PARE_KERNELS_CORTEX_M_GEMM_S8_2X4C4_MVE_HPP
#define PARE_KERNELS_CORTEX_M_GEMM_S8_2X4C4_MVE_HPP

#include <pare/kernels/cortex_m/gemm_walk.hpp>
#include <pare/kernels/cortex_m/write_mve.hpp>

#if PARE_MVE_KERNELS

namespace pare::kernels::mve {
inline namespace PARE_ABI {

/// What accumulators of four columns begin with: activations are s8, their zero point not yet off.
PARE_ALWAYS_INLINE int32x4_t first_sums(const gemm_s8_args& args, index_t column) noexcept {
  const std::int32_t* bias = args.bias_codes;
  return vmlaq_n_s32(bias != nullptr ? vld1q_s32(bias + column) : vdupq_n_s32(0),
                     vld1q_s32(args.sums + column), 128 - args.offset);
}

/// The groups of one column that exist; zeros for the others.
PARE_ALWAYS_INLINE int8x16_t column_of(const std::int32_t* w, uint32x4_t groups,
                                       mve_pred16_t exist) noexcept {
  return vreinterpretq_s8_s32(vldrwq_gather_shifted_offset_z_s32(w, groups, exist));
}

/// acc += sums over `count` times four groups, at least once. Intrinsics would do, but GCC 12 takes the
/// four registers of VLD4 through memory at -Os.
PARE_ALWAYS_INLINE void multiply_1x4(const std::int8_t* x, const std::int8_t* w, index_t count,
                                     std::int32_t* acc) noexcept {
  std::int32_t c0 = acc[0], c1 = acc[1], c2 = acc[2], c3 = acc[3];
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
  acc[0] = c0, acc[1] = c1, acc[2] = c2, acc[3] = c3;
}

/// The same for two rows, whose accumulators follow each other. All eight registers of even numbers
/// are accumulators, which VMLADAV asks for: none is left for LE, and the others are chosen here.
PARE_ALWAYS_INLINE void multiply_2x4(const std::int8_t* row_0, const std::int8_t* row_1,
                                     const std::int8_t* panel, index_t fours,
                                     std::int32_t* acc) noexcept {
  register const std::int8_t* x0 __asm__("r1") = row_0;
  register const std::int8_t* x1 __asm__("r3") = row_1;
  register const std::int8_t* w __asm__("r5") = panel;
  register index_t count __asm__("r9") = fours;
  register std::int32_t* to __asm__("r11") = acc;
  __asm__ volatile(
      "ldrd r0, r2, [%[to]]\n\t"
      "ldrd r4, r6, [%[to], #8]\n\t"
      "ldrd r8, r10, [%[to], #16]\n\t"
      "ldrd r12, lr, [%[to], #24]\n\t"
      "1:\n\t"
      "vldrb.8 q4, [%[x0]], #16\n\t"
      "vldrb.8 q5, [%[x1]], #16\n\t"
      "vld40.32 {q0, q1, q2, q3}, [%[w]]\n\t"
      "vld41.32 {q0, q1, q2, q3}, [%[w]]\n\t"
      "vld42.32 {q0, q1, q2, q3}, [%[w]]\n\t"
      "vld43.32 {q0, q1, q2, q3}, [%[w]]!\n\t"
      "subs %[count], %[count], #1\n\t"
      "vmladava.s8 r0, q4, q0\n\t"
      "vmladava.s8 r2, q4, q1\n\t"
      "vmladava.s8 r4, q4, q2\n\t"
      "vmladava.s8 r6, q4, q3\n\t"
      "vmladava.s8 r8, q5, q0\n\t"
      "vmladava.s8 r10, q5, q1\n\t"
      "vmladava.s8 r12, q5, q2\n\t"
      "vmladava.s8 lr, q5, q3\n\t"
      "bne 1b\n\t"
      "strd r0, r2, [%[to]]\n\t"
      "strd r4, r6, [%[to], #8]\n\t"
      "strd r8, r10, [%[to], #16]\n\t"
      "strd r12, lr, [%[to], #24]"
      : [x0] "+r"(x0), [x1] "+r"(x1), [w] "+r"(w), [count] "+r"(count)
      : [to] "r"(to)
      : "cc", "memory", "r0", "r2", "r4", "r6", "r8", "r10", "r12", "lr", "q0", "q1", "q2", "q3",
        "q4", "q5");
}

/// acc += sums of the last one to three groups: VLD4 would read beyond the panel.
PARE_NOINLINE inline void multiply_rest(const std::int8_t* x, const std::int8_t* w,
                                        std::uint32_t groups, std::int32_t* acc) noexcept {
  const mve_pred16_t exist = vctp32q(groups);
  const int8x16_t a = vldrbq_z_s8(x, exist);
  const uint32x4_t offsets = vidupq_n_u32(0, 4);
  for (index_t i = 0; i < 4; ++i) {
    const auto* column = reinterpret_cast<const std::int32_t*>(w) + i;
    acc[i] = vmladavaq_s8(acc[i], a, column_of(column, offsets, exist));
  }
}

/// Groups of a row as s8, for a panel whose blocks have `block` inputs: where they are, or in the
/// buffer. At a multiple of four bytes.
PARE_NOINLINE inline const std::int8_t* unpack_row(const gemm_s8_args& args, const std::uint8_t* a,
                                                   index_t first, index_t count, index_t block,
                                                   std::byte* buffer) noexcept {
  if (args.a_flip == 0x80 && args.k % block == 0 && reinterpret_cast<std::uintptr_t>(a) % 4 == 0) {
    return reinterpret_cast<const std::int8_t*>(a + 4 * first);
  }
  const std::uint32_t flip = dsp::four_times(args.a_flip ^ 0x80);
  std::byte* to = buffer;
  for_each_group(a, args.k, first, count, block, [&](const std::uint8_t* codes) {
    std::uint32_t four;
    std::memcpy(&four, codes, 4);
    four ^= flip;
    std::memcpy(to, &four, 4);
    to += 4;
  });
  return reinterpret_cast<const std::int8_t*>(buffer);
}

struct gemm_s8_2x4c4 {
  static constexpr index_t rows = 2;
  static constexpr index_t group_bytes = 4, head_bytes = 0;
  static constexpr index_t block_groups() noexcept { return 1; }

  struct unpacked {
    const std::int8_t* row[2];
  };
  static PARE_ALWAYS_INLINE void unpack(const gemm_s8_args& args, const std::uint8_t* a,
                                        index_t first, index_t count, std::byte* buffer,
                                        index_t row, index_t, unpacked& x) noexcept {
    x.row[row] = unpack_row(args, a, first, count, 4, buffer + row * (cortex_m_input_bytes / 2));
  }

  static PARE_ALWAYS_INLINE void start(const gemm_s8_args& args, index_t column, index_t panels,
                                       index_t rows_now, std::int32_t* acc) noexcept {
    for (; panels > 0; --panels, column += 4) {
      const int32x4_t begin = first_sums(args, column);
      for (index_t row = 0; row < rows_now; ++row, acc += 4) vst1q_s32(acc, begin);
    }
  }

  static PARE_ALWAYS_INLINE void multiply(const unpacked& x, const std::int8_t* panel,
                                          index_t first, index_t count, index_t panel_bytes,
                                          index_t panels, index_t rows_now,
                                          std::int32_t* acc) noexcept {
    const index_t fours = count / 4, whole_bytes = 16 * fours;
    const auto rest = static_cast<std::uint32_t>(count % 4);
    for (panel += 16 * first; panels > 0; --panels, panel += panel_bytes) {
      if (fours != 0) {
        if (rows_now == 1) {
          multiply_1x4(x.row[0], panel, fours, acc);
        } else {
          multiply_2x4(x.row[0], x.row[1], panel, fours, acc);
        }
      }
      for (index_t row = 0; row < rows_now; ++row, acc += 4) {
        if (rest != 0) multiply_rest(x.row[row] + whole_bytes, panel + 4 * whole_bytes, rest, acc);
      }
    }
  }
};

/// One block of the product.
inline void gemm_s8(const gemm_s8_args& args, const gemm_block& block) noexcept {
  walk_gemm(gemm_s8_2x4c4{}, args, block);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::mve

#endif  // PARE_MVE_KERNELS
#endif  // PARE_KERNELS_CORTEX_M_GEMM_S8_2X4C4_MVE_HPP
