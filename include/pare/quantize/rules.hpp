// Whose arithmetic affine quantization follows. The frameworks differ in the last bit of a scale
// and in where a tie goes, so the caller names the rule, and each is followed to the bit.
//
// What the rules compute stands at `choose_params`, `choose_dynamic_params` and `quantize`.
#ifndef PARE_QUANTIZE_RULES_HPP
#define PARE_QUANTIZE_RULES_HPP

#include <pare/core/config.hpp>

namespace pare {

/// Whether zero lies in the middle of the codes.
enum class symmetry : std::uint8_t {
  symmetric,   ///< the zero point is 0 for s8 and 128 for u8; the usual choice for weights
  asymmetric,  ///< the codes span [min, max]; the usual choice for activations
};

/// Which framework's scale, zero point and rounding.
enum class affine_rule : std::uint8_t {
  pytorch,  ///< observers and quantize_per_tensor, quantize_per_channel of PyTorch 1.13
  onnx,     ///< QuantizeLinear and DynamicQuantizeLinear of ONNX; the scales of ONNX Runtime's tool
  tflite,   ///< ChooseQuantizationParams and AffineQuantize of TensorFlow Lite
  compressed_tensors,  ///< calculate_qparams and quantize of compressed-tensors: clamps, then rounds
};

/// Which codes symmetric weights have; asymmetric ones have all.
enum class code_span : std::uint8_t {
  by_rule,     ///< as the framework has it: see `choose_params`
  full,        ///< -128 to 127, or 0 to 255: amax / 127.5
  restricted,  ///< -127 to 127, or 1 to 255: amax / 127, and no code without its negative
};

}  // namespace pare

#endif  // PARE_QUANTIZE_RULES_HPP
