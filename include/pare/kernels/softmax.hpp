// Probabilities from 8-bit logits, in integers alone.
//
// TensorFlow Lite's SOFTMAX for s8 and u8 (reference_ops::Softmax in reference/softmax.h): 5 integer
// bits for differences, 12 for their sum. On hosts TensorFlow Lite may use a table of floats, which
// can differ by one code.
//
//     constexpr auto p = pare::make_softmax_params(input_scale).value();
//     pare::softmax(logits, p, probabilities);
#ifndef PARE_KERNELS_SOFTMAX_HPP
#define PARE_KERNELS_SOFTMAX_HPP

#include <pare/core/parallel.hpp>
#include <pare/core/tensor_view.hpp>
#include <pare/format/code_limits.hpp>
#include <pare/kernels/linear_shapes.hpp>
#include <pare/kernels/scalar/softmax.hpp>

namespace pare {

/// What `softmax` needs, from `make_softmax_params`. The defaults: a scale of 1/16, beta 1.
struct softmax_params {
  fixed_multiplier factor{1 << 30, 23};  ///< beta * scale * 2^26: from codes to Q5.26
  std::int32_t least_difference = -248;  ///< from the largest logit; what is less counts as 0
};

/// From the scale of the logits.
///
/// @param scale  of the logits; their zero point does not matter
/// @param beta   what logits are multiplied with, the inverse of a temperature
/// @return `non_finite`, or `out_of_range` where scale or beta is not positive, or their product is
///         2^-26 or less
[[nodiscard]] constexpr PARE_ALWAYS_INLINE result<softmax_params> make_softmax_params(
    float scale, float beta = 1.0f) noexcept {
  if (!detail::is_finite(scale) || !detail::is_finite(beta)) {
    return {status_code::non_finite, "the scale or beta is a NaN or an infinity",
            detail::is_finite(scale) ? "beta" : "scale"};
  }
  if (!(scale > 0.0f) || !(beta > 0.0f)) {
    return {status_code::out_of_range, "scale and beta must be positive",
            scale > 0.0f ? "beta" : "scale"};
  }
  constexpr double most = 2147483647.0;
  const double product = static_cast<double>(beta) * static_cast<double>(scale) * 67108864.0;
  if (!(product > 1.0)) {
    return {status_code::out_of_range, "beta * scale must be more than 2^-26", "scale"};
  }
  softmax_params p;
  // Kept below 2^31, where `make_fixed_multiplier` would saturate in another way.
  const fixed_multiplier half = make_fixed_multiplier(detail::min(product, most) / 2.0);
  p.factor = {half.multiplier, half.shift + 1};
  p.least_difference =
      -static_cast<std::int32_t>((std::int64_t{31} << 26) >> static_cast<int>(p.factor.shift));
  return p;
}

namespace detail {
inline namespace PARE_ABI {

/// Exponentials that are kept, on the stack: of each column of the rows at hand, or, where those
/// are more, of each difference that two codes can have.
inline constexpr index_t softmax_exponentials = 256;

/// exp of a difference of codes, at least `least_difference`.
PARE_ALWAYS_INLINE std::int32_t softmax_exp(const softmax_params& p,
                                            std::int32_t difference) noexcept {
  const std::int32_t scaled = wrapping_shift_left(difference, static_cast<int>(p.factor.shift));
  return kernels::scalar::exp_of_negative(
      kernels::scalar::times_large(scaled, p.factor.multiplier));
}

/// What an exponential adds to a sum in Q12.19.
PARE_ALWAYS_INLINE std::uint32_t softmax_part(std::int32_t exponential) noexcept {
  return (static_cast<std::uint32_t>(exponential) + 2048u) >> 12;
}

template <class Code>
PARE_ALWAYS_INLINE Code probability_code(std::int32_t probability) noexcept {
  return static_cast<Code>(min<std::int32_t>(probability, 255) + least_code<Code>);
}

template <class X>
PARE_ALWAYS_INLINE std::int32_t largest(const X* x, index_t n) noexcept {
  std::int32_t most = x[0];
  for (index_t i = 1; i < n; ++i) most = max<std::int32_t>(most, x[i]);
  return most;
}

/// A row of few columns; `exponentials` has room for them.
template <class X, class Y>
void softmax_short_row(const X* x, index_t n, const softmax_params& p, std::int32_t* exponentials,
                       Y* y) noexcept {
  const std::int32_t most = largest(x, n);
  std::uint32_t sum = 0;
  for (index_t i = 0; i < n; ++i) {
    const std::int32_t difference = x[i] - most;
    exponentials[i] = difference < p.least_difference ? 0 : softmax_exp(p, difference);
    sum += softmax_part(exponentials[i]);
  }
  const auto reciprocal = kernels::scalar::reciprocal_of(static_cast<std::int32_t>(sum));
  for (index_t i = 0; i < n; ++i) {
    y[i] = probability_code<Y>(kernels::scalar::probability(exponentials[i], reciprocal));
  }
}

/// A row of any length. `exponentials[d]` is that of the difference -d.
template <class X, class Y>
void softmax_long_row(const X* x, index_t n, const std::int32_t* exponentials, Y* y) noexcept {
  const std::int32_t most = largest(x, n);
  std::uint32_t sum = 0;
  for (index_t i = 0; i < n; ++i) {
    // Saturating: each part is at most 2^19.
    sum = min<std::uint32_t>(sum + softmax_part(exponentials[most - x[i]]), 0x7fffffffu);
  }
  const auto reciprocal = kernels::scalar::reciprocal_of(static_cast<std::int32_t>(sum));
  for (index_t i = 0; i < n; ++i) {
    y[i] = probability_code<Y>(kernels::scalar::probability(exponentials[most - x[i]], reciprocal));
  }
}

inline void softmax_table(const softmax_params& p, std::int32_t* exponentials) noexcept {
  for (std::int32_t d = 0; d < softmax_exponentials; ++d) {
    exponentials[d] = -d < p.least_difference ? 0 : softmax_exp(p, -d);
  }
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// y = softmax(beta * scale * x) of each row, in codes of scale 1/256 and zero point -128 for s8, 0
/// for u8.
///
/// @param x             [rows, classes], s8 or u8; columns side by side, rows any stride apart; at
///                      least one class
/// @param p             from `make_softmax_params`
/// @param y             [rows, classes], s8 or u8; as x; may be x itself, but must not overlap it
///                      otherwise
/// @param parallel_for  see core/parallel.hpp
/// @return `shape_mismatch`, `empty` without classes, or `unsupported` where columns lie apart; y
///         is then untouched
///
/// A sum of exponentials beyond 4096, which overflows in TensorFlow Lite, saturates: all
/// probabilities are less than half a code then. 1 KB of stack.
template <class X, class EX, class LX, class Y, class EY, class LY, class Parallel = serial>
status softmax(const tensor_view<X, EX, LX>& x, const softmax_params& p,
               const tensor_view<Y, EY, LY>& y, const Parallel& parallel_for = {}) noexcept {
  static_assert(EX::rank() == 2 && EY::rank() == 2, "pare: logits are [rows, classes]");
  static_assert(detail::is_code_type<std::remove_const_t<X>> && detail::is_code_type<Y>,
                "pare: codes are std::int8_t or std::uint8_t");
  const strided_matrix_view<const std::remove_const_t<X>> rows(x);
  const strided_matrix_view<Y> out(y);
  const index_t n = rows.extent(0), classes = rows.extent(1);
  PARE_RETURN_IF_ERROR(detail::check_linear_shapes(rows, classes, classes, out));
  if (classes == 0) {
    return {status_code::empty, "there are no probabilities of nothing", "x", position_kind::axis,
            1};
  }
  const auto row_of = [&](const auto& v, index_t i) { return v.data_handle() + i * v.stride(0); };
  std::int32_t exponentials[detail::softmax_exponentials];
  if (n <= detail::softmax_exponentials / classes) {
    for (index_t i = 0; i < n; ++i) {
      detail::softmax_short_row(row_of(rows, i), classes, p, exponentials, row_of(out, i));
    }
    return {};
  }
  detail::softmax_table(p, exponentials);
  constexpr index_t piece = 16384;
  const index_t at_once = detail::max<index_t>(1, piece / classes);
  parallel_for(detail::ceil_div(n, at_once), [&](index_t block) {
    for (index_t i = block * at_once, last = detail::min(n, i + at_once); i < last; ++i) {
      detail::softmax_long_row(row_of(rows, i), classes, exponentials, row_of(out, i));
    }
  });
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_KERNELS_SOFTMAX_HPP
