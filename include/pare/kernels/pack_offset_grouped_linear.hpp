// Grouped weights with offsets -> panels for the kernels, in memory that the caller gives.
#ifndef PARE_KERNELS_PACK_OFFSET_GROUPED_LINEAR_HPP
#define PARE_KERNELS_PACK_OFFSET_GROUPED_LINEAR_HPP

#include <pare/format/offset_grouped.hpp>
#include <pare/kernels/pack_grouped_linear.hpp>

namespace pare {
namespace detail {
inline namespace PARE_ABI {

/// Bytes of the packed codes, whole cache lines, and behind them of the offsets.
struct offset_grouped_bytes {
  index_t codes = 0, offsets = 0;
};

template <class Scale, class E, class L>
result<offset_grouped_bytes> bytes_of(const offset_grouped_view<Scale, E, L>& w,
                                      int bits) noexcept {
  const auto codes = packed_grouped_linear_size(w.codes, bits);
  if (!codes) return codes.error();
  const packed_grouped_linear_view shape = grouped_shape(w.codes, bits);
  const index_t out = shape.out_features, groups = shape.groups();
  if (w.offsets.extent(0) != out || w.offsets.extent(1) != groups) {
    return {status_code::shape_mismatch, "there must be an offset for each group of each output",
            "offsets"};
  }
  offset_grouped_bytes bytes{round_up(*codes, 64), 0};
  if (!checked_multiply(round_up(out, shape.tile_columns), groups, bytes.offsets) ||
      bytes.offsets > (max_index - bytes.codes) / 4) {
    return {status_code::overflow, "the packed layer does not fit the index type", "weights"};
  }
  bytes.offsets *= 4;
  return bytes;
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Bytes that `pack_offset_grouped_linear` needs, exact for 64-byte aligned memory.
///
/// @return as it
template <class Scale, class E, class L>
[[nodiscard]] result<index_t> packed_offset_grouped_linear_size(
    const offset_grouped_view<Scale, E, L>& w, int bits) noexcept {
  const auto bytes = detail::bytes_of(w, bits);
  if (!bytes) return bytes.error();
  return bytes->codes + bytes->offsets;
}

/// Packs a linear layer whose groups have offsets for the kernels of this machine.
///
/// @param w       codes, scales and zero points as `pack_grouped_linear` takes them; offsets finite
/// @param memory  at least `packed_offset_grouped_linear_size` bytes, 64-byte aligned; must outlive the
///                result
/// @return as `pack_grouped_linear`, also `shape_mismatch` and `non_finite` for offsets; `memory` is
///         then untouched
template <class Scale, class E, class L>
[[nodiscard]] result<packed_offset_grouped_linear_view> pack_offset_grouped_linear(
    const offset_grouped_view<Scale, E, L>& w, int bits, vector_view<const float> bias,
    const grouped_linear_options& options, workspace memory) noexcept {
  const auto bytes = detail::bytes_of(w, bits);
  if (!bytes) return bytes.error();
  const index_t out = w.offsets.extent(0), groups = w.offsets.extent(1);
  for (index_t row = 0; row < out; ++row) {
    for (index_t g = 0; g < groups; ++g) {
      if (!detail::is_finite(w.offsets(row, g))) {
        return {status_code::non_finite, "an offset is not finite", "offsets",
                position_kind::element, row * groups + g};
      }
    }
  }
  workspace whole = memory;
  std::byte* const codes = whole.take<std::byte>(bytes->codes);
  float* const offsets = whole.take<float>(bytes->offsets / 4);
  if ((codes == nullptr && bytes->codes > 0) || (offsets == nullptr && bytes->offsets > 0)) {
    return {status_code::workspace_too_small,
            "the memory is shorter than packed_offset_grouped_linear_size says", "memory",
            position_kind::byte, bytes->codes + bytes->offsets};
  }
  packed_offset_grouped_linear_view layer;
  layer.act = options.act;
  grouped_linear_options plain = options;
  plain.act = activation::none;
  const auto base = pack_grouped_linear(w.codes, bits, bias, plain, workspace(codes, bytes->codes));
  if (!base) return base.error();
  layer.base = *base;
  const index_t stride = layer.offset_stride();
  for (index_t g = 0; g < groups; ++g) {
    for (index_t column = 0; column < stride; ++column) {
      offsets[g * stride + column] = column < out ? w.offsets(column, g) : 0.0f;
    }
  }
  layer.offsets = offsets;
  return layer;
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_KERNELS_PACK_OFFSET_GROUPED_LINEAR_HPP
