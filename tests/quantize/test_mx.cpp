// Microscaling formats against the specification in exact fractions (vectors:
// tools/make_block_vectors.py).
#include <pare/quantize/mx.hpp>

#include <limits>

#include "quantize/cases.hpp"
#include "support/check.hpp"
#include "support/random.hpp"
#include "support/vectors.hpp"

using pare::index_t;
using pare::mx;
using pare::status;

namespace {

constexpr struct {
  mx kind;
  const char* name;
} kinds[] = {{mx::fp4_e2m1, "fp4_e2m1"}, {mx::fp6_e2m3, "fp6_e2m3"}, {mx::fp6_e3m2, "fp6_e3m2"},
             {mx::fp8_e4m3, "fp8_e4m3"}, {mx::fp8_e5m2, "fp8_e5m2"}, {mx::int8, "int8"}};

}  // namespace

TEST_CASE("scales and elements are those of the specification") {
  if (quantize_cases::flushes_denormals()) return;
  const auto vectors = pare_test::load("quantize/mx.npz");
  const auto w = vectors.get<float, 2>("w");
  for (const auto& k : kinds) {
    CAPTURE(k.name);
    const auto q = pare::quantize_mx(w.view(), k.kind);
    REQUIRE(q);
    const auto scales = vectors.get<std::uint8_t, 2>(std::string(k.name) + "_scales");
    const auto codes = vectors.get<std::uint8_t, 2>(std::string(k.name) + "_codes");
    for (index_t row = 0; row < w.extent(0); ++row) {
      CAPTURE(row);
      for (index_t b = 0; b < 2; ++b) CHECK(q->scales(row, b).bits == scales(row, b));
      for (index_t i = 0; i < w.extent(1); ++i) {
        CAPTURE(w(row, i));
        CHECK(int{q->view().code(row, i)} == int{codes(row, i)});
      }
    }
  }
}

TEST_CASE("elements lie in the lowest bits first") {
  pare::tensor<float, 2> w({1, 32});
  w(0, 0) = 6.0f;
  w(0, 1) = -0.5f;
  w(0, 31) = 2.0f;
  const auto fp4 = pare::quantize_mx(w.view(), mx::fp4_e2m1).value();
  CHECK(fp4.scales(0, 0).bits == 127);
  CHECK(fp4.codes.extent(1) == 16);
  CHECK(int{fp4.codes(0, 0)} == 0x97);
  CHECK(int{fp4.codes(0, 15)} == 0x40);
  const auto fp6 = pare::quantize_mx(w.view(), mx::fp6_e2m3).value();
  CHECK(fp6.codes.extent(1) == 24);
  // 6 is 011100, -0.5 is 100100, and 2 is 010000 in the last 6 bits.
  CHECK(int{fp6.codes(0, 0)} == 0x1c);
  CHECK(int{fp6.codes(0, 1)} == 0x09);
  CHECK(int{fp6.codes(0, 23)} == 0x40);
}

TEST_CASE("elements come back within half a step, and the error is what was lost") {
  const auto w = pare_test::random_normal<float>({5, 70}, 1);
  double last = 0;
  for (const mx kind : {mx::fp4_e2m1, mx::fp6_e3m2, mx::fp6_e2m3, mx::int8}) {
    pare::error_meter errors;
    const auto q = pare::quantize_mx(pare_test::column_major_copy(w).view(), kind, &errors).value();
    CHECK(q.columns == 70);
    pare::tensor<float, 2> back({5, 70});
    REQUIRE(pare::dequantize(q.view(), back.view()) == status::ok);
    pare::error_meter expected;
    for (index_t i = 0; i < w.size(); ++i) expected.add(w.data()[i], back.data()[i]);
    CHECK(errors.count() == 350);
    CHECK(errors.max_error() == expected.max_error());
    CHECK(errors.sqnr() == doctest::Approx(expected.sqnr()));
    CHECK(errors.sqnr() > last + 3);
    last = errors.sqnr();
  }
}

TEST_CASE("a scale that is NaN makes its block NaN") {
  pare::tensor<float, 2> w({1, 40}), back({1, 40});
  auto q = pare::quantize_mx(w.view(), mx::fp8_e4m3).value();
  q.scales(0, 1).bits = pare::float8_e8m0::nan_bits;
  REQUIRE(pare::dequantize(q.view(), back.view()) == status::ok);
  CHECK(back(0, 31) == 0.0f);
  CHECK(back(0, 32) != back(0, 32));
}

TEST_CASE("what microscaling refuses") {
  pare::tensor<float, 2> w({2, 40});
  CHECK(pare::quantize_mx(w.view(), static_cast<mx>(9)) == status::invalid_argument);
  CHECK(pare::quantize_mx(pare::view(w.data(), 0, 40), mx::int8));
  CHECK(pare::quantize_mx(pare::view(w.data(), 2, 0), mx::int8));
  auto q = pare::quantize_mx(w.view(), mx::int8).value();
  CHECK(pare::dequantize(q.view(), pare::view(w.data(), 2, 39)) == status::shape_mismatch);
  CHECK(pare::dequantize(q.view(), pare::view(w.data(), 1, 40)) == status::shape_mismatch);
  q.kind = static_cast<mx>(9);
  CHECK(pare::dequantize(q.view(), w.view()) == status::invalid_argument);
  w(1, 2) = -std::numeric_limits<float>::infinity();
  const auto bad = pare::quantize_mx(w.view(), mx::fp4_e2m1);
  CHECK(bad == status::non_finite);
  CHECK(bad.error().position == 42);
}
