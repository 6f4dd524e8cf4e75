// s8 `linear` alone: run.py says what it adds to size_empty.cpp.
#include <pare/kernels/linear.hpp>

#include "board.hpp"

using view = pare::tensor_view<const std::int8_t, pare::dextents<pare::index_t, 2>>;
using out_view = pare::tensor_view<std::int8_t, pare::dextents<pare::index_t, 2>>;

volatile bool is_ok;
pare::packed_linear_view layer;
std::int8_t input[64], output[64];

int main() {
  is_ok = bool(pare::linear(view(input, 1, 64), layer, out_view(output, 1, 10)));
  return 0;
}
