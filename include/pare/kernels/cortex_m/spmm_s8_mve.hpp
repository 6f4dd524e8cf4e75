// The block-sparse s8 product with Helium (Cortex-M55, M85), one row of activations at a time.
//
// Four blocks at once: their columns gather sixteen inputs, which VMLADAV multiplies. Of blocks of
// 1x4, 5 instructions for 16 products; of 4x4, where VLD4 takes the outputs apart, 11 for 64.
#ifndef PARE_KERNELS_CORTEX_M_SPMM_S8_MVE_HPP
#define PARE_KERNELS_CORTEX_M_SPMM_S8_MVE_HPP

#include <pare/kernels/cortex_m/gemm_s8_2x4c4_mve.hpp>
#include <pare/kernels/cortex_m/spmm_walk.hpp>

#if PARE_MVE_KERNELS

namespace pare::kernels::mve {
inline namespace PARE_ABI {

struct spmm_s8_by_row {
  static constexpr index_t quad_bytes = 4;

  /// As s8, with whatever may be behind the end in the last four: their weights are zero.
  static PARE_ALWAYS_INLINE void unpack(const gemm_s8_args& args, const std::uint8_t* a,
                                        std::uint8_t* to) noexcept {
    const uint8x16_t flip = vdupq_n_u8(args.a_flip ^ 0x80);
    for (index_t left = args.k; left > 0; left -= 16, a += 16, to += 16) {
      const mve_pred16_t exist = vctp8q(static_cast<std::uint32_t>(left));
      const auto whole = static_cast<std::uint32_t>(pare::detail::round_up(left, 4));
      vstrbq_p_u8(to, veorq_u8(vldrbq_z_u8(a, exist), flip), vctp8q(whole));
    }
  }

  static PARE_ALWAYS_INLINE void start(const gemm_s8_args& args, index_t column, index_t count,
                                       std::int32_t* acc) noexcept {
    const std::int32_t* bias = args.bias_codes;
    const std::int32_t *sums = args.sums + column, offset = 128 - args.offset;
    for (index_t i = 0; i < count; i += 4) {
      const int32x4_t from = bias != nullptr ? vld1q_s32(bias + column + i) : vdupq_n_s32(0);
      vst1q_s32(acc + i, vmlaq_n_s32(from, vld1q_s32(sums + i), offset));
    }
  }

  /// The loop of tail predication leaves pointers behind whole fours: they are set for each line.
  static PARE_ALWAYS_INLINE void lines_of_1(const cortex_m_lines& lines) noexcept {
    const std::uint32_t* ends = lines.ends;
    const std::uint16_t* all_columns = lines.columns - *ends;
    const std::int8_t* all_values = lines.values - 4 * *ends;
    std::int32_t *acc = lines.acc, *last = lines.acc + lines.count, sum;
    std::uint32_t columns, w, blocks;
    __asm__ volatile(
        "1:\n\t"
        "ldrd %[w], %[blocks], [%[ends]], #4\n\t"
        "ldr %[sum], [%[acc]]\n\t"
        "sub %[blocks], %[blocks], %[w]\n\t"
        "add %[columns], %[all_columns], %[w], lsl #1\n\t"
        "add %[w], %[all_values], %[w], lsl #2\n\t"
        "wlstp.32 lr, %[blocks], 3f\n\t"
        "2:\n\t"
        "vldrh.u32 q0, [%[columns]], #8\n\t"
        "vldrw.u32 q1, [%[x], q0, uxtw #2]\n\t"
        "vldrw.u32 q2, [%[w]], #16\n\t"
        "vmladava.s8 %[sum], q1, q2\n\t"
        "letp lr, 2b\n\t"
        "3:\n\t"
        "str %[sum], [%[acc]], #4\n\t"
        "cmp %[acc], %[last]\n\t"
        "bne 1b"
        : [ends] "+r"(ends), [acc] "+r"(acc), [sum] "=&Te"(sum), [columns] "=&r"(columns),
          [w] "=&r"(w), [blocks] "=&r"(blocks)
        : [x] "r"(lines.x), [all_columns] "r"(all_columns), [all_values] "r"(all_values),
          [last] "r"(last)
        : "cc", "lr", "q0", "q1", "q2", "memory");
  }

  /// Inputs of the next columns that exist; zeros for the others.
  static PARE_ALWAYS_INLINE int8x16_t inputs_at(const std::byte* x, const std::uint16_t* columns,
                                                mve_pred16_t exist) noexcept {
    return column_of(reinterpret_cast<const std::int32_t*>(x), vldrhq_z_u32(columns, exist), exist);
  }

  static PARE_ALWAYS_INLINE void lines_of_4(const cortex_m_lines& lines) noexcept {
    const std::uint16_t* columns = lines.columns;
    const auto* w = reinterpret_cast<const std::int32_t*>(lines.values);
    std::int32_t* acc = lines.acc;
    for (index_t i = 0; i < lines.count; ++i, acc += 4) {
      const std::uint32_t blocks = lines.ends[i + 1] - lines.ends[i];
      if (blocks >= 4) {
        std::int32_t c0 = acc[0], c1 = acc[1], c2 = acc[2], c3 = acc[3];
        __asm__ volatile(
            "dls lr, %[count]\n\t"
            "1:\n\t"
            "vldrh.u32 q5, [%[columns]], #8\n\t"
            "vld40.32 {q0, q1, q2, q3}, [%[w]]\n\t"
            "vldrw.u32 q4, [%[x], q5, uxtw #2]\n\t"
            "vld41.32 {q0, q1, q2, q3}, [%[w]]\n\t"
            "vld42.32 {q0, q1, q2, q3}, [%[w]]\n\t"
            "vld43.32 {q0, q1, q2, q3}, [%[w]]!\n\t"
            "vmladava.s8 %[c0], q4, q0\n\t"
            "vmladava.s8 %[c1], q4, q1\n\t"
            "vmladava.s8 %[c2], q4, q2\n\t"
            "vmladava.s8 %[c3], q4, q3\n\t"
            "le lr, 1b"
            : [columns] "+l"(columns), [w] "+r"(w), [c0] "+Te"(c0), [c1] "+Te"(c1), [c2] "+Te"(c2),
              [c3] "+Te"(c3)
            : [x] "r"(lines.x), [count] "r"(blocks / 4)
            : "lr", "q0", "q1", "q2", "q3", "q4", "q5", "memory");
        acc[0] = c0, acc[1] = c1, acc[2] = c2, acc[3] = c3;
      }
      if (blocks % 4 != 0) {
        // VLD4 would read beyond the weights.
        four_outputs(lines.x, columns, w, vidupq_n_u32(0, 4), blocks % 4, acc);
        columns += blocks % 4;
        w += blocks % 4 * 4;
      }
    }
  }

  /// Four outputs of up to four blocks.
  ///
  /// @param w       the first output's weights in the first block
  /// @param places  words from there to those in each block
  static PARE_ALWAYS_INLINE void four_outputs(const std::byte* x, const std::uint16_t* columns,
                                              const std::int32_t* w, uint32x4_t places,
                                              std::uint32_t blocks, std::int32_t* acc) noexcept {
    const mve_pred16_t exist = vctp32q(blocks);
    const int8x16_t inputs = inputs_at(x, columns, exist);
    for (index_t j = 0; j < 4; ++j) {
      acc[j] = vmladavaq_s8(acc[j], inputs, column_of(w + j, places, exist));
    }
  }

  static PARE_ALWAYS_INLINE void line_of_16(const cortex_m_lines& line, index_t i) noexcept {
    const std::uint16_t* columns = line.columns;
    const auto* w = reinterpret_cast<const std::int32_t*>(line.values) + 4 * i;
    const uint32x4_t places = vshlq_n_u32(vidupq_n_u32(0, 4), 2);
    for (std::uint32_t left = line.ends[1] - line.ends[0]; left > 0;) {
      const std::uint32_t blocks = left < 4 ? left : 4;
      four_outputs(line.x, columns, w, places, blocks, line.acc + 4 * i);
      columns += blocks;
      w += 16 * blocks;
      left -= blocks;
    }
  }
};

/// One row of the product; see `walk_spmm`.
inline void spmm_s8(const spmm_s8_args& args, const gemm_block& block) noexcept {
  walk_spmm<spmm_s8_by_row>(args, block);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::mve

#endif  // PARE_MVE_KERNELS
#endif  // PARE_KERNELS_CORTEX_M_SPMM_S8_MVE_HPP
