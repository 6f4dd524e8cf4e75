// The block-sparse s8 product on AVX2: blocks of 4x4 and 1x4 over 16 rows of activations, of 16x4 over
// outputs. Exact for every input, by the ways of the dense kernel (gemm_s8_4x16c4_avx2.hpp): |a| and
// the weights with the sign of a, or 16-bit products where a weight is -128.
#ifndef PARE_KERNELS_X86_SPMM_S8_AVX2_HPP
#define PARE_KERNELS_X86_SPMM_S8_AVX2_HPP

#include <pare/kernels/x86/gemm_s8_4x16c4_avx2.hpp>
#include <pare/kernels/x86/spmm_s8_ymm.hpp>

#if PARE_X86_KERNELS

PARE_TARGET_AVX2_BEGIN
namespace pare::kernels::avx2 {
inline namespace PARE_ABI {

/// Signed activations of 16 rows, and their magnitudes.
struct signed_rows {
  row_of_tile a, magnitude;
};
PARE_ALWAYS_INLINE signed_rows load_signed(const std::uint8_t* x) noexcept {
  const row_of_tile a = load_row(x);
  return {a, {_mm256_abs_epi8(a.c0), _mm256_abs_epi8(a.c1)}};
}

/// c += sums over four of a * w, by 16-bit products: for weights of -128.
PARE_ALWAYS_INLINE __m256i multiply_add_wide(__m256i c, __m256i a, __m256i w) noexcept {
  const __m256i low = _mm256_madd_epi16(_mm256_cvtepi8_epi16(_mm256_castsi256_si128(a)),
                                        _mm256_cvtepi8_epi16(_mm256_castsi256_si128(w)));
  const __m256i high = _mm256_madd_epi16(_mm256_cvtepi8_epi16(_mm256_extracti128_si256(a, 1)),
                                         _mm256_cvtepi8_epi16(_mm256_extracti128_si256(w, 1)));
  return _mm256_add_epi32(c, _mm256_permute4x64_epi64(_mm256_hadd_epi32(low, high), 0xd8));
}

/// Sums of one output for 16 rows.
template <bool IsWide>
PARE_ALWAYS_INLINE void multiply_rows(row_of_tile& sums, const signed_rows& x,
                                      const std::int8_t* weights) noexcept {
  const __m256i w = broadcast_weights(weights);
  if constexpr (IsWide) {
    sums.c0 = multiply_add_wide(sums.c0, x.a.c0, w);
    sums.c1 = multiply_add_wide(sums.c1, x.a.c1, w);
  } else {
    sums.c0 = multiply_add(sums.c0, x.magnitude.c0, x.a.c0, w);
    sums.c1 = multiply_add(sums.c1, x.magnitude.c1, x.a.c1, w);
  }
}

template <bool IsWide>
void lines_of_4(const sparse_line_args& args, index_t lines, std::int32_t* acc) noexcept {
  for (index_t line = 0; line < lines; ++line, acc += 4 * 16) {
    const std::int32_t* start = args.start + 4 * line;
    row_of_tile t0 = first_sums(args.is_first, start[0], acc);
    row_of_tile t1 = first_sums(args.is_first, start[1], acc + 16);
    row_of_tile t2 = first_sums(args.is_first, start[2], acc + 32);
    row_of_tile t3 = first_sums(args.is_first, start[3], acc + 48);
    const std::int8_t* w = args.values + index_t{args.offsets[line]} * 16;
    for (std::uint32_t i = args.offsets[line]; i < args.offsets[line + 1]; ++i, w += 16) {
      const signed_rows x = load_signed(args.x + args.columns[i] * args.quad_bytes);
      multiply_rows<IsWide>(t0, x, w);
      multiply_rows<IsWide>(t1, x, w + 4);
      multiply_rows<IsWide>(t2, x, w + 8);
      multiply_rows<IsWide>(t3, x, w + 12);
    }
    store_row(acc, t0);
    store_row(acc + 16, t1);
    store_row(acc + 32, t2);
    store_row(acc + 48, t3);
  }
}

/// Two blocks at a time, each with its accumulators, hide the latency.
template <bool IsWide>
void lines_of_1(const sparse_line_args& args, index_t lines, std::int32_t* acc) noexcept {
  const __m256i zero = _mm256_setzero_si256();
  for (index_t line = 0; line < lines; ++line, acc += 16) {
    row_of_tile t = first_sums(args.is_first, args.start[line], acc), u{zero, zero};
    std::uint32_t i = args.offsets[line];
    const std::uint32_t last = args.offsets[line + 1];
    const std::int8_t* w = args.values + index_t{i} * 4;
    for (; last - i >= 2; i += 2, w += 8) {
      multiply_rows<IsWide>(t, load_signed(args.x + args.columns[i] * args.quad_bytes), w);
      multiply_rows<IsWide>(u, load_signed(args.x + args.columns[i + 1] * args.quad_bytes), w + 4);
    }
    if (i < last)
      multiply_rows<IsWide>(t, load_signed(args.x + args.columns[i] * args.quad_bytes), w);
    store_row(acc, {_mm256_add_epi32(t.c0, u.c0), _mm256_add_epi32(t.c1, u.c1)});
  }
}

/// Four inputs of one row, in all lanes, times 16 outputs.
template <bool IsWide>
PARE_ALWAYS_INLINE void multiply_16(row_of_tile& sums, std::uint32_t four, std::uint8_t flip,
                                    const row_of_tile& w) noexcept {
  const __m256i x = _mm256_xor_si256(_mm256_set1_epi32(static_cast<std::int32_t>(four)),
                                     _mm256_set1_epi8(static_cast<char>(flip)));
  if constexpr (IsWide) {
    sums.c0 = multiply_add_wide(sums.c0, x, w.c0);
    sums.c1 = multiply_add_wide(sums.c1, x, w.c1);
  } else {
    const __m256i magnitude = _mm256_abs_epi8(x);
    sums.c0 = multiply_add(sums.c0, magnitude, x, w.c0);
    sums.c1 = multiply_add(sums.c1, magnitude, x, w.c1);
  }
}

template <bool IsWide>
PARE_ALWAYS_INLINE void multiply_16(row_of_tile& sums, const std::uint8_t* a, std::uint8_t flip,
                                    const row_of_tile& w) noexcept {
  std::uint32_t four;
  std::memcpy(&four, a, 4);
  multiply_16<IsWide>(sums, four, flip, w);
}

template <bool IsWide>
void line_of_16(const gemm_s8_args& p, const std::uint8_t* a, index_t rows, index_t first_k,
                const std::uint16_t* column, const std::uint16_t* last, const std::int8_t* w,
                std::int32_t* acc) noexcept {
  const std::uint8_t flip = static_cast<std::uint8_t>(p.a_flip ^ 0x80);
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
    multiply_16<IsWide>(t0, a0 + at, flip, weights);
    if (rows > 1) {
      multiply_16<IsWide>(t1, a1 + at, flip, weights);
      multiply_16<IsWide>(t2, a2 + at, flip, weights);
      multiply_16<IsWide>(t3, a3 + at, flip, weights);
    }
  }
  // The group of inputs that a row ends within must not be read as a whole.
  if (has_end) {
    const row_of_tile weights = load_row(w);
    const index_t quad = p.k / 4, behind = first_k;
    multiply_16<IsWide>(t0, last_bytes(a0 - behind, p.k, quad), flip, weights);
    multiply_16<IsWide>(t1, last_bytes(a1 - behind, p.k, quad), flip, weights);
    multiply_16<IsWide>(t2, last_bytes(a2 - behind, p.k, quad), flip, weights);
    multiply_16<IsWide>(t3, last_bytes(a3 - behind, p.k, quad), flip, weights);
  }
  store_row(acc, t0);
  store_row(acc + 16, t1);
  store_row(acc + 32, t2);
  store_row(acc + 48, t3);
}

inline void spmm_s8(const spmm_s8_args& args, const gemm_block& block) noexcept {
  const std::int32_t offset = args.product.offset - 128;
  if (args.product.has_minus_128 != 0) {
    spmm_s8_by(args, block, {lines_of_4<true>, lines_of_1<true>, line_of_16<true>}, offset);
  } else {
    spmm_s8_by(args, block, {lines_of_4<false>, lines_of_1<false>, line_of_16<false>}, offset);
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx2
PARE_TARGET_AVX2_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_SPMM_S8_AVX2_HPP
