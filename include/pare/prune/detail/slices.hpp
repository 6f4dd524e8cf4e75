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

}  // namespace PARE_ABI
}  // namespace pare::detail

#endif  // PARE_PRUNE_DETAIL_SLICES_HPP
