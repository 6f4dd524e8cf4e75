// A pointer, a shape and a layout: how every tensor enters and leaves this library. Owns nothing.
//
// `std::mdspan`'s names, for C++17; see ISO C++23 [mdspan.mdspan].
#ifndef PARE_CORE_TENSOR_VIEW_HPP
#define PARE_CORE_TENSOR_VIEW_HPP

#include <pare/core/layout.hpp>
#include <pare/core/status.hpp>

namespace pare {

/// A view of elements that live elsewhere. `tensor_view<const T, ...>` is an input.
///
/// Copying copies the view. Static extents cost nothing: `tensor_view<float, extents<index_t, 3,
/// 4>>` is one pointer. Indices are checked by PARE_ASSERT.
///
/// @tparam T        element type, const for inputs
/// @tparam Extents  `extents<index_t, ...>` or `dextents<index_t, Rank>`
/// @tparam Layout   `layout_right` (row-major), `layout_left` (column-major) or `layout_stride`
template <class T, class Extents, class Layout = layout_right>
class tensor_view : private Layout::template mapping<Extents> {
  static_assert(detail::is_extents<Extents>::value,
                "pare: the second argument is extents<...> or dextents<...>");

 public:
  using extents_type = Extents;
  using layout_type = Layout;
  using mapping_type = typename Layout::template mapping<Extents>;
  using element_type = T;
  using value_type = std::remove_cv_t<T>;
  using index_type = typename Extents::index_type;
  using size_type = typename Extents::size_type;
  using rank_type = typename Extents::rank_type;
  using data_handle_type = T*;
  using reference = T&;

  /// No elements, unless all extents are static: then it must be assigned before use.
  constexpr tensor_view() noexcept = default;

  constexpr PARE_ALWAYS_INLINE tensor_view(T* data, const mapping_type& m) noexcept
      : mapping_type(m), data_(data) {}

  template <class L = Layout, std::enable_if_t<!std::is_same_v<L, layout_stride>, int> = 0>
  constexpr PARE_ALWAYS_INLINE tensor_view(T* data, const Extents& e) noexcept
      : mapping_type(e), data_(data) {}

  /// All extents, or the dynamic ones: `tensor_view<float, dextents<index_t, 2>>(p, rows,
  /// columns)`.
  template <class... I,
            std::enable_if_t<
                !std::is_same_v<Layout, layout_stride> && (std::is_integral_v<I> && ...) &&
                    (sizeof...(I) == Extents::rank() || sizeof...(I) == Extents::rank_dynamic()),
                int> = 0>
  constexpr PARE_ALWAYS_INLINE explicit tensor_view(T* data, I... sizes) noexcept
      : mapping_type(make_extents(sizes...)), data_(data) {}

  /// From a view of the same elements that promises more: non-const, static extents, a stricter
  /// layout.
  template <class U, class OtherExtents, class OtherLayout,
            std::enable_if_t<std::is_convertible_v<U (*)[], T (*)[]> &&
                                 OtherExtents::rank() == Extents::rank() &&
                                 (std::is_same_v<OtherLayout, Layout> ||
                                  std::is_same_v<Layout, layout_stride> || Extents::rank() <= 1) &&
                                 !(std::is_same_v<OtherLayout, layout_stride> &&
                                   !std::is_same_v<Layout, layout_stride>),
                             int> = 0>
  constexpr PARE_ALWAYS_INLINE tensor_view(
      const tensor_view<U, OtherExtents, OtherLayout>& other) noexcept
      : mapping_type(convert_mapping(other.mapping())), data_(other.data_handle()) {}

  static constexpr PARE_ALWAYS_INLINE rank_type rank() noexcept { return Extents::rank(); }
  static constexpr PARE_ALWAYS_INLINE rank_type rank_dynamic() noexcept {
    return Extents::rank_dynamic();
  }
  static constexpr PARE_ALWAYS_INLINE std::size_t static_extent(rank_type r) noexcept {
    return Extents::static_extent(r);
  }
  static constexpr PARE_ALWAYS_INLINE bool is_always_exhaustive() noexcept {
    return mapping_type::is_always_exhaustive();
  }

  constexpr PARE_ALWAYS_INLINE const mapping_type& mapping() const noexcept { return *this; }
  constexpr PARE_ALWAYS_INLINE const Extents& extents() const noexcept {
    return mapping().extents();
  }
  constexpr PARE_ALWAYS_INLINE index_type extent(rank_type r) const noexcept {
    return extents().extent(r);
  }
  constexpr PARE_ALWAYS_INLINE index_type stride(rank_type r) const noexcept {
    return mapping().stride(r);
  }
  constexpr PARE_ALWAYS_INLINE T* data_handle() const noexcept { return data_; }
  /// Whether the elements fill their memory without gaps, in some order.
  constexpr PARE_ALWAYS_INLINE bool is_exhaustive() const noexcept {
    return mapping().is_exhaustive();
  }

  constexpr PARE_ALWAYS_INLINE size_type size() const noexcept {
    size_type n = 1;
    for (rank_type r = 0; r < rank(); ++r) n *= static_cast<size_type>(extent(r));
    return n;
  }
  constexpr PARE_ALWAYS_INLINE bool empty() const noexcept { return size() == 0; }

