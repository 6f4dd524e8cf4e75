// From accumulators in L1 to values of C, on AVX2: shared by the AVX2 and AVX-VNNI kernels, whose
// panels have 16 columns.
#ifndef PARE_KERNELS_X86_WRITE_AVX2_HPP
#define PARE_KERNELS_X86_WRITE_AVX2_HPP

#include <cstring>

#include <pare/kernels/gemm_s8.hpp>
#include <pare/kernels/target_region.hpp>

#if PARE_X86_KERNELS

PARE_TARGET_AVX2_BEGIN
namespace pare::kernels::avx2 {
inline namespace PARE_ABI {

inline constexpr index_t panel_columns = 16;

PARE_ALWAYS_INLINE __m256i load8(const std::int32_t* p) noexcept {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
PARE_ALWAYS_INLINE void store8(std::int32_t* p, __m256i v) noexcept {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v);
}

/// Accumulators or weights of columns 0 to 7 and 8 to 15.
struct row_of_tile {
  __m256i c0, c1;
};
PARE_ALWAYS_INLINE row_of_tile load_row(const void* p) noexcept {
  const __m256i* at = static_cast<const __m256i*>(p);
  return {_mm256_loadu_si256(at), _mm256_loadu_si256(at + 1)};
}
PARE_ALWAYS_INLINE void store_row(std::int32_t* p, const row_of_tile& r) noexcept {
  store8(p, r.c0);
  store8(p + 8, r.c1);
}

/// Accumulators of up to 6 rows. Those beyond the tile's height stay unused.
struct tile_of_rows {
  row_of_tile r0, r1, r2, r3, r4, r5;
};
template <int Rows>
PARE_ALWAYS_INLINE void store_tile(std::int32_t* out, index_t stride,
                                   const tile_of_rows& t) noexcept {
  store_row(out, t.r0);
  if constexpr (Rows > 1) store_row(out + stride, t.r1);
  if constexpr (Rows > 2) store_row(out + 2 * stride, t.r2);
  if constexpr (Rows > 3) store_row(out + 3 * stride, t.r3);
  if constexpr (Rows > 4) store_row(out + 4 * stride, t.r4);
  if constexpr (Rows > 5) store_row(out + 5 * stride, t.r5);
}

/// Ones in the lanes below `left`.
PARE_ALWAYS_INLINE __m256i lanes(index_t left) noexcept {
  const std::int32_t n = static_cast<std::int32_t>(left < 8 ? left : 8);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

/// start = bias - offset * sum, for a panel.
inline void start_values(const gemm_s8_args& args, index_t column, std::int32_t offset,
                         std::int32_t* start) noexcept {
  for (index_t j = 0; j < panel_columns; j += 8) {
    const __m256i bias =
        args.bias_codes != nullptr ? load8(args.bias_codes + column + j) : _mm256_setzero_si256();
    const __m256i moved =
        _mm256_mullo_epi32(load8(args.sums + column + j), _mm256_set1_epi32(offset));
    store8(start + j, _mm256_sub_epi32(bias, moved));
  }
}

/// The product, rounded before anything is added to it: the barrier keeps the compiler from fusing
/// both.
PARE_ALWAYS_INLINE __m256 rounded_product(__m256 a, __m256 b) noexcept {
  __m256 p = _mm256_mul_ps(a, b);
  __asm__("" : "+x"(p));
  return p;
}

inline void write_s32(const gemm_s8_args& args, const std::int32_t* acc, index_t row, index_t rows,
                      index_t column, index_t columns) noexcept {
  for (index_t i = 0; i < rows; ++i, acc += panel_columns) {
    std::int32_t* c = static_cast<std::int32_t*>(args.c) + (row + i) * args.c_stride + column;
    for (index_t j = 0; j < columns; j += 8)
      _mm256_maskstore_epi32(c + j, lanes(columns - j), load8(acc + j));
  }
}

inline void write_f32(const gemm_s8_args& args, const std::int32_t* acc, index_t row, index_t rows,
                      index_t column, index_t columns) noexcept {
  const __m256 low = _mm256_set1_ps(args.clamp_low), high = _mm256_set1_ps(args.clamp_high);
  for (index_t i = 0; i < rows; ++i, acc += panel_columns) {
    float* c = static_cast<float*>(args.c) + (row + i) * args.c_stride + column;
    const __m256 row_scale =
        _mm256_set1_ps(args.row_scales != nullptr ? args.row_scales[row + i] : args.scale);
    const __m256i zero_point =
        _mm256_set1_epi32(args.row_zero_points != nullptr ? args.row_zero_points[row + i] : 0);
    for (index_t j = 0; j < columns; j += 8) {
      const __m256i correction = _mm256_mullo_epi32(zero_point, load8(args.sums + column + j));
      const __m256 exact = _mm256_cvtepi32_ps(_mm256_sub_epi32(load8(acc + j), correction));
      const __m256 scale =
          rounded_product(row_scale, _mm256_loadu_ps(args.column_scales + column + j));
      const __m256 y =
          _mm256_add_ps(rounded_product(exact, scale), _mm256_loadu_ps(args.bias + column + j));
      _mm256_maskstore_ps(c + j, lanes(columns - j), _mm256_min_ps(high, _mm256_max_ps(low, y)));
    }
  }
}

PARE_ALWAYS_INLINE __m256i odd_lanes(__m256i x) noexcept { return _mm256_srli_epi64(x, 32); }
PARE_ALWAYS_INLINE __m256i join_lanes(__m256i even, __m256i odd) noexcept {
  return _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa);
}

/// `scale_double_rounding` for 8 lanes.
PARE_ALWAYS_INLINE __m256i scale_double_rounding(__m256i x, __m256i multiplier,
                                                 __m256i shift) noexcept {
  const __m256i zero = _mm256_setzero_si256(), one = _mm256_set1_epi32(1);
  x = _mm256_sllv_epi32(x, _mm256_max_epi32(shift, zero));
  const __m256i half = _mm256_set1_epi64x(std::int64_t{1} << 30);
  // Results fit in 32 bits, so the low half of a logical shift is that of an arithmetic one.
  const __m256i even =
      _mm256_srli_epi64(_mm256_add_epi64(_mm256_mul_epi32(x, multiplier), half), 31);
  const __m256i odd = _mm256_srli_epi64(
      _mm256_add_epi64(_mm256_mul_epi32(odd_lanes(x), odd_lanes(multiplier)), half), 31);
  const __m256i high = join_lanes(even, odd);
  const __m256i right = _mm256_sub_epi32(zero, _mm256_min_epi32(shift, zero));
  const __m256i mask = _mm256_sub_epi32(_mm256_sllv_epi32(one, right), one);
  const __m256i remainder = _mm256_and_si256(high, mask);
  const __m256i threshold =
      _mm256_add_epi32(_mm256_srli_epi32(mask, 1), _mm256_srli_epi32(high, 31));
  // A comparison that holds is -1.
  return _mm256_sub_epi32(_mm256_srav_epi32(high, right), _mm256_cmpgt_epi32(remainder, threshold));
}

/// x >> by for 4 signed 64-bit lanes, which AVX2 has for unsigned ones only.
PARE_ALWAYS_INLINE __m256i shift_right_signed(__m256i x, __m256i by) noexcept {
  const __m256i sign = _mm256_set1_epi64x(INT64_MIN);
  return _mm256_sub_epi64(_mm256_srlv_epi64(_mm256_xor_si256(x, sign), by),
                          _mm256_srlv_epi64(sign, by));
}

/// `scale_single_rounding` for 8 lanes.
PARE_ALWAYS_INLINE __m256i scale_single_rounding(__m256i x, __m256i multiplier,
                                                 __m256i shift) noexcept {
  const __m256i total = _mm256_sub_epi32(_mm256_set1_epi32(31), shift);
  const __m256i one = _mm256_set1_epi64x(1);
  const __m256i total_even = _mm256_and_si256(total, _mm256_set1_epi64x(0xffffffff)),
                total_odd = odd_lanes(total);
  const __m256i round_even = _mm256_sllv_epi64(one, _mm256_sub_epi64(total_even, one));
  const __m256i round_odd = _mm256_sllv_epi64(one, _mm256_sub_epi64(total_odd, one));
  const __m256i even = _mm256_add_epi64(_mm256_mul_epi32(x, multiplier), round_even);
  const __m256i odd =
      _mm256_add_epi64(_mm256_mul_epi32(odd_lanes(x), odd_lanes(multiplier)), round_odd);
  return join_lanes(shift_right_signed(even, total_even), shift_right_signed(odd, total_odd));
}

/// What 8 columns need to be requantized.
struct column_scales {
  __m256 factor;
  __m256i multiplier, shift;
};

template <requantization Rule>
PARE_ALWAYS_INLINE column_scales load_scales(const gemm_s8_args& args, index_t column) noexcept {
  if constexpr (Rule == requantization::double_rounding ||
                Rule == requantization::single_rounding) {
    return {_mm256_setzero_ps(), load8(args.multipliers + column), load8(args.shifts + column)};
  } else {
    return {_mm256_loadu_ps(args.factors + column), _mm256_setzero_si256(), _mm256_setzero_si256()};
  }
}

/// What the codes of a whole output have in common.
///
/// Codes are packed as s8. Where they reach above 127 they are u8, and move by 128 on the way.
struct code_range {
  __m256 float_zero_point, float_high;
  __m256i zero_point, high;  ///< as words
  __m256i low, flip;         ///< as bytes
};

template <requantization Rule>
PARE_ALWAYS_INLINE code_range load_range(const gemm_s8_args& args) noexcept {
  constexpr bool adds_first = Rule == requantization::onnx;
  const std::int32_t flip = args.high > 127 ? 128 : 0;
  const std::int32_t moved = adds_first ? 0 : args.zero_point;
  code_range r;
  r.float_zero_point = _mm256_set1_ps(static_cast<float>(args.zero_point));
  r.float_high = _mm256_set1_ps(static_cast<float>(args.high - moved));
  r.zero_point = _mm256_set1_epi16(static_cast<std::int16_t>(moved - flip));
  r.high = _mm256_set1_epi16(static_cast<std::int16_t>(args.high - flip));
  r.low = _mm256_set1_epi8(static_cast<char>(args.low - flip));
  r.flip = _mm256_set1_epi8(static_cast<char>(flip));
  return r;
}

/// 8 accumulators as integers before the zero point is added. What is too large for a code
/// saturates later; only too large floats are cut here, as vcvtps2dq makes the smallest integer of
/// them.
template <requantization Rule>
PARE_ALWAYS_INLINE __m256i scaled(__m256i x, const column_scales& by,
                                  const code_range& range) noexcept {
  if constexpr (Rule == requantization::double_rounding)
    return scale_double_rounding(x, by.multiplier, by.shift);
  if constexpr (Rule == requantization::single_rounding)
    return scale_single_rounding(x, by.multiplier, by.shift);
  __m256 y = rounded_product(_mm256_cvtepi32_ps(x), by.factor);
  if constexpr (Rule == requantization::onnx) y = _mm256_add_ps(y, range.float_zero_point);
  return _mm256_cvtps_epi32(_mm256_min_ps(y, range.float_high));
}

/// 32 codes of two rows of scaled accumulators.
template <requantization Rule>
PARE_ALWAYS_INLINE __m256i to_codes(const row_of_tile& x, const row_of_tile& next,
                                    const code_range& range) noexcept {
  __m256i above = _mm256_adds_epi16(_mm256_packs_epi32(x.c0, x.c1), range.zero_point);
  __m256i below = _mm256_adds_epi16(_mm256_packs_epi32(next.c0, next.c1), range.zero_point);
  if constexpr (!is_float_rule(Rule)) {
    above = _mm256_min_epi16(above, range.high);
    below = _mm256_min_epi16(below, range.high);
  }
  const __m256i codes = _mm256_max_epi8(_mm256_packs_epi16(above, below), range.low);
  // Packing works within 128 bits: each holds four codes of each vector.
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  return _mm256_permutevar8x32_epi32(_mm256_xor_si256(codes, range.flip), order);
}

/// Two rows at a time. The buffer behind the last row is read, and what comes of it dropped.
template <requantization Rule>
void write_q8(const gemm_s8_args& args, const std::int32_t* acc, index_t row, index_t rows,
              index_t column, index_t columns) noexcept {
  const code_range range = load_range<Rule>(args);
  const column_scales by0 = load_scales<Rule>(args, column);
  const column_scales by1 = load_scales<Rule>(args, column + 8);
  std::uint8_t* c = static_cast<std::uint8_t*>(args.c) + row * args.c_stride + column;
  for (; rows > 0; rows -= 2, acc += 2 * panel_columns) {
    const row_of_tile x = {scaled<Rule>(load8(acc), by0, range),
                           scaled<Rule>(load8(acc + 8), by1, range)};
    const row_of_tile next = {scaled<Rule>(load8(acc + 16), by0, range),
                              scaled<Rule>(load8(acc + 24), by1, range)};
    alignas(32) std::uint8_t of_rows[2 * panel_columns];
    _mm256_store_si256(reinterpret_cast<__m256i*>(of_rows), to_codes<Rule>(x, next, range));
    for (index_t i = 0; i < 2 && i < rows; ++i, c += args.c_stride)
      std::memcpy(c, of_rows + i * panel_columns, static_cast<std::size_t>(columns));
  }
}

// --- tiles whose codes never leave the registers: full ones, by the commonest rule ---

/// Whether the factors of a panel are below 1, so that no product can be too large for an integer.
PARE_ALWAYS_INLINE bool are_below_one(const float* factors) noexcept {
  const __m256 one = _mm256_set1_ps(1.0f);
  return (_mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(factors), one, _CMP_NLT_UQ)) |
          _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(factors + 8), one, _CMP_NLT_UQ))) == 0;
}

