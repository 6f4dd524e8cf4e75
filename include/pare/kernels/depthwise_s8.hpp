// What every s8 depthwise kernel is given and must do: the interface between `depthwise_conv2d` and
// the ISAs.
#ifndef PARE_KERNELS_DEPTHWISE_S8_HPP
#define PARE_KERNELS_DEPTHWISE_S8_HPP

#include <pare/format/packed_depthwise.hpp>
#include <pare/kernels/gemm_s8.hpp>

namespace pare::kernels {

/// One depthwise convolution over NHWC images.
///
/// acc = bias_codes + sum over the window's taps inside the image of (x - zero_point) * w, modulo
/// 2^32: taps outside the image read the zero point.
struct depthwise_s8_args {
  const std::uint8_t* x = nullptr;                             ///< codes, s8 or u8
  index_t image_stride = 0, row_stride = 0, pixel_stride = 0;  ///< of x, in bytes
  index_t height = 0, width = 0;                               ///< of x
  index_t out_height = 0, out_width = 0;
  index_t out_image_stride = 0, out_row_stride = 0;  ///< of y, in elements

  index_t multiplier = 1;
  pare::window window{};
  std::int32_t variants = 1;
  const std::int8_t* panels = nullptr;
  index_t panel_bytes = 0;

  /// Flip and zero point of the codes, start values of the accumulators, and what becomes of them:
  /// `rows` are the pixels of a line of outputs, `columns` the channels, `c` is y.
  gemm_s8_args out{};
};

/// A part of the work: rows of outputs [first_row, last_row) of one image, panels [first, last).
struct depthwise_block {
  index_t image, first_row, last_row, first_panel, last_panel;
};

/// The first element of a row of outputs.
template <class T>
PARE_ALWAYS_INLINE T* output_line(const depthwise_s8_args& args, index_t image,
                                  index_t row) noexcept {
  return static_cast<T*>(args.out.c) + image * args.out_image_stride + row * args.out_row_stride;
}
PARE_ALWAYS_INLINE std::byte* output_line(const depthwise_s8_args& args, index_t image,
                                          index_t row) noexcept {
  // f32 is as large as s32.
  return args.out.kind == output_kind::q8
             ? reinterpret_cast<std::byte*>(output_line<std::uint8_t>(args, image, row))
             : reinterpret_cast<std::byte*>(output_line<std::int32_t>(args, image, row));
}

}  // namespace pare::kernels

#endif  // PARE_KERNELS_DEPTHWISE_S8_HPP
