// y = act(x * W^T + bias) with weights that have a bitmask, N:M among them: `linear` in all its
// forms.
#ifndef PARE_KERNELS_BITMASK_LINEAR_HPP
#define PARE_KERNELS_BITMASK_LINEAR_HPP

#include <pare/kernels/linear.hpp>
#include <pare/kernels/pack_bitmask_linear.hpp>
#include <pare/kernels/scalar/gemm_bitmask.hpp>

#if PARE_KERNELS_HERE
#include <pare/kernels/x86/expand_bitmask_avx2.hpp>
#include <pare/kernels/x86/gemm_bitmask_avx512vbmi2.hpp>
#endif

namespace pare {
namespace detail {
inline namespace PARE_KERNEL_ABI {

/// The kernels for a kind: those of 8 dense bits with another product.
PARE_KERNEL_TABLE linear_kernels bitmask_kernels_of(const bitmask_kind& kind) noexcept;

#if PARE_KERNELS_HERE
#if PARE_X86_KERNELS
/// The product of an instruction set whose dense kernel multiplies what AVX2 expands.
template <int Bits, gemm_function Gemm, std::int32_t NeutralOffset>
void gemm_bitmask_by(const kernels::gemm_s8_args& args, const kernels::gemm_block& block) noexcept {
  kernels::gemm_expanded<Bits, 1>(
      args, block,
      {Gemm, kernels::avx2::expand_bitmask<Bits>, kernels::avx2::write_panel, NeutralOffset});
}
#endif

template <int Bits>
gemm_function bitmask_gemm_of(isa i, index_t values_of_each) noexcept {
  switch (i) {
#if PARE_X86_KERNELS
    case isa::avx512vnni:
      if (!has_vbmi2()) return gemm_bitmask_by<Bits, kernels::avx512vnni::gemm_s8, 0>;
      return values_of_each == 32 ? kernels::avx512vbmi2::gemm_bitmask<Bits, 32>
                                  : kernels::avx512vbmi2::gemm_bitmask<Bits, 0>;
    case isa::avxvnni: return gemm_bitmask_by<Bits, kernels::avxvnni::gemm_s8, 0>;
    case isa::avx512bw: return gemm_bitmask_by<Bits, kernels::avx512bw::gemm_s8, 0>;
    case isa::avx2: return gemm_bitmask_by<Bits, kernels::avx2::gemm_s8, 128>;
#endif
    default: static_cast<void>(values_of_each); return kernels::scalar::gemm_bitmask<Bits>;
  }
}

PARE_KERNEL_TABLE linear_kernels bitmask_kernels_of(const bitmask_kind& kind) noexcept {
  const isa i = active_isa();
  const index_t values = values_of_each_chunk(kind);
  linear_kernels kernel = linear_kernels_of(i);
  kernel.gemm =
      kind.value_bits == 8 ? bitmask_gemm_of<8>(i, values) : bitmask_gemm_of<4>(i, values);
  return kernel;
}
#endif

}  // namespace PARE_KERNEL_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// y = act(x * W^T + bias), weights with a bitmask.
///
/// Inputs, outputs, options, arithmetic, scratch and errors are those of `linear` with dense int8
/// weights (kernels/linear.hpp): the same layer gives the same bits. One row is as fast as half of
/// the weights can be read; many rows are slower than dense, at half the memory.
///
/// @param x             [rows, in] in f32, s8 or u8; columns side by side, rows any stride apart
/// @param layer         from `pack_bitmask_linear`
/// @param y             [rows, out] in f32 (for f32 x), or s32, f32, s8 or u8; as x; must not overlap
/// x
/// @param scratch       for f32: `linear_workspace_size` bytes, or none for a few rows at a time on
/// the stack
/// @param parallel_for  see core/parallel.hpp
/// @return as `linear` with dense weights; y is untouched where it fails
///
/// Never allocates.
template <class X, class EX, class LX, class Y, class EY, class LY, class Parallel = serial>
status linear(const tensor_view<X, EX, LX>& x, const packed_bitmask_linear_view& layer,
              const tensor_view<Y, EY, LY>& y, workspace scratch = {},
              const Parallel& parallel_for = {}) noexcept {
  packed_linear_view base = layer.base;
  if constexpr (detail::has_no_caches) base.tile_columns = 4;  // the only width of Cortex-M
  return detail::linear_by(detail::bitmask_kernels_of(layer.weights.kind), x, base, y, scratch,
                           parallel_for);
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_KERNELS_BITMASK_LINEAR_HPP
