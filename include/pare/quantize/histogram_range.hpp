// Ranges from a histogram that leave out what is rare: by percentile, squared error, entropy, or
// PyTorch's search.
//
// Percentile and entropy: the calibrators of ONNX Runtime (onnxruntime/quantization/calibrate.py) and
// TensorRT (Migacz, "8-bit Inference with TensorRT", GTC 2017); entropy with 2048 bins and 128 levels,
// since ONNX Runtime's defaults of 128 bins and 128 levels leave nothing to choose. PyTorch 1.13:
// HistogramObserver in torch/ao/quantization/observer.py.
#ifndef PARE_QUANTIZE_HISTOGRAM_RANGE_HPP
#define PARE_QUANTIZE_HISTOGRAM_RANGE_HPP

#include <cmath>

#include <pare/quantize/affine.hpp>
#include <pare/quantize/histogram.hpp>

namespace pare {
namespace detail {
inline namespace PARE_ABI {

inline status check_seen(const histogram& seen) noexcept {
  if (seen.total == 0) return {status_code::empty, "no values have been seen", "seen"};
  return {};
}

/// The value below which lies a fraction of all, values spread evenly within a bin.
inline double quantile_of(const histogram& seen, double fraction) noexcept {
  const double wanted = fraction * static_cast<double>(seen.total);
  double below = 0;
  for (index_t i = 0; i < histogram::bins; ++i) {
    const auto here = static_cast<double>(seen.counts(i));
    if (here > 0 && below + here >= wanted) {
      return seen.begin(i) + (wanted - below) / here * seen.width();
    }
    below += here;
  }
  return double{seen.range.max};
}

/// A range within that of the values.
inline value_range bounded(const histogram& seen, double low, double high) noexcept {
  return {clamp(static_cast<float>(low), seen.range.min, seen.range.max),
          clamp(static_cast<float>(high), seen.range.min, seen.range.max)};
}

/// Kullback-Leibler divergence of the magnitudes below bin `end` from what `levels` steps keep of them.
inline double divergence(const double* counts, index_t end, index_t levels,
                         double beyond) noexcept {
  constexpr double smoothing = 1e-4;
  double total = beyond, kept = 0;
  index_t zeros = 0;
  for (index_t i = 0; i < end; ++i) {
    total += counts[i];
    kept += counts[i];
    zeros += counts[i] == 0 ? 1 : 0;
  }
  if (kept == 0) return 1e300;
  // Zeros get a little from all others, so that no logarithm is infinite.
  const double given =
      zeros == end ? 0.0
                   : smoothing * static_cast<double>(zeros) / static_cast<double>(end - zeros);
  double sum = 0;
  for (index_t level = 0; level < levels; ++level) {
    const index_t first = level * end / levels, last = (level + 1) * end / levels;
    double mass = 0;
    index_t used = 0;
    for (index_t i = first; i < last; ++i) {
      mass += counts[i];
      used += counts[i] > 0 ? 1 : 0;
    }
    for (index_t i = first; i < last; ++i) {
      const double exact = counts[i] + (i == end - 1 ? beyond : 0.0);
      if (exact == 0) continue;  // both sides are smoothed alike
      const double p = exact / total - given;
      const double q = counts[i] > 0 ? mass / static_cast<double>(used) / kept - given : smoothing;
      if (p > 0 && q > 0) sum += p * std::log(p / q);
    }
  }
  return sum;
}

/// PyTorch's estimate of the squared error where bins [first, last] are spread over `levels` steps.
inline double spread_error(const histogram& seen, index_t low, index_t count, index_t first,
                           index_t last, int levels) noexcept {
  const double width = seen.width();
  const double step = width * static_cast<double>(last - first + 1) / levels;
  const auto cube = [](double x) { return x * x * x; };
  double error = 0;
  for (index_t i = 0; i < count; ++i) {
    const double density = static_cast<double>(seen.counts(low + i)) / width;
    if (density == 0) continue;
    const double begin = static_cast<double>(i - first) * width, end = begin + width;
    const double begin_step = clamp(std::floor(begin / step), 0.0, double(levels - 1));
    const double end_step = clamp(std::floor(end / step), 0.0, double(levels - 1));
    const double half = step / 2;
    const double from = begin - (begin_step + 0.5) * step, to = end - (end_step + 0.5) * step;
    error += density / 3 *
             (cube(half) - cube(from) + (end_step - begin_step - 1) * 2 * cube(half) + cube(to) +
              cube(half));
  }
  return error;
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// The range of the middle `percent` of all values; the rest is left out on both sides alike.
///
/// @param percent  above 0 and at most 100, where the range is that of all values
/// @return `out_of_range` for the percentage, `empty`
[[nodiscard]] inline result<value_range> percentile_range(const histogram& seen,
                                                          double percent = 99.999) noexcept {
  if (!(percent > 0 && percent <= 100)) {
    return {status_code::out_of_range, "a percentage lies above 0 and is at most 100", "percent"};
  }
  PARE_RETURN_IF_ERROR(detail::check_seen(seen));
  if (percent == 100) return seen.range;
  const double tail = (100 - percent) / 200;
  return detail::bounded(seen, detail::quantile_of(seen, tail),
                         detail::quantile_of(seen, 1 - tail));
}

/// The range whose affine codes have the least squared error: of a hundred, shrunk evenly from that of
/// all values, the best. A bin counts as its center.
///
/// @tparam Code     std::int8_t or std::uint8_t
/// @param options  bits, scheme and rule of the codes
/// @return `out_of_range` for bits, `invalid_argument` for a scheme or rule that is none, `empty`
template <class Code = std::uint8_t>
[[nodiscard]] result<value_range> mse_range(const histogram& seen, affine options = {}) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_options(options));
  PARE_RETURN_IF_ERROR(detail::check_rule(options.rule));
  PARE_RETURN_IF_ERROR(detail::check_seen(seen));
  const detail::code_range codes =
      detail::codes_of<Code>(options.scheme, options.rule, options.bits, options.span);
  value_range best = seen.range;
  double least = -1;
  for (int i = 0; i < 100; ++i) {
    const float part = static_cast<float>(100 - i) / 100.0f;
    const value_range tried{seen.range.min * part, seen.range.max * part};
    const affine_params p = detail::choose_checked<Code>(tried, options);
    double error = 0;
    for (index_t b = 0; b < histogram::bins; ++b) {
      if (seen.counts(b) == 0) continue;
      const double center = seen.center(b);
      const double code =
          detail::clamp(std::nearbyint(center / double{p.scale}), double(codes.min - p.zero_point),
                        double(codes.max - p.zero_point));
      const double rest = code * double{p.scale} - center;
      error += rest * rest * static_cast<double>(seen.counts(b));
    }
    if (least < 0 || error < least) {
      least = error;
      best = tried;
    }
  }
  return best;
}

/// The range, even around zero, at which symmetric codes keep most information: the least divergence of
/// the distribution of magnitudes, cut off, from what the steps of the codes leave of it.
///
/// @param levels  steps for magnitudes, 2 to 1024: 128 for codes of 8 bits
/// @return `out_of_range` for the levels, `empty`; the range is cut to that of the values
[[nodiscard]] inline result<value_range> entropy_range(const histogram& seen,
                                                       int levels = 128) noexcept {
  if (levels < 2 || levels > histogram::side / 2) {
    return {status_code::out_of_range, "there are 2 to 1024 levels", "levels"};
  }
  PARE_RETURN_IF_ERROR(detail::check_seen(seen));
  double counts[histogram::side];
  double total = 0;
  index_t used = 0;
  for (index_t i = 0; i < histogram::side; ++i) {
    counts[i] = static_cast<double>(seen.counts(histogram::side + i) +
                                    seen.counts(histogram::side - 1 - i));
    total += counts[i];
    if (counts[i] > 0) used = i + 1;
  }
  double within = 0, least = -1;
  index_t best = used;
  for (index_t end = 1; end <= used; ++end) {
    within += counts[end - 1];
    if (end < levels) continue;
    const double d = detail::divergence(counts, end, levels, total - within);
    if (least < 0 || d < least) {
      least = d;
      best = end;
    }
  }
  const double threshold = static_cast<double>(best) * seen.width();
  return detail::bounded(seen, -threshold, threshold);
}

/// The range that PyTorch's HistogramObserver would choose of these bins: quantiles move inwards in
/// steps of 1e-5, always on the side that loses fewer bins, as long as its estimate of the error falls.
///
/// The ranges are equal where the bins are: PyTorch has 2048 of them between the least and the largest
/// value (1.13 cuts both to integers, and misses what lies beyond), these are a power of two wide. The
/// search ends where the estimate rises for the first time, so that other bins can end it elsewhere.
///
/// @param levels  codes, 2 to 256
/// @return `out_of_range` for the levels, `empty`
[[nodiscard]] inline result<value_range> pytorch_histogram_range(const histogram& seen,
                                                                 int levels = 256) noexcept {
  if (levels < 2 || levels > 256) {
    return {status_code::out_of_range, "there are 2 to 256 codes", "levels"};
  }
  PARE_RETURN_IF_ERROR(detail::check_seen(seen));
  index_t low = 0, high = histogram::bins;
  while (seen.counts(low) == 0) ++low;
  while (seen.counts(high - 1) == 0) --high;
  const index_t count = high - low;
  double sums[histogram::bins];
  double total = 0;
  for (index_t i = 0; i < count; ++i) {
    sums[i] = total += static_cast<double>(seen.counts(low + i));
  }
  double alpha = 0, beta = 1, least = -1;
  index_t first = 0, last = count - 1;
  while (alpha < beta) {
    const double next_alpha = alpha + 1e-5, next_beta = beta - 1e-5;
    index_t l = first, r = last;
    while (l < last && sums[l] < next_alpha * total) ++l;
    while (r > first && sums[r] > next_beta * total) --r;
    const bool from_below = l - first > last - r;
    const index_t next_first = from_below ? l : first, next_last = from_below ? last : r;
    (from_below ? alpha : beta) = from_below ? next_alpha : next_beta;
    if (next_first == first && next_last == last) continue;
    const double error = detail::spread_error(seen, low, count, next_first, next_last, levels);
    if (least >= 0 && error > least) break;
    least = error;
    first = next_first;
    last = next_last;
  }
  return detail::bounded(seen, seen.begin(low + first), seen.begin(low + last + 1));
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_HISTOGRAM_RANGE_HPP
