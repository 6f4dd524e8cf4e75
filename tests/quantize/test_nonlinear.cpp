// Levels on curves: where they lie, that fits find what made them, and that errors are least.
#include <pare/quantize/nonlinear.hpp>

#include <limits>

#include "support/check.hpp"
#include "support/random.hpp"

using pare::index_t;
using pare::level_curve;
using pare::nonlinear;
using pare::status;
using pare::zero_level;

namespace {

constexpr level_curve curves[] = {level_curve::linear, level_curve::sigmoid, level_curve::mu_law,
                                  level_curve::logarithmic, level_curve::power_of_two};

/// Weights as trained layers have them: many small, few large (Laplace).
pare::tensor<float, 2> heavy_tails(std::uint32_t seed) {
  pare_test::random_source random(seed);
  pare::tensor<float, 2> w({20, 50});
  for (float& x : w) {
    const double u = random.uniform() - 0.5;
    x = static_cast<float>((u < 0 ? 0.1 : -0.1) * std::log(1.0 - 2 * std::abs(u)));
  }
  return w;
}

double sqnr(const pare::tensor<float, 2>& w, level_curve curve, int bits, zero_level zero) {
  nonlinear options;
  options.curve = curve;
  options.bits = bits;
  options.zero = zero;
  pare::error_meter errors;
  REQUIRE(pare::quantize_nonlinear(w.view(), options, &errors));
  return errors.sqnr();
}

}  // namespace

TEST_CASE("levels by hand") {
  float levels[7], four[4];
  REQUIRE(pare::curve_levels(level_curve::linear, 3, zero_level::mid_tread, {3.0f, 1.0f},
                             pare::view(levels)) == status::ok);
  CHECK_EQUAL_RANGES(levels, {-3, -2, -1, 0, 1, 2, 3});
  REQUIRE(pare::curve_levels(level_curve::power_of_two, 3, zero_level::mid_tread, {4.0f, 1.0f},
                             pare::view(levels)) == status::ok);
  CHECK_EQUAL_RANGES(levels, {-4, -2, -1, 0, 1, 2, 4});
  REQUIRE(pare::curve_levels(level_curve::logarithmic, 2, zero_level::mid_rise, {9.0f, 0.25f},
                             pare::view(four)) == status::ok);
  CHECK_EQUAL_RANGES(four, {-9.0f, -2.25f, 2.25f, 9.0f});
  REQUIRE(pare::curve_levels(level_curve::linear, 2, zero_level::mid_rise, {3.0f, 1.0f},
                             pare::view(four)) == status::ok);
  CHECK_EQUAL_RANGES(four, {-3, -1, 1, 3});
  // ((1 + 255)^(1/3) - 1) / 255 = 0.0209788
  REQUIRE(pare::curve_levels(level_curve::mu_law, 3, zero_level::mid_tread, {1.0f, 255.0f},
                             pare::view(levels)) == status::ok);
  const float expected[] = {-1, -0.1541862f, -0.0209788f, 0, 0.0209788f, 0.1541862f, 1};
  CHECK(pare_test::near(levels, expected, 1e-6));
  // atanh(tanh(2) / 3) / 2 = 0.1666984...
  REQUIRE(pare::curve_levels(level_curve::sigmoid, 3, zero_level::mid_tread, {1.0f, 2.0f},
                             pare::view(levels)) == status::ok);
  CHECK(double{levels[4]} == doctest::Approx(std::atanh(std::tanh(2.0) / 3) / 2));
  // Equal steps of the sigmoid of twice the shape.
  const auto sigmoid = [](float x) { return 1 / (1 + std::exp(-4.0 * double{x})); };
  for (int i = 2; i < 7; ++i) {
    CHECK(sigmoid(levels[i]) - sigmoid(levels[i - 1]) ==
          doctest::Approx(sigmoid(levels[1]) - sigmoid(levels[0])).epsilon(1e-5));
  }
}

TEST_CASE("levels rise strictly for every curve, width and shape that a fit may choose") {
  std::vector<float> levels(256);
  for (const auto curve : curves) {
    for (int bits = 2; bits <= 8; ++bits) {
      for (const auto zero : {zero_level::mid_tread, zero_level::mid_rise}) {
        if (curve == level_curve::power_of_two && bits == 8) continue;  // below the least float
        const auto shapes = pare::detail::shapes_of(curve);
        for (const double shape : {shapes.low, shapes.high}) {
          if (curve == level_curve::logarithmic && shape < 0.5 && bits > 6) continue;
          const index_t count = pare::level_count(bits, zero);
          REQUIRE(pare::curve_levels(curve, bits, zero, {2.0f, static_cast<float>(shape)},
                                     pare::view(levels.data(), count)) == status::ok);
          for (index_t i = 1; i < count; ++i) {
            CAPTURE(static_cast<int>(curve));
            CAPTURE(i);
            CHECK(levels[static_cast<std::size_t>(i - 1)] < levels[static_cast<std::size_t>(i)]);
          }
          CHECK(levels[static_cast<std::size_t>(count - 1)] == doctest::Approx(2.0));
        }
      }
    }
  }
}

