// What calibration has to know of a layer's inputs, summed in a stream: X^T X, which is the Hessian
// of the layer's squared output error, and for each input its sum, magnitude and largest value.
//
// Hassibi and Stork, "Second order derivatives for network pruning: Optimal Brain Surgeon", 1993;
// for layers as here: Frantar and Alistarh, "Optimal Brain Compression", 2022, arXiv:2208.11580.
//
//     auto h = pare::hessian::create(w.extent(1)).value();
//     while (...) pare::accumulate(batch.view(), h);            // as much data as there is
//     pare::merge(from_another_process, h);
//     auto w4 = pare::gptq(w.view(), h, pare::affine_scheme{{4}}).value();
#ifndef PARE_QUANTIZE_HESSIAN_HPP
#define PARE_QUANTIZE_HESSIAN_HPP

#include <cmath>
#include <limits>
#include <utility>

#include <Eigen/Core>

#include <pare/core/checked.hpp>
#include <pare/core/parallel.hpp>
#include <pare/core/tensor.hpp>
#include <pare/quantize/detail/eigen_memory.hpp>
#include <pare/quantize/progress.hpp>
#include <pare/quantize/range.hpp>

namespace pare {

/// Sums over the rows x of a layer's inputs. Its size does not grow with the data, and its parts
/// are plain tensors: write them to a file, read them elsewhere, `merge` them.
struct hessian {
  tensor<float, 2> gram;         ///< [in, in], sum of x x^T: symmetric, both halves written
  tensor<double, 1> sums;        ///< [in], sum of x
  tensor<double, 1> magnitudes;  ///< [in], sum of |x|
  tensor<float, 1> largest;      ///< [in], largest |x|
  index_t rows = 0;              ///< rows seen

  index_t inputs() const noexcept { return gram.extent(0); }

