// Truncated singular value decomposition: one layer's matrix as two thin ones, as near as that rank
// allows.
//
// Eckart and Young, "The approximation of one matrix by another of lower rank", Psychometrika 1,
// 1936. For layers of a network: Xue, Li and Gong, "Restructuring of Deep Neural Network Acoustic
// Models with Singular Value Decomposition", Interspeech 2013.
#ifndef PARE_FACTORIZE_SVD_HPP
#define PARE_FACTORIZE_SVD_HPP

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>
#include <type_traits>
#include <utility>

#include <Eigen/Eigenvalues>

#include <pare/core/checked.hpp>
#include <pare/core/eigen.hpp>
#include <pare/core/rounding.hpp>
#include <pare/core/tensor.hpp>
#include <pare/format/low_rank.hpp>

namespace pare {

/// How much of a matrix to keep: exactly one of the two is set.
///
///     auto factors = pare::truncated_svd(w.view(), pare::svd{.energy = 0.95}).value();
struct svd {
  index_t rank = 0;   ///< keep exactly this many singular values, 1 to min(out, in); or
  double energy = 0;  ///< keep the fewest that hold this fraction of the squared ones, in (0, 1]
};

/// Both factors of a matrix: W [out, in] is about left [out, rank] * right [rank, in].
template <class T>
struct low_rank_matrix {
  tensor<T, 2> left, right;

