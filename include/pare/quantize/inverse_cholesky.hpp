// The Cholesky factor of a damped Hessian's inverse: what GPTQ and SparseGPT spread the error of one
// weight over those to come by.
//
// Frantar et al., "GPTQ", 2022, arXiv:2210.17323, which inverts and factorizes again. Here the
// Hessian is factorized from its last row to its first, and that factor inverted: half the work,
// one matrix, and less rounding error.
#ifndef PARE_QUANTIZE_INVERSE_CHOLESKY_HPP
#define PARE_QUANTIZE_INVERSE_CHOLESKY_HPP

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <Eigen/Cholesky>

#include <pare/quantize/hessian.hpp>

namespace pare {
namespace detail {
inline namespace PARE_ABI {

/// The inverse of a lower triangle, in its place. Blocks split until they fit the cache.
inline void invert_lower(row_major_map a) {
  const Eigen::Index n = a.rows();
  if (n <= 32) {
    for (Eigen::Index c = 0; c < n; ++c) {
      a(c, c) = 1.0f / a(c, c);
      for (Eigen::Index r = c + 1; r < n; ++r) {
        float sum = 0.0f;
        for (Eigen::Index k = c; k < r; ++k) sum += a(r, k) * a(k, c);
        a(r, c) = -sum / a(r, r);
      }
    }
    return;
  }
  // [A 0; C D]^-1 = [A^-1 0; -D^-1 C A^-1, D^-1]
  const Eigen::Index half = n / 2, rest = n - half;
  const Eigen::OuterStride<> stride(a.outerStride());
  row_major_map first(a.data(), half, half, stride), last(&a(half, half), rest, rest, stride),
      corner(&a(half, 0), rest, half, stride);
  last.triangularView<Eigen::Lower>().solveInPlace(corner);
  first.triangularView<Eigen::Lower>().solveInPlace<Eigen::OnTheRight>(corner);
  corner *= -1.0f;
  invert_lower(first);
  invert_lower(last);
}

/// What the diagonal is measured by: the mean over inputs that were not always 0, or 1 where all
/// were.
inline double mean_of_diagonal(const hessian& h) noexcept {
  double sum = 0.0;
  index_t alive = 0;
  for (index_t i = 0; i < h.inputs(); ++i) {
    sum += double{h.gram(i, i)};
    alive += h.gram(i, i) > 0.0f;
  }
  return sum > 0.0 ? sum / static_cast<double>(alive) : 1.0;
}

/// Whether `order` has each of 0 to n - 1 once.
inline result<bool> is_permutation(vector_view<const index_t> order, index_t n) noexcept {
  if (order.extent(0) != n) return false;
  auto seen = tensor<std::uint8_t, 1>::create(dextents<index_t, 1>(n));
  if (!seen) return seen.error();
  for (index_t i = 0; i < n; ++i) {
    if (order[i] < 0 || order[i] >= n || (*seen)(order[i])++ != 0) return false;
  }
  return true;
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// The inputs of a layer, those of the largest mean square first, which GPTQ calls activation
/// order. Where two tie the lower index comes first.
///
/// @return `empty` where no rows have been seen, `out_of_memory`
[[nodiscard]] inline result<tensor<index_t, 1>> activation_order(const hessian& h) noexcept {
  const index_t in = h.inputs();
  PARE_RETURN_IF_ERROR(detail::check_hessian(h, in));
  auto order = tensor<index_t, 1>::create(dextents<index_t, 1>(in));
  if (!order) return order.error();
  std::iota(order->begin(), order->end(), index_t{0});
  std::sort(order->begin(), order->end(), [&h](index_t a, index_t b) {
    const float square_a = h.gram(a, a), square_b = h.gram(b, b);
    return square_a > square_b || (square_a == square_b && a < b);
  });
  return order;
}

/// U, upper triangular with a positive diagonal, such that U^T U = (X^T X + damping * m * I)^-1.
///
/// m is the mean of the diagonal over inputs that were not always 0. Those that were have m on the
/// diagonal: nothing is known of them, and they share no error.
///
/// @param h        sums of the inputs
/// @param damping  not negative; 0.01 is what GPTQ and SparseGPT take
/// @param order    row and column i of U belong to input order[i]; `{}` leaves them as they are
/// @return [in, in], zeros below the diagonal; `empty` where no rows have been seen, `out_of_range`
///         for the damping, `invalid_argument` where `order` is no permutation, or where the
///         damped Hessian is singular in float: inputs depend on each other, and only more damping
///         helps; `out_of_memory`
///
/// Time 2 / 3 in^3; no scratch beside the result.
[[nodiscard]] inline result<tensor<float, 2>> inverse_cholesky(
    const hessian& h, double damping = 0.01, vector_view<const index_t> order = {}) noexcept {
  const index_t in = h.inputs();
  PARE_RETURN_IF_ERROR(detail::check_hessian(h, in));
  if (!detail::is_finite(damping) || damping < 0.0) {
    return {status_code::out_of_range, "the damping is not negative", "damping"};
  }
  if (!order.empty()) {
    const auto whole = detail::is_permutation(order, in);
    if (!whole) return whole.error();
    if (!*whole) {
      return {status_code::invalid_argument, "the order does not have each input once", "order"};
    }
  }
  auto factor = tensor<float, 2>::create(dextents<index_t, 2>(in, in));
  if (!factor) return factor;

  // The damped Hessian over m, last input first.
  const double mean = detail::mean_of_diagonal(h);
  const auto input = [&](index_t i) { return order.empty() ? in - 1 - i : order[in - 1 - i]; };
  const auto diagonal = [&](index_t i) {
    const double square = double{h.gram(i, i)};
    return static_cast<float>((square > 0.0 ? square / mean : 1.0) + damping);
  };
  for (index_t r = 0; r < in; ++r) {
    const float* from = h.gram.data() + input(r) * in;
    float* to = factor->data() + r * in;
    for (index_t c = 0; c < r; ++c) to[c] = static_cast<float>(double{from[input(c)]} / mean);
    to[r] = diagonal(input(r));
  }

  using matrix = detail::row_major_matrix;
  Eigen::Map<matrix> lower(factor->data(), in, in);
  bool is_regular = false;
  const bool had_memory = detail::has_memory_for([&] {
    const Eigen::LLT<Eigen::Ref<matrix>, Eigen::Lower> cholesky(lower);
    is_regular = cholesky.info() == Eigen::Success;
    const float least = static_cast<float>(in) * std::numeric_limits<float>::epsilon();
    for (index_t i = 0; i < in && is_regular; ++i) {
      is_regular = lower(i, i) * lower(i, i) > least * diagonal(input(i));
    }
    if (is_regular) {
      detail::invert_lower({factor->data(), in, in, Eigen::OuterStride<>(in)});
    }
  });
  if (!had_memory) return detail::short_of_memory().error();
  if (!is_regular) {
    return {status_code::invalid_argument, "the Hessian is singular: it needs more damping",
            "damping"};
  }
  // Back to the first input first turns the lower triangle into the upper one.
  std::reverse(factor->begin(), factor->end());
  const float scale = static_cast<float>(1.0 / std::sqrt(mean));
  for (index_t r = 0; r < in; ++r) {
    for (index_t c = 0; c < in; ++c) (*factor)(r, c) = c < r ? 0.0f : (*factor)(r, c) * scale;
  }
  return factor;
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_INVERSE_CHOLESKY_HPP
