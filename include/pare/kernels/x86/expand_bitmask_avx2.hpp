// Chunks with a bitmask -> dense ones, on AVX2: what is before each byte in its group of eight is
// counted by three shifted additions, and a shuffle then brings the values to their places.
#ifndef PARE_KERNELS_X86_EXPAND_BITMASK_AVX2_HPP
#define PARE_KERNELS_X86_EXPAND_BITMASK_AVX2_HPP

#include <pare/kernels/gemm_bitmask.hpp>
#include <pare/kernels/x86/write_avx2.hpp>

#if PARE_X86_KERNELS

PARE_TARGET_AVX2_BEGIN
namespace pare::kernels::avx2 {
inline namespace PARE_ABI {

/// 32 codes of 4 bits each, the first in the lower half of a byte, signed: 64 bytes.
PARE_ALWAYS_INLINE void unpack_values(const std::uint8_t* values, std::int8_t* to) noexcept {
  const __m256i nibble = _mm256_set1_epi16(0x0f0f);
  const __m256i codes = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, -8, -7, -6, -5, -4, -3, -2, -1));
  for (int i = 0; i < 2; ++i) {
    const __m256i words =
        _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(values + 16 * i)));
    const __m256i fields =
        _mm256_and_si256(_mm256_or_si256(words, _mm256_slli_epi16(words, 4)), nibble);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + 32 * i),
                        _mm256_shuffle_epi8(codes, fields));
  }
}

/// Eight values each from `low` and from `high`.
PARE_ALWAYS_INLINE __m128i load_values(const std::uint8_t* low, const std::uint8_t* high) noexcept {
  return _mm_unpacklo_epi64(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(low)),
                            _mm_loadl_epi64(reinterpret_cast<const __m128i*>(high)));
}

/// Half a chunk.
PARE_ALWAYS_INLINE const std::uint8_t* expand_half(std::uint32_t mask, const std::uint8_t* values,
                                                   std::int8_t* to) noexcept {
  const __m256i which_byte = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2,
                                              2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3);
  const __m256i which_bit = _mm256_set1_epi64x(static_cast<long long>(0x8040201008040201u));
  const __m256i bits =
      _mm256_shuffle_epi8(_mm256_set1_epi32(static_cast<std::int32_t>(mask)), which_byte);
  const __m256i is_stored = _mm256_cmpeq_epi8(_mm256_and_si256(bits, which_bit), which_bit);
  __m256i count = _mm256_sub_epi8(_mm256_setzero_si256(), is_stored);
  count = _mm256_add_epi8(count, _mm256_slli_epi64(count, 8));
  count = _mm256_add_epi8(count, _mm256_slli_epi64(count, 16));
  count = _mm256_add_epi8(count, _mm256_slli_epi64(count, 32));
  // The index of a value, counted from the first of eight places; the second eight of a lane have
  // theirs in its upper half.
  constexpr long long seven = 0x0707070707070707;
  const __m256i before = _mm256_setr_epi64x(-1, seven, -1, seven);
  const __m256i index = _mm256_add_epi8(count, before);
  const std::uint8_t* second = values + pare::detail::count_bits(mask & 0xffu);
  const std::uint8_t* third = values + pare::detail::count_bits(mask & 0xffffu);
  const std::uint8_t* fourth = values + pare::detail::count_bits(mask & 0xffffffu);
  const __m256i found = _mm256_inserti128_si256(_mm256_castsi128_si256(load_values(values, second)),
                                                load_values(third, fourth), 1);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to),
                      _mm256_and_si256(_mm256_shuffle_epi8(found, index), is_stored));
  return values + pare::detail::count_bits(mask);
}

/// One chunk.
///
/// @return the bytes of its values
template <int Bits>
index_t expand_chunk(std::uint64_t mask, const std::uint8_t* values, std::int8_t* to) noexcept {
  const std::uint8_t* from = values;
  alignas(32) std::int8_t bytes[64 + 8];
  if constexpr (Bits == 4) {
    unpack_values(values, bytes);
    from = reinterpret_cast<const std::uint8_t*>(bytes);
  }
  const std::uint8_t* middle = expand_half(static_cast<std::uint32_t>(mask), from, to);
  const std::uint8_t* last = expand_half(static_cast<std::uint32_t>(mask >> 32), middle, to + 32);
  return pare::detail::value_bytes(last - from, Bits);
}

template <int Bits>
const std::byte* expand_bitmask(const std::byte* at, index_t count, std::int8_t* panel,
                                index_t stride) noexcept {
  while (count > 0) {
    const pare::detail::bitmask_run run = pare::detail::run_at(at, count);
    index_t length = 0;
    for (index_t c = 0; c < run.chunks; ++c, panel += stride)
      length += expand_chunk<Bits>(run.masks[c], run.values + length, panel);
    at += pare::detail::run_bytes(run.chunks, length);
    count -= run.chunks;
  }
  return at;
}

inline void write_panel(const gemm_s8_args& args, const std::int32_t* acc, index_t, index_t row,
                        index_t rows, index_t column, index_t columns) noexcept {
  write(args, acc, row, rows, column, columns);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx2
PARE_TARGET_AVX2_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_EXPAND_BITMASK_AVX2_HPP
