// The s8 depthwise convolution on AVX2 and AVX-VNNI: 4 pixels by up to 2 rows by 8 channels in
// registers; see kernels/depthwise_tiles.hpp.
//
// Both instruction sets share this file and differ in how four bytes of inputs meet four weights.
#ifndef PARE_KERNELS_X86_DEPTHWISE_S8_AVX2_HPP
#define PARE_KERNELS_X86_DEPTHWISE_S8_AVX2_HPP

#include <pare/kernels/depthwise_tiles.hpp>
#include <pare/kernels/x86/write_avx2.hpp>

#if PARE_X86_KERNELS

PARE_TARGET_AVX2_BEGIN
namespace pare::kernels::avx2 {
inline namespace PARE_ABI {

// --- products of four bytes ---

/// AVX-VNNI: unsigned inputs. Inline assembly, because GCC 12 copies the accumulator around the
/// intrinsic, and because this region is one for AVX2.
struct dot_vnni {
  struct inputs {
    __m256i x;
  };
  static PARE_ALWAYS_INLINE inputs load(const std::uint8_t* at) noexcept {
    return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at))};
  }
  static PARE_ALWAYS_INLINE void multiply_add(__m256i& c, const inputs& in, __m256i w) noexcept {
    __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(c) : "x"(in.x), "x"(w));
  }
};

/// AVX2: signed inputs, weights in [-127, 127]; see the matrix product for why nothing saturates.
struct dot_narrow {
  struct inputs {
    __m256i x, magnitude;
  };
  static PARE_ALWAYS_INLINE inputs load(const std::uint8_t* at) noexcept {
    const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
    return {x, _mm256_abs_epi8(x)};
  }
  static PARE_ALWAYS_INLINE void multiply_add(__m256i& c, const inputs& in, __m256i w) noexcept {
    const __m256i pairs = _mm256_maddubs_epi16(in.magnitude, _mm256_sign_epi8(w, in.x));
    c = _mm256_add_epi32(c, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
};

/// AVX2 where a weight is -128: products of 16 bits, of the even and the odd bytes.
struct dot_wide {
  struct inputs {
    __m256i even, odd;
  };
  static PARE_ALWAYS_INLINE inputs halves(__m256i x) noexcept {
    return {_mm256_srai_epi16(_mm256_slli_epi16(x, 8), 8), _mm256_srai_epi16(x, 8)};
  }
  static PARE_ALWAYS_INLINE inputs load(const std::uint8_t* at) noexcept {
    return halves(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)));
  }
  static PARE_ALWAYS_INLINE void multiply_add(__m256i& c, const inputs& in, __m256i w) noexcept {
    const inputs by = halves(w);
    c = _mm256_add_epi32(c, _mm256_madd_epi16(in.even, by.even));
    c = _mm256_add_epi32(c, _mm256_madd_epi16(in.odd, by.odd));
  }
};

// --- four rows into one buffer ---

/// 32 channels of four rows, from their bytes to [channel][4].
PARE_ALWAYS_INLINE void store_interleaved(__m256i a, __m256i b, __m256i c, __m256i d,
                                          std::uint8_t* to) noexcept {
  // Unpacking works within 128 bits. With the dwords of each register dealt out to both halves in
  // turn, the first unpacked register holds channels 0 to 7, the second 8 to 15, and so on.
  const __m256i order = _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7);
  a = _mm256_permutevar8x32_epi32(a, order);
  b = _mm256_permutevar8x32_epi32(b, order);
  c = _mm256_permutevar8x32_epi32(c, order);
  d = _mm256_permutevar8x32_epi32(d, order);
  const __m256i ab = _mm256_unpacklo_epi8(a, b), cd = _mm256_unpacklo_epi8(c, d);
  const __m256i ab2 = _mm256_unpackhi_epi8(a, b), cd2 = _mm256_unpackhi_epi8(c, d);
  __m256i* at = reinterpret_cast<__m256i*>(to);
  _mm256_storeu_si256(at, _mm256_unpacklo_epi16(ab, cd));
  _mm256_storeu_si256(at + 1, _mm256_unpackhi_epi16(ab, cd));
  _mm256_storeu_si256(at + 2, _mm256_unpacklo_epi16(ab2, cd2));
  _mm256_storeu_si256(at + 3, _mm256_unpackhi_epi16(ab2, cd2));
}
/// 16 channels.
PARE_ALWAYS_INLINE void store_interleaved(__m128i a, __m128i b, __m128i c, __m128i d,
                                          std::uint8_t* to) noexcept {
  const __m128i ab = _mm_unpacklo_epi8(a, b), cd = _mm_unpacklo_epi8(c, d);
  const __m128i ab2 = _mm_unpackhi_epi8(a, b), cd2 = _mm_unpackhi_epi8(c, d);
  __m128i* at = reinterpret_cast<__m128i*>(to);
  _mm_storeu_si128(at, _mm_unpacklo_epi16(ab, cd));
  _mm_storeu_si128(at + 1, _mm_unpackhi_epi16(ab, cd));
  _mm_storeu_si128(at + 2, _mm_unpacklo_epi16(ab2, cd2));
  _mm_storeu_si128(at + 3, _mm_unpackhi_epi16(ab2, cd2));
}

