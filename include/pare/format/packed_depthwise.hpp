// Int8 weights of a depthwise convolution as the kernels read them: panels of channels, the rows of
// the window in groups of four.
//
// For a tile of NR channels, panel p holds outputs p*NR ... p*NR + NR - 1 as
// [variants][ceil(rows / 4)][window width][NR][4] s8: one load gives the weights of four rows of
// one column of the window for each output, the operand of vpdpbusd once four rows of the image
// have been interleaved. Where the last group has room, four interleaved rows serve two rows of
// outputs: variant 1 is then variant 0 moved down by stride_y rows. Missing rows and outputs are
// zero. What is needed for each output stands beside the panels, as in format/packed_linear.hpp.
#ifndef PARE_FORMAT_PACKED_DEPTHWISE_HPP
#define PARE_FORMAT_PACKED_DEPTHWISE_HPP

#include <pare/format/packed_linear.hpp>
#include <pare/format/window.hpp>

namespace pare {

/// How an 8-bit depthwise convolution treats its inputs and outputs, beyond its weights.
struct depthwise_conv2d_options {
  /// Strides, dilations and padding. Its height and width are those of the weights, whatever stands
  /// here.
  pare::window window{};
  /// Outputs for each input channel: output o reads channel o / multiplier, as PyTorch's `groups`
  /// and TensorFlow Lite's `depth_multiplier` do.
  index_t multiplier = 1;
  activation act = activation::none;
  /// How inputs map to reals. A scale of 0: not known; such a layer gives s32 outputs. The zero
  /// point is also what padding is made of.
  affine_params input{0.0f, 0};
  /// How s8 and u8 outputs map to reals. A scale of 0: not known; such a layer gives f32 or s32
  /// outputs.
  affine_params output{0.0f, 0};
  requantization rule = requantization::nearest;
};

/// A packed layer that lives elsewhere: made by `pack_depthwise_conv2d`, taken by
/// `depthwise_conv2d`. Trivial, and may stand in flash.
struct packed_depthwise_view {
  index_t out_channels = 0;
  index_t multiplier = 1;
  pare::window window{};
  std::int32_t variants = 1;  ///< rows of outputs that four interleaved rows serve: 1 or 2

  /// The panels, their width, and what stands beside them for each output. As a linear layer it has
  /// no inputs: where its panels hold what is said in this file.
  packed_linear_view outputs{};

  constexpr PARE_ALWAYS_INLINE index_t in_channels() const noexcept {
    return out_channels / multiplier;
  }
};

namespace detail {

/// Rows of outputs that the groups of four window rows serve together.
constexpr PARE_ALWAYS_INLINE std::int32_t depthwise_variants(const window& w) noexcept {
  const index_t room = round_up(w.height, 4) - w.height;
  return w.dilation_y == 1 && w.stride_y <= room ? 2 : 1;
}

/// Bytes of a panel for each of its outputs; false where they overflow.
constexpr PARE_ALWAYS_INLINE bool depthwise_output_bytes(const window& w, std::int32_t variants,
                                                         index_t& bytes) noexcept {
  if (w.height < 0 || w.height > max_index - 4) return false;
  return checked_multiply(round_up(w.height, 4), w.width, bytes) &&
         checked_multiply(bytes, variants, bytes);
}

/// Where in a panel the weight of window row `i` and column `j` for its output `lane` stands.
constexpr PARE_ALWAYS_INLINE index_t depthwise_offset(const window& w, index_t tile_columns,
                                                      index_t i, index_t j, index_t lane) noexcept {
  return ((i / 4 * w.width + j) * tile_columns + lane) * 4 + i % 4;
}

}  // namespace detail
}  // namespace pare

#endif  // PARE_FORMAT_PACKED_DEPTHWISE_HPP
