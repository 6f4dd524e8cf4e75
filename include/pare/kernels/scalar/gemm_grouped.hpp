// The matrix product with grouped weights in plain C++, for panels of any width: the specification
// of every other one.
#ifndef PARE_KERNELS_SCALAR_GEMM_GROUPED_HPP
#define PARE_KERNELS_SCALAR_GEMM_GROUPED_HPP

#include <pare/core/assert.hpp>
#include <pare/core/rounding.hpp>
#include <pare/format/low_bit.hpp>
#include <pare/kernels/gemm_grouped.hpp>

namespace pare::kernels::scalar {
inline namespace PARE_ABI {

/// The code of one input of a group.
PARE_ALWAYS_INLINE std::int32_t grouped_code(const packed_grouped_linear_view& layer,
                                             const std::uint8_t* blocks, index_t input) noexcept {
  const index_t block = 32 / layer.bits;
  const std::uint8_t byte = blocks[input / block * 4 * layer.tile_columns + input % 4];
  return layer.bits == 8 ? static_cast<std::int8_t>(byte)
                         : pare::detail::unpack_field(byte, 4, input % block / 4);
}

/// The scale and the zero point of one column in one group.
struct grouped_params {
  float scale;
  std::int32_t zero_point;
};
PARE_ALWAYS_INLINE grouped_params params_of(const packed_grouped_linear_view& layer,
                                            const grouped_panel& p) noexcept {
  std::uint16_t bits;
  std::memcpy(&bits, p.scales, 2);
  const std::int32_t times = layer.bits == 4 ? 16 : 1;
  return {pare::detail::float_of_half_bits(bits),
          layer.has_zero_points != 0 ? static_cast<std::int8_t>(*p.zero_points) / times : 0};
}

inline float integer_product(const gemm_grouped_args& args, index_t row, index_t column,
                             grouped_panel p, index_t to_next_group) noexcept {
  const packed_grouped_linear_view& layer = args.layer;
  const std::uint8_t* a = args.codes + row * args.code_stride;
  float sum = 0.0f;
  for (index_t g = 0; g < layer.groups(); ++g, a += layer.group) {
    const grouped_params params = params_of(layer, p);
    std::int32_t acc = 0;
    for (index_t i = 0; i < layer.group; ++i) {
      acc += a[i] * (grouped_code(layer, p.blocks, i) - params.zero_point);
    }
    sum = pare::detail::multiply_then_add(static_cast<float>(acc), params.scale, sum);
    p.blocks += to_next_group, p.scales += to_next_group, p.zero_points += to_next_group;
  }
  const float moved = sum - pare::detail::rounded(static_cast<float>(args.row_zero_points[row]) *
                                                  layer.sums[column]);
  return pare::detail::multiply_then_add(moved, args.row_scales[row], layer.bias[column]);
}

inline float floating_product(const gemm_grouped_args& args, index_t row, index_t column,
                              grouped_panel p, index_t to_next_group) noexcept {
  const packed_grouped_linear_view& layer = args.layer;
  PARE_ASSERT(args.x != nullptr || args.k == 0, "the floating product reads f32 activations");
  const float* x = args.x + row * args.x_stride;
  float sum = 0.0f;
  for (index_t first = 0; first < args.k; first += layer.group) {
    const grouped_params params = params_of(layer, p);
    float part = 0.0f;
    for (index_t i = 0; i < pare::detail::min(layer.group, args.k - first); ++i) {
      const std::int32_t weight = grouped_code(layer, p.blocks, i) - params.zero_point;
      part = pare::detail::multiply_then_add(x[first + i], static_cast<float>(weight), part);
    }
    sum = pare::detail::multiply_then_add(part, params.scale, sum);
    p.blocks += to_next_group, p.scales += to_next_group, p.zero_points += to_next_group;
  }
  return sum + layer.bias[column];
}

/// One block of the product, an element at a time.
inline void gemm_grouped(const gemm_grouped_args& args, const gemm_block& block) noexcept {
  const packed_grouped_linear_view& layer = args.layer;
  const index_t nr = layer.tile_columns, to_next_group = layer.group_bytes() * nr;
  const bool is_integer = layer.options.arithmetic == grouped_arithmetic::integer;
  for (index_t panel = block.first_panel; panel < block.last_panel; ++panel) {
    const index_t first = panel * nr, last = pare::detail::min(args.columns, first + nr);
    for (index_t row = block.first_row; row < block.last_row; ++row) {
      for (index_t column = first; column < last; ++column) {
        const grouped_panel p = panel_of(layer, panel, column - first);
        const float y = is_integer ? integer_product(args, row, column, p, to_next_group)
                                   : floating_product(args, row, column, p, to_next_group);
        args.c[row * args.c_stride + column] =
            pare::detail::clamp(y, args.clamp_low, args.clamp_high);
      }
    }
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::scalar

#endif  // PARE_KERNELS_SCALAR_GEMM_GROUPED_HPP