  /// Sums of nothing yet, for a layer with `in` inputs.
  ///
  /// @return `out_of_range` for a size below 1, `overflow`, `out_of_memory`
  static result<hessian> create(index_t in) noexcept {
    if (in < 1) return {status_code::out_of_range, "a layer has at least one input", "in"};
    auto gram = tensor<float, 2>::create(dextents<index_t, 2>(in, in));
    if (!gram) return gram.error();
    auto sums = tensor<double, 1>::create(dextents<index_t, 1>(in));
    if (!sums) return sums.error();
    auto magnitudes = tensor<double, 1>::create(dextents<index_t, 1>(in));
    if (!magnitudes) return magnitudes.error();
    auto largest = tensor<float, 1>::create(dextents<index_t, 1>(in));
    if (!largest) return largest.error();
    return hessian{*std::move(gram), *std::move(sums), *std::move(magnitudes), *std::move(largest),
                   0};
  }
};

namespace detail {

/// Row-major floats as Eigen sees them.
using row_major_matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using row_major_map = Eigen::Map<row_major_matrix, Eigen::Unaligned, Eigen::OuterStride<>>;
using const_row_major_map =
    Eigen::Map<const row_major_matrix, Eigen::Unaligned, Eigen::OuterStride<>>;

inline namespace PARE_ABI {

/// `ok`, or why these sums cannot calibrate a layer with `in` inputs.
inline status check_hessian(const hessian& h, index_t in) noexcept {
  if (h.gram.extent(0) != in || h.gram.extent(1) != in || h.sums.extent(0) != in ||
      h.magnitudes.extent(0) != in || h.largest.extent(0) != in) {
    return {status_code::shape_mismatch, "the Hessian is not that of so many inputs", "hessian"};
  }
  if (h.rows < 1) return {status_code::empty, "no rows have been accumulated", "hessian"};
  for (index_t i = 0; i < in; ++i) {
    if (!is_finite(h.gram(i, i)) || h.gram(i, i) < 0.0f) {
      return {status_code::non_finite, "sums of squares are finite and not negative", "hessian",
              position_kind::row, i};
    }
  }
  return {};
}

/// The diagonal of X^T X: how much an error in each input's weights counts.
[[nodiscard]] inline result<tensor<float, 1>> importance_of(const hessian& h) noexcept {
  auto importance = tensor<float, 1>::create(dextents<index_t, 1>(h.inputs()));
  if (!importance) return importance;
  for (index_t i = 0; i < h.inputs(); ++i) (*importance)(i) = h.gram(i, i);
  return importance;
}

/// Copies rows [first, first + count) to contiguous ones, and adds what is not X^T X.
template <class View>
void gather_rows(const View& x, index_t first, index_t count, float* to, hessian& h) noexcept {
  const index_t in = h.inputs();
  for (index_t r = 0; r < count; ++r, to += in) {
    for (index_t i = 0; i < in; ++i) {
      const float value = x(first + r, i), magnitude = value < 0.0f ? -value : value;
      to[i] = value;
      h.sums(i) += double{value};
      h.magnitudes(i) += double{magnitude};
      h.largest(i) = max(h.largest(i), magnitude);
    }
  }
}

/// gram += x^T x for contiguous rows, in tiles of the lower half that are then mirrored.
template <class Parallel>
[[nodiscard]] status add_gram(const float* x, index_t count, const Parallel& parallel,
                              tensor<float, 2>& gram) noexcept {
  constexpr index_t tile = 256;
  const index_t in = gram.extent(0), tiles = ceil_div(in, tile);
  return run_parallel(parallel, tiles * (tiles + 1) / 2, [&](index_t pair) {
    index_t a = 0, b = pair;
    while (b > a) b -= ++a;
    const index_t first_a = a * tile, first_b = b * tile;
    const index_t rows = min(tile, in - first_a), columns = min(tile, in - first_b);
    const Eigen::OuterStride<> stride(in);
    const const_row_major_map x_a(x + first_a, count, rows, stride);
    const const_row_major_map x_b(x + first_b, count, columns, stride);
    row_major_map lower(gram.data() + first_a * in + first_b, rows, columns, stride);
    lower.noalias() += x_a.transpose() * x_b;
    for (index_t r = 0; r < rows; ++r) {
      const index_t end = a == b ? r : columns;
      for (index_t c = 0; c < end; ++c) gram(first_b + c, first_a + r) = lower(r, c);
    }
  });
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Adds a batch of a layer's inputs.
///
/// @param inputs    [rows, in] of float, any layout, finite; no rows add nothing
/// @param h         receives the sums
/// @param parallel  the same bits for any number of threads
/// @param progress  called as rows are done
/// @return `shape_mismatch`, `non_finite` with the first NaN or infinity of the inputs, `overflow`
///         where a sum of squares could leave the range of float, `out_of_memory`; `h` is then
///         untouched, but for `out_of_memory` in the middle of a product
///
/// Time rows * in^2; 256 rows as scratch.
template <class T, class E, class L, class Parallel = serial, class Progress = no_progress>
[[nodiscard]] status accumulate(tensor_view<T, E, L> inputs, hessian& h,
                                const Parallel& parallel = {},
                                const Progress& progress = {}) noexcept {
  static_assert(detail::is_float<T>, "pare: inputs of a layer are float");
  static_assert(E::rank() == 2, "pare: inputs of a layer are [rows, in]");
  const index_t rows = static_cast<index_t>(inputs.extent(0)), in = h.inputs();
  if (static_cast<index_t>(inputs.extent(1)) != in) {
    return {status_code::shape_mismatch, "the Hessian is not that of so many inputs", "inputs"};
  }
  if (rows == 0 || in == 0) return {};
  const auto range = detail::range_of(detail::input(inputs), "inputs");
  if (!range) return range.error();
  float most = 0.0f;
  for (index_t i = 0; i < in; ++i) most = detail::max(most, h.gram(i, i));
  const double largest = double{detail::max(range->max, -range->min)};
  if (double{most} + largest * largest * static_cast<double>(rows) >
      double{std::numeric_limits<float>::max()}) {
    return {status_code::overflow, "a sum of squares leaves the range of float", "inputs"};
  }

  constexpr index_t most_rows = 256;
  auto some = tensor<float, 2>::create(dextents<index_t, 2>(detail::min(rows, most_rows), in));
  if (!some) return some.error();
  for (index_t first = 0; first < rows; first += most_rows) {
    const index_t count = detail::min(most_rows, rows - first);
    detail::gather_rows(inputs, first, count, some->data(), h);
    PARE_RETURN_IF_ERROR(detail::add_gram(some->data(), count, parallel, h.gram));
    h.rows += count;
    progress(static_cast<double>(first + count) / static_cast<double>(rows));
  }
  return {};
}

/// Adds what was seen elsewhere, for calibration that is split over threads or processes.
///
/// @return `shape_mismatch`, `non_finite` or `overflow` for the sums of squares; `h` is then
///         untouched
[[nodiscard]] inline status merge(const hessian& other, hessian& h) noexcept {
  const index_t in = h.inputs();
  if (other.inputs() != in) {
    return {status_code::shape_mismatch, "the Hessian is not that of so many inputs", "other"};
  }
  if (other.rows == 0) return {};
  PARE_RETURN_IF_ERROR(detail::check_hessian(other, in));
  for (index_t i = 0; i < in; ++i) {
    if (!detail::is_finite(other.gram(i, i) + h.gram(i, i))) {
      return {status_code::overflow, "a sum of squares leaves the range of float", "other"};
    }
  }
  for (index_t i = 0; i < in * in; ++i) h.gram.data()[i] += other.gram.data()[i];
  for (index_t i = 0; i < in; ++i) {
    h.sums(i) += other.sums(i);
    h.magnitudes(i) += other.magnitudes(i);
    h.largest(i) = detail::max(h.largest(i), other.largest(i));
  }
  h.rows += other.rows;
  return {};
}

/// The same inputs with their means taken away: n times the covariance in place of X^T X, and sums
/// of 0.
///
/// What the mean of the inputs does to the outputs, the layer's bias can take back
/// (`correct_bias`): codes that are then chosen by the covariance leave less error.
///
/// @return `empty` where no rows have been seen, `out_of_memory`
[[nodiscard]] inline result<hessian> centered(const hessian& h) noexcept {
  const index_t in = h.inputs();
  PARE_RETURN_IF_ERROR(detail::check_hessian(h, in));
  auto without_mean = hessian::create(in);
  if (!without_mean) return without_mean;
  without_mean->rows = h.rows;
  for (index_t i = 0; i < in; ++i) {
    without_mean->magnitudes(i) = h.magnitudes(i);
    without_mean->largest(i) = h.largest(i);
    const double mean = h.sums(i) / static_cast<double>(h.rows);
    for (index_t j = 0; j < in; ++j) {
      const double moment = double{h.gram(i, j)} - mean * h.sums(j);
      // What is left of the square of a constant is rounding error.
      const bool is_error = i == j && moment < 1e-6 * double{h.gram(i, j)};
      without_mean->gram(i, j) = is_error ? 0.0f : static_cast<float>(moment);
    }
  }
  return without_mean;
}

/// The mean squared error of a layer's outputs, over all outputs and all rows that `h` has seen,
/// that changing the weights causes: tr(D X^T X D^T) / (rows * out) with D the difference.
///
/// @param w        [out, in] of float, any layout
/// @param changed  as `w`
/// @param h        sums of the layer's inputs
/// @return `shape_mismatch`, `empty`, `non_finite`, `out_of_memory`
///
/// Time out * in^2.
template <class T, class E, class L, class U, class F, class M, class Parallel = serial>
[[nodiscard]] result<double> output_error(tensor_view<T, E, L> w, tensor_view<U, F, M> changed,
                                          const hessian& h,
                                          const Parallel& parallel = {}) noexcept {
  static_assert(detail::is_float<T> && detail::is_float<U>, "pare: weights are float");
  static_assert(E::rank() == 2 && F::rank() == 2, "pare: weights are [out, in]");
  const index_t out = static_cast<index_t>(w.extent(0)), in = static_cast<index_t>(w.extent(1));
  PARE_RETURN_IF_ERROR(detail::check_hessian(h, in));
  if (!detail::same_shape(w, changed)) {
    return {status_code::shape_mismatch, "both weights have the same shape", "changed"};
  }
  if (out == 0) return {status_code::empty, "a layer without outputs has no error", "w"};
  PARE_RETURN_IF_ERROR(detail::check_finite(detail::input(w), "w"));
  PARE_RETURN_IF_ERROR(detail::check_finite(detail::input(changed), "changed"));

  constexpr index_t tile = 64;
  auto sums = tensor<double, 1>::create(dextents<index_t, 1>(out));
  if (!sums) return sums.error();
  const detail::const_row_major_map gram(h.gram.data(), in, in, Eigen::OuterStride<>(in));
  PARE_RETURN_IF_ERROR(detail::run_parallel(parallel, detail::ceil_div(out, tile), [&](index_t t) {
    const index_t first = t * tile, rows = detail::min(tile, out - first);
    detail::row_major_matrix difference(rows, in);
    for (index_t r = 0; r < rows; ++r) {
      for (index_t i = 0; i < in; ++i) {
        difference(r, i) = changed(first + r, i) - w(first + r, i);
      }
    }
    const detail::row_major_matrix product = difference * gram;
    for (index_t r = 0; r < rows; ++r) {
      for (index_t i = 0; i < in; ++i) {
        (*sums)(first + r) += double{product(r, i)} * double{difference(r, i)};
      }
    }
  }));
  double sum = 0.0;
  for (const double of_output : *sums) sum += of_output;
  return detail::max(sum, 0.0) / (static_cast<double>(h.rows) * static_cast<double>(out));
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_HESSIAN_HPP