PARE_ALWAYS_INLINE row_of_tile scaled_small(const row_of_tile& x, __m256 by0, __m256 by1) noexcept {
  return {_mm256_cvtps_epi32(_mm256_mul_ps(_mm256_cvtepi32_ps(x.c0), by0)),
          _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_cvtepi32_ps(x.c1), by1))};
}

/// Codes of two rows, or of one. Saturation is the only clamp above.
PARE_ALWAYS_INLINE void store_codes(std::uint8_t* c, index_t c_stride, bool has_second,
                                    const row_of_tile& x, const row_of_tile& next, __m256 by0,
                                    __m256 by1, const code_range& range) noexcept {
  const __m256i codes = to_codes<requantization::nearest>(scaled_small(x, by0, by1),
                                                          scaled_small(next, by0, by1), range);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(c), _mm256_castsi256_si128(codes));
  if (has_second) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(c + c_stride), _mm256_extracti128_si256(codes, 1));
  }
}

/// @param factors  of the tile's columns
template <int Rows>
PARE_ALWAYS_INLINE void store_tile_codes(const gemm_s8_args& args, const float* factors,
                                         std::uint8_t* c, const tile_of_rows& t) noexcept {
  const code_range range = load_range<requantization::nearest>(args);
  const __m256 by0 = _mm256_loadu_ps(factors), by1 = _mm256_loadu_ps(factors + 8);
  const index_t stride = args.c_stride;
  store_codes(c, stride, Rows > 1, t.r0, t.r1, by0, by1, range);
  if constexpr (Rows > 2)
    store_codes(c + 2 * stride, stride, Rows > 3, t.r2, t.r3, by0, by1, range);
  if constexpr (Rows > 4)
    store_codes(c + 4 * stride, stride, Rows > 5, t.r4, t.r5, by0, by1, range);
}

