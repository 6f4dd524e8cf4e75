// Sums of a layer's inputs against plain loops in double.
#include <pare/core/std_threads.hpp>
#include <pare/core/subview.hpp>
#include <pare/quantize/hessian.hpp>

#include <limits>
#include <vector>

#include "support/check.hpp"
#include "support/random.hpp"

using pare::index_t;
using pare::status;

namespace {

pare::hessian of(const pare::tensor<float, 2>& x) {
  auto h = pare::hessian::create(x.extent(1)).value();
  REQUIRE(pare::accumulate(x.view(), h) == status::ok);
  return h;
}

/// Inputs that are not centred: what bias and covariance differ in.
pare::tensor<float, 2> inputs_of(index_t rows, index_t in, std::uint32_t seed) {
  auto x = pare_test::random_normal<float>({rows, in}, seed);
  for (index_t r = 0; r < rows; ++r) {
    for (index_t i = 0; i < in; ++i) x(r, i) += 0.1f * static_cast<float>(i % 7);
  }
  return x;
}

void check_same(const pare::hessian& a, const pare::hessian& b) {
  CHECK(pare_test::equal_bits(a.gram, b.gram));
  CHECK(pare_test::equal_bits(a.sums, b.sums));
  CHECK(pare_test::equal_bits(a.magnitudes, b.magnitudes));
  CHECK(pare_test::equal_bits(a.largest, b.largest));
  CHECK(a.rows == b.rows);
}

}  // namespace

TEST_CASE("accumulate sums products, values and magnitudes") {
  for (const index_t in : {1, 5, 257, 300}) {
    CAPTURE(in);
    const auto x = inputs_of(300, in, 1);
    const auto h = of(x);
    CHECK(h.rows == 300);
    for (index_t a = 0; a < in; a += 3) {
      double sum = 0, magnitude = 0;
      float largest = 0;
      for (index_t r = 0; r < 300; ++r) {
        sum += x(r, a);
        magnitude += std::abs(x(r, a));
        largest = std::max(largest, std::abs(x(r, a)));
      }
      REQUIRE(h.sums(a) == doctest::Approx(sum));
      REQUIRE(h.magnitudes(a) == doctest::Approx(magnitude));
      REQUIRE(h.largest(a) == largest);
      for (index_t b = 0; b < in; b += 5) {
        double product = 0;
        for (index_t r = 0; r < 300; ++r) product += static_cast<double>(x(r, a)) * x(r, b);
        REQUIRE(std::abs(h.gram(a, b) - product) < 1e-3);
        REQUIRE(h.gram(a, b) == h.gram(b, a));
      }
    }
  }
}

TEST_CASE("layouts and threads do not change a bit") {
  const auto x = inputs_of(70, 300, 2);
  const auto expected = of(x);
  auto h = pare::hessian::create(300).value();
  REQUIRE(pare::accumulate(x.view(), h, pare::std_threads{3}) == status::ok);
  check_same(h, expected);
  h = pare::hessian::create(300).value();
  const auto left = pare_test::column_major_copy(x);
  REQUIRE(pare::accumulate(left.view(), h) == status::ok);
  check_same(h, expected);
  h = pare::hessian::create(300).value();
  const auto apart = pare_test::strided_copy(x, 3, 2);
  REQUIRE(pare::accumulate(apart.view(), h) == status::ok);
  check_same(h, expected);
}

TEST_CASE("parts that are merged are near to the whole") {
  const auto x = inputs_of(100, 40, 3);
  const auto whole = of(x);
  const pare::tensor<float, 2> none({0, 40});
  auto h =
      of(pare::tensor<float, 2>::copy_of(subview(x.view(), pare::range{0, 30}, pare::all)).value());
  const auto rest = of(
      pare::tensor<float, 2>::copy_of(subview(x.view(), pare::range{30, 100}, pare::all)).value());
  REQUIRE(pare::accumulate(none.view(), h) == status::ok);
  REQUIRE(pare::merge(rest, h) == status::ok);
  REQUIRE(pare::merge(pare::hessian::create(40).value(), h) == status::ok);
  CHECK(h.rows == 100);
  CHECK(pare_test::near(h.gram, whole.gram, 1e-3));
  CHECK(pare_test::near(h.sums, whole.sums, 1e-9));
  CHECK(pare_test::near(h.magnitudes, whole.magnitudes, 1e-9));
  CHECK(pare_test::equal(h.largest, whole.largest));
}

