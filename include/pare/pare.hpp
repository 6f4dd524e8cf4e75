// Everything, for hosts: compress a network, and run it. Needs Eigen and xsimd; a program that only
// runs networks includes pare/inference.hpp.
#ifndef PARE_PARE_HPP
#define PARE_PARE_HPP

#include <pare/core/eigen.hpp>
#include <pare/core/std_threads.hpp>
#include <pare/core/std_views.hpp>
#include <pare/core/tensor.hpp>
#include <pare/core/thread_team.hpp>
#include <pare/distill/loss.hpp>
#include <pare/factorize/svd.hpp>
#include <pare/inference.hpp>
#include <pare/io/named_layer.hpp>
#include <pare/io/npy.hpp>
#include <pare/io/write_c_source.hpp>
#include <pare/io/write_image.hpp>
#include <pare/layers/conv2d.hpp>
#include <pare/layers/depthwise_conv2d.hpp>
#include <pare/layers/grouped_linear.hpp>
#include <pare/layers/linear.hpp>
#include <pare/layers/low_bit_linear.hpp>
#include <pare/layers/owned_layer.hpp>
#include <pare/prune/amount.hpp>
#include <pare/prune/blocks.hpp>
#include <pare/prune/channel_graph.hpp>
#include <pare/prune/magnitude.hpp>
#include <pare/prune/mask.hpp>
#include <pare/prune/n_m.hpp>
#include <pare/prune/random.hpp>
#include <pare/prune/reconstruct.hpp>
#include <pare/prune/saliency.hpp>
#include <pare/prune/schedule.hpp>
#include <pare/prune/scores.hpp>
#include <pare/prune/sparse_gpt.hpp>
#include <pare/prune/sparsify.hpp>
#include <pare/prune/structured.hpp>
#include <pare/prune/surgery.hpp>
#include <pare/quantize/affine.hpp>
#include <pare/quantize/dynamic.hpp>
#include <pare/quantize/error_meter.hpp>
#include <pare/quantize/float8.hpp>
#include <pare/quantize/fold_batch_norm.hpp>
#include <pare/quantize/ggml.hpp>
#include <pare/quantize/gptq.hpp>
#include <pare/quantize/grid.hpp>
#include <pare/quantize/grid_tensor.hpp>
#include <pare/quantize/grouped.hpp>
#include <pare/quantize/hessian.hpp>
#include <pare/quantize/inverse_cholesky.hpp>
#include <pare/quantize/mx.hpp>
#include <pare/quantize/nf4.hpp>
#include <pare/quantize/range.hpp>
#include <pare/quantize/search_scheme.hpp>
#include <pare/quantize/ternary.hpp>

#endif  // PARE_PARE_HPP
