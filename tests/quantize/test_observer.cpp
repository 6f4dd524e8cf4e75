// Ranges of batches against PyTorch's observers (vectors: tools/make_training_vectors.py).
#include <pare/quantize/observer.hpp>

#include <limits>

#include "support/check.hpp"
#include "support/vectors.hpp"

using pare::index_t;
using pare::status;

TEST_CASE("hull and moving average are PyTorch's, batch by batch") {
  const auto vectors = pare_test::load("quantize/observers_stream.npz");
  const auto batches = vectors.get<float, 2>("batches");
  const auto hulls = vectors.get<float, 2>("min_max");
  const auto averages = vectors.get<float, 2>("moving_average");
  pare::min_max_observer hull;
  pare::moving_average_observer average;
  for (index_t b = 0; b < batches.extent(0); ++b) {
    const auto batch = pare::view(batches.data() + b * batches.extent(1), batches.extent(1));
    REQUIRE(pare::observe(hull, batch) == status::ok);
    REQUIRE(pare::observe(average, batch) == status::ok);
    CHECK(hull.range.min == hulls(b, 0));
    CHECK(hull.range.max == hulls(b, 1));
    CHECK(average.range.min == averages(b, 0));
    CHECK(average.range.max == averages(b, 1));
  }
  CHECK(average.batches == batches.extent(0));
}

TEST_CASE("observers of parts merge") {
  pare::min_max_observer a, b, none;
  pare::observe(a, {-1.0f, 2.0f});
  pare::observe(b, {0.0f, 3.0f});
  pare::observe(b, {0.5f, 5.0f});
  pare::merge(a, b);
  pare::merge(a, none);
  CHECK(a.range.min == -1.0f);
  CHECK(a.range.max == 5.0f);
  CHECK(a.batches == 3);
  pare::merge(none, b);
  CHECK(none.range.max == 5.0f);
  CHECK(none.batches == 2);

  pare::moving_average_observer m, n, empty;
  pare::observe(m, {-1.0f, 1.0f});
  pare::observe(n, {-4.0f, 4.0f});
  pare::observe(n, {-4.0f, 4.0f});
  pare::merge(m, n);
  pare::merge(m, empty);
  CHECK(m.range.min == doctest::Approx(-3.0));
  CHECK(m.range.max == doctest::Approx(3.0));
  CHECK(m.batches == 3);
}

TEST_CASE("bad and empty batches leave an observer as it was") {
  pare::moving_average_observer seen;
  float x[] = {1, 2};
  REQUIRE(pare::observe(seen, pare::view(x)) == status::ok);
  REQUIRE(pare::observe(seen, pare::view(x, 0)) == status::ok);
  x[1] = std::numeric_limits<float>::quiet_NaN();
  CHECK(pare::observe(seen, pare::view(x)) == status::non_finite);
  CHECK(seen.batches == 1);
  CHECK(seen.range.max == 2.0f);
}
