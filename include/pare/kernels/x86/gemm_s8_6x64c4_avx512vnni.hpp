// The s8 matrix product on AVX-512 VNNI: tiles of up to 6 rows by 64 columns, K in groups of 4.
//
// vpdpbusd multiplies unsigned by signed bytes, so signed activations are biased by 128 (XOR 0x80)
// on the way in and the accumulators start at bias - 128 * sum(w), which takes it out again: exact
// for every s8 input. Bound: 2 vpdpbusd per cycle; per K-group 24 products share the ports with 6
// broadcasts and 6 XORs. Panels of 16, 32 and 48 columns use the same code with fewer registers
// across.
//
// Full tiles finish in registers where C is s32 or float, and where it holds codes by the commonest
// rule. All else (other rules, ragged edges) leaves the tile as s32 into a buffer in L1, from which
// one function per kind of output makes the final values: a copy of the tile for each of them would
// multiply code size and compile time by eight, and it is only small K that feels it.
#ifndef PARE_KERNELS_X86_GEMM_S8_6X64C4_AVX512VNNI_HPP
#define PARE_KERNELS_X86_GEMM_S8_6X64C4_AVX512VNNI_HPP

#include <cstring>

#include <pare/kernels/gemm_s8.hpp>
#include <pare/kernels/target_region.hpp>

#if PARE_X86_KERNELS

PARE_TARGET_AVX512VNNI_BEGIN
namespace pare::kernels::avx512vnni {
inline namespace PARE_ABI {

/// One row of a tile: 16 columns a register; those beyond the tile's width stay unused. Named
/// members, not an array: GCC 12 keeps arrays of accumulators in memory.
struct row_of_tile {
  __m512i c0, c1, c2, c3;
};

/// c += a * b for 16 columns and 4 inputs. Inline assembly, because GCC 12 copies the accumulator
/// around the intrinsic.
PARE_ALWAYS_INLINE void multiply_add(__m512i& c, __m512i a, __m512i b) noexcept {
  __asm__("vpdpbusd %2, %1, %0" : "+v"(c) : "v"(a), "v"(b));
}

/// 4 activations, in all lanes, unsigned.
PARE_ALWAYS_INLINE __m512i broadcast4(const std::uint8_t* a, __m512i flip) noexcept {
  std::int32_t four;
  std::memcpy(&four, a, 4);
  return _mm512_xor_si512(_mm512_set1_epi32(four), flip);
}

/// row += 4 activations, made by `broadcast4`, times the columns.
template <int Vectors>
PARE_ALWAYS_INLINE void step(row_of_tile& row, __m512i a, const row_of_tile& b) noexcept {
  multiply_add(row.c0, a, b.c0);
  if constexpr (Vectors > 1) multiply_add(row.c1, a, b.c1);
  if constexpr (Vectors > 2) multiply_add(row.c2, a, b.c2);
  if constexpr (Vectors > 3) multiply_add(row.c3, a, b.c3);
}

/// row += 4 activations times the columns. One statement, because GCC 12 copies accumulators between
/// statements.
template <int Vectors>
PARE_ALWAYS_INLINE void step(row_of_tile& row, const std::uint8_t* a, __m512i flip,
                             const row_of_tile& b) noexcept {
  struct four_bytes {
    std::uint8_t bytes[4];
  };
  const four_bytes& four = *reinterpret_cast<const four_bytes*>(a);
  __m512i x;
  if constexpr (Vectors == 1) {
    __asm__(
        "vpxord %[a]%{1to16%}, %[flip], %[x]\n\t"
        "vpdpbusd %[b0], %[x], %[c0]"
        : [c0] "+v"(row.c0), [x] "=&v"(x)
        : [a] "m"(four), [flip] "v"(flip), [b0] "v"(b.c0));
  } else if constexpr (Vectors == 2) {
    __asm__(
        "vpxord %[a]%{1to16%}, %[flip], %[x]\n\t"
        "vpdpbusd %[b0], %[x], %[c0]\n\t"
        "vpdpbusd %[b1], %[x], %[c1]"
        : [c0] "+v"(row.c0), [c1] "+v"(row.c1), [x] "=&v"(x)
        : [a] "m"(four), [flip] "v"(flip), [b0] "v"(b.c0), [b1] "v"(b.c1));
  } else if constexpr (Vectors == 3) {
    __asm__(
        "vpxord %[a]%{1to16%}, %[flip], %[x]\n\t"
        "vpdpbusd %[b0], %[x], %[c0]\n\t"
        "vpdpbusd %[b1], %[x], %[c1]\n\t"
        "vpdpbusd %[b2], %[x], %[c2]"
        : [c0] "+v"(row.c0), [c1] "+v"(row.c1), [c2] "+v"(row.c2), [x] "=&v"(x)
        : [a] "m"(four), [flip] "v"(flip), [b0] "v"(b.c0), [b1] "v"(b.c1), [b2] "v"(b.c2));
  } else {
    __asm__(
        "vpxord %[a]%{1to16%}, %[flip], %[x]\n\t"
        "vpdpbusd %[b0], %[x], %[c0]\n\t"
        "vpdpbusd %[b1], %[x], %[c1]\n\t"
        "vpdpbusd %[b2], %[x], %[c2]\n\t"
        "vpdpbusd %[b3], %[x], %[c3]"
        : [c0] "+v"(row.c0), [c1] "+v"(row.c1), [c2] "+v"(row.c2), [c3] "+v"(row.c3), [x] "=&v"(x)
        : [a] "m"(four), [flip] "v"(flip), [b0] "v"(b.c0), [b1] "v"(b.c1), [b2] "v"(b.c2),
          [b3] "v"(b.c3));
  }
}

template <int Vectors>
PARE_ALWAYS_INLINE row_of_tile load_row(const void* p) noexcept {
  const std::byte* at = static_cast<const std::byte*>(p);
  row_of_tile r;
  r.c0 = _mm512_loadu_si512(at);
  r.c1 = Vectors > 1 ? _mm512_loadu_si512(at + 64) : r.c0;
  r.c2 = Vectors > 2 ? _mm512_loadu_si512(at + 128) : r.c0;
  r.c3 = Vectors > 3 ? _mm512_loadu_si512(at + 192) : r.c0;
  return r;
}

/// The weights of one K-group. The barriers keep GCC 12 from loading them anew for each row.
template <int Vectors>
PARE_ALWAYS_INLINE row_of_tile load_weights(const std::int8_t* w) noexcept {
  row_of_tile r = load_row<Vectors>(w);
  __asm__("" : "+v"(r.c0));
  if constexpr (Vectors > 1) __asm__("" : "+v"(r.c1));
  if constexpr (Vectors > 2) __asm__("" : "+v"(r.c2));
  if constexpr (Vectors > 3) __asm__("" : "+v"(r.c3));
  return r;
}

/// In halves: on AMD a store of 64 bytes takes both ports of vpdpbusd for a cycle, two of 32 take none.
PARE_ALWAYS_INLINE void store16(std::int32_t* p, __m512i v) noexcept {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_castsi512_si256(v));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p + 8), _mm512_extracti64x4_epi64(v, 1));
}
template <int Vectors>
PARE_ALWAYS_INLINE void store_row(std::int32_t* p, const row_of_tile& r) noexcept {
  store16(p, r.c0);
  if constexpr (Vectors > 1) store16(p + 16, r.c1);
  if constexpr (Vectors > 2) store16(p + 32, r.c2);
  if constexpr (Vectors > 3) store16(p + 48, r.c3);
}

