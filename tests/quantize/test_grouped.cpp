// Weights in groups: each group is what `quantize` makes of it alone, but for the scale in 16 bits.
#include <pare/core/subview.hpp>
#include <pare/layers/grouped_linear.hpp>
#include <pare/quantize/grouped.hpp>

#include <limits>

#include "support/check.hpp"
#include "support/isas.hpp"
#include "support/random.hpp"

using pare::index_t;
using pare::status;

TEST_CASE("a group is quantized as a tensor, with the scale in half") {
  auto w = pare_test::random_normal<float>({5, 70}, 1);
  for (index_t i = 0; i < 32; ++i) w(2, i) = 0.0f;
  for (const int bits : {2, 4, 8}) {
    for (const auto scheme : {pare::symmetry::symmetric, pare::symmetry::asymmetric}) {
      for (const auto rule :
           {pare::affine_rule::pytorch, pare::affine_rule::onnx, pare::affine_rule::tflite}) {
        CAPTURE(bits);
        CAPTURE(static_cast<int>(scheme));
        CAPTURE(static_cast<int>(rule));
        pare::grouped options;
        options.bits = bits;
        options.scheme = scheme;
        options.rule = rule;
        const auto q = pare::quantize_grouped(w.view(), options);
        REQUIRE(q);
        CHECK(q->group == 32);
        for (index_t row = 0; row < 5; ++row) {
          for (index_t g = 0; g < 3; ++g) {
            const index_t first = 32 * g, last = std::min<index_t>(first + 32, 70);
            const auto part =
                subview(w.view(), pare::range{row, row + 1}, pare::range{first, last});
            pare::affine alone;
            alone.bits = bits;
            alone.scheme = scheme;
            alone.rule = rule;
            const auto expected = pare::quantize(part, alone);
            REQUIRE(expected);
            const auto p = expected->view().params(0);
            CHECK(q->scales(row, g).bits == pare::half(p.scale).bits);
            CHECK((q->zero_points.empty() ? 0 : q->zero_points(row, g)) == p.zero_point);
            for (index_t i = first; i < last; ++i) {
              // Another scale in the last place moves a code by one at the most.
              CHECK(std::abs(q->codes(row, i) - expected->codes(0, i - first)) <= 1);
              CHECK(q->codes(row, i) >= -(1 << (bits - 1)));
              CHECK(q->codes(row, i) < 1 << (bits - 1));
            }
          }
        }
        CHECK(q->zero_points.empty() == (scheme == pare::symmetry::symmetric));
      }
    }
  }
}

TEST_CASE("grouped weights come back within half a step") {
  const auto w = pare_test::random_normal<float>({9, 200}, 2);
  for (const auto scheme : {pare::symmetry::symmetric, pare::symmetry::asymmetric}) {
    pare::grouped options;
    options.scheme = scheme;
    options.group = 64;
    const auto q = pare::quantize_grouped(w.view(), options).value();
    for (index_t row = 0; row < 9; ++row) {
      for (index_t i = 0; i < 200; ++i) {
        const double scale = static_cast<float>(q.scales(row, i / 64));
        const int zero_point = q.zero_points.empty() ? 0 : q.zero_points(row, i / 64);
        // The largest value lies a half of a step beyond the last code, and 1 / 1024 of itself.
        CHECK(std::abs((q.codes(row, i) - zero_point) * scale - w(row, i)) <= 0.51 * scale + 0.002);
      }
    }
  }
}

TEST_CASE("weights in any layout give the same groups, and go into a layer") {
  const auto w = pare_test::random_normal<float>({6, 64}, 3);
  const auto q = pare::quantize_grouped(w.view()).value();
  const auto transposed = pare_test::column_major_copy(w);
  CHECK(pare_test::equal(pare::quantize_grouped(transposed.view())->codes, q.codes));
  const auto layer = pare::pack_grouped_linear(q.view(), 4).value();
  const auto x = pare_test::random_normal<float>({2, 64}, 4);
  pare::tensor<float, 2> y({2, 6});
  REQUIRE(pare::linear(x.view(), layer.view(), y.view()) == status::ok);
  for (index_t r = 0; r < 2; ++r) {
    for (index_t o = 0; o < 6; ++o) {
      double exact = 0;
      for (index_t i = 0; i < 64; ++i) exact += static_cast<double>(x(r, i)) * w(o, i);
      CHECK(std::abs(y(r, o) - exact) < 3.0);
    }
  }
}

TEST_CASE("groups in vectors are those of single weights, and come back the same") {
  auto w = pare_test::random_normal<float>({3, 1300}, 9);
  for (index_t i = 0; i < 1300; ++i) {
    w(1, i) *= i < 300 ? 0.0f : i < 600 ? 1e-7f : 1.0f;  // zeros, and scales that are small in half
    w(2, i) *= i < 700 ? 1e5f : 1.0f;                    // and large ones
  }
  const auto apart = pare_test::strided_copy(w, 3, 2);  // one weight at a time
  for (const index_t group : {16, 32, 48, 64, 128}) {
    for (const auto scheme : {pare::symmetry::symmetric, pare::symmetry::asymmetric}) {
      for (const auto rule : {pare::affine_rule::pytorch, pare::affine_rule::onnx,
                              pare::affine_rule::tflite, pare::affine_rule::compressed_tensors}) {
        pare::grouped options;
        options.group = group;
        options.scheme = scheme;
        options.rule = rule;
        const auto expected = pare::quantize_grouped(apart.view(), options).value();
        pare_test::for_each_isa([&](pare::isa) {
          CAPTURE(group);
          const auto q = pare::quantize_grouped(w.view(), options).value();
          CHECK(pare_test::equal(q.codes, expected.codes));
          CHECK(pare_test::equal(q.zero_points, expected.zero_points));
          for (index_t i = 0; i < q.scales.size(); ++i) {
            REQUIRE(q.scales.data()[i].bits == expected.scales.data()[i].bits);
          }
          pare::tensor<float, 2> back({3, 1300});
          pare_test::strided<float, 2> back_apart({3, 1300}, {4000, 3});
          REQUIRE(pare::dequantize(q.view(), back.view()) == status::ok);
          REQUIRE(pare::dequantize(q.view(), back_apart.view()) == status::ok);
          for (index_t row = 0; row < 3; ++row) {
            for (index_t k = 0; k < 1300; ++k) {
              const int zero = q.zero_points.empty() ? 0 : q.zero_points(row, k / group);
              const float exact = static_cast<float>(q.codes(row, k) - zero) *
                                  static_cast<float>(q.scales(row, k / group));
              REQUIRE(back(row, k) == exact);
              REQUIRE(back_apart.view()(row, k) == exact);
            }
          }
        });
      }
    }
  }
}

