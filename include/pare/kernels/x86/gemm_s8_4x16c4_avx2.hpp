// The s8 matrix product on AVX2, exact for every input: tiles of up to 4 rows by 16 columns, K in
// groups of 4.
//
// vpmaddubsw adds two products of unsigned by signed bytes in 16 bits and saturates. With |a| for
// the unsigned side and w with the sign of a for the signed one, two products stay within 128 * 127
// * 2 = 32512 as long as no weight is -128, so nothing saturates. Layers with a -128 go through
// 16-bit products (vpmaddwd), at about half the speed. Unsigned activations come in as a ^ 0x80,
// signed, with the zero point moved by 128. Bound: vpsignb, vpmaddubsw, vpmaddwd, vpaddd for 32
// products.
#ifndef PARE_KERNELS_X86_GEMM_S8_4X16C4_AVX2_HPP
#define PARE_KERNELS_X86_GEMM_S8_4X16C4_AVX2_HPP

#include <pare/kernels/x86/write_avx2.hpp>

#if PARE_X86_KERNELS

PARE_TARGET_AVX2_BEGIN
namespace pare::kernels::avx2 {
inline namespace PARE_ABI {

/// Columns 0 to 7 and 8 to 15 of a row.
struct row_of_tile {
  __m256i c0, c1;
};

/// c += products of 4 activations (|a| and a, in all lanes) with 8 columns.
PARE_ALWAYS_INLINE __m256i multiply_add(__m256i c, __m256i magnitude, __m256i a,
                                        __m256i w) noexcept {
  const __m256i pairs = _mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(w, a));
  return _mm256_add_epi32(c, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

PARE_ALWAYS_INLINE void step(row_of_tile& r, const std::uint8_t* a, __m256i flip,
                             const row_of_tile& b) noexcept {
  std::int32_t four;
  std::memcpy(&four, a, 4);
  const __m256i x = _mm256_xor_si256(_mm256_set1_epi32(four), flip);
  const __m256i magnitude = _mm256_abs_epi8(x);
  r.c0 = multiply_add(r.c0, magnitude, x, b.c0);
  r.c1 = multiply_add(r.c1, magnitude, x, b.c1);
}

PARE_ALWAYS_INLINE row_of_tile load_row(const void* p) noexcept {
  const __m256i* at = static_cast<const __m256i*>(p);
  return {_mm256_loadu_si256(at), _mm256_loadu_si256(at + 1)};
}
PARE_ALWAYS_INLINE void store_row(std::int32_t* p, const row_of_tile& r) noexcept {
  store8(p, r.c0);
  store8(p + 8, r.c1);
}

/// out[Rows][16] = start + A * W over all of K, for weights in [-127, 127].
template <int Rows>
void tile(const std::uint8_t* a, index_t stride, std::uint8_t flip_byte, index_t k,
          const std::int8_t* w, const std::int32_t* start, std::int32_t* out) noexcept {
  const __m256i flip = _mm256_set1_epi8(static_cast<char>(flip_byte));
  std::uint8_t rest[Rows][4];
  row_of_tile r0 = load_row(start), r1 = r0, r2 = r0, r3 = r0;
  index_t groups = k / 4;
  for (index_t k_left = k % 4;; k_left = 0) {
    for (; groups > 0; --groups, a += 4, w += 64) {
      const row_of_tile b = load_row(w);
      step(r0, a, flip, b);
      if constexpr (Rows > 1) step(r1, a + stride, flip, b);
      if constexpr (Rows > 2) step(r2, a + 2 * stride, flip, b);
      if constexpr (Rows > 3) step(r3, a + 3 * stride, flip, b);
    }
    if (k_left == 0) break;
    // The last 1 to 3 inputs go through a copy, so that nothing is read beyond a row. Their missing
    // weights are zero.
    for (int i = 0; i < Rows; ++i) last_inputs(a + i * stride, k, k_left, rest[i]);
    a = &rest[0][0];
    stride = 4;
    groups = 1;
  }
  store_row(out, r0);
  if constexpr (Rows > 1) store_row(out + 16, r1);
  if constexpr (Rows > 2) store_row(out + 32, r2);
  if constexpr (Rows > 3) store_row(out + 48, r3);
}

/// 4 activations, signed, as 16 bits, four times over.
PARE_ALWAYS_INLINE __m256i broadcast_words(const std::uint8_t* a, index_t n,
                                           std::uint8_t flip) noexcept {
  std::uint8_t four[4] = {};
  for (index_t j = 0; j < n; ++j) four[j] = static_cast<std::uint8_t>(a[j] ^ flip);
  std::int32_t bits;
  std::memcpy(&bits, four, 4);
  return _mm256_broadcastq_epi64(_mm_cvtepi8_epi16(_mm_cvtsi32_si128(bits)));
}

/// out[16] = start + one row of A times W, for weights in [-128, 127]: a 16-bit product for each
/// pair of inputs.
inline void wide_row(const std::uint8_t* a, std::uint8_t flip, index_t k, const std::int8_t* w,
                     const std::int32_t* start, std::int32_t* out) noexcept {
  __m256i acc[4] =
      {};  // of 4 columns each: the sums over inputs 0, 1 and over inputs 2, 3 of a group
  for (index_t i = 0; i < k; i += 4, w += 64) {
    const __m256i x = broadcast_words(a + i, pare::detail::min<index_t>(4, k - i), flip);
    for (int j = 0; j < 4; ++j) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(w + 16 * j));
      acc[j] = _mm256_add_epi32(acc[j], _mm256_madd_epi16(x, _mm256_cvtepi8_epi16(bytes)));
    }
  }
  for (int j = 0; j < 2; ++j) {
    const __m256i sums =
        _mm256_permute4x64_epi64(_mm256_hadd_epi32(acc[2 * j], acc[2 * j + 1]), 0xd8);
    store8(out + 8 * j, _mm256_add_epi32(load8(start + 8 * j), sums));
  }
}

template <int Rows>
void wide_tile(const std::uint8_t* a, index_t stride, std::uint8_t flip, index_t k,
               const std::int8_t* w, const std::int32_t* start, std::int32_t* out) noexcept {
  for (int i = 0; i < Rows; ++i) wide_row(a + i * stride, flip, k, w, start, out + 16 * i);
}

/// One block of the product.
inline void gemm_s8(const gemm_s8_args& args, const gemm_block& block) noexcept {
  constexpr tile_function narrow[] = {tile<1>, tile<2>, tile<3>, tile<4>};
  constexpr tile_function wide[] = {wide_tile<1>, wide_tile<2>, wide_tile<3>, wide_tile<4>};
  const std::uint8_t flip = static_cast<std::uint8_t>(args.a_flip ^ 0x80);
  panels(args, block, args.has_minus_128 != 0 ? wide : narrow, 4, flip, args.offset - 128);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx2
PARE_TARGET_AVX2_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_GEMM_S8_4X16C4_AVX2_HPP
