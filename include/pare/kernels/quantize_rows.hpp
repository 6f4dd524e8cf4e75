// Float activations -> u8 codes on the fly, a scale and a zero point for each row.
//
// For a row with smallest and largest value min <= 0 <= max (0 always counts as one):
//
//     scale      = max((max / 2 - min / 2) / 127.5, 2^-126)    in float; halves do not overflow
//     inverse    = 1 / scale
//     zero_point = clamp(rint(-min * inverse), 0, 255)
//     code       = clamp(rint(x * inverse) + zero_point, 0, 255)
//
// rint rounds half to even.
//
// The range and zero point of ONNX DynamicQuantizeLinear, for each row, with PyTorch's
// multiplication by the inverse.
#ifndef PARE_KERNELS_QUANTIZE_ROWS_HPP
#define PARE_KERNELS_QUANTIZE_ROWS_HPP

#include <pare/core/checked.hpp>
#include <pare/core/rounding.hpp>

namespace pare::kernels {

/// What one row needs: how it maps to codes. `finite` is false where the row has a NaN or an
/// infinity.
struct row_quantization {
  float scale = 1.0f;
  float inverse = 1.0f;
  std::int32_t zero_point = 0;
  bool finite = true;
};

/// From the range of a row, 0 included.
PARE_ALWAYS_INLINE row_quantization choose_row_quantization(float low, float high) noexcept {
  constexpr float smallest = 1.17549435e-38f;
  row_quantization q;
  q.scale = pare::detail::max((high * 0.5f - low * 0.5f) / 127.5f, smallest);
  q.inverse = 1.0f / q.scale;
  q.zero_point = pare::detail::clamp(pare::detail::round_half_even(-low * q.inverse), 0, 255);
  return q;
}

namespace scalar {
inline namespace PARE_ABI {

/// The range of a row and whether all of it is finite.
inline row_quantization row_range(const float* x, index_t n) noexcept {
  float low = 0.0f, high = 0.0f;
  bool finite = true;
  for (index_t i = 0; i < n; ++i) {
    finite = finite && pare::detail::is_finite(x[i]);
    low = x[i] < low ? x[i] : low;
    high = high < x[i] ? x[i] : high;
  }
  if (!finite) return {1.0f, 1.0f, 0, false};
  return choose_row_quantization(low, high);
}

/// n codes, then zeros up to `padded`.
inline void quantize_row(const float* x, index_t n, index_t padded, const row_quantization& q,
                         std::uint8_t* codes) noexcept {
  for (index_t i = 0; i < n; ++i) {
    const std::int32_t code = pare::detail::round_half_even(x[i] * q.inverse) + q.zero_point;
    codes[i] = static_cast<std::uint8_t>(pare::detail::clamp(code, 0, 255));
  }
  for (index_t i = n; i < padded; ++i) codes[i] = 0;
}

}  // namespace PARE_ABI
}  // namespace scalar

inline namespace PARE_ABI {

/// Rows become codes, one after another, by an instruction set's functions for one row.
///
/// @param codes        `padded` bytes a row, `code_stride` apart
/// @param scales       of each row
/// @param zero_points  of each row; -1 where it has a NaN or an infinity, and then no codes
template <row_quantization (*RowRange)(const float*, index_t) noexcept,
          void (*QuantizeRow)(const float*, index_t, index_t, const row_quantization&,
                              std::uint8_t*) noexcept>
void quantize_each_row(const float* x, index_t x_stride, index_t rows, index_t n, index_t padded,
                       std::uint8_t* codes, index_t code_stride, float* scales,
                       std::int32_t* zero_points) noexcept {
  for (index_t i = 0; i < rows; ++i, x += x_stride, codes += code_stride) {
    const row_quantization q = RowRange(x, n);
    scales[i] = q.scale;
    zero_points[i] = q.finite ? q.zero_point : -1;
    if (q.finite) QuantizeRow(x, n, padded, q, codes);
  }
}

}  // namespace PARE_ABI
}  // namespace pare::kernels

#endif  // PARE_KERNELS_QUANTIZE_ROWS_HPP
