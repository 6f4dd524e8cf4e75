// The s8 depthwise convolution on AVX-512 VNNI: up to 7 pixels by 2 rows by 16 channels in
// registers, the window's rows in groups of 4.
//
// vpdpbusd sums four neighbouring bytes, but the taps of a channel lie a row or a pixel apart. So
// four rows of the image are interleaved byte by byte, once, into a buffer in L1: [column][channel]
// [4]. A column of it then serves every tap of the window that falls on it, and, where the window
// leaves room among the four, the next row of outputs too: a 3x3 window of stride 1 takes 3 products
// of 64 bytes for 16 outputs in place of 9, and half an interleaving. Padding is written into the
// buffer as the zero point, so that the products know no borders.
//
// Signed inputs are biased by 128 on the way into the buffer, as in the matrix product.
#ifndef PARE_KERNELS_X86_DEPTHWISE_S8_AVX512VNNI_HPP
#define PARE_KERNELS_X86_DEPTHWISE_S8_AVX512VNNI_HPP

#include <cstring>

#include <pare/kernels/depthwise_s8.hpp>
#include <pare/kernels/x86/gemm_s8_6x64c4_avx512vnni.hpp>

#if PARE_X86_KERNELS

PARE_TARGET_AVX512VNNI_BEGIN
namespace pare::kernels::avx512vnni {
inline namespace PARE_ABI {

inline constexpr index_t depthwise_pixels = 7;  ///< a divisor of 224, 112, 56, 28, 14 and 7
/// Of interleaved inputs: 64 columns of 64 channels.
inline constexpr index_t depthwise_input_bytes = 64 * 64 * 4;
/// Accumulators that wait in L1: 48 pixels of 64 channels.
inline constexpr index_t depthwise_buffered = 48 * 64;

/// Where four rows of the image are read, and how.
struct interleaving {
  depthwise_row row[4];
  __m512i flip;
};

/// 16 * Vectors channels of four rows, from their bytes to [channel][4].
template <int Vectors>
PARE_ALWAYS_INLINE void store_interleaved(__m512i a, __m512i b, __m512i c, __m512i d,
                                          std::uint8_t* to) noexcept {
  // Unpacking works within 128 bits. With the dwords of each register transposed first, the first
  // unpacked register holds channels 0 to 15, the second 16 to 31, and so on.
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  a = _mm512_permutexvar_epi32(order, a);
  b = _mm512_permutexvar_epi32(order, b);
  c = _mm512_permutexvar_epi32(order, c);
  d = _mm512_permutexvar_epi32(order, d);
  const __m512i ab = _mm512_unpacklo_epi8(a, b), cd = _mm512_unpacklo_epi8(c, d);
  _mm512_storeu_si512(to, _mm512_unpacklo_epi16(ab, cd));
  if constexpr (Vectors > 1) _mm512_storeu_si512(to + 64, _mm512_unpackhi_epi16(ab, cd));
  if constexpr (Vectors > 2) {
    const __m512i ab2 = _mm512_unpackhi_epi8(a, b), cd2 = _mm512_unpackhi_epi8(c, d);
    _mm512_storeu_si512(to + 128, _mm512_unpacklo_epi16(ab2, cd2));
    if constexpr (Vectors > 3) _mm512_storeu_si512(to + 192, _mm512_unpackhi_epi16(ab2, cd2));
  }
}

PARE_ALWAYS_INLINE __m512i load_codes(const std::uint8_t* at, __mmask64 mask,
                                      __m512i flip) noexcept {
  return _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, at), flip);
}

constexpr PARE_ALWAYS_INLINE __mmask64 first_bytes(index_t n) noexcept {
  return n >= 64 ? ~__mmask64{0} : (__mmask64{1} << n) - 1;
}

