// Tiles of an s8 x s8 product on Cortex-M4, M7 and M33: one or two rows by four columns.
//
// Bytes become pairs of 16 bits, which SMLAD multiplies two at a time. Activations are unpacked once
// for all columns, their zero point taken off on the way; weights where they are used: by one row, 21
// instructions for 16 products, or by two, 17.
#ifndef PARE_KERNELS_CORTEX_M_GEMM_S8_2X4C4_DSP_HPP
#define PARE_KERNELS_CORTEX_M_GEMM_S8_2X4C4_DSP_HPP

#include <pare/kernels/cortex_m/gemm_walk.hpp>
#include <pare/kernels/cortex_m/write_dsp.hpp>

#if PARE_DSP_KERNELS

namespace pare::kernels::dsp {

/// Four bytes of weights, or a pair of activations.
using word [[gnu::may_alias]] = std::uint32_t;

/// acc + both products, modulo 2^32.
PARE_ALWAYS_INLINE void multiply_pairs(std::int32_t& acc, std::uint32_t x,
                                       std::uint32_t w) noexcept {
  __asm__("smlad %0, %1, %2, %0" : "+r"(acc) : "r"(x), "r"(w));
}

/// Four codes as pairs of differences to the zero point: bytes 1 and 3, and bytes 0 and 2.
///
/// @param offset  the zero point of code ^ flip, twice
PARE_ALWAYS_INLINE void unpack_codes(const std::uint8_t* codes, std::uint32_t flip,
                                     std::uint32_t offset, word& odd, word& even) noexcept {
  std::uint32_t x, y;
  std::memcpy(&x, codes, 4);
  x ^= flip;
  __asm__("uxtb16 %0, %1, ror #8" : "=r"(y) : "r"(x));
  __asm__("ssub16 %0, %1, %2" : "=r"(odd) : "r"(y), "r"(offset) : "cc");
  __asm__("uxtb16 %0, %1" : "=r"(y) : "r"(x));
  __asm__("ssub16 %0, %1, %2" : "=r"(even) : "r"(y), "r"(offset) : "cc");
}

/// acc += 1 x 4 products over `count` groups.
///
/// Here and below the loop is assembly, because it wants twelve registers, more than
/// compilers keep free of other things.
PARE_ALWAYS_INLINE void multiply_1x4(const word* x, const word* w, index_t count,
                                     std::int32_t* acc) noexcept {
  std::int32_t c0 = acc[0], c1 = acc[1], c2 = acc[2], c3 = acc[3];
  const word* end = x + 2 * count;
  std::uint32_t x0, x1, w0, w1, odd;
  __asm__(
      "1:\n\t"
      "ldrd %[x0], %[x1], [%[x]], #8\n\t"
      "ldrd %[w0], %[w1], [%[w]], #8\n\t"
      "sxtb16 %[odd], %[w0], ror #8\n\t"
      "sxtb16 %[w0], %[w0]\n\t"
      "smlad %[c0], %[x0], %[odd], %[c0]\n\t"
      "smlad %[c0], %[x1], %[w0], %[c0]\n\t"
      "sxtb16 %[odd], %[w1], ror #8\n\t"
      "sxtb16 %[w1], %[w1]\n\t"
      "smlad %[c1], %[x0], %[odd], %[c1]\n\t"
      "smlad %[c1], %[x1], %[w1], %[c1]\n\t"
      "ldrd %[w0], %[w1], [%[w]], #8\n\t"
      "sxtb16 %[odd], %[w0], ror #8\n\t"
      "sxtb16 %[w0], %[w0]\n\t"
      "smlad %[c2], %[x0], %[odd], %[c2]\n\t"
      "smlad %[c2], %[x1], %[w0], %[c2]\n\t"
      "sxtb16 %[odd], %[w1], ror #8\n\t"
      "sxtb16 %[w1], %[w1]\n\t"
      "smlad %[c3], %[x0], %[odd], %[c3]\n\t"
      "smlad %[c3], %[x1], %[w1], %[c3]\n\t"
      "cmp %[x], %[end]\n\t"
      "bne 1b"
      : [x] "+r"(x), [w] "+r"(w), [c0] "+r"(c0), [c1] "+r"(c1), [c2] "+r"(c2), [c3] "+r"(c3),
        [x0] "=&r"(x0), [x1] "=&r"(x1), [w0] "=&r"(w0), [w1] "=&r"(w1), [odd] "=&r"(odd)
      : [end] "r"(end)
      : "cc", "memory");
  acc[0] = c0, acc[1] = c1, acc[2] = c2, acc[3] = c3;
}

/// acc += 2 x 2 products over `count` groups; those of the second row four elements on.
PARE_ALWAYS_INLINE void multiply_2x2(const word* x, const word* w, index_t count,
                                     std::int32_t* acc) noexcept {
  std::int32_t c00 = acc[0], c01 = acc[1], c10 = acc[4], c11 = acc[5];
  const word* end = x + 4 * count;
  std::uint32_t x0, x1, w0, w1, odd;
  __asm__(
      "1:\n\t"
      "ldrd %[w0], %[w1], [%[w]], #16\n\t"
      "ldrd %[x0], %[x1], [%[x]], #8\n\t"
      "sxtb16 %[odd], %[w0], ror #8\n\t"
      "smlad %[c00], %[x0], %[odd], %[c00]\n\t"
      "smlad %[c10], %[x1], %[odd], %[c10]\n\t"
      "sxtb16 %[odd], %[w1], ror #8\n\t"
      "smlad %[c01], %[x0], %[odd], %[c01]\n\t"
      "smlad %[c11], %[x1], %[odd], %[c11]\n\t"
      "ldrd %[x0], %[x1], [%[x]], #8\n\t"
      "sxtb16 %[w0], %[w0]\n\t"
      "smlad %[c00], %[x0], %[w0], %[c00]\n\t"
      "smlad %[c10], %[x1], %[w0], %[c10]\n\t"
      "sxtb16 %[w1], %[w1]\n\t"
      "smlad %[c01], %[x0], %[w1], %[c01]\n\t"
      "smlad %[c11], %[x1], %[w1], %[c11]\n\t"
      "cmp %[x], %[end]\n\t"
      "bne 1b"
      : [x] "+r"(x), [w] "+r"(w), [c00] "+r"(c00), [c01] "+r"(c01), [c10] "+r"(c10),
        [c11] "+r"(c11), [x0] "=&r"(x0), [x1] "=&r"(x1), [w0] "=&r"(w0), [w1] "=&r"(w1),
        [odd] "=&r"(odd)
      : [end] "r"(end)
      : "cc", "memory");
  acc[0] = c00, acc[1] = c01, acc[4] = c10, acc[5] = c11;
}

inline namespace PARE_ABI {

/// Groups of a row for a panel whose blocks have `block` inputs: for each group the odd bytes of all
/// rows of the tile, then the even ones.
///
/// @param to  where this row's begin
PARE_NOINLINE inline void unpack_row(const gemm_s8_args& args, const std::uint8_t* a, index_t first,
                                     index_t count, index_t block, word* to,
                                     index_t rows_now) noexcept {
  const std::uint32_t flip = four_times(args.a_flip);
  const std::uint32_t offset = static_cast<std::uint32_t>(args.offset) * 0x00010001u;
  for_each_group(a, args.k, first, count, block, [&](const std::uint8_t* codes) {
    unpack_codes(codes, flip, offset, to[0], to[rows_now]);
    to += 2 * rows_now;
  });
}

struct gemm_s8_2x4c4 {
  static constexpr index_t rows = 2;
  static constexpr index_t group_bytes = 8, head_bytes = 0;
  static constexpr index_t block_groups() noexcept { return 1; }

  using unpacked = const word*;
  static PARE_ALWAYS_INLINE void unpack(const gemm_s8_args& args, const std::uint8_t* a,
                                        index_t first, index_t count, std::byte* buffer,
                                        index_t row, index_t rows_now, unpacked& x) noexcept {
    auto* to = reinterpret_cast<word*>(buffer);
    x = to;
    unpack_row(args, a, first, count, 4, to + row, rows_now);
  }

  /// The zero point is taken off the activations themselves.
  static PARE_ALWAYS_INLINE void start(const gemm_s8_args& args, index_t column, index_t panels,
                                       index_t rows_now, std::int32_t* acc) noexcept {
    const std::int32_t* bias = args.bias_codes;
    for (; panels > 0; --panels, column += 4) {
      for (index_t row = 0; row < rows_now; ++row) {
        for (index_t i = 0; i < 4; ++i) *acc++ = bias != nullptr ? bias[column + i] : 0;
      }
    }
  }

  static PARE_ALWAYS_INLINE void multiply(unpacked x, const std::int8_t* panel, index_t first,
                                          index_t count, index_t panel_bytes, index_t panels,
                                          index_t rows_now, std::int32_t* acc) noexcept {
    for (panel += 16 * first; panels > 0; --panels, panel += panel_bytes) {
      const auto* w = reinterpret_cast<const word*>(panel);
      if (rows_now == 1) {
        multiply_1x4(x, w, count, acc);
      } else {
        for (index_t i = 0; i < 4; i += 2) multiply_2x2(x, w + i, count, acc + i);
      }
      acc += 4 * rows_now;
    }
  }
};

/// One block of the product.
inline void gemm_s8(const gemm_s8_args& args, const gemm_block& block) noexcept {
  walk_gemm(gemm_s8_2x4c4{}, args, block);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::dsp

#endif  // PARE_DSP_KERNELS
#endif  // PARE_KERNELS_CORTEX_M_GEMM_S8_2X4C4_DSP_HPP
