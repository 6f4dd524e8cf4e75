// What tests compare tensors with, and views of every layout to run them on.
//
//     CHECK(pare_test::equal(mask, expected));             // says where the first difference is
//     CHECK(pare_test::near(out, expected, 1e-6));
//     CHECK_EQUAL_RANGES(mask, {0, 0, 1, 1});
#ifndef PARE_TESTS_SUPPORT_CHECK_HPP
#define PARE_TESTS_SUPPORT_CHECK_HPP

#include <cmath>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <ostream>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

#include <pare/core/small_float.hpp>
#include <pare/core/tensor.hpp>

#include <doctest/doctest.h>

namespace pare {

// doctest prints what it compares; ADL finds these.
inline doctest::String toString(status_code code) { return name(code); }
inline std::ostream& operator<<(std::ostream& out, const status& s) {
  out << name(s.code());
  if (!s) out << " (" << s.error().subject << ": " << s.error().message << ")";
  return out;
}
template <class T>
std::ostream& operator<<(std::ostream& out, const result<T>& r) {
  return out << r.status();
}
inline std::ostream& operator<<(std::ostream& out, half x) { return out << static_cast<float>(x); }
inline std::ostream& operator<<(std::ostream& out, bfloat16 x) {
  return out << static_cast<float>(x);
}

}  // namespace pare

namespace pare_test {

using pare::index_t;

/// The outcome of a comparison, and for people where it failed.
struct comparison {
  bool same = true;
  std::string message = "equal";

