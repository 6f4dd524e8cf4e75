// The block-sparse s8 product on Cortex-M4, M7 and M33, one row of activations at a time.
//
// Inputs are pairs of 16 bits, their zero point taken off, as in the dense kernel. Of a block of 1x4,
// 7.5 instructions: its column, the address and four inputs there (3), a quarter of a load of
// weights, which become pairs (2), the products (2), and a quarter of a loop. Blocks of 4x4 and 16x4
// share the first 3 among four outputs.
#ifndef PARE_KERNELS_CORTEX_M_SPMM_S8_DSP_HPP
#define PARE_KERNELS_CORTEX_M_SPMM_S8_DSP_HPP

#include <cstddef>

#include <pare/kernels/cortex_m/gemm_s8_2x4c4_dsp.hpp>
#include <pare/kernels/cortex_m/spmm_walk.hpp>

#if PARE_DSP_KERNELS

namespace pare::kernels::dsp {
inline namespace PARE_ABI {

static_assert(offsetof(cortex_m_lines, x) == 0 && offsetof(cortex_m_lines, ends) == 4 &&
                  offsetof(cortex_m_lines, count) == 8 && offsetof(cortex_m_lines, columns) == 12 &&
                  offsetof(cortex_m_lines, values) == 16 && offsetof(cortex_m_lines, acc) == 20,
              "pare: add_lines_of_1 reads them in this order");

/// acc += blocks of 1x4, with everything in registers but the end: x r1, ends r2, sum r3, columns r4,
/// weights r5, acc r6, blocks left r0; r7 to r12 and lr for inputs and weights. A line's blocks are
/// taken by one, two and four where their number asks for it, and all others by eight.
[[gnu::naked]] PARE_NOINLINE inline void add_lines_of_1(const cortex_m_lines*) noexcept {
#define PARE_DETAIL_BLOCK(weights) \
  "ldrh r7, [r4], #2\n\t"          \
  "add r7, r1, r7, lsl #3\n\t"     \
  "ldrd r7, r8, [r7]\n\t"          \
  "sxtb16 lr, " weights            \
  ", ror #8\n\t"                   \
  "sxtb16 " weights ", " weights   \
  "\n\t"                           \
  "smlad r3, r7, lr, r3\n\t"       \
  "smlad r3, r8, " weights ", r3\n\t"
#define PARE_DETAIL_FOUR_BLOCKS                                                       \
  "ldm r5!, {r9, r10, r11, r12}\n\t" PARE_DETAIL_BLOCK("r9") PARE_DETAIL_BLOCK("r10") \
      PARE_DETAIL_BLOCK("r11") PARE_DETAIL_BLOCK("r12")
  __asm__(
      "push {r4, r5, r6, r7, r8, r9, r10, r11, lr}\n\t"
      "ldm r0, {r1, r2, r3, r4, r5, r6}\n\t"
      "add r3, r6, r3, lsl #2\n\t"
      "push {r3}\n\t"
      "1:\n\t"
      "ldrd r7, r0, [r2], #4\n\t"
      "ldr r3, [r6]\n\t"
      "subs r0, r0, r7\n\t"
      "lsls r7, r0, #31\n\t"  // the sign is whether there is one, the carry whether there are two
      "bpl 2f\n\t"
      "ldr r9, [r5], #4\n\t"
      PARE_DETAIL_BLOCK("r9")
      "2:\n\t"
      "bcc 3f\n\t"
      "ldm r5!, {r9, r10}\n\t"
      PARE_DETAIL_BLOCK("r9")
      PARE_DETAIL_BLOCK("r10")
      "3:\n\t"
      "lsls r7, r0, #29\n\t"
      "bpl 4f\n\t"
      PARE_DETAIL_FOUR_BLOCKS
      "4:\n\t"
      "lsrs r0, r0, #3\n\t"
      "beq 6f\n\t"
      "5:\n\t"
      PARE_DETAIL_FOUR_BLOCKS
      PARE_DETAIL_FOUR_BLOCKS
      "subs r0, r0, #1\n\t"
      "bne 5b\n\t"
      "6:\n\t"
      "str r3, [r6], #4\n\t"
      "ldr r7, [sp]\n\t"
      "cmp r6, r7\n\t"
      "bne 1b\n\t"
      "pop {r3, r4, r5, r6, r7, r8, r9, r10, r11, pc}");
#undef PARE_DETAIL_FOUR_BLOCKS
#undef PARE_DETAIL_BLOCK
}

/// Four outputs of `blocks` blocks, one or more, of `Step` bytes each.
template <index_t Step>
PARE_ALWAYS_INLINE void add_four_outputs(const std::byte* x, const std::uint16_t*& columns,
                                         const std::int8_t*& w, std::uint32_t blocks,
                                         std::int32_t* acc) noexcept {
  if (blocks == 0) return;
  const std::uint16_t* last = columns + blocks;
  std::int32_t c0 = acc[0], c1 = acc[1], c2 = acc[2], c3 = acc[3];
  std::uint32_t x0, x1, w0, w1, odd;
  __asm__ volatile(
      "1:\n\t"
      "ldrh %[x0], [%[columns]], #2\n\t"
      "ldrd %[w0], %[w1], [%[w]], #8\n\t"
      "add %[x0], %[x], %[x0], lsl #3\n\t"
      "ldrd %[x0], %[x1], [%[x0]]\n\t"
      "sxtb16 %[odd], %[w0], ror #8\n\t"
      "sxtb16 %[w0], %[w0]\n\t"
      "smlad %[c0], %[x0], %[odd], %[c0]\n\t"
      "smlad %[c0], %[x1], %[w0], %[c0]\n\t"
      "sxtb16 %[odd], %[w1], ror #8\n\t"
      "sxtb16 %[w1], %[w1]\n\t"
      "smlad %[c1], %[x0], %[odd], %[c1]\n\t"
      "smlad %[c1], %[x1], %[w1], %[c1]\n\t"
      "ldrd %[w0], %[w1], [%[w]], %[step]\n\t"
      "sxtb16 %[odd], %[w0], ror #8\n\t"
      "sxtb16 %[w0], %[w0]\n\t"
      "smlad %[c2], %[x0], %[odd], %[c2]\n\t"
      "smlad %[c2], %[x1], %[w0], %[c2]\n\t"
      "sxtb16 %[odd], %[w1], ror #8\n\t"
      "sxtb16 %[w1], %[w1]\n\t"
      "smlad %[c3], %[x0], %[odd], %[c3]\n\t"
      "smlad %[c3], %[x1], %[w1], %[c3]\n\t"
      "cmp %[columns], %[last]\n\t"
      "bne 1b"
      : [columns] "+r"(columns), [w] "+r"(w), [c0] "+r"(c0), [c1] "+r"(c1), [c2] "+r"(c2),
        [c3] "+r"(c3), [x0] "=&r"(x0), [x1] "=&r"(x1), [w0] "=&r"(w0), [w1] "=&r"(w1),
        [odd] "=&r"(odd)
      : [x] "r"(x), [last] "r"(last), [step] "i"(Step - 8)
      : "cc", "memory");
  acc[0] = c0, acc[1] = c1, acc[2] = c2, acc[3] = c3;
}

struct spmm_s8_by_row {
  static constexpr index_t quad_bytes = 8;

  static PARE_ALWAYS_INLINE void unpack(const gemm_s8_args& args, const std::uint8_t* a,
                                        std::uint8_t* to) noexcept {
    const std::uint32_t flip = four_times(args.a_flip);
    const std::uint32_t offset = static_cast<std::uint32_t>(args.offset) * 0x00010001u;
    auto* pairs = reinterpret_cast<word*>(to);
    for (const std::uint8_t* last = a + args.k / 4 * 4; a != last; a += 4, pairs += 2) {
      unpack_codes(a, flip, offset, pairs[0], pairs[1]);
    }
    if (args.k % 4 != 0) {
      const std::uint32_t last = last_bytes(a, args.k % 4, 0);
      std::uint8_t four[4];
      std::memcpy(four, &last, 4);
      unpack_codes(four, flip, offset, pairs[0], pairs[1]);
    }
  }

  /// The zero point is taken off the activations themselves.
  static PARE_ALWAYS_INLINE void start(const gemm_s8_args& args, index_t column, index_t count,
                                       std::int32_t* acc) noexcept {
    const auto bytes = static_cast<std::size_t>(count) * sizeof(*acc);
    if (args.bias_codes != nullptr) {
      std::memcpy(acc, args.bias_codes + column, bytes);
    } else {
      std::memset(acc, 0, bytes);
    }
  }

  static PARE_ALWAYS_INLINE void lines_of_1(const cortex_m_lines& lines) noexcept {
    add_lines_of_1(&lines);
  }

  static PARE_ALWAYS_INLINE void lines_of_4(const cortex_m_lines& lines) noexcept {
    const std::uint16_t* columns = lines.columns;
    const std::int8_t* w = lines.values;
    std::int32_t* acc = lines.acc;
    for (index_t i = 0; i < lines.count; ++i, acc += 4) {
      add_four_outputs<16>(lines.x, columns, w, lines.ends[i + 1] - lines.ends[i], acc);
    }
  }

  static PARE_ALWAYS_INLINE void line_of_16(const cortex_m_lines& line, index_t i) noexcept {
    const std::uint16_t* columns = line.columns;
    const std::int8_t* w = line.values + 16 * i;
    add_four_outputs<64>(line.x, columns, w, line.ends[1] - line.ends[0], line.acc + 4 * i);
  }
};

/// One row of the product; see `walk_spmm`.
inline void spmm_s8(const spmm_s8_args& args, const gemm_block& block) noexcept {
  walk_spmm<spmm_s8_by_row>(args, block);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::dsp

#endif  // PARE_DSP_KERNELS
#endif  // PARE_KERNELS_CORTEX_M_SPMM_S8_DSP_HPP
