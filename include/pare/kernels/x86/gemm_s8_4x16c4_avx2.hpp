// The s8 matrix product on AVX2, exact for every input: tiles of up to 4 rows by 16 columns, K in
// groups of 4.
//
// vpmaddubsw adds two products of unsigned by signed bytes in 16 bits and saturates. With |a| for
// the unsigned side and w with the sign of a for the signed one, two products stay within 128 * 127
// * 2 = 32512 as long as no weight is -128, so nothing saturates. Layers with a -128 go through
// 16-bit products (vpmaddwd), at about half the speed. Unsigned activations come in as a ^ 0x80,
// signed, with the zero point moved by 128. Bound: vpsignb, vpmaddubsw, vpmaddwd, vpaddd for 32
// products.
#ifndef PARE_KERNELS_X86_GEMM_S8_4X16C4_AVX2_HPP
#define PARE_KERNELS_X86_GEMM_S8_4X16C4_AVX2_HPP

#include <pare/kernels/x86/write_avx2.hpp>

#if PARE_X86_KERNELS

PARE_TARGET_AVX2_BEGIN
namespace pare::kernels::avx2 {
inline namespace PARE_ABI {

/// Columns 0 to 7 and 8 to 15 of a row.
struct row_of_tile {
  __m256i c0, c1;
};

/// c += products of 4 activations (|a| and a, in all lanes) with 8 columns.
PARE_ALWAYS_INLINE __m256i multiply_add(__m256i c, __m256i magnitude, __m256i a,
                                        __m256i w) noexcept {
  const __m256i pairs = _mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(w, a));
  return _mm256_add_epi32(c, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

PARE_ALWAYS_INLINE __m256i broadcast4(const std::uint8_t* a) noexcept {
  std::int32_t four;
  std::memcpy(&four, a, 4);
  return _mm256_set1_epi32(four);
}

/// What a tile multiplies: signed activations of its rows, and behind them their magnitudes. Made
/// once for a tile, they save two of ten instructions a step.
inline constexpr index_t chunk_bytes = 1024, row_bytes = 1056;
struct prepared_rows {
  std::uint8_t signed_codes[4][row_bytes];
  std::uint8_t magnitudes[4][row_bytes];
};
inline constexpr index_t to_magnitudes = 4 * row_bytes;

/// @param flip  0 for s8, 0x80 for u8
/// @param n     at most chunk_bytes + 3; nothing is read behind them
PARE_ALWAYS_INLINE void prepare_row(const std::uint8_t* a, index_t n, std::uint8_t flip,
                                    std::uint8_t* to) noexcept {
  const __m256i flips = _mm256_set1_epi8(static_cast<char>(flip));
  index_t i = 0;
  for (; i + 32 <= n; i += 32) {
    const __m256i x =
        _mm256_xor_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(a + i)), flips);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i), x);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + to_magnitudes + i), _mm256_abs_epi8(x));
  }
  for (; i < n; ++i) {
    const std::int32_t x = static_cast<std::int8_t>(a[i] ^ flip);
    to[i] = static_cast<std::uint8_t>(x);
    to[to_magnitudes + i] = static_cast<std::uint8_t>(x < 0 ? -x : x);
  }
}

/// @param a  a prepared row
PARE_ALWAYS_INLINE void step(row_of_tile& r, const std::uint8_t* a, const row_of_tile& b) noexcept {
  const __m256i x = broadcast4(a), magnitude = broadcast4(a + to_magnitudes);
  r.c0 = multiply_add(r.c0, magnitude, x, b.c0);
  r.c1 = multiply_add(r.c1, magnitude, x, b.c1);
}

PARE_ALWAYS_INLINE row_of_tile load_row(const void* p) noexcept {
  const __m256i* at = static_cast<const __m256i*>(p);
  return {_mm256_loadu_si256(at), _mm256_loadu_si256(at + 1)};
}
PARE_ALWAYS_INLINE void store_row(std::int32_t* p, const row_of_tile& r) noexcept {
  store8(p, r.c0);
  store8(p + 8, r.c1);
}