template <int Vectors>
PARE_ALWAYS_INLINE void add(row_of_tile& r, const row_of_tile& other) noexcept {
  r.c0 = _mm512_add_epi32(r.c0, other.c0);
  if constexpr (Vectors > 1) r.c1 = _mm512_add_epi32(r.c1, other.c1);
  if constexpr (Vectors > 2) r.c2 = _mm512_add_epi32(r.c2, other.c2);
  if constexpr (Vectors > 3) r.c3 = _mm512_add_epi32(r.c3, other.c3);
}

/// start = bias - offset * sum, for 16 columns.
PARE_ALWAYS_INLINE void start_values(const gemm_s8_args& args, index_t column,
                                     std::int32_t* start) noexcept {
  const __m512i sums = _mm512_loadu_si512(args.sums + column);
  const __m512i bias = args.bias_codes != nullptr ? _mm512_loadu_si512(args.bias_codes + column)
                                                  : _mm512_setzero_si512();
  _mm512_storeu_si512(
      start, _mm512_sub_epi32(bias, _mm512_mullo_epi32(sums, _mm512_set1_epi32(args.offset))));
}

// --- the tile ---

/// The most rows of a tile: as many as leave registers for weights and activations.
constexpr PARE_ALWAYS_INLINE index_t most_rows(int vectors) noexcept {
  return avx512_tile_rows(16 * vectors, pare::detail::max_index, output_kind::s32);
}

/// Accumulators of up to 12 rows. Those beyond the tile's height stay unused.
struct tile_of_rows {
  row_of_tile r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11;
};

/// Where the rows of a tile begin: every third one.
struct tile_inputs {
  const std::uint8_t *a0, *a3, *a6, *a9;
};

template <int Rows>
PARE_ALWAYS_INLINE tile_inputs inputs_at(const std::uint8_t* a, index_t stride) noexcept {
  return {a, a + (Rows > 3 ? 3 * stride : 0), a + (Rows > 6 ? 6 * stride : 0),
          a + (Rows > 9 ? 9 * stride : 0)};
}
template <int Rows>
PARE_ALWAYS_INLINE void advance(tile_inputs& in, index_t bytes) noexcept {
  in.a0 += bytes;
  if constexpr (Rows > 3) in.a3 += bytes;
  if constexpr (Rows > 6) in.a6 += bytes;
  if constexpr (Rows > 9) in.a9 += bytes;
}

/// One K-group of all rows.
template <int Rows, int Vectors>
PARE_ALWAYS_INLINE void step(tile_of_rows& t, const tile_inputs& in, index_t stride, __m512i flip,
                             const row_of_tile& b) noexcept {
  step<Vectors>(t.r0, in.a0, flip, b);
  if constexpr (Rows > 1) step<Vectors>(t.r1, in.a0 + stride, flip, b);
  if constexpr (Rows > 2) step<Vectors>(t.r2, in.a0 + 2 * stride, flip, b);
  if constexpr (Rows > 3) step<Vectors>(t.r3, in.a3, flip, b);
  if constexpr (Rows > 4) step<Vectors>(t.r4, in.a3 + stride, flip, b);
  if constexpr (Rows > 5) step<Vectors>(t.r5, in.a3 + 2 * stride, flip, b);
  if constexpr (Rows > 6) step<Vectors>(t.r6, in.a6, flip, b);
  if constexpr (Rows > 7) step<Vectors>(t.r7, in.a6 + stride, flip, b);
  if constexpr (Rows > 8) step<Vectors>(t.r8, in.a6 + 2 * stride, flip, b);
  if constexpr (Rows > 9) step<Vectors>(t.r9, in.a9, flip, b);
  if constexpr (Rows > 10) step<Vectors>(t.r10, in.a9 + stride, flip, b);
  if constexpr (Rows > 11) step<Vectors>(t.r11, in.a9 + 2 * stride, flip, b);
}

