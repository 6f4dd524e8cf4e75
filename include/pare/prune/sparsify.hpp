// From a pruned dense matrix to compressed sparse rows and back.
//
// Layout: <pare/format/csr.hpp>.
#ifndef PARE_PRUNE_SPARSIFY_HPP
#define PARE_PRUNE_SPARSIFY_HPP

#include <pare/core/for_each.hpp>
#include <pare/core/tensor.hpp>
#include <pare/format/csr.hpp>
#include <pare/prune/detail/select.hpp>

namespace pare {

/// A sparse matrix that owns its memory.
template <class T>
struct csr_matrix {
  index_t columns = 0;
  tensor<std::uint32_t, 1> row_offsets;     ///< [rows + 1]
  tensor<std::uint32_t, 1> column_indices;  ///< [non-zeros], rising within a row
  tensor<T, 1> values;                      ///< [non-zeros]

  index_t rows() const noexcept { return row_offsets.empty() ? 0 : row_offsets.size() - 1; }
  index_t nonzeros() const noexcept { return values.size(); }
  /// Bytes of values and indices.
  index_t bytes() const noexcept { return view().bytes(); }

  csr_view<T> view() const noexcept {
    return {rows(), columns, row_offsets.data(), column_indices.data(), values.data()};
  }
  operator csr_view<T>() const noexcept { return view(); }
};

namespace detail {

/// What 32-bit indices can say.
constexpr PARE_ALWAYS_INLINE status check_csr_size(index_t columns, index_t nonzeros) noexcept {
  constexpr std::uint64_t largest = 0xffffffffu;
  if (static_cast<std::uint64_t>(columns) > largest) {
    return {status_code::overflow, "a sparse matrix has at most 2^32 - 1 columns", "weights",
            position_kind::axis, 1};
  }
  if (static_cast<std::uint64_t>(nonzeros) > largest) {
    return {status_code::overflow, "a sparse matrix has at most 2^32 - 1 non-zeros", "weights"};
  }
  return {};
}

inline namespace PARE_ABI {

/// `for_each_entry(f)` calls f(row, column, value) for what is stored, in row-major order.
template <class T, class ForEachEntry>
[[nodiscard]] result<csr_matrix<T>> gather_csr(index_t rows, index_t columns,
                                               const ForEachEntry& for_each_entry) noexcept {
  index_t nonzeros = 0;
  for_each_entry([&nonzeros](index_t, index_t, const T&) { ++nonzeros; });
  PARE_RETURN_IF_ERROR(check_csr_size(columns, nonzeros));
  index_t offsets = 0;
  if (!checked_add(rows, 1, offsets)) {
    return {status_code::overflow, "the number of row offsets does not fit", "weights"};
  }
  auto row_offsets = tensor<std::uint32_t, 1>::create(dextents<index_t, 1>(offsets));
  if (!row_offsets) return row_offsets.error();
  auto column_indices = tensor<std::uint32_t, 1>::create(dextents<index_t, 1>(nonzeros));
  if (!column_indices) return column_indices.error();
  auto values = tensor<T, 1>::create(dextents<index_t, 1>(nonzeros));
  if (!values) return values.error();

  index_t next = 0;
  std::uint32_t* const ends = row_offsets->data() + 1;
  for_each_entry([&](index_t r, index_t c, const T& value) {
    column_indices->data()[next] = static_cast<std::uint32_t>(c);
    values->data()[next] = value;
    ends[r] = static_cast<std::uint32_t>(++next);
  });
  for (index_t r = 1; r < rows; ++r) ends[r] = max(ends[r], ends[r - 1]);  // rows without entries
  return csr_matrix<T>{columns, *std::move(row_offsets), *std::move(column_indices),
                       *std::move(values)};
}

template <class T>
PARE_ALWAYS_INLINE bool is_nonzero(const T& x) noexcept {
  return static_cast<comparable_t<T>>(x) != 0;
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// The non-zeros of a matrix.
///
///     auto sparse = pare::to_csr(w.view(), mask.view()).value();
///     pare::linear(x, sparse.view(), bias, y);
///
/// @param weights  [rows, columns] of float, double, half or bfloat16, any layout, finite
/// @return `empty`, `non_finite` at the first NaN or infinity, `overflow` beyond 2^32 - 1 columns
/// or
///         non-zeros, `out_of_memory`
///
/// Three passes.
template <class W, class E, class L>
[[nodiscard]] result<csr_matrix<std::remove_const_t<W>>> to_csr(
    tensor_view<W, E, L> weights) noexcept {
  static_assert(E::rank() == 2, "pare: a sparse matrix has two dimensions");
  using value = std::remove_const_t<W>;
  const auto rows = static_cast<index_t>(weights.extent(0));
  const auto columns = static_cast<index_t>(weights.extent(1));
  PARE_RETURN_IF_ERROR(detail::check_csr_size(columns, 0));
  PARE_RETURN_IF_ERROR(detail::check_prunable(weights, "weights"));
  return detail::gather_csr<value>(rows, columns, [&](const auto& f) {
    for (index_t r = 0; r < rows; ++r) {
      for (index_t c = 0; c < columns; ++c) {
        if (detail::is_nonzero(weights(r, c))) f(r, c, weights(r, c));
      }
    }
  });
}

/// The non-zeros of a matrix that a mask keeps.
///
/// @param weights  as above, finite where the mask is 0 too
/// @param mask     same shape; entries where it is 0 are left out, and zeros where it is not
/// @return as above, or `shape_mismatch`
template <class W, class E, class L, class M, class ME, class ML>
[[nodiscard]] result<csr_matrix<std::remove_const_t<W>>> to_csr(
    tensor_view<W, E, L> weights, tensor_view<M, ME, ML> mask) noexcept {
  static_assert(E::rank() == 2, "pare: a sparse matrix has two dimensions");
  static_assert(std::is_same_v<std::remove_const_t<M>, std::uint8_t>,
                "pare: a mask is a view of std::uint8_t");
  using value = std::remove_const_t<W>;
  const auto rows = static_cast<index_t>(weights.extent(0));
  const auto columns = static_cast<index_t>(weights.extent(1));
  if (!detail::same_shape(weights, mask)) {
    return {status_code::shape_mismatch, "a mask has the shape of its weights", "mask"};
  }
  PARE_RETURN_IF_ERROR(detail::check_csr_size(columns, 0));
  PARE_RETURN_IF_ERROR(detail::check_prunable(weights, "weights"));
  return detail::gather_csr<value>(rows, columns, [&](const auto& f) {
    for (index_t r = 0; r < rows; ++r) {
      for (index_t c = 0; c < columns; ++c) {
        if (mask(r, c) != 0 && detail::is_nonzero(weights(r, c))) f(r, c, weights(r, c));
      }
    }
  });
}

/// Writes a sparse matrix out in full.
///
/// @param sparse  is checked first, so that indices from an untrusted source write nowhere else;
///                must hold as many entries as its last row offset says
/// @param out     [rows, columns], any layout
/// @return `shape_mismatch`, or the error of `validate`; `out` is then untouched
template <class S, class T, class E, class L>
[[nodiscard]] status densify(const csr_view<S>& sparse, tensor_view<T, E, L> out) noexcept {
  static_assert(E::rank() == 2, "pare: a sparse matrix has two dimensions");
  static_assert(std::is_same_v<S, T>, "pare: densify keeps the element type");
  if (static_cast<index_t>(out.extent(0)) != sparse.rows ||
      static_cast<index_t>(out.extent(1)) != sparse.columns) {
    return {status_code::shape_mismatch, "the output has not the shape of the sparse matrix",
            "out"};
  }
  // The last offset says how many entries there are: no other may pass it.
  const bool readable = sparse.rows > 0 && sparse.row_offsets != nullptr;
  PARE_RETURN_IF_ERROR(validate(sparse, readable ? sparse.nonzeros() : 0));
  for_each_element(out, [](T& x, index_t) { x = T{}; });
  for (index_t r = 0; r < sparse.rows; ++r) {
    for (std::uint32_t i = sparse.row_offsets[r]; i < sparse.row_offsets[r + 1]; ++i) {
      out(r, static_cast<index_t>(sparse.column_indices[i])) = sparse.values[i];
    }
  }
  return {};
}

/// As above, into a new tensor.
///
/// @return as above, or `out_of_memory`
template <class T>
[[nodiscard]] result<tensor<T, 2>> densify(const csr_matrix<T>& sparse) noexcept {
  auto out = tensor<T, 2>::create(dextents<index_t, 2>(sparse.rows(), sparse.columns));
  if (out) PARE_RETURN_IF_ERROR(densify(sparse.view(), out->view()));
  return out;
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_PRUNE_SPARSIFY_HPP
