// A small convolutional network with residual sums, and its trainer, in Eigen float: what pruning
// is tried on here.
//
// He et al., "Deep residual learning for image recognition", 2016, arXiv:1512.03385 (bottlenecks).
#ifndef PARE_EXAMPLES_PRUNE_CNN_HPP
#define PARE_EXAMPLES_PRUNE_CNN_HPP

#include <cstdint>
#include <functional>
#include <vector>

#include <pare/core/tensor.hpp>

#include "../demo/mlp.hpp"

namespace demo {

/// A convolution over 1x1 or 3x3 pixels with padding 0 or 1, then a residual sum where asked for,
/// then ReLU.
struct conv {
  pare::tensor<float, 4> weight;  ///< [out, side, side, in]: the order in which pictures are read
  pare::tensor<float, 1> bias;    ///< [out]
  pare::index_t stride = 1;
  pare::index_t added = -1;  ///< the convolution whose outputs are added; -1: none

  pare::index_t outputs() const { return weight.extent(0); }
  pare::index_t inputs() const { return weight.extent(3); }
  pare::index_t side() const { return weight.extent(1); }
  pare::index_t taps() const { return side() * side(); }
  /// Whether it reads pixels as they lie, as a linear layer does.
  bool is_pointwise() const { return side() == 1 && stride == 1; }
  /// [out, side * side * in], a linear layer over patches.
  pare::matrix_view<float> matrix() {
    return pare::view(weight.data(), outputs(), taps() * inputs());
  }
  pare::matrix_view<const float> matrix() const {
    return pare::view(weight.data(), outputs(), taps() * inputs());
  }
};

/// Convolutions, the mean over all positions, a linear layer.
struct cnn {
  std::vector<conv> convs;
  dense last;
};

/// 1 -> `narrow` -> `wide` channels by 3x3 windows of stride 2, then two bottlenecks: 1x1 to `inner`
/// channels, 3x3, 1x1 back to `wide`, and the sum.
cnn make_cnn(pare::index_t narrow, pare::index_t wide, pare::index_t inner, std::uint64_t seed);

/// The side of what a convolution makes of pictures of a side.
inline pare::index_t side_after(pare::index_t side, const conv& c) {
  return (side - 1) / c.stride + 1;
}

/// One mask a layer, those of the convolutions first; all of ones to begin with.
using cnn_masks = std::vector<pare::tensor<std::uint8_t, 2>>;
cnn_masks full_masks(const cnn& network);

/// Memory of a network on its way through pictures, kept from call to call.
struct cnn_state {
  std::vector<matrix> patches;  ///< [rows * positions, taps * in] where they have to be gathered
  std::vector<matrix> outputs;  ///< [rows * positions, out], after ReLU
  matrix mean, logits;

  /// What convolution i multiplies by its weights.
  pare::matrix_view<const float> input_of(const cnn& network, std::size_t i) const {
    return view_of(network.convs[i].is_pointwise() ? outputs[i - 1] : patches[i]);
  }
};

/// The logits of square pictures [rows, pixels].
const matrix& forward(const cnn& network, pare::matrix_view<const float> pictures,
                      cnn_state& state);

/// Trains under masks, in place, on one thread: runs of the same seed end in the same bits.
///
/// @param before_step  called before each step with its number, from 0, and may change the masks
void train(cnn& network, const cnn_masks& masks, const dataset& data, const training& options,
           const loss_function& loss,
           const std::function<void(pare::index_t step)>& before_step = {});

}  // namespace demo

#endif  // PARE_EXAMPLES_PRUNE_CNN_HPP
