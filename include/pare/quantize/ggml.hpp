// Weights to ggml's blocks and back, byte for byte as ggml writes them without an importance matrix.
//
// ggml: ggml-quants.c, quantize_row_*_ref with make_qx_quants and make_qkx2_quants. Products are
// rounded before they are added, as in ggml's builds for all x86-64 processors; its builds with fused
// multiply-add can differ in a last bit.
//
//     auto blocks = pare::quantize_ggml<pare::ggml::q4_k>(w).value();  // [rows, columns / 256]
#ifndef PARE_QUANTIZE_GGML_HPP
#define PARE_QUANTIZE_GGML_HPP

#include <cmath>

#include <pare/core/tensor.hpp>
#include <pare/format/ggml.hpp>
#include <pare/quantize/detail/blocks.hpp>
#include <pare/quantize/error_meter.hpp>
#include <pare/quantize/range.hpp>

namespace pare {
namespace ggml::detail {
inline namespace PARE_ABI {

using pare::detail::clamp;
using pare::detail::is_finite;
using pare::detail::max;
using pare::detail::min;
using pare::detail::multiply_then_add;
using pare::detail::rounded;

/// Below this a group counts as zeros.
inline constexpr float smallest_magnitude = 1e-15f;

/// x as C converts it to int8 on x86: what fits no int32 becomes 0.
inline std::int32_t truncated(float x) noexcept {
  if (!(x > -2147483648.0f && x < 2147483648.0f)) return 0;
  return static_cast<std::int8_t>(static_cast<std::int32_t>(x));
}

inline float inverse_or_zero(float x) noexcept { return x != 0.0f ? 1.0f / x : 0.0f; }

/// The nearest integer, ties to even, bounded; ggml's nearest_int, with what that gives for numbers
/// of 2^22 and more and for infinities.
inline std::int32_t nearest(float x, std::int32_t low, std::int32_t high) noexcept {
  const auto bits = pare::detail::bit_cast<std::uint32_t>(rounded(x) + 12582912.0f);
  return clamp(static_cast<std::int32_t>(bits & 0x7fffffu) - 0x400000, low, high);
}

/// The value of the largest magnitude, the first of those, with its sign.
inline float extreme(const float* x, int count) noexcept {
  float largest = 0.0f, value = 0.0f;
  for (int i = 0; i < count; ++i) {
    if (std::fabs(x[i]) > largest) {
      largest = std::fabs(x[i]);
      value = x[i];
    }
  }
  return value;
}

inline void encode(const float* x, q8_0& block) noexcept {
  const float scale = std::fabs(extreme(x, 32)) / 127.0f, inverse = inverse_or_zero(scale);
  block.scale = half(scale);
  for (int i = 0; i < 32; ++i) {
    block.codes[i] = static_cast<std::int8_t>(truncated(std::round(x[i] * inverse)));
  }
}

inline void encode(const float* x, q4_0& block) noexcept {
  const float scale = extreme(x, 32) / -8.0f, inverse = inverse_or_zero(scale);
  block.scale = half(scale);
  const auto code = [&](int i) {
    return min(15, truncated(multiply_then_add(x[i], inverse, 8.5f)));
  };
  for (int i = 0; i < 16; ++i) {
    block.codes[i] = static_cast<std::uint8_t>(code(i) | (code(i + 16) << 4));
  }
}

inline void encode(const float* x, q4_1& block) noexcept {
  float low = x[0], high = x[0];
  for (int i = 1; i < 32; ++i) {
    low = min(low, x[i]);
    high = max(high, x[i]);
  }
  const float scale = (high - low) / 15.0f, inverse = inverse_or_zero(scale);
  block.scale = half(scale);
  block.min = half(low);
  const auto code = [&](int i) {
    return min(15, truncated(multiply_then_add(x[i] - low, inverse, 0.5f)));
  };
  for (int i = 0; i < 16; ++i) {
    block.codes[i] = static_cast<std::uint8_t>(code(i) | (code(i + 16) << 4));
  }
}

inline void encode(const float* x, tq2_0& block) noexcept {
  const float scale = std::fabs(extreme(x, 256)), inverse = inverse_or_zero(scale);
  block.scale = half(scale);
  for (int byte = 0; byte < 64; ++byte) {
    std::uint32_t fields = 0;
    for (int field = 0; field < 4; ++field) {
      const float steps = x[byte / 32 * 128 + field * 32 + byte % 32] * inverse;
      const std::int32_t code = is_finite(steps) ? pare::detail::round_half_away(steps) + 1 : 1;
      fields |= static_cast<std::uint32_t>(code & 3) << (2 * field);
    }
    block.codes[byte] = static_cast<std::uint8_t>(fields);
  }
}

inline void encode(const float* x, mxfp4& block) noexcept {
  const float largest = std::fabs(extreme(x, 32));
  // ggml's logarithm is rounded to float: a little below 2^n it can be n.
  const int exponent = largest > 0 ? static_cast<int>(std::floor(std::log2(largest))) - 2 + 127 : 0;
  block.scale = float8_e8m0::from_bits(static_cast<std::uint8_t>(exponent));
  const auto code = [&](float value) {
    int best = 0;
    float least = 0.0f;
    for (int c = 0; c < 16; ++c) {
      const float level =
          c == 8 ? 0.0f
                 : 2.0f * static_cast<float>(float4_e2m1::from_bits(static_cast<std::uint8_t>(c)));
      const float error = std::fabs(
          pare::detail::times_power_of_two(level, static_cast<int>(block.scale.bits) - 128) -
          value);
      if (c == 0 || error < least) {
        least = error;
        best = c;
      }
    }
    return best;
  };
  for (int i = 0; i < 16; ++i) {
    block.codes[i] = static_cast<std::uint8_t>(code(x[i]) | (code(x[i + 16]) << 4));
  }
}

/// Sums of a fit of scale * code to x, weighted by x^2.
struct scale_sums {
  float product = 0.0f;
  float square = 0.0f;
};
inline scale_sums sums_of(const float* x, float inverse) noexcept {
  scale_sums sums;
  for (int i = 0; i < 16; ++i) {
    const float code = static_cast<float>(nearest(inverse * x[i], -32, 31)), weight = x[i] * x[i];
    sums.product = multiply_then_add(weight * x[i], code, sums.product);
    sums.square = multiply_then_add(weight * code, code, sums.square);
  }
  return sums;
}

/// The scale of 16 weights of 6 bits, the best of 19, and their codes, 0 to 63: make_qx_quants.
inline float fit_symmetric(const float* x, std::uint8_t* codes) noexcept {
  const float value = extreme(x, 16);
  if (std::fabs(value) < smallest_magnitude) {
    for (int i = 0; i < 16; ++i) codes[i] = 0;
    return 0.0f;
  }
  float chosen = -32.0f / value;
  scale_sums sums = sums_of(x, chosen);
  float scale = sums.square != 0.0f ? sums.product / sums.square : 0.0f;
  float best = scale * sums.product;
  for (int step = -9; step <= 9; ++step) {
    if (step == 0) continue;
    const float inverse = -multiply_then_add(0.1f, static_cast<float>(step), 32.0f) / value;
    sums = sums_of(x, inverse);
    if (sums.square > 0 && sums.product * sums.product > best * sums.square) {
      chosen = inverse;
      scale = sums.product / sums.square;
      best = scale * sums.product;
    }
  }
  for (int i = 0; i < 16; ++i) {
    codes[i] = static_cast<std::uint8_t>(nearest(chosen * x[i], -32, 31) + 32);
  }
  return scale;
}

inline void encode(const float* x, q6_k& block) noexcept {
  block = q6_k();
  std::uint8_t codes[256];
  float scales[16], largest = 0.0f;
  for (int g = 0; g < 16; ++g) {
    scales[g] = fit_symmetric(x + 16 * g, codes + 16 * g);
    if (std::fabs(scales[g]) > std::fabs(largest)) largest = scales[g];
  }
  if (std::fabs(largest) < smallest_magnitude) return;
  const float inverse = -128.0f / largest;
  block.scale = half(1.0f / inverse);
  for (int g = 0; g < 16; ++g) {
    block.scales[g] = static_cast<std::int8_t>(nearest(inverse * scales[g], -128, 127));
    const float scale = static_cast<float>(block.scale) * static_cast<float>(block.scales[g]);
    if (scale == 0.0f) continue;
    for (int i = 16 * g; i < 16 * g + 16; ++i) {
      codes[i] = static_cast<std::uint8_t>(nearest(x[i] / scale, -32, 31) + 32);
    }
  }
  for (int i = 0; i < 256; ++i) {
    const int part = i % 128, quarter = part / 32, lane = part % 32;
    std::uint8_t& low = block.low[i / 128 * 64 + (quarter % 2) * 32 + lane];
    std::uint8_t& high = block.high[i / 128 * 32 + lane];
    low = static_cast<std::uint8_t>(low | ((codes[i] & 15) << (quarter / 2 * 4)));
    high = static_cast<std::uint8_t>(high | ((codes[i] >> 4) << (2 * quarter)));
  }
}

/// x is near scale * code - min, min not negative.
struct scale_and_min {
  float scale;
  float min;
};

/// The best of 22 fits of 32 weights of 4 bits, and their codes: make_qkx2_quants.
inline scale_and_min fit_affine(const float* x, const float* weights,
                                std::uint8_t* codes) noexcept {
  constexpr int count = 32, largest_code = 15;
  float low = x[0], high = x[0], sum_weights = weights[0], sum_x = sum_weights * x[0];
  for (int i = 1; i < count; ++i) {
    low = min(low, x[i]);
    high = max(high, x[i]);
    sum_weights += weights[i];
    sum_x = multiply_then_add(weights[i], x[i], sum_x);
  }
  if (low > 0) low = 0;
  if (high == low) {
    for (int i = 0; i < count; ++i) codes[i] = 0;
    return {0.0f, -low};
  }
  const auto make_codes = [&](float inverse, std::uint8_t* to) {
    for (int i = 0; i < count; ++i) {
      to[i] = static_cast<std::uint8_t>(nearest(inverse * (x[i] - low), 0, largest_code));
    }
  };
  const auto error_of = [&](float scale, float offset, const std::uint8_t* c) {
    float error = 0.0f;
    for (int i = 0; i < count; ++i) {
      const float rest = multiply_then_add(scale, static_cast<float>(c[i]), offset) - x[i];
      error = multiply_then_add(weights[i], rest * rest, error);
    }
    return error;
  };
  float inverse = largest_code / (high - low), scale = 1.0f / inverse;
  make_codes(inverse, codes);
  float least = error_of(scale, low, codes);
  for (int step = 0; step <= 20; ++step) {
    // As in ggml, each try starts from the best minimum so far.
    inverse =
        (multiply_then_add(0.1f, static_cast<float>(step), -1.0f) + largest_code) / (high - low);
    std::uint8_t tried[count];
    make_codes(inverse, tried);
    float sum_codes = 0.0f, sum_squares = 0.0f, sum_products = 0.0f;
    for (int i = 0; i < count; ++i) {
      const float code = static_cast<float>(tried[i]), weighted = weights[i] * code;
      sum_codes = multiply_then_add(weights[i], code, sum_codes);
      sum_squares = multiply_then_add(weighted, code, sum_squares);
      sum_products = multiply_then_add(weighted, x[i], sum_products);
    }
    const auto difference = [](float a, float b, float c, float d) {
      return rounded(a * b) - rounded(c * d);
    };
    const float determinant = difference(sum_weights, sum_squares, sum_codes, sum_codes);
    if (!(determinant > 0)) continue;
    float this_scale = difference(sum_weights, sum_products, sum_x, sum_codes) / determinant;
    float this_low = difference(sum_squares, sum_x, sum_codes, sum_products) / determinant;
    if (this_low > 0) {
      this_low = 0;
      this_scale = sum_products / sum_squares;
    }
    const float error = error_of(this_scale, this_low, tried);
    if (error < least) {
      for (int i = 0; i < count; ++i) codes[i] = tried[i];
      least = error;
      scale = this_scale;
      low = this_low;
    }
  }
  return {scale, -low};
}

inline void encode(const float* x, q4_k& block) noexcept {
  block = q4_k();
  std::uint8_t codes[256];
  scale_and_min fits[8];
  float largest_scale = 0.0f, largest_min = 0.0f;
  for (int g = 0; g < 8; ++g) {
    const float* group = x + 32 * g;
    float squares = 0.0f, weights[32];
    for (int i = 0; i < 32; ++i) squares = multiply_then_add(group[i], group[i], squares);
    const float typical = std::sqrt(squares / 32.0f);
    for (int i = 0; i < 32; ++i) weights[i] = typical + std::fabs(group[i]);
    fits[g] = fit_affine(group, weights, codes + 32 * g);
    largest_scale = max(largest_scale, fits[g].scale);
    largest_min = max(largest_min, fits[g].min);
  }
  const float to_scale = largest_scale > 0 ? 63.0f / largest_scale : 0.0f;
  const float to_min = largest_min > 0 ? 63.0f / largest_min : 0.0f;
  block.scale = half(largest_scale / 63.0f);
  block.min_scale = half(largest_min / 63.0f);
  for (int g = 0; g < 8; ++g) {
    const auto byte = [](int value) { return static_cast<std::uint8_t>(value); };
    const std::int32_t s = nearest(to_scale * fits[g].scale, 0, 63);
    const std::int32_t m = nearest(to_min * fits[g].min, 0, 63);
    if (g < 4) {
      block.scales[g] = byte(s);
      block.scales[g + 4] = byte(m);
    } else {
      block.scales[g + 4] = byte((s & 15) | ((m & 15) << 4));
      block.scales[g - 4] = byte(block.scales[g - 4] | ((s >> 4) << 6));
      block.scales[g] = byte(block.scales[g] | ((m >> 4) << 6));
    }
  }
  for (int g = 0; g < 8; ++g) {
    const group_codes group = group_of(block, g);
    const float scale = static_cast<float>(block.scale) * static_cast<float>(group.scale);
    const float low = rounded(static_cast<float>(block.min_scale) * static_cast<float>(group.min));
    for (int i = 32 * g; i < 32 * g + 32 && scale != 0.0f; ++i) {
      codes[i] = static_cast<std::uint8_t>(nearest((x[i] + low) / scale, 0, 15));
    }
  }
  for (int i = 0; i < 256; ++i) {
    std::uint8_t& two = block.codes[i / 64 * 32 + i % 32];
    two = static_cast<std::uint8_t>(two | (codes[i] << (i % 64 / 32 * 4)));
  }
}

}  // namespace PARE_ABI
}  // namespace ggml::detail

inline namespace PARE_ABI {

/// Weights in ggml's blocks: a row of a GGUF tensor for each row of w.
///
/// @tparam Block  ggml::q8_0, q4_0, q4_1, q4_k, q6_k, tq2_0 or mxfp4
/// @param w       [rows, columns], any layout, finite; columns a multiple of Block::count; may be
///                empty. Except for mxfp4, magnitudes are at most 65504, so that scales fit a half
/// @param errors  gathers what is lost, where it is not null
/// @return [rows, columns / Block::count]; `shape_mismatch`, `non_finite` with the first NaN or
///         infinity, `out_of_range` for too large weights, `out_of_memory`
template <class Block, class T, class E, class L>
[[nodiscard]] result<tensor<Block, 2>> quantize_ggml(tensor_view<T, E, L> w,
                                                     error_meter* errors = nullptr) noexcept {
  static_assert(detail::is_float<T> && E::rank() == 2, "pare: blocks are made of rows of float");
  const index_t rows = w.extent(0), columns = w.extent(1);
  if (columns % Block::count != 0) {
    return {status_code::shape_mismatch, "rows are made of whole blocks", "w", position_kind::axis,
            1};
  }
  if (!w.empty()) {
    const auto range = detail::range_of(detail::input(w), "w");
    if (!range) return range.error();
    if (!std::is_same_v<Block, ggml::mxfp4> && detail::max(range->max, -range->min) > 65504.0f) {
      return {status_code::out_of_range, "the scale of a weight beyond 65504 may not fit a half",
              "w"};
    }
  }
  auto blocks = tensor<Block, 2>::create(dextents<index_t, 2>(rows, columns / Block::count));
  if (!blocks) return blocks;
  detail::for_each_block<Block::count>(w, [&](const float* x, index_t, index_t row, index_t at) {
    Block& block = (*blocks)(row, at);
    ggml::detail::encode(x, block);
    if (errors == nullptr) return;
    float back[Block::count];
    decode(block, back);
    for (index_t i = 0; i < Block::count; ++i) errors->add(x[i], back[i]);
  });
  return blocks;
}

/// The weights of blocks.
///
/// @param blocks  [rows, columns / Block::count], row-major
/// @param out     [rows, columns], any layout
/// @return `shape_mismatch`; `out` is then untouched
template <class Block, class E, class OutE, class OutL>
[[nodiscard]] status dequantize_ggml(tensor_view<Block, E> blocks,
                                     tensor_view<float, OutE, OutL> out) noexcept {
  using block_type = std::remove_const_t<Block>;
  static_assert(E::rank() == 2 && OutE::rank() == 2, "pare: blocks are made of rows of float");
  constexpr index_t count = block_type::count;
  if (static_cast<index_t>(out.extent(0)) != static_cast<index_t>(blocks.extent(0)) ||
      static_cast<index_t>(out.extent(1)) != static_cast<index_t>(blocks.extent(1)) * count) {
    return {status_code::shape_mismatch, "there are as many floats as the blocks have weights",
            "out"};
  }
  for (index_t row = 0; row < static_cast<index_t>(out.extent(0)); ++row) {
    for (index_t column = 0; column < static_cast<index_t>(out.extent(1)); column += count) {
      float values[count];
      decode(blocks(row, column / count), values);
      for (index_t i = 0; i < count; ++i) out(row, column + i) = values[i];
    }
  }
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_GGML_HPP
