// The matrix product with a bitmask in plain C++: the specification of every other one.
#ifndef PARE_KERNELS_SCALAR_GEMM_BITMASK_HPP
#define PARE_KERNELS_SCALAR_GEMM_BITMASK_HPP

#include <pare/kernels/gemm_bitmask.hpp>
#include <pare/kernels/scalar/gemm_s8.hpp>

namespace pare::kernels::scalar {
inline namespace PARE_ABI {

/// acc [16] += one run, whose first chunk is number `chunk`, times a row of activations.
///
/// @return the bytes of its values
template <int Bits>
index_t add_run(const pare::detail::bitmask_run& run, const gemm_s8_args& args,
                const std::uint8_t* a, index_t chunk, std::uint32_t* acc) noexcept {
  const std::uint8_t* values = run.values;
  for (index_t c = 0; c < run.chunks; ++c) {
    index_t i = 0;
    std::uint64_t mask = run.masks[c];
    for (index_t bit = 0; mask != 0; ++bit, mask >>= 1) {
      if ((mask & 1) == 0) continue;
      const std::int32_t value = pare::detail::value_at(values, i++, Bits);
      const index_t input = pare::detail::packed_input(args.k, 4 * (chunk + c) + bit % 4);
      if (input >= 0) acc[bit / 4] += static_cast<std::uint32_t>((a[input] ^ args.a_flip) * value);
    }
    values += pare::detail::value_bytes(i, Bits);
  }
  return values - run.values;
}

/// One block of the product, a row and a tile at a time; `tile_columns` divides 16.
template <int Bits>
void gemm_bitmask(const gemm_s8_args& args, const gemm_block& block) noexcept {
  const bitmask_view w = bitmask_of<Bits>(args);
  const index_t first = block.first_panel * args.tile_columns;
  const index_t last = pare::detail::min(args.columns, block.last_panel * args.tile_columns);
  for (index_t row = block.first_row; row < block.last_row; ++row) {
    const std::uint8_t* a = args.a + row * args.a_stride;
    for (index_t tile = first / 16; tile * 16 < last; ++tile) {
      std::uint32_t acc[16];
      for (index_t i = 0; i < 16; ++i) {
        const index_t column = tile * 16 + i;
        acc[i] =
            args.bias_codes != nullptr ? static_cast<std::uint32_t>(args.bias_codes[column]) : 0u;
        acc[i] -=
            static_cast<std::uint32_t>(args.offset) * static_cast<std::uint32_t>(args.sums[column]);
      }
      const std::byte* at = w.tile(tile);
      for (index_t c = 0; c < w.chunks(); c += pare::detail::chunks_of_run) {
        const pare::detail::bitmask_run run = pare::detail::run_at(at, w.chunks() - c);
        at += pare::detail::run_bytes(run.chunks, add_run<Bits>(run, args, a, c, acc));
      }
      for (index_t i = 0; i < 16; ++i) {
        const index_t column = tile * 16 + i;
        if (column >= first && column < last)
          store(args, row, column, static_cast<std::int32_t>(acc[i]));
      }
    }
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::scalar

#endif  // PARE_KERNELS_SCALAR_GEMM_BITMASK_HPP
