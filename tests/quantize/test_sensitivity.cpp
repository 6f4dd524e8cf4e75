// What codes of so many bits cost a layer.
#include <pare/quantize/sensitivity.hpp>

#include "quantize/calibration.hpp"

using calibration::affine_of;
using calibration::inputs_of;
using calibration::of;
using pare::index_t;
using pare::status;

TEST_CASE("both measures of a change") {
  const auto x = inputs_of(30, 8);
  const auto w = pare_test::random_normal<float>({3, 8}, 2);
  auto changed = w;
  changed(1, 5) += 0.25f;
  double square = 0;
  for (index_t r = 0; r < 30; ++r) square += static_cast<double>(x(r, 5)) * x(r, 5) / 30;
  const auto s = pare::measure_sensitivity(w.view(), changed.view(), of(x)).value();
  CHECK(s.weighted_error == doctest::Approx(square / 16 / 3).epsilon(1e-4));
  CHECK(s.output_error == doctest::Approx(s.weighted_error).epsilon(1e-4));  // one weight only
  changed(1, 4) += 0.25f;
  const auto two = pare::measure_sensitivity(w.view(), changed.view(), of(x)).value();
  CHECK(two.output_error > 1.2 * two.weighted_error);  // the two inputs rise together
}

TEST_CASE("bytes of packed codes") {
  CHECK(pare::packed_bytes(10, 64, 4, 32).value() == 10 * (32 + 4));
  CHECK(pare::packed_bytes(10, 65, 3, 0).value() == 10 * (25 + 2));
  CHECK(pare::packed_bytes(10, 0, 3, 0).value() == 0);
  CHECK(pare::packed_bytes(1, 1, 9, 0) == status::out_of_range);
  CHECK(pare::packed_bytes(PTRDIFF_MAX, 16, 8, 0) == status::overflow);
}

TEST_CASE("more bits cost more bytes and leave less error") {
  const auto w = pare_test::random_normal<float>({8, 40}, 3);
  const auto h = of(inputs_of(90, 40));
  const int bits[] = {2, 3, 4, 8};
  pare::bit_choice choices[4];
  REQUIRE(pare::measure_bits(w.view(), h, pare::view(bits), pare::view(choices)) == status::ok);
  for (int i = 0; i < 4; ++i) {
    CHECK(choices[i].bits == bits[i]);
    if (i == 0) continue;
    CHECK(choices[i].bytes > choices[i - 1].bytes);
    CHECK(choices[i].error < 0.5 * choices[i - 1].error);
  }
  const int wrong[] = {4, 9};
  CHECK(pare::measure_bits(w.view(), h, pare::view(wrong), pare::view(choices, 2)) ==
        status::out_of_range);
  CHECK(choices[0].bits == 2);
  CHECK(pare::measure_bits(w.view(), h, pare::view(bits), pare::view(choices, 2)) ==
        status::shape_mismatch);
  CHECK(pare::weighted_error(w.view(), pare::view(w.data(), 1, 40), h) == status::shape_mismatch);
  CHECK(pare::weighted_error(w.view(), w.view(), pare::hessian::create(40).value()) ==
        status::empty);
}
