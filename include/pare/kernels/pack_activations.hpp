// Activations as rows -> panels, and how a product goes over panels.
#ifndef PARE_KERNELS_PACK_ACTIVATIONS_HPP
#define PARE_KERNELS_PACK_ACTIVATIONS_HPP

#include <pare/core/parallel.hpp>
#include <pare/core/workspace.hpp>
#include <pare/format/activation_panels.hpp>
#include <pare/kernels/isa.hpp>
#include <pare/kernels/linear_shapes.hpp>
#include <pare/kernels/scalar/spmm_s8.hpp>

#if PARE_KERNELS_HERE
#include <pare/kernels/neon/panels_neon.hpp>
#include <pare/kernels/x86/spmm_s8_ymm.hpp>
#include <pare/kernels/x86/transpose_avx512.hpp>
#endif

namespace pare {
namespace detail {
inline namespace PARE_KERNEL_ABI {

/// See scalar::pack_panel.
using pack_panel_function = void (*)(const std::uint8_t* x, index_t stride, index_t rows,
                                     index_t bytes, std::uint8_t flip,
                                     std::uint8_t* panel) noexcept;
PARE_KERNEL_TABLE pack_panel_function pack_panel_kernel_of(isa i) noexcept;

#if PARE_KERNELS_HERE
PARE_KERNEL_TABLE pack_panel_function pack_panel_kernel_of(isa i) noexcept {
  switch (i) {
#if PARE_X86_KERNELS
    case isa::avx512vnni: return kernels::avx512vnni::pack_panel;
    case isa::avxvnni:
    case isa::avx512bw:
    case isa::avx2: return kernels::avx2::pack_panel;
#elif PARE_NEON_KERNELS
    case isa::neon:
    case isa::dotprod:
    case isa::i8mm: return kernels::neon::pack_panel;
#endif
    default: return kernels::scalar::pack_panel;
  }
}
#endif

}  // namespace PARE_KERNEL_ABI

inline namespace PARE_ABI {

/// By which codes are changed on their way into panels for this machine.
template <class Code>
std::uint8_t flip_of_panels() noexcept {
  return std::is_signed_v<Code> == kernels::has_signed_panels(active_isa()) ? 0 : 0x80;
}

/// Fewer panels than this: parts of the outputs are shared out too.
inline constexpr index_t enough_panels = 8, chunk_tiles = 16;

/// Calls run(block) for the parts of a product, panel by panel; before(first row) once for each
/// panel.
template <class Before, class Run, class Parallel>
void run_panels(index_t rows, index_t columns, const Before& before, const Run& run,
                const Parallel& parallel_for) noexcept {
  const index_t panels = ceil_div(rows, panel_rows);
  const index_t tiles = ceil_div(columns, index_t{sparse_tile_columns});
  if (panels >= enough_panels || tiles <= chunk_tiles) {
    return parallel_for(panels, [&](index_t i) {
      before(i * panel_rows);
      run(kernels::gemm_block{i * panel_rows, min(rows, (i + 1) * panel_rows), 0, tiles});
    });
  }
  parallel_for(panels, [&](index_t i) { before(i * panel_rows); });
  const index_t chunks = ceil_div(tiles, chunk_tiles);
  parallel_for(panels * chunks, [&](index_t i) {
    const index_t row = i / chunks * panel_rows, tile = i % chunks * chunk_tiles;
    run(kernels::gemm_block{row, min(rows, row + panel_rows), tile,
                            min(tiles, tile + chunk_tiles)});
  });
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Puts activations in panels for the sparse kernels of this machine.
///
/// @param x       [rows, features] of s8, u8 or float; columns side by side, rows any stride apart
/// @param memory  `activation_panels_size` bytes, 64-byte aligned; must outlive the result
/// @return `unsupported` where columns lie apart, `overflow`, `workspace_too_small`
template <class X, class E, class L, class Parallel = serial>
[[nodiscard]] result<activation_panels_view<std::remove_const_t<X>>> pack_activations(
    const tensor_view<X, E, L>& x, workspace memory, const Parallel& parallel_for = {}) noexcept {
  using element = std::remove_const_t<X>;
  static_assert(E::rank() == 2, "pare: activations are [rows, features]");
  if (!detail::has_unit_columns(x)) {
    return {status_code::unsupported, "the columns of a row must lie side by side", "x",
            position_kind::axis, 1};
  }
  const index_t rows = x.extent(0),
                bytes_of_row = x.extent(1) * static_cast<index_t>(sizeof(element));
  const auto bytes = activation_panels_size<element>(rows, x.extent(1));
  if (!bytes) return bytes.error();
  auto* panels = memory.take<std::uint8_t>(*bytes);
  if (panels == nullptr && *bytes > 0) {
    return {status_code::workspace_too_small,
            "the memory for the panels is shorter than activation_panels_size says", "memory",
            position_kind::byte, *bytes};
  }
  activation_panels_view<element> to{reinterpret_cast<element*>(panels), rows, x.extent(1), 0};
  if constexpr (sizeof(element) == 1) to.flip = detail::flip_of_panels<element>();
  const auto pack_panel = detail::pack_panel_kernel_of(active_isa());
  const auto* from = reinterpret_cast<const std::uint8_t*>(x.data_handle());
  const index_t stride = x.stride(0) * static_cast<index_t>(sizeof(element));
  const index_t quads = detail::panel_quads<element>(x.extent(1));
  parallel_for(detail::ceil_div(rows, detail::panel_rows), [&](index_t i) {
    const index_t row = i * detail::panel_rows;
    pack_panel(from + row * stride, stride, detail::min(detail::panel_rows, rows - row),
               bytes_of_row, to.flip, panels + 4 * row * quads);
  });
  return to;
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_KERNELS_PACK_ACTIVATIONS_HPP
