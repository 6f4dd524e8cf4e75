// The matrix product with grouped weights on AVX2: tiles of up to 3 rows by 16 columns.
//
// 4-bit weights go through vpmaddubsw, as in gemm_low_bit_4x16c4_avx2.hpp. Products of u8 and s8
// would saturate there: 8-bit weights go through vpmaddwd, a row at a time.
#ifndef PARE_KERNELS_X86_GEMM_GROUPED_3X16C4_AVX2_HPP
#define PARE_KERNELS_X86_GEMM_GROUPED_3X16C4_AVX2_HPP

#include <pare/kernels/gemm_grouped.hpp>
#include <pare/kernels/x86/gemm_low_bit_4x16c4_avx2.hpp>

#if PARE_X86_KERNELS

PARE_TARGET_AVX2_BEGIN
namespace pare::kernels::avx2 {
inline namespace PARE_ABI {

/// 16 columns, in floats.
struct row_of_floats {
  __m256 c0, c1;
};
/// Sums of up to 3 rows.
struct float_tile {
  row_of_floats r0, r1, r2;
};

/// 8 finite halves. By integers, since AVX2 does not imply F16C; the subnormal ones by a
/// multiplication, so that nothing depends on how the program treats denormal floats.
PARE_ALWAYS_INLINE __m256 load_halves(const std::uint8_t* p) noexcept {
  const __m256i bits = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  const __m256i magnitude = _mm256_and_si256(bits, _mm256_set1_epi32(0x7fff));
  const __m256i sign = _mm256_slli_epi32(_mm256_xor_si256(bits, magnitude), 16);
  const __m256i normal =
      _mm256_add_epi32(_mm256_slli_epi32(magnitude, 13), _mm256_set1_epi32(112 << 23));
  const __m256 subnormal =
      _mm256_mul_ps(_mm256_cvtepi32_ps(magnitude), _mm256_set1_ps(5.9604644775390625e-8f));
  const __m256i is_normal = _mm256_cmpgt_epi32(magnitude, _mm256_set1_epi32(0x3ff));
  const __m256 value =
      _mm256_blendv_ps(subnormal, _mm256_castsi256_ps(normal), _mm256_castsi256_ps(is_normal));
  return _mm256_or_ps(value, _mm256_castsi256_ps(sign));
}
PARE_ALWAYS_INLINE row_of_floats load_scales(const std::uint8_t* p) noexcept {
  return {load_halves(p), load_halves(p + 16)};
}

PARE_ALWAYS_INLINE __m256i load_s8(const std::uint8_t* p) noexcept {
  return _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
}
/// Zero points, none where `p` is null.
template <int Bits>
PARE_ALWAYS_INLINE row_of_tile load_zero_points(const std::uint8_t* p) noexcept {
  if (p == nullptr) return {_mm256_setzero_si256(), _mm256_setzero_si256()};
  constexpr int shift = Bits == 4 ? 4 : 0;
  return {_mm256_srai_epi32(load_s8(p), shift), _mm256_srai_epi32(load_s8(p + 8), shift)};
}

/// f += x * y, both rounded. The addition is assembly, because it keeps GCC from fusing the two, and
/// from putting it off until the next one, with all products in registers.
PARE_ALWAYS_INLINE void multiply_then_add(__m256& f, __m256 x, __m256 y) noexcept {
  const __m256 product = _mm256_mul_ps(x, y);
  __asm__("vaddps %1, %0, %0" : "+x"(f) : "x"(product));
}
PARE_ALWAYS_INLINE void multiply_then_add(row_of_floats& f, const row_of_floats& x,
                                          const row_of_floats& y) noexcept {
  multiply_then_add(f.c0, x.c0, y.c0);
  multiply_then_add(f.c1, x.c1, y.c1);
}

/// y = clamp(sums + bias), for a row.
PARE_ALWAYS_INLINE void write_floating(const gemm_grouped_args& args, index_t row,
                                       const row_of_floats& sums, index_t column,
                                       index_t columns) noexcept {
  const __m256 low = _mm256_set1_ps(args.clamp_low), high = _mm256_set1_ps(args.clamp_high);
  const float* bias = args.layer.bias + column;
  float* c = args.c + row * args.c_stride + column;
  const __m256 y0 = _mm256_add_ps(sums.c0, _mm256_loadu_ps(bias));
  const __m256 y1 = _mm256_add_ps(sums.c1, _mm256_loadu_ps(bias + 8));
  _mm256_maskstore_ps(c, lanes(columns), _mm256_min_ps(high, _mm256_max_ps(low, y0)));
  if (columns > 8)
    _mm256_maskstore_ps(c + 8, lanes(columns - 8), _mm256_min_ps(high, _mm256_max_ps(low, y1)));
}

// --- integer ---

inline void write_integer(const gemm_grouped_args& args, index_t row, const row_of_floats& sums,
                          index_t column, index_t columns) noexcept {
  const __m256 zero_point = _mm256_set1_ps(static_cast<float>(args.row_zero_points[row]));
  const __m256 scale = _mm256_set1_ps(args.row_scales[row]);
  const float* weights = args.layer.sums + column;
  const __m256 moved0 =
      _mm256_sub_ps(sums.c0, rounded_product(zero_point, _mm256_loadu_ps(weights)));
  const __m256 moved1 =
      _mm256_sub_ps(sums.c1, rounded_product(zero_point, _mm256_loadu_ps(weights + 8)));
  write_floating(args, row, {rounded_product(moved0, scale), rounded_product(moved1, scale)},
                 column, columns);
}

/// The zero points of symmetric weights as they leave the general decoding.
alignas(32) inline constexpr std::int8_t eights[64] = {
    8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8,
    8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8};

/// t += a group's codes of a row times 8-bit weights.
inline void products_of_group(row_of_tile& r, const std::uint8_t* a, const std::int8_t* w,
                              index_t group) noexcept {
  // Of 4 columns each: the sums over inputs 0, 1 and over inputs 2, 3 of a block.
  __m256i s0 = _mm256_setzero_si256(), s1 = s0, s2 = s0, s3 = s0;
  for (index_t i = 0; i < group; i += 4, w += 64) {
    const __m256i x = _mm256_cvtepu8_epi16(_mm256_castsi256_si128(broadcast4(a + i)));
    const __m128i* at = reinterpret_cast<const __m128i*>(w);
    s0 = _mm256_add_epi32(s0, _mm256_madd_epi16(x, _mm256_cvtepi8_epi16(_mm_loadu_si128(at))));
    s1 = _mm256_add_epi32(s1, _mm256_madd_epi16(x, _mm256_cvtepi8_epi16(_mm_loadu_si128(at + 1))));
    s2 = _mm256_add_epi32(s2, _mm256_madd_epi16(x, _mm256_cvtepi8_epi16(_mm_loadu_si128(at + 2))));
    s3 = _mm256_add_epi32(s3, _mm256_madd_epi16(x, _mm256_cvtepi8_epi16(_mm_loadu_si128(at + 3))));
  }
  const __m256i sums0 = _mm256_permute4x64_epi64(_mm256_hadd_epi32(s0, s1), 0xd8);
  const __m256i sums1 = _mm256_permute4x64_epi64(_mm256_hadd_epi32(s2, s3), 0xd8);
  r = {sums0, sums1};
}

/// f += (sums - zero points * sum of codes) * scales.
PARE_ALWAYS_INLINE void add_group(row_of_floats& f, row_of_tile sums,
                                  const row_of_tile& zero_points, std::int32_t code_sum,
                                  const row_of_floats& scales) noexcept {
  // Both fit into 16 bits, and the sum is not negative: one product of words, the other of a 0.
  const __m256i code_sums = _mm256_set1_epi32(code_sum);
  sums.c0 = _mm256_sub_epi32(sums.c0, _mm256_madd_epi16(zero_points.c0, code_sums));
  sums.c1 = _mm256_sub_epi32(sums.c1, _mm256_madd_epi16(zero_points.c1, code_sums));
  multiply_then_add(f, {_mm256_cvtepi32_ps(sums.c0), _mm256_cvtepi32_ps(sums.c1)}, scales);
}

/// Rows [row, row + Rows) of 16 columns.
template <int Bits, int Rows>
void integer_tile(const gemm_grouped_args& args, index_t row, grouped_panel p, index_t column,
                  index_t columns) noexcept {
  static_assert(Bits == 4 || Rows == 1, "pare: 8-bit weights go a row at a time");
  const packed_grouped_linear_view& layer = args.layer;
  const index_t stride = args.code_stride, groups = layer.groups();
  const index_t to_next_group = layer.group_bytes() * panel_columns;
  const bool has_zero_points = layer.has_zero_points != 0;
  const std::int32_t* code_sums = has_zero_points ? args.code_sums + row * groups : nullptr;
  const __m256i zero = _mm256_setzero_si256();
  float_tile f;
  f.r0 = {_mm256_setzero_ps(), _mm256_setzero_ps()};
  f.r1 = f.r2 = f.r0;
  const std::uint8_t* a = args.codes + row * stride;
  for (index_t g = 0; g < groups; ++g, a += layer.group) {
    const auto* w = reinterpret_cast<const std::int8_t*>(p.blocks);
    tile_of_rows t;
    t.r0 = {zero, zero};
    t.r1 = t.r2 = t.r3 = t.r0;
    if constexpr (Bits == 8) {
      products_of_group(t.r0, a, w, layer.group);
    } else {
      for (index_t i = 0; i < layer.group; i += 8, w += 64) {
        planes_step<4, 0, Rows>(t, a + i, stride, zero, w, eights);
      }
    }
    const row_of_tile zero_points =
        load_zero_points<Bits>(has_zero_points ? p.zero_points : nullptr);
    const row_of_floats scales = load_scales(p.scales);
    add_group(f.r0, t.r0, zero_points, has_zero_points ? code_sums[g] : 0, scales);
    if constexpr (Rows > 1)
      add_group(f.r1, t.r1, zero_points, has_zero_points ? code_sums[groups + g] : 0, scales);
    if constexpr (Rows > 2)
      add_group(f.r2, t.r2, zero_points, has_zero_points ? code_sums[2 * groups + g] : 0, scales);
    p.blocks += to_next_group, p.scales += to_next_group, p.zero_points += to_next_group;
  }
  write_integer(args, row, f.r0, column, columns);
  if constexpr (Rows > 1) write_integer(args, row + 1, f.r1, column, columns);
  if constexpr (Rows > 2) write_integer(args, row + 2, f.r2, column, columns);
}

// --- floating ---

/// Input number At of the bytes that are in `v` as floats, for 8 columns.
template <int Bits, int At>
PARE_ALWAYS_INLINE __m256 weights_of(__m256i v, __m256i zero_points) noexcept {
  constexpr int bit = 8 * (At % 4) + Bits * (At / 4), shift = 32 - Bits - bit;
  if constexpr (shift > 0) v = _mm256_slli_epi32(v, shift);
  return _mm256_cvtepi32_ps(_mm256_sub_epi32(_mm256_srai_epi32(v, 32 - Bits), zero_points));
}

PARE_ALWAYS_INLINE void add_products(row_of_floats& sums, float x,
                                     const row_of_floats& w) noexcept {
  const __m256 a = _mm256_set1_ps(x);
  multiply_then_add(sums, {a, a}, w);
}

/// One input of some rows times the weights of 16 columns.
template <int Bits, int At, int Rows>
PARE_ALWAYS_INLINE void float_step(float_tile& sums, const float* x, index_t stride,
                                   const row_of_tile& v, const row_of_tile& zero_points) noexcept {
  const row_of_floats w = {weights_of<Bits, At>(v.c0, zero_points.c0),
                           weights_of<Bits, At>(v.c1, zero_points.c1)};
  add_products(sums.r0, x[0], w);
  if constexpr (Rows > 1) add_products(sums.r1, x[stride], w);
  if constexpr (Rows > 2) add_products(sums.r2, x[2 * stride], w);
}

/// 8 inputs: a block of 4 bits, or two of 8 bits.
template <int Bits, int Rows>
PARE_ALWAYS_INLINE void eight_inputs(float_tile& sums, const float* x, index_t stride,
                                     const std::uint8_t* w,
                                     const row_of_tile& zero_points) noexcept {
  row_of_tile v = load_row(w);
  float_step<Bits, 0, Rows>(sums, x, stride, v, zero_points);
  float_step<Bits, 1, Rows>(sums, x + 1, stride, v, zero_points);
  float_step<Bits, 2, Rows>(sums, x + 2, stride, v, zero_points);
  float_step<Bits, 3, Rows>(sums, x + 3, stride, v, zero_points);
  constexpr int next = Bits == 4 ? 4 : 0;
  if constexpr (Bits == 8) v = load_row(w + 64);
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
  const row_of_floats none = {_mm256_setzero_ps(), _mm256_setzero_ps()};
  float_tile f = {none, none, none};
  for (index_t first = 0; first < args.k; first += layer.group) {
    const index_t n = pare::detail::min(layer.group, args.k - first);
    const row_of_tile zero_points =
        load_zero_points<Bits>(layer.has_zero_points != 0 ? p.zero_points : nullptr);
    float_tile part = {none, none, none};
    const std::uint8_t* w = p.blocks;
    index_t i = 0;
    for (; i + 8 <= n; i += 8, x += 8, w += Bits == 4 ? 64 : 128) {
      eight_inputs<Bits, Rows>(part, x, args.x_stride, w, zero_points);
    }
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
  const row_tiles cut = cut_rows(block.last_row - block.first_row, most_rows);
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

/// One block of the product.
inline void gemm_grouped(const gemm_grouped_args& args, const gemm_block& block) noexcept {
  constexpr grouped_tile_function integer4[] = {integer_tile<4, 1>, integer_tile<4, 2>,
                                                integer_tile<4, 3>};
  constexpr grouped_tile_function integer8[] = {integer_tile<8, 1>};
  constexpr grouped_tile_function floating4[] = {floating_tile<4, 1>, floating_tile<4, 2>,
                                                 floating_tile<4, 3>};
  constexpr grouped_tile_function floating8[] = {floating_tile<8, 1>, floating_tile<8, 2>,
                                                 floating_tile<8, 3>};
  const bool is_4_bit = args.layer.bits == 4;
  if (args.layer.options.arithmetic == grouped_arithmetic::floating)
    return grouped_panels(args, block, is_4_bit ? floating4 : floating8, 3);
  return grouped_panels(args, block, is_4_bit ? integer4 : integer8, is_4_bit ? 3 : 1);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx2
PARE_TARGET_AVX2_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_GEMM_GROUPED_3X16C4_AVX2_HPP
