// Weights as codes on grids, whatever the scheme: what the methods that decide codes one by one give
// back, and rounding to nearest, which they are compared with.
//
//     const auto w4 = pare::quantize_to_grid(w.view(), pare::nf4_scheme(), 64).value();
//     const auto back = pare::dequantize(w4).value();
#ifndef PARE_QUANTIZE_GRID_TENSOR_HPP
#define PARE_QUANTIZE_GRID_TENSOR_HPP

#include <type_traits>
#include <utility>

#include <pare/core/parallel.hpp>
#include <pare/core/tensor.hpp>
#include <pare/format/grouped.hpp>
#include <pare/quantize/affine.hpp>
#include <pare/quantize/grid.hpp>
#include <pare/quantize/grouped.hpp>

namespace pare {

/// What a scheme fits to a group.
template <class Scheme>
using grid_of = decltype(std::declval<const Scheme&>().fit(group_view()));

/// How codes of a grid are stored: affine ones are signed, all others count from 0.
template <class Grid>
using grid_code = std::conditional_t<std::is_same_v<Grid, affine_grid>, std::int8_t, std::uint8_t>;

/// Codes of weights [out, in] with a grid for each group of consecutive inputs of an output.
///
/// @tparam Grid  trivially copyable, as those of grid.hpp
template <class Grid>
struct grid_tensor {
  tensor<grid_code<Grid>, 2> codes;  ///< [out, in]
  tensor<Grid, 2> grids;             ///< [out, ceil(in / group)]
  index_t group = 0;                 ///< inputs that share a grid; the last group may have fewer

