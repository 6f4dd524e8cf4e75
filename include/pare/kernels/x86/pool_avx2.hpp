// Maxima, means and sums over windows on AVX2: up to 64 channels at a time.
//
// Bound: a load for each tap.
#ifndef PARE_KERNELS_X86_POOL_AVX2_HPP
#define PARE_KERNELS_X86_POOL_AVX2_HPP

#include <pare/kernels/pool_windows.hpp>
#include <pare/kernels/target_region.hpp>

#if PARE_X86_KERNELS

PARE_TARGET_AVX2_BEGIN
namespace pare::kernels::avx2 {
inline namespace PARE_ABI {

/// 16 codes, or the 8 that there are.
template <int Bytes>
PARE_ALWAYS_INLINE __m128i load_codes(const std::uint8_t* x) noexcept {
  const __m128i* from = reinterpret_cast<const __m128i*>(x);
  return Bytes == 16 ? _mm_loadu_si128(from) : _mm_loadl_epi64(from);
}
template <int Bytes>
PARE_ALWAYS_INLINE void store_codes(std::uint8_t* y, __m128i codes) noexcept {
  __m128i* to = reinterpret_cast<__m128i*>(y);
  if constexpr (Bytes == 16) {
    _mm_storeu_si128(to, codes);
  } else {
    _mm_storel_epi64(to, codes);
  }
}

PARE_ALWAYS_INLINE __m128i clamp_codes(const pool_row& row, __m128i codes) noexcept {
  const __m128i low = _mm_set1_epi8(static_cast<char>(row.low)),
                high = _mm_set1_epi8(static_cast<char>(row.high)),
                flip = _mm_set1_epi8(static_cast<char>(row.flip));
  return _mm_xor_si128(_mm_min_epi8(_mm_max_epi8(codes, low), high), flip);
}
PARE_ALWAYS_INLINE __m256i clamp_codes(const pool_row& row, __m256i codes) noexcept {
  const __m256i low = _mm256_set1_epi8(static_cast<char>(row.low)),
                high = _mm256_set1_epi8(static_cast<char>(row.high)),
                flip = _mm256_set1_epi8(static_cast<char>(row.flip));
  return _mm256_xor_si256(_mm256_min_epi8(_mm256_max_epi8(codes, low), high), flip);
}

/// The maxima of 8 or 16 channels.
template <int Bytes>
void max_channels(const pool_row& row, const std::uint8_t* x, index_t taps, tap_list& list,
                  std::uint8_t* y) noexcept {
  const __m128i flip = _mm_set1_epi8(static_cast<char>(row.flip));
  __m128i most = _mm_set1_epi8(-128);
  for (index_t first = 0; first < taps; first += listed_taps) {
    const index_t n = taps > listed_taps ? list.fill(row, first, taps) : taps;
    for (index_t t = 0; t < n; ++t) {
      most = _mm_max_epi8(most, _mm_xor_si128(load_codes<Bytes>(x + list.offsets[t]), flip));
    }
  }
  store_codes<Bytes>(y, clamp_codes(row, most));
}

PARE_ALWAYS_INLINE __m256i max_of(__m256i most, const std::uint8_t* x, __m256i flip) noexcept {
  const __m256i codes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x));
  return _mm256_max_epi8(most, _mm256_xor_si256(codes, flip));
}

/// The maxima of 32 or 64 channels.
template <int Bytes>
void max_many_channels(const pool_row& row, const std::uint8_t* x, index_t taps, tap_list& list,
                       std::uint8_t* y) noexcept {
  const __m256i flip = _mm256_set1_epi8(static_cast<char>(row.flip));
  __m256i most0 = _mm256_set1_epi8(-128), most1 = most0;
  for (index_t first = 0; first < taps; first += listed_taps) {
    const index_t n = taps > listed_taps ? list.fill(row, first, taps) : taps;
    for (index_t t = 0; t < n; ++t) {
      const std::uint8_t* at = x + list.offsets[t];
      most0 = max_of(most0, at, flip);
      if constexpr (Bytes == 64) most1 = max_of(most1, at + 32, flip);
    }
  }
  __m256i* to = reinterpret_cast<__m256i*>(y);
  _mm256_storeu_si256(to, clamp_codes(row, most0));
  if constexpr (Bytes == 64) _mm256_storeu_si256(to + 1, clamp_codes(row, most1));
}

