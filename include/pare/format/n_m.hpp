// N:M sparsity: of every M neighbours in a row, at most N are not zero.
//
// Mishra et al., "Accelerating sparse deep neural networks", 2021, arXiv:2104.08378.
#ifndef PARE_FORMAT_N_M_HPP
#define PARE_FORMAT_N_M_HPP

#include <pare/core/status.hpp>

namespace pare {

/// `keep` of every `of` neighbours within a row stay; 2:4 unless said otherwise. The groups of a row
/// begin at column 0; the last one may be shorter and keeps at most as many as the others.
struct n_m {
  index_t keep = 2;  ///< 0 to `of`
  index_t of = 4;    ///< at least 1
};

namespace detail {
inline namespace PARE_ABI {

[[nodiscard]] constexpr status check_pattern(const n_m& pattern) noexcept {
  if (pattern.of >= 1 && pattern.keep >= 0 && pattern.keep <= pattern.of) return {};
  return {status_code::invalid_argument, "N of M stay, with M at least 1 and N at most M",
          "pattern"};
}

}  // namespace PARE_ABI
}  // namespace detail
}  // namespace pare

#endif  // PARE_FORMAT_N_M_HPP