PARE_ALWAYS_INLINE __m256i load_codes(const std::uint8_t* at, __m256i flip) noexcept {
  return _mm256_xor_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)), flip);
}

/// 16 bytes, or the first `n` of them.
PARE_ALWAYS_INLINE __m128i load16(const std::uint8_t* at, index_t n) noexcept {
  if (PARE_LIKELY(n == 16)) return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  alignas(16) std::uint8_t bytes[16] = {};
  std::memcpy(bytes, at, static_cast<std::size_t>(n));
  return _mm_load_si128(reinterpret_cast<const __m128i*>(bytes));
}

/// Channels of 16 outputs.
PARE_ALWAYS_INLINE __m128i load_group(const std::uint8_t* at, const depthwise_panel& p,
                                      index_t group, __m128i flip) noexcept {
  const __m128i place = _mm_load_si128(reinterpret_cast<const __m128i*>(p.place) + group);
  const __m128i x = load16(at + p.group_first[group], p.loaded);
  return _mm_xor_si128(_mm_shuffle_epi8(x, place), flip);
}

inline void interleave_flat(const depthwise_row (&row)[4], __m256i flip, index_t codes,
                            std::uint8_t* to) noexcept {
  const std::uint8_t *a = row[0].at, *b = row[1].at, *c = row[2].at, *d = row[3].at;
  const index_t a_step = row[0].step == 0 ? 0 : 32, b_step = row[1].step == 0 ? 0 : 32,
                c_step = row[2].step == 0 ? 0 : 32, d_step = row[3].step == 0 ? 0 : 32;
  for (; codes >= 32; codes -= 32, to += 128) {
    store_interleaved(load_codes(a, flip), load_codes(b, flip), load_codes(c, flip),
                      load_codes(d, flip), to);
    a += a_step;
    b += b_step;
    c += c_step;
    d += d_step;
  }
  const __m128i half = _mm256_castsi256_si128(flip);
  for (index_t done = 0; done < codes; done += 16, to += 64) {
    const index_t n = pare::detail::min<index_t>(codes - done, 16);
    store_interleaved(
        _mm_xor_si128(load16(a + done, n), half), _mm_xor_si128(load16(b + done, n), half),
        _mm_xor_si128(load16(c + done, n), half), _mm_xor_si128(load16(d + done, n), half), to);
  }
}

inline void interleave(const depthwise_panel& p, const depthwise_row (&row)[4], index_t count,
                       std::uint8_t* to) noexcept {
  const __m256i flip = _mm256_set1_epi8(static_cast<char>(p.flip));
  if (p.is_flat) return interleave_flat(row, flip, count * p.outputs, to);
  const __m128i half = _mm256_castsi256_si128(flip);
  const index_t groups = pare::detail::ceil_div(p.outputs, 16);
  const index_t wide = p.is_in_order ? p.outputs / 32 * 32 : 0;
  const std::uint8_t *a = row[0].at, *b = row[1].at, *c = row[2].at, *d = row[3].at;
  for (; count > 0; --count, to += p.column_bytes) {
    for (index_t j = 0; j < wide; j += 32) {
      store_interleaved(load_codes(a + j, flip), load_codes(b + j, flip), load_codes(c + j, flip),
                        load_codes(d + j, flip), to + 4 * j);
    }
    for (index_t group = wide / 16; group < groups; ++group) {
      store_interleaved(load_group(a, p, group, half), load_group(b, p, group, half),
                        load_group(c, p, group, half), load_group(d, p, group, half),
                        to + 64 * group);
    }
    a += row[0].step;
    b += row[1].step;
    c += row[2].step;
    d += row[3].step;
  }
}

