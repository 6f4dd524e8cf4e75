// Weights to the microscaling formats and back.
//
// OCP Microscaling Formats (MX) Specification 1.0, 2023, section 6.3: the shared exponent is that of
// the largest magnitude, less the exponent of the largest element; elements round to nearest, ties
// to even, and saturate.
//
//     auto w4 = pare::quantize_mx(w, pare::mx::fp4_e2m1).value();
#ifndef PARE_QUANTIZE_MX_HPP
#define PARE_QUANTIZE_MX_HPP

#include <pare/core/tensor.hpp>
#include <pare/format/mx.hpp>
#include <pare/quantize/detail/blocks.hpp>
#include <pare/quantize/error_meter.hpp>
#include <pare/quantize/range.hpp>

namespace pare {

/// Elements of a microscaling format with their scales, owned.
struct mx_tensor {
  tensor<std::uint8_t, 2> codes;  ///< [rows, bytes of a row]
  tensor<float8_e8m0, 2> scales;  ///< [rows, blocks of a row]
  index_t columns = 0;
  mx kind = mx::fp4_e2m1;

  PARE_ALWAYS_INLINE mx_view view() const noexcept {
    return {codes.view(), scales.view(), columns, kind};
  }
};

inline namespace PARE_ABI {

/// Quantizes rows in blocks of 32. Blocks of zeros have the smallest scale, 2^-127.
///
/// @param w       [rows, columns], any layout, finite; may be empty
/// @param errors  gathers what is lost, where it is not null
/// @return `invalid_argument` for a kind that is none, `non_finite` with the first NaN or infinity,
///         `out_of_memory`
template <class T, class E, class L>
[[nodiscard]] result<mx_tensor> quantize_mx(tensor_view<T, E, L> w, mx kind,
                                            error_meter* errors = nullptr) noexcept {
  static_assert(detail::is_float<T> && E::rank() == 2, "pare: blocks are made of rows of float");
  if (!is_mx(kind)) {
    return {status_code::invalid_argument, "the format is none of those offered", "kind"};
  }
  PARE_RETURN_IF_ERROR(detail::check_finite(detail::input(w), "w"));
  const index_t rows = w.extent(0), columns = w.extent(1);
  auto codes =
      tensor<std::uint8_t, 2>::create(dextents<index_t, 2>(rows, mx_row_bytes(kind, columns)));
  if (!codes) return codes.error();
  auto scales = tensor<float8_e8m0, 2>::create(
      dextents<index_t, 2>(rows, detail::ceil_div(columns, mx_block)));
  if (!scales) return scales.error();

  const int bits = bits_of(kind);
  detail::for_each_block<mx_block>(w, [&](const float* x, index_t count, index_t row, index_t at) {
    float largest = 0.0f;
    for (index_t i = 0; i < count; ++i) largest = detail::max(largest, x[i] < 0 ? -x[i] : x[i]);
    const float8_e8m0 scale = mx_scale(kind, largest);
    (*scales)(row, at) = scale;
    std::uint8_t* to = codes->data() + row * codes->extent(1) + at * (mx_block / 8) * bits;
    std::uint32_t waiting = 0;
    int waiting_bits = 0;
    for (index_t i = 0; i < mx_block; ++i) {
      const std::uint8_t code = encode_scaled(kind, scale, x[i]);
      if (errors != nullptr && i < count) errors->add(x[i], decode_scaled(kind, scale, code));
      waiting |= static_cast<std::uint32_t>(code) << waiting_bits;
      for (waiting_bits += bits; waiting_bits >= 8; waiting_bits -= 8, waiting >>= 8) {
        *to++ = static_cast<std::uint8_t>(waiting);
      }
    }
  });
  return mx_tensor{*std::move(codes), *std::move(scales), columns, kind};
}

/// The values of elements; all those of a block whose scale is NaN are NaN.
///
/// @param out  [rows, columns], any layout
/// @return `invalid_argument` for a kind that is none, `shape_mismatch`; `out` is then untouched
template <class E, class L>
[[nodiscard]] status dequantize(const mx_view& x, tensor_view<float, E, L> out) noexcept {
  static_assert(E::rank() == 2, "pare: blocks are made of rows of float");
  if (!is_mx(x.kind)) {
    return {status_code::invalid_argument, "the format is none of those offered", "kind"};
  }
  const index_t rows = out.extent(0), columns = out.extent(1);
  if (x.columns != columns || x.codes.extent(0) != rows || x.scales.extent(0) != rows ||
      x.codes.extent(1) != mx_row_bytes(x.kind, columns) ||
      x.scales.extent(1) != detail::ceil_div(columns, mx_block)) {
    return {status_code::shape_mismatch, "there are as many floats as elements", "out"};
  }
  for (index_t row = 0; row < rows; ++row) {
    for (index_t column = 0; column < columns; ++column) out(row, column) = x.value(row, column);
  }
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_MX_HPP
