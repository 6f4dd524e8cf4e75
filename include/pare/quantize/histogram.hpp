// A histogram of a stream of values in 32 KB, whatever their number.
//
// Bins are a power of two wide and start at 0. When a value lies beyond them, they merge in pairs, so
// that the counts are those of one histogram over all values: the same for any order of batches and
// any split over processes.
//
//     auto seen = pare::histogram::create().value();
//     for (const auto& batch : calibration) check(pare::observe(seen, batch.view()));
//     const auto range = pare::percentile_range(seen, 99.99).value();
#ifndef PARE_QUANTIZE_HISTOGRAM_HPP
#define PARE_QUANTIZE_HISTOGRAM_HPP

#include <pare/core/minifloat.hpp>
#include <pare/core/tensor.hpp>
#include <pare/quantize/range.hpp>

namespace pare {

/// What has been seen. A plain struct, so that a process can store it and another one merge it.
struct histogram {
  static constexpr index_t side = 2048;  ///< bins on each side of zero, of which 1024 are in use
  static constexpr index_t bins =
      2 * side;  ///< bin i is from (i - side) * width to below that + width
  static constexpr int smallest_exponent = -149;

  tensor<std::uint64_t, 1> counts;   ///< [bins]
  int exponent = smallest_exponent;  ///< the width of a bin is 2^exponent
  value_range range;                 ///< of all values, exact; means something where there are some
  std::uint64_t total = 0;           ///< values seen

  /// No values yet. @return `out_of_memory`
  static result<histogram> create() noexcept {
    auto counts = tensor<std::uint64_t, 1>::create(dextents<index_t, 1>(bins));
    if (!counts) return counts.error();
    histogram h;
    h.counts = *std::move(counts);
    return h;
  }

  double width() const noexcept { return at(1); }
  /// Where bin i starts.
  double begin(index_t i) const noexcept { return at(i - side); }
  double center(index_t i) const noexcept { return (begin(i) + begin(i + 1)) / 2; }

 private:
  double at(index_t steps) const noexcept {
    const auto bits = static_cast<std::uint64_t>(exponent + 1023) << 52;
    return static_cast<double>(steps) * detail::bit_cast<double>(bits);
  }
};

namespace detail {
inline namespace PARE_ABI {

/// The width that holds values up to a magnitude: 2^11 bins of it reach beyond.
inline int exponent_for(float magnitude) noexcept {
  static_assert(histogram::side == 2048, "pare: 11 bits of bins");
  if (magnitude == 0.0f) return histogram::smallest_exponent;
  return max(exponent_of(magnitude) + 1 - 11, histogram::smallest_exponent);
}

/// Merges bins until they are 2^exponent wide.
inline void widen(histogram& h, int exponent) noexcept {
  if (exponent <= h.exponent) return;
  const int doublings = exponent - h.exponent;
  h.exponent = exponent;
  if (h.total == 0) return;
  const index_t side = histogram::side;
  const int shift = min(doublings, 12);  // after 11, one bin on each side holds everything
  // Towards the middle from both ends of the new bins, so that no count is read after it is written.
  for (index_t to = 0; to < side; ++to) {
    const index_t first = to << shift, last = min((to + 1) << shift, side);
    std::uint64_t above = 0, below = 0;
    for (index_t i = first; i < last; ++i) {
      above += h.counts(side + i);
      below += h.counts(side - 1 - i);
    }
    h.counts(side + to) = above;
    h.counts(side - 1 - to) = below;
  }
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Counts the values of a batch.
///
/// @param batch  any rank and layout, finite; may be empty
/// @return `non_finite` with the first NaN or infinity; the histogram is then as it was
///
/// Two passes over the batch.
template <class T, class E, class L>
[[nodiscard]] status observe(histogram& seen, tensor_view<T, E, L> batch) noexcept {
  PARE_ASSERT(seen.counts.size() == histogram::bins, "make a histogram with `create`");
  if (batch.empty()) return {};
  const auto range = min_max(batch);
  if (!range) return range.error();
  detail::widen(seen, detail::exponent_for(detail::max(range->max, -range->min)));
  const int exponent = seen.exponent;
  std::uint64_t* zero = seen.counts.data() + histogram::side;
  detail::for_each_row(
      detail::input(batch), per_tensor, [&](const float* x, index_t, const detail::row_loop& row) {
        for (index_t i = 0; i < row.count; ++i) {
          const float steps = detail::times_power_of_two(x[i * row.step_a], -exponent);
          const auto whole = static_cast<std::int32_t>(steps);
          ++zero[whole - (steps < static_cast<float>(whole) ? 1 : 0)];
        }
      });
  seen.range = seen.total == 0 ? *range
                               : value_range{detail::min(seen.range.min, range->min),
                                             detail::max(seen.range.max, range->max)};
  seen.total += static_cast<std::uint64_t>(batch.size());
  return {};
}

/// Adds what another histogram has seen.
inline void merge(histogram& seen, const histogram& other) noexcept {
  PARE_ASSERT(seen.counts.size() == histogram::bins && other.counts.size() == histogram::bins,
              "make a histogram with `create`");
  if (other.total == 0) return;
  detail::widen(seen, other.exponent);
  const int shift = detail::min(seen.exponent - other.exponent, 12);
  for (index_t i = 0; i < histogram::side; ++i) {
    seen.counts(histogram::side + (i >> shift)) += other.counts(histogram::side + i);
    seen.counts(histogram::side - 1 - (i >> shift)) += other.counts(histogram::side - 1 - i);
  }
  seen.range = seen.total == 0 ? other.range
                               : value_range{detail::min(seen.range.min, other.range.min),
                                             detail::max(seen.range.max, other.range.max)};
  seen.total += other.total;
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_HISTOGRAM_HPP
