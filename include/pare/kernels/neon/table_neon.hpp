// 256-entry tables on 64-bit ARM: TBL looks into 64 entries at once and gives 0 for codes beyond
// them, TBX leaves what is there, so four of them take the table, which fills 16 registers.
//
// Bound: TBL and 3 TBX of four registers for 16 codes.
#ifndef PARE_KERNELS_NEON_TABLE_NEON_HPP
#define PARE_KERNELS_NEON_TABLE_NEON_HPP

#include <pare/kernels/scalar/table.hpp>
#include <pare/kernels/target_region.hpp>

#if PARE_NEON_KERNELS

namespace pare::kernels::neon {
inline namespace PARE_ABI {

inline void apply_table(const std::uint8_t* x, index_t n, const std::uint8_t* table,
                        std::uint8_t* y) noexcept {
  const uint8x16x4_t first = vld1q_u8_x4(table), second = vld1q_u8_x4(table + 64),
                     third = vld1q_u8_x4(table + 128), fourth = vld1q_u8_x4(table + 192);
  const uint8x16_t quarter = vdupq_n_u8(64);
  index_t i = 0;
  for (; i + 16 <= n; i += 16) {
    uint8x16_t codes = vld1q_u8(x + i);
    uint8x16_t found = vqtbl4q_u8(first, codes);
    codes = vsubq_u8(codes, quarter);
    found = vqtbx4q_u8(found, second, codes);
    codes = vsubq_u8(codes, quarter);
    found = vqtbx4q_u8(found, third, codes);
    codes = vsubq_u8(codes, quarter);
    vst1q_u8(y + i, vqtbx4q_u8(found, fourth, codes));
  }
  scalar::apply_table(x + i, n - i, table, y + i);
}

}  // namespace PARE_ABI
}  // namespace pare::kernels::neon

#endif  // PARE_NEON_KERNELS
#endif  // PARE_KERNELS_NEON_TABLE_NEON_HPP
