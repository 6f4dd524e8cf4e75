// SparseGPT: weights are pruned one column after the other, and each column's error is spread over
// the weights to come by the inverse Hessian of the layer's output error.
//
// Frantar and Alistarh, "SparseGPT: massive language models can be accurately pruned in one-shot",
// 2023, arXiv:2301.00774; the step itself is that of Hassibi and Stork, "Optimal Brain Surgeon",
// 1993.
#ifndef PARE_PRUNE_SPARSE_GPT_HPP
#define PARE_PRUNE_SPARSE_GPT_HPP

#include <Eigen/Core>

#include <pare/core/tensor.hpp>
#include <pare/prune/detail/prune_smallest.hpp>
#include <pare/prune/n_m.hpp>
#include <pare/prune/reconstruct.hpp>

namespace pare {

/// Weights stay the floats they are: no quantization. The default of `sparse_gpt`.
struct no_rounding {
  constexpr PARE_ALWAYS_INLINE float operator()(index_t, index_t, float w) const noexcept {
    return w;
  }
};

namespace detail {
inline namespace PARE_ABI {

/// Weights and mask of one layer on their way through the columns.
class obs_state {
 public:
  /// Columns that are updated at once; blocks hold whole groups.
  static constexpr index_t block_columns = 128;

  template <class W, class E, class L, class U, class UE, class UL, class ME, class ML>
  [[nodiscard]] status start(tensor_view<W, E, L> weights, tensor_view<U, UE, UL> factor,
                             tensor_view<std::uint8_t, ME, ML> mask, index_t group) noexcept {
    static_assert(std::is_same_v<W, float>, "pare: sparse_gpt prunes weights of float");
    static_assert(E::rank() == 2, "pare: linear weights are [out, in]");
    PARE_RETURN_IF_ERROR(check_masked(weights, mask));
    PARE_RETURN_IF_ERROR(
        check_square(factor, static_cast<index_t>(weights.extent(1)), "inverse_factor"));
    rows = static_cast<index_t>(weights.extent(0));
    columns = static_cast<index_t>(weights.extent(1));
    for (index_t i = 0; i < columns; ++i) {
      if (!(static_cast<float>(factor(i, i)) > 0)) {
        return {status_code::invalid_argument, "the factor's diagonal is positive",
                "inverse_factor", position_kind::row, i};
      }
    }
    auto w = tensor<float, 2>::copy_of(weights);
    auto u = tensor<float, 2>::copy_of(factor);
    auto m = tensor<std::uint8_t, 2>::copy_of(mask);
    block = round_up(min(block_columns, columns), min(group, columns));
    auto e = tensor<float, 2>::create(dextents<index_t, 2>(rows, min(block, columns)));
    PARE_RETURN_IF_ERROR(w.status());
    PARE_RETURN_IF_ERROR(u.status());
    PARE_RETURN_IF_ERROR(m.status());
    PARE_RETURN_IF_ERROR(e.status());
    work = *std::move(w);
    upper = *std::move(u);
    kept_now = *std::move(m);
    errors = *std::move(e);
    return {};
  }

  /// How much the output error grows when a weight goes, over a constant.
  PARE_ALWAYS_INLINE float saliency(float w, index_t column) const noexcept {
    const float scaled = w / upper(column, column);
    return min(scaled * scaled, std::numeric_limits<float>::max());
  }

  /// Prunes `count` of the kept weights in a part of the matrix that begins at `first` column.
  template <class Weights, class Mask>
  [[nodiscard]] status prune(const Weights& part, const Mask& mask, index_t first,
                             index_t count) const noexcept {
    const auto width = static_cast<index_t>(part.extent(Weights::rank() - 1));
    return prune_smallest<std::uint32_t>(
        amount::count(count), [&](const auto& f) { f(part, mask); },
        [this, first, width](float w, index_t i) {
          return value_key(saliency(w, first + i % width));
        });
  }

  /// Takes the pruned weights of columns [first, last) away and rounds the others.
  /// `choose(row, column)` is called before each column and may prune in it and behind it.
  template <class Round, class Choose>
  [[nodiscard]] status eliminate(index_t first, index_t last, const Round& round,
                                 const Choose& choose) noexcept {
    for (index_t r = 0; r < rows; ++r) {
      float* const w = &work(r, 0);
      for (index_t c = first; c < last; ++c) {
        PARE_RETURN_IF_ERROR(choose(r, c));
        const float* const u = &upper(c, 0);
        const float rest = kept_now(r, c) != 0 ? static_cast<float>(round(r, c, w[c])) : 0.0f;
        const float error = (w[c] - rest) / u[c];
        w[c] = rest;
        errors(r, c - first) = error;
        for (index_t k = c + 1; k < last; ++k) w[k] -= error * u[k];
      }
    }
    if (last == columns) return {};
    using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    using map = Eigen::Map<matrix, Eigen::Unaligned, Eigen::OuterStride<>>;
    const index_t left = columns - last;
    const map e(errors.data(), rows, last - first, Eigen::OuterStride<>(errors.extent(1)));
    const map u(&upper(first, last), last - first, left, Eigen::OuterStride<>(columns));
    map(&work(0, last), rows, left, Eigen::OuterStride<>(columns)).noalias() -= e * u;
    return {};
  }

  /// Hands the results over.
  template <class W, class E, class L, class ME, class ML>
  [[nodiscard]] status finish(tensor_view<W, E, L> weights,
                              tensor_view<std::uint8_t, ME, ML> mask) const noexcept {
    for (index_t i = 0; i < work.size(); ++i) {
      if (!is_finite(work.data()[i])) {
        return {status_code::overflow, "an updated weight leaves the range of float", "weights",
                position_kind::element, i};
      }
    }
    for_each_pair(work.view(), weights, [](float from, W& to, index_t) { to = from; });
    for_each_pair(kept_now.view(), mask,
                  [](std::uint8_t from, std::uint8_t& to, index_t) { to = from; });
    return {};
  }

  index_t rows = 0, columns = 0;
  index_t block = 0;                 ///< columns that are updated at once
  tensor<float, 2> work;             ///< [rows, columns]
  tensor<float, 2> upper;            ///< [columns, columns]
  tensor<float, 2> errors;           ///< [rows, block]
  tensor<std::uint8_t, 2> kept_now;  ///< [rows, columns]
};

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Prunes `pruned` of the weights that `mask` still keeps, and moves those that stay so that the
/// layer's outputs change little. No training.
///
///     const auto u = pare::inverse_cholesky(hessian).value();
///     pare::sparse_gpt(w.view(), u.view(), pare::amount::fraction(0.5), mask.view());
///
/// Blocks of 128 columns lose equal shares, rows as it comes. Where scores tie the lower index goes
/// first.
///
/// @param weights         [out, in] of float, any layout, finite; out: 0 where the mask is
/// @param inverse_factor  [in, in]: upper triangular U with U^T U the inverse of the damped X^T X
/// @param pruned          `amount::count(n)` or `amount::fraction(f)` of what remains
/// @param mask            [out, in]; in: not 0 for the weights still kept, out: 0 for those that go
/// @param round           `round(row, column, w)` gives the value that is stored for w: joint
///                        quantization, whose error is spread as that of pruning is
/// @return `shape_mismatch`, `empty`, `non_finite` at the first NaN or infinity, `invalid_argument`
///         for the factor or the amount, `out_of_range` for the amount, `overflow`,
///         `out_of_memory`; `weights` and `mask` are then untouched
///
/// Time out * in^2.
template <class W, class E, class L, class U, class UE, class UL, class ME, class ML,
          class Round = no_rounding>
[[nodiscard]] status sparse_gpt(tensor_view<W, E, L> weights, tensor_view<U, UE, UL> inverse_factor,
                                amount pruned, tensor_view<std::uint8_t, ME, ML> mask,
                                const Round& round = {}) noexcept {
  detail::obs_state state;
  PARE_RETURN_IF_ERROR(state.start(weights, inverse_factor, mask, 1));
  const index_t left = kept(mask);
  const result<index_t> count = pruned.of(left);
  if (!count) return count.error();

  index_t seen = 0, gone = 0;
  for (index_t first = 0; first < state.columns; first += state.block) {
    const index_t last = detail::min(first + state.block, state.columns);
    const range columns{first, last};
    const auto kept_here = subview(state.kept_now.view(), all, columns);
    seen += kept(kept_here);
    const index_t due = seen == left ? *count
                                     : static_cast<index_t>(detail::round_half_even(
                                           static_cast<double>(*count) * static_cast<double>(seen) /
                                           static_cast<double>(left)));
    PARE_RETURN_IF_ERROR(
        state.prune(subview(state.work.view(), all, columns), kept_here, first, due - gone));
    gone = due;
    PARE_RETURN_IF_ERROR(
        state.eliminate(first, last, round, [](index_t, index_t) { return status(); }));
  }
  return state.finish(weights, mask);
}

/// As above, and of every `pattern.of` neighbours in a row `pattern.keep` stay.
template <class W, class E, class L, class U, class UE, class UL, class ME, class ML,
          class Round = no_rounding>
[[nodiscard]] status sparse_gpt(tensor_view<W, E, L> weights, tensor_view<U, UE, UL> inverse_factor,
                                const n_m& pattern, tensor_view<std::uint8_t, ME, ML> mask,
                                const Round& round = {}) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_pattern(pattern));
  detail::obs_state state;
  PARE_RETURN_IF_ERROR(state.start(weights, inverse_factor, mask, pattern.of));
  for (index_t first = 0; first < state.columns; first += state.block) {
    const index_t last = detail::min(first + state.block, state.columns);
    PARE_RETURN_IF_ERROR(state.eliminate(first, last, round, [&](index_t r, index_t c) -> status {
      if (c % pattern.of != 0) return {};
      const range group{c, detail::min(c + pattern.of, state.columns)};
      const auto kept_here = subview(state.kept_now.view(), r, group);
      const index_t beyond = kept(kept_here) - pattern.keep;
      if (beyond <= 0) return {};
      return state.prune(subview(state.work.view(), r, group), kept_here, c, beyond);
    }));
  }
  return state.finish(weights, mask);
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_PRUNE_SPARSE_GPT_HPP
