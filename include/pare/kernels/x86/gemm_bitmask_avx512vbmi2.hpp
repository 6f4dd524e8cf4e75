// The matrix product with a bitmask on AVX-512 VNNI and VBMI2: vpexpandb makes a register of a dense
// panel of a mask and the values behind each other.
//
// Few rows read masks and values once, and expand them in registers: 64 weights in two to three
// cycles, so that one row is bound by what it reads. More rows go through a
// panel in the first-level cache and the tiles of the dense kernel.
#ifndef PARE_KERNELS_X86_GEMM_BITMASK_AVX512VBMI2_HPP
#define PARE_KERNELS_X86_GEMM_BITMASK_AVX512VBMI2_HPP

#include <pare/kernels/gemm_bitmask.hpp>
#include <pare/kernels/x86/gemm_s8_6x64c4_avx512vnni.hpp>

#if PARE_X86_KERNELS

PARE_TARGET_AVX512VBMI2_BEGIN
namespace pare::kernels::avx512vbmi2 {
inline namespace PARE_ABI {

using avx512vnni::broadcast4;
using avx512vnni::multiply_add;

/// 64 weights; `values` goes to the next chunk's.
///
/// @tparam Fixed  how many values every chunk has: 32, or 0 where the masks tell
template <int Bits, int Fixed>
PARE_ALWAYS_INLINE __m512i expand(std::uint64_t mask, const std::uint8_t*& values) noexcept {
  const index_t count = Fixed != 0 ? Fixed : static_cast<index_t>(_mm_popcnt_u64(mask));
  __m512i bytes;
  if constexpr (Bits == 8) {
    if constexpr (Fixed != 0) {
      bytes = _mm512_castsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(values)));
    } else {
      bytes = _mm512_loadu_si512(values);
    }
    values += count;
  } else {
    const __m512i words =
        _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(values)));
    const __m512i fields = _mm512_and_si512(_mm512_or_si512(words, _mm512_slli_epi16(words, 4)),
                                            _mm512_set1_epi16(0x0f0f));
    const __m512i codes = _mm512_broadcast_i32x4(
        _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, -8, -7, -6, -5, -4, -3, -2, -1));
    bytes = _mm512_shuffle_epi8(codes, fields);
    values += (count + 1) / 2;
  }
  // From a register, and into one that is known to be zero: the form that reads memory takes 5
  // cycles on AMD Zen 5, and the zeroing form waits for the register that it overwrites.
  __m512i zero = _mm512_setzero_si512();
  __asm__("" : "+v"(bytes), "+v"(zero));
  return _mm512_mask_expand_epi8(zero, mask, bytes);
}

template <int Bits>
const std::byte* expand_bitmask(const std::byte* at, index_t count, std::int8_t* panel,
                                index_t stride) noexcept {
  while (count > 0) {
    const pare::detail::bitmask_run run = pare::detail::run_at(at, count);
    const std::uint8_t* values = run.values;
    for (index_t c = 0; c < run.chunks; ++c, panel += stride)
      _mm512_storeu_si512(panel, expand<Bits, 0>(run.masks[c], values));
    at += pare::detail::run_bytes(run.chunks, values - run.values);
    count -= run.chunks;
  }
  return at;
}

/// Sums [Rows] += one chunk times four bytes of each row; each row has `Sets` sums that take chunks
/// in turn.
template <int Rows, int Sets>
PARE_ALWAYS_INLINE void multiply_chunk(__m512i* sums, const std::uint8_t* a, index_t stride,
                                       __m512i flip, __m512i w) noexcept {
  PARE_UNROLL for (int i = 0; i < Rows; ++i)
      multiply_add(sums[i * Sets], broadcast4(a + i * stride, flip), w);
}

