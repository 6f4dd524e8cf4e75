// Random tensors for tests: the same numbers on every machine, for every standard library.
//
// The standard fixes the engine but not the distributions, so these are our own.
#ifndef PARE_TESTS_SUPPORT_RANDOM_HPP
#define PARE_TESTS_SUPPORT_RANDOM_HPP

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

#include <pare/core/tensor.hpp>

namespace pare_test {

/// Numbers from one seed, for tests that need more than a tensor.
class random_source {
 public:
  explicit random_source(std::uint32_t seed) : engine_(seed) {}

  std::uint32_t bits() { return static_cast<std::uint32_t>(engine_()); }

  /// Uniform in [low, high], both included.
  std::int64_t integer(std::int64_t low, std::int64_t high) {
    const std::uint64_t count = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
    const std::uint64_t drawn = (static_cast<std::uint64_t>(bits()) << 32) | bits();
    const std::uint64_t offset = count == UINT64_MAX ? drawn : drawn % (count + 1);
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + offset);
  }

  pare::index_t index(pare::index_t low, pare::index_t high) {
    return static_cast<pare::index_t>(integer(low, high));
  }

  /// Uniform in [0, 1), 32 random bits.
  double uniform() { return bits() * (1.0 / 4294967296.0); }

  /// Mean 0, variance 1, by Box and Muller.
  double normal() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    return radius * std::cos(6.283185307179586 * uniform());
  }

 private:
  std::mt19937 engine_;
};

/// Mean 0, variance 1: `random_normal<float>({16, 32}, seed)`.
template <class T, std::size_t R>
pare::tensor<T, R> random_normal(const pare::index_t (&shape)[R], std::uint32_t seed) {
  random_source random(seed);
  pare::tensor<T, R> t(shape);
  for (T& e : t) e = static_cast<T>(static_cast<float>(random.normal()));
  return t;
}

/// Uniform in [low, high).
template <class T, std::size_t R>
pare::tensor<T, R> random_uniform(const pare::index_t (&shape)[R], std::uint32_t seed,
                                  double low = 0.0, double high = 1.0) {
  random_source random(seed);
  pare::tensor<T, R> t(shape);
  for (T& e : t) e = static_cast<T>(static_cast<float>(low + (high - low) * random.uniform()));
  return t;
}

/// Integers in [low, high], both included and by default all that T has.
template <class T, std::size_t R>
pare::tensor<T, R> random_codes(const pare::index_t (&shape)[R], std::uint32_t seed,
                                T low = std::numeric_limits<T>::min(),
                                T high = std::numeric_limits<T>::max()) {
  static_assert(std::is_integral_v<T>, "codes are integers");
  random_source random(seed);
  pare::tensor<T, R> t(shape);
  for (T& e : t) {
    e = static_cast<T>(
        random.integer(static_cast<std::int64_t>(low), static_cast<std::int64_t>(high)));
  }
  return t;
}

}  // namespace pare_test

#endif  // PARE_TESTS_SUPPORT_RANDOM_HPP