TEST_CASE("centered sums are those of inputs without their mean") {
  auto x = inputs_of(200, 20, 4);
  for (index_t r = 0; r < 200; ++r) x(r, 3) = 0.7f;
  const auto h = pare::centered(of(x)).value();
  CHECK(h.gram(3, 3) == 0.0f);
  CHECK(h.sums(5) == 0.0);
  for (index_t i = 0; i < 20; ++i) {
    double mean = 0;
    for (index_t r = 0; r < 200; ++r) mean += x(r, i) / 200.0;
    for (index_t r = 0; r < 200; ++r) x(r, i) = static_cast<float>(x(r, i) - mean);
  }
  CHECK(pare_test::near(h.gram, of(x).gram, 2e-3));
}

TEST_CASE("output_error is the mean squared difference of the outputs") {
  const auto x = inputs_of(50, 33, 5), w = pare_test::random_normal<float>({70, 33}, 6);
  const auto changed = pare_test::random_normal<float>({70, 33}, 7);
  double expected = 0;
  for (index_t r = 0; r < 50; ++r) {
    for (index_t o = 0; o < 70; ++o) {
      double difference = 0;
      for (index_t i = 0; i < 33; ++i) {
        difference += static_cast<double>(x(r, i)) * (changed(o, i) - w(o, i));
      }
      expected += difference * difference / (50.0 * 70.0);
    }
  }
  const auto h = of(x);
  CHECK(pare::output_error(w.view(), changed.view(), h).value() == doctest::Approx(expected));
  CHECK(pare::output_error(w.view(), w.view(), h).value() == 0.0);
}

TEST_CASE("progress rises to one") {
  const auto x = inputs_of(600, 8, 8);
  auto h = pare::hessian::create(8).value();
  std::vector<double> done;
  REQUIRE(pare::accumulate(x.view(), h, pare::serial(), [&](double d) { done.push_back(d); }) ==
          status::ok);
  REQUIRE(done.size() == 3);
  CHECK(done[0] < done[1]);
  CHECK(done.back() == 1.0);
}

TEST_CASE("what Hessians refuse leaves them as they were") {
  auto x = inputs_of(20, 6, 9);
  auto h = of(x);
  const auto before = h;
  CHECK(pare::hessian::create(0) == status::out_of_range);
  CHECK(pare::accumulate(inputs_of(20, 7, 9).view(), h) == status::shape_mismatch);
  CHECK(pare::merge(pare::hessian::create(5).value(), h) == status::shape_mismatch);
  x(3, 2) = std::numeric_limits<float>::quiet_NaN();
  const auto bad = pare::accumulate(x.view(), h);
  CHECK(bad == status::non_finite);
  CHECK(bad.error().position == 20);
  x(3, 2) = 1e19f;
  CHECK(pare::accumulate(x.view(), h) == status::overflow);
  auto other = h;
  other.gram(2, 2) = std::numeric_limits<float>::max();
  auto full = other;
  CHECK(pare::merge(other, full) == status::overflow);
  other.gram(2, 2) = std::numeric_limits<float>::infinity();
  CHECK(pare::merge(other, h) == status::non_finite);
  check_same(h, before);

  const auto none = pare::hessian::create(6).value();
  CHECK(pare::centered(none) == status::empty);
  const pare::tensor<float, 2> w({2, 6}), v({2, 5});
  CHECK(pare::output_error(w.view(), w.view(), none) == status::empty);
  CHECK(pare::output_error(v.view(), v.view(), h) == status::shape_mismatch);
  CHECK(pare::output_error(w.view(), v.view(), h) == status::shape_mismatch);
}