/// t = start + A * W over all of K.
template <int Rows, int Vectors>
PARE_ALWAYS_INLINE void accumulate(tile_walk& walk, tile_of_rows& t) noexcept {
  reload(walk);
  t.r0 = load_row<Vectors>(walk.start);
  t.r1 = t.r2 = t.r3 = t.r4 = t.r5 = t.r6 = t.r7 = t.r8 = t.r9 = t.r10 = t.r11 = t.r0;
  // Few accumulators do not hide the latency: a second set takes every other K-group.
  constexpr bool two_sets = Rows * Vectors < 8;
  tile_of_rows u;
  if constexpr (two_sets) {
    const __m512i zero = _mm512_setzero_si512();
    u.r0 = u.r1 = u.r2 = u.r3 = u.r4 = u.r5 = u.r6 = {zero, zero, zero, zero};
  }

  const __m512i flip = _mm512_set1_epi8(static_cast<char>(walk.a_flip));
  tap_position tap{walk.a};
  const std::int8_t* w = walk.w;
  do {
    const index_t stride = walk.stride, w_bytes = walk.w_bytes;
    tile_inputs in = inputs_at<Rows>(tap.at, stride);
    index_t groups = walk.groups;
    if constexpr (two_sets) {
      for (; groups >= 2; groups -= 2, w += 2 * w_bytes) {
        step<Rows, Vectors>(t, in, stride, flip, load_weights<Vectors>(w));
        advance<Rows>(in, 4);
        step<Rows, Vectors>(u, in, stride, flip, load_weights<Vectors>(w + w_bytes));
        advance<Rows>(in, 4);
      }
    }
    for (bool is_last = !walk.has_tail;; is_last = true) {
      for (; groups > 0; --groups, w += w_bytes) {
        step<Rows, Vectors>(t, in, stride, flip, load_weights<Vectors>(w));
        advance<Rows>(in, 4);
      }
      if (is_last) break;
      in = inputs_at<Rows>(tap.at + walk.last_group, stride);
      groups = 1;
    }
    reload(walk);
  } while (to_next_tap(walk, tap));
  walk.a += Rows * walk.stride;

  if constexpr (two_sets) {
    add<Vectors>(t.r0, u.r0);
    if constexpr (Rows > 1) add<Vectors>(t.r1, u.r1);
    if constexpr (Rows > 2) add<Vectors>(t.r2, u.r2);
    if constexpr (Rows > 3) add<Vectors>(t.r3, u.r3);
    if constexpr (Rows > 4) add<Vectors>(t.r4, u.r4);
    if constexpr (Rows > 5) add<Vectors>(t.r5, u.r5);
    if constexpr (Rows > 6) add<Vectors>(t.r6, u.r6);
  }
}

/// `count` tiles below each other: out[Rows][16 * Vectors] = start + A * W over all of K.
template <int Rows, int Vectors>
void tiles(const gemm_s8_args& args, const std::uint8_t* a, index_t stride, index_t count,
           const std::int8_t* w, index_t w_bytes, const std::int32_t* start, std::int32_t* out,
           index_t out_stride) noexcept {
  tile_walk walk = walk_of(args, a, stride, w, w_bytes, start);
  for (; count > 0; --count) {
    tile_of_rows t;
    accumulate<Rows, Vectors>(walk, t);
    store_row<Vectors>(out, t.r0), out += out_stride;
    if constexpr (Rows > 1) store_row<Vectors>(out, t.r1), out += out_stride;
    if constexpr (Rows > 2) store_row<Vectors>(out, t.r2), out += out_stride;
    if constexpr (Rows > 3) store_row<Vectors>(out, t.r3), out += out_stride;
    if constexpr (Rows > 4) store_row<Vectors>(out, t.r4), out += out_stride;
    if constexpr (Rows > 5) store_row<Vectors>(out, t.r5), out += out_stride;
    if constexpr (Rows > 6) store_row<Vectors>(out, t.r6), out += out_stride;
    if constexpr (Rows > 7) store_row<Vectors>(out, t.r7), out += out_stride;
    if constexpr (Rows > 8) store_row<Vectors>(out, t.r8), out += out_stride;
    if constexpr (Rows > 9) store_row<Vectors>(out, t.r9), out += out_stride;
    if constexpr (Rows > 10) store_row<Vectors>(out, t.r10), out += out_stride;
    if constexpr (Rows > 11) store_row<Vectors>(out, t.r11), out += out_stride;
  }
}

using tile_function = void (*)(const gemm_s8_args&, const std::uint8_t*, index_t, index_t,
                               const std::int8_t*, index_t, const std::int32_t*, std::int32_t*,
                               index_t) noexcept;

/// The tiles of `rows` rows, 1 to most_rows(Vectors).
template <int Vectors>
PARE_ALWAYS_INLINE tile_function tiles_of_height(index_t rows) noexcept {
  if constexpr (Vectors == 4) {
    constexpr tile_function of_height[] = {tiles<1, 4>, tiles<2, 4>, tiles<3, 4>,
                                           tiles<4, 4>, tiles<5, 4>, tiles<6, 4>};
    return of_height[rows - 1];
  } else if constexpr (Vectors == 3) {
    constexpr tile_function of_height[] = {tiles<1, 3>, tiles<2, 3>, tiles<3, 3>, tiles<4, 3>,
                                           tiles<5, 3>, tiles<6, 3>, tiles<7, 3>, tiles<8, 3>};
    return of_height[rows - 1];
  } else {
    constexpr tile_function of_height[] = {
        tiles<1, Vectors>, tiles<2, Vectors>,  tiles<3, Vectors>,  tiles<4, Vectors>,
        tiles<5, Vectors>, tiles<6, Vectors>,  tiles<7, Vectors>,  tiles<8, Vectors>,
        tiles<9, Vectors>, tiles<10, Vectors>, tiles<11, Vectors>, tiles<12, Vectors>};
    return of_height[rows - 1];
  }
}

