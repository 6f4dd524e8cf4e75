// The block-sparse f32 product on AVX-512.
//
// Blocks of 1x1 and 4x1 go over rows of activations: a register holds one input of 16 rows, and a
// weight, broadcast, meets them. Four weights come with one load, as loads bound blocks of 1x1: 4
// and a quarter for 4 multiply-adds. Blocks of 16x1 go over outputs.
#ifndef PARE_KERNELS_X86_SPMM_F32_AVX512_HPP
#define PARE_KERNELS_X86_SPMM_F32_AVX512_HPP

#include <pare/kernels/spmm_f32.hpp>
#include <pare/kernels/x86/transpose_avx512.hpp>

#if PARE_X86_KERNELS

PARE_TARGET_AVX512VNNI_BEGIN
namespace pare::kernels::avx512vnni {
inline namespace PARE_ABI {

/// 16 * Vectors sums of one output, or inputs. Named members: GCC 12 keeps arrays in memory.
struct floats_of_rows {
  __m512 v0, v1, v2, v3;
};

template <int Vectors>
PARE_ALWAYS_INLINE floats_of_rows load_floats(const float* p) noexcept {
  floats_of_rows r;
  r.v0 = _mm512_loadu_ps(p);
  r.v1 = Vectors > 1 ? _mm512_loadu_ps(p + 16) : r.v0;
  r.v2 = Vectors > 2 ? _mm512_loadu_ps(p + 32) : r.v0;
  r.v3 = Vectors > 3 ? _mm512_loadu_ps(p + 48) : r.v0;
  return r;
}

template <int Vectors>
PARE_ALWAYS_INLINE void store_floats(float* p, const floats_of_rows& r) noexcept {
  _mm512_storeu_ps(p, r.v0);
  if constexpr (Vectors > 1) _mm512_storeu_ps(p + 16, r.v1);
  if constexpr (Vectors > 2) _mm512_storeu_ps(p + 32, r.v2);
  if constexpr (Vectors > 3) _mm512_storeu_ps(p + 48, r.v3);
}

template <int Vectors>
PARE_ALWAYS_INLINE void multiply_add(floats_of_rows& sums, const floats_of_rows& x,
                                     __m512 w) noexcept {
  sums.v0 = _mm512_fmadd_ps(x.v0, w, sums.v0);
  if constexpr (Vectors > 1) sums.v1 = _mm512_fmadd_ps(x.v1, w, sums.v1);
  if constexpr (Vectors > 2) sums.v2 = _mm512_fmadd_ps(x.v2, w, sums.v2);
  if constexpr (Vectors > 3) sums.v3 = _mm512_fmadd_ps(x.v3, w, sums.v3);
}

template <int Vectors>
PARE_ALWAYS_INLINE void add(floats_of_rows& sums, const floats_of_rows& other) noexcept {
  sums.v0 = _mm512_add_ps(sums.v0, other.v0);
  if constexpr (Vectors > 1) sums.v1 = _mm512_add_ps(sums.v1, other.v1);
  if constexpr (Vectors > 2) sums.v2 = _mm512_add_ps(sums.v2, other.v2);
  if constexpr (Vectors > 3) sums.v3 = _mm512_add_ps(sums.v3, other.v3);
}

/// Memory that is to be in the second-level cache soon, and is fetched a bit at a time: what blocks
/// jump over is not foreseen by hardware.
struct memory_ahead {
  const std::uint8_t* at;
  const std::uint8_t* end;
  index_t step;  ///< bytes of a bit

  PARE_ALWAYS_INLINE void fetch() noexcept {
    for (index_t i = 0; i < step && at < end; i += 64, at += 64) {
      _mm_prefetch(reinterpret_cast<const char*>(at), _MM_HINT_T1);
    }
  }
};

/// A bit is fetched with each line of blocks of 1x1, and with so many blocks of 4x1.
inline constexpr index_t blocks_of_bit = 16;

/// What a run of lines of blocks is given.
struct float_lines {
  const std::uint32_t* offsets;  ///< of the first line
  const std::uint16_t* columns;
  const float* values;
  const float* x;  ///< the K-block's part of the panel
  bool is_first;   ///< K-block
  memory_ahead* ahead;
};

/// Of the first K-block: the bias. Of others: what is there.
template <int Vectors>
PARE_ALWAYS_INLINE floats_of_rows first_floats(bool is_first, float bias,
                                               const float* acc) noexcept {
  if (!is_first) return load_floats<Vectors>(acc);
  const __m512 b = _mm512_set1_ps(bias);
  return {b, b, b, b};
}

/// Weight `Lane` of four, in all lanes.
template <int Lane>
PARE_ALWAYS_INLINE __m512 lane_of(__m512 four) noexcept {
  return _mm512_permute_ps(four, Lane * 0x55);
}

template <int Vectors>
PARE_ALWAYS_INLINE void multiply_4_floats(floats_of_rows& t, floats_of_rows& u, const float* x,
                                          const std::uint16_t* column, __m128 weights) noexcept {
  constexpr index_t width = 16 * Vectors;
  const __m512 w = _mm512_broadcast_f32x4(weights);
  multiply_add<Vectors>(t, load_floats<Vectors>(x + column[0] * width), lane_of<0>(w));
  multiply_add<Vectors>(u, load_floats<Vectors>(x + column[1] * width), lane_of<1>(w));
  multiply_add<Vectors>(t, load_floats<Vectors>(x + column[2] * width), lane_of<2>(w));
  multiply_add<Vectors>(u, load_floats<Vectors>(x + column[3] * width), lane_of<3>(w));
}

/// acc [lines][16 * Vectors] (+)= non-zeros. Those behind the last four go one by one: a weight of 0
/// for what does not exist would make a NaN of an infinite input.
template <int Vectors>
void float_lines_of_1(const float_lines& args, index_t lines, const float* bias,
                      float* acc) noexcept {
  constexpr index_t width = 16 * Vectors;
  const __m512 zero = _mm512_setzero_ps();
  for (index_t line = 0; line < lines; ++line, acc += width) {
    args.ahead->fetch();
    floats_of_rows t = first_floats<Vectors>(args.is_first, bias[line], acc);
    floats_of_rows u{zero, zero, zero, zero};
    const std::uint32_t first = args.offsets[line];
    const std::uint16_t* column = args.columns + first;
    const float* w = args.values + first;
    std::uint32_t left = args.offsets[line + 1] - first;
    for (; left >= 4; left -= 4, column += 4, w += 4)
      multiply_4_floats<Vectors>(t, u, args.x, column, _mm_loadu_ps(w));
    if ((left & 2) != 0) {
      multiply_add<Vectors>(t, load_floats<Vectors>(args.x + column[0] * width),
                            _mm512_set1_ps(w[0]));
      multiply_add<Vectors>(u, load_floats<Vectors>(args.x + column[1] * width),
                            _mm512_set1_ps(w[1]));
      column += 2, w += 2;
    }
    if ((left & 1) != 0) {
      multiply_add<Vectors>(t, load_floats<Vectors>(args.x + *column * width), _mm512_set1_ps(*w));
    }
    add<Vectors>(t, u);
    store_floats<Vectors>(acc, t);
  }
}

/// acc [4 * lines][16 * Vectors] (+)= blocks of 4x1.
template <int Vectors>
void float_lines_of_4(const float_lines& args, index_t lines, const float* bias,
                      float* acc) noexcept {
  constexpr index_t width = 16 * Vectors;
  for (index_t line = 0; line < lines; ++line, acc += 4 * width, bias += 4) {
    floats_of_rows t0 = first_floats<Vectors>(args.is_first, bias[0], acc);
    floats_of_rows t1 = first_floats<Vectors>(args.is_first, bias[1], acc + width);
    floats_of_rows t2 = first_floats<Vectors>(args.is_first, bias[2], acc + 2 * width);
    floats_of_rows t3 = first_floats<Vectors>(args.is_first, bias[3], acc + 3 * width);
    const std::uint16_t* column = args.columns + args.offsets[line];
    const std::uint16_t* last = args.columns + args.offsets[line + 1];
    const float* w = args.values + index_t{args.offsets[line]} * 4;
    while (column != last) {
      args.ahead->fetch();
      const std::uint16_t* end = column + pare::detail::min(last - column, blocks_of_bit);
      for (; column != end; ++column, w += 4) {
        const floats_of_rows x = load_floats<Vectors>(args.x + *column * width);
        multiply_add<Vectors>(t0, x, _mm512_set1_ps(w[0]));
        multiply_add<Vectors>(t1, x, _mm512_set1_ps(w[1]));
        multiply_add<Vectors>(t2, x, _mm512_set1_ps(w[2]));
        multiply_add<Vectors>(t3, x, _mm512_set1_ps(w[3]));
      }
    }
    store_floats<Vectors>(acc, t0);
    store_floats<Vectors>(acc + width, t1);
    store_floats<Vectors>(acc + 2 * width, t2);
    store_floats<Vectors>(acc + 3 * width, t3);
  }
}

/// Sums [columns][width] become rows of C.
inline void write_floats(const spmm_f32_args& args, float* acc, index_t width, index_t row,
                         index_t rows, index_t column, index_t columns) noexcept {
  const __m512 low = _mm512_set1_ps(args.clamp_low), high = _mm512_set1_ps(args.clamp_high);
  alignas(64) std::int32_t turned[16 * 16];
  for (index_t j = 0; j < columns; j += 16, acc += 16 * width) {
    const index_t left = pare::detail::min<index_t>(16, columns - j);
    const __mmask16 mask = static_cast<__mmask16>((1u << left) - 1u);
    for (index_t i = 0; i < rows; i += 16) {
      transpose(reinterpret_cast<const std::int32_t*>(acc + i), width, 16, turned, 16);
      float* c = args.c + (row + i) * args.c_stride + column + j;
      for (index_t r = 0; r < 16 && i + r < rows; ++r, c += args.c_stride) {
        const __m512 y = _mm512_castsi512_ps(_mm512_load_si512(turned + 16 * r));
        _mm512_mask_storeu_ps(c, mask, _mm512_min_ps(high, _mm512_max_ps(low, y)));
      }
    }
  }
}

inline void clamp_floats(const spmm_f32_args& args, float* acc, index_t count) noexcept {
  const __m512 low = _mm512_set1_ps(args.clamp_low), high = _mm512_set1_ps(args.clamp_high);
  for (index_t i = 0; i < count; i += 16)
    _mm512_storeu_ps(acc + i, _mm512_min_ps(high, _mm512_max_ps(low, _mm512_loadu_ps(acc + i))));
}

/// The panel behind this one, in as many bits as will be fetched while this one meets these lines.
inline memory_ahead next_panel(const spmm_f32_args& args, index_t row, index_t first_line,
                               index_t last_line) noexcept {
  const index_t next = row + pare::detail::panel_rows;
  if (!args.fetches_next || next >= args.rows) return {nullptr, nullptr, 0};
  const bcsr_view<float>& w = args.weights;
  index_t bits = (last_line - first_line) * w.k_blocks();
  if (w.shape.block_rows == 4) {
    bits = 0;
    for (index_t k_block = 0; k_block < w.k_blocks(); ++k_block) {
      const std::uint32_t* offsets = w.block_offsets + k_block * w.block_rows_count();
      bits += index_t{offsets[last_line]} - index_t{offsets[first_line]};
    }
    bits /= blocks_of_bit;
  }
  const auto* at = reinterpret_cast<const std::uint8_t*>(panel_of(args, next));
  const index_t bytes = 4 * args.k * pare::detail::panel_width(args.rows - next);
  return {at, at + bytes, pare::detail::ceil_div(bytes, pare::detail::max<index_t>(bits, 1))};
}

/// One panel of activations, 16 * Vectors wide.
template <int Vectors>
void columns_of_floats(const spmm_f32_args& args, const gemm_block& block, index_t row) noexcept {
  constexpr index_t width = 16 * Vectors, chunk = 64;
  alignas(64) float sums[chunk * width], bias[chunk];
  const bcsr_view<float>& w = args.weights;
  const index_t rows = pare::detail::min(width, args.rows - row);
  const index_t last_column = pare::detail::min(args.columns, block.last_panel * 16);
  const index_t block_rows = w.shape.block_rows, lines_count = w.block_rows_count();
  memory_ahead ahead = next_panel(args, row, block.first_panel * 16 / block_rows,
                                  pare::detail::ceil_div(last_column, block_rows));
  constexpr float largest = 3.40282347e38f;
  const bool is_clamped = args.clamp_low >= -largest || args.clamp_high <= largest;
  for (index_t column = block.first_panel * 16; column < last_column; column += chunk) {
    const index_t columns = pare::detail::min(chunk, last_column - column);
    for (index_t j = 0; j < chunk; ++j) bias[j] = bias_of(args, column + j);
    const index_t lines = pare::detail::ceil_div(columns, block_rows);
    // Into the panel of outputs at once, where lines do not pass its end.
    const bool is_direct = args.c_panels != nullptr && columns % block_rows == 0;
    float* acc = is_direct ? output_panel_of(args, row) + column * width : sums;
    for (index_t k_block = 0; k_block < w.k_blocks(); ++k_block) {
      const float_lines line = {
          w.block_offsets + k_block * lines_count + column / block_rows, w.block_columns, w.values,
          panel_of(args, row) + k_block * w.shape.k_block * width,       k_block == 0,    &ahead};
      if (block_rows == 4) {
        float_lines_of_4<Vectors>(line, lines, bias, acc);
      } else {
        float_lines_of_1<Vectors>(line, lines, bias, acc);
      }
    }
    if (w.k_blocks() == 0) {
      for (index_t j = 0; j < columns * width; ++j) acc[j] = bias[j / width];
    }
    if (args.c_panels == nullptr) {
      write_floats(args, acc, width, row, rows, column, columns);
      continue;
    }
    if (is_clamped) clamp_floats(args, acc, columns * width);
    if (!is_direct) {
      std::memcpy(output_panel_of(args, row) + column * width, acc,
                  static_cast<std::size_t>(columns * width) * sizeof(float));
    }
  }
}

/// sums [Rows] += one line of blocks of 16x1; every row has `Sets` accumulators, for blocks in turn.
template <int Rows>
void float_line_of_16(const float* a, index_t stride, const std::uint16_t* column,
                      const std::uint16_t* last, const float* w, float* acc) noexcept {
  constexpr int sets = Rows == 1 ? 4 : Rows <= 4 ? 2 : 1;
  const __m512 zero = _mm512_setzero_ps();
  floats_of_rows t[Rows];
  PARE_UNROLL for (int i = 0; i < Rows; ++i) t[i] = {zero, zero, zero, zero};
  for (; last - column >= sets; column += sets, w += 16 * sets) {
    PARE_UNROLL for (int i = 0; i < Rows; ++i) {
      const float* x = a + i * stride;
      t[i].v0 = _mm512_fmadd_ps(_mm512_loadu_ps(w), _mm512_set1_ps(x[column[0]]), t[i].v0);
      if constexpr (sets > 1)
        t[i].v1 = _mm512_fmadd_ps(_mm512_loadu_ps(w + 16), _mm512_set1_ps(x[column[1]]), t[i].v1);
      if constexpr (sets > 2) {
        t[i].v2 = _mm512_fmadd_ps(_mm512_loadu_ps(w + 32), _mm512_set1_ps(x[column[2]]), t[i].v2);
        t[i].v3 = _mm512_fmadd_ps(_mm512_loadu_ps(w + 48), _mm512_set1_ps(x[column[3]]), t[i].v3);
      }
    }
  }
  for (; column != last; ++column, w += 16) {
    PARE_UNROLL for (int i = 0; i < Rows; ++i) {
      t[i].v0 =
          _mm512_fmadd_ps(_mm512_loadu_ps(w), _mm512_set1_ps(a[i * stride + *column]), t[i].v0);
    }
  }
  PARE_UNROLL for (int i = 0; i < Rows; ++i) {
    const __m512 sum =
        _mm512_add_ps(_mm512_add_ps(t[i].v0, t[i].v1), _mm512_add_ps(t[i].v2, t[i].v3));
    _mm512_storeu_ps(acc + 16 * i, _mm512_add_ps(sum, _mm512_loadu_ps(acc + 16 * i)));
  }
}

using float_line_of_16_function = void (*)(const float*, index_t, const std::uint16_t*,
                                           const std::uint16_t*, const float*, float*) noexcept;

inline void spmm_f32_of_16(const spmm_f32_args& args, const gemm_block& block) noexcept {
  constexpr float_line_of_16_function of_height[] = {
      float_line_of_16<1>, float_line_of_16<2>, float_line_of_16<3>, float_line_of_16<4>,
      float_line_of_16<5>, float_line_of_16<6>, float_line_of_16<7>, float_line_of_16<8>};
  const bcsr_view<float>& w = args.weights;
  const index_t lines_count = w.block_rows_count();
  const __m512 low = _mm512_set1_ps(args.clamp_low), high = _mm512_set1_ps(args.clamp_high);
  alignas(64) float acc[8 * 16];
  for (index_t panel = block.first_panel; panel < block.last_panel; ++panel) {
    const index_t column = panel * 16;
    const index_t columns = pare::detail::min<index_t>(16, args.columns - column);
    const __mmask16 mask = static_cast<__mmask16>((1u << columns) - 1u);
    for (index_t row = block.first_row; row < block.last_row;) {
      const index_t rows = cut_rows(block.last_row - row, 8).tall_rows;
      for (index_t i = 0; i < 16 * rows; ++i) acc[i] = bias_of(args, column + i % 16);
      for (index_t k_block = 0; k_block < w.k_blocks(); ++k_block) {
        const std::uint32_t* ends = w.block_offsets + k_block * lines_count + panel;
        of_height[rows - 1](args.a + row * args.a_stride + k_block * w.shape.k_block, args.a_stride,
                            w.block_columns + ends[0], w.block_columns + ends[1],
                            w.values + index_t{ends[0]} * 16, acc);
      }
      for (index_t i = 0; i < rows; ++i, ++row) {
        const __m512 y = _mm512_load_ps(acc + 16 * i);
        _mm512_mask_storeu_ps(args.c + row * args.c_stride + column, mask,
                              _mm512_min_ps(high, _mm512_max_ps(low, y)));
      }
    }
  }
}

inline void spmm_f32(const spmm_f32_args& args, const gemm_block& block) noexcept {
  if (args.weights.shape.block_rows == 16) return spmm_f32_of_16(args, block);
  for (index_t row = block.first_row; row < block.last_row; row += pare::detail::panel_rows) {
    switch (pare::detail::panel_width(args.rows - row)) {
      case 16: columns_of_floats<1>(args, block, row); break;
      case 32: columns_of_floats<2>(args, block, row); break;
      case 48: columns_of_floats<3>(args, block, row); break;
      default: columns_of_floats<4>(args, block, row);
    }
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx512vnni
PARE_TARGET_AVX512VNNI_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_SPMM_F32_AVX512_HPP
