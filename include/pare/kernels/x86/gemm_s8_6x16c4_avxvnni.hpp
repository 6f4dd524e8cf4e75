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

PARE_ALWAYS_INLINE void add(row_of_tile& r, const row_of_tile& other) noexcept {
  r.c0 = _mm256_add_epi32(r.c0, other.c0);
  r.c1 = _mm256_add_epi32(r.c1, other.c1);
}

/// out[Rows][16] = start + A * W over all of K.
template <int Rows>
void tile(const gemm_s8_args& args, const std::uint8_t* a, index_t stride, const std::int8_t* w,
          const std::int32_t* start, std::int32_t* out) noexcept {
  const __m256i flip = _mm256_set1_epi8(static_cast<char>(args.a_flip));
  const index_t whole_groups = args.k / 4, last_group = args.k < 4 ? 0 : args.k - 4;
  row_of_tile r0 = load_row(start), r1 = r0, r2 = r0, r3 = r0, r4 = r0, r5 = r0;
  for (index_t y = 0; y < args.taps_y; ++y) {
    for (index_t x = 0; x < args.taps_x; ++x) {
      const std::uint8_t* tap = a + y * args.tap_y_stride + x * args.tap_x_stride;
      const std::uint8_t *a0 = tap, *a3 = tap + (Rows > 3 ? 3 * stride : 0);
      index_t groups = whole_groups;
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
        add(s1, s2), add(r0, s3), add(r0, s1);
      }
      for (bool is_last = args.k % 4 == 0;; is_last = true) {
        for (; groups > 0; --groups, a0 += 4, a3 += 4, w += 64) {
          const row_of_tile b = load_row(w);
          step(r0, a0, flip, b);
          if constexpr (Rows > 1) step(r1, a0 + stride, flip, b);
          if constexpr (Rows > 2) step(r2, a0 + 2 * stride, flip, b);
          if constexpr (Rows > 3) step(r3, a3, flip, b);
          if constexpr (Rows > 4) step(r4, a3 + stride, flip, b);
          if constexpr (Rows > 5) step(r5, a3 + 2 * stride, flip, b);
        }
        if (is_last) break;
        a0 = tap + last_group;
        a3 = a0 + (Rows > 3 ? 3 * stride : 0);
        groups = 1;
      }
    }
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
  avx2::panels(args, block, tiles, 6, args.offset);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avxvnni
PARE_TARGET_AVXVNNI_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_GEMM_S8_6X16C4_AVXVNNI_HPP
