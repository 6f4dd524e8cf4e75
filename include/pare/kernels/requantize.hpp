// Codes of 8 bits with another scale, zero point or sign: TensorFlow Lite's QUANTIZE from codes to
// codes (reference_ops::Requantize).
//
//     constexpr auto p = pare::make_requantize_params<std::uint8_t, std::int8_t>(in, out).value();
//     pare::requantize(x, p, y);
//
// There are 256 codes only, so a large tensor goes through a table of their results.
#ifndef PARE_KERNELS_REQUANTIZE_HPP
#define PARE_KERNELS_REQUANTIZE_HPP

#include <pare/core/fixed_point.hpp>
#include <pare/kernels/table.hpp>

namespace pare {

/// How codes of type X become codes of type Y, from `make_requantize_params`.
template <class X, class Y = X>
struct requantize_params {
  std::int32_t zero_point_x = 0;
  std::int32_t zero_point_y = 0;
  float factor = 1.0f;                 ///< scale of x / scale of y
  fixed_multiplier fixed{1 << 30, 1};  ///< the same in fixed point
  requantization rule = requantization::double_rounding;

  constexpr PARE_ALWAYS_INLINE Y operator()(X x) const noexcept {
    return static_cast<Y>(pare::requantize(rule, x - zero_point_x, factor, fixed, zero_point_y,
                                           detail::least_code<Y>, detail::most_code<Y>));
  }
};

namespace detail {

constexpr PARE_ALWAYS_INLINE status check_rule(requantization rule) noexcept {
  switch (rule) {
    case requantization::nearest:
    case requantization::onnx:
    case requantization::double_rounding:
    case requantization::single_rounding: return {};
  }
  return {status_code::invalid_argument, "the rule is none of those offered", "rule"};
}

}  // namespace detail

/// From the parameters of both sides.
///
/// @tparam X    std::int8_t or std::uint8_t
/// @tparam Y    the same
/// @param rule  how to round: `double_rounding` is TensorFlow Lite's default
/// @return `non_finite` or `out_of_range` for scales and zero points, `out_of_range` too where x
///         has 2^22 times the scale of y, which overflows in TensorFlow Lite, `invalid_argument`
///         for the rule
template <class X, class Y = X>
[[nodiscard]] constexpr PARE_ALWAYS_INLINE result<requantize_params<X, Y>> make_requantize_params(
    affine_params x, affine_params y,
    requantization rule = requantization::double_rounding) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_code_params<X>(x, "x"));
  PARE_RETURN_IF_ERROR(detail::check_code_params<Y>(y, "y"));
  PARE_RETURN_IF_ERROR(detail::check_rule(rule));
  const double factor = static_cast<double>(x.scale) / static_cast<double>(y.scale);
  if (!(factor < 4194304.0)) {
    return {status_code::out_of_range, "the scale of x must be less than 2^22 times that of y",
            "x"};
  }
  requantize_params<X, Y> p;
  p.zero_point_x = x.zero_point;
  p.zero_point_y = y.zero_point;
  p.factor = static_cast<float>(factor);
  p.fixed = make_fixed_multiplier(factor);
  p.rule = rule;
  return p;
}

namespace detail {
inline namespace PARE_ABI {

template <class X, class Y>
constexpr code_table<X, Y> table_of(const requantize_params<X, Y>& p) noexcept {
  code_table<X, Y> table;
  for (std::int32_t x = least_code<X>; x <= most_code<X>; ++x) {
    table.codes[static_cast<std::uint8_t>(x)] = p(static_cast<X>(x));
  }
  return table;
}

/// Shapes and strides have been checked.
template <class X, class CodeX, class CodeY, class Y, class Parallel>
void requantize_checked(const X& x, const requantize_params<CodeX, CodeY>& p, const Y& y,
                        const Parallel& parallel_for) noexcept {
  if (x.size() >= 256) return apply_table_checked(x, table_of(p), y, parallel_for);
  const CodeX* from = x.data_handle();
  CodeY* to = y.data_handle();
  for_each_run(runs_of(x, y), serial{}, [&](const index_t(&at)[2], index_t n) {
    for (index_t i = 0; i < n; ++i) to[at[1] + i] = p(from[at[0] + i]);
  });
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// y = clamp(rescale(x - zero_point_x) + zero_point_y), element by element, by the rule in p.
///
/// @param x             any rank, elements along the last axis side by side, other axes any stride
///                      apart
/// @param p             from `make_requantize_params`
/// @param y             same shape; as x; may be x itself where both have the same type
/// @param parallel_for  see core/parallel.hpp
/// @return `shape_mismatch`, or `unsupported` where elements of the last axis lie apart; y is then
///         untouched
template <class X, class EX, class LX, class CodeX, class Y, class EY, class LY,
          class Parallel = serial>
status requantize(const tensor_view<X, EX, LX>& x, const requantize_params<CodeX, Y>& p,
                  const tensor_view<Y, EY, LY>& y, const Parallel& parallel_for = {}) noexcept {
  static_assert(std::is_same_v<std::remove_const_t<X>, CodeX>,
                "pare: the parameters are for codes of another type");
  PARE_RETURN_IF_ERROR(detail::check_elementwise(x, y));
  detail::requantize_checked(x, p, y, parallel_for);
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_KERNELS_REQUANTIZE_HPP
