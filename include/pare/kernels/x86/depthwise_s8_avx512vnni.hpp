// The s8 depthwise convolution on AVX-512 VNNI: 4 pixels by up to 2 rows by 16 channels in
// registers; see kernels/depthwise_tiles.hpp.
//
// Signed inputs are biased by 128 on the way into the buffer, as in the matrix product. Bound, for a
// 3x3 window of stride 1: 128 outputs take 24 vpdpbusd and 16 conversions to and from float at 2 a
// cycle each, and as many instructions again for packing, storing and interleaving.
#ifndef PARE_KERNELS_X86_DEPTHWISE_S8_AVX512VNNI_HPP
#define PARE_KERNELS_X86_DEPTHWISE_S8_AVX512VNNI_HPP

#include <pare/kernels/depthwise_tiles.hpp>
#include <pare/kernels/x86/gemm_s8_6x64c4_avx512vnni.hpp>

#if PARE_X86_KERNELS

PARE_TARGET_AVX512VNNI_BEGIN
namespace pare::kernels::avx512vnni {
inline namespace PARE_ABI {

// --- four rows into one buffer ---

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
void interleave_bytes(const depthwise_row (&row)[4], __m512i flip, index_t count, __mmask64 mask,
                      index_t to_step, std::uint8_t* to) noexcept {
  const depthwise_row r0 = row[0], r1 = row[1], r2 = row[2], r3 = row[3];
  const std::uint8_t *a = r0.at, *b = r1.at, *c = r2.at, *d = r3.at;
  for (; count > 0; --count, to += to_step) {
    store_interleaved<Vectors>(load_codes(a, mask, flip), load_codes(b, mask, flip),
                               load_codes(c, mask, flip), load_codes(d, mask, flip), to);
    a += r0.step;
    b += r1.step;
    c += r2.step;
    d += r3.step;
  }
}

/// 64 channels that serve several outputs each.
PARE_ALWAYS_INLINE __m512i load_repeated(const std::uint8_t* at, const depthwise_panel& p,
                                         __mmask16 mask, __m512i flip) noexcept {
  const __m128i x0 = _mm_maskz_loadu_epi8(mask, at + p.group_first[0]);
  const __m128i x1 = _mm_maskz_loadu_epi8(mask, at + p.group_first[1]);
  const __m128i x2 = _mm_maskz_loadu_epi8(mask, at + p.group_first[2]);
  const __m128i x3 = _mm_maskz_loadu_epi8(mask, at + p.group_first[3]);
  __m512i x = _mm512_inserti32x4(_mm512_castsi128_si512(x0), x1, 1);
  x = _mm512_inserti32x4(_mm512_inserti32x4(x, x2, 2), x3, 3);
  return _mm512_xor_si512(_mm512_shuffle_epi8(x, _mm512_load_si512(p.place)), flip);
}

template <int Vectors>
void interleave_repeated(const depthwise_panel& p, const depthwise_row (&row)[4], __m512i flip,
                         index_t count, std::uint8_t* to) noexcept {
  const __mmask16 mask = lanes(p.loaded);
  for (index_t i = 0; i < count; ++i, to += 64 * Vectors) {
    store_interleaved<Vectors>(load_repeated(row[0].at + i * row[0].step, p, mask, flip),
                               load_repeated(row[1].at + i * row[1].step, p, mask, flip),
                               load_repeated(row[2].at + i * row[2].step, p, mask, flip),
                               load_repeated(row[3].at + i * row[3].step, p, mask, flip), to);
  }
}

/// Columns of a panel of 16 * Vectors channels.
template <int Vectors>
void interleave_columns(const depthwise_panel& p, const depthwise_row (&row)[4], index_t count,
                        std::uint8_t* to) noexcept {
  const __m512i flip = _mm512_set1_epi8(static_cast<char>(p.flip));
  if (!p.is_in_order) return interleave_repeated<Vectors>(p, row, flip, count, to);
  interleave_bytes<Vectors>(row, flip, count, first_bytes(p.outputs), 64 * Vectors, to);
}

inline void interleave(const depthwise_panel& p, const depthwise_row (&row)[4], index_t count,
                       std::uint8_t* to) noexcept {
  if (p.is_flat) {
    // Columns without gaps are one row of bytes.
    depthwise_row all[4];
    for (int i = 0; i < 4; ++i) all[i] = {row[i].at, row[i].step == 0 ? 0 : 64};
    const __m512i flip = _mm512_set1_epi8(static_cast<char>(p.flip));
    const index_t codes = count * p.outputs, whole = codes / 64;
    interleave_bytes<4>(all, flip, whole, first_bytes(64), 256, to);
    for (depthwise_row& r : all) r.at += whole * r.step;
    return interleave_bytes<4>(all, flip, codes % 64 != 0, first_bytes(codes % 64), 256,
                               to + 256 * whole);
  }
  switch (p.width) {
    case 16: return interleave_columns<1>(p, row, count, to);
    case 32: return interleave_columns<2>(p, row, count, to);
    case 48: return interleave_columns<3>(p, row, count, to);
    default: return interleave_columns<4>(p, row, count, to);
  }
}

// --- tiles ---

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

/// 16 channels of a tile, 4 pixels at a time: see `depthwise_tile_function`.
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

template <int Rows, class Writer>
PARE_ALWAYS_INLINE depthwise_tile_function tile_for(index_t whole_taps) noexcept {
  return whole_taps == 3 ? depthwise_tile_of_3<Rows, Writer> : depthwise_tile<Rows, Writer>;
}

template <int Rows>
depthwise_tile_function tile_of_rows_for(const gemm_s8_args& args, index_t first, index_t width,
                                         index_t whole_taps) noexcept {
  using rule = requantization;
  switch (args.kind) {
    case output_kind::s32: return tile_for<Rows, s32_writer>(whole_taps);
    case output_kind::f32: return tile_for<Rows, f32_writer>(whole_taps);
    case output_kind::q8: break;
  }
  switch (args.rule) {
    case rule::nearest: break;
    case rule::onnx: return tile_for<Rows, q8_writer<rule::onnx, false>>(whole_taps);
    case rule::double_rounding:
      return tile_for<Rows, q8_writer<rule::double_rounding, false>>(whole_taps);
    case rule::single_rounding:
      return tile_for<Rows, q8_writer<rule::single_rounding, false>>(whole_taps);
  }
  const bool is_small = is_bounded_by_type(args) && are_below_one(args.factors + first, width);
  if (is_small) return tile_for<Rows, q8_writer<rule::nearest, true>>(whole_taps);
  return tile_for<Rows, q8_writer<rule::nearest, false>>(whole_taps);
}

inline depthwise_tile_function depthwise_tile_for(const gemm_s8_args& args, index_t rows,
                                                  index_t first, index_t width,
                                                  index_t whole_taps) noexcept {
  return rows == 2 ? tile_of_rows_for<2>(args, first, width, whole_taps)
                   : tile_of_rows_for<1>(args, first, width, whole_taps);
}

/// One block of the convolution.
inline void depthwise_s8(const depthwise_s8_args& args, const depthwise_block& block) noexcept {
  depthwise_panels(args, block, {16, 0, interleave, depthwise_tile_for});
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx512vnni
PARE_TARGET_AVX512VNNI_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_DEPTHWISE_S8_AVX512VNNI_HPP