  low_rank_view<T> view() const noexcept { return {left.view(), right.view()}; }
  operator low_rank_view<T>() const noexcept { return view(); }
};

// --- what a rank costs ---

/// The parameters of both factors, rank * (out + in).
///
/// @return `out_of_range` for a negative size, `overflow`
constexpr PARE_ALWAYS_INLINE result<index_t> low_rank_parameters(index_t out, index_t in,
                                                                 index_t rank) noexcept {
  if (out < 0 || in < 0 || rank < 0) {
    return {status_code::out_of_range, "the sizes of a matrix are not negative", "rank"};
  }
  index_t sum = 0, parameters = 0;
  if (!detail::checked_add(out, in, sum) || !detail::checked_multiply(sum, rank, parameters)) {
    return {status_code::overflow, "the number of parameters does not fit", "rank"};
  }
  return parameters;
}

/// The bytes of both factors with elements of type T.
///
/// @return as `low_rank_parameters`
template <class T>
constexpr PARE_ALWAYS_INLINE result<index_t> low_rank_bytes(index_t out, index_t in,
                                                            index_t rank) noexcept {
  const result<index_t> parameters = low_rank_parameters(out, in, rank);
  if (!parameters) return parameters;
  index_t bytes = 0;
  if (!detail::checked_multiply(*parameters, static_cast<index_t>(sizeof(T)), bytes)) {
    return {status_code::overflow, "the number of bytes does not fit", "rank"};
  }
  return bytes;
}

/// The largest rank whose factors have fewer parameters than the whole matrix: from the next rank
/// on factorizing makes it no smaller and no faster. 0 where no rank pays, as for a row or a
/// column.
///
/// @return `out_of_range` for a negative size, `overflow`
constexpr PARE_ALWAYS_INLINE result<index_t> break_even_rank(index_t out, index_t in) noexcept {
  if (out < 0 || in < 0) {
    return {status_code::out_of_range, "the sizes of a matrix are not negative", "out"};
  }
  index_t dense = 0, sum = 0;
  if (!detail::checked_multiply(out, in, dense) || !detail::checked_add(out, in, sum)) {
    return {status_code::overflow, "the number of parameters does not fit", "out"};
  }
  return dense == 0 ? index_t{0} : (dense - 1) / sum;
}

namespace detail {

inline namespace PARE_ABI {

/// W = left * diag(values) * right^T, all in double.
struct decomposition {
  Eigen::MatrixXd left;    ///< [out, k], columns of length 1, or 0 where the value is 0
  Eigen::VectorXd values;  ///< [k], k = min(out, in), falling
  Eigen::MatrixXd right;   ///< [in, k], likewise
};

template <class W, class E, class L>
[[nodiscard]] status check_decomposable(tensor_view<W, E, L> weights) noexcept {
  static_assert(E::rank() == 2, "pare: a matrix has two dimensions");
  static_assert(std::is_same_v<std::remove_const_t<W>, float> ||
                    std::is_same_v<std::remove_const_t<W>, double>,
                "pare: weights to decompose are float or double");
  const auto rows = static_cast<index_t>(weights.extent(0));
  const auto columns = static_cast<index_t>(weights.extent(1));
  if (rows == 0 || columns == 0) {
    return {status_code::empty, "a matrix without elements has no singular values", "weights"};
  }
  for (index_t r = 0; r < rows; ++r) {
    for (index_t c = 0; c < columns; ++c) {
      if (!is_finite(weights(r, c))) {
        return {status_code::non_finite, "a NaN or an infinity cannot be decomposed", "weights",
                position_kind::element, r * columns + c};
      }
    }
  }
  return {};
}

/// The eigenvectors of the smaller of W W^T and W^T W are singular vectors; W itself gives the
/// values and the vectors of the other side.
template <class W, class E, class L>
[[nodiscard]] status decompose_or_throw(tensor_view<W, E, L> weights, decomposition& out) {
  using Eigen::MatrixXd;
  MatrixXd w = to_eigen(weights).template cast<double>();
  const Eigen::Index k = w.rows() < w.cols() ? w.rows() : w.cols();
  const double largest = w.cwiseAbs().maxCoeff();
  // Squares must neither overflow nor vanish; a power of two costs no digit.
  const int exponent = largest > 0.0 ? std::ilogb(largest) : 0;
  w = w.unaryExpr([exponent](double x) { return std::scalbn(x, -exponent); }).eval();

  const bool wide = w.rows() <= w.cols();
  if (!wide) w.transposeInPlace();
  const MatrixXd gram = w * w.transpose();
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(gram);
  if (solver.info() != Eigen::Success) {
    return {status_code::unsupported, "the iteration for the singular values did not converge",
            "weights"};
  }
  // Near zero the eigenvalues are mostly rounding error; the lengths of the products are not.
  const MatrixXd& near_vectors = solver.eigenvectors();
  const MatrixXd far_vectors = w.transpose() * near_vectors;
  const Eigen::VectorXd lengths = far_vectors.colwise().norm();
  Eigen::Matrix<Eigen::Index, Eigen::Dynamic, 1> order(k);
  for (Eigen::Index i = 0; i < k; ++i) order(i) = k - 1 - i;  // eigenvalues rise
  std::stable_sort(order.data(), order.data() + k,
                   [&](Eigen::Index a, Eigen::Index b) { return lengths(a) > lengths(b); });

  MatrixXd& near_side = wide ? out.left : out.right;
  MatrixXd& far_side = wide ? out.right : out.left;
  near_side.setZero(w.rows(), k);
  far_side.setZero(w.cols(), k);
  out.values.resize(k);
  for (Eigen::Index i = 0; i < k; ++i) {
    const Eigen::Index from = order(i);
    out.values(i) = std::scalbn(lengths(from), exponent);
    if (lengths(from) == 0.0) continue;
    near_side.col(i) = near_vectors.col(from);
    far_side.col(i) = far_vectors.col(from) / lengths(from);
    // Both vectors may change their sign together: the largest element of the left one is positive.
    Eigen::Index at = 0;
    out.left.col(i).cwiseAbs().maxCoeff(&at);
    if (out.left(at, i) < 0.0) {
      near_side.col(i) = -near_side.col(i);
      far_side.col(i) = -far_side.col(i);
    }
  }
  if (!is_finite(out.values(0))) {
    return {status_code::overflow, "the largest singular value does not fit a double", "weights"};
  }
  return {};
}

/// As above; a failed allocation of Eigen's comes back as a status.
template <class W, class E, class L>
[[nodiscard]] status decompose(tensor_view<W, E, L> weights, decomposition& out) noexcept {
#if PARE_EXCEPTIONS
  try {
    return decompose_or_throw(weights, out);
  } catch (const std::bad_alloc&) {
    return {status_code::out_of_memory, "the host has not enough memory to decompose this matrix",
            "weights"};
  }
#else
  return decompose_or_throw(weights, out);
#endif
}

/// The root of each singular value goes to either side.
template <class T, class LE, class LL, class RE, class RL>
void write_factors(const decomposition& d, tensor_view<T, LE, LL> left,
                   tensor_view<T, RE, RL> right) noexcept {
  const auto rank = static_cast<index_t>(right.extent(0));
  for (index_t i = 0; i < rank; ++i) {
    const double root = std::sqrt(d.values(i));
    for (index_t r = 0; r < static_cast<index_t>(left.extent(0)); ++r) {
      left(r, i) = static_cast<T>(d.left(r, i) * root);
    }
    for (index_t c = 0; c < static_cast<index_t>(right.extent(1)); ++c) {
      right(i, c) = static_cast<T>(d.right(c, i) * root);
    }
  }
}

/// `non_finite`, `out_of_range` or `invalid_argument` unless the values are finite, not negative
/// and falling.
template <class S, class E, class L>
[[nodiscard]] status check_singular_values(tensor_view<S, E, L> values) noexcept {
  static_assert(E::rank() == 1, "pare: singular values are a vector");
  if (values.empty()) return {status_code::empty, "there are no singular values", "values"};
  for (index_t i = 0; i < static_cast<index_t>(values.extent(0)); ++i) {
    if (!is_finite(values(i))) {
      return {status_code::non_finite, "singular values are finite", "values",
              position_kind::element, i};
    }
    if (values(i) < 0 || (i > 0 && values(i) > values(i - 1))) {
      return {status_code::invalid_argument, "singular values fall and are not negative", "values",
              position_kind::element, i};
    }
  }
  return {};
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

// --- singular values ---

/// The singular values of a matrix, falling.
///
/// Computed in double from the eigenvectors of the smaller Gram matrix, which costs a quarter of
/// the compile time of a bidiagonalisation and no precision that float weights have. In a matrix of
/// double, values below 1e-8 of the largest are only known to that absolute accuracy.
///
/// @param weights  [out, in] of float or double, any layout, finite
/// @param values   float or double, min(out, in) of them
/// @return `empty`, `shape_mismatch`, `non_finite` at the first NaN or infinity, `overflow` where a
///         value does not fit its type, `unsupported` should the iteration not converge,
///         `out_of_memory`; `values` is then untouched
///
/// Time out * in * min(out, in), about 2 s for 1024 x 1024; three matrices of double as scratch.
template <class W, class E, class L, class S, class SE, class SL>
[[nodiscard]] status singular_values(tensor_view<W, E, L> weights,
                                     tensor_view<S, SE, SL> values) noexcept {
  static_assert(SE::rank() == 1, "pare: singular values are a vector");
  const index_t k =
      detail::min(static_cast<index_t>(weights.extent(0)), static_cast<index_t>(weights.extent(1)));
  if (static_cast<index_t>(values.extent(0)) != k) {
    return {status_code::shape_mismatch, "there are as many values as the shorter side is long",
            "values"};
  }
  PARE_RETURN_IF_ERROR(detail::check_decomposable(weights));
  detail::decomposition d;
  PARE_RETURN_IF_ERROR(detail::decompose(weights, d));
  if (d.values(0) > static_cast<double>(std::numeric_limits<S>::max())) {
    return {status_code::overflow, "the largest singular value does not fit its type", "values"};
  }
  for (index_t i = 0; i < k; ++i) values(i) = static_cast<S>(d.values(i));
  return {};
}

/// As above, into a new vector.
template <class W, class E, class L>
[[nodiscard]] result<tensor<double, 1>> singular_values(tensor_view<W, E, L> weights) noexcept {
  auto values = tensor<double, 1>::create(dextents<index_t, 1>(detail::min(
      static_cast<index_t>(weights.extent(0)), static_cast<index_t>(weights.extent(1)))));
  if (values) PARE_RETURN_IF_ERROR(singular_values(weights, values->view()));
  return values;
}

/// The smallest rank, at least 1, that keeps `energy` of the sum of squared singular values.
///
/// @param values  falling, not negative, as `singular_values` gives them
/// @param energy  in (0, 1]
/// @return `empty`, `non_finite` or `invalid_argument` for the values, `out_of_range` for the
/// energy
template <class S, class E, class L>
[[nodiscard]] result<index_t> rank_for_energy(tensor_view<S, E, L> values, double energy) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_singular_values(values));
  if (!detail::is_finite(energy) || energy <= 0.0 || energy > 1.0) {
    return {status_code::out_of_range, "the energy to keep lies above 0 and up to 1", "energy"};
  }
  const auto count = static_cast<index_t>(values.extent(0));
  const double largest = static_cast<double>(values(0));
  if (largest == 0.0) return index_t{1};
  const auto squared = [&](index_t i) {
    const double share = static_cast<double>(values(i)) / largest;  // squares do not overflow
    return share * share;
  };
  double total = 0.0;
  for (index_t i = 0; i < count; ++i) total += squared(i);
  double sum = 0.0;
  for (index_t i = 0; i < count; ++i) {
    sum += squared(i);
    if (sum >= energy * total) return i + 1;
  }
  return count;
}

/// What truncation to `rank` costs: the Frobenius norm of the difference, relative to that of the
/// matrix, in [0, 1]. No other matrix of this rank is nearer.
///
/// @param values  as for `rank_for_energy`
/// @param rank    0 to the number of values
/// @return `empty`, `non_finite` or `invalid_argument` for the values, `out_of_range` for the rank
template <class S, class E, class L>
[[nodiscard]] result<double> truncation_error(tensor_view<S, E, L> values, index_t rank) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_singular_values(values));
  const auto count = static_cast<index_t>(values.extent(0));
  if (rank < 0 || rank > count) {
    return {status_code::out_of_range, "a rank lies between 0 and the number of singular values",
            "rank"};
  }
  const double largest = static_cast<double>(values(0));
  if (largest == 0.0) return 0.0;
  double lost = 0.0, total = 0.0;
  for (index_t i = count; i-- > 0;) {  // small ones first
    const double share = static_cast<double>(values(i)) / largest;
    total += share * share;
    if (i == rank) lost = total;
  }
  return std::sqrt(lost / total);
}

