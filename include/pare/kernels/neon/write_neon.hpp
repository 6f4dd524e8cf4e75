// From accumulators in L1 to values of C, on NEON: shared by the matrix kernels of ARM, whose panels
// have 16 columns. On 32-bit ARM what needs floats is scalar: NEON flushes denormals there.
#ifndef PARE_KERNELS_NEON_WRITE_NEON_HPP
#define PARE_KERNELS_NEON_WRITE_NEON_HPP

#include <cstring>

#include <pare/kernels/scalar/gemm_s8.hpp>
#include <pare/kernels/target_region.hpp>

#if PARE_NEON_KERNELS || PARE_NEON32_KERNELS

namespace pare::kernels::neon {
inline namespace PARE_ABI {

inline constexpr index_t panel_columns = 16;

/// Accumulators of 16 columns.
struct row_of_tile {
  int32x4_t c0, c1, c2, c3;
};
PARE_ALWAYS_INLINE row_of_tile load_row(const std::int32_t* p) noexcept {
  return {vld1q_s32(p), vld1q_s32(p + 4), vld1q_s32(p + 8), vld1q_s32(p + 12)};
}
PARE_ALWAYS_INLINE void store_row(std::int32_t* p, const row_of_tile& r) noexcept {
  vst1q_s32(p, r.c0);
  vst1q_s32(p + 4, r.c1);
  vst1q_s32(p + 8, r.c2);
  vst1q_s32(p + 12, r.c3);
}

/// x + y and x - y * z, modulo 2^32. GCC's intrinsics for signed numbers are its signed arithmetic,
/// which must not overflow.
PARE_ALWAYS_INLINE int32x4_t wrapping_add(int32x4_t x, int32x4_t y) noexcept {
  return vreinterpretq_s32_u32(vaddq_u32(vreinterpretq_u32_s32(x), vreinterpretq_u32_s32(y)));
}
PARE_ALWAYS_INLINE int32x4_t wrapping_multiply_subtract(int32x4_t x, int32x4_t y,
                                                        int32x4_t z) noexcept {
  return vreinterpretq_s32_u32(
      vmlsq_u32(vreinterpretq_u32_s32(x), vreinterpretq_u32_s32(y), vreinterpretq_u32_s32(z)));
}

/// Products of the upper halves, and sums of neighbours in x and then in y: instructions of 64-bit
/// ARM.
PARE_ALWAYS_INLINE int16x8_t multiply_high(int8x16_t x, int8x16_t y) noexcept {
#if PARE_NEON_KERNELS
  return vmull_high_s8(x, y);
#else
  return vmull_s8(vget_high_s8(x), vget_high_s8(y));
#endif
}
PARE_ALWAYS_INLINE int16x8_t multiply_add_high(int16x8_t c, int8x16_t x, int8x16_t y) noexcept {
#if PARE_NEON_KERNELS
  return vmlal_high_s8(c, x, y);
#else
  return vmlal_s8(c, vget_high_s8(x), vget_high_s8(y));
#endif
}
PARE_ALWAYS_INLINE int32x4_t add_pairs(int32x4_t x, int32x4_t y) noexcept {
#if PARE_NEON_KERNELS
  return vpaddq_s32(x, y);
#else
  return vcombine_s32(vpadd_s32(vget_low_s32(x), vget_high_s32(x)),
                      vpadd_s32(vget_low_s32(y), vget_high_s32(y)));
#endif
}

PARE_ALWAYS_INLINE int16x8_t add_pairs(int16x8_t x, int16x8_t y) noexcept {
#if PARE_NEON_KERNELS
  return vpaddq_s16(x, y);
#else
  return vcombine_s16(vpadd_s16(vget_low_s16(x), vget_high_s16(x)),
                      vpadd_s16(vget_low_s16(y), vget_high_s16(y)));
#endif
}

/// start = bias - offset * sum, for a panel.
inline void start_values(const gemm_s8_args& args, index_t column, std::int32_t offset,
                         std::int32_t* start) noexcept {
  for (index_t j = 0; j < panel_columns; j += 4) {
    const int32x4_t bias =
        args.bias_codes != nullptr ? vld1q_s32(args.bias_codes + column + j) : vdupq_n_s32(0);
    vst1q_s32(start + j, wrapping_multiply_subtract(bias, vld1q_s32(args.sums + column + j),
                                                    vdupq_n_s32(offset)));
  }
}

#if PARE_NEON_KERNELS
/// The product, rounded before anything is added to it: the barrier keeps the compiler from fusing
/// both.
PARE_ALWAYS_INLINE float32x4_t rounded_product(float32x4_t a, float32x4_t b) noexcept {
  float32x4_t p = vmulq_f32(a, b);
  __asm__("" : "+w"(p));
  return p;
}

#endif

/// Rows of C that are not whole panels wide pass through memory of their own.
template <class T>
PARE_ALWAYS_INLINE void copy_columns(T* c, const T* from, index_t columns) noexcept {
  std::memcpy(c, from, static_cast<std::size_t>(columns) * sizeof(T));
}

inline void write_s32(const gemm_s8_args& args, const std::int32_t* acc, index_t row, index_t rows,
                      index_t column, index_t columns) noexcept {
  std::int32_t* c = static_cast<std::int32_t*>(args.c) + row * args.c_stride + column;
  for (index_t i = 0; i < rows; ++i, acc += panel_columns, c += args.c_stride)
    copy_columns(c, acc, columns);
}

#if PARE_NEON_KERNELS
/// Comparisons rather than vmaxq and vminq, which take +0 for larger than -0.
PARE_ALWAYS_INLINE float32x4_t clamp(float32x4_t x, float32x4_t low, float32x4_t high) noexcept {
  x = vbslq_f32(vcltq_f32(x, low), low, x);
  return vbslq_f32(vcltq_f32(high, x), high, x);
}

inline void write_f32(const gemm_s8_args& args, const std::int32_t* acc, index_t row, index_t rows,
                      index_t column, index_t columns) noexcept {
  const float32x4_t low = vdupq_n_f32(args.clamp_low), high = vdupq_n_f32(args.clamp_high);
  for (index_t j = 0; j < columns; j += 4) {
    const int32x4_t sums = vld1q_s32(args.sums + column + j);
    const float32x4_t scales = vld1q_f32(args.column_scales + column + j);
    const float32x4_t bias = vld1q_f32(args.bias + column + j);
    float* c = static_cast<float*>(args.c) + row * args.c_stride + column + j;
    for (index_t i = 0; i < rows; ++i, c += args.c_stride) {
      const float row_scale = args.row_scales != nullptr ? args.row_scales[row + i] : args.scale;
      const std::int32_t zero_point =
          args.row_zero_points != nullptr ? args.row_zero_points[row + i] : 0;
      const int32x4_t exact = wrapping_multiply_subtract(vld1q_s32(acc + i * panel_columns + j),
                                                         sums, vdupq_n_s32(zero_point));
      const float32x4_t scale = rounded_product(vdupq_n_f32(row_scale), scales);
      const float32x4_t y = vaddq_f32(rounded_product(vcvtq_f32_s32(exact), scale), bias);
      const float32x4_t clamped = clamp(y, low, high);
      if (PARE_LIKELY(columns - j >= 4)) {
        vst1q_f32(c, clamped);
      } else {
        float of_row[4];
        vst1q_f32(of_row, clamped);
        copy_columns(c, of_row, columns - j);
      }
    }
  }
}

#endif

/// `scale_double_rounding` for 4 lanes: gemmlowp's way on NEON. SQRDMULH is the high half with ties
/// up; SRSHL rounds ties up, and negative numbers move by one towards smaller ones before it.
PARE_ALWAYS_INLINE int32x4_t scale_double_rounding(int32x4_t x, int32x4_t multiplier,
                                                   int32x4_t shift) noexcept {
  const int32x4_t zero = vdupq_n_s32(0);
  const int32x4_t right = vminq_s32(shift, zero);
  x = vqrdmulhq_s32(vshlq_s32(x, vmaxq_s32(shift, zero)), multiplier);
  const int32x4_t below = vshrq_n_s32(vandq_s32(x, right), 31);
  return vrshlq_s32(vqaddq_s32(x, below), right);
}

/// `scale_single_rounding` for 4 lanes.
PARE_ALWAYS_INLINE int32x4_t scale_single_rounding(int32x4_t x, int32x4_t multiplier,
                                                   int32x4_t shift) noexcept {
  const int32x4_t right = vsubq_s32(shift, vdupq_n_s32(31));
  const int64x2_t low = vrshlq_s64(vmull_s32(vget_low_s32(x), vget_low_s32(multiplier)),
                                   vmovl_s32(vget_low_s32(right)));
  const int64x2_t high = vrshlq_s64(vmull_s32(vget_high_s32(x), vget_high_s32(multiplier)),
                                    vmovl_s32(vget_high_s32(right)));
  return vcombine_s32(vmovn_s64(low), vmovn_s64(high));
}

/// What 4 columns need to be requantized.
struct column_scales {
  float32x4_t factor;
  int32x4_t multiplier, shift;
};

template <requantization Rule>
PARE_ALWAYS_INLINE column_scales load_scales(const gemm_s8_args& args, index_t column) noexcept {
  if constexpr (Rule == requantization::double_rounding ||
                Rule == requantization::single_rounding) {
    return {vdupq_n_f32(0.0f), vld1q_s32(args.multipliers + column),
            vld1q_s32(args.shifts + column)};
  } else {
    return {vld1q_f32(args.factors + column), vdupq_n_s32(0), vdupq_n_s32(0)};
  }
}

/// 4 accumulators as integers before the zero point is added. What is too large for a code saturates
/// later, and FCVTNS saturates too.
template <requantization Rule>
PARE_ALWAYS_INLINE int32x4_t scaled(int32x4_t x, const column_scales& by,
                                    [[maybe_unused]] float32x4_t zero_point) noexcept {
  if constexpr (Rule == requantization::double_rounding)
    return scale_double_rounding(x, by.multiplier, by.shift);
  if constexpr (Rule == requantization::single_rounding)
    return scale_single_rounding(x, by.multiplier, by.shift);
#if PARE_NEON_KERNELS
  float32x4_t y = rounded_product(vcvtq_f32_s32(x), by.factor);
  if constexpr (Rule == requantization::onnx) y = vaddq_f32(y, zero_point);
  return vcvtnq_s32_f32(y);
#endif
}

/// What follows the scaling, for all columns alike.
struct code_range {
  int16x8_t zero_point, low, high;
  float32x4_t float_zero_point;
};
template <requantization Rule>
PARE_ALWAYS_INLINE code_range load_range(const gemm_s8_args& args) noexcept {
  const std::int32_t moved = Rule == requantization::onnx ? 0 : args.zero_point;
  return {vdupq_n_s16(static_cast<std::int16_t>(moved)),
          vdupq_n_s16(static_cast<std::int16_t>(args.low)),
          vdupq_n_s16(static_cast<std::int16_t>(args.high)),
          vdupq_n_f32(static_cast<float>(args.zero_point))};
}

/// 8 accumulators as codes, signed or not, in the low bytes.
template <requantization Rule>
PARE_ALWAYS_INLINE int16x8_t to_codes(int32x4_t left, int32x4_t right, const column_scales& by_left,
                                      const column_scales& by_right,
                                      const code_range& range) noexcept {
  const int16x8_t words =
      vcombine_s16(vqmovn_s32(scaled<Rule>(left, by_left, range.float_zero_point)),
                   vqmovn_s32(scaled<Rule>(right, by_right, range.float_zero_point)));
  return vminq_s16(vmaxq_s16(vqaddq_s16(words, range.zero_point), range.low), range.high);
}

template <requantization Rule>
void write_q8(const gemm_s8_args& args, const std::int32_t* acc, index_t row, index_t rows,
              index_t column, index_t columns) noexcept {
  const code_range range = load_range<Rule>(args);
  const column_scales by0 = load_scales<Rule>(args, column);
  const column_scales by1 = load_scales<Rule>(args, column + 4);
  const column_scales by2 = load_scales<Rule>(args, column + 8);
  const column_scales by3 = load_scales<Rule>(args, column + 12);
  std::uint8_t* c = static_cast<std::uint8_t*>(args.c) + row * args.c_stride + column;
  for (index_t i = 0; i < rows; ++i, acc += panel_columns, c += args.c_stride) {
    const row_of_tile r = load_row(acc);
    const int16x8_t left = to_codes<Rule>(r.c0, r.c1, by0, by1, range);
    const int16x8_t right = to_codes<Rule>(r.c2, r.c3, by2, by3, range);
    const uint8x16_t codes = vcombine_u8(vmovn_u16(vreinterpretq_u16_s16(left)),
                                         vmovn_u16(vreinterpretq_u16_s16(right)));
    if (columns == panel_columns) {
      vst1q_u8(c, codes);
    } else {
      std::uint8_t of_row[panel_columns];
      vst1q_u8(of_row, codes);
      copy_columns(c, of_row, columns);
    }
  }
}

#if PARE_NEON32_KERNELS
inline void write_each(const gemm_s8_args& args, const std::int32_t* acc, index_t row, index_t rows,
                       index_t column, index_t columns) noexcept {
  for (index_t i = 0; i < rows; ++i) {
    for (index_t j = 0; j < columns; ++j)
      scalar::store(args, row + i, column + j, acc[i * panel_columns + j]);
  }
}
#endif

/// `rows` rows of accumulators, 16 apart, become values of C.
inline void write(const gemm_s8_args& args, const std::int32_t* acc, index_t row, index_t rows,
                  index_t column, index_t columns) noexcept {
  switch (args.kind) {
    case output_kind::s32: return write_s32(args, acc, row, rows, column, columns);
#if PARE_NEON_KERNELS
    case output_kind::f32: return write_f32(args, acc, row, rows, column, columns);
#else
    case output_kind::f32: return write_each(args, acc, row, rows, column, columns);
#endif
    case output_kind::q8: break;
  }
  switch (args.rule) {
#if PARE_NEON_KERNELS
    case requantization::nearest:
      return write_q8<requantization::nearest>(args, acc, row, rows, column, columns);
    case requantization::onnx:
      return write_q8<requantization::onnx>(args, acc, row, rows, column, columns);
#else
    case requantization::nearest:
    case requantization::onnx: return write_each(args, acc, row, rows, column, columns);
#endif
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

/// The tiles of one kernel.
struct kernel_tiles {
  const tile_function* of_height;  ///< for 1, 2, ... most_rows rows
  index_t most_rows;               ///< at most 6
  index_t row_multiple;            ///< 2: a tile of an odd height costs as much as one row more
  index_t k_block;                 ///< bytes of a row that are read at once, at most 16
};

/// `count` tiles of `rows` rows.
struct tiles_of_height {
  index_t rows, count;
};

/// A cut of rows into tiles, in this order.
struct tile_heights {
  tiles_of_height part[3];
};

/// As few and as even as possible, and multiples of `kernel.row_multiple` but for the last one.
constexpr tile_heights cut_rows(index_t rows, const kernel_tiles& kernel) noexcept {
  const index_t multiple = kernel.row_multiple, padded = pare::detail::round_up(rows, multiple);
  const row_tiles cut = kernels::cut_rows(padded / multiple, kernel.most_rows / multiple);
  tile_heights heights{
      {{cut.tall_rows * multiple, cut.tall}, {(cut.tall_rows - 1) * multiple, cut.low}, {0, 0}}};
  if (padded > rows) {
    tiles_of_height& last = heights.part[cut.low > 0 ? 1 : 0];
    --last.count;
    heights.part[2] = {last.rows - (padded - rows), 1};
  }
  return heights;
}

/// Runs a kernel's tiles over a block: what the kernels of ARM have in common.
///
/// Whole tiles of s32 go straight to C; all else passes through a buffer in L1.
///
/// @param panel_bytes  from panel to panel
/// @param offset       the zero point of the activations as the kernel multiplies them
inline void panels(const gemm_s8_args& args, const gemm_block& block, const kernel_tiles& kernel,
                   index_t panel_bytes, std::int32_t offset) noexcept {
  constexpr index_t buffer_rows = 48;
  std::int32_t start[panel_columns], buffer[buffer_rows * panel_columns];
  std::uint8_t narrow[buffer_rows * 16];
  for (index_t panel = block.first_panel; panel < block.last_panel; ++panel) {
    const std::int8_t* w = args.panels + panel * panel_bytes;
    const index_t column = panel * panel_columns;
    const index_t columns = pare::detail::min(panel_columns, args.columns - column);
    start_values(args, column, offset, start);
    const bool is_direct =
        columns == panel_columns && args.k >= kernel.k_block && args.kind == output_kind::s32;
    for (index_t row = block.first_row; row < block.last_row;) {
      const tile_heights heights = cut_rows(rows_in_line(args, row, block.last_row), kernel);
      const std::uint8_t* a = row_address(args, row);
      for (const tiles_of_height& part : heights.part) {
        const index_t rows = part.rows;
        if (part.count == 0) continue;
        const tile_function tile = kernel.of_height[rows - 1];
        if (is_direct) {
          tile(args, a, args.a_stride, part.count, w, start,
               static_cast<std::int32_t*>(args.c) + row * args.c_stride + column, args.c_stride);
          a += part.count * rows * args.a_stride;
          row += part.count * rows;
          continue;
        }
        for (index_t left = part.count; left > 0;) {
          const index_t count = pare::detail::min(left, buffer_rows / rows);
          const std::uint8_t* inputs = a;
          index_t stride = args.a_stride;
          if (PARE_UNLIKELY(args.k < kernel.k_block)) {
            copy_narrow_rows(args, a, count * rows, kernel.k_block, narrow);
            inputs = narrow, stride = kernel.k_block;
          }
          tile(args, inputs, stride, count, w, start, buffer, panel_columns);
          write(args, buffer, row, count * rows, column, columns);
          row += count * rows;
          a += count * rows * args.a_stride;
          left -= count;
        }
      }
    }
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::neon

#endif  // PARE_NEON_KERNELS || PARE_NEON32_KERNELS
#endif  // PARE_KERNELS_NEON_WRITE_NEON_HPP
