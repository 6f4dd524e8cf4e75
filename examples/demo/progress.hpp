// A progress bar for people who watch, and nothing for a log file.
#ifndef PARE_EXAMPLES_DEMO_PROGRESS_HPP
#define PARE_EXAMPLES_DEMO_PROGRESS_HPP

#include <chrono>
#include <cstdio>
#include <string>
#include <utility>

#if defined(_WIN32)
#include <io.h>
#else
#include <unistd.h>
#endif

namespace demo {

inline bool is_terminal() {
#if defined(_WIN32)
  return _isatty(_fileno(stdout)) != 0;
#else
  return isatty(STDOUT_FILENO) != 0;
#endif
}

/// One line that is drawn over itself while work goes on, and replaced by a sentence at the end.
class progress_bar {
 public:
  explicit progress_bar(std::string what) : what_(std::move(what)) {
    if (visible_) std::printf("  %s\r", what_.c_str()), std::fflush(stdout);
  }

  /// @param done  in [0, 1]
  void show(double done, double loss, double accuracy) {
    if (!visible_ || (done < 1 && seconds_since(drawn_) < 0.1)) return;
    drawn_ = clock::now();
    constexpr int width = 24;
    char bar[width + 1] = {};
    for (int i = 0; i < width; ++i) bar[i] = i < done * width ? '#' : '.';
    const double left = done > 0 ? seconds() * (1 - done) / done : 0;
    std::printf("  %-34s [%s] %3.0f %%  loss %.3f  accuracy %.1f %%  %.0f s left \033[K\r",
                what_.c_str(), bar, 100 * done, loss, 100 * accuracy, left);
    std::fflush(stdout);
  }

  /// Ends the line with what came out of the work.
  void finish(const std::string& outcome) {
    std::printf("%s  %-34s %s  (%.1f s)\n", visible_ ? "\033[K" : "", what_.c_str(),
                outcome.c_str(), seconds());
    std::fflush(stdout);
  }

  /// Ends the line without a word.
  void clear() const {
    if (visible_) std::printf("\033[K"), std::fflush(stdout);
  }

  double seconds() const { return seconds_since(started_); }

 private:
  using clock = std::chrono::steady_clock;
  static double seconds_since(clock::time_point t) {
    return std::chrono::duration<double>(clock::now() - t).count();
  }

  std::string what_;
  bool visible_ = is_terminal();
  clock::time_point started_ = clock::now(), drawn_ = {};
};

}  // namespace demo

#endif  // PARE_EXAMPLES_DEMO_PROGRESS_HPP