/// `rows` rows of accumulators, 16 apart, become values of C.
inline void write(const gemm_s8_args& args, const std::int32_t* acc, index_t row, index_t rows,
                  index_t column, index_t columns) noexcept {
  switch (args.kind) {
    case output_kind::s32: return write_s32(args, acc, row, rows, column, columns);
    case output_kind::f32: return write_f32(args, acc, row, rows, column, columns);
    case output_kind::q8: break;
  }
  switch (args.rule) {
    case requantization::nearest:
      return write_q8<requantization::nearest>(args, acc, row, rows, column, columns);
    case requantization::onnx:
      return write_q8<requantization::onnx>(args, acc, row, rows, column, columns);
    case requantization::double_rounding:
      return write_q8<requantization::double_rounding>(args, acc, row, rows, column, columns);
    case requantization::single_rounding:
      return write_q8<requantization::single_rounding>(args, acc, row, rows, column, columns);
  }
}

/// `count` tiles below each other, as accumulators `out_stride` apart.
using tile_function = void (*)(const gemm_s8_args&, const std::uint8_t* a, index_t a_stride,
                               index_t count, const std::int8_t* w, const std::int32_t* start,
                               std::int32_t* out, index_t out_stride) noexcept;
/// The same, as codes in C.
using tile_q8_function = void (*)(const gemm_s8_args&, const std::uint8_t* a, index_t a_stride,
                                  index_t count, const std::int8_t* w, const std::int32_t* start,
                                  const float* factors, std::uint8_t* c) noexcept;

