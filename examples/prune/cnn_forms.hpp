// A convolutional network as it runs: in Eigen, and through the library's kernels.
#ifndef PARE_EXAMPLES_PRUNE_CNN_FORMS_HPP
#define PARE_EXAMPLES_PRUNE_CNN_FORMS_HPP

#include "../demo/network.hpp"
#include "cnn.hpp"
#include "sparse_weights.hpp"

namespace demo {

/// Dense f32, patches gathered where windows are 3x3.
runnable in_eigen(const cnn& network);

/// Convolutions as f32 blocks.
runnable as_blocks(const cnn& network, const pare::bcsr_shape& shape);

/// 8-bit weights and activations throughout, ranges from training pictures.
runnable as_int8(const cnn& network, const dataset& data, zeros z);

}  // namespace demo

#endif  // PARE_EXAMPLES_PRUNE_CNN_FORMS_HPP
