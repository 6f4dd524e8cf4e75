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

/// Runs both networks on the same pictures, `batch` at a time, on one thread, and goes on to other
/// pictures for the next round. They take turns, so that a machine that slows down slows both; the
/// figures are medians over the rounds, which are short, so that few of them are interrupted.
inline timing time_against(const runnable& network, const runnable& eigen, const pictures& set,
                           pare::index_t batch, double seconds) {
  using clock = std::chrono::steady_clock;
  const pare::index_t count = set.inputs.extent(0);
  batch = std::min(batch, count);
  const pare::index_t in_round = count < 64 ? batch : std::max<pare::index_t>(batch, 64);
  pare::tensor<float, 2> logits({batch, classes});
  const auto microseconds = [&](const runnable& r, pare::index_t first) {
    const auto start = clock::now();
    for (pare::index_t i = 0; i < in_round; i += batch) {
      r.run(set.rows(first + i, batch), logits.view());
    }
    const std::chrono::duration<double, std::micro> taken = clock::now() - start;
    return taken.count() / static_cast<double>(in_round);
  };
  const auto median = [](std::vector<double>& values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
  };

  std::vector<double> ours, theirs;
  constexpr std::size_t warm_up = 3, fewest_rounds = 15;
  pare::index_t first = 0;
  const auto start = clock::now();
  for (std::size_t round = 0; round < warm_up + fewest_rounds ||
                              std::chrono::duration<double>(clock::now() - start).count() < seconds;
       ++round) {
    const double a = microseconds(network, first), b = microseconds(eigen, first);
    if (round >= warm_up) ours.push_back(a), theirs.push_back(b);
    first = first + 2 * in_round <= count ? first + in_round : 0;
  }
  return {median(ours), median(theirs)};
}

}  // namespace demo

#endif  // PARE_EXAMPLES_DEMO_TIMING_HPP
