// A pruned perceptron as it runs through the library's kernels.
#ifndef PARE_EXAMPLES_PRUNE_MLP_FORMS_HPP
#define PARE_EXAMPLES_PRUNE_MLP_FORMS_HPP

#include "../demo/network.hpp"
#include "sparse_weights.hpp"

namespace demo {

/// All layers but the last as f32 blocks.
runnable as_blocks(const mlp& network, const pare::bcsr_shape& shape);

/// 8-bit weights and activations throughout, ranges from training pictures.
runnable as_int8(const mlp& network, const dataset& data, zeros z);

}  // namespace demo

#endif  // PARE_EXAMPLES_PRUNE_MLP_FORMS_HPP
