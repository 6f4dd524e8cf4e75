// Compressed sparse rows: the non-zeros of each row in order, with their columns.
//
// Layout of Eigen's compressed SparseMatrix, SciPy's csr_matrix and cuSPARSE, with 32-bit unsigned
// indices.
#ifndef PARE_FORMAT_CSR_HPP
#define PARE_FORMAT_CSR_HPP

#include <pare/core/checked.hpp>
#include <pare/core/status.hpp>

namespace pare {

/// A sparse matrix [rows, columns] that lives elsewhere.
template <class T>
struct csr_view {
  index_t rows = 0;
  index_t columns = 0;
  const std::uint32_t* row_offsets =
      nullptr;  ///< [rows + 1], the first is 0, the last the number of non-zeros
  const std::uint32_t* column_indices = nullptr;  ///< [non-zeros], rising within a row
  const T* values = nullptr;                      ///< [non-zeros]

  constexpr PARE_ALWAYS_INLINE index_t nonzeros() const noexcept {
    return rows == 0 ? 0 : static_cast<index_t>(row_offsets[rows]);
  }
  /// Bytes of values and indices: what the matrix costs in a file, in flash or in the cache.
  constexpr PARE_ALWAYS_INLINE index_t bytes() const noexcept {
    return nonzeros() * static_cast<index_t>(sizeof(T) + sizeof(std::uint32_t)) +
           (rows + 1) * static_cast<index_t>(sizeof(std::uint32_t));
  }
};

inline namespace PARE_ABI {

/// Checks a matrix from an untrusted source, so that no kernel reads beyond its input.
///
/// @param capacity  elements that `column_indices` and `values` really hold
/// @return `out_of_range` at the first row whose offsets fall or pass `capacity`, or whose columns
/// do not rise or
///         pass the last column
template <class T>
[[nodiscard]] constexpr status validate(const csr_view<T>& m, index_t capacity) noexcept {
  if (m.rows < 0 || m.columns < 0 || static_cast<std::uint64_t>(m.columns) > 0xffffffffu) {
    return {status_code::out_of_range,
            "a sparse matrix has 0 to 2^32 - 1 columns and no negative size", "csr"};
  }
  if (m.rows > 0 && (m.row_offsets == nullptr || m.row_offsets[0] != 0)) {
    return {status_code::bad_format, "the first row offset of a sparse matrix is 0", "row_offsets"};
  }
  for (index_t r = 0; r < m.rows; ++r) {
    const std::uint32_t first = m.row_offsets[r], last = m.row_offsets[r + 1];
    if (last < first || static_cast<index_t>(last) > capacity) {
      return {status_code::out_of_range,
              "row offsets must rise and stay within the number of non-zeros", "row_offsets",
              position_kind::row, r};
    }
    for (std::uint32_t i = first; i < last; ++i) {
      const bool rises = i == first || m.column_indices[i - 1] < m.column_indices[i];
      if (!rises || static_cast<index_t>(m.column_indices[i]) >= m.columns) {
        return {status_code::out_of_range,
                "column indices must rise within a row and lie below the number of columns",
                "column_indices", position_kind::row, r};
      }
    }
  }
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_FORMAT_CSR_HPP
