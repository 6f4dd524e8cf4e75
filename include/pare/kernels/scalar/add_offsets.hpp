// What the offsets of groups add to the outputs of a row, in plain C++: the specification.
#ifndef PARE_KERNELS_SCALAR_ADD_OFFSETS_HPP
#define PARE_KERNELS_SCALAR_ADD_OFFSETS_HPP

#include <pare/core/checked.hpp>
#include <pare/core/rounding.hpp>

namespace pare::kernels {

/// y[c] = y[c] + the sum of sums[g] * offsets[g][c] over the groups, taken from 0 in their order. Each
/// product and each sum is rounded to f32; nothing is fused.
struct add_offsets_args {
  const float* sums = nullptr;  ///< [groups]: of the inputs of each group
  index_t groups = 0;
  const float* offsets = nullptr;  ///< [groups, columns]
  index_t stride = 0;              ///< from group to group
  float* y = nullptr;
  index_t columns = 0;
};

namespace scalar {
inline namespace PARE_ABI {

inline void add_offsets(const add_offsets_args& a) noexcept {
  for (index_t c = 0; c < a.columns; ++c) {
    float sum = 0.0f;
    for (index_t g = 0; g < a.groups; ++g) {
      sum = pare::detail::multiply_then_add(a.sums[g], a.offsets[g * a.stride + c], sum);
    }
    a.y[c] += sum;
  }
}

}  // namespace PARE_ABI
}  // namespace scalar
}  // namespace pare::kernels

#endif  // PARE_KERNELS_SCALAR_ADD_OFFSETS_HPP
