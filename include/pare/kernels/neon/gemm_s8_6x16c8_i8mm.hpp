// The s8 matrix product on 64-bit ARM with SMMLA: tiles of up to 6 rows by 16 columns, K in groups
// of 8.
//
// SMMLA multiplies two rows of eight bytes by two columns of eight bytes: 2 x 2 sums. USMMLA takes
// unsigned rows, so codes of both kinds are multiplied as they are. A tile has three pairs of rows
// and eight pairs of columns: 24 accumulators, 3 registers of rows and 4 of weights. Bound: SMMLA;
// with 24 of them go 6 loads of rows and 2 of weights.
#ifndef PARE_KERNELS_NEON_GEMM_S8_6X16C8_I8MM_HPP
#define PARE_KERNELS_NEON_GEMM_S8_6X16C8_I8MM_HPP

#include <pare/kernels/neon/write_neon.hpp>

#if PARE_NEON_KERNELS

PARE_TARGET_I8MM_BEGIN
namespace pare::kernels::i8mm {
inline namespace PARE_ABI {

using neon::load_row;
using neon::row_of_tile;
using neon::store_row;

/// Accumulators of two rows. A register has those of two columns, row by row.
struct pair_of_rows {
  int32x4_t c0, c1, c2, c3, c4, c5, c6, c7;
};

/// Accumulators of up to 6 rows. Those beyond the tile's height stay unused.
struct tile_of_rows {
  pair_of_rows p0, p1, p2;
};

/// Where two rows are read. A row without a partner is its own.
struct pair_inputs {
  const std::uint8_t *upper, *lower;
};
struct tile_inputs {
  pair_inputs p0, p1, p2;
};

/// 8 bytes of each of two rows.
struct tile_codes {
  uint8x16_t p0, p1, p2;
};

template <int Rows, int Pair>
PARE_ALWAYS_INLINE pair_inputs inputs_at(const std::uint8_t* a, index_t stride) noexcept {
  const std::uint8_t* upper = 2 * Pair < Rows ? a + 2 * Pair * stride : a;
  return {upper, 2 * Pair + 1 < Rows ? upper + stride : upper};
}

/// 8 bytes of both rows, and on to the next ones. Inline assembly, because GCC 12 steps the pointers
/// in instructions of their own.
PARE_ALWAYS_INLINE uint8x16_t load8(pair_inputs& in) noexcept {
  uint8x16_t x;
  __asm__ volatile(
      "ldr %d[x], [%[upper]], #8\n\t"
      "ld1 {%[x].d}[1], [%[lower]], #8"
      : [x] "=&w"(x), [upper] "+r"(in.upper), [lower] "+r"(in.lower)
      :
      : "memory");
  return x;
}

/// The last 1 to 7 bytes of a tap of at least 4, in groups of four: the last one ends with the tap,
/// and zeros stand behind it where it is the only one.
PARE_ALWAYS_INLINE std::uint64_t load_last(const std::uint8_t* a, index_t left) noexcept {
  std::uint32_t first = 0, last;
  std::memcpy(&last, a + left - 4, 4);
  if (left <= 4) return last;
  std::memcpy(&first, a, 4);
  return first | std::uint64_t{last} << 32;
}
PARE_ALWAYS_INLINE uint8x16_t load_last(const pair_inputs& in, index_t left) noexcept {
  return vcombine_u8(vcreate_u8(load_last(in.upper, left)), vcreate_u8(load_last(in.lower, left)));
}

/// c += two rows times two columns. Volatile, which keeps the order of loads and products: GCC 12
/// would load early, run out of registers and spill.
template <bool IsUnsigned>
PARE_ALWAYS_INLINE void multiply_add(int32x4_t& c, uint8x16_t a, int8x16_t w) noexcept {
  if constexpr (IsUnsigned) {
    __asm__ volatile("usmmla %0.4s, %1.16b, %2.16b" : "+w"(c) : "w"(a), "w"(w));
  } else {
    __asm__ volatile("smmla %0.4s, %1.16b, %2.16b" : "+w"(c) : "w"(a), "w"(w));
  }
}

/// The weights of 8 columns, and on to the next ones. The barrier keeps GCC 12 from counting all
/// addresses from one pointer, in instructions of their own.
PARE_ALWAYS_INLINE int8x16x4_t load_weights(const std::int8_t*& w) noexcept {
  const int8x16x4_t columns = vld1q_s8_x4(w);
  w += 64;
  __asm__("" : "+r"(w));
  return columns;
}

/// Two columns of all rows.
template <int Rows, bool IsUnsigned>
PARE_ALWAYS_INLINE void multiply_add(int32x4_t& p0, int32x4_t& p1, int32x4_t& p2,
                                     const tile_codes& a, int8x16_t w) noexcept {
  multiply_add<IsUnsigned>(p0, a.p0, w);
  if constexpr (Rows > 2) multiply_add<IsUnsigned>(p1, a.p1, w);
  if constexpr (Rows > 4) multiply_add<IsUnsigned>(p2, a.p2, w);
}

/// 16 columns times a K-group of all rows; on to the next weights.
template <int Rows, bool IsUnsigned>
PARE_ALWAYS_INLINE void step(tile_of_rows& t, const tile_codes& a, const std::int8_t*& w) noexcept {
  const int8x16x4_t left = load_weights(w);
  multiply_add<Rows, IsUnsigned>(t.p0.c0, t.p1.c0, t.p2.c0, a, left.val[0]);
  multiply_add<Rows, IsUnsigned>(t.p0.c1, t.p1.c1, t.p2.c1, a, left.val[1]);
  multiply_add<Rows, IsUnsigned>(t.p0.c2, t.p1.c2, t.p2.c2, a, left.val[2]);
  multiply_add<Rows, IsUnsigned>(t.p0.c3, t.p1.c3, t.p2.c3, a, left.val[3]);
  const int8x16x4_t right = load_weights(w);
  multiply_add<Rows, IsUnsigned>(t.p0.c4, t.p1.c4, t.p2.c4, a, right.val[0]);
  multiply_add<Rows, IsUnsigned>(t.p0.c5, t.p1.c5, t.p2.c5, a, right.val[1]);
  multiply_add<Rows, IsUnsigned>(t.p0.c6, t.p1.c6, t.p2.c6, a, right.val[2]);
  multiply_add<Rows, IsUnsigned>(t.p0.c7, t.p1.c7, t.p2.c7, a, right.val[3]);
}

/// The same for the next 8 bytes of the rows.
template <int Rows, bool IsUnsigned>
PARE_ALWAYS_INLINE void step8(tile_of_rows& t, tile_inputs& in, const std::int8_t*& w) noexcept {
  tile_codes a;
  a.p0 = load8(in.p0);
  a.p1 = a.p2 = a.p0;
  if constexpr (Rows > 2) a.p1 = load8(in.p1);
  if constexpr (Rows > 4) a.p2 = load8(in.p2);
  step<Rows, IsUnsigned>(t, a, w);
}

/// t += A * W over one tap of `k` bytes; on to the weights of the next one.
template <int Rows, bool IsUnsigned>
PARE_ALWAYS_INLINE void add_tap(tile_of_rows& t, const std::uint8_t* tap, index_t stride, index_t k,
                                const std::int8_t*& w) noexcept {
  tile_inputs in = {inputs_at<Rows, 0>(tap, stride), inputs_at<Rows, 1>(tap, stride),
                    inputs_at<Rows, 2>(tap, stride)};
  for (index_t i = k / 16; i > 0; --i) {
    step8<Rows, IsUnsigned>(t, in, w);
    step8<Rows, IsUnsigned>(t, in, w);
  }
  if (k % 16 >= 8) step8<Rows, IsUnsigned>(t, in, w);
  if (const index_t left = k % 8; left > 0) {
    tile_codes a;
    a.p0 = load_last(in.p0, left);
    a.p1 = a.p2 = a.p0;
    if constexpr (Rows > 2) a.p1 = load_last(in.p1, left);
    if constexpr (Rows > 4) a.p2 = load_last(in.p2, left);
    step<Rows, IsUnsigned>(t, a, w);
  }
}

/// The halves of two registers, lower ones and upper ones.
PARE_ALWAYS_INLINE int32x4_t lower_halves(int32x4_t x, int32x4_t y) noexcept {
  return vcombine_s32(vget_low_s32(x), vget_low_s32(y));
}
PARE_ALWAYS_INLINE int32x4_t upper_halves(int32x4_t x, int32x4_t y) noexcept {
  return vcombine_s32(vget_high_s32(x), vget_high_s32(y));
}

/// Two equal rows.
PARE_ALWAYS_INLINE pair_of_rows load_pair(const std::int32_t* p) noexcept {
  const row_of_tile r = load_row(p);
  return {lower_halves(r.c0, r.c0), upper_halves(r.c0, r.c0), lower_halves(r.c1, r.c1),
          upper_halves(r.c1, r.c1), lower_halves(r.c2, r.c2), upper_halves(r.c2, r.c2),
          lower_halves(r.c3, r.c3), upper_halves(r.c3, r.c3)};
}

PARE_ALWAYS_INLINE void store_upper_row(std::int32_t* out, const pair_of_rows& p) noexcept {
  store_row(out, {lower_halves(p.c0, p.c1), lower_halves(p.c2, p.c3), lower_halves(p.c4, p.c5),
                  lower_halves(p.c6, p.c7)});
}
PARE_ALWAYS_INLINE void store_lower_row(std::int32_t* out, const pair_of_rows& p) noexcept {
  store_row(out, {upper_halves(p.c0, p.c1), upper_halves(p.c2, p.c3), upper_halves(p.c4, p.c5),
                  upper_halves(p.c6, p.c7)});
}

/// `count` tiles below each other: out = start + A * W over all of K, for 16 columns.
template <int Rows, bool IsUnsigned>
void tiles(const gemm_s8_args& args, const std::uint8_t* a, index_t stride, index_t count,
           const std::int8_t* w, const std::int32_t* start, std::int32_t* out,
           index_t out_stride) noexcept {
  const index_t k = args.k < 4 ? pare::detail::round_up(args.k, 4) : args.k;
  for (; count > 0; --count, a += Rows * stride) {
    tile_of_rows t;
    t.p0 = load_pair(start);
    t.p1 = t.p2 = t.p0;
    const std::int8_t* weights = w;
    for (index_t y = 0; y < args.taps_y; ++y) {
      for (index_t x = 0; x < args.taps_x; ++x) {
        const std::uint8_t* tap = a + y * args.tap_y_stride + x * args.tap_x_stride;
        add_tap<Rows, IsUnsigned>(t, tap, stride, k, weights);
      }
    }
    store_upper_row(out, t.p0), out += out_stride;
    if constexpr (Rows > 1) store_lower_row(out, t.p0), out += out_stride;
    if constexpr (Rows > 2) store_upper_row(out, t.p1), out += out_stride;
    if constexpr (Rows > 3) store_lower_row(out, t.p1), out += out_stride;
    if constexpr (Rows > 4) store_upper_row(out, t.p2), out += out_stride;
    if constexpr (Rows > 5) store_lower_row(out, t.p2), out += out_stride;
  }
}

inline constexpr neon::tile_function tiles_of_s8[] = {tiles<1, false>, tiles<2, false>,
                                                      tiles<3, false>, tiles<4, false>,
                                                      tiles<5, false>, tiles<6, false>};
inline constexpr neon::tile_function tiles_of_u8[] = {
    tiles<1, true>, tiles<2, true>, tiles<3, true>, tiles<4, true>, tiles<5, true>, tiles<6, true>};

/// The tiles for s8 or u8 rows.
constexpr PARE_ALWAYS_INLINE neon::kernel_tiles tiles_for(const gemm_s8_args& args) noexcept {
  return {args.a_flip != 0 ? tiles_of_s8 : tiles_of_u8, 6, 2, 4};
}

/// The zero point of the rows as these tiles multiply them.
constexpr PARE_ALWAYS_INLINE std::int32_t offset_of(const gemm_s8_args& args) noexcept {
  return args.a_flip != 0 ? args.offset - 128 : args.offset;
}

/// One block of the product.
inline void gemm_s8(const gemm_s8_args& args, const gemm_block& block) noexcept {
  neon::panels(args, block, tiles_for(args), panel_bytes(args), offset_of(args));
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::i8mm
PARE_TARGET_I8MM_END

#endif  // PARE_NEON_KERNELS
#endif  // PARE_KERNELS_NEON_GEMM_S8_6X16C8_I8MM_HPP
