// Slices along an axis that is known at run time only: the filters, channels or neurons of weights
// of any rank.
#ifndef PARE_PRUNE_DETAIL_SLICES_HPP
#define PARE_PRUNE_DETAIL_SLICES_HPP

#include <pare/core/status.hpp>
#include <pare/core/tensor_view.hpp>

namespace pare::detail {

inline namespace PARE_ABI {

/// The slices first, first + 1, ... first + count - 1 along `axis`, as a view of the same rank.
template <class T, class E, class L>
constexpr auto slices_of(tensor_view<T, E, L> v, int axis, index_t first, index_t count) noexcept {
  static_assert(E::rank() > 0, "pare: a scalar has no slices");
  using shape = dextents<index_t, E::rank()>;
  using sliced = tensor_view<T, shape, layout_stride>;
  const auto along = static_cast<std::size_t>(axis);
  index_t sizes[E::rank()] = {};
  typename layout_stride::template mapping<shape>::strides_type strides{};
  for (std::size_t r = 0; r < E::rank(); ++r) {
    sizes[r] = r == along ? count : static_cast<index_t>(v.extent(r));
    strides[r] = static_cast<index_t>(v.stride(r));
  }
  // A view without elements may have a null pointer, which must not move.
  const index_t offset = v.empty() ? 0 : first * strides[along];
  return sliced(v.data_handle() + offset, typename sliced::mapping_type(shape(sizes), strides));
}

/// Whether `kept` names some of `count` slices, each once and rising.
template <class I, class E, class L>
[[nodiscard]] status check_kept(tensor_view<I, E, L> kept, index_t count) noexcept {
  static_assert(E::rank() == 1 && std::is_integral_v<I>,
                "pare: kept indices are a vector of integers");
  index_t previous = -1;
  for (index_t i = 0; i < static_cast<index_t>(kept.extent(0)); ++i) {
    const auto k = static_cast<index_t>(kept(i));
    if (k < 0 || k >= count) {
      return {status_code::out_of_range, "a kept index lies beyond the extent of its axis", "kept",
              position_kind::element, i};
    }
    if (k <= previous) {
      return {status_code::invalid_argument, "kept indices rise, and none comes twice", "kept",
              position_kind::element, i};
    }
    previous = k;
  }
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare::detail

#endif  // PARE_PRUNE_DETAIL_SLICES_HPP
