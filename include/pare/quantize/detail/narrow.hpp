// Sixteen integers to sixteen bytes and back, which xsimd 8.1 has no word for and compilers make of
// single bytes.
#ifndef PARE_QUANTIZE_DETAIL_NARROW_HPP
#define PARE_QUANTIZE_DETAIL_NARROW_HPP

#include <pare/core/xsimd.hpp>

#if PARE_XSIMD && defined(__SSE2__)
#include <immintrin.h>
#endif

namespace pare::detail {
inline namespace PARE_ABI {

#if PARE_XSIMD
/// Vectors of 16 integers in all.
inline constexpr index_t vectors_of_16 = 16 / static_cast<index_t>(xsimd::batch<float>::size);
static_assert(vectors_of_16 > 0, "pare: 16 floats are whole vectors");

/// codes[i] = integer i of the vectors, which lie within the range of the codes.
///
/// @tparam Code  std::int8_t or std::uint8_t
template <class Code>
PARE_ALWAYS_INLINE void narrow_16(const xsimd::batch<std::int32_t> (&vectors)[vectors_of_16],
                                  Code* codes) noexcept {
#if defined(__SSE2__)
  __m128i wide[4];
  std::memcpy(wide, vectors, sizeof(wide));  // the compiler keeps them in registers
  const __m128i low = _mm_packs_epi32(wide[0], wide[1]);
  const __m128i high = _mm_packs_epi32(wide[2], wide[3]);
  const __m128i bytes =
      std::is_signed_v<Code> ? _mm_packs_epi16(low, high) : _mm_packus_epi16(low, high);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(codes), bytes);
#else
  std::int32_t wide[16];
  for (index_t i = 0; i < vectors_of_16; ++i) {
    vectors[i].store_unaligned(wide + i * (16 / vectors_of_16));
  }
  for (int i = 0; i < 16; ++i) codes[i] = static_cast<Code>(wide[i]);
#endif
}

/// integer i of the vectors = codes[i].
template <class Code>
PARE_ALWAYS_INLINE void widen_16(const Code* codes,
                                 xsimd::batch<std::int32_t> (&vectors)[vectors_of_16]) noexcept {
#if defined(__AVX2__) || defined(__AVX512F__)
  // Whole vectors at once: halves that meet in memory would wait for each other.
  for (index_t i = 0; i < vectors_of_16; ++i) {
    const Code* from = codes + i * (16 / vectors_of_16);
#if defined(__AVX512F__)
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    const __m512i wide =
        std::is_signed_v<Code> ? _mm512_cvtepi8_epi32(bytes) : _mm512_cvtepu8_epi32(bytes);
#else
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
    const __m256i wide =
        std::is_signed_v<Code> ? _mm256_cvtepi8_epi32(bytes) : _mm256_cvtepu8_epi32(bytes);
#endif
    static_assert(sizeof(wide) == sizeof(vectors[0]), "pare: xsimd has the widest vectors");
    std::memcpy(static_cast<void*>(&vectors[i]), &wide, sizeof(wide));
  }
#else
#if defined(__SSE2__)
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(codes)),
                zero = _mm_setzero_si128();
  // The byte above each one holds its sign, and so do the two above those.
  const __m128i signs = std::is_signed_v<Code> ? _mm_cmpgt_epi8(zero, bytes) : zero;
  const __m128i low = _mm_unpacklo_epi8(bytes, signs), high = _mm_unpackhi_epi8(bytes, signs);
  const __m128i low_signs = _mm_unpacklo_epi8(signs, signs),
                high_signs = _mm_unpackhi_epi8(signs, signs);
  const __m128i wide[4] = {_mm_unpacklo_epi16(low, low_signs), _mm_unpackhi_epi16(low, low_signs),
                           _mm_unpacklo_epi16(high, high_signs),
                           _mm_unpackhi_epi16(high, high_signs)};
#else
  std::int32_t wide[16];
  for (int i = 0; i < 16; ++i) wide[i] = codes[i];
#endif
  std::memcpy(static_cast<void*>(vectors), wide, sizeof(wide));
#endif
}
#endif

}  // namespace PARE_ABI
}  // namespace pare::detail

#endif  // PARE_QUANTIZE_DETAIL_NARROW_HPP
