// The matrix product with grouped weights on AVX-512 VNNI: tiles of up to 6 rows by 32 columns, and
// of up to 3 rows by 64.
//
// 12 sums in s32, made anew for each group, and 12 in f32 that they go to. 4-bit weights stay at the
// top of their bytes, 16 times too large, and what is summed in f32 is divided by 16 at the end:
// exact. Bound: 2 vpdpbusd per cycle and, for each group and 16 outputs, a conversion, a
// multiplication and an addition; for one row the reading of the panels.
#ifndef PARE_KERNELS_X86_GEMM_GROUPED_6X32C4_AVX512VNNI_HPP
#define PARE_KERNELS_X86_GEMM_GROUPED_6X32C4_AVX512VNNI_HPP

#include <pare/kernels/gemm_grouped.hpp>
#include <pare/kernels/x86/gemm_low_bit_6x64c4_avx512vnni.hpp>

#if PARE_X86_KERNELS

PARE_TARGET_AVX512VNNI_BEGIN
namespace pare::kernels::avx512vnni {
inline namespace PARE_ABI {

/// Up to 64 columns, in floats.
struct row_of_floats {
  __m512 c0, c1, c2, c3;
};
/// Sums of up to 6 rows.
struct float_tile {
  row_of_floats r0, r1, r2, r3, r4, r5;
};

PARE_ALWAYS_INLINE __m512 load_halves(const std::uint8_t* p) noexcept {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
template <int Vectors>
PARE_ALWAYS_INLINE row_of_floats load_scales(const std::uint8_t* p) noexcept {
  row_of_floats r;
  r.c0 = load_halves(p);
  r.c1 = Vectors > 1 ? load_halves(p + 32) : r.c0;
  r.c2 = Vectors > 2 ? load_halves(p + 64) : r.c0;
  r.c3 = Vectors > 3 ? load_halves(p + 96) : r.c0;
  return r;
}

PARE_ALWAYS_INLINE __m512i load_s8(const std::uint8_t* p) noexcept {
  return _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
/// The zero points of a group, divided by 1 or 16.
template <int Vectors>
PARE_ALWAYS_INLINE row_of_tile load_zero_points(const std::uint8_t* p, int divisor) noexcept {
  const unsigned shift = divisor == 16 ? 4 : 0;
  row_of_tile r;
  r.c0 = _mm512_srai_epi32(load_s8(p), shift);
  r.c1 = Vectors > 1 ? _mm512_srai_epi32(load_s8(p + 16), shift) : r.c0;
  r.c2 = Vectors > 2 ? _mm512_srai_epi32(load_s8(p + 32), shift) : r.c0;
  r.c3 = Vectors > 3 ? _mm512_srai_epi32(load_s8(p + 48), shift) : r.c0;
  return r;
}

/// acc -= zero_points * sum. Both fit into 16 bits, and the sum is not negative: one product of
/// words, the other of a 0.
template <int Vectors>
PARE_ALWAYS_INLINE void subtract_zero_points(row_of_tile& acc, const row_of_tile& zero_points,
                                             std::int32_t sum) noexcept {
  const __m512i sums = _mm512_set1_epi32(sum);
  acc.c0 = _mm512_sub_epi32(acc.c0, _mm512_madd_epi16(zero_points.c0, sums));
  if constexpr (Vectors > 1)
    acc.c1 = _mm512_sub_epi32(acc.c1, _mm512_madd_epi16(zero_points.c1, sums));
  if constexpr (Vectors > 2)
    acc.c2 = _mm512_sub_epi32(acc.c2, _mm512_madd_epi16(zero_points.c2, sums));
  if constexpr (Vectors > 3)
    acc.c3 = _mm512_sub_epi32(acc.c3, _mm512_madd_epi16(zero_points.c3, sums));
}

/// f += x * y, both rounded. The addition is assembly, because it keeps GCC from fusing the two, and
/// from putting it off until the next one, with all products in registers.
PARE_ALWAYS_INLINE void multiply_then_add(__m512& f, __m512 x, __m512 y) noexcept {
  const __m512 product = _mm512_mul_ps(x, y);
  __asm__("vaddps %1, %0, %0" : "+v"(f) : "v"(product));
}
template <int Vectors>
PARE_ALWAYS_INLINE void multiply_then_add(row_of_floats& f, const row_of_floats& x,
                                          const row_of_floats& y) noexcept {
  multiply_then_add(f.c0, x.c0, y.c0);
  if constexpr (Vectors > 1) multiply_then_add(f.c1, x.c1, y.c1);
  if constexpr (Vectors > 2) multiply_then_add(f.c2, x.c2, y.c2);
  if constexpr (Vectors > 3) multiply_then_add(f.c3, x.c3, y.c3);
}

template <int Vectors>
PARE_ALWAYS_INLINE row_of_floats to_floats(const row_of_tile& r) noexcept {
  row_of_floats f;
  f.c0 = _mm512_cvtepi32_ps(r.c0);
  f.c1 = Vectors > 1 ? _mm512_cvtepi32_ps(r.c1) : f.c0;
  f.c2 = Vectors > 2 ? _mm512_cvtepi32_ps(r.c2) : f.c0;
  f.c3 = Vectors > 3 ? _mm512_cvtepi32_ps(r.c3) : f.c0;
  return f;
}

// --- integer ---

/// 4 unsigned codes of a row times 4 weights of each column.
template <int Vectors>
PARE_ALWAYS_INLINE void code_step(row_of_tile& row, const std::uint8_t* a,
                                  const row_of_tile& b) noexcept {
  std::int32_t four;
  std::memcpy(&four, a, 4);
  step<Vectors>(row, _mm512_set1_epi32(four), b);
}

template <int Rows, int Vectors>
PARE_ALWAYS_INLINE void code_steps(tile_of_rows& t, tile_inputs& in, index_t stride,
                                   const row_of_tile& b) noexcept {
  code_step<Vectors>(t.r0, in.a0, b);
  if constexpr (Rows > 1) code_step<Vectors>(t.r1, in.a0 + stride, b);
  if constexpr (Rows > 2) code_step<Vectors>(t.r2, in.a0 + 2 * stride, b);
  if constexpr (Rows > 3) code_step<Vectors>(t.r3, in.a3, b);
  if constexpr (Rows > 4) code_step<Vectors>(t.r4, in.a3 + stride, b);
  if constexpr (Rows > 5) code_step<Vectors>(t.r5, in.a3 + 2 * stride, b);
  advance<Rows>(in, 4);
}

/// 8 inputs of a group: a block of 4 bits, or two of 8 bits.
template <int Bits, int Rows, int Vectors>
PARE_ALWAYS_INLINE void eight_inputs(tile_of_rows& t, tile_of_rows& u, tile_inputs& in,
                                     index_t stride, const std::int8_t* w,
                                     index_t w_bytes) noexcept {
  if constexpr (Bits == 4) {
    constexpr auto how = low_bit_decoding::shifted;
    code_steps<Rows, Vectors>(t, in, stride, load_plane<4, how, 0, Vectors>(w, w));
    code_steps<Rows, Vectors>(u, in, stride, load_plane<4, how, 1, Vectors>(w, w));
  } else {
    code_steps<Rows, Vectors>(t, in, stride, load_row<Vectors>(w));
    code_steps<Rows, Vectors>(u, in, stride, load_row<Vectors>(w + w_bytes));
  }
}

/// y = clamp(sums + bias), for 16 columns of a row.
PARE_ALWAYS_INLINE void write_floating(const gemm_grouped_args& args, index_t row, __m512 sums,
                                       index_t column, index_t columns) noexcept {
  const __m512 y = _mm512_add_ps(sums, _mm512_loadu_ps(args.layer.bias + column));
  const __m512 low = _mm512_set1_ps(args.clamp_low), high = _mm512_set1_ps(args.clamp_high);
  _mm512_mask_storeu_ps(args.c + row * args.c_stride + column, lanes(columns),
                        _mm512_min_ps(high, _mm512_max_ps(low, y)));
}

/// The same behind (sums - zero_point * sum of weights) * row_scale.
template <int Bits>
PARE_ALWAYS_INLINE void write_integer(const gemm_grouped_args& args, index_t row, __m512 sums,
                                      index_t column, index_t columns) noexcept {
  if constexpr (Bits == 4) sums = _mm512_mul_ps(sums, _mm512_set1_ps(0.0625f));
  const __m512 zero_point = _mm512_set1_ps(static_cast<float>(args.row_zero_points[row]));
  const __m512 moved =
      _mm512_sub_ps(sums, rounded_product(zero_point, _mm512_loadu_ps(args.layer.sums + column)));
  write_floating(args, row, rounded_product(moved, _mm512_set1_ps(args.row_scales[row])), column,
                 columns);
}

template <int Bits, int Vectors>
PARE_ALWAYS_INLINE void write_integer(const gemm_grouped_args& args, index_t row,
                                      const row_of_floats& f, index_t column,
                                      index_t columns) noexcept {
  write_integer<Bits>(args, row, f.c0, column, columns);
  if constexpr (Vectors > 1) write_integer<Bits>(args, row, f.c1, column + 16, columns - 16);
  if constexpr (Vectors > 2) write_integer<Bits>(args, row, f.c2, column + 32, columns - 32);
  if constexpr (Vectors > 3) write_integer<Bits>(args, row, f.c3, column + 48, columns - 48);
}

/// Rows [row, row + Rows) of 16 * Vectors columns.
///
/// @param column  of all columns; `columns` of them exist
template <int Bits, int Rows, int Vectors>
void integer_tile(const gemm_grouped_args& args, index_t row, grouped_panel p, index_t column,
                  index_t columns) noexcept {
  constexpr bool two_sets = Rows * Vectors < 8;
  const packed_grouped_linear_view& layer = args.layer;
  const index_t stride = args.code_stride, w_bytes = 4 * layer.tile_columns;
  const index_t to_next_group = layer.group_bytes() * layer.tile_columns;
  const index_t groups = layer.groups();
  const std::int32_t* code_sums =
      layer.has_zero_points != 0 ? args.code_sums + row * groups : nullptr;
  const __m512i zero = _mm512_setzero_si512();
  const row_of_tile none = {zero, zero, zero, zero};
  float_tile f;
  f.r0.c0 = f.r0.c1 = f.r0.c2 = f.r0.c3 = _mm512_setzero_ps();
  f.r1 = f.r2 = f.r3 = f.r4 = f.r5 = f.r0;

  tile_inputs in = inputs_at<Rows>(args.codes + row * stride, stride);
  for (index_t g = 0; g < groups; ++g) {
    tile_of_rows t, u;
    t.r0 = t.r1 = t.r2 = t.r3 = t.r4 = t.r5 = none;
    if constexpr (two_sets) u.r0 = u.r1 = u.r2 = u.r3 = none;
    const auto* w = reinterpret_cast<const std::int8_t*>(p.blocks);
    for (index_t i = 0; i < layer.group; i += 8, w += Bits == 4 ? w_bytes : 2 * w_bytes) {
      if constexpr (Rows == 1) {
        prefetch<Vectors>(w);
        if constexpr (Bits == 8) prefetch<Vectors>(w + w_bytes);
      }
      eight_inputs<Bits, Rows, Vectors>(t, two_sets ? u : t, in, stride, w, w_bytes);
    }
    if constexpr (two_sets) {
      add<Vectors>(t.r0, u.r0);
      if constexpr (Rows > 1) add<Vectors>(t.r1, u.r1);
      if constexpr (Rows > 2) add<Vectors>(t.r2, u.r2);
      if constexpr (Rows > 3) add<Vectors>(t.r3, u.r3);
    }
    if (code_sums != nullptr) {
      const row_of_tile zero_points = load_zero_points<Vectors>(p.zero_points, 1);
      subtract_zero_points<Vectors>(t.r0, zero_points, code_sums[g]);
      if constexpr (Rows > 1)
        subtract_zero_points<Vectors>(t.r1, zero_points, code_sums[groups + g]);
      if constexpr (Rows > 2)
        subtract_zero_points<Vectors>(t.r2, zero_points, code_sums[2 * groups + g]);
      if constexpr (Rows > 3)
        subtract_zero_points<Vectors>(t.r3, zero_points, code_sums[3 * groups + g]);
      if constexpr (Rows > 4)
        subtract_zero_points<Vectors>(t.r4, zero_points, code_sums[4 * groups + g]);
      if constexpr (Rows > 5)
        subtract_zero_points<Vectors>(t.r5, zero_points, code_sums[5 * groups + g]);
    }
    const row_of_floats scales = load_scales<Vectors>(p.scales);
    multiply_then_add<Vectors>(f.r0, to_floats<Vectors>(t.r0), scales);
    if constexpr (Rows > 1) multiply_then_add<Vectors>(f.r1, to_floats<Vectors>(t.r1), scales);
    if constexpr (Rows > 2) multiply_then_add<Vectors>(f.r2, to_floats<Vectors>(t.r2), scales);
    if constexpr (Rows > 3) multiply_then_add<Vectors>(f.r3, to_floats<Vectors>(t.r3), scales);
    if constexpr (Rows > 4) multiply_then_add<Vectors>(f.r4, to_floats<Vectors>(t.r4), scales);
    if constexpr (Rows > 5) multiply_then_add<Vectors>(f.r5, to_floats<Vectors>(t.r5), scales);
    p.blocks += to_next_group, p.scales += to_next_group, p.zero_points += to_next_group;
  }
  write_integer<Bits, Vectors>(args, row, f.r0, column, columns);
  if constexpr (Rows > 1) write_integer<Bits, Vectors>(args, row + 1, f.r1, column, columns);
  if constexpr (Rows > 2) write_integer<Bits, Vectors>(args, row + 2, f.r2, column, columns);
  if constexpr (Rows > 3) write_integer<Bits, Vectors>(args, row + 3, f.r3, column, columns);
  if constexpr (Rows > 4) write_integer<Bits, Vectors>(args, row + 4, f.r4, column, columns);
  if constexpr (Rows > 5) write_integer<Bits, Vectors>(args, row + 5, f.r5, column, columns);
}

// --- floating ---

/// Input number At of the bytes that are in `v` as floats, for 16 columns. 4 bits are looked up.
template <int Bits, bool ZeroPoints, int At>
PARE_ALWAYS_INLINE __m512 weights_of(__m512i v, __m512 zero_points) noexcept {
  constexpr int bit = 8 * (At % 4) + Bits * (At / 4);
  __m512 w;
  if constexpr (Bits == 4) {
    const __m512 codes = _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, -8, -7, -6, -5, -4, -3, -2, -1);
    if constexpr (bit > 0) v = _mm512_srli_epi32(v, bit);
    w = _mm512_permutexvar_ps(v, codes);
  } else {
    if constexpr (bit < 24) v = _mm512_slli_epi32(v, 24 - bit);
    w = _mm512_cvtepi32_ps(_mm512_srai_epi32(v, 24));
  }
  return ZeroPoints ? _mm512_sub_ps(w, zero_points) : w;
}

template <int Vectors>
PARE_ALWAYS_INLINE void add_products(row_of_floats& sums, float x,
                                     const row_of_floats& w) noexcept {
  const __m512 a = _mm512_set1_ps(x);
  multiply_then_add<Vectors>(sums, {a, a, a, a}, w);
}

/// One input of some rows times the weights of 16 * Vectors columns.
template <int Bits, bool ZeroPoints, int At, int Rows, int Vectors>
PARE_ALWAYS_INLINE void float_step(float_tile& sums, const float* x, index_t stride,
                                   const row_of_tile& v,
                                   const row_of_floats& zero_points) noexcept {
  row_of_floats w;
  w.c0 = weights_of<Bits, ZeroPoints, At>(v.c0, zero_points.c0);
  w.c1 = Vectors > 1 ? weights_of<Bits, ZeroPoints, At>(v.c1, zero_points.c1) : w.c0;
  w.c2 = Vectors > 2 ? weights_of<Bits, ZeroPoints, At>(v.c2, zero_points.c2) : w.c0;
  w.c3 = Vectors > 3 ? weights_of<Bits, ZeroPoints, At>(v.c3, zero_points.c3) : w.c0;
  add_products<Vectors>(sums.r0, x[0], w);
  if constexpr (Rows > 1) add_products<Vectors>(sums.r1, x[stride], w);
  if constexpr (Rows > 2) add_products<Vectors>(sums.r2, x[2 * stride], w);
  if constexpr (Rows > 3) add_products<Vectors>(sums.r3, x[3 * stride], w);
}

/// 8 inputs: a block of 4 bits, or two of 8 bits.
template <int Bits, bool ZeroPoints, int Rows, int Vectors>
PARE_ALWAYS_INLINE void eight_inputs(float_tile& sums, const float* x, index_t stride,
                                     const std::uint8_t* w, index_t w_bytes,
                                     const row_of_floats& zero_points) noexcept {
  row_of_tile v = load_row<Vectors>(w);
  float_step<Bits, ZeroPoints, 0, Rows, Vectors>(sums, x, stride, v, zero_points);
  float_step<Bits, ZeroPoints, 1, Rows, Vectors>(sums, x + 1, stride, v, zero_points);
  float_step<Bits, ZeroPoints, 2, Rows, Vectors>(sums, x + 2, stride, v, zero_points);
  float_step<Bits, ZeroPoints, 3, Rows, Vectors>(sums, x + 3, stride, v, zero_points);
  constexpr int next = Bits == 4 ? 4 : 0;
  if constexpr (Bits == 8) v = load_row<Vectors>(w + w_bytes);
  float_step<Bits, ZeroPoints, next, Rows, Vectors>(sums, x + 4, stride, v, zero_points);
  float_step<Bits, ZeroPoints, next + 1, Rows, Vectors>(sums, x + 5, stride, v, zero_points);
  float_step<Bits, ZeroPoints, next + 2, Rows, Vectors>(sums, x + 6, stride, v, zero_points);
  float_step<Bits, ZeroPoints, next + 3, Rows, Vectors>(sums, x + 7, stride, v, zero_points);
}

template <int Vectors>
PARE_ALWAYS_INLINE void write_floating(const gemm_grouped_args& args, index_t row,
                                       const row_of_floats& f, index_t column,
                                       index_t columns) noexcept {
  write_floating(args, row, f.c0, column, columns);
  if constexpr (Vectors > 1) write_floating(args, row, f.c1, column + 16, columns - 16);
  if constexpr (Vectors > 2) write_floating(args, row, f.c2, column + 32, columns - 32);
  if constexpr (Vectors > 3) write_floating(args, row, f.c3, column + 48, columns - 48);
}

/// Rows [row, row + Rows) of 16 * Vectors columns.
template <int Bits, bool ZeroPoints, int Rows, int Vectors>
void floating_tile(const gemm_grouped_args& args, index_t row, grouped_panel p, index_t column,
                   index_t columns) noexcept {
  const packed_grouped_linear_view& layer = args.layer;
  const index_t w_bytes = 4 * layer.tile_columns, eight_bytes = Bits == 4 ? w_bytes : 2 * w_bytes;
  const index_t to_next_group = layer.group_bytes() * layer.tile_columns;
  const float* x = args.x + row * args.x_stride;
  // The last inputs, if they are fewer than eight, with zeros behind: such products add nothing.
  float rest[Rows][8] = {};
  for (index_t i = 0; i < Rows; ++i) {
    for (index_t k = args.k / 8 * 8; k < args.k; ++k) rest[i][k % 8] = x[i * args.x_stride + k];
  }
  float_tile f;
  f.r0.c0 = f.r0.c1 = f.r0.c2 = f.r0.c3 = _mm512_setzero_ps();
  f.r1 = f.r2 = f.r3 = f.r0;
  for (index_t first = 0; first < args.k; first += layer.group) {
    const index_t n = pare::detail::min(layer.group, args.k - first);
    row_of_floats zero_points = f.r0;
    if constexpr (ZeroPoints) {
      zero_points =
          to_floats<Vectors>(load_zero_points<Vectors>(p.zero_points, Bits == 4 ? 16 : 1));
    }
    float_tile part;
    part.r0.c0 = part.r0.c1 = part.r0.c2 = part.r0.c3 = _mm512_setzero_ps();
    part.r1 = part.r2 = part.r3 = part.r0;
    const std::uint8_t* w = p.blocks;
    index_t i = 0;
    for (; i + 8 <= n; i += 8, x += 8, w += eight_bytes) {
      eight_inputs<Bits, ZeroPoints, Rows, Vectors>(part, x, args.x_stride, w, w_bytes,
                                                    zero_points);
    }
    if (i < n)
      eight_inputs<Bits, ZeroPoints, Rows, Vectors>(part, rest[0], 8, w, w_bytes, zero_points);
    const row_of_floats scales = load_scales<Vectors>(p.scales);
    multiply_then_add<Vectors>(f.r0, part.r0, scales);
    if constexpr (Rows > 1) multiply_then_add<Vectors>(f.r1, part.r1, scales);
    if constexpr (Rows > 2) multiply_then_add<Vectors>(f.r2, part.r2, scales);
    if constexpr (Rows > 3) multiply_then_add<Vectors>(f.r3, part.r3, scales);
    p.blocks += to_next_group, p.scales += to_next_group, p.zero_points += to_next_group;
  }
  write_floating<Vectors>(args, row, f.r0, column, columns);
  if constexpr (Rows > 1) write_floating<Vectors>(args, row + 1, f.r1, column, columns);
  if constexpr (Rows > 2) write_floating<Vectors>(args, row + 2, f.r2, column, columns);
  if constexpr (Rows > 3) write_floating<Vectors>(args, row + 3, f.r3, column, columns);
}

// --- the block ---

using grouped_tile_function = void (*)(const gemm_grouped_args&, index_t, grouped_panel, index_t,
                                       index_t) noexcept;

/// The rows of a block for 16 * Vectors columns of one panel.
///
/// @param tiles  for 1, 2, ... most_rows rows
template <int Vectors>
void grouped_columns_of_panel(const gemm_grouped_args& args, const gemm_block& block, index_t panel,
                              index_t first, const grouped_tile_function* tiles,
                              index_t most_rows) noexcept {
  const index_t column = panel * args.layer.tile_columns + first;
  const index_t columns = pare::detail::min<index_t>(16 * Vectors, args.columns - column);
  if (columns <= 0) return;
  const grouped_panel p = panel_of(args.layer, panel, first);
  const row_tiles cut = cut_rows(block.last_row - block.first_row, most_rows);
  for (index_t i = 0, row = block.first_row; i < cut.tall + cut.low; ++i) {
    const index_t rows = i < cut.tall ? cut.tall_rows : cut.tall_rows - 1;
    tiles[rows - 1](args, row, p, column, columns);
    row += rows;
  }
}

/// @param tall  tiles of 32 columns
/// @param wide  tiles of 64 columns
inline void grouped_panels(const gemm_grouped_args& args, const gemm_block& block,
                           const grouped_tile_function* tall, index_t tall_rows,
                           const grouped_tile_function* wide, index_t wide_rows) noexcept {
  const bool is_wide =
      args.layer.tile_columns == 64 && block.last_row - block.first_row <= wide_rows;
  for (index_t panel = block.first_panel; panel < block.last_panel; ++panel) {
    if (is_wide) {
      grouped_columns_of_panel<4>(args, block, panel, 0, wide, wide_rows);
      continue;
    }
    for (index_t first = 0; first < args.layer.tile_columns; first += 32) {
      grouped_columns_of_panel<2>(args, block, panel, first, tall, tall_rows);
    }
  }
}

template <int Bits>
void integer_panels(const gemm_grouped_args& args, const gemm_block& block) noexcept {
  constexpr grouped_tile_function tall[] = {integer_tile<Bits, 1, 2>, integer_tile<Bits, 2, 2>,
                                            integer_tile<Bits, 3, 2>, integer_tile<Bits, 4, 2>,
                                            integer_tile<Bits, 5, 2>, integer_tile<Bits, 6, 2>};
  constexpr grouped_tile_function wide[] = {integer_tile<Bits, 1, 4>, integer_tile<Bits, 2, 4>,
                                            integer_tile<Bits, 3, 4>};
  grouped_panels(args, block, tall, 6, wide, 3);
}

template <int Bits, bool ZeroPoints>
void floating_panels(const gemm_grouped_args& args, const gemm_block& block) noexcept {
  constexpr grouped_tile_function tall[] = {
      floating_tile<Bits, ZeroPoints, 1, 2>, floating_tile<Bits, ZeroPoints, 2, 2>,
      floating_tile<Bits, ZeroPoints, 3, 2>, floating_tile<Bits, ZeroPoints, 4, 2>};
  constexpr grouped_tile_function wide[] = {floating_tile<Bits, ZeroPoints, 1, 4>};
  grouped_panels(args, block, tall, 4, wide, 1);
}

template <int Bits>
void gemm_grouped(const gemm_grouped_args& args, const gemm_block& block) noexcept {
  if (args.layer.options.arithmetic == grouped_arithmetic::integer)
    return integer_panels<Bits>(args, block);
  if (args.layer.has_zero_points != 0) return floating_panels<Bits, true>(args, block);
  return floating_panels<Bits, false>(args, block);
}

/// One block of the product, with panels of 32 or 64 columns.
inline void gemm_grouped(const gemm_grouped_args& args, const gemm_block& block) noexcept {
  return args.layer.bits == 4 ? gemm_grouped<4>(args, block) : gemm_grouped<8>(args, block);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx512vnni
PARE_TARGET_AVX512VNNI_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_GEMM_GROUPED_6X32C4_AVX512VNNI_HPP
