// y = act(x * W^T + bias) with block-sparse int8 weights: `linear` for codes, as rows or in panels.
#ifndef PARE_KERNELS_BLOCK_SPARSE_LINEAR_HPP
#define PARE_KERNELS_BLOCK_SPARSE_LINEAR_HPP

#include <pare/kernels/linear.hpp>
#include <pare/kernels/pack_activations.hpp>
#include <pare/kernels/pack_sparse_linear.hpp>
#include <pare/kernels/scalar/spmm_s8.hpp>

#if PARE_KERNELS_HERE
#include <pare/kernels/cortex_m/spmm_s8_dsp.hpp>
#include <pare/kernels/cortex_m/spmm_s8_mve.hpp>
#include <pare/kernels/neon/spmm_s8_dotprod.hpp>
#include <pare/kernels/neon/spmm_s8_neon.hpp>
#include <pare/kernels/x86/spmm_s8_avx2.hpp>
#include <pare/kernels/x86/spmm_s8_avx512vnni.hpp>
#include <pare/kernels/x86/spmm_s8_avxvnni.hpp>
#endif

namespace pare {
namespace detail {

inline namespace PARE_KERNEL_ABI {

using spmm_s8_function = void (*)(const kernels::spmm_s8_args&,
                                  const kernels::gemm_block&) noexcept;
PARE_KERNEL_TABLE spmm_s8_function spmm_s8_kernel_of(isa i) noexcept;

#if PARE_KERNELS_HERE
PARE_KERNEL_TABLE spmm_s8_function spmm_s8_kernel_of(isa i) noexcept {
  switch (i) {
#if PARE_X86_KERNELS
    case isa::avx512vnni: return kernels::avx512vnni::spmm_s8;
    case isa::avxvnni: return kernels::avxvnni::spmm_s8;
    case isa::avx512bw:
    case isa::avx2: return kernels::avx2::spmm_s8;
#elif PARE_NEON_KERNELS
    case isa::i8mm:
    case isa::dotprod: return kernels::dotprod::spmm_s8;
    case isa::neon: return kernels::neon::spmm_s8;
#endif
    default: return kernels::scalar::spmm_s8;
  }
}
#endif

/// What runs where kernels take activations as rows, whatever the blocks.
struct sparse_row_kernels {
  spmm_s8_function spmm;
  /// Brings one row into the order in which `spmm` wants it; null: rows as they are.
  void (*unpack)(const kernels::gemm_s8_args&, const std::uint8_t* a, std::uint8_t* to) noexcept;
};
PARE_KERNEL_TABLE sparse_row_kernels sparse_row_kernels_of_target() noexcept;

#if PARE_KERNELS_HERE
PARE_KERNEL_TABLE sparse_row_kernels sparse_row_kernels_of_target() noexcept {
#if PARE_MVE_KERNELS
  return {kernels::mve::spmm_s8, kernels::mve::spmm_s8_by_row::unpack};
#elif PARE_DSP_KERNELS
  return {kernels::dsp::spmm_s8, kernels::dsp::spmm_s8_by_row::unpack};
#else
  return {kernels::scalar::spmm_s8, nullptr};
#endif
}
#endif

}  // namespace PARE_KERNEL_ABI

/// Whether blocks of 1 and 4 rows meet activations in panels here: elsewhere it is one row at a time.
inline constexpr bool has_panel_kernels = PARE_X86_KERNELS || PARE_NEON_KERNELS;
/// Bytes of four inputs of a row that Cortex-M kernels have unpacked.
inline constexpr index_t unpacked_quad_bytes = PARE_DSP_KERNELS ? 8 : PARE_MVE_KERNELS ? 4 : 0;

inline namespace PARE_ABI {

/// The weights, for kernels.
inline kernels::spmm_s8_args sparse_args_of(const packed_sparse_linear_view& layer,
                                            index_t rows) noexcept {
  return {args_of(layer.base, rows), layer.weights, nullptr, nullptr, 0};
}

/// How codes of type X go in, and values of type Y come out, of args of `sparse_args_of`.
///
/// @return `invalid_argument`, `out_of_range`
template <class X, class Y>
PARE_CHOICE_INLINE status set_sparse_codes(const packed_sparse_linear_view& layer,
                                           kernels::spmm_s8_args& args) noexcept {
  PARE_RETURN_IF_ERROR((check_codes<X, Y>(layer.base.options)));
  set_codes<X, Y>(args.product, layer.base, output_choice_of<Y>(layer.base.options));
  return {};
}

/// Both of these.
template <class X, class Y>
PARE_CHOICE_INLINE status set_sparse_args(const packed_sparse_linear_view& layer, index_t rows,
                                          kernels::spmm_s8_args& args) noexcept {
  args = sparse_args_of(layer, rows);
  return set_sparse_codes<X, Y>(layer, args);
}

/// Bytes in which rows of codes are brought into the kernels' order; false where it overflows.
constexpr bool sparse_order_bytes(const packed_sparse_linear_view& layer, index_t rows,
                                  index_t& bytes) noexcept {
  bytes = 0;
  if (has_panel_kernels) {
    if (layer.weights.shape.block_rows == 16) return true;
    const auto size = activation_panels_size<std::uint8_t>(rows, layer.base.in_features);
    if (size) bytes = *size;
    return size.has_value();
  }
  if (rows <= 0) return rows == 0;
  return checked_multiply(ceil_div(layer.base.in_features, 4), unpacked_quad_bytes, bytes);
}

/// The same as scratch; for floats, their codes, scales and zero points behind it.
template <class X>
constexpr bool sparse_scratch_bytes(const packed_sparse_linear_view& layer, index_t rows,
                                    index_t& bytes) noexcept {
  if (!sparse_order_bytes(layer, rows, bytes)) return false;
  if constexpr (std::is_same_v<X, float>) {
    index_t codes = 0;
    return bytes <= max_index - workspace_alignment &&
           float_workspace_bytes(layer.base.in_features, rows, codes) &&
           checked_add(round_up(bytes, workspace_alignment), codes, bytes);
  }
  return true;
}

/// The product of rows that pack(first row, rows, panel) brings into `panels`.
template <class Pack, class Parallel>
void run_packing(kernels::spmm_s8_args& args, std::uint8_t* panels, const Pack& pack,
                 const Parallel& parallel_for) noexcept {
  const index_t rows = args.product.rows, quads = panel_quads<std::uint8_t>(args.product.k);
  args.panels = panels;
  const auto spmm_s8 = spmm_s8_kernel_of(active_isa());
  run_panels(
      rows, args.product.columns,
      [&](index_t row) { pack(row, min(panel_rows, rows - row), panels + 4 * row * quads); },
      [&](const kernels::gemm_block& b) { spmm_s8(args, b); }, parallel_for);
}

/// The same with panels in the scratch.
///
/// @return `workspace_too_small`, `overflow`
template <class Pack, class Parallel>
status run_packing(kernels::spmm_s8_args& args, workspace scratch, const Pack& pack,
                   const Parallel& parallel_for) noexcept {
  const auto bytes = activation_panels_size<std::uint8_t>(args.product.rows, args.product.k);
  if (!bytes) return bytes.error();
  auto* panels = scratch.take<std::uint8_t>(*bytes);
  if (panels == nullptr && *bytes > 0) {
    return {status_code::workspace_too_small,
            "the scratch is shorter than sparse_linear_workspace_size says", "scratch",
            position_kind::byte, *bytes};
  }
  if (args.product.rows > 0 && args.product.columns > 0) {
    run_packing(args, panels, pack, parallel_for);
  }
  return {};
}

/// The product of rows of codes, by a kernel that takes one at a time.
///
/// @param order  memory of `sparse_order_bytes`
template <class Parallel>
void run_row_by_row(kernels::spmm_s8_args& args, std::uint8_t* order,
                    const Parallel& parallel_for) noexcept {
  const kernels::gemm_s8_args& p = args.product;
  const sparse_row_kernels kernel = sparse_row_kernels_of_target();
  if (kernel.unpack == nullptr) {
    return run_panels(
        p.rows, p.columns, [](index_t) {},
        [&](const kernels::gemm_block& b) { kernel.spmm(args, b); }, parallel_for);
  }
  const index_t tiles = ceil_div(p.columns, index_t{sparse_tile_columns});
  args.panels = order;
  for (index_t row = 0; row < p.rows; ++row) {
    kernel.unpack(p, p.a + row * p.a_stride, order);
    if constexpr (std::is_same_v<Parallel, serial>) {
      kernel.spmm(args, {row, row + 1, 0, tiles});
    } else {
      parallel_for(ceil_div(tiles, chunk_tiles), [&](index_t i) {
        kernel.spmm(args, {row, row + 1, i * chunk_tiles, min(tiles, (i + 1) * chunk_tiles)});
      });
    }
  }
}

/// The product of rows of codes at args.product.a, of type Code.
///
/// @param order  memory of `sparse_order_bytes`
template <class Code, class Parallel>
void run_from_rows(kernels::spmm_s8_args& args, std::uint8_t* order,
                   const Parallel& parallel_for) noexcept {
  const kernels::gemm_s8_args& p = args.product;
  if (p.rows == 0 || p.columns == 0) return;
  if constexpr (!has_panel_kernels) {
    run_row_by_row(args, order, parallel_for);
  } else if (args.weights.shape.block_rows == 16) {
    const auto spmm_s8 = spmm_s8_kernel_of(active_isa());
    run_panels(
        p.rows, p.columns, [](index_t) {}, [&](const kernels::gemm_block& b) { spmm_s8(args, b); },
        parallel_for);
  } else {
    const auto pack_panel = pack_panel_kernel_of(active_isa());
    const auto pack = [&](index_t row, index_t rows, std::uint8_t* panel) {
      pack_panel(p.a + row * p.a_stride, p.a_stride, rows, p.k, flip_of_panels<Code>(), panel);
    };
    run_packing(args, order, pack, parallel_for);
  }
}

/// Codes in.
template <class X, class Y, class Parallel>
PARE_CHOICE_INLINE status sparse_linear_codes(const strided_matrix_view<const X>& x,
                                              const packed_sparse_linear_view& layer,
                                              const strided_matrix_view<Y>& y, std::uint8_t* order,
                                              const Parallel& parallel_for) noexcept {
  kernels::spmm_s8_args args = sparse_args_of(layer, x.extent(0));
  PARE_RETURN_IF_ERROR((set_sparse_codes<X, Y>(layer, args)));
  args.product.a = reinterpret_cast<const std::uint8_t*>(x.data_handle());
  args.product.a_stride = x.stride(0);
  args.product.c = y.data_handle();
  args.product.c_stride = y.stride(0);
  run_from_rows<X>(args, order, parallel_for);
  return {};
}

/// Floats in and out.
template <class Parallel>
status sparse_linear_floats(const strided_matrix_view<const float>& x,
                            const packed_sparse_linear_view& layer,
                            const strided_matrix_view<float>& y, std::uint8_t* order,
                            workspace scratch, const Parallel& parallel_for) noexcept {
  if (x.extent(0) == 0 || layer.base.out_features == 0) return {};
  quantized_rows quantized;
  PARE_RETURN_IF_ERROR(
      quantize_float_rows(linear_kernels_of(active_isa()), x, scratch, quantized, parallel_for));
  kernels::spmm_s8_args args = sparse_args_of(layer, x.extent(0));
  set_float_rows(args.product, layer.base, quantized, y);
  run_from_rows<std::uint8_t>(args, order, parallel_for);
  return {};
}

template <class X>
status check_panels(const activation_panels_view<const X>& x, index_t features) noexcept {
  if (x.features != features) {
    return {status_code::shape_mismatch, "the features of the panels must be the layer's", "x",
            position_kind::axis, 1};
  }
  if (x.flip != flip_of_panels<X>()) {
    return {status_code::unsupported, "the panels were made for another machine: pack them again",
            "x"};
  }
  return {};
}

inline status check_panel_blocks(const packed_sparse_linear_view& layer) noexcept {
  if (layer.weights.shape.block_rows != 16) return {};
  return {status_code::unsupported, "blocks of 16 rows take activations as rows", "layer"};
}

template <class X, class Parallel>
void run_from_panels(const activation_panels_view<X>& x, kernels::spmm_s8_args& args,
                     const Parallel& parallel_for) noexcept {
  args.panels = reinterpret_cast<const std::uint8_t*>(x.data);
  if (x.rows == 0 || args.product.columns == 0) return;
  const auto spmm_s8 = spmm_s8_kernel_of(active_isa());
  const auto nothing = [](index_t) {};
  run_panels(
      x.rows, args.product.columns, nothing,
      [&](const kernels::gemm_block& b) { spmm_s8(args, b); }, parallel_for);
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Bytes of scratch that `linear` uses for `rows` rows with block-sparse weights, exact for 64-byte
/// aligned memory.
///
/// @tparam X  of the activations: codes, or float
/// @return `overflow` where they do not fit the index type
template <class X = std::uint8_t>
[[nodiscard]] constexpr result<index_t> sparse_linear_workspace_size(
    const packed_sparse_linear_view& layer, index_t rows) noexcept {
  index_t bytes = 0;
  if (!detail::sparse_scratch_bytes<X>(layer, rows, bytes)) {
    return {status_code::overflow, "the scratch does not fit the index type", "rows"};
  }
  return bytes;
}

/// y = act(x * W^T + bias), block-sparse int8 weights.
///
/// Outputs, options and arithmetic are those of `linear` with dense int8 weights (kernels/linear.hpp):
/// the same layer gives the same bits. On x86 and 64-bit ARM, blocks of 1 and 4 rows compute 16 rows
/// of activations at a time, and want 16 or more; blocks of 16 rows are for few. Elsewhere all blocks
/// take a row at a time.
///
/// @param x             [rows, in] in s8, u8 or f32; columns side by side, rows any stride apart
/// @param layer         from `pack_sparse_linear`
/// @param y             [rows, out] in s32, f32, s8 or u8, for f32 inputs f32; as x; must not overlap
///                      x
/// @param scratch       `sparse_linear_workspace_size<X>` bytes: x is brought into the kernel's order
/// @param parallel_for  see core/parallel.hpp
/// @return as `linear` with dense weights; y is untouched where it fails
///
/// Never allocates.
template <class X, class EX, class LX, class Y, class EY, class LY, class Parallel = serial>
PARE_CHOICE_INLINE status linear(const tensor_view<X, EX, LX>& x,
                                 const packed_sparse_linear_view& layer,
                                 const tensor_view<Y, EY, LY>& y, workspace scratch = {},
                                 const Parallel& parallel_for = {}) noexcept {
  using input = std::remove_const_t<X>;
  static_assert(detail::is_code_type<input> || std::is_same_v<input, float>,
                "pare: activations are float, int8_t or uint8_t");
  const strided_matrix_view<const input> rows(x);
  const strided_matrix_view<Y> out(y);
  PARE_RETURN_IF_ERROR(
      detail::check_linear_shapes(rows, layer.base.in_features, layer.base.out_features, out));
  index_t order_bytes = 0, needed = 0;
  if (!detail::sparse_order_bytes(layer, rows.extent(0), order_bytes) ||
      !detail::sparse_scratch_bytes<input>(layer, rows.extent(0), needed)) {
    return {status_code::overflow, "the scratch does not fit the index type", "x"};
  }
  auto* order = scratch.take<std::uint8_t>(order_bytes);
  if (order == nullptr && order_bytes > 0) {
    return {status_code::workspace_too_small,
            "the scratch is shorter than sparse_linear_workspace_size says", "scratch",
            position_kind::byte, needed};
  }
  if constexpr (std::is_same_v<input, float>) {
    static_assert(std::is_same_v<Y, float>, "pare: float activations give float outputs");
    return detail::sparse_linear_floats(rows, layer, out, order, scratch, parallel_for);
  } else {
    return detail::sparse_linear_codes(rows, layer, out, order, parallel_for);
  }
}

/// The same with activations that are in panels already.
///
/// @param x  from `pack_activations` or a layer before
/// @return as above; `unsupported` for blocks of 16 rows, and for panels made for another machine
template <class X, class Y, class EY, class LY, class Parallel = serial>
status linear(const activation_panels_view<X>& x, const packed_sparse_linear_view& layer,
              const tensor_view<Y, EY, LY>& y, const Parallel& parallel_for = {}) noexcept {
  using code = std::remove_const_t<X>;
  static_assert(detail::is_code_type<code>, "pare: activations are int8_t or uint8_t");
  PARE_RETURN_IF_ERROR(detail::check_panels<code>(x, layer.base.in_features));
  PARE_RETURN_IF_ERROR(detail::check_panel_blocks(layer));
  if (y.extent(0) != x.rows || y.extent(1) != layer.base.out_features) {
    return {status_code::shape_mismatch, "y is [rows, out]", "y"};
  }
  if (!detail::has_unit_columns(y)) {
    return {status_code::unsupported, "the columns of a row must lie side by side", "y",
            position_kind::axis, 1};
  }
  kernels::spmm_s8_args args = detail::sparse_args_of(layer, x.rows);
  PARE_RETURN_IF_ERROR((detail::set_sparse_codes<code, Y>(layer, args)));
  args.product.c = y.data_handle();
  args.product.c_stride = y.stride(0);
  detail::run_from_panels(x, args, parallel_for);
  return {};
}

/// The same with outputs in panels too, for a sparse layer that follows.
///
/// @param y  s8 or u8; rows and features are checked; `flip` is set
template <class X, class Y, class Parallel = serial>
status linear(const activation_panels_view<X>& x, const packed_sparse_linear_view& layer,
              activation_panels_view<Y>& y, const Parallel& parallel_for = {}) noexcept {
  using code = std::remove_const_t<X>;
  static_assert(detail::is_code_type<code> && detail::is_code_type<Y>,
                "pare: codes in panels are int8_t or uint8_t");
  PARE_RETURN_IF_ERROR(detail::check_panels<code>(x, layer.base.in_features));
  PARE_RETURN_IF_ERROR(detail::check_panel_blocks(layer));
  if (y.rows != x.rows || y.features != layer.base.out_features) {
    return {status_code::shape_mismatch, "y is [rows, out]", "y"};
  }
  kernels::spmm_s8_args args = detail::sparse_args_of(layer, x.rows);
  PARE_RETURN_IF_ERROR((detail::set_sparse_codes<code, Y>(layer, args)));
  y.flip = detail::flip_of_panels<Y>();
  args.c_panels = reinterpret_cast<std::uint8_t*>(y.data);
  args.c_flip = y.flip;
  detail::run_from_panels(x, args, parallel_for);
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_KERNELS_BLOCK_SPARSE_LINEAR_HPP
