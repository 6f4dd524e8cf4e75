// Codebooks: optimal where they say so, no worse than what they start from, and with gradients.
#include <pare/quantize/codebook.hpp>

#include <algorithm>
#include <limits>

#include <pare/core/std_threads.hpp>

#include "support/check.hpp"
#include "support/random.hpp"
#include "support/vectors.hpp"

using pare::codebook;
using pare::codebook_search;
using pare::index_t;
using pare::status;

namespace {

codebook options_of(codebook_search search, index_t levels) {
  codebook options;
  options.search = search;
  options.levels = levels;
  return options;
}

/// The least squared error of `clusters` runs of sorted values, by trying all.
double best_error(const std::vector<float>& x, const std::vector<float>& w, std::size_t first,
                  int clusters) {
  if (first == x.size()) return 0;
  if (clusters == 0) return 1e300;
  double best = 1e300, mass = 0, sum = 0, square = 0;
  for (std::size_t last = first; last < x.size(); ++last) {
    mass += double{w[last]};
    sum += double{w[last]} * x[last];
    square += double{w[last]} * x[last] * x[last];
    const double error = mass > 0 ? std::max(0.0, square - sum * sum / mass) : 0.0;
    best = std::min(best, error + best_error(x, w, last + 1, clusters - 1));
  }
  return best;
}

double squared_error(const pare::tensor<float, 1>& x, const pare::tensor<float, 1>& w,
                     const pare::codebook_tensor<1>& q) {
  double error = 0;
  for (index_t i = 0; i < x.size(); ++i) {
    const double rest = double{x(i)} - double{q.levels(0, index_t{q.codes(i)})};
    error += double{w(i)} * rest * rest;
  }
  return error;
}

}  // namespace

TEST_CASE("the exact search finds the least squared error, with and without weights") {
  for (std::uint32_t seed = 1; seed < 6; ++seed) {
    auto x = pare_test::random_normal<float>({13}, seed);
    auto w = pare_test::random_uniform<float>({13}, seed + 100);
    w(3) = 0;
    if (seed == 5) std::fill(w.begin(), w.end(), 1.0f);
    std::sort(x.begin(), x.end());
    const std::vector<float> values(x.begin(), x.end()), weights(w.begin(), w.end());
    for (int levels = 1; levels <= 5; ++levels) {
      CAPTURE(seed);
      CAPTURE(levels);
      const auto options = options_of(codebook_search::exact, levels);
      const auto q = pare::quantize_codebook(x.view(), w.view(), options).value();
      CHECK(squared_error(x, w, q) == doctest::Approx(best_error(values, weights, 0, levels)));
      if (seed == 5) {
        const auto same = pare::quantize_codebook(x.view(), options).value();
        CHECK(pare_test::equal_bits(same.levels, q.levels));
      }
    }
  }
}

TEST_CASE("Lloyd ends where scikit-learn ends") {
  const auto vectors = pare_test::load("quantize/kmeans.npz");
  const auto x = vectors.get<float, 1>("x");
  const auto expected = vectors.get<float, 2>("centers");
  for (int i = 0; i < 2; ++i) {
    CAPTURE(i);
    auto options = options_of(i == 0 ? codebook_search::linear : codebook_search::density, 16);
    options.iterations = 1000;
    const auto q = pare::quantize_codebook(x.view(), options).value();
    CHECK(pare_test::near(pare::view(q.levels.data(), 16), pare::view(expected.data() + 16 * i, 16),
                          1e-6, 1e-5));
  }
}

