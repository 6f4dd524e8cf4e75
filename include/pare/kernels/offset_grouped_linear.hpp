// y = act(x * W^T + bias) with grouped weights that have an offset for each group: the codes' product,
// and the sums of the inputs of each group times its offsets.
#ifndef PARE_KERNELS_OFFSET_GROUPED_LINEAR_HPP
#define PARE_KERNELS_OFFSET_GROUPED_LINEAR_HPP

#include <pare/kernels/grouped_linear.hpp>
#include <pare/kernels/pack_offset_grouped_linear.hpp>
#include <pare/kernels/scalar/add_offsets.hpp>

#if PARE_KERNELS_HERE
#include <pare/kernels/x86/add_offsets_avx2.hpp>
#endif

namespace pare {

/// The instruction set whose kernel `linear` runs for this layer now: see the form for 8 bits.
PARE_ALWAYS_INLINE isa linear_kernel(const packed_offset_grouped_linear_view& layer) noexcept {
  return linear_kernel(layer.base);
}

namespace detail {

using add_offsets_function = void (*)(const kernels::add_offsets_args&) noexcept;

inline namespace PARE_KERNEL_ABI {

PARE_KERNEL_TABLE add_offsets_function add_offsets_of(isa i) noexcept;

#if PARE_KERNELS_HERE
PARE_KERNEL_TABLE add_offsets_function add_offsets_of(isa i) noexcept {
#if PARE_X86_KERNELS
  if (has_avx2(i)) return kernels::avx2::add_offsets;
#endif
  static_cast<void>(i);
  return kernels::scalar::add_offsets;
}
#endif

}  // namespace PARE_KERNEL_ABI

inline namespace PARE_ABI {

/// The sum of some inputs: of every fourth one from 0 on, then of those four sums, two by two.
inline float sum_of_inputs(const float* x, index_t count) noexcept {
  float sums[4] = {};
  for (index_t i = 0; i < count; ++i) sums[i % 4] += x[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/// What the offsets add to some outputs of one row, 128 groups after the other; then the activation.
inline void add_offsets_to_row(add_offsets_function add, const float* x,
                               const packed_offset_grouped_linear_view& layer, index_t first_column,
                               index_t columns, float* y) noexcept {
  constexpr index_t at_once = 128;
  const index_t groups = layer.base.groups(), group = layer.base.group;
  float sums[at_once];
  for (index_t first = 0; first < groups; first += at_once) {
    const index_t count = min(at_once, groups - first);
    for (index_t g = 0; g < count; ++g) {
      const index_t at = (first + g) * group;
      sums[g] = sum_of_inputs(x + at, min(group, layer.base.in_features - at));
    }
    kernels::add_offsets_args args;
    args.sums = sums;
    args.groups = count;
    args.stride = layer.offset_stride();
    args.offsets = layer.offsets + first * args.stride + first_column;
    args.y = y + first_column;
    args.columns = columns;
    add(args);
  }
  const activation_range range = range_of(layer.act);
  for (index_t c = first_column; c < first_column + columns; ++c) {
    y[c] = clamp(y[c], range.low, range.high);
  }
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Bytes of scratch that `linear` uses for `rows` rows: those of the codes' product.
///
/// @return `overflow` where they do not fit the index type
[[nodiscard]] constexpr result<index_t> offset_grouped_linear_workspace_size(
    const packed_offset_grouped_linear_view& layer, index_t rows) noexcept {
  return grouped_linear_workspace_size(layer.base, rows);
}

/// y = act(x * W^T + bias), grouped weights of 4 or 8 bits with offsets.
///
/// The codes' product is that of `linear` for grouped weights. The offsets meet the inputs in f32 in
/// either arithmetic: they add no error but that of summing a group and the groups. All instruction
/// sets and any number of threads give the same bits.
///
/// @param x, y, scratch, parallel_for  as there
/// @param layer                        from `pack_offset_grouped_linear`
/// @return as there; y is untouched on failure
template <class X, class EX, class LX, class EY, class LY, class Parallel = serial>
status linear(const tensor_view<X, EX, LX>& x, const packed_offset_grouped_linear_view& layer,
              const tensor_view<float, EY, LY>& y, workspace scratch = {},
              const Parallel& parallel_for = {}) noexcept {
  PARE_RETURN_IF_ERROR(linear(x, layer.base, y, scratch, parallel_for));
  const strided_matrix_view<const float> rows(x);
  const strided_matrix_view<float> out(y);
  if (rows.extent(0) == 0 || layer.base.out_features == 0) return {};
  const detail::add_offsets_function add = detail::add_offsets_of(active_isa());
  constexpr index_t columns_at_once = 1024;
  const index_t blocks = detail::ceil_div(layer.base.out_features, columns_at_once);
  parallel_for(rows.extent(0) * blocks, [&](index_t i) {
    const index_t row = i / blocks, first = i % blocks * columns_at_once;
    detail::add_offsets_to_row(add, rows.data_handle() + row * rows.stride(0), layer, first,
                               detail::min(columns_at_once, layer.base.out_features - first),
                               out.data_handle() + row * out.stride(0));
  });
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_KERNELS_OFFSET_GROUPED_LINEAR_HPP
