// Affine quantization to 8 bit and less: code = round(x / scale) + zero_point, with one scale for the tensor
// or one for each channel, by the rules of PyTorch, ONNX or TensorFlow Lite.
//
// Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
// Inference", 2018, arXiv:1712.05877. The sources of the three rules are named in
// quantize/detail/scale_rules.hpp.
//
//     auto w8 = pare::quantize(w, pare::affine{.axis = 0}).value();  // s8, one scale a row
//     pare::dequantize(w8.view(), back);
//
// Results are the same bits for every instruction set and for -ffast-math. One thing is beyond the
// code here: where the program has denormal numbers flushed to zero, as GCC's -ffast-math does when
// it links, scales and values below 2^-126 count as zero.
#ifndef PARE_QUANTIZE_AFFINE_HPP
#define PARE_QUANTIZE_AFFINE_HPP

#include <pare/core/tensor.hpp>
#include <pare/format/affine.hpp>
#include <pare/quantize/detail/affine_row.hpp>
#include <pare/quantize/detail/rows.hpp>
#include <pare/quantize/detail/scale_rules.hpp>
#include <pare/quantize/error_meter.hpp>
#include <pare/quantize/range.hpp>
#include <pare/quantize/rules.hpp>

namespace pare {

/// How a tensor is quantized.
struct affine {
  int bits = 8;           ///< of a code, 2 to 8; each code is stored in a byte
  int axis = per_tensor;  ///< the dimension with a scale for each index: 0 for weights [out, in]
  symmetry scheme = symmetry::symmetric;
  affine_rule rule = affine_rule::pytorch;
  code_span span = code_span::by_rule;  ///< of symmetric codes
};

/// Affine codes with their scales, owned.
///
/// @tparam Code  std::int8_t or std::uint8_t
template <class Code, std::size_t Rank>
struct affine_tensor {
  tensor<Code, Rank> codes;             ///< row-major
  tensor<float, 1> scales;              ///< one, or one for each index along `axis`
  tensor<std::int32_t, 1> zero_points;  ///< as many as scales; none where all are 0
  int axis = per_tensor;

