// Whether two packed layers are the same: shapes, options and every byte of their arrays.
#ifndef PARE_TESTS_SUPPORT_PACKED_PARTS_HPP
#define PARE_TESTS_SUPPORT_PACKED_PARTS_HPP

#include <cstring>

#include <pare/format/layer_parts.hpp>

#include "support/check.hpp"

namespace pare_test {

inline bool same_params(pare::affine_params a, pare::affine_params b) {
  return a.scale == b.scale && a.zero_point == b.zero_point;
}

template <class T>
comparison same_array(const T* a, const T* b, index_t count, const char* what) {
  if ((a == nullptr) != (b == nullptr)) return {false, std::string(what) + " of one only"};
  if (a != nullptr && count > 0 &&
      std::memcmp(a, b, static_cast<std::size_t>(count) * sizeof(T)) != 0) {
    return {false, std::string(what) + " differ"};
  }
  return {};
}

/// @param quads  groups of four bytes that a panel has for each column
inline comparison same_linear_parts(const pare::packed_linear_view& a,
                                    const pare::packed_linear_view& b, index_t quads) {
  if (a.out_features != b.out_features || a.in_features != b.in_features ||
      a.tile_columns != b.tile_columns || a.k_group != b.k_group ||
      a.has_minus_128 != b.has_minus_128) {
    return {false, "shapes differ"};
  }
  if (a.options.act != b.options.act || a.options.rule != b.options.rule ||
      !same_params(a.options.input, b.options.input) ||
      !same_params(a.options.output, b.options.output)) {
    return {false, "options differ"};
  }
  const index_t n = pare::detail::padded_columns(a);
  for (const comparison& c : {
           same_array(a.panels, b.panels, n * quads * 4, "panels"),
           same_array(a.sums, b.sums, n, "sums"),
           same_array(a.scales, b.scales, n, "scales"),
           same_array(a.bias, b.bias, n, "biases"),
           same_array(a.bias_codes, b.bias_codes, n, "bias codes"),
           same_array(a.factors, b.factors, n, "factors"),
           same_array(a.multipliers, b.multipliers, n, "multipliers"),
           same_array(a.shifts, b.shifts, n, "shifts"),
       }) {
    if (!c) return c;
  }
  return {};
}

inline bool same_window(const pare::window& a, const pare::window& b) {
  return a.height == b.height && a.width == b.width && a.stride_y == b.stride_y &&
         a.stride_x == b.stride_x && a.dilation_y == b.dilation_y && a.dilation_x == b.dilation_x &&
         a.pad_top == b.pad_top && a.pad_bottom == b.pad_bottom && a.pad_left == b.pad_left &&
         a.pad_right == b.pad_right;
}

inline comparison same_layer(const pare::packed_linear_view& a, const pare::packed_linear_view& b) {
  return same_linear_parts(a, b, pare::detail::quads_of(a));
}
inline comparison same_layer(const pare::packed_low_bit_linear_view& a,
                             const pare::packed_low_bit_linear_view& b) {
  if (a.bits != b.bits || a.has_zero_points != b.has_zero_points) return {false, "bits differ"};
  return same_linear_parts(a.base, b.base, pare::detail::quads_of(a));
}
inline comparison same_layer(const pare::packed_depthwise_view& a,
                             const pare::packed_depthwise_view& b) {
  if (a.out_channels != b.out_channels || a.multiplier != b.multiplier ||
      a.variants != b.variants || !same_window(a.window, b.window)) {
    return {false, "shapes of the convolution differ"};
  }
  return same_linear_parts(a.outputs, b.outputs, pare::detail::quads_of(a));
}
inline comparison same_layer(const pare::packed_conv2d_view& a, const pare::packed_conv2d_view& b) {
  if (a.out_channels != b.out_channels || a.in_channels != b.in_channels || a.groups != b.groups ||
      a.taps != b.taps || !same_window(a.window, b.window)) {
    return {false, "shapes of the convolution differ"};
  }
  for (index_t g = 0; g < a.groups; ++g) {
    const auto c = same_linear_parts(pare::detail::group_of(a, g), pare::detail::group_of(b, g),
                                     pare::detail::quads_of(a));
    if (!c) return c;
  }
  return {};
}

inline comparison same_layer(const pare::packed_grouped_linear_view& a,
                             const pare::packed_grouped_linear_view& b) {
  if (a.out_features != b.out_features || a.in_features != b.in_features || a.group != b.group ||
      a.bits != b.bits || a.tile_columns != b.tile_columns ||
      a.has_zero_points != b.has_zero_points) {
    return {false, "shapes differ"};
  }
  if (a.options.act != b.options.act || a.options.arithmetic != b.options.arithmetic) {
    return {false, "options differ"};
  }
  const index_t n = a.panels_count() * a.tile_columns;
  for (const comparison& c :
       {same_array(a.panels, b.panels, a.panels_count() * a.panel_bytes(), "panels"),
        same_array(a.sums, b.sums, n, "sums"), same_array(a.bias, b.bias, n, "biases")}) {
    if (!c) return c;
  }
  return {};
}
inline comparison same_layer(const pare::packed_offset_grouped_linear_view& a,
                             const pare::packed_offset_grouped_linear_view& b) {
  if (a.act != b.act) return {false, "options differ"};
  if (auto c = same_layer(a.base, b.base); !c) return c;
  return same_array(a.offsets, b.offsets, a.offset_stride() * a.base.groups(), "offsets");
}
template <class T>
comparison same_layer(const pare::bcsr_view<T>& a, const pare::bcsr_view<T>& b) {
  if (a.rows != b.rows || a.columns != b.columns || a.shape.block_rows != b.shape.block_rows ||
      a.shape.block_columns != b.shape.block_columns || a.shape.k_block != b.shape.k_block) {
    return {false, "shapes differ"};
  }
  if (auto c = same_array(a.block_offsets, b.block_offsets, a.lines() + 1, "offsets"); !c) return c;
  const index_t blocks = a.blocks();
  if (auto c = same_array(a.block_columns, b.block_columns, blocks, "block columns"); !c) return c;
  return same_array(a.values, b.values, blocks * a.shape.block_rows * a.shape.block_columns,
                    "values");
}
inline comparison same_layer(const pare::packed_sparse_linear_view& a,
                             const pare::packed_sparse_linear_view& b) {
  if (auto c = same_layer(a.weights, b.weights); !c) return c;
  return same_linear_parts(a.base, b.base, 0);
}
inline comparison same_layer(const pare::low_rank_view<float>& a,
                             const pare::low_rank_view<float>& b) {
  if (a.out_features() != b.out_features() || a.in_features() != b.in_features() ||
      a.rank() != b.rank()) {
    return {false, "shapes differ"};
  }
  if (auto c = same_array(a.left.data_handle(), b.left.data_handle(),
                          pare::detail::count_of(a.left), "left");
      !c)
    return c;
  return same_array(a.right.data_handle(), b.right.data_handle(), pare::detail::count_of(a.right),
                    "right");
}
inline comparison same_layer(const pare::vector_view<const float>& a,
                             const pare::vector_view<const float>& b) {
  if (a.size() != b.size()) return {false, "sizes differ"};
  return same_array(a.data_handle(), b.data_handle(), pare::detail::count_of(a), "values");
}

}  // namespace pare_test

#endif  // PARE_TESTS_SUPPORT_PACKED_PARTS_HPP
