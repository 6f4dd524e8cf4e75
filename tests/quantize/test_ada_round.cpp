// AdaRound: one of two neighbours for each weight, and less output error than the nearer one.
#include <pare/core/std_threads.hpp>
#include <pare/quantize/ada_round.hpp>

#include <limits>

#include "quantize/calibration.hpp"

using calibration::affine_of;
using calibration::inputs_of;
using calibration::of;
using pare::index_t;
using pare::status;

TEST_CASE("ada_round chooses between neighbours, and leaves less error than the nearest") {
  const auto w = pare_test::random_normal<float>({12, 40}, 2);
  const auto h = of(inputs_of(150, 40));
  pare::ada_round_options options;
  options.iterations = 300;
  for (const int bits : {2, 4}) {
    CAPTURE(bits);
    const auto q = pare::ada_round(w.view(), h, affine_of(bits), options).value();
    for (index_t r = 0; r < 12; ++r) {
      const auto& grid = q.grids(r, 0);
      for (index_t i = 0; i < 40; ++i) {
        const float distance = std::abs(q.value(r, i) - w(r, i));
        const bool is_beyond = w(r, i) > grid.value(grid.max) || w(r, i) < grid.value(grid.min);
        REQUIRE((distance <= grid.params.scale || is_beyond));
        if (is_beyond) REQUIRE(q.value(r, i) == grid.round(w(r, i)));
      }
    }
    CHECK(calibration::error_of(w, q, h) < 0.6 * calibration::nearest_error(w, affine_of(bits), h));
  }
  options.group = 16;
  const auto nf4 = pare::ada_round(w.view(), h, pare::nf4_scheme(), options).value();
  CHECK(calibration::error_of(w, nf4, h) <
        0.6 * calibration::nearest_error(w, pare::nf4_scheme(), h, 16));
}

TEST_CASE("without iterations ada_round is the nearest, and threads change nothing") {
  const auto w = pare_test::random_normal<float>({9, 20}, 3);
  const auto h = of(inputs_of(50, 20));
  pare::ada_round_options options;
  options.iterations = 0;
  // The largest weight of a symmetric grid lies in the middle of two codes.
  const auto scheme = affine_of(4, pare::symmetry::asymmetric);
  const auto q = pare::ada_round(w.view(), h, scheme, options).value();
  CHECK(pare_test::equal(q.codes, pare::quantize_to_grid(w.view(), scheme)->codes));
  options.iterations = 50;
  CHECK(pare_test::equal(
      pare::ada_round(w.view(), h, affine_of(4), options, pare::std_threads{3})->codes,
      pare::ada_round(w.view(), h, affine_of(4), options)->codes));
}

TEST_CASE("what ada_round refuses") {
  auto w = pare_test::random_normal<float>({2, 6}, 1);
  const auto h = of(inputs_of(10, 6));
  pare::ada_round_options options;
  const auto round = [&] { return pare::ada_round(w.view(), h, affine_of(4), options); };
  options.iterations = -1;
  CHECK(round() == status::out_of_range);
  options = {};
  options.learning_rate = 0;
  CHECK(round() == status::out_of_range);
  options = {};
  options.warm_up = 1;
  CHECK(round() == status::out_of_range);
  options = {};
  options.last_power = std::numeric_limits<double>::quiet_NaN();
  CHECK(round() == status::out_of_range);
  options = {};
  CHECK(pare::ada_round(w.view(), pare::hessian::create(6).value(), affine_of(4)) == status::empty);
  CHECK(pare::ada_round(w.view(), of(inputs_of(10, 5)), affine_of(4)) == status::shape_mismatch);
  w(0, 0) = std::numeric_limits<float>::infinity();
  CHECK(round() == status::non_finite);
}