  explicit operator bool() const { return same; }
  friend std::ostream& operator<<(std::ostream& out, const comparison& c) {
    return out << c.message;
  }
};

namespace detail {

/// Tensors, views and arrays as views.
template <class T, class E, class L>
pare::tensor_view<T, E, L> as_view(const pare::tensor_view<T, E, L>& v) {
  return v;
}
template <class T, std::size_t R>
auto as_view(const pare::tensor<T, R>& t) {
  return t.view();
}
template <class T, std::size_t N>
auto as_view(const T (&array)[N]) {
  return pare::view(array);
}
template <class T>
auto as_view(const std::vector<T>& v) {
  return pare::view(v.data(), static_cast<index_t>(v.size()));
}
template <class T>
auto as_view(const std::initializer_list<T>& list) {
  return pare::view(list.begin(), static_cast<index_t>(list.size()));
}

/// A value that can be compared and printed: small floats as float, small integers as int.
template <class T>
auto plain(const T& x) {
  if constexpr (std::is_same_v<T, pare::half> || std::is_same_v<T, pare::bfloat16>) {
    return static_cast<float>(x);
  } else if constexpr (std::is_enum_v<T>) {
    return static_cast<std::underlying_type_t<T>>(x) + 0;
  } else if constexpr (std::is_integral_v<T> && sizeof(T) < sizeof(int)) {
    return static_cast<int>(x);
  } else {
    return x;
  }
}

// Comparisons are instantiated for many types, so that what does not depend on them stands apart.

template <class T>
std::string text(const T& x) {
  std::ostringstream out;
  out.precision(std::numeric_limits<double>::max_digits10);
  out << x;
  return out.str();
}

inline std::string list(const index_t* values, std::size_t count) {
  std::string out = "[";
  for (std::size_t r = 0; r < count; ++r) out += (r > 0 ? ", " : "") + std::to_string(values[r]);
  return out + "]";
}

/// The index of the element that is the `linear`-th in row-major order.
inline std::string place(const index_t* shape, std::size_t rank, index_t linear) {
  std::vector<index_t> at(rank);
  for (std::size_t r = rank; r-- > 0; linear /= shape[r]) at[r] = linear % shape[r];
  return list(at.data(), rank);
}

inline comparison other_shape(const index_t* a, std::size_t rank_a, const index_t* b,
                              std::size_t rank_b) {
  return {false, "shapes " + list(a, rank_a) + " and " + list(b, rank_b)};
}

inline comparison difference(const index_t* shape, std::size_t rank, index_t linear,
                             const std::string& a, const std::string& b, index_t count) {
  return {false, "at " + place(shape, rank, linear) + ": " + a + " and " + b + " (" +
                     std::to_string(count) + " in all)"};
}

template <class A, class B, class Same>
comparison compare(const A& a, const B& b, Same same) {
  index_t shape_a[A::rank() + 1] = {}, shape_b[B::rank() + 1] = {};
  for (std::size_t r = 0; r < A::rank(); ++r) shape_a[r] = a.extent(r);
  for (std::size_t r = 0; r < B::rank(); ++r) shape_b[r] = b.extent(r);
  if (!pare::detail::same_shape(a, b)) {
    return other_shape(shape_a, A::rank(), shape_b, B::rank());
  }
  if constexpr (A::rank() == B::rank()) {
    index_t count = 0, first = 0;
    typename A::value_type first_a{};
    typename B::value_type first_b{};
    pare::for_each_pair(a, b, [&](const auto& x, const auto& y, index_t i) {
      if (same(x, y)) return;
      if (count++ > 0) return;
      first = i;
      first_a = x;
      first_b = y;
    });
    if (count > 0) {
      return difference(shape_a, A::rank(), first, text(plain(first_a)), text(plain(first_b)),
                        count);
    }
  }
  return {};
}

}  // namespace detail

/// Same shape, and every pair compares equal: -0 equals 0, NaN equals nothing.
template <class A, class B>
comparison equal(const A& a, const B& b) {
  return detail::compare(detail::as_view(a), detail::as_view(b), [](const auto& x, const auto& y) {
    using both = std::common_type_t<decltype(detail::plain(x)), decltype(detail::plain(y))>;
    return static_cast<both>(detail::plain(x)) == static_cast<both>(detail::plain(y));
  });
}
template <class A, class B>
comparison equal(const A& a, std::initializer_list<B> b) {
  return equal(detail::as_view(a), detail::as_view(b));
}

/// Same shape and type, and every pair has the same bits: tells -0 from 0 and finds equal NaNs.
template <class A, class B>
comparison equal_bits(const A& a, const B& b) {
  return detail::compare(detail::as_view(a), detail::as_view(b), [](const auto& x, const auto& y) {
    static_assert(std::is_same_v<std::decay_t<decltype(x)>, std::decay_t<decltype(y)>>,
                  "bits are compared within one type");
    return std::memcmp(&x, &y, sizeof(x)) == 0;
  });
}

/// Same shape, and every pair differs by no more than absolute + relative * |b|. NaN is near
/// nothing.
template <class A, class B>
comparison near(const A& a, const B& b, double absolute, double relative = 0.0) {
  return detail::compare(detail::as_view(a), detail::as_view(b), [=](const auto& x, const auto& y) {
    const double p = static_cast<double>(detail::plain(x)),
                 q = static_cast<double>(detail::plain(y));
    return p == q || std::abs(p - q) <= absolute + relative * std::abs(q);
  });
}

/// CHECK_EQUAL_RANGES(mask, {0, 0, 1, 1});
#define CHECK_EQUAL_RANGES(range, ...) CHECK(::pare_test::equal(range, __VA_ARGS__))

/// A mask of ones in the shape of a tensor, view or array.
template <class A>
auto ones_like(const A& a) {
  const auto v = detail::as_view(a);
  using shape = pare::dextents<index_t, decltype(v)::rank()>;
  pare::tensor<std::uint8_t, decltype(v)::rank()> ones{shape(v.extents())};
  for (std::uint8_t& one : ones) one = 1;
  return ones;
}

/// Elements that lie apart, in a buffer whose gaps hold a known byte: what kernels must step over
/// and leave alone.
///
///     pare_test::strided<float, 2> y({rows, columns}, {row_stride, 1});
///     run(x, y.view());
///     CHECK(y.gaps_untouched());
template <class T, std::size_t Rank>
class strided {
 public:
  using shape_type = pare::dextents<index_t, Rank>;
  using view_type = pare::tensor_view<T, shape_type, pare::layout_stride>;
  using const_view_type = pare::tensor_view<const T, shape_type, pare::layout_stride>;

