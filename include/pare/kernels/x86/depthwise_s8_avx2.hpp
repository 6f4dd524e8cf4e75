// The s8 depthwise convolution on AVX2 and AVX-VNNI: 4 pixels by up to 2 rows by 8 channels in
// registers, the window's rows in groups of 4.
//
// Four rows of the image are interleaved into a buffer in L1, as on AVX-512. Both instruction sets
// share this file and differ in how four bytes of inputs meet four weights.
#ifndef PARE_KERNELS_X86_DEPTHWISE_S8_AVX2_HPP
#define PARE_KERNELS_X86_DEPTHWISE_S8_AVX2_HPP

#include <cstring>

#include <pare/kernels/depthwise_s8.hpp>
#include <pare/kernels/x86/write_avx2.hpp>

#if PARE_X86_KERNELS

PARE_TARGET_AVX2_BEGIN
namespace pare::kernels::avx2 {
inline namespace PARE_ABI {

/// Of interleaved inputs: 128 columns of 16 channels.
inline constexpr index_t depthwise_input_bytes = 128 * 64;
/// Accumulators that wait in L1: 96 pixels of 16 channels.
inline constexpr index_t depthwise_buffered = 96 * panel_columns;

/// AVX-VNNI: unsigned inputs. Inline assembly, because GCC 12 copies the accumulator around the
/// intrinsic, and because this region is one for AVX2.
struct dot_vnni {
  static constexpr bool is_signed = false;
  static PARE_ALWAYS_INLINE void multiply_add(__m256i& c, __m256i x, __m256i w) noexcept {
    __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(c) : "x"(x), "x"(w));
  }
};

/// AVX2: signed inputs, weights in [-127, 127]; see the matrix product for why nothing saturates.
struct dot_narrow {
  static constexpr bool is_signed = true;
  static PARE_ALWAYS_INLINE void multiply_add(__m256i& c, __m256i x, __m256i w) noexcept {
    const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(x), _mm256_sign_epi8(w, x));
    c = _mm256_add_epi32(c, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
};

/// AVX2 with a weight of -128: 16-bit products.
struct dot_wide {
  static constexpr bool is_signed = true;
  static PARE_ALWAYS_INLINE void multiply_add(__m256i& c, __m256i x, __m256i w) noexcept {
    // Even and odd bytes, sign-extended in place.
    const __m256i even = _mm256_madd_epi16(_mm256_srai_epi16(_mm256_slli_epi16(x, 8), 8),
                                           _mm256_srai_epi16(_mm256_slli_epi16(w, 8), 8));
    const __m256i odd = _mm256_madd_epi16(_mm256_srai_epi16(x, 8), _mm256_srai_epi16(w, 8));
    c = _mm256_add_epi32(c, _mm256_add_epi32(even, odd));
  }
};

/// How the inputs of a panel's 16 outputs are found in a pixel: 16 bytes from `first` on, then each
/// output's byte of those. Pixels of fewer channels are copied first.
struct channel_load {
  index_t first, copied;  ///< copied: bytes of a pixel that has fewer than 16, otherwise 0
  __m128i place, flip;
};

inline channel_load load_of_panel(index_t first_output, index_t outputs, index_t multiplier,
                                  index_t channels, std::uint8_t flip) noexcept {
  channel_load l;
  // Never beyond the pixel: it may be the last one.
  l.first = channels < 16 ? 0 : pare::detail::min(first_output / multiplier, channels - 16);
  l.copied = channels < 16 ? channels : 0;
  l.flip = _mm_set1_epi8(static_cast<char>(flip));
  alignas(16) std::uint8_t place[16];
  for (index_t i = 0; i < 16; ++i) {
    place[i] = i < outputs ? static_cast<std::uint8_t>((first_output + i) / multiplier - l.first)
                           : std::uint8_t{0x80};
  }
  l.place = _mm_load_si128(reinterpret_cast<const __m128i*>(place));
  return l;
}

/// 16 bytes, or the first `n` of them.
PARE_ALWAYS_INLINE __m128i load16(const std::uint8_t* at, index_t n) noexcept {
  if (n == 16) return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  alignas(16) std::uint8_t bytes[16] = {};
  std::memcpy(bytes, at, static_cast<std::size_t>(n));
  return _mm_load_si128(reinterpret_cast<const __m128i*>(bytes));
}

/// 16 channels of four rows as [channel][4].
PARE_ALWAYS_INLINE void store_interleaved(__m128i a, __m128i b, __m128i c, __m128i d,
                                          std::uint8_t* to) noexcept {
  __m128i* at = reinterpret_cast<__m128i*>(to);
  const __m128i ab = _mm_unpacklo_epi8(a, b), cd = _mm_unpacklo_epi8(c, d);
  const __m128i ab2 = _mm_unpackhi_epi8(a, b), cd2 = _mm_unpackhi_epi8(c, d);
  _mm_storeu_si128(at, _mm_unpacklo_epi16(ab, cd));
  _mm_storeu_si128(at + 1, _mm_unpackhi_epi16(ab, cd));
  _mm_storeu_si128(at + 2, _mm_unpacklo_epi16(ab2, cd2));
  _mm_storeu_si128(at + 3, _mm_unpackhi_epi16(ab2, cd2));
}

/// The outputs of a panel for `count` pixels of four rows.
inline void interleave(depthwise_row (&row)[4], const channel_load& l, index_t count,
                       index_t to_step, std::uint8_t* to) noexcept {
  const index_t n = l.copied == 0 ? 16 : l.copied;
  __m128i x[4];
  for (; count > 0; --count, to += to_step) {
    PARE_UNROLL
    for (int i = 0; i < 4; ++i) {
      x[i] = _mm_shuffle_epi8(load16(row[i].at, n), l.place);
      x[i] = _mm_xor_si128(x[i], l.flip);
      row[i].at += row[i].step;
    }
    store_interleaved(x[0], x[1], x[2], x[3], to);
  }
}

/// `codes` bytes of four rows without gaps.
inline void interleave_flat(depthwise_row (&row)[4], __m128i flip, index_t codes,
                            std::uint8_t* to) noexcept {
  __m128i x[4];
  for (; codes > 0; codes -= 16, to += 64) {
    const index_t n = pare::detail::min<index_t>(codes, 16);
    PARE_UNROLL
    for (int i = 0; i < 4; ++i) {
      x[i] = _mm_xor_si128(load16(row[i].at, n), flip);
      row[i].at += row[i].step == 0 ? 0 : 16;
    }
    store_interleaved(x[0], x[1], x[2], x[3], to);
  }
}

/// Interleaved inputs, weights and first accumulators of 8 channels, with the bytes (inputs,
/// weights) or elements (start) from one to the next.
struct depthwise_operands {
  const std::uint8_t* inputs;
  index_t pixel_bytes, tap_bytes;
  index_t taps;
  const std::int8_t* weights;
  index_t variant_bytes;
  const std::int32_t* start;
  index_t start_pixel, start_row;
};

/// Accumulators of 4 pixels of a row.
struct row_of_pixels {
  __m256i p0, p1, p2, p3;
};

PARE_ALWAYS_INLINE row_of_pixels load_pixels(const std::int32_t* at, index_t step) noexcept {
  return {load8(at), load8(at + step), load8(at + 2 * step), load8(at + 3 * step)};
}
PARE_ALWAYS_INLINE void store_pixels(std::int32_t* at, const row_of_pixels& r) noexcept {
  store8(at, r.p0);
  store8(at + panel_columns, r.p1);
  store8(at + 2 * panel_columns, r.p2);
  store8(at + 3 * panel_columns, r.p3);
}

PARE_ALWAYS_INLINE __m256i load_bytes(const void* at) noexcept {
  return _mm256_loadu_si256(static_cast<const __m256i*>(at));
}

/// One pixel's inputs with the weights of each row of outputs.
template <class Dot, int Rows>
PARE_ALWAYS_INLINE void tap_step(__m256i& c0, __m256i& c1, const std::uint8_t* x, __m256i w0,
                                 __m256i w1) noexcept {
  const __m256i inputs = load_bytes(x);
  Dot::multiply_add(c0, inputs, w0);
  if constexpr (Rows > 1) Dot::multiply_add(c1, inputs, w1);
}

/// 8 channels of a tile, 4 pixels at a time: acc [Rows][..][16], `acc_row` elements from row to row.
template <class Dot, int Rows>
void depthwise_tile(depthwise_operands o, index_t pixels, std::int32_t* acc,
                    index_t acc_row) noexcept {
  for (; pixels > 0; pixels -= 4, acc += 4 * panel_columns) {
    row_of_pixels r = load_pixels(o.start, o.start_pixel), s = r;
    if constexpr (Rows > 1) s = load_pixels(o.start + o.start_row, o.start_pixel);
    const std::uint8_t* x = o.inputs;
    const std::int8_t* w = o.weights;
    for (index_t tap = 0; tap < o.taps; ++tap, x += o.tap_bytes, w += 4 * panel_columns) {
      const __m256i w0 = load_bytes(w);
      const __m256i w1 = Rows > 1 ? load_bytes(w + o.variant_bytes) : w0;
      const std::uint8_t* x2 = x + 2 * o.pixel_bytes;
      tap_step<Dot, Rows>(r.p0, s.p0, x, w0, w1);
      tap_step<Dot, Rows>(r.p1, s.p1, x + o.pixel_bytes, w0, w1);
      tap_step<Dot, Rows>(r.p2, s.p2, x2, w0, w1);
      tap_step<Dot, Rows>(r.p3, s.p3, x2 + o.pixel_bytes, w0, w1);
    }
    store_pixels(acc, r);
    if constexpr (Rows > 1) store_pixels(acc + acc_row, s);
    o.inputs += 4 * o.pixel_bytes;
    o.start += 4 * o.start_pixel;
  }
}

/// What stays the same for all rows of a panel.
struct depthwise_panel {
  index_t first, outputs;  ///< channels of the output
  index_t column_bytes;    ///< of the interleaved inputs
  bool is_flat;            ///< pixels follow each other without gaps, and have no other panel
  channel_load load;
  std::uint8_t flip;  ///< what codes are XORed with, and the zero point of what comes out
  std::int32_t offset;
  const std::int8_t* weights;
};

/// Columns [first, first + columns) of four rows; those outside the image are the zero point.
inline void fill_columns(const depthwise_s8_args& args, const depthwise_panel& p,
                         const depthwise_row (&rows)[4], index_t first, index_t columns,
                         std::uint8_t* to) noexcept {
  const column_range r = columns_inside(args, first, columns);
  std::memset(to, p.offset, static_cast<std::size_t>(r.before * p.column_bytes));
  to += r.before * p.column_bytes;
  // Before the padding that follows: it may write up to 60 bytes more than there are.
  if (r.inside > 0) {
    depthwise_row from[4] = {rows[0], rows[1], rows[2], rows[3]};
    for (depthwise_row& row : from) row.at += (first + r.before) * row.step;
    if (p.is_flat) {
      interleave_flat(from, p.load.flip, r.inside * p.outputs, to);
    } else {
      interleave(from, p.load, r.inside, p.column_bytes, to);
    }
  }
  std::memset(to + r.inside * p.column_bytes, p.offset,
              static_cast<std::size_t>(r.after * p.column_bytes));
}

/// The inputs of a tile for the taps from `tap` on. Pixels come in fours: those beyond the tile read
/// what lies there, or padding.
inline void fill_inputs(const depthwise_s8_args& args, const depthwise_panel& p,
                        const depthwise_row (&rows)[4], const depthwise_tiles& tiles, index_t x,
                        index_t pixels, index_t tap, std::uint8_t* to) noexcept {
  const window& w = args.window;
  const index_t first = x * w.stride_x - w.pad_left + tap * w.dilation_x;
  const index_t fours = pare::detail::round_up(pixels, depthwise_pixels);
  if (tiles.step == w.stride_x) {
    return fill_columns(args, p, rows, first, (fours - 1) * tiles.step + tiles.span, to);
  }
  for (index_t i = 0; i < pixels; ++i, to += tiles.span * p.column_bytes)
    fill_columns(args, p, rows, first + i * w.stride_x, tiles.span, to);
}

/// Rows of outputs of one panel.
template <class Dot>
void depthwise_rows(const depthwise_s8_args& args, const depthwise_block& block,
                    const depthwise_panel& p) noexcept {
  const window& w = args.window;
  // What `write` makes final, it reads two rows at a time.
  alignas(32) std::int32_t start[panel_columns], acc[depthwise_buffered + panel_columns];
  // Channels that do not exist are read behind the last column.
  alignas(32) std::uint8_t inputs[depthwise_input_bytes + 64], padding[16];
  start_values(args.out, p.first, p.offset, start);
  std::memset(padding, args.out.offset ^ args.out.a_flip, sizeof(padding));

  const depthwise_tiles tiles =
      cut_depthwise(w, args.out_width, depthwise_input_bytes / p.column_bytes,
                    depthwise_buffered / args.variants / panel_columns);
  const index_t groups = pare::detail::ceil_div(w.height, 4);
  const index_t weight_bytes = 4 * panel_columns, acc_row = tiles.pixels * panel_columns;
  depthwise_operands o;
  o.pixel_bytes = tiles.step * p.column_bytes;
  o.tap_bytes = tiles.taps > 1 ? w.dilation_x * p.column_bytes : 0;
  o.variant_bytes = groups * w.width * weight_bytes;
  gemm_s8_args out = args.out;
  for (index_t y = block.first_row; y < block.last_row; y += args.variants) {
    const index_t rows = pare::detail::min<index_t>(args.variants, block.last_row - y);
    const auto tile = rows == 2 ? depthwise_tile<Dot, 2> : depthwise_tile<Dot, 1>;
    for (index_t x = 0; x < args.out_width; x += tiles.pixels) {
      const index_t pixels = pare::detail::min(tiles.pixels, args.out_width - x);
      for (index_t group = 0; group < groups; ++group) {
        depthwise_row from[4];
        for (index_t i = 0; i < 4; ++i) {
          from[i] = row_of_group(args, block.image, y, group, i, padding);
          if (from[i].at != padding) from[i].at += p.load.first;
        }
        for (index_t tap = 0; tap < w.width; tap += tiles.taps) {
          o.taps = pare::detail::min(tiles.taps, w.width - tap);
          fill_inputs(args, p, from, tiles, x, pixels, tap, inputs);
          const bool is_first = group == 0 && tap == 0;
          o.start_pixel = is_first ? 0 : panel_columns;
          o.start_row = is_first ? 0 : acc_row;
          for (index_t j = 0; j < p.outputs; j += 8) {
            o.inputs = inputs + 4 * j;
            o.weights = p.weights + (group * w.width + tap) * weight_bytes + 4 * j;
            o.start = is_first ? start + j : acc + j;
            tile(o, pixels, acc + j, acc_row);
          }
        }
      }
      for (index_t i = 0; i < rows; ++i) {
        out.c = output_line(args, block.image, y + i);
        write(out, acc + i * acc_row, x, pixels, p.first, p.outputs);
      }
    }
  }
}

template <class Dot>
void depthwise_panels(const depthwise_s8_args& args, const depthwise_block& block) noexcept {
  for (index_t panel = block.first_panel; panel < block.last_panel; ++panel) {
    depthwise_panel p;
    p.first = panel * panel_columns;
    p.outputs = pare::detail::min(panel_columns, args.out.columns - p.first);
    p.is_flat =
        args.multiplier == 1 && p.outputs == args.out.columns && args.pixel_stride == p.outputs;
    p.column_bytes = 4 * (p.is_flat ? p.outputs : panel_columns);
    p.flip = static_cast<std::uint8_t>(args.out.a_flip ^ (Dot::is_signed ? 0x80 : 0));
    p.offset = args.out.offset - (Dot::is_signed ? 128 : 0);
    p.load = load_of_panel(p.first, p.outputs, args.multiplier, args.out.columns / args.multiplier,
                           p.flip);
    p.weights = args.panels + panel * args.panel_bytes;
    depthwise_rows<Dot>(args, block, p);
  }
}

/// One block of the convolution.
inline void depthwise_s8(const depthwise_s8_args& args, const depthwise_block& block) noexcept {
  if (args.out.has_minus_128 != 0) return depthwise_panels<dot_wide>(args, block);
  depthwise_panels<dot_narrow>(args, block);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx2

namespace pare::kernels::avxvnni {
inline namespace PARE_ABI {

/// One block of the convolution.
inline void depthwise_s8(const depthwise_s8_args& args, const depthwise_block& block) noexcept {
  avx2::depthwise_panels<avx2::dot_vnni>(args, block);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avxvnni
PARE_TARGET_AVX2_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_DEPTHWISE_S8_AVX2_HPP
