// A frame of one code around a tensor: TensorFlow Lite's PAD and PADV2.
//
//     pare::pad(x, {{0, 0}, {1, 1}, {1, 1}, {0, 0}}, zero_point, y);
#ifndef PARE_KERNELS_PAD_HPP
#define PARE_KERNELS_PAD_HPP

#include <pare/format/code_limits.hpp>
#include <pare/kernels/copy_codes.hpp>

namespace pare {

/// Elements before and after one axis.
struct axis_padding {
  index_t before = 0;
  index_t after = 0;
};

namespace detail {
inline namespace PARE_ABI {

template <class X, class Y>
status check_pad(const X& x, const axis_padding* pads, const Y& y) noexcept {
  for (std::size_t r = 0; r < X::rank(); ++r) {
    const auto axis = static_cast<index_t>(r);
    if (pads[r].before < 0 || pads[r].after < 0) {
      return {status_code::out_of_range, "padding is not negative", "pads", position_kind::axis,
              axis};
    }
    index_t size = 0;
    if (!checked_add(x.extent(r), pads[r].before, size) ||
        !checked_add(size, pads[r].after, size)) {
      return {status_code::overflow, "the padded axis does not fit the index type", "pads",
              position_kind::axis, axis};
    }
    if (y.extent(r) != size) {
      return {status_code::shape_mismatch, "y must have the shape of x and its padding", "y",
              position_kind::axis, axis};
    }
  }
  PARE_RETURN_IF_ERROR(check_unit_run(x, "x"));
  return check_unit_run(y, "y");
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// y = x with `value` around it.
///
/// @param x             s8 or u8, rank at least 1; elements along the last axis side by side, other
///                      axes any stride apart
/// @param pads          for each axis, not negative
/// @param value         the code around x: the zero point, for reals of 0
/// @param y             [pads.before + extent of x + pads.after] along each axis; as x; must not
///                      overlap x
/// @param parallel_for  see core/parallel.hpp
/// @return `out_of_range` or `overflow` for the padding, `shape_mismatch`, or `unsupported` where
///         elements of the last axis lie apart; y is then untouched
///
/// Writes each code of y once.
template <class X, class EX, class LX, std::size_t Rank, class Y, class EY, class LY,
          class Parallel = serial>
status pad(const tensor_view<X, EX, LX>& x, const axis_padding (&pads)[Rank],
           std::remove_const_t<X> value, const tensor_view<Y, EY, LY>& y,
           const Parallel& parallel_for = {}) noexcept {
  static_assert(EX::rank() == Rank && EY::rank() == Rank, "pare: one padding for each axis");
  static_assert(detail::is_code_type<Y> && std::is_same_v<std::remove_const_t<X>, Y>,
                "pare: x and y both have codes of std::int8_t or std::uint8_t");
  const detail::any_view<const Y, Rank> from(x);
  const detail::any_view<Y, Rank> whole(y);
  PARE_RETURN_IF_ERROR(detail::check_pad(from, pads, whole));
  // From the outermost axis on: what lies before and after x along the axis, between what is done.
  index_t first[Rank] = {}, shape[Rank] = {};
  for (std::size_t r = 0; r < Rank; ++r) shape[r] = whole.extent(r);
  for (std::size_t r = 0; r < Rank; ++r) {
    shape[r] = pads[r].before;
    detail::fill_codes(detail::part_of(whole, first, shape), value, parallel_for);
    first[r] = pads[r].before + from.extent(r);
    shape[r] = pads[r].after;
    detail::fill_codes(detail::part_of(whole, first, shape), value, parallel_for);
    first[r] = pads[r].before;
    shape[r] = from.extent(r);
  }
  detail::copy_codes(from, detail::part_of(whole, first, shape), parallel_for);
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_KERNELS_PAD_HPP
