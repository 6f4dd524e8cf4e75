// Tiles of a product with 4-bit and 2-bit weights on Cortex-M4, M7 and M33: a row by four columns.
//
// Weights are never unpacked to bytes: a shift and a mask, one instruction, put the same field of
// two bytes at the top of two half words, where SMLAD takes them 2^12 or 2^14 times too large. The
// sums of 256 inputs fit; then they are shifted back. For 4 bits 21 instructions make 16 products.
#ifndef PARE_KERNELS_CORTEX_M_GEMM_LOW_BIT_1X4C4_DSP_HPP
#define PARE_KERNELS_CORTEX_M_GEMM_LOW_BIT_1X4C4_DSP_HPP

#include <pare/kernels/cortex_m/gemm_s8_2x4c4_dsp.hpp>
#include <pare/kernels/gemm_low_bit.hpp>

#if PARE_DSP_KERNELS

namespace pare::kernels::dsp {

/// acc + the sums of two columns over activations [x, end).
template <int Bits>
PARE_ALWAYS_INLINE void multiply_fields(const word* x, const word* end, const word* w,
                                        std::int32_t* acc) noexcept {
  std::uint32_t mask = Bits == 4 ? 0xf000f000u : 0xc000c000u;
  __asm__("" : "+r"(mask));  // in a register, so that one instruction shifts and masks
  std::int32_t c0 = 0, c1 = 0;
  do {
    const std::uint32_t w0 = w[0], w1 = w[1];
    w += 4;
    PARE_UNROLL for (int plane = 0; plane < 8 / Bits; ++plane) {
      // Fields of bytes 1 and 3, then of bytes 0 and 2.
      const std::uint32_t odd = *x++, even = *x++;
      const int shift = 8 - Bits * (plane + 1);
      multiply_pairs(c0, odd, mask & (w0 << shift));
      multiply_pairs(c1, odd, mask & (w1 << shift));
      multiply_pairs(c0, even, mask & (w0 << (shift + 8)));
      multiply_pairs(c1, even, mask & (w1 << (shift + 8)));
    }
  } while (x != end);
  add(acc[0], c0 >> (16 - Bits));
  add(acc[1], c1 >> (16 - Bits));
}

inline namespace PARE_ABI {

struct gemm_low_bit_1x4c4 {
  static constexpr index_t rows = 1;
  /// As if there were two rows: 256 inputs fill the buffer.
  static constexpr index_t group_bytes = 16, head_bytes = 16;
  int bits;

  index_t block_groups() const noexcept { return 8 / bits; }

  using unpacked = const word*;
  PARE_ALWAYS_INLINE void unpack(const gemm_s8_args& args, const std::uint8_t* a, index_t first,
                                 index_t count, std::byte* buffer, index_t, index_t,
                                 unpacked& x) const noexcept {
    auto* to = reinterpret_cast<word*>(buffer);
    x = to;
    unpack_row(args, a, first, count, 32 / bits, to, 1);
  }

  PARE_ALWAYS_INLINE void start(const gemm_s8_args& args, index_t column, index_t panels,
                                index_t rows_now, std::int32_t* acc) const noexcept {
    gemm_s8_2x4c4::start(args, column, panels, rows_now, acc);
  }

  PARE_ALWAYS_INLINE void multiply(unpacked x, const std::int8_t* panel, index_t first,
                                   index_t count, index_t panel_bytes, index_t panels, index_t,
                                   std::int32_t* acc) const noexcept {
    const word* end = x + 16 / bits * count;
    std::int32_t sum = 0;
    for (const word* pair = x; pair != end; ++pair) multiply_pairs(sum, *pair, 0x00010001u);
    for (; panels > 0; --panels, panel += panel_bytes) {
      for (index_t i = 0; i < 4; i += 2, acc += 2) {
        // The zero points: of all products at once.
        const auto* fields = reinterpret_cast<const std::uint8_t*>(panel) + 4 * i;
        add(acc[0], -sum * (fields[0] - (1 << (bits - 1))));
        add(acc[1], -sum * (fields[4] - (1 << (bits - 1))));
        const auto* w = reinterpret_cast<const word*>(panel + head_bytes + 16 * first) + i;
        if (bits == 4) {
          multiply_fields<4>(x, end, w, acc);
        } else {
          multiply_fields<2>(x, end, w, acc);
        }
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
}  // namespace pare::kernels::dsp

#endif  // PARE_DSP_KERNELS
#endif  // PARE_KERNELS_CORTEX_M_GEMM_LOW_BIT_1X4C4_DSP_HPP
