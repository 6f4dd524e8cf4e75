// The s8 matrix product on AVX-VNNI: tiles of up to 6 rows by 16 columns, K in groups of 4.
//
// As on AVX-512: activations unsigned, biased by 128 where they are signed, and the start values
// take it out. 12 accumulators, two weight registers and one broadcast fit into 16 registers.
// Bound: 2 vpdpbusd per cycle.
#ifndef PARE_KERNELS_X86_GEMM_S8_6X16C4_AVXVNNI_HPP
#define PARE_KERNELS_X86_GEMM_S8_6X16C4_AVXVNNI_HPP

#include <pare/kernels/x86/write_avx2.hpp>

#if PARE_X86_KERNELS

PARE_TARGET_AVXVNNI_BEGIN
namespace pare::kernels::avxvnni {
inline namespace PARE_ABI {

/// Columns 0 to 7 and 8 to 15 of a row.
struct row_of_tile {
  __m256i c0, c1;
};

/// 4 activations times 16 columns. Inline assembly, because GCC 12 copies the accumulator around
/// the intrinsic.
PARE_ALWAYS_INLINE void step(row_of_tile& r, const std::uint8_t* a, __m256i flip,
                             const row_of_tile& b) noexcept {
  std::int32_t four;
  std::memcpy(&four, a, 4);
  const __m256i x = _mm256_xor_si256(_mm256_set1_epi32(four), flip);
  __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(r.c0) : "x"(x), "x"(b.c0));
  __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(r.c1) : "x"(x), "x"(b.c1));
}

PARE_ALWAYS_INLINE row_of_tile load_row(const void* p) noexcept {
  const __m256i* at = static_cast<const __m256i*>(p);
  return {_mm256_loadu_si256(at), _mm256_loadu_si256(at + 1)};
}
PARE_ALWAYS_INLINE void store_row(std::int32_t* p, const row_of_tile& r) noexcept {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), r.c0);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p + 8), r.c1);
}

/// out[Rows][16] = start + A * W over all of K.
template <int Rows>
void tile(const std::uint8_t* a0, index_t stride, std::uint8_t flip_byte, index_t k,
          const std::int8_t* w, const std::int32_t* start, std::int32_t* out) noexcept {
  const __m256i flip = _mm256_set1_epi8(static_cast<char>(flip_byte));
  std::uint8_t rest[Rows][4];
  row_of_tile r0 = load_row(start), r1 = r0, r2 = r0, r3 = r0, r4 = r0, r5 = r0;
  index_t groups = k / 4;

  if constexpr (Rows == 1) {
    // One row has too few accumulators to hide the latency: three more sets take turns.
    const __m256i zero = _mm256_setzero_si256();
    row_of_tile s1 = {zero, zero}, s2 = s1, s3 = s1;
    for (; groups >= 4; groups -= 4, a0 += 16, w += 256) {
      step(r0, a0, flip, load_row(w));
      step(s1, a0 + 4, flip, load_row(w + 64));
      step(s2, a0 + 8, flip, load_row(w + 128));
      step(s3, a0 + 12, flip, load_row(w + 192));
    }
    r0.c0 = _mm256_add_epi32(_mm256_add_epi32(r0.c0, s1.c0), _mm256_add_epi32(s2.c0, s3.c0));
    r0.c1 = _mm256_add_epi32(_mm256_add_epi32(r0.c1, s1.c1), _mm256_add_epi32(s2.c1, s3.c1));
  }
  for (index_t k_left = k % 4;; k_left = 0) {
    const std::uint8_t* a3 = a0 + (Rows > 3 ? 3 * stride : 0);
    for (; groups > 0; --groups, a0 += 4, a3 += 4, w += 64) {
      const row_of_tile b = load_row(w);
      step(r0, a0, flip, b);
      if constexpr (Rows > 1) step(r1, a0 + stride, flip, b);
      if constexpr (Rows > 2) step(r2, a0 + 2 * stride, flip, b);
      if constexpr (Rows > 3) step(r3, a3, flip, b);
      if constexpr (Rows > 4) step(r4, a3 + stride, flip, b);
      if constexpr (Rows > 5) step(r5, a3 + 2 * stride, flip, b);
    }
    if (k_left == 0) break;
    // The last 1 to 3 inputs go through a copy, so that nothing is read beyond a row. Their missing
    // weights are zero.
    for (int i = 0; i < Rows; ++i) last_inputs(a0 + i * stride, k, k_left, rest[i]);
    a0 = &rest[0][0];
    stride = 4;
    groups = 1;
  }

  store_row(out, r0);
  if constexpr (Rows > 1) store_row(out + 16, r1);
  if constexpr (Rows > 2) store_row(out + 32, r2);
  if constexpr (Rows > 3) store_row(out + 48, r3);
  if constexpr (Rows > 4) store_row(out + 64, r4);
  if constexpr (Rows > 5) store_row(out + 80, r5);
}

/// One block of the product.
inline void gemm_s8(const gemm_s8_args& args, const gemm_block& block) noexcept {
  constexpr avx2::tile_function tiles[] = {tile<1>, tile<2>, tile<3>, tile<4>, tile<5>, tile<6>};
  avx2::panels(args, block, tiles, 6, args.a_flip, args.offset);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avxvnni
PARE_TARGET_AVXVNNI_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_GEMM_S8_6X16C4_AVXVNNI_HPP