TEST_CASE("a weight that is not finite is found in every group") {
  for (const index_t at : {0, 7, 31, 200, 255, 256, 299}) {
    pare::tensor<float, 2> w({1, 300});
    for (float& x : w) x = 1.0f;
    w(0, at) = at % 2 == 0 ? std::numeric_limits<float>::quiet_NaN()
                           : -std::numeric_limits<float>::infinity();
    const auto q = pare::quantize_grouped(w.view());
    CHECK(q == status::non_finite);
    CHECK(q.error().position == at);
  }
}

TEST_CASE("restricted codes have their negatives, full ones have all") {
  pare::tensor<float, 2> w({1, 300});
  for (index_t i = 0; i < 300; ++i) w(0, i) = i % 2 == 0 ? 1.0f : -1.0f;
  pare::grouped options;
  options.span = pare::code_span::restricted;
  const auto restricted = pare::quantize_grouped(w.view(), options).value();
  CHECK(restricted.scales(0, 0).bits == pare::half(1.0f / 7.0f).bits);
  CHECK(restricted.codes(0, 1) == -7);
  options.span = pare::code_span::full;
  options.rule = pare::affine_rule::tflite;
  const auto full = pare::quantize_grouped(w.view(), options).value();
  CHECK(full.scales(0, 0).bits == pare::half(1.0f / 7.5f).bits);
  CHECK(full.codes(0, 1) == -8);
  CHECK(full.codes(0, 2) == 7);
  options.span = static_cast<pare::code_span>(7);
  CHECK(pare::quantize_grouped(w.view(), options) == status::invalid_argument);
}

TEST_CASE("grouped codes that do not fit together do not come back") {
  const auto q = pare::quantize_grouped(pare_test::random_normal<float>({2, 64}, 3).view()).value();
  pare::tensor<float, 2> back({2, 64}), other({2, 63});
  CHECK(pare::dequantize(q.view(), other.view()) == status::shape_mismatch);
  auto view = q.view();
  view.group = 0;
  CHECK(pare::dequantize(view, back.view()) == status::out_of_range);
  view.group = 64;
  CHECK(pare::dequantize(view, back.view()) == status::shape_mismatch);
}

TEST_CASE("scales beyond half stay finite, and none becomes 0") {
  pare::tensor<float, 2> w({2, 32});
  w(0, 3) = 3e6f;
  w(1, 3) = 1e-8f;
  pare::grouped options;
  options.rule = pare::affine_rule::tflite;
  const auto q = pare::quantize_grouped(w.view(), options).value();
  CHECK(static_cast<float>(q.scales(0, 0)) == 65504.0f);
  CHECK(q.codes(0, 3) == 7);
  CHECK(static_cast<float>(q.scales(1, 0)) == 0x1p-24f);
  CHECK(q.codes(1, 3) == 0);
}

TEST_CASE("grouped weights without elements, and what is refused") {
  pare::tensor<float, 2> w({3, 40});
  CHECK(pare::quantize_grouped(pare::view(w.data(), 3, 0)));
  CHECK(pare::quantize_grouped(pare::view(w.data(), 0, 3)));
  pare::grouped options;
  for (const int bits : {0, 1, 9}) {
    options.bits = bits;
    CHECK(pare::quantize_grouped(w.view(), options) == status::out_of_range);
  }
  options = {};
  options.group = 0;
  CHECK(pare::quantize_grouped(w.view(), options) == status::out_of_range);
  options = {};
  options.rule = static_cast<pare::affine_rule>(9);
  CHECK(pare::quantize_grouped(w.view(), options) == status::invalid_argument);
  options = {};
  options.scheme = static_cast<pare::symmetry>(9);
  CHECK(pare::quantize_grouped(w.view(), options) == status::invalid_argument);
  w(1, 2) = std::numeric_limits<float>::infinity();
  const auto q = pare::quantize_grouped(w.view());
  CHECK(q == status::non_finite);
  CHECK(q.error().position == 42);
}

TEST_CASE("errors of groups are those of their codes") {
  const auto w = pare_test::random_normal<float>({5, 70}, 8);
  pare::grouped options;
  options.scheme = pare::symmetry::asymmetric;
  pare::error_meter errors, expected;
  const auto q = pare::quantize_grouped(w.view(), options, &errors).value();
  for (index_t row = 0; row < 5; ++row) {
    for (index_t i = 0; i < 70; ++i) {
      const int steps = q.codes(row, i) - q.zero_points(row, i / 32);
      expected.add(w(row, i),
                   static_cast<float>(steps) * static_cast<float>(q.scales(row, i / 32)));
    }
  }
  CHECK(errors.count() == 350);
  CHECK(errors.max_error() == expected.max_error());
  CHECK(errors.rms_error() == expected.rms_error());
}
