// The matrix product with grouped weights on AVX-VNNI: tiles of up to 3 rows by 16 columns; in
// floating arithmetic that of AVX2.
//
// 6 sums in s32, made anew for each group, and 6 in f32 that they go to. 4-bit weights stay at the
// top of their bytes, as on AVX-512. Bound: 2 vpdpbusd per cycle.
#ifndef PARE_KERNELS_X86_GEMM_GROUPED_3X16C4_AVXVNNI_HPP
#define PARE_KERNELS_X86_GEMM_GROUPED_3X16C4_AVXVNNI_HPP

#include <pare/kernels/x86/gemm_grouped_3x16c4_avx2.hpp>
#include <pare/kernels/x86/gemm_low_bit_6x16c4_avxvnni.hpp>

#if PARE_X86_KERNELS

PARE_TARGET_AVXVNNI_BEGIN
namespace pare::kernels::avxvnni {
inline namespace PARE_ABI {

/// The sums of a group: two sets for each row, which take turns.
struct group_sums {
  row_of_tile r0, r1, r2, other0, other1, other2;
};

/// 4 inputs of each row times 16 columns.
template <int Rows>
PARE_ALWAYS_INLINE void code_steps(row_of_tile& r0, row_of_tile& r1, row_of_tile& r2,
                                   const std::uint8_t* a, index_t stride, __m256i flip,
                                   const row_of_tile& b) noexcept {
  step(r0, a, flip, b);
  if constexpr (Rows > 1) step(r1, a + stride, flip, b);
  if constexpr (Rows > 2) step(r2, a + 2 * stride, flip, b);
}

/// See the form of AVX2; the sums of 4-bit weights are 16 times too large.
template <int Bits>
PARE_ALWAYS_INLINE void write_integer(const gemm_grouped_args& args, index_t row,
                                      avx2::row_of_floats sums, index_t column,
                                      index_t columns) noexcept {
  if constexpr (Bits == 4) {
    const __m256 sixteenth = _mm256_set1_ps(0.0625f);
    sums = {_mm256_mul_ps(sums.c0, sixteenth), _mm256_mul_ps(sums.c1, sixteenth)};
  }
  avx2::write_integer(args, row, sums, column, columns);
}

/// Rows [row, row + Rows) of 16 columns.
template <int Bits, int Rows>
void integer_tile(const gemm_grouped_args& args, index_t row, grouped_panel p, index_t column,
                  index_t columns) noexcept {
  constexpr auto how = low_bit_decoding::shifted;
  const packed_grouped_linear_view& layer = args.layer;
  const index_t stride = args.code_stride, groups = layer.groups();
  const index_t to_next_group = layer.group_bytes() * avx2::panel_columns;
  const bool has_zero_points = layer.has_zero_points != 0;
  const std::int32_t* code_sums = has_zero_points ? args.code_sums + row * groups : nullptr;
  const __m256i zero = _mm256_setzero_si256();
  const row_of_tile none = {zero, zero};
  avx2::float_tile f;
  f.r0 = {_mm256_setzero_ps(), _mm256_setzero_ps()};
  f.r1 = f.r2 = f.r0;
  const std::uint8_t* a = args.codes + row * stride;
  for (index_t g = 0; g < groups; ++g) {
    const auto* w = reinterpret_cast<const std::int8_t*>(p.blocks);
    // Two sets of sums would leave no register for the weights of three rows.
    constexpr bool two_sets = Rows < 3;
    group_sums t = {none, none, none, none, none, none};
    row_of_tile& u0 = two_sets ? t.other0 : t.r0;
    row_of_tile& u1 = two_sets ? t.other1 : t.r1;
    row_of_tile& u2 = two_sets ? t.other2 : t.r2;
    for (index_t i = 0; i < layer.group; i += 8, a += 8, w += Bits == 4 ? 64 : 128) {
      if constexpr (Bits == 4) {
        code_steps<Rows>(t.r0, t.r1, t.r2, a, stride, zero, load_plane<4, how, 0>(w, w));
        code_steps<Rows>(u0, u1, u2, a + 4, stride, zero, load_plane<4, how, 1>(w, w));
      } else {
        code_steps<Rows>(t.r0, t.r1, t.r2, a, stride, zero, load_row(w));
        code_steps<Rows>(u0, u1, u2, a + 4, stride, zero, load_row(w + 64));
      }
    }
    if constexpr (two_sets) {
      add(t.r0, t.other0);
      if constexpr (Rows > 1) add(t.r1, t.other1);
    }
    // Zero points as they are stored: 16 times too large where the weights are.
    const row_of_tile zero_points =
        avx2::load_zero_points<8>(has_zero_points ? p.zero_points : nullptr);
    const avx2::row_of_floats scales = avx2::load_scales(p.scales);
    avx2::add_group(f.r0, t.r0, zero_points, has_zero_points ? code_sums[g] : 0, scales);
    if constexpr (Rows > 1)
      avx2::add_group(f.r1, t.r1, zero_points, has_zero_points ? code_sums[groups + g] : 0, scales);
    if constexpr (Rows > 2)
      avx2::add_group(f.r2, t.r2, zero_points, has_zero_points ? code_sums[2 * groups + g] : 0,
                      scales);
    p.blocks += to_next_group, p.scales += to_next_group, p.zero_points += to_next_group;
  }
  write_integer<Bits>(args, row, f.r0, column, columns);
  if constexpr (Rows > 1) write_integer<Bits>(args, row + 1, f.r1, column, columns);
  if constexpr (Rows > 2) write_integer<Bits>(args, row + 2, f.r2, column, columns);
}

/// One block of the product.
inline void gemm_grouped(const gemm_grouped_args& args, const gemm_block& block) noexcept {
  constexpr avx2::grouped_tile_function integer4[] = {integer_tile<4, 1>, integer_tile<4, 2>,
                                                      integer_tile<4, 3>};
  constexpr avx2::grouped_tile_function integer8[] = {integer_tile<8, 1>, integer_tile<8, 2>,
                                                      integer_tile<8, 3>};
  if (args.layer.options.arithmetic == grouped_arithmetic::floating)
    return avx2::gemm_grouped(args, block);
  return avx2::grouped_panels(args, block, args.layer.bits == 4 ? integer4 : integer8, 3);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::avxvnni
PARE_TARGET_AVXVNNI_END

#endif  // PARE_X86_KERNELS
#endif  // PARE_KERNELS_X86_GEMM_GROUPED_3X16C4_AVXVNNI_HPP
