// Views as `std::span` and `std::mdspan` and back, where the standard library has them.
#ifndef PARE_CORE_STD_VIEWS_HPP
#define PARE_CORE_STD_VIEWS_HPP

#include <pare/core/tensor_view.hpp>

#if defined(__has_include)
#if __has_include(<version>)
#include <version>
#endif
#endif
#ifdef __cpp_lib_span
#include <span>
#endif
#ifdef __cpp_lib_mdspan
#include <array>
#include <mdspan>
#endif

namespace pare {

#ifdef __cpp_lib_span
/// A contiguous vector view as a span, its extent static where the view's is.
template <class T, class E, class L,
          std::enable_if_t<E::rank() == 1 && !std::is_same_v<L, layout_stride>, int> = 0>
constexpr auto to_span(const tensor_view<T, E, L>& v) noexcept {
  return std::span<T, E::static_extent(0)>(v.data_handle(), static_cast<std::size_t>(v.extent(0)));
}

/// A view of the elements of a span.
template <class T, std::size_t N>
constexpr auto view(std::span<T, N> s) noexcept {
  using shape = extents<index_t, N>;
  return tensor_view<T, shape>(s.data(), shape(static_cast<index_t>(s.size())));
}
#endif

#ifdef __cpp_lib_mdspan
namespace detail {

template <class>
struct std_extents;
template <class I, std::size_t... E>
struct std_extents<extents<I, E...>> {
  using type = std::extents<I, E...>;  // both name an unknown extent by size_t(-1)
};
template <class>
struct pare_extents;
template <class I, std::size_t... E>
struct pare_extents<std::extents<I, E...>> {
  using type = extents<index_t, E...>;
};

}  // namespace detail

/// The same elements, extents and layout as an mdspan.
template <class T, class E, class L>
constexpr auto to_mdspan(const tensor_view<T, E, L>& v) noexcept {
  using shape = typename detail::std_extents<E>::type;
  std::array<typename E::index_type, E::rank()> sizes{}, strides{};
  for (std::size_t r = 0; r < E::rank(); ++r) {
    sizes[r] = v.extent(r);
    strides[r] = v.stride(r);
  }
  if constexpr (std::is_same_v<L, layout_right>) {
    return std::mdspan<T, shape, std::layout_right>(v.data_handle(), shape(sizes));
  } else if constexpr (std::is_same_v<L, layout_left>) {
    return std::mdspan<T, shape, std::layout_left>(v.data_handle(), shape(sizes));
  } else {
    return std::mdspan<T, shape, std::layout_stride>(
        v.data_handle(), std::layout_stride::mapping<shape>(shape(sizes), strides));
  }
}

/// A view of the elements of an mdspan with one of the standard layouts and the default accessor.
template <class T, class E, class L>
constexpr auto view(const std::mdspan<T, E, L>& m) noexcept {
  using shape = typename detail::pare_extents<E>::type;
  shape sizes{};
  typename layout_stride::template mapping<shape>::strides_type strides{};
  if constexpr (E::rank() > 0) {
    index_t given[E::rank()] = {};
    for (std::size_t r = 0; r < E::rank(); ++r) {
      given[r] = static_cast<index_t>(m.extent(r));
      strides[r] = static_cast<index_t>(m.stride(r));
    }
    sizes = shape(given);
  }
  if constexpr (std::is_same_v<L, std::layout_right>) {
    return tensor_view<T, shape>(m.data_handle(), sizes);
  } else if constexpr (std::is_same_v<L, std::layout_left>) {
    return tensor_view<T, shape, layout_left>(m.data_handle(), sizes);
  } else {
    using result_view = tensor_view<T, shape, layout_stride>;
    return result_view(m.data_handle(), typename result_view::mapping_type(sizes, strides));
  }
}
#endif

}  // namespace pare

#endif  // PARE_CORE_STD_VIEWS_HPP
