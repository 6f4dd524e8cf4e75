// The matrix product with 4-bit and 2-bit weights in plain C++, for panels of any width: the
// specification of every other one.
#ifndef PARE_KERNELS_SCALAR_GEMM_LOW_BIT_HPP
#define PARE_KERNELS_SCALAR_GEMM_LOW_BIT_HPP

#include <pare/kernels/gemm_low_bit.hpp>
#include <pare/kernels/scalar/gemm_s8.hpp>

namespace pare::kernels::scalar {
inline namespace PARE_ABI {

/// The sum over K of a row's codes times the weights of one column, modulo 2^32.
///
/// @param bytes  of the column in the first block
template <int Bits>
std::uint32_t low_bit_product(const std::uint8_t* a, std::uint8_t flip, index_t k,
                              const std::uint8_t* bytes, index_t block_stride,
                              std::int32_t zero_point) noexcept {
  constexpr index_t block = pare::detail::low_bit_block(Bits);
  std::uint32_t sum = 0;
  for (index_t at = 0; at < pare::detail::round_up(k, block); ++at) {
    const index_t input = pare::detail::low_bit_input(k, block, at);
    if (input < 0) continue;
    const std::uint8_t byte = bytes[at / block * block_stride + at % 4];
    const std::int32_t weight = pare::detail::unpack_field(byte, Bits, at % block / 4) - zero_point;
    sum += static_cast<std::uint32_t>((a[input] ^ flip) * weight);
  }
  return sum;
}

/// One block of the product, an element at a time.
template <int Bits, low_bit_decoding>
void gemm_low_bit(const gemm_s8_args& args, const gemm_block& block) noexcept {
  const index_t nr = args.tile_columns;
  for (index_t panel = block.first_panel; panel < block.last_panel; ++panel) {
    const auto* weights = reinterpret_cast<const std::uint8_t*>(low_bit_panel(args, Bits, panel));
    const index_t first = panel * nr, last = pare::detail::min(args.columns, first + nr);
    for (index_t row = block.first_row; row < block.last_row; ++row) {
      for (index_t column = first; column < last; ++column) {
        const std::uint8_t* own = weights + (column - first) * 4;
        std::uint32_t acc =
            args.bias_codes != nullptr ? static_cast<std::uint32_t>(args.bias_codes[column]) : 0u;
        acc -=
            static_cast<std::uint32_t>(args.offset) * static_cast<std::uint32_t>(args.sums[column]);
        acc += low_bit_product<Bits>(args.a + row * args.a_stride, args.a_flip, args.k,
                                     own + 4 * nr, 4 * nr, *own - (1 << (Bits - 1)));
        store(args, row, column, static_cast<std::int32_t>(acc));
      }
    }
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::scalar

#endif  // PARE_KERNELS_SCALAR_GEMM_LOW_BIT_HPP