/// `count` times up to 64 bytes of each row, a step apart; `last` are the bytes of the last time.
template <int Vectors>
void interleave(const interleaving& from, index_t count, __mmask64 mask, __mmask64 last,
                index_t to_step, std::uint8_t* to) noexcept {
  const std::uint8_t *a = from.row[0].at, *b = from.row[1].at, *c = from.row[2].at,
                     *d = from.row[3].at;
  for (; count > 0; --count, to += to_step) {
    if (count == 1) mask = last;
    store_interleaved<Vectors>(load_codes(a, mask, from.flip), load_codes(b, mask, from.flip),
                               load_codes(c, mask, from.flip), load_codes(d, mask, from.flip), to);
    a += from.row[0].step;
    b += from.row[1].step;
    c += from.row[2].step;
    d += from.row[3].step;
  }
}

/// Which input channels a panel's outputs read, where each serves several outputs.
struct repeated_channels {
  index_t first[4];  ///< channel of the first output of each 16, counted from the panel's first
  __mmask16 mask[4];
  __m512i place;  ///< of each output's channel among those
};

inline repeated_channels repeat_channels(index_t first_output, index_t outputs,
                                         index_t multiplier) noexcept {
  repeated_channels r{};
  alignas(64) std::uint8_t place[64] = {};
  const index_t base = first_output / multiplier;
  for (index_t i = 0; i < outputs; ++i) {
    const index_t channel = (first_output + i) / multiplier - base;
    if (i % 16 == 0) r.first[i / 16] = channel;
    const index_t offset = channel - r.first[i / 16];
    place[i] = static_cast<std::uint8_t>(offset);
    r.mask[i / 16] = static_cast<__mmask16>(r.mask[i / 16] | (1u << offset));
  }
  r.place = _mm512_load_si512(place);
  return r;
}

PARE_ALWAYS_INLINE __m512i load_repeated(const std::uint8_t* at, const repeated_channels& r,
                                         __m512i flip) noexcept {
  __m512i x = _mm512_castsi128_si512(_mm_maskz_loadu_epi8(r.mask[0], at + r.first[0]));
  x = _mm512_inserti32x4(x, _mm_maskz_loadu_epi8(r.mask[1], at + r.first[1]), 1);
  x = _mm512_inserti32x4(x, _mm_maskz_loadu_epi8(r.mask[2], at + r.first[2]), 2);
  x = _mm512_inserti32x4(x, _mm_maskz_loadu_epi8(r.mask[3], at + r.first[3]), 3);
  return _mm512_xor_si512(_mm512_shuffle_epi8(x, r.place), flip);
}

inline void interleave_repeated(const interleaving& from, const repeated_channels& r, index_t count,
                                index_t to_step, std::uint8_t* to) noexcept {
  for (index_t i = 0; i < count; ++i, to += to_step) {
    store_interleaved<4>(load_repeated(from.row[0].at + i * from.row[0].step, r, from.flip),
                         load_repeated(from.row[1].at + i * from.row[1].step, r, from.flip),
                         load_repeated(from.row[2].at + i * from.row[2].step, r, from.flip),
                         load_repeated(from.row[3].at + i * from.row[3].step, r, from.flip), to);
  }
}

/// Interleaved inputs, weights and accumulators of 16 channels, with the bytes (inputs, weights) or
/// elements (accumulators) from one to the next.
struct depthwise_operands {
  const std::uint8_t* inputs;
  index_t pixel_bytes, tap_bytes;
  index_t taps;
  const std::int8_t* weights;
  index_t weight_bytes, variant_bytes;
  const std::int32_t* start;
  index_t start_pixel, start_row;
  std::int32_t* acc;
  index_t acc_pixel, acc_row;
};

/// Accumulators of up to 7 pixels of a row. Those beyond the tile stay unused.
struct row_of_pixels {
  __m512i p0, p1, p2, p3, p4, p5, p6;
};