// --- outputs: `rows` rows of `columns` accumulators, `width` apart, become values of C ---

PARE_ALWAYS_INLINE __mmask16 lanes(index_t left) noexcept {
  return left >= 16 ? __mmask16(0xffff) : __mmask16((1u << (left > 0 ? left : 0)) - 1u);
}

/// The product, rounded before anything is added to it: the barrier keeps the compiler from fusing
/// both.
PARE_ALWAYS_INLINE __m512 rounded_product(__m512 a, __m512 b) noexcept {
  __m512 p = _mm512_mul_ps(a, b);
  __asm__("" : "+v"(p));
  return p;
}

inline void write_s32(const gemm_s8_args& args, const std::int32_t* acc, index_t width, index_t row,
                      index_t rows, index_t column, index_t columns) noexcept {
  for (index_t j = 0; j < columns; j += 16) {
    const __mmask16 mask = lanes(columns - j);
    std::int32_t* c = static_cast<std::int32_t*>(args.c) + row * args.c_stride + column + j;
    for (index_t i = 0; i < rows; ++i, c += args.c_stride) {
      _mm512_mask_storeu_epi32(c, mask, _mm512_loadu_si512(acc + i * width + j));
    }
  }
}

inline void write_f32(const gemm_s8_args& args, const std::int32_t* acc, index_t width, index_t row,
                      index_t rows, index_t column, index_t columns) noexcept {
  const __m512 low = _mm512_set1_ps(args.clamp_low), high = _mm512_set1_ps(args.clamp_high);
  const float* row_scales = args.row_scales != nullptr ? args.row_scales + row : nullptr;
  const std::int32_t* zero_points =
      args.row_zero_points != nullptr ? args.row_zero_points + row : nullptr;
  for (index_t j = 0; j < columns; j += 16) {
    const __mmask16 mask = lanes(columns - j);
    const __m512i sums = _mm512_loadu_si512(args.sums + column + j);
    const __m512 scales = _mm512_loadu_ps(args.column_scales + column + j);
    const __m512 bias = _mm512_loadu_ps(args.bias + column + j);
    float* c = static_cast<float*>(args.c) + row * args.c_stride + column + j;
    for (index_t i = 0; i < rows; ++i, c += args.c_stride) {
      const __m512i zero_point = _mm512_set1_epi32(zero_points != nullptr ? zero_points[i] : 0);
      const __m512 row_scale = _mm512_set1_ps(row_scales != nullptr ? row_scales[i] : args.scale);
      const __m512i x = _mm512_sub_epi32(_mm512_loadu_si512(acc + i * width + j),
                                         _mm512_mullo_epi32(zero_point, sums));
      const __m512 scale = rounded_product(row_scale, scales);
      const __m512 y = _mm512_add_ps(rounded_product(_mm512_cvtepi32_ps(x), scale), bias);
      const __m512 clamped = _mm512_min_ps(high, _mm512_max_ps(low, y));
      if (PARE_LIKELY(mask == 0xffff)) {
        _mm512_storeu_ps(c, clamped);
      } else {
        _mm512_mask_storeu_ps(c, mask, clamped);
      }
    }
  }
}

/// 8 signed products x * m of the even lanes, as 64 bits.
PARE_ALWAYS_INLINE __m512i multiply_even(__m512i x, __m512i m) noexcept {
  return _mm512_mul_epi32(x, m);
}
PARE_ALWAYS_INLINE __m512i odd_lanes(__m512i x) noexcept { return _mm512_srli_epi64(x, 32); }
PARE_ALWAYS_INLINE __m512i join_lanes(__m512i even, __m512i odd) noexcept {
  return _mm512_mask_blend_epi32(0xaaaa, even, _mm512_slli_epi64(odd, 32));
}

/// `scale_double_rounding` for 16 lanes.
PARE_ALWAYS_INLINE __m512i scale_double_rounding(__m512i x, __m512i multiplier,
                                                 __m512i shift) noexcept {
  const __m512i zero = _mm512_setzero_si512(), one = _mm512_set1_epi32(1);
  x = _mm512_sllv_epi32(x, _mm512_max_epi32(shift, zero));
  const __m512i half = _mm512_set1_epi64(std::int64_t{1} << 30);
  // Results fit in 32 bits, so the low half of a logical shift is that of an arithmetic one.
  const __m512i even = _mm512_srli_epi64(_mm512_add_epi64(multiply_even(x, multiplier), half), 31);
  const __m512i odd = _mm512_srli_epi64(
      _mm512_add_epi64(multiply_even(odd_lanes(x), odd_lanes(multiplier)), half), 31);
  const __m512i high = join_lanes(even, odd);
  const __m512i right = _mm512_sub_epi32(zero, _mm512_min_epi32(shift, zero));
  const __m512i mask = _mm512_sub_epi32(_mm512_sllv_epi32(one, right), one);
  const __m512i remainder = _mm512_and_si512(high, mask);
  const __m512i threshold =
      _mm512_add_epi32(_mm512_srli_epi32(mask, 1), _mm512_srli_epi32(high, 31));
  const __m512i quotient = _mm512_srav_epi32(high, right);
  return _mm512_mask_add_epi32(quotient, _mm512_cmpgt_epi32_mask(remainder, threshold), quotient,
                               one);
}

