// Boxes of 8-bit codes copied and filled, whatever their strides.
#ifndef PARE_KERNELS_COPY_CODES_HPP
#define PARE_KERNELS_COPY_CODES_HPP

#include <cstring>

#include <pare/kernels/element_runs.hpp>

namespace pare::detail {
inline namespace PARE_ABI {

/// Codes of one type with any strides.
template <class T, std::size_t Rank>
using any_view = tensor_view<T, dextents<index_t, Rank>, layout_stride>;

/// The part of `v` that begins at `first` and has the extents `shape`.
template <class T, std::size_t Rank>
any_view<T, Rank> part_of(const any_view<T, Rank>& v, const index_t (&first)[Rank],
                          const index_t (&shape)[Rank]) noexcept {
  using view_type = any_view<T, Rank>;
  typename view_type::mapping_type::strides_type strides{};
  index_t offset = 0;
  bool is_empty = false;
  for (std::size_t r = 0; r < Rank; ++r) {
    strides[r] = v.stride(r);
    offset += first[r] * v.stride(r);
    is_empty = is_empty || shape[r] == 0;
  }
  // An empty part may begin one past the end.
  return view_type(is_empty ? v.data_handle() : v.data_handle() + offset,
                   typename view_type::mapping_type(dextents<index_t, Rank>(shape), strides));
}

/// y = x, of the same shape, both with unit runs.
template <class X, class Y, class Parallel>
void copy_codes(const X& x, const Y& y, const Parallel& parallel_for) noexcept {
  static_assert(sizeof(typename Y::value_type) == 1 &&
                    std::is_same_v<typename X::value_type, typename Y::value_type>,
                "pare: codes are bytes");
  const auto* from = x.data_handle();
  auto* to = y.data_handle();
  for_each_run(runs_of(x, y), parallel_for, [&](const index_t(&at)[2], index_t n) {
    std::memcpy(to + at[1], from + at[0], static_cast<std::size_t>(n));
  });
}

/// y = value, with unit runs.
template <class Y, class Parallel>
void fill_codes(const Y& y, typename Y::value_type value, const Parallel& parallel_for) noexcept {
  static_assert(sizeof(value) == 1, "pare: codes are bytes");
  auto* to = y.data_handle();
  for_each_run(runs_of(y), parallel_for, [&](const index_t(&at)[1], index_t n) {
    std::memset(to + at[0], static_cast<std::uint8_t>(value), static_cast<std::size_t>(n));
  });
}

}  // namespace PARE_ABI
}  // namespace pare::detail

#endif  // PARE_KERNELS_COPY_CODES_HPP