template <int Pixels>
PARE_ALWAYS_INLINE row_of_pixels load_pixels(const std::int32_t* at, index_t step) noexcept {
  row_of_pixels r;
  r.p0 = _mm512_loadu_si512(at);
  r.p1 = r.p2 = r.p3 = r.p4 = r.p5 = r.p6 = r.p0;
  if constexpr (Pixels > 1) {
    r.p1 = _mm512_loadu_si512(at + step);
    r.p2 = _mm512_loadu_si512(at + 2 * step);
    r.p3 = _mm512_loadu_si512(at + 3 * step);
  }
  if constexpr (Pixels > 4) {
    r.p4 = _mm512_loadu_si512(at + 4 * step);
    r.p5 = _mm512_loadu_si512(at + 5 * step);
    r.p6 = _mm512_loadu_si512(at + 6 * step);
  }
  return r;
}

template <int Pixels>
PARE_ALWAYS_INLINE void store_pixels(std::int32_t* at, index_t step,
                                     const row_of_pixels& r) noexcept {
  _mm512_storeu_si512(at, r.p0);
  if constexpr (Pixels > 1) {
    _mm512_storeu_si512(at + step, r.p1);
    _mm512_storeu_si512(at + 2 * step, r.p2);
    _mm512_storeu_si512(at + 3 * step, r.p3);
  }
  if constexpr (Pixels > 4) {
    _mm512_storeu_si512(at + 4 * step, r.p4);
    _mm512_storeu_si512(at + 5 * step, r.p5);
    _mm512_storeu_si512(at + 6 * step, r.p6);
  }
}

/// One pixel's inputs with the weights of each row of outputs.
template <int Rows>
PARE_ALWAYS_INLINE void tap_step(__m512i& c0, __m512i& c1, const std::uint8_t* x, __m512i w0,
                                 __m512i w1) noexcept {
  const __m512i inputs = _mm512_loadu_si512(x);
  multiply_add(c0, inputs, w0);
  if constexpr (Rows > 1) multiply_add(c1, inputs, w1);
}

/// `count` times Pixels pixels of Rows rows.
template <int Rows, int Pixels>
void depthwise_pixels_of_rows(depthwise_operands o, index_t count) noexcept {
  for (; count > 0; --count) {
    row_of_pixels r = load_pixels<Pixels>(o.start, o.start_pixel), s = r;
    if constexpr (Rows > 1) s = load_pixels<Pixels>(o.start + o.start_row, o.start_pixel);
    const std::uint8_t* x = o.inputs;
    const std::int8_t* w = o.weights;
    for (index_t tap = 0; tap < o.taps; ++tap, x += o.tap_bytes, w += o.weight_bytes) {
      const __m512i w0 = _mm512_loadu_si512(w);
      const __m512i w1 = Rows > 1 ? _mm512_loadu_si512(w + o.variant_bytes) : w0;
      tap_step<Rows>(r.p0, s.p0, x, w0, w1);
      if constexpr (Pixels > 1) {
        const std::uint8_t* x2 = x + 2 * o.pixel_bytes;
        tap_step<Rows>(r.p1, s.p1, x + o.pixel_bytes, w0, w1);
        tap_step<Rows>(r.p2, s.p2, x2, w0, w1);
        tap_step<Rows>(r.p3, s.p3, x2 + o.pixel_bytes, w0, w1);
        if constexpr (Pixels > 4) {
          const std::uint8_t* x4 = x2 + 2 * o.pixel_bytes;
          tap_step<Rows>(r.p4, s.p4, x4, w0, w1);
          tap_step<Rows>(r.p5, s.p5, x4 + o.pixel_bytes, w0, w1);
          tap_step<Rows>(r.p6, s.p6, x4 + 2 * o.pixel_bytes, w0, w1);
        }
      }
    }
    store_pixels<Pixels>(o.acc, o.acc_pixel, r);
    if constexpr (Rows > 1) store_pixels<Pixels>(o.acc + o.acc_row, o.acc_pixel, s);
    o.inputs += Pixels * o.pixel_bytes;
    o.start += Pixels * o.start_pixel;
    o.acc += Pixels * o.acc_pixel;
  }
}

