// The f32 matrix product in portable C++, weights as they are stored: row-major [out, in].
//
// Each output is a dot product in as many partial sums as a register has lanes; a tile shares its
// loads among several rows and columns. x86/ compiles the same code for wider registers.
#ifndef PARE_KERNELS_SCALAR_GEMM_F32_HPP
#define PARE_KERNELS_SCALAR_GEMM_F32_HPP

#include <cstring>

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

/// Rows by Columns outputs from (row, column) on, Lanes inputs at a time. Always inlined, and so
/// compiled for the instruction set of its caller.
template <int Rows, int Columns, int Lanes>
PARE_ALWAYS_INLINE void dot_tile(const gemm_f32_args& args, index_t row, index_t column) noexcept {
  using lanes __attribute__((vector_size(Lanes * sizeof(float)))) = float;
  const float* a = args.a + row * args.a_stride;
  const float* w = args.w + column * args.w_stride;
  lanes sums[Rows][Columns] = {};
  index_t k = 0;
  for (; k + Lanes <= args.k; k += Lanes) {
    lanes x[Rows];
    PARE_UNROLL for (int r = 0; r < Rows; ++r) {
      std::memcpy(&x[r], a + r * args.a_stride + k, sizeof(lanes));
    }
    PARE_UNROLL for (int c = 0; c < Columns; ++c) {
      lanes y;
      std::memcpy(&y, w + c * args.w_stride + k, sizeof(lanes));
      PARE_UNROLL for (int r = 0; r < Rows; ++r) sums[r][c] += x[r] * y;
    }
  }
  PARE_UNROLL for (int r = 0; r < Rows; ++r) {
    PARE_UNROLL for (int c = 0; c < Columns; ++c) {
      float parts[Lanes];
      std::memcpy(parts, &sums[r][c], sizeof(parts));
      for (index_t i = k; i < args.k; ++i) {
        parts[i - k] += a[r * args.a_stride + i] * w[c * args.w_stride + i];
      }
      for (index_t half = Lanes / 2; half > 0; half /= 2) {
        for (index_t i = 0; i < half; ++i) parts[i] += parts[i + half];
      }
      const float y = args.bias != nullptr ? parts[0] + args.bias[column + c] : parts[0];
      args.c[(row + r) * args.c_stride + column + c] =
          pare::detail::clamp(y, args.clamp_low, args.clamp_high);
    }
  }
}

/// Outputs [first, last) of all rows, in tiles of Rows by Columns and smaller ones where those end.
template <int Rows, int Columns, int Lanes>
PARE_ALWAYS_INLINE void dot_product_columns(const gemm_f32_args& args, index_t first,
                                            index_t last) noexcept {
  index_t row = 0;
  for (; row + Rows <= args.rows; row += Rows) {
    index_t column = first;
    for (; column + Columns <= last; column += Columns) {
      dot_tile<Rows, Columns, Lanes>(args, row, column);
    }
    for (; column < last; ++column) dot_tile<Rows, 1, Lanes>(args, row, column);
  }
  for (; row < args.rows; ++row) {
    index_t column = first;
    for (; column + Columns <= last; column += Columns)
      dot_tile<1, Columns, Lanes>(args, row, column);
    for (; column < last; ++column) dot_tile<1, 1, Lanes>(args, row, column);
  }
}

/// Outputs [first, last) of all rows. 2 x 2 sums of 4 lanes: what the smallest vector units hold.
inline void gemm_f32(const gemm_f32_args& args, index_t first, index_t last) noexcept {
  dot_product_columns<2, 2, 4>(args, first, last);
}

}  // namespace PARE_ABI
}  // namespace scalar
}  // namespace pare::kernels

#endif  // PARE_KERNELS_SCALAR_GEMM_F32_HPP
