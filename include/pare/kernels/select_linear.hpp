// Which panels a linear layer gets, and which kernel then runs it: the one selector, shared by size
// query, packer and call.
#ifndef PARE_KERNELS_SELECT_LINEAR_HPP
#define PARE_KERNELS_SELECT_LINEAR_HPP

#include <pare/format/packed_linear.hpp>
#include <pare/kernels/gemm_s8.hpp>
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
    case isa::sse2:
    case isa::avx2:
    case isa::avx512bw:
    case isa::avxvnni:
    case isa::neon:
    case isa::dotprod:
    case isa::i8mm: return tile_columns == 16;
    case isa::avx512vnni:
      return tile_columns == 16 || tile_columns == 32 || tile_columns == 48 || tile_columns == 64;
  }
  return false;
}

/// Inputs side by side in panels for kernels of `i`.
///
/// @param taps, tap_bytes  of a convolution. Taps with an odd number of groups of four would have a
/// group of zeros each: they get panels of four, which the kernel for SDOT reads
constexpr PARE_ALWAYS_INLINE std::int32_t linear_k_group(isa i, index_t taps = 1,
                                                         index_t tap_bytes = 0) noexcept {
  return i == isa::i8mm && (taps == 1 || ceil_div(tap_bytes, 4) % 2 == 0) ? 8 : 4;
}

/// Whether kernels of `i` read the panels of a layer.
constexpr PARE_ALWAYS_INLINE bool reads_panels(isa i, const packed_linear_view& layer) noexcept {
  return reads_tile(i, layer.tile_columns) &&
         (i == isa::scalar || layer.k_group == linear_k_group(i));
}

}  // namespace detail

/// The instruction set whose kernel `linear` runs for this layer now: the best one up to the active
/// one that reads its panels. `isa::scalar` on a machine with more means that the layer was packed
/// for another machine: pack it again.
PARE_ALWAYS_INLINE isa linear_kernel(const packed_linear_view& layer) noexcept {
  for (int i = static_cast<int>(active_isa()); i > 0; --i) {
    const isa candidate = static_cast<isa>(i);
    if (is_supported(candidate) && detail::reads_panels(candidate, layer)) return candidate;
  }
  return isa::scalar;
}

/// What `linear` runs for a layer on this machine, and why; for logs, and for the question whether
/// something better could be had.
struct kernel_choice {
  isa instruction_set = isa::scalar;
  const char* kernel = "";        ///< its name: tile, K-group and instruction set
  std::int32_t tile_rows = 1;     ///< of the tallest tile that these rows get, where y is codes
  std::int32_t tile_columns = 1;  ///< outputs of a tile
  bool is_fastest = true;         ///< false: this machine has a faster way, see `reason`
  const char* reason = "";        ///< a sentence
};

/// Explains the kernel for `rows` rows of activations.
///
///     const auto choice = pare::explain_linear(layer, x.extent(0));
///     if (!choice.is_fastest) std::puts(choice.reason);
PARE_ALWAYS_INLINE kernel_choice explain_linear(const packed_linear_view& layer,
                                                index_t rows) noexcept {
  kernel_choice choice;
  choice.instruction_set = linear_kernel(layer);
  choice.tile_columns = layer.tile_columns;
  std::int32_t most_rows = 1;
  switch (choice.instruction_set) {
    case isa::scalar:
#if PARE_MVE_KERNELS
      choice.kernel = "gemm_s8_2x4c4_mve", most_rows = 2;
#elif PARE_DSP_KERNELS
      choice.kernel = "gemm_s8_2x4c4_dsp", most_rows = 2;
#else
      choice.kernel = "gemm_s8_scalar";
#endif
      break;
    case isa::sse2: choice.kernel = "gemm_s8_2x16c4_sse2", most_rows = 2; break;
    case isa::avx2: choice.kernel = "gemm_s8_4x16c4_avx2", most_rows = 4; break;
    case isa::avx512bw: choice.kernel = "gemm_s8_6x16c4_avx512bw", most_rows = 6; break;
    case isa::avxvnni: choice.kernel = "gemm_s8_6x16c4_avxvnni", most_rows = 6; break;
    case isa::avx512vnni:
      choice.kernel = "gemm_s8_6x64c4_avx512vnni";
      most_rows = static_cast<std::int32_t>(kernels::avx512_tile_rows(
          layer.tile_columns, layer.panel_bytes(), kernels::output_kind::q8));
      if (layer.tile_columns == 64 && (rows == 7 || rows == 8)) {
        most_rows = 8, choice.tile_columns = 32;
      }
      break;
    case isa::neon: choice.kernel = "gemm_s8_2x16c4_neon", most_rows = 2; break;
    case isa::dotprod: choice.kernel = "gemm_s8_6x16c4_dotprod", most_rows = 6; break;
    case isa::i8mm: choice.kernel = "gemm_s8_6x16c8_i8mm", most_rows = 6; break;
  }
  if (rows > 0) {
    const index_t tiles = detail::ceil_div(rows, most_rows);
    choice.tile_rows = static_cast<std::int32_t>(detail::ceil_div(rows, tiles));
  }

  choice.is_fastest = false;
  if ((PARE_DSP_KERNELS || PARE_MVE_KERNELS) && layer.tile_columns != 4) {
    choice.reason = "Cortex-M reads panels of four columns: pack the layer again for isa::scalar";
  } else if (!detail::reads_panels(active_isa(), layer)) {
    choice.reason =
        "the layer was packed for another instruction set than the active one: pack it again";
  } else if ((choice.instruction_set == isa::avx2 || choice.instruction_set == isa::neon) &&
             layer.has_minus_128 != 0) {
    choice.reason =
        "a weight is -128, which the fast 16-bit products cannot hold: quantize to [-127, 127]";
  } else if (layer.in_features > 0 && layer.in_features < 4) {
    choice.reason = "with less than four inputs, rows are copied: join several into one";
  } else if ((is_supported(isa::avx2) && choice.instruction_set < isa::avx2) ||
             ((is_supported(isa::sse2) || is_supported(isa::neon)) &&
              choice.instruction_set == isa::scalar)) {
    choice.reason = "set_active_isa holds the machine below what it can do";
  } else {
    choice.is_fastest = true;
    choice.reason = "the fastest kernel for this machine and shape";
  }
  return choice;
}

}  // namespace pare

#endif  // PARE_KERNELS_SELECT_LINEAR_HPP
