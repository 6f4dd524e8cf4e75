// A small convolutional network with residual sums, and its trainer, in Eigen float: what pruning
// is tried on here.
//
// He et al., "Deep residual learning for image recognition", 2016, arXiv:1512.03385.
#ifndef PARE_EXAMPLES_PRUNE_CNN_HPP
#define PARE_EXAMPLES_PRUNE_CNN_HPP

#include <cstdint>
#include <functional>
#include <vector>

#include <pare/core/tensor.hpp>

#include "../demo/mlp.hpp"

namespace demo {

/// A 3x3 convolution with padding 1, then a residual sum where asked for, then ReLU.
struct conv {
  pare::tensor<float, 4> weight;  ///< [out, 3, 3, in]: the order in which pictures are read
  pare::tensor<float, 1> bias;    ///< [out]
  pare::index_t stride = 1;
  bool is_residual = false;  ///< what it reads is added to what it gives

  pare::index_t outputs() const { return weight.extent(0); }
  pare::index_t inputs() const { return weight.extent(3); }
  /// [out, 3 * 3 * in], a linear layer over patches.
  pare::matrix_view<float> matrix() { return pare::view(weight.data(), outputs(), 9 * inputs()); }
  pare::matrix_view<const float> matrix() const {
    return pare::view(weight.data(), outputs(), 9 * inputs());
  }
};

/// Convolutions, the mean over all positions, a linear layer.
struct cnn {
  std::vector<conv> convs;
  dense last;
};

/// 1 -> `narrow` -> `wide` channels with stride 2 each, then two residual convolutions.
cnn make_cnn(pare::index_t narrow, pare::index_t wide, std::uint64_t seed);

/// One mask a layer, those of the convolutions first; all of ones to begin with.
using cnn_masks = std::vector<pare::tensor<std::uint8_t, 2>>;
cnn_masks full_masks(const cnn& network);

/// What a layer computes: y = x * weight^T + bias, by Eigen or by a kernel. Layers are numbered as
/// masks are.
using product = std::function<void(std::size_t layer, pare::matrix_view<const float> x,
                                   pare::matrix_view<float> y)>;
product in_eigen(const cnn& network);

/// Memory of a network on its way through pictures, kept from call to call.
struct cnn_state {
  std::vector<matrix> patches;  ///< [rows * positions, 9 * in] of each convolution
  std::vector<matrix> outputs;  ///< [rows * positions, out], after ReLU
  matrix mean, logits;
};

/// The logits of pictures [rows, 28 * 28], by `multiply`.
const matrix& forward(const cnn& network, const product& multiply,
                      pare::matrix_view<const float> pictures, cnn_state& state);

/// Trains under masks, in place, on one thread: runs of the same seed end in the same bits.
///
/// @param before_step  called before each step with its number, from 0, and may change the masks
void train(cnn& network, const cnn_masks& masks, const dataset& data, const training& options,
           const std::function<void(pare::index_t step)>& before_step = {});

/// The share of pictures, in percent, that the network puts into the right class.
double accuracy(const cnn& network, const product& multiply, const labelled_images& set,
                float pixel_scale);

}  // namespace demo

#endif  // PARE_EXAMPLES_PRUNE_CNN_HPP