  template <class... I, std::enable_if_t<sizeof...(I) == Extents::rank() &&
                                             (std::is_convertible_v<I, index_type> && ...),
                                         int> = 0>
  constexpr PARE_ALWAYS_INLINE T& operator()(I... i) const noexcept {
    PARE_ASSERT(in_range(static_cast<index_type>(i)...), "an index lies beyond its extent");
    return data_[mapping()(static_cast<index_type>(i)...)];
  }

#if defined(__cpp_multidimensional_subscript)
  template <class... I, std::enable_if_t<sizeof...(I) == Extents::rank() &&
                                             (std::is_convertible_v<I, index_type> && ...),
                                         int> = 0>
  constexpr PARE_ALWAYS_INLINE T& operator[](I... i) const noexcept {
    return (*this)(i...);
  }
#else
  template <class I,
            std::enable_if_t<Extents::rank() == 1 && std::is_convertible_v<I, index_type>, int> = 0>
  constexpr PARE_ALWAYS_INLINE T& operator[](I i) const noexcept {
    return (*this)(i);
  }
#endif

 private:
  template <class... I>
  static constexpr PARE_ALWAYS_INLINE Extents make_extents(I... sizes) noexcept {
    if constexpr (sizeof...(I) == 0) {
      return Extents();
    } else {
      return Extents(sizes...);
    }
  }

  template <class OtherMapping>
  static constexpr PARE_ALWAYS_INLINE mapping_type
  convert_mapping(const OtherMapping& other) noexcept {
    if constexpr (std::is_constructible_v<mapping_type, const OtherMapping&>) {
      return mapping_type(other);
    } else {
      return mapping_type(Extents(other.extents()));
    }
  }

  template <class... I>
  constexpr PARE_ALWAYS_INLINE bool in_range([[maybe_unused]] I... i) const noexcept {
    [[maybe_unused]] rank_type r = 0;
    bool inside = true;
    ((inside = inside && i >= 0 && i < extent(r), ++r), ...);
    return inside;
  }

  T* data_ = nullptr;
};

/// Views of which only the rank is fixed.
template <class T>
using vector_view = tensor_view<T, dextents<index_t, 1>>;
template <class T>
using matrix_view = tensor_view<T, dextents<index_t, 2>>;

/// A matrix whose columns lie side by side and whose rows may lie apart: what the kernels read and
/// write.
template <class T>
using strided_matrix_view = tensor_view<T, dextents<index_t, 2>, layout_stride>;

/// A row-major view of `data`, one size a dimension: `view(p, rows, columns)`.
template <class T, class... I,
          std::enable_if_t<(sizeof...(I) > 0) && (std::is_integral_v<I> && ...), int> = 0>
constexpr PARE_ALWAYS_INLINE auto view(T* data, I... sizes) noexcept {
  using shape = dextents<index_t, sizeof...(I)>;
  return tensor_view<T, shape>(data, shape(static_cast<index_t>(sizes)...));
}

/// A view of an array, its size known to the compiler.
template <class T, std::size_t N>
constexpr PARE_ALWAYS_INLINE auto view(T (&data)[N]) noexcept {
  return tensor_view<T, extents<index_t, N>>(data, extents<index_t, N>());
}
template <class T, std::size_t Rows, std::size_t Columns>
constexpr PARE_ALWAYS_INLINE auto view(T (&data)[Rows][Columns]) noexcept {
  using shape = extents<index_t, Rows, Columns>;
  return tensor_view<T, shape>(&data[0][0], shape());
}

/// A matrix view whose rows lie `row_stride` elements apart.
template <class T>
constexpr PARE_ALWAYS_INLINE strided_matrix_view<T> view_rows(T* data, index_t rows,
                                                              index_t columns,
                                                              index_t row_stride) noexcept {
  using mapping = typename strided_matrix_view<T>::mapping_type;
  return {data, mapping(dextents<index_t, 2>(rows, columns), {{row_stride, 1}})};
}

namespace detail {

template <class>
struct is_tensor_view : std::false_type {};
template <class T, class E, class L>
struct is_tensor_view<tensor_view<T, E, L>> : std::true_type {};

/// `out_of_range` unless 0 <= axis < rank.
constexpr PARE_ALWAYS_INLINE status check_axis(int axis, std::size_t rank) noexcept {
  if (axis >= 0 && static_cast<std::size_t>(axis) < rank) return {};
  return {status_code::out_of_range, "the axis is not one of the tensor's dimensions", "axis",
          position_kind::axis, axis};
}

/// Whether two views have the same rank and extents.
template <class A, class B>
constexpr PARE_ALWAYS_INLINE bool same_shape(const A& a, const B& b) noexcept {
  if constexpr (A::rank() != B::rank()) {
    return false;
  } else {
    for (std::size_t r = 0; r < A::rank(); ++r) {
      if (static_cast<index_t>(a.extent(r)) != static_cast<index_t>(b.extent(r))) return false;
    }
    return true;
  }
}

}  // namespace detail
}  // namespace pare

#endif  // PARE_CORE_TENSOR_VIEW_HPP
