// y = act(x * W^T + bias) with block-sparse int8 weights: `linear` for codes, as rows or in panels.
#ifndef PARE_KERNELS_BLOCK_SPARSE_LINEAR_HPP
#define PARE_KERNELS_BLOCK_SPARSE_LINEAR_HPP

#include <pare/kernels/linear.hpp>
#include <pare/kernels/pack_activations.hpp>
#include <pare/kernels/pack_sparse_linear.hpp>
#include <pare/kernels/scalar/spmm_s8.hpp>

#if PARE_KERNELS_HERE
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
#endif
    default: return kernels::scalar::spmm_s8;
  }
}
#endif

}  // namespace PARE_KERNEL_ABI

inline namespace PARE_ABI {

/// What kernels need to know of a layer, for inputs of type X and outputs of type Y.
///
/// @return `invalid_argument`, `out_of_range`
template <class X, class Y>
status set_sparse_args(const packed_sparse_linear_view& layer, index_t rows,
                       kernels::spmm_s8_args& args) noexcept {
  PARE_RETURN_IF_ERROR((check_codes<X, Y>(layer.base.options)));
  args.product = args_of(layer.base, rows);
  set_codes<X, Y>(args.product, layer.base, output_choice_of<Y>(layer.base.options));
  args.weights = layer.weights;
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
/// @return `overflow` where they do not fit the index type
[[nodiscard]] constexpr result<index_t> sparse_linear_workspace_size(
    const packed_sparse_linear_view& layer, index_t rows) noexcept {
  if (layer.weights.shape.block_rows == 16) return index_t{0};
  return activation_panels_size<std::uint8_t>(rows, layer.base.in_features);
}

/// y = act(x * W^T + bias), block-sparse int8 weights.
///
/// Outputs, options and arithmetic are those of `linear` with dense int8 weights (kernels/linear.hpp):
/// the same layer gives the same bits. Blocks of 1 and 4 rows compute 16 rows of activations at a
/// time, and want 16 or more; blocks of 16 rows are for few.
///
/// @param x             [rows, in] in s8 or u8; columns side by side, rows any stride apart
/// @param layer         from `pack_sparse_linear`
/// @param y             [rows, out] in s32, f32, s8 or u8; as x; must not overlap x
/// @param scratch       `sparse_linear_workspace_size` bytes: x is brought into panels
/// @param parallel_for  see core/parallel.hpp
/// @return as `linear` with dense weights; y is untouched where it fails
///
/// Never allocates.
template <class X, class EX, class LX, class Y, class EY, class LY, class Parallel = serial>
status linear(const tensor_view<X, EX, LX>& x, const packed_sparse_linear_view& layer,
              const tensor_view<Y, EY, LY>& y, workspace scratch = {},
              const Parallel& parallel_for = {}) noexcept {
  using code = std::remove_const_t<X>;
  static_assert(detail::is_code_type<code>, "pare: activations are int8_t or uint8_t");
  PARE_RETURN_IF_ERROR(
      detail::check_linear_shapes(x, layer.base.in_features, layer.base.out_features, y));
  const index_t rows = x.extent(0), k = layer.base.in_features;
  kernels::spmm_s8_args args;
  PARE_RETURN_IF_ERROR((detail::set_sparse_args<code, Y>(layer, rows, args)));
  kernels::gemm_s8_args& p = args.product;
  p.a = reinterpret_cast<const std::uint8_t*>(x.data_handle());
  p.a_stride = x.stride(0);
  p.c = y.data_handle();
  p.c_stride = y.stride(0);
  if (rows == 0 || p.columns == 0) return {};
  const auto spmm_s8 = detail::spmm_s8_kernel_of(active_isa());
  if (layer.weights.shape.block_rows == 16) {
    const auto nothing = [](index_t) {};
    detail::run_panels(
        rows, p.columns, nothing, [&](const kernels::gemm_block& b) { spmm_s8(args, b); },
        parallel_for);
    return {};
  }
  const auto bytes = activation_panels_size<std::uint8_t>(rows, k);
  if (!bytes) return bytes.error();
  auto* panels = scratch.take<std::uint8_t>(*bytes);
  if (panels == nullptr && *bytes > 0) {
    return {status_code::workspace_too_small,
            "the scratch is shorter than sparse_linear_workspace_size says", "scratch",
            position_kind::byte, *bytes};
  }
  args.panels = panels;
  const std::uint8_t flip = detail::flip_of_panels<code>();
  const auto pack_panel = detail::pack_panel_kernel_of(active_isa());
  const auto pack = [&](index_t row) {
    pack_panel(p.a + row * p.a_stride, p.a_stride, detail::min(detail::panel_rows, rows - row), k,
               flip, panels + 4 * row * detail::panel_quads<std::uint8_t>(k));
  };
  detail::run_panels(
      rows, p.columns, pack, [&](const kernels::gemm_block& b) { spmm_s8(args, b); }, parallel_for);
  return {};
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
  kernels::spmm_s8_args args;
  PARE_RETURN_IF_ERROR((detail::set_sparse_args<code, Y>(layer, x.rows, args)));
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
  kernels::spmm_s8_args args;
  PARE_RETURN_IF_ERROR((detail::set_sparse_args<code, Y>(layer, x.rows, args)));
  y.flip = detail::flip_of_panels<Y>();
  args.c_panels = reinterpret_cast<std::uint8_t*>(y.data);
  args.c_flip = y.flip;
  detail::run_from_panels(x, args, parallel_for);
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_KERNELS_BLOCK_SPARSE_LINEAR_HPP
