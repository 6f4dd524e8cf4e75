// The selector: panels that fit the outputs, and the kernel that reads them.
#include <pare/kernels/select_linear.hpp>

#include <string>

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
  CHECK(linear_tile_columns(pare::isa::sse2, 1024) == 16);
  CHECK(linear_tile_columns(pare::isa::scalar, 1024) == 4);
}

TEST_CASE("SMMLA has groups of eight inputs, unless taps would be half empty") {
  using pare::detail::linear_k_group;
  CHECK(linear_k_group(pare::isa::i8mm) == 8);
  CHECK(linear_k_group(pare::isa::i8mm, 1, 12) == 8);
  CHECK(linear_k_group(pare::isa::i8mm, 9, 16) == 8);
  CHECK(linear_k_group(pare::isa::i8mm, 9, 13) == 8);
  CHECK(linear_k_group(pare::isa::i8mm, 9, 12) == 4);
  CHECK(linear_k_group(pare::isa::dotprod) == 4);
  CHECK(linear_k_group(pare::isa::avx512vnni, 9, 16) == 4);
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

TEST_CASE("the choice of a kernel is explained") {
  pare_test::for_each_isa([](pare::isa i) {
    const auto choice = pare::explain_linear(pare_test::linear_case(64, 40, 1, -127).pack(), 8);
    CHECK(choice.instruction_set == i);
    CHECK(std::string(choice.kernel).find(pare::name(i)) != std::string::npos);
    const bool is_best =
        i == pare::isa::scalar
            ? !pare::is_supported(pare::isa::sse2) && !pare::is_supported(pare::isa::neon)
            : i != pare::isa::sse2 || !pare::is_supported(pare::isa::avx2);
    CHECK(choice.is_fastest == is_best);
    if (i == pare::isa::avx512vnni) {
      CHECK(choice.tile_rows == 8);
      CHECK(choice.tile_columns == 32);
    }
    if (i == pare::isa::avxvnni || i == pare::isa::avx2 || i == pare::isa::dotprod ||
        i == pare::isa::i8mm) {
      CHECK(choice.tile_rows == 4);
      CHECK(choice.tile_columns == 16);
    }
  });
}

TEST_CASE("what makes a layer slow is said") {
  pare_test::for_each_isa([](pare::isa i) {
    auto with_minus_128 = pare_test::linear_case(16, 8, 1, -127);
    with_minus_128.codes(3, 5) = -128;
    const auto choice = pare::explain_linear(with_minus_128.pack(), 4);
    if (i == pare::isa::avx2 || i == pare::isa::neon) {
      CHECK_FALSE(choice.is_fastest);
      CHECK(std::string(choice.reason).find("-128") != std::string::npos);
    }
    const auto narrow = pare::explain_linear(pare_test::linear_case(16, 3, 1, -127).pack(), 4);
    CHECK_FALSE(narrow.is_fastest);
  });
  pare::packed_linear_view foreign;
  foreign.in_features = 8;
  foreign.tile_columns = 20;
  const auto choice = pare::explain_linear(foreign, 0);
  CHECK(choice.instruction_set == pare::isa::scalar);
  if (pare::active_isa() != pare::isa::scalar) {
    CHECK_FALSE(choice.is_fastest);
    CHECK(std::string(choice.reason).find("pack it again") != std::string::npos);
  }
}
