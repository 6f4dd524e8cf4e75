// An int8 convolution that owns its packed weights, ready to run. Host tier only.
#ifndef PARE_LAYERS_CONV2D_HPP
#define PARE_LAYERS_CONV2D_HPP

#include <utility>

#include <pare/core/tensor.hpp>
#include <pare/kernels/conv2d.hpp>

namespace pare {

/// A packed convolution and its memory. Made by `pack_conv2d`; passes as
/// `packed_conv2d_view` wherever one is taken.
///
/// Moves only, and a move keeps the packed memory where it is: views taken before stay valid.
class conv2d_layer {
 public:
  conv2d_layer() = default;
  conv2d_layer(tensor<std::byte, 1> memory, const packed_conv2d_view& view) noexcept
      : memory_(std::move(memory)), view_(view) {}
  conv2d_layer(conv2d_layer&&) noexcept = default;
  conv2d_layer& operator=(conv2d_layer&&) noexcept = default;
  conv2d_layer(const conv2d_layer&) = delete;
  conv2d_layer& operator=(const conv2d_layer&) = delete;

  const packed_conv2d_view& view() const noexcept { return view_; }
  operator const packed_conv2d_view&() const noexcept { return view_; }

  index_t out_channels() const noexcept { return view_.out_channels; }
  index_t in_channels() const noexcept { return view_.in_channels; }
  const pare::window& window() const noexcept { return view_.window; }
  /// Bytes of the packed layer, padding included: what it occupies in memory while it runs.
  index_t packed_bytes() const noexcept { return memory_.size(); }

 private:
  tensor<std::byte, 1> memory_;
  packed_conv2d_view view_;
};

inline namespace PARE_ABI {

/// Packs a convolution for this machine, in memory of its own.
///
///     pare::conv2d_options o;
///     o.window = pare::same_padding({3, 3}, height, width).value();
///     auto layer = pare::pack_conv2d(w8.view(), bias, o).value();
///     pare::conv2d(x, layer, y, scratch);
///
/// @param w        int8 codes [out, in / groups, kh, kw], symmetric, one scale or one for each
///                 output
/// @param bias     [out] in reals, or in codes of scale input * weight, or empty
/// @param options  window, groups, activation, scales, rounding rule
/// @return as the form of `pack_conv2d` that takes memory, or `out_of_memory`
template <class E, class L, class Bias = const float>
[[nodiscard]] result<conv2d_layer> pack_conv2d(const affine_view<std::int8_t, E, L>& w,
                                               vector_view<Bias> bias = {},
                                               const conv2d_options& options = {}) noexcept {
  const auto bytes = packed_conv2d_size(w.codes.extent(0), w.codes.extent(1), w.codes.extent(2),
                                        w.codes.extent(3), options);
  if (!bytes) return bytes.error();
  auto memory = tensor<std::byte, 1>::create(dextents<index_t, 1>(*bytes));
  if (!memory) return memory.error();
  const auto view = pack_conv2d(w, vector_view<const Bias>(bias), options,
                                workspace(memory->data(), memory->size()));
  if (!view) return view.error();
  return conv2d_layer(std::move(*memory), *view);
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_LAYERS_CONV2D_HPP
