// Random numbers that are the same on every machine: SplitMix64.
//
// Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
#ifndef PARE_EXAMPLES_DEMO_RANDOM_HPP
#define PARE_EXAMPLES_DEMO_RANDOM_HPP

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace demo {

class random {
 public:
  /// Streams of the same seed are independent of each other.
  explicit random(std::uint64_t seed, std::uint64_t stream = 0)
      : state_(seed * 0x9e3779b97f4a7c15u ^ random(stream, nullptr).bits()) {}

  std::uint64_t bits() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  /// In [0, n), n below 2^32.
  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(((bits() >> 32) * static_cast<std::uint64_t>(n)) >> 32);
  }

  /// In [-limit, limit).
  float uniform(float limit) {
    return (static_cast<float>(bits() >> 40) * 0x1p-23f - 1.0f) * limit;
  }

 private:
  random(std::uint64_t state, std::nullptr_t) : state_(state) {}
  std::uint64_t state_;
};

/// Every order is as likely: Fisher and Yates.
template <class T>
void shuffle(std::vector<T>& order, random& numbers) {
  for (std::size_t i = order.size(); i > 1; --i) {
    const auto other = numbers.below(static_cast<std::int64_t>(i));
    std::swap(order[i - 1], order[static_cast<std::size_t>(other)]);
  }
}

}  // namespace demo

#endif  // PARE_EXAMPLES_DEMO_RANDOM_HPP
