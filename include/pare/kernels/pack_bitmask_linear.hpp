// Affine int8 codes with zeros among them -> a layer with a bitmask, in memory that the caller
// gives.
#ifndef PARE_KERNELS_PACK_BITMASK_LINEAR_HPP
#define PARE_KERNELS_PACK_BITMASK_LINEAR_HPP

#include <pare/format/packed_bitmask_linear.hpp>
#include <pare/kernels/pack_linear.hpp>

namespace pare {
namespace detail {
inline namespace PARE_ABI {

/// The weights' sums, over what is stored, and whether a -128 is among them.
inline void sum_stored(const bitmask_view& w, std::int32_t* sums,
                       std::int32_t& has_minus_128) noexcept {
  for (index_t i = 0; i < w.tiles() * bitmask_tile_rows; ++i) sums[i] = 0;
  has_minus_128 = 0;
  for_each_stored(w, [&](index_t row, index_t, std::int8_t value) {
    sums[row] = static_cast<std::int32_t>(static_cast<std::uint32_t>(sums[row]) +
                                          static_cast<std::uint32_t>(value));
    if (value == -128) has_minus_128 = 1;
  });
}

/// The layout of a layer, and the bytes of its weights; or what is wrong.
template <class E, class L, class Mask>
constexpr status plan_bitmask_linear(const affine_view<std::int8_t, E, L>& w,
                                     const bitmask_kind& kind, const Mask& mask,
                                     const linear_options& options, index_t& weights_bytes,
                                     packed_linear_layout& layout) noexcept {
  PARE_RETURN_IF_ERROR(plan_bitmask(w.codes, mask, kind, weights_bytes));
  const index_t columns = round_up(w.codes.extent(0), bitmask_tile_rows);
  if (!layout_of(columns, weights_bytes, options, layout)) {
    return {status_code::overflow, "the packed layer does not fit the index type", "weights"};
  }
  return {};
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Bytes that `pack_bitmask_linear` needs for these weights, exact for 64-byte aligned memory.
///
/// @return as `bitmask_size`
template <class E, class L, class Mask = no_mask>
[[nodiscard]] result<index_t> packed_bitmask_linear_size(const affine_view<std::int8_t, E, L>& w,
                                                         const bitmask_kind& kind = {},
                                                         const linear_options& options = {},
                                                         const Mask& mask = {}) noexcept {
  detail::packed_linear_layout layout;
  index_t bytes = 0;
  PARE_RETURN_IF_ERROR(detail::plan_bitmask_linear(w, kind, mask, options, bytes, layout));
  return layout.bytes;
}

/// Packs a linear layer whose weights have a bitmask.
///
/// @param w        int8 codes [out, in] in any layout, symmetric, one scale or one for each output
/// @param kind     of values and mask: {8, {2, 4}} for 2:4, {4} for codes of 4 bits with any mask
/// @param bias     [out] in reals, finite, or empty
/// @param options  as for `pack_linear`
/// @param memory   `packed_bitmask_linear_size` bytes, 64-byte aligned; must outlive the result
/// @param mask     uint8 [out, in]: which weights stay; without data, those that are not 0
/// @return as `pack_linear` and `bitmask_size`; `memory` is untouched on failure
template <class E, class L, class Mask = no_mask>
[[nodiscard]] result<packed_bitmask_linear_view> pack_bitmask_linear(
    const affine_view<std::int8_t, E, L>& w, const bitmask_kind& kind,
    vector_view<const float> bias, const linear_options& options, workspace memory,
    const Mask& mask = {}) noexcept {
  detail::packed_linear_layout layout;
  index_t weights_bytes = 0;
  PARE_RETURN_IF_ERROR(detail::check_linear(w, bias, options));
  PARE_RETURN_IF_ERROR(detail::plan_bitmask_linear(w, kind, mask, options, weights_bytes, layout));
  std::byte* base = memory.take<std::byte>(layout.bytes);
  if (base == nullptr) {
    return {status_code::workspace_too_small,
            "the memory for the packed layer is shorter than packed_bitmask_linear_size says",
            "memory", position_kind::byte, layout.bytes};
  }
  packed_bitmask_linear_view layer;
  layer.base.out_features = w.codes.extent(0);
  layer.base.in_features = w.codes.extent(1);
  layer.base.tile_columns = static_cast<std::int32_t>(detail::bitmask_tile_rows);
  layer.base.options = options;
  layer.weights = detail::fill_bitmask(w.codes, mask, kind, weights_bytes, base);
  layer.base.panels = reinterpret_cast<const std::int8_t*>(base);
  auto* sums = reinterpret_cast<std::int32_t*>(base + layout.sums);
  detail::sum_stored(layer.weights, sums, layer.base.has_minus_128);
  layer.base.sums = sums;
  detail::pack_columns(w, bias, layout, base, layer.base);
  return layer;
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_KERNELS_PACK_BITMASK_LINEAR_HPP
