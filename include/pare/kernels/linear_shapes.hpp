// The checks of shapes and strides that every form of `linear` begins with.
#ifndef PARE_KERNELS_LINEAR_SHAPES_HPP
#define PARE_KERNELS_LINEAR_SHAPES_HPP

#include <pare/core/status.hpp>
#include <pare/core/tensor_view.hpp>

namespace pare::detail {
inline namespace PARE_ABI {

/// Whether the elements of a row lie side by side.
template <class View>
constexpr PARE_CHOICE_INLINE bool has_unit_columns(const View& v) noexcept {
  return v.extent(1) <= 1 || v.stride(1) == 1;
}

/// x [rows, in], y [rows, out], columns side by side.
template <class X, class Y>
constexpr PARE_CHOICE_INLINE status check_linear_shapes(const X& x, index_t in_features,
                                                        index_t out_features, const Y& y) noexcept {
  static_assert(X::rank() == 2 && Y::rank() == 2, "pare: activations are [rows, features]");
  if (x.extent(1) != in_features) {
    return {status_code::shape_mismatch, "the columns of x must be the layer's inputs", "x",
            position_kind::axis, 1};
  }
  if (y.extent(1) != out_features) {
    return {status_code::shape_mismatch, "the columns of y must be the layer's outputs", "y",
            position_kind::axis, 1};
  }
  if (x.extent(0) != y.extent(0)) {
    return {status_code::shape_mismatch, "x and y must have the same number of rows", "y",
            position_kind::axis, 0};
  }
  if (!has_unit_columns(x) || !has_unit_columns(y)) {
    return {status_code::unsupported,
            "the columns of a row must lie side by side; rows may lie apart",
            has_unit_columns(x) ? "y" : "x", position_kind::axis, 1};
  }
  return {};
}

template <class Bias>
constexpr status check_bias(const Bias& bias, index_t out_features) noexcept {
  if (!bias.empty() && bias.extent(0) != out_features) {
    return {status_code::shape_mismatch, "there must be one bias for each output, or none", "bias"};
  }
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare::detail

#endif  // PARE_KERNELS_LINEAR_SHAPES_HPP
