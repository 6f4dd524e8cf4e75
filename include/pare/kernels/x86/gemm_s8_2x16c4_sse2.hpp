// The s8 matrix product on SSE2, which every 64-bit x86 processor has: tiles of up to 2 rows by 16
// columns, K in groups of 4.
//
// Exact by 16-bit products, as on AVX-512 without VNNI: pmaddwd multiplies the even bytes of a group
// as words, and then the odd ones, and adds each pair in 32 bits. Activations are unsigned, biased by
// 128 where they are signed, and split into words once for a tile; weights are split as they are
// loaded, for both rows. Bound: two pmaddwd and two paddd for 16 products.
#ifndef PARE_KERNELS_X86_GEMM_S8_2X16C4_SSE2_HPP
#define PARE_KERNELS_X86_GEMM_S8_2X16C4_SSE2_HPP

#include <cstring>

#include <pare/kernels/scalar/gemm_s8.hpp>
#include <pare/kernels/target_region.hpp>

#if PARE_X86_KERNELS

namespace pare::kernels::sse2 {
inline namespace PARE_ABI {

inline constexpr index_t panel_columns = 16;

/// What a tile multiplies: the even bytes of its rows as words, and behind all of them the odd ones.
inline constexpr index_t chunk_bytes = 512, row_bytes = 528;
inline constexpr index_t to_odd = 2 * row_bytes;
struct split_rows {
  std::uint8_t bytes[2 * to_odd];
};

PARE_ALWAYS_INLINE __m128i load4(const void* p) noexcept {
  return _mm_loadu_si128(static_cast<const __m128i*>(p));
}
PARE_ALWAYS_INLINE void store4(void* p, __m128i v) noexcept {
  _mm_storeu_si128(static_cast<__m128i*>(p), v);
}

/// Splits `n` bytes of a row, 4 to chunk_bytes + 3; nothing is read behind them. Where n is no
/// multiple of four, the last four bytes follow as a group of their own.
PARE_ALWAYS_INLINE void split_row(const std::uint8_t* a, index_t n, std::uint8_t flip,
                                  std::uint8_t* to) noexcept {
  const __m128i flips = _mm_set1_epi8(static_cast<char>(flip));
  const __m128i low_bytes = _mm_set1_epi16(0xff);
  index_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const __m128i x = _mm_xor_si128(load4(a + i), flips);
    store4(to + i, _mm_and_si128(x, low_bytes));
    store4(to + to_odd + i, _mm_srli_epi16(x, 8));
  }
  for (; i < n; i += 4) {
    std::uint32_t four;
    std::memcpy(&four, a + pare::detail::min(i, n - 4), 4);
    four ^= flip * 0x01010101u;
    const std::uint32_t even = four & 0x00ff00ffu, odd = (four >> 8) & 0x00ff00ffu;
    std::memcpy(to + i, &even, 4);
    std::memcpy(to + to_odd + i, &odd, 4);
  }
}

/// Two activations, as words, four times over.
PARE_ALWAYS_INLINE __m128i broadcast_pair(const std::uint8_t* words) noexcept {
  std::int32_t pair;
  std::memcpy(&pair, words, 4);
  return _mm_shuffle_epi32(_mm_cvtsi32_si128(pair), 0);
}

/// Accumulators of a row, 4 columns in each.
struct row_of_tile {
  __m128i c0, c1, c2, c3;
};
PARE_ALWAYS_INLINE row_of_tile load_row(const std::int32_t* p) noexcept {
  return {load4(p), load4(p + 4), load4(p + 8), load4(p + 12)};
}
PARE_ALWAYS_INLINE void store_row(std::int32_t* p, const row_of_tile& r) noexcept {
  store4(p, r.c0);
  store4(p + 4, r.c1);
  store4(p + 8, r.c2);
  store4(p + 12, r.c3);
}

/// A group of activations of a row, as words in all lanes.
struct split_inputs {
  __m128i even, odd;
};
PARE_ALWAYS_INLINE split_inputs inputs_at(const std::uint8_t* a) noexcept {
  return {broadcast_pair(a), broadcast_pair(a + to_odd)};
}

PARE_ALWAYS_INLINE __m128i multiply_add(__m128i c, const split_inputs& a, __m128i even,
                                        __m128i odd) noexcept {
  c = _mm_add_epi32(c, _mm_madd_epi16(even, a.even));
  return _mm_add_epi32(c, _mm_madd_epi16(odd, a.odd));
}

/// One K-group of 4 columns, for both rows.
template <int Rows>
PARE_ALWAYS_INLINE void step(__m128i& c, __m128i& next, const split_inputs& a,
                             const split_inputs& b, const std::int8_t* w) noexcept {
  const __m128i bytes = load4(w);
  const __m128i even = _mm_srai_epi16(_mm_slli_epi16(bytes, 8), 8), odd = _mm_srai_epi16(bytes, 8);
  c = multiply_add(c, a, even, odd);
  if constexpr (Rows > 1) next = multiply_add(next, b, even, odd);
}

/// out[Rows][16] = start + A * W over all of K.
template <int Rows>
PARE_ALWAYS_INLINE void tile(tile_walk& walk, split_rows& split, std::int32_t* out,
                             index_t out_stride) noexcept {
  row_of_tile r0 = load_row(walk.start), r1 = r0;
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
        const split_inputs a = inputs_at(in), b = inputs_at(in + (Rows > 1 ? row_bytes : 0));
        step<Rows>(r0.c0, r1.c0, a, b, w);
        step<Rows>(r0.c1, r1.c1, a, b, w + 16);
        step<Rows>(r0.c2, r1.c2, a, b, w + 32);
        step<Rows>(r0.c3, r1.c3, a, b, w + 48);
      }
    }
  } while (to_next_tap(walk, tap));
  walk.a += Rows * walk.stride;
  store_row(out, r0);
  if constexpr (Rows > 1) store_row(out + out_stride, r1);
}

