// Fake quantization, LSQ and PACT against PyTorch's autograd (vectors:
// tools/make_training_vectors.py).
#include <pare/quantize/fake_quantize.hpp>

#include <limits>

#include "support/check.hpp"
#include "support/random.hpp"
#include "support/vectors.hpp"

using pare::code_bounds;
using pare::index_t;
using pare::status;

namespace {

const pare_test::archive& vectors() {
  static const pare_test::archive a = pare_test::load("quantize/fake_quantize.npz");
  return a;
}

}  // namespace

TEST_CASE("forward and backward are PyTorch's to the bit, per tensor") {
  const auto x = vectors().get<float, 2>("x"), g = vectors().get<float, 2>("g");
  for (int i = 0; i < 4; ++i) {
    CAPTURE(i);
    const std::string name = "tensor" + std::to_string(i);
    const auto scale = vectors().get<float, 1>(name + "_params");
    const auto codes = vectors().get<std::int32_t, 1>(name + "_codes");
    const pare::affine_params p{scale(0), codes(0)};
    const code_bounds bounds{codes(1), codes(2)};
    pare::tensor<float, 2> y(x.extents());
    auto dx = pare_test::column_major_copy(g);
    REQUIRE(pare::fake_quantize(x.view(), p, bounds, y.view()) == status::ok);
    CHECK(pare_test::equal(y, vectors().get<float, 2>(name + "_y")));
    REQUIRE(pare::fake_quantize_backward(x.view(), p, bounds, dx.view(), dx.view()) == status::ok);
    CHECK(pare_test::equal(dx.view(), vectors().get<float, 2>(name + "_dx")));
    REQUIRE(pare::fake_quantize_backward(x.view(), p, bounds, g.view(), y.view(),
                                         pare::straight_through::identity) == status::ok);
    CHECK(pare_test::equal(y, g));
  }
}

TEST_CASE("forward and backward are PyTorch's to the bit, per channel of any axis") {
  const auto x = vectors().get<float, 2>("x"), g = vectors().get<float, 2>("g");
  const auto scales = vectors().get<float, 1>("channel_scales");
  const auto zeros = vectors().get<std::int32_t, 1>("channel_zeros");
  const auto y = vectors().get<float, 2>("channel_y"), dx = vectors().get<float, 2>("channel_dx");
  pare::tensor<float, 2> out(x.extents());
  REQUIRE(pare::fake_quantize(x.view(), 0, scales.view(), zeros.view(), {-8, 7}, out.view()) ==
          status::ok);
  CHECK(pare_test::equal(out, y));
  REQUIRE(pare::fake_quantize_backward(x.view(), 0, scales.view(), zeros.view(), {-8, 7}, g.view(),
                                       out.view()) == status::ok);
  CHECK(pare_test::equal(out, dx));

  // The transpose, whose channels are its columns.
  const auto columns = pare_test::column_major_copy(x), slopes = pare_test::column_major_copy(g);
  const auto xt = pare::view(columns.view().data_handle(), 20, 6);
  const auto gt = pare::view(slopes.view().data_handle(), 20, 6);
  pare::tensor<float, 2> back({20, 6});
  REQUIRE(pare::fake_quantize(xt, 1, scales.view(), zeros.view(), {-8, 7}, back.view()) ==
          status::ok);
  for (index_t i = 0; i < 6; ++i) {
    for (index_t j = 0; j < 20; ++j) CHECK(back(j, i) == y(i, j));
  }
  REQUIRE(pare::fake_quantize_backward(xt, 1, scales.view(), zeros.view(), {-8, 7}, gt,
                                       back.view()) == status::ok);
  for (index_t i = 0; i < 6; ++i) {
    for (index_t j = 0; j < 20; ++j) CHECK(back(j, i) == dx(i, j));
  }
}

TEST_CASE("LSQ's values and gradients are those of its paper by autograd") {
  const auto x = vectors().get<float, 2>("x"), g = vectors().get<float, 2>("g");
  for (int i = 0; i < 3; ++i) {
    CAPTURE(i);
    const std::string name = "lsq" + std::to_string(i);
    const auto codes = vectors().get<std::int32_t, 1>(name + "_codes");
    const auto steps = vectors().get<float, 1>(name + "_steps");
    const code_bounds bounds{codes(0), codes(1)};
    pare::tensor<float, 2> out(x.extents());
    pare::tensor<float, 1> slopes({6});
    REQUIRE(pare::lsq(x.view(), 0, steps.view(), bounds, out.view()) == status::ok);
    CHECK(pare_test::near(out, vectors().get<float, 2>(name + "_y"), 1e-6));
    const float scale = pare::lsq_gradient_scale(20, bounds);
    CHECK(double{scale} == doctest::Approx(1 / std::sqrt(20.0 * codes(1))));
    REQUIRE(pare::lsq_backward(x.view(), 0, steps.view(), bounds, g.view(), 1.0f, out.view(),
                               slopes.view()) == status::ok);
    CHECK(pare_test::equal(out, vectors().get<float, 2>(name + "_dx")));
    CHECK(pare_test::near(slopes, vectors().get<float, 1>(name + "_ds"), 1e-4, 1e-5));
    const float first = slopes(0);
    REQUIRE(pare::lsq_backward(x.view(), 0, steps.view(), bounds, g.view(), scale, out.view(),
                               slopes.view()) == status::ok);
    CHECK(double{slopes(0)} == doctest::Approx(double{first} * double{scale}));
  }
}

