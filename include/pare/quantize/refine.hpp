// Refining codes: one code and one scale after the other takes the value that leaves the least output
// error while all others stay. Never makes a layer worse.
//
// Coordinate descent on the same objective as GPTQ's: Behdin et al., "QuantEase: Optimization-based
// Quantization for Language Models", 2023, arXiv:2309.01885. Scales by least squares, as Choi et al.,
// "Towards the Limit of Network Quantization", 2017, arXiv:1612.01543, do for centroids.
#ifndef PARE_QUANTIZE_REFINE_HPP
#define PARE_QUANTIZE_REFINE_HPP

#include <Eigen/Core>

#include <pare/quantize/grid_tensor.hpp>
#include <pare/quantize/hessian.hpp>

namespace pare {

/// What refining may do to scales.
enum class scale_change : std::uint8_t {
  none,     ///< they stay, as where a format or another layer fixes them
  any,      ///< any float
  to_half,  ///< numbers that are exact in 16 bits
};

struct refine_options {
  int sweeps = 10;  ///< at most, over all codes of an output; ends where none changes
  scale_change scales = scale_change::any;
};

namespace detail {
inline namespace PARE_ABI {

/// Refines one output at a time.
template <class Grid>
struct refine_task {
  using array = Eigen::Map<Eigen::ArrayXf>;
  using const_array = Eigen::Map<const Eigen::ArrayXf>;

  const tensor<float, 2>& gram;
  refine_options options;
  grid_tensor<Grid>& q;

  const float* gram_row(index_t i) const noexcept { return gram.data() + i * gram.extent(0); }

  /// gradient = (w - q) X^T X, anew.
  void start(const float* w, float* rounded, float* gradient, index_t row) const {
    const index_t in = gram.extent(0);
    array g(gradient, in);
    g.setZero();
    for (index_t i = 0; i < in; ++i) {
      rounded[i] = q.value(row, i);
      const float difference = w[i] - rounded[i];
      if (difference != 0.0f) g += difference * const_array(gram_row(i), in);
    }
  }

  /// Each code in turn. Returns how many changed.
  index_t sweep_codes(float* rounded, float* gradient, index_t row) const {
    const index_t in = gram.extent(0);
    index_t changed = 0;
    for (index_t i = 0; i < in; ++i) {
      const float curvature = gram(i, i);
      if (!(curvature > 0.0f)) continue;
      const Grid& grid = q.grids(row, i / q.group);
      const std::int32_t code = grid.code(rounded[i] + gradient[i] / curvature);
      const float step = grid.value(code) - rounded[i];
      if (!(step * (step * curvature - 2.0f * gradient[i]) < 0.0f)) continue;
      q.codes(row, i) = static_cast<grid_code<Grid>>(code);
      rounded[i] += step;
      array(gradient, in) -= step * const_array(gram_row(i), in);
      ++changed;
    }
    return changed;
  }

  /// Each scale in turn; `moved` is scratch.
  void sweep_scales(float* rounded, float* gradient, float* moved, index_t row) const {
    const index_t in = gram.extent(0);
    for (index_t g = 0; g < q.grids.extent(1); ++g) {
      const index_t first = g * q.group, last = min(first + q.group, in);
      array change(moved, in);
      change.setZero();
      for (index_t i = first; i < last; ++i) {
        if (rounded[i] != 0.0f) change += rounded[i] * const_array(gram_row(i), in);
      }
      double slope = 0.0, curvature = 0.0;
      for (index_t i = first; i < last; ++i) {
        slope += double{gradient[i]} * double{rounded[i]};
        curvature += double{moved[i]} * double{rounded[i]};
      }
      if (!(curvature > 0.0)) continue;
      Grid& grid = q.grids(row, g);
      float& scale = scale_in(grid);
      float better = static_cast<float>(double{scale} * (1.0 + slope / curvature));
      if (options.scales == scale_change::to_half) {
        better = static_cast<float>(half_scale(better));
      }
      const double share = double{better} / double{scale} - 1.0;
      if (!is_valid_scale(better) || !(share * (share * curvature - 2.0 * slope) < 0.0)) continue;
      scale = better;
      array(gradient, in) -= static_cast<float>(share) * change;
      for (index_t i = first; i < last; ++i) rounded[i] = q.value(row, i);
    }
  }

  void run(const float* w, float* rounded, float* gradient, float* moved, index_t row) const {
    for (int s = 0; s < options.sweeps; ++s) {
      start(w, rounded, gradient, row);
      if constexpr (has_float_scale<Grid>) {
        if (options.scales != scale_change::none) sweep_scales(rounded, gradient, moved, row);
      }
      if (sweep_codes(rounded, gradient, row) == 0) break;
    }
  }
};

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Lowers the output error of weights that have been quantized, by whichever method.
///
/// @param w        [out, in] of float, any layout, finite: the weights before
/// @param h        sums of the layer's inputs; they may be singular
/// @param q        codes and grids of `w`; changed in place
/// @param options  scales of grids that are not any float (microscaling) stay in any case
/// @return `shape_mismatch`, `empty`, `non_finite`, `out_of_range` or `invalid_argument` for the
///         options, `out_of_memory`; `q` is then untouched
///
/// Time out * in^2 for the start of each sweep, and in for each code that changes.
template <class T, class E, class L, class Grid, class Parallel = serial,
          class Progress = no_progress>
[[nodiscard]] status refine(tensor_view<T, E, L> w, const hessian& h, grid_tensor<Grid>& q,
                            refine_options options = {}, const Parallel& parallel = {},
                            const Progress& progress = {}) noexcept {
  static_assert(detail::is_float<T> && E::rank() == 2, "pare: weights are [out, in] of float");
  const index_t out = static_cast<index_t>(w.extent(0)), in = static_cast<index_t>(w.extent(1));
  PARE_RETURN_IF_ERROR(detail::check_weights(detail::input(w), 0).status());
  PARE_RETURN_IF_ERROR(detail::check_hessian(h, in));
  PARE_RETURN_IF_ERROR(detail::check_same_shape(w, q.codes.view(), "q"));
  if (options.sweeps < 0) {
    return {status_code::out_of_range, "the number of sweeps is not negative", "sweeps"};
  }
  if (options.scales > scale_change::to_half) {
    return {status_code::invalid_argument, "the change of scales is none of those offered",
            "scales"};
  }
  const index_t tile = detail::clamp(detail::ceil_div(out, 16), index_t{1}, index_t{64});
  const index_t tiles = detail::ceil_div(out, tile);
  auto scratch = tensor<float, 2>::create(dextents<index_t, 2>(tiles, 4 * in));
  if (!scratch) return scratch.error();
  const detail::refine_task<Grid> task{h.gram, options, q};
  detail::progress_counter<Progress> counter(progress, tiles);
  parallel(tiles, [&](index_t t) {
    float* const row_of_w = scratch->data() + t * 4 * in;
    for (index_t r = t * tile; r < detail::min((t + 1) * tile, out); ++r) {
      for (index_t i = 0; i < in; ++i) row_of_w[i] = w(r, i);
      task.run(row_of_w, row_of_w + in, row_of_w + 2 * in, row_of_w + 3 * in, r);
    }
    counter.finish_one();
  });
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_REFINE_HPP
