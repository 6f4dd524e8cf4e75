// Searched ranges: better than those of all values, with the patience and the norm that were asked.
#include <pare/quantize/mse_range.hpp>

#include <limits>

#include "support/check.hpp"
#include "support/random.hpp"

using pare::index_t;
using pare::status;

namespace {

double error_of(const float* x, index_t count, pare::value_range range, const pare::affine& options,
                double norm) {
  const auto p = pare::choose_params<std::int8_t>(range, options).value();
  const int half = 1 << (options.bits - 1);
  double error = 0;
  for (index_t i = 0; i < count; ++i) {
    const float steps = std::nearbyint(x[i] * (1.0f / p.scale));
    const float code =
        std::min(std::max(steps + static_cast<float>(p.zero_point), static_cast<float>(-half)),
                 static_cast<float>(half - 1));
    const float back = (code - static_cast<float>(p.zero_point)) * p.scale;
    error += std::pow(std::abs(double{back} - double{x[i]}), norm);
  }
  return error;
}

}  // namespace

TEST_CASE("the range is the best of those tried, for each channel") {
  const auto w = pare_test::random_normal<float>({6, 200}, 1);
  for (const auto scheme : {pare::symmetry::symmetric, pare::symmetry::asymmetric}) {
    for (const double norm : {2.0, 2.4}) {
      pare::affine options;
      options.bits = 4;
      options.axis = 0;
      options.scheme = scheme;
      pare::mse_search search;
      search.patience = 100;
      search.shrink = 0.8f;
      search.norm = static_cast<float>(norm);
      float mins[6], maxs[6], lows[6], highs[6];
      REQUIRE(pare::mse_ranges(w.view(), options, pare::view(mins), pare::view(maxs), search) ==
              status::ok);
      REQUIRE(pare::min_max(w.view(), 0, pare::view(lows), pare::view(highs)) == status::ok);
      bool narrower = false;
      for (index_t c = 0; c < 6; ++c) {
        const float* x = w.data() + 200 * c;
        const double chosen = error_of(x, 200, {mins[c], maxs[c]}, options, norm);
        for (int i = 0; i < 80; ++i) {
          const float part = 1.0f - static_cast<float>(i) / 100.0f;
          CHECK(chosen <=
                1.000001 * error_of(x, 200, {lows[c] * part, highs[c] * part}, options, norm));
        }
        narrower = narrower || maxs[c] < highs[c];
      }
      CHECK(narrower);
    }
  }
}

TEST_CASE("patience ends a search, and a tensor has one range") {
  const auto w = pare_test::random_normal<float>({300}, 2);
  pare::affine options;
  options.bits = 3;
  pare::mse_search long_search, short_search;
  long_search.patience = 100;
  long_search.shrink = 1.0f;
  short_search.shrink = 0.0f;
  const auto whole = pare::mse_range(w.view(), options, short_search).value();
  const auto all = pare::min_max(w.view()).value();
  CHECK(whole.min == all.min);
  CHECK(whole.max == all.max);
  const auto best = pare::mse_range(w.view(), options, long_search).value();
  CHECK(best.max < all.max);
  CHECK(error_of(w.data(), 300, best, options, 2.4) < error_of(w.data(), 300, all, options, 2.4));
  const auto columns = pare_test::strided_copy(w, 0, 3);
  CHECK(pare::mse_range(columns.view(), options, long_search)->max == best.max);
}

TEST_CASE("what a search refuses") {
  pare::tensor<float, 2> w({2, 3});
  float mins[] = {7, 7}, maxs[] = {7, 7};
  pare::affine options;
  options.axis = 0;
  const auto call = [&](pare::mse_search search) {
    return pare::mse_ranges(w.view(), options, pare::view(mins), pare::view(maxs), search);
  };
  pare::mse_search search;
  search.steps = 0;
  CHECK(call(search) == status::out_of_range);
  search = {};
  search.shrink = 1.5f;
  CHECK(call(search) == status::out_of_range);
  search = {};
  search.norm = 0;
  CHECK(call(search) == status::out_of_range);
  options.axis = 1;
  CHECK(call({}) == status::shape_mismatch);
  options.axis = 2;
  CHECK(call({}) == status::out_of_range);
  options.axis = 0;
  w(1, 1) = std::numeric_limits<float>::quiet_NaN();
  CHECK(call({}) == status::non_finite);
  CHECK(pare::mse_range(pare::view(w.data(), 0)) == status::empty);
  CHECK_EQUAL_RANGES(mins, {7, 7});
}
