// The index of the nearest of up to 256 rising levels, the lower one in the middle of two.
#ifndef PARE_QUANTIZE_DETAIL_NEAREST_LEVEL_HPP
#define PARE_QUANTIZE_DETAIL_NEAREST_LEVEL_HPP

#include <limits>

#include <pare/core/bit_cast.hpp>
#include <pare/core/xsimd.hpp>
#include <pare/quantize/detail/narrow.hpp>

namespace pare::detail {
inline namespace PARE_ABI {

/// The borders between levels, as floats: x belongs above a border where x > border.
class nearest_level {
 public:
  static constexpr index_t most = 256;

  /// @param levels  [count], rising, 1 to 256, finite
  nearest_level(const float* levels, index_t count) noexcept : count_(count) {
    for (float& border : borders_) border = std::numeric_limits<float>::max();
    for (index_t i = 0; i + 1 < count; ++i) {
      borders_[i] = at_most((double{levels[i]} + double{levels[i + 1]}) / 2);
    }
    while (first_step_ < count_) first_step_ *= 2;
    first_step_ /= 2;
  }

  PARE_ALWAYS_INLINE std::uint8_t operator()(float x) const noexcept {
    index_t code = 0;
    for (index_t step = first_step_; step > 0; step /= 2) {
      code += x > borders_[code + step - 1] ? step : 0;
    }
    return static_cast<std::uint8_t>(code);
  }

  /// codes[i] = the code of x[i].
  PARE_NOINLINE void encode(const float* x, index_t count, std::uint8_t* codes) const noexcept {
    index_t i = 0;
#if PARE_XSIMD
    // Few borders: count those below.
    if (count_ <= 16) {
      using floats = xsimd::batch<float>;
      constexpr index_t width = static_cast<index_t>(floats::size);
      for (; i + 16 <= count; i += 16) {
        xsimd::batch<std::int32_t> wide[vectors_of_16];
        for (index_t j = 0; j < vectors_of_16; ++j) {
          const floats v = floats::load_unaligned(x + i + j * width);
          floats below(0.0f);
          for (index_t b = 0; b + 1 < count_; ++b) {
            below = below + xsimd::select(v > floats(borders_[b]), floats(1.0f), floats(0.0f));
          }
          wide[j] = xsimd::to_int(below);
        }
        narrow_16(wide, codes + i);
      }
    }
#endif
    for (; i < count; ++i) codes[i] = (*this)(x[i]);
  }

 private:
  /// The largest float that is not above x, which lies within the range of float.
  static float at_most(double x) noexcept {
    const float nearest = static_cast<float>(x);
    if (double{nearest} <= x) return nearest;
    if (nearest == 0.0f) return bit_cast<float>(0x80000001u);
    const auto bits = bit_cast<std::uint32_t>(nearest);
    return bit_cast<float>(nearest > 0 ? bits - 1 : bits + 1);
  }

  float borders_[most];
  index_t count_;
  index_t first_step_ = 1;
};

}  // namespace PARE_ABI
}  // namespace pare::detail

#endif  // PARE_QUANTIZE_DETAIL_NEAREST_LEVEL_HPP
