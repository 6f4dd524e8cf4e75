// The matrix product with 4-bit and 2-bit weights on AVX-VNNI: tiles of up to 6 rows by 16 columns,
// K in blocks of 8 or 16.
//
// Weights are decoded as on AVX-512: without zero points they stay at the top of their bytes, and
// the sums are shifted back. Bound: 2 vpdpbusd per cycle.
#ifndef PARE_KERNELS_X86_GEMM_LOW_BIT_6X16C4_AVXVNNI_HPP
#define PARE_KERNELS_X86_GEMM_LOW_BIT_6X16C4_AVXVNNI_HPP

#include <pare/kernels/x86/gemm_s8_6x16c4_avxvnni.hpp>
#include <pare/kernels/x86/low_bit_avx2.hpp>

#if PARE_X86_KERNELS

PARE_TARGET_AVXVNNI_BEGIN
namespace pare::kernels::avxvnni {
inline namespace PARE_ABI {

/// The weights of 4 inputs.
template <int Bits, low_bit_decoding How, int Plane>
PARE_ALWAYS_INLINE row_of_tile load_plane(const std::int8_t* w,
                                          const std::int8_t* zero_points) noexcept {
  return {avx2::plane_of<Bits, How, Plane>(w, zero_points),
          avx2::plane_of<Bits, How, Plane>(w + 32, zero_points + 32)};
}

/// 4 inputs of each row times one plane.
template <int Bits, low_bit_decoding How, int Plane, int Rows>
PARE_ALWAYS_INLINE void plane_step(tile_of_rows& t, const std::uint8_t* a0, const std::uint8_t* a3,
                                   index_t stride, __m256i flip, const std::int8_t* w,
                                   const std::int8_t* zero_points) noexcept {
  // Loaded again for each plane: there is no room for all of them.
  if constexpr (Rows > 2) __asm__ volatile("" : "+r"(w));
  const row_of_tile b = load_plane<Bits, How, Plane>(w, zero_points);
  a0 += 4 * Plane, a3 += 4 * Plane;
  step(t.r0, a0, flip, b);
  if constexpr (Rows > 1) step(t.r1, a0 + stride, flip, b);
  if constexpr (Rows > 2) step(t.r2, a0 + 2 * stride, flip, b);
  if constexpr (Rows > 3) step(t.r3, a3, flip, b);
  if constexpr (Rows > 4) step(t.r4, a3 + stride, flip, b);
  if constexpr (Rows > 5) step(t.r5, a3 + 2 * stride, flip, b);
}

/// out = start + acc, what the decoding has made too large shifted back.
template <int Bits, low_bit_decoding How>
PARE_ALWAYS_INLINE void store_low_bit_row(std::int32_t* out, const std::int32_t* start,
                                          row_of_tile r) noexcept {
  if constexpr (How == low_bit_decoding::shifted) {
    r.c0 = _mm256_srai_epi32(r.c0, 8 - Bits);
    r.c1 = _mm256_srai_epi32(r.c1, 8 - Bits);
  }
  add(r, load_row(start));
  store_row(out, r);
}

/// out[Rows][16] = start + A * W over all of K.
///
/// @param zero_points  the panel's head
template <int Bits, low_bit_decoding How, int Rows>
void low_bit_tile(const gemm_s8_args& args, const std::uint8_t* a, index_t stride,
                  const std::int8_t* zero_points, const std::int32_t* start,
                  std::int32_t* out) noexcept {
  constexpr index_t block = pare::detail::low_bit_block(Bits);
  const __m256i flip = _mm256_set1_epi8(static_cast<char>(args.a_flip));
  const row_of_tile none = {_mm256_setzero_si256(), _mm256_setzero_si256()};
  // One row has four sets of accumulators that take turns.
  tile_of_rows t = {none, none, none, none, none, none};
  const std::int8_t* w = zero_points + 64;
  const std::uint8_t* a0 = a;
  index_t blocks = whole_blocks(args.k, block);
  if constexpr (Rows == 1) {
    if constexpr (Bits == 4) {
      for (; blocks >= 2; blocks -= 2, a0 += 16, w += 128) {
        step(t.r0, a0, flip, load_plane<4, How, 0>(w, zero_points));
        step(t.r1, a0 + 4, flip, load_plane<4, How, 1>(w, zero_points));
        step(t.r2, a0 + 8, flip, load_plane<4, How, 0>(w + 64, zero_points));
        step(t.r3, a0 + 12, flip, load_plane<4, How, 1>(w + 64, zero_points));
      }
    } else {
      for (; blocks >= 1; blocks -= 1, a0 += 16, w += 64) {
        step(t.r0, a0, flip, load_plane<2, How, 0>(w, zero_points));
        step(t.r1, a0 + 4, flip, load_plane<2, How, 1>(w, zero_points));
        step(t.r2, a0 + 8, flip, load_plane<2, How, 2>(w, zero_points));
        step(t.r3, a0 + 12, flip, load_plane<2, How, 3>(w, zero_points));
      }
    }
    add(t.r0, t.r1), add(t.r2, t.r3), add(t.r0, t.r2);
  }
  for (bool is_last = !has_last_block(args.k, block);; is_last = true) {
    const std::uint8_t* a3 = a0 + (Rows > 3 ? 3 * stride : 0);
    for (; blocks > 0; --blocks, a0 += block, a3 += block, w += 64) {
      plane_step<Bits, How, 0, Rows>(t, a0, a3, stride, flip, w, zero_points);
      plane_step<Bits, How, 1, Rows>(t, a0, a3, stride, flip, w, zero_points);
      if constexpr (Bits == 2) {
        plane_step<Bits, How, 2, Rows>(t, a0, a3, stride, flip, w, zero_points);
        plane_step<Bits, How, 3, Rows>(t, a0, a3, stride, flip, w, zero_points);
      }
    }
    if (is_last) break;
    a0 = a + args.k - block;
    blocks = 1;
  }
  store_low_bit_row<Bits, How>(out, start, t.r0);
  if constexpr (Rows > 1) store_low_bit_row<Bits, How>(out + 16, start, t.r1);
  if constexpr (Rows > 2) store_low_bit_row<Bits, How>(out + 32, start, t.r2);
  if constexpr (Rows > 3) store_low_bit_row<Bits, How>(out + 48, start, t.r3);
  if constexpr (Rows > 4) store_low_bit_row<Bits, How>(out + 64, start, t.r4);
  if constexpr (Rows > 5) store_low_bit_row<Bits, How>(out + 80, start, t.r5);
}

/// One block of the product.
template <int Bits, low_bit_decoding How>
void gemm_low_bit(const gemm_s8_args& args, const gemm_block& block) noexcept {
  constexpr avx2::low_bit_tile_function tiles[] = {
      low_bit_tile<Bits, How, 1>, low_bit_tile<Bits, How, 2>, low_bit_tile<Bits, How, 3>,
      low_bit_tile<Bits, How, 4>, low_bit_tile<Bits, How, 5>, low_bit_tile<Bits, How, 6>};
  avx2::low_bit_panels<Bits>(args, block, tiles, 6);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avxvnni
PARE_TARGET_AVXVNNI_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_GEMM_LOW_BIT_6X16C4_AVXVNNI_HPP
