// AWQ against a plain implementation (vectors: tools/make_calibrate_vectors.py).
#include <pare/quantize/awq.hpp>

#include <limits>
#include <vector>

#include "quantize/calibration.hpp"
#include "support/vectors.hpp"

using calibration::affine_of;
using calibration::inputs_of;
using calibration::of;
using pare::index_t;
using pare::status;

TEST_CASE("awq finds the exponent, the scales and the error of the plain implementation") {
  const auto v = pare_test::load("quantize/awq.npz");
  const auto w = v.get<float, 2>("w");
  pare::awq_options options;
  options.group = 16;
  std::vector<double> done;
  const auto found =
      pare::awq(w.view(), of(v.get<float, 2>("x")), affine_of(3, pare::symmetry::asymmetric),
                options, pare::serial(), [&](double d) { done.push_back(d); })
          .value();
  CHECK(found.exponent == doctest::Approx(v.scalar<double>("exponent")));
  CHECK(found.error == doctest::Approx(v.scalar<double>("error")).epsilon(1e-3));
  CHECK(pare_test::near(found.scales, v.get<float, 1>("scales"), 0, 1e-5));
  CHECK(pare_test::equal(found.weights.codes, v.get<std::int8_t, 2>("codes")));
  CHECK(done.size() == 20);
}

TEST_CASE("awq is never worse than rounding to nearest") {
  auto x = inputs_of(100, 40);
  for (index_t r = 0; r < 100; ++r) x(r, 7) *= 30.0f;
  const auto h = of(x);
  const auto w = pare_test::random_normal<float>({9, 40}, 3);
  const double nearest = calibration::nearest_error(w, pare::nf4_scheme(), h);
  const auto found = pare::awq(w.view(), h, pare::nf4_scheme()).value();
  CHECK(found.error < 0.8 * nearest);
  pare::awq_options one_step;
  one_step.steps = 1;
  CHECK(pare::awq(w.view(), h, pare::nf4_scheme(), one_step)->error == doctest::Approx(nearest));
}

TEST_CASE("what awq refuses") {
  auto w = pare_test::random_normal<float>({5, 6}, 2);
  const auto h = of(inputs_of(10, 6));
  pare::awq_options options;
  options.steps = 0;
  CHECK(pare::awq(w.view(), h, affine_of(4), options) == status::out_of_range);
  options = {};
  options.group = -1;
  CHECK(pare::awq(w.view(), h, affine_of(4), options) == status::out_of_range);
  CHECK(pare::awq(w.view(), h, affine_of(0)) == status::out_of_range);
  CHECK(pare::awq(w.view(), of(inputs_of(10, 5)), affine_of(4)) == status::shape_mismatch);
  CHECK(pare::awq(w.view(), pare::hessian::create(6).value(), affine_of(4)) == status::empty);
  w(0, 0) = std::numeric_limits<float>::infinity();
  CHECK(pare::awq(w.view(), h, affine_of(4)) == status::non_finite);
}
