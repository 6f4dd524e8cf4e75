// Affine int8 weights of a convolution -> panels for the kernels, in memory that the caller gives.
#ifndef PARE_KERNELS_PACK_CONV2D_HPP
#define PARE_KERNELS_PACK_CONV2D_HPP

#include <pare/format/packed_conv2d.hpp>
#include <pare/kernels/pack_depthwise_conv2d.hpp>
#include <pare/kernels/pack_linear.hpp>

namespace pare {
namespace detail {
inline namespace PARE_ABI {

/// The part of the options that a linear layer has too.
constexpr linear_options output_options(const conv2d_options& o) noexcept {
  return {o.act, o.input, o.output, o.rule};
}

/// How a layer is packed for the kernels of this machine.
struct packed_conv2d_layout {
  std::int32_t tile_columns = 4, k_group = 4;
  conv2d_taps taps = conv2d_taps::pixels;
  conv2d_k k{};
  packed_linear_layout group{};
  index_t bytes = 0;
};

/// False where the size overflows. Window and groups have been checked.
inline bool layout_of(index_t out_channels, index_t group_inputs, const window& w,
                      const conv2d_options& options, packed_conv2d_layout& layout) noexcept {
  const index_t outputs = out_channels / options.groups;
  index_t tap_bytes = 0, columns = 0, all_taps = 0, panel_bytes = 0;
  if (outputs > max_packed_size || !checked_multiply(w.height, w.width, all_taps)) return false;
  layout.taps = choose_taps(w, group_inputs, options.groups);
  if (!k_of(w, group_inputs, layout.taps, layout.k) || layout.k.bytes > max_packed_size)
    return false;
  layout.tile_columns = linear_tile_columns(active_isa(), outputs);
  layout.k_group = linear_k_group(active_isa(), layout.k.taps_y * layout.k.taps_x, layout.k.bytes);
  columns = round_up(outputs, layout.tile_columns);
  tap_bytes = round_up(layout.k.bytes, layout.k_group);
  return checked_multiply(layout.k.taps_y * layout.k.taps_x, tap_bytes, panel_bytes) &&
         checked_multiply(panel_bytes, columns, panel_bytes) &&
         layout_of(columns, panel_bytes, output_options(options), layout.group) &&
         checked_multiply(layout.group.bytes, options.groups, layout.bytes);
}

constexpr status check_groups(index_t out_channels, index_t group_inputs, index_t groups) noexcept {
  if (out_channels < 0 || group_inputs < 0) {
    return {status_code::overflow, "channels are not negative", "weights"};
  }
  if (groups < 1) {
    return {status_code::out_of_range, "there is at least one group of channels", "groups"};
  }
  if (out_channels % groups != 0) {
    return {status_code::shape_mismatch, "outputs must be a multiple of the groups", "weights",
            position_kind::axis, 0};
  }
  index_t inputs = 0;
  if (!checked_multiply(group_inputs, groups, inputs)) {
    return {status_code::overflow, "the input channels do not fit the index type", "weights"};
  }
  return {};
}

/// The panels of one group, whose outputs begin at `first`; their sums; and whether a -128 is among
/// them.
template <class E, class L>
void pack_conv2d_panels(const tensor_view<const std::int8_t, E, L>& codes, index_t first,
                        index_t outputs, const packed_conv2d_layout& layout, std::int8_t* panels,
                        std::int32_t* sums, std::int32_t& has_minus_128) noexcept {
  const conv2d_k& k = layout.k;
  const index_t channels = codes.extent(1), nr = layout.tile_columns;
  const index_t tap_bytes = round_up(k.bytes, layout.k_group), taps = k.taps_y * k.taps_x;
  for (index_t o = 0; o < round_up(outputs, nr); ++o) {
    std::int8_t* panel = panels + o / nr * taps * tap_bytes * nr;
    std::uint32_t sum = 0;
    for (index_t tap = 0; tap < taps; ++tap) {
      for (index_t at = 0; at < tap_bytes; ++at) {
        // A tap that is copied ends in zeros; one that is read in place, in bytes read twice.
        const index_t input =
            k.bytes == k.inputs ? packed_input(k.inputs, at) : (at < k.inputs ? at : -1);
        std::int8_t code = 0;
        if (o < outputs && input >= 0) {
          const index_t j = layout.taps == conv2d_taps::rows ? input / channels : tap % k.taps_x;
          code = codes(first + o, input % channels, tap / k.taps_x, j);
        }
        panel[place_in_panel(o % nr, tap * tap_bytes + at, nr, layout.k_group)] = code;
        sum += static_cast<std::uint32_t>(code);
        if (code == -128) has_minus_128 = 1;
      }
    }
    sums[o] = static_cast<std::int32_t>(sum);
  }
}

/// `v[first, first + count)`, or none of none.
template <class T>
constexpr vector_view<T> span_of(const vector_view<T>& v, index_t first, index_t count) noexcept {
  return v.empty() ? v : vector_view<T>(v.data_handle() + first, count);
}

template <class E, class L, class Bias>
result<packed_conv2d_view> pack_conv2d(const affine_view<std::int8_t, E, L>& w,
                                       vector_view<const Bias> bias, const conv2d_options& options,
                                       workspace memory) noexcept {
  static_assert(E::rank() == 4, "pare: weights of a convolution are [out, in / groups, kh, kw]");
  const index_t out = w.codes.extent(0), in = w.codes.extent(1), groups = options.groups;
  packed_conv2d_view layer;
  layer.window = window_of(options.window, w.codes.extent(2), w.codes.extent(3));
  PARE_RETURN_IF_ERROR(check_window(layer.window));
  PARE_RETURN_IF_ERROR(check_groups(out, in, groups));
  PARE_RETURN_IF_ERROR(check_linear(without_inputs(w), bias, output_options(options)));
  packed_conv2d_layout layout;
  if (!layout_of(out, in, layer.window, options, layout)) {
    return {status_code::overflow, "the packed layer does not fit the index type", "weights"};
  }
  std::byte* base = memory.take<std::byte>(layout.bytes);
  if (base == nullptr && layout.bytes > 0) {
    return {status_code::workspace_too_small,
            "the memory for the packed layer is shorter than packed_conv2d_size says", "memory",
            position_kind::byte, layout.bytes};
  }

  layer.out_channels = out;
  layer.in_channels = in * groups;
  layer.groups = groups;
  layer.taps = layout.taps;
  layer.group_bytes = layout.group.bytes;
  const index_t outputs = out / groups;
  std::int32_t has_minus_128 = 0;
  for (index_t group = groups; group-- > 0;) {
    std::byte* at = base + group * layer.group_bytes;
    packed_linear_view linear;
    linear.out_features = outputs;
    linear.in_features = layout.k.taps_y * layout.k.taps_x * round_up(layout.k.bytes, 4);
    linear.tile_columns = layout.tile_columns;
    linear.k_group = layout.k_group;
    linear.options = output_options(options);
    auto* panels = reinterpret_cast<std::int8_t*>(at + layout.group.panels);
    auto* sums = reinterpret_cast<std::int32_t*>(at + layout.group.sums);
    pack_conv2d_panels(w.codes, group * outputs, outputs, layout, panels, sums, has_minus_128);
    linear.panels = panels;
    linear.sums = sums;
    auto columns = without_inputs(w);
    if (w.axis != per_tensor) columns.scales = span_of(w.scales, group * outputs, outputs);
    pack_columns(columns, span_of(bias, group * outputs, outputs), layout.group, at, linear);
    layer.first_group = linear;
  }
  layer.first_group.has_minus_128 = has_minus_128;
  return layer;
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Bytes that `pack_conv2d` needs for a layer of this shape on this machine, exact for 64-byte
/// aligned memory.
///
/// @param out_channels   outputs of all groups
/// @param group_inputs   channels that an output reads: axis 1 of the weights
/// @param window_height  rows of the weights
/// @param window_width   columns of the weights
/// @return as `check_window`; `out_of_range` or `shape_mismatch` (groups), or `overflow` where the
///         bytes do not fit the index type
[[nodiscard]] inline result<index_t> packed_conv2d_size(
    index_t out_channels, index_t group_inputs, index_t window_height, index_t window_width,
    const conv2d_options& options = {}) noexcept {
  const window w = detail::window_of(options.window, window_height, window_width);
  PARE_RETURN_IF_ERROR(check_window(w));
  PARE_RETURN_IF_ERROR(detail::check_groups(out_channels, group_inputs, options.groups));
  detail::packed_conv2d_layout layout;
  if (!detail::layout_of(out_channels, group_inputs, w, options, layout)) {
    return {status_code::overflow, "the packed layer does not fit the index type", "weights"};
  }
  return layout.bytes;
}

/// Packs a convolution for the kernels of this machine.
///
/// @param w        int8 codes [out, in / groups, kh, kw] in any layout, symmetric, one scale or one
///                 for each output
/// @param bias     [out] in reals, finite, or empty
/// @param options  window, groups, activation, and for 8-bit inputs and outputs their scales, zero
///                 points and the rounding rule
/// @param memory   at least `packed_conv2d_size` bytes, 64-byte aligned; must outlive the result
/// @return a view of the layer in `memory`; or `out_of_range` (window, groups, scales, zero points),
///         `shape_mismatch` (groups, scales, bias), `unsupported` (asymmetric weights, other axes),
///         `invalid_argument` (output scale without input scale), `non_finite` (bias),
///         `workspace_too_small` with the bytes needed, `overflow`; `memory` is then untouched
///
/// With `options.input` the bias is also rounded to codes of scale input * weight, half to even.
template <class E, class L>
[[nodiscard]] result<packed_conv2d_view> pack_conv2d(const affine_view<std::int8_t, E, L>& w,
                                                     vector_view<const float> bias,
                                                     const conv2d_options& options,
                                                     workspace memory) noexcept {
  return detail::pack_conv2d<E, L, float>(w, bias, options, memory);
}

/// The same with a bias that is already in codes of scale input * weight, as TFLite and ONNX models
/// store it.
///
/// @param bias  [out] or empty; needs `options.input`
template <class E, class L>
[[nodiscard]] result<packed_conv2d_view> pack_conv2d(const affine_view<std::int8_t, E, L>& w,
                                                     vector_view<const std::int32_t> bias,
                                                     const conv2d_options& options,
                                                     workspace memory) noexcept {
  if (options.input.scale == 0.0f) {
    return {status_code::invalid_argument, "a bias in codes needs the scale of the inputs",
            "input.scale"};
  }
  return detail::pack_conv2d<E, L, std::int32_t>(w, bias, options, memory);
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_KERNELS_PACK_CONV2D_HPP
