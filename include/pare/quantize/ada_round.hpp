// AdaRound: whether each weight is rounded up or down is learnt, so that the layer's outputs change
// least.
//
// Nagel et al., "Up or Down? Adaptive Rounding for Post-Training Quantization", 2020,
// arXiv:2004.10568; Adam by Kingma and Ba, 2015, arXiv:1412.6980. The authors draw batches of inputs;
// here the loss and its gradient come from X^T X, which is all inputs at every step.
#ifndef PARE_QUANTIZE_ADA_ROUND_HPP
#define PARE_QUANTIZE_ADA_ROUND_HPP

#include <cmath>

#include <Eigen/Core>

#include <pare/quantize/grid_tensor.hpp>
#include <pare/quantize/hessian.hpp>

namespace pare {

struct ada_round_options {
  index_t group = 0;            ///< consecutive inputs that share a grid, 0 for all of an output
  int iterations = 500;         ///< steps of Adam
  double learning_rate = 0.05;  ///< positive
  double regularisation = 1;    ///< how strongly weights are driven to one side or the other
  double first_power = 20;      ///< of the regulariser, which falls along half a cosine
  double last_power = 2;        ///< to this one
  double warm_up = 0.2;         ///< share of the iterations without regulariser, in [0, 1)
};

namespace detail {
inline namespace PARE_ABI {

/// The ends of the codes of a grid whose values rise with its codes.
struct code_ends {
  std::int32_t first;
  std::int32_t last;
};
inline code_ends ends_of(const affine_grid& grid) noexcept { return {grid.min, grid.max}; }
inline code_ends ends_of(const level_grid& grid) noexcept { return {0, grid.count - 1}; }

/// Rounds tiles of outputs, which do not depend on each other.
template <class Grid>
struct ada_round_task {
  using array = Eigen::Array<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

  const hessian& h;
  ada_round_options options;
  double mean_square;  // the mean of the Hessian's diagonal
  grid_tensor<Grid>& q;

  template <class View>
  void run(const View& w, index_t first, index_t rows) const {
    const index_t in = h.inputs();
    // A weight lies between two neighbours on its grid: `below`, and `step` above it.
    array exact(rows, in), below(rows, in), step(rows, in), logit(rows, in), loss_scale(rows, 1);
    for (index_t r = 0; r < rows; ++r) {
      double squares = 0.0;
      for (index_t i = 0; i < in; ++i) {
        const float x = exact(r, i) = w(first + r, i);
        const Grid& grid = q.grids(first + r, i / q.group);
        const std::int32_t code = code_below(grid, x);
        q.codes(first + r, i) = static_cast<grid_code<Grid>>(code);
        below(r, i) = grid.value(code);
        // Beyond the ends of the grid there is no choice.
        const bool has_choice = x > below(r, i) && code < ends_of(grid).last;
        step(r, i) = has_choice ? grid.value(code + 1) - below(r, i) : 0.0f;
        const float share = has_choice ? (x - below(r, i)) / step(r, i) : 0.0f;
        logit(r, i) = -std::log(stretch / (clamp(share, 0.001f, 0.999f) + margin) - 1.0f);
        squares += double{step(r, i)} * double{step(r, i)};
      }
      // In units of a step and of a mean input, the loss has the size its regulariser expects.
      const double unit = mean_square * squares / static_cast<double>(in);
      loss_scale(r, 0) = unit > 0.0 ? static_cast<float>(1.0 / unit) : 0.0f;
    }
    learn(exact, below, step, loss_scale, logit);
    for (index_t r = 0; r < rows; ++r) {
      for (index_t i = 0; i < in; ++i) {
        if (step(r, i) > 0.0f && logit(r, i) >= 0.0f) ++q.codes(first + r, i);
      }
    }
  }

 private:
  static constexpr float stretch = 1.2f, margin = 0.1f;  // of the rectified sigmoid

  /// The code of the highest value that is not above x, or the lowest code.
  static std::int32_t code_below(const Grid& grid, float x) noexcept {
    const std::int32_t code = grid.code(x);
    return grid.value(code) > x && code > ends_of(grid).first ? code - 1 : code;
  }

  void learn(const array& exact, const array& below, const array& step, const array& loss_scale,
             array& logit) const {
    constexpr float keep_first = 0.9f, keep_second = 0.999f, epsilon = 1e-8f;
    const index_t rows = exact.rows(), in = exact.cols();
    const const_row_major_map gram(h.gram.data(), in, in, Eigen::OuterStride<>(in));
    array first = array::Zero(rows, in), second = first, up(rows, in), slope(rows, in),
          gradient(rows, in);
    for (int i = 0; i < options.iterations; ++i) {
      up = (1.0f + (-logit).exp()).inverse();
      slope = stretch * up * (1.0f - up);
      up = stretch * up - margin;
      slope = (up > 0.0f && up < 1.0f).select(slope, 0.0f);
      up = up.max(0.0f).min(1.0f);

      gradient = ((below + step * up - exact).matrix() * gram).array();
      gradient *= 2.0f * step;
      gradient.colwise() *= loss_scale.col(0);
      const double done = static_cast<double>(i) / options.iterations;
      if (done >= options.warm_up) {
        constexpr double pi = 3.14159265358979323846;
        const double rest = (done - options.warm_up) / (1.0 - options.warm_up);
        const double power = options.last_power + (options.first_power - options.last_power) *
                                                      (0.5 + 0.5 * std::cos(pi * rest));
        const auto strength = static_cast<float>(2.0 * options.regularisation * power);
        up = 2.0f * up - 1.0f;
        gradient -= strength * up.sign() * (up.abs().log() * static_cast<float>(power - 1)).exp();
      }
      gradient *= slope;

      first = keep_first * first + (1 - keep_first) * gradient;
      second = keep_second * second + (1 - keep_second) * gradient.square();
      const auto steps = static_cast<float>(i + 1);
      const float second_correction = 1 - std::pow(keep_second, steps);
      const float rate =
          static_cast<float>(options.learning_rate) / (1 - std::pow(keep_first, steps));
      logit -= rate * first / ((second / second_correction).sqrt() + epsilon);
    }
  }
};

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Quantizes weights by AdaRound: the grids are those that round to nearest has, the codes one of
/// the two around each weight.
///
/// @param w         [out, in], any layout, finite
/// @param h         sums of the layer's inputs; they may be singular
/// @param scheme    one whose values rise with its codes: affine, levels or codebooks
/// @param parallel  outputs are independent: the same bits for any number of threads
/// @param progress  called as outputs are done
/// @return `out_of_range` or `invalid_argument` for scheme or options, `empty`, `shape_mismatch`,
///         `non_finite`, `out_of_memory`
///
/// Time iterations * out * in^2; about ten copies of a tile of 64 outputs for each thread.
template <class T, class E, class L, class Scheme, class Parallel = serial,
          class Progress = no_progress>
[[nodiscard]] result<grid_tensor<grid_of<Scheme>>> ada_round(
    tensor_view<T, E, L> w, const hessian& h, const Scheme& scheme, ada_round_options options = {},
    const Parallel& parallel = {}, const Progress& progress = {}) noexcept {
  static_assert(detail::is_float<T> && E::rank() == 2, "pare: weights are [out, in] of float");
  PARE_RETURN_IF_ERROR(detail::check_scheme(scheme));
  if (options.iterations < 0 || !(options.learning_rate > 0.0) ||
      !(options.regularisation >= 0.0) || !(options.first_power >= options.last_power) ||
      !(options.last_power >= 1.0) || !(options.warm_up >= 0.0 && options.warm_up < 1.0)) {
    return {status_code::out_of_range, "an option of AdaRound is outside what it can be",
            "options"};
  }
  const auto inputs = detail::check_weights(detail::input(w), options.group);
  if (!inputs) return inputs.error();
  const index_t out = static_cast<index_t>(w.extent(0)), in = static_cast<index_t>(w.extent(1));
  PARE_RETURN_IF_ERROR(detail::check_hessian(h, in));
  const auto importance = detail::importance_of(h);
  if (!importance) return importance.error();
  auto q = detail::make_grid_tensor<grid_of<Scheme>>(out, in, *inputs);
  if (!q) return q;
  for (index_t r = 0; r < out; ++r) {
    const float* row = w.data_handle() + r * static_cast<index_t>(w.stride(0));
    detail::fit_row(scheme, row, static_cast<index_t>(w.stride(1)), importance->data(), r, *q);
  }
  double mean_square = 0.0;
  for (const float square : *importance) mean_square += double{square} / static_cast<double>(in);

  const detail::ada_round_task<grid_of<Scheme>> task{h, options, mean_square, *q};
  const index_t tile = detail::min(detail::ceil_div(out, 4), index_t{64});
  const index_t tiles = detail::ceil_div(out, tile);
  detail::progress_counter<Progress> counter(progress, tiles);
  PARE_RETURN_IF_ERROR(detail::run_parallel(parallel, tiles, [&](index_t t) {
    task.run(detail::input(w), t * tile, detail::min(tile, out - t * tile));
    counter.finish_one();
  }));
  return q;
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_ADA_ROUND_HPP
