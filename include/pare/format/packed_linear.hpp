// Int8 weights of a linear layer as the kernels read them: panels of columns, K in groups of four or
// eight.
//
// For a tile of NR columns, panel p holds output features p*NR ... p*NR + NR - 1 as
// [ceil(K/4)][NR][4] s8: one load gives four consecutive inputs of each output, the operand of
// vpdpbusd, SDOT and of a pair of SMLADs. Where K is 5 or more and no multiple of four, the last
// group holds inputs K - 4 to K - 1, with zeros for those of the group before, so that kernels read
// four bytes of a row everywhere and none beyond it. Missing columns are zero. What is needed for
// each output feature stands beside the panels in arrays padded to whole panels.
//
// SMMLA multiplies eight inputs of two outputs. Its panels are [ceil(K/8)][NR][8]: the groups of four
// two by two, a group of zeros behind an odd one.
#ifndef PARE_FORMAT_PACKED_LINEAR_HPP
#define PARE_FORMAT_PACKED_LINEAR_HPP

#include <pare/core/checked.hpp>
#include <pare/core/fixed_point.hpp>
#include <pare/core/status.hpp>
#include <pare/format/activation.hpp>
#include <pare/format/affine.hpp>

namespace pare {

/// How an 8-bit linear layer treats its inputs and outputs, beyond its weights.
struct linear_options {
  activation act = activation::none;
  /// How s8 and u8 inputs map to reals. A scale of 0: not known; such a layer takes f32 inputs, or
  /// gives s32 outputs.
  affine_params input{0.0f, 0};
  /// How s8 and u8 outputs map to reals. A scale of 0: not known; such a layer gives f32 or s32
  /// outputs.
  affine_params output{0.0f, 0};
  requantization rule = requantization::nearest;
};

/// A packed layer that lives elsewhere: made by `pack_linear`, taken by `linear`. Trivial, and may
/// stand in flash.
struct packed_linear_view {
  index_t out_features = 0;
  index_t in_features = 0;
  std::int32_t tile_columns = 4;   ///< NR of the panels: 4, 16, 32, 48 or 64
  std::int32_t k_group = 4;        ///< inputs side by side in a panel: 4 or 8
  std::int32_t has_minus_128 = 0;  ///< 1 where some weight is -128, which one kernel must know

  const std::int8_t* panels = nullptr;  ///< 64-byte aligned
  const std::int32_t* sums = nullptr;   ///< sum of the weights of each output feature
  const float* scales = nullptr;        ///< scale of the weights of each output feature
  const float* bias = nullptr;          ///< in reals
  const std::int32_t* bias_codes =
      nullptr;  ///< rint(bias / (input scale * weight scale)); with options.input
  const float* factors =
      nullptr;  ///< input scale * weight scale / output scale; with options.output
  const std::int32_t* multipliers =
      nullptr;                           ///< the same in fixed point; for the fixed-point rules
  const std::int32_t* shifts = nullptr;  ///< as above

  linear_options options{};

  constexpr PARE_ALWAYS_INLINE index_t panels_count() const noexcept {
    return detail::ceil_div(out_features, tile_columns);
  }
  /// Bytes from one panel to the next.
  constexpr PARE_ALWAYS_INLINE index_t panel_bytes() const noexcept {
    return detail::round_up(in_features, k_group) * tile_columns;
  }
};

namespace detail {

/// Which of `k` inputs stands in place `at` of the packed ones; -1: none, a zero stands there.
constexpr PARE_ALWAYS_INLINE index_t packed_input(index_t k, index_t at) noexcept {
  if (at < k / 4 * 4) return at;
  if (at >= round_up(k, 4)) return -1;
  if (k < 4) return at < k ? at : -1;
  const index_t input = k - 4 + at % 4;
  return input >= k / 4 * 4 ? input : -1;
}

/// Where place `at` of a column stands in its panel.
constexpr PARE_ALWAYS_INLINE index_t place_in_panel(index_t column, index_t at,
                                                    index_t tile_columns,
                                                    index_t k_group) noexcept {
  return (at / k_group * tile_columns + column) * k_group + at % k_group;
}

/// Where each part of a packed layer lies in its memory; the one place that knows, for the size
/// query and the packer.
struct packed_linear_layout {
  index_t panels = 0, sums = 0, scales = 0, bias = 0;
  index_t bias_codes = -1, factors = -1, multipliers = -1, shifts = -1;  // -1: absent
  index_t bytes = 0;
};

constexpr PARE_ALWAYS_INLINE bool uses_fixed_point(requantization rule) noexcept {
  return rule == requantization::double_rounding || rule == requantization::single_rounding;
}

/// Sizes up to here can be rounded up without overflow.
inline constexpr index_t max_packed_size = max_index - 64 * 64;

/// The layout of `columns` columns, padding included, whose panels take `panel_bytes` bytes
/// together. False where the size overflows.
constexpr PARE_ALWAYS_INLINE bool layout_of(index_t columns, index_t panel_bytes,
                                            const linear_options& options,
                                            packed_linear_layout& layout) noexcept {
  index_t array_bytes = 0, total = 0;
  if (panel_bytes > max_packed_size || !checked_multiply(columns, 4, array_bytes) ||
      array_bytes > max_packed_size)
    return false;
  panel_bytes = round_up(panel_bytes, 64);
  array_bytes = round_up(array_bytes, 64);
  if (!checked_multiply(array_bytes, 8, total) || !checked_add(total, panel_bytes, total))
    return false;

  layout.panels = 0;
  index_t at = panel_bytes;
  layout.sums = at, at += array_bytes;
  layout.scales = at, at += array_bytes;
  layout.bias = at, at += array_bytes;
  if (options.input.scale != 0.0f) layout.bias_codes = at, at += array_bytes;
  if (options.output.scale != 0.0f) {
    if (uses_fixed_point(options.rule)) {
      layout.multipliers = at, at += array_bytes;
      layout.shifts = at, at += array_bytes;
    } else {
      layout.factors = at, at += array_bytes;
    }
  }
  layout.bytes = at;
  return true;
}

/// The same for panels of 8 bits.
constexpr PARE_ALWAYS_INLINE bool layout_of(index_t out_features, index_t in_features,
                                            index_t tile_columns, index_t k_group,
                                            const linear_options& options,
                                            packed_linear_layout& layout) noexcept {
  if (out_features < 0 || in_features < 0 || out_features > max_packed_size ||
      in_features > max_packed_size)
    return false;
  const index_t columns = round_up(out_features, tile_columns);
  index_t panel_bytes = 0;
  return checked_multiply(columns, round_up(in_features, k_group), panel_bytes) &&
         layout_of(columns, panel_bytes, options, layout);
}

}  // namespace detail
}  // namespace pare

#endif  // PARE_FORMAT_PACKED_LINEAR_HPP
