// How much to prune: a number of weights, or a fraction of those that are left.
//
// The convention of torch.nn.utils.prune: a number is absolute, and a fraction f of n is Python's
// round(f * n), half to even.
#ifndef PARE_PRUNE_AMOUNT_HPP
#define PARE_PRUNE_AMOUNT_HPP

#include <pare/core/checked.hpp>
#include <pare/core/result.hpp>
#include <pare/core/rounding.hpp>

namespace pare {

/// A number of weights or channels, or a fraction of those that are left.
///
///     pare::prune_magnitude(w, pare::amount::fraction(0.9), mask);
///     pare::keep_channels(scores, pare::amount::count(16));
class amount {
 public:
  /// Nothing.
  constexpr amount() noexcept = default;

  /// Exactly n, which is not negative.
  static constexpr PARE_ALWAYS_INLINE amount count(index_t n) noexcept { return {n, 0.0, false}; }

  /// The fraction f, in [0, 1], of what is left. `fraction(0.5)` twice prunes three quarters.
  static constexpr PARE_ALWAYS_INLINE amount fraction(double f) noexcept { return {0, f, true}; }

  /// How many of `total` that is. A fraction is rounded half to even.
  ///
  /// @param total  what is left, not negative
  /// @return `invalid_argument` for a fraction outside [0, 1] or NaN and for a negative count,
  ///         `out_of_range` for a count above `total`
  constexpr PARE_ALWAYS_INLINE result<index_t> of(index_t total) const noexcept {
    if (!is_fraction_) {
      if (count_ < 0) {
        return {status_code::invalid_argument, "an amount to prune is not negative", "amount"};
      }
      if (count_ > total) {
        return {status_code::out_of_range, "the amount to prune exceeds what is left", "amount"};
      }
      return count_;
    }
    if (!detail::is_finite(fraction_) || fraction_ < 0.0 || fraction_ > 1.0) {
      return {status_code::invalid_argument, "a fraction to prune lies between 0 and 1", "amount"};
    }
    if (fraction_ == 1.0) return total;  // a total beyond 2^53 has no exact double
    const double share = fraction_ * static_cast<double>(total);
    return detail::min(static_cast<index_t>(detail::round_half_even(share)), total);
  }

 private:
  constexpr PARE_ALWAYS_INLINE amount(index_t n, double f, bool is_fraction) noexcept
      : count_(n), fraction_(f), is_fraction_(is_fraction) {}

  index_t count_ = 0;
  double fraction_ = 0.0;
  bool is_fraction_ = false;
};

}  // namespace pare

#endif  // PARE_PRUNE_AMOUNT_HPP
