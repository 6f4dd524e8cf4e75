// Weights to NF4 and back, byte for byte as bitsandbytes stores them.
//
// Dettmers et al., "QLoRA: Efficient Finetuning of Quantized LLMs", 2023, arXiv:2305.14314, without
// the second quantization of the scales.
//
//     auto w4 = pare::quantize_nf4(w).value();
//     pare::dequantize(w4.view(), back);
#ifndef PARE_QUANTIZE_NF4_HPP
#define PARE_QUANTIZE_NF4_HPP

#include <pare/core/tensor.hpp>
#include <pare/format/nf4.hpp>
#include <pare/quantize/error_meter.hpp>
#include <pare/quantize/range.hpp>

namespace pare {

/// How a tensor is quantized to NF4.
struct nf4 {
  index_t block = 64;  ///< consecutive elements in row-major order that share a scale, at least 1
};

/// NF4 codes with their scales, owned.
struct nf4_tensor {
  tensor<std::uint8_t, 1> codes;  ///< two a byte, the first in the high half
  tensor<float, 1> scales;        ///< of each block
  index_t size = 0;               ///< codes
  index_t block = 64;

  PARE_ALWAYS_INLINE nf4_view view() const noexcept {
    return {codes.view(), scales.view(), size, block};
  }
};

inline namespace PARE_ABI {

/// Quantizes the elements in row-major order.
///
/// A value is multiplied by the rounded inverse of its scale, as bitsandbytes does, and divided by
/// the scale where that inverse is infinite. Blocks of zeros have codes and scale 0.
///
/// @param w       any rank and layout, finite; may be empty
/// @param errors  gathers what is lost, where it is not null
/// @return `out_of_range` for the block, `non_finite` with the first NaN or infinity,
///         `out_of_memory`
template <class T, class E, class L>
[[nodiscard]] result<nf4_tensor> quantize_nf4(tensor_view<T, E, L> w, nf4 options = {},
                                              error_meter* errors = nullptr) noexcept {
  static_assert(detail::is_float<T>, "pare: codes are made of float");
  if (options.block < 1) return {status_code::out_of_range, "a block has an element", "block"};
  PARE_RETURN_IF_ERROR(detail::check_finite(detail::input(w), "w"));
  const index_t size = static_cast<index_t>(w.size());
  auto codes = tensor<std::uint8_t, 1>::create(dextents<index_t, 1>(detail::ceil_div(size, 2)));
  if (!codes) return codes.error();
  auto scales =
      tensor<float, 1>::create(dextents<index_t, 1>(detail::ceil_div(size, options.block)));
  if (!scales) return scales.error();

  for_each_element(w, [&](float x, index_t i) {
    float& scale = (*scales)(i / options.block);
    scale = detail::max(scale, x < 0 ? -x : x);
  });
  for_each_element(w, [&](float x, index_t i) {
    const float scale = (*scales)(i / options.block);
    if (scale == 0.0f) return;
    const float inverse = 1.0f / scale;
    const std::uint8_t code = nf4_code(detail::is_finite(inverse) ? x * inverse : x / scale);
    std::uint8_t& byte = (*codes)(i / 2);
    byte = static_cast<std::uint8_t>(i % 2 == 0 ? code << 4 : byte | code);
    if (errors != nullptr) errors->add(x, nf4_levels[code] * scale);
  });
  return nf4_tensor{*std::move(codes), *std::move(scales), size, options.block};
}

/// The values of codes, in row-major order.
///
/// @param out  of any shape with as many elements, any layout
/// @return `shape_mismatch` where the view's parts or `out` do not fit its size; `out` is then
///         untouched
template <class E, class L>
[[nodiscard]] status dequantize(const nf4_view& x, tensor_view<float, E, L> out) noexcept {
  const index_t size = x.size;
  if (x.block < 1 || size < 0 || x.codes.extent(0) != detail::ceil_div(size, 2) ||
      x.scales.extent(0) != detail::ceil_div(size, x.block)) {
    return {status_code::shape_mismatch, "there are two codes a byte and one scale a block", "x"};
  }
  if (static_cast<index_t>(out.size()) != size) {
    return {status_code::shape_mismatch, "there are as many floats as codes", "out"};
  }
  for_each_element(out, [&](float& to, index_t i) { to = x.value(i); });
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_NF4_HPP