/// All pixels of a tile: as many times 7 as there are, then 4, then single ones.
template <int Rows>
void depthwise_tile(depthwise_operands o, index_t pixels) noexcept {
  const auto skip = [&o](index_t n) {
    o.inputs += n * o.pixel_bytes;
    o.start += n * o.start_pixel;
    o.acc += n * o.acc_pixel;
  };
  const index_t sevens = pixels / 7;
  depthwise_pixels_of_rows<Rows, 7>(o, sevens);
  skip(7 * sevens);
  pixels -= 7 * sevens;
  if (pixels >= 4) {
    depthwise_pixels_of_rows<Rows, 4>(o, 1);
    skip(4);
    pixels -= 4;
  }
  if (pixels > 0) depthwise_pixels_of_rows<Rows, 1>(o, pixels);
}

/// What stays the same for all rows of a panel.
struct depthwise_panel {
  index_t first, outputs;    ///< channels of the output
  index_t width;             ///< 16 for each vector
  index_t column_bytes;      ///< of the interleaved inputs
  bool is_flat;              ///< pixels follow each other without gaps, and have no other panel
  repeated_channels repeat;  ///< where the multiplier is not 1
  const std::int8_t* weights;
};

/// Columns [first, first + count) of four rows, which lie inside the image.
inline void interleave_inside(const depthwise_s8_args& args, const depthwise_panel& p,
                              interleaving from, index_t first, index_t count,
                              std::uint8_t* to) noexcept {
  for (depthwise_row& r : from.row) r.at += first * r.step;
  if (args.multiplier != 1) return interleave_repeated(from, p.repeat, count, p.column_bytes, to);
  if (p.is_flat) {
    for (depthwise_row& r : from.row) r.step = r.step == 0 ? 0 : 64;
    const index_t codes = count * p.outputs, times = pare::detail::ceil_div(codes, 64);
    return interleave<4>(from, times, first_bytes(64), first_bytes(codes - 64 * (times - 1)), 256,
                         to);
  }
  const __mmask64 mask = first_bytes(p.outputs);
  switch (p.width) {
    case 16: return interleave<1>(from, count, mask, mask, p.column_bytes, to);
    case 32: return interleave<2>(from, count, mask, mask, p.column_bytes, to);
    case 48: return interleave<3>(from, count, mask, mask, p.column_bytes, to);
    default: return interleave<4>(from, count, mask, mask, p.column_bytes, to);
  }
}

/// Columns [first, first + columns) of four rows; those outside the image are the zero point.
inline void fill_inputs(const depthwise_s8_args& args, const depthwise_panel& p,
                        const interleaving& from, index_t first, index_t columns,
                        std::uint8_t* to) noexcept {
  using pare::detail::clamp;
  const index_t before = clamp<index_t>(-first, 0, columns);
  const index_t inside = clamp<index_t>(args.width - first, before, columns) - before;
  const index_t after = columns - before - inside;
  const auto pad = [&](std::uint8_t* at, index_t n) {
    std::memset(at, args.out.offset, static_cast<std::size_t>(n * p.column_bytes));
  };
  pad(to, before);
  to += before * p.column_bytes;
  // Before the padding that follows: it may write up to 252 bytes more than there are.
  if (inside > 0) interleave_inside(args, p, from, first + before, inside, to);
  pad(to + inside * p.column_bytes, after);
}

