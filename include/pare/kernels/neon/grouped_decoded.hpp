// Grouped panels decoded once for many rows, on 64-bit ARM: what the kernels with SDOT and SMMLA have
// in common. Products of a group are those of an s8 kernel; its sums go to float in registers and are
// added to sums in L1.
#ifndef PARE_KERNELS_NEON_GROUPED_DECODED_HPP
#define PARE_KERNELS_NEON_GROUPED_DECODED_HPP

#include <pare/kernels/neon/gemm_grouped_3x16c4_neon.hpp>
#include <pare/kernels/neon/low_bit_decoded.hpp>

#if PARE_NEON_KERNELS

namespace pare::kernels::neon {
inline namespace PARE_ABI {

/// Groups of 16 columns: 24 KB at the most, for groups of 32.
struct decoded_groups {
  alignas(64) std::int8_t weights[decoded_inputs * panel_columns];  ///< minus zero points
  /// Of each group: 128 times the sum of a column's weights, which codes lose by becoming signed.
  std::int32_t starts[decoded_inputs / 32 * panel_columns];
  /// Of each group, of a column; or with K-groups of 8, of each pair of columns twice over, which
  /// take two registers' places.
  float scales[decoded_inputs / 32 * 2 * panel_columns];
};

/// Sums of up to 6 rows over some groups: sums += ...
///
/// @param sums  [4][6][4]: of four columns, of each row; or with K-groups of 8, [8][3][2][2]: of two
///              columns, of two rows each
using group_tile_function = void (*)(const std::uint8_t* codes, index_t stride, index_t groups,
                                     index_t group, const decoded_groups& w, float* sums) noexcept;

/// sums += part * scale.
PARE_ALWAYS_INLINE void add_scaled(float* sums, int32x4_t part, float32x4_t scale) noexcept {
  float32x4_t f = vld1q_f32(sums);
  multiply_then_add(f, vcvtq_f32_s32(part), scale);
  vst1q_f32(sums, f);
}

/// 128 times the sums of the weights of a group.
inline void start_group(const std::int8_t* w, index_t group, std::int32_t* starts) noexcept {
  row_of_tile sums;
  sums.c0 = sums.c1 = sums.c2 = sums.c3 = vdupq_n_s32(0);
  for (index_t i = 0; i < group; i += 4, w += 4 * panel_columns) {
    sums.c0 = vpadalq_s16(sums.c0, vpaddlq_s8(vld1q_s8(w)));
    sums.c1 = vpadalq_s16(sums.c1, vpaddlq_s8(vld1q_s8(w + 16)));
    sums.c2 = vpadalq_s16(sums.c2, vpaddlq_s8(vld1q_s8(w + 32)));
    sums.c3 = vpadalq_s16(sums.c3, vpaddlq_s8(vld1q_s8(w + 48)));
  }
  store_row(starts, {vshlq_n_s32(sums.c0, 7), vshlq_n_s32(sums.c1, 7), vshlq_n_s32(sums.c2, 7),
                     vshlq_n_s32(sums.c3, 7)});
}

/// The zero points of a group's columns, each four times.
template <int Bits>
PARE_ALWAYS_INLINE void load_zero_points_of_group(const std::uint8_t* p, std::int8_t* to) noexcept {
  int8x16_t bytes = vdupq_n_s8(0);
  if (p != nullptr) bytes = vreinterpretq_s8_u8(vld1q_u8(p));
  if constexpr (Bits == 4) bytes = vshrq_n_s8(bytes, 4);
  const int8x16x2_t twice = vzipq_s8(bytes, bytes);
  const int8x16x2_t left = vzipq_s8(twice.val[0], twice.val[0]);
  const int8x16x2_t right = vzipq_s8(twice.val[1], twice.val[1]);
  vst1q_s8(to, left.val[0]);
  vst1q_s8(to + 16, left.val[1]);
  vst1q_s8(to + 32, right.val[0]);
  vst1q_s8(to + 48, right.val[1]);
}

template <int KGroup>
PARE_ALWAYS_INLINE void store_scales(const row_of_floats& s, float* to) noexcept {
  if constexpr (KGroup == 4) {
    vst1q_f32(to, s.c0);
    vst1q_f32(to + 4, s.c1);
    vst1q_f32(to + 8, s.c2);
    vst1q_f32(to + 12, s.c3);
  } else {
    const auto store_pairs = [](float32x4_t x, float* pairs) {
      vst1q_f32(pairs, vcombine_f32(vget_low_f32(x), vget_low_f32(x)));
      vst1q_f32(pairs + 4, vcombine_f32(vget_high_f32(x), vget_high_f32(x)));
    };
    store_pairs(s.c0, to);
    store_pairs(s.c1, to + 8);
    store_pairs(s.c2, to + 16);
    store_pairs(s.c3, to + 24);
  }
}

/// Groups of a panel from p on.
template <int Bits, int KGroup>
void decode_groups(const packed_grouped_linear_view& layer, grouped_panel p, index_t groups,
                   decoded_groups& to) noexcept {
  const index_t to_next_group = layer.group_bytes() * panel_columns;
  std::int8_t* weights = to.weights;
  for (index_t g = 0; g < groups; ++g) {
    const std::int8_t* group = weights;
    const auto* blocks = reinterpret_cast<const std::int8_t*>(p.blocks);
    if constexpr (Bits == 4) {
      std::int8_t zero_points[4 * panel_columns];
      load_zero_points_of_group<4>(layer.has_zero_points != 0 ? p.zero_points : nullptr,
                                   zero_points);
      for (index_t i = 0; i < layer.group; i += 8, blocks += 64)
        weights = decode_block<4, KGroup>(blocks, zero_points, weights);
    } else {
      for (index_t i = 0; i < layer.group; i += 8, blocks += 128, weights += 128) {
        for (index_t j = 0; j < 64; j += 16) {
          const int8x16_t even = vld1q_s8(blocks + j), odd = vld1q_s8(blocks + 64 + j);
          store_two_groups<KGroup>(even, odd, weights, j / 4);
        }
      }
    }
    if constexpr (KGroup == 4) start_group(group, layer.group, to.starts + g * panel_columns);
    store_scales<KGroup>(load_scales(p.scales), to.scales + g * (KGroup / 4) * panel_columns);
    p.blocks += to_next_group, p.scales += to_next_group, p.zero_points += to_next_group;
  }
}

/// Whether a block is one of integers with enough rows, and its weights minus their zero points are
/// bytes.
PARE_ALWAYS_INLINE bool is_decoded_first(const gemm_grouped_args& args,
                                         const gemm_block& block) noexcept {
  return block.last_row - block.first_row >= 6 &&
         args.layer.options.arithmetic == grouped_arithmetic::integer &&
         (args.layer.bits == 4 || args.layer.has_zero_points == 0);
}

/// The sums of a row, whatever their order.
template <int KGroup>
PARE_ALWAYS_INLINE row_of_floats load_sums(const float* sums, index_t row) noexcept {
  if constexpr (KGroup == 4) {
    const float* p = sums + 4 * row;
    return {vld1q_f32(p), vld1q_f32(p + 24), vld1q_f32(p + 48), vld1q_f32(p + 72)};
  } else {
    const float* p = sums + row / 2 * 4 + row % 2 * 2;
    const auto four_columns = [](const float* pairs) {
      return vcombine_f32(vld1_f32(pairs), vld1_f32(pairs + 12));
    };
    return {four_columns(p), four_columns(p + 24), four_columns(p + 48), four_columns(p + 72)};
  }
}

/// Runs tiles over a block of a product of integers.
///
/// @param tiles  for 1 to 6 rows
template <int Bits, int KGroup>
void grouped_decoded_panels(const gemm_grouped_args& args, const gemm_block& block,
                            const group_tile_function* tiles) noexcept {
  constexpr index_t most_rows = 6, buffer_tiles = 16;
  constexpr index_t sums_of_tile = most_rows * panel_columns;
  const packed_grouped_linear_view& layer = args.layer;
  const index_t groups_at_once = decoded_inputs / layer.group, groups = layer.groups();
  const index_t to_next_group = layer.group_bytes() * panel_columns;
  decoded_groups decoded;
  alignas(16) float sums[buffer_tiles * sums_of_tile];
  const row_tiles cut = kernels::cut_rows(block.last_row - block.first_row, most_rows);
  for (index_t panel = block.first_panel; panel < block.last_panel; ++panel) {
    const index_t column = panel * panel_columns;
    const index_t columns = pare::detail::min(panel_columns, args.columns - column);
    const grouped_panel p = panel_of(layer, panel, 0);
    const auto rows_of_tile = [&](index_t tile) {
      return cut.tall_rows - (tile < cut.tall ? 0 : 1);
    };
    index_t row = block.first_row, decoded_first = -1;
    for (index_t first_tile = 0; first_tile < cut.tall + cut.low; first_tile += buffer_tiles) {
      const index_t last_tile = pare::detail::min(first_tile + buffer_tiles, cut.tall + cut.low);
      std::memset(sums, 0, sizeof(sums));
      for (index_t first = 0; first < groups; first += groups_at_once) {
        const index_t n = pare::detail::min(groups_at_once, groups - first);
        if (decoded_first != first) {
          const index_t skipped = first * to_next_group;
          decode_groups<Bits, KGroup>(
              layer, {p.blocks + skipped, p.scales + skipped, p.zero_points + skipped}, n, decoded);
          decoded_first = first;
        }
        const std::uint8_t* codes = args.codes + row * args.code_stride + first * layer.group;
        float* of_tile = sums;
        for (index_t tile = first_tile; tile < last_tile; ++tile, of_tile += sums_of_tile) {
          const index_t rows = rows_of_tile(tile);
          tiles[rows - 1](codes, args.code_stride, n, layer.group, decoded, of_tile);
          codes += rows * args.code_stride;
        }
      }
      const float* of_tile = sums;
      for (index_t tile = first_tile; tile < last_tile; ++tile, of_tile += sums_of_tile) {
        for (index_t i = 0; i < rows_of_tile(tile); ++i, ++row)
          write_integer(args, row, load_sums<KGroup>(of_tile, i), column, columns);
      }
    }
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::neon

#endif  // PARE_NEON_KERNELS
#endif  // PARE_KERNELS_NEON_GROUPED_DECODED_HPP
