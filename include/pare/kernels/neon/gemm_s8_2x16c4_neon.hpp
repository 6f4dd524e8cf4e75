// The s8 matrix product on ARM without SDOT, exact for every input: tiles of up to 2 rows by
// 16 columns, K in groups of 4.
//
// SMULL and SMLAL add two products of signed bytes in 16 bits, and SADALP adds pairs of these to 32.
// Two products stay within 128 * 127 * 2 = 32512 as long as no weight is -128; layers with a -128 go
// from 16 to 32 bits after each product. Unsigned activations come in as a ^ 0x80, signed, with the
// zero point moved by 128. Bound: SMULL, SMLAL and SADALP for 16 products.
// 32-bit ARM has 16 registers, which one row fills.
#ifndef PARE_KERNELS_NEON_GEMM_S8_2X16C4_NEON_HPP
#define PARE_KERNELS_NEON_GEMM_S8_2X16C4_NEON_HPP

#include <pare/kernels/neon/write_neon.hpp>

#if PARE_NEON_KERNELS || PARE_NEON32_KERNELS

namespace pare::kernels::neon {
inline namespace PARE_ABI {

/// Sums of 16 columns, two for each: over inputs 0 and 1 and over inputs 2 and 3 of the groups.
struct pair_sums {
  int32x4_t c0, c1, c2, c3, c4, c5, c6, c7;
};

/// Two K-groups, each in all lanes.
struct two_groups {
  int8x16_t g0, g1;
};

PARE_ALWAYS_INLINE int8x16_t broadcast4(const std::uint8_t* a, uint8x16_t flips) noexcept {
  std::uint32_t four;
  std::memcpy(&four, a, 4);
  return vreinterpretq_s8_u8(veorq_u8(vreinterpretq_u8_u32(vdupq_n_u32(four)), flips));
}

/// Products of two K-groups with 4 columns.
template <bool HasMinus128>
PARE_ALWAYS_INLINE void multiply_add(int32x4_t& c0, int32x4_t& c1, const two_groups& a,
                                     int8x16_t w0, int8x16_t w1) noexcept {
  int16x8_t low = vmull_s8(vget_low_s8(w0), vget_low_s8(a.g0));
  int16x8_t high = multiply_high(w0, a.g0);
  if constexpr (HasMinus128) {
    c0 = vpadalq_s16(c0, low);
    c1 = vpadalq_s16(c1, high);
    low = vmull_s8(vget_low_s8(w1), vget_low_s8(a.g1));
    high = multiply_high(w1, a.g1);
  } else {
    low = vmlal_s8(low, vget_low_s8(w1), vget_low_s8(a.g1));
    high = multiply_add_high(high, w1, a.g1);
  }
  c0 = vpadalq_s16(c0, low);
  c1 = vpadalq_s16(c1, high);
}

/// Two K-groups of both rows with 4 columns. What follows stays behind: GCC 12 would begin all
/// products at once, run out of registers and spill.
template <int Rows, bool HasMinus128>
PARE_ALWAYS_INLINE void multiply_add(int32x4_t& r0c0, int32x4_t& r0c1, int32x4_t& r1c0,
                                     int32x4_t& r1c1, const two_groups& a0, const two_groups& a1,
                                     const std::int8_t* w) noexcept {
  const int8x16_t w0 = vld1q_s8(w), w1 = vld1q_s8(w + 64);
  multiply_add<HasMinus128>(r0c0, r0c1, a0, w0, w1);
  if constexpr (Rows > 1) {
    multiply_add<HasMinus128>(r1c0, r1c1, a1, w0, w1);
    __asm__ volatile("");
  }
}

/// Two K-groups of both rows with 16 columns.
template <int Rows, bool HasMinus128>
PARE_ALWAYS_INLINE void step(pair_sums& r0, pair_sums& r1, const two_groups& a0,
                             const two_groups& a1, const std::int8_t* w) noexcept {
  multiply_add<Rows, HasMinus128>(r0.c0, r0.c1, r1.c0, r1.c1, a0, a1, w);
  multiply_add<Rows, HasMinus128>(r0.c2, r0.c3, r1.c2, r1.c3, a0, a1, w + 16);
  multiply_add<Rows, HasMinus128>(r0.c4, r0.c5, r1.c4, r1.c5, a0, a1, w + 32);
  multiply_add<Rows, HasMinus128>(r0.c6, r0.c7, r1.c6, r1.c7, a0, a1, w + 48);
}

/// One K-group of a row with 4 columns.
PARE_ALWAYS_INLINE void multiply_add(int32x4_t& c0, int32x4_t& c1, int8x16_t a,
                                     int8x16_t w) noexcept {
  c0 = vpadalq_s16(c0, vmull_s8(vget_low_s8(w), vget_low_s8(a)));
  c1 = vpadalq_s16(c1, multiply_high(w, a));
}
PARE_ALWAYS_INLINE void step(pair_sums& r, int8x16_t a, const std::int8_t* w) noexcept {
  multiply_add(r.c0, r.c1, a, vld1q_s8(w));
  multiply_add(r.c2, r.c3, a, vld1q_s8(w + 16));
  multiply_add(r.c4, r.c5, a, vld1q_s8(w + 32));
  multiply_add(r.c6, r.c7, a, vld1q_s8(w + 48));
}

PARE_ALWAYS_INLINE void store_sums(std::int32_t* out, const std::int32_t* start,
                                   const pair_sums& r) noexcept {
  const row_of_tile s = load_row(start);
  store_row(out,
            {wrapping_add(s.c0, add_pairs(r.c0, r.c1)), wrapping_add(s.c1, add_pairs(r.c2, r.c3)),
             wrapping_add(s.c2, add_pairs(r.c4, r.c5)), wrapping_add(s.c3, add_pairs(r.c6, r.c7))});
}

/// `count` tiles below each other: out = start + A * W over all of K, for 16 columns.
template <int Rows, bool HasMinus128>
void tiles(const gemm_s8_args& args, const std::uint8_t* a, index_t stride, index_t count,
           const std::int8_t* w, const std::int32_t* start, std::int32_t* out,
           index_t out_stride) noexcept {
  const uint8x16_t flips = vdupq_n_u8(static_cast<std::uint8_t>(args.a_flip ^ 0x80));
  const index_t k = args.k < 4 ? pare::detail::round_up(args.k, 4) : args.k;
  for (; count > 0; --count, a += Rows * stride, out += Rows * out_stride) {
    pair_sums r0;
    r0.c0 = r0.c1 = r0.c2 = r0.c3 = r0.c4 = r0.c5 = r0.c6 = r0.c7 = vdupq_n_s32(0);
    pair_sums r1 = r0;
    const std::int8_t* weights = w;
    for (index_t y = 0; y < args.taps_y; ++y) {
      for (index_t x = 0; x < args.taps_x; ++x) {
        const std::uint8_t* in0 = a + y * args.tap_y_stride + x * args.tap_x_stride;
        const std::uint8_t* in1 = Rows > 1 ? in0 + stride : in0;
        index_t left = k;
        for (; left >= 8; left -= 8, weights += 128, in0 += 8, in1 += 8) {
          const two_groups a0 = {broadcast4(in0, flips), broadcast4(in0 + 4, flips)};
          two_groups a1 = a0;
          if constexpr (Rows > 1) a1 = {broadcast4(in1, flips), broadcast4(in1 + 4, flips)};
          step<Rows, HasMinus128>(r0, r1, a0, a1, weights);
        }
        for (; left > 0; left -= 4, weights += 64, in0 += 4, in1 += 4) {
          if (left < 4) in0 += left - 4, in1 += left - 4;  // the last group ends with the tap
          step(r0, broadcast4(in0, flips), weights);
          if constexpr (Rows > 1) step(r1, broadcast4(in1, flips), weights);
        }
      }
    }
    store_sums(out, start, r0);
    if constexpr (Rows > 1) store_sums(out + out_stride, start, r1);
  }
}

/// One block of the product.
inline void gemm_s8(const gemm_s8_args& args, const gemm_block& block) noexcept {
  constexpr index_t most_rows = PARE_NEON_KERNELS ? 2 : 1;
  constexpr tile_function narrow[] = {tiles<1, false>, tiles<most_rows, false>};
  constexpr tile_function wide[] = {tiles<1, true>, tiles<most_rows, true>};
  panels(args, block, {args.has_minus_128 != 0 ? wide : narrow, most_rows, 1, 4}, panel_bytes(args),
         args.offset - 128);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::neon

#endif  // PARE_NEON_KERNELS || PARE_NEON32_KERNELS
#endif  // PARE_KERNELS_NEON_GEMM_S8_2X16C4_NEON_HPP
