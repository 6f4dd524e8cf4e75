// The s8 depthwise convolution with Helium (Cortex-M55, M85).
//
// VST4 interleaves rows: [column][channel][4 rows]. VLD4 then gives each channel of four columns a
// register of sixteen inputs, and VMLADAV multiplies them with the weights: four instructions for the
// 36 products that four channels of a 3x3 window have. 2 KB of stack.
#ifndef PARE_KERNELS_CORTEX_M_DEPTHWISE_S8_MVE_HPP
#define PARE_KERNELS_CORTEX_M_DEPTHWISE_S8_MVE_HPP

#include <pare/kernels/cortex_m/depthwise_walk.hpp>
#include <pare/kernels/cortex_m/write_mve.hpp>

#if PARE_MVE_KERNELS

namespace pare::kernels::mve {
inline namespace PARE_ABI {

/// Four columns of a row: a word of four channels each.
///
/// @param exist  which of the columns do
PARE_ALWAYS_INLINE uint32x4_t four_columns(const std::uint8_t*& at, index_t step, bool is_aligned,
                                           std::uint32_t shift, mve_pred16_t exist) noexcept {
  const auto step_bytes = static_cast<std::uint32_t>(step);
  const std::uint8_t* from = at;
  at += 4 * step;
  if (is_aligned) {
    const uint32x4_t offsets = vmulq_n_u32(vidupq_n_u32(0, 1), step_bytes);
    return vldrwq_gather_offset_z_u32(reinterpret_cast<const std::uint32_t*>(from), offsets, exist);
  }
  std::uint32_t words[4] = {};
  for (int i = 0; i < 4 && (exist >> (4 * i) & 1) != 0; ++i, from += step) {
    std::memcpy(&words[i], from, 4);
  }
  return vshlq_r_u32(vld1q_u32(words), -static_cast<std::int32_t>(shift));
}

/// Writes four registers byte by byte in turn.
PARE_ALWAYS_INLINE void store_interleaved(std::uint32_t* to, uint32x4_t a, uint32x4_t b,
                                          uint32x4_t c, uint32x4_t d) noexcept {
  __asm__ volatile(
      "vmov q0, %q[a]\n\t"
      "vmov q1, %q[b]\n\t"
      "vmov q2, %q[c]\n\t"
      "vmov q3, %q[d]\n\t"
      "vst40.8 {q0, q1, q2, q3}, [%[to]]\n\t"
      "vst41.8 {q0, q1, q2, q3}, [%[to]]\n\t"
      "vst42.8 {q0, q1, q2, q3}, [%[to]]\n\t"
      "vst43.8 {q0, q1, q2, q3}, [%[to]]"
      :
      : [a] "w"(a), [b] "w"(b), [c] "w"(c), [d] "w"(d), [to] "r"(to)
      : "q0", "q1", "q2", "q3", "memory");
}

/// `count` columns of four rows.
inline void interleave(depthwise_rows& rows, index_t count, std::uint32_t flip, std::uint32_t shift,
                       std::uint32_t* to) noexcept {
  bool is_aligned = shift == 0;
  for (int i = 0; i < 4; ++i) {
    is_aligned =
        is_aligned && (reinterpret_cast<std::uintptr_t>(rows.at[i]) | rows.step[i]) % 4 == 0;
  }
  const uint32x4_t flips = vdupq_n_u32(flip);
  for (; count > 0; count -= 4, to += 16) {
    const mve_pred16_t exist = vctp32q(static_cast<std::uint32_t>(count));
    const auto row = [&](int i) {
      return veorq_u32(four_columns(rows.at[i], rows.step[i], is_aligned, shift, exist), flips);
    };
    const uint32x4_t a = row(0), b = row(1), c = row(2), d = row(3);
    store_interleaved(to, a, b, c, d);
  }
}

/// acc += products of four columns of a window, for `count` outputs of four channels.
///
/// @param w     weights of the columns: for each channel bytes for rows 0 to 3
/// @param step  words from output to output
inline void multiply_columns(const std::uint32_t* x, index_t step, const std::int32_t (&w)[16],
                             index_t count, std::int32_t* acc) noexcept {
  std::int32_t c0, c1, c2, c3;
  __asm__ volatile(
      "vld40.32 {q4, q5, q6, q7}, [%[w]]\n\t"
      "vld41.32 {q4, q5, q6, q7}, [%[w]]\n\t"
      "vld42.32 {q4, q5, q6, q7}, [%[w]]\n\t"
      "vld43.32 {q4, q5, q6, q7}, [%[w]]\n\t"
      "dls lr, %[count]\n\t"
      "1:\n\t"
      "vld40.32 {q0, q1, q2, q3}, [%[x]]\n\t"
      "vld41.32 {q0, q1, q2, q3}, [%[x]]\n\t"
      "vld42.32 {q0, q1, q2, q3}, [%[x]]\n\t"
      "vld43.32 {q0, q1, q2, q3}, [%[x]]\n\t"
      "ldrd %[c0], %[c1], [%[acc]]\n\t"
      "ldrd %[c2], %[c3], [%[acc], #8]\n\t"
      "add %[x], %[x], %[step]\n\t"
      "vmladava.s8 %[c0], q4, q0\n\t"
      "vmladava.s8 %[c1], q5, q1\n\t"
      "vmladava.s8 %[c2], q6, q2\n\t"
      "vmladava.s8 %[c3], q7, q3\n\t"
      "strd %[c0], %[c1], [%[acc]], #8\n\t"
      "strd %[c2], %[c3], [%[acc]], #8\n\t"
      "le lr, 1b"
      : [x] "+r"(x), [acc] "+r"(acc), [c0] "=&Te"(c0), [c1] "=&Te"(c1), [c2] "=&Te"(c2),
        [c3] "=&Te"(c3)
      : [w] "r"(w), [count] "r"(count), [step] "r"(4 * step)
      : "lr", "q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7", "memory");
}

struct depthwise_4 {
  static constexpr index_t taps = 4, column_words = 4;
  const gemm_s8_args& out;

  PARE_ALWAYS_INLINE explicit depthwise_4(const depthwise_s8_args& args) noexcept : out(args.out) {}

  PARE_ALWAYS_INLINE void start(index_t channel, std::int32_t (&four)[4]) const noexcept {
    const std::int32_t* bias = out.bias_codes;
    vst1q_s32(four, vmlaq_n_s32(bias != nullptr ? vld1q_s32(bias + channel) : vdupq_n_s32(0),
                                vld1q_s32(out.sums + channel), 128 - out.offset));
  }
  PARE_ALWAYS_INLINE void interleave(depthwise_rows& rows, index_t count, std::uint32_t shift,
                                     std::uint32_t* to) const noexcept {
    mve::interleave(rows, count, dsp::four_times(out.a_flip ^ 0x80), shift, to);
  }
  PARE_ALWAYS_INLINE void multiply(const std::uint32_t* words, const std::int8_t* weights,
                                   index_t count, index_t step, index_t line, index_t outputs,
                                   std::int32_t* acc) const noexcept {
    alignas(16) std::int32_t columns[16];
    for (index_t i = 0; i < 4; ++i) {
      // The next line of outputs sees the window one row further down.
      const int32x4_t four =
          i < count ? vreinterpretq_s32_s8(vld1q_s8(weights + 16 * i)) : vdupq_n_s32(0);
      vst1q_s32(columns + 4 * i, vshlq_r_s32(four, static_cast<std::int32_t>(8 * line)));
    }
    multiply_columns(words, step, columns, outputs, acc);
  }
};

/// One block of the convolution.
inline void depthwise_s8(const depthwise_s8_args& args, const depthwise_block& block) noexcept {
  walk_depthwise<depthwise_4>(args, block);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::mve

#endif  // PARE_MVE_KERNELS
#endif  // PARE_KERNELS_CORTEX_M_DEPTHWISE_S8_MVE_HPP
