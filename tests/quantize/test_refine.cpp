// Coordinate descent: never worse, and at the end no single code is better.
#include <pare/core/std_threads.hpp>
#include <pare/quantize/gptq.hpp>
#include <pare/quantize/refine.hpp>

#include <limits>

#include "quantize/calibration.hpp"

using calibration::affine_of;
using calibration::error_of;
using calibration::inputs_of;
using calibration::of;
using pare::index_t;
using pare::status;

TEST_CASE("refining lowers the error of nearest codes and of gptq's") {
  const auto w = pare_test::random_normal<float>({20, 60}, 2);
  const auto h = of(inputs_of(200, 60));
  for (const index_t group : {0, 16}) {
    for (const auto scales : {pare::scale_change::none, pare::scale_change::any}) {
      auto nearest = pare::quantize_to_grid(w.view(), affine_of(3), group).value();
      pare::gptq_options options;
      options.group = group;
      auto better = pare::gptq(w.view(), h, affine_of(3), options).value();
      const double before = error_of(w, nearest, h), gptq = error_of(w, better, h);
      pare::refine_options how;
      how.scales = scales;
      REQUIRE(pare::refine(w.view(), h, nearest, how) == status::ok);
      REQUIRE(pare::refine(w.view(), h, better, how) == status::ok);
      CHECK(error_of(w, nearest, h) < 0.6 * before);
      CHECK(error_of(w, better, h) < gptq);
    }
  }
}

TEST_CASE("at the end no other code of one weight leaves less error") {
  const auto w = pare_test::random_normal<float>({3, 24}, 3);
  const auto h = of(inputs_of(50, 24));
  auto q = pare::quantize_to_grid(w.view(), pare::nf4_scheme(), 10).value();
  pare::refine_options options;
  options.sweeps = 100;
  options.scales = pare::scale_change::none;
  REQUIRE(pare::refine(w.view(), h, q, options) == status::ok);
  const double least = error_of(w, q, h);
  for (index_t r = 0; r < 3; ++r) {
    for (index_t i = 0; i < 24; ++i) {
      const auto code = q.codes(r, i);
      for (int other = 0; other < 16; ++other) {
        q.codes(r, i) = static_cast<std::uint8_t>(other);
        REQUIRE(error_of(w, q, h) >= least * (1 - 1e-5));
      }
      q.codes(r, i) = code;
    }
  }
}

TEST_CASE("scales can stay, or stay exact in half; threads change nothing") {
  const auto w = pare_test::random_normal<float>({40, 32}, 4);
  const auto h = of(inputs_of(60, 32));
  auto q = pare::quantize_to_grid(w.view(), affine_of(4), 8).value();
  auto kept = q, threaded = q;
  pare::refine_options options;
  options.scales = pare::scale_change::none;
  REQUIRE(pare::refine(w.view(), h, kept, options) == status::ok);
  CHECK(kept.grids(3, 2).params.scale == q.grids(3, 2).params.scale);
  options.scales = pare::scale_change::to_half;
  REQUIRE(pare::refine(w.view(), h, threaded, options, pare::std_threads{3}) == status::ok);
  REQUIRE(pare::refine(w.view(), h, q, options) == status::ok);
  CHECK(pare_test::equal(threaded.codes, q.codes));
  index_t exact = 0;
  for (const auto& grid : q.grids) {
    exact += static_cast<float>(pare::half(grid.params.scale)) == grid.params.scale;
  }
  CHECK(exact > q.grids.size() * 9 / 10);  // others were better as they were
  auto blocks = pare::quantize_to_grid(w.view(), pare::mx_scheme(), 32).value();
  const double before = error_of(w, blocks, h);
  REQUIRE(pare::refine(w.view(), h, blocks) == status::ok);
  CHECK(error_of(w, blocks, h) < before);
}

TEST_CASE("what refine refuses") {
  auto w = pare_test::random_normal<float>({2, 6}, 1);
  const auto h = of(inputs_of(10, 6));
  auto q = pare::quantize_to_grid(w.view(), affine_of(4)).value();
  pare::refine_options options;
  options.sweeps = -1;
  CHECK(pare::refine(w.view(), h, q, options) == status::out_of_range);
  options = {};
  options.scales = static_cast<pare::scale_change>(5);
  CHECK(pare::refine(w.view(), h, q, options) == status::invalid_argument);
  CHECK(pare::refine(w.view(), pare::hessian::create(6).value(), q) == status::empty);
  CHECK(pare::refine(w.view(), of(inputs_of(10, 5)), q) == status::shape_mismatch);
  CHECK(pare::refine(pare::view(w.data(), 1, 6), h, q) == status::shape_mismatch);
  w(0, 0) = std::numeric_limits<float>::infinity();
  CHECK(pare::refine(w.view(), h, q) == status::non_finite);
}
