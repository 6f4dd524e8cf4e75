// Weights with blocks of zeros as f32 kernels read them, and which int8 form a layer gets.
#ifndef PARE_EXAMPLES_PRUNE_SPARSE_WEIGHTS_HPP
#define PARE_EXAMPLES_PRUNE_SPARSE_WEIGHTS_HPP

#include <string>

#include <pare/core/tensor.hpp>
#include <pare/format/bcsr.hpp>
#include <pare/kernels/bcsr_linear.hpp>
#include <pare/kernels/select_sparse.hpp>
#include <pare/quantize/affine.hpp>

namespace demo {

/// f32 blocks in memory of their own.
struct sparse_weights {
  pare::tensor<std::byte, 1> memory;
  pare::bcsr_view<float> view;

  sparse_weights(pare::matrix_view<const float> weights, pare::bcsr_shape shape) {
    pare::index_t nonzeros = 0;
    pare::for_each_element(weights, [&](float w, pare::index_t) { nonzeros += w != 0 ? 1 : 0; });
    const auto stored = static_cast<float>(nonzeros) / static_cast<float>(weights.size());
    shape.k_block = pare::f32_k_block(shape.block_rows, stored);
    memory = pare::tensor<std::byte, 1>({pare::bcsr_size(weights, shape).value()});
    view = pare::make_bcsr(weights, shape, pare::workspace(memory.data(), memory.size())).value();
  }
};

/// What the table says of f32 blocks.
inline std::string form_of(const pare::bcsr_shape& shape) {
  return shape.block_rows == 1 ? "f32 CSR" : "f32 BCSR 4x1";
}

/// Whether int8 layers keep their zeros or may leave them out, where the selector says so.
enum class zeros { kept, left_out };

/// Codes with one scale for each output.
inline pare::affine per_output() {
  pare::affine options;
  options.axis = 0;
  return options;
}

/// The int8 form of a layer: by the selector, for pictures in 64s, `rows` rows each.
inline pare::sparse_choice int8_choice(pare::matrix_view<const std::int8_t> codes, zeros z,
                                       pare::index_t rows) {
  if (z == zeros::kept) return {};
  return pare::select_sparse_linear(pare::sparse_statistics_of(codes).value(), 64 * rows);
}

/// "int8 1x4, 4x4, dense": the forms of the layers in turn, each once where it repeats.
inline void note_form(std::string& forms, const pare::sparse_choice& choice) {
  const std::string name = pare::name(choice.form);
  if (forms.empty()) {
    forms = "int8 " + name;
  } else if (forms.find(name) == std::string::npos) {
    forms += ", " + name;
  }
}

}  // namespace demo

#endif  // PARE_EXAMPLES_PRUNE_SPARSE_WEIGHTS_HPP
