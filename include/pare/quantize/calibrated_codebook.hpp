// A codebook for a whole layer, with codes, values and the bias that leave the least output error: the
// fewest bytes for the error, above all with 2 and 3 bits.
//
//  1. The bias takes what the mean of the inputs does (bias_correction.hpp).
//  2. The values start as those of k-means (codebook.hpp), the codes as those of GPTQ in activation
//     order (gptq.hpp).
//  3. In turn, codes by coordinate descent (refine.hpp) and all values at once by least squares of the
//     outputs, as Choi et al., "Towards the Limit of Network Quantization", 2017, arXiv:1612.01543,
//     weigh their centroids by the Hessian; here with all of it and not the diagonal alone.
#ifndef PARE_QUANTIZE_CALIBRATED_CODEBOOK_HPP
#define PARE_QUANTIZE_CALIBRATED_CODEBOOK_HPP

#include <utility>
#include <vector>

#include <Eigen/Cholesky>

#include <pare/quantize/bias_correction.hpp>
#include <pare/quantize/codebook.hpp>
#include <pare/quantize/gptq.hpp>
#include <pare/quantize/refine.hpp>

namespace pare {

struct calibrated_codebook_options {
  codebook start = {16, per_tensor, codebook_search::density};  ///< `axis` is not used
  double damping = 0.01;                                        ///< as `gptq_options` has it
  int rounds = 8;   ///< of codes and values, at most; ends where the error does not fall
  int sweeps = 10;  ///< over the codes in each round, as `refine_options` has it
};

/// A layer's weights and bias, quantized by what its inputs are.
struct calibrated_codebook_layer {
  codebook_tensor<2> weights;  ///< one codebook
  tensor<float, 1> bias;       ///< [out]
};

namespace detail {
inline namespace PARE_ABI {

/// The normal equations of the values: `products` [levels, levels] and `targets` [levels], sums over
/// tiles of outputs.
struct level_equations {
  using matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic>;
  using vector = Eigen::Matrix<double, Eigen::Dynamic, 1>;

  index_t levels;
  matrix products = matrix::Zero(levels, levels);
  vector targets = vector::Zero(levels);

  explicit level_equations(index_t count) : levels(count) {}

  /// One output with weights w and its codes.
  template <class Row>
  void add(const Row& w, const std::uint8_t* codes, const tensor<float, 2>& gram,
           row_major_matrix& seen) {
    const index_t in = gram.extent(0);
    // seen(c, i): the sum of the rows of the Hessian whose code is c.
    seen.setZero(levels, in);
    for (index_t i = 0; i < in; ++i) {
      seen.row(codes[i]) += Eigen::Map<const Eigen::RowVectorXf>(gram.data() + i * in, in);
    }
    for (index_t i = 0; i < in; ++i) {
      const auto column = seen.col(i).cast<double>();
      products.col(codes[i]) += column;
      targets += static_cast<double>(w(i)) * column;
    }
  }

  /// Rising values with the least error; false where there are none, and `values` is untouched.
  bool solve(float* values) const {
    const vector before = Eigen::Map<const Eigen::VectorXf>(values, levels).cast<double>();
    matrix damped = (products + products.transpose()) / 2;
    damped.diagonal().array() += 1e-9 * damped.trace() / static_cast<double>(levels) + 1e-300;
    const vector after = before + damped.ldlt().solve(targets - products * before);
    for (index_t c = 0; c < levels; ++c) {
      const auto value = static_cast<float>(after(c));
      if (!is_finite(value) || (c > 0 && !(static_cast<float>(after(c - 1)) <= value)))
        return false;
    }
    for (index_t c = 0; c < levels; ++c) values[c] = static_cast<float>(after(c));
    return true;
  }
};

/// The least-squares values for the codes of q. False where they stay.
template <class View, class Parallel>
result<bool> move_levels(const View& w, const tensor<float, 2>& gram,
                         const grid_tensor<level_grid>& q, tensor<float, 2>& levels,
                         const Parallel& parallel) noexcept {
  const index_t out = w.extent(0), count = levels.extent(1);
  const index_t tile = clamp(ceil_div(out, index_t{16}), index_t{1}, index_t{64});
  const index_t tiles = ceil_div(out, tile);
  bool moved = false;
  status done;
  const bool enough = has_memory_for([&] {
    std::vector<level_equations> parts(static_cast<std::size_t>(tiles), level_equations(count));
    done = run_parallel(parallel, tiles, [&](index_t t) {
      row_major_matrix seen;
      for (index_t r = t * tile; r < min((t + 1) * tile, out); ++r) {
        parts[static_cast<std::size_t>(t)].add([&](index_t i) { return w(r, i); },
                                               q.codes.data() + r * q.codes.extent(1), gram, seen);
      }
    });
    level_equations all(count);
    for (const level_equations& part : parts) {
      all.products += part.products;
      all.targets += part.targets;
    }
    moved = all.solve(levels.data());
  });
  if (!enough) return short_of_memory().error();
  PARE_RETURN_IF_ERROR(done);
  return moved;
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Quantizes a layer to one codebook by its inputs.
///
///     pare::calibrated_codebook_options options;
///     options.start.levels = 4;  // 2 bits
///     const auto l = pare::quantize_calibrated_codebook(w.view(), bias.view(), h, options).value();
///
/// @param w     [out, in], any layout, finite
/// @param bias  [out], or none (`{}`) for zeros
/// @param h     sums of the layer's inputs
/// @return as `quantize_codebook`, `gptq` and `correct_bias`
///
/// Time that of GPTQ, and out * in^2 twice for each round.
template <class T, class E, class L, class Parallel = serial>
[[nodiscard]] result<calibrated_codebook_layer> quantize_calibrated_codebook(
    tensor_view<T, E, L> w, channel_view<const float> bias, const hessian& h,
    calibrated_codebook_options options = {}, const Parallel& parallel = {}) noexcept {
  static_assert(detail::is_float<T> && E::rank() == 2, "pare: weights are [out, in] of float");
  const index_t out = static_cast<index_t>(w.extent(0));
  if (bias.extent(0) != out && bias.extent(0) != 0) {
    return {status_code::shape_mismatch, "there is one bias for each output, or none", "bias"};
  }
  if (options.rounds < 0) {
    return {status_code::out_of_range, "the number of rounds is not negative", "rounds"};
  }
  const auto covariance = centered(h);
  if (!covariance) return covariance.error();
  options.start.axis = per_tensor;
  auto book = quantize_codebook(w, options.start, nullptr, parallel);
  if (!book) return book.error();
  gptq_options rounding;
  rounding.order = input_order::activation;
  rounding.damping = options.damping;
  // The grids of q point to the levels, and follow them.
  const codebook_scheme scheme{book->levels.data(),
                               static_cast<std::int32_t>(options.start.levels)};
  auto q = gptq(w, *covariance, scheme, rounding, parallel);
  if (!q) return q.error();
  auto values = dequantize(*q);
  if (!values) return values.error();
  auto least = output_error(w, values->view(), *covariance, parallel);
  if (!least) return least.error();
  refine_options codes_only;
  codes_only.sweeps = options.sweeps;
  codes_only.scales = scale_change::none;
  for (int round = 0; round < options.rounds; ++round) {
    PARE_RETURN_IF_ERROR(refine(w, *covariance, *q, codes_only, parallel));
    auto before = tensor<float, 2>::copy_of(book->levels.view());
    if (!before) return before.error();
    const auto moved =
        detail::move_levels(detail::input(w), covariance->gram, *q, book->levels, parallel);
    if (!moved) return moved.error();
    PARE_RETURN_IF_ERROR(dequantize(*q, values->view()));
    const auto left = output_error(w, values->view(), *covariance, parallel);
    if (!left) return left.error();
    if (!(*left < *least)) {
      // The values of the last round stay; the codes are at least as good for them.
      for (index_t c = 0; c < before->size(); ++c) book->levels.data()[c] = before->data()[c];
      break;
    }
    least = *left;
    if (!*moved) break;
  }
  auto corrected = tensor<float, 1>::create(dextents<index_t, 1>(out));
  if (!corrected) return corrected.error();
  for (index_t r = 0; r < bias.extent(0); ++r) (*corrected)(r) = bias[r];
  PARE_RETURN_IF_ERROR(dequantize(*q, values->view()));
  PARE_RETURN_IF_ERROR(correct_bias(w, values->view(), h, corrected->view()));
  book->codes = std::move(q->codes);
  return calibrated_codebook_layer{*std::move(book), *std::move(corrected)};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_CALIBRATED_CODEBOOK_HPP
