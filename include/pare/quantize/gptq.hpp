// GPTQ: weights are rounded input by input, and each rounding error is made up for by the inputs that
// are still to come.
//
// Frantar, Ashkboos, Hoefler and Alistarh, "GPTQ: Accurate Post-Training Quantization for Generative
// Pre-trained Transformers", 2022, arXiv:2210.17323. Two things differ from the authors' program:
// weights of inputs that were always 0 are rounded to nearest instead of set to 0, and groups that
// meet activation order keep their consecutive inputs, with grids fitted before any rounding.
//
//     const auto w4 = pare::gptq(w.view(), h, pare::affine_scheme{{4}}).value();
#ifndef PARE_QUANTIZE_GPTQ_HPP
#define PARE_QUANTIZE_GPTQ_HPP

#include <atomic>
#include <utility>

#include <Eigen/Core>

#include <pare/quantize/grid_tensor.hpp>
#include <pare/quantize/hessian.hpp>
#include <pare/quantize/inverse_cholesky.hpp>

namespace pare {

/// In which order inputs are rounded.
enum class input_order : std::uint8_t {
  given,       ///< as they come
  activation,  ///< the largest mean square first; less error, above all with few bits
};

struct gptq_options {
  index_t group = 0;  ///< consecutive inputs that share a grid, 0 for all of an output
  input_order order = input_order::given;
  double damping = 0.01;  ///< added to the diagonal, as a fraction of its mean
};

namespace detail {
inline namespace PARE_ABI {

/// Rounds tiles of outputs, which do not depend on each other.
template <class Scheme>
struct gptq_task {
  using grid = grid_of<Scheme>;
  static constexpr index_t block = 128;  // inputs between two products

  const Scheme& scheme;
  const tensor<float, 2>& factor;       // of the inverse, in the order of rounding
  vector_view<const index_t> order;     // none: as given
  vector_view<const float> importance;  // of each input
  grid_tensor<grid>& q;
  std::atomic<bool>& overflows;

  index_t input(index_t position) const noexcept {
    return order.empty() ? position : order[position];
  }

  /// Blocks end where groups do: their grids are fitted to weights that know all errors so far.
  index_t block_end(index_t begin) const noexcept {
    const index_t in = factor.extent(0), group = q.group;
    index_t end = begin + block;
    if (order.empty() && group <= block) end = begin + block / group * group;
    if (order.empty() && group > block) end = min(end, (begin / group + 1) * group);
    return min(end, in);
  }

  template <class View>
  void run(const View& w, index_t first, index_t rows) const {
    using matrix = row_major_matrix;
    const index_t in = factor.extent(0);
    matrix work(rows, in), errors(rows, block);
    for (index_t r = 0; r < rows; ++r) {
      if (!order.empty()) {
        fit_row(scheme, w.data_handle() + (first + r) * w.stride(0), w.stride(1),
                importance.data_handle(), first + r, q);
      }
      for (index_t i = 0; i < in; ++i) work(r, i) = w(first + r, input(i));
    }
    const const_row_major_map u(factor.data(), in, in, Eigen::OuterStride<>(in));
    for (index_t begin = 0, end = 0; begin < in; begin = end) {
      end = block_end(begin);
      for (index_t r = 0; r < rows; ++r) {
        round_block(work.row(r).data(), errors.row(r).data(), first + r, begin, end);
      }
      const index_t rest = in - end, done = end - begin;
      if (rest > 0) {
        work.rightCols(rest).noalias() -= errors.leftCols(done) * u.block(begin, end, done, rest);
      }
    }
  }

  /// Rounds the inputs [begin, end) of one output, and leaves what each error is worth.
  void round_block(float* x, float* errors, index_t row, index_t begin, index_t end) const {
    using array = Eigen::Map<Eigen::ArrayXf>;
    using const_array = Eigen::Map<const Eigen::ArrayXf>;
    const index_t in = factor.extent(0);
    for (index_t i = begin; i < end; ++i) {
      const index_t at = input(i), g = at / q.group;
      if (order.empty() && at % q.group == 0) {
        q.grids(row, g) = fit_grid(scheme, group_view{x + i, min(q.group, in - i), 1},
                                   importance.data_handle() + i);
      }
      if (!is_finite(x[i])) {
        overflows.store(true, std::memory_order_relaxed);
        return;
      }
      const grid& to = q.grids(row, g);
      const std::int32_t code = to.code(x[i]);
      q.codes(row, at) = static_cast<grid_code<grid>>(code);
      const float* u = factor.data() + i * in + i;
      const float error = (x[i] - to.value(code)) / u[0];
      errors[i - begin] = error;
      array(x + i + 1, end - i - 1) -= error * const_array(u + 1, end - i - 1);
    }
  }
};

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Quantizes the weights of a layer so that its outputs change little on the inputs seen.
///
/// @param w         [out, in], any layout, finite
/// @param h         sums of the layer's inputs
/// @param scheme    fits a grid to each group: any of grid.hpp and search_scheme.hpp
/// @param parallel  outputs are independent: the same bits for any number of threads
/// @param progress  called as outputs are done
/// @return `out_of_range` or `invalid_argument` for scheme, group, order or damping, `empty` for no
///         weights or no calibration, `shape_mismatch`, `non_finite` with the first NaN or infinity,
///         `invalid_argument` where the damped Hessian is singular, `overflow` where weights with
///         the errors of others leave the range of float, `out_of_memory`
///
/// Time 2 / 3 in^3 + out * in^2; one matrix [in, in] beside the Hessian, and up to 512 rows of
/// weights for each thread.
template <class T, class E, class L, class Scheme, class Parallel = serial,
          class Progress = no_progress>
[[nodiscard]] result<grid_tensor<grid_of<Scheme>>> gptq(tensor_view<T, E, L> w, const hessian& h,
                                                        const Scheme& scheme,
                                                        gptq_options options = {},
                                                        const Parallel& parallel = {},
                                                        const Progress& progress = {}) noexcept {
  static_assert(detail::is_float<T> && E::rank() == 2, "pare: weights are [out, in] of float");
  PARE_RETURN_IF_ERROR(detail::check_scheme(scheme));
  if (options.order != input_order::given && options.order != input_order::activation) {
    return {status_code::invalid_argument, "the order is none of those offered", "order"};
  }
  const auto inputs = detail::check_weights(detail::input(w), options.group);
  if (!inputs) return inputs.error();
  const index_t out = static_cast<index_t>(w.extent(0)), in = static_cast<index_t>(w.extent(1));
  PARE_RETURN_IF_ERROR(detail::check_hessian(h, in));

  tensor<index_t, 1> order;
  if (options.order == input_order::activation) {
    auto by_activation = activation_order(h);
    if (!by_activation) return by_activation.error();
    order = *std::move(by_activation);
  }
  const auto factor = inverse_cholesky(h, options.damping, order.view());
  if (!factor) return factor.error();
  const auto importance = detail::importance_of(h);
  if (!importance) return importance.error();
  auto q = detail::make_grid_tensor<grid_of<Scheme>>(out, in, *inputs);
  if (!q) return q;

  std::atomic<bool> overflows{false};
  const detail::gptq_task<Scheme> task{scheme, *factor,  order.view(), importance->view(),
                                       *q,     overflows};
  // Enough tiles for some threads, and tiles large enough for products.
  const index_t tile = detail::clamp(detail::ceil_div(out, 8), index_t{32}, index_t{512});
  const index_t tiles = detail::ceil_div(out, tile);
  detail::progress_counter<Progress> counter(progress, tiles);
  PARE_RETURN_IF_ERROR(detail::run_parallel(parallel, tiles, [&](index_t t) {
    task.run(detail::input(w), t * tile, detail::min(tile, out - t * tile));
    counter.finish_one();
  }));
  if (overflows.load()) {
    return {status_code::overflow, "the weights left the range of float on their way", "w"};
  }
  return q;
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_GPTQ_HPP
