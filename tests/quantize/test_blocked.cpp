// Blocks along any axis against ONNX's definition (vectors: tools/make_quantize_vectors.py), and
// against tensors quantized alone.
#include <pare/quantize/blocked.hpp>

#include <string>

#include <pare/core/subview.hpp>

#include "quantize/cases.hpp"
#include "support/check.hpp"
#include "support/random.hpp"
#include "support/vectors.hpp"

using pare::index_t;
using pare::status;

namespace {

pare::affine along(int axis, pare::affine_rule rule = pare::affine_rule::pytorch) {
  pare::affine options;
  options.axis = axis;
  options.rule = rule;
  options.scheme = pare::symmetry::asymmetric;
  return options;
}

}  // namespace

TEST_CASE("blocks along each axis have the codes of ONNX, and come back as there") {
  const auto v = pare_test::load("quantize/schemes.npz");
  const auto x = v.get<float, 3>("blocks_x");
  const index_t blocks[] = {2, 3, 4};
  for (int axis = 0; axis < 3; ++axis) {
    CAPTURE(axis);
    const std::string n = "blocks" + std::to_string(axis) + "_";
    const auto options = along(axis, pare::affine_rule::onnx);
    const auto q = pare::quantize_blocked<std::uint8_t>(x.view(), blocks[axis], options).value();
    CHECK(pare_test::equal_bits(q.scales, v.get<float, 3>(n + "scales")));
    CHECK(pare_test::equal(q.zero_points, v.get<std::int32_t, 3>(n + "zero_points")));
    CHECK(pare_test::equal(q.codes, v.get<std::uint8_t, 3>(n + "codes")));
    pare::tensor<float, 3> back({3, 7, 5});
    REQUIRE(pare::dequantize(q.view(), back.view()) == status::ok);
    CHECK(pare_test::equal_bits(back, v.get<float, 3>(n + "back")));
  }
}

TEST_CASE("a block is quantized as a tensor of its own, in every layout") {
  const auto x = pare_test::random_normal<float>({3, 70, 2}, 4);
  const auto left = pare_test::column_major_copy(x);
  const auto apart = pare_test::strided_copy(x, 3, 2);
  pare::error_meter errors, alone_errors;
  const auto q = pare::quantize_blocked(x.view(), 32, along(1), &errors).value();
  CHECK(q.scales.extent(1) == 3);
  for (index_t i = 0; i < 3; ++i) {
    for (index_t b = 0; b < 3; ++b) {
      for (index_t k = 0; k < 2; ++k) {
        const index_t first = 32 * b, last = std::min<index_t>(70, first + 32);
        const auto part = subview(x.view(), pare::range{i, i + 1}, pare::range{first, last},
                                  pare::range{k, k + 1});
        const auto alone = pare::quantize(part, along(pare::per_tensor), &alone_errors).value();
        CHECK(q.scales(i, b, k) == alone.scales(0));
        CHECK(q.zero_points(i, b, k) == (alone.zero_points.empty() ? 0 : alone.zero_points(0)));
        for (index_t j = first; j < last; ++j) {
          REQUIRE(q.codes(i, j, k) == alone.codes(0, j - first, 0));
        }
      }
    }
  }
  CHECK(errors.count() == x.size());
  CHECK(errors.max_error() == alone_errors.max_error());
  for (const auto& other : {pare::quantize_blocked(left.view(), 32, along(1)).value(),
                            pare::quantize_blocked(apart.view(), 32, along(1)).value()}) {
    CHECK(pare_test::equal(other.codes, q.codes));
    CHECK(pare_test::equal_bits(other.scales, q.scales));
  }
  pare::tensor<float, 3> back({3, 70, 2});
  pare_test::strided<float, 3> back_apart({3, 70, 2}, {1, 9, 700});
  REQUIRE(pare::dequantize(q.view(), back.view()) == status::ok);
  REQUIRE(pare::dequantize(q.view(), back_apart.view()) == status::ok);
  CHECK(pare_test::equal_bits(back_apart.view(), back));
}

TEST_CASE("blocks that are refused leave outputs untouched") {
  auto x = pare_test::random_normal<float>({4, 6}, 1);
  CHECK(pare::quantize_blocked(x.view(), 0, along(1)) == status::out_of_range);
  CHECK(pare::quantize_blocked(x.view(), 2, along(2)) == status::out_of_range);
  CHECK(pare::quantize_blocked(x.view(), 2, along(-1)) == status::out_of_range);
  CHECK(pare::quantize_blocked(pare::view(x.data(), 0, 6), 2, along(1)));
  auto q = pare::quantize_blocked(x.view(), 4, along(1)).value();
  pare::tensor<float, 2> back({4, 6});
  auto view = q.view();
  view.block = 2;
  CHECK(pare::dequantize(view, back.view()) == status::shape_mismatch);
  view.block = 0;
  CHECK(pare::dequantize(view, back.view()) == status::out_of_range);
  view = q.view();
  view.axis = 0;
  CHECK(pare::dequantize(view, back.view()) == status::shape_mismatch);
  q.scales(3, 1) = quantize_cases::infinity();
  const status s = pare::dequantize(q.view(), back.view());
  CHECK(s == status::non_finite);
  CHECK(s.error().position == 7);
  for (const float value : back) CHECK(value == 0.0f);
  x(2, 5) = quantize_cases::nan();
  const auto bad = pare::quantize_blocked(x.view(), 4, along(0));
  CHECK(bad == status::non_finite);
  CHECK(bad.error().position == 17);
}
