// Block-compressed sparse rows: the blocks of R x C weights that hold a non-zero, with 16-bit block
// columns, cut along the columns into K-blocks.
//
// The BSR of SciPy and cuSPARSE, stored one K-block after the other, so that a kernel meets the
// activations of a K-block while they are in the first-level cache, and so that 16 bits are enough
// for a block column whatever the width. Blocks of 1 x 1 are CSR with K-blocks. Rows and columns of
// a block beyond the matrix are zero.
#ifndef PARE_FORMAT_BCSR_HPP
#define PARE_FORMAT_BCSR_HPP

#include <pare/core/result.hpp>
#include <pare/core/tensor_view.hpp>
#include <pare/core/workspace.hpp>

namespace pare {

/// Rows and columns of a block, and how many columns a K-block has.
struct bcsr_shape {
  std::int32_t block_rows = 4;     ///< 1 to 64
  std::int32_t block_columns = 4;  ///< 1 to 64
  /// Columns of a K-block, a multiple of block_columns, at most 65536 blocks. 0: as many as 16 bits
  /// can count.
  index_t k_block = 0;
};

/// A block-sparse matrix [rows, columns] that lives elsewhere.
template <class T>
struct bcsr_view {
  index_t rows = 0;
  index_t columns = 0;
  bcsr_shape shape{};  ///< k_block is not 0

  /// [lines() + 1]: where the blocks of each row of blocks begin, K-block by K-block; the first is
  /// 0, the last the number of blocks
  const std::uint32_t* block_offsets = nullptr;
  const std::uint16_t* block_columns = nullptr;  ///< [blocks], within the K-block, rising in a line
  const T* values = nullptr;                     ///< [blocks][block rows][block columns]

