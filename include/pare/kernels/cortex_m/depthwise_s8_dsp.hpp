// The s8 depthwise convolution on Cortex-M4, M7 and M33.
//
// SMLAD multiplies pairs of 16 bits, so four interleaved rows are two pairs: [column][channel][rows 0
// and 2, rows 1 and 3]. Then six SMLADs make the nine products of a 3x3 window. 2 KB of stack.
#ifndef PARE_KERNELS_CORTEX_M_DEPTHWISE_S8_DSP_HPP
#define PARE_KERNELS_CORTEX_M_DEPTHWISE_S8_DSP_HPP

#include <pare/kernels/cortex_m/depthwise_walk.hpp>
#include <pare/kernels/cortex_m/gemm_s8_2x4c4_dsp.hpp>

#if PARE_DSP_KERNELS

namespace pare::kernels::dsp {

/// The lower halves of a and b as a pair, and the upper ones.
PARE_ALWAYS_INLINE std::uint32_t lower_halves(std::uint32_t a, std::uint32_t b) noexcept {
  std::uint32_t y;
  __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(y) : "r"(a), "r"(b));
  return y;
}
PARE_ALWAYS_INLINE std::uint32_t upper_halves(std::uint32_t a, std::uint32_t b) noexcept {
  std::uint32_t y;
  __asm__("pkhtb %0, %1, %2, asr #16" : "=r"(y) : "r"(b), "r"(a));
  return y;
}

/// Bytes as numbers from 0 on: 0 and 2, and 1 and 3.
PARE_ALWAYS_INLINE std::uint32_t low_bytes(std::uint32_t x) noexcept {
  std::uint32_t y;
  __asm__("uxtb16 %0, %1" : "=r"(y) : "r"(x));
  return y;
}
PARE_ALWAYS_INLINE std::uint32_t high_bytes(std::uint32_t x) noexcept {
  std::uint32_t y;
  __asm__("uxtb16 %0, %1, ror #8" : "=r"(y) : "r"(x));
  return y;
}

inline namespace PARE_ABI {

/// Pairs of `count` columns.
inline void interleave(depthwise_rows& rows, index_t count, std::uint32_t flip, std::uint32_t shift,
                       word* to) noexcept {
  for (const word* end = to + 8 * count; to != end; to += 8) {
    std::uint32_t x[4];
    PARE_UNROLL for (int i = 0; i < 4; ++i) {
      std::memcpy(&x[i], rows.at[i], 4);
      rows.at[i] += rows.step[i];
      x[i] = (x[i] ^ flip) >> shift;
    }
    PARE_UNROLL for (int i = 0; i < 2; ++i) {
      const std::uint32_t a = low_bytes(x[i]), b = low_bytes(x[i + 2]);
      to[i] = lower_halves(a, b);
      to[4 + i] = upper_halves(a, b);
    }
    PARE_UNROLL for (int i = 0; i < 2; ++i) {
      const std::uint32_t a = high_bytes(x[i]), b = high_bytes(x[i + 2]);
      to[2 + i] = lower_halves(a, b);
      to[6 + i] = upper_halves(a, b);
    }
  }
}

/// acc += products of three columns of a window, for `count` outputs of a channel.
///
/// @param x     the channel's pairs in the first column
/// @param step  words from output to output
/// @param w     weights of the columns: bytes for rows 0 to 3
/// @param acc   four elements from output to output
PARE_NOINLINE inline void multiply_columns(const word* x, index_t step, const std::uint32_t (&w)[3],
                                           index_t count, std::int32_t* acc) noexcept {
  std::uint32_t even[3], odd[3];
  PARE_UNROLL for (int i = 0; i < 3; ++i) {
    __asm__("sxtb16 %0, %1" : "=r"(even[i]) : "r"(w[i]));
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(odd[i]) : "r"(w[i]));
  }
  step *= 4;
  std::uint32_t a, b, sum;
  const std::int32_t* end = acc + 4 * count;
  __asm__ volatile(
      "1:\n\t"
      "ldrd %[a], %[b], [%[x]]\n\t"
      "ldr %[sum], [%[acc]]\n\t"
      "smlad %[sum], %[a], %[e0], %[sum]\n\t"
      "smlad %[sum], %[b], %[o0], %[sum]\n\t"
      "ldrd %[a], %[b], [%[x], #32]\n\t"
      "smlad %[sum], %[a], %[e1], %[sum]\n\t"
      "smlad %[sum], %[b], %[o1], %[sum]\n\t"
      "ldrd %[a], %[b], [%[x], #64]\n\t"
      "add %[x], %[x], %[step]\n\t"
      "smlad %[sum], %[a], %[e2], %[sum]\n\t"
      "smlad %[sum], %[b], %[o2], %[sum]\n\t"
      "str %[sum], [%[acc]], #16\n\t"
      "cmp %[acc], %[end]\n\t"
      "bne 1b"
      : [x] "+r"(x), [acc] "+r"(acc), [a] "=&r"(a), [b] "=&r"(b), [sum] "=&r"(sum)
      : [e0] "r"(even[0]), [o0] "r"(odd[0]), [e1] "r"(even[1]), [o1] "r"(odd[1]), [e2] "r"(even[2]),
        [o2] "r"(odd[2]), [step] "r"(step), [end] "r"(end)
      : "cc", "memory");
}

struct depthwise_4 {
  static constexpr index_t taps = 3, column_words = 8;
  const gemm_s8_args& out;
  std::uint32_t flip;

  PARE_ALWAYS_INLINE explicit depthwise_4(const depthwise_s8_args& args) noexcept
      : out(args.out), flip(four_times(args.out.a_flip)) {}

  PARE_ALWAYS_INLINE void start(index_t channel, std::int32_t (&four)[4]) const noexcept {
    for (index_t i = 0; i < 4; ++i) {
      four[i] = out.bias_codes != nullptr ? out.bias_codes[channel + i] : 0;
      add(four[i], -out.offset * out.sums[channel + i]);
    }
  }
  PARE_ALWAYS_INLINE void interleave(depthwise_rows& rows, index_t count, std::uint32_t shift,
                                     std::uint32_t* to) const noexcept {
    dsp::interleave(rows, count, flip, shift, to);
  }
  PARE_ALWAYS_INLINE void multiply(const std::uint32_t* words, const std::int8_t* weights,
                                   index_t count, index_t step, index_t line, index_t outputs,
                                   std::int32_t* acc) const noexcept {
    const auto* w = reinterpret_cast<const word*>(weights);
    for (index_t c = 0; c < 4; ++c) {
      std::uint32_t columns[3];
      for (index_t i = 0; i < 3; ++i) {
        // The next line of outputs sees the window one row further down.
        columns[i] = i < count ? w[4 * i + c] << (8 * line) : 0;
      }
      multiply_columns(words + 2 * c, step, columns, outputs, acc + c);
    }
  }
};

/// One block of the convolution.
inline void depthwise_s8(const depthwise_s8_args& args, const depthwise_block& block) noexcept {
  walk_depthwise<depthwise_4>(args, block);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::dsp

#endif  // PARE_DSP_KERNELS
#endif  // PARE_KERNELS_CORTEX_M_DEPTHWISE_S8_DSP_HPP
