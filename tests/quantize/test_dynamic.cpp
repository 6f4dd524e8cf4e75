// Parameters of activations, to the bit, against torch._choose_qparams_per_tensor and the
// conformance vectors of ONNX DynamicQuantizeLinear (vectors: tools/make_quantize_vectors.py).
#include <pare/quantize/dynamic.hpp>

#include <string>

#include <doctest/doctest.h>
#include <pare/core/std_threads.hpp>
#include "quantize/cases.hpp"
#include "support/check.hpp"
#include "support/random.hpp"
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
  CHECK(pare::choose_dynamic_params({0.0f, 1.0f}, static_cast<rule>(9)) ==
        status::invalid_argument);
}

TEST_CASE("rows of activations have the codes of PyTorch and of ONNX, one row after the other") {
  const auto v = pare_test::load("quantize/schemes.npz");
  const auto x = v.get<float, 2>("x");
  for (const rule r : {rule::pytorch, rule::onnx}) {
    const std::string n = r == rule::pytorch ? "rows_pytorch_" : "rows_onnx_";
    const auto q = pare::quantize_dynamic(x.view(), 0, r).value();
    CHECK(q.axis == 0);
    CHECK(pare_test::equal_bits(q.scales, v.get<float, 1>(n + "scales")));
    CHECK(pare_test::equal(q.zero_points, v.get<std::int32_t, 1>(n + "zero_points")));
    CHECK(pare_test::equal(q.codes, v.get<std::uint8_t, 2>(n + "codes")));
    // In any layout, on threads, and with columns in the place of rows.
    const auto apart = pare_test::strided_copy(x, 3, 2);
    const auto threads = pare::quantize_dynamic(apart.view(), 0, r, pare::std_threads()).value();
    CHECK(pare_test::equal(threads.codes, q.codes));
    const auto left = pare_test::column_major_copy(x);
    pare_test::strided<std::uint8_t, 2> codes({6, 64}, {1, 8});
    pare::tensor<float, 1> scales({6});
    pare::tensor<std::int32_t, 1> zeros({6});
    REQUIRE(pare::quantize_dynamic(left.view(), 0, r, codes.view(), scales.view(), zeros.view()) ==
            status::ok);
    CHECK(pare_test::equal(codes.view(), q.codes));
    CHECK(pare_test::equal_bits(scales, q.scales));
    CHECK(pare_test::equal(zeros, q.zero_points));
  }
}

TEST_CASE("a whole tensor of activations is one row") {
  const auto x = pare_test::random_normal<float>({1, 5, 33}, 7);
  const auto all = pare::quantize_dynamic<std::int8_t>(x.view()).value();
  const auto row = pare::quantize_dynamic<std::int8_t>(x.view(), 0).value();
  CHECK(all.axis == pare::per_tensor);
  CHECK(all.scales.size() == 1);
  CHECK(pare_test::equal(all.codes, row.codes));
  CHECK(pare::quantize_dynamic(x.view(), 1)->scales.size() == 5);
}

TEST_CASE("activations that are refused leave outputs untouched") {
  auto x = pare_test::random_normal<float>({3, 4}, 1);
  pare::tensor<std::uint8_t, 2> codes({3, 4});
  pare::tensor<float, 1> scales({3}), two({2});
  pare::tensor<std::int32_t, 1> zeros({3}), one({1});
  const auto run = [&](int axis, rule r, auto s, auto z) {
    return pare::quantize_dynamic(x.view(), axis, r, codes.view(), s, z);
  };
  CHECK(run(2, rule::onnx, scales.view(), zeros.view()) == status::out_of_range);
  CHECK(run(0, static_cast<rule>(9), scales.view(), zeros.view()) == status::invalid_argument);
  CHECK(run(0, rule::onnx, two.view(), zeros.view()) == status::shape_mismatch);
  CHECK(run(0, rule::onnx, scales.view(), one.view()) == status::shape_mismatch);
  CHECK(run(pare::per_tensor, rule::onnx, scales.view(), one.view()) == status::shape_mismatch);
  x(1, 2) = quantize_cases::nan();
  const status s = run(0, rule::pytorch, scales.view(), zeros.view());
  CHECK(s == status::non_finite);
  CHECK(s.error().position == 6);
  for (const float scale : scales) CHECK(scale == 0.0f);
  CHECK(pare::quantize_dynamic(pare::view(x.data(), 3, 0), 0) == status::empty);
  CHECK(pare::quantize_dynamic(pare::view(x.data(), 0, 3), 0));
  CHECK(pare::quantize_dynamic(x.view(), 7) == status::out_of_range);
}
