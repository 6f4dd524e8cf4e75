// The block-sparse s8 product on AVX-512 VNNI.
//
// Blocks of 4x4 and 1x4 go over rows of activations: a register holds four inputs of 16 rows, and
// four weights, broadcast, meet them. A 4x4 block is 4 loads of activations and 4 of weights for 16
// products, at 2 products and 2 loads a cycle; a 1x4 block is 4 and 1 for 4, and bound by loads.
// Blocks of 16x4 go over outputs, as the dense kernel does: one load of weights, and a broadcast for
// each row of activations.
#ifndef PARE_KERNELS_X86_SPMM_S8_AVX512VNNI_HPP
#define PARE_KERNELS_X86_SPMM_S8_AVX512VNNI_HPP

#include <pare/kernels/spmm_s8.hpp>
#include <pare/kernels/x86/gemm_s8_6x64c4_avx512vnni.hpp>
#include <pare/kernels/x86/transpose_avx512.hpp>

#if PARE_X86_KERNELS

PARE_TARGET_AVX512VNNI_BEGIN
namespace pare::kernels::avx512vnni {
inline namespace PARE_ABI {

/// Outputs between two writes: their sums, of 64 rows, fill a third of the first-level cache.
inline constexpr index_t chunk_columns = 64;

PARE_ALWAYS_INLINE __m512i broadcast_weights(const std::int8_t* w) noexcept {
  std::int32_t four;
  std::memcpy(&four, w, 4);
  return _mm512_set1_epi32(four);
}

/// Sums of one output for 16 * Vectors rows.
template <int Vectors>
PARE_ALWAYS_INLINE void multiply_rows(row_of_tile& sums, const row_of_tile& x, __m512i w) noexcept {
  multiply_add(sums.c0, x.c0, w);
  if constexpr (Vectors > 1) multiply_add(sums.c1, x.c1, w);
  if constexpr (Vectors > 2) multiply_add(sums.c2, x.c2, w);
  if constexpr (Vectors > 3) multiply_add(sums.c3, x.c3, w);
}

/// Of the first K-block: the start value. Of others: what is there.
template <int Vectors>
PARE_ALWAYS_INLINE row_of_tile first_sums(bool is_first, std::int32_t start,
                                          const std::int32_t* acc) noexcept {
  if (!is_first) return load_row<Vectors>(acc);
  const __m512i s = _mm512_set1_epi32(start);
  return {s, s, s, s};
}

/// What a run of lines of blocks is given.
struct line_args {
  const std::uint32_t* offsets;  ///< of the first line
  const std::uint16_t* columns;
  const std::int8_t* values;
  const std::uint8_t* x;      ///< the K-block's part of the panel
  const std::int32_t* start;  ///< of each output
  bool is_first;              ///< K-block
  std::uint32_t blocks;       ///< of the whole matrix
};

/// acc [4 * lines][16 * Vectors] (+)= 4x4 blocks.
template <int Vectors>
PARE_ALWAYS_INLINE void sums_of_4(const line_args& args, index_t line, const std::int32_t* acc,
                                  tile_of_rows& t) noexcept {
  constexpr index_t width = 16 * Vectors;
  const std::int32_t* start = args.start + 4 * line;
  t.r0 = first_sums<Vectors>(args.is_first, start[0], acc);
  t.r1 = first_sums<Vectors>(args.is_first, start[1], acc + width);
  t.r2 = first_sums<Vectors>(args.is_first, start[2], acc + 2 * width);
  t.r3 = first_sums<Vectors>(args.is_first, start[3], acc + 3 * width);
  const std::uint16_t* column = args.columns + args.offsets[line];
  const std::uint16_t* last = args.columns + args.offsets[line + 1];
  const std::int8_t* w = args.values + index_t{args.offsets[line]} * 16;
  if constexpr (Vectors == 1) {
    // Four accumulators do not hide the latency: every other block has its own.
    const __m512i zero = _mm512_setzero_si512();
    t.r4.c0 = t.r5.c0 = t.r6.c0 = t.r7.c0 = zero;
    for (; last - column >= 2; column += 2, w += 32) {
      const row_of_tile x = load_row<1>(args.x + index_t{column[0]} * 64);
      const row_of_tile y = load_row<1>(args.x + index_t{column[1]} * 64);
      multiply_rows<1>(t.r0, x, broadcast_weights(w));
      multiply_rows<1>(t.r1, x, broadcast_weights(w + 4));
      multiply_rows<1>(t.r2, x, broadcast_weights(w + 8));
      multiply_rows<1>(t.r3, x, broadcast_weights(w + 12));
      multiply_rows<1>(t.r4, y, broadcast_weights(w + 16));
      multiply_rows<1>(t.r5, y, broadcast_weights(w + 20));
      multiply_rows<1>(t.r6, y, broadcast_weights(w + 24));
      multiply_rows<1>(t.r7, y, broadcast_weights(w + 28));
    }
    add<1>(t.r0, t.r4), add<1>(t.r1, t.r5), add<1>(t.r2, t.r6), add<1>(t.r3, t.r7);
  }
  for (; column != last; ++column, w += 16) {
    const row_of_tile x = load_row<Vectors>(args.x + index_t{*column} * (4 * width));
    multiply_rows<Vectors>(t.r0, x, broadcast_weights(w));
    multiply_rows<Vectors>(t.r1, x, broadcast_weights(w + 4));
    multiply_rows<Vectors>(t.r2, x, broadcast_weights(w + 8));
    multiply_rows<Vectors>(t.r3, x, broadcast_weights(w + 12));
  }
}

template <int Vectors>
void lines_of_4(const line_args& args, index_t lines, std::int32_t* acc) noexcept {
  constexpr index_t width = 16 * Vectors;
  for (index_t line = 0; line < lines; ++line, acc += 4 * width) {
    tile_of_rows t;
    sums_of_4<Vectors>(args, line, acc, t);
    store_row<Vectors>(acc, t.r0);
    store_row<Vectors>(acc + width, t.r1);
    store_row<Vectors>(acc + 2 * width, t.r2);
    store_row<Vectors>(acc + 3 * width, t.r3);
  }
}

/// Four blocks of 1x4; blocks in turn have one of two sets of accumulators. Four weights come with
/// one load: loads are what bounds this.
template <int Vectors>
PARE_ALWAYS_INLINE void multiply_4_blocks(row_of_tile& t, row_of_tile& u, const std::uint8_t* x,
                                          const std::uint16_t* column, __m128i weights) noexcept {
  constexpr index_t quad_bytes = 64 * Vectors;
  const __m512i w = _mm512_broadcast_i32x4(weights);
  multiply_rows<Vectors>(t, load_row<Vectors>(x + column[0] * quad_bytes),
                         _mm512_shuffle_epi32(w, static_cast<_MM_PERM_ENUM>(0x00)));
  multiply_rows<Vectors>(u, load_row<Vectors>(x + column[1] * quad_bytes),
                         _mm512_shuffle_epi32(w, static_cast<_MM_PERM_ENUM>(0x55)));
  multiply_rows<Vectors>(t, load_row<Vectors>(x + column[2] * quad_bytes),
                         _mm512_shuffle_epi32(w, static_cast<_MM_PERM_ENUM>(0xaa)));
  multiply_rows<Vectors>(u, load_row<Vectors>(x + column[3] * quad_bytes),
                         _mm512_shuffle_epi32(w, static_cast<_MM_PERM_ENUM>(0xff)));
}

/// One line of 1x4 blocks. Its last four are multiplied at once, those that do not exist with zeros
/// and by whatever the next line's columns point to: a branch less to be mistaken.
template <int Vectors>
PARE_ALWAYS_INLINE void sums_of_1(const line_args& args, index_t line, const std::int32_t* acc,
                                  row_of_tile& t) noexcept {
  t = first_sums<Vectors>(args.is_first, args.start[line], acc);
  const std::uint32_t first = args.offsets[line], last = args.offsets[line + 1];
  if (PARE_UNLIKELY(first == last)) return;
  const __m512i zero = _mm512_setzero_si512();
  row_of_tile u{zero, zero, zero, zero};
  const std::uint16_t* column = args.columns + first;
  const std::int8_t* w = args.values + index_t{first} * 4;
  std::uint32_t left = last - first;
  for (; left > 4; left -= 4, column += 4, w += 16) {
    multiply_4_blocks<Vectors>(t, u, args.x, column,
                               _mm_loadu_si128(reinterpret_cast<const __m128i*>(w)));
  }
  const __m128i weights = _mm_maskz_loadu_epi32(static_cast<__mmask8>((1u << left) - 1), w);
  std::uint16_t ends[4] = {};
  if (PARE_UNLIKELY(args.blocks - last < 3)) {
    std::memcpy(ends, column, left * sizeof(ends[0]));
    column = ends;
  }
  multiply_4_blocks<Vectors>(t, u, args.x, column, weights);
  add<Vectors>(t, u);
}

template <int Vectors>
void lines_of_1(const line_args& args, index_t lines, std::int32_t* acc) noexcept {
  for (index_t line = 0; line < lines; ++line, acc += 16 * Vectors) {
    row_of_tile t;
    sums_of_1<Vectors>(args, line, acc, t);
    store_row<Vectors>(acc, t);
  }
}

// --- outputs ---

/// Codes of four outputs for 16 rows: a group of four bytes for each row.
template <requantization Rule>
PARE_ALWAYS_INLINE __m512i quads_of(__m512i x0, __m512i x1, __m512i x2, __m512i x3,
                                    const code_range& range) noexcept {
  const __m512i order =
      _mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
  return _mm512_shuffle_epi8(pack_codes<Rule>(x0, x1, x2, x3, range), order);
}

PARE_ALWAYS_INLINE __m512i broadcast_factor(const float* factor) noexcept {
  return _mm512_castps_si512(_mm512_set1_ps(*factor));
}

/// Codes of four outputs for 16 rows, from sums.
PARE_ALWAYS_INLINE void store_quads(std::uint8_t* to, __m512i x0, __m512i x1, __m512i x2,
                                    __m512i x3, __m512i by0, __m512i by1, __m512i by2, __m512i by3,
                                    const code_range& range) noexcept {
  _mm512_storeu_si512(
      to, quads_of<requantization::nearest>(scaled_small(x0, by0), scaled_small(x1, by1),
                                            scaled_small(x2, by2), scaled_small(x3, by3), range));
}

/// How one output is requantized, for all rows.
template <requantization Rule>
PARE_ALWAYS_INLINE column_scales scales_of(const gemm_s8_args& args, index_t column) noexcept {
  if constexpr (is_float_rule(Rule)) {
    return {_mm512_set1_ps(args.factors[column]), _mm512_setzero_si512(), _mm512_setzero_si512()};
  } else {
    return {_mm512_setzero_ps(), _mm512_set1_epi32(args.multipliers[column]),
            _mm512_set1_epi32(args.shifts[column])};
  }
}

/// The range with the codes' flip in panels taken along.
template <requantization Rule>
PARE_ALWAYS_INLINE code_range load_range(const gemm_s8_args& args, std::uint8_t flip) noexcept {
  code_range range = load_range<Rule>(args);
  range.flip = _mm512_xor_si512(range.flip, _mm512_set1_epi8(static_cast<char>(flip)));
  return range;
}

/// The last K-block of four outputs at a time: codes in groups of four, `to_stride` bytes from group
/// to group. The sums do not leave the registers, and while they become codes the next outputs
/// already multiply. For factors below 1, where saturation is the only clamp above.
template <int BlockRows, int Vectors>
void lines_to_q8(const line_args& args, index_t columns, const std::int32_t* acc,
                 const float* factors, const code_range& range_of_output, std::uint8_t* to,
                 index_t to_stride) noexcept {
  constexpr index_t width = 16 * Vectors;
  const code_range range = range_of_output;
  for (index_t column = 0; column < columns; column += 4, acc += 4 * width, to += to_stride) {
    tile_of_rows t;
    if constexpr (BlockRows == 4) {
      sums_of_4<Vectors>(args, column / 4, acc, t);
    } else {
      // Outputs that do not exist repeat the last one.
      const index_t last = columns - 1;
      sums_of_1<Vectors>(args, column, acc, t.r0);
      sums_of_1<Vectors>(args, pare::detail::min(column + 1, last), acc + width, t.r1);
      sums_of_1<Vectors>(args, pare::detail::min(column + 2, last), acc + 2 * width, t.r2);
      sums_of_1<Vectors>(args, pare::detail::min(column + 3, last), acc + 3 * width, t.r3);
    }
    const float* by = factors + column;
    const __m512i by0 = broadcast_factor(by), by1 = broadcast_factor(by + 1);
    const __m512i by2 = broadcast_factor(by + 2), by3 = broadcast_factor(by + 3);
    store_quads(to, t.r0.c0, t.r1.c0, t.r2.c0, t.r3.c0, by0, by1, by2, by3, range);
    if constexpr (Vectors > 1)
      store_quads(to + 64, t.r0.c1, t.r1.c1, t.r2.c1, t.r3.c1, by0, by1, by2, by3, range);
    if constexpr (Vectors > 2)
      store_quads(to + 128, t.r0.c2, t.r1.c2, t.r2.c2, t.r3.c2, by0, by1, by2, by3, range);
    if constexpr (Vectors > 3)
      store_quads(to + 192, t.r0.c3, t.r1.c3, t.r2.c3, t.r3.c3, by0, by1, by2, by3, range);
  }
}

/// Groups of four codes from sums: quads [columns / 4][width], `to_stride` bytes from group to group.
template <requantization Rule>
void quads_of_sums(const gemm_s8_args& args, const std::int32_t* acc, index_t width, index_t column,
                   index_t columns, std::uint8_t flip, std::uint8_t* to,
                   index_t to_stride) noexcept {
  const code_range range = load_range<Rule>(args, flip);
  for (index_t j = 0; j < columns; j += 4, acc += 4 * width, to += to_stride) {
    const column_scales by0 = scales_of<Rule>(args, column + j);
    const column_scales by1 = scales_of<Rule>(args, column + j + 1);
    const column_scales by2 = scales_of<Rule>(args, column + j + 2);
    const column_scales by3 = scales_of<Rule>(args, column + j + 3);
    for (index_t i = 0; i < width; i += 16) {
      const __m512i quads =
          quads_of<Rule>(scaled<Rule>(_mm512_loadu_si512(acc + i), by0, range),
                         scaled<Rule>(_mm512_loadu_si512(acc + width + i), by1, range),
                         scaled<Rule>(_mm512_loadu_si512(acc + 2 * width + i), by2, range),
                         scaled<Rule>(_mm512_loadu_si512(acc + 3 * width + i), by3, range), range);
      _mm512_storeu_si512(to + 4 * i, quads);
    }
  }
}

inline void quads_of_sums(const gemm_s8_args& args, const std::int32_t* acc, index_t width,
                          index_t column, index_t columns, std::uint8_t flip, std::uint8_t* to,
                          index_t to_stride) noexcept {
  switch (args.rule) {
    case requantization::nearest:
      return quads_of_sums<requantization::nearest>(args, acc, width, column, columns, flip, to,
                                                    to_stride);
    case requantization::onnx:
      return quads_of_sums<requantization::onnx>(args, acc, width, column, columns, flip, to,
                                                 to_stride);
    case requantization::double_rounding:
      return quads_of_sums<requantization::double_rounding>(args, acc, width, column, columns, flip,
                                                            to, to_stride);
    case requantization::single_rounding:
      return quads_of_sums<requantization::single_rounding>(args, acc, width, column, columns, flip,
                                                            to, to_stride);
  }
}

/// @param mask  of the columns that exist
PARE_ALWAYS_INLINE void store_row_of_codes(std::uint8_t* c, __mmask64 mask,
                                           __m512i codes) noexcept {
  if (PARE_LIKELY(mask == ~__mmask64{0})) {
    _mm512_storeu_si512(c, codes);
  } else {
    _mm512_mask_storeu_epi8(c, mask, codes);
  }
}

/// Codes in groups of four, [16][width], become rows of C.
inline void rows_of_quads(const gemm_s8_args& args, const std::uint8_t* quads, index_t width,
                          index_t row, index_t rows, index_t column, index_t columns) noexcept {
  const __mmask64 mask = ~__mmask64{0} >> (64 - columns);
  const index_t stride = args.c_stride;
  std::uint8_t* c = static_cast<std::uint8_t*>(args.c) + row * stride + column;
  for (index_t i = 0; i < rows; i += 4, c += 4 * stride) {
    const four_columns r = transpose(quads + 4 * i, 4 * width);
    store_row_of_codes(c, mask, r.c0);
    if (i + 1 < rows) store_row_of_codes(c + stride, mask, r.c1);
    if (i + 2 < rows) store_row_of_codes(c + 2 * stride, mask, r.c2);
    if (i + 3 < rows) store_row_of_codes(c + 3 * stride, mask, r.c3);
  }
}

/// Sums [columns][width] become rows of C.
inline void write_sums(const gemm_s8_args& args, const std::int32_t* acc, index_t width,
                       index_t row, index_t rows, index_t column, index_t columns) noexcept {
  alignas(64) std::int32_t turned[16 * 16];
  for (index_t j = 0; j < columns; j += 16, acc += 16 * width) {
    for (index_t i = 0; i < rows; i += 16) {
      transpose(acc + i, width, 16, turned, 16);
      write(args, turned, 16, row + i, pare::detail::min<index_t>(16, rows - i), column + j,
            pare::detail::min<index_t>(16, columns - j));
    }
  }
}

/// One panel of activations, 16 * Vectors wide.
template <int Vectors>
void columns_of_weights(const spmm_s8_args& args, const gemm_block& block, index_t row) noexcept {
  constexpr index_t width = 16 * Vectors;
  alignas(64) std::int32_t acc[chunk_columns * width], start[chunk_columns];
  alignas(64) std::uint8_t quads[16 * 4 * width];
  const gemm_s8_args& p = args.product;
  const bcsr_view<std::int8_t>& w = args.weights;
  const index_t rows = pare::detail::min(width, p.rows - row);
  const index_t last_column = pare::detail::min(p.columns, block.last_panel * 16);
  const index_t block_rows = w.shape.block_rows, lines_count = w.block_rows_count();
  for (index_t column = block.first_panel * 16; column < last_column; column += chunk_columns) {
    const index_t columns = pare::detail::min(chunk_columns, last_column - column);
    for (index_t j = 0; j < columns; j += 16) start_values(p, column + j, start + j);
    const index_t first_line = column / block_rows;
    const index_t lines = pare::detail::ceil_div(columns, block_rows);
    std::uint8_t* to = args.c_panels != nullptr ? quad_of_output(args, row, column) : quads;
    const bool is_fused = w.k_blocks() > 0 && p.kind == output_kind::q8 &&
                          p.rule == requantization::nearest && is_bounded_by_type(p) &&
                          are_below_one(p.factors + column, pare::detail::round_up(columns, 16));
    for (index_t k_block = 0; k_block < w.k_blocks(); ++k_block) {
      const line_args line = {w.block_offsets + k_block * lines_count + first_line,
                              w.block_columns,
                              w.values,
                              panel_of(args, row) + k_block * w.shape.k_block * width,
                              start,
                              k_block == 0,
                              static_cast<std::uint32_t>(w.blocks())};
      if (is_fused && k_block + 1 == w.k_blocks()) {
        const code_range range = load_range<requantization::nearest>(p, args.c_flip);
        const auto function = block_rows == 4 ? lines_to_q8<4, Vectors> : lines_to_q8<1, Vectors>;
        function(line, columns, acc, p.factors + column, range, to, 4 * width);
      } else if (block_rows == 4) {
        lines_of_4<Vectors>(line, lines, acc);
      } else {
        lines_of_1<Vectors>(line, lines, acc);
      }
    }
    if (w.k_blocks() == 0) {
      for (index_t j = 0; j < columns; ++j) {
        for (index_t i = 0; i < width; ++i) acc[j * width + i] = start[j];
      }
    }
    if (p.kind == output_kind::q8) {
      if (!is_fused) quads_of_sums(p, acc, width, column, columns, args.c_flip, to, 4 * width);
      if (to == quads) rows_of_quads(p, quads, width, row, rows, column, columns);
    } else {
      write_sums(p, acc, width, row, rows, column, columns);
    }
  }
}

// --- blocks of 16x4 ---

/// Rows of one line of blocks: every row has `Sets` accumulators, for blocks in turn.
template <int Sets>
PARE_ALWAYS_INLINE void step_16(row_of_tile& sums, const std::uint8_t* a, __m512i flip,
                                const std::uint16_t* column, const row_of_tile& w) noexcept {
  multiply_add(sums.c0, broadcast4(a + 4 * index_t{column[0]}, flip), w.c0);
  if constexpr (Sets > 1) multiply_add(sums.c1, broadcast4(a + 4 * index_t{column[1]}, flip), w.c1);
  if constexpr (Sets > 2) multiply_add(sums.c2, broadcast4(a + 4 * index_t{column[2]}, flip), w.c2);
  if constexpr (Sets > 3) multiply_add(sums.c3, broadcast4(a + 4 * index_t{column[3]}, flip), w.c3);
}

template <int Rows, int Sets>
PARE_ALWAYS_INLINE void step_16(tile_of_rows& t, const std::uint8_t* a, index_t stride,
                                __m512i flip, const std::uint16_t* column,
                                const std::int8_t* weights) noexcept {
  const row_of_tile w = load_row<Sets>(weights);
  step_16<Sets>(t.r0, a, flip, column, w);
  if constexpr (Rows > 1) step_16<Sets>(t.r1, a + stride, flip, column, w);
  if constexpr (Rows > 2) step_16<Sets>(t.r2, a + 2 * stride, flip, column, w);
  if constexpr (Rows > 3) step_16<Sets>(t.r3, a + 3 * stride, flip, column, w);
  if constexpr (Rows > 4) step_16<Sets>(t.r4, a + 4 * stride, flip, column, w);
  if constexpr (Rows > 5) step_16<Sets>(t.r5, a + 5 * stride, flip, column, w);
  if constexpr (Rows > 6) step_16<Sets>(t.r6, a + 6 * stride, flip, column, w);
  if constexpr (Rows > 7) step_16<Sets>(t.r7, a + 7 * stride, flip, column, w);
}

template <int Sets>
PARE_ALWAYS_INLINE __m512i sum_of_sets(const row_of_tile& r) noexcept {
  if constexpr (Sets == 1) return r.c0;
  if constexpr (Sets == 2) return _mm512_add_epi32(r.c0, r.c1);
  return _mm512_add_epi32(_mm512_add_epi32(r.c0, r.c1), _mm512_add_epi32(r.c2, r.c3));
}

/// acc [Rows][16] += one line of 16x4 blocks.
template <int Rows>
void line_of_16(const gemm_s8_args& p, const std::uint8_t* a, index_t first_k,
                const std::uint16_t* column, const std::uint16_t* last, const std::int8_t* w,
                std::int32_t* acc) noexcept {
  constexpr int sets = Rows <= 4 ? 4 : 2;
  const __m512i flip = _mm512_set1_epi8(static_cast<char>(p.a_flip)), zero = _mm512_setzero_si512();
  const index_t stride = p.a_stride;
  tile_of_rows t;
  t.r0 = t.r1 = t.r2 = t.r3 = t.r4 = t.r5 = t.r6 = t.r7 = {zero, zero, zero, zero};
  // The group of inputs that a row ends within must not be read as a whole.
  const bool has_end = p.k % 4 != 0 && column != last && first_k + 4 * last[-1] + 4 > p.k;
  const std::uint16_t* whole = has_end ? last - 1 : last;
  const std::uint8_t* from = a + first_k;
  for (; whole - column >= sets; column += sets, w += 64 * sets)
    step_16<Rows, sets>(t, from, stride, flip, column, w);
  for (; column != whole; ++column, w += 64) step_16<Rows, 1>(t, from, stride, flip, column, w);
  const __m512i sums[8] = {sum_of_sets<sets>(t.r0), sum_of_sets<sets>(t.r1),
                           sum_of_sets<sets>(t.r2), sum_of_sets<sets>(t.r3),
                           sum_of_sets<sets>(t.r4), sum_of_sets<sets>(t.r5),
                           sum_of_sets<sets>(t.r6), sum_of_sets<sets>(t.r7)};
  PARE_UNROLL for (int i = 0; i < Rows; ++i) {
    __m512i sum = _mm512_add_epi32(_mm512_loadu_si512(acc + 16 * i), sums[i]);
    if (PARE_UNLIKELY(has_end)) {
      const std::uint32_t four = last_bytes(a + i * stride, p.k, p.k / 4);
      multiply_add(sum, _mm512_xor_si512(_mm512_set1_epi32(static_cast<std::int32_t>(four)), flip),
                   _mm512_loadu_si512(w));
    }
    _mm512_storeu_si512(acc + 16 * i, sum);
  }
}

using line_of_16_function = void (*)(const gemm_s8_args&, const std::uint8_t*, index_t,
                                     const std::uint16_t*, const std::uint16_t*, const std::int8_t*,
                                     std::int32_t*) noexcept;

inline void spmm_s8_of_16(const spmm_s8_args& args, const gemm_block& block) noexcept {
  constexpr line_of_16_function of_height[] = {line_of_16<1>, line_of_16<2>, line_of_16<3>,
                                               line_of_16<4>, line_of_16<5>, line_of_16<6>,
                                               line_of_16<7>, line_of_16<8>};
  constexpr index_t most = 8;
  const gemm_s8_args& p = args.product;
  const bcsr_view<std::int8_t>& w = args.weights;
  const index_t lines_count = w.block_rows_count();
  alignas(64) std::int32_t start[16], acc[(most + 3) * 16];
  for (index_t panel = block.first_panel; panel < block.last_panel; ++panel) {
    const index_t column = panel * 16;
    start_values(p, column, start);
    const __m512i starts = _mm512_load_si512(start);
    for (index_t row = block.first_row; row < block.last_row;) {
      const row_tiles cut = cut_rows(block.last_row - row, most);
      const index_t rows = cut.tall_rows;
      for (index_t i = 0; i < rows; ++i) _mm512_store_si512(acc + 16 * i, starts);
      for (index_t k_block = 0; k_block < w.k_blocks(); ++k_block) {
        const std::uint32_t* ends = w.block_offsets + k_block * lines_count + panel;
        of_height[rows - 1](p, p.a + row * p.a_stride, k_block * w.shape.k_block,
                            w.block_columns + ends[0], w.block_columns + ends[1],
                            w.values + index_t{ends[0]} * 64, acc);
      }
      write(p, acc, 16, row, rows, column, pare::detail::min<index_t>(16, p.columns - column));
      row += rows;
    }
  }
}

inline void spmm_s8(const spmm_s8_args& args, const gemm_block& block) noexcept {
  if (args.weights.shape.block_rows == 16) return spmm_s8_of_16(args, block);
  for (index_t row = block.first_row; row < block.last_row; row += pare::detail::panel_rows) {
    switch (width_of_panel(args, row)) {
      case 16: columns_of_weights<1>(args, block, row); break;
      case 32: columns_of_weights<2>(args, block, row); break;
      case 48: columns_of_weights<3>(args, block, row); break;
      default: columns_of_weights<4>(args, block, row);
    }
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx512vnni
PARE_TARGET_AVX512VNNI_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_SPMM_S8_AVX512VNNI_HPP
