// Grouped codes with a real number for each group beside the scale: real = code * scale + offset.
//
// What zero points that are no codes come to, as HQQ finds them (offset = -zero * scale), and the blocks
// Q4_1 and Q4_K of ggml, whose offset is the least weight.
#ifndef PARE_FORMAT_OFFSET_GROUPED_HPP
#define PARE_FORMAT_OFFSET_GROUPED_HPP

#include <pare/format/grouped.hpp>
#include <pare/format/packed_grouped_linear.hpp>

namespace pare {

/// Grouped codes with offsets that live elsewhere.
///
/// @tparam Scale    half or float
/// @tparam Extents  shape of the codes, [out, in]
template <class Scale, class Extents, class Layout = layout_right>
struct offset_grouped_view {
  grouped_view<Scale, Extents, Layout> codes;
  matrix_view<const float> offsets;  ///< [out, ceil(in / group)], finite
};

/// A packed layer that lives elsewhere: made by `pack_offset_grouped_linear`, taken by `linear`.
struct packed_offset_grouped_linear_view {
  packed_grouped_linear_view base;  ///< of the codes; without activation
  const float* offsets = nullptr;   ///< [groups, columns of whole panels]
  activation act = activation::none;

  /// From the offsets of a group to those of the next.
  constexpr PARE_ALWAYS_INLINE index_t offset_stride() const noexcept {
    return detail::round_up(base.out_features, base.tile_columns);
  }
};

}  // namespace pare

#endif  // PARE_FORMAT_OFFSET_GROUPED_HPP
