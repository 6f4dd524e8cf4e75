// Codebooks: each code is the index of a value, one list of values for a tensor or one for each slice
// along an axis.
//
// Han, Mao and Dally, "Deep Compression", 2016, arXiv:1510.00149.
#ifndef PARE_FORMAT_CODEBOOK_HPP
#define PARE_FORMAT_CODEBOOK_HPP

#include <pare/core/tensor_view.hpp>
#include <pare/format/affine.hpp>

namespace pare {

/// Codes and their values that live elsewhere: real = levels(channel, code).
///
/// @tparam Extents  shape of the codes
template <class Extents, class Layout = layout_right>
struct codebook_view {
  tensor_view<const std::uint8_t, Extents, Layout> codes;
  matrix_view<const float> levels;  ///< [1 or indices along `axis`, 1 to 256], rising in a row
  int axis = per_tensor;

  /// The values of slice `i` along the axis; `i` is ignored per tensor.
  constexpr PARE_ALWAYS_INLINE const float* levels_of(index_t i) const noexcept {
    return levels.data_handle() + (axis == per_tensor ? 0 : i * levels.extent(1));
  }
};

}  // namespace pare

#endif  // PARE_FORMAT_CODEBOOK_HPP
