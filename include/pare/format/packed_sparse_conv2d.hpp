// Block-sparse int8 weights of a convolution as the kernels read them: a sparse linear layer over
// what the window shows.
#ifndef PARE_FORMAT_PACKED_SPARSE_CONV2D_HPP
#define PARE_FORMAT_PACKED_SPARSE_CONV2D_HPP

#include <pare/format/packed_conv2d.hpp>
#include <pare/format/packed_sparse_linear.hpp>

namespace pare {

/// A packed layer that lives elsewhere: made by `pack_sparse_conv2d`, taken by `conv2d`. Trivial, and
/// may stand in flash.
struct packed_sparse_conv2d_view {
  packed_sparse_linear_view linear{};  ///< inputs in the order of `layout_window`
  pare::window window{};
  index_t in_channels = 0;
};

}  // namespace pare

#endif  // PARE_FORMAT_PACKED_SPARSE_CONV2D_HPP