  /// @param strides  in elements, not negative
  strided(const index_t (&shape)[Rank], const index_t (&strides)[Rank])
      : mapping_(shape_type(shape), as_strides(strides)),
        elements_({mapping_.required_span_size() + margin}) {
    std::memset(static_cast<void*>(elements_.data()), gap, bytes());
    pare::for_each_element(view(), [](T& e, index_t) { e = T(); });
  }

  view_type view() { return view_type(elements_.data(), mapping_); }
  const_view_type view() const { return const_view_type(elements_.data(), mapping_); }

  /// Whether all bytes between and behind the elements are as they were made.
  bool gaps_untouched() const {
    std::vector<unsigned char> rest(bytes());
    std::memcpy(rest.data(), elements_.data(), rest.size());
    pare::for_each_element(view(), [&](const T& e, index_t) {
      std::memset(&rest[static_cast<std::size_t>(&e - elements_.data()) * sizeof(T)], gap,
                  sizeof(T));
    });
    for (unsigned char b : rest) {
      if (b != gap) return false;
    }
    return true;
  }

 private:
  static constexpr unsigned char gap = 0x5a;
  static constexpr index_t margin = 64;  // elements behind the last one

  std::size_t bytes() const { return static_cast<std::size_t>(elements_.size()) * sizeof(T); }

  static auto as_strides(const index_t (&strides)[Rank]) {
    typename view_type::mapping_type::strides_type s{};
    for (std::size_t r = 0; r < Rank; ++r) s[r] = strides[r];
    return s;
  }

  typename view_type::mapping_type mapping_;
  pare::tensor<T, 1> elements_;
};

/// A copy of a view whose rows lie `gap` elements apart and whose columns lie `step` apart.
template <class A>
auto strided_copy(const A& a, index_t gap = 3, index_t step = 1) {
  const auto v = detail::as_view(a);
  using view_type = decltype(v);
  constexpr std::size_t rank = view_type::rank();
  static_assert(rank > 0, "a single element has no strides");
  index_t shape[rank] = {}, strides[rank] = {};
  index_t next = step;
  for (std::size_t r = rank; r-- > 0;) {
    shape[r] = v.extent(r);
    strides[r] = next;
    next = next * shape[r] + gap;
  }
  strided<typename view_type::value_type, rank> copy(shape, strides);
  pare::for_each_pair(copy.view(), v, [](auto& to, const auto& from, index_t) { to = from; });
  return copy;
}

/// Elements in column-major order.
template <class T, std::size_t Rank>
class column_major {
 public:
  using shape_type = pare::dextents<index_t, Rank>;
  using view_type = pare::tensor_view<T, shape_type, pare::layout_left>;
  using const_view_type = pare::tensor_view<const T, shape_type, pare::layout_left>;

  explicit column_major(const shape_type& shape) : elements_(shape) {}

  view_type view() { return view_type(elements_.data(), elements_.extents()); }
  const_view_type view() const { return const_view_type(elements_.data(), elements_.extents()); }

 private:
  pare::tensor<T, Rank> elements_;
};

/// A column-major copy of a view.
template <class A>
auto column_major_copy(const A& a) {
  const auto v = detail::as_view(a);
  using view_type = decltype(v);
  using copy_type = column_major<typename view_type::value_type, view_type::rank()>;
  copy_type copy{typename copy_type::shape_type(v.extents())};
  pare::for_each_pair(copy.view(), v, [](auto& to, const auto& from, index_t) { to = from; });
  return copy;
}

}  // namespace pare_test

#endif  // PARE_TESTS_SUPPORT_CHECK_HPP
