// An int8 linear layer that the compiler quantizes and packs: float weights in the source, a layer in
// flash, and nothing at run time.
//
//     constexpr float w[2][3] = {{0.5f, -0.25f, 1.0f}, {-1.0f, 0.75f, 0.125f}}, b[2] = {0.1f, -0.2f};
//     static constexpr auto fc = pare::make_static_linear(w, b).value();
//
//     pare::linear(x, fc.view(), y);
//
// For layers of some thousand weights: GCC 12 and Clang 14 take a third of a second for 4096 of them.
// Larger ones come from io/write_c_source.hpp.
#ifndef PARE_KERNELS_STATIC_LINEAR_HPP
#define PARE_KERNELS_STATIC_LINEAR_HPP

#include <pare/kernels/pack_linear.hpp>

namespace pare {

/// A packed layer with its memory, for objects with static storage: made by `make_static_linear`.
///
/// Panels are those of `isa::scalar`, which Cortex-M reads too.
template <std::size_t Out, std::size_t In>
struct static_linear {
  static_assert(Out > 0 && In > 0, "pare: a layer has inputs and outputs");
  static constexpr std::int32_t tile_columns = detail::linear_tile_columns(isa::scalar, Out);
  static constexpr index_t columns = detail::round_up(Out, tile_columns);

  alignas(16) std::int8_t panels[columns * detail::round_up(In, 4)] = {};
  std::int32_t sums[columns] = {};
  float scales[columns] = {};
  float bias[columns] = {};
  std::int32_t bias_codes[columns] = {};
  float factors[columns] = {};
  std::int32_t multipliers[columns] = {};
  std::int32_t shifts[columns] = {};
  std::int32_t has_minus_128 = 0;
  linear_options options{};

  /// What `linear` takes; points into this object, which must stay where it is.
  constexpr PARE_ALWAYS_INLINE packed_linear_view view() const noexcept {
    const bool has_input = options.input.scale != 0.0f, has_output = options.output.scale != 0.0f;
    const bool is_fixed = has_output && detail::uses_fixed_point(options.rule);
    packed_linear_view v;
    v.out_features = Out;
    v.in_features = In;
    v.tile_columns = tile_columns;
    v.has_minus_128 = has_minus_128;
    v.panels = panels;
    v.sums = sums;
    v.scales = scales;
    v.bias = bias;
    v.bias_codes = has_input ? bias_codes : nullptr;
    v.factors = has_output && !is_fixed ? factors : nullptr;
    v.multipliers = is_fixed ? multipliers : nullptr;
    v.shifts = is_fixed ? shifts : nullptr;
    v.options = options;
    return v;
  }
};

namespace detail {
inline namespace PARE_ABI {

/// The largest magnitude of a row, or -1 where one of its weights is not finite.
constexpr float largest_magnitude(const float* row, std::size_t count) noexcept {
  float largest = 0.0f;
  for (std::size_t i = 0; i < count; ++i) {
    const float magnitude = row[i] < 0.0f ? -row[i] : row[i];
    if (!is_finite(magnitude)) return -1.0f;
    if (magnitude > largest) largest = magnitude;
  }
  return largest;
}

/// Symmetric int8 codes of a row, and their scale: `quantize` of quantize/affine.hpp by the rule of
/// PyTorch, in an order of operations that is the same bits.
constexpr float quantize_row_symmetric(const float* row, std::size_t count, float largest,
                                       std::int8_t* codes) noexcept {
  const float scale = max(largest / 127.5f, 0x1p-23f), inverse = 1.0f / scale;
  for (std::size_t i = 0; i < count; ++i) {
    codes[i] = static_cast<std::int8_t>(round_half_even(clamp(row[i] * inverse, -128.0f, 127.0f)));
  }
  return scale;
}

template <std::size_t Out, std::size_t In>
constexpr result<static_linear<Out, In>> make_static_linear(
    const float (&weights)[Out][In], vector_view<const float> bias,
    const linear_options& options) noexcept {
  std::int8_t codes[Out * In] = {};
  float scales[Out] = {};
  for (std::size_t o = 0; o < Out; ++o) {
    const float largest = largest_magnitude(weights[o], In);
    if (largest < 0.0f) {
      return {status_code::non_finite, "a weight is a NaN or an infinity", "weights",
              position_kind::row, static_cast<index_t>(o)};
    }
    scales[o] = quantize_row_symmetric(weights[o], In, largest, codes + o * In);
  }
  const std::int8_t* const first_code = codes;
  const affine_view<std::int8_t, extents<index_t, Out, In>> w{
      {first_code, extents<index_t, Out, In>()},
      vector_view<const float>(scales, static_cast<index_t>(Out)),
      {},
      0};
  PARE_RETURN_IF_ERROR(check_linear(w, bias, options));

  using layer_type = static_linear<Out, In>;
  layer_type layer;
  layer.options = options;
  pack_panels(w.codes, layer_type::tile_columns, 4, layer.panels, layer.sums, layer.has_minus_128);
  for (index_t i = 0; i < layer_type::columns; ++i) {
    packed_column c;
    if (i < static_cast<index_t>(Out)) {
      c = pack_column(scales[i], bias.empty() ? 0.0f : bias[i], options);
    }
    layer.scales[i] = c.scale;
    layer.bias[i] = c.bias;
    layer.bias_codes[i] = c.bias_code;
    layer.factors[i] = c.factor;
    layer.multipliers[i] = c.fixed.multiplier;
    layer.shifts[i] = c.fixed.shift;
  }
  return layer;
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Quantizes and packs a layer in a constant expression: int8 weights, symmetric, one scale for each
/// output by the rule of PyTorch. To the bit what `quantize` with `{.axis = 0}` and `pack_linear` give
/// at run time.
///
/// @param weights  [out, in], finite
/// @param bias     [out] in reals, finite
/// @param options  activation, and for 8-bit inputs and outputs their scales
/// @return `non_finite` for a weight (with its row) or a bias, and as `pack_linear`; in a constant
///         expression `.value()` of that does not compile
///
/// Needs a compiler with __builtin_bit_cast: GCC 11, Clang 9 or newer.
template <std::size_t Out, std::size_t In>
[[nodiscard]] constexpr result<static_linear<Out, In>> make_static_linear(
    const float (&weights)[Out][In], const float (&bias)[Out],
    const linear_options& options = {}) noexcept {
  return detail::make_static_linear(
      weights, vector_view<const float>(bias, static_cast<index_t>(Out)), options);
}

/// The same without a bias.
template <std::size_t Out, std::size_t In>
[[nodiscard]] constexpr result<static_linear<Out, In>> make_static_linear(
    const float (&weights)[Out][In], const linear_options& options = {}) noexcept {
  return detail::make_static_linear(weights, vector_view<const float>(), options);
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_KERNELS_STATIC_LINEAR_HPP
