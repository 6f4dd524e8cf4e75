// The digit readers: the same code for the board and for the host that checks it.
#ifndef PARE_EXAMPLES_FIRMWARE_READER_HPP
#define PARE_EXAMPLES_FIRMWARE_READER_HPP

#include <pare/kernels/sequential.hpp>

#include "digits_cnn.hpp"
#include "digits_mlp.hpp"

namespace digits {

inline constexpr pare::index_t pixels = 8 * 8, classes = 10;

/// A multilayer perceptron.
inline constexpr auto mlp_reader =
    pare::sequential(pare::feature_shape{8, 8, 1}, mlp::fc1, mlp::fc2);

inline constexpr pare::softmax_params mlp_softmax =
    pare::make_softmax_params(mlp::fc2.options.output.scale).value();

/// Depthwise-separable convolutions.
inline constexpr pare::max_pooling halved{{2, 2, 2, 2}};
inline constexpr auto cnn_reader =
    pare::sequential(pare::feature_shape{8, 8, 1}, cnn::conv, cnn::depthwise1, cnn::pointwise1,
                     halved, cnn::depthwise2, cnn::pointwise2, halved, cnn::fc);

inline constexpr pare::softmax_params cnn_softmax =
    pare::make_softmax_params(cnn::fc.options.output.scale).value();

/// Logits and probabilities are codes: of the last layer's output scale, and of 1/256.
struct reading {
  std::uint8_t logits[classes];
  std::uint8_t probabilities[classes];

  int digit() const {
    int best = 0;
    for (int i = 1; i < classes; ++i) {
      if (logits[i] > logits[best]) best = i;
    }
    return best;
  }
};

/// Reads a picture: 64 pixels, row by row, 0 for paper and 255 for ink.
///
/// @tparam Reader   one of those above. As a parameter of the template it is a constant here: the
///                  compiler leaves out what this network does not need
/// @tparam Softmax  for the scale of its logits
/// @param arena     `Reader.arena_size()` bytes
template <const auto& Reader, const auto& Softmax>
pare::status read(const std::uint8_t (&picture)[pixels], pare::workspace arena, reading& r) {
  const auto logits = pare::view(r.logits, 1, classes);
  PARE_RETURN_IF_ERROR(Reader.run(pare::view(picture, 1, pixels), logits, arena));
  return pare::softmax(logits, Softmax, pare::view(r.probabilities, 1, classes));
}

}  // namespace digits

#endif  // PARE_EXAMPLES_FIRMWARE_READER_HPP
