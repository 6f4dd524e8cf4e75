// What a mask looks like to the formats and kernels that are to make use of it: how sparse, how
// evenly, and how many blocks of it are empty.
//
// Whether it pays, and in which form, the kernels' measured model says of the mask itself
// (<pare/kernels/select_sparse.hpp>), for int8 weights and `rows` rows of activations:
//
//     const auto counts = pare::sparse_statistics_of(mask.view()).value();
//     const auto choice = pare::select_sparse_linear(counts, rows);    // form, predicted speed-up
#ifndef PARE_PRUNE_STATISTICS_HPP
#define PARE_PRUNE_STATISTICS_HPP

#include <pare/core/tensor.hpp>
#include <pare/prune/blocks.hpp>
#include <pare/prune/mask.hpp>
#include <pare/prune/n_m.hpp>

namespace pare {

/// Of one mask [rows, columns].
struct mask_statistics {
  index_t size = 0;           ///< weights
  index_t kept = 0;           ///< of them
  index_t empty_rows = 0;     ///< outputs that are constant: surgery can remove them
  index_t empty_columns = 0;  ///< inputs that nothing reads
  index_t fewest_in_row = 0;  ///< kept weights of the emptiest row
  index_t most_in_row = 0;    ///< of the fullest one
  bool is_2_4 = false;        ///< of every four neighbours in a row at most two are kept

  /// In [0, 1]; 0 for a mask without elements.
  double sparsity() const noexcept {
    return size == 0 ? 0.0 : static_cast<double>(size - kept) / static_cast<double>(size);
  }
};

/// Of one mask cut into blocks.
struct block_occupancy {
  index_t blocks = 0;    ///< all, those at the edges included
  index_t occupied = 0;  ///< that keep anything, and are stored
  index_t kept = 0;      ///< weights
  index_t stored = 0;    ///< weights in occupied blocks

  /// Share of blocks that need not be stored, in [0, 1].
  double block_sparsity() const noexcept {
    return blocks == 0 ? 0.0 : static_cast<double>(blocks - occupied) / static_cast<double>(blocks);
  }
  /// Share of what is stored that is kept, in [0, 1]: 1 for a mask made of such blocks.
  double fill() const noexcept {
    return stored == 0 ? 1.0 : static_cast<double>(kept) / static_cast<double>(stored);
  }
};

inline namespace PARE_ABI {

/// Counts what a mask keeps.
///
/// @param mask  [rows, columns], any layout; of a convolution seen as [out, in * kh * kw]
/// @return `out_of_memory`
///
/// Linear time.
template <class M, class E, class L>
[[nodiscard]] result<mask_statistics> statistics_of(tensor_view<M, E, L> mask) noexcept {
  static_assert(E::rank() == 2, "pare: statistics are those of a matrix");
  const auto rows = static_cast<index_t>(mask.extent(0));
  const auto columns = static_cast<index_t>(mask.extent(1));
  auto in_column = tensor<index_t, 1>::create(dextents<index_t, 1>(columns));
  if (!in_column) return in_column.error();
  mask_statistics s;
  s.size = rows * columns;
  for (index_t r = 0; r < rows; ++r) {
    index_t in_row = 0;
    for (index_t c = 0; c < columns; ++c) {
      if (mask(r, c) == 0) continue;
      ++in_row;
      ++(*in_column)(c);
    }
    s.kept += in_row;
    s.empty_rows += in_row == 0 ? 1 : 0;
    s.fewest_in_row = r == 0 ? in_row : detail::min(s.fewest_in_row, in_row);
    s.most_in_row = detail::max(s.most_in_row, in_row);
  }
  for (const index_t n : *in_column) s.empty_columns += n == 0 ? 1 : 0;
  s.is_2_4 = is_n_m(mask, {2, 4});
  return s;
}

/// Counts the blocks of a mask that have to be stored.
///
/// @param mask   [rows, columns], any layout
/// @param shape  of the blocks, which begin at row and column 0
/// @return `invalid_argument` for the shape
///
/// Linear time; no allocation.
template <class M, class E, class L>
[[nodiscard]] result<block_occupancy> occupancy_of(tensor_view<M, E, L> mask,
                                                   const block_shape& shape) noexcept {
  static_assert(E::rank() == 2, "pare: blocks are those of a matrix");
  const auto grid = detail::block_grid::of(static_cast<index_t>(mask.extent(0)),
                                           static_cast<index_t>(mask.extent(1)), shape);
  if (!grid) return grid.error();
  const auto count = grid->count();
  block_occupancy o;
  o.blocks = count.extent(0) * count.extent(1);
  for (index_t i = 0; i < count.extent(0); ++i) {
    for (index_t j = 0; j < count.extent(1); ++j) {
      const auto block = grid->at(mask, i, j);
      const index_t kept_here = kept(block);
      if (kept_here == 0) continue;
      ++o.occupied;
      o.kept += kept_here;
      o.stored += static_cast<index_t>(block.size());
    }
  }
  return o;
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_PRUNE_STATISTICS_HPP
