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
inline constexpr index_t to_magnitudes = 4 * row_bytes;
struct prepared_rows {
  std::uint8_t bytes[2 * to_magnitudes];
};

/// @param flip  0 for s8, 0x80 for u8
/// @param n     4 to chunk_bytes + 3; nothing is read behind them
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
  // Four bytes at a time; the last ones overlap those before.
  for (; i < n; i += 4) {
    const index_t at = pare::detail::min(i, n - 4);
    std::int32_t four;
    std::memcpy(&four, a + at, 4);
    const __m128i x = _mm_xor_si128(_mm_cvtsi32_si128(four), _mm256_castsi256_si128(flips));
    const std::int32_t codes = _mm_cvtsi128_si32(x);
    const std::int32_t magnitudes = _mm_cvtsi128_si32(_mm_abs_epi8(x));
    std::memcpy(to + at, &codes, 4);
    std::memcpy(to + to_magnitudes + at, &magnitudes, 4);
  }
}

/// @param a  a prepared row
PARE_ALWAYS_INLINE void step(row_of_tile& r, const std::uint8_t* a, const row_of_tile& b) noexcept {
  const __m256i x = broadcast4(a), magnitude = broadcast4(a + to_magnitudes);
  r.c0 = multiply_add(r.c0, magnitude, x, b.c0);
  r.c1 = multiply_add(r.c1, magnitude, x, b.c1);
}

/// t = start + A * W over all of K, for 16 columns and weights in [-127, 127].
template <int Rows>
PARE_ALWAYS_INLINE void accumulate(tile_walk& walk, prepared_rows& prepared,
                                   tile_of_rows& t) noexcept {
  reload(walk);
  t.r0 = load_row(walk.start);
  t.r1 = t.r2 = t.r3 = t.r0;
  tap_position tap{walk.a};
  const std::int8_t* w = walk.w;
  do {
    // At least one group, as whole ones and a tail that overlaps.
    const index_t k = walk.has_tail ? walk.last_group + 4 : 4 * walk.groups;
    for (index_t at = 0, n = 0; at < k; at += n) {
      n = k - at < chunk_bytes + 4 ? k - at : chunk_bytes;
      const std::uint8_t flip = static_cast<std::uint8_t>(walk.a_flip ^ 0x80);
      for (index_t i = 0; i < Rows; ++i)
        prepare_row(tap.at + at + i * walk.stride, n, flip, prepared.bytes + i * row_bytes);
      const std::uint8_t* in = prepared.bytes;
      index_t groups = n / 4;
      for (bool is_last = n % 4 == 0;; is_last = true) {
        for (; groups > 0; --groups, in += 4, w += 64) {
          const row_of_tile b = load_row(w);
          step(t.r0, in, b);
          if constexpr (Rows > 1) step(t.r1, in + row_bytes, b);
          if constexpr (Rows > 2) step(t.r2, in + 2 * row_bytes, b);
          if constexpr (Rows > 3) step(t.r3, in + 3 * row_bytes, b);
        }
        if (is_last) break;
        in = prepared.bytes + n - 4;
        groups = 1;
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
  prepared_rows prepared;
  tile_walk walk = walk_of(args, a, stride, w, 64, start);
  for (; count > 0; --count, out += Rows * out_stride) {
    tile_of_rows t;
    accumulate<Rows>(walk, prepared, t);
    store_tile<Rows>(out, out_stride, t);
  }
}

template <int Rows>
void tiles_q8(const gemm_s8_args& args, const std::uint8_t* a, index_t stride, index_t count,
              const std::int8_t* w, const std::int32_t* start, const float* factors,
              std::uint8_t* c) noexcept {
  prepared_rows prepared;
  tile_walk walk = walk_of(args, a, stride, w, 64, start);
  for (; count > 0; --count, c += Rows * args.c_stride) {
    tile_of_rows t;
    accumulate<Rows>(walk, prepared, t);
    store_tile_codes<Rows>(args, factors, c, t);
  }
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
void wide_tiles(const gemm_s8_args& args, const std::uint8_t* a, index_t stride, index_t count,
                const std::int8_t* w, const std::int32_t* start, std::int32_t* out,
                index_t out_stride) noexcept {
  for (index_t i = 0; i < count * Rows; ++i)
    wide_row(args, a + i * stride, w, start, out + i * out_stride);
}

/// One block of the product.
inline void gemm_s8(const gemm_s8_args& args, const gemm_block& block) noexcept {
  constexpr tile_function narrow[] = {tiles<1>, tiles<2>, tiles<3>, tiles<4>};
  constexpr tile_function wide[] = {wide_tiles<1>, wide_tiles<2>, wide_tiles<3>, wide_tiles<4>};
  constexpr tile_q8_function codes[] = {tiles_q8<3>, tiles_q8<4>};
  if (args.has_minus_128 != 0) {
    panels(args, block, {4, wide, nullptr}, args.offset - 128);
  } else {
    panels(args, block, {4, narrow, codes}, args.offset - 128);
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx2
PARE_TARGET_AVX2_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_GEMM_S8_4X16C4_AVX2_HPP
