// 4-bit and 2-bit weights to signed bytes on AVX2, and the way through a block: shared by the AVX2
// and AVX-VNNI kernels, whose panels have 16 columns.
#ifndef PARE_KERNELS_X86_LOW_BIT_AVX2_HPP
#define PARE_KERNELS_X86_LOW_BIT_AVX2_HPP

#include <pare/kernels/gemm_low_bit.hpp>
#include <pare/kernels/x86/write_avx2.hpp>

#if PARE_X86_KERNELS

PARE_TARGET_AVX2_BEGIN
namespace pare::kernels::avx2 {
inline namespace PARE_ABI {

PARE_ALWAYS_INLINE __m256i load_bytes(const std::int8_t* p) noexcept {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}

/// Plane number Plane of 32 bytes: 8 columns.
///
/// @param zero_points  those of the columns; read by the general decoding only
template <int Bits, low_bit_decoding How, int Plane>
PARE_ALWAYS_INLINE __m256i plane_of(const std::int8_t* w, const std::int8_t* zero_points) noexcept {
  const __m256i mask = _mm256_set1_epi8(low_bit_mask(Bits, How));
  __m256i fields = load_bytes(w);
  if constexpr (How == low_bit_decoding::shifted) {
    constexpr int shift = 8 - Bits * (Plane + 1);
    if constexpr (shift > 0) fields = _mm256_slli_epi16(fields, shift);
    return _mm256_and_si256(fields, mask);
  } else {
    fields = _mm256_xor_si256(fields, _mm256_set1_epi8(low_bit_signs(Bits)));
    if constexpr (Plane > 0) fields = _mm256_srli_epi16(fields, Bits * Plane);
    return _mm256_sub_epi8(_mm256_and_si256(fields, mask), load_bytes(zero_points));
  }
}

/// One tile: out[Rows][16] = start + A * W over all of K.
using low_bit_tile_function = void (*)(const gemm_s8_args&, const std::uint8_t* a, index_t a_stride,
                                       const std::int8_t* w, const std::int32_t* start,
                                       std::int32_t* out) noexcept;

/// Runs a kernel's tiles over a block.
///
/// @param tiles  for 1, 2, ... most_rows rows, at most 6; they take the head of a panel for w
template <int Bits>
void low_bit_panels(const gemm_s8_args& args, const gemm_block& block,
                    const low_bit_tile_function* tiles, index_t most_rows) noexcept {
  constexpr index_t k_block = pare::detail::low_bit_block(Bits);
  alignas(32) std::int32_t start[panel_columns], buffer[7 * panel_columns];
  std::uint8_t narrow[6 * k_block];
  const row_tiles cut = cut_rows(block.last_row - block.first_row, most_rows);
  for (index_t panel = block.first_panel; panel < block.last_panel; ++panel) {
    const std::int8_t* w = low_bit_panel(args, Bits, panel);
    const index_t column = panel * panel_columns;
    const index_t columns = pare::detail::min(panel_columns, args.columns - column);
    start_values(args, column, args.offset, start);
    for (index_t i = 0, row = block.first_row; i < cut.tall + cut.low; ++i) {
      const index_t rows = i < cut.tall ? cut.tall_rows : cut.tall_rows - 1;
      const std::uint8_t* inputs = args.a + row * args.a_stride;
      index_t stride = args.a_stride;
      if (PARE_UNLIKELY(args.k < k_block)) {
        copy_narrow_rows(args, inputs, rows, k_block, narrow);
        inputs = narrow, stride = k_block;
      }
      tiles[rows - 1](args, inputs, stride, w, start, buffer);
      write(args, buffer, row, rows, column, columns);
      row += rows;
    }
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx2
PARE_TARGET_AVX2_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_LOW_BIT_AVX2_HPP