/// 4 accumulators as codes before the zero point is added, by the rule `nearest`. What is too large
/// for a code saturates later; only too large floats are cut here, as cvtps2dq makes the smallest
/// integer of them.
PARE_ALWAYS_INLINE __m128i scaled(const std::int32_t* acc, const float* factors,
                                  __m128 high) noexcept {
  const __m128 y = _mm_mul_ps(_mm_cvtepi32_ps(load4(acc)), _mm_loadu_ps(factors));
  return _mm_cvtps_epi32(_mm_min_ps(y, high));
}

/// 16 codes of a row, by the rule `nearest`.
inline void write_nearest(const gemm_s8_args& args, const std::int32_t* acc, index_t column,
                          std::uint8_t* codes) noexcept {
  // Codes are packed as s8. Where they reach above 127 they are u8, and move by 128 on the way.
  const std::int32_t flip = args.high > 127 ? 128 : 0;
  const __m128i zero_point = _mm_set1_epi16(static_cast<std::int16_t>(args.zero_point - flip));
  const __m128i low = _mm_set1_epi16(static_cast<std::int16_t>(args.low - flip));
  const __m128 high = _mm_set1_ps(static_cast<float>(args.high - args.zero_point));
  const float* factors = args.factors + column;
  __m128i words[2];
  for (int half = 0; half < 2; ++half, acc += 8, factors += 8) {
    const __m128i scaled_words =
        _mm_packs_epi32(scaled(acc, factors, high), scaled(acc + 4, factors + 4, high));
    words[half] = _mm_max_epi16(_mm_adds_epi16(scaled_words, zero_point), low);
  }
  store4(codes, _mm_xor_si128(_mm_packs_epi16(words[0], words[1]),
                              _mm_set1_epi8(static_cast<char>(flip))));
}

/// 16 accumulators of a row become `columns` values of C.
inline void write(const gemm_s8_args& args, const std::int32_t* acc, index_t row, index_t column,
                  index_t columns) noexcept {
  const index_t at = row * args.c_stride + column;
  if (args.kind == output_kind::s32) {
    std::memcpy(static_cast<std::int32_t*>(args.c) + at, acc,
                static_cast<std::size_t>(columns) * sizeof(std::int32_t));
  } else if (args.kind == output_kind::q8 && args.rule == requantization::nearest) {
    std::uint8_t codes[panel_columns];
    write_nearest(args, acc, column, codes);
    std::memcpy(static_cast<std::uint8_t*>(args.c) + at, codes, static_cast<std::size_t>(columns));
  } else {
    for (index_t j = 0; j < columns; ++j) scalar::store(args, row, column + j, acc[j]);
  }
}

/// One block of the product.
inline void gemm_s8(const gemm_s8_args& args, const gemm_block& block) noexcept {
  std::int32_t start[panel_columns], buffer[2 * panel_columns];
  std::uint8_t narrow[2 * 4];
  split_rows split;
  for (index_t panel = block.first_panel; panel < block.last_panel; ++panel) {
    const std::int8_t* w = args.panels + panel * panel_bytes(args);
    const index_t column = panel * panel_columns;
    const index_t columns = pare::detail::min(panel_columns, args.columns - column);
    for (index_t j = 0; j < panel_columns; ++j) {
      const std::int32_t bias = args.bias_codes != nullptr ? args.bias_codes[column + j] : 0;
      start[j] = static_cast<std::int32_t>(static_cast<std::uint32_t>(bias) -
                                           static_cast<std::uint32_t>(args.offset) *
                                               static_cast<std::uint32_t>(args.sums[column + j]));
    }
    for (index_t row = block.first_row; row < block.last_row;) {
      index_t rows = rows_in_line(args, row, block.last_row);
      const std::uint8_t* a = row_address(args, row);
      index_t stride = args.a_stride;
      if (PARE_UNLIKELY(args.k < 4)) {
        rows = pare::detail::min<index_t>(rows, 2);
        copy_narrow_rows(args, a, rows, 4, narrow);
        a = narrow, stride = 4;
      }
      tile_walk walk = walk_of(args, a, stride, w, 64, start);
      for (; rows > 0; rows -= 2) {
        if (rows > 1) {
          tile<2>(walk, split, buffer, panel_columns);
        } else {
          tile<1>(walk, split, buffer, panel_columns);
        }
        for (index_t i = 0; i < 2 && i < rows; ++i, ++row)
          write(args, buffer + i * panel_columns, row, column, columns);
      }
    }
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::sse2

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_GEMM_S8_2X16C4_SSE2_HPP
