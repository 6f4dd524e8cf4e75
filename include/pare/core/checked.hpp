// Arithmetic on sizes that says when it overflows, so that a shape from a file cannot wrap around.
#ifndef PARE_CORE_CHECKED_HPP
#define PARE_CORE_CHECKED_HPP

#include <pare/core/result.hpp>

namespace pare::detail {

/// The largest size that a view may have, in elements or in bytes.
inline constexpr index_t max_index = PTRDIFF_MAX;

/// product = a * b for sizes (not negative). False where it does not fit; `product` is then
/// untouched.
constexpr PARE_ALWAYS_INLINE bool checked_multiply(index_t a, index_t b,
                                                   index_t& product) noexcept {
  if (a < 0 || b < 0 || (a != 0 && b > max_index / a)) return false;
  product = a * b;
  return true;
}

/// sum = a + b for sizes (not negative). False where it does not fit; `sum` is then untouched.
constexpr PARE_ALWAYS_INLINE bool checked_add(index_t a, index_t b, index_t& sum) noexcept {
  if (a < 0 || b < 0 || b > max_index - a) return false;
  sum = a + b;
  return true;
}

/// The smallest multiple of `multiple` that is not below `n`. Both positive; the caller has checked
/// the range.
constexpr PARE_ALWAYS_INLINE index_t round_up(index_t n, index_t multiple) noexcept {
  return (n + multiple - 1) / multiple * multiple;
}

constexpr PARE_ALWAYS_INLINE index_t ceil_div(index_t n, index_t divisor) noexcept {
  return n / divisor + (n % divisor != 0);
}

template <class T>
constexpr PARE_ALWAYS_INLINE T min(T a, T b) noexcept {
  return b < a ? b : a;
}

template <class T>
constexpr PARE_ALWAYS_INLINE T max(T a, T b) noexcept {
  return a < b ? b : a;
}

/// The bounds take the type of x: on some targets int32_t is not int, and literals are.
template <class T>
constexpr PARE_ALWAYS_INLINE T clamp(T x, std::common_type_t<T> low,
                                     std::common_type_t<T> high) noexcept {
  return x < low ? low : (high < x ? high : x);
}

}  // namespace pare::detail

#endif  // PARE_CORE_CHECKED_HPP