TEST_CASE("LSQ starts from twice the mean magnitude over the root of the largest code") {
  const float x[] = {1, -3, 2, 0};
  CHECK(pare::lsq_initial_step(pare::view(x), {-8, 4}).value() == 1.5f);
  const float zeros[] = {0, 0};
  CHECK(pare::lsq_initial_step(pare::view(zeros), {-8, 4}).value() == 1.0f);
  CHECK(pare::lsq_initial_step(pare::view(x, 0), {-8, 4}) == status::empty);
  CHECK(pare::lsq_initial_step(pare::view(x), {-8, 0}) == status::invalid_argument);
}

TEST_CASE("PACT's values and gradients are those of its paper by autograd") {
  const auto x = vectors().get<float, 2>("x"), g = vectors().get<float, 2>("g");
  for (int i = 0; i < 2; ++i) {
    CAPTURE(i);
    const std::string name = "pact" + std::to_string(i);
    const auto params = vectors().get<float, 1>(name + "_params");
    const int bits = static_cast<int>(params(1));
    pare::tensor<float, 2> out(x.extents());
    REQUIRE(pare::pact(x.view(), params(0), bits, out.view()) == status::ok);
    CHECK(pare_test::near(out, vectors().get<float, 2>(name + "_y"), 1e-6));
    const auto slope = pare::pact_backward(x.view(), params(0), g.view(), out.view());
    REQUIRE(slope);
    CHECK(double{*slope} ==
          doctest::Approx(double{vectors().get<float, 1>(name + "_da")(0)}).epsilon(1e-5));
    CHECK(pare_test::equal(out, vectors().get<float, 2>(name + "_dx")));
  }
}

TEST_CASE("what fake quantization refuses") {
  pare::tensor<float, 2> x({2, 3}), out({2, 3}), other({3, 2});
  float step_grads[1] = {};
  for (float& v : out) v = 7;
  const auto forward = [&](pare::affine_params p, code_bounds codes) {
    return pare::fake_quantize(x.view(), p, codes, out.view());
  };
  CHECK(forward({0.0f, 0}, {}) == status::out_of_range);
  CHECK(forward({std::numeric_limits<float>::infinity(), 0}, {}) == status::non_finite);
  CHECK(forward({1.0f, 128}, {}) == status::out_of_range);
  CHECK(forward({1.0f, 0}, {3, 3}) == status::invalid_argument);
  CHECK(forward({1.0f, 0}, {-(1 << 23), 0}) == status::invalid_argument);
  CHECK(pare::fake_quantize(x.view(), pare::affine_params{}, {}, other.view()) ==
        status::shape_mismatch);
  CHECK(pare::fake_quantize_backward(x.view(), pare::affine_params{}, {}, other.view(),
                                     out.view()) == status::shape_mismatch);
  const float scales[] = {1, 1, 1};
  CHECK(pare::fake_quantize(x.view(), 0, pare::view(scales), {}, {}, out.view()) ==
        status::shape_mismatch);
  CHECK(pare::fake_quantize(x.view(), 2, pare::view(scales), {}, {}, out.view()) ==
        status::out_of_range);
  CHECK(pare::lsq(x.view(), 1, pare::view(scales), {1, 5}, out.view()) == status::out_of_range);
  CHECK(pare::lsq_backward(x.view(), 1, pare::view(scales), {-8, 7}, x.view(), 1.0f, out.view(),
                           pare::view(step_grads)) == status::shape_mismatch);
  CHECK(pare::pact(x.view(), -1.0f, 4, out.view()) == status::out_of_range);
  CHECK(pare::pact(x.view(), 1.0f, 0, out.view()) == status::out_of_range);
  CHECK(pare::pact_backward(x.view(), 0.0f, x.view(), out.view()) == status::out_of_range);
  x(0, 1) = std::numeric_limits<float>::quiet_NaN();
  CHECK(forward({1.0f, 0}, {}) == status::non_finite);
  CHECK(pare::pact_backward(x.view(), 1.0f, x.view(), out.view()) == status::non_finite);
  for (const float v : out) CHECK(v == 7.0f);
}
