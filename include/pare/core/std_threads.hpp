// The parallel-for of `std::thread`. Host tier only.
#ifndef PARE_CORE_STD_THREADS_HPP
#define PARE_CORE_STD_THREADS_HPP

#include <algorithm>
#include <atomic>
#include <thread>

#include <pare/core/parallel.hpp>

namespace pare {

/// Runs the calls on `count` threads: the caller's and count - 1 that are started for this call and
/// end with it.
///
/// Starting a thread costs some ten microseconds, so this pays for work of a millisecond and more;
/// an application with its own pool passes that instead. Threads take the next index when they are
/// free; none of them spins. Where the system cannot start a thread, those that run do all the
/// work.
struct std_threads {
  /// Threads that take part; 0 means one for each hardware thread. At most 64.
  int count = 0;

  template <class Body>
  void operator()(index_t n, Body&& body) const {
    constexpr int most = 64;
    const int wanted = count > 0 ? count : static_cast<int>(std::thread::hardware_concurrency());
    const index_t helpers = std::min<index_t>({wanted, most, n}) - 1;
    if (helpers < 1) return serial{}(n, body);

    std::atomic<index_t> next{0};
    const auto work = [&] {
      for (index_t i = next.fetch_add(1, std::memory_order_relaxed); i < n;
           i = next.fetch_add(1, std::memory_order_relaxed)) {
        body(i);
      }
    };
    std::thread threads[most];
    for (index_t t = 0; t < helpers; ++t) {
#if PARE_EXCEPTIONS
      try {
        threads[t] = std::thread(work);
      } catch (...) {
        break;  // no more threads to be had
      }
#else
      threads[t] = std::thread(work);
#endif
    }
    work();
    for (std::thread& t : threads) {
      if (t.joinable()) t.join();
    }
  }
};

}  // namespace pare

#endif  // PARE_CORE_STD_THREADS_HPP
