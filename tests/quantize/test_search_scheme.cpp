// Scales that are searched for, and scales that are exact in half.
#include <pare/quantize/gptq.hpp>
#include <pare/quantize/search_scheme.hpp>

#include "quantize/calibration.hpp"

using calibration::affine_of;
using calibration::inputs_of;
using calibration::of;
using pare::index_t;
using pare::status;

TEST_CASE("searched scales leave less error, and half scales are exact") {
  const auto w = pare_test::random_normal<float>({8, 64}, 5);
  const auto h = of(inputs_of(200, 64));
  const auto plain = affine_of(3);
  const pare::search_scheme<pare::affine_scheme> searched{plain};
  const auto error = [&](const auto& scheme, const float* importance) {
    double sum = 0;
    for (index_t r = 0; r < 8; ++r) {
      const pare::group_view row{w.data() + r * 64, 64, 1};
      const auto grid = pare::detail::fit_grid(scheme, row, importance);
      sum += pare::detail::rounding_error(row, importance, grid, 1e30);
    }
    return sum;
  };
  const auto importance = pare::detail::importance_of(h).value();
  CHECK(error(searched, nullptr) < 0.9 * error(plain, nullptr));
  CHECK(error(searched, importance.data()) < 0.9 * error(plain, importance.data()));
  const pare::half_scheme<pare::search_scheme<pare::affine_scheme>> halves{searched};
  pare::gptq_options options;
  options.group = 32;
  const auto q = pare::gptq(w.view(), h, halves, options).value();
  const auto grouped = pare::to_grouped(q).value();
  CHECK(static_cast<float>(grouped.scales(3, 1)) == q.grids(3, 1).params.scale);
  CHECK(pare_test::equal(grouped.codes, q.codes));
  CHECK(pare::to_affine(q) == status::unsupported);
  CHECK(pare::to_grouped(pare::gptq(w.view(), h, plain, options).value()) == status::unsupported);
}

TEST_CASE("what a search refuses") {
  const auto w = pare_test::random_normal<float>({2, 8}, 1);
  pare::search_scheme<pare::affine_scheme> scheme{affine_of(4)};
  CHECK(pare::quantize_to_grid(w.view(), scheme) == status::ok);
  scheme.steps = 0;
  CHECK(pare::quantize_to_grid(w.view(), scheme) == status::out_of_range);
  scheme = {affine_of(4)};
  scheme.smallest = 0;
  CHECK(pare::quantize_to_grid(w.view(), scheme) == status::out_of_range);
  scheme = {affine_of(1)};
  CHECK(pare::quantize_to_grid(w.view(), pare::half_scheme<decltype(scheme)>{scheme}) ==
        status::out_of_range);
}
