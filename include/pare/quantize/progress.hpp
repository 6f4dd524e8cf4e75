// How long work that takes minutes says how far it is.
//
// A progress callback is any callable `progress(done)`, done in (0, 1] and rising. Calls never
// overlap, but come from whichever thread did the last part of the work.
#ifndef PARE_QUANTIZE_PROGRESS_HPP
#define PARE_QUANTIZE_PROGRESS_HPP

#include <mutex>

#include <pare/core/config.hpp>

namespace pare {

/// Says nothing. The default everywhere.
struct no_progress {
  void operator()(double) const noexcept {}
};

namespace detail {

/// Counts finished parts of `total` and tells the callback, one call at a time.
template <class Progress>
class progress_counter {
 public:
  progress_counter(const Progress& progress, index_t total) noexcept
      : progress_(progress), total_(total) {}

  void finish_one() {
    const std::lock_guard<std::mutex> one_at_a_time(mutex_);
    ++done_;
    progress_(static_cast<double>(done_) / static_cast<double>(total_));
  }

 private:
  const Progress& progress_;
  std::mutex mutex_;
  index_t total_;
  index_t done_ = 0;
};

}  // namespace detail
}  // namespace pare

#endif  // PARE_QUANTIZE_PROGRESS_HPP
