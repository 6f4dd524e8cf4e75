// Whether two packed layers are the same: shapes, options and every byte of their arrays.
#ifndef PARE_TESTS_SUPPORT_PACKED_PARTS_HPP
#define PARE_TESTS_SUPPORT_PACKED_PARTS_HPP

#include <cstring>

#include <pare/format/packed_parts.hpp>

#include "support/check.hpp"

namespace pare_test {

inline bool same_params(pare::affine_params a, pare::affine_params b) {
  return a.scale == b.scale && a.zero_point == b.zero_point;
}

template <class T>
comparison same_array(const T* a, const T* b, index_t count, const char* what) {
  if ((a == nullptr) != (b == nullptr)) return {false, std::string(what) + " of one only"};
  if (a != nullptr && std::memcmp(a, b, static_cast<std::size_t>(count) * sizeof(T)) != 0) {
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

}  // namespace pare_test

#endif  // PARE_TESTS_SUPPORT_PACKED_PARTS_HPP