/// The tiles of one kernel.
struct kernel_tiles {
  index_t most_rows;                  ///< at most 6
  const tile_function* accumulators;  ///< for 1, 2, ... most_rows rows
  const tile_q8_function* codes;      ///< for most_rows - 1 and most_rows; null: none
};

/// Runs a kernel's tiles over a block: what AVX2 and AVX-VNNI have in common.
///
/// @param offset  the zero point of the activations as the kernel multiplies them
inline void panels(const gemm_s8_args& args, const gemm_block& block, const kernel_tiles& tiles,
                   std::int32_t offset) noexcept {
  alignas(32) std::int32_t start[panel_columns], buffer[7 * panel_columns];
  std::uint8_t narrow[6 * 4];
  for (index_t panel = block.first_panel; panel < block.last_panel; ++panel) {
    const std::int8_t* w = args.panels + panel * panel_bytes(args);
    const index_t column = panel * panel_columns;
    const index_t columns = pare::detail::min(panel_columns, args.columns - column);
    start_values(args, column, offset, start);
    const bool is_whole = columns == panel_columns && args.k >= 4;
    const bool is_direct = is_whole && args.kind == output_kind::s32;
    const bool is_fused = is_whole && args.kind == output_kind::q8 && tiles.codes != nullptr &&
                          args.rule == requantization::nearest && is_bounded_by_type(args) &&
                          are_below_one(args.factors + column);
    for (index_t row = block.first_row; row < block.last_row;) {
      const row_tiles cut = cut_rows(rows_in_line(args, row, block.last_row), tiles.most_rows);
      const std::uint8_t* a = row_address(args, row);
      for (index_t rows = cut.tall_rows; rows >= cut.tall_rows - 1; --rows) {
        index_t count = rows == cut.tall_rows ? cut.tall : cut.low;
        if (count == 0) continue;
        const index_t at = row * args.c_stride + column;
        const tile_function accumulators = tiles.accumulators[rows - 1];
        row += count * rows;
        if (is_fused && rows >= tiles.most_rows - 1) {
          tiles.codes[rows - tiles.most_rows + 1](args, a, args.a_stride, count, w, start,
                                                  args.factors + column,
                                                  static_cast<std::uint8_t*>(args.c) + at);
          a += count * rows * args.a_stride;
        } else if (is_direct) {
          accumulators(args, a, args.a_stride, count, w, start,
                       static_cast<std::int32_t*>(args.c) + at, args.c_stride);
          a += count * rows * args.a_stride;
        } else {
          for (index_t done = row - count * rows; count > 0; --count, done += rows) {
            const std::uint8_t* inputs = a;
            index_t stride = args.a_stride;
            if (PARE_UNLIKELY(args.k < 4)) {
              copy_narrow_rows(args, a, rows, 4, narrow);
              inputs = narrow, stride = 4;
            }
            accumulators(args, inputs, stride, 1, w, start, buffer, panel_columns);
            write(args, buffer, done, rows, column, columns);
            a += rows * args.a_stride;
          }
        }
      }
    }
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx2
PARE_TARGET_AVX2_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_WRITE_AVX2_HPP
