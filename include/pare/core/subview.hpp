// Parts of a view, without copying: a row, a block, every second column.
//
// After `std::submdspan`, ISO C++26 [mdspan.sub].
#ifndef PARE_CORE_SUBVIEW_HPP
#define PARE_CORE_SUBVIEW_HPP

#include <pare/core/tensor_view.hpp>

namespace pare {

/// Keeps a whole dimension: `subview(m, 3, all)` is row 3.
struct all_t {};
inline constexpr all_t all{};

/// Keeps the indices first, first + 1, ..., last - 1.
struct range {
  index_t first = 0;
  index_t last = 0;
};

/// Keeps the indices first, first + step, ... below last; the step is positive.
struct strided_range {
  index_t first = 0;
  index_t last = 0;
  index_t step = 1;
};

namespace detail {

template <class S>
inline constexpr bool is_index_slice = std::is_integral_v<S> || std::is_enum_v<S>;

/// The extents that remain: static where a whole static dimension is kept.
template <class Extents, std::size_t R, class Kept, class... Slices>
struct sliced_extents;
template <class Extents, std::size_t R, std::size_t... Kept>
struct sliced_extents<Extents, R, std::index_sequence<Kept...>> {
  using type = extents<typename Extents::index_type, Kept...>;
};
template <class Extents, std::size_t R, std::size_t... Kept, class S, class... Rest>
struct sliced_extents<Extents, R, std::index_sequence<Kept...>, S, Rest...> {
  static constexpr std::size_t size =
      std::is_same_v<S, all_t> ? Extents::static_extent(R) : dynamic_extent;
  using kept = std::conditional_t<is_index_slice<S>, std::index_sequence<Kept...>,
                                  std::index_sequence<Kept..., size>>;
  using type = typename sliced_extents<Extents, R + 1, kept, Rest...>::type;
};

/// A row-major view stays one where the slices are indices, then at most one range, then whole
/// dimensions.
template <class... Slices>
constexpr bool keeps_row_major() {
  bool kept = false, row_major = true;
  const auto look = [&](bool index, bool whole, bool unit) {
    if (kept && !whole) row_major = false;
    if (!index) {
      if (!unit) row_major = false;
      kept = true;
    }
  };
  (look(is_index_slice<Slices>, std::is_same_v<Slices, all_t>,
        !std::is_same_v<Slices, strided_range>),
   ...);
  return row_major;
}

struct slice_bounds {
  index_t first, count, step;
};
template <class S>
constexpr PARE_ALWAYS_INLINE slice_bounds bounds_of(const S& slice, index_t extent) noexcept {
  if constexpr (is_index_slice<S>) {
    const index_t i = static_cast<index_t>(slice);
    PARE_ASSERT(i >= 0 && i < extent, "the index of a slice lies beyond the extent");
    return {i, 1, 1};
  } else if constexpr (std::is_same_v<S, all_t>) {
    return {0, extent, 1};
  } else if constexpr (std::is_same_v<S, range>) {
    PARE_ASSERT(slice.first >= 0 && slice.first <= slice.last && slice.last <= extent,
                "a range must lie within the extent");
    return {slice.first, slice.last - slice.first, 1};
  } else {
    static_assert(std::is_same_v<S, strided_range>,
                  "pare: a slice is an index, all, range or strided_range");
    PARE_ASSERT(
        slice.first >= 0 && slice.first <= slice.last && slice.last <= extent && slice.step > 0,
        "a range must lie within the extent and its step must be positive");
    const index_t count = ceil_div(slice.last - slice.first, slice.step);
    return {slice.first, count, count > 1 ? slice.step : 1};  // a step not taken may be any
  }
}

}  // namespace detail

/// A view of a part of `v`: one slice a dimension, each an index (which drops the dimension),
/// `all`, `range` or `strided_range`.
///
///     auto row = subview(m, 3, all);
///     auto even_columns = subview(m, all, strided_range{0, m.extent(1), 2});
///
/// Bounds are checked by PARE_ASSERT. The result is row-major where that can be told from the
/// types, strided otherwise.
template <class T, class Extents, class Layout, class... Slices>
constexpr PARE_ALWAYS_INLINE auto subview(const tensor_view<T, Extents, Layout>& v,
                                          const Slices&... slices) noexcept {
  static_assert(sizeof...(Slices) == Extents::rank(),
                "pare: subview takes one slice for each dimension");
  using kept = typename detail::sliced_extents<Extents, 0, std::index_sequence<>, Slices...>::type;
  using row_major = std::bool_constant<std::is_same_v<Layout, layout_right> &&
                                       detail::keeps_row_major<Slices...>()>;
  using layout = std::conditional_t<row_major::value, layout_right, layout_stride>;
  using result_view = tensor_view<T, kept, layout>;

  index_t sizes[kept::rank() + 1] = {};
  typename layout_stride::template mapping<kept>::strides_type strides{};
  index_t offset = 0;
  std::size_t from = 0, to = 0;
  const auto take = [&](const auto& part, bool drops) constexpr {
    const detail::slice_bounds b = detail::bounds_of(part, static_cast<index_t>(v.extent(from)));
    const index_t stride = static_cast<index_t>(v.stride(from));
    // An empty slice may begin one past the end: it has no element, so its offset must not move the
    // pointer.
    if (b.count > 0) offset += b.first * stride;
    if (!drops) {
      sizes[to] = b.count;
      if constexpr (kept::rank() > 0) strides[to] = stride * b.step;
      ++to;
    }
    ++from;
  };
  (take(slices, detail::is_index_slice<Slices>), ...);

  kept shape{};
  if constexpr (kept::rank() > 0) {
    index_t exact[kept::rank()] = {};
    for (std::size_t r = 0; r < kept::rank(); ++r) exact[r] = sizes[r];
    shape = kept(exact);
  }
  if constexpr (row_major::value) {
    return result_view(v.data_handle() + offset, shape);
  } else {
    return result_view(v.data_handle() + offset,
                       typename result_view::mapping_type(shape, strides));
  }
}

/// The same elements with the two dimensions of a matrix exchanged.
template <class T, class Extents, class Layout>
constexpr PARE_ALWAYS_INLINE auto transposed(const tensor_view<T, Extents, Layout>& m) noexcept {
  static_assert(Extents::rank() == 2, "pare: transposed takes a matrix");
  using shape =
      extents<typename Extents::index_type, Extents::static_extent(1), Extents::static_extent(0)>;
  using result_view = tensor_view<T, shape, layout_stride>;
  const index_t sizes[] = {m.extent(1), m.extent(0)};
  return result_view(m.data_handle(), typename result_view::mapping_type(
                                          shape(sizes), {{m.stride(1), m.stride(0)}}));
}

}  // namespace pare

#endif  // PARE_CORE_SUBVIEW_HPP
