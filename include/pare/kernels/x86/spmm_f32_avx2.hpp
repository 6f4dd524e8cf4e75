// The block-sparse f32 product on AVX2 with fused multiply-add, 16 rows of activations at a time.
#ifndef PARE_KERNELS_X86_SPMM_F32_AVX2_HPP
#define PARE_KERNELS_X86_SPMM_F32_AVX2_HPP

#include <cstring>

#include <pare/kernels/spmm_f32.hpp>
#include <pare/kernels/target_region.hpp>

#if PARE_X86_KERNELS

PARE_TARGET_AVX2_FMA_BEGIN
namespace pare::kernels::avx2 {
inline namespace PARE_ABI {

struct sixteen_floats {
  __m256 low, high;
};
PARE_ALWAYS_INLINE sixteen_floats load_16(const float* p) noexcept {
  return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
}
PARE_ALWAYS_INLINE void store_16(float* p, const sixteen_floats& x) noexcept {
  _mm256_storeu_ps(p, x.low);
  _mm256_storeu_ps(p + 8, x.high);
}
PARE_ALWAYS_INLINE sixteen_floats all_16(float x) noexcept {
  return {_mm256_set1_ps(x), _mm256_set1_ps(x)};
}
PARE_ALWAYS_INLINE void multiply_add(sixteen_floats& sums, const sixteen_floats& x,
                                     float w) noexcept {
  const __m256 weights = _mm256_broadcast_ss(&w);
  sums.low = _mm256_fmadd_ps(x.low, weights, sums.low);
  sums.high = _mm256_fmadd_ps(x.high, weights, sums.high);
}

/// acc [16 outputs][16 rows] += one K-block of a tile.
///
/// @param x, width  one input of 16 rows, and from there to the next input
inline void spmm_tile(const bcsr_view<float>& w, const std::uint32_t* offsets, index_t lines,
                      const float* x, index_t width, float* acc) noexcept {
  for (index_t line = 0; line < lines; ++line) {
    std::uint32_t i = offsets[line];
    const std::uint32_t last = offsets[line + 1];
    if (w.shape.block_rows == 4) {
      sixteen_floats t0 = load_16(acc), t1 = load_16(acc + 16);
      sixteen_floats t2 = load_16(acc + 32), t3 = load_16(acc + 48);
      for (; i < last; ++i) {
        const sixteen_floats inputs = load_16(x + w.block_columns[i] * width);
        const float* weights = w.values + 4 * static_cast<index_t>(i);
        multiply_add(t0, inputs, weights[0]);
        multiply_add(t1, inputs, weights[1]);
        multiply_add(t2, inputs, weights[2]);
        multiply_add(t3, inputs, weights[3]);
      }
      store_16(acc, t0), store_16(acc + 16, t1), store_16(acc + 32, t2), store_16(acc + 48, t3);
      acc += 64;
    } else {
      // Four non-zeros at a time, each with its accumulators, hide the latency.
      sixteen_floats t0 = load_16(acc), t1 = all_16(0), t2 = t1, t3 = t1;
      for (; last - i >= 4; i += 4) {
        multiply_add(t0, load_16(x + w.block_columns[i] * width), w.values[i]);
        multiply_add(t1, load_16(x + w.block_columns[i + 1] * width), w.values[i + 1]);
        multiply_add(t2, load_16(x + w.block_columns[i + 2] * width), w.values[i + 2]);
        multiply_add(t3, load_16(x + w.block_columns[i + 3] * width), w.values[i + 3]);
      }
      for (; i < last; ++i) multiply_add(t0, load_16(x + w.block_columns[i] * width), w.values[i]);
      t0.low = _mm256_add_ps(_mm256_add_ps(t0.low, t1.low), _mm256_add_ps(t2.low, t3.low));
      t0.high = _mm256_add_ps(_mm256_add_ps(t0.high, t1.high), _mm256_add_ps(t2.high, t3.high));
      store_16(acc, t0);
      acc += 16;
    }
  }
}

/// acc [rows][16 outputs] += one line of blocks of 16x1.
inline void float_line_of_16(const bcsr_view<float>& w, const std::uint32_t* ends, const float* a,
                             index_t stride, index_t rows, float* acc) noexcept {
  for (index_t row = 0; row < rows; ++row, a += stride, acc += 16) {
    sixteen_floats t = load_16(acc), u = all_16(0);
    std::uint32_t i = ends[0];
    for (; ends[1] - i >= 2; i += 2) {
      const float* weights = w.values + 16 * static_cast<index_t>(i);
      multiply_add(t, load_16(weights), a[w.block_columns[i]]);
      multiply_add(u, load_16(weights + 16), a[w.block_columns[i + 1]]);
    }
    if (i < ends[1])
      multiply_add(t, load_16(w.values + 16 * static_cast<index_t>(i)), a[w.block_columns[i]]);
    store_16(acc, {_mm256_add_ps(t.low, u.low), _mm256_add_ps(t.high, u.high)});
  }
}

inline void spmm_f32(const spmm_f32_args& args, const gemm_block& block) noexcept {
  const bcsr_view<float>& w = args.weights;
  const index_t block_rows = w.shape.block_rows, lines_count = w.block_rows_count();
  alignas(32) float acc[16 * 16];
  for (index_t panel = block.first_panel; panel < block.last_panel; ++panel) {
    const index_t column = panel * 16;
    const index_t columns = pare::detail::min<index_t>(16, args.columns - column);
    const index_t lines = pare::detail::ceil_div(columns, block_rows);
    for (index_t row = block.first_row; row < block.last_row; row += 16) {
      const index_t rows = pare::detail::min<index_t>(16, block.last_row - row);
      const index_t first = row / pare::detail::panel_rows * pare::detail::panel_rows;
      const index_t width = pare::detail::panel_width(args.rows - first);
      // Of outputs times rows, or for blocks of 16 rows, of rows times outputs.
      const index_t by_output = block_rows == 16 ? 1 : 16, by_row = 17 - by_output;
      for (index_t j = 0; j < 16; ++j) {
        for (index_t i = 0; i < 16; ++i)
          acc[j * by_output + i * by_row] = bias_of(args, column + j);
      }
      for (index_t k_block = 0; k_block < w.k_blocks(); ++k_block) {
        const index_t k = k_block * w.shape.k_block;
        const std::uint32_t* ends = w.block_offsets + k_block * lines_count + column / block_rows;
        if (block_rows == 16) {
          float_line_of_16(w, ends, args.a + row * args.a_stride + k, args.a_stride, rows, acc);
        } else {
          spmm_tile(w, ends, lines, panel_of(args, first) + k * width + row - first, width, acc);
        }
      }
      for (index_t j = 0; j < columns; ++j) {
        for (index_t i = 0; i < rows; ++i) {
          const float y =
              pare::detail::clamp(acc[j * by_output + i * by_row], args.clamp_low, args.clamp_high);
          if (args.c_panels != nullptr) {
            output_panel_of(args, first)[(column + j) * width + row - first + i] = y;
          } else {
            args.c[(row + i) * args.c_stride + column + j] = y;
          }
        }
      }
    }
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx2
PARE_TARGET_AVX2_FMA_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_SPMM_F32_AVX2_HPP
