// HQQ against a plain implementation (vectors: tools/make_calibrate_vectors.py).
#include <pare/quantize/gptq.hpp>
#include <pare/quantize/hqq.hpp>

#include "quantize/calibration.hpp"
#include "support/vectors.hpp"

using calibration::affine_of;
using calibration::inputs_of;
using calibration::of;
using pare::index_t;
using pare::status;

TEST_CASE("hqq finds the zeros of the plain implementation") {
  const auto v = pare_test::load("quantize/hqq.npz");
  const auto w = v.get<float, 2>("w");
  for (const int bits : {2, 4}) {
    CAPTURE(bits);
    pare::hqq_scheme scheme;
    scheme.options.bits = bits;
    const auto q = pare::quantize_to_grid(w.view(), scheme, 64).value();
    const std::string n = std::to_string(bits);
    const auto zeros = v.get<float, 2>("zeros" + n), scales = v.get<float, 2>("scales" + n);
    for (index_t g = 0; g < zeros.size(); ++g) {
      CHECK(q.grids.data()[g].zero == doctest::Approx(zeros.data()[g]).epsilon(1e-4));
      CHECK(q.grids.data()[g].scale == doctest::Approx(scales.data()[g]));
    }
    index_t differ = 0;
    const auto codes = v.get<std::uint8_t, 2>("codes" + n);
    for (index_t i = 0; i < codes.size(); ++i) differ += q.codes.data()[i] != codes.data()[i];
    CHECK(differ <= codes.size() / 300);
  }
}

TEST_CASE("hqq serves gptq, and keeps single values and zeros") {
  const auto w = pare_test::random_normal<float>({6, 40}, 1);
  const auto h = of(inputs_of(90, 40));
  const pare::hqq_scheme scheme;
  CHECK(calibration::error_of(w, pare::gptq(w.view(), h, scheme).value(), h) <
        0.6 * calibration::nearest_error(w, scheme, h));
  for (const float x : {0.0f, 3.0f, -3.0f, 1e-30f}) {
    const float same[] = {x, x, x};
    CHECK(scheme.fit({same, 3, 1}).round(x) == doctest::Approx(x));
  }
}

TEST_CASE("what hqq refuses") {
  const auto w = pare_test::random_normal<float>({2, 8}, 1);
  pare::hqq_scheme scheme;
  const auto quantize = [&] { return pare::quantize_to_grid(w.view(), scheme); };
  scheme.options.bits = 9;
  CHECK(quantize() == status::out_of_range);
  scheme = {};
  scheme.options.norm = 0;
  CHECK(quantize() == status::out_of_range);
  scheme = {};
  scheme.options.penalty = -1;
  CHECK(quantize() == status::out_of_range);
  scheme = {};
  scheme.options.growth = 0.5;
  CHECK(quantize() == status::out_of_range);
}
