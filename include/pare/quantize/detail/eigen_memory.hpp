// Eigen's products allocate, and throw where they cannot: here that becomes a status, on whichever
// thread it happens.
#ifndef PARE_QUANTIZE_DETAIL_EIGEN_MEMORY_HPP
#define PARE_QUANTIZE_DETAIL_EIGEN_MEMORY_HPP

#include <atomic>
#include <new>

#include <pare/core/status.hpp>

namespace pare::detail {
inline namespace PARE_ABI {

/// f(); false where the allocator had no more.
template <class F>
bool has_memory_for(const F& f) noexcept {
#if PARE_EXCEPTIONS
  try {
    f();
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
#else
  f();
  return true;
#endif
}

inline status short_of_memory() noexcept {
  return {status_code::out_of_memory, "the host has not enough memory for products of this size"};
}

/// parallel(n, body), or `out_of_memory` where a body found none.
template <class Parallel, class Body>
[[nodiscard]] status run_parallel(const Parallel& parallel, index_t n, const Body& body) noexcept {
  std::atomic<bool> failed{false};
  parallel(n, [&](index_t i) {
    if (!has_memory_for([&] { body(i); })) failed.store(true, std::memory_order_relaxed);
  });
  return failed.load() ? short_of_memory() : status();
}

}  // namespace PARE_ABI
}  // namespace pare::detail

#endif  // PARE_QUANTIZE_DETAIL_EIGEN_MEMORY_HPP
