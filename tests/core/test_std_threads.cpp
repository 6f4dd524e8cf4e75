// The parallel-for of std::thread.
#include <pare/core/std_threads.hpp>

#include <atomic>
#include <mutex>
#include <set>
#include <vector>

#include <doctest/doctest.h>

using pare::index_t;

TEST_CASE("every index is run exactly once, for any number of threads") {
  for (int threads : {0, 1, 2, 3, 64, 1000}) {
    for (index_t n : {0, 1, 2, 5, 1000}) {
      CAPTURE(threads);
      CAPTURE(n);
      std::vector<std::atomic<int>> runs(static_cast<std::size_t>(n));
      pare::std_threads{threads}(n, [&](index_t i) { ++runs[static_cast<std::size_t>(i)]; });
      for (const std::atomic<int>& r : runs) CHECK(r == 1);
    }
  }
  int calls = 0;
  pare::std_threads{4}(-1, [&](index_t) { ++calls; });
  CHECK(calls == 0);
}

TEST_CASE("work has ended and is visible when the call returns") {
  std::vector<index_t> squares(500);  // not atomic
  pare::std_threads{4}(500, [&](index_t i) { squares[static_cast<std::size_t>(i)] = i * i; });
  for (index_t i = 0; i < 500; ++i) CHECK(squares[static_cast<std::size_t>(i)] == i * i);
}

TEST_CASE("as many threads take part as were asked for") {
  // Each body waits until three threads are in one, which ends only if three take part.
  std::mutex lock;
  std::set<std::thread::id> threads;
  std::atomic<int> inside{0};
  pare::std_threads{3}(3, [&](index_t) {
    {
      const std::lock_guard<std::mutex> hold(lock);
      threads.insert(std::this_thread::get_id());
    }
    ++inside;
    while (inside < 3) std::this_thread::yield();
  });
  CHECK(threads.size() == 3);
  CHECK(threads.count(std::this_thread::get_id()) == 1);
}

TEST_CASE("one thread means the caller's, in order") {
  const std::thread::id caller = std::this_thread::get_id();
  std::vector<index_t> order;
  bool elsewhere = false;
  pare::std_threads{1}(6, [&](index_t i) {
    elsewhere = elsewhere || std::this_thread::get_id() != caller;
    order.push_back(i);
  });
  CHECK_FALSE(elsewhere);
  CHECK(order == std::vector<index_t>{0, 1, 2, 3, 4, 5});
}

TEST_CASE("a body may itself run in parallel") {
  std::atomic<int> calls{0};
  const pare::std_threads parallel{2};
  parallel(3, [&](index_t) { parallel(4, [&](index_t) { ++calls; }); });
  CHECK(calls == 12);
}
