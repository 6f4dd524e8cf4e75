// Block-sparse int8 weights of a linear layer as the kernels read them: BCSR, and beside it what
// each output needs, as for dense layers.
#ifndef PARE_FORMAT_PACKED_SPARSE_LINEAR_HPP
#define PARE_FORMAT_PACKED_SPARSE_LINEAR_HPP

#include <pare/format/bcsr.hpp>
#include <pare/format/packed_linear.hpp>

namespace pare {

/// A packed layer that lives elsewhere: made by `pack_sparse_linear`, taken by `linear`. Trivial,
/// and may stand in flash.
struct packed_sparse_linear_view {
  /// All that a dense layer has too, but panels: by itself it is no layer for `linear`.
  packed_linear_view base{};
  bcsr_view<std::int8_t> weights{};
};

namespace detail {

/// Outputs that kernels make at a time; arrays for outputs are padded to it.
inline constexpr std::int32_t sparse_tile_columns = 16;

/// Where each part of a packed layer lies; the weights first. False where the size overflows.
constexpr PARE_ALWAYS_INLINE bool sparse_layout_of(index_t out_features, index_t weights_bytes,
                                                   const linear_options& options,
                                                   packed_linear_layout& layout) noexcept {
  return out_features >= 0 && out_features <= max_packed_size &&
         layout_of(round_up(out_features, sparse_tile_columns), weights_bytes, options, layout);
}

}  // namespace detail
}  // namespace pare

#endif  // PARE_FORMAT_PACKED_SPARSE_LINEAR_HPP