/// acc [Rows][16] = start + A * W for one tile.
template <int Bits, int Fixed, int Rows>
void tile_rows(const gemm_s8_args& args, const std::byte* at, const std::uint8_t* a, index_t stride,
               const std::int32_t* start, std::int32_t* acc) noexcept {
  constexpr int sets = Rows == 1 ? 4 : Rows <= 4 ? 2 : 1;
  const __m512i flip = _mm512_set1_epi8(static_cast<char>(args.a_flip));
  __m512i sums[Rows * sets];
  PARE_UNROLL for (int i = 0; i < Rows * sets; ++i) sums[i] = _mm512_setzero_si512();
  index_t whole = args.k / 4, left = pare::detail::ceil_div(args.k, 4);
  for (; whole >= pare::detail::chunks_of_run; whole -= pare::detail::chunks_of_run) {
    const pare::detail::bitmask_run run = pare::detail::run_at(at, left);
    const std::uint8_t* values = run.values;
    for (index_t c = 0; c < pare::detail::chunks_of_run; c += sets, a += 4 * sets) {
      PARE_UNROLL for (int s = 0; s < sets; ++s) {
        const __m512i w = expand<Bits, Fixed>(run.masks[c + s], values);
        multiply_chunk<Rows, sets>(sums + s, a + 4 * s, stride, flip, w);
      }
    }
    at += pare::detail::run_bytes(pare::detail::chunks_of_run, values - run.values);
    left -= pare::detail::chunks_of_run;
  }
  const pare::detail::bitmask_run run = pare::detail::run_at(at, left);
  const std::uint8_t* values = run.values;
  for (index_t c = 0; c < left; ++c, a += 4) {
    if (c == whole && args.k > 4) a -= 4 - args.k % 4;  // the last group ends with the row
    multiply_chunk<Rows, sets>(sums, a, stride, flip, expand<Bits, Fixed>(run.masks[c], values));
  }
  const __m512i starts = _mm512_loadu_si512(start);
  PARE_UNROLL for (int i = 0; i < Rows; ++i) {
    __m512i sum = _mm512_add_epi32(starts, sums[i * sets]);
    PARE_UNROLL for (int s = 1; s < sets; ++s) sum = _mm512_add_epi32(sum, sums[i * sets + s]);
    _mm512_storeu_si512(acc + 16 * i, sum);
  }
}

using tile_rows_function = void (*)(const gemm_s8_args&, const std::byte*, const std::uint8_t*,
                                    index_t, const std::int32_t*, std::int32_t*) noexcept;

/// Rows that are expanded for in registers.
inline constexpr index_t few_rows = 8;

template <int Bits, int Fixed>
void gemm_of_few_rows(const gemm_s8_args& args, const gemm_block& block) noexcept {
  constexpr tile_rows_function of_height[] = {tile_rows<Bits, Fixed, 1>, tile_rows<Bits, Fixed, 2>,
                                              tile_rows<Bits, Fixed, 3>, tile_rows<Bits, Fixed, 4>,
                                              tile_rows<Bits, Fixed, 5>, tile_rows<Bits, Fixed, 6>,
                                              tile_rows<Bits, Fixed, 7>, tile_rows<Bits, Fixed, 8>};
  const index_t row = block.first_row, rows = block.last_row - row;
  const bitmask_view w = bitmask_of<Bits>(args);
  alignas(64) std::int32_t start[16], acc[few_rows * 16 + 3 * 16];
  std::uint8_t narrow[few_rows * 4];
  const std::uint8_t* a = args.a + row * args.a_stride;
  index_t stride = args.a_stride;
  if (PARE_UNLIKELY(args.k < 4)) {
    copy_narrow_rows(args, a, rows, 4, narrow);
    a = narrow, stride = 4;
  }
  for (index_t tile = block.first_panel; tile < block.last_panel; ++tile) {
    avx512vnni::start_values(args, 16 * tile, start);
    of_height[rows - 1](args, w.tile(tile), a, stride, start, acc);
    avx512vnni::write(args, acc, 16, row, rows, 16 * tile,
                      pare::detail::min<index_t>(16, args.columns - 16 * tile));
  }
}

/// One block of the product.
///
/// @tparam Fixed  how many values every chunk has: 32, or 0 where the masks tell
template <int Bits, int Fixed>
void gemm_bitmask(const gemm_s8_args& args, const gemm_block& block) noexcept {
  if (block.last_row - block.first_row <= few_rows) {
    return gemm_of_few_rows<Bits, Fixed>(args, block);
  }
  gemm_expanded<Bits, 4>(args, block,
                         {avx512vnni::gemm_s8, expand_bitmask<Bits>, avx512vnni::write, 0});
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx512vbmi2
PARE_TARGET_AVX512VBMI2_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_GEMM_BITMASK_AVX512VBMI2_HPP
