// Other libraries, multiplying activations by sparse weights: C [n, m] = W [n, k] * A [k, m], as
// their kernels want it, one thread.
#ifndef PARE_BENCHMARKS_SUPPORT_SPARSE_PEERS_HPP
#define PARE_BENCHMARKS_SUPPORT_SPARSE_PEERS_HPP

#include "peers.hpp"

namespace pare_bench {

/// Eigen's SparseMatrix times a dense matrix.
///
/// @param w  [n, k], row-major, zeros where weights are pruned; not kept
std::function<void()> eigen_sparse_f32(product_shape shape, const float* w);

/// libxsmm's spmdm. Empty where it was not found when this program was built.
std::function<void()> libxsmm_sparse_f32(product_shape shape, const float* w);

/// XNNPACK's convolution of 1x1 over channels in planes, which multiplies by a sparse matrix. Empty
/// where it was not found when this program was built, or refuses.
std::function<void()> xnnpack_sparse_f32(product_shape shape, const float* w);

}  // namespace pare_bench

#endif  // PARE_BENCHMARKS_SUPPORT_SPARSE_PEERS_HPP
