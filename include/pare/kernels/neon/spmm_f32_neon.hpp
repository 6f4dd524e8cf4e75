// The block-sparse f32 product on 64-bit ARM.
//
// Blocks of 4x1 and 1x1 go over rows of activations: a register holds one input of four rows, and
// FMLA multiplies it by one weight out of the four in another. Blocks of 16x1 go over outputs.
#ifndef PARE_KERNELS_NEON_SPMM_F32_NEON_HPP
#define PARE_KERNELS_NEON_SPMM_F32_NEON_HPP

#include <pare/kernels/neon/panels_neon.hpp>
#include <pare/kernels/neon/write_neon.hpp>
#include <pare/kernels/spmm_f32.hpp>

#if PARE_NEON_KERNELS

namespace pare::kernels::neon {
inline namespace PARE_ABI {

/// Of 16 rows, or outputs.
struct sixteen_floats {
  float32x4_t v0, v1, v2, v3;
};
PARE_ALWAYS_INLINE sixteen_floats load_16(const float* p) noexcept {
  const float32x4x4_t x = vld1q_f32_x4(p);  // one instruction, which stays where it is
  return {x.val[0], x.val[1], x.val[2], x.val[3]};
}
PARE_ALWAYS_INLINE void store_16(float* p, const sixteen_floats& x) noexcept {
  vst1q_f32(p, x.v0), vst1q_f32(p + 4, x.v1), vst1q_f32(p + 8, x.v2), vst1q_f32(p + 12, x.v3);
}

/// c += x * w[Lane]. Volatile, which keeps the order: GCC 12 would load early, run out of registers
/// and spill.
template <int Lane>
PARE_ALWAYS_INLINE void multiply_add(float32x4_t& c, float32x4_t x, float32x4_t w) noexcept {
  __asm__ volatile("fmla %0.4s, %1.4s, %2.s[%3]" : "+w"(c) : "w"(x), "w"(w), "i"(Lane));
}
template <int Lane>
PARE_ALWAYS_INLINE void multiply_add(sixteen_floats& sums, const sixteen_floats& x,
                                     float32x4_t w) noexcept {
  multiply_add<Lane>(sums.v0, x.v0, w);
  multiply_add<Lane>(sums.v1, x.v1, w);
  multiply_add<Lane>(sums.v2, x.v2, w);
  multiply_add<Lane>(sums.v3, x.v3, w);
}

/// acc [4 * lines][width] += blocks of 4x1.
inline void float_lines_of_4(const bcsr_view<float>& w, const std::uint32_t* offsets, index_t lines,
                             const float* panel, index_t width, float* acc) noexcept {
  for (index_t line = 0; line < lines; ++line, acc += 4 * width) {
    const std::uint16_t* last = w.block_columns + offsets[line + 1];
    for (index_t row = 0; row < width; row += 16) {
      float* sums = acc + row;
      const panel_columns_of x(reinterpret_cast<const std::uint8_t*>(panel + row), 4 * width);
      sixteen_floats t0 = load_16(sums), t1 = load_16(sums + width);
      sixteen_floats t2 = load_16(sums + 2 * width), t3 = load_16(sums + 3 * width);
      const float* values = w.values + index_t{offsets[line]} * 4;
      for (const std::uint16_t* column = w.block_columns + offsets[line]; column != last;
           ++column, values += 4) {
        const sixteen_floats inputs = load_16(reinterpret_cast<const float*>(x[*column]));
        const float32x4_t weights = vld1q_f32(values);
        multiply_add<0>(t0, inputs, weights);
        multiply_add<1>(t1, inputs, weights);
        multiply_add<2>(t2, inputs, weights);
        multiply_add<3>(t3, inputs, weights);
      }
      store_16(sums, t0), store_16(sums + width, t1);
      store_16(sums + 2 * width, t2), store_16(sums + 3 * width, t3);
    }
  }
}

/// Sums of one output for 16 * Vectors rows.
struct float_sums_of_rows {
  sixteen_floats r0, r1, r2, r3;
};
template <int Vectors, int Lane>
PARE_ALWAYS_INLINE void multiply_add_rows(float_sums_of_rows& t, const float* x,
                                          float32x4_t w) noexcept {
  multiply_add<Lane>(t.r0, load_16(x), w);
  if constexpr (Vectors > 1) multiply_add<Lane>(t.r1, load_16(x + 16), w);
  if constexpr (Vectors > 2) multiply_add<Lane>(t.r2, load_16(x + 32), w);
  if constexpr (Vectors > 3) multiply_add<Lane>(t.r3, load_16(x + 48), w);
}

/// acc [lines][16 * Vectors] += non-zeros. Those behind the last four go one by one: a weight of 0
/// for what does not exist would make a NaN of an infinite input.
template <int Vectors>
void float_lines_of_1(const bcsr_view<float>& w, const std::uint32_t* offsets, index_t lines,
                      const float* x, float* acc) noexcept {
  constexpr index_t width = 16 * Vectors;
  for (index_t line = 0; line < lines; ++line, acc += width) {
    float_sums_of_rows t;
    t.r0 = load_16(acc);
    t.r1 = Vectors > 1 ? load_16(acc + 16) : t.r0;
    t.r2 = Vectors > 2 ? load_16(acc + 32) : t.r0;
    t.r3 = Vectors > 3 ? load_16(acc + 48) : t.r0;
    const std::uint16_t* column = w.block_columns + offsets[line];
    const float* values = w.values + offsets[line];
    std::uint32_t left = offsets[line + 1] - offsets[line];
    for (; left >= 4; left -= 4, column += 4, values += 4) {
      const float32x4_t weights = vld1q_f32(values);
      multiply_add_rows<Vectors, 0>(t, x + column[0] * width, weights);
      multiply_add_rows<Vectors, 1>(t, x + column[1] * width, weights);
      multiply_add_rows<Vectors, 2>(t, x + column[2] * width, weights);
      multiply_add_rows<Vectors, 3>(t, x + column[3] * width, weights);
    }
    for (; left > 0; --left, ++column, ++values) {
      multiply_add_rows<Vectors, 0>(t, x + *column * width, vdupq_n_f32(*values));
    }
    store_16(acc, t.r0);
    if constexpr (Vectors > 1) store_16(acc + 16, t.r1);
    if constexpr (Vectors > 2) store_16(acc + 32, t.r2);
    if constexpr (Vectors > 3) store_16(acc + 48, t.r3);
  }
}
inline void float_lines_of_1(const bcsr_view<float>& w, const std::uint32_t* offsets, index_t lines,
                             const float* x, index_t width, float* acc) noexcept {
  switch (width) {
    case 16: return float_lines_of_1<1>(w, offsets, lines, x, acc);
    case 32: return float_lines_of_1<2>(w, offsets, lines, x, acc);
    case 48: return float_lines_of_1<3>(w, offsets, lines, x, acc);
    default: return float_lines_of_1<4>(w, offsets, lines, x, acc);
  }
}

/// acc [16 outputs] += one line of blocks of 16x1, two sets of sums in turn.
inline void float_line_of_16(const bcsr_view<float>& w, const std::uint32_t* ends, const float* a,
                             float* acc) noexcept {
  const float32x4_t zero = vdupq_n_f32(0.0f);
  sixteen_floats t = load_16(acc), u = {zero, zero, zero, zero};
  const float* values = w.values + index_t{ends[0]} * 16;
  std::uint32_t i = ends[0];
  for (; ends[1] - i >= 2; i += 2, values += 32) {
    multiply_add<0>(t, load_16(values), vdupq_n_f32(a[w.block_columns[i]]));
    multiply_add<0>(u, load_16(values + 16), vdupq_n_f32(a[w.block_columns[i + 1]]));
  }
  if (i < ends[1]) multiply_add<0>(t, load_16(values), vdupq_n_f32(a[w.block_columns[i]]));
  store_16(acc, {vaddq_f32(t.v0, u.v0), vaddq_f32(t.v1, u.v1), vaddq_f32(t.v2, u.v2),
                 vaddq_f32(t.v3, u.v3)});
}

/// Sums [16 outputs][width] of a panel, clamped, become values of C, as rows or in panels.
inline void write_floats(const spmm_f32_args& args, float* acc, index_t width, index_t row,
                         index_t rows, index_t column, index_t columns) noexcept {
  const float32x4_t low = vdupq_n_f32(args.clamp_low), high = vdupq_n_f32(args.clamp_high);
  for (float* x = acc; x != acc + columns * width; x += 4) {
    vst1q_f32(x, clamp(vld1q_f32(x), low, high));
  }
  if (args.c_panels != nullptr) {
    std::memcpy(output_panel_of(args, row) + column * width, acc,
                static_cast<std::size_t>(columns * width) * sizeof(float));
    return;
  }
  float turned[16 * 16];
  for (index_t i = 0; i < rows; i += 16) {
    transpose_16x16(acc + i, width, turned);
    for (index_t j = 0; j < 16 && i + j < rows; ++j) {
      copy_columns(args.c + (row + i + j) * args.c_stride + column, turned + 16 * j, columns);
    }
  }
}

inline void spmm_f32(const spmm_f32_args& args, const gemm_block& block) noexcept {
  const bcsr_view<float>& w = args.weights;
  const index_t block_rows = w.shape.block_rows, lines_count = w.block_rows_count();
  const index_t step = block_rows == 16 ? 1 : pare::detail::panel_rows;
  float acc[16 * pare::detail::panel_rows];
  for (index_t tile = block.first_panel; tile < block.last_panel; ++tile) {
    const index_t column = tile * 16,
                  columns = pare::detail::min<index_t>(16, args.columns - column);
    const index_t lines = pare::detail::ceil_div(columns, block_rows);
    for (index_t row = block.first_row; row < block.last_row; row += step) {
      const index_t width = block_rows == 16 ? 1 : pare::detail::panel_width(args.rows - row);
      for (index_t j = 0; j < 16; ++j) {
        for (index_t i = 0; i < width; ++i) acc[j * width + i] = bias_of(args, column + j);
      }
      for (index_t k_block = 0; k_block < w.k_blocks(); ++k_block) {
        const index_t k = k_block * w.shape.k_block;
        const std::uint32_t* ends = w.block_offsets + k_block * lines_count + column / block_rows;
        if (block_rows == 16) {
          float_line_of_16(w, ends, args.a + row * args.a_stride + k, acc);
        } else if (block_rows == 4) {
          float_lines_of_4(w, ends, lines, panel_of(args, row) + k * width, width, acc);
        } else {
          float_lines_of_1(w, ends, lines, panel_of(args, row) + k * width, width, acc);
        }
      }
      if (block_rows == 16) {
        for (index_t j = 0; j < 16; ++j) {
          acc[j] = pare::detail::clamp(acc[j], args.clamp_low, args.clamp_high);
        }
        copy_columns(args.c + row * args.c_stride + column, acc, columns);
      } else {
        write_floats(args, acc, width, row, pare::detail::min(step, block.last_row - row), column,
                     columns);
      }
    }
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::neon

#endif  // PARE_NEON_KERNELS
#endif  // PARE_KERNELS_NEON_SPMM_F32_NEON_HPP
