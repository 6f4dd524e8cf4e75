// A codebook by the inputs of a layer: less error than GPTQ on the codebook of k-means alone.
#include <pare/quantize/calibrated_codebook.hpp>

#include <limits>

#include <pare/core/std_threads.hpp>

#include "quantize/calibration.hpp"

using calibration::inputs_of;
using calibration::of;
using pare::index_t;
using pare::status;

namespace {

pare::calibrated_codebook_options with_levels(index_t levels) {
  pare::calibrated_codebook_options options;
  options.start.levels = levels;
  return options;
}

/// What is left of the outputs' covariance.
double error_of(const pare::tensor<float, 2>& w, const pare::codebook_tensor<2>& q,
                const pare::hessian& h) {
  pare::tensor<float, 2> back(w.extents());
  REQUIRE(pare::dequantize(q.view(), back.view()) == status::ok);
  return pare::output_error(w.view(), back.view(), pare::centered(h).value()).value();
}

}  // namespace

TEST_CASE("codes and values found together leave less error than one after the other") {
  const auto x = inputs_of(150, 48), w = pare_test::random_normal<float>({16, 48}, 2);
  const auto h = of(x);
  for (const index_t levels : {4, 8, 16}) {
    CAPTURE(levels);
    auto options = with_levels(levels);
    options.rounds = 0;
    const auto start = pare::quantize_calibrated_codebook(w.view(), {}, h, options).value();
    options.rounds = 1;
    const auto once = pare::quantize_calibrated_codebook(w.view(), {}, h, options).value();
    options.rounds = 8;
    const auto layer = pare::quantize_calibrated_codebook(w.view(), {}, h, options).value();
    CHECK(error_of(w, once.weights, h) < 0.95 * error_of(w, start.weights, h));
    CHECK(error_of(w, layer.weights, h) <= error_of(w, once.weights, h));
    CHECK(layer.weights.levels.extent(0) == 1);
    for (index_t c = 1; c < levels; ++c) {
      CHECK(layer.weights.levels(0, c - 1) <= layer.weights.levels(0, c));
    }
  }
}

TEST_CASE("the values are the least squares of the outputs: none of them can move") {
  const auto x = inputs_of(100, 24), w = pare_test::random_normal<float>({9, 24}, 5);
  const auto h = of(x);
  auto layer = pare::quantize_calibrated_codebook(w.view(), {}, h, with_levels(4)).value();
  const double least = error_of(w, layer.weights, h);
  for (index_t c = 0; c < 4; ++c) {
    const float kept = layer.weights.levels(0, c);
    for (const float change : {-0.02f, 0.02f}) {
      layer.weights.levels(0, c) = kept + change;
      CHECK(error_of(w, layer.weights, h) > least);
    }
    layer.weights.levels(0, c) = kept;
  }
}

TEST_CASE("the bias takes the mean of what is lost, and threads change no bit") {
  const auto x = inputs_of(80, 20), w = pare_test::random_normal<float>({70, 20}, 6);
  const auto bias = pare_test::random_normal<float>({70}, 7);
  const auto h = of(x);
  const auto layer =
      pare::quantize_calibrated_codebook(w.view(), bias.view(), h, with_levels(4)).value();
  const auto threads = pare::quantize_calibrated_codebook(w.view(), bias.view(), h, with_levels(4),
                                                          pare::std_threads())
                           .value();
  CHECK(pare_test::equal(layer.weights.codes, threads.weights.codes));
  CHECK(pare_test::equal_bits(layer.weights.levels, threads.weights.levels));
  CHECK(pare_test::equal_bits(layer.bias, threads.bias));
  for (index_t o = 0; o < 70; ++o) {
    double mean = 0;
    for (index_t i = 0; i < 20; ++i) {
      const float value = layer.weights.levels(0, layer.weights.codes(o, i));
      mean += (static_cast<double>(value) - w(o, i)) * h.sums(i) / static_cast<double>(h.rows);
    }
    CHECK(std::abs(mean + layer.bias(o) - bias(o)) < 1e-4);
  }
}

TEST_CASE("more levels than weights, strided weights, and what is refused") {
  const auto x = inputs_of(30, 6);
  const auto h = of(x);
  const auto w = pare_test::random_normal<float>({1, 6}, 8);
  const auto exact = pare::quantize_calibrated_codebook(w.view(), {}, h, with_levels(16)).value();
  CHECK(error_of(w, exact.weights, h) < 1e-9);
  const auto wide = pare_test::random_normal<float>({4, 6}, 9);
  const auto apart = pare_test::strided_copy(wide, 3, 2);
  CHECK(pare_test::equal(
      pare::quantize_calibrated_codebook(apart.view(), {}, h, with_levels(3))->weights.codes,
      pare::quantize_calibrated_codebook(wide.view(), {}, h, with_levels(3))->weights.codes));

  pare::tensor<float, 1> two({2});
  CHECK(pare::quantize_calibrated_codebook(w.view(), two.view(), h) == status::shape_mismatch);
  CHECK(pare::quantize_calibrated_codebook(w.view(), {}, h, with_levels(0)) ==
        status::out_of_range);
  auto options = with_levels(2);
  options.rounds = -1;
  CHECK(pare::quantize_calibrated_codebook(w.view(), {}, h, options) == status::out_of_range);
  auto bad = pare_test::random_normal<float>({1, 6}, 8);
  bad(0, 2) = std::numeric_limits<float>::quiet_NaN();
  CHECK(pare::quantize_calibrated_codebook(bad.view(), {}, h) == status::non_finite);
}
