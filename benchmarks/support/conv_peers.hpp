// Other libraries, doing the same int8 convolution: weights are prepared when a peer is made, a call
// runs the convolution.
#ifndef PARE_BENCHMARKS_SUPPORT_CONV_PEERS_HPP
#define PARE_BENCHMARKS_SUPPORT_CONV_PEERS_HPP

#include <functional>

namespace pare_bench {

/// A convolution of one NHWC image of `height` x `width` with a square window, padded on all sides.
struct conv_shape {
  long height, width, in_channels, out_channels;
  long window, stride, padding;
  bool depthwise;  ///< one filter for each channel; in_channels == out_channels

  long out_height() const { return (height + 2 * padding - window) / stride + 1; }
  long out_width() const { return (width + 2 * padding - window) / stride + 1; }
  /// Multiplications.
  double products() const {
    return 1.0 * static_cast<double>(out_height() * out_width() * out_channels) *
           static_cast<double>(window * window * (depthwise ? 1 : in_channels));
  }
};

/// What the source is: s8, or u8 as behind a ReLU. The destination is s8, scaled per channel.
enum class conv_source { s8, u8 };

/// Empty where oneDNN is missing or refuses. One thread; NHWC data, weights in the layout that
/// oneDNN prefers.
std::function<void()> onednn_conv(const conv_shape& shape, conv_source source);

}  // namespace pare_bench

#endif  // PARE_BENCHMARKS_SUPPORT_CONV_PEERS_HPP
