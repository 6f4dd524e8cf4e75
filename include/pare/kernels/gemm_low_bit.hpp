// What the matrix kernels for 4-bit and 2-bit weights have in common: they take the arguments of
// the s8 ones (kernels/gemm_s8.hpp), A a plain matrix, with panels as in
// format/packed_low_bit_linear.hpp.
#ifndef PARE_KERNELS_GEMM_LOW_BIT_HPP
#define PARE_KERNELS_GEMM_LOW_BIT_HPP

#include <pare/format/packed_low_bit_linear.hpp>
#include <pare/kernels/gemm_s8.hpp>

namespace pare::kernels {

/// The panel of some columns: the fields of their zero points, and behind them the blocks.
constexpr PARE_ALWAYS_INLINE const std::int8_t* low_bit_panel(const gemm_s8_args& args, int bits,
                                                              index_t panel) noexcept {
  return args.panels + panel * pare::detail::low_bit_panel_bytes(bits, args.k, args.tile_columns);
}

/// How planes become signed bytes.
enum class low_bit_decoding : std::uint8_t {
  shifted,  ///< the fields at the top of their bytes: weights times 2^(8 - bits)
  general,  ///< weights minus their zero points
};

/// The decoding for a layer. Weights without zero points may stay at the top of their bytes, 16 or
/// 64 times too large, where sums of products of 255 and -128, as many as there are inputs, fit into
/// 32 bits.
constexpr PARE_ALWAYS_INLINE low_bit_decoding
decoding_of(const packed_low_bit_linear_view& layer) noexcept {
  return layer.has_zero_points == 0 && layer.base.in_features <= 65536 ? low_bit_decoding::shifted
                                                                       : low_bit_decoding::general;
}

/// The sign bits of all fields of a byte: what turns two's complement into distances from the least
/// code.
constexpr PARE_ALWAYS_INLINE char low_bit_signs(int bits) noexcept {
  return static_cast<char>(bits == 4 ? 0x88 : 0xaa);
}

/// The bits of a field, where the decoding brings it.
constexpr PARE_ALWAYS_INLINE char low_bit_mask(int bits, low_bit_decoding how) noexcept {
  const int mask = (1 << bits) - 1;
  return static_cast<char>(how == low_bit_decoding::shifted ? mask << (8 - bits) : mask);
}

/// Blocks that a row of `k` bytes begins with; shorter rows have been copied to fill one.
constexpr PARE_ALWAYS_INLINE index_t whole_blocks(index_t k, index_t block) noexcept {
  return k < block ? (k > 0 ? 1 : 0) : k / block;
}

/// Whether a block follows that ends with the row and overlaps the one before.
constexpr PARE_ALWAYS_INLINE bool has_last_block(index_t k, index_t block) noexcept {
  return k > block && k % block != 0;
}

}  // namespace pare::kernels

#endif  // PARE_KERNELS_GEMM_LOW_BIT_HPP
