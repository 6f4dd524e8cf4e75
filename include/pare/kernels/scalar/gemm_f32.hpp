// The f32 matrix product in plain C++, weights as they are stored: row-major [out, in].
//
// Each output is a dot product in 16 partial sums that are added in a fixed order, so that
// compilers may use vector registers of any width without changing the order of the additions.
#ifndef PARE_KERNELS_SCALAR_GEMM_F32_HPP
#define PARE_KERNELS_SCALAR_GEMM_F32_HPP

#include <pare/core/checked.hpp>
#include <pare/core/config.hpp>

namespace pare::kernels {

/// C [rows, columns] = clamp(A [rows, k] * W [columns, k]^T + bias, low, high).
struct gemm_f32_args {
  const float* a = nullptr;
  index_t a_stride = 0;  ///< elements from row to row
  const float* w = nullptr;
  index_t w_stride = 0;
  const float* bias = nullptr;  ///< null: none
  float* c = nullptr;
  index_t c_stride = 0;
  index_t rows = 0, columns = 0, k = 0;
  float clamp_low = 0.0f, clamp_high = 0.0f;
};

namespace scalar {
inline namespace PARE_ABI {

/// Outputs [first, last) of all rows.
inline void gemm_f32(const gemm_f32_args& args, index_t first, index_t last) noexcept {
  constexpr index_t lanes = 16;
  for (index_t row = 0; row < args.rows; ++row) {
    const float* PARE_RESTRICT a = args.a + row * args.a_stride;
    for (index_t column = first; column < last; ++column) {
      const float* PARE_RESTRICT w = args.w + column * args.w_stride;
      float sums[lanes] = {};
      index_t k = 0;
      for (; k + lanes <= args.k; k += lanes) {
        for (index_t i = 0; i < lanes; ++i) sums[i] += a[k + i] * w[k + i];
      }
      for (index_t i = 0; k < args.k; ++k, ++i) sums[i] += a[k] * w[k];
      for (index_t half = lanes / 2; half > 0; half /= 2) {
        for (index_t i = 0; i < half; ++i) sums[i] += sums[i + half];
      }
      const float y = args.bias != nullptr ? sums[0] + args.bias[column] : sums[0];
      args.c[row * args.c_stride + column] =
          pare::detail::clamp(y, args.clamp_low, args.clamp_high);
    }
  }
}

}  // namespace PARE_ABI
}  // namespace scalar
}  // namespace pare::kernels

#endif  // PARE_KERNELS_SCALAR_GEMM_F32_HPP