/// `scale_single_rounding` for 16 lanes.
PARE_ALWAYS_INLINE __m512i scale_single_rounding(__m512i x, __m512i multiplier,
                                                 __m512i shift) noexcept {
  const __m512i total = _mm512_sub_epi32(_mm512_set1_epi32(31), shift);
  const __m512i low_half = _mm512_set1_epi64(0xffffffff), one = _mm512_set1_epi64(1);
  const __m512i total_even = _mm512_and_si512(total, low_half), total_odd = odd_lanes(total);
  const __m512i round_even = _mm512_sllv_epi64(one, _mm512_sub_epi64(total_even, one));
  const __m512i round_odd = _mm512_sllv_epi64(one, _mm512_sub_epi64(total_odd, one));
  const __m512i even =
      _mm512_srav_epi64(_mm512_add_epi64(multiply_even(x, multiplier), round_even), total_even);
  const __m512i odd = _mm512_srav_epi64(
      _mm512_add_epi64(multiply_even(odd_lanes(x), odd_lanes(multiplier)), round_odd), total_odd);
  return join_lanes(even, odd);
}

/// What 16 columns need to be requantized.
struct column_scales {
  __m512 factor;
  __m512i multiplier, shift;
};

template <requantization Rule>
PARE_ALWAYS_INLINE column_scales load_scales(const gemm_s8_args& args, index_t column) noexcept {
  if constexpr (Rule == requantization::double_rounding ||
                Rule == requantization::single_rounding) {
    return {_mm512_setzero_ps(), _mm512_loadu_si512(args.multipliers + column),
            _mm512_loadu_si512(args.shifts + column)};
  } else {
    return {_mm512_loadu_ps(args.factors + column), _mm512_setzero_si512(), _mm512_setzero_si512()};
  }
}

/// What the codes of a whole output have in common.
///
/// Codes are packed as s8. Where they reach above 127 they are u8, and move by 128 on the way.
struct code_range {
  __m512 float_zero_point, float_high;
  __m512i zero_point, high;  ///< as words
  __m512i low, flip;         ///< as bytes
};

template <requantization Rule>
PARE_ALWAYS_INLINE code_range load_range(const gemm_s8_args& args) noexcept {
  constexpr bool adds_first = Rule == requantization::onnx;
  const std::int32_t flip = args.high > 127 ? 128 : 0;
  const std::int32_t moved = adds_first ? 0 : args.zero_point;
  code_range r;
  r.float_zero_point = _mm512_set1_ps(static_cast<float>(args.zero_point));
  r.float_high = _mm512_set1_ps(static_cast<float>(args.high - moved));
  r.zero_point = _mm512_set1_epi16(static_cast<std::int16_t>(moved - flip));
  r.high = _mm512_set1_epi16(static_cast<std::int16_t>(args.high - flip));
  r.low = _mm512_set1_epi8(static_cast<char>(args.low - flip));
  r.flip = _mm512_set1_epi8(static_cast<char>(flip));
  return r;
}

/// 16 accumulators as integers before the zero point is added. What is too large for a code
/// saturates later; only too large floats are cut here, as vcvtps2dq makes the smallest integer of
/// them.
template <requantization Rule>
PARE_ALWAYS_INLINE __m512i scaled(__m512i x, const column_scales& by,
                                  const code_range& range) noexcept {
  if constexpr (Rule == requantization::double_rounding)
    return scale_double_rounding(x, by.multiplier, by.shift);
  if constexpr (Rule == requantization::single_rounding)
    return scale_single_rounding(x, by.multiplier, by.shift);
  __m512 y = rounded_product(_mm512_cvtepi32_ps(x), by.factor);
  if constexpr (Rule == requantization::onnx) y = _mm512_add_ps(y, range.float_zero_point);
  return _mm512_cvtps_epi32(_mm512_min_ps(y, range.float_high));
}

/// 64 codes of four vectors of scaled accumulators. Packing works within 128 bits: each holds four
/// codes of each vector.
template <requantization Rule>
PARE_ALWAYS_INLINE __m512i pack_codes(__m512i x0, __m512i x1, __m512i x2, __m512i x3,
                                      const code_range& range) noexcept {
  __m512i left = _mm512_adds_epi16(_mm512_packs_epi32(x0, x1), range.zero_point);
  __m512i right = _mm512_adds_epi16(_mm512_packs_epi32(x2, x3), range.zero_point);
  if constexpr (!is_float_rule(Rule)) {
    left = _mm512_min_epi16(left, range.high);
    right = _mm512_min_epi16(right, range.high);
  }
  return _mm512_xor_si512(_mm512_max_epi8(_mm512_packs_epi16(left, right), range.low), range.flip);
}

/// The same in the order of the vectors.
template <requantization Rule>
PARE_ALWAYS_INLINE __m512i to_codes(__m512i x0, __m512i x1, __m512i x2, __m512i x3,
                                    const code_range& range) noexcept {
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return _mm512_permutexvar_epi32(order, pack_codes<Rule>(x0, x1, x2, x3, range));
}

/// 64 codes at a time: a row of 64 or 48 columns, two of 32, or four of 16. The buffer behind the
/// last row is read, and what comes of it dropped.
template <requantization Rule>
void write_q8(const gemm_s8_args& args, const std::int32_t* acc, index_t width, index_t row,
              index_t rows, index_t column, index_t columns) noexcept {
  const code_range range = load_range<Rule>(args);
  const index_t second = width > 16 ? 16 : 0, third = width > 32 ? 32 : 0;
  const index_t fourth = width == 64 ? 48 : width == 16 ? 0 : width - 16;
  const column_scales by0 = load_scales<Rule>(args, column);
  const column_scales by1 = load_scales<Rule>(args, column + second);
  const column_scales by2 = load_scales<Rule>(args, column + third);
  const column_scales by3 = load_scales<Rule>(args, column + fourth);
  const index_t rows_at_once = width >= 48 ? 1 : 64 / width, last = width == 48 ? 32 : 48;

  std::uint8_t* c = static_cast<std::uint8_t*>(args.c) + row * args.c_stride + column;
  for (; rows > 0; rows -= rows_at_once, acc += rows_at_once * width) {
    const __m512i codes =
        to_codes<Rule>(scaled<Rule>(_mm512_loadu_si512(acc), by0, range),
                       scaled<Rule>(_mm512_loadu_si512(acc + 16), by1, range),
                       scaled<Rule>(_mm512_loadu_si512(acc + 32), by2, range),
                       scaled<Rule>(_mm512_loadu_si512(acc + last), by3, range), range);
    if (columns == 64) {
      _mm512_storeu_si512(c, codes);
      c += args.c_stride;
    } else {
      alignas(64) std::uint8_t of_rows[128];
      _mm512_store_si512(of_rows, codes);
      const __mmask64 mask = ~__mmask64{0} >> (64 - columns);
      for (index_t i = 0; i < rows_at_once && i < rows; ++i, c += args.c_stride)
        _mm512_mask_storeu_epi8(c, mask, _mm512_loadu_si512(of_rows + i * width));
    }
  }
}

