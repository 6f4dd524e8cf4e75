// The matrix product with 4-bit and 2-bit weights on AVX-512 VNNI: tiles of up to 6 rows by 64
// columns, K in blocks of 8 or 16.
//
// The tile is that of the s8 product. A shift and a mask leave a field at the top of its byte: the
// weight times 16 (4 bits) or 64 (2 bits). Sums come out as many times too large, exactly, and are
// shifted back at the end. With zero points, which such bytes cannot hold, fields come to the bottom
// and the zero points are subtracted. Bound: 2 vpdpbusd per cycle for many rows; for one row the
// reading of the panels, half or a quarter of those of 8 bits, against the 3 (4 bits) or 7 (2 bits)
// operations that a register of 64 bytes takes to decode.
#ifndef PARE_KERNELS_X86_GEMM_LOW_BIT_6X64C4_AVX512VNNI_HPP
#define PARE_KERNELS_X86_GEMM_LOW_BIT_6X64C4_AVX512VNNI_HPP

#include <pare/kernels/gemm_low_bit.hpp>
#include <pare/kernels/x86/gemm_s8_6x64c4_avx512vnni.hpp>

#if PARE_X86_KERNELS

PARE_TARGET_AVX512VNNI_BEGIN
namespace pare::kernels::avx512vnni {
inline namespace PARE_ABI {

/// Plane number Plane of 64 bytes.
template <int Bits, low_bit_decoding How, int Plane>
PARE_ALWAYS_INLINE __m512i plane_of(const std::int8_t* w, const std::int8_t* zero_points) noexcept {
  const __m512i mask = _mm512_set1_epi8(low_bit_mask(Bits, How));
  __m512i fields = _mm512_loadu_si512(w);
  if constexpr (How == low_bit_decoding::shifted) {
    constexpr int shift = 8 - Bits * (Plane + 1);
    if constexpr (shift > 0) fields = _mm512_slli_epi16(fields, shift);
    return _mm512_and_si512(fields, mask);
  } else {
    fields = _mm512_xor_si512(fields, _mm512_set1_epi8(low_bit_signs(Bits)));
    if constexpr (Plane > 0) fields = _mm512_srli_epi16(fields, Bits * Plane);
    return _mm512_sub_epi8(_mm512_and_si512(fields, mask), _mm512_loadu_si512(zero_points));
  }
}

/// The weights of 4 inputs.
template <int Bits, low_bit_decoding How, int Plane, int Vectors>
PARE_ALWAYS_INLINE row_of_tile load_plane(const std::int8_t* w,
                                          const std::int8_t* zero_points) noexcept {
  row_of_tile r;
  r.c0 = plane_of<Bits, How, Plane>(w, zero_points);
  r.c1 = Vectors > 1 ? plane_of<Bits, How, Plane>(w + 64, zero_points + 64) : r.c0;
  r.c2 = Vectors > 2 ? plane_of<Bits, How, Plane>(w + 128, zero_points + 128) : r.c0;
  r.c3 = Vectors > 3 ? plane_of<Bits, How, Plane>(w + 192, zero_points + 192) : r.c0;
  return r;
}

/// One row waits for its weights: they are asked for 2 KB ahead, which was measured to give a fifth
/// of the speed where they come from the third-level cache. Behind the end it does no harm.
template <int Vectors>
PARE_ALWAYS_INLINE void prefetch(const std::int8_t* w) noexcept {
  for (int i = 0; i < 64 * Vectors; i += 64) {
    _mm_prefetch(reinterpret_cast<const char*>(w) + 2048 + i, _MM_HINT_T0);
  }
}

/// 4 inputs of each row times one plane.
template <int Bits, low_bit_decoding How, int Plane, int Rows, int Vectors>
PARE_ALWAYS_INLINE void plane_step(tile_of_rows& t, tile_inputs& in, index_t stride, __m512i flip,
                                   const std::int8_t* w, const std::int8_t* zero_points) noexcept {
  // Many accumulators leave no room for all planes at a time: the bytes are loaded again for each.
  if constexpr (Rows > 2) __asm__ volatile("" : "+r"(w));
  step<Rows, Vectors>(t, in, stride, flip, load_plane<Bits, How, Plane, Vectors>(w, zero_points));
  advance<Rows>(in, 4);
}

/// out = start + acc, what the decoding has made too large shifted back.
template <int Bits, low_bit_decoding How, int Vectors>
PARE_ALWAYS_INLINE void store_low_bit_row(std::int32_t* out, const std::int32_t* start,
                                          row_of_tile r) noexcept {
  if constexpr (How == low_bit_decoding::shifted) {
    constexpr int shift = 8 - Bits;
    r.c0 = _mm512_srai_epi32(r.c0, shift);
    if constexpr (Vectors > 1) r.c1 = _mm512_srai_epi32(r.c1, shift);
    if constexpr (Vectors > 2) r.c2 = _mm512_srai_epi32(r.c2, shift);
    if constexpr (Vectors > 3) r.c3 = _mm512_srai_epi32(r.c3, shift);
  }
  add<Vectors>(r, load_row<Vectors>(start));
  store_row<Vectors>(out, r);
}

/// The most rows of a low-bit tile.
constexpr PARE_ALWAYS_INLINE index_t most_low_bit_rows(int vectors) noexcept {
  return vectors == 4 ? 6 : 8;
}

/// out[Rows][16 * Vectors] = start + A * W over all of K.
///
/// @param a            the first row; whole blocks of it can be read
/// @param zero_points  those of the first of the panel's columns that the tile takes
/// @param w_bytes      from block to block of the panel, 64 for each 16 columns it has
template <int Bits, low_bit_decoding How, int Rows, int Vectors>
void low_bit_tile(const gemm_s8_args& args, const std::uint8_t* a, index_t stride,
                  const std::int8_t* zero_points, index_t w_bytes, const std::int32_t* start,
                  std::int32_t* out, index_t out_stride) noexcept {
  constexpr index_t block = pare::detail::low_bit_block(Bits);
  const __m512i flip = _mm512_set1_epi8(static_cast<char>(args.a_flip));
  const __m512i zero = _mm512_setzero_si512();
  const row_of_tile none = {zero, zero, zero, zero};
  // Few accumulators do not hide the latency: a second set takes every other plane.
  constexpr bool two_sets = Rows * Vectors < 8;
  tile_of_rows t, u;
  t.r0 = t.r1 = t.r2 = t.r3 = t.r4 = t.r5 = t.r6 = t.r7 = none;
  if constexpr (two_sets) u.r0 = u.r1 = u.r2 = u.r3 = none;

  const std::int8_t* w = zero_points + w_bytes;
  tile_inputs in = inputs_at<Rows>(a, stride);
  index_t blocks = whole_blocks(args.k, block);
  for (bool is_last = !has_last_block(args.k, block);; is_last = true) {
    for (; blocks > 0; --blocks, w += w_bytes) {
      if constexpr (Rows == 1) prefetch<Vectors>(w);
      plane_step<Bits, How, 0, Rows, Vectors>(t, in, stride, flip, w, zero_points);
      plane_step<Bits, How, 1, Rows, Vectors>(two_sets ? u : t, in, stride, flip, w, zero_points);
      if constexpr (Bits == 2) {
        plane_step<Bits, How, 2, Rows, Vectors>(t, in, stride, flip, w, zero_points);
        plane_step<Bits, How, 3, Rows, Vectors>(two_sets ? u : t, in, stride, flip, w, zero_points);
      }
    }
    if (is_last) break;
    in = inputs_at<Rows>(a + args.k - block, stride);
    blocks = 1;
  }

  if constexpr (two_sets) {
    add<Vectors>(t.r0, u.r0);
    if constexpr (Rows > 1) add<Vectors>(t.r1, u.r1);
    if constexpr (Rows > 2) add<Vectors>(t.r2, u.r2);
    if constexpr (Rows > 3) add<Vectors>(t.r3, u.r3);
  }
  store_low_bit_row<Bits, How, Vectors>(out, start, t.r0);
  if constexpr (Rows > 1) store_low_bit_row<Bits, How, Vectors>(out += out_stride, start, t.r1);
  if constexpr (Rows > 2) store_low_bit_row<Bits, How, Vectors>(out += out_stride, start, t.r2);
  if constexpr (Rows > 3) store_low_bit_row<Bits, How, Vectors>(out += out_stride, start, t.r3);
  if constexpr (Rows > 4) store_low_bit_row<Bits, How, Vectors>(out += out_stride, start, t.r4);
  if constexpr (Rows > 5) store_low_bit_row<Bits, How, Vectors>(out += out_stride, start, t.r5);
  if constexpr (Rows > 6) store_low_bit_row<Bits, How, Vectors>(out += out_stride, start, t.r6);
  if constexpr (Rows > 7) store_low_bit_row<Bits, How, Vectors>(out += out_stride, start, t.r7);
}

using low_bit_tile_function = void (*)(const gemm_s8_args&, const std::uint8_t* a, index_t a_stride,
                                       const std::int8_t* w, index_t w_bytes,
                                       const std::int32_t* start, std::int32_t* out,
                                       index_t out_stride) noexcept;

/// The tile of `rows` rows, 1 to most_low_bit_rows(Vectors).
template <int Bits, low_bit_decoding How, int Vectors>
PARE_ALWAYS_INLINE low_bit_tile_function low_bit_tile_of_height(index_t rows) noexcept {
  if constexpr (Vectors == 4) {
    constexpr low_bit_tile_function of_height[] = {
        low_bit_tile<Bits, How, 1, 4>, low_bit_tile<Bits, How, 2, 4>,
        low_bit_tile<Bits, How, 3, 4>, low_bit_tile<Bits, How, 4, 4>,
        low_bit_tile<Bits, How, 5, 4>, low_bit_tile<Bits, How, 6, 4>};
    return of_height[rows - 1];
  } else {
    constexpr low_bit_tile_function of_height[] = {
        low_bit_tile<Bits, How, 1, 2>, low_bit_tile<Bits, How, 2, 2>, low_bit_tile<Bits, How, 3, 2>,
        low_bit_tile<Bits, How, 4, 2>, low_bit_tile<Bits, How, 5, 2>, low_bit_tile<Bits, How, 6, 2>,
        low_bit_tile<Bits, How, 7, 2>, low_bit_tile<Bits, How, 8, 2>};
    return of_height[rows - 1];
  }
}

/// The rows of a block for 16 * Vectors columns of one panel: see `columns_of_panel`.
template <int Bits, low_bit_decoding How, int Vectors>
void low_bit_columns_of_panel(const gemm_s8_args& args, const gemm_block& block, index_t panel,
                              index_t first) noexcept {
  constexpr index_t width = 16 * Vectors, most = most_low_bit_rows(Vectors);
  constexpr index_t k_block = pare::detail::low_bit_block(Bits);
  alignas(64) std::int32_t start[width], buffer[most * width];
  std::uint8_t narrow[most * k_block];
  const std::int8_t* w = low_bit_panel(args, Bits, panel) + first * 4;
  const index_t column = panel * args.tile_columns + first;
  const index_t columns = pare::detail::min(width, args.columns - column);
  if (columns <= 0) return;
  for (index_t j = 0; j < width; j += 16) start_values(args, column + j, start + j);
  const bool is_direct = args.kind == output_kind::s32 && columns == width;

  const row_tiles cut = cut_rows(block.last_row - block.first_row, most);
  for (index_t i = 0, row = block.first_row; i < cut.tall + cut.low; ++i) {
    const index_t rows = i < cut.tall ? cut.tall_rows : cut.tall_rows - 1;
    const std::uint8_t* inputs = args.a + row * args.a_stride;
    index_t stride = args.a_stride;
    if (PARE_UNLIKELY(args.k < k_block)) {
      copy_narrow_rows(args, inputs, rows, k_block, narrow);
      inputs = narrow, stride = k_block;
    }
    std::int32_t* out = buffer;
    index_t out_stride = width;
    if (is_direct) {
      out = static_cast<std::int32_t*>(args.c) + row * args.c_stride + column;
      out_stride = args.c_stride;
    }
    low_bit_tile_of_height<Bits, How, Vectors>(rows)(args, inputs, stride, w, 4 * args.tile_columns,
                                                     start, out, out_stride);
    if (!is_direct) write(args, buffer, width, row, rows, column, columns);
    row += rows;
  }
}

/// One block of the product, with panels of 32 or 64 columns.
template <int Bits, low_bit_decoding How>
void gemm_low_bit(const gemm_s8_args& args, const gemm_block& block) noexcept {
  // Seven and eight rows are one tile over half of a wide panel, so that each weight is decoded
  // once.
  const index_t rows = block.last_row - block.first_row;
  const bool is_halved = args.tile_columns == 64 && (rows == 7 || rows == 8);
  for (index_t panel = block.first_panel; panel < block.last_panel; ++panel) {
    if (args.tile_columns == 64 && !is_halved) {
      low_bit_columns_of_panel<Bits, How, 4>(args, block, panel, 0);
      continue;
    }
    for (index_t first = 0; first < args.tile_columns; first += 32) {
      low_bit_columns_of_panel<Bits, How, 2>(args, block, panel, first);
    }
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avx512vnni
PARE_TARGET_AVX512VNNI_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_GEMM_LOW_BIT_6X64C4_AVX512VNNI_HPP
