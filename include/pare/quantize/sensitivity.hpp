// How much a layer suffers from codes of so many bits, and what they cost: what mixed precision is
// decided by.
//
// Output error as in Nagel et al., "A White Paper on Neural Network Quantization", 2021,
// arXiv:2106.08295, section 4; weighted by the Hessian as in Dong et al., "HAWQ-V2", 2019,
// arXiv:1911.03852, with the diagonal in place of its trace.
//
//     pare::measure_bits(w.view(), h, pare::view(bits), choices_of_layer);  // for each layer
//     const auto chosen = pare::allocate_bits(choices, budget).value();
#ifndef PARE_QUANTIZE_SENSITIVITY_HPP
#define PARE_QUANTIZE_SENSITIVITY_HPP

#include <pare/quantize/bit_allocation.hpp>
#include <pare/quantize/gptq.hpp>
#include <pare/quantize/search_scheme.hpp>

namespace pare {

/// What changing a layer's weights costs.
struct sensitivity {
  double output_error = 0.0;    ///< mean squared error of the outputs
  double weighted_error = 0.0;  ///< the same without products of different inputs: far cheaper
};

inline namespace PARE_ABI {

/// sum over weights of difference^2 * mean of x^2, over the outputs.
///
/// @return as `output_error`
///
/// Time out * in.
template <class T, class E, class L, class U, class F, class M>
[[nodiscard]] result<double> weighted_error(tensor_view<T, E, L> w, tensor_view<U, F, M> changed,
                                            const hessian& h) noexcept {
  static_assert(detail::is_float<T> && detail::is_float<U>, "pare: weights are float");
  const index_t out = static_cast<index_t>(w.extent(0)), in = static_cast<index_t>(w.extent(1));
  PARE_RETURN_IF_ERROR(detail::check_hessian(h, in));
  if (!detail::same_shape(w, changed)) {
    return {status_code::shape_mismatch, "both weights have the same shape", "changed"};
  }
  if (out == 0) return {status_code::empty, "a layer without outputs has no error", "w"};
  PARE_RETURN_IF_ERROR(detail::check_finite(detail::input(w), "w"));
  PARE_RETURN_IF_ERROR(detail::check_finite(detail::input(changed), "changed"));
  double sum = 0.0;
  for (index_t r = 0; r < out; ++r) {
    for (index_t i = 0; i < in; ++i) {
      const double difference = double{w(r, i)} - double{changed(r, i)};
      sum += difference * difference * double{h.gram(i, i)};
    }
  }
  return sum / (static_cast<double>(h.rows) * static_cast<double>(out));
}

/// Both measures of a change.
///
/// @return as `output_error`
template <class T, class E, class L, class U, class F, class M>
[[nodiscard]] result<sensitivity> measure_sensitivity(tensor_view<T, E, L> w,
                                                      tensor_view<U, F, M> changed,
                                                      const hessian& h) noexcept {
  const auto output = output_error(w, changed, h);
  if (!output) return output.error();
  const auto weighted = weighted_error(w, changed, h);
  if (!weighted) return weighted.error();
  return sensitivity{*output, *weighted};
}

/// The bytes of affine codes that are packed, with a scale of 16 bits for each group.
///
/// @param group  0 for one scale an output
/// @return `out_of_range` for negative sizes, `overflow`
[[nodiscard]] constexpr PARE_ALWAYS_INLINE result<index_t> packed_bytes(index_t out, index_t in,
                                                                        int bits,
                                                                        index_t group) noexcept {
  if (out < 0 || in < 0 || bits < 1 || bits > 8 || group < 0) {
    return {status_code::out_of_range, "sizes are not negative, codes have 1 to 8 bits", "bits"};
  }
  const index_t groups = in == 0 ? 0 : (group == 0 ? 1 : detail::ceil_div(in, group));
  index_t bits_of_row = 0, of_scales = 0, row = 0, bytes = 0;
  if (!detail::checked_multiply(in, index_t{bits}, bits_of_row) ||
      !detail::checked_multiply(groups, index_t{2}, of_scales) ||
      !detail::checked_add(detail::ceil_div(bits_of_row, 8), of_scales, row) ||
      !detail::checked_multiply(row, out, bytes)) {
    return {status_code::overflow, "the number of bytes does not fit", "in"};
  }
  return bytes;
}

/// Quantizes a layer by GPTQ with each number of bits, and measures bytes and output error.
///
/// @param w        [out, in], any layout, finite
/// @param h        sums of the layer's inputs
/// @param bits     2 to 8 each
/// @param choices  as many as `bits`; receives what each is worth
/// @param options  of GPTQ; the scheme is affine and symmetric, with scales that are searched for
/// @return as `gptq`, or `shape_mismatch`; `choices` is then untouched
template <class T, class E, class L, class Parallel = serial>
[[nodiscard]] status measure_bits(tensor_view<T, E, L> w, const hessian& h,
                                  vector_view<const int> bits, vector_view<bit_choice> choices,
                                  gptq_options options = {},
                                  const Parallel& parallel = {}) noexcept {
  if (bits.extent(0) != choices.extent(0)) {
    return {status_code::shape_mismatch, "there is a choice for each number of bits", "choices"};
  }
  auto measured = tensor<bit_choice, 1>::create(dextents<index_t, 1>(bits.extent(0)));
  if (!measured) return measured.error();
  for (index_t i = 0; i < bits.extent(0); ++i) {
    search_scheme<affine_scheme> scheme;
    scheme.base.options.bits = bits[i];
    const auto q = gptq(w, h, scheme, options, parallel);
    if (!q) return q.error();
    const auto values = dequantize(*q);
    if (!values) return values.error();
    const auto error = output_error(w, values->view(), h, parallel);
    if (!error) return error.error();
    const auto bytes = packed_bytes(static_cast<index_t>(w.extent(0)),
                                    static_cast<index_t>(w.extent(1)), bits[i], options.group);
    if (!bytes) return bytes.error();
    (*measured)(i) = {bits[i], *bytes, *error};
  }
  for (index_t i = 0; i < bits.extent(0); ++i) choices[i] = (*measured)(i);
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_SENSITIVITY_HPP
