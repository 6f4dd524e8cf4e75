// Every way to quantize a layer that the table compares, under one signature.
#ifndef PARE_EXAMPLES_COMPRESS_QUANTIZERS_HPP
#define PARE_EXAMPLES_COMPRESS_QUANTIZERS_HPP

#include <functional>
#include <string>
#include <vector>

#include <pare/quantize/hessian.hpp>

#include "demo/mlp.hpp"

namespace comparison {

/// A layer as it is after quantization: floats that its codes stand for, and what they take.
struct quantized_layer {
  pare::tensor<float, 2> weight;
  pare::tensor<float, 1> bias;
  double bits = 0;  ///< of codes, scales and tables of the whole layer
};

/// One row of the table.
struct quantizer {
  std::string name;
  std::string grids;  ///< what shares a scale or a table
  int bits = 0;
  std::function<quantized_layer(const demo::dense&, const pare::hessian&)> run;
};

/// Inputs that share a scale where rows are cut into groups.
inline constexpr pare::index_t group = 64;

/// All of them with codes of `bits` bits, 2 to 8.
std::vector<quantizer> quantizers(int bits);

}  // namespace comparison

#endif  // PARE_EXAMPLES_COMPRESS_QUANTIZERS_HPP