/// out[Rows][16] = start + A * W over all of K, for weights in [-127, 127].
template <int Rows>
void tile(const gemm_s8_args& args, const std::uint8_t* a, index_t stride, const std::int8_t* w,
          const std::int32_t* start, std::int32_t* out) noexcept {
  const std::uint8_t flip = static_cast<std::uint8_t>(args.a_flip ^ 0x80);
  const index_t k = args.k < 4 ? pare::detail::round_up(args.k, 4) : args.k;
  prepared_rows prepared;
  row_of_tile r0 = load_row(start), r1 = r0, r2 = r0, r3 = r0;
  for (index_t y = 0; y < args.taps_y; ++y) {
    for (index_t x = 0; x < args.taps_x; ++x) {
      const std::uint8_t* tap = a + y * args.tap_y_stride + x * args.tap_x_stride;
      for (index_t at = 0, n = 0; at < k; at += n) {
        n = k - at < chunk_bytes + 4 ? k - at : chunk_bytes;
        for (index_t i = 0; i < Rows; ++i)
          prepare_row(tap + at + i * stride, n, flip, prepared.signed_codes[i]);
        const std::uint8_t* in = prepared.signed_codes[0];
        index_t groups = n / 4;
        for (bool is_last = n % 4 == 0;; is_last = true) {
          for (; groups > 0; --groups, in += 4, w += 64) {
            const row_of_tile b = load_row(w);
            step(r0, in, b);
            if constexpr (Rows > 1) step(r1, in + row_bytes, b);
            if constexpr (Rows > 2) step(r2, in + 2 * row_bytes, b);
            if constexpr (Rows > 3) step(r3, in + 3 * row_bytes, b);
          }
          if (is_last) break;
          in = prepared.signed_codes[0] + n - 4;
          groups = 1;
        }
      }
    }
  }
  store_row(out, r0);
  if constexpr (Rows > 1) store_row(out + 16, r1);
  if constexpr (Rows > 2) store_row(out + 32, r2);
  if constexpr (Rows > 3) store_row(out + 48, r3);
}

/// 4 activations, signed, as 16 bits, four times over.
PARE_ALWAYS_INLINE __m256i broadcast_words(const std::uint8_t* a, std::uint32_t flip) noexcept {
  std::uint32_t four;
  std::memcpy(&four, a, 4);
  four ^= flip * 0x01010101u;
  return _mm256_broadcastq_epi64(
      _mm_cvtepi8_epi16(_mm_cvtsi32_si128(static_cast<std::int32_t>(four))));
}

/// out[16] = start + one row of A times W, for weights in [-128, 127]: a 16-bit product for each
/// pair of inputs.
inline void wide_row(const gemm_s8_args& args, const std::uint8_t* a, const std::int8_t* w,
                     const std::int32_t* start, std::int32_t* out) noexcept {
  const std::uint32_t flip = args.a_flip ^ 0x80u;
  const index_t k = args.k < 4 ? pare::detail::round_up(args.k, 4) : args.k;
  __m256i acc[4] =
      {};  // of 4 columns each: the sums over inputs 0, 1 and over inputs 2, 3 of a group
  for (index_t y = 0; y < args.taps_y; ++y) {
    for (index_t x = 0; x < args.taps_x; ++x) {
      const std::uint8_t* tap = a + y * args.tap_y_stride + x * args.tap_x_stride;
      for (index_t i = 0; i < k; i += 4, w += 64) {
        const __m256i words = broadcast_words(tap + pare::detail::min(i, k - 4), flip);
        for (int j = 0; j < 4; ++j) {
          const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(w + 16 * j));
          acc[j] = _mm256_add_epi32(acc[j], _mm256_madd_epi16(words, _mm256_cvtepi8_epi16(bytes)));
        }
      }
    }
  }
  for (int j = 0; j < 2; ++j) {
    const __m256i sums =
        _mm256_permute4x64_epi64(_mm256_hadd_epi32(acc[2 * j], acc[2 * j + 1]), 0xd8);
    store8(out + 8 * j, _mm256_add_epi32(load8(start + 8 * j), sums));
  }
}

template <int Rows>
void wide_tile(const gemm_s8_args& args, const std::uint8_t* a, index_t stride,
               const std::int8_t* w, const std::int32_t* start, std::int32_t* out) noexcept {
  for (int i = 0; i < Rows; ++i) wide_row(args, a + i * stride, w, start, out + 16 * i);
}

/// One block of the product.
inline void gemm_s8(const gemm_s8_args& args, const gemm_block& block) noexcept {
  constexpr tile_function narrow[] = {tile<1>, tile<2>, tile<3>, tile<4>};
  constexpr tile_function wide[] = {wide_tile<1>, wide_tile<2>, wide_tile<3>, wide_tile<4>};
  panels(args, block, args.has_minus_128 != 0 ? wide : narrow, 4, args.offset - 128);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx2
PARE_TARGET_AVX2_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_GEMM_S8_4X16C4_AVX2_HPP