// --- tiles whose codes never leave the registers: full ones, by the commonest rule ---

/// Whether `count` factors are below 1, so that no product can be too large for an integer.
PARE_ALWAYS_INLINE bool are_below_one(const float* factors, index_t count) noexcept {
  const __m512 one = _mm512_set1_ps(1.0f);
  unsigned larger = 0;
  for (index_t j = 0; j < count; j += 16)
    larger |= _mm512_cmp_ps_mask(_mm512_loadu_ps(factors + j), one, _CMP_NLT_UQ);
  return larger == 0;
}

PARE_ALWAYS_INLINE __m512i scaled_small(__m512i x, __m512i factor) noexcept {
  return _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(x), _mm512_castsi512_ps(factor)));
}

/// Codes of two rows of 32 columns, or of one of 48 or 64, side by side. Saturation is the only
/// clamp above.
template <int Vectors>
PARE_ALWAYS_INLINE void store_codes(std::uint8_t* c, index_t c_stride, bool has_second,
                                    const row_of_tile& r, const row_of_tile& next,
                                    const row_of_tile& factors, const code_range& range) noexcept {
  const __m512i x0 = scaled_small(r.c0, factors.c0), x1 = scaled_small(r.c1, factors.c1);
  __m512i x2, x3;
  if constexpr (Vectors == 2) {
    x2 = scaled_small(next.c0, factors.c0);
    x3 = scaled_small(next.c1, factors.c1);
  } else {
    x2 = scaled_small(r.c2, factors.c2);
    x3 = Vectors == 3 ? x2 : scaled_small(r.c3, factors.c3);
  }
  const __m512i codes = to_codes<requantization::nearest>(x0, x1, x2, x3, range);
  if constexpr (Vectors == 4) {
    _mm512_storeu_si512(c, codes);
  } else {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(c), _mm512_castsi512_si256(codes));
    if constexpr (Vectors == 3) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(c + 32), _mm512_extracti32x4_epi32(codes, 2));
    } else if (has_second) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(c + c_stride),
                          _mm512_extracti64x4_epi64(codes, 1));
    }
  }
}

/// `count` tiles below each other: C[Rows][16 * Vectors] = codes of start + A * W.
///
/// @param row, column  of C, where the first tile begins
template <int Rows, int Vectors>
void tiles_q8(const gemm_s8_args& args, const std::uint8_t* a, index_t stride, index_t count,
              const std::int8_t* w, index_t w_bytes, const std::int32_t* start, index_t row,
              index_t column) noexcept {
  const index_t c_stride = args.c_stride;
  std::uint8_t* c = static_cast<std::uint8_t*>(args.c) + row * c_stride + column;
  const row_of_tile by = load_row<Vectors>(args.factors + column);
  const code_range range = load_range<requantization::nearest>(args);
  tile_walk walk = walk_of(args, a, stride, w, w_bytes, start);
  for (; count > 0; --count) {
    tile_of_rows t;
    accumulate<Rows, Vectors>(walk, t);
    if constexpr (Vectors == 2) {
      store_codes<2>(c, c_stride, Rows > 1, t.r0, t.r1, by, range);
      if constexpr (Rows > 2)
        store_codes<2>(c + 2 * c_stride, c_stride, Rows > 3, t.r2, t.r3, by, range);
      if constexpr (Rows > 4)
        store_codes<2>(c + 4 * c_stride, c_stride, Rows > 5, t.r4, t.r5, by, range);
      c += pare::detail::min<index_t>(Rows, 6) * c_stride;
      if constexpr (Rows > 6) {
        store_codes<2>(c, c_stride, Rows > 7, t.r6, t.r7, by, range);
        store_codes<2>(c + 2 * c_stride, c_stride, Rows > 9, t.r8, t.r9, by, range);
        store_codes<2>(c + 4 * c_stride, c_stride, Rows > 11, t.r10, t.r11, by, range);
        c += (Rows - 6) * c_stride;
      }
    } else {
      store_codes<Vectors>(c, c_stride, false, t.r0, t.r0, by, range), c += c_stride;
      store_codes<Vectors>(c, c_stride, false, t.r1, t.r1, by, range), c += c_stride;
      if constexpr (Rows > 2)
        store_codes<Vectors>(c, c_stride, false, t.r2, t.r2, by, range), c += c_stride;
      if constexpr (Rows > 3)
        store_codes<Vectors>(c, c_stride, false, t.r3, t.r3, by, range), c += c_stride;
      if constexpr (Rows > 4)
        store_codes<Vectors>(c, c_stride, false, t.r4, t.r4, by, range), c += c_stride;
      if constexpr (Rows > 5)
        store_codes<Vectors>(c, c_stride, false, t.r5, t.r5, by, range), c += c_stride;
      if constexpr (Rows > 6)
        store_codes<Vectors>(c, c_stride, false, t.r6, t.r6, by, range), c += c_stride;
      if constexpr (Rows > 7)
        store_codes<Vectors>(c, c_stride, false, t.r7, t.r7, by, range), c += c_stride;
    }
  }
}

