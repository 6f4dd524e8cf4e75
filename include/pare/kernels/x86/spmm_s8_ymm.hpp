// What the block-sparse s8 kernels for AVX2 and AVX-VNNI have in common: panels, 16 rows of them at
// a time, and outputs.
#ifndef PARE_KERNELS_X86_SPMM_S8_YMM_HPP
#define PARE_KERNELS_X86_SPMM_S8_YMM_HPP

#include <pare/kernels/spmm_s8.hpp>
#include <pare/kernels/x86/write_avx2.hpp>

#if PARE_X86_KERNELS

PARE_TARGET_AVX2_BEGIN
namespace pare::kernels::avx2 {
inline namespace PARE_ABI {

/// Of the first K-block: the start value. Of others: what is there.
PARE_ALWAYS_INLINE row_of_tile first_sums(bool is_first, std::int32_t start,
                                          const std::int32_t* acc) noexcept {
  if (!is_first) return load_row(acc);
  return {_mm256_set1_epi32(start), _mm256_set1_epi32(start)};
}

PARE_ALWAYS_INLINE __m256i broadcast_weights(const std::int8_t* w) noexcept {
  std::int32_t four;
  std::memcpy(&four, w, 4);
  return _mm256_set1_epi32(four);
}

/// 16 bytes each of rows i and i + 4.
PARE_ALWAYS_INLINE __m256i every_fourth_row(const std::byte* at, index_t stride) noexcept {
  const __m128i* low = reinterpret_cast<const __m128i*>(at);
  const __m128i* high = reinterpret_cast<const __m128i*>(at + 4 * stride);
  return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(low)),
                                 _mm_loadu_si128(high), 1);
}

/// Four columns of 8 rows.
struct four_columns {
  __m256i c0, c1, c2, c3;
};

/// @param from    16 bytes of the first row
/// @param stride  bytes from row to row
PARE_ALWAYS_INLINE four_columns transpose(const void* from, index_t stride) noexcept {
  const std::byte* at = static_cast<const std::byte*>(from);
  const __m256i r0 = every_fourth_row(at, stride), r1 = every_fourth_row(at + stride, stride);
  const __m256i r2 = every_fourth_row(at + 2 * stride, stride);
  const __m256i r3 = every_fourth_row(at + 3 * stride, stride);
  const __m256i left01 = _mm256_unpacklo_epi32(r0, r1), right01 = _mm256_unpackhi_epi32(r0, r1);
  const __m256i left23 = _mm256_unpacklo_epi32(r2, r3), right23 = _mm256_unpackhi_epi32(r2, r3);
  return {_mm256_unpacklo_epi64(left01, left23), _mm256_unpackhi_epi64(left01, left23),
          _mm256_unpacklo_epi64(right01, right23), _mm256_unpackhi_epi64(right01, right23)};
}

/// `count` columns of 8 rows -> rows of 8; whole fours are read and written.
///
/// @param stride, to_stride  elements from row to row and from column to column
PARE_ALWAYS_INLINE void transpose(const std::int32_t* from, index_t stride, index_t count,
                                  std::int32_t* to, index_t to_stride) noexcept {
  for (index_t j = 0; j < count; j += 4, to += 4 * to_stride) {
    const four_columns c = transpose(from + j, 4 * stride);
    store8(to, c.c0);
    store8(to + to_stride, c.c1);
    store8(to + 2 * to_stride, c.c2);
    store8(to + 3 * to_stride, c.c3);
  }
}

