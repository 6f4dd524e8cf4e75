// A small multilayer perceptron and its trainer, in Eigen float: what the library's parts are
// tried on here.
//
// He et al., "Delving deep into rectifiers", 2015, arXiv:1502.01852 (initialisation). Kingma and
// Ba, "Adam: a method for stochastic optimization", 2015, arXiv:1412.6980. Srivastava et al.,
// "Dropout: a simple way to prevent neural networks from overfitting", 2014.
#ifndef PARE_EXAMPLES_DEMO_MLP_HPP
#define PARE_EXAMPLES_DEMO_MLP_HPP

#include <cstdint>
#include <functional>
#include <vector>

#include <pare/core/eigen.hpp>
#include <pare/core/tensor.hpp>
#include <pare/format/activation.hpp>

#include "dataset.hpp"

namespace demo {

/// y = act(weight * x + bias)
struct dense {
  pare::tensor<float, 2> weight;                  ///< [out, in]
  pare::tensor<float, 1> bias;                    ///< [out], or empty
  pare::activation act = pare::activation::none;  ///< none or relu
};

/// The first layer reads a picture, the last one gives the logits.
using mlp = std::vector<dense>;

/// Row-major, as the library's views are: one picture a row.
using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

inline pare::matrix_view<const float> view_of(const matrix& m) {
  return pare::view(m.data(), m.rows(), m.cols());
}

/// Layers of these widths with ReLU between them, weights by He's rule, zero biases:
/// `make_mlp({784, 512, 10}, seed)`.
mlp make_mlp(const std::vector<pare::index_t>& widths, std::uint64_t seed);

/// The logits for pictures [count, pixels], by Eigen. `outputs` receives what each layer gives, the
/// logits last, and keeps its memory from call to call.
const matrix& forward(const mlp& network, pare::matrix_view<const float> inputs,
                      std::vector<matrix>& outputs);

/// The number of rows whose largest logit, the first where several are, is the label's.
pare::index_t count_correct(pare::matrix_view<const float> logits,
                            pare::vector_view<const std::uint8_t> labels);

/// What a loss sees: some pictures, and what the network says of them.
struct minibatch {
  pare::vector_view<const pare::index_t> pictures;  ///< [rows], their numbers in the training part
  pare::vector_view<const std::uint8_t> labels;     ///< [rows]
  pare::matrix_view<const float> logits;            ///< [rows, classes]
};

/// Returns the mean loss, and its gradient with respect to the logits. Called from several threads
/// at once.
using loss_function =
    std::function<pare::result<double>(const minibatch&, pare::matrix_view<float> gradient)>;

struct training {
  int epochs = 10;
  pare::index_t pictures = 0;   ///< that one epoch sees; 0: all there are
  pare::index_t batch = 128;    ///< even
  float learning_rate = 1e-3f;  ///< of Adam; falls to zero along half a cosine
  float weight_decay = 0;       ///< decoupled, as in AdamW
  float dropout = 0;            ///< of hidden activations
  int shift = 0;  ///< each picture is moved by up to so many pixels in both directions
  std::uint64_t seed = 1;
  int threads = 0;                       ///< 0: all there are. The result does not depend on it
  std::function<void(mlp&)> after_step;  ///< for example, applies a mask
  /// Called after every step: fraction of the work done, running loss and accuracy.
  std::function<void(double done, double loss, double accuracy)> progress;
};

/// Trains in place. Runs of the same seed end in the same bits. Throws what `result::value()`
/// throws where the loss is not finite any more.
void train(mlp& network, const dataset& data, const training& options, const loss_function& loss);

}  // namespace demo

#endif  // PARE_EXAMPLES_DEMO_MLP_HPP