// --- tiles ---

/// Accumulators of 4 pixels of a row.
struct row_of_pixels {
  __m256i p0, p1, p2, p3;
};

PARE_ALWAYS_INLINE row_of_pixels load_pixels(const std::int32_t* at, index_t step) noexcept {
  return {load8(at), load8(at + step), load8(at + 2 * step), load8(at + 3 * step)};
}

/// What becomes of the accumulators of 8 channels: stored as they are.
struct s32_writer {
  using element = std::int32_t;
  __m256i exist;

  PARE_ALWAYS_INLINE s32_writer(const gemm_s8_args&, index_t, index_t channels) noexcept
      : exist(lanes(channels)) {}

  PARE_ALWAYS_INLINE void operator()(const row_of_pixels& r, index_t pixels, std::int32_t* to,
                                     index_t stride) const noexcept {
    _mm256_maskstore_epi32(to, exist, r.p0);
    if (pixels > 1) _mm256_maskstore_epi32(to + stride, exist, r.p1);
    if (pixels > 2) _mm256_maskstore_epi32(to + 2 * stride, exist, r.p2);
    if (pixels > 3) _mm256_maskstore_epi32(to + 3 * stride, exist, r.p3);
  }
};

/// Scaled, plus the bias, clamped.
struct f32_writer {
  using element = float;
  __m256 scale, bias, low, high;
  __m256i exist;

  PARE_ALWAYS_INLINE f32_writer(const gemm_s8_args& args, index_t channel,
                                index_t channels) noexcept
      : scale(rounded_product(_mm256_set1_ps(args.scale),
                              _mm256_loadu_ps(args.column_scales + channel))),
        bias(_mm256_loadu_ps(args.bias + channel)),
        low(_mm256_set1_ps(args.clamp_low)),
        high(_mm256_set1_ps(args.clamp_high)),
        exist(lanes(channels)) {}

  PARE_ALWAYS_INLINE void store(float* to, __m256i acc) const noexcept {
    const __m256 y = _mm256_add_ps(rounded_product(_mm256_cvtepi32_ps(acc), scale), bias);
    _mm256_maskstore_ps(to, exist, _mm256_min_ps(high, _mm256_max_ps(low, y)));
  }
  PARE_ALWAYS_INLINE void operator()(const row_of_pixels& r, index_t pixels, float* to,
                                     index_t stride) const noexcept {
    store(to, r.p0);
    if (pixels > 1) store(to + stride, r.p1);
    if (pixels > 2) store(to + 2 * stride, r.p2);
    if (pixels > 3) store(to + 3 * stride, r.p3);
  }
};

/// Requantized.
template <requantization Rule>
struct q8_writer {
  using element = std::uint8_t;
  column_scales by;
  code_range range;
  index_t channels;

  PARE_ALWAYS_INLINE q8_writer(const gemm_s8_args& args, index_t channel, index_t count) noexcept
      : by(load_scales<Rule>(args, channel)), range(load_range<Rule>(args)), channels(count) {}

  PARE_ALWAYS_INLINE void operator()(const row_of_pixels& r, index_t pixels, std::uint8_t* to,
                                     index_t stride) const noexcept {
    const row_of_tile left = {scaled<Rule>(r.p0, by, range), scaled<Rule>(r.p1, by, range)};
    const row_of_tile right = {scaled<Rule>(r.p2, by, range), scaled<Rule>(r.p3, by, range)};
    // 8 codes of each pixel.
    const __m256i codes = to_codes<Rule>(left, right, range);
    if (PARE_LIKELY(pixels > 3 && channels >= 8)) {
      const __m128i first = _mm256_castsi256_si128(codes),
                    last = _mm256_extracti128_si256(codes, 1);
      _mm_storel_epi64(reinterpret_cast<__m128i*>(to), first);
      _mm_storel_epi64(reinterpret_cast<__m128i*>(to + stride), _mm_unpackhi_epi64(first, first));
      _mm_storel_epi64(reinterpret_cast<__m128i*>(to + 2 * stride), last);
      _mm_storel_epi64(reinterpret_cast<__m128i*>(to + 3 * stride), _mm_unpackhi_epi64(last, last));
      return;
    }
    alignas(32) std::uint8_t bytes[32];
    _mm256_store_si256(reinterpret_cast<__m256i*>(bytes), codes);
    const auto n = static_cast<std::size_t>(pare::detail::min<index_t>(channels, 8));
    for (index_t i = 0; i < 4 && i < pixels; ++i) std::memcpy(to + i * stride, bytes + 8 * i, n);
  }
};

