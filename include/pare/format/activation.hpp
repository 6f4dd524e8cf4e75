// What follows a product, as the range that outputs are clamped to.
#ifndef PARE_FORMAT_ACTIVATION_HPP
#define PARE_FORMAT_ACTIVATION_HPP

#include <pare/core/bit_cast.hpp>
#include <pare/core/status.hpp>
#include <pare/core/tensor_view.hpp>

namespace pare {

/// Nothing, max(0, y), or min(max(0, y), 6).
enum class activation : std::uint8_t { none, relu, relu6 };

namespace detail {

struct activation_range {
  float low, high;
};

// In the inline namespace, where a range_of of something else would otherwise hide it.
inline namespace PARE_ABI {

constexpr PARE_ALWAYS_INLINE activation_range range_of(activation a) noexcept {
  constexpr float infinity = bit_cast<float>(std::uint32_t{0x7f800000});
  switch (a) {
    case activation::relu: return {0.0f, infinity};
    case activation::relu6: return {0.0f, 6.0f};
    case activation::none: break;
  }
  return {-infinity, infinity};
}

}  // namespace PARE_ABI
}  // namespace detail
}  // namespace pare

#endif  // PARE_FORMAT_ACTIVATION_HPP
