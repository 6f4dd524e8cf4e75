// Weights in groups: a 16-bit scale, and where asymmetric a zero point, for each 32 to 128 inputs of
// an output.
//
// Round to nearest, the baseline of GPTQ (Frantar et al., 2022, arXiv:2210.17323); scales, zero
// points and codes of a group are those that `quantize` gives a tensor, with the scale rounded to
// half before codes are made of it.
//
//     auto w4 = pare::quantize_grouped(w).value();                    // 4 bits, groups of 32
//     auto layer = pare::pack_grouped_linear(w4.view(), 4).value();
#ifndef PARE_QUANTIZE_GROUPED_HPP
#define PARE_QUANTIZE_GROUPED_HPP

#include <pare/core/tensor.hpp>
#include <pare/format/grouped.hpp>
#include <pare/quantize/affine.hpp>

namespace pare {

/// How weights are quantized in groups.
struct grouped {
  int bits = 4;        ///< of a code, 2 to 8; each code is stored in a byte
  index_t group = 32;  ///< consecutive inputs that share a scale, at least 1
  symmetry scheme = symmetry::symmetric;
  affine_rule rule = affine_rule::pytorch;
};

/// Grouped codes with their scales, owned.
struct grouped_tensor {
  tensor<std::int8_t, 2> codes;        ///< [out, in]
  tensor<half, 2> scales;              ///< [out, ceil(in / group)]
  tensor<std::int8_t, 2> zero_points;  ///< as scales; none where all are 0
  index_t group = 32;

  PARE_ALWAYS_INLINE grouped_view<half, dextents<index_t, 2>> view() const noexcept {
    return {codes.view(), scales.view(), zero_points.view(), group};
  }
};

namespace detail {
inline namespace PARE_ABI {

/// The nearest half that is a scale: not 0 and not infinite.
inline half half_scale(float scale) noexcept {
  constexpr std::uint16_t smallest = 0x0001, largest = 0x7bff;
  const half h(scale);
  if (h.bits == 0) return half::from_bits(smallest);
  return h.bits > largest ? half::from_bits(largest) : h;
}

/// Scale, zero point and codes of one group; everything has been checked.
inline affine_params quantize_group(const float* x, index_t step, index_t count,
                                    const affine& options, std::int8_t* codes,
                                    error_meter* errors) noexcept {
  value_range range{0.0f, 0.0f};
  for (index_t i = 0; i < count; ++i) {
    range.min = min(range.min, x[i * step]);
    range.max = max(range.max, x[i * step]);
  }
  affine_params p = choose_checked<std::int8_t>(range, options);
  p.scale = static_cast<float>(half_scale(p.scale));
  const code_range all = codes_with<std::int8_t>(options.bits);
  with_rule(options.rule, [&](auto chosen) {
    quantize_row(x, step, codes, index_t{1}, count, quantizer<chosen>(p, all));
  });
  for (index_t i = 0; errors != nullptr && i < count; ++i) {
    errors->add(x[i * step], static_cast<float>(codes[i] - p.zero_point) * p.scale);
  }
  return p;
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Quantizes weights in groups.
///
/// A scale beyond half becomes its largest value, 65504, one that rounds to 0 its smallest, 2^-24.
///
/// @param w       [out, in], any layout, finite; may be empty; `in` need be no multiple of the group
/// @param errors  gathers what is lost, where it is not null
/// @return `out_of_range` for bits or group, `invalid_argument` for a scheme or rule that is none,
///         `non_finite` with the first NaN or infinity of w, `out_of_memory`
template <class T, class E, class L>
[[nodiscard]] result<grouped_tensor> quantize_grouped(tensor_view<T, E, L> w, grouped options = {},
                                                      error_meter* errors = nullptr) noexcept {
  static_assert(detail::is_float<T>, "pare: codes are made of float");
  static_assert(E::rank() == 2, "pare: weights of a linear layer are [out, in]");
  affine of_group;
  of_group.bits = options.bits;
  of_group.scheme = options.scheme;
  of_group.rule = options.rule;
  PARE_RETURN_IF_ERROR(detail::check_options(of_group));
  PARE_RETURN_IF_ERROR(detail::check_rule(options.rule));
  if (options.group < 1) {
    return {status_code::out_of_range, "a group has at least one input", "group"};
  }
  PARE_RETURN_IF_ERROR(detail::check_finite(detail::input(w), "w"));

  const index_t out = static_cast<index_t>(w.extent(0)), in = static_cast<index_t>(w.extent(1));
  const index_t groups = detail::ceil_div(in, options.group);
  auto codes = tensor<std::int8_t, 2>::create(dextents<index_t, 2>(out, in));
  if (!codes) return codes.error();
  auto scales = tensor<half, 2>::create(dextents<index_t, 2>(out, groups));
  if (!scales) return scales.error();
  auto zero_points = tensor<std::int8_t, 2>::create(dextents<index_t, 2>(out, groups));
  if (!zero_points) return zero_points.error();

  bool has_zero_points = false;
  for (index_t row = 0; row < out; ++row) {
    const float* x = w.data_handle() + row * static_cast<index_t>(w.stride(0));
    const index_t step = static_cast<index_t>(w.stride(1));
    for (index_t g = 0; g < groups; ++g) {
      const index_t first = g * options.group;
      const affine_params p =
          detail::quantize_group(x + first * step, step, detail::min(options.group, in - first),
                                 of_group, codes->data() + row * in + first, errors);
      (*scales)(row, g) = half(p.scale);
      (*zero_points)(row, g) = static_cast<std::int8_t>(p.zero_point);
      has_zero_points = has_zero_points || p.zero_point != 0;
    }
  }
  if (!has_zero_points) *zero_points = tensor<std::int8_t, 2>();
  return grouped_tensor{*std::move(codes), *std::move(scales), *std::move(zero_points),
                        options.group};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_GROUPED_HPP
