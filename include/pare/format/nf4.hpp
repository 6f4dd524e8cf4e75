// NF4: codes of 4 bits that stand for quantiles of the normal distribution, with the largest
// magnitude of each block of 64 as its scale.
//
// Dettmers et al., "QLoRA: Efficient Finetuning of Quantized LLMs", 2023, arXiv:2305.14314; levels,
// thresholds and order of the codes are those of bitsandbytes.
#ifndef PARE_FORMAT_NF4_HPP
#define PARE_FORMAT_NF4_HPP

#include <pare/core/checked.hpp>
#include <pare/core/tensor_view.hpp>

namespace pare {

/// The 16 levels, from -1 to 1.
inline constexpr float nf4_levels[16] = {
    -1.0f,
    -0.6961928009986877f,
    -0.5250730514526367f,
    -0.39491748809814453f,
    -0.28444138169288635f,
    -0.18477343022823334f,
    -0.09105003625154495f,
    0.0f,
    0.07958029955625534f,
    0.16093020141124725f,
    0.24611230194568634f,
    0.33791524171829224f,
    0.44070982933044434f,
    0.5626170039176941f,
    0.7229568362236023f,
    1.0f,
};

/// NF4 codes of a flat tensor that live elsewhere.
struct nf4_view {
  /// [ceil(size / 2)]; the first code of a byte is in its high half.
  vector_view<const std::uint8_t> codes;
  vector_view<const float> scales;  ///< [ceil(size / block)], the largest magnitude of each block
  index_t size = 0;                 ///< codes
  index_t block = 64;               ///< codes that share a scale; the last block may have fewer

  /// The code of element `i` in row-major order.
  constexpr PARE_ALWAYS_INLINE std::uint8_t code(index_t i) const noexcept {
    const std::uint8_t byte = codes[i / 2];
    return static_cast<std::uint8_t>(i % 2 == 0 ? byte >> 4 : byte & 15);
  }
  /// The value of element `i`.
  constexpr PARE_ALWAYS_INLINE float value(index_t i) const noexcept {
    return nf4_levels[code(i)] * scales[i / block];
  }
};

/// The code of x in [-1, 1]: of the nearest level, of the lower one in the middle of two.
constexpr PARE_ALWAYS_INLINE std::uint8_t nf4_code(float x) noexcept {
  int code = 0;
  for (int step = 8; step > 0; step /= 2) {
    // The middle in double is exact, and rounds to the threshold of bitsandbytes.
    const double middle =
        (double{nf4_levels[code + step - 1]} + double{nf4_levels[code + step]}) / 2;
    if (x > static_cast<float>(middle)) code += step;
  }
  return static_cast<std::uint8_t>(code);
}

}  // namespace pare

#endif  // PARE_FORMAT_NF4_HPP