  constexpr PARE_ALWAYS_INLINE index_t block_rows_count() const noexcept {
    return detail::ceil_div(rows, shape.block_rows);
  }
  constexpr PARE_ALWAYS_INLINE index_t k_blocks() const noexcept {
    return shape.k_block == 0 ? 0 : detail::ceil_div(columns, shape.k_block);
  }
  /// Rows of blocks, counted in each K-block.
  constexpr PARE_ALWAYS_INLINE index_t lines() const noexcept {
    return k_blocks() * block_rows_count();
  }
  constexpr PARE_ALWAYS_INLINE index_t blocks() const noexcept {
    return lines() == 0 ? 0 : static_cast<index_t>(block_offsets[lines()]);
  }
  /// Bytes of values and indices: what the matrix costs in a file, in flash or in the cache.
  constexpr PARE_ALWAYS_INLINE index_t bytes() const noexcept {
    const index_t block = index_t{shape.block_rows} * shape.block_columns;
    return blocks() * (block * static_cast<index_t>(sizeof(T)) + 2) + (lines() + 1) * 4;
  }
};

/// A mask that is not there: the non-zeros of a matrix are stored.
using no_mask = strided_matrix_view<const std::uint8_t>;

namespace detail {

inline constexpr index_t most_blocks_of_k_block = 65536;

/// The shape with its K-block filled in; block sizes are valid.
constexpr PARE_ALWAYS_INLINE bcsr_shape with_k_block(bcsr_shape shape, index_t columns) noexcept {
  if (shape.k_block == 0) {
    shape.k_block = min<index_t>(round_up(max<index_t>(columns, 1), shape.block_columns),
                                 most_blocks_of_k_block * shape.block_columns);
  }
  return shape;
}

constexpr PARE_ALWAYS_INLINE status check_bcsr_shape(const bcsr_shape& shape) noexcept {
  if (shape.block_rows < 1 || shape.block_rows > 64 || shape.block_columns < 1 ||
      shape.block_columns > 64) {
    return {status_code::out_of_range, "a block has 1 to 64 rows and columns", "shape"};
  }
  if (shape.k_block < 0 || shape.k_block % shape.block_columns != 0 ||
      shape.k_block / shape.block_columns > most_blocks_of_k_block) {
    return {status_code::out_of_range,
            "a K-block is a multiple of the block's columns, of at most 65536 blocks", "k_block"};
  }
  return {};
}

/// Where each part lies in one piece of memory.
struct bcsr_layout {
  index_t values = 0, columns = 0, offsets = 0, bytes = 0;
};

/// False where the size overflows.
constexpr PARE_ALWAYS_INLINE bool layout_of(index_t rows, index_t columns, const bcsr_shape& shape,
                                            index_t blocks, index_t element_bytes,
                                            bcsr_layout& layout) noexcept {
  constexpr index_t most = max_index / 16;
  index_t value_bytes = 0, lines = 0;
  if (static_cast<std::uint64_t>(blocks) > 0xffffffffu || blocks > most / 2 || rows > most ||
      columns > most ||
      !checked_multiply(blocks, shape.block_rows * shape.block_columns * element_bytes,
                        value_bytes) ||
      !checked_multiply(ceil_div(rows, shape.block_rows), ceil_div(columns, shape.k_block),
                        lines) ||
      value_bytes > most || lines > most / 4)
    return false;
  layout.values = 0;
  layout.columns = round_up(value_bytes, 64);
  layout.offsets = layout.columns + round_up(blocks * 2, 64);
  layout.bytes = layout.offsets + round_up((lines + 1) * 4, 64);
  return true;
}

inline namespace PARE_ABI {

/// Whether an element is stored: the mask says so, or where there is none, its value.
template <class W, class M>
constexpr bool is_stored(const W& dense, const M& mask, index_t row, index_t column) noexcept {
  return mask.data_handle() != nullptr ? mask(row, column) != 0 : !(dense(row, column) == 0);
}

/// Whether some element of a block is.
template <class W, class M>
constexpr bool is_block_stored(const W& dense, const M& mask, index_t row, index_t last_row,
                               index_t column, index_t last_column) noexcept {
  for (index_t r = row; r < last_row; ++r) {
    for (index_t c = column; c < last_column; ++c) {
      if (is_stored(dense, mask, r, c)) return true;
    }
  }
  return false;
}

/// Calls visit(block column within the K-block, row, last row, column, last column) for the blocks
/// that are stored, in their order, and end_of_line(line) behind each line.
template <class W, class M, class Visit, class End>
constexpr void for_each_block(const W& dense, const M& mask, const bcsr_shape& shape,
                              const Visit& visit, const End& end_of_line) noexcept {
  const index_t rows = dense.extent(0), columns = dense.extent(1);
  index_t line = 0;
  for (index_t k = 0; k < columns; k += shape.k_block) {
    const index_t last_k = min(columns, k + shape.k_block);
    for (index_t row = 0; row < rows; row += shape.block_rows, ++line) {
      const index_t last_row = min<index_t>(rows, row + shape.block_rows);
      for (index_t column = k; column < last_k; column += shape.block_columns) {
        const index_t last_column = min<index_t>(columns, column + shape.block_columns);
        if (is_block_stored(dense, mask, row, last_row, column, last_column)) {
          visit((column - k) / shape.block_columns, row, last_row, column, last_column);
        }
      }
      end_of_line(line);
    }
  }
}

template <class W, class M>
constexpr index_t count_blocks(const W& dense, const M& mask, const bcsr_shape& shape) noexcept {
  index_t blocks = 0;
  for_each_block(
      dense, mask, shape, [&](index_t, index_t, index_t, index_t, index_t) { ++blocks; },
      [](index_t) {});
  return blocks;
}

/// Fills memory laid out by `layout_of`; everything has been checked.
template <class T, class W, class M>
bcsr_view<T> fill_bcsr(const W& dense, const M& mask, const bcsr_shape& shape,
                       const bcsr_layout& layout, std::byte* base) noexcept {
  auto* values = reinterpret_cast<T*>(base + layout.values);
  auto* block_columns = reinterpret_cast<std::uint16_t*>(base + layout.columns);
  auto* offsets = reinterpret_cast<std::uint32_t*>(base + layout.offsets);
  index_t blocks = 0;
  offsets[0] = 0;
  for_each_block(
      dense, mask, shape,
      [&](index_t at, index_t row, index_t last_row, index_t column, index_t last_column) {
        T* block = values + blocks * shape.block_rows * shape.block_columns;
        for (index_t r = row; r < row + shape.block_rows; ++r) {
          for (index_t c = column; c < column + shape.block_columns; ++c) {
            const bool stored = r < last_row && c < last_column && is_stored(dense, mask, r, c);
            *block++ = stored ? dense(r, c) : T{};
          }
        }
        block_columns[blocks++] = static_cast<std::uint16_t>(at);
      },
      [&](index_t line) { offsets[line + 1] = static_cast<std::uint32_t>(blocks); });
  return {dense.extent(0), dense.extent(1), shape, offsets, block_columns, values};
}

/// The shape with its K-block and the layout of a matrix, or what is wrong with them.
template <class W, class M>
constexpr status plan_bcsr(const W& dense, const M& mask, bcsr_shape& shape,
                           bcsr_layout& layout) noexcept {
  static_assert(W::rank() == 2 && M::rank() == 2,
                "pare: a matrix and its mask are [rows, columns]");
  PARE_RETURN_IF_ERROR(check_bcsr_shape(shape));
  if (mask.data_handle() != nullptr &&
      (mask.extent(0) != dense.extent(0) || mask.extent(1) != dense.extent(1))) {
    return {status_code::shape_mismatch, "a mask has the shape of its weights", "mask"};
  }
  shape = with_k_block(shape, dense.extent(1));
  const index_t element_bytes = sizeof(typename W::value_type);
  if (!layout_of(dense.extent(0), dense.extent(1), shape, count_blocks(dense, mask, shape),
                 element_bytes, layout)) {
    return {status_code::overflow, "a sparse matrix has less than 2^32 blocks", "dense"};
  }
  return {};
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Bytes that `make_bcsr` needs, exact for 64-byte aligned memory.
///
/// @param dense  [rows, columns], any layout
/// @param shape  of the blocks
/// @param mask   uint8, as `dense`: a block is stored where it keeps (is not 0 for) some element,
///               and pruned elements in it are 0; without data, where some element is not 0
/// @return `out_of_range` (shape), `shape_mismatch` (mask), `overflow`
template <class T, class E, class L, class Mask = no_mask>
[[nodiscard]] result<index_t> bcsr_size(const tensor_view<T, E, L>& dense, bcsr_shape shape,
                                        const Mask& mask = {}) noexcept {
  detail::bcsr_layout layout;
  PARE_RETURN_IF_ERROR(detail::plan_bcsr(dense, mask, shape, layout));
  return layout.bytes;
}

/// The sparse form of a matrix, in memory that the caller gives.
///
/// @param dense, shape, mask  as for `bcsr_size`
/// @param memory              `bcsr_size` bytes, 64-byte aligned; must outlive the result
/// @return as `bcsr_size`, or `workspace_too_small` with the bytes needed; `memory` is then
///         untouched
template <class T, class E, class L, class Mask = no_mask>
[[nodiscard]] result<bcsr_view<std::remove_const_t<T>>> make_bcsr(const tensor_view<T, E, L>& dense,
                                                                  bcsr_shape shape,
                                                                  workspace memory,
                                                                  const Mask& mask = {}) noexcept {
  detail::bcsr_layout layout;
  PARE_RETURN_IF_ERROR(detail::plan_bcsr(dense, mask, shape, layout));
  std::byte* base = memory.take<std::byte>(layout.bytes);
  if (base == nullptr) {
    return {status_code::workspace_too_small,
            "the memory for the sparse matrix is shorter than bcsr_size says", "memory",
            position_kind::byte, layout.bytes};
  }
  return detail::fill_bcsr<std::remove_const_t<T>>(dense, mask, shape, layout, base);
}

/// The dense form again: zeros where no block is stored.
///
/// @param m      trusted: see `validate`
/// @param dense  [rows, columns], any layout
/// @return `shape_mismatch`; `dense` is then untouched
template <class T, class E, class L>
[[nodiscard]] status to_dense(const bcsr_view<T>& m, const tensor_view<T, E, L>& dense) noexcept {
  if (dense.extent(0) != m.rows || dense.extent(1) != m.columns) {
    return {status_code::shape_mismatch, "the dense form has the shape of the sparse one", "dense"};
  }
  for (index_t r = 0; r < m.rows; ++r) {
    for (index_t c = 0; c < m.columns; ++c) dense(r, c) = T{};
  }
  const index_t rows = m.shape.block_rows, columns = m.shape.block_columns;
  for (index_t line = 0; line < m.lines(); ++line) {
    const index_t row = line % m.block_rows_count() * rows;
    const index_t k = line / m.block_rows_count() * m.shape.k_block;
    for (std::uint32_t i = m.block_offsets[line]; i < m.block_offsets[line + 1]; ++i) {
      const T* block = m.values + static_cast<index_t>(i) * rows * columns;
      const index_t column = k + m.block_columns[i] * columns;
      for (index_t r = row; r < detail::min(row + rows, m.rows); ++r) {
        for (index_t c = column; c < detail::min(column + columns, m.columns); ++c)
          dense(r, c) = block[(r - row) * columns + c - column];
      }
    }
  }
  return {};
}

/// Checks a matrix from an untrusted source, so that no kernel reads beyond its input.
///
/// @param capacity  blocks that `block_columns` and `values` really hold
/// @param lines     entries of `block_offsets` that are really there, but the last
/// @return `out_of_range` or `bad_format`, at the first line (K-block * rows of blocks + row of
///         blocks) whose offsets fall or pass `capacity`, or whose block columns do not rise or pass
///         the last one
template <class T>
[[nodiscard]] constexpr status validate(const bcsr_view<T>& m, index_t capacity,
                                        index_t lines) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_bcsr_shape(m.shape));
  if (m.rows < 0 || m.columns < 0 || m.shape.k_block == 0) {
    return {status_code::out_of_range, "sizes are not negative, and a K-block has columns", "bcsr"};
  }
  index_t needed = 0;
  if (!detail::checked_multiply(m.k_blocks(), m.block_rows_count(), needed) || needed > lines) {
    return {status_code::out_of_range, "there are fewer offsets than lines", "block_offsets"};
  }
  if (needed > 0 && (m.block_offsets == nullptr || m.block_offsets[0] != 0)) {
    return {status_code::bad_format, "the first block offset is 0", "block_offsets"};
  }
  for (index_t line = 0; line < needed; ++line) {
    const std::uint32_t first = m.block_offsets[line], last = m.block_offsets[line + 1];
    if (last < first || static_cast<index_t>(last) > capacity) {
      return {status_code::out_of_range,
              "block offsets must rise and stay within the number of blocks", "block_offsets",
              position_kind::row, line};
    }
    const index_t k = line / m.block_rows_count() * m.shape.k_block;
    const index_t width = detail::ceil_div(detail::min(m.shape.k_block, m.columns - k),
                                           index_t{m.shape.block_columns});
    for (std::uint32_t i = first; i < last; ++i) {
      const bool rises = i == first || m.block_columns[i - 1] < m.block_columns[i];
      if (!rises || m.block_columns[i] >= width) {
        return {status_code::out_of_range,
                "block columns must rise within a line and lie within their K-block",
                "block_columns", position_kind::row, line};
      }
    }
  }
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_FORMAT_BCSR_HPP
