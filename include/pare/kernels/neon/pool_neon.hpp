// Maxima, means and sums over windows on NEON: up to 64 channels at a time.
//
// Bound: a load for each tap.
#ifndef PARE_KERNELS_NEON_POOL_NEON_HPP
#define PARE_KERNELS_NEON_POOL_NEON_HPP

#include <pare/kernels/pool_windows.hpp>
#include <pare/kernels/target_region.hpp>

#if PARE_NEON_KERNELS

namespace pare::kernels::neon {
inline namespace PARE_ABI {

/// 16 codes as s8, or the 8 that there are.
template <int Bytes>
PARE_ALWAYS_INLINE int8x16_t load_codes(const std::uint8_t* x, uint8x16_t flip) noexcept {
  const uint8x16_t codes = Bytes == 16 ? vld1q_u8(x) : vcombine_u8(vld1_u8(x), vget_high_u8(flip));
  return vreinterpretq_s8_u8(veorq_u8(codes, flip));
}

/// Clamps 16 codes and stores them, or the first 8.
template <int Bytes>
PARE_ALWAYS_INLINE void store_codes(const pool_row& row, std::uint8_t* y,
                                    int8x16_t codes) noexcept {
  const int8x16_t low = vdupq_n_s8(static_cast<std::int8_t>(row.low)),
                  high = vdupq_n_s8(static_cast<std::int8_t>(row.high));
  const int8x16_t clamped = vminq_s8(vmaxq_s8(codes, low), high);
  const uint8x16_t out = veorq_u8(vreinterpretq_u8_s8(clamped), vdupq_n_u8(row.flip));
  if constexpr (Bytes == 16) {
    vst1q_u8(y, out);
  } else {
    vst1_u8(y, vget_low_u8(out));
  }
}

/// The maxima of 8 or 16 channels.
template <int Bytes>
void max_channels(const pool_row& row, const std::uint8_t* x, index_t taps, tap_list& list,
                  std::uint8_t* y) noexcept {
  const uint8x16_t flip = vdupq_n_u8(row.flip);
  int8x16_t most = vdupq_n_s8(-128);
  for (index_t first = 0; first < taps; first += listed_taps) {
    const index_t n = taps > listed_taps ? list.fill(row, first, taps) : taps;
    for (index_t t = 0; t < n; ++t)
      most = vmaxq_s8(most, load_codes<Bytes>(x + list.offsets[t], flip));
  }
  store_codes<Bytes>(row, y, most);
}

/// The maxima of 64 channels.
inline void max_64_channels(const pool_row& row, const std::uint8_t* x, index_t taps,
                            tap_list& list, std::uint8_t* y) noexcept {
  const uint8x16_t flip = vdupq_n_u8(row.flip);
  int8x16_t most0 = vdupq_n_s8(-128), most1 = most0, most2 = most0, most3 = most0;
  for (index_t first = 0; first < taps; first += listed_taps) {
    const index_t n = taps > listed_taps ? list.fill(row, first, taps) : taps;
    for (index_t t = 0; t < n; ++t) {
      const std::uint8_t* at = x + list.offsets[t];
      most0 = vmaxq_s8(most0, load_codes<16>(at, flip));
      most1 = vmaxq_s8(most1, load_codes<16>(at + 16, flip));
      most2 = vmaxq_s8(most2, load_codes<16>(at + 32, flip));
      most3 = vmaxq_s8(most3, load_codes<16>(at + 48, flip));
    }
  }
  store_codes<16>(row, y, most0);
  store_codes<16>(row, y + 16, most1);
  store_codes<16>(row, y + 32, most2);
  store_codes<16>(row, y + 48, most3);
}

/// Sums of 16 channels in 16 bits, and in 32.
struct channel_words {
  int16x8_t low, high;
};
struct channel_sums {
  int32x4_t c0, c1, c2, c3;
};

PARE_ALWAYS_INLINE channel_words no_words() noexcept { return {vdupq_n_s16(0), vdupq_n_s16(0)}; }
PARE_ALWAYS_INLINE channel_sums no_channel_sums() noexcept {
  const int32x4_t zero = vdupq_n_s32(0);
  return {zero, zero, zero, zero};
}
PARE_ALWAYS_INLINE void add_codes(channel_words& words, int8x16_t codes) noexcept {
  words.low = vaddw_s8(words.low, vget_low_s8(codes));
  words.high = vaddw_s8(words.high, vget_high_s8(codes));
}
PARE_ALWAYS_INLINE void add_words(channel_sums& sums, const channel_words& words) noexcept {
  sums.c0 = vaddw_s16(sums.c0, vget_low_s16(words.low));
  sums.c1 = vaddw_s16(sums.c1, vget_high_s16(words.low));
  sums.c2 = vaddw_s16(sums.c2, vget_low_s16(words.high));
  sums.c3 = vaddw_s16(sums.c3, vget_high_s16(words.high));
}

/// What turns sums into means.
struct mean_constants {
  int32x4_t moved, half, back;
  float32x4_t inverse;
};
PARE_ALWAYS_INLINE mean_constants constants_of_mean(const pool_row& row, index_t taps) noexcept {
  const std::int32_t count = static_cast<std::int32_t>(taps);
  return {vdupq_n_s32(row.moved() * count), vdupq_n_s32(count / 2), vdupq_n_s32(row.moved()),
          vdupq_n_f32(1.0f / static_cast<float>(count))};
}

/// Means of 4 sums, ties away from zero, by a product with 1 / count: exact where
/// |sum| + count / 2 is below 2^22, since then (|sum| + count / 2 + 1/2) / count is farther from an
/// integer than both roundings take it.
PARE_ALWAYS_INLINE int32x4_t means(int32x4_t sums, const mean_constants& c) noexcept {
  const int32x4_t sum = vaddq_s32(sums, c.moved);
  const float32x4_t raised =
      vaddq_f32(vcvtq_f32_s32(vaddq_s32(vabsq_s32(sum), c.half)), vdupq_n_f32(0.5f));
  const int32x4_t mean = vcvtq_s32_f32(vmulq_f32(raised, c.inverse));
  const int32x4_t sign = vshrq_n_s32(sum, 31);
  return vsubq_s32(vsubq_s32(veorq_s32(mean, sign), sign), c.back);
}

PARE_ALWAYS_INLINE int8x16_t mean_codes(const channel_sums& sums,
                                        const mean_constants& c) noexcept {
  const int16x8_t low = vcombine_s16(vqmovn_s32(means(sums.c0, c)), vqmovn_s32(means(sums.c1, c)));
  const int16x8_t high = vcombine_s16(vqmovn_s32(means(sums.c2, c)), vqmovn_s32(means(sums.c3, c)));
  return vcombine_s8(vqmovn_s16(low), vqmovn_s16(high));
}

/// The means of 8 or 16 channels.
template <int Bytes>
void average_channels(const pool_row& row, const std::uint8_t* x, index_t taps, tap_list& list,
                      std::uint8_t* y) noexcept {
  const uint8x16_t flip = vdupq_n_u8(row.flip);
  channel_sums sums = no_channel_sums();
  for (index_t first = 0; first < taps; first += listed_taps) {
    const index_t n = taps > listed_taps ? list.fill(row, first, taps) : taps;
    channel_words words = no_words();
    for (index_t t = 0; t < n; ++t) add_codes(words, load_codes<Bytes>(x + list.offsets[t], flip));
    add_words(sums, words);
  }
  store_codes<Bytes>(row, y, mean_codes(sums, constants_of_mean(row, taps)));
}

/// The means of 32 channels.
inline void average_32_channels(const pool_row& row, const std::uint8_t* x, index_t taps,
                                tap_list& list, std::uint8_t* y) noexcept {
  const uint8x16_t flip = vdupq_n_u8(row.flip);
  channel_sums sums0 = no_channel_sums(), sums1 = sums0;
  for (index_t first = 0; first < taps; first += listed_taps) {
    const index_t n = taps > listed_taps ? list.fill(row, first, taps) : taps;
    channel_words words0 = no_words(), words1 = words0;
    for (index_t t = 0; t < n; ++t) {
      const std::uint8_t* at = x + list.offsets[t];
      add_codes(words0, load_codes<16>(at, flip));
      add_codes(words1, load_codes<16>(at + 16, flip));
    }
    add_words(sums0, words0);
    add_words(sums1, words1);
  }
  const mean_constants c = constants_of_mean(row, taps);
  store_codes<16>(row, y, mean_codes(sums0, c));
  store_codes<16>(row, y + 16, mean_codes(sums1, c));
}

inline void max_row(const pool_row& row) noexcept {
  constexpr pool_width functions[] = {
      {64, max_64_channels}, {16, max_channels<16>}, {8, max_channels<8>}};
  if (row.channels < 8) return scalar::max_row(row);
  pool_channels(row, functions);
}

inline void average_row(const pool_row& row) noexcept {
  constexpr index_t most_taps = 8192;  // sums of u8 then stay below 2^22, see `means`
  constexpr pool_width functions[] = {
      {32, average_32_channels}, {16, average_channels<16>}, {8, average_channels<8>}};
  if (row.channels < 8 || row.rows * pare::detail::min(row.taps, row.width) > most_taps)
    return scalar::average_row(row);
  pool_channels(row, functions);
}

/// Sums of 16 channels over all rows and columns; `x` is the first code.
inline void sum_16_channels(const pool_row& row, const std::uint8_t* x, std::int32_t* to) noexcept {
  const uint8x16_t flip = vdupq_n_u8(row.flip);
  channel_sums sums = no_channel_sums();
  for (index_t i = 0; i < row.rows; ++i) {
    const std::uint8_t* at = x + i * row.row_stride;
    for (index_t left = row.width; left > 0;) {
      index_t n = pare::detail::min(left, listed_taps);
      left -= n;
      channel_words words = no_words();
      for (; n > 0; --n, at += row.column_stride) add_codes(words, load_codes<16>(at, flip));
      add_words(sums, words);
    }
  }
  vst1q_s32(to, sums.c0);
  vst1q_s32(to + 4, sums.c1);
  vst1q_s32(to + 8, sums.c2);
  vst1q_s32(to + 12, sums.c3);
}

inline void sum_channels(const pool_row& row, std::int32_t* sums) noexcept {
  if (row.channels < 16) return scalar::sum_channels(row, sums);
  for (index_t c = 0; c < row.channels; c += 16) {
    const index_t at = pare::detail::min(c, row.channels - 16);
    sum_16_channels(row, row.x + at, sums + at);
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::neon

#endif  // PARE_NEON_KERNELS
#endif  // PARE_KERNELS_NEON_POOL_NEON_HPP