TEST_CASE("every start ends in a fixed point, and none beats the exact search") {
  const auto x = pare_test::random_normal<float>({2000}, 7);
  pare::error_meter exact;
  const auto best =
      pare::quantize_codebook(x.view(), options_of(codebook_search::exact, 8), &exact);
  REQUIRE(best);
  for (const auto search :
       {codebook_search::linear, codebook_search::density, codebook_search::random}) {
    CAPTURE(static_cast<int>(search));
    pare::error_meter errors;
    const auto q = pare::quantize_codebook(x.view(), options_of(search, 8), &errors).value();
    CHECK(errors.rms_error() >= exact.rms_error() * 0.999999);
    CHECK(errors.rms_error() < exact.rms_error() * 1.1);
    double sums[8] = {};
    int counts[8] = {};
    for (index_t i = 0; i < x.size(); ++i) {
      sums[q.codes(i)] += double{x(i)};
      ++counts[q.codes(i)];
      for (index_t c = 0; c < 8; ++c) {
        CHECK(std::abs(x(i) - q.levels(0, q.codes(i))) <=
              std::abs(x(i) - q.levels(0, c)) * 1.000001f);
      }
    }
    for (int c = 0; c < 8; ++c) {
      CHECK(double{q.levels(0, c)} == doctest::Approx(sums[c] / counts[c]).epsilon(1e-5));
    }
  }
}

TEST_CASE("weights pull the centroids") {
  const float x[] = {0, 1, 10};
  const float heavy[] = {1, 3, 1};
  const auto q = pare::quantize_codebook(pare::view(x), pare::view(heavy),
                                         options_of(codebook_search::exact, 2))
                     .value();
  CHECK_EQUAL_RANGES(pare::view(q.levels.data(), 2), {0.75f, 10.0f});
  const float nothing[] = {0, 0, 0};
  const auto plain = pare::quantize_codebook(pare::view(x), pare::view(nothing),
                                             options_of(codebook_search::exact, 2))
                         .value();
  CHECK_EQUAL_RANGES(pare::view(plain.levels.data(), 2), {0.5f, 10.0f});
}

TEST_CASE("a codebook larger than the data holds the data") {
  const float x[] = {3, -1, 3, 2, -1};
  for (const auto search : {codebook_search::linear, codebook_search::density,
                            codebook_search::random, codebook_search::exact}) {
    pare::error_meter errors;
    const auto q = pare::quantize_codebook(pare::view(x), options_of(search, 5), &errors).value();
    CHECK_EQUAL_RANGES(pare::view(q.levels.data(), 5), {-1, 2, 3, 3, 3});
    CHECK_EQUAL_RANGES(q.codes, {2, 0, 2, 1, 0});
    CHECK(errors.max_error() == 0.0);
  }
}

TEST_CASE("a codebook for each channel, in any layout and along any axis") {
  const auto w = pare_test::random_normal<float>({3, 5, 40}, 2);
  for (const index_t levels : {index_t{4}, index_t{16}, index_t{30}}) {
    for (int axis = -1; axis < 3; ++axis) {
      CAPTURE(axis);
      auto options = options_of(codebook_search::density, levels);
      options.axis = axis;
      pare::error_meter errors, same_errors, expected;
      const auto q = pare::quantize_codebook(w.view(), options, &errors).value();
      const auto same =
          pare::quantize_codebook(pare_test::column_major_copy(w).view(), options, &same_errors)
              .value();
      CHECK(pare_test::near(q.levels, same.levels, 1e-6));
      pare::tensor<float, 3> back({3, 5, 40});
      REQUIRE(pare::dequantize(q.view(), back.view()) == status::ok);
      for (index_t i = 0; i < w.size(); ++i) {
        const index_t at[] = {i / 200, i / 40 % 5, i % 40};
        const index_t c = axis < 0 ? 0 : at[axis];
        CHECK(back.data()[i] == q.levels(c, index_t{q.codes.data()[i]}));
        for (index_t l = 0; l < levels; ++l) {
          CHECK(std::abs(w.data()[i] - back.data()[i]) <=
                std::abs(w.data()[i] - q.levels(c, l)) * 1.00001f + 1e-6f);
        }
        expected.add(w.data()[i], back.data()[i]);
      }
      CHECK(errors.rms_error() == doctest::Approx(expected.rms_error()));
      CHECK(same_errors.rms_error() == doctest::Approx(expected.rms_error()));
    }
  }
}

