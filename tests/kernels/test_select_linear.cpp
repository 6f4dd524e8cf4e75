// The selector: panels that fit the outputs, and the kernel that reads them.
#include <pare/kernels/select_linear.hpp>

#include "support/isas.hpp"
#include "support/linear_case.hpp"

using pare::detail::linear_tile_columns;

TEST_CASE("panels waste little: widths follow the number of outputs") {
  CHECK(linear_tile_columns(pare::isa::avx512vnni, 1024) == 64);
  CHECK(linear_tile_columns(pare::isa::avx512vnni, 144) == 48);
  CHECK(linear_tile_columns(pare::isa::avx512vnni, 32) == 32);
  CHECK(linear_tile_columns(pare::isa::avx512vnni, 10) == 16);
  CHECK(linear_tile_columns(pare::isa::avx2, 10) == 16);
  CHECK(linear_tile_columns(pare::isa::avxvnni, 1024) == 16);
  CHECK(linear_tile_columns(pare::isa::scalar, 1024) == 4);
}

TEST_CASE("a layer packed here runs on the active instruction set") {
  pare_test::for_each_isa([](pare::isa i) {
    for (const pare::index_t n : {1, 10, 32, 64, 144}) {
      CHECK(pare::linear_kernel(pare_test::linear_case(n, 8, 1).pack()) == i);
    }
  });
}

TEST_CASE("panels that only another machine's kernel reads fall back to scalar code") {
  pare::packed_linear_view layer;
  layer.tile_columns = 4;
  CHECK(pare::linear_kernel(layer) == pare::isa::scalar);
}