// --- tiles whose floats never leave the registers: full ones ---

/// What columns need to become floats, and the bounds of all.
struct float_columns {
  const std::int32_t* sums;
  const float *scales, *bias;
  __m512 low, high;
};

/// A row of C, and what it needs of its own; the next row's lie `step` further.
struct float_row {
  float* c;
  index_t c_step;
  const float* scale;
  index_t scale_step;
  const std::int32_t* zero_point;
  index_t zero_point_step;
};

PARE_ALWAYS_INLINE void store_floats16(float* c, __m512i acc, const float_columns& by,
                                       index_t column, __m512 row_scale,
                                       __m512i zero_point) noexcept {
  const __m512i x =
      _mm512_sub_epi32(acc, _mm512_mullo_epi32(zero_point, _mm512_loadu_si512(by.sums + column)));
  const __m512 scale = rounded_product(row_scale, _mm512_loadu_ps(by.scales + column));
  const __m512 y = _mm512_add_ps(rounded_product(_mm512_cvtepi32_ps(x), scale),
                                 _mm512_loadu_ps(by.bias + column));
  const __m512 clamped = _mm512_min_ps(by.high, _mm512_max_ps(by.low, y));
  _mm256_storeu_ps(c + column, _mm512_castps512_ps256(clamped));
  _mm256_storeu_ps(c + column + 8, _mm512_extractf32x8_ps(clamped, 1));
}

template <int Vectors>
PARE_ALWAYS_INLINE void store_floats(float_row& to, const row_of_tile& r,
                                     const float_columns& by) noexcept {
  const __m512 scale = _mm512_set1_ps(*to.scale);
  const __m512i zero_point = _mm512_set1_epi32(*to.zero_point);
  store_floats16(to.c, r.c0, by, 0, scale, zero_point);
  if constexpr (Vectors > 1) store_floats16(to.c, r.c1, by, 16, scale, zero_point);
  if constexpr (Vectors > 2) store_floats16(to.c, r.c2, by, 32, scale, zero_point);
  if constexpr (Vectors > 3) store_floats16(to.c, r.c3, by, 48, scale, zero_point);
  to.c += to.c_step;
  to.scale += to.scale_step;
  to.zero_point += to.zero_point_step;
}

/// `count` tiles below each other: C[Rows][16 * Vectors] = floats of start + A * W.
///
/// @param row, column  of C, where the first tile begins
template <int Rows, int Vectors>
void tiles_f32(const gemm_s8_args& args, const std::uint8_t* a, index_t stride, index_t count,
               const std::int8_t* w, index_t w_bytes, const std::int32_t* start, index_t row,
               index_t column) noexcept {
  constexpr std::int32_t no_zero_point = 0;
  const bool has_scales = args.row_scales != nullptr;
  const bool has_zero_points = args.row_zero_points != nullptr;
  float_row to = {static_cast<float*>(args.c) + row * args.c_stride + column,
                  args.c_stride,
                  has_scales ? args.row_scales + row : &args.scale,
                  has_scales ? 1 : 0,
                  has_zero_points ? args.row_zero_points + row : &no_zero_point,
                  has_zero_points ? 1 : 0};
  const float_columns by = {args.sums + column, args.column_scales + column, args.bias + column,
                            _mm512_set1_ps(args.clamp_low), _mm512_set1_ps(args.clamp_high)};
  tile_walk walk = walk_of(args, a, stride, w, w_bytes, start);
  for (; count > 0; --count) {
    tile_of_rows t;
    accumulate<Rows, Vectors>(walk, t);
    __asm__ volatile("" : "+m"(to));  // as `reload`
    store_floats<Vectors>(to, t.r0, by);
    if constexpr (Rows > 1) store_floats<Vectors>(to, t.r1, by);
    if constexpr (Rows > 2) store_floats<Vectors>(to, t.r2, by);
    if constexpr (Rows > 3) store_floats<Vectors>(to, t.r3, by);
    if constexpr (Rows > 4) store_floats<Vectors>(to, t.r4, by);
    if constexpr (Rows > 5) store_floats<Vectors>(to, t.r5, by);
    if constexpr (Rows > 6) store_floats<Vectors>(to, t.r6, by);
    if constexpr (Rows > 7) store_floats<Vectors>(to, t.r7, by);
    if constexpr (Rows > 8) store_floats<Vectors>(to, t.r8, by);
    if constexpr (Rows > 9) store_floats<Vectors>(to, t.r9, by);
    if constexpr (Rows > 10) store_floats<Vectors>(to, t.r10, by);
    if constexpr (Rows > 11) store_floats<Vectors>(to, t.r11, by);
  }
}

using final_tile_function = void (*)(const gemm_s8_args&, const std::uint8_t*, index_t, index_t,
                                     const std::int8_t*, index_t, const std::int32_t*, index_t,
                                     index_t) noexcept;

template <int Rows, int Vectors>
PARE_ALWAYS_INLINE final_tile_function final_tiles(output_kind kind) noexcept {
  return kind == output_kind::q8 ? tiles_q8<Rows, Vectors> : tiles_f32<Rows, Vectors>;
}

