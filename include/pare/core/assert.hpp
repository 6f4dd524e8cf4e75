// Checks of a function's contract: a wrong rank, an index beyond its extent, a null pointer.
//
// What depends on data (a shape read from a file, a NaN in a weight) is not a contract and comes
// back as a `status`.
#ifndef PARE_CORE_ASSERT_HPP
#define PARE_CORE_ASSERT_HPP

#include <pare/core/config.hpp>

#ifndef PARE_ASSERT_HANDLER
#if defined(__linux__) || defined(__APPLE__) || defined(_WIN32)
#define PARE_DETAIL_PRINTS 1
#include <cstdio>
#include <cstdlib>
#else
#define PARE_DETAIL_PRINTS 0
#endif

namespace pare::detail {

/// Where a broken contract ends unless the user defines PARE_ASSERT_HANDLER(condition, message,
/// file, line).
///
/// Hosts print one line and abort; firmware stops at a trap instruction and links no printf.
[[noreturn]] inline void contract_broken([[maybe_unused]] const char* condition,
                                         [[maybe_unused]] const char* message,
                                         [[maybe_unused]] const char* file,
                                         [[maybe_unused]] int line) noexcept {
#if PARE_DETAIL_PRINTS
  std::fprintf(stderr, "%s:%d: pare: %s [%s]\n", file, line, message, condition);
  std::abort();
#elif defined(__GNUC__) || defined(__clang__)
  __builtin_trap();
#else
  for (;;) {
  }
#endif
}

}  // namespace pare::detail

#define PARE_ASSERT_HANDLER(condition, message, file, line) \
  ::pare::detail::contract_broken(condition, message, file, line)
#endif

/// PARE_ASSERT(index < size, "the index lies beyond the extent");
#if PARE_ASSERTS
#define PARE_ASSERT(condition, message) \
  (PARE_LIKELY(condition) ? void(0)     \
                          : void(PARE_ASSERT_HANDLER(#condition, message, __FILE__, __LINE__)))
#else
#define PARE_ASSERT(condition, message) void(0)
#endif

#endif  // PARE_CORE_ASSERT_HPP
