// `std::bit_cast` for C++17, constexpr where the compiler has the builtin.
#ifndef PARE_CORE_BIT_CAST_HPP
#define PARE_CORE_BIT_CAST_HPP

#include <cstring>
#include <type_traits>

#include <pare/core/config.hpp>

#if defined(__has_builtin)
#if __has_builtin(__builtin_bit_cast)
#define PARE_DETAIL_BIT_CAST_BUILTIN 1
#endif
#endif

namespace pare::detail {

/// The value of type `To` that has the bits of `from`. Both trivially copyable and of one size.
template <class To, class From>
#ifdef PARE_DETAIL_BIT_CAST_BUILTIN
constexpr
#endif
    PARE_ALWAYS_INLINE To
    bit_cast(const From& from) noexcept {
  static_assert(sizeof(To) == sizeof(From), "pare: bit_cast keeps the size");
#ifdef PARE_DETAIL_BIT_CAST_BUILTIN
  return __builtin_bit_cast(To, from);
#else
  To to;
  std::memcpy(&to, &from, sizeof(to));
  return to;
#endif
}

}  // namespace pare::detail

#endif  // PARE_CORE_BIT_CAST_HPP
