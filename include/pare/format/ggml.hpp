// Blocks of ggml, byte for byte as GGUF files hold them, and what their codes stand for.
//
// ggml: ggml-common.h (layouts), ggml-quants.c (dequantize_row_*). Bytes of 16-bit numbers are in
// little-endian order, as on every machine that ggml runs on.
#ifndef PARE_FORMAT_GGML_HPP
#define PARE_FORMAT_GGML_HPP

#include <pare/core/minifloat.hpp>
#include <pare/core/rounding.hpp>
#include <pare/core/small_float.hpp>

namespace pare::ggml {

/// 32 weights of 8 bits: scale * code.
struct q8_0 {
  static constexpr index_t count = 32;
  half scale;
  std::int8_t codes[32] = {};
};

/// 32 weights of 4 bits: scale * (code - 8). The low halves are the first 16 weights.
struct q4_0 {
  static constexpr index_t count = 32;
  half scale;
  std::uint8_t codes[16] = {};
};

/// 32 weights of 4 bits: scale * code + min. The low halves are the first 16 weights.
struct q4_1 {
  static constexpr index_t count = 32;
  half scale;
  half min;
  std::uint8_t codes[16] = {};
};

/// 256 weights in 8 groups of 32, of 4 bits: scale * scales[g] * code - min_scale * mins[g], with
/// scales and minima of 6 bits. Of each 64 weights, the low halves are the first 32.
struct q4_k {
  static constexpr index_t count = 256;
  half scale;
  half min_scale;
  std::uint8_t scales[12] = {};
  std::uint8_t codes[128] = {};
};

/// 256 weights in 16 groups of 16, of 6 bits: scale * scales[g] * (code - 32).
struct q6_k {
  static constexpr index_t count = 256;
  std::uint8_t low[128] = {};  ///< the low 4 bits of each code
  std::uint8_t high[64] = {};  ///< the high 2 bits
  std::int8_t scales[16] = {};
  half scale;
};

/// 256 weights of -1, 0 and 1: scale * (code - 1), codes of 2 bits. Of each 128 weights, the lowest
/// fields are the first 32.
struct tq2_0 {
  static constexpr index_t count = 256;
  std::uint8_t codes[64] = {};
  half scale;
};

/// 32 weights of float4_e2m1 under a power of two. The low halves are the first 16 weights.
struct mxfp4 {
  static constexpr index_t count = 32;
  float8_e8m0 scale;
  std::uint8_t codes[16] = {};
};

static_assert(sizeof(half) == 2 && sizeof(q8_0) == 34 && sizeof(q4_0) == 18 && sizeof(q4_1) == 20 &&
                  sizeof(q4_k) == 144 && sizeof(q6_k) == 210 && sizeof(tq2_0) == 66 &&
                  sizeof(mxfp4) == 17,
              "pare: blocks have the sizes that ggml gives them");

/// The 6-bit scale and minimum of group 0 to 7 of a q4_k.
struct group_codes {
  std::uint8_t scale;
  std::uint8_t min;
};
constexpr PARE_ALWAYS_INLINE group_codes group_of(const q4_k& block, int group) noexcept {
  const std::uint8_t* s = block.scales;
  const auto byte = [](int value) { return static_cast<std::uint8_t>(value); };
  if (group < 4) return {byte(s[group] & 63), byte(s[group + 4] & 63)};
  return {byte((s[group + 4] & 15) | ((s[group - 4] >> 6) << 4)),
          byte((s[group + 4] >> 4) | ((s[group] >> 6) << 4))};
}

inline namespace PARE_ABI {

/// The weights of a block: `count` floats.
constexpr void decode(const q8_0& block, float* out) noexcept {
  const float scale = static_cast<float>(block.scale);
  for (int i = 0; i < 32; ++i) out[i] = static_cast<float>(block.codes[i]) * scale;
}

constexpr void decode(const q4_0& block, float* out) noexcept {
  const float scale = static_cast<float>(block.scale);
  for (int i = 0; i < 16; ++i) {
    out[i] = static_cast<float>((block.codes[i] & 15) - 8) * scale;
    out[i + 16] = static_cast<float>((block.codes[i] >> 4) - 8) * scale;
  }
}

constexpr void decode(const q4_1& block, float* out) noexcept {
  const float scale = static_cast<float>(block.scale), min = static_cast<float>(block.min);
  for (int i = 0; i < 16; ++i) {
    out[i] = detail::multiply_then_add(static_cast<float>(block.codes[i] & 15), scale, min);
    out[i + 16] = detail::multiply_then_add(static_cast<float>(block.codes[i] >> 4), scale, min);
  }
}

constexpr void decode(const q4_k& block, float* out) noexcept {
  for (int g = 0; g < 8; ++g) {
    const group_codes codes = group_of(block, g);
    const float scale = static_cast<float>(block.scale) * static_cast<float>(codes.scale);
    const float min = static_cast<float>(block.min_scale) * static_cast<float>(codes.min);
    for (int i = 0; i < 32; ++i) {
      const int code = (block.codes[g / 2 * 32 + i] >> (g % 2 * 4)) & 15;
      out[32 * g + i] = detail::multiply_then_add(scale, static_cast<float>(code), -min);
    }
  }
}

constexpr void decode(const q6_k& block, float* out) noexcept {
  for (int i = 0; i < 256; ++i) {
    const int part = i % 128, quarter = part / 32, lane = part % 32;
    const int low = block.low[i / 128 * 64 + (quarter % 2) * 32 + lane] >> (quarter / 2 * 4);
    const int high = block.high[i / 128 * 32 + lane] >> (2 * quarter);
    const int code = ((low & 15) | ((high & 3) << 4)) - 32;
    const int scale_code = block.scales[i / 16];
    const float scale = static_cast<float>(block.scale) * static_cast<float>(scale_code);
    out[i] = scale * static_cast<float>(code);
  }
}

constexpr void decode(const tq2_0& block, float* out) noexcept {
  const float scale = static_cast<float>(block.scale);
  for (int i = 0; i < 256; ++i) {
    const int code = (block.codes[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2)) & 3;
    out[i] = static_cast<float>(code - 1) * scale;
  }
}

constexpr void decode(const mxfp4& block, float* out) noexcept {
  // ggml halves the scale and doubles the elements: infinite and NaN scales are powers of two here.
  for (int i = 0; i < 16; ++i) {
    for (int part = 0; part < 2; ++part) {
      const auto code = static_cast<std::uint8_t>((block.codes[i] >> (4 * part)) & 15);
      const float doubled = 2.0f * static_cast<float>(float4_e2m1::from_bits(code));
      // There is no -0.
      out[i + 16 * part] = detail::times_power_of_two(code == 8 ? 0.0f : doubled,
                                                      static_cast<int>(block.scale.bits) - 128);
    }
  }
}

}  // namespace PARE_ABI
}  // namespace pare::ggml

#endif  // PARE_FORMAT_GGML_HPP
