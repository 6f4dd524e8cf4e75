// A depthwise convolution with int8 weights: each input channel has filters of its own.
//
// Arithmetic of PyTorch's quantized conv2d with groups = channels, TensorFlow Lite's
// DEPTHWISE_CONV_2D (reference_integer_ops/depthwise_conv.h) and ONNX's QLinearConv, by the
// requantization rule that the layer was packed with.
#ifndef PARE_KERNELS_DEPTHWISE_CONV2D_HPP
#define PARE_KERNELS_DEPTHWISE_CONV2D_HPP

#include <pare/core/parallel.hpp>
#include <pare/kernels/conv_shapes.hpp>
#include <pare/kernels/pack_depthwise_conv2d.hpp>
#include <pare/kernels/scalar/depthwise_s8.hpp>

#if PARE_KERNELS_HERE
#include <pare/kernels/cortex_m/depthwise_s8_dsp.hpp>
#include <pare/kernels/cortex_m/depthwise_s8_mve.hpp>
#include <pare/kernels/neon/depthwise_s8_neon.hpp>
#include <pare/kernels/x86/depthwise_s8_avx2.hpp>
#include <pare/kernels/x86/depthwise_s8_avx512vnni.hpp>
#endif

namespace pare {
namespace detail {

using depthwise_kernel = void (*)(const kernels::depthwise_s8_args&,
                                  const kernels::depthwise_block&) noexcept;

inline namespace PARE_KERNEL_ABI {

PARE_KERNEL_TABLE depthwise_kernel depthwise_kernel_of(isa i) noexcept;

#if PARE_KERNELS_HERE
PARE_KERNEL_TABLE depthwise_kernel depthwise_kernel_of(isa i) noexcept {
  switch (i) {
#if PARE_X86_KERNELS
    case isa::avx512vnni: return kernels::avx512vnni::depthwise_s8;
    case isa::avxvnni: return kernels::avxvnni::depthwise_s8;
    case isa::avx512bw:
    case isa::avx2: return kernels::avx2::depthwise_s8;
#endif
#if PARE_NEON_KERNELS
    case isa::i8mm:
    case isa::dotprod: return kernels::dotprod::depthwise_s8;
#endif
#if PARE_NEON_KERNELS || PARE_NEON32_KERNELS
    case isa::neon: return kernels::neon::depthwise_s8;
#endif
#if PARE_MVE_KERNELS
    default: return kernels::mve::depthwise_s8;
#elif PARE_DSP_KERNELS
    default: return kernels::dsp::depthwise_s8;
#else
    default: return kernels::scalar::depthwise_s8;
#endif
  }
}
#endif

}  // namespace PARE_KERNEL_ABI

inline namespace PARE_ABI {

/// The instruction set that runs a layer now. Scalar where it was packed for another machine: pack
/// it again.
PARE_ALWAYS_INLINE isa depthwise_isa(const packed_depthwise_view& layer) noexcept {
  const isa i = active_isa();
  return has_depthwise_tiles(i) && layer.outputs.tile_columns % 16 == 0 ? i : isa::scalar;
}

/// Rows of outputs of a block, by the shape alone: about a million products each, so that threads
/// have something to share and start rarely.
constexpr index_t depthwise_block_rows(const kernels::depthwise_s8_args& args) noexcept {
  constexpr index_t block_products = 1 << 20;
  index_t row_products = 1;
  const index_t factors[] = {args.out_width, args.out.columns, args.window.height,
                             args.window.width};
  for (const index_t f : factors) {
    if (!checked_multiply(row_products, f, row_products)) return 2;
  }
  return round_up(min(block_products / max<index_t>(row_products, 1), args.out_height) + 1, 2);
}

template <class X, class Y>
constexpr PARE_CHOICE_INLINE status check_depthwise(const strided_image_view<const X>& x,
                                                    const packed_depthwise_view& layer,
                                                    const strided_image_view<Y>& y) noexcept {
  PARE_RETURN_IF_ERROR(check_conv_channels(x, layer.in_channels(), layer.out_channels, y));
  PARE_RETURN_IF_ERROR((check_codes<X, Y>(layer.outputs.options)));
  return check_panels(layer.outputs);
}
template <class X, class Y>
PARE_NOINLINE status check_depthwise_apart(const strided_image_view<const X>& x,
                                           const packed_depthwise_view& layer,
                                           const strided_image_view<Y>& y) noexcept {
  return check_depthwise(x, layer, y);
}

/// The convolution after the checks.
template <class X, class Y, class Parallel>
void run_depthwise(depthwise_kernel kernel, const output_choice& choice,
                   const strided_image_view<const X>& x, const packed_depthwise_view& layer,
                   const strided_image_view<Y>& y, const Parallel& parallel_for) noexcept {
  kernels::depthwise_s8_args args;
  args.x = reinterpret_cast<const std::uint8_t*>(x.data_handle());
  args.image_stride = x.stride(0);
  args.row_stride = x.stride(1);
  args.pixel_stride = x.stride(2);
  args.height = x.extent(1);
  args.width = x.extent(2);
  args.out_height = y.extent(1);
  args.out_width = y.extent(2);
  args.out_image_stride = y.stride(0);
  args.out_row_stride = y.stride(1);
  args.multiplier = layer.multiplier;
  args.window = layer.window;
  args.variants = layer.variants;
  args.panels = layer.outputs.panels;
  index_t output_bytes = 0;
  static_cast<void>(depthwise_output_bytes(layer.window, layer.variants, output_bytes));
  args.panel_bytes = output_bytes * layer.outputs.tile_columns;
  args.out = args_of(layer.outputs, args.out_width);
  args.out.c = y.data_handle();
  args.out.c_stride = y.stride(2);
  set_codes<X, Y>(args.out, layer.outputs, choice);
  if (x.extent(0) == 0 || layer.out_channels == 0) return;

  const index_t panels = layer.outputs.panels_count();
  if constexpr (has_no_caches && std::is_same_v<Parallel, serial>) {
    for (index_t i = 0; i < x.extent(0); ++i) kernel(args, {i, 0, args.out_height, 0, panels});
    return;
  }
  const index_t rows = depthwise_block_rows(args);
  const index_t blocks = ceil_div(args.out_height, rows);
  parallel_for(x.extent(0) * blocks, [&](index_t i) {
    const index_t row = i % blocks * rows;
    kernel(args, {i / blocks, row, min(row + rows, args.out_height), 0, panels});
  });
}

/// For shapes that are known to fit: those of a network that has been planned.
template <class X, class Y, class Parallel>
PARE_CHOICE_INLINE status planned_depthwise(const strided_image_view<const X>& x,
                                            const packed_depthwise_view& layer,
                                            const strided_image_view<Y>& y,
                                            const Parallel& parallel_for) noexcept {
  const output_choice choice = output_choice_of<Y>(layer.outputs.options);
  PARE_RETURN_IF_ERROR((check_codes<X, Y>(layer.outputs.options)));
  PARE_RETURN_IF_ERROR(check_panels(layer.outputs));
  run_depthwise(depthwise_kernel_of(depthwise_isa(layer)), choice, x, layer, y, parallel_for);
  return {};
}

template <class X, class Y, class Parallel>
PARE_CHOICE_INLINE status depthwise(const strided_image_view<const X>& x,
                                    const packed_depthwise_view& layer,
                                    const strided_image_view<Y>& y,
                                    const Parallel& parallel_for) noexcept {
  const output_choice choice = output_choice_of<Y>(layer.outputs.options);
  if (!are_known(x.extent(1), layer.out_channels) || !check_depthwise(x, layer, y).is_ok() ||
      !check_conv_windows(x, layer.window, y).is_ok()) {
    PARE_RETURN_IF_ERROR(check_depthwise_apart(x, layer, y));
    PARE_RETURN_IF_ERROR(check_windows(x, layer.window, y));
  }
  run_depthwise(depthwise_kernel_of(depthwise_isa(layer)), choice, x, layer, y, parallel_for);
  return {};
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// y = act(depthwise convolution of x + bias), int8 weights.
///
/// | x      | y      | what happens                                                 | packed with     |
/// |--------|--------|--------------------------------------------------------------|-----------------|
/// | s8, u8 | s32    | sum of (x - zero point) * w, plus the bias in codes          | input (or none) |
/// | s8, u8 | f32    | the same, scaled, plus the bias in reals                     | input           |
/// | s8, u8 | s8, u8 | requantized by the layer's rule, activation as a clamp       | input, output   |
///
/// Padding is the input's zero point and so adds nothing. Products are exact; sums beyond 32 bits
/// wrap. All instruction sets and any number of threads give the same bits.
///
/// @param x             [images, height, width, channels]; channels side by side, pixels, rows and
///                      images any strides apart
/// @param layer         from `pack_depthwise_conv2d`
/// @param y             [images, output_height(window, height), output_width(window, width),
///                      channels * multiplier]; as x; must not overlap x
/// @param parallel_for  see core/parallel.hpp
/// @return `shape_mismatch` (an extent, or a window larger than the padded image), `empty` (an image
///         without rows or columns), `unsupported` (channels apart), `invalid_argument` (packed
///         without a scale that is needed), `out_of_range` (zero point), `overflow` (padding); y is
///         then untouched
///
/// Never allocates and needs no scratch: at most 30 KB of stack. 0 images or channels are fine.
template <class X, class EX, class LX, class Y, class EY, class LY, class Parallel = serial>
PARE_CHOICE_INLINE status depthwise_conv2d(const tensor_view<X, EX, LX>& x,
                                           const packed_depthwise_view& layer,
                                           const tensor_view<Y, EY, LY>& y,
                                           const Parallel& parallel_for = {}) noexcept {
  static_assert(EX::rank() == 4 && EY::rank() == 4,
                "pare: images are [batch, height, width, channels]");
  using code = std::remove_const_t<X>;
  static_assert(std::is_same_v<code, std::int8_t> || std::is_same_v<code, std::uint8_t>,
                "pare: inputs are int8_t or uint8_t");
  static_assert(std::is_same_v<Y, float> || std::is_same_v<Y, std::int32_t> ||
                    std::is_same_v<Y, std::int8_t> || std::is_same_v<Y, std::uint8_t>,
                "pare: outputs are float, int32_t, int8_t or uint8_t");
  return detail::depthwise(strided_image_view<const code>(x), layer, strided_image_view<Y>(y),
                           parallel_for);
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_KERNELS_DEPTHWISE_CONV2D_HPP
