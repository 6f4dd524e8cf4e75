// The block-sparse s8 product in plain C++: the specification of every other one.
#ifndef PARE_KERNELS_SCALAR_SPMM_S8_HPP
#define PARE_KERNELS_SCALAR_SPMM_S8_HPP

#include <pare/kernels/scalar/gemm_s8.hpp>
#include <pare/kernels/spmm_s8.hpp>

namespace pare::kernels::scalar {
inline namespace PARE_ABI {

/// Rows as bytes -> one panel, with zeros for rows and bytes that do not exist.
///
/// @param x      `rows` rows, 1 to 64, of `bytes` bytes, `stride` bytes apart
/// @param flip   by which each byte is changed
/// @param panel  room for panel_width(rows) rows
inline void pack_panel(const std::uint8_t* x, index_t stride, index_t rows, index_t bytes,
                       std::uint8_t flip, std::uint8_t* panel) noexcept {
  const index_t width = pare::detail::panel_width(rows);
  for (index_t byte = 0; byte < bytes; byte += 4) {
    for (index_t row = 0; row < width; ++row) {
      for (index_t i = byte; i < byte + 4; ++i) {
        const int code = row < rows && i < bytes ? x[row * stride + i] : 0;
        *panel++ = static_cast<std::uint8_t>(code ^ flip);
      }
    }
  }
}

/// An activation, unsigned.
PARE_ALWAYS_INLINE std::int32_t activation_at(const spmm_s8_args& args, index_t row,
                                              index_t k) noexcept {
  const gemm_s8_args& p = args.product;
  if (args.panels == nullptr) return p.a[row * p.a_stride + k] ^ p.a_flip;
  return args.panels[pare::detail::place_in_panels(
      p.rows, pare::detail::panel_quads<std::uint8_t>(p.k), row, k)];
}

inline void spmm_s8(const spmm_s8_args& args, const gemm_block& block) noexcept {
  const gemm_s8_args& p = args.product;
  const bcsr_view<std::int8_t>& w = args.weights;
  const index_t block_rows = w.shape.block_rows, lines = w.block_rows_count();
  const index_t last_column = pare::detail::min(p.columns, block.last_panel * 16);
  for (index_t row = block.first_row; row < block.last_row; ++row) {
    for (index_t column = block.first_panel * 16; column < last_column; ++column) {
      std::uint32_t acc =
          p.bias_codes != nullptr ? static_cast<std::uint32_t>(p.bias_codes[column]) : 0u;
      acc -= static_cast<std::uint32_t>(p.offset) * static_cast<std::uint32_t>(p.sums[column]);
      for (index_t k_block = 0; k_block < w.k_blocks(); ++k_block) {
        const std::uint32_t* ends = w.block_offsets + k_block * lines + column / block_rows;
        for (std::uint32_t i = ends[0]; i < ends[1]; ++i) {
          const index_t k = k_block * w.shape.k_block + 4 * w.block_columns[i];
          const std::int8_t* weights =
              w.values + (static_cast<index_t>(i) * block_rows + column % block_rows) * 4;
          for (index_t j = 0; j < 4 && k + j < p.k; ++j)
            acc += static_cast<std::uint32_t>(activation_at(args, row, k + j) * weights[j]);
        }
      }
      if (args.c_panels == nullptr) {
        store(p, row, column, static_cast<std::int32_t>(acc));
      } else {
        const std::uint8_t code = code_of(p, column, static_cast<std::int32_t>(acc));
        *quad_of_output(args, row, column) = static_cast<std::uint8_t>(code ^ args.c_flip);
      }
    }
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::scalar

#endif  // PARE_KERNELS_SCALAR_SPMM_S8_HPP
