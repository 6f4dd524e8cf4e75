// Grids round a value as the quantizers of their scheme do.
#include <pare/quantize/float8.hpp>
#include <pare/quantize/grid.hpp>
#include <pare/quantize/mx.hpp>
#include <pare/quantize/nf4.hpp>

#include "support/check.hpp"
#include "support/random.hpp"

using pare::index_t;

namespace {

/// Whether the grid that `scheme` fits to each row rounds to the values of `expected`.
template <class Scheme>
void check_rows(const pare::tensor<float, 2>& w, const Scheme& scheme,
                const pare::tensor<float, 2>& expected) {
  for (index_t row = 0; row < w.extent(0); ++row) {
    const float* x = w.data() + row * w.extent(1);
    const auto grid = scheme.fit({x, w.extent(1), 1});
    for (index_t i = 0; i < w.extent(1); ++i) {
      CHECK(grid.round(x[i]) == expected(row, i));
      CHECK(grid.value(grid.code(x[i])) == expected(row, i));
    }
  }
}

}  // namespace

TEST_CASE("affine grids round as quantize does, by every rule") {
  const auto w = pare_test::random_normal<float>({5, 40}, 1);
  for (const auto rule :
       {pare::affine_rule::pytorch, pare::affine_rule::onnx, pare::affine_rule::tflite}) {
    for (const auto scheme : {pare::symmetry::symmetric, pare::symmetry::asymmetric}) {
      for (const int bits : {2, 3, 4, 8}) {
        pare::affine options;
        options.bits = bits;
        options.scheme = scheme;
        options.rule = rule;
        const pare::affine_scheme affine{options};
        options.axis = 0;
        const auto q = pare::quantize(w.view(), options).value();
        check_rows(w, affine, pare::dequantize(q.view()).value());
      }
    }
  }
}

TEST_CASE("grids of levels and of small floats round as their quantizers do") {
  const auto w = pare_test::random_normal<float>({3, 32}, 2);
  pare::tensor<float, 2> back({3, 32});
  pare::nf4 block;
  block.block = 32;
  REQUIRE(pare::dequantize(pare::quantize_nf4(w.view(), block)->view(), back.view()));
  check_rows(w, pare::nf4_scheme(), back);
  for (const auto kind : {pare::mx::fp4_e2m1, pare::mx::fp6_e3m2, pare::mx::int8}) {
    REQUIRE(pare::dequantize(pare::quantize_mx(w.view(), kind)->view(), back.view()));
    check_rows(w, pare::mx_scheme{kind}, back);
  }
  REQUIRE(pare::dequantize(*pare::quantize_float<pare::float8_e4m3>(w.view(), 0), back.view()));
  check_rows(w, pare::float_scheme<pare::float8_e4m3>(), back);
}

TEST_CASE("levels: the nearest, the lower in the middle, every step of a group") {
  const float levels[] = {-2, 0, 1, 5};
  const pare::codebook_scheme scheme{levels, 4};
  const float none[] = {9, 9, 9};
  const auto grid = scheme.fit({none, 3, 1});
  const float values[] = {-3, -1.1f, -1, -0.9f, 0.5f, 0.6f, 3, 3.1f, 9};
  const int codes[] = {0, 0, 0, 1, 1, 2, 2, 3, 3};
  for (int i = 0; i < 9; ++i) CHECK(grid.code(values[i]) == codes[i]);
  const float strided[] = {1, 100, -4, 100, 2, 100};
  const auto nf4 = pare::nf4_scheme().fit({strided, 3, 2});
  CHECK(nf4.scale == 4.0f);
  CHECK(nf4.round(-3.9f) == -4.0f);
  const float zeros[] = {0, 0};
  CHECK(pare::nf4_scheme().fit({zeros, 2, 1}).round(0.0f) == 0.0f);
  CHECK(pare::float_scheme<pare::float8_e5m2>().fit({zeros, 2, 1}).round(0.0f) == 0.0f);
}
