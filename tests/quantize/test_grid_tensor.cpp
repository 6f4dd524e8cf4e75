// Rounding to nearest on any grid, and the formats that it becomes.
#include <pare/core/std_threads.hpp>
#include <pare/quantize/grid_tensor.hpp>
#include <pare/quantize/nf4.hpp>

#include <limits>

#include "quantize/calibration.hpp"

using calibration::affine_of;
using pare::index_t;
using pare::status;

TEST_CASE("rows on affine grids are what quantize makes of channels") {
  const auto w = pare_test::random_normal<float>({5, 33}, 1);
  for (const auto symmetry : {pare::symmetry::symmetric, pare::symmetry::asymmetric}) {
    pare::affine options;
    options.bits = 4;
    options.scheme = symmetry;
    options.axis = 0;
    const auto expected = pare::quantize(w.view(), options).value();
    const auto q = pare::quantize_to_grid(w.view(), affine_of(4, symmetry)).value();
    const auto affine = pare::to_affine(q).value();
    CHECK(pare_test::equal(affine.codes, expected.codes));
    CHECK(pare_test::equal(affine.scales, expected.scales));
    CHECK(pare_test::equal(affine.zero_points, expected.zero_points));
    CHECK(affine.axis == 0);
    CHECK(pare_test::equal(pare::dequantize(q).value(), pare::dequantize(expected.view()).value()));
  }
}

TEST_CASE("groups need not divide a row, and layouts and threads change nothing") {
  const auto w = pare_test::random_normal<float>({4, 50}, 2);
  const auto q = pare::quantize_to_grid(w.view(), pare::nf4_scheme(), 16).value();
  CHECK(q.grids.extent(1) == 4);
  for (index_t r = 0; r < 4; ++r) {
    float largest = 0;
    for (index_t i = 48; i < 50; ++i) largest = std::max(largest, std::abs(w(r, i)));
    CHECK(q.grids(r, 3).scale == largest);
    CHECK(q.value(r, 20) == q.grids(r, 1).round(w(r, 20)));
  }
  const auto left = pare_test::column_major_copy(w);
  CHECK(pare_test::equal(
      pare::quantize_to_grid(left.view(), pare::nf4_scheme(), 16, pare::std_threads{3})->codes,
      q.codes));
}

TEST_CASE("groups with scales in half are what quantize_grouped makes") {
  auto w = pare_test::random_normal<float>({3, 40}, 3);
  for (index_t r = 0; r < 3; ++r) {
    for (index_t g = 0; g < 3; ++g) w(r, 16 * g) = 7.5f;  // a scale of 1
  }
  for (float& x : w) x = std::min(x, 7.5f);
  pare::grouped options;
  options.group = 16;
  const auto expected = pare::quantize_grouped(w.view(), options).value();
  const auto grouped =
      pare::to_grouped(pare::quantize_to_grid(w.view(), affine_of(4), 16).value()).value();
  CHECK(pare_test::equal(grouped.codes, expected.codes));
  CHECK(pare_test::equal(grouped.scales, expected.scales));
  CHECK(grouped.zero_points.empty());
  CHECK(grouped.group == 16);
}

TEST_CASE("codes above 127 of a codebook come back") {
  pare::tensor<float, 1> levels({256});
  for (index_t i = 0; i < 256; ++i) levels(i) = static_cast<float>(i);
  const float w[] = {0, 127, 128, 255};
  const auto q =
      pare::quantize_to_grid(pare::view(w, 1, 4), pare::codebook_scheme{levels.data(), 256});
  CHECK_EQUAL_RANGES(q->codes, pare::tensor<std::uint8_t, 2>(q->codes));
  for (index_t i = 0; i < 4; ++i) CHECK(q->value(0, i) == w[i]);
}

TEST_CASE("what quantize_to_grid refuses") {
  auto w = pare_test::random_normal<float>({2, 8}, 4);
  CHECK(pare::quantize_to_grid(w.view(), affine_of(1)) == status::out_of_range);
  CHECK(pare::quantize_to_grid(w.view(), affine_of(4), -2) == status::out_of_range);
  CHECK(pare::quantize_to_grid(pare::view(w.data(), 0, 8), affine_of(4)) == status::empty);
  const pare::level_scheme none{nullptr, 16};
  CHECK(pare::quantize_to_grid(w.view(), none) == status::out_of_range);
  pare::tensor<float, 2> out({2, 7});
  const auto q = pare::quantize_to_grid(w.view(), affine_of(4), 3).value();
  CHECK(pare::dequantize(q, out.view()) == status::shape_mismatch);
  CHECK(pare::to_affine(q) == status::unsupported);
  CHECK(pare::to_grouped(q) == status::unsupported);
  w(1, 1) = std::numeric_limits<float>::quiet_NaN();
  CHECK(pare::quantize_to_grid(w.view(), affine_of(4)) == status::non_finite);
}