// --- factors ---

/// The best factors of the rank that the views have.
///
/// The root of each singular value goes to either factor, so that both have the same range: good
/// for fine-tuning them and for quantizing them after. Signs are fixed by the left factor, whose
/// largest element in each column is positive.
///
/// @param weights  [out, in] of float or double, any layout, finite
/// @param left     [out, rank], the element type of the weights
/// @param right    [rank, in]
/// @return `empty`, `shape_mismatch`, `out_of_range` for a rank outside 1 to min(out, in),
///         `non_finite` at the first NaN or infinity, `overflow`, `unsupported` should the
///         iteration not converge, `out_of_memory`; both factors are then untouched
///
/// Accuracy, time and scratch as `singular_values`.
template <class W, class E, class L, class T, class LE, class LL, class RE, class RL>
[[nodiscard]] status truncated_svd(tensor_view<W, E, L> weights, tensor_view<T, LE, LL> left,
                                   tensor_view<T, RE, RL> right) noexcept {
  static_assert(LE::rank() == 2 && RE::rank() == 2, "pare: factors are matrices");
  static_assert(std::is_same_v<std::remove_const_t<W>, T>,
                "pare: factors have the element type of the weights");
  PARE_RETURN_IF_ERROR(detail::check_decomposable(weights));
  const auto rank = static_cast<index_t>(right.extent(0));
  if (static_cast<index_t>(left.extent(0)) != static_cast<index_t>(weights.extent(0)) ||
      static_cast<index_t>(left.extent(1)) != rank) {
    return {status_code::shape_mismatch, "the left factor is [out, rank]", "left"};
  }
  if (static_cast<index_t>(right.extent(1)) != static_cast<index_t>(weights.extent(1))) {
    return {status_code::shape_mismatch, "the right factor is [rank, in]", "right"};
  }
  if (rank < 1 || rank > static_cast<index_t>(weights.extent(0)) ||
      rank > static_cast<index_t>(weights.extent(1))) {
    return {status_code::out_of_range, "a rank lies between 1 and the shorter side", "rank"};
  }
  detail::decomposition d;
  PARE_RETURN_IF_ERROR(detail::decompose(weights, d));
  detail::write_factors(d, left, right);
  return {};
}

