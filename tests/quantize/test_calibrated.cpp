// Everything together leaves less error than each part.
#include <pare/quantize/calibrated.hpp>

#include <vector>

#include "quantize/calibration.hpp"

using calibration::affine_of;
using calibration::inputs_of;
using calibration::of;
using pare::index_t;
using pare::status;

namespace {

/// The mean squared difference of outputs, biases included.
double error_with_bias(const pare::tensor<float, 2>& x, const pare::tensor<float, 2>& w,
                       const pare::tensor<float, 2>& q, const pare::tensor<float, 1>& change) {
  double sum = 0;
  for (index_t r = 0; r < x.extent(0); ++r) {
    for (index_t o = 0; o < w.extent(0); ++o) {
      double difference = change(o);
      for (index_t i = 0; i < w.extent(1); ++i) {
        difference += (static_cast<double>(q(o, i)) - w(o, i)) * x(r, i);
      }
      sum += difference * difference;
    }
  }
  return sum / static_cast<double>(x.extent(0) * w.extent(0));
}

}  // namespace

TEST_CASE("the whole leaves less error than gptq with everything but one step") {
  const auto x = inputs_of(150, 48), w = pare_test::random_normal<float>({16, 48}, 2);
  const auto h = of(x);
  for (const int bits : {2, 3, 4}) {
    CAPTURE(bits);
    pare::gptq_options ordered;
    ordered.order = pare::input_order::activation;
    const pare::search_scheme<pare::affine_scheme> searched{affine_of(bits)};
    const auto gptq = pare::gptq(w.view(), h, searched, ordered).value();
    std::vector<double> done;
    const auto layer =
        pare::quantize_calibrated(w.view(), {}, h, affine_of(bits), {}, pare::serial(),
                                  [&](double d) { done.push_back(d); })
            .value();
    const double error = error_with_bias(x, w, pare::dequantize(layer.weights).value(), layer.bias);
    CHECK(error < 0.9 * calibration::error_of(w, gptq, h));
    const auto unsearched = pare::gptq(w.view(), h, affine_of(bits), ordered).value();
    CHECK(error < 0.9 * calibration::error_of(w, unsearched, h));
    CHECK(error < 0.4 * calibration::nearest_error(w, affine_of(bits), h));
    CHECK(std::is_sorted(done.begin(), done.end()));
    CHECK(done.back() == 1.0);
  }
}

TEST_CASE("scales that must be exact in half are, and the bias is changed from what it was") {
  const auto w = pare_test::random_normal<float>({5, 40}, 3);
  const auto bias = pare_test::random_normal<float>({5}, 4);
  const auto h = of(inputs_of(90, 40));
  pare::calibrated_options options;
  options.group = 32;
  options.refining.scales = pare::scale_change::to_half;
  const auto none = pare::quantize_calibrated(w.view(), {}, h, affine_of(4), options).value();
  const auto layer =
      pare::quantize_calibrated(w.view(), bias.view(), h, affine_of(4), options).value();
  CHECK(pare::to_grouped(layer.weights) == status::ok);
  for (index_t o = 0; o < 5; ++o) {
    CHECK(layer.bias(o) == doctest::Approx(bias(o) + none.bias(o)));
  }
}

TEST_CASE("what quantize_calibrated refuses") {
  const auto w = pare_test::random_normal<float>({2, 6}, 1);
  const auto h = of(inputs_of(10, 6));
  const float bias[] = {1, 2, 3};
  CHECK(pare::quantize_calibrated(w.view(), pare::view(bias), h, affine_of(4)) ==
        status::shape_mismatch);
  CHECK(pare::quantize_calibrated(w.view(), {}, h, affine_of(1)) == status::out_of_range);
  CHECK(pare::quantize_calibrated(w.view(), {}, pare::hessian::create(6).value(), affine_of(4)) ==
        status::empty);
  CHECK(pare::quantize_calibrated(w.view(), {}, of(inputs_of(10, 5)), affine_of(4)) ==
        status::shape_mismatch);
}