/// Rows of outputs of one panel.
inline void depthwise_rows(const depthwise_s8_args& args, const depthwise_block& block,
                           const depthwise_panel& p) noexcept {
  const window& w = args.window;
  alignas(64) std::int32_t start[64], acc[depthwise_buffered];
  // Vectors of channels that do not exist are read behind the last column.
  alignas(64) std::uint8_t inputs[depthwise_input_bytes + 256], padding[64];
  for (index_t i = 0; i < p.width; i += 16) start_values(args.out, p.first + i, start + i);
  std::memset(padding, args.out.offset ^ args.out.a_flip, sizeof(padding));

  const depthwise_tiles tiles =
      cut_depthwise(w, args.out_width, depthwise_input_bytes / p.column_bytes,
                    depthwise_buffered / args.variants / p.width, depthwise_pixels);
  const index_t groups = pare::detail::ceil_div(w.height, 4);
  gemm_s8_args out = args.out;
  for (index_t y = block.first_row; y < block.last_row; y += args.variants) {
    const index_t rows = pare::detail::min<index_t>(args.variants, block.last_row - y);
    for (index_t x = 0; x < args.out_width; x += tiles.pixels) {
      const index_t pixels = pare::detail::min(tiles.pixels, args.out_width - x);
      depthwise_operands o;
      // What is not stepped over may be a stride of any size.
      o.pixel_bytes = pixels > 1 ? w.stride_x * p.column_bytes : 0;
      o.tap_bytes = tiles.taps > 1 ? w.dilation_x * p.column_bytes : 0;
      o.weight_bytes = p.width * 4;
      o.variant_bytes = groups * w.width * o.weight_bytes;
      o.acc_pixel = p.width;
      o.acc_row = pixels * p.width;
      for (index_t group = 0; group < groups; ++group) {
        interleaving from;
        from.flip = _mm512_set1_epi8(static_cast<char>(args.out.a_flip));
        for (index_t i = 0; i < 4; ++i) {
          from.row[i] = row_of_group(args, block.image, y, group, i, padding);
          if (from.row[i].at != padding) from.row[i].at += p.first / args.multiplier;
        }
        for (index_t tap = 0; tap < w.width; tap += tiles.taps) {
          o.taps = pare::detail::min(tiles.taps, w.width - tap);
          fill_inputs(args, p, from, x * w.stride_x - w.pad_left + tap * w.dilation_x,
                      (pixels - 1) * w.stride_x + (o.taps - 1) * w.dilation_x + 1, inputs);
          const bool is_first = group == 0 && tap == 0;
          o.start_pixel = is_first ? 0 : o.acc_pixel;
          o.start_row = is_first ? 0 : o.acc_row;
          for (index_t j = 0; j < p.width; j += 16) {
            o.inputs = inputs + 4 * j;
            o.weights = p.weights + (group * w.width + tap) * o.weight_bytes + 4 * j;
            o.acc = acc + j;
            o.start = is_first ? start + j : acc + j;
            if (rows == 2) {
              depthwise_tile<2>(o, pixels);
            } else {
              depthwise_tile<1>(o, pixels);
            }
          }
        }
      }
      for (index_t i = 0; i < rows; ++i) {
        out.c = output_line(args, block.image, y + i);
        write(out, acc + i * o.acc_row, p.width, x, pixels, p.first, p.outputs);
      }
    }
  }
}

/// One block of the convolution.
inline void depthwise_s8(const depthwise_s8_args& args, const depthwise_block& block) noexcept {
  for (index_t panel = block.first_panel; panel < block.last_panel; ++panel) {
    depthwise_panel p;
    p.width = args.out.tile_columns;
    p.first = panel * p.width;
    p.outputs = pare::detail::min(p.width, args.out.columns - p.first);
    p.is_flat =
        args.multiplier == 1 && p.outputs == args.out.columns && args.pixel_stride == p.outputs;
    p.column_bytes = 4 * (p.is_flat ? p.outputs : args.multiplier != 1 ? 64 : p.width);
    p.weights = args.panels + panel * args.panel_bytes;
    if (args.multiplier != 1) p.repeat = repeat_channels(p.first, p.outputs, args.multiplier);
    depthwise_rows(args, block, p);
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx512vnni
PARE_TARGET_AVX512VNNI_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_DEPTHWISE_S8_AVX512VNNI_HPP
