// The s8 matrix product in plain C++, for panels of any width: the specification of every other
// one.
#ifndef PARE_KERNELS_SCALAR_GEMM_S8_HPP
#define PARE_KERNELS_SCALAR_GEMM_S8_HPP

#include <pare/kernels/gemm_s8.hpp>

namespace pare::kernels::scalar {
inline namespace PARE_ABI {

/// An f32 output.
PARE_ALWAYS_INLINE float real_of(const gemm_s8_args& args, index_t row, index_t column,
                                 std::int32_t acc) noexcept {
  if (args.row_zero_points != nullptr) {
    acc = static_cast<std::int32_t>(static_cast<std::uint32_t>(acc) -
                                    static_cast<std::uint32_t>(args.row_zero_points[row]) *
                                        static_cast<std::uint32_t>(args.sums[column]));
  }
  const float row_scale = args.row_scales != nullptr ? args.row_scales[row] : args.scale;
  const float scale = row_scale * args.column_scales[column];
  const float y =
      pare::detail::multiply_then_add(static_cast<float>(acc), scale, args.bias[column]);
  return pare::detail::clamp(y, args.clamp_low, args.clamp_high);
}

/// A q8 output.
PARE_ALWAYS_INLINE std::uint8_t code_of(const gemm_s8_args& args, index_t column,
                                        std::int32_t acc) noexcept {
  const float factor = args.factors != nullptr ? args.factors[column] : 0.0f;
  const fixed_multiplier fixed =
      args.multipliers != nullptr ? fixed_multiplier{args.multipliers[column], args.shifts[column]}
                                  : fixed_multiplier{};
  return static_cast<std::uint8_t>(
      requantize(args.rule, acc, factor, fixed, args.zero_point, args.low, args.high));
}

/// What becomes of one accumulator, by `args.kind`. All kernels give the same bits.
inline void store(const gemm_s8_args& args, index_t row, index_t column,
                  std::int32_t acc) noexcept {
  const index_t at = row * args.c_stride + column;
  switch (args.kind) {
    case output_kind::s32: static_cast<std::int32_t*>(args.c)[at] = acc; break;
    case output_kind::f32: static_cast<float*>(args.c)[at] = real_of(args, row, column, acc); break;
    case output_kind::q8: static_cast<std::uint8_t*>(args.c)[at] = code_of(args, column, acc);
  }
}

/// The sum over one tap of codes times weights, modulo 2^32.
///
/// @param weights  of one column: groups of `group` bytes, `group_stride` bytes apart
inline std::uint32_t tap_product(const std::uint8_t* a, std::uint8_t flip, index_t k,
                                 const std::int8_t* weights, index_t group,
                                 index_t group_stride) noexcept {
  std::uint32_t sum = 0;
  for (index_t first = 0; first < k; first += group, weights += group_stride) {
    for (index_t i = 0; i < group; ++i) {
      const index_t input = pare::detail::packed_input(k, first + i);
      if (input < 0) continue;
      const std::int32_t code = a[input] ^ flip;
      sum += static_cast<std::uint32_t>(code * weights[i]);
    }
  }
  return sum;
}

/// One block of the product, an element at a time.
inline void gemm_s8(const gemm_s8_args& args, const gemm_block& block) noexcept {
  const index_t nr = args.tile_columns, group = args.k_group;
  const index_t tap_bytes = pare::detail::round_up(args.k, group) * nr;
  for (index_t panel = block.first_panel; panel < block.last_panel; ++panel) {
    const index_t first = panel * nr, last = pare::detail::min(args.columns, first + nr);
    for (index_t row = block.first_row; row < block.last_row; ++row) {
      const std::uint8_t* a = row_address(args, row);
      for (index_t column = first; column < last; ++column) {
        const std::int8_t* weights =
            args.panels + panel * panel_bytes(args) + (column - first) * group;
        // Unsigned arithmetic: sums beyond 32 bits wrap, as they do in vector registers.
        std::uint32_t acc =
            args.bias_codes != nullptr ? static_cast<std::uint32_t>(args.bias_codes[column]) : 0u;
        acc -=
            static_cast<std::uint32_t>(args.offset) * static_cast<std::uint32_t>(args.sums[column]);
        for (index_t y = 0; y < args.taps_y; ++y) {
          for (index_t x = 0; x < args.taps_x; ++x, weights += tap_bytes) {
            acc += tap_product(a + y * args.tap_y_stride + x * args.tap_x_stride, args.a_flip,
                               args.k, weights, group, group * nr);
          }
        }
        store(args, row, column, static_cast<std::int32_t>(acc));
      }
    }
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::scalar

#endif  // PARE_KERNELS_SCALAR_GEMM_S8_HPP
