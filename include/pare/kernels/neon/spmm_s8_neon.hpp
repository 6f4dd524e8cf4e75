// The block-sparse s8 product on 64-bit ARM without SDOT, exact for every input: by the ways of the
// dense kernel (gemm_s8_2x16c4_neon.hpp), two blocks at a time in 16 bits, or one where a weight is
// -128.
#ifndef PARE_KERNELS_NEON_SPMM_S8_NEON_HPP
#define PARE_KERNELS_NEON_SPMM_S8_NEON_HPP

#include <pare/kernels/neon/gemm_s8_2x16c4_neon.hpp>
#include <pare/kernels/neon/spmm_s8_walk.hpp>

#if PARE_NEON_KERNELS

namespace pare::kernels::neon {
inline namespace PARE_ABI {

/// Four inputs of eight rows.
struct eight_rows {
  int8x16_t low, high;
};
PARE_ALWAYS_INLINE eight_rows load_rows(const std::uint8_t* x) noexcept {
  return {vreinterpretq_s8_u8(vld1q_u8(x)), vreinterpretq_s8_u8(vld1q_u8(x + 16))};
}

/// Sums of pairs, of one output for eight rows.
struct eight_sums {
  int32x4_t c0, c1, c2, c3;
};

/// Two blocks.
template <bool HasMinus128>
PARE_ALWAYS_INLINE void multiply_rows(eight_sums& t, const eight_rows& x, const eight_rows& y,
                                      const two_groups& w) noexcept {
  multiply_add<HasMinus128>(t.c0, t.c1, w, x.low, y.low);
  multiply_add<HasMinus128>(t.c2, t.c3, w, x.high, y.high);
}
/// One block.
PARE_ALWAYS_INLINE void multiply_rows(eight_sums& t, const eight_rows& x, int8x16_t w) noexcept {
  multiply_add(t.c0, t.c1, w, x.low);
  multiply_add(t.c2, t.c3, w, x.high);
}

/// Weights of one output in all lanes.
template <int Lane>
PARE_ALWAYS_INLINE int8x16_t weights_of(int8x16_t w) noexcept {
  return vreinterpretq_s8_s32(vdupq_laneq_s32(vreinterpretq_s32_s8(w), Lane));
}
PARE_ALWAYS_INLINE int8x16_t broadcast_weights(const std::int8_t* w) noexcept {
  std::uint32_t four;
  std::memcpy(&four, w, 4);
  return vreinterpretq_s8_u32(vdupq_n_u32(four));
}

/// acc = start, or what is there, plus sums.
PARE_ALWAYS_INLINE void store_eight(const eight_sums& t, bool is_first, std::int32_t start,
                                    std::int32_t* acc) noexcept {
  const int32x4_t low = is_first ? vdupq_n_s32(start) : vld1q_s32(acc);
  const int32x4_t high = is_first ? vdupq_n_s32(start) : vld1q_s32(acc + 4);
  vst1q_s32(acc, wrapping_add(low, add_pairs(t.c0, t.c1)));
  vst1q_s32(acc + 4, wrapping_add(high, add_pairs(t.c2, t.c3)));
}

template <bool HasMinus128>
void lines_of_4(const sparse_line_args& args, index_t lines, std::int32_t* acc) noexcept {
  const index_t quad_bytes = args.quad_bytes, width = quad_bytes / 4;
  const int32x4_t zero = vdupq_n_s32(0);
  for (index_t line = 0; line < lines; ++line, acc += 4 * width) {
    const std::int32_t* start = args.start + 4 * line;
    for (index_t row = 0; row < width; row += 8) {
      eight_sums t0 = {zero, zero, zero, zero}, t1 = t0, t2 = t0, t3 = t0;
      const std::uint8_t* x = args.x + 4 * row;
      const std::uint16_t* column = args.columns + args.offsets[line];
      const std::int8_t* w = args.values + index_t{args.offsets[line]} * 16;
      std::uint32_t left = args.offsets[line + 1] - args.offsets[line];
      for (; left >= 2; left -= 2, column += 2, w += 32) {
        const eight_rows x0 = load_rows(x + column[0] * quad_bytes);
        const eight_rows x1 = load_rows(x + column[1] * quad_bytes);
        const int8x16_t w0 = vld1q_s8(w), w1 = vld1q_s8(w + 16);
        multiply_rows<HasMinus128>(t0, x0, x1, {weights_of<0>(w0), weights_of<0>(w1)});
        multiply_rows<HasMinus128>(t1, x0, x1, {weights_of<1>(w0), weights_of<1>(w1)});
        multiply_rows<HasMinus128>(t2, x0, x1, {weights_of<2>(w0), weights_of<2>(w1)});
        multiply_rows<HasMinus128>(t3, x0, x1, {weights_of<3>(w0), weights_of<3>(w1)});
      }
      if (left > 0) {
        const eight_rows x0 = load_rows(x + *column * quad_bytes);
        const int8x16_t w0 = vld1q_s8(w);
        multiply_rows(t0, x0, weights_of<0>(w0));
        multiply_rows(t1, x0, weights_of<1>(w0));
        multiply_rows(t2, x0, weights_of<2>(w0));
        multiply_rows(t3, x0, weights_of<3>(w0));
      }
      store_eight(t0, args.is_first, start[0], acc + row);
      store_eight(t1, args.is_first, start[1], acc + width + row);
      store_eight(t2, args.is_first, start[2], acc + 2 * width + row);
      store_eight(t3, args.is_first, start[3], acc + 3 * width + row);
    }
  }
}

template <bool HasMinus128>
void lines_of_1(const sparse_line_args& args, index_t lines, std::int32_t* acc) noexcept {
  const index_t quad_bytes = args.quad_bytes, width = quad_bytes / 4;
  const int32x4_t zero = vdupq_n_s32(0);
  for (index_t line = 0; line < lines; ++line, acc += width) {
    for (index_t row = 0; row < width; row += 16) {
      eight_sums t0 = {zero, zero, zero, zero}, t1 = t0;
      const std::uint8_t* x = args.x + 4 * row;
      const std::uint16_t* column = args.columns + args.offsets[line];
      const std::int8_t* w = args.values + index_t{args.offsets[line]} * 4;
      std::uint32_t left = args.offsets[line + 1] - args.offsets[line];
      for (; left >= 2; left -= 2, column += 2, w += 8) {
        const std::uint8_t *at0 = x + column[0] * quad_bytes, *at1 = x + column[1] * quad_bytes;
        const two_groups weights = {broadcast_weights(w), broadcast_weights(w + 4)};
        multiply_rows<HasMinus128>(t0, load_rows(at0), load_rows(at1), weights);
        multiply_rows<HasMinus128>(t1, load_rows(at0 + 32), load_rows(at1 + 32), weights);
      }
      if (left > 0) {
        const std::uint8_t* at = x + *column * quad_bytes;
        multiply_rows(t0, load_rows(at), broadcast_weights(w));
        multiply_rows(t1, load_rows(at + 32), broadcast_weights(w));
      }
      store_eight(t0, args.is_first, args.start[line], acc + row);
      store_eight(t1, args.is_first, args.start[line], acc + row + 8);
    }
  }
}

inline void line_of_16(const gemm_s8_args& p, const std::uint8_t* a, index_t rows, index_t first_k,
                       const std::uint16_t* first, const std::uint16_t* last,
                       const std::int8_t* first_w, std::int32_t* acc) noexcept {
  const std::uint8_t flip = static_cast<std::uint8_t>(p.a_flip ^ 0x80);
  const int32x4_t zero = vdupq_n_s32(0);
  for (; rows > 0; --rows, a += p.a_stride, acc += 16) {
    pair_sums r = {zero, zero, zero, zero, zero, zero, zero, zero};
    const std::int8_t* w = first_w;
    for (const std::uint16_t* column = first; column != last; ++column, w += 64) {
      const index_t at = first_k + 4 * index_t{*column};
      step(r, broadcast4(four_inputs(a + at, p.k - at), flip), w);
    }
    store_sums(acc, acc, r);
  }
}

inline void spmm_s8(const spmm_s8_args& args, const gemm_block& block) noexcept {
  if (args.product.has_minus_128 != 0) {
    spmm_s8_by(args, block, {lines_of_4<true>, lines_of_1<true>, line_of_16});
  } else {
    spmm_s8_by(args, block, {lines_of_4<false>, lines_of_1<false>, line_of_16});
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::neon

#endif  // PARE_NEON_KERNELS
#endif  // PARE_KERNELS_NEON_SPMM_S8_NEON_HPP
