// Schemes on top of other schemes: scales that are searched for instead of taken from the largest
// magnitude, and scales that are exact in 16 bits.
//
// The search: GPTQ's quantizer with `mse` (Frantar et al., 2022, arXiv:2210.17323); weighted by the
// diagonal of the Hessian as in Optimal Brain Damage (LeCun et al., 1990).
//
//     const pare::half_scheme<pare::search_scheme<pare::affine_scheme>> scheme{{{{4}}}};
#ifndef PARE_QUANTIZE_SEARCH_SCHEME_HPP
#define PARE_QUANTIZE_SEARCH_SCHEME_HPP

#include <limits>

#include <pare/quantize/grid_tensor.hpp>

namespace pare {
namespace detail {
inline namespace PARE_ABI {

/// sum of importance * (x - round(x))^2; no importance is 1 for all. Ends early above `most`.
template <class Grid>
double rounding_error(const group_view& x, const float* importance, const Grid& grid,
                      double most) noexcept {
  double sum = 0.0;
  for (index_t i = 0; i < x.count && sum < most; ++i) {
    const double error = double{x[i]} - double{grid.round(x[i])};
    sum += (importance == nullptr ? 1.0 : double{importance[i]}) * error * error;
  }
  return sum;
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// The scale with the least squared error among fractions of the one that Base fits. Calibrated
/// methods weigh each input's error by its mean square.
template <class Base>
struct search_scheme {
  Base base;
  int steps = 80;         ///< scales to try, at least 1
  float smallest = 0.2f;  ///< fraction that the search ends at; it starts at 1

  status check() const noexcept {
    if (steps < 1 || !(smallest > 0.0f && smallest <= 1.0f)) {
      return {status_code::out_of_range, "a search has steps, and ends above 0 and not above 1",
              "scheme"};
    }
    return detail::check_scheme(base);
  }
  grid_of<Base> fit(const group_view& x, const float* importance = nullptr) const noexcept {
    const grid_of<Base> widest = base.fit(x);
    grid_of<Base> best = widest;
    double least =
        detail::rounding_error(x, importance, best, std::numeric_limits<double>::infinity());
    for (int i = 1; i < steps; ++i) {
      const float share =
          1.0f - (1.0f - smallest) * static_cast<float>(i) / static_cast<float>(steps - 1);
      grid_of<Base> narrower = widest;
      const float scale = detail::scale_in(narrower) * share;
      if (!is_valid_scale(scale)) break;
      detail::scale_in(narrower) = scale;
      const double error = detail::rounding_error(x, importance, narrower, least);
      if (error < least) {
        least = error;
        best = narrower;
      }
    }
    return best;
  }
};

/// Scales as Base fits them, rounded to half, for the formats that store them so. A scale beyond
/// half becomes its largest value, one that would round to 0 its smallest.
template <class Base>
struct half_scheme {
  Base base;

  status check() const noexcept { return detail::check_scheme(base); }
  grid_of<Base> fit(const group_view& x, const float* importance = nullptr) const noexcept {
    grid_of<Base> grid = detail::fit_grid(base, x, importance);
    float& scale = detail::scale_in(grid);
    scale = static_cast<float>(detail::half_scale(scale));
    return grid;
  }
};

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_SEARCH_SCHEME_HPP
