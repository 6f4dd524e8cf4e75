// A linear layer with 4-bit or 2-bit weights that owns them, ready to run. Host tier only.
#ifndef PARE_LAYERS_LOW_BIT_LINEAR_HPP
#define PARE_LAYERS_LOW_BIT_LINEAR_HPP

#include <utility>

#include <pare/core/tensor.hpp>
#include <pare/kernels/low_bit_linear.hpp>

namespace pare {

/// A packed layer and its memory. Made by `pack_low_bit_linear`; passes as
/// `packed_low_bit_linear_view` wherever one is taken.
///
/// Moves only, and a move keeps the packed memory where it is: views taken before stay valid.
class low_bit_linear_layer {
 public:
  low_bit_linear_layer() = default;
  low_bit_linear_layer(tensor<std::byte, 1> memory, const packed_low_bit_linear_view& view) noexcept
      : memory_(std::move(memory)), view_(view) {}
  low_bit_linear_layer(low_bit_linear_layer&&) noexcept = default;
  low_bit_linear_layer& operator=(low_bit_linear_layer&&) noexcept = default;
  low_bit_linear_layer(const low_bit_linear_layer&) = delete;
  low_bit_linear_layer& operator=(const low_bit_linear_layer&) = delete;

  const packed_low_bit_linear_view& view() const noexcept { return view_; }
  operator const packed_low_bit_linear_view&() const noexcept { return view_; }

  index_t out_features() const noexcept { return view_.base.out_features; }
  index_t in_features() const noexcept { return view_.base.in_features; }
  /// Bytes of the packed layer, padding included: what it occupies in memory while it runs.
  index_t packed_bytes() const noexcept { return memory_.size(); }

 private:
  tensor<std::byte, 1> memory_;
  packed_low_bit_linear_view view_;
};

inline namespace PARE_ABI {

/// Packs weights of 4 bits, 2 bits or three values for this machine, in memory of its own.
///
///     auto layer = pare::pack_low_bit_linear(w4, pare::low_bit::s4, bias).value();
///     pare::linear(x, layer, y);
///
/// @return as the form of `pack_low_bit_linear` that takes memory, or `out_of_memory`
template <class E, class L, class Bias = const float>
[[nodiscard]] result<low_bit_linear_layer> pack_low_bit_linear(
    const affine_view<std::int8_t, E, L>& w, low_bit kind, vector_view<Bias> bias = {},
    const linear_options& options = {}) noexcept {
  const auto bytes =
      packed_low_bit_linear_size(w.codes.extent(0), w.codes.extent(1), kind, options);
  if (!bytes) return bytes.error();
  auto memory = tensor<std::byte, 1>::create(dextents<index_t, 1>(*bytes));
  if (!memory) return memory.error();
  const auto view = pack_low_bit_linear(w, kind, vector_view<const Bias>(bias), options,
                                        workspace(memory->data(), memory->size()));
  if (!view) return view.error();
  return low_bit_linear_layer(std::move(*memory), *view);
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_LAYERS_LOW_BIT_LINEAR_HPP
