// Whether pruning pays: which form of int8 weights runs a layer fastest, 'stay dense' included, from
// what a mask leaves and how many rows of activations there are.
//
// A model of the kernels' time, linear in what they do, with coefficients fitted to 216 measured
// products on a Zen 5 core with AVX-512 VNNI (512 x 512 and 1024 x 1024 weights, 1 to 128 rows,
// masks of 1x4, 4x4 and 16x4 at 50 to 95 %); bench_sparse checks it. For other x86 it is a
// guess of the order, not of the time; for ARM it is not measured at all, and says so (`is_measured`):
// docs/sparse.md has instruction counts.
#ifndef PARE_KERNELS_SELECT_SPARSE_HPP
#define PARE_KERNELS_SELECT_SPARSE_HPP

#include <pare/format/bitmask.hpp>

namespace pare {

/// What is left of a matrix [rows, columns], counted in blocks that hold something.
struct sparse_statistics {
  index_t rows = 0, columns = 0;
  index_t blocks_1x4 = 0, blocks_4x4 = 0, blocks_16x4 = 0;
  index_t stored = 0;          ///< weights one by one
  std::int32_t is_2_of_4 = 0;  ///< 1: no group of four in a row keeps more than two
};

enum class sparse_form : std::uint8_t { dense, blocks_1x4, blocks_4x4, blocks_16x4, bitmask };

/// Where the weights are when a layer runs: in the caches, or, as in a network that is larger than
/// those and runs row by row, in memory, whose speed then decides.
enum class weights_in : std::uint8_t { caches, memory };

/// "dense", "1x4", "4x4", "16x4", "bitmask"
constexpr PARE_ALWAYS_INLINE const char* name(sparse_form form) noexcept {
  switch (form) {
    case sparse_form::dense: return "dense";
    case sparse_form::blocks_1x4: return "1x4";
    case sparse_form::blocks_4x4: return "4x4";
    case sparse_form::blocks_16x4: return "16x4";
    case sparse_form::bitmask: return "bitmask";
  }
  return "unknown";
}

/// The form that is fastest by the model.
struct sparse_choice {
  sparse_form form = sparse_form::dense;
  bcsr_shape shape{};       ///< for `pack_sparse_linear`, where the form has blocks
  bitmask_kind kind{};      ///< for `pack_bitmask_linear`, where the form is bitmask
  const char* kernel = "";  ///< the call that runs it
  double microseconds = 0;  ///< predicted, for inputs and outputs as rows, one thread
  double speed_up = 1;      ///< over the dense form, predicted; 1 for dense
  /// Whether the model is of machines like this one. Where it is not, as on ARM, the form is a guess,
  /// and times and speed-ups claim nothing.
  bool is_measured = PARE_X86_KERNELS != 0;
};

namespace detail {

inline constexpr sparse_form all_sparse_forms[] = {sparse_form::dense, sparse_form::blocks_1x4,
                                                   sparse_form::blocks_4x4,
                                                   sparse_form::blocks_16x4, sparse_form::bitmask};

/// Bytes of the weights.
constexpr PARE_ALWAYS_INLINE double sparse_bytes(const sparse_statistics& s,
                                                 sparse_form form) noexcept {
  const double all = static_cast<double>(s.rows) * static_cast<double>(s.columns);
  switch (form) {
    case sparse_form::dense: return all;
    case sparse_form::blocks_1x4: return 6.0 * static_cast<double>(s.blocks_1x4);
    case sparse_form::blocks_4x4: return 18.0 * static_cast<double>(s.blocks_4x4);
    case sparse_form::blocks_16x4: return 66.0 * static_cast<double>(s.blocks_16x4);
    case sparse_form::bitmask: return all / 8 + static_cast<double>(s.stored);
  }
  return 0;
}

/// Predicted microseconds for `rows` rows of activations, weights in the caches.
constexpr PARE_ALWAYS_INLINE double sparse_time(const sparse_statistics& s, index_t rows,
                                                sparse_form form) noexcept {
  const double n = static_cast<double>(s.rows), k = static_cast<double>(s.columns);
  const double m = static_cast<double>(rows), registers = static_cast<double>(ceil_div(rows, 16));
  const double panels = static_cast<double>(ceil_div(rows, 64));
  // What must be read from behind the second-level cache.
  constexpr double cached_weights = 524288, cached_blocks = 8192;
  switch (form) {
    case sparse_form::dense:
      return n * k * (8.73e-7 * m + 5.25e-6 * static_cast<double>(ceil_div(rows, 6))) +
             2.72e-4 * n * m + 1.03e-5 * max(0.0, n * k - cached_weights);
    case sparse_form::blocks_1x4: {
      const double blocks = static_cast<double>(s.blocks_1x4);
      const double k_blocks =
          blocks * 4 <= 0.15 * n * k ? 1 : static_cast<double>(ceil_div(s.columns, 512));
      return blocks * (1.84e-4 * registers + 2.06e-4 * panels) +
             n * (6.69e-4 * registers + 2.55e-3 * panels * k_blocks) + k / 4 * 2.68e-3 * registers;
    }
    case sparse_form::blocks_4x4:
      return static_cast<double>(s.blocks_4x4) * (4.84e-4 * registers + 3.13e-4 * panels) +
             n * (4.78e-4 * registers + 1.76e-3 * panels) + k / 4 * 1.91e-3 * registers;
    case sparse_form::blocks_16x4: {
      const double blocks = static_cast<double>(s.blocks_16x4);
      const double groups = static_cast<double>(ceil_div(rows, 8));
      return blocks * (1.37e-4 * m + 3.23e-4 * groups) + n * (8.17e-5 * m + 1.74e-3 * groups) +
             4.3e-4 * max(0.0, blocks - cached_blocks);
    }
    case sparse_form::bitmask: {
      const double chunks = n * k / 64, bytes = sparse_bytes(s, form);
      const double each = rows <= 8 ? 6.2e-4 + 1.3e-4 * m : 1.6e-3 + 1.6e-4 * m;
      return chunks * each + 2.72e-4 * n * m + 1.03e-5 * max(0.0, bytes - cached_weights);
    }
  }
  return 0;
}

/// The same with weights in the caches or in memory.
constexpr PARE_ALWAYS_INLINE double sparse_time(const sparse_statistics& s, index_t rows,
                                                sparse_form form, weights_in where) noexcept {
  const double time = sparse_time(s, rows, form);
  if (where == weights_in::caches) return time;
  // A bitmask comes more slowly than dense weights and blocks, but for 2:4, whose values cross no
  // cache lines.
  double of_byte = 3.6e-5;
  if (form == sparse_form::bitmask) of_byte = s.is_2_of_4 != 0 ? 4.0e-5 : 5.4e-5;
  return max(time, sparse_bytes(s, form) * of_byte);
}

constexpr PARE_ALWAYS_INLINE bcsr_shape shape_of(sparse_form form) noexcept {
  return {form == sparse_form::blocks_1x4 ? 1 : form == sparse_form::blocks_16x4 ? 16 : 4, 4, 0};
}

}  // namespace detail

inline namespace PARE_ABI {

/// Counts what a mask, or where there is none, what the non-zeros leave.
///
/// @param codes  int8 [rows, columns], any layout
/// @param mask   uint8, the same shape, or without data
/// @return `shape_mismatch` for the mask
template <class T, class E, class L, class Mask = no_mask>
[[nodiscard]] result<sparse_statistics> sparse_statistics_of(const tensor_view<T, E, L>& codes,
                                                             const Mask& mask = {}) noexcept {
  static_assert(E::rank() == 2, "pare: weights are [out, in]");
  if (mask.data_handle() != nullptr &&
      (mask.extent(0) != codes.extent(0) || mask.extent(1) != codes.extent(1))) {
    return {status_code::shape_mismatch, "a mask has the shape of its weights", "mask"};
  }
  const auto count = [&](sparse_form form) {
    const bcsr_shape shape = detail::with_k_block(detail::shape_of(form), codes.extent(1));
    return detail::count_blocks(codes, mask, shape);
  };
  const bcsr_shape each = detail::with_k_block({1, 1, 0}, codes.extent(1));
  const bool is_2_of_4 = detail::check_rows_keep(codes, mask, {2, 4}).is_ok();
  return sparse_statistics{codes.extent(0),
                           codes.extent(1),
                           count(sparse_form::blocks_1x4),
                           count(sparse_form::blocks_4x4),
                           count(sparse_form::blocks_16x4),
                           detail::count_blocks(codes, mask, each),
                           is_2_of_4 ? 1 : 0};
}

/// The fastest form for `rows` rows of activations.
///
///     const auto stats = pare::sparse_statistics_of(w8.view().codes).value();
///     const auto choice = pare::select_sparse_linear(stats, x.extent(0));
///     if (choice.form != pare::sparse_form::dense) { ... pack_sparse_linear(w8, choice.shape) ... }
///
/// @param rows   not negative
/// @param where  the weights are while the layer runs
constexpr sparse_choice select_sparse_linear(const sparse_statistics& s, index_t rows,
                                             weights_in where = weights_in::caches) noexcept {
  const double dense = detail::sparse_time(s, rows, sparse_form::dense, where);
  sparse_choice choice{sparse_form::dense, {}, {}, "linear(packed_linear_view)", dense, 1};
  for (const sparse_form form : detail::all_sparse_forms) {
    const double time = detail::sparse_time(s, rows, form, where);
    if (!(time < choice.microseconds)) continue;
    choice = {form,        detail::shape_of(form), {}, "linear(packed_sparse_linear_view)", time,
              dense / time};
    if (form == sparse_form::bitmask) {
      choice.kernel = "linear(packed_bitmask_linear_view)";
      if (s.is_2_of_4 != 0) choice.kind.pattern = {2, 4};
    }
  }
  return choice;
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_KERNELS_SELECT_SPARSE_HPP
