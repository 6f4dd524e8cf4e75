// What every block-sparse s8 kernel is given and must do: the interface between `linear` with
// sparse weights and the ISAs.
#ifndef PARE_KERNELS_SPMM_S8_HPP
#define PARE_KERNELS_SPMM_S8_HPP

#include <pare/format/activation_panels.hpp>
#include <pare/format/packed_sparse_linear.hpp>
#include <pare/kernels/gemm_s8.hpp>
#include <pare/kernels/isa.hpp>

namespace pare::kernels {

/// One product C [rows, columns] = A [rows, K] * W^T, W block-sparse.
///
/// Sums, zero points and outputs are those of `gemm_s8_args`; a tile has 16 columns, and a cut of
/// the product is a `gemm_block` of them. Blocks of 16 rows take A as rows; blocks of 1 and 4 rows
/// take it in panels, and a `gemm_block` then begins with a panel and ends with one.
struct spmm_s8_args {
  gemm_s8_args product{};
  bcsr_view<std::int8_t> weights{};
  const std::uint8_t* panels = nullptr;  ///< of A; null: A is rows
  std::uint8_t* c_panels = nullptr;      ///< of q8 outputs; null: C is rows
  std::uint8_t c_flip = 0;               ///< of the codes in them
};

/// What a run of lines of blocks of 1 or 4 rows is given: some rows of a panel of activations.
struct sparse_line_args {
  const std::uint32_t* offsets;  ///< of the first line
  const std::uint16_t* columns;
  const std::int8_t* values;
  const std::uint8_t* x;      ///< the K-block's part of the panel, from the first of the rows on
  index_t quad_bytes;         ///< from one group of four inputs to the next
  const std::int32_t* start;  ///< of each output
  bool is_first;              ///< K-block
};

/// The kernels of one instruction set, for walks that several share.
struct sparse_lines {
  /// acc [outputs][rows] (+)= lines of blocks of 4x4 or 1x4: 16 rows on x86, all of the panel on ARM.
  void (*of_4)(const sparse_line_args&, index_t lines, std::int32_t* acc) noexcept;
  void (*of_1)(const sparse_line_args&, index_t lines, std::int32_t* acc) noexcept;
  /// acc [rows][16 outputs] += one line of blocks of 16x4, for 1 to 4 rows.
  void (*of_16)(const gemm_s8_args&, const std::uint8_t* a, index_t rows, index_t first_k,
                const std::uint16_t* column, const std::uint16_t* last, const std::int8_t* w,
                std::int32_t* acc) noexcept;
};

/// The product whose outputs are the codes of one tile alone, 16 side by side: scales are those of
/// its columns.
constexpr PARE_ALWAYS_INLINE gemm_s8_args codes_of_tile(const spmm_s8_args& args, index_t column,
                                                        std::uint8_t* codes) noexcept {
  gemm_s8_args product = args.product;
  product.c = codes;
  product.c_stride = 16;
  product.factors += product.factors != nullptr ? column : 0;
  product.multipliers += product.multipliers != nullptr ? column : 0;
  product.shifts += product.shifts != nullptr ? column : 0;
  return product;
}

/// Whether kernels of `i` want the codes in panels signed.
constexpr PARE_ALWAYS_INLINE bool has_signed_panels(isa i) noexcept {
  return i == isa::avx2 || i == isa::avx512bw || i == isa::neon || i == isa::dotprod ||
         i == isa::i8mm;
}

/// The panel that a row begins, and its width.
constexpr PARE_ALWAYS_INLINE const std::uint8_t* panel_of(const spmm_s8_args& args,
                                                          index_t row) noexcept {
  return args.panels + 4 * row * pare::detail::panel_quads<std::uint8_t>(args.product.k);
}
constexpr PARE_ALWAYS_INLINE index_t width_of_panel(const spmm_s8_args& args,
                                                    index_t row) noexcept {
  return pare::detail::panel_width(args.product.rows - row);
}

/// Where the outputs `column` to `column + 3` of a row go in panels.
constexpr PARE_ALWAYS_INLINE std::uint8_t* quad_of_output(const spmm_s8_args& args, index_t row,
                                                          index_t column) noexcept {
  return args.c_panels + pare::detail::place_in_panels(
                             args.product.rows,
                             pare::detail::panel_quads<std::uint8_t>(args.product.columns), row,
                             column);
}

/// Four bytes of a row from group `quad` on, with zeros for those beyond its end.
PARE_ALWAYS_INLINE std::uint32_t last_bytes(const std::uint8_t* a, index_t k,
                                            index_t quad) noexcept {
  std::uint32_t four = 0;
  for (index_t i = 4 * quad; i < k; ++i) four |= std::uint32_t{a[i]} << (8 * (i % 4));
  return four;
}

}  // namespace pare::kernels

#endif  // PARE_KERNELS_SPMM_S8_HPP
