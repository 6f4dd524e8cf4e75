// Grids: the values that the codes of a group stand for, and the nearest of them.
//
// A method that decides codes one at a time (GPTQ, AdaRound, a coordinate descent) takes any scheme as a
// pair of plain parts:
//
//   scheme   fit(group) -> grid     chooses the parameters of a group of weights
//            check() -> status      whether its options are right; schemes that cannot be wrong have none
//   grid     code(x), value(code)   a value to its code and back; round(x) is both
//
//     const pare::nf4_scheme scheme;
//     const auto grid = scheme.fit({weights, 64});
//     const float q = grid.round(weights[3]);
#ifndef PARE_QUANTIZE_GRID_HPP
#define PARE_QUANTIZE_GRID_HPP

#include <pare/core/minifloat.hpp>
#include <pare/format/mx.hpp>
#include <pare/format/nf4.hpp>
#include <pare/quantize/affine.hpp>

namespace pare {

/// Floats that share their parameters: `count` of them, `step` apart.
struct group_view {
  const float* data = nullptr;
  index_t count = 0;
  index_t step = 1;

  PARE_ALWAYS_INLINE float operator[](index_t i) const noexcept { return data[i * step]; }
};

namespace detail {
inline namespace PARE_ABI {

/// The range of a group, with 0; the values are finite.
inline value_range range_with_zero(const group_view& x) noexcept {
  value_range range{0.0f, 0.0f};
  for (index_t i = 0; i < x.count; ++i) {
    range.min = min(range.min, x[i]);
    range.max = max(range.max, x[i]);
  }
  return range;
}

/// The largest magnitude of a group; the values are finite.
inline float largest_magnitude(const group_view& x) noexcept {
  const value_range range = range_with_zero(x);
  return max(range.max, -range.min);
}

inline status check_levels(const float* levels, std::int32_t count) noexcept {
  if (levels == nullptr || count < 1 || count > 256) {
    return {status_code::out_of_range, "a grid has 1 to 256 levels", "levels"};
  }
  for (std::int32_t i = 0; i < count; ++i) {
    if (!is_finite(levels[i]) || (i > 0 && !(levels[i - 1] <= levels[i]))) {
      return {status_code::invalid_argument, "the levels of a grid are finite and do not fall",
              "levels", position_kind::element, i};
    }
  }
  return {};
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Evenly spaced values: (code - zero_point) * scale.
struct affine_grid {
  affine_params params;
  std::int32_t min = -128;  ///< the smallest code
  std::int32_t max = 127;   ///< the largest
  affine_rule rule = affine_rule::pytorch;

  PARE_ALWAYS_INLINE std::int32_t code(float x) const noexcept {
    const detail::code_range codes{min, max};
    switch (rule) {
      case affine_rule::onnx: return detail::quantizer<affine_rule::onnx>(params, codes)(x);
      case affine_rule::tflite: return detail::quantizer<affine_rule::tflite>(params, codes)(x);
      case affine_rule::compressed_tensors:
        return detail::quantizer<affine_rule::compressed_tensors>(params, codes)(x);
      case affine_rule::pytorch: break;
    }
    return detail::quantizer<affine_rule::pytorch>(params, codes)(x);
  }
  PARE_ALWAYS_INLINE float value(std::int32_t code) const noexcept {
    return static_cast<float>(code - params.zero_point) * params.scale;
  }
  PARE_ALWAYS_INLINE float round(float x) const noexcept { return value(code(x)); }
};

/// Any rising values: levels[code] * scale. Ties go to the lower level.
struct level_grid {
  const float* levels = nullptr;  ///< [count], rising; they must outlive the grid
  std::int32_t count = 0;         ///< at least 1
  float scale = 1.0f;             ///< not negative; 0 where all values are 0

  /// Logarithmic in the number of levels.
  PARE_ALWAYS_INLINE std::int32_t code(float x) const noexcept {
    const float unit = scale > 0.0f ? x / scale : 0.0f;
    std::int32_t first = 0, last = count - 1;
    while (first < last) {
      const std::int32_t middle = (first + last) / 2;
      const double border = (double{levels[middle]} + double{levels[middle + 1]}) / 2;
      if (double{unit} > border) {
        first = middle + 1;
      } else {
        last = middle;
      }
    }
    return first;
  }
  PARE_ALWAYS_INLINE float value(std::int32_t code) const noexcept { return levels[code] * scale; }
  PARE_ALWAYS_INLINE float round(float x) const noexcept { return value(code(x)); }
};

/// Elements of a microscaling format under their scale.
struct mx_grid {
  mx kind = mx::fp4_e2m1;
  float8_e8m0 scale;

  PARE_ALWAYS_INLINE std::int32_t code(float x) const noexcept {
    return encode_scaled(kind, scale, x);
  }
  PARE_ALWAYS_INLINE float value(std::int32_t code) const noexcept {
    return decode_scaled(kind, scale, static_cast<std::uint8_t>(code));
  }
  PARE_ALWAYS_INLINE float round(float x) const noexcept { return value(code(x)); }
};

/// Small floats times a scale: float(Element) * scale.
template <class Element>
struct float_grid {
  float scale = 1.0f;  ///< not negative; 0 where all values are 0

  PARE_ALWAYS_INLINE std::int32_t code(float x) const noexcept {
    return Element(scale > 0.0f ? x / scale : 0.0f).bits;
  }
  PARE_ALWAYS_INLINE float value(std::int32_t code) const noexcept {
    return static_cast<float>(Element::from_bits(static_cast<std::uint8_t>(code))) * scale;
  }
  PARE_ALWAYS_INLINE float round(float x) const noexcept { return value(code(x)); }
};

/// Affine codes of 2 to 8 bits, signed; `options.axis` is not used.
struct affine_scheme {
  affine options;

  status check() const noexcept {
    PARE_RETURN_IF_ERROR(detail::check_options(options));
    return detail::check_rule(options.rule);
  }
  affine_grid fit(const group_view& x) const noexcept {
    const detail::code_range codes =
        detail::codes_of<std::int8_t>(options.scheme, options.rule, options.bits, options.span);
    return {detail::choose_checked<std::int8_t>(detail::range_with_zero(x), options), codes.min,
            codes.max, options.rule};
  }
};

/// Levels in [-1, 1] under the largest magnitude of the group; by default those of NF4.
struct level_scheme {
  const float* levels = nf4_levels;
  std::int32_t count = 16;

  status check() const noexcept { return detail::check_levels(levels, count); }
  level_grid fit(const group_view& x) const noexcept {
    return {levels, count, detail::largest_magnitude(x)};
  }
};
using nf4_scheme = level_scheme;

/// Levels that stand as they are, such as the centroids of a codebook.
struct codebook_scheme {
  const float* centroids = nullptr;  ///< [count], rising
  std::int32_t count = 0;

  status check() const noexcept { return detail::check_levels(centroids, count); }
  level_grid fit(const group_view&) const noexcept { return {centroids, count, 1.0f}; }
};

/// A microscaling format; groups are its blocks of 32.
struct mx_scheme {
  mx kind = mx::fp4_e2m1;

  mx_grid fit(const group_view& x) const noexcept {
    return {kind, mx_scale(kind, detail::largest_magnitude(x))};
  }
};

/// Small floats whose largest number is the group's largest magnitude.
template <class Element>
struct float_scheme {
  float_grid<Element> fit(const group_view& x) const noexcept {
    constexpr float largest = static_cast<float>(Element::from_bits(Element::largest_bits));
    return {detail::largest_magnitude(x) / largest};
  }
};

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_GRID_HPP
