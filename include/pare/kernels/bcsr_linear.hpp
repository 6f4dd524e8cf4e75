// y = act(x * W^T + bias) with block-sparse f32 weights: how a pruned layer runs in floats.
#ifndef PARE_KERNELS_BCSR_LINEAR_HPP
#define PARE_KERNELS_BCSR_LINEAR_HPP

#include <pare/format/activation.hpp>
#include <pare/kernels/pack_activations.hpp>
#include <pare/kernels/scalar/spmm_f32.hpp>

#if PARE_KERNELS_HERE
#include <pare/kernels/neon/spmm_f32_neon.hpp>
#include <pare/kernels/x86/spmm_f32_avx2.hpp>
#include <pare/kernels/x86/spmm_f32_avx512.hpp>
#endif

namespace pare {
namespace detail {
inline namespace PARE_KERNEL_ABI {

using spmm_f32_function = void (*)(const kernels::spmm_f32_args&,
                                   const kernels::gemm_block&) noexcept;
PARE_KERNEL_TABLE spmm_f32_function spmm_f32_kernel_of(isa i) noexcept;

#if PARE_KERNELS_HERE
PARE_KERNEL_TABLE spmm_f32_function spmm_f32_kernel_of(isa i) noexcept {
#if PARE_X86_KERNELS
  if (i == isa::avx512vnni) return kernels::avx512vnni::spmm_f32;
  if (has_avx2(i) && has_fma()) return kernels::avx2::spmm_f32;
#elif PARE_NEON_KERNELS
  if (i != isa::scalar) return kernels::neon::spmm_f32;
#endif
  static_cast<void>(i);
  return kernels::scalar::spmm_f32;
}
#endif

}  // namespace PARE_KERNEL_ABI

inline namespace PARE_ABI {

inline status check_bcsr_linear(const bcsr_view<float>& w, vector_view<const float> bias) noexcept {
  const bcsr_shape& shape = w.shape;
  if (shape.block_columns != 1 ||
      (shape.block_rows != 1 && shape.block_rows != 4 && shape.block_rows != 16)) {
    return {status_code::unsupported, "f32 weights have blocks of 1x1, 4x1 or 16x1", "shape"};
  }
  return check_bias(bias, w.rows);
}

inline kernels::spmm_f32_args args_of(const bcsr_view<float>& w, vector_view<const float> bias,
                                      activation act, index_t rows) noexcept {
  const activation_range range = range_of(act);
  kernels::spmm_f32_args args;
  args.weights = w;
  args.rows = rows;
  args.columns = w.rows;
  args.k = w.columns;
  args.bias = bias.empty() ? nullptr : bias.data_handle();
  args.clamp_low = range.low;
  args.clamp_high = range.high;
  return args;
}

template <class Before, class Parallel>
void run_spmm_f32(const kernels::spmm_f32_args& args, const Before& before,
                  const Parallel& parallel_for) noexcept {
  if (args.rows == 0 || args.columns == 0) return;
  const auto spmm_f32 = spmm_f32_kernel_of(active_isa());
  run_panels(
      args.rows, args.columns, before, [&](const kernels::gemm_block& b) { spmm_f32(args, b); },
      parallel_for);
}

/// The product of rows that pack(first row, rows, panel) brings into panels in the scratch.
template <class Pack, class Parallel>
status run_packing(kernels::spmm_f32_args& args, workspace scratch, const Pack& pack,
                   const Parallel& parallel_for) noexcept {
  const auto bytes = activation_panels_size<float>(args.rows, args.k);
  if (!bytes) return bytes.error();
  auto* panels = scratch.take<std::uint8_t>(*bytes);
  if (panels == nullptr && *bytes > 0) {
    return {status_code::workspace_too_small,
            "the scratch is shorter than sparse_linear_workspace_size says", "scratch",
            position_kind::byte, *bytes};
  }
  args.panels = reinterpret_cast<const float*>(panels);
  const auto pack_panel = [&](index_t row) {
    pack(row, min(panel_rows, args.rows - row), panels + 4 * row * args.k);
  };
  run_spmm_f32(args, pack_panel, parallel_for);
  return {};
}

}  // namespace PARE_ABI
}  // namespace detail

/// Columns of a K-block that suit `linear` with blocks of 1x1 and 4x1, as measured: where blocks are
/// many, 64 rows of activations are to stay in the first-level cache; where they are few, cutting
/// their rows costs more than that gains.
///
/// @param stored  share of the blocks that are stored, in [0, 1]
constexpr PARE_ALWAYS_INLINE index_t f32_k_block(std::int32_t block_rows, float stored) noexcept {
  if (block_rows == 4) return stored > 0.3f ? 128 : 0;
  if (block_rows != 1) return 0;
  return stored > 0.25f ? 128 : stored > 0.07f ? 256 : stored > 0.03f ? 512 : 0;
}

inline namespace PARE_ABI {

/// Bytes of scratch that `linear` uses for `rows` rows with block-sparse f32 weights, exact for
/// 64-byte aligned memory.
///
/// @return `overflow` where they do not fit the index type
[[nodiscard]] constexpr result<index_t> sparse_linear_workspace_size(const bcsr_view<float>& w,
                                                                     index_t rows) noexcept {
  if (w.shape.block_rows == 16) return index_t{0};
  return activation_panels_size<float>(rows, w.columns);
}

/// y = act(x * W^T + bias), W block-sparse.
///
/// @param x             [rows, in]; columns side by side, rows any stride apart
/// @param w             [out, in], blocks of 1x1 (CSR), 4x1, or 16x1 for few rows; trusted: see
///                      `validate` for matrices from files
/// @param bias          [out], or empty
/// @param y             [rows, out]; as x; must not overlap x
/// @param scratch       `sparse_linear_workspace_size` bytes: x is brought into panels
/// @param act           what follows
/// @param parallel_for  see core/parallel.hpp
/// @return `shape_mismatch`, `unsupported` (columns apart, other blocks), `workspace_too_small`; y is
///         then untouched
///
/// Sums are float: the same bits for any number of threads, not for every instruction set. Never
/// allocates.
template <class X, class EX, class LX, class EY, class LY, class Parallel = serial>
status linear(const tensor_view<X, EX, LX>& x, const bcsr_view<float>& w,
              vector_view<const float> bias, const tensor_view<float, EY, LY>& y, workspace scratch,
              activation act = activation::none, const Parallel& parallel_for = {}) noexcept {
  static_assert(std::is_same_v<std::remove_const_t<X>, float>,
                "pare: activations of an f32 layer are float");
  PARE_RETURN_IF_ERROR(detail::check_linear_shapes(x, w.columns, w.rows, y));
  PARE_RETURN_IF_ERROR(detail::check_bcsr_linear(w, bias));
  kernels::spmm_f32_args args = detail::args_of(w, bias, act, x.extent(0));
  args.a = x.data_handle();
  args.a_stride = x.stride(0);
  args.c = y.data_handle();
  args.c_stride = y.stride(0);
  if (w.shape.block_rows == 16) {
    detail::run_spmm_f32(
        args, [](index_t) {}, parallel_for);
    return {};
  }
  const auto pack_panel = detail::pack_panel_kernel_of(active_isa());
  const auto pack = [&](index_t row, index_t count, std::uint8_t* panel) {
    pack_panel(reinterpret_cast<const std::uint8_t*>(args.a + row * args.a_stride),
               4 * args.a_stride, count, 4 * args.k, 0, panel);
  };
  return detail::run_packing(args, scratch, pack, parallel_for);
}

/// The same from panels into panels.
///
/// @param x  from `pack_activations` or a layer before
/// @param y  rows and features are checked; must not overlap x
/// @return `shape_mismatch`, `unsupported` (other blocks, or blocks of 16 rows)
template <class X, class Parallel = serial>
status linear(const activation_panels_view<X>& x, const bcsr_view<float>& w,
              vector_view<const float> bias, const activation_panels_view<float>& y,
              activation act = activation::none, const Parallel& parallel_for = {}) noexcept {
  static_assert(std::is_same_v<std::remove_const_t<X>, float>,
                "pare: activations of an f32 layer are float");
  PARE_RETURN_IF_ERROR(detail::check_bcsr_linear(w, bias));
  if (w.shape.block_rows == 16) {
    return {status_code::unsupported, "blocks of 16 rows take activations as rows", "w"};
  }
  if (x.features != w.columns || y.features != w.rows || x.rows != y.rows) {
    return {status_code::shape_mismatch, "x is [rows, in] and y [rows, out]", "y"};
  }
  kernels::spmm_f32_args args = detail::args_of(w, bias, act, x.rows);
  args.panels = x.data;
  args.c_panels = y.data;
  args.fetches_next = std::is_same_v<Parallel, serial>;
  detail::run_spmm_f32(
      args, [](index_t) {}, parallel_for);
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_KERNELS_BCSR_LINEAR_HPP
