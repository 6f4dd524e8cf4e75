// Codes with a scale for each block of consecutive indices along one axis, of any rank: real =
// (code - zero_point) * scale.
//
// ONNX QuantizeLinear and DequantizeLinear, version 21, attribute block_size.
#ifndef PARE_FORMAT_BLOCKED_HPP
#define PARE_FORMAT_BLOCKED_HPP

#include <pare/core/checked.hpp>
#include <pare/core/tensor_view.hpp>

namespace pare {

/// Blocked codes that live elsewhere.
///
/// @tparam Code     std::int8_t or std::uint8_t
/// @tparam Extents  shape of the codes
template <class Code, class Extents, class Layout = layout_right>
struct blocked_view {
  /// The shape of the codes, but ceil(extent / block) along the axis.
  using parameters = dextents<index_t, Extents::rank()>;

  tensor_view<const Code, Extents, Layout> codes;
  tensor_view<const float, parameters> scales;
  tensor_view<const std::int32_t, parameters> zero_points;  ///< as scales; none where all are 0
  int axis = 0;
  index_t block = 32;  ///< indices that share a scale, at least 1; the last block may have fewer
};

}  // namespace pare

#endif  // PARE_FORMAT_BLOCKED_HPP
