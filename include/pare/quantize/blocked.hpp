// Affine codes with a scale for each block along any axis of a tensor of any rank, as ONNX
// QuantizeLinear has them from version 21 on. Weights [out, in] with 16-bit scales: grouped.hpp.
//
//     auto w8 = pare::quantize_blocked(w.view(), 32, options).value();  // options.axis = 1
//     pare::dequantize(w8.view(), back.view());
#ifndef PARE_QUANTIZE_BLOCKED_HPP
#define PARE_QUANTIZE_BLOCKED_HPP

#include <pare/core/tensor.hpp>
#include <pare/format/blocked.hpp>
#include <pare/quantize/affine.hpp>

namespace pare {

/// Blocked codes with their scales, owned.
template <class Code, std::size_t Rank>
struct blocked_tensor {
  tensor<Code, Rank> codes;                ///< row-major
  tensor<float, Rank> scales;              ///< as codes, but ceil(extent / block) along the axis
  tensor<std::int32_t, Rank> zero_points;  ///< as scales; none where all are 0
  int axis = 0;
  index_t block = 32;

  PARE_ALWAYS_INLINE blocked_view<Code, dextents<index_t, Rank>> view() const noexcept {
    return {codes.view(), scales.view(), zero_points.view(), axis, block};
  }
};

namespace detail {
inline namespace PARE_ABI {

/// The shape of the scales of blocks.
template <class View>
dextents<index_t, View::rank()> block_counts(const View& v, int axis, index_t block) noexcept {
  index_t shape[View::rank()];
  for (std::size_t r = 0; r < View::rank(); ++r) {
    shape[r] = static_cast<int>(r) == axis ? ceil_div(static_cast<index_t>(v.extent(r)), block)
                                           : static_cast<index_t>(v.extent(r));
  }
  return dextents<index_t, View::rank()>(shape);
}

inline status check_block(index_t block) noexcept {
  if (block >= 1) return {};
  return {status_code::out_of_range, "a block has at least one index", "block"};
}

/// f(from, to, count, i) for each block, where i counts the scales in row-major order. Elements of a
/// block lie a.stride(axis) and b.stride(axis) apart. Both are an `any_view`.
template <class A, class B, class F>
void for_each_block_along(const A& a, const B& b, int axis, index_t block, F f) noexcept {
  constexpr std::size_t rank = A::rank();
  const auto along = static_cast<std::size_t>(axis);
  const dextents<index_t, rank> counts = block_counts(a, axis, block);
  index_t at[rank] = {};
  if (a.empty()) return;
  for (index_t i = 0;; ++i) {
    index_t at_a = 0, at_b = 0;
    for (std::size_t r = 0; r < rank; ++r) {
      const index_t index = r == along ? at[r] * block : at[r];
      at_a += index * static_cast<index_t>(a.stride(r));
      at_b += index * static_cast<index_t>(b.stride(r));
    }
    const index_t first = at[along] * block;
    f(a.data_handle() + at_a, b.data_handle() + at_b,
      min(block, static_cast<index_t>(a.extent(along)) - first), i);
    std::size_t r = rank;
    for (; r > 0; --r) {
      if (++at[r - 1] < counts.extent(r - 1)) break;
      at[r - 1] = 0;
    }
    if (r == 0) return;
  }
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Quantizes blocks of consecutive indices along an axis, each by its own range.
///
/// @tparam Code    std::int8_t or std::uint8_t
/// @param x        rank 1 or higher, any layout, finite; may be empty
/// @param block    indices that share a scale, at least 1; need not divide the extent
/// @param options  `axis` is a dimension of x
/// @param errors   gathers what is lost, where it is not null
/// @return `out_of_range` for bits, axis or block, `invalid_argument` for an option that is none of
///         those offered, `non_finite` with the first NaN or infinity, `out_of_memory`
template <class Code = std::int8_t, class T, class E, class L>
[[nodiscard]] result<blocked_tensor<Code, E::rank()>> quantize_blocked(
    tensor_view<T, E, L> x, index_t block, affine options, error_meter* errors = nullptr) noexcept {
  static_assert(detail::is_float<T>, "pare: codes are made of float");
  static_assert(detail::is_affine_code<Code>, "pare: codes are std::int8_t or std::uint8_t");
  static_assert(E::rank() > 0, "pare: a single number has no axis");
  PARE_RETURN_IF_ERROR(detail::check_options(options));
  PARE_RETURN_IF_ERROR(detail::check_rule(options.rule));
  PARE_RETURN_IF_ERROR(detail::check_axis(options.axis, E::rank()));
  PARE_RETURN_IF_ERROR(detail::check_block(block));
  const auto all = detail::input(x);
  const auto counts = detail::block_counts(all, options.axis, block);
  auto codes = tensor<Code, E::rank()>::create(dextents<index_t, E::rank()>(x.extents()));
  if (!codes) return codes.error();
  auto scales = tensor<float, E::rank()>::create(counts);
  if (!scales) return scales.error();
  auto zero_points = tensor<std::int32_t, E::rank()>::create(counts);
  if (!zero_points) return zero_points.error();

  const auto to = detail::output(codes->view());
  const auto along = static_cast<std::size_t>(options.axis);
  const index_t step = all.stride(along), code_step = to.stride(along);
  const detail::code_range range =
      detail::codes_of<Code>(options.scheme, options.rule, options.bits, options.span);
  bool finite = true, has_zero_points = false;
  detail::for_each_block_along(
      all, to, options.axis, block, [&](const float* from, Code* out, index_t count, index_t i) {
        detail::range_scan scan(*from);
        scan.add_row(from, count, step);
        finite = finite && scan.all_finite();
        if (!finite) return;
        const affine_params p = detail::choose_checked<Code>(scan.range(), options);
        scales->data()[i] = p.scale;
        zero_points->data()[i] = p.zero_point;
        has_zero_points = has_zero_points || p.zero_point != 0;
        detail::with_rule(options.rule, [&](auto rule) {
          detail::quantize_row(from, step, out, code_step, count,
                               detail::quantizer<rule>(p, range));
        });
        for (index_t k = 0; errors != nullptr && k < count; ++k) {
          errors->add(from[k * step],
                      static_cast<float>(out[k * code_step] - p.zero_point) * p.scale);
        }
      });
  if (!finite) return detail::find_non_finite(all, "x").error();
  if (!has_zero_points) *zero_points = tensor<std::int32_t, E::rank()>();
  return blocked_tensor<Code, E::rank()>{*std::move(codes), *std::move(scales),
                                         *std::move(zero_points), options.axis, block};
}

/// (code - zero_point) * scale of its block, rounded once to float.
///
/// @param out  the shape of the codes, any layout
/// @return `shape_mismatch` for `out`, scales or zero points, `out_of_range` for axis, block or the
///         parameters of a block, `non_finite`; `out` is then untouched
template <class Code, class E, class L, class OutE, class OutL>
[[nodiscard]] status dequantize(const blocked_view<Code, E, L>& x,
                                tensor_view<float, OutE, OutL> out) noexcept {
  static_assert(detail::is_affine_code<Code>, "pare: codes are std::int8_t or std::uint8_t");
  PARE_RETURN_IF_ERROR(detail::check_axis(x.axis, E::rank()));
  PARE_RETURN_IF_ERROR(detail::check_block(x.block));
  PARE_RETURN_IF_ERROR(detail::check_same_shape(x.codes, out, "out"));
  const auto counts = detail::block_counts(x.codes, x.axis, x.block);
  const bool has_zero_points = !x.zero_points.empty();
  for (std::size_t r = 0; r < E::rank(); ++r) {
    if (x.scales.extent(r) != counts.extent(r)) {
      return {status_code::shape_mismatch, "there is a scale for each block", "scales",
              position_kind::axis, static_cast<index_t>(r)};
    }
    if (has_zero_points && x.zero_points.extent(r) != counts.extent(r)) {
      return {status_code::shape_mismatch, "there are as many zero points as scales, or none",
              "zero_points", position_kind::axis, static_cast<index_t>(r)};
    }
  }
  const auto params = [&](index_t i) {
    return affine_params{x.scales.data_handle()[i],
                         has_zero_points ? x.zero_points.data_handle()[i] : 0};
  };
  for (index_t i = 0; i < static_cast<index_t>(x.scales.size()); ++i) {
    PARE_RETURN_IF_ERROR(detail::check_params<Code>(params(i), i, position_kind::element));
  }
  const auto from = detail::input(x.codes);
  const auto to = detail::output(out);
  const auto along = static_cast<std::size_t>(x.axis);
  detail::for_each_block_along(
      from, to, x.axis, x.block, [&](const Code* codes, float* y, index_t count, index_t i) {
        detail::dequantize_row(codes, from.stride(along), y, to.stride(along), count, params(i));
      });
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_BLOCKED_HPP
