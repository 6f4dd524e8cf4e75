// Which panels a linear layer gets, and which kernel then runs it: the one selector, shared by size
// query, packer and call.
#ifndef PARE_KERNELS_SELECT_LINEAR_HPP
#define PARE_KERNELS_SELECT_LINEAR_HPP

#include <pare/format/packed_linear.hpp>
#include <pare/kernels/isa.hpp>

namespace pare {
namespace detail {

/// Columns of a panel for kernels of `i`.
///
/// AVX-512 has panels of 16 to 64 columns. Wide ones keep both multiply ports busy; narrow ones
/// waste less on columns that do not exist: the cost is the padded width over the share of the peak
/// that a width reaches.
constexpr PARE_ALWAYS_INLINE std::int32_t linear_tile_columns(isa i,
                                                              index_t out_features) noexcept {
  if (i == isa::scalar) return 4;
  if (i != isa::avx512vnni) return 16;
  constexpr struct {
    std::int32_t columns, percent_of_peak;
  } widths[] = {{64, 100}, {48, 98}, {32, 95}, {16, 60}};
  std::int32_t best = 64;
  double best_cost = 0;
  for (const auto& w : widths) {
    const double cost =
        static_cast<double>(ceil_div(out_features, w.columns)) * w.columns / w.percent_of_peak;
    if (best_cost == 0 || cost < best_cost) best_cost = cost, best = w.columns;
  }
  return best;
}

/// Whether kernels of `i` read panels of this width. Scalar code reads all.
constexpr PARE_ALWAYS_INLINE bool reads_tile(isa i, std::int32_t tile_columns) noexcept {
  switch (i) {
    case isa::scalar: return true;
    case isa::avx2:
    case isa::avxvnni: return tile_columns == 16;
    case isa::avx512vnni:
      return tile_columns == 16 || tile_columns == 32 || tile_columns == 48 || tile_columns == 64;
  }
  return false;
}

}  // namespace detail

/// The instruction set whose kernel `linear` runs for this layer now: the best one up to the active
/// one that reads its panels. `isa::scalar` on a machine with more means that the layer was packed
/// for another machine: pack it again.
PARE_ALWAYS_INLINE isa linear_kernel(const packed_linear_view& layer) noexcept {
  for (int i = static_cast<int>(active_isa()); i > 0; --i) {
    const isa candidate = static_cast<isa>(i);
    if (is_supported(candidate) && detail::reads_tile(candidate, layer.tile_columns))
      return candidate;
  }
  return isa::scalar;
}

}  // namespace pare

#endif  // PARE_KERNELS_SELECT_LINEAR_HPP
