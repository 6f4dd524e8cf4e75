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
#include <pare/quantize/detail/grouped_avx2.hpp>

namespace pare {

/// How weights are quantized in groups.
struct grouped {
  int bits = 4;        ///< of a code, 2 to 8; each code is stored in a byte
  index_t group = 32;  ///< consecutive inputs that share a scale, at least 1
  symmetry scheme = symmetry::symmetric;
  affine_rule rule = affine_rule::pytorch;
  code_span span = code_span::by_rule;  ///< of symmetric codes
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

/// The groups of one row of weights.
struct group_row {
  const float* x;
  index_t step;   ///< from one weight to the next
  index_t count;  ///< of weights
  index_t group;
  std::int8_t* codes;
  half* scales;
  std::int8_t* zero_points;
};

/// Scale, zero point and codes of group g. False where a weight is not finite.
inline bool quantize_group(const group_row& row, index_t g, const affine& options) noexcept {
  const index_t first = g * row.group, count = min(row.group, row.count - first);
  const float* x = row.x + first * row.step;
  range_scan scan(0.0f);
  scan.add_row(x, count, row.step);
  if (!scan.all_finite()) return false;
  affine_params p = choose_checked<std::int8_t>(scan.range(), options);
  row.scales[g] = half_scale(p.scale);
  row.zero_points[g] = static_cast<std::int8_t>(p.zero_point);
  p.scale = static_cast<float>(row.scales[g]);
  const code_range all =
      codes_of<std::int8_t>(options.scheme, options.rule, options.bits, options.span);
  with_rule(options.rule, [&](auto chosen) {
    quantize_row(x, row.step, row.codes + first, index_t{1}, count, quantizer<chosen>(p, all));
  });
  return true;
}

#if PARE_X86_KERNELS
/// As many groups as go through vectors, from group g on. Returns how many.
inline index_t quantize_groups_of_vectors(const group_row& row, index_t g,
                                          const affine& options) noexcept {
  if (!runs_on_avx2() || row.step != 1 || row.group % 32 != 0 ||
      options.scheme != symmetry::symmetric)
    return 0;
  const index_t first = g * row.group, groups = (row.count - first) / row.group;
  const code_range codes =
      codes_of<std::int8_t>(options.scheme, options.rule, options.bits, options.span);
  index_t done = 0;
  with_rule(options.rule, [&](auto chosen) {
    const quantizer<chosen> code_of({1.0f, 0}, codes);
    done = avx2::quantize_groups_run<chosen>(row.x + first, groups, row.group, codes.steps() * 0.5f,
                                             code_of.terms(), row.codes + first, row.scales + g);
  });
  for (index_t i = 0; i < done; ++i) row.zero_points[g + i] = 0;
  return done;
}
#endif

/// All groups of a row. False where a weight is not finite.
inline bool quantize_groups(const group_row& row, const affine& options) noexcept {
  const index_t groups = ceil_div(row.count, row.group);
  for (index_t g = 0; g < groups;) {
#if PARE_X86_KERNELS
    const index_t done = quantize_groups_of_vectors(row, g, options);
    g += done;
    if (done > 0) continue;
#endif
    if (!quantize_group(row, g, options)) return false;
    ++g;
  }
  return true;
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
  of_group.span = options.span;
  PARE_RETURN_IF_ERROR(detail::check_options(of_group));
  PARE_RETURN_IF_ERROR(detail::check_rule(options.rule));
  if (options.group < 1) {
    return {status_code::out_of_range, "a group has at least one input", "group"};
  }
  const index_t out = static_cast<index_t>(w.extent(0)), in = static_cast<index_t>(w.extent(1));
  const index_t groups = detail::ceil_div(in, options.group);
  auto codes = tensor<std::int8_t, 2>::create(dextents<index_t, 2>(out, in));
  if (!codes) return codes.error();
  auto scales = tensor<half, 2>::create(dextents<index_t, 2>(out, groups));
  if (!scales) return scales.error();
  auto zero_points = tensor<std::int8_t, 2>::create(dextents<index_t, 2>(out, groups));
  if (!zero_points) return zero_points.error();

  for (index_t row = 0; row < out; ++row) {
    const detail::group_row groups_of_row{w.data_handle() + row * static_cast<index_t>(w.stride(0)),
                                          static_cast<index_t>(w.stride(1)),
                                          in,
                                          options.group,
                                          codes->data() + row * in,
                                          scales->data() + row * groups,
                                          zero_points->data() + row * groups};
    if (!detail::quantize_groups(groups_of_row, of_group)) {
      return detail::find_non_finite(detail::input(w), "w").error();
    }
    for (index_t i = 0; errors != nullptr && i < in; ++i) {
      const index_t g = i / options.group;
      const auto steps = static_cast<float>((*codes)(row, i) - (*zero_points)(row, g));
      errors->add(w(row, i), steps * static_cast<float>((*scales)(row, g)));
    }
  }
  bool has_zero_points = false;
  if (options.scheme == symmetry::asymmetric) {
    for (const std::int8_t zero_point : *zero_points) {
      has_zero_points = has_zero_points || zero_point != 0;
    }
  }
  if (!has_zero_points) *zero_points = tensor<std::int8_t, 2>();
  return grouped_tensor{*std::move(codes), *std::move(scales), *std::move(zero_points),
                        options.group};
}

/// (code - zero_point) * scale of its group, rounded once to float.
///
/// @param out  the shape of the codes, any layout
/// @return `shape_mismatch` for `out`, scales or zero points, `out_of_range` for the group; `out` is
///         then untouched
template <class Scale, class E, class L, class OutE, class OutL>
[[nodiscard]] status dequantize(const grouped_view<Scale, E, L>& w,
                                tensor_view<float, OutE, OutL> out) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_same_shape(w.codes, out, "out"));
  if (w.group < 1) return {status_code::out_of_range, "a group has at least one input", "group"};
  const index_t rows = w.codes.extent(0), in = w.codes.extent(1), groups = w.groups();
  if (w.scales.extent(0) != rows || w.scales.extent(1) != groups) {
    return {status_code::shape_mismatch, "there is a scale for each group of each output",
            "scales"};
  }
  const bool has_zero_points = !w.zero_points.empty();
  if (has_zero_points && !same_shape(w.zero_points, w.scales)) {
    return {status_code::shape_mismatch, "there are as many zero points as scales, or none",
            "zero_points"};
  }
  const auto code_step = static_cast<index_t>(w.codes.stride(1));
  const auto step = static_cast<index_t>(out.stride(1));
  for (index_t row = 0; row < rows; ++row) {
    const std::int8_t* codes = w.codes.data_handle() + row * w.codes.stride(0);
    float* x = out.data_handle() + row * static_cast<index_t>(out.stride(0));
    const std::int8_t* zero_points =
        has_zero_points ? w.zero_points.data_handle() + row * groups : nullptr;
    constexpr index_t at_once = 64;
    float scales[at_once];
    for (index_t first = 0; first < groups; first += at_once) {
      const index_t last = detail::min(first + at_once, groups);
      for (index_t g = first; g < last; ++g) {
        scales[g - first] = static_cast<float>(w.scales(row, g));
      }
      index_t g = first;
#if PARE_X86_KERNELS
      if (detail::runs_on_avx2() && code_step == 1 && step == 1 && w.group % 8 == 0) {
        g = detail::min(last, in / w.group);  // whole ones
        detail::avx2::dequantize_groups_run(codes + first * w.group, g - first, w.group, scales,
                                            has_zero_points ? zero_points + first : nullptr,
                                            x + first * w.group);
      }
#endif
      for (; g < last; ++g) {
        const index_t at = g * w.group;
        detail::dequantize_row(codes + at * code_step, code_step, x + at * step, step,
                               detail::min(w.group, in - at),
                               {scales[g - first], has_zero_points ? zero_points[g] : 0});
      }
    }
  }
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_GROUPED_HPP
