// y = act(x * W^T + bias) with grouped 4-bit and 8-bit weights: the linear layer of language models.
#ifndef PARE_KERNELS_GROUPED_LINEAR_HPP
#define PARE_KERNELS_GROUPED_LINEAR_HPP

#include <pare/kernels/linear.hpp>
#include <pare/kernels/pack_grouped_linear.hpp>
#include <pare/kernels/scalar/gemm_grouped.hpp>

#if PARE_KERNELS_HERE
#include <pare/kernels/neon/gemm_grouped_3x16c4_neon.hpp>
#include <pare/kernels/neon/gemm_grouped_6x16c4_dotprod.hpp>
#include <pare/kernels/neon/gemm_grouped_6x16c8_i8mm.hpp>
#include <pare/kernels/x86/gemm_grouped_3x16c4_avx2.hpp>
#include <pare/kernels/x86/gemm_grouped_3x16c4_avxvnni.hpp>
#include <pare/kernels/x86/gemm_grouped_6x32c4_avx512vnni.hpp>
#endif

namespace pare {
namespace detail {

using gemm_grouped_function = void (*)(const kernels::gemm_grouped_args&,
                                       const kernels::gemm_block&) noexcept;

inline namespace PARE_KERNEL_ABI {

/// The product of one instruction set.
PARE_KERNEL_TABLE gemm_grouped_function gemm_grouped_of(isa i) noexcept;

#if PARE_KERNELS_HERE
PARE_KERNEL_TABLE gemm_grouped_function gemm_grouped_of(isa i) noexcept {
  switch (i) {
#if PARE_X86_KERNELS
    case isa::avx512vnni: return kernels::avx512vnni::gemm_grouped;
    case isa::avxvnni: return kernels::avxvnni::gemm_grouped;
    case isa::avx512bw:
    case isa::avx2: return kernels::avx2::gemm_grouped;
#endif
#if PARE_NEON_KERNELS
    case isa::i8mm: return kernels::i8mm::gemm_grouped;
    case isa::dotprod: return kernels::dotprod::gemm_grouped;
    case isa::neon: return kernels::neon::gemm_grouped;
#endif
    default: return kernels::scalar::gemm_grouped;
  }
}
#endif

}  // namespace PARE_KERNEL_ABI

inline namespace PARE_ABI {

template <class Parallel>
void run_gemm_grouped(gemm_grouped_function gemm, const kernels::gemm_grouped_args& args,
                      const Parallel& parallel_for) noexcept {
  run_blocks(gemm, args, args.layer.panels_count(), args.k, args.layer.tile_columns, parallel_for);
}

/// Bytes from row to row of the codes that float activations become: whole groups.
constexpr index_t grouped_code_stride(const packed_grouped_linear_view& layer) noexcept {
  return round_up(max<index_t>(layer.groups() * layer.group, 1), 64);
}

/// Sums of codes that a row needs.
constexpr index_t code_sums_of_row(const packed_grouped_linear_view& layer) noexcept {
  return layer.has_zero_points != 0 ? layer.groups() : 0;
}

/// Scratch for `rows` rows; false where it overflows.
constexpr bool grouped_workspace_bytes(const packed_grouped_linear_view& layer, index_t rows,
                                       index_t& bytes) noexcept {
  if (layer.options.arithmetic == grouped_arithmetic::floating) {
    bytes = 0;
    return rows >= 0;
  }
  index_t codes = 0, sums = 0;
  if (rows < 0 || rows > max_index / 64 ||
      !checked_multiply(rows, grouped_code_stride(layer), codes) ||
      !checked_multiply(rows, code_sums_of_row(layer), sums) || sums > max_index / 64)
    return false;
  return checked_add(codes, 2 * workspace::bytes_for<float>(rows), bytes) &&
         checked_add(bytes, workspace::bytes_for<std::int32_t>(sums), bytes);
}

inline kernels::gemm_grouped_args args_of(const packed_grouped_linear_view& layer,
                                          const strided_matrix_view<float>& y) noexcept {
  const activation_range range = range_of(layer.options.act);
  kernels::gemm_grouped_args args;
  args.rows = y.extent(0);
  args.columns = layer.out_features;
  args.k = layer.in_features;
  args.layer = layer;
  args.c = y.data_handle();
  args.c_stride = y.stride(0);
  args.clamp_low = range.low;
  args.clamp_high = range.high;
  return args;
}

inline status activation_not_finite(index_t row) noexcept {
  return {status_code::non_finite, "an activation is NaN or infinite", "x", position_kind::row,
          row};
}

/// The first row that holds a NaN or an infinity, or `rows`.
inline index_t first_bad_row(const linear_kernels& kernel,
                             const strided_matrix_view<const float>& x, index_t k) noexcept {
  index_t row = 0;
  while (row < x.extent(0) && kernel.row_range(x.data_handle() + row * x.stride(0), k).finite)
    ++row;
  return row;
}

template <class Parallel>
status grouped_floating(const linear_kernels& kernel, gemm_grouped_function gemm,
                        const strided_matrix_view<const float>& x,
                        const packed_grouped_linear_view& layer,
                        const strided_matrix_view<float>& y,
                        const Parallel& parallel_for) noexcept {
  const index_t bad_row = first_bad_row(kernel, x, layer.in_features);
  if (bad_row < x.extent(0)) return activation_not_finite(bad_row);
  kernels::gemm_grouped_args args = args_of(layer, y);
  args.x = x.data_handle();
  args.x_stride = x.stride(0);
  run_gemm_grouped(gemm, args, parallel_for);
  return {};
}

template <class Parallel>
status grouped_integer(const linear_kernels& kernel, gemm_grouped_function gemm,
                       const strided_matrix_view<const float>& x,
                       const packed_grouped_linear_view& layer, const strided_matrix_view<float>& y,
                       workspace scratch, const Parallel& parallel_for) noexcept {
  const index_t rows = x.extent(0), k = layer.in_features, stride = grouped_code_stride(layer);
  const index_t sums_of_row = code_sums_of_row(layer);
  index_t needed = 0;
  if (!grouped_workspace_bytes(layer, rows, needed)) {
    return {status_code::overflow, "the scratch does not fit the index type", "x"};
  }
  std::uint8_t* codes = scratch.take<std::uint8_t>(rows * stride);
  float* scales = scratch.take<float>(rows);
  std::int32_t* zero_points = scratch.take<std::int32_t>(rows);
  std::int32_t* sums = scratch.take<std::int32_t>(rows * sums_of_row);
  if (codes == nullptr || scales == nullptr || zero_points == nullptr ||
      (sums == nullptr && sums_of_row > 0)) {
    return {status_code::workspace_too_small,
            "the scratch is shorter than grouped_linear_workspace_size says", "scratch",
            position_kind::byte, needed};
  }
  const index_t block_rows = max<index_t>(1, 65536 / stride), blocks = ceil_div(rows, block_rows);
  parallel_for(blocks, [&](index_t block) {
    const index_t first = block * block_rows, last = min(rows, first + block_rows);
    kernel.quantize_rows(x.data_handle() + first * x.stride(0), x.stride(0), last - first, k,
                         layer.groups() * layer.group, codes + first * stride, stride,
                         scales + first, zero_points + first);
    for (index_t i = first; i < last && sums_of_row > 0; ++i) {
      if (zero_points[i] >= 0) {
        kernels::sum_groups(codes + i * stride, layer.groups(), layer.group,
                            sums + i * sums_of_row);
      }
    }
  });
  for (index_t i = 0; i < rows; ++i) {
    if (zero_points[i] < 0) return activation_not_finite(i);
  }
  kernels::gemm_grouped_args args = args_of(layer, y);
  args.codes = codes;
  args.code_stride = stride;
  args.row_scales = scales;
  args.row_zero_points = zero_points;
  args.code_sums = sums;
  run_gemm_grouped(gemm, args, parallel_for);
  return {};
}

/// Without scratch from the caller: as many rows at a time as fit on the stack.
template <class Parallel>
status grouped_integer_on_stack(const linear_kernels& kernel, gemm_grouped_function gemm,
                                const strided_matrix_view<const float>& x,
                                const packed_grouped_linear_view& layer,
                                const strided_matrix_view<float>& y,
                                const Parallel& parallel_for) noexcept {
  alignas(64) std::byte scratch[PARE_LINEAR_STACK_BYTES];
  const index_t rows = x.extent(0);
  const index_t row_bytes = grouped_code_stride(layer) + 8 + 4 * code_sums_of_row(layer);
  const index_t at_once = (static_cast<index_t>(sizeof(scratch)) - 192) / row_bytes;
  if (at_once < 1) {
    index_t needed = 0;
    if (!grouped_workspace_bytes(layer, rows, needed)) needed = 0;
    return {status_code::workspace_too_small,
            "a row of activations does not fit into PARE_LINEAR_STACK_BYTES: pass a workspace",
            "scratch", position_kind::byte, needed};
  }
  if (rows > at_once) {
    // Several rounds: all rows are checked before the first result is written.
    const index_t bad_row = first_bad_row(kernel, x, layer.in_features);
    if (bad_row < rows) return activation_not_finite(bad_row);
  }
  for (index_t row = 0; row < rows; row += at_once) {
    const index_t n = min(at_once, rows - row);
    const auto x_rows = view_rows(x.data_handle() + row * x.stride(0), n, x.extent(1), x.stride(0));
    const auto y_rows = view_rows(y.data_handle() + row * y.stride(0), n, y.extent(1), y.stride(0));
    PARE_RETURN_IF_ERROR(
        grouped_integer(kernel, gemm, x_rows, layer, y_rows, workspace(scratch), parallel_for));
  }
  return {};
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Bytes of scratch that `linear` uses for `rows` rows, exact for 64-byte aligned memory; 0 for the
/// floating arithmetic.
///
/// @return `overflow` where they do not fit the index type
[[nodiscard]] constexpr result<index_t> grouped_linear_workspace_size(
    const packed_grouped_linear_view& layer, index_t rows) noexcept {
  index_t bytes = 0;
  if (!detail::grouped_workspace_bytes(layer, rows, bytes)) {
    return {status_code::overflow, "the scratch does not fit the index type", "rows"};
  }
  return bytes;
}

/// y = act(x * W^T + bias), grouped weights of 4 or 8 bits.
///
/// Integer arithmetic (W4A8): rows become u8 on the fly (kernels/quantize_rows.hpp), which moves an
/// activation by half the row's scale at the most; the sums of a group are exact in s32. Floating
/// arithmetic (W4A16): the error is that of summing a group and the groups in f32, at the most
/// (group + groups + 2) * 2^-24 of the sum of |x * w|. The order of all sums is fixed
/// (kernels/gemm_grouped.hpp): all instruction sets and any number of threads give the same bits.
///
/// @param x             [rows, in] in f32, finite; columns side by side, rows any stride apart
/// @param layer         from `pack_grouped_linear`
/// @param y             [rows, out] in f32; as x; must not overlap x
/// @param scratch       `grouped_linear_workspace_size` bytes, or none for a few rows at a time on
/// the stack
/// @param parallel_for  see core/parallel.hpp
/// @return `shape_mismatch`, `unsupported` (columns apart), `non_finite` with the row of x,
/// `workspace_too_small`, `overflow`; y is then untouched
///
/// Never allocates. 0 rows, columns or inputs are fine: without inputs, y is act(bias).
template <class X, class EX, class LX, class EY, class LY, class Parallel = serial>
status linear(const tensor_view<X, EX, LX>& x, const packed_grouped_linear_view& layer,
              const tensor_view<float, EY, LY>& y, workspace scratch = {},
              const Parallel& parallel_for = {}) noexcept {
  static_assert(std::is_same_v<std::remove_const_t<X>, float>,
                "pare: activations of a grouped layer are float");
  const strided_matrix_view<const float> rows(x);
  const strided_matrix_view<float> out(y);
  PARE_RETURN_IF_ERROR(
      detail::check_linear_shapes(rows, layer.in_features, layer.out_features, out));
  if (rows.extent(0) == 0 || layer.out_features == 0) return {};
  const isa i = linear_kernel(layer);
  const detail::linear_kernels kernel = detail::linear_kernels_of(i);
  const detail::gemm_grouped_function gemm = detail::gemm_grouped_of(i);
  if (layer.options.arithmetic == grouped_arithmetic::floating) {
    return detail::grouped_floating(kernel, gemm, rows, layer, out, parallel_for);
  }
  if (scratch.size() == 0) {
    return detail::grouped_integer_on_stack(kernel, gemm, rows, layer, out, parallel_for);
  }
  return detail::grouped_integer(kernel, gemm, rows, layer, out, scratch, parallel_for);
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_KERNELS_GROUPED_LINEAR_HPP
