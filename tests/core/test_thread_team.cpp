// The parallel-for with threads that stay.
#include <pare/core/thread_team.hpp>

#include <chrono>
#include <set>

#include <doctest/doctest.h>

using pare::index_t;

TEST_CASE("a team runs every index exactly once, call after call") {
  for (int threads : {0, 1, 2, 3, 7}) {
    const pare::thread_team team(threads);
    for (int call = 0; call < 200; ++call) {
      for (index_t n : {0, 1, 2, 5, 100}) {
        std::vector<std::atomic<int>> runs(static_cast<std::size_t>(n));
        team(n, [&](index_t i) { ++runs[static_cast<std::size_t>(i)]; });
        for (const std::atomic<int>& r : runs) {
          if (r != 1) FAIL_CHECK("an index was run ", r.load(), " times");
        }
      }
    }
    int calls = 0;
    team(-1, [&](index_t) { ++calls; });
    CHECK(calls == 0);
  }
}

TEST_CASE("a team's work has ended and is visible when the call returns") {
  const pare::thread_team team(4);
  for (int call = 1; call <= 300; ++call) {
    std::vector<index_t> squares(50);  // not atomic
    team(50, [&](index_t i) { squares[static_cast<std::size_t>(i)] = call * i; });
    index_t sum = 0;
    for (const index_t s : squares) sum += s;
    CHECK(sum == call * 50 * 49 / 2);
  }
}

TEST_CASE("as many threads take part in a team's work as there are, also after a sleep") {
  const pare::thread_team team(3);
  CHECK(team.size() == 3);
  for (int call = 0; call < 3; ++call) {
    // Long enough for the helpers to fall asleep.
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    std::mutex lock;
    std::set<std::thread::id> threads;
    std::atomic<int> inside{0};
    team(3, [&](index_t) {
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
}

TEST_CASE("a team's call inside a call runs in order on its own thread") {
  const pare::thread_team team(3);
  std::atomic<int> runs{0};
  std::atomic<bool> in_order{true};
  team(6, [&](index_t) {
    const std::thread::id mine = std::this_thread::get_id();
    index_t expected = 0;
    team(10, [&](index_t i) {
      if (std::this_thread::get_id() != mine || i != expected) in_order = false;
      ++expected;
      ++runs;
    });
  });
  CHECK(in_order);
  CHECK(runs == 60);
}

TEST_CASE("several threads may share a team") {
  const pare::thread_team team(2);
  std::atomic<index_t> sum{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c) {
    callers.emplace_back([&] {
      for (int call = 0; call < 200; ++call) team(20, [&](index_t i) { sum += i; });
    });
  }
  for (std::thread& c : callers) c.join();
  CHECK(sum == 4 * 200 * 190);
}

TEST_CASE("a team without work ends") {
  for (int i = 0; i < 20; ++i) {
    const pare::thread_team team(4);
    CHECK(team.size() >= 1);
  }
}
