// Visits several views of one shape together, in row-major order, whatever their layouts.
#ifndef PARE_PRUNE_DETAIL_ZIP_HPP
#define PARE_PRUNE_DETAIL_ZIP_HPP

#include <pare/core/tensor_view.hpp>

namespace pare::detail {
inline namespace PARE_ABI {

/// A place in a view.
template <class View>
struct zip_cursor {
  const View* view;
  index_t offset;

  constexpr PARE_ALWAYS_INLINE auto& element() const noexcept {
    return view->data_handle()[offset];
  }
  constexpr PARE_ALWAYS_INLINE zip_cursor moved(std::size_t axis, index_t by) const noexcept {
    return {view, offset + by * static_cast<index_t>(view->stride(axis))};
  }
};

template <std::size_t R, class F, class First, class... Rest>
constexpr PARE_ALWAYS_INLINE bool visit_zip(F& f, zip_cursor<First> first,
                                            zip_cursor<Rest>... rest) {
  if constexpr (R == First::rank()) {
    return f(first.element(), rest.element()...);
  } else {
    const auto n = static_cast<index_t>(first.view->extent(R));
    for (index_t i = 0; i < n; ++i) {
      if (!visit_zip<R + 1>(f, first.moved(R, i), rest.moved(R, i)...)) return false;
    }
    return true;
  }
}

/// f(elements...) until it returns false. Returns whether all elements were visited.
template <class F, class First, class... Rest>
constexpr bool zip_while(F f, const First& first, const Rest&... rest) {
  PARE_ASSERT((same_shape(first, rest) && ...), "all views must have the same shape");
  return visit_zip<0>(f, zip_cursor<First>{&first, 0}, zip_cursor<Rest>{&rest, 0}...);
}

/// f(elements...) for all.
template <class F, class First, class... Rest>
constexpr void zip(F f, const First& first, const Rest&... rest) {
  zip_while([&f](auto&... elements) { return f(elements...), true; }, first, rest...);
}

}  // namespace PARE_ABI
}  // namespace pare::detail

#endif  // PARE_PRUNE_DETAIL_ZIP_HPP