/// Sums of 16 channels, as s8.
struct channel_sums {
  __m256i lower, upper;
};

PARE_ALWAYS_INLINE channel_sums add_words(const channel_sums& sums, __m256i words) noexcept {
  return {_mm256_add_epi32(sums.lower, _mm256_cvtepi16_epi32(_mm256_castsi256_si128(words))),
          _mm256_add_epi32(sums.upper, _mm256_cvtepi16_epi32(_mm256_extracti128_si256(words, 1)))};
}

template <int Bytes>
PARE_ALWAYS_INLINE __m256i add_codes(__m256i words, const std::uint8_t* x, __m128i flip) noexcept {
  const __m128i codes = _mm_xor_si128(load_codes<Bytes>(x), flip);
  return _mm256_add_epi16(words, _mm256_cvtepi8_epi16(codes));
}

/// Means of 8 sums, ties away from zero, by a product with 1 / count: exact where
/// |sum| + count / 2 is below 2^22, since then (|sum| + count / 2 + 1/2) / count is farther from an
/// integer than both roundings take it.
PARE_ALWAYS_INLINE __m256i means(__m256i sums, __m256i moved, __m256i half,
                                 __m256 inverse) noexcept {
  const __m256i sum = _mm256_add_epi32(sums, moved);
  const __m256i raised = _mm256_add_epi32(_mm256_abs_epi32(sum), half);
  const __m256 exact = _mm256_add_ps(_mm256_cvtepi32_ps(raised), _mm256_set1_ps(0.5f));
  return _mm256_sign_epi32(_mm256_cvttps_epi32(_mm256_mul_ps(exact, inverse)), sum);
}

PARE_ALWAYS_INLINE __m128i mean_codes(const pool_row& row, const channel_sums& sums,
                                      index_t taps) noexcept {
  const std::int32_t count = static_cast<std::int32_t>(taps);
  const __m256i moved = _mm256_set1_epi32(row.moved() * count), half = _mm256_set1_epi32(count / 2),
                back = _mm256_set1_epi32(row.moved());
  const __m256 inverse = _mm256_set1_ps(1.0f / static_cast<float>(count));
  const __m256i lower = _mm256_sub_epi32(means(sums.lower, moved, half, inverse), back),
                upper = _mm256_sub_epi32(means(sums.upper, moved, half, inverse), back);
  const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(lower, upper), 0xd8);
  return clamp_codes(
      row, _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1)));
}

/// The means of 8 or 16 channels.
template <int Bytes>
void average_channels(const pool_row& row, const std::uint8_t* x, index_t taps, tap_list& list,
                      std::uint8_t* y) noexcept {
  const __m128i flip = _mm_set1_epi8(static_cast<char>(row.flip));
  channel_sums sums{_mm256_setzero_si256(), _mm256_setzero_si256()};
  for (index_t first = 0; first < taps; first += listed_taps) {
    const index_t n = taps > listed_taps ? list.fill(row, first, taps) : taps;
    __m256i words = _mm256_setzero_si256();
    for (index_t t = 0; t < n; ++t) words = add_codes<Bytes>(words, x + list.offsets[t], flip);
    sums = add_words(sums, words);
  }
  store_codes<Bytes>(y, mean_codes(row, sums, taps));
}

