// An int8 linear layer that owns its packed weights, ready to run. Host tier only.
#ifndef PARE_LAYERS_LINEAR_HPP
#define PARE_LAYERS_LINEAR_HPP

#include <utility>

#include <pare/core/tensor.hpp>
#include <pare/kernels/linear.hpp>

namespace pare {

/// A packed int8 layer and its memory. Made by `pack_linear`; passes as `packed_linear_view`
/// wherever one is taken.
///
/// Moves only, and a move keeps the packed memory where it is: views taken before stay valid.
class linear_layer {
 public:
  linear_layer() = default;
  linear_layer(tensor<std::byte, 1> memory, const packed_linear_view& view) noexcept
      : memory_(std::move(memory)), view_(view) {}
  linear_layer(linear_layer&&) noexcept = default;
  linear_layer& operator=(linear_layer&&) noexcept = default;
  linear_layer(const linear_layer&) = delete;
  linear_layer& operator=(const linear_layer&) = delete;

  const packed_linear_view& view() const noexcept { return view_; }
  operator const packed_linear_view&() const noexcept { return view_; }

  index_t out_features() const noexcept { return view_.out_features; }
  index_t in_features() const noexcept { return view_.in_features; }
  /// Bytes of the packed layer, padding included: what it occupies in memory while it runs.
  index_t packed_bytes() const noexcept { return memory_.size(); }

 private:
  tensor<std::byte, 1> memory_;
  packed_linear_view view_;
};

inline namespace PARE_ABI {

/// Packs int8 weights for this machine, in memory of its own.
///
///     auto w8 = pare::quantize(w, pare::affine{.axis = 0}).value();
///     auto layer = pare::pack_linear(w8.view(), bias).value();
///     pare::linear(x, layer, y);
///
/// @param w        int8 codes [out, in], symmetric, one scale or one for each output
/// @param bias     [out] in reals, or empty
/// @param options  activation, and for 8-bit inputs and outputs their scales
/// @return as the form of `pack_linear` that takes memory, or `out_of_memory`
template <class E, class L, class Bias = const float>
[[nodiscard]] result<linear_layer> pack_linear(const affine_view<std::int8_t, E, L>& w,
                                               vector_view<Bias> bias = {},
                                               const linear_options& options = {}) noexcept {
  const auto bytes = packed_linear_size(w.codes.extent(0), w.codes.extent(1), options);
  if (!bytes) return bytes.error();
  auto memory = tensor<std::byte, 1>::create(dextents<index_t, 1>(*bytes));
  if (!memory) return memory.error();
  const auto view = pack_linear(w, vector_view<const Bias>(bias), options,
                                workspace(memory->data(), memory->size()));
  if (!view) return view.error();
  return linear_layer(std::move(*memory), *view);
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_LAYERS_LINEAR_HPP
