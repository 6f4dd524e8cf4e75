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

/// 8 accumulators as integers before the zero point is added. What is too large for a code
/// saturates later; only too large floats are cut here, as vcvtps2dq makes the smallest integer of
/// them.
template <requantization Rule>
PARE_ALWAYS_INLINE __m256i scaled(const std::int32_t* acc, const column_scales& by,
                                  __m256 zero_point, __m256 high) noexcept {
  const __m256i x = load8(acc);
  if constexpr (Rule == requantization::double_rounding)
    return scale_double_rounding(x, by.multiplier, by.shift);
  if constexpr (Rule == requantization::single_rounding)
    return scale_single_rounding(x, by.multiplier, by.shift);
  __m256 y = rounded_product(_mm256_cvtepi32_ps(x), by.factor);
  if constexpr (Rule == requantization::onnx) y = _mm256_add_ps(y, zero_point);
  return _mm256_cvtps_epi32(_mm256_min_ps(y, high));
}

/// Two rows at a time. The buffer behind the last row is read, and what comes of it dropped.
///
/// Codes are packed as s8. Where they reach above 127 they are u8, and move by 128 on the way.
template <requantization Rule>
void write_q8(const gemm_s8_args& args, const std::int32_t* acc, index_t row, index_t rows,
              index_t column, index_t columns) noexcept {
  constexpr bool adds_first = Rule == requantization::onnx;
  constexpr bool in_float = adds_first || Rule == requantization::nearest;
  const std::int32_t flip = args.high > 127 ? 128 : 0;
  const __m256 float_zero_point = _mm256_set1_ps(static_cast<float>(args.zero_point));
  const __m256 float_high =
      _mm256_set1_ps(static_cast<float>(adds_first ? args.high : args.high - args.zero_point));
  const __m256i zero_point =
      _mm256_set1_epi16(static_cast<std::int16_t>((adds_first ? 0 : args.zero_point) - flip));
  const __m256i word_high = _mm256_set1_epi16(static_cast<std::int16_t>(args.high - flip));
  const __m256i low = _mm256_set1_epi8(static_cast<char>(args.low - flip));
  const __m256i flips = _mm256_set1_epi8(static_cast<char>(flip));
  // Packing works within 128 bits: each holds four codes of each vector.
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  const column_scales by0 = load_scales<Rule>(args, column);
  const column_scales by1 = load_scales<Rule>(args, column + 8);

  std::uint8_t* c = static_cast<std::uint8_t*>(args.c) + row * args.c_stride + column;
  for (; rows > 0; rows -= 2, acc += 2 * panel_columns) {
    const __m256i x0 = scaled<Rule>(acc, by0, float_zero_point, float_high);
    const __m256i x1 = scaled<Rule>(acc + 8, by1, float_zero_point, float_high);
    const __m256i x2 = scaled<Rule>(acc + 16, by0, float_zero_point, float_high);
    const __m256i x3 = scaled<Rule>(acc + 24, by1, float_zero_point, float_high);
    __m256i above = _mm256_adds_epi16(_mm256_packs_epi32(x0, x1), zero_point);
    __m256i below = _mm256_adds_epi16(_mm256_packs_epi32(x2, x3), zero_point);
    if constexpr (!in_float) {
      above = _mm256_min_epi16(above, word_high);
      below = _mm256_min_epi16(below, word_high);
    }
    const __m256i signed_codes = _mm256_max_epi8(_mm256_packs_epi16(above, below), low);
    const __m256i codes = _mm256_permutevar8x32_epi32(_mm256_xor_si256(signed_codes, flips), order);
    if (columns == panel_columns) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(c), _mm256_castsi256_si128(codes));
      c += args.c_stride;
      if (rows == 1) break;
      _mm_storeu_si128(reinterpret_cast<__m128i*>(c), _mm256_extracti128_si256(codes, 1));
      c += args.c_stride;
    } else {
      alignas(32) std::uint8_t of_rows[2 * panel_columns];
      _mm256_store_si256(reinterpret_cast<__m256i*>(of_rows), codes);
      for (index_t i = 0; i < 2 && i < rows; ++i, c += args.c_stride)
        std::memcpy(c, of_rows + i * panel_columns, static_cast<std::size_t>(columns));
    }
  }
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

using tile_function = void (*)(const gemm_s8_args&, const std::uint8_t* a, index_t a_stride,
                               const std::int8_t* w, const std::int32_t* start,
                               std::int32_t* out) noexcept;

/// Runs a kernel's tiles over a block: what AVX2 and AVX-VNNI have in common.
///
/// @param tiles   for 1, 2, ... most_rows rows, at most 6
/// @param offset  the zero point of the activations as the kernel multiplies them
inline void panels(const gemm_s8_args& args, const gemm_block& block, const tile_function* tiles,
                   index_t most_rows, std::int32_t offset) noexcept {
  alignas(32) std::int32_t start[panel_columns], buffer[7 * panel_columns];
  std::uint8_t narrow[6 * 4];
  for (index_t panel = block.first_panel; panel < block.last_panel; ++panel) {
    const std::int8_t* w = args.panels + panel * panel_bytes(args);
    const index_t column = panel * panel_columns;
    const index_t columns = pare::detail::min(panel_columns, args.columns - column);
    start_values(args, column, offset, start);
    for (index_t row = block.first_row; row < block.last_row;) {
      const row_tiles cut = cut_rows(rows_in_line(args, row, block.last_row), most_rows);
      const std::uint8_t* a = row_address(args, row);
      for (index_t i = 0; i < cut.tall + cut.low; ++i) {
        const index_t rows = i < cut.tall ? cut.tall_rows : cut.tall_rows - 1;
        const std::uint8_t* inputs = a;
        index_t stride = args.a_stride;
        if (PARE_UNLIKELY(args.k < 4)) {
          copy_narrow_rows(args, a, rows, narrow);
          inputs = narrow, stride = 4;
        }
        tiles[rows - 1](args, inputs, stride, w, start, buffer);
        write(args, buffer, row, rows, column, columns);
        a += rows * args.a_stride;
        row += rows;
      }
    }
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx2
PARE_TARGET_AVX2_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_WRITE_AVX2_HPP