TEST_CASE("gradients of centroids are sums over their weights") {
  const float w[2][3] = {{0, 1, 1}, {5, 9, 5}};
  const float g[2][3] = {{1, 2, 4}, {8, 16, 32}};
  auto options = options_of(codebook_search::exact, 2);
  options.axis = 0;
  const auto q = pare::quantize_codebook(pare::view(w), options).value();
  pare::tensor<float, 2> sums({2, 2});
  REQUIRE(pare::centroid_gradients(q.view(), pare::view(g), sums.view()) == status::ok);
  CHECK_EQUAL_RANGES(pare::view(sums.data(), 4), {1, 6, 40, 16});
}

TEST_CASE("what codebooks refuse") {
  pare::tensor<float, 2> w({2, 3}), other({3, 2});
  w(0, 0) = 1;
  CHECK(pare::quantize_codebook(w.view(), options_of(codebook_search::linear, 0)) ==
        status::out_of_range);
  CHECK(pare::quantize_codebook(w.view(), options_of(codebook_search::linear, 257)) ==
        status::out_of_range);
  CHECK(pare::quantize_codebook(w.view(), options_of(static_cast<codebook_search>(9), 4)) ==
        status::invalid_argument);
  codebook options;
  options.axis = 2;
  CHECK(pare::quantize_codebook(w.view(), options) == status::out_of_range);
  options = {};
  options.iterations = -1;
  CHECK(pare::quantize_codebook(w.view(), options) == status::out_of_range);
  CHECK(pare::quantize_codebook(pare::view(w.data(), 0, 3)) == status::empty);
  CHECK(pare::quantize_codebook(w.view(), other.view()) == status::shape_mismatch);
  other = pare::tensor<float, 2>({2, 3});
  other(0, 1) = -1;
  CHECK(pare::quantize_codebook(w.view(), other.view()) == status::out_of_range);
  auto q = pare::quantize_codebook(w.view()).value();
  pare::tensor<float, 2> back({2, 3}), sums({1, 16});
  CHECK(pare::dequantize(q.view(), pare::view(back.data(), 3, 2)) == status::shape_mismatch);
  q.codes(1, 1) = 16;
  const auto bad = pare::dequantize(q.view(), back.view());
  CHECK(bad == status::out_of_range);
  CHECK(bad.error().position == 4);
  CHECK(pare::centroid_gradients(q.view(), w.view(), sums.view()) == status::out_of_range);
  q.axis = 0;
  CHECK(pare::dequantize(q.view(), back.view()) == status::shape_mismatch);
  w(0, 2) = std::numeric_limits<float>::infinity();
  CHECK(pare::quantize_codebook(w.view()) == status::non_finite);
}

TEST_CASE("threads and strides change no code and no level") {
  const auto w = pare_test::random_normal<float>({7, 9, 11}, 12);
  const auto importance = pare_test::random_uniform<float>({7, 9, 11}, 13, 0.0, 2.0);
  const auto apart = pare_test::strided_copy(w, 3, 2);
  for (const int axis : {pare::per_tensor, 0, 1, 2}) {
    CAPTURE(axis);
    pare::codebook options;
    options.levels = 5;
    options.axis = axis;
    pare::error_meter errors;
    const auto one = pare::quantize_codebook(w.view(), options, &errors).value();
    const auto many =
        pare::quantize_codebook(apart.view(), options, nullptr, pare::std_threads()).value();
    CHECK(pare_test::equal(many.codes, one.codes));
    CHECK(pare_test::equal_bits(many.levels, one.levels));
    const auto weighted =
        pare::quantize_codebook(w.view(), importance.view(), options, &errors).value();
    const auto weighted_many =
        pare::quantize_codebook(w.view(), importance.view(), options, nullptr, pare::std_threads())
            .value();
    CHECK(pare_test::equal(weighted_many.codes, weighted.codes));
    CHECK(pare_test::equal_bits(weighted_many.levels, weighted.levels));
  }
}
