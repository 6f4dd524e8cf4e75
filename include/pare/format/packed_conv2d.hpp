// Int8 weights of a convolution as the kernels read them: a linear layer for each group, whose
// inputs are what the window shows.
//
// The panels are those of format/packed_linear.hpp. K is cut into taps, each with groups of four of
// its own: a tap is a pixel under the window, or a whole row of the window, as `conv2d_taps` says.
// The order within is that of the image: rows, columns, channels.
#ifndef PARE_FORMAT_PACKED_CONV2D_HPP
#define PARE_FORMAT_PACKED_CONV2D_HPP

#include <pare/format/packed_linear.hpp>
#include <pare/format/window.hpp>

namespace pare {

/// How an 8-bit convolution treats its inputs and outputs, beyond its weights.
struct conv2d_options {
  /// Strides, dilations and padding. Its height and width are those of the weights, whatever stands
  /// here.
  pare::window window{};
  /// Channels are cut into so many groups, and outputs of a group read the channels of theirs.
  index_t groups = 1;
  activation act = activation::none;
  /// How inputs map to reals. A scale of 0: not known; such a layer gives s32 outputs. The zero
  /// point is also what padding is made of.
  affine_params input{0.0f, 0};
  /// How s8 and u8 outputs map to reals. A scale of 0: not known; such a layer gives f32 or s32
  /// outputs.
  affine_params output{0.0f, 0};
  requantization rule = requantization::nearest;
};

/// What one tap of a packed convolution is.
enum class conv2d_taps : std::uint8_t {
  pixels,         ///< the channels of a pixel
  rows,           ///< the channels of all pixels of a row of the window, which lie side by side
  padded_pixels,  ///< fewer than four channels, and zeros: inputs are copied and padded likewise
};

/// A packed layer that lives elsewhere: made by `pack_conv2d`, taken by `conv2d`. Trivial, and may
/// stand in flash.
struct packed_conv2d_view {
  index_t out_channels = 0, in_channels = 0;
  index_t groups = 1;
  pare::window window{};
  conv2d_taps taps = conv2d_taps::pixels;

  packed_linear_view first_group{};  ///< the linear layer of the first group
  index_t group_bytes = 0;           ///< to that of the next one

  /// Channels that a group reads.
  constexpr PARE_ALWAYS_INLINE index_t group_inputs() const noexcept {
    return in_channels / groups;
  }
};

namespace detail {

/// What K is made of.
struct conv2d_k {
  index_t taps_y, taps_x;
  index_t inputs;  ///< of a tap
  index_t bytes;   ///< of a tap as kernels read it: at least 4 where there are several taps
};

/// The taps for a window over groups of `inputs` channels.
///
/// Whole rows where channels are no multiple of four: fewer bytes are read twice, or multiplied by
/// zero. Where they are one, both ways are the same bytes, and the call chooses.
constexpr PARE_ALWAYS_INLINE conv2d_taps choose_taps(const window& w, index_t inputs,
                                                     index_t groups) noexcept {
  if (w.height == 1 && w.width == 1) return conv2d_taps::pixels;
  if (inputs >= 4 && (inputs % 4 == 0 || w.width == 1)) return conv2d_taps::pixels;
  if (groups == 1 && w.dilation_x == 1) return conv2d_taps::rows;
  return inputs < 4 ? conv2d_taps::padded_pixels : conv2d_taps::pixels;
}

/// False where a size overflows. The window has been checked.
constexpr PARE_ALWAYS_INLINE bool k_of(const window& w, index_t inputs, conv2d_taps taps,
                                       conv2d_k& k) noexcept {
  k = {w.height, w.width, inputs, inputs};
  if (taps == conv2d_taps::rows) {
    k.taps_x = 1;
    if (!checked_multiply(w.width, inputs, k.inputs)) return false;
    k.bytes = k.inputs;
  }
  if (k.taps_y * k.taps_x > 1 || taps != conv2d_taps::pixels) k.bytes = max<index_t>(k.bytes, 4);
  return true;
}

/// The linear layer of a group.
PARE_ALWAYS_INLINE packed_linear_view group_of(const packed_conv2d_view& layer,
                                               index_t group) noexcept {
  packed_linear_view g = layer.first_group;
  const auto move = [offset = group * layer.group_bytes](auto*& p) {
    using pointer = std::remove_reference_t<decltype(p)>;
    if (p != nullptr) p = reinterpret_cast<pointer>(reinterpret_cast<const std::byte*>(p) + offset);
  };
  move(g.panels);
  move(g.sums);
  move(g.scales);
  move(g.bias);
  move(g.bias_codes);
  move(g.factors);
  move(g.multipliers);
  move(g.shifts);
  return g;
}

}  // namespace detail
}  // namespace pare

#endif  // PARE_FORMAT_PACKED_CONV2D_HPP
