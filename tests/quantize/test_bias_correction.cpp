// The bias takes back what rounding does to the mean of the outputs.
#include <pare/quantize/bias_correction.hpp>

#include <limits>

#include "quantize/calibration.hpp"

using calibration::affine_of;
using calibration::inputs_of;
using calibration::of;
using pare::index_t;
using pare::status;

TEST_CASE("outputs keep their mean") {
  const auto x = inputs_of(80, 30), w = pare_test::random_normal<float>({7, 30}, 2);
  const auto q = pare::dequantize(pare::quantize_to_grid(w.view(), affine_of(2)).value()).value();
  auto bias = pare_test::random_normal<float>({7}, 3);
  const auto before = bias;
  REQUIRE(pare::correct_bias(w.view(), q.view(), of(x), bias.view()) == status::ok);
  for (index_t o = 0; o < 7; ++o) {
    double difference = 0;
    for (index_t r = 0; r < 80; ++r) {
      difference += static_cast<double>(bias(o)) - before(o);
      for (index_t i = 0; i < 30; ++i) {
        difference += (static_cast<double>(q(o, i)) - w(o, i)) * x(r, i);
      }
    }
    CHECK(std::abs(bias(o) - before(o)) > 1e-4);
    CHECK(std::abs(difference / 80) < 1e-5);
  }
}

TEST_CASE("what correct_bias refuses leaves the bias as it was") {
  auto w = pare_test::random_normal<float>({3, 6}, 1);
  auto changed = w;
  auto h = of(inputs_of(9, 6));
  pare::tensor<float, 1> bias({3}), other({4});
  const auto correct = [&] { return pare::correct_bias(w.view(), changed.view(), h, bias.view()); };
  CHECK(pare::correct_bias(w.view(), changed.view(), h, other.view()) == status::shape_mismatch);
  CHECK(pare::correct_bias(w.view(), pare::view(w.data(), 2, 6), h, bias.view()) ==
        status::shape_mismatch);
  CHECK(pare::correct_bias(w.view(), changed.view(), of(inputs_of(9, 7)), bias.view()) ==
        status::shape_mismatch);
  CHECK(pare::correct_bias(w.view(), changed.view(), pare::hessian::create(6).value(),
                           bias.view()) == status::empty);
  changed(1, 1) = std::numeric_limits<float>::quiet_NaN();
  CHECK(correct() == status::non_finite);
  changed(1, 1) = -3e38f;
  h.sums(1) = 1e6;
  CHECK(correct() == status::overflow);
  CHECK_EQUAL_RANGES(bias, {0, 0, 0});
}