/// The best factors of a rank, or of the smallest rank that keeps an energy.
///
///     auto factors = pare::truncated_svd(w.view(), pare::svd{.rank = 32}).value();
///     pare::linear(x, factors.view(), bias, y, scratch);
///
/// @return as above; `invalid_argument` unless exactly one of `rank` and `energy` is set,
///         `out_of_range` where it is outside its range
template <class W, class E, class L>
[[nodiscard]] result<low_rank_matrix<std::remove_const_t<W>>> truncated_svd(
    tensor_view<W, E, L> weights, svd options) noexcept {
  using value = std::remove_const_t<W>;
  const auto out_features = static_cast<index_t>(weights.extent(0));
  const auto in_features = static_cast<index_t>(weights.extent(1));
  if ((options.rank != 0) == (options.energy != 0)) {  // a NaN counts as set, and fails below
    return {status_code::invalid_argument, "either the rank or the energy is set", "options"};
  }
  PARE_RETURN_IF_ERROR(detail::check_decomposable(weights));
  if (options.rank < 0 || options.rank > detail::min(out_features, in_features)) {
    return {status_code::out_of_range, "a rank lies between 1 and the shorter side", "rank"};
  }
  if (options.rank == 0 &&
      (!detail::is_finite(options.energy) || options.energy <= 0.0 || options.energy > 1.0)) {
    return {status_code::out_of_range, "the energy to keep lies above 0 and up to 1", "energy"};
  }
  detail::decomposition d;
  PARE_RETURN_IF_ERROR(detail::decompose(weights, d));
  index_t rank = options.rank;
  if (rank == 0) {
    const auto values =
        vector_view<const double>(d.values.data(), static_cast<index_t>(d.values.size()));
    const result<index_t> enough = rank_for_energy(values, options.energy);
    if (!enough) return enough.error();
    rank = *enough;
  }
  auto left = tensor<value, 2>::create(dextents<index_t, 2>(out_features, rank));
  if (!left) return left.error();
  auto right = tensor<value, 2>::create(dextents<index_t, 2>(rank, in_features));
  if (!right) return right.error();
  detail::write_factors(d, left->view(), right->view());
  return low_rank_matrix<value>{*std::move(left), *std::move(right)};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_FACTORIZE_SVD_HPP
