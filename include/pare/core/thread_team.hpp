// A `parallel_for` with threads that stay: for programs that call many short layers one after the
// other and have no pool of their own.
#ifndef PARE_CORE_THREAD_TEAM_HPP
#define PARE_CORE_THREAD_TEAM_HPP

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

#include <pare/core/parallel.hpp>

namespace pare {

/// Helpers that wait for work, and a call operator that shares it with them: `team(n, body)` runs
/// body(0) ... body(n - 1), in any order, on the helpers and on the calling thread.
///
///     pare::thread_team team(4);
///     pare::linear(x, layer, y, scratch, team);
///
/// Nobody spins for long: helpers look for work for some ten microseconds after the last, then
/// sleep; the caller takes whatever is left itself and sleeps while a helper finishes its last
/// index. Calls from several threads at once, and calls from inside a body, run in order on their
/// own thread. A body must not throw.
///
/// `std_threads` needs no object, but starts threads at each call.
class thread_team {
 public:
  /// @param count  threads that take part, the caller among them; 0 means one for each hardware
  ///               thread. Where the system cannot start so many, those that run do all the work.
  explicit thread_team(int count = 0) {
    const int wanted = count > 0 ? count : static_cast<int>(std::thread::hardware_concurrency());
    for (int i = 1; i < wanted; ++i) {
#if PARE_EXCEPTIONS
      try {
        helpers_.emplace_back([this] { help(); });
      } catch (...) {
        break;  // no more threads to be had
      }
#else
      helpers_.emplace_back([this] { help(); });
#endif
    }
  }

  thread_team(const thread_team&) = delete;
  thread_team& operator=(const thread_team&) = delete;

  ~thread_team() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    for (std::thread& t : helpers_) t.join();
  }

  /// Threads that take part, the caller among them.
  int size() const noexcept { return static_cast<int>(helpers_.size()) + 1; }

  template <class Body>
  void operator()(index_t n, Body&& body) const {
    if (n < 2 || helpers_.empty() || is_busy_.exchange(true)) return serial{}(n, body);
    using type = std::remove_reference_t<Body>;
    run_ = [](void* b, index_t i) { (*static_cast<type*>(b))(i); };
    body_ = const_cast<void*>(static_cast<const void*>(std::addressof(body)));
    count_ = n;
    next_.store(0);
    open_.store(++calls_made_);
    if (asleep_.load() > 0) {
      { const std::lock_guard<std::mutex> lock(mutex_); }
      wake_.notify_all();
    }
    take();
    open_.store(0);  // who has not begun by now stays away
    wait_for_helpers();
    is_busy_.store(false);
  }

 private:
  static constexpr int spins = 2000;

  static void pause() noexcept {
#if (defined(__x86_64__) || defined(__i386__)) && (defined(__GNUC__) || defined(__clang__))
    __builtin_ia32_pause();
#elif (defined(__aarch64__) || defined(__arm__)) && (defined(__GNUC__) || defined(__clang__))
    __asm__ volatile("yield");
#endif
  }

  void take() const {
    for (index_t i = next_.fetch_add(1); i < count_; i = next_.fetch_add(1)) run_(body_, i);
  }

  void wait_for_helpers() const {
    for (int i = 0; i < spins; ++i) {
      if (inside_.load() == 0) return;
      pause();
    }
    std::unique_lock<std::mutex> lock(mutex_);
    is_waiting_.store(true);
    done_.wait(lock, [this] { return inside_.load() == 0; });
    is_waiting_.store(false);
  }

  /// What a helper does all its life.
  void help() {
    std::uint64_t seen = 0;
    for (;;) {
      std::uint64_t call = open_.load();
      for (int i = 0; i < spins && (call == 0 || call == seen); ++i) {
        pause();
        call = open_.load();
      }
      if (call == 0 || call == seen) {
        std::unique_lock<std::mutex> lock(mutex_);
        asleep_.fetch_add(1);
        wake_.wait(lock, [&] {
          call = open_.load();
          return stop_ || (call != 0 && call != seen);
        });
        asleep_.fetch_sub(1);
        if (stop_) return;
      }
      // Between these two lines the call may end; then `open_` has changed, and its body is left
      // alone. If it has not, the caller sees `inside_` and waits.
      inside_.fetch_add(1);
      if (open_.load() == call) take();
      seen = call;
      if (inside_.fetch_sub(1) == 1 && is_waiting_.load()) {
        { const std::lock_guard<std::mutex> lock(mutex_); }
        done_.notify_one();
      }
    }
  }

  // One call at a time. The order of all of these between threads is sequential.
  mutable std::atomic<bool> is_busy_{false};
  mutable void (*run_)(void*, index_t) = nullptr;
  mutable void* body_ = nullptr;
  mutable index_t count_ = 0;
  mutable std::uint64_t calls_made_ = 0;
  mutable std::atomic<index_t> next_{0};
  mutable std::atomic<std::uint64_t> open_{0};  ///< the number of the call that takes helpers, or 0
  mutable std::atomic<int> inside_{0};          ///< helpers that may touch the call's body
  mutable std::atomic<int> asleep_{0};
  mutable std::atomic<bool> is_waiting_{false};

  mutable std::mutex mutex_;
  mutable std::condition_variable wake_, done_;
  bool stop_ = false;
  std::vector<std::thread> helpers_;
};

}  // namespace pare

#endif  // PARE_CORE_THREAD_TEAM_HPP
