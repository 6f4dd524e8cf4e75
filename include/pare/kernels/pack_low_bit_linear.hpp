// Affine 4-bit and 2-bit weights -> panels for the kernels, in memory that the caller gives.
#ifndef PARE_KERNELS_PACK_LOW_BIT_LINEAR_HPP
#define PARE_KERNELS_PACK_LOW_BIT_LINEAR_HPP

#include <pare/format/packed_low_bit_linear.hpp>
#include <pare/kernels/pack_linear.hpp>

namespace pare {
namespace detail {

/// Columns of a panel for kernels of `i`: as for 8 bits, but AVX-512 has panels of 32 and 64 columns
/// only.
constexpr PARE_ALWAYS_INLINE std::int32_t low_bit_tile_columns(isa i,
                                                               index_t out_features) noexcept {
  if (i != isa::avx512vnni) return linear_tile_columns(i, out_features);
  const index_t halves = ceil_div(out_features, 32);
  return halves % 2 == 0 || halves > 8 ? 64 : 32;
}

/// Whether low-bit kernels of `i` read panels of this width. Scalar code reads all.
constexpr PARE_ALWAYS_INLINE bool reads_low_bit_tile(isa i, std::int32_t tile_columns) noexcept {
  if (i == isa::avx512vnni) return tile_columns == 32 || tile_columns == 64;
  return reads_tile(i, tile_columns);
}

}  // namespace detail

/// The instruction set whose kernel `linear` runs for this layer now: see the form for 8 bits.
PARE_ALWAYS_INLINE isa linear_kernel(const packed_low_bit_linear_view& layer) noexcept {
  for (int i = static_cast<int>(active_isa()); i > 0; --i) {
    const isa candidate = static_cast<isa>(i);
    if (is_supported(candidate) && detail::reads_low_bit_tile(candidate, layer.base.tile_columns))
      return candidate;
  }
  return isa::scalar;
}

inline namespace PARE_ABI {

/// Bytes that `pack_low_bit_linear` needs for a layer of this shape on this machine, exact for
/// 64-byte aligned memory.
///
/// @return `overflow` where they do not fit the index type
[[nodiscard]] inline result<index_t> packed_low_bit_linear_size(
    index_t out_features, index_t in_features, low_bit kind,
    const linear_options& options = {}) noexcept {
  detail::packed_linear_layout layout;
  const std::int32_t columns = detail::low_bit_tile_columns(active_isa(), out_features);
  if (!detail::low_bit_layout_of(out_features, in_features, columns, bits_of(kind), options,
                                 layout)) {
    return {status_code::overflow, "the packed layer does not fit the index type", "weights"};
  }
  return layout.bytes;
}

}  // namespace PARE_ABI

namespace detail {
inline namespace PARE_ABI {

/// Checks codes and zero points; the rest is that of a symmetric layer.
template <class E, class L>
status check_low_bit_codes(const affine_view<std::int8_t, E, L>& w, low_bit kind) noexcept {
  if (kind != low_bit::s4 && kind != low_bit::s2 && kind != low_bit::ternary) {
    return {status_code::invalid_argument, "the kind of weights is none of those offered", "kind"};
  }
  if (!w.zero_points.empty() && w.zero_points.extent(0) != w.scales.extent(0)) {
    return {status_code::shape_mismatch, "there must be as many zero points as scales, or none",
            "zero_points"};
  }
  for (index_t i = 0; i < w.zero_points.extent(0); ++i) {
    if (!is_low_bit_code(kind, w.zero_points[i])) {
      return {status_code::out_of_range, "a zero point is no code of this kind of weights",
              "zero_points", position_kind::row, i};
    }
  }
  for (index_t row = 0; row < w.codes.extent(0); ++row) {
    for (index_t k = 0; k < w.codes.extent(1); ++k) {
      if (!is_low_bit_code(kind, w.codes(row, k))) {
        return {status_code::out_of_range, "a weight is no code of this kind of weights", "weights",
                position_kind::element, row * w.codes.extent(1) + k};
      }
    }
  }
  return {};
}

/// The weights themselves, and the sums of their differences to the zero points.
template <class E, class L>
void pack_low_bit_panels(const affine_view<std::int8_t, E, L>& w, int bits, index_t tile_columns,
                         std::uint8_t* panels, std::int32_t* sums) noexcept {
  const index_t out = w.codes.extent(0), in = w.codes.extent(1);
  const index_t block = low_bit_block(bits), blocks = ceil_div(in, block);
  for (index_t column = 0; column < round_up(out, tile_columns); ++column) {
    const bool exists = column < out;
    const std::int32_t zero_point = exists ? w.params(column).zero_point : 0;
    std::uint8_t* to = panels +
                       column / tile_columns * low_bit_panel_bytes(bits, in, tile_columns) +
                       column % tile_columns * 4;
    for (index_t j = 0; j < 4; ++j) {
      to[j] = static_cast<std::uint8_t>(zero_point + (1 << (bits - 1)));
    }
    std::uint32_t sum = 0;
    for (index_t b = 0; b < blocks; ++b) {
      to += 4 * tile_columns;
      for (index_t j = 0; j < 4; ++j) to[j] = 0;
      for (index_t i = 0; i < block; ++i) {
        const index_t input = low_bit_input(in, block, b * block + i);
        const std::int32_t code = exists && input >= 0 ? w.codes(column, input) : zero_point;
        to[i % 4] = static_cast<std::uint8_t>(to[i % 4] | pack_field(code, bits, i / 4));
        sum += static_cast<std::uint32_t>(code - zero_point);
      }
    }
    sums[column] = static_cast<std::int32_t>(sum);
  }
}

template <class E, class L, class Bias>
result<packed_low_bit_linear_view> pack_low_bit_linear(const affine_view<std::int8_t, E, L>& w,
                                                       low_bit kind, vector_view<const Bias> bias,
                                                       const linear_options& options,
                                                       workspace memory) noexcept {
  affine_view<std::int8_t, E, L> symmetric = w;
  symmetric.zero_points = {};
  PARE_RETURN_IF_ERROR(check_linear(symmetric, bias, options));
  PARE_RETURN_IF_ERROR(check_low_bit_codes(w, kind));
  packed_low_bit_linear_view layer;
  packed_linear_view& base = layer.base;
  layer.bits = bits_of(kind);
  for (index_t i = 0; i < w.zero_points.extent(0); ++i) {
    if (w.zero_points[i] != 0) layer.has_zero_points = 1;
  }
  base.out_features = w.codes.extent(0);
  base.in_features = w.codes.extent(1);
  base.tile_columns = low_bit_tile_columns(active_isa(), base.out_features);
  base.options = options;
  packed_linear_layout layout;
  if (!low_bit_layout_of(base.out_features, base.in_features, base.tile_columns, layer.bits,
                         options, layout)) {
    return {status_code::overflow, "the packed layer does not fit the index type", "weights"};
  }
  std::byte* memory_of_layer = memory.take<std::byte>(layout.bytes);
  if (memory_of_layer == nullptr && layout.bytes > 0) {
    return {status_code::workspace_too_small,
            "the memory for the packed layer is shorter than packed_low_bit_linear_size says",
            "memory", position_kind::byte, layout.bytes};
  }
  auto* panels = reinterpret_cast<std::uint8_t*>(memory_of_layer + layout.panels);
  auto* sums = reinterpret_cast<std::int32_t*>(memory_of_layer + layout.sums);
  pack_low_bit_panels(w, layer.bits, base.tile_columns, panels, sums);
  base.panels = reinterpret_cast<const std::int8_t*>(panels);
  base.sums = sums;
  pack_columns(symmetric, bias, layout, memory_of_layer, base);
  return layer;
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Packs a linear layer with 4-bit, 2-bit or ternary weights for the kernels of this machine.
///
/// @param w        codes of `kind` [out, in] in int8, in any layout, with one scale, or one for each
/// output, and as many zero points or none; either extent may be 0
/// @param kind     what the codes are, and so how many bits they take
/// @param bias     [out] in reals, finite, or empty
/// @param options  activation, and for 8-bit inputs and outputs their scales, zero points and the
/// rounding rule
/// @param memory   at least `packed_low_bit_linear_size` bytes, 64-byte aligned; must outlive the
/// result
/// @return a view of the layer in `memory`; or as `pack_linear`, and `out_of_range` for codes and
/// zero points that `kind` does not have (with the place), `invalid_argument` for a kind that is
/// none; `memory` is then untouched
template <class E, class L>
[[nodiscard]] result<packed_low_bit_linear_view> pack_low_bit_linear(
    const affine_view<std::int8_t, E, L>& w, low_bit kind, vector_view<const float> bias,
    const linear_options& options, workspace memory) noexcept {
  return detail::pack_low_bit_linear<E, L, float>(w, kind, bias, options, memory);
}

/// The same with a bias in codes of scale input * weight.
///
/// @param bias  [out] or empty; needs `options.input`
template <class E, class L>
[[nodiscard]] result<packed_low_bit_linear_view> pack_low_bit_linear(
    const affine_view<std::int8_t, E, L>& w, low_bit kind, vector_view<const std::int32_t> bias,
    const linear_options& options, workspace memory) noexcept {
  if (options.input.scale == 0.0f) {
    return {status_code::invalid_argument, "a bias in codes needs the scale of the inputs",
            "input.scale"};
  }
  return detail::pack_low_bit_linear<E, L, std::int32_t>(w, kind, bias, options, memory);
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_KERNELS_PACK_LOW_BIT_LINEAR_HPP
