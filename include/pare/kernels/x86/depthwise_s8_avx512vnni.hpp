// The s8 depthwise convolution on AVX-512 VNNI: 4 pixels by up to 2 rows by 16 channels in
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

/// Of interleaved inputs: 64 columns of 64 channels.
inline constexpr index_t depthwise_input_bytes = 64 * 64 * 4;
/// Accumulators that wait in L1, where the taps of a pixel come in several parts: 48 pixels of 64
/// channels.
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

/// `count` times up to 64 bytes of each row, a step apart.
template <int Vectors>
void interleave(const interleaving& from, index_t count, __mmask64 mask, index_t to_step,
                std::uint8_t* to) noexcept {
  const std::uint8_t *a = from.row[0].at, *b = from.row[1].at, *c = from.row[2].at,
                     *d = from.row[3].at;
  const index_t a_step = from.row[0].step, b_step = from.row[1].step, c_step = from.row[2].step,
                d_step = from.row[3].step;
  const __m512i flip = from.flip;
  for (; count > 0; --count, to += to_step) {
    store_interleaved<Vectors>(load_codes(a, mask, flip), load_codes(b, mask, flip),
                               load_codes(c, mask, flip), load_codes(d, mask, flip), to);
    a += a_step;
    b += b_step;
    c += c_step;
    d += d_step;
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

/// Interleaved inputs, weights and first accumulators of 16 channels, with the bytes (inputs,
/// weights) or elements (start) from one to the next.
struct depthwise_operands {
  const std::uint8_t* inputs;
  index_t pixel_bytes, tap_bytes;
  index_t taps;
  const std::int8_t* weights;
  index_t weight_bytes, variant_bytes;
  const std::int32_t* start;
  index_t start_pixel, start_row;
};

/// Accumulators of 4 pixels of a row.
struct row_of_pixels {
  __m512i p0, p1, p2, p3;
};

PARE_ALWAYS_INLINE row_of_pixels load_pixels(const std::int32_t* at, index_t step) noexcept {
  return {_mm512_loadu_si512(at), _mm512_loadu_si512(at + step), _mm512_loadu_si512(at + 2 * step),
          _mm512_loadu_si512(at + 3 * step)};
}

/// What becomes of the accumulators of 16 channels: stored as they are.
struct s32_writer {
  using element = std::int32_t;
  __mmask16 exist;

  PARE_ALWAYS_INLINE s32_writer(const gemm_s8_args&, index_t, index_t channels) noexcept
      : exist(lanes(channels)) {}

  PARE_ALWAYS_INLINE void operator()(const row_of_pixels& r, index_t pixels, std::int32_t* to,
                                     index_t stride) const noexcept {
    _mm512_mask_storeu_epi32(to, exist, r.p0);
    if (pixels > 1) _mm512_mask_storeu_epi32(to + stride, exist, r.p1);
    if (pixels > 2) _mm512_mask_storeu_epi32(to + 2 * stride, exist, r.p2);
    if (pixels > 3) _mm512_mask_storeu_epi32(to + 3 * stride, exist, r.p3);
  }
};

/// Scaled, plus the bias, clamped.
struct f32_writer {
  using element = float;
  __m512 scale, bias, low, high;
  __mmask16 exist;

  PARE_ALWAYS_INLINE f32_writer(const gemm_s8_args& args, index_t channel,
                                index_t channels) noexcept
      : scale(rounded_product(_mm512_set1_ps(args.scale),
                              _mm512_loadu_ps(args.column_scales + channel))),
        bias(_mm512_loadu_ps(args.bias + channel)),
        low(_mm512_set1_ps(args.clamp_low)),
        high(_mm512_set1_ps(args.clamp_high)),
        exist(lanes(channels)) {}

  PARE_ALWAYS_INLINE void store(float* to, __m512i acc) const noexcept {
    const __m512 y = _mm512_add_ps(rounded_product(_mm512_cvtepi32_ps(acc), scale), bias);
    _mm512_mask_storeu_ps(to, exist, _mm512_min_ps(high, _mm512_max_ps(low, y)));
  }
  PARE_ALWAYS_INLINE void operator()(const row_of_pixels& r, index_t pixels, float* to,
                                     index_t stride) const noexcept {
    store(to, r.p0);
    if (pixels > 1) store(to + stride, r.p1);
    if (pixels > 2) store(to + 2 * stride, r.p2);
    if (pixels > 3) store(to + 3 * stride, r.p3);
  }
};

/// Requantized. Small: by factors below 1 whose products fit an integer, where saturation is the
/// only clamp above.
template <requantization Rule, bool Small>
struct q8_writer {
  using element = std::uint8_t;
  column_scales by;
  code_range range;
  __mmask16 exist;

  PARE_ALWAYS_INLINE q8_writer(const gemm_s8_args& args, index_t channel, index_t channels) noexcept
      : by(load_scales<Rule>(args, channel)),
        range(load_range<Rule>(args)),
        exist(lanes(channels)) {}

  PARE_ALWAYS_INLINE __m512i scale(__m512i acc) const noexcept {
    if constexpr (Small) return scaled_small(acc, _mm512_castps_si512(by.factor));
    return scaled<Rule>(acc, by, range);
  }
  PARE_ALWAYS_INLINE void operator()(const row_of_pixels& r, index_t pixels, std::uint8_t* to,
                                     index_t stride) const noexcept {
    const __m512i codes = to_codes<Rule>(scale(r.p0), scale(r.p1), scale(r.p2), scale(r.p3), range);
    _mm_mask_storeu_epi8(to, exist, _mm512_castsi512_si128(codes));
    if (PARE_LIKELY(pixels > 3)) {
      _mm_mask_storeu_epi8(to + stride, exist, _mm512_extracti32x4_epi32(codes, 1));
      _mm_mask_storeu_epi8(to + 2 * stride, exist, _mm512_extracti32x4_epi32(codes, 2));
      _mm_mask_storeu_epi8(to + 3 * stride, exist, _mm512_extracti32x4_epi32(codes, 3));
      return;
    }
    if (pixels > 1) _mm_mask_storeu_epi8(to + stride, exist, _mm512_extracti32x4_epi32(codes, 1));
    if (pixels > 2)
      _mm_mask_storeu_epi8(to + 2 * stride, exist, _mm512_extracti32x4_epi32(codes, 2));
  }
};

/// The inputs of 4 pixels with the weights of each row of outputs.
template <int Rows>
PARE_ALWAYS_INLINE void tap_step(row_of_pixels& r, row_of_pixels& s, const std::uint8_t* x,
                                 index_t pixel_bytes, __m512i w0, __m512i w1) noexcept {
  const __m512i x0 = _mm512_loadu_si512(x), x1 = _mm512_loadu_si512(x + pixel_bytes);
  multiply_add(r.p0, x0, w0);
  multiply_add(r.p1, x1, w0);
  if constexpr (Rows > 1) multiply_add(s.p0, x0, w1);
  if constexpr (Rows > 1) multiply_add(s.p1, x1, w1);
  const __m512i x2 = _mm512_loadu_si512(x + 2 * pixel_bytes);
  const __m512i x3 = _mm512_loadu_si512(x + 3 * pixel_bytes);
  multiply_add(r.p2, x2, w0);
  multiply_add(r.p3, x3, w0);
  if constexpr (Rows > 1) multiply_add(s.p2, x2, w1);
  if constexpr (Rows > 1) multiply_add(s.p3, x3, w1);
}

/// 16 channels of a tile, 4 pixels at a time.
///
/// @param channel     the first of them
/// @param channels    how many exist
/// @param first       their first output
/// @param stride      elements from pixel to pixel
/// @param row_stride  elements from row to row
template <int Rows, class Writer>
void depthwise_tile(const gemm_s8_args& args, index_t channel, index_t channels,
                    const depthwise_operands& operands, index_t pixels, void* first, index_t stride,
                    index_t row_stride) noexcept {
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
      const __m512i w0 = _mm512_loadu_si512(w);
      const __m512i w1 = Rows > 1 ? _mm512_loadu_si512(w + o.variant_bytes) : w0;
      tap_step<Rows>(r, s, x, o.pixel_bytes, w0, w1);
    }
    write(r, pixels, to, stride);
    if constexpr (Rows > 1) write(s, pixels, to + row_stride, stride);
    inputs += 4 * o.pixel_bytes;
    start += 4 * o.start_pixel;
  }
}

