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

/// Where four inputs of a row begin, and how they become unsigned.
struct row_of_quads {
  const std::uint8_t* first;
  index_t stride;  ///< bytes from four inputs to the next four
  std::uint8_t flip;
};
PARE_ALWAYS_INLINE row_of_quads quads_of_row(const spmm_s8_args& args, index_t row) noexcept {
  const gemm_s8_args& p = args.product;
  if (args.panels == nullptr) return {p.a + row * p.a_stride, 4, p.a_flip};
  const index_t first = row / pare::detail::panel_rows * pare::detail::panel_rows;
  return {panel_of(args, first) + 4 * (row - first), 4 * width_of_panel(args, first), 0};
}

/// Inputs times weights of one output, over the blocks [first, last) of a line.
inline std::uint32_t line_product(const bcsr_view<std::int8_t>& w, std::uint32_t first,
                                  std::uint32_t last, index_t row_of_block, index_t k_block,
                                  const row_of_quads& x, index_t k) noexcept {
  const index_t block_bytes = 4 * index_t{w.shape.block_rows};
  const std::int8_t* weights =
      w.values + static_cast<index_t>(first) * block_bytes + 4 * row_of_block;
  const index_t quads = k_block * (w.shape.k_block / 4);
  std::uint32_t sum = 0;
  for (; first < last; ++first, weights += block_bytes) {
    const index_t quad = quads + w.block_columns[first];
    const std::uint8_t* inputs = x.first + quad * x.stride;
    const index_t count = pare::detail::min<index_t>(4, k - 4 * quad);
    for (index_t i = 0; i < count; ++i) {
      sum += static_cast<std::uint32_t>((inputs[i] ^ x.flip) * weights[i]);
    }
  }
  return sum;
}

inline void spmm_s8(const spmm_s8_args& args, const gemm_block& block) noexcept {
  const gemm_s8_args& p = args.product;
  const bcsr_view<std::int8_t>& w = args.weights;
  const index_t block_rows = w.shape.block_rows, lines = w.block_rows_count();
  const index_t last_column = pare::detail::min(p.columns, block.last_panel * 16);
  for (index_t row = block.first_row; row < block.last_row; ++row) {
    const row_of_quads x = quads_of_row(args, row);
    for (index_t column = block.first_panel * 16; column < last_column; ++column) {
      std::uint32_t acc =
          p.bias_codes != nullptr ? static_cast<std::uint32_t>(p.bias_codes[column]) : 0u;
      acc -= static_cast<std::uint32_t>(p.offset) * static_cast<std::uint32_t>(p.sums[column]);
      for (index_t k_block = 0; k_block < w.k_blocks(); ++k_block) {
        const std::uint32_t* ends = w.block_offsets + k_block * lines + column / block_rows;
        acc += line_product(w, ends[0], ends[1], column % block_rows, k_block, x, p.k);
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
