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