/// The same for windows of up to 4 rows and exactly 3 columns, the commonest: weights and first
/// accumulators stay in registers.
template <int Rows, class Writer>
void depthwise_tile_of_3(const gemm_s8_args& args, index_t channel, index_t channels,
                         const depthwise_operands& o, index_t pixels, void* first, index_t stride,
                         index_t row_stride) noexcept {
  const Writer write(args, channel, channels);
  auto* to = static_cast<typename Writer::element*>(first);
  const __m512i start = _mm512_loadu_si512(o.start);
  const std::int8_t *w = o.weights, *v = o.weights + (Rows > 1 ? o.variant_bytes : 0);
  const __m512i w0 = _mm512_loadu_si512(w), v0 = _mm512_loadu_si512(v);
  const __m512i w1 = _mm512_loadu_si512(w + o.weight_bytes);
  const __m512i v1 = _mm512_loadu_si512(v + o.weight_bytes);
  const __m512i w2 = _mm512_loadu_si512(w + 2 * o.weight_bytes);
  const __m512i v2 = _mm512_loadu_si512(v + 2 * o.weight_bytes);
  const index_t pixel_bytes = o.pixel_bytes, tap_bytes = o.tap_bytes;
  const std::uint8_t* x = o.inputs;
  for (; pixels > 0; pixels -= 4, to += 4 * stride, x += 4 * pixel_bytes) {
    row_of_pixels r = {start, start, start, start}, s = r;
    tap_step<Rows>(r, s, x, pixel_bytes, w0, v0);
    tap_step<Rows>(r, s, x + tap_bytes, pixel_bytes, w1, v1);
    tap_step<Rows>(r, s, x + 2 * tap_bytes, pixel_bytes, w2, v2);
    write(r, pixels, to, stride);
    if constexpr (Rows > 1) write(s, pixels, to + row_stride, stride);
  }
}

