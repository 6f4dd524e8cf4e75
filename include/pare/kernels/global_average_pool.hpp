// The mean of each channel of 8-bit codes, NHWC, requantized: the head of most classifiers.
//
// TensorFlow Lite's MEAN over height and width (reference_ops::QuantizedMeanOrSum in
// reference/reduce.h): the sum less its zero points, times scale of x / scale of y / count in fixed
// point. Before release 2.14 the operator divided in a second step or in float; those can differ by
// one code.
#ifndef PARE_KERNELS_GLOBAL_AVERAGE_POOL_HPP
#define PARE_KERNELS_GLOBAL_AVERAGE_POOL_HPP

#include <pare/core/fixed_point.hpp>
#include <pare/kernels/pool.hpp>

namespace pare {

/// What `global_average_pool` needs, from `make_global_average_pool_params`.
///
/// @tparam Code  std::int8_t or std::uint8_t
template <class Code>
struct global_average_pool_params {
  std::int32_t zero_point_x = 0, zero_point_y = 0;
  fixed_multiplier factor{1 << 30, 1};  ///< scale of x / scale of y
  code_limits limits{};
  requantization rule = requantization::double_rounding;
};

/// From the parameters of both sides.
///
/// @tparam Code   std::int8_t or std::uint8_t, of both
/// @param limits  what outputs are clamped to; see `activation_limits`
/// @param rule    `double_rounding`, TensorFlow Lite's default, or `single_rounding`
/// @return `non_finite` or `out_of_range` for scales and zero points; `out_of_range` too where x
///         has 2^20 times the scale of y, or where the limits hold no code; `invalid_argument` for
///         another rule
template <class Code>
[[nodiscard]] constexpr PARE_ALWAYS_INLINE result<global_average_pool_params<Code>>
make_global_average_pool_params(affine_params x, affine_params y, code_limits limits = {},
                                requantization rule = requantization::double_rounding) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_code_params<Code>(x, "x"));
  PARE_RETURN_IF_ERROR(detail::check_code_params<Code>(y, "y"));
  if (rule != requantization::double_rounding && rule != requantization::single_rounding) {
    return {status_code::invalid_argument, "means follow one of the fixed-point rules", "rule"};
  }
  const auto within = detail::limits_within<Code>(limits);
  if (!within) {
    return within.error();
  }
  const double factor = static_cast<double>(x.scale) / static_cast<double>(y.scale);
  if (!(factor < 1048576.0)) {
    return {status_code::out_of_range, "the scale of x must be less than 2^20 times that of y",
            "x"};
  }
  global_average_pool_params<Code> p;
  p.zero_point_x = x.zero_point;
  p.zero_point_y = y.zero_point;
  p.factor = make_fixed_multiplier(factor);
  p.limits = *within;
  p.rule = rule;
  return p;
}

namespace detail {

/// factor / count: the multiplier moves up by as many bits as count has, then is divided.
constexpr PARE_ALWAYS_INLINE fixed_multiplier divide(fixed_multiplier factor,
                                                     std::int32_t count) noexcept {
  int shift = 0;
  while ((count >> shift) > 1) ++shift;
  shift = min(shift, 31 + static_cast<int>(factor.shift));
  const std::int64_t raised = static_cast<std::int64_t>(factor.multiplier) << shift;
  return {static_cast<std::int32_t>(raised / count), factor.shift - shift};
}

inline namespace PARE_ABI {

/// Sums of codes, as s8, become codes by a rule that the compiler knows.
template <requantization Rule, class Code>
void means_of(const std::int32_t* sums, index_t n, std::int32_t offset, fixed_multiplier factor,
              const global_average_pool_params<Code>& p, Code* y) noexcept {
  for (index_t c = 0; c < n; ++c) {
    y[c] = static_cast<Code>(requantize(Rule, sums[c] + offset, 0.0f, factor, p.zero_point_y,
                                        p.limits.low, p.limits.high));
  }
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// y = clamp(round(mean(x - zero_point_x) * scale_x / scale_y) + zero_point_y) of each channel.
///
/// @param x             [images, height, width, channels]; channels side by side, other axes any
///                      stride apart; height and width at least 1, their product at most 2^23
/// @param p             from `make_global_average_pool_params`
/// @param y             [images, channels], or [images, 1, 1, channels]; channels side by side
/// @param parallel_for  see core/parallel.hpp
/// @return `shape_mismatch`, `empty`, `overflow` for the size of the mean, or `unsupported` for
///         channels apart; y is then untouched
template <class X, class EX, class LX, class Code, class Y, class EY, class LY,
          class Parallel = serial>
status global_average_pool(const tensor_view<X, EX, LX>& x,
                           const global_average_pool_params<Code>& p,
                           const tensor_view<Y, EY, LY>& y,
                           const Parallel& parallel_for = {}) noexcept {
  static_assert(EX::rank() == 4 && (EY::rank() == 2 || EY::rank() == 4),
                "pare: x is [images, height, width, channels], y is [images, channels]");
  static_assert(std::is_same_v<std::remove_const_t<X>, Code> && std::is_same_v<Y, Code>,
                "pare: x and y have codes of the type of the parameters");
  constexpr std::size_t last = EY::rank() - 1;
  constexpr index_t most_count = index_t{1} << 23, block = 64;
  const detail::image_view<const Code> from(x);
  const index_t images = from.extent(0), channels = from.extent(3);
  bool fits = y.extent(0) == images && y.extent(last) == channels;
  for (std::size_t r = 1; r < last; ++r) fits = fits && y.extent(r) == 1;
  if (!fits) {
    return {status_code::shape_mismatch, "y must be [images of x, channels of x]", "y"};
  }
  if (from.extent(1) < 1 || from.extent(2) < 1) {
    return {status_code::empty, "there is no mean of nothing", "x"};
  }
  index_t count = 0;
  if (!detail::checked_multiply(from.extent(1), from.extent(2), count) || count > most_count) {
    return {status_code::overflow, "a mean is over at most 2^23 codes", "x"};
  }
  PARE_RETURN_IF_ERROR(detail::check_channels_adjacent(from, "x"));
  if (channels > 1 && y.stride(last) != 1) {
    return {status_code::unsupported, "channels must lie side by side", "y", position_kind::axis,
            static_cast<index_t>(last)};
  }
  const auto kernel = detail::pool_kernels_of(active_isa()).sum_channels;
  const auto n = static_cast<std::int32_t>(count);
  const fixed_multiplier factor = detail::divide(p.factor, n);
  const std::int32_t offset = (detail::flip_of<Code> - p.zero_point_x) * n;
  const index_t blocks = detail::ceil_div(channels, block);
  parallel_for(images * blocks, [&](index_t i) {
    const index_t image = i / blocks, channel = i % blocks * block;
    kernels::pool_row row{};
    row.x = reinterpret_cast<const std::uint8_t*>(from.data_handle()) + image * from.stride(0) +
            channel;
    row.rows = from.extent(1);
    row.width = from.extent(2);
    row.channels = detail::min(block, channels - channel);
    row.row_stride = from.stride(1);
    row.column_stride = from.stride(2);
    row.flip = detail::flip_of<Code>;
    std::int32_t sums[block];
    kernel(row, sums);
    Code* out = y.data_handle() + image * y.stride(0) + channel;
    if (p.rule == requantization::single_rounding) {
      detail::means_of<requantization::single_rounding>(sums, row.channels, offset, factor, p, out);
    } else {
      detail::means_of<requantization::double_rounding>(sums, row.channels, offset, factor, p, out);
    }
  });
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_KERNELS_GLOBAL_AVERAGE_POOL_HPP
