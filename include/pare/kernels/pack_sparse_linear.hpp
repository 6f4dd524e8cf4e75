// Affine int8 weights with zeros among them -> a block-sparse layer, in memory that the caller
// gives.
#ifndef PARE_KERNELS_PACK_SPARSE_LINEAR_HPP
#define PARE_KERNELS_PACK_SPARSE_LINEAR_HPP

#include <pare/format/packed_sparse_linear.hpp>
#include <pare/kernels/pack_linear.hpp>

namespace pare {
namespace detail {
inline namespace PARE_ABI {

constexpr status check_sparse_blocks(const bcsr_shape& shape) noexcept {
  if (shape.block_columns == 4 &&
      (shape.block_rows == 1 || shape.block_rows == 4 || shape.block_rows == 16))
    return {};
  return {status_code::unsupported, "int8 weights have blocks of 1x4, 4x4 or 16x4", "shape"};
}

/// Fills in the K-block of a shape that names none. A block of 1x4 uses its activations once, and so
/// those of a K-block, 64 rows of them, are to stay in the first-level cache; where blocks are rare,
/// cutting their lines costs more than that gains.
template <class W, class Mask>
constexpr bcsr_shape with_sparse_k_block(bcsr_shape shape, const W& codes,
                                         const Mask& mask) noexcept {
  constexpr index_t columns_in_cache = 512, rare_percent = 15;
  const bcsr_shape whole = with_k_block(shape, codes.extent(1));
  if (shape.k_block != 0 || shape.block_rows != 1) return whole;
  const index_t blocks = count_blocks(codes, mask, whole);
  const index_t all = codes.extent(0) * ceil_div(codes.extent(1), 4);
  if (blocks <= all / 100 * rare_percent) return whole;
  shape.k_block = columns_in_cache;
  return shape;
}

/// The weights' sums, over what is stored, and whether a -128 is among them.
inline void sum_blocks(const bcsr_view<std::int8_t>& w, std::int32_t* sums, index_t columns,
                       std::int32_t& has_minus_128) noexcept {
  for (index_t i = 0; i < columns; ++i) sums[i] = 0;
  has_minus_128 = 0;
  for (index_t line = 0; line < w.lines(); ++line) {
    const index_t row = line % w.block_rows_count() * w.shape.block_rows;
    for (std::uint32_t i = w.block_offsets[line]; i < w.block_offsets[line + 1]; ++i) {
      const std::int8_t* block = w.values + static_cast<index_t>(i) * w.shape.block_rows * 4;
      for (index_t j = 0; j < w.shape.block_rows * 4; ++j) {
        std::int32_t& sum = sums[row + j / 4];
        sum = static_cast<std::int32_t>(static_cast<std::uint32_t>(sum) +
                                        static_cast<std::uint32_t>(block[j]));
        if (block[j] == -128) has_minus_128 = 1;
      }
    }
  }
}

/// The layout of a layer, and the bytes of its weights; or what is wrong.
template <class E, class L, class Mask>
constexpr status plan_sparse_linear(const affine_view<std::int8_t, E, L>& w, const Mask& mask,
                                    const linear_options& options, bcsr_shape& shape,
                                    index_t& weights_bytes, packed_linear_layout& layout) noexcept {
  PARE_RETURN_IF_ERROR(check_sparse_blocks(shape));
  bcsr_layout weights;
  bcsr_shape whole = shape;
  PARE_RETURN_IF_ERROR(plan_bcsr(w.codes, mask, whole, weights));
  shape = with_sparse_k_block(shape, w.codes, mask);
  PARE_RETURN_IF_ERROR(plan_bcsr(w.codes, mask, shape, weights));
  weights_bytes = weights.bytes;
  if (!sparse_layout_of(w.codes.extent(0), weights_bytes, options, layout)) {
    return {status_code::overflow, "the packed layer does not fit the index type", "weights"};
  }
  return {};
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Bytes that `pack_sparse_linear` needs for these weights, exact for 64-byte aligned memory.
///
/// @return as `bcsr_size`; `unsupported` for blocks that int8 kernels do not have
template <class E, class L, class Mask = no_mask>
[[nodiscard]] result<index_t> packed_sparse_linear_size(const affine_view<std::int8_t, E, L>& w,
                                                        bcsr_shape shape,
                                                        const linear_options& options = {},
                                                        const Mask& mask = {}) noexcept {
  detail::packed_linear_layout layout;
  index_t weights_bytes = 0;
  PARE_RETURN_IF_ERROR(detail::plan_sparse_linear(w, mask, options, shape, weights_bytes, layout));
  return layout.bytes;
}

/// Packs a block-sparse linear layer.
///
/// @param w        int8 codes [out, in] in any layout, symmetric, one scale or one for each output
/// @param shape    blocks of 1x4 or 4x4 (vectorised over rows of activations), or 16x4 (over
///                 outputs: for few rows)
/// @param bias     [out] in reals, finite, or empty
/// @param options  as for `pack_linear`
/// @param memory   `packed_sparse_linear_size` bytes, 64-byte aligned; must outlive the result
/// @param mask     uint8 [out, in]: which weights stay; without data, those that are not 0
/// @return as `pack_linear` and `bcsr_size`; `memory` is untouched on failure
template <class E, class L, class Mask = no_mask>
[[nodiscard]] result<packed_sparse_linear_view> pack_sparse_linear(
    const affine_view<std::int8_t, E, L>& w, bcsr_shape shape, vector_view<const float> bias,
    const linear_options& options, workspace memory, const Mask& mask = {}) noexcept {
  detail::packed_linear_layout layout;
  index_t weights_bytes = 0;
  PARE_RETURN_IF_ERROR(detail::check_linear(w, bias, options));
  PARE_RETURN_IF_ERROR(detail::plan_sparse_linear(w, mask, options, shape, weights_bytes, layout));
  std::byte* base = memory.take<std::byte>(layout.bytes);
  if (base == nullptr) {
    return {status_code::workspace_too_small,
            "the memory for the packed layer is shorter than packed_sparse_linear_size says",
            "memory", position_kind::byte, layout.bytes};
  }
  packed_sparse_linear_view layer;
  layer.base.out_features = w.codes.extent(0);
  layer.base.in_features = w.codes.extent(1);
  layer.base.tile_columns = detail::sparse_tile_columns;
  layer.base.options = options;
  const auto weights = make_bcsr(w.codes, shape, workspace(base, weights_bytes), mask);
  if (!weights) return weights.error();
  layer.weights = *weights;
  auto* sums = reinterpret_cast<std::int32_t*>(base + layout.sums);
  detail::sum_blocks(layer.weights, sums,
                     detail::round_up(layer.base.out_features, detail::sparse_tile_columns),
                     layer.base.has_minus_128);
  layer.base.sums = sums;
  detail::pack_columns(w, bias, layout, base, layer.base);
  return layer;
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_KERNELS_PACK_SPARSE_LINEAR_HPP
