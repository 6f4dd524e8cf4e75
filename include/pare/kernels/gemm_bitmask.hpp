// What the matrix kernels for weights with a bitmask have in common: they take the arguments of the
// s8 ones (kernels/gemm_s8.hpp), A a plain matrix, with the data of a `bitmask_view` as panels.
//
// Most of them expand some columns of a tile into a panel that lies in the first-level cache, and
// leave the product to the dense kernel of their instruction set.
#ifndef PARE_KERNELS_GEMM_BITMASK_HPP
#define PARE_KERNELS_GEMM_BITMASK_HPP

#include <pare/format/bitmask.hpp>
#include <pare/kernels/gemm_s8.hpp>

namespace pare::kernels {

/// The weights of a product, with values of `Bits` bits.
template <int Bits>
PARE_ALWAYS_INLINE bitmask_view bitmask_of(const gemm_s8_args& args) noexcept {
  return {args.columns, args.k, {Bits, {0, 0}}, reinterpret_cast<const std::byte*>(args.panels)};
}

/// `count` chunks, those of whole runs or all that are left of a tile, become dense ones of 64 bytes,
/// `stride` bytes apart.
///
/// @return the run behind theirs
using expand_function = const std::byte* (*)(const std::byte* run, index_t count,
                                             std::int8_t* panel, index_t stride) noexcept;

/// Accumulators [rows][width] become values of C.
using write_function = void (*)(const gemm_s8_args& args, const std::int32_t* acc, index_t width,
                                index_t row, index_t rows, index_t column,
                                index_t columns) noexcept;

/// The dense kernel that multiplies what has been expanded.
struct dense_part {
  void (*gemm)(const gemm_s8_args&, const gemm_block&) noexcept;
  expand_function expand;
  write_function write;
  /// The zero point for which the kernel's accumulators begin with the bias alone: 128 where it
  /// takes activations signed
  std::int32_t neutral_offset;
};

inline namespace PARE_ABI {

/// Compilers make vectors of a loop whose length they know.
PARE_ALWAYS_INLINE void add_16(std::int32_t* acc, const std::int32_t* sums) noexcept {
  std::uint32_t x[16];
  for (int i = 0; i < 16; ++i)
    x[i] = static_cast<std::uint32_t>(acc[i]) + static_cast<std::uint32_t>(sums[i]);
  for (int i = 0; i < 16; ++i) acc[i] = static_cast<std::int32_t>(x[i]);
}

/// acc [rows][16 * Tiles] = start + A * W, for rows from `row` on and the tiles from `tile` on.
///
/// @param panel, sums  room for a slice of the weights, and for what it gives
template <int Bits, int Tiles>
void multiply_expanded(const gemm_s8_args& args, const dense_part& dense, index_t row, index_t rows,
                       index_t tile, std::int8_t* panel, index_t slice, std::int32_t* sums,
                       std::int32_t* acc) noexcept {
  constexpr index_t width = 16 * Tiles;
  const bitmask_view w = bitmask_of<Bits>(args);
  const std::byte* runs[Tiles];
  for (int t = 0; t < Tiles; ++t) runs[t] = w.tile(tile + t);
  gemm_s8_args part = args;
  part.a = args.a + row * args.a_stride;
  part.rows = rows;
  part.columns = part.tile_columns = part.c_stride = width;
  part.panels = panel;
  part.kind = output_kind::s32;
  part.sums += tile * 16;
  if (part.bias_codes != nullptr) part.bias_codes += tile * 16;
  part.c = acc;
  for (index_t k = 0; k < args.k || k == 0; k += part.k) {
    // The last slice has at least four columns, so that its end overlaps none before it.
    part.k = args.k - k < slice + 4 ? args.k - k : slice;
    for (int t = 0; t < Tiles; ++t) {
      runs[t] = dense.expand(runs[t], pare::detail::ceil_div(part.k, 4), panel + 64 * t, 4 * width);
    }
    dense.gemm(part, {0, rows, 0, 1});
    if (k == 0) {
      part.bias_codes = nullptr;
      part.offset = dense.neutral_offset;
      part.c = sums;
    } else {
      for (index_t i = 0; i < rows * width; i += 16) add_16(acc + i, sums + i);
    }
    if (part.k == 0) break;
    part.a += part.k;
  }
}

/// One block of the product, `Tiles` tiles at a time as long as there are so many.
template <int Bits, int Tiles>
void gemm_expanded(const gemm_s8_args& args, const gemm_block& block,
                   const dense_part& dense) noexcept {
  constexpr index_t width = 16 * Tiles, slice = Tiles == 1 ? 512 : 256;
  constexpr index_t most_rows = Tiles == 1 ? 48 : 24;
  alignas(64) std::int8_t panel[(slice + 4) * width];
  alignas(64) std::int32_t sums[most_rows * width], acc[most_rows * width];
  index_t tile = block.first_panel;
  for (; tile + Tiles <= block.last_panel; tile += Tiles) {
    for (index_t row = block.first_row; row < block.last_row; row += most_rows) {
      const index_t rows = pare::detail::min(most_rows, block.last_row - row);
      multiply_expanded<Bits, Tiles>(args, dense, row, rows, tile, panel, slice, sums, acc);
      dense.write(args, acc, width, row, rows, 16 * tile,
                  pare::detail::min(width, args.columns - 16 * tile));
    }
  }
  if constexpr (Tiles > 1) {
    const gemm_block rest = {block.first_row, block.last_row, tile, block.last_panel};
    gemm_expanded<Bits, 1>(args, rest, dense);
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels

#endif  // PARE_KERNELS_GEMM_BITMASK_HPP
