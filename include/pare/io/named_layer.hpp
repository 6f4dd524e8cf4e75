// Packed layers with the names under which they leave the host: what io/write_c_source.hpp and
// io/write_image.hpp are given.
#ifndef PARE_IO_NAMED_LAYER_HPP
#define PARE_IO_NAMED_LAYER_HPP

#include <string>
#include <variant>

#include <pare/format/layer_parts.hpp>

namespace pare {

/// A packed layer of any kind that can be written. Float weights have no bias of their own: it is a
/// vector, under a name of its own.
using packed_layer =
    std::variant<packed_linear_view, packed_low_bit_linear_view, packed_conv2d_view,
                 packed_depthwise_view, packed_grouped_linear_view, packed_sparse_linear_view,
                 low_rank_view<float>, bcsr_view<float>, vector_view<const float>,
                 packed_offset_grouped_linear_view>;

/// A packed layer and its name in the program that will run it. The layers that own their memory
/// pass as views: `{"fc1", layer.view()}`. Must not outlive the memory of the layer.
struct named_layer {
  std::string name;
  packed_layer layer;
  std::string comment{};  ///< for readers: what it was trained on, which tool made it; may be empty
};

}  // namespace pare

#endif  // PARE_IO_NAMED_LAYER_HPP
