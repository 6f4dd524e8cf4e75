// Errors by hand, and parts merged.
#include <pare/quantize/error_meter.hpp>

#include <doctest/doctest.h>

TEST_CASE("largest and RMS error and signal to noise ratio") {
  pare::error_meter errors;
  CHECK(errors.rms_error() == 0.0);
  errors.add(3.0f, 2.0f);
  errors.add(-4.0f, -1.0f);
  CHECK(errors.count() == 2);
  CHECK(errors.max_error() == 3.0);
  CHECK(errors.mean_squared_error() == 5.0);
  CHECK(errors.rms_error() == doctest::Approx(2.2360679));
  CHECK(errors.sqnr() == doctest::Approx(10 * 0.3979400));  // 25 / 10

  pare::error_meter more;
  more.add(1.0f, -4.0f);
  errors.merge(more);
  CHECK(errors.count() == 3);
  CHECK(errors.max_error() == 5.0);
  CHECK(errors.mean_squared_error() == doctest::Approx(35.0 / 3));
}

TEST_CASE("nothing lost is an infinite ratio") {
  pare::error_meter errors;
  errors.add(1.0f, 1.0f);
  CHECK(errors.sqnr() > 1e300);
}