/// The tiles of `rows` rows that make codes or floats themselves; null where there are none: only
/// the two tallest heights are worth it, of whole tiles and of the half ones that
/// `avx512_tile_rows` gives.
template <int Vectors>
PARE_ALWAYS_INLINE final_tile_function final_tiles_of_height(output_kind kind,
                                                             index_t rows) noexcept {
  constexpr int most = static_cast<int>(most_rows(Vectors));
  if constexpr (Vectors > 1) {
    if (rows == most) return final_tiles<most, Vectors>(kind);
    if (rows == most - 1) return final_tiles<most - 1, Vectors>(kind);
  }
  if constexpr (Vectors == 2) {
    if (rows == most / 2) return final_tiles<most / 2, Vectors>(kind);
    if (rows == most / 2 - 1) return final_tiles<most / 2 - 1, Vectors>(kind);
  }
  return nullptr;
}

/// `rows` rows of accumulators, `width` apart, become values of C.
inline void write(const gemm_s8_args& args, const std::int32_t* acc, index_t width, index_t row,
                  index_t rows, index_t column, index_t columns) noexcept {
  switch (args.kind) {
    case output_kind::s32: return write_s32(args, acc, width, row, rows, column, columns);
    case output_kind::f32: return write_f32(args, acc, width, row, rows, column, columns);
    case output_kind::q8: break;
  }
  switch (args.rule) {
    case requantization::nearest:
      return write_q8<requantization::nearest>(args, acc, width, row, rows, column, columns);
    case requantization::onnx:
      return write_q8<requantization::onnx>(args, acc, width, row, rows, column, columns);
    case requantization::double_rounding:
      return write_q8<requantization::double_rounding>(args, acc, width, row, rows, column,
                                                       columns);
    case requantization::single_rounding:
      return write_q8<requantization::single_rounding>(args, acc, width, row, rows, column,
                                                       columns);
  }
}

// --- the block ---

/// The rows of a block for 16 * Vectors columns of one panel.
///
/// @param first  of the panel's columns
template <int Vectors>
void columns_of_panel(const gemm_s8_args& args, const gemm_block& block, index_t panel,
                      index_t first) noexcept {
  constexpr index_t width = 16 * Vectors;
  alignas(64) std::int32_t start[width], buffer[most_rows(Vectors) * width + 16];
  std::uint8_t narrow[most_rows(Vectors) * 4];
  const std::int8_t* w = args.panels + panel * panel_bytes(args) + first * 4;
  const index_t w_bytes = 4 * args.tile_columns;
  const index_t column = panel * args.tile_columns + first;
  const index_t columns = pare::detail::min(width, args.columns - column);
  if (columns <= 0) return;
  for (index_t j = 0; j < width; j += 16) start_values(args, column + j, start + j);
  const bool is_whole = columns == width && args.k >= 4;
  const bool is_direct = is_whole && args.kind == output_kind::s32;
  const bool is_final =
      is_whole && (args.kind == output_kind::f32 ||
                   (args.kind == output_kind::q8 && args.rule == requantization::nearest &&
                    is_bounded_by_type(args) && are_below_one(args.factors + column, width)));

  const index_t tile_rows = avx512_tile_rows(width, panel_bytes(args), args.kind);
  for (index_t row = block.first_row; row < block.last_row;) {
    const row_tiles cut = cut_rows(rows_in_line(args, row, block.last_row), tile_rows);
    const std::uint8_t* a = row_address(args, row);
    for (index_t rows = cut.tall_rows; rows >= cut.tall_rows - 1; --rows) {
      index_t count = rows == cut.tall_rows ? cut.tall : cut.low;
      if (count == 0) continue;
      const tile_function accumulators = tiles_of_height<Vectors>(rows);
      const final_tile_function values =
          is_final ? final_tiles_of_height<Vectors>(args.kind, rows) : nullptr;
      if (values != nullptr) {
        values(args, a, args.a_stride, count, w, w_bytes, start, row, column);
        a += count * rows * args.a_stride;
        row += count * rows;
      } else if (is_direct) {
        accumulators(args, a, args.a_stride, count, w, w_bytes, start,
                     static_cast<std::int32_t*>(args.c) + row * args.c_stride + column,
                     args.c_stride);
        a += count * rows * args.a_stride;
        row += count * rows;
      } else {
        // Through a buffer in L1: each tile is made final while the next one already multiplies.
        for (; count > 0; --count) {
          const std::uint8_t* inputs = a;
          index_t stride = args.a_stride;
          if (PARE_UNLIKELY(args.k < 4)) {
            copy_narrow_rows(args, a, rows, 4, narrow);
            inputs = narrow, stride = 4;
          }
          accumulators(args, inputs, stride, 1, w, w_bytes, start, buffer, width);
          write(args, buffer, width, row, rows, column, columns);
          a += rows * args.a_stride;
          row += rows;
        }
      }
    }
  }
}

/// Widths of panels that this kernel reads.
constexpr PARE_ALWAYS_INLINE bool takes_tile(index_t tile_columns) noexcept {
  return tile_columns == 16 || tile_columns == 32 || tile_columns == 48 || tile_columns == 64;
}

/// One block of the product.
inline void gemm_s8(const gemm_s8_args& args, const gemm_block& block) noexcept {
  // Seven and eight rows are one tile over half of a wide panel, so that each weight is read once.
  const index_t rows = block.last_row - block.first_row;
  const bool is_halved = args.tile_columns == 64 && (rows == 7 || rows == 8);
  for (index_t panel = block.first_panel; panel < block.last_panel; ++panel) {
    switch (is_halved ? 128 : args.tile_columns) {
      case 16: columns_of_panel<1>(args, block, panel, 0); break;
      case 32: columns_of_panel<2>(args, block, panel, 0); break;
      case 48: columns_of_panel<3>(args, block, panel, 0); break;
      case 64: columns_of_panel<4>(args, block, panel, 0); break;
      default:
        columns_of_panel<2>(args, block, panel, 0);
        columns_of_panel<2>(args, block, panel, 32);
    }
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx512vnni
PARE_TARGET_AVX512VNNI_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_GEMM_S8_6X64C4_AVX512VNNI_HPP
