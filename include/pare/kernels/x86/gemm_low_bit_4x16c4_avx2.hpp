// The matrix product with 4-bit and 2-bit weights on AVX2: tiles of up to 4 rows by 16 columns, K in
// blocks of 8 or 16.
//
// vpmaddubsw adds two products of unsigned by signed bytes in 16 bits and saturates. Differences of
// codes to zero points lie within 15, so that the products of two planes fit, 4 * 255 * 15 = 15300,
// and are widened together. Bound: 5 instructions for 64 products, where the s8 kernel has 8.
#ifndef PARE_KERNELS_X86_GEMM_LOW_BIT_4X16C4_AVX2_HPP
#define PARE_KERNELS_X86_GEMM_LOW_BIT_4X16C4_AVX2_HPP

#include <pare/kernels/x86/gemm_s8_4x16c4_avx2.hpp>
#include <pare/kernels/x86/low_bit_avx2.hpp>

#if PARE_X86_KERNELS

PARE_TARGET_AVX2_BEGIN
namespace pare::kernels::avx2 {
inline namespace PARE_ABI {

/// The weights of 4 inputs.
template <int Bits, int Plane>
PARE_ALWAYS_INLINE row_of_tile load_plane(const std::int8_t* w,
                                          const std::int8_t* zero_points) noexcept {
  return {plane_of<Bits, low_bit_decoding::general, Plane>(w, zero_points),
          plane_of<Bits, low_bit_decoding::general, Plane>(w + 32, zero_points + 32)};
}

/// 8 inputs of one row times two planes.
PARE_ALWAYS_INLINE void low_bit_step(row_of_tile& r, const std::uint8_t* a, __m256i flip,
                                     const row_of_tile& first, const row_of_tile& second) noexcept {
  const __m256i x = _mm256_xor_si256(broadcast4(a), flip);
  const __m256i y = _mm256_xor_si256(broadcast4(a + 4), flip);
  const __m256i ones = _mm256_set1_epi16(1);
  const __m256i pairs0 =
      _mm256_add_epi16(_mm256_maddubs_epi16(x, first.c0), _mm256_maddubs_epi16(y, second.c0));
  const __m256i pairs1 =
      _mm256_add_epi16(_mm256_maddubs_epi16(x, first.c1), _mm256_maddubs_epi16(y, second.c1));
  r.c0 = _mm256_add_epi32(r.c0, _mm256_madd_epi16(pairs0, ones));
  r.c1 = _mm256_add_epi32(r.c1, _mm256_madd_epi16(pairs1, ones));
}

/// 8 inputs of each row times planes Plane and Plane + 1.
template <int Bits, int Plane, int Rows>
PARE_ALWAYS_INLINE void planes_step(tile_of_rows& t, const std::uint8_t* a, index_t stride,
                                    __m256i flip, const std::int8_t* w,
                                    const std::int8_t* zero_points) noexcept {
  const row_of_tile first = load_plane<Bits, Plane>(w, zero_points);
  const row_of_tile second = load_plane<Bits, Plane + 1>(w, zero_points);
  a += 4 * Plane;
  low_bit_step(t.r0, a, flip, first, second);
  if constexpr (Rows > 1) low_bit_step(t.r1, a + stride, flip, first, second);
  if constexpr (Rows > 2) low_bit_step(t.r2, a + 2 * stride, flip, first, second);
  if constexpr (Rows > 3) low_bit_step(t.r3, a + 3 * stride, flip, first, second);
}

/// out[Rows][16] = start + A * W over all of K.
///
/// @param zero_points  the panel's head
template <int Bits, int Rows>
void low_bit_tile(const gemm_s8_args& args, const std::uint8_t* a, index_t stride,
                  const std::int8_t* zero_points, const std::int32_t* start,
                  std::int32_t* out) noexcept {
  constexpr index_t block = pare::detail::low_bit_block(Bits);
  const __m256i flip = _mm256_set1_epi8(static_cast<char>(args.a_flip));
  tile_of_rows t;
  t.r0 = load_row(start);
  t.r1 = t.r2 = t.r3 = t.r0;
  const std::int8_t* w = zero_points + 64;
  const std::uint8_t* in = a;
  index_t blocks = whole_blocks(args.k, block);
  for (bool is_last = !has_last_block(args.k, block);; is_last = true) {
    for (; blocks > 0; --blocks, in += block, w += 64) {
      planes_step<Bits, 0, Rows>(t, in, stride, flip, w, zero_points);
      if constexpr (Bits == 2) planes_step<Bits, 2, Rows>(t, in, stride, flip, w, zero_points);
    }
    if (is_last) break;
    in = a + args.k - block;
    blocks = 1;
  }
  store_row(out, t.r0);
  if constexpr (Rows > 1) store_row(out + 16, t.r1);
  if constexpr (Rows > 2) store_row(out + 32, t.r2);
  if constexpr (Rows > 3) store_row(out + 48, t.r3);
}

/// One block of the product. Bytes at the top would saturate, so the decoding is always the general
/// one.
template <int Bits, low_bit_decoding>
void gemm_low_bit(const gemm_s8_args& args, const gemm_block& block) noexcept {
  constexpr low_bit_tile_function tiles[] = {low_bit_tile<Bits, 1>, low_bit_tile<Bits, 2>,
                                             low_bit_tile<Bits, 3>, low_bit_tile<Bits, 4>};
  low_bit_panels<Bits>(args, block, tiles, 4);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx2
PARE_TARGET_AVX2_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_GEMM_LOW_BIT_4X16C4_AVX2_HPP
