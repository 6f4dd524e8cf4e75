// 256-entry tables applied one code at a time: the specification.
#ifndef PARE_KERNELS_SCALAR_TABLE_HPP
#define PARE_KERNELS_SCALAR_TABLE_HPP

#include <pare/core/config.hpp>

namespace pare::kernels::scalar {
inline namespace PARE_ABI {

/// y[i] = table[x[i]] for n bytes; y may be x.
inline void apply_table(const std::uint8_t* x, index_t n, const std::uint8_t* table,
                        std::uint8_t* y) noexcept {
  for (index_t i = 0; i < n; ++i) y[i] = table[x[i]];
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::scalar

#endif  // PARE_KERNELS_SCALAR_TABLE_HPP
