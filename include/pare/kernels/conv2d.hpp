// A convolution with int8 weights: a product whose rows are read where the window lies.
//
// Nothing is unfolded: the matrix kernels address the pixels under the window in the image itself
// (see kernels/gemm_s8.hpp). Rows of the window above or below the image are left out. Where it
// reaches beyond the image to the left or right, the image is copied once with its padding at both
// sides. On Cortex-M windows are copied instead (kernels/conv2d_windows.hpp).
//
// Arithmetic of PyTorch's quantized conv2d, TensorFlow Lite's CONV_2D (reference_integer_ops/conv.h)
// and ONNX's ConvInteger and QLinearConv, by the requantization rule that the layer was packed with.
#ifndef PARE_KERNELS_CONV2D_HPP
#define PARE_KERNELS_CONV2D_HPP

#include <cstring>

#include <pare/core/parallel.hpp>
#include <pare/kernels/conv2d_windows.hpp>
#include <pare/kernels/pack_conv2d.hpp>

namespace pare {
namespace detail {
inline namespace PARE_ABI {

/// An image as the kernels read it: rows of the image, [width, channels of all groups].
struct conv2d_source {
  index_t width;        ///< columns that the windows of all outputs cover, padding included
  index_t pixel_bytes;  ///< of a copy
  bool is_copied;
  index_t bytes;  ///< of the copy
};

/// Whether images of `height` x `width`, whose pixels lie `pixel_stride` apart, must be copied, and
/// how large the copy is: the one selector, shared by size query and call. False where the size
/// overflows. Shapes have been checked.
constexpr bool source_of(const packed_conv2d_view& layer, index_t height, index_t width,
                         index_t out_width, index_t pixel_stride, conv2d_source& s) noexcept {
  const window& w = layer.window;
  conv2d_k k{};
  if (!k_of(w, layer.group_inputs(), layer.taps, k)) return false;
  const bool is_padded = layer.taps == conv2d_taps::padded_pixels;
  s.width = (out_width - 1) * w.stride_x + horizontal(w).span();
  s.pixel_bytes = layer.in_channels;
  if (is_padded && !checked_multiply(4, layer.groups, s.pixel_bytes)) return false;
  const bool reaches_out = w.pad_left > 0 || s.width > width;
  const bool is_apart = layer.taps == conv2d_taps::rows && pixel_stride != layer.in_channels;
  s.is_copied = reaches_out || is_apart || k.bytes != k.inputs;
  s.bytes = 0;
  if (!s.is_copied) return true;
  // The last row of a window may be read beyond its end, where its weights are zeros.
  return checked_multiply(height, s.width, s.bytes) &&
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
    if (inside == 0 || channels == 0) {
      fill(to, row_bytes);
      continue;
    }
    const index_t left = w.pad_left * s.pixel_bytes, middle = inside * s.pixel_bytes;
    fill(to, left);
    fill(to + left + middle, row_bytes - left - middle);
    to += left;
    const X* from = x.data_handle() + image * x.stride(0) + row * x.stride(1);
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

/// What all blocks of an image share.
struct conv2d_image {
  /// The product of the first group for a line of outputs, its `a` and `c` those of the first one's
  /// first pixel if it read row 0.
  kernels::gemm_s8_args line;
  index_t height, row_bytes;  ///< of the image
  index_t group_bytes;        ///< from a group's inputs to the next one's
  index_t out_height, out_width;
  index_t out_line;  ///< elements from a line of outputs to the next
  bool is_dense;     ///< lines of outputs follow each other without gaps
};

/// A part of the outputs: lines, pixels of each, and panels, [first, last).
struct conv2d_block {
  index_t first_line, last_line, first_pixel, last_pixel, first_panel, last_panel;
};

/// The product for the outputs of one group from `panel` on, `count` panels of them.
template <class Y>
kernels::gemm_s8_args panel_args(const kernels::gemm_s8_args& all, const packed_linear_view& group,
                                 index_t panel, index_t count) noexcept {
  const index_t first = panel * group.tile_columns;
  const auto from_first = [first](const auto* p) { return p == nullptr ? p : p + first; };
  kernels::gemm_s8_args args = all;
  args.columns = min<index_t>(count * group.tile_columns, group.out_features - first);
  args.panels = group.panels + panel * group.panel_bytes();
  args.sums = from_first(group.sums);
  if (args.bias_codes != nullptr) args.bias_codes = from_first(group.bias_codes);
  args.column_scales = from_first(group.scales);
  args.bias = from_first(group.bias);
  args.factors = from_first(group.factors);
  args.multipliers = from_first(group.multipliers);
  args.shifts = from_first(group.shifts);
  args.c = static_cast<Y*>(args.c) + first;
  return args;
}

/// sums -= those of the weights of some rows of the window, in one panel.
///
/// @param weights  the panel from the first of those rows on
/// @param bytes    of a column of those rows
inline void subtract_sums(gemm_function gemm, const kernels::gemm_s8_args& panel,
                          const std::int8_t* weights, index_t bytes, std::int32_t* sums) noexcept {
  if (bytes == 0) return;
  // The kernel itself sums: a row of ones and a row of twos, whose difference is free of what kernels
  // add to signed or unsigned inputs.
  std::uint8_t inputs[16];
  for (int i = 0; i < 16; ++i) inputs[i] = i < 8 ? 1 : 2;
  const std::int32_t none[64] = {};
  std::int32_t products[2][64];
  kernels::gemm_s8_args args = panel;
  args.a = inputs;
  args.a_stride = 8;
  args.line_rows = max_index;
  args.rows = 2;
  args.k = panel.k_group;
  args.taps_y = 1;
  args.taps_x = bytes / args.k;
  args.tap_x_stride = 0;
  args.panels = weights;
  args.sums = none;
  args.bias_codes = nullptr;
  args.kind = kernels::output_kind::s32;
  args.write = sum_writer();
  args.c = products;
  args.c_stride = 64;
  gemm(args, {0, 2, 0, 1});
  for (index_t i = 0; i < args.columns; ++i) {
    sums[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(sums[i]) -
                                        static_cast<std::uint32_t>(products[1][i]) +
                                        static_cast<std::uint32_t>(products[0][i]));
  }
}

/// The product of lines that see only rows `taps` of the window, for one panel: the other rows'
/// weights are left out, and their sums with them.
inline void run_cut_panel(gemm_function gemm, kernels::gemm_s8_args args, const tap_range& taps,
                          index_t height, index_t panel_bytes,
                          const std::uint8_t* any_input) noexcept {
  const kernels::gemm_s8_args whole = args;
  const index_t row_bytes = panel_bytes / height, tile = args.tile_columns;
  alignas(64) std::int32_t sums[64];
  for (index_t i = 0; i < tile; ++i) sums[i] = whole.sums[i];
  subtract_sums(gemm, whole, whole.panels, taps.first * row_bytes / tile, sums);
  subtract_sums(gemm, whole, whole.panels + taps.last * row_bytes,
                (height - taps.last) * row_bytes / tile, sums);
  args.panels += taps.first * row_bytes;
  args.taps_y = taps.last - taps.first;
  args.sums = sums;
  if (args.taps_y == 0) {  // all of the window is padding
    args.a = any_input;
    args.k = 0;
    args.taps_y = args.taps_x = 1;
  }
  gemm(args, {0, args.rows, 0, 1});
}

/// One block of one group: lines that see the same rows of the window are one product.
template <class Y>
void run_block(gemm_function gemm, const packed_conv2d_view& layer, const conv2d_image& image,
               index_t group, const conv2d_block& block) noexcept {
  const window& w = layer.window;
  const packed_linear_view linear = group_of(layer, group);
  const index_t pixels = block.last_pixel - block.first_pixel;
  const bool is_whole = pixels == image.out_width && image.is_dense;
  const auto taps_of = [&](index_t line) {
    const tap_range t = taps_inside(vertical(w), line * w.stride_y - w.pad_top, image.height);
    return t.first < t.last ? t : tap_range{0, 0};
  };
  for (index_t line = block.first_line, lines = 0; line < block.last_line; line += lines) {
    const tap_range taps = taps_of(line);
    lines = 1;
    while (is_whole && line + lines < block.last_line) {
      const tap_range next = taps_of(line + lines);
      if (next.first != taps.first || next.last != taps.last) break;
      ++lines;
    }
    kernels::gemm_s8_args all = image.line;
    all.rows = lines * pixels;
    all.c = static_cast<Y*>(all.c) + group * linear.out_features + line * image.out_line +
            block.first_pixel * all.c_stride;
    all.a += group * image.group_bytes + block.first_pixel * all.a_stride +
             (line * w.stride_y - w.pad_top + taps.first * w.dilation_y) * image.row_bytes;
    if (taps.last - taps.first == w.height) {
      const index_t panels = block.last_panel - block.first_panel;
      gemm(panel_args<Y>(all, linear, block.first_panel, panels), {0, all.rows, 0, panels});
      continue;
    }
    for (index_t panel = block.first_panel; panel < block.last_panel; ++panel) {
      run_cut_panel(gemm, panel_args<Y>(all, linear, panel, 1), taps, w.height,
                    linear.panel_bytes(), image.line.a);
    }
  }
}

/// All groups of the outputs of one image.
template <class Y, class Parallel>
void run_image(gemm_function gemm, const packed_conv2d_view& layer, const conv2d_image& image,
               const Parallel& parallel_for) noexcept {
  const packed_linear_view& linear = layer.first_group;
  const index_t panels = linear.panels_count(), width = image.out_width;
  const linear_blocks b =
      blocks_of(image.out_height * width, panels, linear.in_features, linear.tile_columns);
  const index_t lines = clamp<index_t>(b.rows / width, 1, image.out_height);
  const index_t pixels = min(width, b.rows), parts = ceil_div(width, pixels);
  const index_t line_blocks = ceil_div(image.out_height, lines);
  parallel_for(layer.groups * line_blocks * parts * b.panel_blocks, [&](index_t i) {
    const index_t panel = i % b.panel_blocks * b.panels;
    i /= b.panel_blocks;
    const index_t pixel = i % parts * pixels;
    i /= parts;
    const index_t line = i % line_blocks * lines;
    run_block<Y>(gemm, layer, image, i / line_blocks,
                 {line, min(line + lines, image.out_height), pixel, min(pixel + pixels, width),
                  panel, min(panel + b.panels, panels)});
  });
}

template <class X, class Y>
constexpr PARE_CHOICE_INLINE status check_conv2d(const strided_image_view<const X>& x,
                                                 const packed_conv2d_view& layer,
                                                 const strided_image_view<Y>& y) noexcept {
  PARE_RETURN_IF_ERROR(check_conv_channels(x, layer.in_channels, layer.out_channels, y));
  PARE_RETURN_IF_ERROR((check_codes<X, Y>(layer.first_group.options)));
  return check_panels(layer.first_group);
}
template <class X, class Y>
PARE_NOINLINE status check_conv2d_apart(const strided_image_view<const X>& x,
                                        const packed_conv2d_view& layer,
                                        const strided_image_view<Y>& y) noexcept {
  return check_conv2d(x, layer, y);
}

/// The convolution after the checks, its windows read in place.
template <class X, class Y, class Parallel>
status run_conv2d_in_place(gemm_function gemm, const output_choice& choice,
                           const strided_image_view<const X>& x, const packed_conv2d_view& layer,
                           const strided_image_view<Y>& y, workspace scratch,
                           const Parallel& parallel_for) noexcept {
  const window& w = layer.window;
  if (x.extent(0) == 0 || layer.out_channels == 0) return {};
  conv2d_image image;
  image.height = x.extent(1);
  image.out_height = y.extent(1);
  image.out_width = y.extent(2);
  conv2d_source source{};
  if (!source_of(layer, x.extent(1), x.extent(2), image.out_width, x.stride(2), source)) {
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
  image.row_bytes = source.is_copied ? source.width * source.pixel_bytes : x.stride(1);
  image.group_bytes = layer.taps == conv2d_taps::padded_pixels ? 4 : k.inputs;
  image.out_line = y.stride(1);
  // A single row or column is not stepped over: its stride may be anything.
  const index_t to_next_pixel = image.out_width > 1 ? w.stride_x * pixel : 0;
  const index_t to_next_line = image.out_height > 1 ? w.stride_y * image.row_bytes : 0;
  const bool is_column = image.out_width == 1;
  image.is_dense = is_column || y.stride(1) == image.out_width * y.stride(2);
  kernels::gemm_s8_args& args = image.line;
  args = args_of(layer.first_group, 0);
  args.a_stride = is_column ? to_next_line : to_next_pixel;
  args.c_stride = is_column ? y.stride(1) : y.stride(2);
  args.line_rows = image.out_width;
  args.line_stride = to_next_line;
  if (is_column || to_next_line == image.out_width * to_next_pixel) args.line_rows = max_index;
  args.taps_y = k.taps_y;
  args.taps_x = k.taps_x;
  args.tap_y_stride = w.dilation_y * image.row_bytes;
  args.tap_x_stride = w.dilation_x * pixel;
  args.k = k.bytes;
  if (k.taps_x > 1 && w.dilation_x == 1 && k.bytes % 4 == 0 && pixel == k.bytes) {
    // Pixels side by side: the same bytes as one tap.
    args.k *= args.taps_x;
    args.taps_x = 1;
  }
  set_codes<X, Y>(args, layer.first_group, choice);

  for (index_t i = 0; i < x.extent(0); ++i) {
    args.a = reinterpret_cast<const std::uint8_t*>(x.data_handle() + i * x.stride(0));
    args.c = y.data_handle() + i * y.stride(0);
    if (source.is_copied) {
      const index_t rows = max<index_t>(65536 / max<index_t>(image.row_bytes, 1), 1);
      parallel_for(ceil_div(image.height, rows), [&](index_t part) {
        copy_padded(x, i, layer, source, part * rows, min((part + 1) * rows, image.height), copy);
      });
      args.a = copy;
    }
    run_image<Y>(gemm, layer, image, parallel_for);
  }
  return {};
}

/// What is chosen where a layer may still be known.
template <class X>
struct conv2d_choice {
  gemm_function gemm;
  window_copier<X> copy;  ///< where windows are copied
  output_choice output;
};
template <class X, class Y>
PARE_CHOICE_INLINE conv2d_choice<X> conv2d_choice_of(const packed_conv2d_view& layer) noexcept {
  const gemm_function gemm = linear_kernels_of(linear_kernel(layer.first_group)).gemm;
  const output_choice output = output_choice_of<Y>(layer.first_group.options);
  if constexpr (copies_windows) {
    return {gemm, window_copier_of<X>(layer), output};
  } else {
    return {gemm, nullptr, output};
  }
}

/// The convolution after the checks.
template <class X, class Y, class Parallel>
PARE_CHOICE_INLINE status run_conv2d(const conv2d_choice<X>& choice,
                                     const strided_image_view<const X>& x,
                                     const packed_conv2d_view& layer,
                                     const strided_image_view<Y>& y, workspace scratch,
                                     const Parallel& parallel_for) noexcept {
  if constexpr (copies_windows) {
    return run_conv2d_windows(choice.gemm, choice.copy, choice.output, x, layer, y, scratch);
  } else {
    return run_conv2d_in_place(choice.gemm, choice.output, x, layer, y, scratch, parallel_for);
  }
}

/// For shapes that are known to fit: those of a network that has been planned.
template <class X, class Y, class Parallel>
PARE_CHOICE_INLINE status planned_conv2d(const strided_image_view<const X>& x,
                                         const packed_conv2d_view& layer,
                                         const strided_image_view<Y>& y, workspace scratch,
                                         const Parallel& parallel_for) noexcept {
  PARE_RETURN_IF_ERROR((check_codes<X, Y>(layer.first_group.options)));
  PARE_RETURN_IF_ERROR(check_panels(layer.first_group));
  return run_conv2d(conv2d_choice_of<X, Y>(layer), x, layer, y, scratch, parallel_for);
}

template <class X, class Y, class Parallel>
PARE_CHOICE_INLINE status conv2d(const strided_image_view<const X>& x,
                                 const packed_conv2d_view& layer, const strided_image_view<Y>& y,
                                 workspace scratch, const Parallel& parallel_for) noexcept {
  const conv2d_choice<X> choice = conv2d_choice_of<X, Y>(layer);
  if (!are_known(x.extent(1), layer.out_channels) || !check_conv2d(x, layer, y).is_ok() ||
      !check_conv_windows(x, layer.window, y).is_ok()) {
    PARE_RETURN_IF_ERROR(check_conv2d_apart(x, layer, y));
    PARE_RETURN_IF_ERROR(check_windows(x, layer.window, y));
  }
  return run_conv2d(choice, x, layer, y, scratch, parallel_for);
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Bytes of scratch that `conv2d` uses for images of `height` x `width`, exact for 64-byte aligned
/// memory: 0 where it reads images in place, or one image with its padding at both sides, however
/// many there are.
///
/// Copied are images where the window reaches beyond them to the left or right, and, for layers
/// whose input channels are no multiple of four, where pixels lie apart. On Cortex-M four windows are
/// copied, but for windows of one pixel without padding.
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
  if constexpr (detail::copies_windows) {
    return detail::copied_window_bytes(layer, *out_width);
  }
  detail::conv2d_source source{};
  if (!detail::source_of(layer, height, width, *out_width,
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
PARE_CHOICE_INLINE status conv2d(const tensor_view<X, EX, LX>& x, const packed_conv2d_view& layer,
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
