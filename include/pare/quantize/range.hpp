// The smallest and the largest value of a tensor, or of each of its channels: the plainest range to
// quantize, that of PyTorch's MinMaxObserver and PerChannelMinMaxObserver.
#ifndef PARE_QUANTIZE_RANGE_HPP
#define PARE_QUANTIZE_RANGE_HPP

#include <pare/core/checked.hpp>
#include <pare/core/for_each.hpp>
#include <pare/core/result.hpp>
#include <pare/core/rounding.hpp>
#include <pare/core/xsimd.hpp>
#include <pare/format/affine.hpp>
#include <pare/quantize/detail/range_avx2.hpp>
#include <pare/quantize/detail/rows.hpp>

namespace pare {

/// The reals from `min` to `max`, both included.
struct value_range {
  float min = 0.0f;
  float max = 0.0f;
};

/// One value for each channel, as the functions of this room take them: every vector view converts
/// to it, of any layout, and `{}` is none.
template <class T>
using channel_view = tensor_view<T, dextents<index_t, 1>, layout_stride>;

namespace detail {
inline namespace PARE_ABI {

inline constexpr std::int32_t infinity_bits = 0x7f800000;

/// The bits of |x|: they rise with |x|, and those of infinity and the NaNs come last.
PARE_ALWAYS_INLINE std::int32_t magnitude_bits(float x) noexcept {
  return bit_cast<std::int32_t>(x) & 0x7fffffff;
}

/// -0 becomes 0, so that ranges do not depend on the order of their elements.
PARE_ALWAYS_INLINE float without_sign_of_zero(float x) noexcept {
  return magnitude_bits(x) == 0 ? 0.0f : x;
}

/// What a scan of elements has seen: min and max mean something where all were finite.
struct range_scan {
  float min;
  float max;
  std::int32_t magnitude = 0;  ///< the largest `magnitude_bits`

  explicit range_scan(float first) noexcept : min(first), max(first) {}

  bool all_finite() const noexcept { return magnitude < infinity_bits; }
  value_range range() const noexcept {
    return {without_sign_of_zero(min), without_sign_of_zero(max)};
  }

  PARE_ALWAYS_INLINE void add(float x) noexcept {
    min = detail::min(min, x);
    max = detail::max(max, x);
    magnitude = detail::max(magnitude, magnitude_bits(x));
  }

  PARE_NOINLINE void add_row(const float* x, index_t count, index_t step) noexcept {
    index_t i = step == 1 ? add_vectors(x, count) : 0;
    for (; i < count; ++i) add(x[i * step]);
  }

 private:
  /// The first elements of `count`. Returns how many.
  index_t add_vectors([[maybe_unused]] const float* x, [[maybe_unused]] index_t count) noexcept {
#if PARE_X86_KERNELS
    if (runs_on_avx2()) {
      avx2::seen_range seen{min, max, magnitude};
      const index_t done = avx2::range_run(x, count, seen);
      min = seen.min;
      max = seen.max;
      magnitude = seen.magnitude;
      return done;
    }
#endif
    index_t i = 0;
#if PARE_XSIMD
    using floats = xsimd::batch<float>;
    using integers = xsimd::batch<std::int32_t>;
    constexpr index_t width = static_cast<index_t>(floats::size);
    if (count >= width) {
      floats low = floats::load_unaligned(x), high = low;
      integers bits(0);
      const integers no_sign(0x7fffffff);
      for (; i + width <= count; i += width) {
        const floats v = floats::load_unaligned(x + i);
        low = xsimd::min(low, v);
        high = xsimd::max(high, v);
        bits = xsimd::max(bits, bits_of(v) & no_sign);
      }
      min = detail::min(min, smallest_lane(low));
      max = detail::max(max, largest_lane(high));
      magnitude = detail::max(magnitude, largest_lane(bits));
    }
#endif
    return i;
  }
};

/// `ok`, or `non_finite` with the first NaN or infinity in row-major order.
template <class View>
status find_non_finite(const View& v, const char* subject) noexcept {
  index_t position = 0;
  const bool finite = for_each_element_while(v, [&](float x, index_t i) {
    position = i;
    return is_finite(x);
  });
  if (finite) return {};
  return {status_code::non_finite, "the tensor holds a NaN or an infinity", subject,
          position_kind::element, position};
}

/// Whether all elements of a row are finite.
PARE_NOINLINE inline bool is_finite_row(const float* x, index_t count, index_t step) noexcept {
  index_t i = 0;
#if PARE_X86_KERNELS
  if (step == 1 && runs_on_avx2()) {
    bool finite = true;
    i = avx2::check_run(x, count, finite);
    if (!finite) return false;
  }
#endif
#if PARE_XSIMD
  using floats = xsimd::batch<float>;
  using integers = xsimd::batch<std::int32_t>;
  constexpr index_t width = static_cast<index_t>(floats::size);
  if (step == 1 && count - i >= width) {
    // The exponent of a NaN or an infinity is all ones: adding one to it carries into the sign.
    const integers no_sign(0x7fffffff), carry(0x00800000);
    integers seen(0);
    for (; i + width <= count; i += width) {
      seen = seen | ((bits_of(floats::load_unaligned(x + i)) & no_sign) + carry);
    }
    if (fold_lanes(seen, [](std::int32_t a, std::int32_t b) { return a | b; }) < 0) return false;
  }
#endif
  for (; i < count; ++i) {
    if (!is_finite(x[i * step])) return false;
  }
  return true;
}

/// As `find_non_finite`, at the speed of memory where all is well.
template <class View>
status check_finite(const View& v, const char* subject) noexcept {
  bool finite = true;
  for_each_row(v, per_tensor, [&finite](const float* x, index_t, const row_loop& row) {
    finite = finite && is_finite_row(x, row.count, row.step_a);
  });
  return finite ? status() : find_non_finite(v, subject);
}

/// The range of all elements, of which there are some.
template <class View>
result<value_range> range_of(const View& v, const char* subject) noexcept {
  range_scan scan(*v.data_handle());
  for_each_row(v, per_tensor, [&scan](const float* x, index_t, const row_loop& row) {
    scan.add_row(x, row.count, row.step_a);
  });
  if (!scan.all_finite()) return find_non_finite(v, subject).error();
  return scan.range();
}

/// The range of each slice along `axis`; everything has been checked.
template <class View>
void ranges_of(const View& v, int axis, const channel_view<float>& mins,
               const channel_view<float>& maxs) noexcept {
  const index_t channels = mins.extent(0), to_next = v.stride(static_cast<std::size_t>(axis));
  for (index_t c = 0; c < channels; ++c) mins[c] = maxs[c] = v.data_handle()[c * to_next];
  for_each_row(v, axis, [&](const float* x, index_t channel, const row_loop& row) {
    if (row.step_channel == 0) {
      range_scan scan(*x);
      scan.add_row(x, row.count, row.step_a);
      mins[channel] = min(mins[channel], scan.min);
      maxs[channel] = max(maxs[channel], scan.max);
    } else {
      for (index_t i = 0; i < row.count; ++i) {
        const float value = x[i * row.step_a];
        mins[channel + i] = min(mins[channel + i], value);
        maxs[channel + i] = max(maxs[channel + i], value);
      }
    }
  });
  for (index_t c = 0; c < channels; ++c) {
    mins[c] = without_sign_of_zero(mins[c]);
    maxs[c] = without_sign_of_zero(maxs[c]);
  }
}

template <class T>
inline constexpr bool is_float = std::is_same_v<std::remove_const_t<T>, float>;

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// The range of all elements.
///
/// @param values  any rank and layout, finite
/// @return `empty` for a tensor without elements; `non_finite` with the first NaN or infinity, as
///         its index in row-major order. Zeros come back as +0.
///
/// One pass.
template <class T, class E, class L>
[[nodiscard]] result<value_range> min_max(tensor_view<T, E, L> values) noexcept {
  static_assert(detail::is_float<T>, "pare: ranges are taken of float");
  if (values.empty()) {
    return {status_code::empty, "a tensor without elements has no range", "values"};
  }
  return detail::range_of(detail::input(values), "values");
}

/// The range of each slice along `axis`: for weights [out, in, ...] and axis 0, of each output
/// channel.
///
/// @param values  rank 1 or higher, any layout, finite
/// @param axis    a dimension of `values`
/// @param mins    one for each index along the axis
/// @param maxs    as `mins`
/// @return `out_of_range` for the axis, `shape_mismatch` for the outputs, and as above; the outputs
///         are then untouched
///
/// Two passes, both in the order of memory.
template <class T, class E, class L>
[[nodiscard]] status min_max(tensor_view<T, E, L> values, int axis, channel_view<float> mins,
                             channel_view<float> maxs) noexcept {
  static_assert(detail::is_float<T>, "pare: ranges are taken of float");
  PARE_RETURN_IF_ERROR(detail::check_axis(axis, E::rank()));
  const index_t channels = static_cast<index_t>(values.extent(static_cast<std::size_t>(axis)));
  if (mins.extent(0) != channels) {
    return {status_code::shape_mismatch, "there is one minimum for each index along the axis",
            "mins"};
  }
  if (maxs.extent(0) != channels) {
    return {status_code::shape_mismatch, "there is one maximum for each index along the axis",
            "maxs"};
  }
  if (values.empty()) {
    return {status_code::empty, "a tensor without elements has no range", "values"};
  }
  PARE_RETURN_IF_ERROR(detail::check_finite(detail::input(values), "values"));
  detail::ranges_of(detail::input(values), axis, mins, maxs);
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_RANGE_HPP
