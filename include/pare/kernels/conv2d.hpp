// A convolution with int8 weights: a product whose rows are read where the window lies.
//
// Nothing is unfolded: the matrix kernels address the pixels under the window in the image itself
// (see kernels/gemm_s8.hpp). Where the window reaches beyond the image, the image is copied once
// with its padding around it. Arithmetic of PyTorch's quantized conv2d, TensorFlow Lite's CONV_2D
// (reference_integer_ops/conv.h) and ONNX's ConvInteger and QLinearConv, by the requantization rule
// that the layer was packed with.
#ifndef PARE_KERNELS_CONV2D_HPP
#define PARE_KERNELS_CONV2D_HPP

#include <cstring>

#include <pare/core/parallel.hpp>
#include <pare/kernels/conv_shapes.hpp>
#include <pare/kernels/pack_conv2d.hpp>

namespace pare {
namespace detail {
inline namespace PARE_ABI {

/// An image as the kernels read it: [height, width, channels of all groups].
struct conv2d_source {
  index_t height, width;  ///< what the windows of all outputs cover
  index_t pixel_bytes;    ///< of a copy
  bool is_copied;
  index_t bytes;  ///< of the copy
};

/// Whether images of `height` x `width`, whose pixels lie `pixel_stride` apart, must be copied, and
/// how large the copy is: the one selector, shared by size query and call. False where the size
/// overflows. Shapes have been checked.
constexpr bool source_of(const packed_conv2d_view& layer, index_t height, index_t width,
                         index_t out_height, index_t out_width, index_t pixel_stride,
                         conv2d_source& s) noexcept {
  const window& w = layer.window;
  conv2d_k k{};
  if (!k_of(w, layer.group_inputs(), layer.taps, k)) return false;
  const bool is_padded = layer.taps == conv2d_taps::padded_pixels;
  s.height = (out_height - 1) * w.stride_y + vertical(w).span();
  s.width = (out_width - 1) * w.stride_x + horizontal(w).span();
  s.pixel_bytes = layer.in_channels;
  if (is_padded && !checked_multiply(4, layer.groups, s.pixel_bytes)) return false;
  const bool reaches_out = w.pad_top > 0 || w.pad_left > 0 || s.height > height || s.width > width;
  const bool is_apart = layer.taps == conv2d_taps::rows && pixel_stride != layer.in_channels;
  s.is_copied = reaches_out || is_apart || k.bytes != k.inputs;
  s.bytes = 0;
  if (!s.is_copied) return true;
  // The last row of a window may be read beyond its end, where its weights are zeros.
  return checked_multiply(s.height, s.width, s.bytes) &&
         checked_multiply(s.bytes, s.pixel_bytes, s.bytes) &&
         checked_add(s.bytes, is_padded ? 0 : k.bytes - k.inputs, s.bytes);
}

/// Rows [first, last) of the copy.
template <class X>
void copy_padded(const strided_image_view<const X>& x, index_t image,
                 const packed_conv2d_view& layer, const conv2d_source& s, index_t first,
                 index_t last, std::uint8_t* copy) noexcept {
  const window& w = layer.window;
  const index_t channels = layer.in_channels, row_bytes = s.width * s.pixel_bytes;
  const index_t inside = clamp<index_t>(x.extent(2), 0, max<index_t>(s.width - w.pad_left, 0));
  const bool is_dense = s.pixel_bytes == channels && x.stride(2) == channels;
  const auto fill = [zero_point = layer.first_group.options.input.zero_point](std::uint8_t* at,
                                                                              index_t bytes) {
    std::memset(at, zero_point & 0xff, static_cast<std::size_t>(bytes));
  };
  for (index_t row = first; row < last; ++row) {
    std::uint8_t* to = copy + row * row_bytes;
    const index_t from_row = row - w.pad_top;
    if (from_row < 0 || from_row >= x.extent(1) || inside == 0) {
      fill(to, row_bytes);
      continue;
    }
    const index_t left = w.pad_left * s.pixel_bytes, middle = inside * s.pixel_bytes;
    fill(to, left);
    fill(to + left + middle, row_bytes - left - middle);
    to += left;
    const X* from = x.data_handle() + image * x.stride(0) + from_row * x.stride(1);
    if (is_dense) {
      std::memcpy(to, from, static_cast<std::size_t>(middle));
      continue;
    }
    for (index_t i = 0; i < inside; ++i, from += x.stride(2), to += s.pixel_bytes) {
      if (s.pixel_bytes == channels) {
        std::memcpy(to, from, static_cast<std::size_t>(channels));
        continue;
      }
      const index_t n = layer.group_inputs();
      for (index_t c = 0; c < channels; ++c)
        to[c / n * 4 + c % n] = static_cast<std::uint8_t>(from[c]);
      for (index_t group = 0; group < layer.groups; ++group) fill(to + 4 * group + n, 4 - n);
    }
  }
}

/// All groups of the outputs of one image, or of a line of outputs.
///
/// @param all          the product of the first group
/// @param group_bytes  from a group's inputs to the next one's
template <class Y, class Parallel>
void run_conv2d(const linear_kernels& kernel, const packed_conv2d_view& layer,
                const kernels::gemm_s8_args& all, index_t group_bytes,
                const Parallel& parallel_for) noexcept {
  const index_t outputs = layer.first_group.out_features, tile = layer.first_group.tile_columns;
  const index_t panels = ceil_div(outputs, tile), k = layer.first_group.in_features;
  linear_blocks b = blocks_of(all.rows, panels, k, tile);
  if (all.line_rows < all.rows) {  // whole lines
    b.rows = max<index_t>(b.rows / all.line_rows, 1) * all.line_rows;
    b.row_blocks = ceil_div(all.rows, b.rows);
  }
  const index_t blocks = b.row_blocks * b.panel_blocks;
  parallel_for(layer.groups * blocks, [&](index_t i) {
    const index_t group = i / blocks, block = i % blocks;
    const packed_linear_view linear = group_of(layer, group);
    kernels::gemm_s8_args args = all;
    args.a += group * group_bytes;
    args.panels = linear.panels;
    args.sums = linear.sums;
    if (args.bias_codes != nullptr) args.bias_codes = linear.bias_codes;
    args.column_scales = linear.scales;
    args.bias = linear.bias;
    args.factors = linear.factors;
    args.multipliers = linear.multipliers;
    args.shifts = linear.shifts;
    args.c = static_cast<Y*>(args.c) + group * outputs;
    const index_t row = block / b.panel_blocks * b.rows, panel = block % b.panel_blocks * b.panels;
    kernel.gemm(args, {row, min(row + b.rows, args.rows), panel, min(panel + b.panels, panels)});
  });
}

template <class X, class Y, class Parallel>
status conv2d(const strided_image_view<const X>& x, const packed_conv2d_view& layer,
              const strided_image_view<Y>& y, workspace scratch,
              const Parallel& parallel_for) noexcept {
  const window& w = layer.window;
  PARE_RETURN_IF_ERROR(check_conv_shapes(x, w, layer.in_channels, layer.out_channels, y));
  PARE_RETURN_IF_ERROR((check_codes<X, Y>(layer.first_group.options)));
  if (x.extent(0) == 0 || layer.out_channels == 0) return {};
  const index_t out_height = y.extent(1), out_width = y.extent(2);
  conv2d_source source{};
  if (!source_of(layer, x.extent(1), x.extent(2), out_height, out_width, x.stride(2), source)) {
    return {status_code::overflow, "the padded image does not fit the index type", "x"};
  }
  std::uint8_t* copy = source.is_copied ? scratch.take<std::uint8_t>(source.bytes) : nullptr;
  if (source.is_copied && copy == nullptr) {
    return {status_code::workspace_too_small,
            "the scratch is shorter than conv2d_workspace_size says", "scratch",
            position_kind::byte, source.bytes};
  }

  conv2d_k k{};
  static_cast<void>(k_of(w, layer.group_inputs(), layer.taps, k));
  const index_t pixel = source.is_copied ? source.pixel_bytes : x.stride(2);
  const index_t row = source.is_copied ? source.width * source.pixel_bytes : x.stride(1);
  // A single row or column is not stepped over: its stride may be anything.
  const index_t to_next_pixel = out_width > 1 ? w.stride_x * pixel : 0;
  const index_t to_next_line = out_height > 1 ? w.stride_y * row : 0;
  const bool is_column = out_width == 1;
  kernels::gemm_s8_args args = args_of(layer.first_group, 0);
  args.a_stride = is_column ? to_next_line : to_next_pixel;
  args.c_stride = is_column ? y.stride(1) : y.stride(2);
  args.line_rows = out_width;
  args.line_stride = to_next_line;
  if (is_column || to_next_line == out_width * to_next_pixel) args.line_rows = max_index;
  args.taps_y = k.taps_y;
  args.taps_x = k.taps_x;
  args.tap_y_stride = w.dilation_y * row;
  args.tap_x_stride = w.dilation_x * pixel;
  args.k = k.bytes;
  if (k.taps_x > 1 && w.dilation_x == 1 && k.bytes % 4 == 0 && pixel == k.bytes) {
    // Pixels side by side: the same bytes as one tap.
    args.k *= args.taps_x;
    args.taps_x = 1;
  }
  set_codes<X, Y>(args, layer.first_group);
  const linear_kernels kernel = linear_kernels_of(linear_kernel(layer.first_group));
  const index_t group_bytes = layer.taps == conv2d_taps::padded_pixels ? 4 : k.inputs;

  // The kernels step from pixel to pixel of y. Where its rows lie apart, they get one at a time.
  const bool is_dense = is_column || y.stride(1) == out_width * y.stride(2);
  const index_t lines = is_dense ? 1 : out_height;
  args.rows = out_height * out_width / lines;
  for (index_t image = 0; image < x.extent(0); ++image) {
    const auto* a = reinterpret_cast<const std::uint8_t*>(x.data_handle() + image * x.stride(0));
    if (source.is_copied) {
      const index_t rows = max<index_t>(65536 / max<index_t>(row, 1), 1);
      parallel_for(ceil_div(source.height, rows), [&](index_t i) {
        copy_padded(x, image, layer, source, i * rows, min((i + 1) * rows, source.height), copy);
      });
      a = copy;
    }
    for (index_t line = 0; line < lines; ++line) {
      args.a = a + line * to_next_line;
      args.c = y.data_handle() + image * y.stride(0) + line * y.stride(1);
      run_conv2d<Y>(kernel, layer, args, group_bytes, parallel_for);
    }
  }
  return {};
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Bytes of scratch that `conv2d` uses for images of `height` x `width`, exact for 64-byte aligned
/// memory: 0 where it reads images in place, or one image with its padding, however many there are.
///
/// Copied are images where the window reaches beyond them, and, for layers whose input channels are
/// no multiple of four, where pixels lie apart.
///
/// @param pixel_stride  elements from pixel to pixel of x; 0: its channels
/// @return as `output_height` and `output_width`, or `overflow` where the bytes do not fit the index
///         type
[[nodiscard]] constexpr result<index_t> conv2d_workspace_size(const packed_conv2d_view& layer,
                                                              index_t height, index_t width,
                                                              index_t pixel_stride = 0) noexcept {
  const auto out_height = output_height(layer.window, height);
  if (!out_height) return out_height.error();
  const auto out_width = output_width(layer.window, width);
  if (!out_width) return out_width.error();
  detail::conv2d_source source{};
  if (!detail::source_of(layer, height, width, *out_height, *out_width,
                         pixel_stride == 0 ? layer.in_channels : pixel_stride, source)) {
    return {status_code::overflow, "the padded image does not fit the index type", "height"};
  }
  return source.bytes;
}

/// y = act(convolution of x + bias), int8 weights.
///
/// | x      | y      | what happens                                                 | packed with     |
/// |--------|--------|--------------------------------------------------------------|-----------------|
/// | s8, u8 | s32    | sum of (x - zero point) * w, plus the bias in codes          | input (or none) |
/// | s8, u8 | f32    | the same, scaled, plus the bias in reals                     | input           |
/// | s8, u8 | s8, u8 | requantized by the layer's rule, activation as a clamp       | input, output   |
///
/// Padding is the input's zero point and so adds nothing. Products are exact; sums beyond 32 bits
/// wrap. All instruction sets and any number of threads give the same bits.
///
/// @param x             [images, height, width, in]; channels side by side, pixels, rows and images
///                      any strides apart
/// @param layer         from `pack_conv2d`
/// @param y             [images, output_height(window, height), output_width(window, width), out];
///                      as x; must not overlap x
/// @param scratch       `conv2d_workspace_size` bytes
/// @param parallel_for  see core/parallel.hpp
/// @return `shape_mismatch` (an extent, or a window larger than the padded image), `empty` (an image
///         without rows or columns), `unsupported` (channels apart), `invalid_argument` (packed
///         without a scale that is needed), `out_of_range` (zero point), `workspace_too_small` with
///         the bytes needed, `overflow`; y is then untouched
///
/// Never allocates. 0 images or channels are fine: without input channels, y is act(bias).
template <class X, class EX, class LX, class Y, class EY, class LY, class Parallel = serial>
status conv2d(const tensor_view<X, EX, LX>& x, const packed_conv2d_view& layer,
              const tensor_view<Y, EY, LY>& y, workspace scratch = {},
              const Parallel& parallel_for = {}) noexcept {
  static_assert(EX::rank() == 4 && EY::rank() == 4,
                "pare: images are [batch, height, width, channels]");
  using code = std::remove_const_t<X>;
  static_assert(std::is_same_v<code, std::int8_t> || std::is_same_v<code, std::uint8_t>,
                "pare: inputs are int8_t or uint8_t");
  static_assert(std::is_same_v<Y, float> || std::is_same_v<Y, std::int32_t> ||
                    std::is_same_v<Y, std::int8_t> || std::is_same_v<Y, std::uint8_t>,
                "pare: outputs are float, int32_t, int8_t or uint8_t");
  return detail::conv2d(strided_image_view<const code>(x), layer, strided_image_view<Y>(y), scratch,
                        parallel_for);
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_KERNELS_CONV2D_HPP
