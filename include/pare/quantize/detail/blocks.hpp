// Rows of a matrix of any layout, a block at a time, side by side.
#ifndef PARE_QUANTIZE_DETAIL_BLOCKS_HPP
#define PARE_QUANTIZE_DETAIL_BLOCKS_HPP

#include <pare/core/checked.hpp>
#include <pare/core/tensor_view.hpp>

namespace pare::detail {
inline namespace PARE_ABI {

/// f(values, count, row, block) for each `Size` columns of each row; the last block of a row has
/// `count` values and zeros after them.
template <index_t Size, class T, class E, class L, class F>
void for_each_block(const tensor_view<T, E, L>& w, F f) {
  const index_t rows = w.extent(0), columns = w.extent(1);
  const index_t step = w.stride(1);
  float values[Size];
  for (index_t row = 0; row < rows; ++row) {
    const float* from = w.data_handle() + row * static_cast<index_t>(w.stride(0));
    for (index_t block = 0; block * Size < columns; ++block) {
      const index_t first = block * Size, count = min(Size, columns - first);
      for (index_t i = 0; i < count; ++i) values[i] = from[(first + i) * step];
      for (index_t i = count; i < Size; ++i) values[i] = 0.0f;
      f(static_cast<const float*>(values), count, row, block);
    }
  }
}

}  // namespace PARE_ABI
}  // namespace pare::detail

#endif  // PARE_QUANTIZE_DETAIL_BLOCKS_HPP
