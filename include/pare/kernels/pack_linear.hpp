// Affine int8 weights -> panels for the kernels, in memory that the caller gives.
#ifndef PARE_KERNELS_PACK_LINEAR_HPP
#define PARE_KERNELS_PACK_LINEAR_HPP

#include <pare/core/result.hpp>
#include <pare/core/workspace.hpp>
#include <pare/kernels/select_linear.hpp>

namespace pare {

inline namespace PARE_ABI {

/// Bytes that `pack_linear` needs for a layer of this shape on this machine, exact for 64-byte
/// aligned memory.
///
/// @return `overflow` where they do not fit the index type
[[nodiscard]] inline result<index_t> packed_linear_size(
    index_t out_features, index_t in_features, const linear_options& options = {}) noexcept {
  detail::packed_linear_layout layout;
  const std::int32_t columns = detail::linear_tile_columns(active_isa(), out_features);
  const std::int32_t k_group = detail::linear_k_group(active_isa());
  if (!detail::layout_of(out_features, in_features, columns, k_group, options, layout)) {
    return {status_code::overflow, "the packed layer does not fit the index type", "weights"};
  }
  return layout.bytes;
}

}  // namespace PARE_ABI

namespace detail {
inline namespace PARE_ABI {

constexpr status check_linear_options(const linear_options& o) noexcept {
  if (o.input.scale != 0.0f && !is_valid_scale(o.input.scale)) {
    return {status_code::out_of_range,
            "a scale must be positive and finite, or 0 where it is not known", "input.scale"};
  }
  if (o.output.scale != 0.0f && !is_valid_scale(o.output.scale)) {
    return {status_code::out_of_range,
            "a scale must be positive and finite, or 0 where it is not known", "output.scale"};
  }
  if (o.output.scale != 0.0f && o.input.scale == 0.0f) {
    return {status_code::invalid_argument, "8-bit outputs need the scale of the inputs",
            "input.scale"};
  }
  if (o.input.zero_point < -128 || o.input.zero_point > 255) {
    return {status_code::out_of_range, "a zero point must be a code", "input.zero_point"};
  }
  if (o.output.zero_point < -128 || o.output.zero_point > 255) {
    return {status_code::out_of_range, "a zero point must be a code", "output.zero_point"};
  }
  return {};
}

/// Checks all that can be wrong before anything is written.
template <class E, class L, class Bias>
constexpr status check_linear(const affine_view<std::int8_t, E, L>& w, vector_view<const Bias> bias,
                              const linear_options& options) noexcept {
  static_assert(E::rank() == 2, "pare: weights of a linear layer are [out, in]");
  const index_t out = w.codes.extent(0);
  PARE_RETURN_IF_ERROR(check_linear_options(options));
  if (w.axis != per_tensor && w.axis != 0) {
    return {status_code::unsupported,
            "weights of a linear layer have one scale, or one for each output (axis 0)", "weights",
            position_kind::axis, w.axis};
  }
  if (w.scales.extent(0) != (w.axis == per_tensor ? 1 : out)) {
    return {status_code::shape_mismatch, "there must be one scale, or one for each output",
            "scales"};
  }
  if (!w.zero_points.empty() && w.zero_points.extent(0) != w.scales.extent(0)) {
    return {status_code::shape_mismatch, "there must be as many zero points as scales, or none",
            "zero_points"};
  }
  for (index_t i = 0; i < w.zero_points.extent(0); ++i) {
    if (w.zero_points[i] != 0) {
      return {status_code::unsupported, "weights must be symmetric: their zero points are 0",
              "zero_points", position_kind::row, i};
    }
  }
  for (index_t i = 0; i < w.scales.extent(0); ++i) {
    if (!is_valid_scale(w.scales[i])) {
      return {status_code::out_of_range, "a scale must be positive and finite", "scales",
              position_kind::row, i};
    }
  }
  if (!bias.empty() && bias.extent(0) != out) {
    return {status_code::shape_mismatch, "there must be one bias for each output, or none", "bias"};
  }
  for (index_t i = 0; i < bias.extent(0); ++i) {
    if constexpr (std::is_floating_point_v<Bias>) {
      if (!is_finite(bias[i]))
        return {status_code::non_finite, "a bias is not finite", "bias", position_kind::row, i};
    }
  }
  if (options.output.scale != 0.0f) {
    for (index_t i = 0; i < w.scales.extent(0); ++i) {
      if (!is_finite(options.input.scale * w.scales[i] / options.output.scale)) {
        return {status_code::out_of_range,
                "input scale * weight scale / output scale is not finite", "output.scale",
                position_kind::row, i};
      }
    }
  }
  return {};
}

/// The weights themselves, their sums, and whether a -128 is among them.
template <class E, class L>
constexpr void pack_panels(const tensor_view<const std::int8_t, E, L>& codes, index_t tile_columns,
                           index_t k_group, std::int8_t* panels, std::int32_t* sums,
                           std::int32_t& has_minus_128) noexcept {
  const index_t out = codes.extent(0), in = codes.extent(1), padded = round_up(in, k_group);
  has_minus_128 = 0;
  if (sums == nullptr) return;  // a layer without outputs, in no memory
  for (index_t column = 0; column < round_up(out, tile_columns); ++column) {
    std::int8_t* panel = panels + column / tile_columns * tile_columns * padded;
    std::uint32_t sum = 0;
    for (index_t k = 0; k < padded; ++k) {
      const index_t input = packed_input(in, k);
      const std::int8_t code = column < out && input >= 0 ? codes(column, input) : std::int8_t{0};
      panel[place_in_panel(column % tile_columns, k, tile_columns, k_group)] = code;
      sum += static_cast<std::uint32_t>(code);
      if (code == -128) has_minus_128 = 1;
    }
    sums[column] = static_cast<std::int32_t>(sum);
  }
}

/// rint(bias / (input scale * weight scale)) within 32 bits.
constexpr std::int32_t quantize_bias(float bias, double scale) noexcept {
  const double code = static_cast<double>(bias) / scale;
  if (code >= 2147483647.0) return INT32_MAX;
  if (code <= -2147483648.0) return INT32_MIN;
  return static_cast<std::int32_t>(round_half_even(code));
}

/// What stands beside the panels for an output, but the sum. The defaults: for one that does not
/// exist.
struct packed_column {
  float scale = 1.0f;
  float bias = 0.0f;
  std::int32_t bias_code = 0;  // with options.input
  float factor = 0.0f;         // with options.output
  fixed_multiplier fixed{};    // the same, for the fixed-point rules
};

/// @param scale  of the output's weights
/// @param bias   in reals, or in codes
template <class Bias>
constexpr packed_column pack_column(float scale, Bias bias,
                                    const linear_options& options) noexcept {
  const double accumulator_scale = static_cast<double>(options.input.scale) * scale;
  packed_column c;
  c.scale = scale;
  if constexpr (std::is_floating_point_v<Bias>) {
    c.bias = bias;
    if (options.input.scale != 0.0f) c.bias_code = quantize_bias(bias, accumulator_scale);
  } else {
    c.bias_code = bias;
    c.bias = static_cast<float>(bias * accumulator_scale);
  }
  if (options.output.scale != 0.0f) {
    c.factor = options.input.scale * scale / options.output.scale;
    if (uses_fixed_point(options.rule))
      c.fixed = make_fixed_multiplier(accumulator_scale / options.output.scale);
  }
  return c;
}

/// What stands beside the panels for each output, but the sums: written into `base`, and the
/// layer's pointers set. Everything has been checked.
template <class E, class L, class Bias>
void pack_columns(const affine_view<std::int8_t, E, L>& w, vector_view<const Bias> bias,
                  const packed_linear_layout& layout, std::byte* base,
                  packed_linear_view& layer) noexcept {
  const index_t out = layer.out_features;
  const auto array = [base](index_t offset) { return offset < 0 ? nullptr : base + offset; };
  auto* scales = reinterpret_cast<float*>(array(layout.scales));
  auto* biases = reinterpret_cast<float*>(array(layout.bias));
  auto* bias_codes = reinterpret_cast<std::int32_t*>(array(layout.bias_codes));
  auto* factors = reinterpret_cast<float*>(array(layout.factors));
  auto* multipliers = reinterpret_cast<std::int32_t*>(array(layout.multipliers));
  auto* shifts = reinterpret_cast<std::int32_t*>(array(layout.shifts));
  const index_t columns = round_up(out, layer.tile_columns);
  for (index_t i = 0; i < columns; ++i) {
    packed_column c;
    if (i < out) {
      c = pack_column(w.params(i).scale, bias.empty() ? Bias{0} : bias[i], layer.options);
    }
    scales[i] = c.scale;
    biases[i] = c.bias;
    if (bias_codes != nullptr) bias_codes[i] = c.bias_code;
    if (factors != nullptr) factors[i] = c.factor;
    if (multipliers != nullptr) {
      multipliers[i] = c.fixed.multiplier;
      shifts[i] = c.fixed.shift;
    }
  }

  layer.scales = scales;
  layer.bias = biases;
  layer.bias_codes = bias_codes;
  layer.factors = factors;
  layer.multipliers = multipliers;
  layer.shifts = shifts;
}

template <class E, class L, class Bias>
result<packed_linear_view> pack_linear(const affine_view<std::int8_t, E, L>& w,
                                       vector_view<const Bias> bias, const linear_options& options,
                                       workspace memory) noexcept {
  const index_t out = w.codes.extent(0), in = w.codes.extent(1);
  PARE_RETURN_IF_ERROR(check_linear(w, bias, options));
  packed_linear_view layer;
  layer.out_features = out;
  layer.in_features = in;
  layer.tile_columns = linear_tile_columns(active_isa(), out);
  layer.k_group = linear_k_group(active_isa());
  layer.options = options;
  packed_linear_layout layout;
  if (!layout_of(out, in, layer.tile_columns, layer.k_group, options, layout)) {
    return {status_code::overflow, "the packed layer does not fit the index type", "weights"};
  }
  std::byte* base = memory.take<std::byte>(layout.bytes);
  if (base == nullptr && layout.bytes > 0) {
    return {status_code::workspace_too_small,
            "the memory for the packed layer is shorter than packed_linear_size says", "memory",
            position_kind::byte, layout.bytes};
  }
  auto* panels = reinterpret_cast<std::int8_t*>(base + layout.panels);
  auto* sums = reinterpret_cast<std::int32_t*>(base + layout.sums);
  pack_panels(w.codes, layer.tile_columns, layer.k_group, panels, sums, layer.has_minus_128);
  layer.panels = panels;
  layer.sums = sums;
  pack_columns(w, bias, layout, base, layer);
  return layer;
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Packs a linear layer for the kernels of this machine.
///
/// @param w        int8 codes [out, in] in any layout, symmetric, one scale or one for each output;
/// either may be 0
/// @param bias     [out] in reals, finite, or empty
/// @param options  activation, and for 8-bit inputs and outputs their scales, zero points and the
/// rounding rule
/// @param memory   at least `packed_linear_size` bytes, 64-byte aligned; must outlive the result
/// @return a view of the layer in `memory`; or `unsupported` (zero points, other axes),
/// `shape_mismatch`, `out_of_range`
///         (scales), `non_finite` (bias), `workspace_too_small` with the bytes needed, `overflow`;
///         `memory` is then untouched
///
/// With `options.input` the bias is also rounded to codes of scale input * weight, half to even, as
/// PyTorch does.
template <class E, class L>
[[nodiscard]] result<packed_linear_view> pack_linear(const affine_view<std::int8_t, E, L>& w,
                                                     vector_view<const float> bias,
                                                     const linear_options& options,
                                                     workspace memory) noexcept {
  return detail::pack_linear<E, L, float>(w, bias, options, memory);
}

/// The same with a bias that is already in codes of scale input * weight, as TFLite and ONNX models
/// store it.
///
/// @param bias  [out] or empty; needs `options.input`
template <class E, class L>
[[nodiscard]] result<packed_linear_view> pack_linear(const affine_view<std::int8_t, E, L>& w,
                                                     vector_view<const std::int32_t> bias,
                                                     const linear_options& options,
                                                     workspace memory) noexcept {
  if (options.input.scale == 0.0f) {
    return {status_code::invalid_argument, "a bias in codes needs the scale of the inputs",
            "input.scale"};
  }
  return detail::pack_linear<E, L, std::int32_t>(w, bias, options, memory);
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_KERNELS_PACK_LINEAR_HPP
