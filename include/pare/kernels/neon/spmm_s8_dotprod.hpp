// The block-sparse s8 product on 64-bit ARM with SDOT.
//
// Blocks of 4x4 and 1x4 go over rows of activations: a register holds four inputs of four rows, and
// SDOT multiplies them by four weights out of the sixteen in another. A 4x4 block is 21 instructions
// for 16 rows, 16 of them SDOT; four 1x4 blocks are 107 for 64 rows, 64 of them SDOT. Blocks of 16x4
// go over outputs, as the dense kernel does.
#ifndef PARE_KERNELS_NEON_SPMM_S8_DOTPROD_HPP
#define PARE_KERNELS_NEON_SPMM_S8_DOTPROD_HPP

#include <pare/kernels/neon/gemm_s8_6x16c4_dotprod.hpp>
#include <pare/kernels/neon/spmm_s8_walk.hpp>

#if PARE_NEON_KERNELS

PARE_TARGET_DOTPROD_BEGIN
namespace pare::kernels::dotprod {
inline namespace PARE_ABI {

/// Sums of one output for 16 rows, times weights in lane `Lane`.
template <int Lane>
PARE_ALWAYS_INLINE void multiply_rows(row_of_tile& sums, const int8x16x4_t& x,
                                      int8x16_t w) noexcept {
  multiply_add<Lane>(sums.c0, x.val[0], w);
  multiply_add<Lane>(sums.c1, x.val[1], w);
  multiply_add<Lane>(sums.c2, x.val[2], w);
  multiply_add<Lane>(sums.c3, x.val[3], w);
}

PARE_ALWAYS_INLINE int8x16x4_t load_rows(const std::uint8_t* x) noexcept {
  return vld1q_s8_x4(reinterpret_cast<const std::int8_t*>(x));
}

/// Sums of four outputs for 16 rows.
struct four_outputs {
  row_of_tile t0, t1, t2, t3;
};
PARE_ALWAYS_INLINE void multiply_block(four_outputs& t, const std::uint8_t* x,
                                       const std::int8_t* w) noexcept {
  const int8x16_t weights = vld1q_s8(w);
  const int8x16x4_t inputs = load_rows(x);
  multiply_rows<0>(t.t0, inputs, weights);
  multiply_rows<1>(t.t1, inputs, weights);
  multiply_rows<2>(t.t2, inputs, weights);
  multiply_rows<3>(t.t3, inputs, weights);
}

inline void lines_of_4(const sparse_line_args& args, index_t lines, std::int32_t* acc) noexcept {
  const index_t width = args.quad_bytes / 4;
  for (index_t line = 0; line < lines; ++line, acc += 4 * width) {
    const std::int32_t* start = args.start + 4 * line;
    const std::uint16_t* last = args.columns + args.offsets[line + 1];
    for (index_t row = 0; row < width; row += 16) {
      std::int32_t* sums = acc + row;
      four_outputs t;
      t.t0 = neon::first_sums(args.is_first, start[0], sums);
      t.t1 = neon::first_sums(args.is_first, start[1], sums + width);
      t.t2 = neon::first_sums(args.is_first, start[2], sums + 2 * width);
      t.t3 = neon::first_sums(args.is_first, start[3], sums + 3 * width);
      const neon::panel_columns_of x(args.x + 4 * row, 4 * width);
      const std::int8_t* w = args.values + index_t{args.offsets[line]} * 16;
      const std::uint16_t* column = args.columns + args.offsets[line];
      for (; last - column >= 2; column += 2, w += 32) {
        multiply_block(t, x[column[0]], w);
        multiply_block(t, x[column[1]], w + 16);
      }
      if (column != last) multiply_block(t, x[*column], w);
      store_row(sums, t.t0);
      store_row(sums + width, t.t1);
      store_row(sums + 2 * width, t.t2);
      store_row(sums + 3 * width, t.t3);
    }
  }
}

/// Sums of one output for 16 * Vectors rows.
struct sums_of_rows {
  row_of_tile v0, v1, v2, v3;
};

template <int Vectors, int Lane>
PARE_ALWAYS_INLINE void multiply_block(sums_of_rows& t, const std::uint8_t* x,
                                       int8x16_t w) noexcept {
  multiply_rows<Lane>(t.v0, load_rows(x), w);
  if constexpr (Vectors > 1) multiply_rows<Lane>(t.v1, load_rows(x + 64), w);
  if constexpr (Vectors > 2) multiply_rows<Lane>(t.v2, load_rows(x + 128), w);
  if constexpr (Vectors > 3) multiply_rows<Lane>(t.v3, load_rows(x + 192), w);
}

/// Four blocks at a time: their weights fill a register.
template <int Vectors>
void lines_of_1(const sparse_line_args& args, index_t lines, std::int32_t* acc) noexcept {
  constexpr index_t width = 16 * Vectors, quad_bytes = 4 * width;
  for (index_t line = 0; line < lines; ++line, acc += width) {
    const std::int32_t start = args.start[line];
    sums_of_rows t;
    t.v0 = neon::first_sums(args.is_first, start, acc);
    t.v1 = Vectors > 1 ? neon::first_sums(args.is_first, start, acc + 16) : t.v0;
    t.v2 = Vectors > 2 ? neon::first_sums(args.is_first, start, acc + 32) : t.v0;
    t.v3 = Vectors > 3 ? neon::first_sums(args.is_first, start, acc + 48) : t.v0;
    const std::uint16_t* column = args.columns + args.offsets[line];
    const std::int8_t* w = args.values + index_t{args.offsets[line]} * 4;
    std::uint32_t left = args.offsets[line + 1] - args.offsets[line];
    for (; left >= 4; left -= 4, column += 4, w += 16) {
      const int8x16_t weights = vld1q_s8(w);
      multiply_block<Vectors, 0>(t, args.x + column[0] * quad_bytes, weights);
      multiply_block<Vectors, 1>(t, args.x + column[1] * quad_bytes, weights);
      multiply_block<Vectors, 2>(t, args.x + column[2] * quad_bytes, weights);
      multiply_block<Vectors, 3>(t, args.x + column[3] * quad_bytes, weights);
    }
    for (; left > 0; --left, ++column, w += 4) {
      const int8x16_t weights = load<4>(reinterpret_cast<const std::uint8_t*>(w));
      multiply_block<Vectors, 0>(t, args.x + *column * quad_bytes, weights);
    }
    store_row(acc, t.v0);
    if constexpr (Vectors > 1) store_row(acc + 16, t.v1);
    if constexpr (Vectors > 2) store_row(acc + 32, t.v2);
    if constexpr (Vectors > 3) store_row(acc + 48, t.v3);
  }
}
inline void lines_of_1(const sparse_line_args& args, index_t lines, std::int32_t* acc) noexcept {
  switch (args.quad_bytes / 4) {
    case 16: return lines_of_1<1>(args, lines, acc);
    case 32: return lines_of_1<2>(args, lines, acc);
    case 48: return lines_of_1<3>(args, lines, acc);
    default: return lines_of_1<4>(args, lines, acc);
  }
}

/// Four weights each of 16 outputs, times four inputs of a row.
PARE_ALWAYS_INLINE void multiply_16(row_of_tile& sums, const int8x16x4_t& w,
                                    int8x16_t four) noexcept {
  multiply_add<0>(sums.c0, w.val[0], four);
  multiply_add<0>(sums.c1, w.val[1], four);
  multiply_add<0>(sums.c2, w.val[2], four);
  multiply_add<0>(sums.c3, w.val[3], four);
}

/// Of up to four rows, those that exist.
struct four_rows_of_outputs {
  row_of_tile t0, t1, t2, t3;
};

/// A block times four inputs of each row.
template <int Rows>
PARE_ALWAYS_INLINE void multiply_block_of_16(four_rows_of_outputs& t, const std::int8_t* w,
                                             std::uint32_t x0, std::uint32_t x1, std::uint32_t x2,
                                             std::uint32_t x3, std::uint8_t flip) noexcept {
  const int8x16x4_t weights = vld1q_s8_x4(w);
  multiply_16(t.t0, weights, neon::broadcast4(x0, flip));
  if constexpr (Rows > 1) multiply_16(t.t1, weights, neon::broadcast4(x1, flip));
  if constexpr (Rows > 2) multiply_16(t.t2, weights, neon::broadcast4(x2, flip));
  if constexpr (Rows > 3) multiply_16(t.t3, weights, neon::broadcast4(x3, flip));
}

PARE_ALWAYS_INLINE std::uint32_t load_four(const std::uint8_t* x) noexcept {
  std::uint32_t four;
  std::memcpy(&four, x, 4);
  return four;
}

template <int Rows>
PARE_ALWAYS_INLINE void line_of_16(const gemm_s8_args& p, const std::uint8_t* a, index_t first_k,
                                   const std::uint16_t* column, const std::uint16_t* last,
                                   const std::int8_t* w, std::int32_t* acc) noexcept {
  const std::uint8_t flip = static_cast<std::uint8_t>(p.a_flip ^ 0x80);
  const std::uint8_t* a0 = a + first_k;
  const std::uint8_t* a1 = Rows > 1 ? a0 + p.a_stride : a0;
  const std::uint8_t* a2 = Rows > 2 ? a1 + p.a_stride : a0;
  const std::uint8_t* a3 = Rows > 3 ? a2 + p.a_stride : a0;
  four_rows_of_outputs t = {load_row(acc), load_row(acc + 16), load_row(acc + 32),
                            load_row(acc + 48)};
  // The group of inputs that a row ends within must not be read as a whole.
  const bool has_end = p.k % 4 != 0 && column != last && first_k + 4 * last[-1] + 4 > p.k;
  const std::uint16_t* whole = has_end ? last - 1 : last;
  for (; column != whole; ++column, w += 64) {
    const index_t at = 4 * index_t{*column};
    multiply_block_of_16<Rows>(t, w, load_four(a0 + at), load_four(a1 + at), load_four(a2 + at),
                               load_four(a3 + at), flip);
  }
  if (has_end) {
    const index_t at = p.k / 4 * 4 - first_k, left = p.k % 4;
    multiply_block_of_16<Rows>(t, w, last_bytes(a0 + at, left, 0), last_bytes(a1 + at, left, 0),
                               last_bytes(a2 + at, left, 0), last_bytes(a3 + at, left, 0), flip);
  }
  store_row(acc, t.t0);
  if constexpr (Rows > 1) store_row(acc + 16, t.t1);
  if constexpr (Rows > 2) store_row(acc + 32, t.t2);
  if constexpr (Rows > 3) store_row(acc + 48, t.t3);
}
inline void line_of_16(const gemm_s8_args& p, const std::uint8_t* a, index_t rows, index_t first_k,
                       const std::uint16_t* column, const std::uint16_t* last, const std::int8_t* w,
                       std::int32_t* acc) noexcept {
  switch (rows) {
    case 1: return line_of_16<1>(p, a, first_k, column, last, w, acc);
    case 2: return line_of_16<2>(p, a, first_k, column, last, w, acc);
    case 3: return line_of_16<3>(p, a, first_k, column, last, w, acc);
    default: return line_of_16<4>(p, a, first_k, column, last, w, acc);
  }
}

inline void spmm_s8(const spmm_s8_args& args, const gemm_block& block) noexcept {
  neon::spmm_s8_by(args, block, {lines_of_4, lines_of_1, line_of_16});
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::dotprod
PARE_TARGET_DOTPROD_END

#endif  // PARE_NEON_KERNELS
#endif  // PARE_KERNELS_NEON_SPMM_S8_DOTPROD_HPP
