// The techniques, one short function each: from a trained network to one that is small, and from
// that to one that runs.
#ifndef PARE_EXAMPLES_DEMO_STAGES_HPP
#define PARE_EXAMPLES_DEMO_STAGES_HPP

#include <vector>

#include <pare/distill/loss.hpp>

#include "mlp.hpp"
#include "network.hpp"

namespace demo {

// --- training ---

/// Trains a network on the labels.
void train_on_labels(mlp& network, const dataset& data, const training& options);

/// Trains a student on the teacher's logits and the labels.
void distil(const mlp& teacher, mlp& student, const dataset& data, const training& options,
            const pare::distillation& loss);

// --- smaller networks ---

/// One mask a layer: 1 where a weight stays, 0 where it is pruned.
using masks = std::vector<pare::tensor<std::uint8_t, 2>>;

/// Sets the smallest weights of each layer but the last to zero.
masks prune_weights(mlp& network, double fraction);

/// Options that keep pruned weights at zero while a network is trained on.
training under(const masks& kept, training options);

/// Removes the hidden neurons with the smallest L2 norm, rows and columns for good.
mlp remove_neurons(const mlp& network, double fraction);

/// Replaces each layer by two thin ones that keep this share of its energy.
mlp factorize(const mlp& network, double energy);

// --- networks that run ---

/// Dense float in Eigen: what all others are compared with.
runnable in_eigen(const mlp& network);

/// The non-zeros, as compressed sparse rows.
runnable as_sparse(const mlp& network);

/// The two factors of each layer, from what `factorize` gives.
runnable as_low_rank(const mlp& factors);

/// Int8 weights; activations become 8 bit on the fly, row by row.
runnable as_int8(const mlp& network);

/// Int8 weights and 8-bit activations throughout; their ranges are taken from training pictures.
runnable as_static_int8(const mlp& network, const dataset& data);

// --- figures ---

/// What a network says of every picture, [count, classes].
pare::tensor<float, 2> logits_of(const runnable& network, const labelled_images& set,
                                 float pixel_scale);

/// The share of pictures, in percent, that a network puts into the right class.
double accuracy(const runnable& network, const labelled_images& set, float pixel_scale);

}  // namespace demo

#endif  // PARE_EXAMPLES_DEMO_STAGES_HPP
