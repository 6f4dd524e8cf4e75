// Block pruning: a matrix loses whole rectangles, so that what stays is small dense products and an
// index serves all of a block.
//
// Narang, Undersander and Diamos, "Block-sparse recurrent neural networks", 2017, arXiv:1711.02782.
// Vector-wise pruning is blocks of one row or one column; balanced, where all rows of blocks keep
// equally many: Yao et al., 2019, arXiv:1811.00206.
#ifndef PARE_PRUNE_BLOCKS_HPP
#define PARE_PRUNE_BLOCKS_HPP

#include <pare/core/subview.hpp>
#include <pare/core/tensor.hpp>
#include <pare/prune/scores.hpp>
#include <pare/prune/structured.hpp>

namespace pare {

/// Rows and columns of a block: {4, 4} for what BCSR stores, {4, 1} or {1, 4} for vectors.
struct block_shape {
  index_t rows = 4;     ///< at least 1
  index_t columns = 4;  ///< at least 1
};

namespace detail {
inline namespace PARE_ABI {

/// A matrix cut into blocks; those at the right and lower edge may be smaller.
struct block_grid {
  block_shape shape;
  index_t rows = 0, columns = 0;  ///< of the matrix

  [[nodiscard]] static result<block_grid> of(index_t rows, index_t columns,
                                             const block_shape& shape) noexcept {
    if (shape.rows < 1 || shape.columns < 1) {
      return {status_code::invalid_argument, "a block has at least one row and one column",
              "shape"};
    }
    return block_grid{shape, rows, columns};
  }

  dextents<index_t, 2> count() const noexcept {
    return dextents<index_t, 2>(ceil_div(rows, shape.rows), ceil_div(columns, shape.columns));
  }

  /// The part of a view that is block (i, j).
  template <class View>
  auto at(const View& v, index_t i, index_t j) const noexcept {
    const index_t r = i * shape.rows, c = j * shape.columns;
    return subview(v, range{r, r + min(shape.rows, rows - r)},
                   range{c, c + min(shape.columns, columns - c)});
  }
};

/// Norms of what the mask keeps in each block, and which blocks keep anything.
template <class W, class E, class L, class ME, class ML>
[[nodiscard]] status block_norms(const block_grid& grid, tensor_view<W, E, L> weights,
                                 tensor_view<std::uint8_t, ME, ML> mask, norm kind,
                                 tensor<double, 2>& norms,
                                 tensor<std::uint8_t, 2>& occupied) noexcept {
  PARE_RETURN_IF_ERROR(check_masked(weights, mask));
  auto n = tensor<double, 2>::create(grid.count());
  auto o = tensor<std::uint8_t, 2>::create(grid.count());
  PARE_RETURN_IF_ERROR(n.status());
  PARE_RETURN_IF_ERROR(o.status());
  for (index_t i = 0; i < n->extent(0); ++i) {
    for (index_t j = 0; j < n->extent(1); ++j) {
      channel_sum sum(kind);
      for_each_pair(grid.at(weights, i, j), grid.at(mask, i, j),
                    [&](const W& w, const std::uint8_t& m, index_t) {
                      if (m == 0) return;
                      sum.add(w);
                      (*o)(i, j) = 1;
                    });
      (*n)(i, j) = sum.value();
      if (!is_finite((*n)(i, j))) {
        return {status_code::overflow, "the norm of a block does not fit a double", "weights",
                position_kind::row, i * grid.shape.rows};
      }
    }
  }
  norms = *std::move(n);
  occupied = *std::move(o);
  return {};
}

/// Sets the mask to 0 in blocks that are not occupied.
template <class ME, class ML>
void empty_blocks(const block_grid& grid, const tensor<std::uint8_t, 2>& occupied,
                  tensor_view<std::uint8_t, ME, ML> mask) noexcept {
  for (index_t i = 0; i < occupied.extent(0); ++i) {
    for (index_t j = 0; j < occupied.extent(1); ++j) {
      if (occupied(i, j) != 0) continue;
      for_each_element(grid.at(mask, i, j), [](std::uint8_t& m, index_t) { m = 0; });
    }
  }
}

/// `choose(norms, occupied)` prunes blocks.
template <class W, class E, class L, class ME, class ML, class Choose>
[[nodiscard]] status prune_blocks_by(tensor_view<W, E, L> weights, const block_shape& shape,
                                     norm kind, tensor_view<std::uint8_t, ME, ML> mask,
                                     const Choose& choose) noexcept {
  static_assert(E::rank() == 2, "pare: blocks are those of a matrix");
  const auto grid = block_grid::of(static_cast<index_t>(weights.extent(0)),
                                   static_cast<index_t>(weights.extent(1)), shape);
  if (!grid) return grid.error();
  tensor<double, 2> norms;
  tensor<std::uint8_t, 2> occupied;
  PARE_RETURN_IF_ERROR(block_norms(*grid, weights, mask, kind, norms, occupied));
  PARE_RETURN_IF_ERROR(choose(norms, occupied));
  empty_blocks(*grid, occupied, mask);
  return {};
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Prunes `pruned` of the blocks of which `mask` still keeps anything, smallest norm first.
///
/// Blocks begin at row and column 0; those at the edges may be smaller and are compared by the norm
/// of what they have. Where norms tie the block further up and then further left goes first.
///
/// @param weights  [rows, columns], any layout, finite: where the mask is 0 too. Scores will do: of
///                 L1 norm their sum of magnitudes
/// @param kind     of the weights that the mask keeps
/// @param pruned   `amount::count(n)` or `amount::fraction(f)` of the blocks still occupied
/// @param mask     same shape; in: not 0 for the weights still kept, out: 0 in all of a block that
///                 goes now
/// @return `shape_mismatch`, `empty`, `non_finite` at the first NaN or infinity, `overflow`,
///         `invalid_argument` for the shape or the amount, `out_of_range` for the amount,
///         `out_of_memory`; `mask` is then untouched
template <class W, class E, class L, class ME, class ML>
[[nodiscard]] status prune_blocks(tensor_view<W, E, L> weights, const block_shape& shape, norm kind,
                                  amount pruned, tensor_view<std::uint8_t, ME, ML> mask) noexcept {
  return detail::prune_blocks_by(weights, shape, kind, mask,
                                 [pruned](const auto& norms, auto& occupied) {
                                   return prune_lowest(norms.view(), pruned, occupied.view());
                                 });
}

/// As above, but `pruned` of each row of blocks, so that all rows of blocks do the same work.
///
/// @return as above, `out_of_range` also where a row of blocks keeps fewer than a count
template <class W, class E, class L, class ME, class ML>
[[nodiscard]] status prune_blocks_balanced(tensor_view<W, E, L> weights, const block_shape& shape,
                                           norm kind, amount pruned,
                                           tensor_view<std::uint8_t, ME, ML> mask) noexcept {
  return detail::prune_blocks_by(
      weights, shape, kind, mask, [pruned](const auto& norms, auto& occupied) {
        return prune_lowest_in_rows(norms.view(), pruned, occupied.view());
      });
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_PRUNE_BLOCKS_HPP
