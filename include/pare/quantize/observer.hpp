// Ranges of many batches: the hull of all, or a moving average. Memory does not grow with the data.
//
// PyTorch 1.13: MinMaxObserver and MovingAverageMinMaxObserver in torch/ao/quantization/observer.py.
// Their per-channel forms are one of these for each channel.
//
//     pare::min_max_observer seen;
//     for (const auto& batch : calibration) check(pare::observe(seen, batch.view()));
//     const auto p = pare::choose_params<std::uint8_t>(seen.range, options);
#ifndef PARE_QUANTIZE_OBSERVER_HPP
#define PARE_QUANTIZE_OBSERVER_HPP

#include <pare/quantize/range.hpp>

namespace pare {

/// The range of everything seen. Observers of parts of the data can be merged, in any order.
struct min_max_observer {
  value_range range;    ///< means something where there are batches
  index_t batches = 0;  ///< seen
};

/// The moving average of the ranges of batches: range += rate * (range of the batch - range), in float;
/// the first batch counts in full.
struct moving_average_observer {
  value_range range;
  index_t batches = 0;
  float rate = 0.01f;  ///< `averaging_constant` of PyTorch, 0 to 1
};

inline namespace PARE_ABI {

/// Adds the range of a batch: one of `min_max`, finite.
inline void observe(min_max_observer& seen, value_range batch) noexcept {
  if (seen.batches++ == 0) {
    seen.range = batch;
  } else {
    seen.range = {detail::min(seen.range.min, batch.min), detail::max(seen.range.max, batch.max)};
  }
}
inline void observe(moving_average_observer& seen, value_range batch) noexcept {
  if (seen.batches++ == 0) {
    seen.range = batch;
  } else {
    seen.range = {detail::multiply_then_add(seen.rate, batch.min - seen.range.min, seen.range.min),
                  detail::multiply_then_add(seen.rate, batch.max - seen.range.max, seen.range.max)};
  }
}

/// Adds a batch.
///
/// @param batch  any rank and layout, finite; one without elements is passed over
/// @return `non_finite` with the first NaN or infinity; the observer is then as it was
template <class Observer, class T, class E, class L>
[[nodiscard]] status observe(Observer& seen, tensor_view<T, E, L> batch) noexcept {
  if (batch.empty()) return {};
  const auto range = min_max(batch);
  if (!range) return range.error();
  observe(seen, *range);
  return {};
}

/// Adds what another observer has seen.
inline void merge(min_max_observer& seen, const min_max_observer& other) noexcept {
  if (other.batches == 0) return;
  const index_t batches = seen.batches + other.batches;
  observe(seen, other.range);
  seen.batches = batches;
}

/// The mean of both averages, by their batches: a moving average forgets the order in which parts were
/// seen, so that this is what can be said of both.
inline void merge(moving_average_observer& seen, const moving_average_observer& other) noexcept {
  if (other.batches == 0) return;
  const index_t batches = seen.batches + other.batches;
  const double part = static_cast<double>(other.batches) / static_cast<double>(batches);
  const auto mean = [part](float a, float b) {
    return static_cast<float>(double{a} + part * (double{b} - double{a}));
  };
  seen.range = {mean(seen.range.min, other.range.min), mean(seen.range.max, other.range.max)};
  seen.batches = batches;
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_OBSERVER_HPP
