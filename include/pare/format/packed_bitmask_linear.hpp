// Int8 and int4 weights of a linear layer with a bitmask, as the kernels read them, and beside them
// what each output needs, as for dense layers.
#ifndef PARE_FORMAT_PACKED_BITMASK_LINEAR_HPP
#define PARE_FORMAT_PACKED_BITMASK_LINEAR_HPP

#include <pare/format/bitmask.hpp>
#include <pare/format/packed_linear.hpp>

namespace pare {

/// A packed layer that lives elsewhere: made by `pack_bitmask_linear`, taken by `linear`. Trivial,
/// and may stand in flash.
struct packed_bitmask_linear_view {
  /// All that a dense layer has too. Its panels are the data of `weights`: by itself it is no layer
  /// for `linear`.
  packed_linear_view base{};
  bitmask_view weights{};
};

}  // namespace pare

#endif  // PARE_FORMAT_PACKED_BITMASK_LINEAR_HPP
