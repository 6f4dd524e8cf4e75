// Affine codes: real = (code - zero_point) * scale, one scale for a tensor or one for each slice
// along an axis.
//
// Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
// Inference", 2018, arXiv:1712.05877.
#ifndef PARE_FORMAT_AFFINE_HPP
#define PARE_FORMAT_AFFINE_HPP

#include <pare/core/rounding.hpp>
#include <pare/core/status.hpp>
#include <pare/core/tensor_view.hpp>

namespace pare {

/// How codes map to reals: real = (code - zero_point) * scale.
struct affine_params {
  float scale = 1.0f;           ///< positive, finite
  std::int32_t zero_point = 0;  ///< the code of 0.0, within the range of the code type
};

/// For an `axis`: one scale for the whole tensor.
inline constexpr int per_tensor = -1;

/// Affine codes that live elsewhere.
///
/// @tparam Code     std::int8_t or std::uint8_t
/// @tparam Extents  shape of the codes
template <class Code, class Extents, class Layout = layout_right>
struct affine_view {
  tensor_view<const Code, Extents, Layout> codes;
  vector_view<const float> scales;              ///< one, or one for each index along `axis`
  vector_view<const std::int32_t> zero_points;  ///< as many as scales; none where all are 0
  int axis = per_tensor;

  /// The parameters of slice `i` along the axis; `i` is ignored per tensor.
  constexpr PARE_ALWAYS_INLINE affine_params params(index_t i) const noexcept {
    const index_t at = axis == per_tensor ? 0 : i;
    return {scales[at], zero_points.empty() ? 0 : zero_points[at]};
  }
};

/// Whether a scale can divide and multiply: positive, finite, and neither is lost in its inverse.
constexpr PARE_ALWAYS_INLINE bool is_valid_scale(float scale) noexcept {
  return detail::is_finite(scale) && scale > 0.0f && detail::is_finite(1.0f / scale);
}

}  // namespace pare

#endif  // PARE_FORMAT_AFFINE_HPP