TEST_CASE("a fit finds the levels that the weights lie on") {
  for (const auto curve : curves) {
    CAPTURE(static_cast<int>(curve));
    const float shape = curve == level_curve::mu_law        ? 40.0f
                        : curve == level_curve::logarithmic ? 0.6f
                                                            : 2.0f;
    pare::tensor<float, 1> w({15});
    REQUIRE(pare::curve_levels(curve, 4, zero_level::mid_tread, {0.5f, shape}, w.view()));
    nonlinear options;
    options.curve = curve;
    pare::error_meter errors;
    const auto q = pare::quantize_nonlinear(w.view(), options, &errors).value();
    CHECK(errors.sqnr() > 45);
    CHECK(double{q.params(0).range} == doctest::Approx(0.5).epsilon(0.01));
    for (index_t i = 0; i < 15; ++i) CHECK(q.codebook.codes(i) == i);
  }
}

TEST_CASE("no neighbour of the fitted range and shape is better by more than a hair") {
  auto w = heavy_tails(3);
  for (const auto curve :
       {level_curve::linear, level_curve::sigmoid, level_curve::mu_law, level_curve::logarithmic}) {
    nonlinear options;
    options.curve = curve;
    const auto q = pare::quantize_nonlinear(w.view(), options).value();
    auto values = w;
    const auto sorted = pare::detail::sorted_values::create(values.data(), nullptr, w.size());
    const auto error_of = [&](double range, double shape) {
      double levels[256];
      const index_t count =
          pare::detail::fill_levels(curve, 4, zero_level::mid_tread, range, shape, levels);
      return sorted->squared_error(levels, count);
    };
    const double range = double{q.params(0).range}, shape = double{q.params(0).shape};
    const double least = error_of(range, shape);
    for (double r = 0.85; r < 1.15; r += 0.05) {
      for (double s = 0.85; s < 1.15; s += 0.05) {
        CHECK(error_of(range * r, std::min(shape * s, 5000.0)) > least * 0.99);
      }
    }
  }
}

TEST_CASE(
    "curves lose less than equal steps on weights with heavy tails, and more bits lose less") {
  const auto w = heavy_tails(1);
  for (const auto zero : {zero_level::mid_tread, zero_level::mid_rise}) {
    for (int bits = 3; bits <= 8; ++bits) {
      CAPTURE(bits);
      const double linear = sqnr(w, level_curve::linear, bits, zero);
      CHECK(sqnr(w, level_curve::mu_law, bits, zero) > linear + 0.3);
      CHECK(sqnr(w, level_curve::sigmoid, bits, zero) > linear + 0.1);
      if (bits < 8) CHECK(sqnr(w, level_curve::mu_law, bits + 1, zero) > linear + 4);
    }
  }
}

TEST_CASE("channels have their own parameters; zeros and any layout") {
  auto w = heavy_tails(2);
  for (index_t i = 0; i < 50; ++i) {
    w(3, i) = 0;
    w(4, i) *= 100;
  }
  nonlinear options;
  options.axis = 0;
  const auto q = pare::quantize_nonlinear(w.view(), options).value();
  const auto same =
      pare::quantize_nonlinear(pare_test::column_major_copy(w).view(), options).value();
  CHECK(pare_test::equal(q.codebook.codes, same.codebook.codes));
  CHECK(q.params.size() == 20);
  CHECK(q.params(3).range == 1.0f);
  CHECK(q.params(4).range > 10 * q.params(5).range);
  pare::tensor<float, 2> back({20, 50});
  REQUIRE(pare::dequantize(q.codebook.view(), back.view()) == status::ok);
  CHECK(back(3, 7) == 0.0f);
}

TEST_CASE("what curves refuse") {
  pare::tensor<float, 2> w({2, 3});
  w(0, 0) = 1;
  nonlinear options;
  options.bits = 1;
  CHECK(pare::quantize_nonlinear(w.view(), options) == status::out_of_range);
  options = {};
  options.axis = 2;
  CHECK(pare::quantize_nonlinear(w.view(), options) == status::out_of_range);
  options = {};
  options.curve = static_cast<level_curve>(9);
  CHECK(pare::quantize_nonlinear(w.view(), options) == status::invalid_argument);
  options = {};
  options.zero = static_cast<zero_level>(9);
  CHECK(pare::quantize_nonlinear(w.view(), options) == status::invalid_argument);
  CHECK(pare::quantize_nonlinear(pare::view(w.data(), 0, 3)) == status::empty);
  float levels[15] = {};
  const auto levels_of = [&](level_curve curve, pare::curve_params p) {
    return pare::curve_levels(curve, 4, zero_level::mid_tread, p, pare::view(levels));
  };
  CHECK(levels_of(level_curve::mu_law, {0.0f, 1.0f}) == status::out_of_range);
  CHECK(levels_of(level_curve::mu_law, {1.0f, -1.0f}) == status::out_of_range);
  CHECK(levels_of(level_curve::logarithmic, {1.0f, 1.0f}) == status::out_of_range);
  CHECK(pare::curve_levels(level_curve::mu_law, 4, zero_level::mid_rise, {1.0f, 1.0f},
                           pare::view(levels)) == status::shape_mismatch);
  w(1, 2) = std::numeric_limits<float>::quiet_NaN();
  CHECK(pare::quantize_nonlinear(w.view()) == status::non_finite);
}
