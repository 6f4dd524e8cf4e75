// What quantization cost: the largest and the RMS error and the signal to noise ratio, gathered
// while codes are made.
#ifndef PARE_QUANTIZE_ERROR_METER_HPP
#define PARE_QUANTIZE_ERROR_METER_HPP

#include <cmath>
#include <limits>

#include <pare/core/checked.hpp>

namespace pare {

/// Gathers errors of values against what stands for them. Meters of parts can be merged.
///
///     pare::error_meter errors;
///     auto w4 = pare::quantize_mx(w, pare::mx::fp4_e2m1, &errors);
///     std::printf("SQNR %.1f dB\n", errors.sqnr());
class error_meter {
 public:
  PARE_ALWAYS_INLINE void add(float exact, float rounded) noexcept {
    const double x = exact, error = x - double{rounded};
    largest_ = detail::max(largest_, error < 0 ? -error : error);
    noise_ += error * error;
    signal_ += x * x;
    ++count_;
  }
  PARE_ALWAYS_INLINE void merge(const error_meter& other) noexcept {
    largest_ = detail::max(largest_, other.largest_);
    noise_ += other.noise_;
    signal_ += other.signal_;
    count_ += other.count_;
  }

  index_t count() const noexcept { return count_; }
  /// The largest magnitude of an error.
  double max_error() const noexcept { return largest_; }
  /// The mean of the squared errors; 0 where there are none.
  double mean_squared_error() const noexcept {
    return count_ == 0 ? 0.0 : noise_ / static_cast<double>(count_);
  }
  double rms_error() const noexcept { return std::sqrt(mean_squared_error()); }
  /// Signal to quantization noise ratio in decibels, infinite where nothing was lost.
  double sqnr() const noexcept {
    if (noise_ == 0) return std::numeric_limits<double>::infinity();
    return 10.0 * std::log10(signal_ / noise_);
  }

 private:
  double largest_ = 0;
  double noise_ = 0;   // the sum of squared errors
  double signal_ = 0;  // the sum of squared values
  index_t count_ = 0;
};

}  // namespace pare

#endif  // PARE_QUANTIZE_ERROR_METER_HPP