using depthwise_tile_function = void (*)(const gemm_s8_args&, index_t, index_t,
                                         const depthwise_operands&, index_t, void*, index_t,
                                         index_t) noexcept;

template <int Rows, class Writer>
PARE_ALWAYS_INLINE depthwise_tile_function depthwise_tile_for(bool is_of_3) noexcept {
  return is_of_3 ? depthwise_tile_of_3<Rows, Writer> : depthwise_tile<Rows, Writer>;
}

/// The function that makes the outputs of a panel.
template <int Rows>
depthwise_tile_function depthwise_tile_of(const gemm_s8_args& args, bool is_of_3, index_t channel,
                                          index_t width) noexcept {
  using rule = requantization;
  switch (args.kind) {
    case output_kind::s32: return depthwise_tile_for<Rows, s32_writer>(is_of_3);
    case output_kind::f32: return depthwise_tile_for<Rows, f32_writer>(is_of_3);
    case output_kind::q8: break;
  }
  switch (args.rule) {
    case rule::nearest: break;
    case rule::onnx: return depthwise_tile_for<Rows, q8_writer<rule::onnx, false>>(is_of_3);
    case rule::double_rounding:
      return depthwise_tile_for<Rows, q8_writer<rule::double_rounding, false>>(is_of_3);
    case rule::single_rounding:
      return depthwise_tile_for<Rows, q8_writer<rule::single_rounding, false>>(is_of_3);
  }
  const bool is_small =
      (args.high == 127 || args.high == 255) && are_below_one(args.factors + channel, width);
  if (is_small) return depthwise_tile_for<Rows, q8_writer<rule::nearest, true>>(is_of_3);
  return depthwise_tile_for<Rows, q8_writer<rule::nearest, false>>(is_of_3);
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
    const index_t codes = count * p.outputs, whole = codes / 64;
    interleave<4>(from, whole, first_bytes(64), 256, to);
    for (depthwise_row& r : from.row) r.at += whole * r.step;
    return interleave<4>(from, codes % 64 != 0, first_bytes(codes % 64), 256, to + 256 * whole);
  }
  const __mmask64 mask = first_bytes(p.outputs);
  switch (p.width) {
    case 16: return interleave<1>(from, count, mask, p.column_bytes, to);
    case 32: return interleave<2>(from, count, mask, p.column_bytes, to);
    case 48: return interleave<3>(from, count, mask, p.column_bytes, to);
    default: return interleave<4>(from, count, mask, p.column_bytes, to);
  }
}

/// Columns [first, first + columns) of four rows; those outside the image are the zero point.
inline void fill_columns(const depthwise_s8_args& args, const depthwise_panel& p,
                         const interleaving& from, index_t first, index_t columns,
                         std::uint8_t* to) noexcept {
  const column_range r = columns_inside(args, first, columns);
  std::memset(to, args.out.offset, static_cast<std::size_t>(r.before * p.column_bytes));
  to += r.before * p.column_bytes;
  // Before the padding that follows: it may write up to 252 bytes more than there are.
  if (r.inside > 0) interleave_inside(args, p, from, first + r.before, r.inside, to);
  std::memset(to + r.inside * p.column_bytes, args.out.offset,
              static_cast<std::size_t>(r.after * p.column_bytes));
}

