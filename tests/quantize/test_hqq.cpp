// HQQ against a plain implementation (vectors: tools/make_calibrate_vectors.py).
#include <pare/layers/offset_grouped_linear.hpp>
#include <pare/quantize/gptq.hpp>
#include <pare/quantize/hqq.hpp>
#include <pare/quantize/search_scheme.hpp>

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

TEST_CASE("weights with real zeros run as a layer, with the outputs of their values") {
  const auto w = pare_test::random_normal<float>({37, 200}, 1);
  const auto x = pare_test::random_normal<float>({4, 200}, 2);
  for (const int bits : {3, 4, 8}) {
    CAPTURE(bits);
    pare::half_scheme<pare::hqq_scheme> scheme;
    scheme.base.options.bits = bits;
    const auto q = pare::quantize_to_grid(w.view(), scheme, 64).value();
    const auto values = pare::dequantize(q).value();
    const auto grouped = pare::to_offset_grouped(q).value();
    CHECK(grouped.group == 64);
    for (index_t r = 0; r < 37; ++r) {
      for (index_t i = 0; i < 200; ++i) {
        CHECK(grouped.codes(r, i) * static_cast<float>(grouped.scales(r, i / 64)) +
                  grouped.offsets(r, i / 64) ==
              doctest::Approx(values(r, i)).epsilon(1e-5));
      }
    }
    for (const auto arithmetic :
         {pare::grouped_arithmetic::floating, pare::grouped_arithmetic::integer}) {
      pare::grouped_linear_options options;
      options.arithmetic = arithmetic;
      const auto layer =
          pare::pack_offset_grouped_linear(grouped.view(), bits > 4 ? 8 : 4, {}, options).value();
      pare::tensor<float, 2> y({4, 37});
      REQUIRE(pare::linear(x.view(), layer.view(), y.view()) == status::ok);
      const double most = arithmetic == pare::grouped_arithmetic::floating ? 1e-3 : 0.5;
      for (index_t r = 0; r < 4; ++r) {
        for (index_t o = 0; o < 37; ++o) {
          double exact = 0;
          for (index_t i = 0; i < 200; ++i) exact += static_cast<double>(x(r, i)) * values(o, i);
          CHECK(std::abs(y(r, o) - exact) < most);
        }
      }
    }
  }
  // The scale of one group of 40 values is no half.
  const auto plain = pare::quantize_to_grid(w.view(), pare::hqq_scheme(), 40).value();
  CHECK(pare::to_offset_grouped(plain) == status::unsupported);
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
