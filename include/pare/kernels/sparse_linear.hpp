// y = act(x * W^T + bias) with sparse f32 weights in compressed rows: how a pruned layer runs.
#ifndef PARE_KERNELS_SPARSE_LINEAR_HPP
#define PARE_KERNELS_SPARSE_LINEAR_HPP

#include <pare/core/checked.hpp>
#include <pare/core/parallel.hpp>
#include <pare/format/activation.hpp>
#include <pare/format/csr.hpp>
#include <pare/kernels/linear_shapes.hpp>

namespace pare {
namespace detail {
inline namespace PARE_ABI {

/// `Rows` rows of x at a time, so that each non-zero and its index are read once for all of them;
/// and `Chains` non-zeros at a time, so that additions need not wait for each other.
template <int Rows, int Chains>
void sparse_rows(const float* x, index_t x_stride, const csr_view<float>& w, const float* bias,
                 float* y, index_t y_stride, activation_range range) noexcept {
  for (index_t out = 0; out < w.rows; ++out) {
    float sums[Chains][Rows] = {};
    std::uint32_t i = w.row_offsets[out];
    const std::uint32_t last = w.row_offsets[out + 1];
    for (; last - i >= Chains; i += Chains) {
      PARE_UNROLL for (std::uint32_t j = 0; j < Chains; ++j) {
        const float value = w.values[i + j];
        const float* at = x + w.column_indices[i + j];
        PARE_UNROLL for (int row = 0; row < Rows; ++row) sums[j][row] += value * at[row * x_stride];
      }
    }
    for (; i < last; ++i) {
      const float value = w.values[i];
      const float* at = x + w.column_indices[i];
      PARE_UNROLL for (int row = 0; row < Rows; ++row) sums[0][row] += value * at[row * x_stride];
    }
    PARE_UNROLL for (int row = 0; row < Rows; ++row) {
      float sum = sums[0][row];
      PARE_UNROLL for (int j = 1; j < Chains; ++j) sum += sums[j][row];
      if (bias != nullptr) sum += bias[out];
      y[row * y_stride + out] = clamp(sum, range.low, range.high);
    }
  }
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// y = act(x * W^T + bias), W sparse.
///
/// @param x             [rows, in]; columns side by side, rows any stride apart
/// @param w             [out, in]; trusted: see `validate(csr_view)` for matrices from files
/// @param bias          [out], or empty
/// @param y             [rows, out]; as x; must not overlap x
/// @param act           what follows
/// @param parallel_for  see core/parallel.hpp
/// @return `shape_mismatch`, or `unsupported` where columns lie apart; y is then untouched
///
/// Sums are float: the same bits for any number of threads. Never allocates.
template <class EX, class LX, class X, class EY, class LY, class Parallel = serial>
status linear(const tensor_view<X, EX, LX>& x, const csr_view<float>& w,
              vector_view<const float> bias, const tensor_view<float, EY, LY>& y,
              activation act = activation::none, const Parallel& parallel_for = {}) noexcept {
  static_assert(std::is_same_v<std::remove_const_t<X>, float>,
                "pare: activations of a sparse layer are float");
  PARE_RETURN_IF_ERROR(detail::check_linear_shapes(x, w.columns, w.rows, y));
  PARE_RETURN_IF_ERROR(detail::check_bias(bias, w.rows));
  constexpr index_t block = 8;
  const index_t rows = x.extent(0);
  const float* biases = bias.empty() ? nullptr : bias.data_handle();
  const detail::activation_range range = detail::range_of(act);
  parallel_for(detail::ceil_div(rows, block), [&](index_t i) {
    const index_t first = i * block, last = detail::min(rows, first + block);
    const auto x_row = [&](index_t row) { return x.data_handle() + row * x.stride(0); };
    const auto y_row = [&](index_t row) { return y.data_handle() + row * y.stride(0); };
    if (last - first == block) {
      return detail::sparse_rows<block, 1>(x_row(first), x.stride(0), w, biases, y_row(first),
                                           y.stride(0), range);
    }
    for (index_t row = first; row < last; ++row) {
      detail::sparse_rows<1, 4>(x_row(row), x.stride(0), w, biases, y_row(row), y.stride(0), range);
    }
  });
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_KERNELS_SPARSE_LINEAR_HPP