/// The inputs of a tile for the taps from `tap` on. Pixels come in fours: those beyond the tile read
/// what lies there, or padding.
inline void fill_inputs(const depthwise_s8_args& args, const depthwise_panel& p,
                        const interleaving& from, const depthwise_tiles& tiles, index_t x,
                        index_t pixels, index_t tap, std::uint8_t* to) noexcept {
  const window& w = args.window;
  const index_t first = x * w.stride_x - w.pad_left + tap * w.dilation_x;
  const index_t fours = pare::detail::round_up(pixels, depthwise_pixels);
  if (tiles.step == w.stride_x) {
    return fill_columns(args, p, from, first, (fours - 1) * tiles.step + tiles.span, to);
  }
  for (index_t i = 0; i < pixels; ++i, to += tiles.span * p.column_bytes)
    fill_columns(args, p, from, first + i * w.stride_x, tiles.span, to);
}

/// Rows of outputs of one panel.
inline void depthwise_rows(const depthwise_s8_args& args, const depthwise_block& block,
                           const depthwise_panel& p) noexcept {
  const window& w = args.window;
  alignas(64) std::int32_t start[64], acc[depthwise_buffered];
  // Channels that do not exist are read behind the last column.
  alignas(64) std::uint8_t inputs[depthwise_input_bytes + 256], padding[64];
  for (index_t i = 0; i < p.width; i += 16) start_values(args.out, p.first + i, start + i);
  std::memset(padding, args.out.offset ^ args.out.a_flip, sizeof(padding));

  const index_t groups = pare::detail::ceil_div(w.height, 4);
  const index_t columns = depthwise_input_bytes / p.column_bytes;
  depthwise_tiles tiles = cut_depthwise(w, args.out_width, columns, columns);
  const bool is_whole = groups == 1 && tiles.taps == w.width;
  if (!is_whole) {
    tiles = cut_depthwise(w, args.out_width, columns, depthwise_buffered / args.variants / p.width);
  }
  const bool is_of_3 = is_whole && w.width == 3;
  const auto one_row = depthwise_tile_of<1>(args.out, is_of_3, p.first, p.width);
  const auto two_rows = depthwise_tile_of<2>(args.out, is_of_3, p.first, p.width);
  const index_t element_bytes = args.out.kind == output_kind::q8 ? 1 : 4;
  depthwise_operands o;
  o.pixel_bytes = tiles.step * p.column_bytes;
  o.tap_bytes = tiles.taps > 1 ? w.dilation_x * p.column_bytes : 0;
  o.weight_bytes = p.width * 4;
  o.variant_bytes = groups * w.width * o.weight_bytes;
  for (index_t y = block.first_row; y < block.last_row; y += args.variants) {
    const bool has_second = args.variants == 2 && y + 1 < block.last_row;
    const auto last_part = has_second ? two_rows : one_row;
    const auto other_part =
        has_second ? depthwise_tile<2, s32_writer> : depthwise_tile<1, s32_writer>;
    std::byte* line = static_cast<std::byte*>(output_line(args, block.image, y));
    for (index_t x = 0; x < args.out_width; x += tiles.pixels) {
      const index_t pixels = pare::detail::min(tiles.pixels, args.out_width - x);
      for (index_t group = 0; group < groups; ++group) {
        interleaving from;
        from.flip = _mm512_set1_epi8(static_cast<char>(args.out.a_flip));
        for (index_t i = 0; i < 4; ++i) {
          from.row[i] = row_of_group(args, block.image, y, group, i, padding);
          if (from.row[i].at != padding) from.row[i].at += p.first / args.multiplier;
        }
        for (index_t tap = 0; tap < w.width; tap += tiles.taps) {
          o.taps = pare::detail::min(tiles.taps, w.width - tap);
          fill_inputs(args, p, from, tiles, x, pixels, tap, inputs);
          const bool is_first = group == 0 && tap == 0;
          const bool is_last = group == groups - 1 && tap + o.taps == w.width;
          o.start_pixel = is_first ? 0 : p.width;
          o.start_row = is_first ? 0 : tiles.pixels * p.width;
          for (index_t j = 0; j < p.outputs; j += 16) {
            o.inputs = inputs + 4 * j;
            o.weights = p.weights + (group * w.width + tap) * o.weight_bytes + 4 * j;
            o.start = is_first ? start + j : acc + j;
            if (is_last) {
              const index_t at = x * args.out.c_stride + p.first + j;
              last_part(args.out, p.first + j, p.outputs - j, o, pixels, line + at * element_bytes,
                        args.out.c_stride, args.out_row_stride);
            } else {
              other_part(args.out, p.first + j, 16, o, tiles.pixels, acc + j, p.width,
                         tiles.pixels * p.width);
            }
          }
        }
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
