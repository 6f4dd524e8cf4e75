// What layers that own their packed weights have in common. Host tier only.
#ifndef PARE_LAYERS_OWNED_LAYER_HPP
#define PARE_LAYERS_OWNED_LAYER_HPP

#include <utility>

#include <pare/core/result.hpp>
#include <pare/core/tensor.hpp>
#include <pare/core/workspace.hpp>

namespace pare {

/// A packed layer and its memory; passes as its view wherever one is taken.
///
/// Moves only, and a move keeps the packed memory where it is: views taken before stay valid.
///
/// @tparam View  for example packed_linear_view
template <class View>
class owned_layer {
 public:
  owned_layer() = default;
  owned_layer(tensor<std::byte, 1> memory, const View& view) noexcept
      : memory_(std::move(memory)), view_(view) {}
  owned_layer(owned_layer&&) noexcept = default;
  owned_layer& operator=(owned_layer&&) noexcept = default;
  owned_layer(const owned_layer&) = delete;
  owned_layer& operator=(const owned_layer&) = delete;

  const View& view() const noexcept { return view_; }
  operator const View&() const noexcept { return view_; }

  /// Bytes of the packed layer, padding included: what it occupies in memory while it runs.
  index_t packed_bytes() const noexcept { return memory_.size(); }

 private:
  tensor<std::byte, 1> memory_;
  View view_;
};

namespace detail {
inline namespace PARE_ABI {

/// A layer in memory of its own.
///
/// @param bytes  that it takes, or why there is no such layer
/// @param pack   gives its view, packed into a workspace
template <class Layer, class Pack>
[[nodiscard]] result<Layer> pack_into_own_memory(const result<index_t>& bytes,
                                                 const Pack& pack) noexcept {
  if (!bytes) return bytes.error();
  auto memory = tensor<std::byte, 1>::create(dextents<index_t, 1>(*bytes));
  if (!memory) return memory.error();
  const auto view = pack(workspace(memory->data(), memory->size()));
  if (!view) return view.error();
  return Layer(std::move(*memory), *view);
}

}  // namespace PARE_ABI
}  // namespace detail
}  // namespace pare

#endif  // PARE_LAYERS_OWNED_LAYER_HPP
