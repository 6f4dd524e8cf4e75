// Walks one or two views of the same shape in long rows: loops are ordered by memory and merged
// where strides allow, so that a contiguous tensor of any rank is a single row.
#ifndef PARE_QUANTIZE_DETAIL_ROWS_HPP
#define PARE_QUANTIZE_DETAIL_ROWS_HPP

#include <pare/core/tensor_view.hpp>

namespace pare::detail {
inline namespace PARE_ABI {

/// A loop over one or more dimensions: what one step adds to the offset in each view and to the
/// index along the channels' axis.
struct row_loop {
  index_t count = 1;
  index_t step_a = 1;
  index_t step_b = 1;
  index_t step_channel = 0;

  /// Whether `inner` and this loop around it are one longer loop.
  constexpr bool continues(const row_loop& inner) const noexcept {
    return step_a == inner.count * inner.step_a && step_b == inner.count * inner.step_b &&
           step_channel == inner.count * inner.step_channel;
  }
};

/// A view with nothing left in its type but the rank and the element type, so that loops are
/// compiled once for all layouts and static extents.
template <class T, std::size_t Rank>
using any_view = tensor_view<T, dextents<index_t, Rank>, layout_stride>;

template <class T, class E, class L>
any_view<const T, E::rank()> input(const tensor_view<T, E, L>& v) noexcept {
  return v;
}
template <class T, class E, class L>
any_view<T, E::rank()> output(const tensor_view<T, E, L>& v) noexcept {
  return v;
}

/// The indices [first, first + count) along `axis` of an `any_view`.
template <class View>
View slice_of(const View& v, int axis, index_t first, index_t count) noexcept {
  constexpr std::size_t rank = View::rank();
  if constexpr (rank == 0) {
    return v;
  } else {
    using mapping = typename View::mapping_type;
    index_t shape[rank];
    typename mapping::strides_type strides{};
    for (std::size_t r = 0; r < rank; ++r) {
      shape[r] = static_cast<int>(r) == axis ? count : v.extent(r);
      strides[r] = v.stride(r);
    }
    const auto at = static_cast<std::size_t>(axis);
    return View(v.data_handle() + first * strides[at],
                mapping(dextents<index_t, rank>(shape), strides));
  }
}

/// Whether the steps along `axis` are the longest in memory.
template <class View>
bool is_outermost(const View& v, int axis) noexcept {
  const auto length = [&v](std::size_t r) {
    const auto step = static_cast<index_t>(v.stride(r));
    return v.extent(r) == 1 ? index_t{0} : step < 0 ? -step : step;
  };
  for (std::size_t r = 0; r < View::rank(); ++r) {
    if (length(r) > length(static_cast<std::size_t>(axis))) return false;
  }
  return true;
}

/// f(a, b, channel, row) for rows that together visit every pair of elements once, in no promised
/// order.
///
/// Element i of the row is a[i * row.step_a] and b[i * row.step_b], and belongs to channel
/// `channel + i * row.step_channel`: the step is 1 in rows along `axis` and 0 in all others. The
/// first view decides the order.
///
/// @param axis  the channels' dimension, or negative where there are none: `channel` is then 0
template <class A, class B, class F>
void for_each_row(const A& a, const B& b, int axis, F f) {
  static_assert(A::rank() == B::rank(), "pare: both views have the same rank");
  PARE_ASSERT(same_shape(a, b), "both views must have the same shape");
  constexpr std::size_t rank = A::rank();
  const auto distance = [](index_t step) { return step < 0 ? -step : step; };

  // Outermost first, the longest stride outermost; dimensions of one element need no loop.
  row_loop loops[rank + 1];
  std::size_t depth = 0;
  for (std::size_t r = 0; r < rank; ++r) {
    const row_loop loop{static_cast<index_t>(a.extent(r)), static_cast<index_t>(a.stride(r)),
                        static_cast<index_t>(b.stride(r)), static_cast<int>(r) == axis ? 1 : 0};
    if (loop.count == 0) return;
    if (loop.count == 1) continue;
    std::size_t at = depth++;
    for (; at > 0 && distance(loops[at - 1].step_a) < distance(loop.step_a); --at) {
      loops[at] = loops[at - 1];
    }
    loops[at] = loop;
  }
  std::size_t merged = depth > 0 ? 1 : 0;
  for (std::size_t i = 1; i < depth; ++i) {
    if (loops[merged - 1].continues(loops[i])) {
      const index_t count = loops[merged - 1].count * loops[i].count;
      loops[merged - 1] = loops[i];
      loops[merged - 1].count = count;
    } else {
      loops[merged++] = loops[i];
    }
  }
  if (merged == 0) loops[merged++] = row_loop{};  // a single element

  const row_loop& row = loops[merged - 1];
  const std::size_t outer = merged - 1;
  index_t done[rank + 1] = {};
  index_t at_a = 0, at_b = 0, channel = 0;
  for (;;) {
    f(a.data_handle() + at_a, b.data_handle() + at_b, channel, row);
    std::size_t d = outer;
    for (; d > 0; --d) {
      const row_loop& loop = loops[d - 1];
      at_a += loop.step_a;
      at_b += loop.step_b;
      channel += loop.step_channel;
      if (++done[d - 1] < loop.count) break;
      at_a -= loop.count * loop.step_a;
      at_b -= loop.count * loop.step_b;
      channel -= loop.count * loop.step_channel;
      done[d - 1] = 0;
    }
    if (d == 0) return;
  }
}

/// f(a, channel, row) for the rows of a single view.
template <class A, class F>
void for_each_row(const A& a, int axis, F f) {
  for_each_row(a, a, axis, [&f](auto* at, auto*, index_t channel, const row_loop& row) {
    f(at, channel, row);
  });
}

}  // namespace PARE_ABI
}  // namespace pare::detail

#endif  // PARE_QUANTIZE_DETAIL_ROWS_HPP
