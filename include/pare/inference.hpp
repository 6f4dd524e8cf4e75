// All that runs on a target: kernels and the formats they read. Needs nothing but the compiler: no
// heap, no exceptions, no RTTI.
#ifndef PARE_INFERENCE_HPP
#define PARE_INFERENCE_HPP

#include <pare/core/fixed_point.hpp>
#include <pare/core/for_each.hpp>
#include <pare/core/minifloat.hpp>
#include <pare/core/parallel.hpp>
#include <pare/core/result.hpp>
#include <pare/core/small_float.hpp>
#include <pare/core/subview.hpp>
#include <pare/core/workspace.hpp>
#include <pare/format/affine.hpp>
#include <pare/format/code_limits.hpp>
#include <pare/format/codebook.hpp>
#include <pare/format/csr.hpp>
#include <pare/format/ggml.hpp>
#include <pare/format/grouped.hpp>
#include <pare/format/image.hpp>
#include <pare/format/low_bit.hpp>
#include <pare/format/low_rank.hpp>
#include <pare/format/mx.hpp>
#include <pare/format/nf4.hpp>
#include <pare/format/packed_conv2d.hpp>
#include <pare/format/packed_depthwise.hpp>
#include <pare/format/packed_grouped_linear.hpp>
#include <pare/format/packed_linear.hpp>
#include <pare/format/packed_low_bit_linear.hpp>
#include <pare/format/packed_parts.hpp>
#include <pare/format/window.hpp>
#include <pare/kernels/add.hpp>
#include <pare/kernels/concat.hpp>
#include <pare/kernels/conv2d.hpp>
#include <pare/kernels/depthwise_conv2d.hpp>
#include <pare/kernels/global_average_pool.hpp>
#include <pare/kernels/grouped_linear.hpp>
#include <pare/kernels/hard_swish.hpp>
#include <pare/kernels/isa.hpp>
#include <pare/kernels/linear.hpp>
#include <pare/kernels/low_bit_linear.hpp>
#include <pare/kernels/low_rank_linear.hpp>
#include <pare/kernels/pack_conv2d.hpp>
#include <pare/kernels/pack_depthwise_conv2d.hpp>
#include <pare/kernels/pack_grouped_linear.hpp>
#include <pare/kernels/pack_linear.hpp>
#include <pare/kernels/pack_low_bit_linear.hpp>
#include <pare/kernels/pad.hpp>
#include <pare/kernels/pool.hpp>
#include <pare/kernels/repack.hpp>
#include <pare/kernels/requantize.hpp>
#include <pare/kernels/sequential.hpp>
#include <pare/kernels/softmax.hpp>
#include <pare/kernels/sparse_linear.hpp>
#include <pare/kernels/static_linear.hpp>
#include <pare/kernels/table.hpp>

#endif  // PARE_INFERENCE_HPP
