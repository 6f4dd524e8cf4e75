// The matrix product with a bitmask on AVX-512 VNNI and VBMI2: vpexpandb makes a register of a dense
// panel of a mask and the values behind each other.
//
// Few rows read masks and values once, and expand them in registers: 64 weights in the time of
// one expansion, about a cycle, so that one row is bound by what it reads. More rows go through a
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
template <int Bits>
PARE_ALWAYS_INLINE __m512i expand(std::uint64_t mask, const std::uint8_t*& values) noexcept {
  const auto count = static_cast<index_t>(_mm_popcnt_u64(mask));
  __m512i bytes;
  if constexpr (Bits == 8) {
    bytes = _mm512_loadu_si512(values);
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
  return _mm512_maskz_expand_epi8(mask, bytes);
}

template <int Bits>
const std::uint8_t* expand_bitmask(const std::uint64_t* masks, const std::uint8_t* values,
                                   index_t count, std::int8_t* panel, index_t stride) noexcept {
  for (index_t c = 0; c < count; ++c, panel += stride)
    _mm512_storeu_si512(panel, expand<Bits>(masks[c], values));
  return values;
}

/// Rows of accumulators, each with `Sets` of them that take chunks in turn.
template <int Rows, int Sets>
struct row_sums {
  __m512i c[Rows][Sets];
};

/// acc [Rows][16] = start + A * W for one tile.
template <int Bits, int Rows>
void tile_rows(const gemm_s8_args& args, const bitmask_view& w, index_t tile, const std::uint8_t* a,
               index_t stride, const std::int32_t* start, std::int32_t* acc) noexcept {
  constexpr int sets = Rows == 1 ? 4 : Rows <= 4 ? 2 : 1;
  const __m512i flip = _mm512_set1_epi8(static_cast<char>(args.a_flip));
  __m512i sums[Rows * sets];
  PARE_UNROLL for (int i = 0; i < Rows * sets; ++i) sums[i] = _mm512_setzero_si512();
  const std::uint64_t* mask = w.masks(tile);
  const std::uint64_t* const last = mask + args.k / 4;
  const std::uint8_t* values = w.values(tile);
  for (; last - mask >= sets; mask += sets, a += 4 * sets) {
    _mm_prefetch(reinterpret_cast<const char*>(values) + 1024, _MM_HINT_T0);
    PARE_UNROLL for (int s = 0; s < sets; ++s) {
      const __m512i x = expand<Bits>(mask[s], values);
      PARE_UNROLL for (int i = 0; i < Rows; ++i)
          multiply_add(sums[i * sets + s], broadcast4(a + i * stride + 4 * s, flip), x);
    }
  }
  for (; mask != last; ++mask, a += 4) {
    const __m512i x = expand<Bits>(*mask, values);
    PARE_UNROLL for (int i = 0; i < Rows; ++i)
        multiply_add(sums[i * sets], broadcast4(a + i * stride, flip), x);
  }
  if (args.k % 4 != 0) {
    const __m512i x = expand<Bits>(*mask, values);
    const index_t back = args.k < 4 ? 0 : 4 - args.k % 4;
    PARE_UNROLL for (int i = 0; i < Rows; ++i)
        multiply_add(sums[i * sets], broadcast4(a + i * stride - back, flip), x);
  }
  const __m512i starts = _mm512_loadu_si512(start);
  PARE_UNROLL for (int i = 0; i < Rows; ++i) {
    __m512i sum = _mm512_add_epi32(starts, sums[i * sets]);
    PARE_UNROLL for (int s = 1; s < sets; ++s) sum = _mm512_add_epi32(sum, sums[i * sets + s]);
    _mm512_storeu_si512(acc + 16 * i, sum);
  }
}

using tile_rows_function = void (*)(const gemm_s8_args&, const bitmask_view&, index_t,
                                    const std::uint8_t*, index_t, const std::int32_t*,
                                    std::int32_t*) noexcept;

/// Rows that are expanded for in registers.
inline constexpr index_t few_rows = 8;

template <int Bits>
void gemm_of_few_rows(const gemm_s8_args& args, const gemm_block& block) noexcept {
  constexpr tile_rows_function of_height[] = {
      tile_rows<Bits, 1>, tile_rows<Bits, 2>, tile_rows<Bits, 3>, tile_rows<Bits, 4>,
      tile_rows<Bits, 5>, tile_rows<Bits, 6>, tile_rows<Bits, 7>, tile_rows<Bits, 8>};
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
    of_height[rows - 1](args, w, tile, a, stride, start, acc);
    avx512vnni::write(args, acc, 16, row, rows, 16 * tile,
                      pare::detail::min<index_t>(16, args.columns - 16 * tile));
  }
}

/// One block of the product.
template <int Bits>
void gemm_bitmask(const gemm_s8_args& args, const gemm_block& block) noexcept {
  if (block.last_row - block.first_row <= few_rows) return gemm_of_few_rows<Bits>(args, block);
  gemm_expanded<Bits, 4>(args, block,
                         {avx512vnni::gemm_s8, expand_bitmask<Bits>, avx512vnni::write, 0});
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx512vbmi2
PARE_TARGET_AVX512VBMI2_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_GEMM_BITMASK_AVX512VBMI2_HPP
