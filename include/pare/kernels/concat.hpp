// Tensors of 8-bit codes side by side along one axis, each brought to the scale of the whole.
//
// TensorFlow Lite's CONCATENATION, with the QUANTIZE that its converter puts before inputs of
// another scale (kernels/requantize.hpp).
//
//     const pare::concat_input<std::int8_t, 4> parts[] = {{a.view(), {0.1f, 3}},
//                                                         {b.view(), {0.2f, -7}}};
//     pare::concat(parts, 3, {0.2f, -7}, y);
#ifndef PARE_KERNELS_CONCAT_HPP
#define PARE_KERNELS_CONCAT_HPP

#include <pare/kernels/copy_codes.hpp>
#include <pare/kernels/requantize.hpp>

namespace pare {

/// One of the tensors that are joined, and how its codes map to reals.
///
/// @tparam Code  std::int8_t or std::uint8_t
template <class Code, std::size_t Rank>
struct concat_input {
  /// Elements along the last axis side by side, other axes any stride apart.
  tensor_view<const Code, dextents<index_t, Rank>, layout_stride> codes;
  affine_params params;
};

namespace detail {
inline namespace PARE_ABI {

template <class Code, std::size_t Rank, class Y>
status check_concat(const concat_input<Code, Rank>* inputs, index_t count, int axis,
                    affine_params params, const Y& y) noexcept {
  if (count < 1) return {status_code::empty, "there is nothing to join", "inputs"};
  PARE_RETURN_IF_ERROR(check_axis(axis, Rank));
  PARE_RETURN_IF_ERROR(check_code_params<Code>(params, "params"));
  index_t total = 0;
  for (index_t i = 0; i < count; ++i) {
    const auto& x = inputs[i].codes;
    for (std::size_t r = 0; r < Rank; ++r) {
      if (r != static_cast<std::size_t>(axis) && x.extent(r) != y.extent(r)) {
        return {status_code::shape_mismatch,
                "inputs and y must have the same shape but for the axis", "inputs",
                position_kind::element, i};
      }
    }
    PARE_RETURN_IF_ERROR(check_unit_run(x, "inputs"));
    const auto p = make_requantize_params<Code, Code>(inputs[i].params, params);
    if (!p) {
      return {p.error().code, p.error().message, "inputs", position_kind::element, i};
    }
    if (!checked_add(total, x.extent(static_cast<std::size_t>(axis)), total)) {
      return {status_code::overflow, "the joined axis does not fit the index type", "inputs"};
    }
  }
  if (total != y.extent(static_cast<std::size_t>(axis))) {
    return {status_code::shape_mismatch, "the axis of y must be as long as those of all inputs",
            "y", position_kind::axis, axis};
  }
  return check_unit_run(y, "y");
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// y = the inputs one after another along `axis`, requantized where their scale or zero point is
/// not that of y.
///
/// @param inputs        [count], at least one; the same shape but for the axis
/// @param count         of inputs
/// @param axis          a dimension
/// @param params        of y
/// @param y             elements along the last axis side by side, other axes any stride apart;
///                      must not overlap the inputs
/// @param parallel_for  see core/parallel.hpp
/// @return `empty` for no inputs, `shape_mismatch`, `unsupported` where elements of the last axis
///         lie apart, `out_of_range` for the axis; `non_finite` or `out_of_range` for scales and
///         zero points, with the input's index; y is then untouched
///
/// Rounds as `requantize` does, by `double_rounding`. 256 bytes of stack.
template <class Code, std::size_t Rank, class EY, class LY, class Parallel = serial>
status concat(const concat_input<Code, Rank>* inputs, index_t count, int axis, affine_params params,
              const tensor_view<Code, EY, LY>& y, const Parallel& parallel_for = {}) noexcept {
  static_assert(EY::rank() == Rank, "pare: inputs and y have the same rank");
  const detail::any_view<Code, Rank> whole(y);
  PARE_RETURN_IF_ERROR(detail::check_concat(inputs, count, axis, params, whole));
  index_t first[Rank] = {};
  for (index_t i = 0; i < count; ++i) {
    const auto& x = inputs[i].codes;
    index_t shape[Rank] = {};
    for (std::size_t r = 0; r < Rank; ++r) shape[r] = x.extent(r);
    const auto part = detail::part_of(whole, first, shape);
    const affine_params& from = inputs[i].params;
    if (from.scale == params.scale && from.zero_point == params.zero_point) {
      detail::copy_codes(x, part, parallel_for);
    } else {
      const auto p = make_requantize_params<Code, Code>(from, params);
      detail::requantize_checked(x, *p, part, parallel_for);
    }
    first[axis] += shape[axis];
  }
  return {};
}

/// As above, for an array of inputs.
template <class Code, std::size_t Rank, std::size_t Count, class EY, class LY,
          class Parallel = serial>
status concat(const concat_input<Code, Rank> (&inputs)[Count], int axis, affine_params params,
              const tensor_view<Code, EY, LY>& y, const Parallel& parallel_for = {}) noexcept {
  return concat(inputs, static_cast<index_t>(Count), axis, params, y, parallel_for);
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_KERNELS_CONCAT_HPP
