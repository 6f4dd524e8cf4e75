// Masks of N:M sparsity (format/n_m.hpp): with 2:4 half of the products go and every lane has the
// same work.
//
// The search for a permutation of inputs: Pool and Yu, "Channel permutations for N:M sparsity",
// 2021.
#ifndef PARE_PRUNE_N_M_HPP
#define PARE_PRUNE_N_M_HPP

#include <cmath>

#include <pare/core/tensor.hpp>
#include <pare/format/n_m.hpp>
#include <pare/prune/detail/prune_smallest.hpp>
#include <pare/prune/random.hpp>

namespace pare {

namespace detail {
inline namespace PARE_ABI {

/// Weights beyond `keep` in a group go. A short last group counts as one filled up with zeros.
template <class W, class E, class L, class ME, class ML, class KeyOf>
[[nodiscard]] status prune_n_m_by(tensor_view<W, E, L> weights, const n_m& pattern, KeyOf key_of,
                                  const char* subject,
                                  tensor_view<std::uint8_t, ME, ML> mask) noexcept {
  PARE_RETURN_IF_ERROR(check_pattern(pattern));
  return prune_smallest_in_groups(weights, mask, pattern.of, key_of, subject,
                                  [keep = pattern.keep](index_t left, index_t) -> result<index_t> {
                                    return max<index_t>(0, left - keep);
                                  });
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Leaves the `pattern.keep` weights of largest magnitude in each group of `pattern.of`.
///
/// The groups of a row begin at column 0; the last one may be shorter and then keeps at most as
/// many as the others. Where magnitudes tie the lower index goes first. Groups in which the mask
/// keeps fewer already stay as they are.
///
/// @param weights  [rows, columns], any layout, finite: where the mask is 0 too
/// @param mask     same shape; in: not 0 for the weights still kept, out: 0 for those that go now
/// @return `shape_mismatch`, `empty`, `non_finite` at the first NaN or infinity, `invalid_argument`
///         for the pattern; `mask` is then untouched
template <class W, class E, class L, class ME, class ML>
[[nodiscard]] status prune_magnitude_n_m(tensor_view<W, E, L> weights, const n_m& pattern,
                                         tensor_view<std::uint8_t, ME, ML> mask) noexcept {
  return detail::prune_n_m_by(weights, pattern, detail::by_magnitude(), "weights", mask);
}

/// As above, by scores, such as those of Wanda.
template <class S, class E, class L, class ME, class ML>
[[nodiscard]] status prune_lowest_n_m(tensor_view<S, E, L> scores, const n_m& pattern,
                                      tensor_view<std::uint8_t, ME, ML> mask) noexcept {
  return detail::prune_n_m_by(scores, pattern, detail::by_value(), "scores", mask);
}

/// Whether a mask keeps no more than `pattern.keep` in any group.
template <class M, class E, class L>
[[nodiscard]] bool is_n_m(tensor_view<M, E, L> mask, const n_m& pattern) noexcept {
  static_assert(E::rank() == 2, "pare: groups lie within the rows of a matrix");
  if (!detail::check_pattern(pattern)) return false;
  const auto columns = static_cast<index_t>(mask.extent(1));
  for (index_t r = 0; r < static_cast<index_t>(mask.extent(0)); ++r) {
    for (index_t c = 0, in_group = 0; c < columns; ++c) {
      if (c % pattern.of == 0) in_group = 0;
      in_group += mask(r, c) != 0 ? 1 : 0;
      if (in_group > pattern.keep) return false;
    }
  }
  return true;
}

/// How long to search for a permutation.
struct permutation_search {
  index_t sweeps = 8;      ///< at most so many passes over all pairs of columns, at least 0
  index_t escapes = 0;     ///< swaps at random, to leave a local optimum, after which it goes on
  std::uint64_t seed = 1;  ///< of the escapes
};

}  // namespace PARE_ABI

namespace detail {
inline namespace PARE_ABI {

/// Magnitudes of a matrix, column by column, and what the groups keep of them.
class n_m_search {
 public:
  n_m_search(tensor<float, 2> columns, n_m pattern) noexcept
      : columns_(std::move(columns)), pattern_(pattern) {}

  index_t size() const noexcept { return columns_.extent(0); }

  /// What the group around `first` keeps, with column `out` replaced by `in`.
  double kept_sum(const index_t* order, index_t group, index_t out, index_t in) const noexcept {
    const index_t rows = columns_.extent(1);
    const index_t first = group * pattern_.of, last = min(first + pattern_.of, size());
    double sum = 0;
    float largest[max_keep] = {};
    for (index_t r = 0; r < rows; ++r) {
      for (index_t k = 0; k < pattern_.keep; ++k) largest[k] = 0;
      for (index_t i = first; i < last; ++i) {
        float x = columns_(order[i] == out ? in : order[i], r);
        for (index_t k = 0; k < pattern_.keep; ++k) {
          const float y = largest[k];
          largest[k] = max(x, y);
          x = min(x, y);
        }
      }
      for (index_t k = 0; k < pattern_.keep; ++k) sum += double{largest[k]};
    }
    return sum;
  }

  static constexpr index_t max_keep = 64;

 private:
  tensor<float, 2> columns_;  ///< [columns, rows]: a column lies together
  n_m pattern_;
};

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// An order of the inputs in which N:M pruning keeps more magnitude: swaps of two columns between
/// groups, as long as one of them helps.
///
///     auto order = pare::n_m_permutation(w.view(), pare::n_m{2, 4}).value();
///     auto w2 = pare::permute_slices(w.view(), 1, order.view()).value();
///     // and the outputs of the layer before: permute_slices(previous.view(), 0, order.view())
///
/// @param weights  [rows, columns], any layout, finite
/// @param pattern  with `keep` at most 64
/// @return [columns]: column i of the permuted matrix is column order[i] of `weights`; `empty`,
///         `non_finite` at the first NaN or infinity, `invalid_argument` for the pattern or the
///         search, `out_of_memory`
///
/// Never keeps less than the order as it is. A sweep takes time rows * columns^2 * pattern.of.
template <class W, class E, class L>
[[nodiscard]] result<tensor<index_t, 1>> n_m_permutation(
    tensor_view<W, E, L> weights, const n_m& pattern,
    const permutation_search& search = {}) noexcept {
  static_assert(E::rank() == 2, "pare: groups lie within the rows of a matrix");
  PARE_RETURN_IF_ERROR(detail::check_pattern(pattern));
  if (pattern.keep > detail::n_m_search::max_keep || search.sweeps < 0 || search.escapes < 0) {
    return {status_code::invalid_argument,
            "a search keeps at most 64 of a group and has no negative length", "search"};
  }
  PARE_RETURN_IF_ERROR(detail::check_prunable(weights, "weights"));
  const auto rows = static_cast<index_t>(weights.extent(0));
  const auto columns = static_cast<index_t>(weights.extent(1));
  auto magnitudes = tensor<float, 2>::create(dextents<index_t, 2>(columns, rows));
  if (!magnitudes) return magnitudes.error();
  for_each_pair(weights, transposed(magnitudes->view()), [](const W& w, float& m, index_t) {
    m = static_cast<float>(std::fabs(static_cast<detail::comparable_t<W>>(w)));
  });
  auto order = tensor<index_t, 1>::create(dextents<index_t, 1>(columns));
  if (!order) return order;
  for (index_t c = 0; c < columns; ++c) (*order)(c) = c;
  const index_t groups = detail::ceil_div(columns, pattern.of);
  auto sums = tensor<double, 1>::create(dextents<index_t, 1>(groups));
  if (!sums) return sums.error();
  const detail::n_m_search state(*std::move(magnitudes), pattern);
  index_t* const at = order->data();
  for (index_t g = 0; g < groups; ++g) (*sums)(g) = state.kept_sum(at, g, -1, -1);

  const auto try_swap = [&](index_t i, index_t j, bool always) {
    const index_t a = i / pattern.of, b = j / pattern.of;
    const double sum_a = state.kept_sum(at, a, at[i], at[j]);
    const double sum_b = state.kept_sum(at, b, at[j], at[i]);
    const double before = (*sums)(a) + (*sums)(b);
    if (!always && !(sum_a + sum_b > before * (1 + 1e-9))) return false;
    (*sums)(a) = sum_a;
    (*sums)(b) = sum_b;
    std::swap(at[i], at[j]);
    return true;
  };
  const auto climb = [&] {
    for (index_t sweep = 0; sweep < search.sweeps; ++sweep) {
      bool better = false;
      for (index_t i = 0; i < columns; ++i) {
        for (index_t j = (i / pattern.of + 1) * pattern.of; j < columns; ++j) {
          better = try_swap(i, j, false) || better;
        }
      }
      if (!better) break;
    }
  };
  const auto total = [&] {
    double sum = 0;
    for (const double s : *sums) sum += s;
    return sum;
  };

  climb();
  if (search.escapes == 0 || groups < 2) return order;
  auto best = tensor<index_t, 1>::copy_of(order->view());
  if (!best) return best;
  double best_total = total();
  for (index_t escape = 0; escape < search.escapes; ++escape) {
    const auto chosen = [&](index_t n) {
      return static_cast<index_t>(detail::uniform_number(search.seed, 2 * escape + n) *
                                  static_cast<double>(columns));
    };
    const index_t i = chosen(0), j = chosen(1);
    if (i / pattern.of == j / pattern.of) continue;
    try_swap(i, j, true);
    climb();
    if (total() > best_total) {
      best_total = total();
      for (index_t c = 0; c < columns; ++c) (*best)(c) = at[c];
    }
  }
  return best;
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_PRUNE_N_M_HPP
