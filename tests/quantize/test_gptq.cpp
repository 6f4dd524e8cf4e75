// GPTQ against a plain implementation in double (vectors: tools/make_calibrate_vectors.py), and the
// error it leaves.
#include <pare/core/std_threads.hpp>
#include <pare/quantize/gptq.hpp>
#include <pare/quantize/search_scheme.hpp>

#include <limits>
#include <string>
#include <vector>

#include "quantize/calibration.hpp"
#include "support/vectors.hpp"

using calibration::affine_of;
using calibration::error_of;
using calibration::inputs_of;
using calibration::nearest_error;
using calibration::of;
using pare::index_t;
using pare::status;

namespace {

float scale_of(const pare::affine_grid& grid) { return grid.params.scale; }
float scale_of(const pare::level_grid& grid) { return grid.scale; }

}  // namespace

TEST_CASE("gptq gives the codes of the plain implementation") {
  const auto v = pare_test::load("quantize/gptq.npz");
  const auto w = v.get<float, 2>("w");
  const auto bytes = v.get<std::uint8_t, 2>("x");
  const auto h = of(pare::tensor<float, 2>::copy_of(bytes.view()).value());
  for (int i = 0; i < 7; ++i) {
    CAPTURE(i);
    const std::string n = std::to_string(i);
    const auto kind = v.get<std::int32_t, 1>("scheme" + n)(0);
    const auto options = v.get<std::int32_t, 1>("options" + n);
    const auto codes = v.get<std::int8_t, 2>("codes" + n);
    pare::gptq_options how;
    how.group = options(1);
    how.order = options(2) != 0 ? pare::input_order::activation : pare::input_order::given;
    const auto check = [&](const auto& scheme) {
      const auto q = pare::gptq(w.view(), h, scheme, how).value();
      // Sums in float may turn a tie, and what follows in that row.
      index_t differ = 0;
      for (index_t at = 0; at < codes.size(); ++at) {
        differ += q.codes.data()[at] != codes.data()[at];
      }
      CHECK(differ <= codes.size() / 300);
      if (options(1) == 1) return;
      const auto scales = v.get<float, 2>("scales" + n);
      for (index_t g = 0; g < scales.size(); ++g) {
        CHECK(scale_of(q.grids.data()[g]) == doctest::Approx(scales.data()[g]).epsilon(1e-3));
      }
    };
    if (kind == 2) {
      check(pare::nf4_scheme());
    } else {
      check(affine_of(options(0),
                      kind == 0 ? pare::symmetry::symmetric : pare::symmetry::asymmetric));
    }
  }
}

TEST_CASE("gptq leaves less output error than rounding to nearest") {
  const auto x = inputs_of(300, 96);
  const auto w = pare_test::random_normal<float>({24, 96}, 2);
  const auto h = of(x);
  for (const int bits : {2, 3, 4}) {
    CAPTURE(bits);
    const auto scheme = affine_of(bits);
    const double nearest = nearest_error(w, scheme, h);
    CHECK(error_of(w, pare::gptq(w.view(), h, scheme).value(), h) < 0.6 * nearest);
    pare::gptq_options ordered;
    ordered.order = pare::input_order::activation;
    ordered.group = 40;
    CHECK(error_of(w, pare::gptq(w.view(), h, scheme, ordered).value(), h) < 0.6 * nearest);
  }
  const float levels[] = {-2.5f, -1, -0.3f, 0.3f, 1, 2.5f};
  const pare::codebook_scheme codebook{levels, 6};
  CHECK(error_of(w, pare::gptq(w.view(), h, codebook).value(), h) <
        0.6 * nearest_error(w, codebook, h));
}

TEST_CASE("inputs that do not depend on each other are rounded to nearest") {
  auto h = pare::hessian::create(50).value();
  h.rows = 1;
  for (index_t i = 0; i < 50; ++i) h.gram(i, i) = i % 3 == 0 ? 0.0f : static_cast<float>(i);
  const auto w = pare_test::random_normal<float>({6, 50}, 3);
  for (const index_t group : {0, 7, 50, 99}) {
    pare::gptq_options options;
    options.group = group;
    const auto nearest = pare::quantize_to_grid(w.view(), affine_of(4), group).value();
    CHECK(pare_test::equal(pare::gptq(w.view(), h, affine_of(4), options).value().codes,
                           nearest.codes));
    options.order = pare::input_order::activation;
    CHECK(pare_test::equal(pare::gptq(w.view(), h, affine_of(4), options).value().codes,
                           nearest.codes));
  }
}

TEST_CASE("layouts and threads do not change a code of gptq, and progress ends at one") {
  const auto w = pare_test::random_normal<float>({70, 200}, 4);
  const auto h = of(inputs_of(250, 200));
  const auto scheme = affine_of(3);
  const auto expected = pare::gptq(w.view(), h, scheme).value();
  std::vector<double> done;
  const auto q = pare::gptq(w.view(), h, scheme, {}, pare::std_threads{3}, [&](double d) {
                   done.push_back(d);
                 }).value();
  CHECK(pare_test::equal(q.codes, expected.codes));
  REQUIRE(done.size() == 3);
  CHECK(done[0] < done[1]);
  CHECK(done[2] == 1.0);
  const auto left = pare_test::column_major_copy(w);
  CHECK(pare_test::equal(pare::gptq(left.view(), h, scheme).value().codes, expected.codes));
}

TEST_CASE("what gptq refuses") {
  auto w = pare_test::random_normal<float>({4, 30}, 6);
  const auto h = of(inputs_of(10, 30));  // of rank 10
  const auto scheme = affine_of(4);
  pare::gptq_options options;
  options.damping = 0;
  CHECK(pare::gptq(w.view(), h, scheme, options) == status::invalid_argument);
  options.damping = -1;
  CHECK(pare::gptq(w.view(), h, scheme, options) == status::out_of_range);
  options = {};
  options.group = -1;
  CHECK(pare::gptq(w.view(), h, scheme, options) == status::out_of_range);
  options = {};
  options.order = static_cast<pare::input_order>(7);
  CHECK(pare::gptq(w.view(), h, scheme, options) == status::invalid_argument);
  CHECK(pare::gptq(w.view(), h, affine_of(9)) == status::out_of_range);
  CHECK(pare::gptq(w.view(), h, pare::codebook_scheme{}) == status::out_of_range);
  const float falling[] = {1, 0};
  CHECK(pare::gptq(w.view(), h, pare::codebook_scheme{falling, 2}) == status::invalid_argument);
  CHECK(pare::gptq(w.view(), h, pare::search_scheme<pare::affine_scheme>{scheme, 0}) ==
        status::out_of_range);
  CHECK(pare::gptq(w.view(), pare::hessian::create(30).value(), scheme) == status::empty);
  CHECK(pare::gptq(w.view(), of(inputs_of(10, 31)), scheme) == status::shape_mismatch);
  CHECK(pare::gptq(pare::view(w.data(), 0, 30), h, scheme) == status::empty);
  for (float& x : w) x = x < 0 ? -3e38f : 3e38f;
  CHECK(pare::gptq(w.view(), h, affine_of(2)) == status::overflow);
  w(2, 1) = std::numeric_limits<float>::infinity();
  const auto bad = pare::gptq(w.view(), h, scheme);
  CHECK(bad == status::non_finite);
  CHECK(bad.error().position == 61);
}
