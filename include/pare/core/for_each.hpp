// Visits the elements of views in row-major order, whatever their layout.
#ifndef PARE_CORE_FOR_EACH_HPP
#define PARE_CORE_FOR_EACH_HPP

#include <pare/core/tensor_view.hpp>

namespace pare {
namespace detail {
inline namespace PARE_ABI {

template <std::size_t R, class View, class F>
constexpr PARE_ALWAYS_INLINE bool visit(const View& v, index_t offset, index_t& linear, F& f) {
  if constexpr (R == View::rank()) {
    return f(v.data_handle()[offset], linear++);
  } else {
    const index_t n = v.extent(R), stride = v.stride(R);
    for (index_t i = 0; i < n; ++i) {
      if (!visit<R + 1>(v, offset + i * stride, linear, f)) return false;
    }
    return true;
  }
}

template <std::size_t R, class A, class B, class F>
constexpr PARE_ALWAYS_INLINE void visit_pair(const A& a, const B& b, index_t at_a, index_t at_b,
                                             index_t& linear, F& f) {
  if constexpr (R == A::rank()) {
    f(a.data_handle()[at_a], b.data_handle()[at_b], linear++);
  } else {
    const index_t n = a.extent(R), stride_a = a.stride(R), stride_b = b.stride(R);
    for (index_t i = 0; i < n; ++i)
      visit_pair<R + 1>(a, b, at_a + i * stride_a, at_b + i * stride_b, linear, f);
  }
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// f(element, linear index) for every element; the index counts in row-major order.
template <class View, class F>
constexpr void for_each_element(const View& v, F f) {
  index_t linear = 0;
  const auto always = [&](auto& element, index_t i) { return f(element, i), true; };
  detail::visit<0>(v, 0, linear, always);
}

/// As `for_each_element`, until f returns false. Returns whether all elements were visited.
template <class View, class F>
constexpr bool for_each_element_while(const View& v, F f) {
  index_t linear = 0;
  return detail::visit<0>(v, 0, linear, f);
}

/// f(element of a, element of b, linear index) for two views of the same shape and any layouts.
template <class A, class B, class F>
constexpr void for_each_pair(const A& a, const B& b, F f) {
  PARE_ASSERT(detail::same_shape(a, b), "both views must have the same shape");
  index_t linear = 0;
  detail::visit_pair<0>(a, b, 0, 0, linear, f);
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_CORE_FOR_EACH_HPP
