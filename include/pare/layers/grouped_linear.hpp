// A linear layer with grouped weights that owns them, ready to run. Host tier only.
#ifndef PARE_LAYERS_GROUPED_LINEAR_HPP
#define PARE_LAYERS_GROUPED_LINEAR_HPP

#include <utility>

#include <pare/core/tensor.hpp>
#include <pare/kernels/grouped_linear.hpp>

namespace pare {

/// A packed layer and its memory. Made by `pack_grouped_linear`; passes as
/// `packed_grouped_linear_view` wherever one is taken.
///
/// Moves only, and a move keeps the packed memory where it is: views taken before stay valid.
class grouped_linear_layer {
 public:
  grouped_linear_layer() = default;
  grouped_linear_layer(tensor<std::byte, 1> memory, const packed_grouped_linear_view& view) noexcept
      : memory_(std::move(memory)), view_(view) {}
  grouped_linear_layer(grouped_linear_layer&&) noexcept = default;
  grouped_linear_layer& operator=(grouped_linear_layer&&) noexcept = default;
  grouped_linear_layer(const grouped_linear_layer&) = delete;
  grouped_linear_layer& operator=(const grouped_linear_layer&) = delete;

  const packed_grouped_linear_view& view() const noexcept { return view_; }
  operator const packed_grouped_linear_view&() const noexcept { return view_; }

  index_t out_features() const noexcept { return view_.out_features; }
  index_t in_features() const noexcept { return view_.in_features; }
  /// Bytes of the packed layer, padding included: what it occupies in memory while it runs.
  index_t packed_bytes() const noexcept { return memory_.size(); }

 private:
  tensor<std::byte, 1> memory_;
  packed_grouped_linear_view view_;
};

inline namespace PARE_ABI {

/// Packs grouped weights for this machine, in memory of its own.
///
///     auto layer = pare::pack_grouped_linear(w, 4).value();
///     pare::linear(x, layer, y);
///
/// @return as the form of `pack_grouped_linear` that takes memory, or `out_of_memory`
template <class Scale, class E, class L>
[[nodiscard]] result<grouped_linear_layer> pack_grouped_linear(
    const grouped_view<Scale, E, L>& w, int bits, vector_view<const float> bias = {},
    const grouped_linear_options& options = {}) noexcept {
  const auto bytes = packed_grouped_linear_size(w, bits);
  if (!bytes) return bytes.error();
  auto memory = tensor<std::byte, 1>::create(dextents<index_t, 1>(*bytes));
  if (!memory) return memory.error();
  const auto view =
      pack_grouped_linear(w, bits, bias, options, workspace(memory->data(), memory->size()));
  if (!view) return view.error();
  return grouped_linear_layer(std::move(*memory), *view);
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_LAYERS_GROUPED_LINEAR_HPP
