// Slices of a tensor along an axis, each side by side in memory, for what needs all of a channel at
// once.
#ifndef PARE_QUANTIZE_DETAIL_CHANNELS_HPP
#define PARE_QUANTIZE_DETAIL_CHANNELS_HPP

#include <pare/core/tensor.hpp>
#include <pare/format/affine.hpp>
#include <pare/quantize/detail/rows.hpp>

namespace pare::detail {
inline namespace PARE_ABI {

/// Indices along the axis, or 1 per tensor.
template <class View>
index_t channels_of(const View& x, int axis) noexcept {
  return axis == per_tensor ? 1 : static_cast<index_t>(x.extent(static_cast<std::size_t>(axis)));
}

/// f(value of x, value of y, channel) for each pair, in the same order for all views of a layout.
template <class X, class Y, class F>
void for_each_in_channels(const X& x, const Y& y, int axis, F f) {
  for_each_row(x, y, axis, [&f](auto* a, auto* b, index_t channel, const row_loop& row) {
    for (index_t i = 0; i < row.count; ++i) {
      f(a[i * row.step_a], b[i * row.step_b], channel + i * row.step_channel);
    }
  });
}
template <class X, class F>
void for_each_in_channels(const X& x, int axis, F f) {
  for_each_in_channels(x, x, axis, [&f](auto& a, auto&, index_t channel) { f(a, channel); });
}

template <std::size_t R, class A, class B, class C, class F>
void visit_three(const A& a, const B& b, const C& c, int axis, index_t at_a, index_t at_b,
                 index_t at_c, index_t channel, F& f) noexcept {
  if constexpr (R == A::rank()) {
    f(a.data_handle()[at_a], b.data_handle()[at_b], c.data_handle()[at_c], channel);
  } else {
    const index_t count = a.extent(R);
    const bool along = axis == static_cast<int>(R);
    for (index_t i = 0; i < count; ++i) {
      visit_three<R + 1>(a, b, c, axis, at_a + i * a.stride(R), at_b + i * b.stride(R),
                         at_c + i * c.stride(R), along ? i : channel, f);
    }
  }
}

/// f(a, b, c, channel) for the elements of three views of one shape, in row-major order.
template <class A, class B, class C, class F>
void for_each_of_three(const A& a, const B& b, const C& c, int axis, F f) noexcept {
  PARE_ASSERT(same_shape(a, b) && same_shape(a, c), "all views must have the same shape");
  visit_three<0>(a, b, c, axis, 0, 0, 0, 0, f);
}

/// Copies of x as [channels, elements of a channel], and with it those of `beside`, of the same shape
/// and any layout. x is not empty; the axis has been checked.
template <class X, class Y>
status gather_channels(const X& x, const Y& beside, int axis, tensor<float, 2>& gathered,
                       tensor<float, 2>* gathered_beside) noexcept {
  const index_t channels = channels_of(x, axis);
  const dextents<index_t, 2> shape(channels, static_cast<index_t>(x.size()) / channels);
  auto first = tensor<float, 2>::create(shape);
  if (!first) return first.error();
  auto second =
      tensor<float, 2>::create(gathered_beside != nullptr ? shape : dextents<index_t, 2>(0, 0));
  if (!second) return second.error();
  auto filled = tensor<index_t, 1>::create(dextents<index_t, 1>(channels));
  if (!filled) return filled.error();
  for_each_in_channels(x, beside, axis, [&](float a, float b, index_t channel) {
    const index_t at = (*filled)(channel)++;
    (*first)(channel, at) = a;
    if (gathered_beside != nullptr) (*second)(channel, at) = b;
  });
  gathered = *std::move(first);
  if (gathered_beside != nullptr) *gathered_beside = *std::move(second);
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare::detail

#endif  // PARE_QUANTIZE_DETAIL_CHANNELS_HPP
