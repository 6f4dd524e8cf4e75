// Weighted values in order, with running sums: what any set of levels costs is then a matter of a
// few searches, whatever the number of values.
#ifndef PARE_QUANTIZE_DETAIL_SORTED_VALUES_HPP
#define PARE_QUANTIZE_DETAIL_SORTED_VALUES_HPP

#include <pare/core/bit_cast.hpp>
#include <pare/core/checked.hpp>
#include <pare/core/tensor.hpp>

namespace pare::detail {
inline namespace PARE_ABI {

/// Sorts finite floats, and what belongs to each, by the digits of their bits: linear time.
///
/// @param values   [count]; -0 comes before 0
/// @param weights  [count], moved along, or null
/// @param scratch  [count], and twice that where there are weights
inline void radix_sort(float* values, float* weights, index_t count, float* scratch) noexcept {
  constexpr int digit_bits = 11, digits = 3;
  constexpr std::uint32_t mask = (1u << digit_bits) - 1;
  // Bits that rise with the value: negative numbers turned round, positive ones above them.
  const auto key = [](float x) {
    const auto bits = bit_cast<std::uint32_t>(x);
    return bits ^ ((bits >> 31) != 0 ? 0xffffffffu : 0x80000000u);
  };
  index_t starts[digits][mask + 1] = {};
  for (index_t i = 0; i < count; ++i) {
    const std::uint32_t k = key(values[i]);
    for (int d = 0; d < digits; ++d) ++starts[d][(k >> (d * digit_bits)) & mask];
  }
  float *from = values, *to = scratch;
  float *weights_from = weights, *weights_to = weights == nullptr ? nullptr : scratch + count;
  for (int d = 0; d < digits; ++d) {
    index_t next = 0;
    for (std::uint32_t b = 0; b <= mask; ++b) {
      const index_t here = starts[d][b];
      starts[d][b] = next;
      next += here;
    }
    for (index_t i = 0; i < count; ++i) {
      const index_t place = starts[d][(key(from[i]) >> (d * digit_bits)) & mask]++;
      to[place] = from[i];
      if (weights != nullptr) weights_to[place] = weights_from[i];
    }
    std::swap(from, to);
    std::swap(weights_from, weights_to);
  }
  // After three passes the values are in the scratch memory.
  std::memcpy(values, from, static_cast<std::size_t>(count) * sizeof(float));
  if (weights != nullptr) {
    std::memcpy(weights, weights_from, static_cast<std::size_t>(count) * sizeof(float));
  }
}

/// Values in rising order. Sums are of the distances to the mean, so that they keep their digits.
class sorted_values {
 public:
  /// @param values   [count], at least one, finite; sorted in place, and kept by the caller
  /// @param weights  [count], finite, not negative, not all 0; or null where all are 1
  static result<sorted_values> create(float* values, float* weights, index_t count) noexcept {
    auto scratch =
        tensor<float, 1>::create(dextents<index_t, 1>(weights == nullptr ? count : 2 * count));
    if (!scratch) return scratch.error();
    auto sums = tensor<double, 1>::create(dextents<index_t, 1>(count + 1));
    if (!sums) return sums.error();
    auto masses =
        tensor<double, 1>::create(dextents<index_t, 1>(weights == nullptr ? 0 : count + 1));
    if (!masses) return masses.error();
    radix_sort(values, weights, count, scratch->data());

    sorted_values v;
    v.values_ = values;
    v.count_ = count;
    double mass = 0, sum = 0;
    for (index_t i = 0; i < count; ++i) {
      const double w = weights == nullptr ? 1.0 : double{weights[i]};
      mass += w;
      sum += w * values[i];
    }
    v.mean_ = sum / mass;
    mass = sum = 0;
    double square = 0;
    for (index_t i = 0; i < count; ++i) {
      const double w = weights == nullptr ? 1.0 : double{weights[i]};
      const double distance = double{values[i]} - v.mean_;
      sum += w * distance;
      square += w * distance * distance;
      (*sums)(i + 1) = sum;
      if (weights != nullptr) (*masses)(i + 1) = mass += w;
    }
    v.square_ = square;
    v.sums_ = *std::move(sums);
    v.masses_ = *std::move(masses);
    return v;
  }

  index_t size() const noexcept { return count_; }
  PARE_ALWAYS_INLINE float operator[](index_t i) const noexcept { return values_[i]; }
  double mean() const noexcept { return mean_; }
  /// The sum of the weighted squared distances to the mean.
  double square() const noexcept { return square_; }

  /// The weight of the values [first, last).
  PARE_ALWAYS_INLINE double mass(index_t first, index_t last) const noexcept {
    if (masses_.empty()) return static_cast<double>(last - first);
    return masses_.data()[last] - masses_.data()[first];
  }
  /// The weighted sum of the distances of the values [first, last) to the mean of all.
  PARE_ALWAYS_INLINE double sum(index_t first, index_t last) const noexcept {
    return sums_.data()[last] - sums_.data()[first];
  }

  /// The number of values that are not above `border`.
  index_t count_up_to(double border) const noexcept {
    index_t first = 0, last = count_;
    while (first < last) {
      const index_t middle = first + (last - first) / 2;
      if (double{values_[middle]} > border) {
        last = middle;
      } else {
        first = middle + 1;
      }
    }
    return first;
  }

  /// The index of the value below which lies the fraction `q` of the weight.
  index_t quantile(double q) const noexcept {
    const double wanted = q * mass(0, count_);
    index_t first = 0, last = count_ - 1;
    while (first < last) {
      const index_t middle = first + (last - first) / 2;
      if (mass(0, middle + 1) > wanted) {
        last = middle;
      } else {
        first = middle + 1;
      }
    }
    return first;
  }

  /// The weighted squared error where each value becomes the nearest of `count` rising levels.
  template <class Level>
  double squared_error(const Level* levels, index_t count) const noexcept {
    double error = square_;
    index_t first = 0;
    for (index_t c = 0; c < count; ++c) {
      const index_t last =
          c + 1 == count ? count_ : count_up_to((double{levels[c]} + double{levels[c + 1]}) / 2);
      const double level = double{levels[c]} - mean_;
      error += level * (level * mass(first, last) - 2 * sum(first, last));
      first = last;
    }
    return error < 0 ? 0 : error;
  }

 private:
  const float* values_ = nullptr;
  index_t count_ = 0;
  double mean_ = 0;
  double square_ = 0;
  tensor<double, 1> sums_;    // [count + 1]
  tensor<double, 1> masses_;  // [count + 1], or none where all weights are 1
};

}  // namespace PARE_ABI
}  // namespace pare::detail

#endif  // PARE_QUANTIZE_DETAIL_SORTED_VALUES_HPP