  PARE_ALWAYS_INLINE affine_view<Code, dextents<index_t, Rank>> view() const noexcept {
    return {codes.view(), scales.view(), zero_points.view(), axis};
  }
  /// Bytes of codes, scales and zero points.
  PARE_ALWAYS_INLINE index_t bytes() const noexcept {
    return codes.size() * static_cast<index_t>(sizeof(Code)) +
           scales.size() * static_cast<index_t>(sizeof(float)) +
           zero_points.size() * static_cast<index_t>(sizeof(std::int32_t));
  }
};

namespace detail {
inline namespace PARE_ABI {

inline status check_options(const affine& options) noexcept {
  if (options.bits < 2 || options.bits > 8) {
    return {status_code::out_of_range, "codes have 2 to 8 bits", "bits"};
  }
  if (options.scheme != symmetry::symmetric && options.scheme != symmetry::asymmetric) {
    return {status_code::invalid_argument, "the scheme is none of those offered", "scheme"};
  }
  if (options.span > code_span::restricted) {
    return {status_code::invalid_argument, "the span of codes is none of those offered", "span"};
  }
  return {};
}

inline status check_rule(affine_rule rule) noexcept {
  switch (rule) {
    case affine_rule::pytorch:
    case affine_rule::onnx:
    case affine_rule::tflite:
    case affine_rule::compressed_tensors: return {};
  }
  return {status_code::invalid_argument, "the rule is none of those offered", "rule"};
}

/// f(std::integral_constant<affine_rule, rule>) for a rule that has been checked.
template <class F>
void with_rule(affine_rule rule, F f) noexcept {
  switch (rule) {
    case affine_rule::pytorch:
      f(std::integral_constant<affine_rule, affine_rule::pytorch>());
      break;
    case affine_rule::onnx: f(std::integral_constant<affine_rule, affine_rule::onnx>()); break;
    case affine_rule::tflite: f(std::integral_constant<affine_rule, affine_rule::tflite>()); break;
    case affine_rule::compressed_tensors:
      f(std::integral_constant<affine_rule, affine_rule::compressed_tensors>());
      break;
  }
}

template <class Code>
status check_params(affine_params p, index_t at, position_kind kind) noexcept {
  if (!is_finite(p.scale)) {
    return {status_code::non_finite, "the scale is a NaN or an infinity", "scale", kind, at};
  }
  if (!is_valid_scale(p.scale)) {
    return {status_code::out_of_range,
            "a scale is positive, and so large that its inverse is finite", "scale", kind, at};
  }
  if (p.zero_point < full_codes<Code>.min || p.zero_point > full_codes<Code>.max) {
    return {status_code::out_of_range, "the zero point is not a code", "zero_point", kind, at};
  }
  return {};
}

template <class A, class B>
status check_same_shape(const A& a, const B& b, const char* subject) noexcept {
  static_assert(A::rank() == B::rank(), "pare: floats and codes have the same rank");
  for (std::size_t r = 0; r < A::rank(); ++r) {
    if (static_cast<index_t>(a.extent(r)) != static_cast<index_t>(b.extent(r))) {
      return {status_code::shape_mismatch, "floats and codes have the same shape", subject,
              position_kind::axis, static_cast<index_t>(r)};
    }
  }
  return {};
}

/// Whether there is a scale for each of `channels`, and as many zero points or none.
inline status check_channels(channel_view<const float> scales,
                             channel_view<const std::int32_t> zero_points,
                             index_t channels) noexcept {
  if (scales.extent(0) != channels) {
    return {status_code::shape_mismatch,
            "there is one scale for the tensor, or one for each index along the axis", "scales"};
  }
  if (zero_points.extent(0) != channels && zero_points.extent(0) != 0) {
    return {status_code::shape_mismatch, "there are as many zero points as scales, or none",
            "zero_points"};
  }
  return {};
}

/// Codes of finite x; everything has been checked. `axis` may be `per_tensor`.
template <class Floats, class Codes>
void quantize_checked(const Floats& x, int axis, const channel_view<const float>& scales,
                      const channel_view<const std::int32_t>& zero_points, affine_rule rule,
                      code_range range, const Codes& codes, error_meter* errors) noexcept {
  for_each_row(
      x, codes, axis,
      [&](const float* from, typename Codes::value_type* to, index_t channel, const row_loop& row) {
        // With errors, a block at a time: they are taken while its codes are in the cache.
        const index_t block = errors == nullptr ? row.count : min(row.count, index_t{1024});
        for (index_t first = 0; first < row.count; first += block) {
          const index_t count = min(block, row.count - first);
          const index_t own = channel + first * row.step_channel;
          const float* values = from + first * row.step_a;
          typename Codes::value_type* codes_of_block = to + first * row.step_b;
          with_rule(rule, [&](auto chosen) {
            if (row.step_channel == 0) {
              const quantizer<chosen> code_of(params_at(scales, zero_points, own), range);
              quantize_row(values, row.step_a, codes_of_block, row.step_b, count, code_of);
            } else {
              quantize_channels<chosen>(values, row.step_a, codes_of_block, row.step_b, count, own,
                                        scales, zero_points, range);
            }
          });
          for (index_t i = 0; errors != nullptr && i < count; ++i) {
            const affine_params p = params_at(scales, zero_points, own + i * row.step_channel);
            const std::int32_t steps = codes_of_block[i * row.step_b] - p.zero_point;
            errors->add(values[i * row.step_a], static_cast<float>(steps) * p.scale);
          }
        }
      });
}

/// Floats of codes; everything has been checked. `axis` may be `per_tensor`.
template <class Codes, class Floats>
void dequantize_checked(const Codes& codes, int axis, const channel_view<const float>& scales,
                        const channel_view<const std::int32_t>& zero_points,
                        const Floats& out) noexcept {
  for_each_row(
      codes, out, axis,
      [&](const typename Codes::value_type* from, float* to, index_t channel, const row_loop& row) {
        if (row.step_channel == 0) {
          dequantize_row(from, row.step_a, to, row.step_b, row.count,
                         params_at(scales, zero_points, channel));
        } else {
          dequantize_channels(from, row.step_a, to, row.step_b, row.count, channel, scales,
                              zero_points);
        }
      });
}

/// Channels [first, first + count).
template <class T>
channel_view<const T> part_of(const vector_view<T>& channels, index_t first,
                              index_t count) noexcept {
  return vector_view<const T>(channels.data_handle() + first, count);
}

/// A single value as a channel.
template <class T>
channel_view<const T> one_channel(const T& value) noexcept {
  return tensor_view<const T, extents<index_t, 1>>(&value, extents<index_t, 1>());
}

template <class Code>
affine_params choose_checked(value_range range, const affine& options) noexcept {
  if (options.scheme == symmetry::symmetric)
    return symmetric_params<Code>(range, options.rule, options.bits, options.span);
  const code_range codes = codes_with<Code>(options.bits);
  switch (options.rule) {
    case affine_rule::pytorch: return pytorch_params(with_zero(range), codes);
    case affine_rule::onnx: return onnx_params(with_zero(range), codes);
    case affine_rule::tflite: return tflite_params(with_zero(range), codes);
    case affine_rule::compressed_tensors:
      return onnx_params(with_zero(range), codes, std::numeric_limits<float>::epsilon());
  }
  return {};
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Scale and zero point for values in `range`, to which 0 is added where it lies outside.
///
/// Symmetric, with amax the larger magnitude of the two bounds, and zero points 0 and 128:
///
/// | rule    | s8                                | u8                              |
/// |---------|-----------------------------------|---------------------------------|
/// | pytorch | amax / 127.5, codes -128 to 127   | amax / 127.5, codes 0 to 255    |
/// | onnx    | amax / 127, codes -127 to 127     | amax / 127.5, codes 0 to 255    |
/// | tflite  | amax / 127, codes -127 to 127     | amax / 127, codes 1 to 255      |
///
/// `compressed_tensors` has the codes of `pytorch`. `options.span` takes the codes from -128 or 0
/// (`full`), with the scale amax / 127.5, or from -127 or 1 (`restricted`), with amax / 127, whatever
/// the rule.
///
/// Asymmetric, with qmin and qmax the ends of the type:
///
/// | rule    | scale, rounded to float           | zero point                      |
/// |---------|-----------------------------------|---------------------------------|
/// | pytorch | (max - min) / 255 in float        | clamp(qmin - even(min / scale)) |
/// | onnx    | (max - min) / 255 in float        | even(clamp(qmin - min / scale)) |
/// | tflite  | (max - min) / 255 in double       | away(clamp(z)), in double       |
///
/// where even and away round ties to even and away from zero, and z is qmin - min / scale or
/// qmax - max / scale, the first where |qmin| + |min / scale| is less than the same of max.
/// `compressed_tensors` is as `onnx`; for a range of nothing, where it has a NaN, the zero point is qmin.
///
/// With fewer bits the same holds for their codes: 4 bits have -8 to 7, so amax / 7.5 or amax / 7.
/// Symmetric u8 codes have the zero point 2^(bits - 1).
///
/// Small ranges: a scale of `pytorch` is at least 2^-23. By the other rules a scale of 0, or one
/// that is not valid because its inverse is infinite, becomes 1, and asymmetric `tflite` has zero
/// point 0 there; symmetric `onnx` has 1 for all scales below 2^-126. `compressed_tensors` has 2^-23
/// in place of a scale of 0, and only there. Large ranges: where max - min
/// overflows float, which makes the scale of the frameworks infinite, it is taken in double.
///
/// Asymmetric u8 codes by `onnx` are those of DynamicQuantizeLinear. Where the frameworks do not
/// have a combination (s8 there, symmetric u8 by `tflite`), the formula is used with its codes.
///
/// @tparam Code    std::int8_t or std::uint8_t
/// @param range    finite, min <= max
/// @param options  `axis` is not used
/// @return `out_of_range` for bits outside 2 to 8, `non_finite`, or `invalid_argument` where min >
///         max or an option is none of those offered
template <class Code>
[[nodiscard]] result<affine_params> choose_params(value_range range, affine options = {}) noexcept {
  static_assert(detail::is_affine_code<Code>, "pare: codes are std::int8_t or std::uint8_t");
  PARE_RETURN_IF_ERROR(detail::check_options(options));
  PARE_RETURN_IF_ERROR(detail::check_rule(options.rule));
  PARE_RETURN_IF_ERROR(detail::check_range(range));
  return detail::choose_checked<Code>(range, options);
}

/// Codes with one scale for the whole tensor.
///
/// | rule    | code                                       |
/// |---------|--------------------------------------------|
/// | pytorch | clamp(even(x * (1 / scale)) + zero_point)  |
/// | onnx    | clamp(even(x / scale) + zero_point)        |
/// | tflite  | clamp(away(x / scale) + zero_point)        |
/// | compressed_tensors | even(clamp(x / scale + zero_point)) |
///
/// Products and quotients are rounded to float first; even and away as above; the clamp is to all
/// codes of the type. A value of any size saturates, where PyTorch and TensorFlow Lite overflow
/// beyond 2^31 codes. `tflite` is the operator Quantize; the converter multiplies weights by
/// 127 / amax in its place, which can differ by one code.
///
/// @param x      any rank and layout, finite; may be empty
/// @param params scale positive, finite and with a finite inverse; the zero point is a code
/// @param codes  std::int8_t or std::uint8_t, same shape as `x`, any layout; receives the codes
/// @param errors gathers what is lost, where it is not null; in the same pass
/// @return `shape_mismatch`, `out_of_range` or `non_finite` for the parameters, and `non_finite`
///         with the first NaN or infinity of `x`, as its index in row-major order; `codes` is then
///         untouched
///
/// Two passes over `x`, no allocation.
template <class T, class E, class L, class Code, class CodeE, class CodeL>
[[nodiscard]] status quantize(tensor_view<T, E, L> x, affine_params params, affine_rule rule,
                              tensor_view<Code, CodeE, CodeL> codes,
                              error_meter* errors = nullptr) noexcept {
  static_assert(detail::is_float<T>, "pare: codes are made of float");
  static_assert(detail::is_affine_code<Code>, "pare: codes are std::int8_t or std::uint8_t");
  PARE_RETURN_IF_ERROR(detail::check_rule(rule));
  PARE_RETURN_IF_ERROR(detail::check_same_shape(x, codes, "codes"));
  PARE_RETURN_IF_ERROR(detail::check_params<Code>(params, 0, position_kind::none));
  PARE_RETURN_IF_ERROR(detail::check_finite(detail::input(x), "x"));
  detail::quantize_checked(detail::input(x), per_tensor, detail::one_channel(params.scale),
                           detail::one_channel(params.zero_point), rule, detail::full_codes<Code>,
                           detail::output(codes), errors);
  return {};
}

/// Codes with one scale for each index along `axis`, by the rules above.
///
/// @param x            rank 1 or higher, any layout, finite; may be empty
/// @param axis         a dimension of `x`
/// @param scales       one for each index along the axis
/// @param zero_points  as many, or none (`{}`) where all are 0
/// @param codes        same shape as `x`, any layout; receives the codes
/// @param errors       gathers what is lost, where it is not null
/// @return as above, with the channel's index as position; `codes` is then untouched
template <class T, class E, class L, class Code, class CodeE, class CodeL>
[[nodiscard]] status quantize(tensor_view<T, E, L> x, int axis, channel_view<const float> scales,
                              channel_view<const std::int32_t> zero_points, affine_rule rule,
                              tensor_view<Code, CodeE, CodeL> codes,
                              error_meter* errors = nullptr) noexcept {
  static_assert(detail::is_float<T>, "pare: codes are made of float");
  static_assert(detail::is_affine_code<Code>, "pare: codes are std::int8_t or std::uint8_t");
  PARE_RETURN_IF_ERROR(detail::check_rule(rule));
  PARE_RETURN_IF_ERROR(detail::check_axis(axis, E::rank()));
  PARE_RETURN_IF_ERROR(detail::check_same_shape(x, codes, "codes"));
  const index_t channels = static_cast<index_t>(x.extent(static_cast<std::size_t>(axis)));
  PARE_RETURN_IF_ERROR(detail::check_channels(scales, zero_points, channels));
  for (index_t c = 0; c < channels; ++c) {
    PARE_RETURN_IF_ERROR(detail::check_params<Code>(detail::params_at(scales, zero_points, c), c,
                                                    position_kind::element));
  }
  PARE_RETURN_IF_ERROR(detail::check_finite(detail::input(x), "x"));
  detail::quantize_checked(detail::input(x), axis, scales, zero_points, rule,
                           detail::full_codes<Code>, detail::output(codes), errors);
  return {};
}

/// Quantizes a tensor by the range of its values: `min_max`, `choose_params` and `quantize` in one.
///
///     auto w8 = pare::quantize(w, pare::affine{.axis = 0});                     // s8, symmetric
///     auto x8 = pare::quantize<std::uint8_t>(x, {.scheme = pare::symmetry::asymmetric});
///
/// @tparam Code  std::int8_t or std::uint8_t
/// @param x      any rank and layout, finite, not empty
/// @param errors gathers what is lost, where it is not null
/// @return `out_of_range` for bits or axis, `empty`, `non_finite` with the first NaN or infinity,
///         `out_of_memory`. The codes lie in the ranges that the tables of `choose_params` give.
template <class Code = std::int8_t, class T, class E, class L>
[[nodiscard]] result<affine_tensor<Code, E::rank()>> quantize(
    tensor_view<T, E, L> x, affine options = {}, error_meter* errors = nullptr) noexcept {
  static_assert(detail::is_float<T>, "pare: codes are made of float");
  static_assert(detail::is_affine_code<Code>, "pare: codes are std::int8_t or std::uint8_t");
  PARE_RETURN_IF_ERROR(detail::check_options(options));
  PARE_RETURN_IF_ERROR(detail::check_rule(options.rule));
  const bool each_channel = options.axis != per_tensor;
  if (each_channel) PARE_RETURN_IF_ERROR(detail::check_axis(options.axis, E::rank()));
  if (x.empty()) return {status_code::empty, "a tensor without elements has no range", "x"};

  const index_t channels =
      each_channel ? static_cast<index_t>(x.extent(static_cast<std::size_t>(options.axis))) : 1;
  auto codes = tensor<Code, E::rank()>::create(dextents<index_t, E::rank()>(x.extents()));
  if (!codes) return codes.error();
  auto mins = tensor<float, 1>::create(dextents<index_t, 1>(channels));
  if (!mins) return mins.error();
  auto scales = tensor<float, 1>::create(dextents<index_t, 1>(channels));
  if (!scales) return scales.error();
  auto zero_points = tensor<std::int32_t, 1>::create(dextents<index_t, 1>(channels));
  if (!zero_points) return zero_points.error();

  const auto all = detail::input(x);
  const auto all_codes = detail::output(codes->view());
  bool has_zero_points = false;
  const auto choose = [&](index_t c, value_range range) {
    const affine_params p = detail::choose_checked<Code>(range, options);
    (*scales)(c) = p.scale;
    (*zero_points)(c) = p.zero_point;
    has_zero_points = has_zero_points || p.zero_point != 0;
  };
  const auto encode = [&](const auto& values, int axis, index_t first, index_t count,
                          const auto& to) {
    detail::quantize_checked(
        values, axis, detail::part_of(scales->view(), first, count),
        detail::part_of(zero_points->view(), first, count), options.rule,
        detail::codes_of<Code>(options.scheme, options.rule, options.bits, options.span), to,
        errors);
  };
  if (!each_channel || detail::is_outermost(all, options.axis)) {
    // A channel at a time, whose codes are made while its values are in the cache.
    for (index_t c = 0; c < channels; ++c) {
      const auto values = each_channel ? detail::slice_of(all, options.axis, c, 1) : all;
      const auto range = detail::range_of(values, "x");
      if (!range) return detail::find_non_finite(all, "x").error();
      choose(c, *range);
      encode(values, per_tensor, c, 1,
             each_channel ? detail::slice_of(all_codes, options.axis, c, 1) : all_codes);
    }
  } else {
    PARE_RETURN_IF_ERROR(detail::check_finite(all, "x"));
    // The maxima stand where the scales will.
    detail::ranges_of(all, options.axis, mins->view(), scales->view());
    for (index_t c = 0; c < channels; ++c) choose(c, {(*mins)(c), (*scales)(c)});
    encode(all, options.axis, 0, channels, all_codes);
  }
  if (!has_zero_points) *zero_points = tensor<std::int32_t, 1>();
  return affine_tensor<Code, E::rank()>{*std::move(codes), *std::move(scales),
                                        *std::move(zero_points), options.axis};
}

/// (code - zero_point) * scale, rounded once to float; the rules agree. Beyond the range of float
/// the result is infinite.
///
/// @param codes   std::int8_t or std::uint8_t, any rank and layout; may be empty
/// @param params  as above
/// @param out     same shape, any layout
/// @return `shape_mismatch`, `out_of_range` or `non_finite` for the parameters; `out` is then
///         untouched
template <class Code, class E, class L, class OutE, class OutL>
[[nodiscard]] status dequantize(tensor_view<Code, E, L> codes, affine_params params,
                                tensor_view<float, OutE, OutL> out) noexcept {
  using code = std::remove_const_t<Code>;
  static_assert(detail::is_affine_code<code>, "pare: codes are std::int8_t or std::uint8_t");
  PARE_RETURN_IF_ERROR(detail::check_same_shape(codes, out, "out"));
  PARE_RETURN_IF_ERROR(detail::check_params<code>(params, 0, position_kind::none));
  detail::dequantize_checked(detail::input(codes), per_tensor, detail::one_channel(params.scale),
                             detail::one_channel(params.zero_point), detail::output(out));
  return {};
}

/// As above, with the scales of the view.
///
/// @return also `out_of_range` for its axis and `shape_mismatch` for its scales or zero points
template <class Code, class E, class L, class OutE, class OutL>
[[nodiscard]] status dequantize(const affine_view<Code, E, L>& x,
                                tensor_view<float, OutE, OutL> out) noexcept {
  static_assert(detail::is_affine_code<Code>, "pare: codes are std::int8_t or std::uint8_t");
  const bool each_channel = x.axis != per_tensor;
  if (each_channel) PARE_RETURN_IF_ERROR(detail::check_axis(x.axis, E::rank()));
  PARE_RETURN_IF_ERROR(detail::check_same_shape(x.codes, out, "out"));
  const index_t channels =
      each_channel ? static_cast<index_t>(x.codes.extent(static_cast<std::size_t>(x.axis))) : 1;
  PARE_RETURN_IF_ERROR(detail::check_channels(x.scales, x.zero_points, channels));
  for (index_t c = 0; c < channels; ++c) {
    PARE_RETURN_IF_ERROR(detail::check_params<Code>(x.params(c), c, position_kind::element));
  }
  detail::dequantize_checked(detail::input(x.codes), x.axis, x.scales, x.zero_points,
                             detail::output(out));
  return {};
}

/// As above, into a new tensor.
///
/// @return also `out_of_memory`
template <class Code, class E, class L>
[[nodiscard]] result<tensor<float, E::rank()>> dequantize(
    const affine_view<Code, E, L>& x) noexcept {
  auto out = tensor<float, E::rank()>::create(dextents<index_t, E::rank()>(x.codes.extents()));
  if (!out) return out.error();
  PARE_RETURN_IF_ERROR(dequantize(x, out->view()));
  return out;
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_AFFINE_HPP