/// Rows as bytes -> one panel: see scalar::pack_panel.
inline void pack_panel(const std::uint8_t* x, index_t stride, index_t rows, index_t bytes,
                       std::uint8_t flip, std::uint8_t* panel) noexcept {
  const index_t width = pare::detail::panel_width(rows);
  const __m256i flips = _mm256_set1_epi8(static_cast<char>(flip));
  for (index_t row = 0; row < width; row += 8, x += 8 * stride, panel += 32) {
    const index_t whole = row + 8 <= rows ? bytes / 16 * 16 : 0;
    for (index_t i = 0; i < bytes; i += 16) {
      // The ends of rows, and rows that do not exist, through a copy with zeros.
      alignas(16) std::uint8_t copy[8 * 16];
      const std::uint8_t* from = x + i;
      index_t from_stride = stride;
      const index_t left = pare::detail::min<index_t>(16, bytes - i);
      if (PARE_UNLIKELY(i >= whole)) {
        std::memset(copy, 0, sizeof(copy));
        for (index_t j = 0; j < 8 && row + j < rows; ++j)
          std::memcpy(copy + 16 * j, from + j * stride, static_cast<std::size_t>(left));
        from = copy, from_stride = 16;
      }
      const four_columns c = transpose(from, from_stride);
      const __m256i columns[] = {c.c0, c.c1, c.c2, c.c3};
      for (index_t j = 0; 4 * j < left; ++j) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(panel + (i / 4 + j) * 4 * width),
                            _mm256_xor_si256(columns[j], flips));
      }
    }
  }
}

/// Sums [16 outputs][16 rows] become values of C, as rows or in panels.
inline void write_sums(const spmm_s8_args& args, const std::int32_t* acc, index_t row, index_t rows,
                       index_t column, index_t columns) noexcept {
  alignas(32) std::int32_t turned[16 * 16];
  transpose(acc, 16, 16, turned, 16);
  transpose(acc + 8 * 16, 16, 16, turned + 8, 16);
  if (args.c_panels == nullptr) return write(args.product, turned, row, rows, column, columns);
  std::uint8_t codes[16 * 16];
  write(codes_of_tile(args, column, codes), turned, 0, rows, 0, 16);
  const index_t quads = pare::detail::ceil_div(columns, 4);
  for (index_t i = 0; i < rows; ++i) {
    for (index_t j = 0; j < 4 * quads; ++j) {
      quad_of_output(args, row + i, column + j / 4 * 4)[j % 4] =
          static_cast<std::uint8_t>(codes[16 * i + j] ^ args.c_flip);
    }
  }
}

/// @param offset  the zero point of the activations as the kernel multiplies them
inline void spmm_s8_by(const spmm_s8_args& args, const gemm_block& block, const sparse_lines& lines,
                       std::int32_t offset) noexcept {
  const gemm_s8_args& p = args.product;
  const bcsr_view<std::int8_t>& w = args.weights;
  const index_t block_rows = w.shape.block_rows, lines_count = w.block_rows_count();
  alignas(32) std::int32_t start[16], acc[17 * 16];
  for (index_t panel = block.first_panel; panel < block.last_panel; ++panel) {
    const index_t column = panel * 16, columns = pare::detail::min<index_t>(16, p.columns - column);
    start_values(p, column, offset, start);
    const index_t line = column / block_rows;
    const index_t count = pare::detail::ceil_div(columns, block_rows);
    index_t rows = 0;
    for (index_t row = block.first_row; row < block.last_row; row += rows) {
      rows = pare::detail::min<index_t>(block_rows == 16 ? 4 : 16, block.last_row - row);
      const index_t first = row / pare::detail::panel_rows * pare::detail::panel_rows;
      if (block_rows == 16 || w.k_blocks() == 0) {
        for (index_t i = 0; i < 256; ++i) acc[i] = start[block_rows == 16 ? i % 16 : i / 16];
      }
      for (index_t k_block = 0; k_block < w.k_blocks(); ++k_block) {
        const std::uint32_t* ends = w.block_offsets + k_block * lines_count + line;
        if (block_rows == 16) {
          lines.of_16(p, p.a + row * p.a_stride, rows, k_block * w.shape.k_block,
                      w.block_columns + ends[0], w.block_columns + ends[1],
                      w.values + index_t{ends[0]} * 64, acc);
          continue;
        }
        const index_t width = width_of_panel(args, first);
        const std::uint8_t* x =
            panel_of(args, first) + k_block * w.shape.k_block * width + 4 * (row - first);
        const sparse_line_args line_of = {ends,      w.block_columns, w.values,    x,
                                          4 * width, start,           k_block == 0};
        (block_rows == 4 ? lines.of_4 : lines.of_1)(line_of, count, acc);
      }
      if (block_rows == 16) {
        write(p, acc, row, rows, column, columns);
      } else {
        write_sums(args, acc, row, rows, column, columns);
      }
    }
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx2
PARE_TARGET_AVX2_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_SPMM_S8_YMM_HPP
