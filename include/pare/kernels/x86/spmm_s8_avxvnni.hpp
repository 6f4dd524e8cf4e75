// The block-sparse s8 product on AVX-VNNI: blocks of 4x4 and 1x4 over 16 rows of activations, of 16x4
// over outputs. vpdpbusd wants unsigned activations: panels hold them so.
#ifndef PARE_KERNELS_X86_SPMM_S8_AVXVNNI_HPP
#define PARE_KERNELS_X86_SPMM_S8_AVXVNNI_HPP

#include <pare/kernels/x86/spmm_s8_ymm.hpp>

#if PARE_X86_KERNELS

PARE_TARGET_AVXVNNI_BEGIN
namespace pare::kernels::avxvnni {
inline namespace PARE_ABI {

using avx2::broadcast_weights;
using avx2::first_sums;
using avx2::load_row;
using avx2::row_of_tile;
using avx2::store_row;

/// Unsigned activations times weights. Inline assembly, because GCC 12 copies the accumulator around
/// the intrinsic.
PARE_ALWAYS_INLINE void multiply_add(__m256i& c, __m256i x, __m256i w) noexcept {
  __asm__("%{vex%} vpdpbusd %[w], %[x], %[c]" : [c] "+x"(c) : [x] "x"(x), [w] "x"(w));
}

/// Sums of one output for 16 rows.
PARE_ALWAYS_INLINE void multiply_rows(row_of_tile& sums, const row_of_tile& x,
                                      const std::int8_t* weights) noexcept {
  const __m256i w = broadcast_weights(weights);
  multiply_add(sums.c0, x.c0, w);
  multiply_add(sums.c1, x.c1, w);
}

inline void lines_of_4(const sparse_line_args& args, index_t lines, std::int32_t* acc) noexcept {
  for (index_t line = 0; line < lines; ++line, acc += 4 * 16) {
    const std::int32_t* start = args.start + 4 * line;
    row_of_tile t0 = first_sums(args.is_first, start[0], acc);
    row_of_tile t1 = first_sums(args.is_first, start[1], acc + 16);
    row_of_tile t2 = first_sums(args.is_first, start[2], acc + 32);
    row_of_tile t3 = first_sums(args.is_first, start[3], acc + 48);
    const std::int8_t* w = args.values + index_t{args.offsets[line]} * 16;
    for (std::uint32_t i = args.offsets[line]; i < args.offsets[line + 1]; ++i, w += 16) {
      const row_of_tile x = load_row(args.x + args.columns[i] * args.quad_bytes);
      multiply_rows(t0, x, w);
      multiply_rows(t1, x, w + 4);
      multiply_rows(t2, x, w + 8);
      multiply_rows(t3, x, w + 12);
    }
    store_row(acc, t0);
    store_row(acc + 16, t1);
    store_row(acc + 32, t2);
    store_row(acc + 48, t3);
  }
}

/// Two blocks at a time, each with its accumulators, hide the latency.
inline void lines_of_1(const sparse_line_args& args, index_t lines, std::int32_t* acc) noexcept {
  const __m256i zero = _mm256_setzero_si256();
  for (index_t line = 0; line < lines; ++line, acc += 16) {
    row_of_tile t = first_sums(args.is_first, args.start[line], acc), u{zero, zero};
    std::uint32_t i = args.offsets[line];
    const std::uint32_t last = args.offsets[line + 1];
    const std::int8_t* w = args.values + index_t{i} * 4;
    for (; last - i >= 2; i += 2, w += 8) {
      multiply_rows(t, load_row(args.x + args.columns[i] * args.quad_bytes), w);
      multiply_rows(u, load_row(args.x + args.columns[i + 1] * args.quad_bytes), w + 4);
    }
    if (i < last) multiply_rows(t, load_row(args.x + args.columns[i] * args.quad_bytes), w);
    store_row(acc, {_mm256_add_epi32(t.c0, u.c0), _mm256_add_epi32(t.c1, u.c1)});
  }
}

/// Four inputs of one row, in all lanes, times 16 outputs.
PARE_ALWAYS_INLINE void multiply_16(row_of_tile& sums, std::uint32_t four, std::uint8_t flip,
                                    const row_of_tile& w) noexcept {
  const __m256i x = _mm256_xor_si256(_mm256_set1_epi32(static_cast<std::int32_t>(four)),
                                     _mm256_set1_epi8(static_cast<char>(flip)));
  multiply_add(sums.c0, x, w.c0);
  multiply_add(sums.c1, x, w.c1);
}

PARE_ALWAYS_INLINE void multiply_16(row_of_tile& sums, const std::uint8_t* a, std::uint8_t flip,
                                    const row_of_tile& w) noexcept {
  std::uint32_t four;
  std::memcpy(&four, a, 4);
  multiply_16(sums, four, flip, w);
}

inline void line_of_16(const gemm_s8_args& p, const std::uint8_t* a, index_t rows, index_t first_k,
                       const std::uint16_t* column, const std::uint16_t* last, const std::int8_t* w,
                       std::int32_t* acc) noexcept {
  const std::uint8_t flip = p.a_flip;
  const index_t stride = p.a_stride;
  const bool has_end = p.k % 4 != 0 && column != last && first_k + 4 * last[-1] + 4 > p.k;
  const std::uint16_t* whole = has_end ? last - 1 : last;
  const std::uint8_t *a0 = a + first_k, *a1 = rows > 1 ? a0 + stride : a0;
  const std::uint8_t *a2 = rows > 2 ? a1 + stride : a0, *a3 = rows > 3 ? a2 + stride : a0;
  row_of_tile t0 = load_row(acc), t1 = load_row(acc + 16), t2 = load_row(acc + 32);
  row_of_tile t3 = load_row(acc + 48);
  for (; column != whole; ++column, w += 64) {
    const row_of_tile weights = load_row(w);
    const index_t at = 4 * index_t{*column};
    multiply_16(t0, a0 + at, flip, weights);
    if (rows > 1) {
      multiply_16(t1, a1 + at, flip, weights);
      multiply_16(t2, a2 + at, flip, weights);
      multiply_16(t3, a3 + at, flip, weights);
    }
  }
  // The group of inputs that a row ends within must not be read as a whole.
  if (has_end) {
    const row_of_tile weights = load_row(w);
    const index_t quad = p.k / 4, behind = first_k;
    multiply_16(t0, last_bytes(a0 - behind, p.k, quad), flip, weights);
    multiply_16(t1, last_bytes(a1 - behind, p.k, quad), flip, weights);
    multiply_16(t2, last_bytes(a2 - behind, p.k, quad), flip, weights);
    multiply_16(t3, last_bytes(a3 - behind, p.k, quad), flip, weights);
  }
  store_row(acc, t0);
  store_row(acc + 16, t1);
  store_row(acc + 32, t2);
  store_row(acc + 48, t3);
}

inline void spmm_s8(const spmm_s8_args& args, const gemm_block& block) noexcept {
  avx2::spmm_s8_by(args, block, {lines_of_4, lines_of_1, line_of_16}, args.product.offset);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avxvnni
PARE_TARGET_AVXVNNI_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_SPMM_S8_AVXVNNI_HPP
