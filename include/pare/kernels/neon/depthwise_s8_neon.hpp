// The s8 depthwise convolution on ARM, with and without SDOT: 4 pixels by up to 2 rows by 8 channels
// in registers; see kernels/depthwise_tiles.hpp. On 32-bit ARM 1 row, and what needs floats is
// scalar: NEON flushes denormals there.
//
// Both instruction sets share this file and differ in how four bytes of inputs meet four weights:
// SDOT for 16 products, or two SMULL, ADDP and SADALP. ST4 interleaves the rows.
#ifndef PARE_KERNELS_NEON_DEPTHWISE_S8_NEON_HPP
#define PARE_KERNELS_NEON_DEPTHWISE_S8_NEON_HPP

#include <pare/kernels/depthwise_tiles.hpp>
#include <pare/kernels/neon/write_neon.hpp>
#include <pare/kernels/scalar/depthwise_s8.hpp>

#if PARE_NEON_KERNELS || PARE_NEON32_KERNELS

namespace pare::kernels::neon {
inline namespace PARE_ABI {

// --- products of four bytes, both signed, summed for each of 4 channels ---

/// Weights in [-127, 127]: two products fit in 16 bits.
struct dot_narrow {
  static PARE_ALWAYS_INLINE void multiply_add(int32x4_t& c, int8x16_t x, int8x16_t w) noexcept {
    const int16x8_t low = vmull_s8(vget_low_s8(x), vget_low_s8(w)), high = multiply_high(x, w);
    c = vpadalq_s16(c, add_pairs(low, high));
  }
};

/// Weights of -128 too.
struct dot_wide {
  static PARE_ALWAYS_INLINE void multiply_add(int32x4_t& c, int8x16_t x, int8x16_t w) noexcept {
    const int16x8_t low = vmull_s8(vget_low_s8(x), vget_low_s8(w)), high = multiply_high(x, w);
    c = wrapping_add(c, add_pairs(vpaddlq_s16(low), vpaddlq_s16(high)));
  }
};

#if PARE_NEON_KERNELS
/// SDOT. For functions in a region that has it; inline assembly, so that this need not be in one.
struct dot_sdot {
  static PARE_ALWAYS_INLINE void multiply_add(int32x4_t& c, int8x16_t x, int8x16_t w) noexcept {
    __asm__("sdot %0.4s, %1.16b, %2.16b" : "+w"(c) : "w"(x), "w"(w));
  }
};
#endif

// --- four rows into one buffer ---

/// 16 bytes, or the first `n` of them.
PARE_ALWAYS_INLINE uint8x16_t load16(const std::uint8_t* at, index_t n) noexcept {
  if (PARE_LIKELY(n == 16)) return vld1q_u8(at);
  std::uint8_t bytes[16] = {};
  std::memcpy(bytes, at, static_cast<std::size_t>(n));
  return vld1q_u8(bytes);
}

/// 16 channels of four rows, from their bytes to [channel][4].
PARE_ALWAYS_INLINE void store_interleaved(uint8x16_t a, uint8x16_t b, uint8x16_t c, uint8x16_t d,
                                          uint8x16_t flip, std::uint8_t* to) noexcept {
  const uint8x16x4_t rows = {
      {veorq_u8(a, flip), veorq_u8(b, flip), veorq_u8(c, flip), veorq_u8(d, flip)}};
  vst4q_u8(to, rows);
}

inline void interleave_flat(const depthwise_row (&row)[4], uint8x16_t flip, index_t codes,
                            std::uint8_t* to) noexcept {
  const std::uint8_t *a = row[0].at, *b = row[1].at, *c = row[2].at, *d = row[3].at;
  const index_t a_step = row[0].step == 0 ? 0 : 16, b_step = row[1].step == 0 ? 0 : 16,
                c_step = row[2].step == 0 ? 0 : 16, d_step = row[3].step == 0 ? 0 : 16;
  for (; codes > 0; codes -= 16, to += 64) {
    const index_t n = pare::detail::min<index_t>(codes, 16);
    store_interleaved(load16(a, n), load16(b, n), load16(c, n), load16(d, n), flip, to);
    a += a_step;
    b += b_step;
    c += c_step;
    d += d_step;
  }
}

/// Channels of 16 outputs.
PARE_ALWAYS_INLINE uint8x16_t load_group(const std::uint8_t* at, const depthwise_panel& p,
                                         index_t group) noexcept {
  const uint8x16_t from = load16(at + p.group_first[group], p.loaded);
  const uint8x16_t place = vld1q_u8(p.place + 16 * group);
#if PARE_NEON_KERNELS
  return vqtbl1q_u8(from, place);
#else
  const uint8x8x2_t halves = {{vget_low_u8(from), vget_high_u8(from)}};
  return vcombine_u8(vtbl2_u8(halves, vget_low_u8(place)), vtbl2_u8(halves, vget_high_u8(place)));
#endif
}

inline void interleave(const depthwise_panel& p, const depthwise_row (&row)[4], index_t count,
                       std::uint8_t* to) noexcept {
  const uint8x16_t flip = vdupq_n_u8(p.flip);
  if (p.is_flat) return interleave_flat(row, flip, count * p.outputs, to);
  const index_t groups = pare::detail::ceil_div(p.outputs, 16);
  const index_t whole = p.is_in_order ? p.outputs / 16 : 0;
  const std::uint8_t *a = row[0].at, *b = row[1].at, *c = row[2].at, *d = row[3].at;
  for (; count > 0; --count, to += p.column_bytes) {
    for (index_t i = 0; i < whole; ++i) {
      store_interleaved(vld1q_u8(a + 16 * i), vld1q_u8(b + 16 * i), vld1q_u8(c + 16 * i),
                        vld1q_u8(d + 16 * i), flip, to + 64 * i);
    }
    for (index_t i = whole; i < groups; ++i) {
      store_interleaved(load_group(a, p, i), load_group(b, p, i), load_group(c, p, i),
                        load_group(d, p, i), flip, to + 64 * i);
    }
    a += row[0].step;
    b += row[1].step;
    c += row[2].step;
    d += row[3].step;
  }
}

// --- tiles ---

/// Accumulators of 8 channels, and of 4 pixels of a row.
struct eight_channels {
  int32x4_t low, high;
};
struct row_of_pixels {
  eight_channels p0, p1, p2, p3;
};

PARE_ALWAYS_INLINE eight_channels load_channels(const std::int32_t* at) noexcept {
  return {vld1q_s32(at), vld1q_s32(at + 4)};
}
PARE_ALWAYS_INLINE row_of_pixels load_pixels(const std::int32_t* at, index_t step) noexcept {
  return {load_channels(at), load_channels(at + step), load_channels(at + 2 * step),
          load_channels(at + 3 * step)};
}

/// What becomes of the accumulators of 8 channels: stored as they are.
struct s32_writer {
  using element = std::int32_t;
  index_t channels;

  PARE_ALWAYS_INLINE s32_writer(const gemm_s8_args&, index_t, index_t count) noexcept
      : channels(count) {}

  PARE_ALWAYS_INLINE void operator()(const eight_channels& acc, std::int32_t* to) const noexcept {
    if (PARE_LIKELY(channels >= 8)) {
      vst1q_s32(to, acc.low);
      vst1q_s32(to + 4, acc.high);
      return;
    }
    std::int32_t values[8];
    vst1q_s32(values, acc.low);
    vst1q_s32(values + 4, acc.high);
    copy_columns(to, values, channels);
  }
};

#if PARE_NEON_KERNELS
/// Scaled, plus the bias, clamped.
struct f32_writer {
  using element = float;
  float32x4_t scale_low, scale_high, bias_low, bias_high, least, most;
  index_t channels;

  PARE_ALWAYS_INLINE f32_writer(const gemm_s8_args& args, index_t channel, index_t count) noexcept
      : scale_low(scales(args, channel)),
        scale_high(scales(args, channel + 4)),
        bias_low(vld1q_f32(args.bias + channel)),
        bias_high(vld1q_f32(args.bias + channel + 4)),
        least(vdupq_n_f32(args.clamp_low)),
        most(vdupq_n_f32(args.clamp_high)),
        channels(count) {}

  static PARE_ALWAYS_INLINE float32x4_t scales(const gemm_s8_args& args, index_t channel) noexcept {
    return rounded_product(vdupq_n_f32(args.scale), vld1q_f32(args.column_scales + channel));
  }
  PARE_ALWAYS_INLINE void operator()(const eight_channels& acc, float* to) const noexcept {
    const float32x4_t low = vaddq_f32(rounded_product(vcvtq_f32_s32(acc.low), scale_low), bias_low);
    const float32x4_t high =
        vaddq_f32(rounded_product(vcvtq_f32_s32(acc.high), scale_high), bias_high);
    float values[8];
    float* at = channels >= 8 ? to : values;
    vst1q_f32(at, clamp(low, least, most));
    vst1q_f32(at + 4, clamp(high, least, most));
    if (PARE_UNLIKELY(channels < 8)) copy_columns(to, values, channels);
  }
};

#endif

/// Requantized.
template <requantization Rule>
struct q8_writer {
  using element = std::uint8_t;
  column_scales by_low, by_high;
  code_range range;
  index_t channels;

  PARE_ALWAYS_INLINE q8_writer(const gemm_s8_args& args, index_t channel, index_t count) noexcept
      : by_low(load_scales<Rule>(args, channel)),
        by_high(load_scales<Rule>(args, channel + 4)),
        range(load_range<Rule>(args)),
        channels(count) {}

  PARE_ALWAYS_INLINE void operator()(const eight_channels& acc, std::uint8_t* to) const noexcept {
    const int16x8_t words = to_codes<Rule>(acc.low, acc.high, by_low, by_high, range);
    const uint8x8_t codes = vmovn_u16(vreinterpretq_u16_s16(words));
    if (PARE_LIKELY(channels >= 8)) {
      vst1_u8(to, codes);
      return;
    }
    std::uint8_t bytes[8];
    vst1_u8(bytes, codes);
    copy_columns(to, bytes, channels);
  }
};

PARE_ALWAYS_INLINE int8x16x2_t load_weights(const std::int8_t* w) noexcept {
  return {{vld1q_s8(w), vld1q_s8(w + 16)}};
}

/// A pixel with the weights of each row of outputs.
template <class Dot, int Rows>
PARE_ALWAYS_INLINE void pixel_step(eight_channels& r, eight_channels& s, const std::uint8_t* x,
                                   const int8x16x2_t& w0, const int8x16x2_t& w1) noexcept {
  const int8x16_t low = vreinterpretq_s8_u8(vld1q_u8(x)),
                  high = vreinterpretq_s8_u8(vld1q_u8(x + 16));
  Dot::multiply_add(r.low, low, w0.val[0]);
  Dot::multiply_add(r.high, high, w0.val[1]);
  if constexpr (Rows > 1) {
    Dot::multiply_add(s.low, low, w1.val[0]);
    Dot::multiply_add(s.high, high, w1.val[1]);
  }
}

template <class Writer>
PARE_ALWAYS_INLINE void write_pixels(const Writer& write, const row_of_pixels& r, index_t pixels,
                                     typename Writer::element* to, index_t stride) noexcept {
  write(r.p0, to);
  if (pixels > 1) write(r.p1, to + stride);
  if (pixels > 2) write(r.p2, to + 2 * stride);
  if (pixels > 3) write(r.p3, to + 3 * stride);
}

/// 8 channels of a tile, 4 pixels at a time: see `depthwise_tile_function`. Always inlined, and so
/// compiled for the instruction set of its caller.
template <class Dot, int Rows, class Writer>
PARE_ALWAYS_INLINE void depthwise_tile(const gemm_s8_args& args, index_t channel, index_t channels,
                                       const depthwise_operands& operands, index_t pixels,
                                       void* first, index_t stride, index_t row_stride) noexcept {
  const Writer write(args, channel, channels);
  auto* to = static_cast<typename Writer::element*>(first);
  const depthwise_operands o = operands;
  const std::uint8_t* inputs = o.inputs;
  const std::int32_t* start = o.start;
  for (; pixels > 0; pixels -= 4, to += 4 * stride) {
    row_of_pixels r = load_pixels(start, o.start_pixel), s = r;
    if constexpr (Rows > 1) s = load_pixels(start + o.start_row, o.start_pixel);
    const std::uint8_t* x = inputs;
    const std::int8_t* w = o.weights;
    for (index_t tap = 0; tap < o.taps; ++tap, x += o.tap_bytes, w += o.weight_bytes) {
      const int8x16x2_t w0 = load_weights(w),
                        w1 = Rows > 1 ? load_weights(w + o.variant_bytes) : w0;
      pixel_step<Dot, Rows>(r.p0, s.p0, x, w0, w1);
      pixel_step<Dot, Rows>(r.p1, s.p1, x + o.pixel_bytes, w0, w1);
      pixel_step<Dot, Rows>(r.p2, s.p2, x + 2 * o.pixel_bytes, w0, w1);
      pixel_step<Dot, Rows>(r.p3, s.p3, x + 3 * o.pixel_bytes, w0, w1);
    }
    write_pixels(write, r, pixels, to, stride);
    if constexpr (Rows > 1) write_pixels(write, s, pixels, to + row_stride, stride);
    inputs += 4 * o.pixel_bytes;
    start += 4 * o.start_pixel;
  }
}

/// @tparam Tile  Tile<Rows, Writer>::run is a tile function
template <template <int, class> class Tile, int Rows>
depthwise_tile_function tile_of_rows_for(const gemm_s8_args& args) noexcept {
  using rule = requantization;
  if (args.kind == output_kind::s32) return Tile<Rows, s32_writer>::run;
#if PARE_NEON_KERNELS
  if (args.kind == output_kind::f32) return Tile<Rows, f32_writer>::run;
  if (args.rule == rule::nearest) return Tile<Rows, q8_writer<rule::nearest>>::run;
  if (args.rule == rule::onnx) return Tile<Rows, q8_writer<rule::onnx>>::run;
#endif
  return args.rule == rule::double_rounding ? Tile<Rows, q8_writer<rule::double_rounding>>::run
                                            : Tile<Rows, q8_writer<rule::single_rounding>>::run;
}

template <template <int, class> class Tile>
depthwise_tile_function depthwise_tile_for(const gemm_s8_args& args, index_t rows, index_t, index_t,
                                           index_t) noexcept {
  return rows == 2 ? tile_of_rows_for<Tile, 2>(args) : tile_of_rows_for<Tile, 1>(args);
}

template <int Rows, class Writer>
struct narrow_tile {
  static void run(const gemm_s8_args& args, index_t channel, index_t channels,
                  const depthwise_operands& operands, index_t pixels, void* to, index_t stride,
                  index_t row_stride) noexcept {
    depthwise_tile<dot_narrow, Rows, Writer>(args, channel, channels, operands, pixels, to, stride,
                                             row_stride);
  }
};
template <int Rows, class Writer>
struct wide_tile {
  static void run(const gemm_s8_args& args, index_t channel, index_t channels,
                  const depthwise_operands& operands, index_t pixels, void* to, index_t stride,
                  index_t row_stride) noexcept {
    depthwise_tile<dot_wide, Rows, Writer>(args, channel, channels, operands, pixels, to, stride,
                                           row_stride);
  }
};

/// One block of the convolution.
inline void depthwise_s8(const depthwise_s8_args& args, const depthwise_block& block) noexcept {
#if PARE_NEON32_KERNELS
  if (args.out.kind == output_kind::f32 ||
      (args.out.kind == output_kind::q8 && is_float_rule(args.out.rule)))
    return scalar::depthwise_s8(args, block);
#endif
  depthwise_panels(args, block,
                   {8, 0x80, interleave,
                    args.out.has_minus_128 != 0 ? depthwise_tile_for<wide_tile>
                                                : depthwise_tile_for<narrow_tile>});
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::neon

#if PARE_NEON_KERNELS
PARE_TARGET_DOTPROD_BEGIN
namespace pare::kernels::dotprod {
inline namespace PARE_ABI {

template <int Rows, class Writer>
struct depthwise_tile {
  static void run(const gemm_s8_args& args, index_t channel, index_t channels,
                  const depthwise_operands& operands, index_t pixels, void* to, index_t stride,
                  index_t row_stride) noexcept {
    neon::depthwise_tile<neon::dot_sdot, Rows, Writer>(args, channel, channels, operands, pixels,
                                                       to, stride, row_stride);
  }
};

/// One block of the convolution.
inline void depthwise_s8(const depthwise_s8_args& args, const depthwise_block& block) noexcept {
  depthwise_panels(args, block,
                   {8, 0x80, neon::interleave, neon::depthwise_tile_for<depthwise_tile>});
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::dotprod
PARE_TARGET_DOTPROD_END
#endif  // PARE_NEON_KERNELS

#endif  // PARE_NEON_KERNELS || PARE_NEON32_KERNELS
#endif  // PARE_KERNELS_NEON_DEPTHWISE_S8_NEON_HPP
