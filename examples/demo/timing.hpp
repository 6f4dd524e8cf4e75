// How long a network takes, and the same network in Eigen float beside it.
#ifndef PARE_EXAMPLES_DEMO_TIMING_HPP
#define PARE_EXAMPLES_DEMO_TIMING_HPP

#include <algorithm>
#include <chrono>
#include <vector>

#include "network.hpp"

namespace demo {

/// Microseconds for one picture, of a network and of what it is compared with.
struct timing {
  double ours = 0;
  double eigen = 0;
};

/// Runs both networks over the same pictures, `batch` at a time, on one thread. They take turns, so
/// that a machine that slows down slows both; the figures are medians over the rounds.
inline timing time_against(const runnable& network, const runnable& eigen, const pictures& some,
                           pare::index_t batch, double seconds) {
  using clock = std::chrono::steady_clock;
  const pare::index_t count = some.inputs.extent(0) / batch * batch;
  pare::tensor<float, 2> logits({batch, classes});
  const auto microseconds = [&](const runnable& r) {
    const auto start = clock::now();
    for (pare::index_t first = 0; first < count; first += batch) {
      r.run(some.rows(first, batch), logits.view());
    }
    const std::chrono::duration<double, std::micro> taken = clock::now() - start;
    return taken.count() / static_cast<double>(count);
  };
  const auto median = [](std::vector<double>& values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
  };

  std::vector<double> ours, theirs;
  microseconds(network), microseconds(eigen);  // caches and clocks settle
  constexpr std::size_t fewest_rounds = 7;
  const auto start = clock::now();
  while (ours.size() < fewest_rounds ||
         std::chrono::duration<double>(clock::now() - start).count() < seconds) {
    ours.push_back(microseconds(network));
    theirs.push_back(microseconds(eigen));
  }
  return {median(ours), median(theirs)};
}

}  // namespace demo

#endif  // PARE_EXAMPLES_DEMO_TIMING_HPP
