// A network as a type: 8-bit layers one after the other, and one arena for all that lies between
// them, its size known before anything runs.
//
//     constexpr auto net = pare::sequential(pare::feature_shape{8, 8, 1}, digits::conv,
//                                           digits::depthwise, pare::max_pooling{{2, 2, 2, 2}},
//                                           digits::fc, softmax);
//     alignas(64) std::byte arena[net.arena_size().value()];
//
//     net.run(picture, probabilities, arena);
//
// A layer's inputs lie at one end of the arena, its outputs at the other and its scratch between
// them; the next layer goes the other way. So the arena is as large as the largest layer needs, and
// no chain of buffers that a layer reads and writes at once needs less.
#ifndef PARE_KERNELS_SEQUENTIAL_HPP
#define PARE_KERNELS_SEQUENTIAL_HPP

#include <pare/core/parallel.hpp>
#include <pare/core/workspace.hpp>
#include <pare/kernels/conv2d.hpp>
#include <pare/kernels/depthwise_conv2d.hpp>
#include <pare/kernels/global_average_pool.hpp>
#include <pare/kernels/linear.hpp>
#include <pare/kernels/low_bit_linear.hpp>
#include <pare/kernels/pool.hpp>
#include <pare/kernels/softmax.hpp>

namespace pare {

/// What lies between two layers for each image: [height, width, channels]. Features of a linear
/// layer are the channels of one pixel.
struct feature_shape {
  index_t height = 1, width = 1, channels = 0;
};

/// `max_pool` as a layer.
struct max_pooling {
  pare::window window{};
};

/// `average_pool` as a layer.
struct average_pooling {
  pare::window window{};
};

namespace detail {
inline namespace PARE_ABI {

// --- what each kind of layer makes of a shape ---

/// Elements of an image, which the caller has checked.
constexpr PARE_CHOICE_INLINE index_t size_of(const feature_shape& s) noexcept {
  return s.height * s.width * s.channels;
}

constexpr PARE_CHOICE_INLINE result<feature_shape> checked_shape(const feature_shape& s) noexcept {
  index_t size = 0;
  if (!checked_multiply(s.height, s.width, size) || !checked_multiply(size, s.channels, size)) {
    return {status_code::overflow, "the elements of a layer do not fit the index type", "shape"};
  }
  return s;
}

constexpr PARE_CHOICE_INLINE result<feature_shape> slide(const window& w, const feature_shape& in,
                                                         index_t channels) noexcept {
  const auto height = output_height(w, in.height);
  if (!height) return height.error();
  const auto width = output_width(w, in.width);
  if (!width) return width.error();
  return checked_shape({*height, *width, channels});
}

constexpr PARE_CHOICE_INLINE error other_inputs() noexcept {
  return {status_code::shape_mismatch, position_kind::none,
          "a layer has other inputs than the one before gives", "layers", 0};
}

constexpr PARE_CHOICE_INLINE result<feature_shape> shape_after(const packed_linear_view& layer,
                                                               const feature_shape& in) noexcept {
  if (size_of(in) != layer.in_features) return other_inputs();
  return feature_shape{1, 1, layer.out_features};
}
constexpr PARE_CHOICE_INLINE result<feature_shape> shape_after(
    const packed_low_bit_linear_view& layer, const feature_shape& in) noexcept {
  return shape_after(layer.base, in);
}
constexpr PARE_CHOICE_INLINE result<feature_shape> shape_after(const packed_conv2d_view& layer,
                                                               const feature_shape& in) noexcept {
  if (in.channels != layer.in_channels) return other_inputs();
  return slide(layer.window, in, layer.out_channels);
}
constexpr PARE_CHOICE_INLINE result<feature_shape> shape_after(const packed_depthwise_view& layer,
                                                               const feature_shape& in) noexcept {
  if (in.channels != layer.in_channels()) return other_inputs();
  return slide(layer.window, in, layer.out_channels);
}
constexpr PARE_CHOICE_INLINE result<feature_shape> shape_after(const max_pooling& layer,
                                                               const feature_shape& in) noexcept {
  return slide(layer.window, in, in.channels);
}
constexpr PARE_CHOICE_INLINE result<feature_shape> shape_after(const average_pooling& layer,
                                                               const feature_shape& in) noexcept {
  return slide(layer.window, in, in.channels);
}
template <class Code>
constexpr PARE_CHOICE_INLINE result<feature_shape> shape_after(
    const global_average_pool_params<Code>&, const feature_shape& in) noexcept {
  return feature_shape{1, 1, in.channels};
}
constexpr PARE_CHOICE_INLINE result<feature_shape> shape_after(const softmax_params&,
                                                               const feature_shape& in) noexcept {
  return feature_shape{1, 1, size_of(in)};
}

/// Bytes of scratch, of whole cache lines.
template <class Layer>
constexpr PARE_CHOICE_INLINE result<index_t> scratch_of(const Layer& layer,
                                                        const feature_shape& in) noexcept {
  if constexpr (std::is_same_v<Layer, packed_conv2d_view>) {
    const auto bytes = conv2d_workspace_size(layer, in.height, in.width);
    if (!bytes) return bytes;
    if (*bytes > max_index - 64) {
      return {status_code::overflow, "the scratch does not fit the index type", "layers"};
    }
    return round_up(*bytes, workspace_alignment);
  } else {
    return index_t{0};
  }
}

// --- and how it runs ---

/// A view of dense images. Made apart, from sizes that stay where they are: in place it takes more
/// code than a call.
template <class T>
PARE_NOINLINE strided_image_view<T> dense_images(T* data, const feature_shape& s,
                                                 index_t images) noexcept {
  using mapping = layout_stride::mapping<dextents<index_t, 4>>;
  const index_t row = s.width * s.channels;
  return strided_image_view<T>(data,
                               mapping(dextents<index_t, 4>(images, s.height, s.width, s.channels),
                                       {s.height * row, row, s.channels, 1}));
}

/// A layer's inputs or outputs: `images` of them, dense.
template <class T>
struct features {
  T* data;
  const feature_shape& shape;
  index_t images;

  PARE_ALWAYS_INLINE auto rows() const noexcept { return view(data, images, size_of(shape)); }
  PARE_ALWAYS_INLINE strided_image_view<T> pixels() const noexcept {
    return dense_images(data, shape, images);
  }
};

template <class X, class Y, class Parallel>
PARE_CHOICE_INLINE status run_layer(const packed_linear_view& layer, const features<const X>& x,
                                    const features<Y>& y, workspace,
                                    const Parallel& parallel_for) noexcept {
  return linear(x.rows(), layer, y.rows(), {}, parallel_for);
}
template <class X, class Y, class Parallel>
PARE_CHOICE_INLINE status run_layer(const packed_low_bit_linear_view& layer,
                                    const features<const X>& x, const features<Y>& y, workspace,
                                    const Parallel& parallel_for) noexcept {
  return linear(x.rows(), layer, y.rows(), {}, parallel_for);
}
template <class X, class Y, class Parallel>
PARE_CHOICE_INLINE status run_layer(const packed_conv2d_view& layer, const features<const X>& x,
                                    const features<Y>& y, workspace scratch,
                                    const Parallel& parallel_for) noexcept {
  return planned_conv2d(x.pixels(), layer, y.pixels(), scratch, parallel_for);
}
template <class X, class Y, class Parallel>
PARE_CHOICE_INLINE status run_layer(const packed_depthwise_view& layer, const features<const X>& x,
                                    const features<Y>& y, workspace,
                                    const Parallel& parallel_for) noexcept {
  return planned_depthwise(x.pixels(), layer, y.pixels(), parallel_for);
}
/// Codes of x and y have one type.
template <class X, class Y, class Parallel>
PARE_CHOICE_INLINE status planned_pool(
    void (*pool_kernels::*kernel)(const kernels::pool_row&) noexcept, const features<const X>& x,
    const window& w, const features<Y>& y, const Parallel& parallel_for) noexcept {
  static_assert(std::is_same_v<X, Y>, "pare: a pooling gives the codes that it takes");
  PARE_RETURN_IF_ERROR(check_pool_window(w));
  pool_rows(pool_kernels_of(active_isa()).*kernel, x.pixels(), w, y.pixels(), *limits_within<Y>({}),
            parallel_for);
  return {};
}
template <class X, class Y, class Parallel>
PARE_CHOICE_INLINE status run_layer(const max_pooling& layer, const features<const X>& x,
                                    const features<Y>& y, workspace,
                                    const Parallel& parallel_for) noexcept {
  return planned_pool(&pool_kernels::max_row, x, layer.window, y, parallel_for);
}
template <class X, class Y, class Parallel>
PARE_CHOICE_INLINE status run_layer(const average_pooling& layer, const features<const X>& x,
                                    const features<Y>& y, workspace,
                                    const Parallel& parallel_for) noexcept {
  return planned_pool(&pool_kernels::average_row, x, layer.window, y, parallel_for);
}
template <class Code, class X, class Y, class Parallel>
PARE_CHOICE_INLINE status run_layer(const global_average_pool_params<Code>& layer,
                                    const features<const X>& x, const features<Y>& y, workspace,
                                    const Parallel& parallel_for) noexcept {
  return global_average_pool(x.pixels(), layer, y.rows(), parallel_for);
}
template <class X, class Y, class Parallel>
PARE_CHOICE_INLINE status run_layer(const softmax_params& layer, const features<const X>& x,
                                    const features<Y>& y, workspace,
                                    const Parallel& parallel_for) noexcept {
  return softmax(x.rows(), layer, y.rows(), parallel_for);
}

// --- the chain ---

/// Layers in order, each with what it was found to need.
template <class First, class... Rest>
struct layer_chain {
  First layer;
  feature_shape out{};  ///< of an image
  index_t scratch = 0;  ///< bytes, of whole cache lines
  layer_chain<Rest...> rest;

  constexpr explicit layer_chain(const First& f, const Rest&... r) noexcept
      : layer(f), rest(r...) {}
};
template <class Last>
struct layer_chain<Last> {
  Last layer;
  feature_shape out{};
  index_t scratch = 0;

  constexpr explicit layer_chain(const Last& l) noexcept : layer(l) {}
};

template <class Chain>
inline constexpr bool is_last_layer = false;
template <class Last>
inline constexpr bool is_last_layer<layer_chain<Last>> = true;

/// Finds what each layer needs, from the shape of what goes in.
template <class Chain>
constexpr PARE_CHOICE_INLINE status plan(Chain& chain, const feature_shape& in) noexcept {
  const auto out = shape_after(chain.layer, in);
  if (!out) return out.error();
  const auto scratch = scratch_of(chain.layer, in);
  if (!scratch) return scratch.error();
  chain.out = *out;
  chain.scratch = *scratch;
  if constexpr (!is_last_layer<Chain>) {
    return plan(chain.rest, *out);
  } else {
    return {};
  }
}

template <class Chain>
constexpr PARE_CHOICE_INLINE const feature_shape& last_shape(const Chain& chain) noexcept {
  if constexpr (is_last_layer<Chain>) {
    return chain.out;
  } else {
    return last_shape(chain.rest);
  }
}

/// Bytes of what lies between two layers, of whole cache lines; false where they overflow.
constexpr PARE_CHOICE_INLINE bool buffer_bytes(const feature_shape& s, index_t images,
                                               index_t& bytes) noexcept {
  if (!checked_multiply(size_of(s), images, bytes) || bytes > max_index / 4) return false;
  bytes = round_up(bytes, workspace_alignment);
  return true;
}

/// What a layer takes of the arena; false where it overflows.
///
/// @param in_bytes   of the buffer that it reads; 0 where that is not in the arena
/// @param out_bytes  receives those of the buffer that it writes; 0 where that is not in the arena
/// @param bytes      receives all, scratch included
template <class Chain>
constexpr PARE_CHOICE_INLINE bool layer_bytes(const Chain& chain, index_t images, index_t in_bytes,
                                              index_t& out_bytes, index_t& bytes) noexcept {
  out_bytes = 0;
  return (is_last_layer<Chain> || buffer_bytes(chain.out, images, out_bytes)) &&
         checked_add(in_bytes + out_bytes, chain.scratch, bytes);
}

/// arena = the larger one of itself and what the layers of the chain take.
template <class Chain>
constexpr PARE_CHOICE_INLINE status measure(const Chain& chain, index_t images, index_t in_bytes,
                                            index_t& arena) noexcept {
  index_t out_bytes = 0, bytes = 0;
  if (!layer_bytes(chain, images, in_bytes, out_bytes, bytes)) {
    return {status_code::overflow, "the arena does not fit the index type", "images"};
  }
  arena = max(arena, bytes);
  if constexpr (!is_last_layer<Chain>) {
    return measure(chain.rest, images, out_bytes, arena);
  } else {
    return {};
  }
}

/// Which end of the arena a layer's outputs lie at.
enum class arena_end : std::uint8_t { front, back };

/// The arena, aligned, of whole cache lines, and no smaller than the chain needs.
struct arena_span {
  std::byte* data;
  index_t size;
};

/// Runs the chain.
///
/// @param in_bytes  of the buffer that holds x, at the other end of the arena than `to`
template <class Chain, class X, class Y, class Parallel>
PARE_CHOICE_INLINE status run_chain(const Chain& chain, const features<const X>& x, Y* y,
                                    const arena_span& arena, index_t in_bytes, arena_end to,
                                    const Parallel& parallel_for) noexcept {
  index_t out_bytes = 0, bytes = 0;
  static_cast<void>(layer_bytes(chain, x.images, in_bytes, out_bytes, bytes));
  const bool is_at_front = to == arena_end::front;
  const workspace scratch(arena.data + (is_at_front ? out_bytes : in_bytes),
                          arena.size - in_bytes - out_bytes);
  if constexpr (is_last_layer<Chain>) {
    return run_layer(chain.layer, x, features<Y>{y, chain.out, x.images}, scratch, parallel_for);
  } else {
    std::byte* out = arena.data + (is_at_front ? 0 : arena.size - out_bytes);
    const features<X> next{reinterpret_cast<X*>(out), chain.out, x.images};
    PARE_RETURN_IF_ERROR(run_layer(chain.layer, x, next, scratch, parallel_for));
    return run_chain(chain.rest, features<const X>{next.data, chain.out, x.images}, y, arena,
                     out_bytes, is_at_front ? arena_end::back : arena_end::front, parallel_for);
  }
}

/// Whether a view of [images, features] or [images, height, width, channels] is of this shape.
template <class View>
constexpr PARE_CHOICE_INLINE bool has_shape(const View& v, const feature_shape& s) noexcept {
  if constexpr (View::rank() == 2) {
    return v.extent(1) == size_of(s);
  } else {
    return v.extent(1) == s.height && v.extent(2) == s.width && v.extent(3) == s.channels;
  }
}

/// @param planned  what `plan` said of the chain
template <class Chain>
constexpr PARE_CHOICE_INLINE result<index_t> arena_size(const Chain& chain, const status& planned,
                                                        index_t images) noexcept {
  if (!planned) return planned.error();
  if (images < 0) {
    return {status_code::out_of_range, "a number of images is not negative", "images"};
  }
  index_t bytes = 0;
  PARE_RETURN_IF_ERROR(measure(chain, images, 0, bytes));
  return bytes;
}

template <class Chain>
constexpr PARE_CHOICE_INLINE status plan_network(Chain& chain,
                                                 const feature_shape& input) noexcept {
  PARE_RETURN_IF_ERROR(checked_shape(input).status());
  return plan(chain, input);
}

template <class Chain, class X, class EX, class Y, class EY, class Parallel>
PARE_CHOICE_INLINE status run_network(const Chain& chain, const feature_shape& input,
                                      const tensor_view<X, EX>& x, const tensor_view<Y, EY>& y,
                                      workspace arena, const Parallel& parallel_for) noexcept {
  using code = std::remove_const_t<X>;
  static_assert(is_code_type<code>, "pare: inputs are std::int8_t or std::uint8_t");
  static_assert((EX::rank() == 2 || EX::rank() == 4) && (EY::rank() == 2 || EY::rank() == 4),
                "pare: x and y are [images, features] or [images, height, width, channels]");
  if (!has_shape(x, input)) {
    return {status_code::shape_mismatch, "x is not of the network's input shape", "x"};
  }
  if (y.extent(0) != x.extent(0) || !has_shape(y, last_shape(chain))) {
    return {status_code::shape_mismatch, "y is not of the network's output shape", "y"};
  }
  index_t bytes = 0;
  PARE_RETURN_IF_ERROR(measure(chain, x.extent(0), 0, bytes));
  std::byte* data = arena.take<std::byte>(bytes);
  if (data == nullptr && bytes > 0) {
    return {status_code::workspace_too_small, "the arena is shorter than arena_size says", "arena",
            position_kind::byte, bytes};
  }
  const arena_span whole{data, bytes};
  const features<const code> in{x.data_handle(), input, x.extent(0)};
  return run_chain(chain, in, y.data_handle(), whole, 0, arena_end::front, parallel_for);
}

}  // namespace PARE_ABI
}  // namespace detail

/// Layers that run one after the other. A constant expression where they are, planned by the
/// compiler; the same object runs on a host, on any number of images.
///
/// Declare constants with `auto`: GCC 12 keeps `constexpr pare::sequential net(...)`, whose arguments
/// it deduces, in RAM, and `constexpr auto net = pare::sequential(...)` in flash.
///
/// @tparam Layers  `packed_linear_view`, `packed_low_bit_linear_view`, `packed_conv2d_view`,
///                 `packed_depthwise_view`, `max_pooling`, `average_pooling`,
///                 `global_average_pool_params<Code>`, `softmax_params`. A linear layer or softmax
///                 after images takes their elements in the order height, width, channels.
template <class... Layers>
class sequential {
  static_assert(sizeof...(Layers) > 0, "pare: a network has at least one layer");

