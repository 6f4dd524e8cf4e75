// Parallelism as a parameter: whoever calls decides which threads do the work.
//
// A parallel-for is any callable `parallel_for(n, body)` that calls `body(i)` once for every i in
// [0, n), in any order and on any threads, and returns when all calls have returned. Work is split
// by shape, never by the number of threads, and no two calls write the same element: results are
// the same bits for any number of threads.
//
// Your own pool:
//
//     auto on_my_pool = [&](pare::index_t n, auto&& body) { pool.run(n, [&](long i) { body(i); });
//     }; pare::linear(x, layer, y, scratch, on_my_pool);
#ifndef PARE_CORE_PARALLEL_HPP
#define PARE_CORE_PARALLEL_HPP

#include <pare/core/config.hpp>

namespace pare {

/// Runs the calls one after another on the caller's thread. The default everywhere.
struct serial {
  template <class Body>
  constexpr PARE_ALWAYS_INLINE void operator()(index_t n, Body&& body) const {
    for (index_t i = 0; i < n; ++i) body(i);
  }
};

}  // namespace pare

#endif  // PARE_CORE_PARALLEL_HPP
