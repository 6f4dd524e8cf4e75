// Maxima, means and sums over windows on AVX2: 32 or 16 channels at a time.
//
// Bound: a load for each tap. Where channels are no multiple of a register, the last registers
// overlap, so that few channels run one by one.
#ifndef PARE_KERNELS_X86_POOL_AVX2_HPP
#define PARE_KERNELS_X86_POOL_AVX2_HPP

#include <pare/kernels/scalar/pool.hpp>
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

/// The maxima of 8 or 16 channels; `x` is the first tap.
template <int Bytes>
PARE_ALWAYS_INLINE void max_channels(const pool_row& row, const std::uint8_t* x, index_t columns,
                                     std::uint8_t* y) noexcept {
  const __m128i flip = _mm_set1_epi8(static_cast<char>(row.flip));
  __m128i most = _mm_set1_epi8(-128);
  for (index_t i = 0; i < row.rows; ++i) {
    const std::uint8_t* at = x + i * row.row_stride;
    for (index_t j = 0; j < columns; ++j, at += row.column_stride) {
      most = _mm_max_epi8(most, _mm_xor_si128(load_codes<Bytes>(at), flip));
    }
  }
  store_codes<Bytes>(y, clamp_codes(row, most));
}

/// The maxima of 32 channels.
PARE_ALWAYS_INLINE void max_32_channels(const pool_row& row, const std::uint8_t* x, index_t columns,
                                        std::uint8_t* y) noexcept {
  const __m256i flip = _mm256_set1_epi8(static_cast<char>(row.flip));
  __m256i most = _mm256_set1_epi8(-128);
  for (index_t i = 0; i < row.rows; ++i) {
    const std::uint8_t* at = x + i * row.row_stride;
    for (index_t j = 0; j < columns; ++j, at += row.column_stride) {
      const __m256i codes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
      most = _mm256_max_epi8(most, _mm256_xor_si256(codes, flip));
    }
  }
  const __m256i low = _mm256_set1_epi8(static_cast<char>(row.low)),
                high = _mm256_set1_epi8(static_cast<char>(row.high));
  most = _mm256_min_epi8(_mm256_max_epi8(most, low), high);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(y), _mm256_xor_si256(most, flip));
}

inline void max_row(const pool_row& row) noexcept {
  const index_t channels = row.channels;
  if (channels < 8) return scalar::max_row(row);
  for (index_t o = 0; o < row.outputs; ++o) {
    const pool_row::columns reach = row.columns_of(o);
    const index_t columns = reach.last - reach.first;
    const std::uint8_t* x = row.x + reach.first * row.column_stride;
    std::uint8_t* y = row.y + o * row.y_stride;
    if (channels < 16) {
      max_channels<8>(row, x, columns, y);
      max_channels<8>(row, x + channels - 8, columns, y + channels - 8);
    } else if (channels < 32) {
      max_channels<16>(row, x, columns, y);
      max_channels<16>(row, x + channels - 16, columns, y + channels - 16);
    } else {
      for (index_t c = 0; c < channels; c += 32) {
        const index_t at = pare::detail::min(c, channels - 32);
        max_32_channels(row, x + at, columns, y + at);
      }
    }
  }
}

/// Sums of 16 channels, as s8.
struct channel_sums {
  __m256i lower, upper;
};

PARE_ALWAYS_INLINE channel_sums add_words(channel_sums sums, __m256i words) noexcept {
  return {_mm256_add_epi32(sums.lower, _mm256_cvtepi16_epi32(_mm256_castsi256_si128(words))),
          _mm256_add_epi32(sums.upper, _mm256_cvtepi16_epi32(_mm256_extracti128_si256(words, 1)))};
}

/// Sums of 8 or 16 channels over rows x columns; `x` is the first tap. Up to 255 codes fit in s16.
template <int Bytes>
PARE_ALWAYS_INLINE channel_sums sum_codes(const pool_row& row, const std::uint8_t* x,
                                          index_t columns) noexcept {
  constexpr index_t most = 255;
  const __m128i flip = _mm_set1_epi8(static_cast<char>(row.flip));
  channel_sums sums{_mm256_setzero_si256(), _mm256_setzero_si256()};
  __m256i words = _mm256_setzero_si256();
  index_t room = most;
  for (index_t i = 0; i < row.rows; ++i) {
    const std::uint8_t* at = x + i * row.row_stride;
    for (index_t left = columns; left > 0;) {
      const index_t n = pare::detail::min(left, room);
      for (index_t j = 0; j < n; ++j, at += row.column_stride) {
        const __m128i codes = _mm_xor_si128(load_codes<Bytes>(at), flip);
        words = _mm256_add_epi16(words, _mm256_cvtepi8_epi16(codes));
      }
      left -= n;
      room -= n;
      if (room == 0) {
        sums = add_words(sums, words);
        words = _mm256_setzero_si256();
        room = most;
      }
    }
  }
  return add_words(sums, words);
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

template <int Bytes>
PARE_ALWAYS_INLINE void average_channels(const pool_row& row, const std::uint8_t* x,
                                         index_t columns, std::uint8_t* y) noexcept {
  const std::int32_t count = static_cast<std::int32_t>(row.rows * columns);
  const __m256i moved = _mm256_set1_epi32(row.moved() * count), half = _mm256_set1_epi32(count / 2),
                back = _mm256_set1_epi32(row.moved());
  const __m256 inverse = _mm256_set1_ps(1.0f / static_cast<float>(count));
  const channel_sums sums = sum_codes<Bytes>(row, x, columns);
  const __m256i lower = _mm256_sub_epi32(means(sums.lower, moved, half, inverse), back),
                upper = _mm256_sub_epi32(means(sums.upper, moved, half, inverse), back);
  const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(lower, upper), 0xd8);
  const __m128i codes =
      _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  store_codes<Bytes>(y, clamp_codes(row, codes));
}

inline void average_row(const pool_row& row) noexcept {
  constexpr index_t most_taps = 8192;  // sums of u8 then stay below 2^22, see `means`
  const index_t channels = row.channels;
  if (channels < 8 || row.rows * pare::detail::min(row.taps, row.width) > most_taps) {
    return scalar::average_row(row);
  }
  for (index_t o = 0; o < row.outputs; ++o) {
    const pool_row::columns reach = row.columns_of(o);
    const index_t columns = reach.last - reach.first;
    const std::uint8_t* x = row.x + reach.first * row.column_stride;
    std::uint8_t* y = row.y + o * row.y_stride;
    if (channels < 16) {
      average_channels<8>(row, x, columns, y);
      average_channels<8>(row, x + channels - 8, columns, y + channels - 8);
    } else {
      for (index_t c = 0; c < channels; c += 16) {
        const index_t at = pare::detail::min(c, channels - 16);
        average_channels<16>(row, x + at, columns, y + at);
      }
    }
  }
}

inline void sum_channels(const pool_row& row, std::int32_t* sums) noexcept {
  if (row.channels < 16) return scalar::sum_channels(row, sums);
  for (index_t c = 0; c < row.channels; c += 16) {
    const index_t at = pare::detail::min(c, row.channels - 16);
    const channel_sums s = sum_codes<16>(row, row.x + at, row.width);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums + at), s.lower);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums + at + 8), s.upper);
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx2
PARE_TARGET_AVX2_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_POOL_AVX2_HPP