 public:
  /// @param input  of one image
  constexpr explicit PARE_ALWAYS_INLINE sequential(feature_shape input,
                                                   const Layers&... layers) noexcept
      : input_(input), layers_(layers...) {
    planned_ = detail::plan_network(layers_, input_);
  }

  constexpr PARE_ALWAYS_INLINE feature_shape input_shape() const noexcept { return input_; }

  /// What the last layer gives.
  ///
  /// @return `shape_mismatch` where a layer does not fit the one before, and as `output_height`
  [[nodiscard]] constexpr PARE_ALWAYS_INLINE result<feature_shape> output_shape() const noexcept {
    if (!planned_) return planned_.error();
    return detail::last_shape(layers_);
  }

  /// Bytes of the arena for so many images at once, exact for 64-byte aligned memory.
  ///
  /// @return as `output_shape`; `out_of_range` for a negative number of images; `overflow`
  [[nodiscard]] constexpr PARE_ALWAYS_INLINE result<index_t> arena_size(
      index_t images = 1) const noexcept {
    return detail::arena_size(layers_, planned_, images);
  }

  /// Runs all layers.
  ///
  /// Codes between the layers have the type of x.
  ///
  /// @param x             [images, features] or [images, height, width, channels], s8 or u8
  /// @param y             the same for the output: s8 or u8, or whatever else the last layer gives
  /// @param arena         `arena_size(images)` bytes; its content does not matter, before or after
  /// @param parallel_for  see core/parallel.hpp
  /// @return as `output_shape`; `shape_mismatch`; `workspace_too_small` with the bytes of
  ///         `arena_size`; what the layers return. y is then untouched
  ///
  /// Never allocates.
  template <class X, class EX, class Y, class EY, class Parallel = serial>
  PARE_ALWAYS_INLINE status run(const tensor_view<X, EX>& x, const tensor_view<Y, EY>& y,
                                workspace arena, const Parallel& parallel_for = {}) const noexcept {
    if (!planned_) return planned_;
    return detail::run_network(layers_, input_, x, y, arena, parallel_for);
  }

 private:
  feature_shape input_;
  status planned_{};
  detail::layer_chain<Layers...> layers_;
};

}  // namespace pare

#endif  // PARE_KERNELS_SEQUENTIAL_HPP
