// Codes with a scale for each group of consecutive inputs: real = (code - zero_point) * scale.
//
// What GPTQ and AWQ write, what ONNX MatMulNBits takes and what the blocks Q4_0, Q4_1 and Q8_0 of
// ggml are: 32 to 128 weights of one output share a 16-bit scale.
#ifndef PARE_FORMAT_GROUPED_HPP
#define PARE_FORMAT_GROUPED_HPP

#include <pare/core/checked.hpp>
#include <pare/core/small_float.hpp>
#include <pare/core/tensor_view.hpp>

namespace pare {

/// Grouped codes that live elsewhere.
///
/// @tparam Scale    half or float
/// @tparam Extents  shape of the codes, [out, in]
template <class Scale, class Extents, class Layout = layout_right>
struct grouped_view {
  tensor_view<const std::int8_t, Extents, Layout> codes;
  matrix_view<const Scale> scales;             ///< [out, ceil(in / group)], finite, of either sign
  matrix_view<const std::int8_t> zero_points;  ///< as scales; none where all are 0
  index_t group = 32;                          ///< inputs that share a scale; the last may be fewer

  /// Groups of a row.
  constexpr PARE_ALWAYS_INLINE index_t groups() const noexcept {
    return detail::ceil_div(codes.extent(1), group);
  }
};

}  // namespace pare

#endif  // PARE_FORMAT_GROUPED_HPP
