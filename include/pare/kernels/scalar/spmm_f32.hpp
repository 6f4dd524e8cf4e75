// The block-sparse f32 product in plain C++: the specification of every other one, up to the order
// of sums.
#ifndef PARE_KERNELS_SCALAR_SPMM_F32_HPP
#define PARE_KERNELS_SCALAR_SPMM_F32_HPP

#include <pare/kernels/spmm_f32.hpp>

namespace pare::kernels::scalar {
inline namespace PARE_ABI {

inline void spmm_f32(const spmm_f32_args& args, const gemm_block& block) noexcept {
  const bcsr_view<float>& w = args.weights;
  const index_t block_rows = w.shape.block_rows, lines = w.block_rows_count();
  const index_t last_column = pare::detail::min(args.columns, block.last_panel * 16);
  for (index_t row = block.first_row; row < block.last_row; ++row) {
    const index_t first = row / pare::detail::panel_rows * pare::detail::panel_rows;
    const index_t width = pare::detail::panel_width(args.rows - first);
    const float* x =
        args.panels != nullptr ? panel_of(args, first) + row - first : args.a + row * args.a_stride;
    const index_t stride = args.panels != nullptr ? width : 1;
    for (index_t column = block.first_panel * 16; column < last_column; ++column) {
      float sum = bias_of(args, column);
      for (index_t k_block = 0; k_block < w.k_blocks(); ++k_block) {
        const std::uint32_t* ends = w.block_offsets + k_block * lines + column / block_rows;
        for (std::uint32_t i = ends[0]; i < ends[1]; ++i) {
          const index_t k = k_block * w.shape.k_block + w.block_columns[i];
          sum +=
              w.values[static_cast<index_t>(i) * block_rows + column % block_rows] * x[k * stride];
        }
      }
      const float y = pare::detail::clamp(sum, args.clamp_low, args.clamp_high);
      if (args.c_panels != nullptr) {
        output_panel_of(args, first)[column * width + row - first] = y;
      } else {
        args.c[row * args.c_stride + column] = y;
      }
    }
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::scalar

#endif  // PARE_KERNELS_SCALAR_SPMM_F32_HPP
