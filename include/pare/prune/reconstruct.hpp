// Least squares: the weights that stay take over what the pruned ones did, as far as the layer's
// inputs allow.
//
// Hassibi and Stork, "Optimal Brain Surgeon", 1993; for channels: He, Zhang and Sun, "Channel
// pruning for accelerating very deep neural networks", 2017, arXiv:1707.06168.
#ifndef PARE_PRUNE_RECONSTRUCT_HPP
#define PARE_PRUNE_RECONSTRUCT_HPP

#include <cmath>
#include <limits>

#include <Eigen/Cholesky>

#include <pare/core/tensor.hpp>
#include <pare/prune/detail/prune_smallest.hpp>

namespace pare {
namespace detail {
inline namespace PARE_ABI {

/// `ok` for a finite matrix [in, in].
template <class H, class E, class L>
[[nodiscard]] status check_square(tensor_view<H, E, L> matrix, index_t in,
                                  const char* subject) noexcept {
  static_assert(E::rank() == 2, "pare: one row and column for each input");
  if (static_cast<index_t>(matrix.extent(0)) != in ||
      static_cast<index_t>(matrix.extent(1)) != in) {
    return {status_code::shape_mismatch, "there is one row and column for each input", subject};
  }
  return check_prunable(matrix, subject);
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Replaces the weights by those that, zero where the mask is, come nearest to the outputs of the
/// weights given: for each row the least squares problem |X v - X w|.
///
/// @param gram     [in, in] of float or double, any layout: X^T X over the rows X of the layer's
///                 inputs, symmetric
/// @param damping  times the mean of the diagonal is added to it, not negative; inputs that depend
///                 on each other need some
/// @param mask     [out, in]; 0 where a weight is pruned
/// @param weights  [out, in] of float or double, any layout, finite; in: dense, out: reconstructed,
///                 0 where the mask is
/// @return `shape_mismatch`, `empty`, `non_finite`, `invalid_argument` for the damping, or at the
///         first row for which the matrix is singular, `overflow` at the first row that does not
///         fit its type, `out_of_memory`; `weights` is then untouched
///
/// Time out * kept^3 / 6; rows with the same mask as the one before share the factor.
template <class H, class HE, class HL, class M, class ME, class ML, class W, class E, class L>
[[nodiscard]] status reconstruct(tensor_view<H, HE, HL> gram, double damping,
                                 tensor_view<M, ME, ML> mask,
                                 tensor_view<W, E, L> weights) noexcept {
  static_assert(E::rank() == 2, "pare: linear weights are [out, in]");
  static_assert(std::is_same_v<W, float> || std::is_same_v<W, double>,
                "pare: reconstructed weights are float or double");
  using vector = Eigen::VectorXd;
  PARE_RETURN_IF_ERROR(detail::check_masked(weights, mask));
  const auto out = static_cast<index_t>(weights.extent(0));
  const auto in = static_cast<index_t>(weights.extent(1));
  PARE_RETURN_IF_ERROR(detail::check_square(gram, in, "gram"));
  if (!detail::is_finite(damping) || damping < 0) {
    return {status_code::invalid_argument, "damping is finite and not negative", "damping"};
  }
  auto solved = tensor<W, 2>::create(dextents<index_t, 2>(out, in));
  auto stay = tensor<index_t, 1>::create(dextents<index_t, 1>(in));
  PARE_RETURN_IF_ERROR(solved.status());
  PARE_RETURN_IF_ERROR(stay.status());

  double mean = 0;
  for (index_t i = 0; i < in; ++i) mean += static_cast<double>(gram(i, i));
  const double added = damping * mean / static_cast<double>(in);

  index_t* const kept_at = stay->data();
  index_t count = 0;
  Eigen::LLT<Eigen::MatrixXd> factor;
  const auto same_mask_as_before = [&](index_t r) {
    for (index_t c = 0; c < in; ++c) {
      if ((mask(r, c) != 0) != (mask(r - 1, c) != 0)) return false;
    }
    return true;
  };
  for (index_t r = 0; r < out; ++r) {
    if (r == 0 || !same_mask_as_before(r)) {
      count = 0;
      for (index_t c = 0; c < in; ++c) {
        if (mask(r, c) != 0) kept_at[count++] = c;
      }
      Eigen::MatrixXd part(count, count);
      for (index_t i = 0; i < count; ++i) {
        for (index_t j = 0; j < count; ++j) {
          part(i, j) = static_cast<double>(gram(kept_at[i], kept_at[j]));
        }
        part(i, i) += added;
      }
      if (count > 0) factor.compute(part);
      if (count > 0 && (factor.info() != Eigen::Success || factor.rcond() < 1e-14)) {
        return {status_code::invalid_argument, "the kept inputs depend on each other: more damping",
                "gram", position_kind::row, r};
      }
    }
    if (count == 0) continue;
    vector product(count);
    for (index_t i = 0; i < count; ++i) {
      double sum = added * static_cast<double>(weights(r, kept_at[i]));
      for (index_t c = 0; c < in; ++c) {
        sum += static_cast<double>(gram(kept_at[i], c)) * static_cast<double>(weights(r, c));
      }
      product(i) = sum;
    }
    factor.solveInPlace(product);
    for (index_t i = 0; i < count; ++i) {
      if (!detail::is_finite(product(i)) ||
          std::fabs(product(i)) > static_cast<double>(std::numeric_limits<W>::max())) {
        return {status_code::overflow, "a reconstructed weight does not fit its type", "weights",
                position_kind::row, r};
      }
      (*solved)(r, kept_at[i]) = static_cast<W>(product(i));
    }
  }
  for_each_pair(solved->view(), weights, [](const W& from, W& to, index_t) { to = from; });
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_PRUNE_RECONSTRUCT_HPP
