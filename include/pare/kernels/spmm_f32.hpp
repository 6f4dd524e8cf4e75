// What every block-sparse f32 kernel is given and must do: the interface between `linear` with
// sparse weights and the ISAs.
#ifndef PARE_KERNELS_SPMM_F32_HPP
#define PARE_KERNELS_SPMM_F32_HPP

#include <pare/format/activation_panels.hpp>
#include <pare/format/bcsr.hpp>
#include <pare/kernels/gemm_s8.hpp>

namespace pare::kernels {

/// C [rows, columns] = clamp(A [rows, k] * W [columns, k]^T + bias, low, high), W with blocks of 1x1,
/// 4x1 or 16x1.
///
/// A tile has 16 columns, and a cut of the product is a `gemm_block` of them. Blocks of 16 rows take
/// A as rows; blocks of 1 and 4 rows take it in panels, and a `gemm_block` then begins with a panel
/// and ends with one.
struct spmm_f32_args {
  bcsr_view<float> weights{};
  index_t rows = 0, columns = 0, k = 0;
  const float* a = nullptr;  ///< rows
  index_t a_stride = 0;      ///< elements from row to row
  const float* panels = nullptr;
  const float* bias = nullptr;  ///< null: none
  float* c = nullptr;           ///< rows
  index_t c_stride = 0;
  float* c_panels = nullptr;  ///< null: C is rows
  float clamp_low = 0.0f, clamp_high = 0.0f;
  bool fetches_next = false;  ///< whether the next panel of A will be the next one that is read
};

/// The panel that a row begins, of A and of C.
constexpr PARE_ALWAYS_INLINE const float* panel_of(const spmm_f32_args& args,
                                                   index_t row) noexcept {
  return args.panels + row * args.k;
}
constexpr PARE_ALWAYS_INLINE float* output_panel_of(const spmm_f32_args& args,
                                                    index_t row) noexcept {
  return args.c_panels + row * args.columns;
}

constexpr PARE_ALWAYS_INLINE float bias_of(const spmm_f32_args& args, index_t column) noexcept {
  return args.bias != nullptr && column < args.columns ? args.bias[column] : 0.0f;
}

}  // namespace pare::kernels

#endif  // PARE_KERNELS_SPMM_F32_HPP
