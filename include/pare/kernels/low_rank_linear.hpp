// y = act((x * right^T) * left^T + bias): how a factorized layer runs, two thin products in place
// of a thick one.
#ifndef PARE_KERNELS_LOW_RANK_LINEAR_HPP
#define PARE_KERNELS_LOW_RANK_LINEAR_HPP

#include <pare/core/parallel.hpp>
#include <pare/core/result.hpp>
#include <pare/core/workspace.hpp>
#include <pare/format/activation.hpp>
#include <pare/format/low_rank.hpp>
#include <pare/kernels/isa.hpp>
#include <pare/kernels/linear_shapes.hpp>
#include <pare/kernels/scalar/gemm_f32.hpp>

#if PARE_KERNELS_HERE
#include <pare/kernels/neon/gemm_f32_4x4.hpp>
#include <pare/kernels/x86/gemm_f32_4x4.hpp>
#endif

namespace pare {
namespace detail {

using gemm_f32_function = void (*)(const kernels::gemm_f32_args&, index_t, index_t) noexcept;

inline namespace PARE_KERNEL_ABI {

/// The product for the active instruction set.
PARE_KERNEL_TABLE gemm_f32_function gemm_f32_kernel() noexcept;

#if PARE_KERNELS_HERE
PARE_KERNEL_TABLE gemm_f32_function gemm_f32_kernel() noexcept {
#if PARE_X86_KERNELS
  switch (active_isa()) {
    case isa::avx512vnni: return kernels::avx512vnni::gemm_f32;
    case isa::avxvnni:
    case isa::avx512bw:
    case isa::avx2: return kernels::avx2::gemm_f32;
    default: break;
  }
#elif PARE_NEON_KERNELS
  if (active_isa() != isa::scalar) return kernels::neon::gemm_f32;
#endif
  return kernels::scalar::gemm_f32;
}
#endif

}  // namespace PARE_KERNEL_ABI

inline namespace PARE_ABI {

template <class Parallel>
void run_gemm_f32(const kernels::gemm_f32_args& args, const Parallel& parallel_for) noexcept {
  constexpr index_t block = 32;
  const gemm_f32_function kernel = gemm_f32_kernel();
  parallel_for(ceil_div(args.columns, block),
               [&](index_t i) { kernel(args, i * block, min(args.columns, (i + 1) * block)); });
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Bytes of scratch for the product in between, exact for 64-byte aligned memory.
///
/// @return `overflow` where they do not fit the index type
[[nodiscard]] constexpr result<index_t> low_rank_workspace_size(index_t rank,
                                                                index_t rows) noexcept {
  index_t elements = 0;
  if (!detail::checked_multiply(rank, rows, elements) || elements > detail::max_index / 8) {
    return {status_code::overflow, "the scratch does not fit the index type", "rows"};
  }
  return workspace::bytes_for<float>(elements);
}

/// y = act(x * (left * right)^T + bias).
///
/// @param x             [rows, in]; columns side by side, rows any stride apart
/// @param w             left [out, rank], right [rank, in]
/// @param bias          [out], or empty
/// @param y             [rows, out]; as x; must not overlap x
/// @param scratch       `low_rank_workspace_size` bytes
/// @param act           what follows
/// @param parallel_for  see core/parallel.hpp
/// @return `shape_mismatch`, `unsupported` where columns lie apart, `workspace_too_small`,
/// `overflow`; y is then untouched
///
/// Never allocates. The same bits for any number of threads; instruction sets may differ in
/// rounding.
template <class X, class EX, class LX, class EY, class LY, class Parallel = serial>
status linear(const tensor_view<X, EX, LX>& x, const low_rank_view<float>& w,
              vector_view<const float> bias, const tensor_view<float, EY, LY>& y, workspace scratch,
              activation act = activation::none, const Parallel& parallel_for = {}) noexcept {
  static_assert(std::is_same_v<std::remove_const_t<X>, float>,
                "pare: activations of a low-rank layer are float");
  if (w.left.extent(1) != w.right.extent(0)) {
    return {status_code::shape_mismatch, "the columns of left must be the rows of right", "w"};
  }
  PARE_RETURN_IF_ERROR(detail::check_linear_shapes(x, w.in_features(), w.out_features(), y));
  PARE_RETURN_IF_ERROR(detail::check_bias(bias, w.out_features()));
  const index_t rows = x.extent(0), rank = w.rank();
  const auto bytes = low_rank_workspace_size(rank, rows);
  if (!bytes) return bytes.error();
  float* between = scratch.take<float>(rows * rank);
  if (between == nullptr && *bytes > 0) {
    return {status_code::workspace_too_small,
            "the scratch is shorter than low_rank_workspace_size says", "scratch",
            position_kind::byte, *bytes};
  }

  kernels::gemm_f32_args first;
  first.a = x.data_handle(), first.a_stride = x.stride(0);
  first.w = w.right.data_handle(), first.w_stride = w.right.stride(0);
  first.c = between, first.c_stride = rank;
  first.rows = rows, first.columns = rank, first.k = w.in_features();
  const detail::activation_range open = detail::range_of(activation::none);
  first.clamp_low = open.low, first.clamp_high = open.high;
  detail::run_gemm_f32(first, parallel_for);

  kernels::gemm_f32_args second;
  second.a = between, second.a_stride = rank;
  second.w = w.left.data_handle(), second.w_stride = w.left.stride(0);
  second.bias = bias.empty() ? nullptr : bias.data_handle();
  second.c = y.data_handle(), second.c_stride = y.stride(0);
  second.rows = rows, second.columns = w.out_features(), second.k = rank;
  const detail::activation_range range = detail::range_of(act);
  second.clamp_low = range.low, second.clamp_high = range.high;
  detail::run_gemm_f32(second, parallel_for);
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_KERNELS_LOW_RANK_LINEAR_HPP
