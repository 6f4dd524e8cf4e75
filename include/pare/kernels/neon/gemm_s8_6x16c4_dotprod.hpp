// The s8 matrix product on 64-bit ARM with SDOT: tiles of up to 6 rows by 16 columns, K in groups
// of 4.
//
// SDOT multiplies signed by signed bytes, so unsigned activations come in as a ^ 0x80, with the zero
// point moved by 128. A register holds four K-groups of a row, and SDOT picks one: 24 accumulators,
// 6 rows and 2 registers of weights fill all 32. Bound: SDOT; with 96 of them go 22 loads and 7
// instructions for the XOR.
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

/// 16, 8 or 4 bytes of each row, made signed.
///
/// @param flip  0 or 0x80. A branch, since s8 needs none of it, and no register is free to keep it
///              as a vector
template <int Rows, int Bytes>
PARE_ALWAYS_INLINE tile_codes load(const tile_inputs& in, std::uint8_t flip) noexcept {
  tile_codes x;
  x.r0 = load<Bytes>(in.r0);
  x.r1 = Rows > 1 ? load<Bytes>(in.r1) : x.r0;
  x.r2 = Rows > 2 ? load<Bytes>(in.r2) : x.r0;
  x.r3 = Rows > 3 ? load<Bytes>(in.r3) : x.r0;
  x.r4 = Rows > 4 ? load<Bytes>(in.r4) : x.r0;
  x.r5 = Rows > 5 ? load<Bytes>(in.r5) : x.r0;
  if (flip != 0) {
    const int8x16_t flips = vdupq_n_s8(static_cast<std::int8_t>(flip));
    x.r0 = veorq_s8(x.r0, flips);
    if constexpr (Rows > 1) x.r1 = veorq_s8(x.r1, flips);
    if constexpr (Rows > 2) x.r2 = veorq_s8(x.r2, flips);
    if constexpr (Rows > 3) x.r3 = veorq_s8(x.r3, flips);
    if constexpr (Rows > 4) x.r4 = veorq_s8(x.r4, flips);
    if constexpr (Rows > 5) x.r5 = veorq_s8(x.r5, flips);
  }
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

/// 16 columns times a K-group of all rows. Weights are loaded 4 columns ahead.
///
/// @param w      of the first of the groups
/// @param first  this group's first 4 columns; becomes those of the next group, unless `IsLast`
template <int Rows, int Group, bool IsLast>
PARE_ALWAYS_INLINE void step(tile_of_rows& t, const std::int8_t* w, int8x16_t& first,
                             const tile_codes& a) noexcept {
  constexpr int at = 64 * Group;
  int8x16_t second = load_weights<at + 16>(w);
  multiply_add<Rows, Group>(t.r0.c0, t.r1.c0, t.r2.c0, t.r3.c0, t.r4.c0, t.r5.c0, first, a);
  first = load_weights<at + 32>(w);
  multiply_add<Rows, Group>(t.r0.c1, t.r1.c1, t.r2.c1, t.r3.c1, t.r4.c1, t.r5.c1, second, a);
  second = load_weights<at + 48>(w);
  multiply_add<Rows, Group>(t.r0.c2, t.r1.c2, t.r2.c2, t.r3.c2, t.r4.c2, t.r5.c2, first, a);
  if constexpr (!IsLast) first = load_weights<at + 64>(w);
  multiply_add<Rows, Group>(t.r0.c3, t.r1.c3, t.r2.c3, t.r3.c3, t.r4.c3, t.r5.c3, second, a);
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
template <int Rows>
PARE_ALWAYS_INLINE const std::int8_t* add_tap(tile_of_rows& t, const std::uint8_t* tap,
                                              index_t stride, std::uint8_t flip, index_t k,
                                              const std::int8_t* w) noexcept {
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
  } else {
    for (; k >= 16; k -= 16, w += 256) {
      int8x16_t first = load_weights<0>(w);
      const tile_codes a = load<Rows, 16>(in, flip);
      advance<Rows>(in, 16);
      step<Rows, 0, false>(t, w, first, a);
      step<Rows, 1, false>(t, w, first, a);
      step<Rows, 2, false>(t, w, first, a);
      step<Rows, 3, true>(t, w, first, a);
    }
  }
  for (; k > 0; k -= 4, w += 64) {
    if (k < 4) advance<Rows>(in, k - 4);  // the last group ends with the tap
    int8x16_t first = load_weights<0>(w);
    const tile_codes a = load<Rows, 4>(in, flip);
    advance<Rows>(in, 4);
    step<Rows, 0, true>(t, w, first, a);
  }
  return w;
}

/// `count` tiles below each other: out = start + A * W over all of K, for 16 columns.
template <int Rows>
void tiles(const gemm_s8_args& args, const std::uint8_t* a, index_t stride, index_t count,
           const std::int8_t* w, const std::int32_t* start, std::int32_t* out,
           index_t out_stride) noexcept {
  const std::uint8_t flip = args.a_flip ^ 0x80;
  const index_t k = args.k < 4 ? pare::detail::round_up(args.k, 4) : args.k;
  for (; count > 0; --count, a += Rows * stride) {
    tile_of_rows t;
    t.r0 = load_row(start);
    t.r1 = t.r2 = t.r3 = t.r4 = t.r5 = t.r0;
    const std::int8_t* weights = w;
    for (index_t y = 0; y < args.taps_y; ++y) {
      for (index_t x = 0; x < args.taps_x; ++x) {
        const std::uint8_t* tap = a + y * args.tap_y_stride + x * args.tap_x_stride;
        weights = add_tap<Rows>(t, tap, stride, flip, k, weights);
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

/// One block of the product.
inline void gemm_s8(const gemm_s8_args& args, const gemm_block& block) noexcept {
  constexpr neon::tile_function of_height[] = {tiles<1>, tiles<2>, tiles<3>,
                                               tiles<4>, tiles<5>, tiles<6>};
  neon::panels(args, block, {of_height, 6, 1, 4}, panel_bytes(args), args.offset - 128);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::dotprod
PARE_TARGET_DOTPROD_END

#endif  // PARE_NEON_KERNELS
#endif  // PARE_KERNELS_NEON_GEMM_S8_6X16C4_DOTPROD_HPP
