// Affine int8 weights of a depthwise convolution -> panels for the kernels, in memory that the
// caller gives.
#ifndef PARE_KERNELS_PACK_DEPTHWISE_CONV2D_HPP
#define PARE_KERNELS_PACK_DEPTHWISE_CONV2D_HPP

#include <pare/format/packed_depthwise.hpp>
#include <pare/kernels/pack_linear.hpp>

namespace pare {
namespace detail {
inline namespace PARE_ABI {

/// The part of the options that a linear layer has too.
constexpr linear_options output_options(const depthwise_conv2d_options& o) noexcept {
  return {o.act, o.input, o.output, o.rule};
}

/// Whether kernels of `i` walk as kernels/depthwise_tiles.hpp says.
constexpr PARE_ALWAYS_INLINE bool has_depthwise_tiles(isa i) noexcept {
  return i != isa::scalar && i != isa::sse2;
}

/// Channels of a panel: all of them, up to 64.
constexpr PARE_ALWAYS_INLINE std::int32_t depthwise_tile_columns(isa i,
                                                                 index_t out_channels) noexcept {
  if (!has_depthwise_tiles(i)) return 4;
  return static_cast<std::int32_t>(round_up(clamp<index_t>(out_channels, 1, 64), 16));
}

/// How a layer is packed for the kernels of this machine.
struct packed_depthwise_layout {
  std::int32_t tile_columns = 4, variants = 1;
  index_t panel_bytes = 0;
  packed_linear_layout linear{};
};

/// False where the size overflows. The window has been checked.
inline bool layout_of(index_t out_channels, const window& w,
                      const depthwise_conv2d_options& options,
                      packed_depthwise_layout& layout) noexcept {
  if (out_channels < 0 || out_channels > max_packed_size) return false;
  layout.tile_columns = depthwise_tile_columns(active_isa(), out_channels);
  layout.variants = has_depthwise_tiles(active_isa()) ? depthwise_variants(w) : 1;
  const index_t panels = ceil_div(out_channels, layout.tile_columns);
  index_t bytes = 0;
  return depthwise_output_bytes(w, layout.variants, bytes) &&
         checked_multiply(bytes, layout.tile_columns, layout.panel_bytes) &&
         checked_multiply(layout.panel_bytes, panels, bytes) &&
         layout_of(panels * layout.tile_columns, bytes, output_options(options), layout.linear);
}

/// The options' window with the weights' size. The dilation of a single row or column says nothing:
/// it becomes 1, and no product with it can overflow.
constexpr window window_of(window w, index_t height, index_t width) noexcept {
  w.height = height;
  w.width = width;
  if (height == 1 && w.dilation_y > 1) w.dilation_y = 1;
  if (width == 1 && w.dilation_x > 1) w.dilation_x = 1;
  return w;
}

constexpr status check_multiplier(index_t out_channels, index_t multiplier) noexcept {
  if (multiplier < 1) {
    return {status_code::out_of_range, "there is at least one output for each input channel",
            "multiplier"};
  }
  if (out_channels % multiplier != 0) {
    return {status_code::shape_mismatch, "outputs must be a multiple of the multiplier", "weights",
            position_kind::axis, 0};
  }
  return {};
}

/// Scales and zero points of weights [out, ...] as a linear layer without inputs has them: what
/// `check_linear` and `pack_columns` take.
template <class E, class L>
constexpr affine_view<std::int8_t, dextents<index_t, 2>> without_inputs(
    const affine_view<std::int8_t, E, L>& w) noexcept {
  using no_codes = matrix_view<const std::int8_t>;
  return {no_codes(nullptr, w.codes.extent(0), index_t{0}), w.scales, w.zero_points, w.axis};
}

/// The panels, the sums of the weights, and whether a -128 is among them.
template <class E, class L>
void pack_depthwise_panels(const tensor_view<const std::int8_t, E, L>& codes, const window& w,
                           const packed_depthwise_layout& layout, std::int8_t* panels,
                           std::int32_t* sums, std::int32_t& has_minus_128) noexcept {
  const index_t out = codes.extent(0), nr = layout.tile_columns;
  const index_t columns = round_up(out, nr), variant_bytes = layout.panel_bytes / layout.variants;
  for (index_t i = 0; i < columns / nr * layout.panel_bytes; ++i) panels[i] = 0;
  has_minus_128 = 0;
  for (index_t o = 0; o < columns; ++o) {
    std::int8_t* panel = panels + o / nr * layout.panel_bytes;
    std::uint32_t sum = 0;
    for (index_t i = 0; o < out && i < w.height; ++i) {
      for (index_t j = 0; j < w.width; ++j) {
        const std::int8_t code = codes(o, 0, i, j);
        for (index_t v = 0; v < layout.variants; ++v) {
          panel[v * variant_bytes + depthwise_offset(w, nr, i + v * w.stride_y, j, o % nr)] = code;
        }
        sum += static_cast<std::uint32_t>(code);
        if (code == -128) has_minus_128 = 1;
      }
    }
    sums[o] = static_cast<std::int32_t>(sum);
  }
}

template <class E, class L, class Bias>
result<packed_depthwise_view> pack_depthwise(const affine_view<std::int8_t, E, L>& w,
                                             vector_view<const Bias> bias,
                                             const depthwise_conv2d_options& options,
                                             workspace memory) noexcept {
  static_assert(E::rank() == 4, "pare: weights of a depthwise convolution are [out, 1, kh, kw]");
  if (w.codes.extent(1) != 1) {
    return {status_code::shape_mismatch, "a depthwise filter has one input channel", "weights",
            position_kind::axis, 1};
  }
  packed_depthwise_view layer;
  layer.out_channels = w.codes.extent(0);
  layer.multiplier = options.multiplier;
  layer.window = window_of(options.window, w.codes.extent(2), w.codes.extent(3));
  PARE_RETURN_IF_ERROR(check_window(layer.window));
  PARE_RETURN_IF_ERROR(check_multiplier(layer.out_channels, options.multiplier));
  PARE_RETURN_IF_ERROR(check_linear(without_inputs(w), bias, output_options(options)));
  packed_depthwise_layout layout;
  if (!layout_of(layer.out_channels, layer.window, options, layout)) {
    return {status_code::overflow, "the packed layer does not fit the index type", "weights"};
  }
  std::byte* base = memory.take<std::byte>(layout.linear.bytes);
  if (base == nullptr && layout.linear.bytes > 0) {
    return {status_code::workspace_too_small,
            "the memory for the packed layer is shorter than packed_depthwise_conv2d_size says",
            "memory", position_kind::byte, layout.linear.bytes};
  }

  packed_linear_view& outputs = layer.outputs;
  outputs.out_features = layer.out_channels;
  outputs.tile_columns = layout.tile_columns;
  outputs.options = output_options(options);
  auto* panels = reinterpret_cast<std::int8_t*>(base + layout.linear.panels);
  auto* sums = reinterpret_cast<std::int32_t*>(base + layout.linear.sums);
  pack_depthwise_panels(w.codes, layer.window, layout, panels, sums, outputs.has_minus_128);
  outputs.panels = panels;
  outputs.sums = sums;
  pack_columns(without_inputs(w), bias, layout.linear, base, outputs);
  layer.variants = layout.variants;
  return layer;
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Bytes that `pack_depthwise_conv2d` needs for a layer of this shape on this machine, exact for
/// 64-byte aligned memory.
///
/// @param out_channels   outputs, the multiplier included
/// @param window_height  rows of the weights
/// @param window_width   columns of the weights
/// @return as `check_window`, or `overflow` where the bytes do not fit the index type
[[nodiscard]] inline result<index_t> packed_depthwise_conv2d_size(
    index_t out_channels, index_t window_height, index_t window_width,
    const depthwise_conv2d_options& options = {}) noexcept {
  const window w = detail::window_of(options.window, window_height, window_width);
  PARE_RETURN_IF_ERROR(check_window(w));
  detail::packed_depthwise_layout layout;
  if (!detail::layout_of(out_channels, w, options, layout)) {
    return {status_code::overflow, "the packed layer does not fit the index type", "weights"};
  }
  return layout.linear.bytes;
}

/// Packs a depthwise convolution for the kernels of this machine.
///
/// @param w        int8 codes [channels * multiplier, 1, kh, kw] in any layout, symmetric, one scale
///                 or one for each output
/// @param bias     [out] in reals, finite, or empty
/// @param options  window, multiplier, activation, and for 8-bit inputs and outputs their scales,
///                 zero points and the rounding rule
/// @param memory   at least `packed_depthwise_conv2d_size` bytes, 64-byte aligned; must outlive the
///                 result
/// @return a view of the layer in `memory`; or `shape_mismatch` (axis 1, multiplier, scales, bias),
///         `out_of_range` (window, multiplier, scales, zero points), `unsupported` (asymmetric
///         weights, other axes), `invalid_argument` (output scale without input scale),
///         `non_finite` (bias), `workspace_too_small` with the bytes needed, `overflow`; `memory`
///         is then untouched
///
/// With `options.input` the bias is also rounded to codes of scale input * weight, half to even.
template <class E, class L>
[[nodiscard]] result<packed_depthwise_view> pack_depthwise_conv2d(
    const affine_view<std::int8_t, E, L>& w, vector_view<const float> bias,
    const depthwise_conv2d_options& options, workspace memory) noexcept {
  return detail::pack_depthwise<E, L, float>(w, bias, options, memory);
}

/// The same with a bias that is already in codes of scale input * weight, as TFLite and ONNX models
/// store it.
///
/// @param bias  [out] or empty; needs `options.input`
template <class E, class L>
[[nodiscard]] result<packed_depthwise_view> pack_depthwise_conv2d(
    const affine_view<std::int8_t, E, L>& w, vector_view<const std::int32_t> bias,
    const depthwise_conv2d_options& options, workspace memory) noexcept {
  if (options.input.scale == 0.0f) {
    return {status_code::invalid_argument, "a bias in codes needs the scale of the inputs",
            "input.scale"};
  }
  return detail::pack_depthwise<E, L, std::int32_t>(w, bias, options, memory);
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_KERNELS_PACK_DEPTHWISE_CONV2D_HPP