/// The means of 32 channels.
inline void average_32_channels(const pool_row& row, const std::uint8_t* x, index_t taps,
                                tap_list& list, std::uint8_t* y) noexcept {
  const __m128i flip = _mm_set1_epi8(static_cast<char>(row.flip));
  channel_sums sums0{_mm256_setzero_si256(), _mm256_setzero_si256()}, sums1 = sums0;
  for (index_t first = 0; first < taps; first += listed_taps) {
    const index_t n = taps > listed_taps ? list.fill(row, first, taps) : taps;
    __m256i words0 = _mm256_setzero_si256(), words1 = words0;
    for (index_t t = 0; t < n; ++t) {
      const std::uint8_t* at = x + list.offsets[t];
      words0 = add_codes<16>(words0, at, flip);
      words1 = add_codes<16>(words1, at + 16, flip);
    }
    sums0 = add_words(sums0, words0);
    sums1 = add_words(sums1, words1);
  }
  store_codes<16>(y, mean_codes(row, sums0, taps));
  store_codes<16>(y + 16, mean_codes(row, sums1, taps));
}

inline void max_row(const pool_row& row) noexcept {
  constexpr pool_width functions[] = {{64, max_many_channels<64>},
                                      {32, max_many_channels<32>},
                                      {16, max_channels<16>},
                                      {8, max_channels<8>}};
  if (row.channels < 8) return scalar::max_row(row);
  pool_channels(row, functions);
}

inline void average_row(const pool_row& row) noexcept {
  constexpr index_t most_taps = 8192;  // sums of u8 then stay below 2^22, see `means`
  constexpr pool_width functions[] = {
      {32, average_32_channels}, {16, average_channels<16>}, {8, average_channels<8>}};
  if (row.channels < 8 || row.rows * pare::detail::min(row.taps, row.width) > most_taps) {
    return scalar::average_row(row);
  }
  pool_channels(row, functions);
}

/// sums[0 ... 15] += words, as s32.
PARE_ALWAYS_INLINE void add_to(std::int32_t* sums, __m256i words) noexcept {
  __m256i* to = reinterpret_cast<__m256i*>(sums);
  const channel_sums s = add_words({_mm256_loadu_si256(to), _mm256_loadu_si256(to + 1)}, words);
  _mm256_storeu_si256(to, s.lower);
  _mm256_storeu_si256(to + 1, s.upper);
}

/// Sums of 16 or 64 channels over all rows and columns; `x` is the first code.
template <int Channels>
void sum_of_channels(const pool_row& row, const std::uint8_t* x, std::int32_t* sums) noexcept {
  const __m128i flip = _mm_set1_epi8(static_cast<char>(row.flip));
  const __m256i zero = _mm256_setzero_si256();
  for (int c = 0; c < Channels; ++c) sums[c] = 0;
  __m256i words0 = zero, words1 = zero, words2 = zero, words3 = zero;
  index_t room = listed_taps;
  for (index_t i = 0; i < row.rows; ++i) {
    const std::uint8_t* at = x + i * row.row_stride;
    for (index_t left = row.width; left > 0;) {
      const index_t n = pare::detail::min(left, room);
      for (index_t j = 0; j < n; ++j, at += row.column_stride) {
        words0 = add_codes<16>(words0, at, flip);
        if constexpr (Channels == 64) {
          words1 = add_codes<16>(words1, at + 16, flip);
          words2 = add_codes<16>(words2, at + 32, flip);
          words3 = add_codes<16>(words3, at + 48, flip);
        }
      }
      left -= n;
      room -= n;
      if (room > 0 && (left > 0 || i + 1 < row.rows)) continue;
      add_to(sums, words0);
      if constexpr (Channels == 64) {
        add_to(sums + 16, words1);
        add_to(sums + 32, words2);
        add_to(sums + 48, words3);
      }
      words0 = words1 = words2 = words3 = zero;
      room = listed_taps;
    }
  }
}

inline void sum_channels(const pool_row& row, std::int32_t* sums) noexcept {
  const index_t channels = row.channels;
  if (channels < 16) return scalar::sum_channels(row, sums);
  index_t c = 0;
  for (; c + 64 <= channels; c += 64) sum_of_channels<64>(row, row.x + c, sums + c);
  for (; c < channels; c += 16) {
    const index_t at = pare::detail::min(c, channels - 16);
    sum_of_channels<16>(row, row.x + at, sums + at);
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx2
PARE_TARGET_AVX2_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_POOL_AVX2_HPP
