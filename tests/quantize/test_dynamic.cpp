// Parameters of activations, to the bit, against torch._choose_qparams_per_tensor and the
// conformance vectors of ONNX DynamicQuantizeLinear (vectors: tools/make_quantize_vectors.py).
#include <pare/quantize/dynamic.hpp>

#include <doctest/doctest.h>
#include "quantize/cases.hpp"
#include "support/check.hpp"
#include "support/vectors.hpp"

using pare::index_t;
using pare::status;
using rule = pare::affine_rule;

namespace {

std::uint32_t bits(float x) { return pare::detail::bit_cast<std::uint32_t>(x); }

}  // namespace

TEST_CASE("choose_dynamic_params gives PyTorch's scale and zero point") {
  const auto a = pare_test::load("quantize/ranges.npz");
  const auto mins = a.get<float, 1>("mins"), maxs = a.get<float, 1>("maxs");
  const auto scales = a.get<float, 1>("dynamic_scales");
  const auto zeros = a.get<std::int32_t, 1>("dynamic_zero_points");
  for (index_t i = 0; i < mins.size(); ++i) {
    // Scales near and below 2^-126 become 0.1 or not; that needs denormal numbers.
    const float magnitude = pare::detail::max(-mins(i), maxs(i));
    if (quantize_cases::flushes_denormals() && magnitude != 0.0f && magnitude < 1e-35f) continue;
    CAPTURE(mins(i));
    CAPTURE(maxs(i));
    const auto p = pare::choose_dynamic_params({mins(i), maxs(i)});
    REQUIRE(p);
    CHECK(bits(p->scale) == bits(scales(i)));
    CHECK(p->zero_point == zeros(i));
  }
}

TEST_CASE("the same formula serves s8, 128 codes lower") {
  const auto u = pare::choose_dynamic_params<std::uint8_t>({-0.3f, 1.1f}).value();
  const auto s = pare::choose_dynamic_params<std::int8_t>({-0.3f, 1.1f}).value();
  CHECK(bits(u.scale) == bits(s.scale));
  CHECK(u.zero_point == 55);
  CHECK(s.zero_point == 55 - 128);
}

TEST_CASE("a range beyond float has a finite scale") {
  for (rule r : {rule::pytorch, rule::onnx, rule::tflite}) {
    const auto p =
        pare::choose_dynamic_params({-quantize_cases::largest, quantize_cases::largest}, r);
    REQUIRE(p);
    CHECK(p->scale == static_cast<float>(2.0 * double{quantize_cases::largest} / 255.0));
  }
}

TEST_CASE("by the rules of ONNX and TensorFlow Lite it is the asymmetric choose_params") {
  for (rule r : {rule::onnx, rule::tflite}) {
    pare::affine options;
    options.scheme = pare::symmetry::asymmetric;
    options.rule = r;
    for (float low : {-2.5f, -1e-7f, 0.0f, 0.5f}) {
      const auto dynamic = pare::choose_dynamic_params<std::int8_t>({low, 1.75f}, r).value();
      const auto fixed = pare::choose_params<std::int8_t>({low, 1.75f}, options).value();
      CHECK(bits(dynamic.scale) == bits(fixed.scale));
      CHECK(dynamic.zero_point == fixed.zero_point);
    }
  }
}

TEST_CASE("range, parameters and codes pass the conformance of DynamicQuantizeLinear") {
  const auto a = pare_test::load("quantize/onnx_conformance.npz");
  const auto check = [&](const std::string& name, const auto& x, const auto& y) {
    CAPTURE(name);
    const auto range = pare::min_max(x.view());
    REQUIRE(range);
    const auto p = pare::choose_dynamic_params(*range, rule::onnx);
    REQUIRE(p);
    CHECK(bits(p->scale) == bits(a.scalar<float>(name + "_scale")));
    CHECK(p->zero_point == a.scalar<std::int32_t>(name + "_zero_point"));
    auto codes = y;
    for (std::uint8_t& c : codes) c = 99;
    REQUIRE(pare::quantize(x.view(), *p, rule::onnx, codes.view()) == status::ok);
    CHECK(pare_test::equal(codes, y));
  };
  for (const char* name : {"dynamicquantizelinear", "dynamicquantizelinear_max_adjusted"}) {
    check(name, a.get<float, 1>(std::string(name) + "_x"),
          a.get<std::uint8_t, 1>(std::string(name) + "_y"));
  }
  const std::string min_adjusted = "dynamicquantizelinear_min_adjusted";
  check(min_adjusted, a.get<float, 2>(min_adjusted + "_x"),
        a.get<std::uint8_t, 2>(min_adjusted + "_y"));
}

TEST_CASE("choose_dynamic_params refuses what has no scale") {
  CHECK(pare::choose_dynamic_params({quantize_cases::nan(), 1.0f}) == status::non_finite);
  CHECK(pare::choose_dynamic_params({0.0f, quantize_cases::infinity()}) == status::non_finite);
  CHECK(pare::choose_dynamic_params({1.0f, 0.0f}) == status::invalid_argument);
  CHECK(pare::choose_dynamic_params({0.0f, 1.0f}, static_cast<rule>(3)) ==
        status::invalid_argument);
}
