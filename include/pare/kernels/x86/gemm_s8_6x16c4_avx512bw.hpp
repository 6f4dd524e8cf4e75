// The s8 matrix product on AVX-512 without a dot-product instruction: tiles of up to 6 rows by 16
// columns, K in groups of 4.
//
// Exact by 16-bit products: vpmaddwd multiplies the even bytes of a group as words, and then the odd
// ones, and adds each pair in 32 bits. Activations are unsigned, biased by 128 where they are
// signed, and split into words once for a tile; weights are split as they are loaded, three
// instructions for all rows. Bound: two vpmaddwd and two vpaddd for 64 products, where AVX2 takes
// eight instructions; and no weight is too small for it.
#ifndef PARE_KERNELS_X86_GEMM_S8_6X16C4_AVX512BW_HPP
#define PARE_KERNELS_X86_GEMM_S8_6X16C4_AVX512BW_HPP

#include <pare/kernels/x86/write_avx2.hpp>

#if PARE_X86_KERNELS

PARE_TARGET_AVX512BW_BEGIN
namespace pare::kernels::avx512bw {
inline namespace PARE_ABI {

/// What a tile multiplies: the even bytes of its rows as words, and behind all of them the odd ones.
inline constexpr index_t chunk_bytes = 512, row_bytes = 576;
inline constexpr index_t to_odd = 6 * row_bytes;
struct split_rows {
  std::uint8_t bytes[2 * to_odd];
};

/// Splits `n` bytes of a row, 4 to chunk_bytes + 3; nothing is read behind them. Where n is no
/// multiple of four, the last four bytes follow as a group of their own.
PARE_ALWAYS_INLINE void split_row(const std::uint8_t* a, index_t n, std::uint8_t flip,
                                  std::uint8_t* to) noexcept {
  const __m512i flips = _mm512_set1_epi8(static_cast<char>(flip));
  const __m512i low_bytes = _mm512_set1_epi16(0xff);
  const index_t whole = n / 4 * 4;
  for (index_t i = 0; i < whole; i += 64) {
    const __mmask64 mask =
        whole - i >= 64 ? ~__mmask64{0} : (__mmask64{1} << (whole - i)) - __mmask64{1};
    const __m512i x = _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, a + i), flips);
    _mm512_storeu_si512(to + i, _mm512_and_si512(x, low_bytes));
    _mm512_storeu_si512(to + to_odd + i, _mm512_srli_epi16(x, 8));
  }
  if (whole < n) {
    std::uint32_t four;
    std::memcpy(&four, a + n - 4, 4);
    four ^= flip * 0x01010101u;
    const std::uint32_t even = four & 0x00ff00ffu, odd = (four >> 8) & 0x00ff00ffu;
    std::memcpy(to + whole, &even, 4);
    std::memcpy(to + to_odd + whole, &odd, 4);
  }
}

PARE_ALWAYS_INLINE __m512i broadcast_pair(const std::uint8_t* words) noexcept {
  std::int32_t pair;
  std::memcpy(&pair, words, 4);
  return _mm512_set1_epi32(pair);
}

/// A K-group of 16 columns, as words.
struct split_weights {
  __m512i even, odd;
};
PARE_ALWAYS_INLINE split_weights load_weights(const std::int8_t* w) noexcept {
  const __m512i bytes = _mm512_loadu_si512(w);
  return {_mm512_srai_epi16(_mm512_slli_epi16(bytes, 8), 8), _mm512_srai_epi16(bytes, 8)};
}

/// @param a  a split row
PARE_ALWAYS_INLINE void step(__m512i& row, const std::uint8_t* a, const split_weights& w) noexcept {
  row = _mm512_add_epi32(row, _mm512_madd_epi16(broadcast_pair(a), w.even));
  row = _mm512_add_epi32(row, _mm512_madd_epi16(broadcast_pair(a + to_odd), w.odd));
}

/// Accumulators of up to 6 rows. Those beyond the tile's height stay unused.
struct tile_of_rows {
  __m512i r0, r1, r2, r3, r4, r5;
};

/// t = start + A * W over all of K, for 16 columns.
template <int Rows>
PARE_ALWAYS_INLINE void accumulate(tile_walk& walk, split_rows& split, tile_of_rows& t) noexcept {
  reload(walk);
  t.r0 = _mm512_loadu_si512(walk.start);
  t.r1 = t.r2 = t.r3 = t.r4 = t.r5 = t.r0;
  tap_position tap{walk.a};
  const std::int8_t* w = walk.w;
  do {
    const index_t k = walk.has_tail ? walk.last_group + 4 : 4 * walk.groups;
    for (index_t at = 0, n = 0; at < k; at += n) {
      n = k - at < chunk_bytes + 4 ? k - at : chunk_bytes;
      for (index_t i = 0; i < Rows; ++i)
        split_row(tap.at + at + i * walk.stride, n, walk.a_flip, split.bytes + i * row_bytes);
      const std::uint8_t* in = split.bytes;
      for (index_t groups = pare::detail::ceil_div(n, 4); groups > 0; --groups, in += 4, w += 64) {
        const split_weights b = load_weights(w);
        step(t.r0, in, b);
        if constexpr (Rows > 1) step(t.r1, in + row_bytes, b);
        if constexpr (Rows > 2) step(t.r2, in + 2 * row_bytes, b);
        if constexpr (Rows > 3) step(t.r3, in + 3 * row_bytes, b);
        if constexpr (Rows > 4) step(t.r4, in + 4 * row_bytes, b);
        if constexpr (Rows > 5) step(t.r5, in + 5 * row_bytes, b);
      }
      reload(walk);
    }
  } while (to_next_tap(walk, tap));
  walk.a += Rows * walk.stride;
}

template <int Rows>
void tiles(const gemm_s8_args& args, const std::uint8_t* a, index_t stride, index_t count,
           const std::int8_t* w, const std::int32_t* start, std::int32_t* out,
           index_t out_stride) noexcept {
  split_rows split;
  tile_walk walk = walk_of(args, a, stride, w, 64, start);
  for (; count > 0; --count, out += Rows * out_stride) {
    tile_of_rows t;
    accumulate<Rows>(walk, split, t);
    _mm512_storeu_si512(out, t.r0);
    if constexpr (Rows > 1) _mm512_storeu_si512(out + out_stride, t.r1);
    if constexpr (Rows > 2) _mm512_storeu_si512(out + 2 * out_stride, t.r2);
    if constexpr (Rows > 3) _mm512_storeu_si512(out + 3 * out_stride, t.r3);
    if constexpr (Rows > 4) _mm512_storeu_si512(out + 4 * out_stride, t.r4);
    if constexpr (Rows > 5) _mm512_storeu_si512(out + 5 * out_stride, t.r5);
  }
}

/// One block of the product.
inline void gemm_s8(const gemm_s8_args& args, const gemm_block& block) noexcept {
  constexpr avx2::tile_function accumulators[] = {tiles<1>, tiles<2>, tiles<3>,
                                                  tiles<4>, tiles<5>, tiles<6>};
  avx2::panels(args, block, {6, accumulators, nullptr}, args.offset);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx512bw
PARE_TARGET_AVX512BW_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_GEMM_S8_6X16C4_AVX512BW_HPP
