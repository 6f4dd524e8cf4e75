// The s8 matrix product on 64-bit ARM with SDOT: tiles of up to 6 rows by 16 columns, K in groups
// of 4.
//
// SDOT multiplies signed by signed bytes, so unsigned activations come in as a ^ 0x80, with the zero
// point moved by 128. A register holds four K-groups of a row, and SDOT picks one: 24 accumulators,
// 6 rows and 2 registers of weights fill all 32. Bound: SDOT; with 96 of them go 22 loads, issued
// beside them, and 6 instructions for the XOR.
#ifndef PARE_KERNELS_NEON_GEMM_S8_6X16C4_DOTPROD_HPP
#define PARE_KERNELS_NEON_GEMM_S8_6X16C4_DOTPROD_HPP

#include <pare/kernels/neon/write_neon.hpp>

#if PARE_NEON_KERNELS

PARE_TARGET_DOTPROD_BEGIN
namespace pare::kernels::dotprod {
inline namespace PARE_ABI {

using neon::load_row;
using neon::row_of_tile;
using neon::store_row;
using neon::wrapping_add;

/// Accumulators of up to 6 rows. Those beyond the tile's height stay unused.
struct tile_of_rows {
  row_of_tile r0, r1, r2, r3, r4, r5;
};

/// Where the rows are read.
struct tile_inputs {
  const std::uint8_t *r0, *r1, *r2, *r3, *r4, *r5;
};

/// Bytes of the rows, signed.
struct tile_codes {
  int8x16_t r0, r1, r2, r3, r4, r5;
};

template <int Rows>
PARE_ALWAYS_INLINE tile_inputs inputs_at(const std::uint8_t* a, index_t stride) noexcept {
  tile_inputs in;
  in.r0 = a;
  in.r1 = Rows > 1 ? in.r0 + stride : a;
  in.r2 = Rows > 2 ? in.r1 + stride : a;
  in.r3 = Rows > 3 ? in.r2 + stride : a;
  in.r4 = Rows > 4 ? in.r3 + stride : a;
  in.r5 = Rows > 5 ? in.r4 + stride : a;
  return in;
}
template <int Rows>
PARE_ALWAYS_INLINE void advance(tile_inputs& in, index_t bytes) noexcept {
  in.r0 += bytes;
  if constexpr (Rows > 1) in.r1 += bytes;
  if constexpr (Rows > 2) in.r2 += bytes;
  if constexpr (Rows > 3) in.r3 += bytes;
  if constexpr (Rows > 4) in.r4 += bytes;
  if constexpr (Rows > 5) in.r5 += bytes;
}

/// 16 or 8 bytes, or 4 in all lanes.
template <int Bytes>
PARE_ALWAYS_INLINE int8x16_t load(const std::uint8_t* a) noexcept {
  if constexpr (Bytes == 16) return vreinterpretq_s8_u8(vld1q_u8(a));
  if constexpr (Bytes == 8) return vreinterpretq_s8_u8(vcombine_u8(vld1_u8(a), vdup_n_u8(0)));
  std::uint32_t four;
  std::memcpy(&four, a, 4);
  return vreinterpretq_s8_u32(vdupq_n_u32(four));
}

/// @param flip  0 or 0x80. A branch where it is no constant: no register is free to keep it as a
///              vector
template <int Rows>
PARE_ALWAYS_INLINE void make_signed(tile_codes& x, unsigned flip) noexcept {
  if (flip == 0) return;
  const int8x16_t flips = vdupq_n_s8(static_cast<std::int8_t>(flip));
  x.r0 = veorq_s8(x.r0, flips);
  if constexpr (Rows > 1) x.r1 = veorq_s8(x.r1, flips);
  if constexpr (Rows > 2) x.r2 = veorq_s8(x.r2, flips);
  if constexpr (Rows > 3) x.r3 = veorq_s8(x.r3, flips);
  if constexpr (Rows > 4) x.r4 = veorq_s8(x.r4, flips);
  if constexpr (Rows > 5) x.r5 = veorq_s8(x.r5, flips);
}

/// 16, 8 or 4 bytes of each row, made signed.
template <int Rows, int Bytes>
PARE_ALWAYS_INLINE tile_codes load(const tile_inputs& in, unsigned flip) noexcept {
  tile_codes x;
  x.r0 = load<Bytes>(in.r0);
  x.r1 = Rows > 1 ? load<Bytes>(in.r1) : x.r0;
  x.r2 = Rows > 2 ? load<Bytes>(in.r2) : x.r0;
  x.r3 = Rows > 3 ? load<Bytes>(in.r3) : x.r0;
  x.r4 = Rows > 4 ? load<Bytes>(in.r4) : x.r0;
  x.r5 = Rows > 5 ? load<Bytes>(in.r5) : x.r0;
  make_signed<Rows>(x, flip);
  return x;
}

// Loads of weights and products are volatile, which keeps their order: GCC 12 would load early, run
// out of registers and spill.

/// 16 bytes. The operand in memory is that of no instruction: Clang would add the offset to an
/// address in a register of its own.
template <int Offset>
PARE_ALWAYS_INLINE int8x16_t load_weights(const std::int8_t* w) noexcept {
  struct bytes {
    std::int8_t all[Offset + 16];
  };
  int8x16_t columns;
  __asm__ volatile("ldr %q0, [%1, %2]"
                   : "=w"(columns)
                   : "r"(w), "i"(Offset), "m"(*reinterpret_cast<const bytes*>(w)));
  return columns;
}

/// 16 bytes at an offset that is in a register. Such a load takes as long as SDOT on a Cortex-A55,
/// which finishes in order: issued beside an SDOT, it costs nothing there, where one with an
/// immediate offset costs a cycle.
template <class T>
PARE_ALWAYS_INLINE int8x16_t load_at(const T* p, index_t offset) noexcept {
  int8x16_t x;
  __asm__ volatile("ldr %q0, [%1, %2]" : "=w"(x) : "r"(p), "r"(offset));
  return x;
}
template <class T>
PARE_ALWAYS_INLINE int8x16_t load_at(const T* p) noexcept {
  int8x16_t x;
  __asm__ volatile("ldr %q0, [%1, xzr]" : "=w"(x) : "r"(p));
  return x;
}

/// x + Bytes, computed here and not just before its use, where a Cortex-A55 would wait.
template <int Bytes, class T>
PARE_ALWAYS_INLINE T moved_by(T x) noexcept {
  T moved;
  __asm__ volatile("add %0, %1, %2" : "=r"(moved) : "r"(x), "i"(Bytes));
  return moved;
}

/// What a load's offset can be, in registers: the weights of two K-groups.
struct weight_offsets {
  index_t of16 = 16, of32 = 32, of48 = 48, of64 = 64, of80 = 80, of96 = 96, of112 = 112,
          of128 = 128;
};

/// c += 4 columns times a K-group out of the four in `a`.
template <int Group>
PARE_ALWAYS_INLINE void multiply_add(int32x4_t& c, int8x16_t w, int8x16_t a) noexcept {
  __asm__ volatile("sdot %0.4s, %1.16b, %2.4b[%3]" : "+w"(c) : "w"(w), "w"(a), "i"(Group));
}

/// 4 columns times a K-group of all rows.
template <int Rows, int Group>
PARE_ALWAYS_INLINE void multiply_add(int32x4_t& r0, int32x4_t& r1, int32x4_t& r2, int32x4_t& r3,
                                     int32x4_t& r4, int32x4_t& r5, int8x16_t w,
                                     const tile_codes& a) noexcept {
  multiply_add<Group>(r0, w, a.r0);
  if constexpr (Rows > 1) multiply_add<Group>(r1, w, a.r1);
  if constexpr (Rows > 2) multiply_add<Group>(r2, w, a.r2);
  if constexpr (Rows > 3) multiply_add<Group>(r3, w, a.r3);
  if constexpr (Rows > 4) multiply_add<Group>(r4, w, a.r4);
  if constexpr (Rows > 5) multiply_add<Group>(r5, w, a.r5);
}

/// 16 columns times the first K-group in `a`.
template <int Rows>
PARE_ALWAYS_INLINE void one_group(tile_of_rows& t, const std::int8_t* w,
                                  const tile_codes& a) noexcept {
  int8x16_t first = load_weights<0>(w), second = load_weights<16>(w);
  multiply_add<Rows, 0>(t.r0.c0, t.r1.c0, t.r2.c0, t.r3.c0, t.r4.c0, t.r5.c0, first, a);
  first = load_weights<32>(w);
  multiply_add<Rows, 0>(t.r0.c1, t.r1.c1, t.r2.c1, t.r3.c1, t.r4.c1, t.r5.c1, second, a);
  second = load_weights<48>(w);
  multiply_add<Rows, 0>(t.r0.c2, t.r1.c2, t.r2.c2, t.r3.c2, t.r4.c2, t.r5.c2, first, a);
  multiply_add<Rows, 0>(t.r0.c3, t.r1.c3, t.r2.c3, t.r3.c3, t.r4.c3, t.r5.c3, second, a);
}

/// What comes after four K-groups.
enum class next_codes {
  none,         ///< nothing
  same,         ///< the next 16 bytes
  made_signed,  ///< the next 16 bytes, to be signed
};

inline constexpr std::uint8_t sign_bits[16] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                                               0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80};

/// 4 columns times the last K-group in `a`, each row of which then becomes the one at `next`.
///
/// @return the sign bits where the codes are to be signed, loaded into the register of `w`
template <int Rows, next_codes Next>
PARE_ALWAYS_INLINE int8x16_t multiply_add_and_load(int32x4_t& r0, int32x4_t& r1, int32x4_t& r2,
                                                   int32x4_t& r3, int32x4_t& r4, int32x4_t& r5,
                                                   int8x16_t w, tile_codes& a,
                                                   const tile_inputs& in, index_t next) noexcept {
  multiply_add<3>(r0, w, a.r0);
  if constexpr (Rows > 1) a.r0 = load_at(in.r0, next), multiply_add<3>(r1, w, a.r1);
  if constexpr (Rows > 2) a.r1 = load_at(in.r1, next), multiply_add<3>(r2, w, a.r2);
  if constexpr (Rows > 3) a.r2 = load_at(in.r2, next), multiply_add<3>(r3, w, a.r3);
  if constexpr (Rows > 4) a.r3 = load_at(in.r3, next), multiply_add<3>(r4, w, a.r4);
  if constexpr (Rows > 5) a.r4 = load_at(in.r4, next), multiply_add<3>(r5, w, a.r5);
  int8x16_t flips = w;
  if constexpr (Next == next_codes::made_signed) flips = load_at(sign_bits);
  if constexpr (Rows == 1) a.r0 = load_at(in.r0, next);
  if constexpr (Rows == 2) a.r1 = load_at(in.r1, next);
  if constexpr (Rows == 3) a.r2 = load_at(in.r2, next);
  if constexpr (Rows == 4) a.r3 = load_at(in.r3, next);
  if constexpr (Rows == 5) a.r4 = load_at(in.r4, next);
  if constexpr (Rows == 6) a.r5 = load_at(in.r5, next);
  return flips;
}

/// Where the weights of four K-groups begin, and the upper two of them.
struct weight_pointers {
  const std::int8_t *lower, *upper;
};

/// 16 columns times the four K-groups in `a`. Everything is loaded well ahead of its use: where
/// something comes next, `a` and `first` become those of the next 16 bytes.
///
/// @param first  the first 4 columns of the first group
/// @return see `multiply_add_and_load`
template <int Rows, next_codes Next>
PARE_ALWAYS_INLINE int8x16_t four_groups(tile_of_rows& t, tile_codes& a, const tile_inputs& in,
                                         index_t next, int8x16_t& first, const weight_pointers& w,
                                         const weight_offsets& o) noexcept {
  int8x16_t second = load_at(w.lower, o.of16);
  multiply_add<Rows, 0>(t.r0.c0, t.r1.c0, t.r2.c0, t.r3.c0, t.r4.c0, t.r5.c0, first, a);
  first = load_at(w.lower, o.of32);
  multiply_add<Rows, 0>(t.r0.c1, t.r1.c1, t.r2.c1, t.r3.c1, t.r4.c1, t.r5.c1, second, a);
  second = load_at(w.lower, o.of48);
  multiply_add<Rows, 0>(t.r0.c2, t.r1.c2, t.r2.c2, t.r3.c2, t.r4.c2, t.r5.c2, first, a);
  first = load_at(w.lower, o.of64);
  multiply_add<Rows, 0>(t.r0.c3, t.r1.c3, t.r2.c3, t.r3.c3, t.r4.c3, t.r5.c3, second, a);

  second = load_at(w.lower, o.of80);
  multiply_add<Rows, 1>(t.r0.c0, t.r1.c0, t.r2.c0, t.r3.c0, t.r4.c0, t.r5.c0, first, a);
  first = load_at(w.lower, o.of96);
  multiply_add<Rows, 1>(t.r0.c1, t.r1.c1, t.r2.c1, t.r3.c1, t.r4.c1, t.r5.c1, second, a);
  second = load_at(w.lower, o.of112);
  multiply_add<Rows, 1>(t.r0.c2, t.r1.c2, t.r2.c2, t.r3.c2, t.r4.c2, t.r5.c2, first, a);
  first = load_at(w.upper);
  multiply_add<Rows, 1>(t.r0.c3, t.r1.c3, t.r2.c3, t.r3.c3, t.r4.c3, t.r5.c3, second, a);

  second = load_at(w.upper, o.of16);
  multiply_add<Rows, 2>(t.r0.c0, t.r1.c0, t.r2.c0, t.r3.c0, t.r4.c0, t.r5.c0, first, a);
  first = load_at(w.upper, o.of32);
  multiply_add<Rows, 2>(t.r0.c1, t.r1.c1, t.r2.c1, t.r3.c1, t.r4.c1, t.r5.c1, second, a);
  second = load_at(w.upper, o.of48);
  multiply_add<Rows, 2>(t.r0.c2, t.r1.c2, t.r2.c2, t.r3.c2, t.r4.c2, t.r5.c2, first, a);
  first = load_at(w.upper, o.of64);
  multiply_add<Rows, 2>(t.r0.c3, t.r1.c3, t.r2.c3, t.r3.c3, t.r4.c3, t.r5.c3, second, a);

  second = load_at(w.upper, o.of80);
  multiply_add<Rows, 3>(t.r0.c0, t.r1.c0, t.r2.c0, t.r3.c0, t.r4.c0, t.r5.c0, first, a);
  first = load_at(w.upper, o.of96);
  multiply_add<Rows, 3>(t.r0.c1, t.r1.c1, t.r2.c1, t.r3.c1, t.r4.c1, t.r5.c1, second, a);
  second = load_at(w.upper, o.of112);
  multiply_add<Rows, 3>(t.r0.c2, t.r1.c2, t.r2.c2, t.r3.c2, t.r4.c2, t.r5.c2, first, a);
  if constexpr (Next == next_codes::none) {
    multiply_add<Rows, 3>(t.r0.c3, t.r1.c3, t.r2.c3, t.r3.c3, t.r4.c3, t.r5.c3, second, a);
    return second;
  } else {
    first = load_at(w.upper, o.of128);
    return multiply_add_and_load<Rows, Next>(t.r0.c3, t.r1.c3, t.r2.c3, t.r3.c3, t.r4.c3, t.r5.c3,
                                             second, a, in, next);
  }
}

/// On to the next 16 bytes. A Cortex-A55 would wait here in any case, before it branches.
PARE_ALWAYS_INLINE void advance(weight_pointers& w, index_t& next) noexcept {
  next = moved_by<16>(next);
  w.lower = moved_by<256>(w.lower);
  w.upper = moved_by<256>(w.upper);
}

/// x ^ 0x80, which is x + 0x80, here: among SDOTs each would hold up a Cortex-A55 for three cycles,
/// and EOR, being shorter, holds it up longer than ADD.
PARE_ALWAYS_INLINE void make_signed_here(int8x16_t& x, int8x16_t flips) noexcept {
  __asm__ volatile("add %0.16b, %0.16b, %1.16b" : "+w"(x) : "w"(flips));
}
template <int Rows>
PARE_ALWAYS_INLINE void make_signed_here(tile_codes& x, int8x16_t flips) noexcept {
  make_signed_here(x.r0, flips);
  if constexpr (Rows > 1) make_signed_here(x.r1, flips);
  if constexpr (Rows > 2) make_signed_here(x.r2, flips);
  if constexpr (Rows > 3) make_signed_here(x.r3, flips);
  if constexpr (Rows > 4) make_signed_here(x.r4, flips);
  if constexpr (Rows > 5) make_signed_here(x.r5, flips);
}

/// The same for one row, which has registers to spare.
template <int Group>
PARE_ALWAYS_INLINE void step(row_of_tile& r, const std::int8_t* w, int8x16_t a) noexcept {
  const int8x16x4_t columns = vld1q_s8_x4(w);
  multiply_add<Group>(r.c0, columns.val[0], a);
  multiply_add<Group>(r.c1, columns.val[1], a);
  multiply_add<Group>(r.c2, columns.val[2], a);
  multiply_add<Group>(r.c3, columns.val[3], a);
}

/// t += A * W over one tap of `k` bytes.
///
/// @return the weights of the next tap
template <int Rows, bool IsUnsigned>
PARE_ALWAYS_INLINE const std::int8_t* add_tap(tile_of_rows& t, const std::uint8_t* tap,
                                              index_t stride, index_t k,
                                              const std::int8_t* w) noexcept {
  constexpr unsigned flip = IsUnsigned ? 0x80 : 0;
  tile_inputs in = inputs_at<Rows>(tap, stride);
  if constexpr (Rows == 1) {
    // One row has too few accumulators to hide the latency: a second set takes every other group.
    const int32x4_t zero = vdupq_n_s32(0);
    row_of_tile odd = {zero, zero, zero, zero};
    for (; k >= 16; k -= 16, w += 256) {
      const int8x16_t a = load<1, 16>(in, flip).r0;
      advance<1>(in, 16);
      step<0>(t.r0, w, a);
      step<1>(odd, w + 64, a);
      step<2>(t.r0, w + 128, a);
      step<3>(odd, w + 192, a);
    }
    t.r0 = {wrapping_add(t.r0.c0, odd.c0), wrapping_add(t.r0.c1, odd.c1),
            wrapping_add(t.r0.c2, odd.c2), wrapping_add(t.r0.c3, odd.c3)};
  } else if (k >= 16) {
    // Loads by inline assembly: what is in memory must be there, and may change only after them.
    __asm__ volatile("" : : : "memory");
    weight_offsets o;
    __asm__("" : "+r"(o.of16), "+r"(o.of32), "+r"(o.of48), "+r"(o.of64));
    __asm__("" : "+r"(o.of80), "+r"(o.of96), "+r"(o.of112), "+r"(o.of128));
    const index_t bytes = k / 16 * 16;
    weight_pointers weights = {w, w + 128};
    int8x16_t first = load_at(w);
    tile_codes a = load<Rows, 16>(in, flip);
    advance<Rows>(in, bytes);
    index_t next = 16 - bytes;  // from the end, where it is 0
    while (next != 0) {
      const int8x16_t flips = four_groups < Rows,
                      IsUnsigned ? next_codes::made_signed
                                 : next_codes::same > (t, a, in, next, first, weights, o);
      advance(weights, next);
      if constexpr (IsUnsigned) make_signed_here<Rows>(a, flips);
    }
    four_groups<Rows, next_codes::none>(t, a, in, next, first, weights, o);
    w += 16 * bytes;
    k %= 16;
    __asm__ volatile("" : : : "memory");
  }
  for (; k > 0; k -= 4, w += 64) {
    if (k < 4) advance<Rows>(in, k - 4);  // the last group ends with the tap
    const tile_codes a = load<Rows, 4>(in, flip);
    advance<Rows>(in, 4);
    one_group<Rows>(t, w, a);
  }
  return w;
}

/// `count` tiles below each other: out = start + A * W over all of K, for 16 columns.
template <int Rows, bool IsUnsigned>
void tiles(const gemm_s8_args& args, const std::uint8_t* a, index_t stride, index_t count,
           const std::int8_t* w, const std::int32_t* start, std::int32_t* out,
           index_t out_stride) noexcept {
  const index_t k = args.k < 4 ? pare::detail::round_up(args.k, 4) : args.k;
  for (; count > 0; --count, a += Rows * stride) {
    tile_of_rows t;
    t.r0 = load_row(start);
    t.r1 = t.r2 = t.r3 = t.r4 = t.r5 = t.r0;
    const std::int8_t* weights = w;
    for (index_t y = 0; y < args.taps_y; ++y) {
      for (index_t x = 0; x < args.taps_x; ++x) {
        const std::uint8_t* tap = a + y * args.tap_y_stride + x * args.tap_x_stride;
        weights = add_tap<Rows, IsUnsigned>(t, tap, stride, k, weights);
      }
    }
    store_row(out, t.r0), out += out_stride;
    if constexpr (Rows > 1) store_row(out, t.r1), out += out_stride;
    if constexpr (Rows > 2) store_row(out, t.r2), out += out_stride;
    if constexpr (Rows > 3) store_row(out, t.r3), out += out_stride;
    if constexpr (Rows > 4) store_row(out, t.r4), out += out_stride;
    if constexpr (Rows > 5) store_row(out, t.r5), out += out_stride;
  }
}

inline constexpr neon::tile_function tiles_of_s8[] = {tiles<1, false>, tiles<2, false>,
                                                      tiles<3, false>, tiles<4, false>,
                                                      tiles<5, false>, tiles<6, false>};
inline constexpr neon::tile_function tiles_of_u8[] = {
    tiles<1, true>, tiles<2, true>, tiles<3, true>, tiles<4, true>, tiles<5, true>, tiles<6, true>};

/// The tiles for s8 or u8 rows.
constexpr PARE_ALWAYS_INLINE neon::kernel_tiles tiles_for(const gemm_s8_args& args) noexcept {
  return {args.a_flip != 0 ? tiles_of_s8 : tiles_of_u8, 6, 1, 4};
}

/// One block of the product.
inline void gemm_s8(const gemm_s8_args& args, const gemm_block& block) noexcept {
  neon::panels(args, block, tiles_for(args), panel_bytes(args), args.offset - 128);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::dotprod
PARE_TARGET_DOTPROD_END

#endif  // PARE_NEON_KERNELS
#endif  // PARE_KERNELS_NEON_GEMM_S8_6X16C4_DOTPROD_HPP
