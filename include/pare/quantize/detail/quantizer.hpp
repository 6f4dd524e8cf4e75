// The code of a float by each rule: the specification of all loops that quantize.
#ifndef PARE_QUANTIZE_DETAIL_QUANTIZER_HPP
#define PARE_QUANTIZE_DETAIL_QUANTIZER_HPP

#include <pare/core/checked.hpp>
#include <pare/core/rounding.hpp>
#include <pare/format/affine.hpp>
#include <pare/quantize/detail/divide.hpp>
#include <pare/quantize/detail/scale_rules.hpp>
#include <pare/quantize/rules.hpp>

namespace pare::detail {

/// Whether a rule multiplies by the inverse of the scale; the others divide by the scale.
template <affine_rule Rule>
inline constexpr bool multiplies = Rule == affine_rule::pytorch;

/// Whether ties go to the even code; with the others they go away from zero.
template <affine_rule Rule>
inline constexpr bool ties_to_even = Rule != affine_rule::tflite;

/// Whether the zero point is added to the float, before it is clamped and rounded; with the others it
/// is added to the integer.
template <affine_rule Rule>
inline constexpr bool adds_before_rounding = Rule == affine_rule::compressed_tensors;

/// What a float goes through: code = round(clamp(x * or / factor + before, low, high)) + after.
struct quantizer_terms {
  float factor;  ///< the inverse of the scale, or the scale
  float before;  ///< only where the rule adds it there
  float low;     ///< the bounds of the codes, integers
  float high;
  std::int32_t after;
};

inline namespace PARE_ABI {

/// From floats to codes with one scale and zero point, by one rule.
///
/// Most frameworks round, add the zero point and clamp. Here the clamp comes first, to bounds that
/// are integers, which changes no code and keeps every conversion in range.
template <affine_rule Rule>
class quantizer {
 public:
  quantizer(affine_params p, code_range codes) noexcept {
    const std::int32_t added_before = adds_before_rounding<Rule> ? p.zero_point : 0;
    terms_.factor = multiplies<Rule> ? divide(1.0f, p.scale) : p.scale;
    terms_.before = static_cast<float>(added_before);
    terms_.after = p.zero_point - added_before;
    terms_.low = static_cast<float>(codes.min - terms_.after);
    terms_.high = static_cast<float>(codes.max - terms_.after);
  }

  const quantizer_terms& terms() const noexcept { return terms_; }

  PARE_ALWAYS_INLINE std::int32_t operator()(float x) const noexcept {
    float steps = multiplies<Rule> ? x * terms_.factor : divide(x, terms_.factor);
    if constexpr (adds_before_rounding<Rule>) steps += terms_.before;
    const float bounded = clamp(steps, terms_.low, terms_.high);
    return (ties_to_even<Rule> ? round_half_even(bounded) : round_half_away(bounded)) +
           terms_.after;
  }

 private:
  quantizer_terms terms_;
};

}  // namespace PARE_ABI
}  // namespace pare::detail

#endif  // PARE_QUANTIZE_DETAIL_QUANTIZER_HPP
