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

using avx2::load_row;
using avx2::row_of_tile;
using avx2::tile_of_rows;

/// 4 activations times 16 columns. Inline assembly, because GCC 12 copies the accumulator around
/// the intrinsic, and Clang 14 takes two registers for the activations: with 12 accumulators, 2
/// weights and the flip there is one.
PARE_ALWAYS_INLINE void step(row_of_tile& r, const std::uint8_t* a, __m256i flip,
                             const row_of_tile& b) noexcept {
  struct four_bytes {
    std::uint8_t bytes[4];
  };
  __m256i x;
  __asm__(
      "vpbroadcastd %[a], %[x]\n\t"
      "vpxor %[flip], %[x], %[x]\n\t"
      "%{vex%} vpdpbusd %[b0], %[x], %[c0]\n\t"
      "%{vex%} vpdpbusd %[b1], %[x], %[c1]"
      : [c0] "+x"(r.c0), [c1] "+x"(r.c1), [x] "=&x"(x)
      : [a] "m"(*reinterpret_cast<const four_bytes*>(a)), [flip] "x"(flip), [b0] "x"(b.c0),
        [b1] "x"(b.c1));
}

PARE_ALWAYS_INLINE void add(row_of_tile& r, const row_of_tile& other) noexcept {
  r.c0 = _mm256_add_epi32(r.c0, other.c0);
  r.c1 = _mm256_add_epi32(r.c1, other.c1);
}

/// t = start + A * W over all of K, for 16 columns.
template <int Rows>
PARE_ALWAYS_INLINE void accumulate(tile_walk& walk, tile_of_rows& t) noexcept {
  reload(walk);
  const __m256i flip = _mm256_set1_epi8(static_cast<char>(walk.a_flip));
  t.r0 = load_row(walk.start);
  t.r1 = t.r2 = t.r3 = t.r4 = t.r5 = t.r0;
  tap_position tap{walk.a};
  const std::int8_t* w = walk.w;
  do {
    const index_t stride = walk.stride;
    const std::uint8_t *a0 = tap.at, *a3 = a0 + (Rows > 3 ? 3 * stride : 0);
    index_t groups = walk.groups;
    if constexpr (Rows == 1) {
      // One row has too few accumulators to hide the latency: three more sets take turns.
      const __m256i zero = _mm256_setzero_si256();
      row_of_tile s1 = {zero, zero}, s2 = s1, s3 = s1;
      for (; groups >= 4; groups -= 4, a0 += 16, w += 256) {
        step(t.r0, a0, flip, load_row(w));
        step(s1, a0 + 4, flip, load_row(w + 64));
        step(s2, a0 + 8, flip, load_row(w + 128));
        step(s3, a0 + 12, flip, load_row(w + 192));
      }
      add(s1, s2), add(t.r0, s3), add(t.r0, s1);
    }
    for (bool is_last = !walk.has_tail;; is_last = true) {
      for (; groups > 0; --groups, a0 += 4, a3 += 4, w += 64) {
        const row_of_tile b = load_row(w);
        step(t.r0, a0, flip, b);
        if constexpr (Rows > 1) step(t.r1, a0 + stride, flip, b);
        if constexpr (Rows > 2) step(t.r2, a0 + 2 * stride, flip, b);
        if constexpr (Rows > 3) step(t.r3, a3, flip, b);
        if constexpr (Rows > 4) step(t.r4, a3 + stride, flip, b);
        if constexpr (Rows > 5) step(t.r5, a3 + 2 * stride, flip, b);
      }
      if (is_last) break;
      a0 = tap.at + walk.last_group;
      a3 = a0 + (Rows > 3 ? 3 * stride : 0);
      groups = 1;
    }
    reload(walk);
  } while (to_next_tap(walk, tap));
  walk.a += Rows * walk.stride;
}

template <int Rows>
void tiles(const gemm_s8_args& args, const std::uint8_t* a, index_t stride, index_t count,
           const std::int8_t* w, const std::int32_t* start, std::int32_t* out,
           index_t out_stride) noexcept {
  tile_walk walk = walk_of(args, a, stride, w, 64, start);
  for (; count > 0; --count, out += Rows * out_stride) {
    tile_of_rows t;
    accumulate<Rows>(walk, t);
    avx2::store_tile<Rows>(out, out_stride, t);
  }
}

template <int Rows>
void tiles_q8(const gemm_s8_args& args, const std::uint8_t* a, index_t stride, index_t count,
              const std::int8_t* w, const std::int32_t* start, const float* factors,
              std::uint8_t* c) noexcept {
  tile_walk walk = walk_of(args, a, stride, w, 64, start);
  for (; count > 0; --count, c += Rows * args.c_stride) {
    tile_of_rows t;
    accumulate<Rows>(walk, t);
    avx2::store_tile_codes<Rows>(args, factors, c, t);
  }
}

/// One block of the product.
inline void gemm_s8(const gemm_s8_args& args, const gemm_block& block) noexcept {
  constexpr avx2::tile_function accumulators[] = {tiles<1>, tiles<2>, tiles<3>,
                                                  tiles<4>, tiles<5>, tiles<6>};
  constexpr avx2::tile_q8_function codes[] = {tiles_q8<5>, tiles_q8<6>};
  avx2::panels(args, block, {6, accumulators, codes}, args.offset);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avxvnni
PARE_TARGET_AVXVNNI_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_GEMM_S8_6X16C4_AVXVNNI_HPP
