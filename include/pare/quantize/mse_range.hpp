// The range of a tensor, or of each of its channels, that costs least when values are rounded to its
// codes: values beyond it saturate.
//
// compressed-tensors and llm-compressor: the MSE observer, with its shrinking, norm and patience.
#ifndef PARE_QUANTIZE_MSE_RANGE_HPP
#define PARE_QUANTIZE_MSE_RANGE_HPP

#include <cmath>

#include <pare/quantize/affine.hpp>
#include <pare/quantize/detail/channels.hpp>

namespace pare {

/// How a range is searched.
struct mse_search {
  int steps = 100;      ///< a step shrinks the range by 1 / steps of that of all values
  float shrink = 0.2f;  ///< the part of the range that may go, 0 to 1
  float norm = 2.4f;    ///< errors are raised to this power, above 0
  int patience = 5;     ///< steps without a better range before the search ends
};

namespace detail {
inline namespace PARE_ABI {

template <class Code, affine_rule Rule>
double error_power(const float* x, index_t count, affine_params p, code_range codes,
                   double norm) noexcept {
  const quantizer<Rule> code_of(p, codes);
  double error = 0;
  for (index_t i = 0; i < count; ++i) {
    const float back = static_cast<float>(code_of(x[i]) - p.zero_point) * p.scale;
    const double rest = std::fabs(double{back} - double{x[i]});
    error += norm == 2.0 ? rest * rest : std::pow(rest, norm);
  }
  return error;
}

/// @param x  [count], at least one, finite
template <class Code>
value_range search_range(const float* x, index_t count, const affine& options,
                         const mse_search& search) noexcept {
  range_scan scan(*x);
  scan.add_row(x, count, 1);
  const value_range all = scan.range();
  const code_range codes = codes_of<Code>(options.scheme, options.rule, options.bits, options.span);
  value_range best = all;
  double least = -1;
  int waited = 0;
  const int tries = max(static_cast<int>(search.shrink * static_cast<float>(search.steps)), 1);
  for (int i = 0; i < tries && waited < search.patience; ++i) {
    const float part = 1.0f - static_cast<float>(i) / static_cast<float>(search.steps);
    const value_range tried{all.min * part, all.max * part};
    const affine_params p = choose_checked<Code>(tried, options);
    double error = 0;
    with_rule(options.rule, [&](auto rule) {
      error = error_power<Code, rule>(x, count, p, codes, double{search.norm});
    });
    if (least < 0 || error < least) {
      least = error;
      best = tried;
      waited = 0;
    } else {
      ++waited;
    }
  }
  return best;
}

inline status check_search(const mse_search& search) noexcept {
  if (search.steps < 1 || search.patience < 1) {
    return {status_code::out_of_range, "a search has at least one step and some patience",
            "search"};
  }
  if (!(search.shrink >= 0 && search.shrink <= 1 && search.norm > 0)) {
    return {status_code::out_of_range, "a range shrinks by 0 to 1, and a norm is above 0",
            "search"};
  }
  return {};
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// The ranges of the slices along `options.axis`, or one range per tensor.
///
/// @tparam Code     std::int8_t or std::uint8_t
/// @param x       any rank and layout, finite
/// @param mins    one for each index along the axis, or one
/// @param maxs    as `mins`
/// @return `out_of_range` for bits, axis or search, `invalid_argument` for a scheme or rule that is
///         none, `empty`, `shape_mismatch`, `non_finite` with the first NaN or infinity,
///         `out_of_memory`; the outputs are then untouched
template <class Code = std::int8_t, class T, class E, class L>
[[nodiscard]] status mse_ranges(tensor_view<T, E, L> x, affine options, channel_view<float> mins,
                                channel_view<float> maxs, mse_search search = {}) noexcept {
  static_assert(detail::is_float<T>, "pare: ranges are taken of float");
  PARE_RETURN_IF_ERROR(detail::check_options(options));
  PARE_RETURN_IF_ERROR(detail::check_rule(options.rule));
  PARE_RETURN_IF_ERROR(detail::check_search(search));
  if (options.axis != per_tensor) PARE_RETURN_IF_ERROR(detail::check_axis(options.axis, E::rank()));
  const index_t channels = detail::channels_of(x, options.axis);
  if (mins.extent(0) != channels || maxs.extent(0) != channels) {
    return {status_code::shape_mismatch, "there is one range for each index along the axis",
            mins.extent(0) != channels ? "mins" : "maxs"};
  }
  if (x.empty()) return {status_code::empty, "a tensor without elements has no range", "x"};
  PARE_RETURN_IF_ERROR(detail::check_finite(detail::input(x), "x"));
  tensor<float, 2> values;
  PARE_RETURN_IF_ERROR(
      detail::gather_channels(detail::input(x), detail::input(x), options.axis, values, nullptr));
  for (index_t c = 0; c < channels; ++c) {
    const value_range range = detail::search_range<Code>(values.data() + c * values.extent(1),
                                                         values.extent(1), options, search);
    mins[c] = range.min;
    maxs[c] = range.max;
  }
  return {};
}

/// The range of a whole tensor.
template <class Code = std::int8_t, class T, class E, class L>
[[nodiscard]] result<value_range> mse_range(tensor_view<T, E, L> x, affine options = {},
                                            mse_search search = {}) noexcept {
  options.axis = per_tensor;
  value_range range;
  PARE_RETURN_IF_ERROR(
      mse_ranges<Code>(x, options, view(&range.min, 1), view(&range.max, 1), search));
  return range;
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_MSE_RANGE_HPP
