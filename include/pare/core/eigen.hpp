// Views as Eigen maps and back, without copying. Host tier only; the one header where both worlds
// meet.
#ifndef PARE_CORE_EIGEN_HPP
#define PARE_CORE_EIGEN_HPP

#include <Eigen/Core>

#include <pare/core/tensor_view.hpp>

namespace pare {
namespace detail {

template <std::size_t E>
inline constexpr int eigen_size = E == dynamic_extent ? Eigen::Dynamic : static_cast<int>(E);

template <class T, class Plain, class Stride>
using eigen_map = Eigen::Map<std::conditional_t<std::is_const_v<T>, const Plain, Plain>,
                             Eigen::Unaligned, Stride>;

}  // namespace detail

/// A matrix view as an Eigen map on the same elements: rows stay rows. Static extents become static
/// sizes.
template <class T, class E, class L, std::enable_if_t<E::rank() == 2, int> = 0>
auto to_eigen(const tensor_view<T, E, L>& m) noexcept {
  constexpr int rows = detail::eigen_size<E::static_extent(0)>,
                cols = detail::eigen_size<E::static_extent(1)>;
  // Eigen wants vectors of one row in row-major and of one column in column-major order.
  constexpr bool row_major = cols == 1 ? false : (rows == 1 || !std::is_same_v<L, layout_left>);
  using plain = Eigen::Matrix<std::remove_const_t<T>, rows, cols,
                              row_major ? Eigen::RowMajor : Eigen::ColMajor>;
  using stride = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;
  const stride steps =
      row_major ? stride(m.stride(0), m.stride(1)) : stride(m.stride(1), m.stride(0));
  // Row-major and column-major maps whose inner stride is known to be one vectorise.
  if constexpr (std::is_same_v<L, layout_right> && row_major) {
    return detail::eigen_map<T, plain, Eigen::OuterStride<>>(
        m.data_handle(), m.extent(0), m.extent(1), Eigen::OuterStride<>(m.stride(0)));
  } else if constexpr (std::is_same_v<L, layout_left> && !row_major) {
    return detail::eigen_map<T, plain, Eigen::OuterStride<>>(
        m.data_handle(), m.extent(0), m.extent(1), Eigen::OuterStride<>(m.stride(1)));
  } else {
    return detail::eigen_map<T, plain, stride>(m.data_handle(), m.extent(0), m.extent(1), steps);
  }
}

/// A vector view as an Eigen column vector on the same elements.
template <class T, class E, class L, std::enable_if_t<E::rank() == 1, int> = 0>
auto to_eigen(const tensor_view<T, E, L>& v) noexcept {
  using plain = Eigen::Matrix<std::remove_const_t<T>, detail::eigen_size<E::static_extent(0)>, 1>;
  return detail::eigen_map<T, plain, Eigen::InnerStride<>>(v.data_handle(), v.extent(0), 1,
                                                           Eigen::InnerStride<>(v.stride(0)));
}

/// A view of the elements of an Eigen matrix, map or block: anything with `data()` and strides.
template <class Derived>
auto view(Eigen::DenseBase<Derived>& m) noexcept {
  using scalar = std::remove_pointer_t<decltype(m.derived().data())>;
  const index_t inner = m.derived().innerStride(), outer = m.derived().outerStride();
  using mapping = typename strided_matrix_view<scalar>::mapping_type;
  const dextents<index_t, 2> shape(m.rows(), m.cols());
  return Derived::IsRowMajor
             ? strided_matrix_view<scalar>(m.derived().data(), mapping(shape, {{outer, inner}}))
             : strided_matrix_view<scalar>(m.derived().data(), mapping(shape, {{inner, outer}}));
}

/// As above, for reading.
template <class Derived>
auto view(const Eigen::DenseBase<Derived>& m) noexcept {
  using scalar = const typename Derived::Scalar;
  const index_t inner = m.derived().innerStride(), outer = m.derived().outerStride();
  using mapping = typename strided_matrix_view<scalar>::mapping_type;
  const dextents<index_t, 2> shape(m.rows(), m.cols());
  return Derived::IsRowMajor
             ? strided_matrix_view<scalar>(m.derived().data(), mapping(shape, {{outer, inner}}))
             : strided_matrix_view<scalar>(m.derived().data(), mapping(shape, {{inner, outer}}));
}

}  // namespace pare

#endif  // PARE_CORE_EIGEN_HPP