PARE_ALWAYS_INLINE __m256i load_weights(const std::int8_t* at) noexcept {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
}

/// The inputs of 4 pixels with the weights of each row of outputs.
template <class Dot, int Rows>
PARE_ALWAYS_INLINE void tap_step(row_of_pixels& r, row_of_pixels& s, const std::uint8_t* x,
                                 index_t pixel_bytes, __m256i w0, __m256i w1) noexcept {
  const auto x0 = Dot::load(x);
  Dot::multiply_add(r.p0, x0, w0);
  if constexpr (Rows > 1) Dot::multiply_add(s.p0, x0, w1);
  const auto x1 = Dot::load(x + pixel_bytes);
  Dot::multiply_add(r.p1, x1, w0);
  if constexpr (Rows > 1) Dot::multiply_add(s.p1, x1, w1);
  const auto x2 = Dot::load(x + 2 * pixel_bytes);
  Dot::multiply_add(r.p2, x2, w0);
  if constexpr (Rows > 1) Dot::multiply_add(s.p2, x2, w1);
  const auto x3 = Dot::load(x + 3 * pixel_bytes);
  Dot::multiply_add(r.p3, x3, w0);
  if constexpr (Rows > 1) Dot::multiply_add(s.p3, x3, w1);
}

/// 8 channels of a tile, 4 pixels at a time: see `depthwise_tile_function`.
template <class Dot, int Rows, class Writer>
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
      const __m256i w0 = load_weights(w), w1 = Rows > 1 ? load_weights(w + o.variant_bytes) : w0;
      tap_step<Dot, Rows>(r, s, x, o.pixel_bytes, w0, w1);
    }
    write(r, pixels, to, stride);
    if constexpr (Rows > 1) write(s, pixels, to + row_stride, stride);
    inputs += 4 * o.pixel_bytes;
    start += 4 * o.start_pixel;
  }
}

template <class Dot, int Rows>
depthwise_tile_function tile_of_rows_for(const gemm_s8_args& args) noexcept {
  using rule = requantization;
  switch (args.kind) {
    case output_kind::s32: return depthwise_tile<Dot, Rows, s32_writer>;
    case output_kind::f32: return depthwise_tile<Dot, Rows, f32_writer>;
    case output_kind::q8: break;
  }
  switch (args.rule) {
    case rule::nearest: break;
    case rule::onnx: return depthwise_tile<Dot, Rows, q8_writer<rule::onnx>>;
    case rule::double_rounding: return depthwise_tile<Dot, Rows, q8_writer<rule::double_rounding>>;
    case rule::single_rounding: return depthwise_tile<Dot, Rows, q8_writer<rule::single_rounding>>;
  }
  return depthwise_tile<Dot, Rows, q8_writer<rule::nearest>>;
}

template <class Dot>
depthwise_tile_function depthwise_tile_for(const gemm_s8_args& args, index_t rows, index_t, index_t,
                                           index_t) noexcept {
  return rows == 2 ? tile_of_rows_for<Dot, 2>(args) : tile_of_rows_for<Dot, 1>(args);
}

/// One block of the convolution.
inline void depthwise_s8(const depthwise_s8_args& args, const depthwise_block& block) noexcept {
  const bool is_wide = args.out.has_minus_128 != 0;
  depthwise_panels(args, block,
                   {8, 0x80, interleave,
                    is_wide ? depthwise_tile_for<dot_wide> : depthwise_tile_for<dot_narrow>});
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx2

namespace pare::kernels::avxvnni {
inline namespace PARE_ABI {

/// One block of the convolution.
inline void depthwise_s8(const depthwise_s8_args& args, const depthwise_block& block) noexcept {
  depthwise_panels(args, block, {8, 0, avx2::interleave, avx2::depthwise_tile_for<avx2::dot_vnni>});
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avxvnni
PARE_TARGET_AVX2_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_DEPTHWISE_S8_AVX2_HPP
