// The matrix product with grouped weights on 64-bit ARM: tiles of up to 3 rows by 16 columns, and
// what the kernels with and without SDOT have in common.
//
// Integer products are of unsigned bytes: codes as they are, weights moved up by their least code,
// which the sum of the codes takes back. 4-bit weights are so small that UMLAL can add 17 products in
// 16 bits. Bound: UMLAL for 8 products of 4 bits; UMULL and UADALP for 8 of 8 bits; in floats SSHR,
// SUB and SCVTF for the weights and FMUL and FADD for each row, which must not be fused.
#ifndef PARE_KERNELS_NEON_GEMM_GROUPED_3X16C4_NEON_HPP
#define PARE_KERNELS_NEON_GEMM_GROUPED_3X16C4_NEON_HPP

#include <pare/kernels/gemm_grouped.hpp>
#include <pare/kernels/neon/write_neon.hpp>

#if PARE_NEON_KERNELS

namespace pare::kernels::neon {
inline namespace PARE_ABI {

// --- scales, zero points, results ---

/// 16 columns, in floats.
struct row_of_floats {
  float32x4_t c0, c1, c2, c3;
};
PARE_ALWAYS_INLINE row_of_floats no_floats() noexcept {
  const float32x4_t zero = vdupq_n_f32(0.0f);
  return {zero, zero, zero, zero};
}

PARE_ALWAYS_INLINE row_of_floats load_scales(const std::uint8_t* p) noexcept {
  const float16x8_t left = vreinterpretq_f16_u8(vld1q_u8(p)),
                    right = vreinterpretq_f16_u8(vld1q_u8(p + 16));
  return {vcvt_f32_f16(vget_low_f16(left)), vcvt_high_f32_f16(left),
          vcvt_f32_f16(vget_low_f16(right)), vcvt_high_f32_f16(right)};
}

/// Zero points, none where `p` is null.
template <int Bits>
PARE_ALWAYS_INLINE row_of_tile load_zero_points(const std::uint8_t* p) noexcept {
  if (p == nullptr) {
    const int32x4_t zero = vdupq_n_s32(0);
    return {zero, zero, zero, zero};
  }
  int8x16_t bytes = vreinterpretq_s8_u8(vld1q_u8(p));
  if constexpr (Bits == 4) bytes = vshrq_n_s8(bytes, 4);
  const int16x8_t left = vmovl_s8(vget_low_s8(bytes)), right = vmovl_high_s8(bytes);
  return {vmovl_s16(vget_low_s16(left)), vmovl_high_s16(left), vmovl_s16(vget_low_s16(right)),
          vmovl_high_s16(right)};
}

/// f += x * y, both rounded.
PARE_ALWAYS_INLINE void multiply_then_add(float32x4_t& f, float32x4_t x, float32x4_t y) noexcept {
  f = vaddq_f32(f, rounded_product(x, y));
}
PARE_ALWAYS_INLINE void multiply_then_add(row_of_floats& f, const row_of_floats& x,
                                          const row_of_floats& y) noexcept {
  multiply_then_add(f.c0, x.c0, y.c0);
  multiply_then_add(f.c1, x.c1, y.c1);
  multiply_then_add(f.c2, x.c2, y.c2);
  multiply_then_add(f.c3, x.c3, y.c3);
}

/// y = clamp(sums), for a row.
inline void write_row(const gemm_grouped_args& args, index_t row, const row_of_floats& y,
                      index_t column, index_t columns) noexcept {
  const float32x4_t low = vdupq_n_f32(args.clamp_low), high = vdupq_n_f32(args.clamp_high);
  float* c = args.c + row * args.c_stride + column;
  float values[panel_columns];
  float* to = columns == panel_columns ? c : values;
  vst1q_f32(to, clamp(y.c0, low, high));
  vst1q_f32(to + 4, clamp(y.c1, low, high));
  vst1q_f32(to + 8, clamp(y.c2, low, high));
  vst1q_f32(to + 12, clamp(y.c3, low, high));
  if (columns < panel_columns) copy_columns(c, values, columns);
}

PARE_ALWAYS_INLINE void write_floating(const gemm_grouped_args& args, index_t row,
                                       const row_of_floats& sums, index_t column,
                                       index_t columns) noexcept {
  const float* bias = args.layer.bias + column;
  write_row(args, row,
            {vaddq_f32(sums.c0, vld1q_f32(bias)), vaddq_f32(sums.c1, vld1q_f32(bias + 4)),
             vaddq_f32(sums.c2, vld1q_f32(bias + 8)), vaddq_f32(sums.c3, vld1q_f32(bias + 12))},
            column, columns);
}

PARE_ALWAYS_INLINE void write_integer(const gemm_grouped_args& args, index_t row,
                                      const row_of_floats& sums, index_t column,
                                      index_t columns) noexcept {
  const float32x4_t zero_point = vdupq_n_f32(static_cast<float>(args.row_zero_points[row]));
  const float32x4_t scale = vdupq_n_f32(args.row_scales[row]);
  const float* weights = args.layer.sums + column;
  const auto real = [&](float32x4_t sum, index_t j) {
    const float32x4_t moved = vsubq_f32(sum, rounded_product(zero_point, vld1q_f32(weights + j)));
    return rounded_product(moved, scale);
  };
  write_floating(args, row,
                 {real(sums.c0, 0), real(sums.c1, 4), real(sums.c2, 8), real(sums.c3, 12)}, column,
                 columns);
}

// --- integer ---

/// The sum of a group's codes; of 128 at the most.
PARE_ALWAYS_INLINE std::int32_t sum_of_codes(const std::uint8_t* a, index_t group) noexcept {
  uint16x8_t sums = vdupq_n_u16(0);
  for (index_t i = 0; i < group; i += 16) sums = vpadalq_u8(sums, vld1q_u8(a + i));
  return static_cast<std::int32_t>(vaddlvq_u16(sums));
}

/// The unsigned weights of 4 columns in a plane of 16 bytes.
template <int Bits, int Plane>
PARE_ALWAYS_INLINE uint8x16_t unsigned_plane(uint8x16_t fields) noexcept {
  if constexpr (Bits == 8) return veorq_u8(fields, vdupq_n_u8(0x80));
  fields = veorq_u8(fields, vdupq_n_u8(0x88));
  return Plane == 0 ? vandq_u8(fields, vdupq_n_u8(0x0f)) : vshrq_n_u8(fields, 4);
}

/// Sums of a group for up to 3 rows.
struct group_tile {
  row_of_tile r0, r1, r2;
};

/// f += (sums - moved zero points * sum of codes) * scales.
PARE_ALWAYS_INLINE void add_group(row_of_floats& f, const row_of_tile& sums,
                                  const row_of_tile& zero_points, std::int32_t code_sum,
                                  const row_of_floats& scales) noexcept {
  const int32x4_t by = vdupq_n_s32(code_sum);
  const auto exact = [by](int32x4_t sum, int32x4_t zero_point) {
    return vcvtq_f32_s32(wrapping_multiply_subtract(sum, zero_point, by));
  };
  multiply_then_add(f,
                    {exact(sums.c0, zero_points.c0), exact(sums.c1, zero_points.c1),
                     exact(sums.c2, zero_points.c2), exact(sums.c3, zero_points.c3)},
                    scales);
}

/// Rows [row, row + Rows) of 16 columns. Always inlined, and so compiled for the instruction set of
/// its caller.
///
/// @tparam Dot  adds the products of a group
template <class Dot, int Bits, int Rows>
PARE_ALWAYS_INLINE void integer_tile(const gemm_grouped_args& args, index_t row, grouped_panel p,
                                     index_t column, index_t columns) noexcept {
  const packed_grouped_linear_view& layer = args.layer;
  const index_t stride = args.code_stride, groups = layer.groups();
  const index_t to_next_group = layer.group_bytes() * panel_columns;
  const int32x4_t least = vdupq_n_s32(1 << (Bits - 1)), zero = vdupq_n_s32(0);
  row_of_floats f0 = no_floats(), f1 = f0, f2 = f0;
  const std::uint8_t* a = args.codes + row * stride;
  for (index_t g = 0; g < groups; ++g, a += layer.group) {
    group_tile t;
    t.r0 = {zero, zero, zero, zero};
    t.r1 = t.r2 = t.r0;
    Dot::template add_products<Bits, Rows>(t, a, stride, p.blocks, layer.group);
    row_of_tile moved =
        load_zero_points<Bits>(layer.has_zero_points != 0 ? p.zero_points : nullptr);
    moved = {vaddq_s32(moved.c0, least), vaddq_s32(moved.c1, least), vaddq_s32(moved.c2, least),
             vaddq_s32(moved.c3, least)};
    const row_of_floats scales = load_scales(p.scales);
    add_group(f0, t.r0, moved, sum_of_codes(a, layer.group), scales);
    if constexpr (Rows > 1)
      add_group(f1, t.r1, moved, sum_of_codes(a + stride, layer.group), scales);
    if constexpr (Rows > 2)
      add_group(f2, t.r2, moved, sum_of_codes(a + 2 * stride, layer.group), scales);
    p.blocks += to_next_group, p.scales += to_next_group, p.zero_points += to_next_group;
  }
  write_integer(args, row, f0, column, columns);
  if constexpr (Rows > 1) write_integer(args, row + 1, f1, column, columns);
  if constexpr (Rows > 2) write_integer(args, row + 2, f2, column, columns);
}

/// Products without SDOT.
struct group_words {
  /// Sums of products of 16 columns in 16 bits, four for each.
  struct words {
    uint16x8_t c0, c1, c2, c3, c4, c5, c6, c7;
  };
  static PARE_ALWAYS_INLINE uint8x16_t broadcast4(const std::uint8_t* a) noexcept {
    std::uint32_t four;
    std::memcpy(&four, a, 4);
    return vreinterpretq_u8_u32(vdupq_n_u32(four));
  }
  static PARE_ALWAYS_INLINE void multiply_add(uint16x8_t& low, uint16x8_t& high, uint8x16_t a,
                                              uint8x16_t w) noexcept {
    low = vmlal_u8(low, vget_low_u8(w), vget_low_u8(a));
    high = vmlal_high_u8(high, w, a);
  }
  static PARE_ALWAYS_INLINE int32x4_t sums_of(uint16x8_t low, uint16x8_t high) noexcept {
    return vreinterpretq_s32_u32(vpaddq_u32(vpaddlq_u16(low), vpaddlq_u16(high)));
  }
  static PARE_ALWAYS_INLINE void add_words(row_of_tile& t, const words& s) noexcept {
    t.c0 = vaddq_s32(t.c0, sums_of(s.c0, s.c1));
    t.c1 = vaddq_s32(t.c1, sums_of(s.c2, s.c3));
    t.c2 = vaddq_s32(t.c2, sums_of(s.c4, s.c5));
    t.c3 = vaddq_s32(t.c3, sums_of(s.c6, s.c7));
  }

  /// 4 columns times 8 inputs of 4 bits.
  template <int Rows>
  static PARE_ALWAYS_INLINE void step(uint16x8_t& low0, uint16x8_t& high0, uint16x8_t& low1,
                                      uint16x8_t& high1, const std::uint8_t* a, index_t stride,
                                      const std::uint8_t* w) noexcept {
    const uint8x16_t fields = vld1q_u8(w);
    const uint8x16_t w0 = unsigned_plane<4, 0>(fields), w1 = unsigned_plane<4, 1>(fields);
    multiply_add(low0, high0, broadcast4(a), w0);
    multiply_add(low0, high0, broadcast4(a + 4), w1);
    if constexpr (Rows > 1) {
      multiply_add(low1, high1, broadcast4(a + stride), w0);
      multiply_add(low1, high1, broadcast4(a + stride + 4), w1);
    }
  }

  template <int Bits, int Rows>
  static PARE_ALWAYS_INLINE void add_products(group_tile& t, const std::uint8_t* a, index_t stride,
                                              const std::uint8_t* w, index_t group) noexcept {
    static_assert(Rows <= (Bits == 4 ? 2 : 1), "pare: two rows fill the registers");
    const uint16x8_t zero = vdupq_n_u16(0);
    const words none = {zero, zero, zero, zero, zero, zero, zero, zero};
    constexpr index_t at_once = Bits == 4 ? 64 : 4;  // 16 products of 255 * 15 fit in 16 bits
    for (index_t first = 0; first < group; first += at_once) {
      words r0 = none, r1 = none;
      if constexpr (Bits == 4) {
        const index_t last = pare::detail::min(group, first + at_once);
        for (index_t i = first; i < last; i += 8, w += 64) {
          step<Rows>(r0.c0, r0.c1, r1.c0, r1.c1, a + i, stride, w);
          step<Rows>(r0.c2, r0.c3, r1.c2, r1.c3, a + i, stride, w + 16);
          step<Rows>(r0.c4, r0.c5, r1.c4, r1.c5, a + i, stride, w + 32);
          step<Rows>(r0.c6, r0.c7, r1.c6, r1.c7, a + i, stride, w + 48);
        }
      } else {
        const uint8x16_t x = broadcast4(a + first);
        multiply_add(r0.c0, r0.c1, x, unsigned_plane<8, 0>(vld1q_u8(w)));
        multiply_add(r0.c2, r0.c3, x, unsigned_plane<8, 0>(vld1q_u8(w + 16)));
        multiply_add(r0.c4, r0.c5, x, unsigned_plane<8, 0>(vld1q_u8(w + 32)));
        multiply_add(r0.c6, r0.c7, x, unsigned_plane<8, 0>(vld1q_u8(w + 48)));
        w += 64;
      }
      add_words(t.r0, r0);
      if constexpr (Rows > 1) add_words(t.r1, r1);
    }
  }
};

// --- floating ---

/// Input number At of the bytes that are in `v` as floats, for 4 columns.
template <int Bits, int At>
PARE_ALWAYS_INLINE float32x4_t weights_of(int32x4_t v, int32x4_t zero_points) noexcept {
  constexpr int bit = 8 * (At % 4) + Bits * (At / 4), shift = 32 - Bits - bit;
  if constexpr (shift > 0) v = vshlq_n_s32(v, shift);
  return vcvtq_f32_s32(vsubq_s32(vshrq_n_s32(v, 32 - Bits), zero_points));
}

/// Sums of up to 3 rows.
struct float_tile {
  row_of_floats r0, r1, r2;
};

PARE_ALWAYS_INLINE void add_products(row_of_floats& sums, float x,
                                     const row_of_floats& w) noexcept {
  const float32x4_t a = vdupq_n_f32(x);
  multiply_then_add(sums, {a, a, a, a}, w);
}

/// One input of some rows times the weights of 16 columns.
template <int Bits, int At, int Rows>
PARE_ALWAYS_INLINE void float_step(float_tile& sums, const float* x, index_t stride,
                                   const row_of_tile& v, const row_of_tile& zero_points) noexcept {
  const row_of_floats w = {
      weights_of<Bits, At>(v.c0, zero_points.c0), weights_of<Bits, At>(v.c1, zero_points.c1),
      weights_of<Bits, At>(v.c2, zero_points.c2), weights_of<Bits, At>(v.c3, zero_points.c3)};
  add_products(sums.r0, x[0], w);
  if constexpr (Rows > 1) add_products(sums.r1, x[stride], w);
  if constexpr (Rows > 2) add_products(sums.r2, x[2 * stride], w);
}

PARE_ALWAYS_INLINE row_of_tile load_bytes(const std::uint8_t* w) noexcept {
  return {vreinterpretq_s32_u8(vld1q_u8(w)), vreinterpretq_s32_u8(vld1q_u8(w + 16)),
          vreinterpretq_s32_u8(vld1q_u8(w + 32)), vreinterpretq_s32_u8(vld1q_u8(w + 48))};
}

/// 8 inputs: a block of 4 bits, or two of 8 bits.
template <int Bits, int Rows>
PARE_ALWAYS_INLINE void eight_inputs(float_tile& sums, const float* x, index_t stride,
                                     const std::uint8_t* w,
                                     const row_of_tile& zero_points) noexcept {
  row_of_tile v = load_bytes(w);
  float_step<Bits, 0, Rows>(sums, x, stride, v, zero_points);
  float_step<Bits, 1, Rows>(sums, x + 1, stride, v, zero_points);
  float_step<Bits, 2, Rows>(sums, x + 2, stride, v, zero_points);
  float_step<Bits, 3, Rows>(sums, x + 3, stride, v, zero_points);
  constexpr int next = Bits == 4 ? 4 : 0;
  if constexpr (Bits == 8) v = load_bytes(w + 64);
  float_step<Bits, next, Rows>(sums, x + 4, stride, v, zero_points);
  float_step<Bits, next + 1, Rows>(sums, x + 5, stride, v, zero_points);
  float_step<Bits, next + 2, Rows>(sums, x + 6, stride, v, zero_points);
  float_step<Bits, next + 3, Rows>(sums, x + 7, stride, v, zero_points);
}

/// Rows [row, row + Rows) of 16 columns.
template <int Bits, int Rows>
void floating_tile(const gemm_grouped_args& args, index_t row, grouped_panel p, index_t column,
                   index_t columns) noexcept {
  const packed_grouped_linear_view& layer = args.layer;
  const index_t to_next_group = layer.group_bytes() * panel_columns;
  const float* x = args.x + row * args.x_stride;
  // The last inputs, if they are fewer than eight, with zeros behind: such products add nothing.
  float rest[Rows][8] = {};
  for (index_t i = 0; i < Rows; ++i) {
    for (index_t k = args.k / 8 * 8; k < args.k; ++k) rest[i][k % 8] = x[i * args.x_stride + k];
  }
  const row_of_floats none = no_floats();
  float_tile f = {none, none, none};
  for (index_t first = 0; first < args.k; first += layer.group) {
    const index_t n = pare::detail::min(layer.group, args.k - first);
    const row_of_tile zero_points =
        load_zero_points<Bits>(layer.has_zero_points != 0 ? p.zero_points : nullptr);
    float_tile part = {none, none, none};
    const std::uint8_t* w = p.blocks;
    index_t i = 0;
    for (; i + 8 <= n; i += 8, x += 8, w += Bits == 4 ? 64 : 128)
      eight_inputs<Bits, Rows>(part, x, args.x_stride, w, zero_points);
    if (i < n) eight_inputs<Bits, Rows>(part, rest[0], 8, w, zero_points);
    const row_of_floats scales = load_scales(p.scales);
    multiply_then_add(f.r0, part.r0, scales);
    if constexpr (Rows > 1) multiply_then_add(f.r1, part.r1, scales);
    if constexpr (Rows > 2) multiply_then_add(f.r2, part.r2, scales);
    p.blocks += to_next_group, p.scales += to_next_group, p.zero_points += to_next_group;
  }
  write_floating(args, row, f.r0, column, columns);
  if constexpr (Rows > 1) write_floating(args, row + 1, f.r1, column, columns);
  if constexpr (Rows > 2) write_floating(args, row + 2, f.r2, column, columns);
}

// --- the block ---

using grouped_tile_function = void (*)(const gemm_grouped_args&, index_t, grouped_panel, index_t,
                                       index_t) noexcept;

/// @param tiles  for 1, 2, ... most_rows rows
inline void grouped_panels(const gemm_grouped_args& args, const gemm_block& block,
                           const grouped_tile_function* tiles, index_t most_rows) noexcept {
  const row_tiles cut = kernels::cut_rows(block.last_row - block.first_row, most_rows);
  for (index_t panel = block.first_panel; panel < block.last_panel; ++panel) {
    const index_t column = panel * panel_columns;
    const index_t columns = pare::detail::min(panel_columns, args.columns - column);
    for (index_t i = 0, row = block.first_row; i < cut.tall + cut.low; ++i) {
      const index_t rows = i < cut.tall ? cut.tall_rows : cut.tall_rows - 1;
      tiles[rows - 1](args, row, panel_of(args.layer, panel, 0), column, columns);
      row += rows;
    }
  }
}

inline void gemm_grouped_floating(const gemm_grouped_args& args, const gemm_block& block) noexcept {
  constexpr grouped_tile_function of_4_bits[] = {floating_tile<4, 1>, floating_tile<4, 2>,
                                                 floating_tile<4, 3>};
  constexpr grouped_tile_function of_8_bits[] = {floating_tile<8, 1>, floating_tile<8, 2>,
                                                 floating_tile<8, 3>};
  grouped_panels(args, block, args.layer.bits == 4 ? of_4_bits : of_8_bits, 3);
}

template <int Bits, int Rows>
void word_tile(const gemm_grouped_args& args, index_t row, grouped_panel p, index_t column,
               index_t columns) noexcept {
  integer_tile<group_words, Bits, Rows>(args, row, p, column, columns);
}

/// One block of the product.
inline void gemm_grouped(const gemm_grouped_args& args, const gemm_block& block) noexcept {
  constexpr grouped_tile_function of_4_bits[] = {word_tile<4, 1>, word_tile<4, 2>};
  constexpr grouped_tile_function of_8_bits[] = {word_tile<8, 1>};
  if (args.layer.options.arithmetic == grouped_arithmetic::floating)
    return gemm_grouped_floating(args, block);
  if (args.layer.bits == 4) return grouped_panels(args, block, of_4_bits, 2);
  grouped_panels(args, block, of_8_bits, 1);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::neon

#endif  // PARE_NEON_KERNELS
#endif  // PARE_KERNELS_NEON_GEMM_GROUPED_3X16C4_NEON_HPP