  PARE_ALWAYS_INLINE float value(index_t out, index_t in) const noexcept {
    return grids(out, in / group).value(codes(out, in));
  }
};

namespace detail {

template <class Grid, class = void>
inline constexpr bool has_float_scale = std::is_same_v<Grid, affine_grid>;
template <class Grid>
inline constexpr bool
    has_float_scale<Grid, std::enable_if_t<std::is_same_v<decltype(Grid::scale), float>>> = true;

/// The factor of all values of a grid, to be read and changed.
template <class Grid>
float& scale_in(Grid& grid) noexcept {
  static_assert(has_float_scale<Grid>, "pare: the scale of this grid is not any float");
  if constexpr (std::is_same_v<Grid, affine_grid>) {
    return grid.params.scale;
  } else {
    return grid.scale;
  }
}

template <class Scheme, class = void>
inline constexpr bool weighs_inputs = false;
template <class Scheme>
inline constexpr bool weighs_inputs<
    Scheme, std::void_t<decltype(std::declval<const Scheme&>().fit(group_view(), nullptr))>> = true;

/// The scheme's grid for a group; `importance` of each value counts where the scheme asks for it.
template <class Scheme>
grid_of<Scheme> fit_grid(const Scheme& scheme, const group_view& x, const float* importance) {
  if constexpr (weighs_inputs<Scheme>) {
    return scheme.fit(x, importance);
  } else {
    return scheme.fit(x);
  }
}

template <class Scheme, class = void>
inline constexpr bool can_be_wrong = false;
template <class Scheme>
inline constexpr bool
    can_be_wrong<Scheme, std::void_t<decltype(std::declval<const Scheme&>().check())>> = true;

/// What is wrong with a scheme's options, if they can be.
template <class Scheme>
[[nodiscard]] status check_scheme(const Scheme& scheme) noexcept {
  if constexpr (can_be_wrong<Scheme>) {
    return scheme.check();
  } else {
    return {};
  }
}

inline namespace PARE_ABI {

/// Checks weights [out, in]; a group of 0 is the whole row. Returns the inputs of a group.
template <class View>
[[nodiscard]] result<index_t> check_weights(const View& w, index_t group) noexcept {
  if (group < 0) {
    return {status_code::out_of_range, "a group has at least one input, or 0 for all", "group"};
  }
  if (w.empty()) return {status_code::empty, "there are no weights", "w"};
  PARE_RETURN_IF_ERROR(check_finite(w, "w"));
  const index_t in = w.extent(1);
  return group == 0 || group > in ? in : group;
}

template <class Grid>
[[nodiscard]] result<grid_tensor<Grid>> make_grid_tensor(index_t out, index_t in,
                                                         index_t group) noexcept {
  auto codes = tensor<grid_code<Grid>, 2>::create(dextents<index_t, 2>(out, in));
  if (!codes) return codes.error();
  auto grids = tensor<Grid, 2>::create(dextents<index_t, 2>(out, ceil_div(in, group)));
  if (!grids) return grids.error();
  return grid_tensor<Grid>{*std::move(codes), *std::move(grids), group};
}

/// Fits grids to all groups of row `row`, whose weights start at x.
template <class Scheme>
void fit_row(const Scheme& scheme, const float* x, index_t step, const float* importance,
             index_t row, grid_tensor<grid_of<Scheme>>& q) noexcept {
  const index_t in = q.codes.extent(1);
  for (index_t g = 0; g < q.grids.extent(1); ++g) {
    const index_t first = g * q.group;
    q.grids(row, g) = fit_grid(scheme, group_view{x + first * step, min(q.group, in - first), step},
                               importance == nullptr ? nullptr : importance + first);
  }
}

/// The nearest codes of row `row` on grids that are there already.
template <class Grid>
void round_row(const float* x, index_t step, index_t row, grid_tensor<Grid>& q) noexcept {
  const index_t in = q.codes.extent(1);
  for (index_t g = 0; g < q.grids.extent(1); ++g) {
    const Grid grid = q.grids(row, g);
    const index_t first = g * q.group, last = min(first + q.group, in);
    for (index_t i = first; i < last; ++i) {
      q.codes(row, i) = static_cast<grid_code<Grid>>(grid.code(x[i * step]));
    }
  }
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Rounds weights to the nearest values of their grids.
///
/// @param w       [out, in], any layout, finite
/// @param scheme  fits a grid to each group
/// @param group   consecutive inputs that share a grid, 0 for all of an output; need not divide `in`
/// @return `out_of_range` or `invalid_argument` for scheme or group, `empty`, `non_finite` with the
///         first NaN or infinity, `out_of_memory`
template <class T, class E, class L, class Scheme, class Parallel = serial>
[[nodiscard]] result<grid_tensor<grid_of<Scheme>>> quantize_to_grid(
    tensor_view<T, E, L> w, const Scheme& scheme, index_t group = 0,
    const Parallel& parallel = {}) noexcept {
  static_assert(detail::is_float<T> && E::rank() == 2, "pare: weights are [out, in] of float");
  PARE_RETURN_IF_ERROR(detail::check_scheme(scheme));
  const auto inputs = detail::check_weights(detail::input(w), group);
  if (!inputs) return inputs.error();
  const index_t out = static_cast<index_t>(w.extent(0)), in = static_cast<index_t>(w.extent(1));
  auto q = detail::make_grid_tensor<grid_of<Scheme>>(out, in, *inputs);
  if (!q) return q;
  parallel(out, [&](index_t row) {
    const float* x = w.data_handle() + row * static_cast<index_t>(w.stride(0));
    const index_t step = static_cast<index_t>(w.stride(1));
    detail::fit_row(scheme, x, step, nullptr, row, *q);
    detail::round_row(x, step, row, *q);
  });
  return q;
}

/// The weights that the codes stand for.
///
/// @param out  [out, in], any layout
/// @return `shape_mismatch`; `out` is then untouched
template <class Grid, class E, class L>
[[nodiscard]] status dequantize(const grid_tensor<Grid>& q, tensor_view<float, E, L> out) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_same_shape(q.codes.view(), out, "out"));
  for (index_t r = 0; r < q.codes.extent(0); ++r) {
    for (index_t i = 0; i < q.codes.extent(1); ++i) out(r, i) = q.value(r, i);
  }
  return {};
}

/// As above, into a new tensor.
///
/// @return `out_of_memory`
template <class Grid>
[[nodiscard]] result<tensor<float, 2>> dequantize(const grid_tensor<Grid>& q) noexcept {
  auto out = tensor<float, 2>::create(q.codes.extents());
  if (out) PARE_RETURN_IF_ERROR(dequantize(q, out->view()));
  return out;
}

/// Affine codes with one grid for each output, as `pack_linear` takes them.
///
/// @return `unsupported` where outputs have more than one grid; `out_of_memory`
[[nodiscard]] inline result<affine_tensor<std::int8_t, 2>> to_affine(
    const grid_tensor<affine_grid>& q) noexcept {
  if (q.grids.extent(1) > 1) {
    return {status_code::unsupported, "an output has one scale here: quantize in groups of 0", "q"};
  }
  const index_t out = q.codes.extent(0);
  auto codes = tensor<std::int8_t, 2>::copy_of(q.codes.view());
  if (!codes) return codes.error();
  auto scales = tensor<float, 1>::create(dextents<index_t, 1>(out));
  if (!scales) return scales.error();
  auto zero_points = tensor<std::int32_t, 1>::create(dextents<index_t, 1>(out));
  if (!zero_points) return zero_points.error();
  bool has_zero_points = false;
  for (index_t r = 0; r < out; ++r) {
    (*scales)(r) = q.grids(r, 0).params.scale;
    (*zero_points)(r) = q.grids(r, 0).params.zero_point;
    has_zero_points = has_zero_points || (*zero_points)(r) != 0;
  }
  if (!has_zero_points) *zero_points = tensor<std::int32_t, 1>();
  return affine_tensor<std::int8_t, 2>{*std::move(codes), *std::move(scales),
                                       *std::move(zero_points), 0};
}

/// Affine codes in groups with 16-bit scales, as `pack_grouped_linear` takes them.
///
/// @return `unsupported` where a scale is not exact in half: `half_scheme` makes them so;
///         `out_of_memory`
[[nodiscard]] inline result<grouped_tensor> to_grouped(const grid_tensor<affine_grid>& q) noexcept {
  auto codes = tensor<std::int8_t, 2>::copy_of(q.codes.view());
  if (!codes) return codes.error();
  auto scales = tensor<half, 2>::create(q.grids.extents());
  if (!scales) return scales.error();
  auto zero_points = tensor<std::int8_t, 2>::create(q.grids.extents());
  if (!zero_points) return zero_points.error();
  bool has_zero_points = false;
  for (index_t i = 0; i < q.grids.size(); ++i) {
    const affine_params p = q.grids.data()[i].params;
    const half scale(p.scale);
    if (static_cast<float>(scale) != p.scale) {
      return {status_code::unsupported, "a scale is not exact in half: fit it by half_scheme", "q",
              position_kind::element, i};
    }
    scales->data()[i] = scale;
    zero_points->data()[i] = static_cast<std::int8_t>(p.zero_point);
    has_zero_points = has_zero_points || p.zero_point != 0;
  }
  if (!has_zero_points) *zero_points = tensor<std::int8_t, 2>();
  return grouped_tensor{*std::move(codes), *std::move(scales), *std::move(zero_points), q.group};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_GRID_TENSOR_HPP
