// Affine codes, to the bit, against PyTorch 1.13, the conformance vectors of ONNX and the
// definition of TensorFlow Lite (vectors: tools/make_quantize_vectors.py).
#include <pare/quantize/affine.hpp>

#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <pare/core/subview.hpp>
#include "quantize/cases.hpp"
#include "support/check.hpp"
#include "support/random.hpp"
#include "support/vectors.hpp"

using pare::index_t;
using pare::status;
using pare::symmetry;
using rule = pare::affine_rule;
using quantize_cases::combinations;
using quantize_cases::infinity;
using quantize_cases::nan;

namespace {

pare::affine options_of(symmetry scheme, rule r, int axis = pare::per_tensor) {
  pare::affine options;
  options.axis = axis;
  options.scheme = scheme;
  options.rule = r;
  return options;
}

template <class Code, std::size_t Rank>
pare::tensor<Code, Rank> filled(const pare::dextents<index_t, Rank>& shape, Code value) {
  pare::tensor<Code, Rank> t(shape);
  for (Code& c : t) c = value;
  return t;
}

/// Reference codes of combination k, which the vectors keep apart by type.
template <class Code, std::size_t Rank>
pare::tensor<Code, Rank> codes_of(const pare_test::archive& a, const std::string& prefix,
                                  index_t k) {
  const auto all =
      a.get<Code, Rank + 1>(prefix + (std::is_signed_v<Code> ? "_codes_s8" : "_codes_u8"));
  index_t shape[Rank] = {};
  index_t size = 1;
  for (std::size_t r = 0; r < Rank; ++r) size *= shape[r] = all.extent(r + 1);
  pare::tensor<Code, Rank> part(shape);
  for (index_t i = 0; i < size; ++i) part.data()[i] = all.data()[(k % 2) * size + i];
  return part;
}

/// Scales without zero points where all of these are 0.
template <class Code, std::size_t Rank>
void check_scales(const pare::affine_tensor<Code, Rank>& q, const pare::tensor<float, 2>& scales,
                  const pare::tensor<std::int32_t, 2>& zeros, index_t k) {
  const index_t channels = scales.extent(1);
  bool all_zero = true;
  REQUIRE(q.scales.size() == channels);
  for (index_t c = 0; c < channels; ++c) {
    CAPTURE(c);
    CHECK(pare::detail::bit_cast<std::uint32_t>(q.scales(c)) ==
          pare::detail::bit_cast<std::uint32_t>(scales(k, c)));
    CHECK(q.view().params(c).zero_point == zeros(k, c));
    all_zero = all_zero && zeros(k, c) == 0;
  }
  CHECK(q.zero_points.size() == (all_zero ? 0 : channels));
}

bool has_denormals(const pare::tensor<float, 2>& x) {
  for (float v : x) {
    if (quantize_cases::is_denormal(v)) return true;
  }
  return false;
}

}  // namespace

// --- PyTorch ---

TEST_CASE("codes of few bits are those of observers with a range of codes, and of fake_quantize") {
  const auto a = pare_test::load("quantize/few_bits.npz");
  const auto x = a.get<float, 2>("x");
  for (const int bits : {2, 3, 4, 7}) {
    for (const symmetry scheme : {symmetry::symmetric, symmetry::asymmetric}) {
      CAPTURE(bits);
      const std::string name =
          (scheme == symmetry::symmetric ? "symmetric" : "asymmetric") + std::to_string(bits);
      CAPTURE(name);
      pare::affine options = options_of(scheme, rule::pytorch, 0);
      options.bits = bits;
      const auto q = pare::quantize(x.view(), options);
      REQUIRE(q);
      CHECK(pare_test::equal_bits(q->scales, a.get<float, 1>(name + "_scales")));
      const auto zero_points = a.get<std::int32_t, 1>(name + "_zero_points");
      for (index_t c = 0; c < 7; ++c) CHECK(q->view().params(c).zero_point == zero_points(c));
      CHECK(pare_test::equal(q->codes, a.get<std::int8_t, 2>(name + "_codes")));
    }
  }
}

TEST_CASE("few bits by the rules of ONNX and TensorFlow Lite leave out the lowest code") {
  const float x[] = {-1.0f, 0.25f, 0.6f, 0.75f};
  pare::affine options;
  options.bits = 4;
  for (const rule r : {rule::onnx, rule::tflite}) {
    options.rule = r;
    const auto q = pare::quantize(pare::view(x), options);
    REQUIRE(q);
    CHECK(q->scales(0) == 1.0f / 7.0f);
    CHECK_EQUAL_RANGES(q->codes, {-7, 2, 4, 5});
  }
  options.rule = rule::pytorch;
  const auto u4 = pare::quantize<std::uint8_t>(pare::view(x), options);
  REQUIRE(u4);
  CHECK(u4->zero_points(0) == 8);
}

TEST_CASE("quantize is MinMaxObserver and quantize_per_tensor, and dequantize goes back") {
  const auto a = pare_test::load("quantize/observers.npz");
  for (const std::string name :
       {"normal", "positive", "negative", "zeros", "one", "denormal", "tiny", "huge", "ties"}) {
    CAPTURE(name);
    const auto x = a.get<float, 2>(name + "_x");
    if (has_denormals(x) && quantize_cases::flushes_denormals()) continue;
    const auto scales = a.get<float, 2>(name + "_scales");
    const auto zeros = a.get<std::int32_t, 2>(name + "_zero_points");
    const auto back = a.get<float, 3>(name + "_back");
    for (index_t k = 0; k < 4; ++k) {
      CAPTURE(k);
      quantize_cases::with_code(combinations[k].code, [&](auto code) {
        using code_type = decltype(code);
        const auto q =
            pare::quantize<code_type>(x.view(), options_of(combinations[k].scheme, rule::pytorch));
        REQUIRE(q);
        check_scales(*q, scales, zeros, k);
        CHECK(pare_test::equal(q->codes, codes_of<code_type, 2>(a, name, k)));
        const auto restored = pare::dequantize(q->view());
        REQUIRE(restored);
        CHECK(pare_test::equal(*restored, pare::subview(back.view(), k, pare::all, pare::all)));
      });
    }
  }
}

TEST_CASE("along any axis it is PerChannelMinMaxObserver and quantize_per_channel, in any layout") {
  const auto a = pare_test::load("quantize/observers.npz");
  const auto x = a.get<float, 3>("channels_x");
  const auto left = pare_test::column_major_copy(x);
  const auto apart = pare_test::strided_copy(x, 3, 2);
  for (int axis = 0; axis < 3; ++axis) {
    CAPTURE(axis);
    const std::string name = "channels" + std::to_string(axis);
    const auto scales = a.get<float, 2>(name + "_scales");
    const auto zeros = a.get<std::int32_t, 2>(name + "_zero_points");
    const auto back = a.get<float, 4>(name + "_back");
    for (index_t k = 0; k < 4; ++k) {
      CAPTURE(k);
      quantize_cases::with_code(combinations[k].code, [&](auto code) {
        using code_type = decltype(code);
        const auto options = options_of(combinations[k].scheme, rule::pytorch, axis);
        const auto check = [&](const auto& v) {
          const auto q = pare::quantize<code_type>(v, options);
          REQUIRE(q);
          CHECK(q->axis == axis);
          check_scales(*q, scales, zeros, k);
          CHECK(pare_test::equal(q->codes, codes_of<code_type, 3>(a, name, k)));
          const auto restored = pare::dequantize(q->view());
          REQUIRE(restored);
          CHECK(pare_test::equal(*restored,
                                 pare::subview(back.view(), k, pare::all, pare::all, pare::all)));
        };
        check(x.view());
        check(left.view());
        check(apart.view());
      });
    }
  }
}

// --- given parameters, all rules ---

TEST_CASE("given scale and zero point, each rule has its codes, ties and extremes included") {
  const auto a = pare_test::load("quantize/elements.npz");
  const auto x = a.get<float, 2>("x");
  const auto scales = a.get<float, 1>("scales");
  for (const std::string code_name : {"s8", "u8"}) {
    CAPTURE(code_name);
    const auto zeros = a.get<std::int32_t, 1>("zero_points_" + code_name);
    const auto back = a.get<float, 2>("back_" + code_name);
    quantize_cases::with_code(code_name, [&](auto code) {
      using code_type = decltype(code);
      for (const auto& r : quantize_cases::rules) {
        CAPTURE(r.name);
        const auto expected = a.get<code_type, 2>(std::string(r.name) + "_" + code_name);
        for (index_t p = 0; p < scales.size(); ++p) {
          // At the ends of float the values, or the inverse of the scale, are denormal.
          const bool extreme = scales(p) < 1e-37f || scales(p) > 1e37f;
          if (extreme && quantize_cases::flushes_denormals()) continue;
          CAPTURE(scales(p));
          const auto row = pare::subview(x.view(), p, pare::all);
          const auto expected_row = pare::subview(expected.view(), p, pare::all);
          const pare::affine_params params{scales(p), zeros(p)};
          auto codes = filled<code_type, 1>(pare::dextents<index_t, 1>(x.extent(1)), 99);
          REQUIRE(pare::quantize(row, params, r.rule, codes.view()) == status::ok);
          CHECK(pare_test::equal(codes, expected_row));

          // The same elements apart, which go one by one.
          const auto strided = pare_test::strided_copy(row, 0, 3);
          pare_test::strided<code_type, 1> apart({x.extent(1)}, {2});
          REQUIRE(pare::quantize(strided.view(), params, r.rule, apart.view()) == status::ok);
          CHECK(pare_test::equal(apart.view(), expected_row));
          CHECK(apart.gaps_untouched());

          if (r.rule == rule::pytorch) {
            pare::tensor<float, 1> restored({x.extent(1)});
            REQUIRE(pare::dequantize(codes.view(), params, restored.view()) == status::ok);
            CHECK(pare_test::equal(restored, pare::subview(back.view(), p, pare::all)));
          }
        }
        // All parameters at once, as channels of either axis.
        if (quantize_cases::flushes_denormals()) continue;
        auto codes = filled<code_type, 2>(x.extents(), 99);
        REQUIRE(pare::quantize(x.view(), 0, scales.view(), zeros.view(), r.rule, codes.view()) ==
                status::ok);
        CHECK(pare_test::equal(codes, expected));
        for (auto& c : codes) c = 99;
        REQUIRE(pare::quantize(pare::transposed(x.view()), 1, scales.view(), zeros.view(), r.rule,
                               pare::transposed(codes.view())) == status::ok);
        CHECK(pare_test::equal(codes, expected));
        // Rows along the axis: the channels lie side by side in memory.
        const auto side_by_side = pare_test::column_major_copy(x);
        auto side_codes = pare_test::column_major<code_type, 2>(x.extents());
        REQUIRE(pare::quantize(side_by_side.view(), 0, scales.view(), zeros.view(), r.rule,
                               side_codes.view()) == status::ok);
        CHECK(pare_test::equal(side_codes.view(), expected));
      }
    });
  }
}

TEST_CASE("quantize and dequantize pass the conformance of QuantizeLinear and DequantizeLinear") {
  const auto a = pare_test::load("quantize/onnx_conformance.npz");
  {
    const auto x = a.get<float, 1>("quantizelinear_x");
    const pare::affine_params p{a.scalar<float>("quantizelinear_scale"),
                                a.scalar<std::int32_t>("quantizelinear_zero_point")};
    auto codes = filled<std::uint8_t, 1>(x.extents(), 99);
    REQUIRE(pare::quantize(x.view(), p, rule::onnx, codes.view()) == status::ok);
    CHECK(pare_test::equal(codes, a.get<std::uint8_t, 1>("quantizelinear_y")));
  }
  {
    const auto x = a.get<float, 4>("quantizelinear_axis_x");
    const auto scales = a.get<float, 1>("quantizelinear_axis_scale");
    const auto zeros = a.get<std::int32_t, 1>("quantizelinear_axis_zero_point");
    auto codes = filled<std::uint8_t, 4>(x.extents(), 99);
    REQUIRE(pare::quantize(x.view(), 1, scales.view(), zeros.view(), rule::onnx, codes.view()) ==
            status::ok);
    CHECK(pare_test::equal(codes, a.get<std::uint8_t, 4>("quantizelinear_axis_y")));
  }
  {
    const auto codes = a.get<std::uint8_t, 1>("dequantizelinear_x");
    const pare::affine_params p{a.scalar<float>("dequantizelinear_scale"),
                                a.scalar<std::int32_t>("dequantizelinear_zero_point")};
    pare::tensor<float, 1> out(codes.extents());
    REQUIRE(pare::dequantize(codes.view(), p, out.view()) == status::ok);
    CHECK(pare_test::equal_bits(out, a.get<float, 1>("dequantizelinear_y")));
  }
  {
    const auto codes = a.get<std::uint8_t, 4>("dequantizelinear_axis_x");
    const auto scales = a.get<float, 1>("dequantizelinear_axis_scale");
    const auto zeros = a.get<std::int32_t, 1>("dequantizelinear_axis_zero_point");
    const pare::affine_view<std::uint8_t, pare::dextents<index_t, 4>> view{
        codes.view(), scales.view(), zeros.view(), 1};
    pare::tensor<float, 4> out(codes.extents());
    REQUIRE(pare::dequantize(view, out.view()) == status::ok);
    CHECK(pare_test::equal_bits(out, a.get<float, 4>("dequantizelinear_axis_y")));
  }
}

// --- the convenience, and what it promises ---

TEST_CASE("quantize is min_max, choose_params and quantize in one") {
  const auto x = pare_test::random_normal<float>({6, 35}, 7);
  for (const auto& r : quantize_cases::rules) {
    CAPTURE(r.name);
    for (const auto& combination : combinations) {
      quantize_cases::with_code(combination.code, [&](auto code) {
        using code_type = decltype(code);
        const auto q = pare::quantize<code_type>(x.view(), options_of(combination.scheme, r.rule));
        REQUIRE(q);
        const auto p = pare::choose_params<code_type>(pare::min_max(x.view()).value(),
                                                      options_of(combination.scheme, r.rule));
        REQUIRE(p);
        CHECK(q->scales(0) == p->scale);
        CHECK(q->view().params(0).zero_point == p->zero_point);
        auto codes = filled<code_type, 2>(x.extents(), 99);
        REQUIRE(pare::quantize(x.view(), *p, r.rule, codes.view()) == status::ok);
        CHECK(pare_test::equal(q->codes, codes));
      });
    }
  }
}

TEST_CASE("bytes counts codes, scales and zero points") {
  const auto x = pare_test::random_normal<float>({6, 35}, 8);
  const auto s8 = pare::quantize(x.view(), options_of(symmetry::symmetric, rule::pytorch, 0));
  REQUIRE(s8);
  CHECK(s8->bytes() == 6 * 35 + 6 * 4);
  const auto u8 =
      pare::quantize<std::uint8_t>(x.view(), options_of(symmetry::asymmetric, rule::onnx, 1));
  REQUIRE(u8);
  CHECK(u8->bytes() == 6 * 35 + 35 * 8);
}

TEST_CASE("s8 by default, symmetric, by PyTorch's rule and per tensor") {
  const float x[] = {-1.0f, 0.25f, 0.5f};
  const auto q = pare::quantize(pare::view(x));
  REQUIRE(q);
  static_assert(std::is_same_v<decltype(q->codes)::value_type, std::int8_t>);
  CHECK(q->axis == pare::per_tensor);
  CHECK(q->scales.size() == 1);
  CHECK(q->zero_points.empty());
  CHECK(q->scales(0) == pare::detail::divide(1.0f, 127.5f));
  CHECK_EQUAL_RANGES(q->codes, {-127, 32, 64});
}

TEST_CASE("symmetric codes stay in the range that their scale is made for, denormal scales too") {
  pare_test::random_source random(11);
  for (int round = 0; round < 4000; ++round) {
    // From 127 * 2^-128, below which there is no scale, to the largest float.
    const std::uint32_t low = 0x03ff0000u, high = 0x7f7fffffu;
    const std::uint32_t near = low + random.bits() % (round % 2 == 0 ? 0x00100000u : high - low);
    const float amax = pare::detail::bit_cast<float>(near);
    const float x[] = {-amax, amax};
    for (rule r : {rule::onnx, rule::tflite}) {
      const auto s8 = pare::quantize(pare::view(x), options_of(symmetry::symmetric, r));
      REQUIRE(s8);
      if (s8->scales(0) == 1.0f && amax < 1.0f) continue;  // `onnx` has no denormal scales
      REQUIRE(s8->codes(0) == -127);
      REQUIRE(s8->codes(1) == 127);
    }
    const auto u8 =
        pare::quantize<std::uint8_t>(pare::view(x), options_of(symmetry::symmetric, rule::tflite));
    REQUIRE(u8);
    if (u8->scales(0) == 1.0f && amax < 1.0f) continue;
    REQUIRE(u8->codes(0) == 1);
    REQUIRE(u8->codes(1) == 255);
  }
}

TEST_CASE("what quantize gives, dequantize takes, however small the range") {
  for (std::uint32_t bits = 1; bits < 0x10000000u; bits = bits * 3 + 1) {
    CAPTURE(bits);
    const float tiny = pare::detail::bit_cast<float>(bits);
    const float x[] = {-tiny, 0.0f, tiny};
    for (const auto& r : quantize_cases::rules) {
      for (const auto& combination : combinations) {
        quantize_cases::with_code(combination.code, [&](auto code) {
          const auto q =
              pare::quantize<decltype(code)>(pare::view(x), options_of(combination.scheme, r.rule));
          REQUIRE(q);
          CHECK(pare::is_valid_scale(q->scales(0)));
          CHECK(pare::dequantize(q->view()));
        });
      }
    }
  }
}

TEST_CASE("channels of zeros and constants come back as they were") {
  float x[3][20] = {};
  for (float& v : x[1]) v = 0.7f;
  for (float& v : x[2]) v = -3.0f;
  for (const auto& r : quantize_cases::rules) {
    CAPTURE(r.name);
    for (symmetry s : {symmetry::symmetric, symmetry::asymmetric}) {
      const auto q = pare::quantize(pare::view(x), options_of(s, r.rule, 0));
      REQUIRE(q);
      const auto back = pare::dequantize(q->view());
      REQUIRE(back);
      // Zero is exact. A constant is, up to the last bits of its scale, or half a step where the
      // symmetric range has no code for it.
      for (index_t i = 0; i < 20; ++i) {
        CHECK((*back)(0, i) == 0.0f);
        CHECK((*back)(1, i) == doctest::Approx(0.7).epsilon(0.004));
        CHECK((*back)(2, i) == doctest::Approx(-3.0).epsilon(0.004));
      }
    }
  }
}

TEST_CASE("a single element of rank 0 has its code") {
  const float x = -2.0f;
  const auto q = pare::quantize(pare::tensor_view<const float, pare::extents<index_t>>(&x),
                                options_of(symmetry::symmetric, rule::onnx));
  REQUIRE(q);
  CHECK(q->codes() == -127);
  CHECK(q->scales(0) == pare::detail::divide(2.0f, 127.0f));
}

TEST_CASE("values of any size saturate") {
  const float x[] = {quantize_cases::largest, -quantize_cases::largest, 1e10f, -1e10f, 3e9f, -3e9f};
  for (const auto& r : quantize_cases::rules) {
    for (float scale : {1.0f, 1e-30f}) {
      std::uint8_t u8[6] = {};
      std::int8_t s8[6] = {};
      REQUIRE(pare::quantize(pare::view(x), {scale, 100}, r.rule, pare::view(u8)) == status::ok);
      REQUIRE(pare::quantize(pare::view(x), {scale, 100}, r.rule, pare::view(s8)) == status::ok);
      CHECK_EQUAL_RANGES(u8, {255, 0, 255, 0, 255, 0});
      CHECK_EQUAL_RANGES(s8, {127, -128, 127, -128, 127, -128});
    }
  }
}

TEST_CASE("an empty tensor with given parameters is no error") {
  float x = 0;
  std::int8_t code = 99;
  const float scale = 1;
  for (const auto& r : quantize_cases::rules) {
    CHECK(pare::quantize(pare::view(&x, 0), {1.0f, 0}, r.rule, pare::view(&code, 0)) == status::ok);
    CHECK(pare::quantize(pare::view(&x, 1, 0), 0, pare::view(&scale, 1), {}, r.rule,
                         pare::view(&code, 1, 0)) == status::ok);
    CHECK(pare::quantize(pare::view(&x, 0, 1), 0, {}, {}, r.rule, pare::view(&code, 0, 1)) ==
          status::ok);
  }
  CHECK(pare::dequantize(pare::view(&code, 0), {1.0f, 0}, pare::view(&x, 0)) == status::ok);
  CHECK(code == 99);
}

// --- what cannot be ---

TEST_CASE("a NaN or an infinity is named by its place, and no code is written") {
  const float bad[] = {nan(), -nan(), infinity(), -infinity()};
  auto x = pare_test::random_normal<float>({3, 37}, 9);
  const auto scales = filled<float, 1>(pare::dextents<index_t, 1>(37), 0.1f);
  for (index_t i = 0; i < x.size(); ++i) {
    const float kept = x.data()[i];
    x.data()[i] = bad[i % 4];
    for (const auto& r : quantize_cases::rules) {
      auto codes = filled<std::int8_t, 2>(x.extents(), 99);
      const status one = pare::quantize(x.view(), {0.1f, 0}, r.rule, codes.view());
      REQUIRE(one == status::non_finite);
      REQUIRE(one.error().kind == pare::position_kind::element);
      REQUIRE(one.error().position == i);
      const status each = pare::quantize(x.view(), 1, scales.view(), {}, r.rule, codes.view());
      REQUIRE(each == status::non_finite);
      REQUIRE(each.error().position == i);
      for (std::int8_t c : codes) REQUIRE(c == 99);
      for (int axis : {pare::per_tensor, 0, 1}) {
        const auto q = pare::quantize(x.view(), options_of(symmetry::symmetric, r.rule, axis));
        REQUIRE(q == status::non_finite);
        REQUIRE(q.error().position == i);
      }
    }
    x.data()[i] = kept;
  }
}

TEST_CASE("bad parameters leave codes untouched") {
  const float x[] = {1, 2, 3, 4, 5, 6};
  std::int8_t s8[] = {9, 9, 9, 9, 9, 9};
  std::uint8_t u8[] = {9, 9, 9, 9, 9, 9};
  const auto in = pare::view(x, 2, 3);
  const auto out = pare::view(s8, 2, 3);
  const auto unsigned_out = pare::view(u8, 2, 3);
  SUBCASE("scales that do not divide") {
    for (const auto& r : quantize_cases::rules) {
      CHECK(pare::quantize(in, {0.0f, 0}, r.rule, out) == status::out_of_range);
      CHECK(pare::quantize(in, {-0.0f, 0}, r.rule, out) == status::out_of_range);
      CHECK(pare::quantize(in, {-1.0f, 0}, r.rule, out) == status::out_of_range);
      CHECK(pare::quantize(in, {nan(), 0}, r.rule, out) == status::non_finite);
      CHECK(pare::quantize(in, {infinity(), 0}, r.rule, out) == status::non_finite);
    }
  }
  SUBCASE("a scale whose inverse is infinite") {
    const float tiny = pare::detail::bit_cast<float>(std::uint32_t{0x00100000});  // 2^-129
    for (const auto& r : quantize_cases::rules) {
      CHECK(pare::quantize(in, {tiny, 0}, r.rule, out) == status::out_of_range);
    }
  }
  SUBCASE("a zero point that is no code") {
    for (const auto& r : quantize_cases::rules) {
      CHECK(pare::quantize(in, {1.0f, 128}, r.rule, out) == status::out_of_range);
      CHECK(pare::quantize(in, {1.0f, -129}, r.rule, out) == status::out_of_range);
      CHECK(pare::quantize(in, {1.0f, 256}, r.rule, unsigned_out) == status::out_of_range);
      CHECK(pare::quantize(in, {1.0f, -1}, r.rule, unsigned_out) == status::out_of_range);
    }
  }
  SUBCASE("one bad channel of several, named by its index") {
    float scales[] = {1, 1, 1};
    std::int32_t zeros[] = {0, 0, 0};
    scales[2] = nan();
    status s = pare::quantize(in, 1, pare::view(scales), pare::view(zeros), rule::onnx, out);
    CHECK(s == status::non_finite);
    CHECK(s.error().kind == pare::position_kind::element);
    CHECK(s.error().position == 2);
    scales[2] = 1;
    zeros[1] = 300;
    s = pare::quantize(in, 1, pare::view(scales), pare::view(zeros), rule::onnx, out);
    CHECK(s == status::out_of_range);
    CHECK(s.error().position == 1);
  }
  SUBCASE("channels that do not fit the axis") {
    const float scales[] = {1, 1, 1};
    const std::int32_t zeros[] = {0, 0, 0};
    const auto two = pare::view(scales, 2);
    CHECK(pare::quantize(in, 0, pare::view(scales), {}, rule::onnx, out) == status::shape_mismatch);
    CHECK(pare::quantize(in, 1, two, {}, rule::onnx, out) == status::shape_mismatch);
    CHECK(pare::quantize(in, 0, two, pare::view(zeros), rule::onnx, out) == status::shape_mismatch);
    CHECK(pare::quantize(in, 0, two, pare::view(zeros, 1), rule::onnx, out) ==
          status::shape_mismatch);
    for (int axis : {-2, pare::per_tensor, 2}) {
      const status s = pare::quantize(in, axis, two, {}, rule::onnx, out);
      CHECK(s == status::out_of_range);
      CHECK(s.error().position == axis);
    }
  }
  SUBCASE("codes of another shape, named by the dimension") {
    const status s = pare::quantize(in, {1.0f, 0}, rule::onnx, pare::view(s8, 2, 2));
    CHECK(s == status::shape_mismatch);
    CHECK(s.error().kind == pare::position_kind::axis);
    CHECK(s.error().position == 1);
    const float scales[] = {1, 1};
    CHECK(pare::quantize(in, 0, pare::view(scales), {}, rule::onnx, pare::view(s8, 3, 2)) ==
          status::shape_mismatch);
  }
  SUBCASE("a rule that is none") {
    const float scales[] = {1, 1};
    CHECK(pare::quantize(in, {1.0f, 0}, static_cast<rule>(9), out) == status::invalid_argument);
    CHECK(pare::quantize(in, 0, pare::view(scales), {}, static_cast<rule>(9), out) ==
          status::invalid_argument);
  }
  CHECK_EQUAL_RANGES(s8, {9, 9, 9, 9, 9, 9});
  CHECK_EQUAL_RANGES(u8, {9, 9, 9, 9, 9, 9});
}

TEST_CASE("the convenience refuses options it does not know, and tensors without a range") {
  const float x[] = {1, 2, 3, 4, 5, 6};
  const auto in = pare::view(x, 2, 3);
  pare::affine options;
  for (int bits : {0, 1, 9}) {
    options.bits = bits;
    CHECK(pare::quantize(in, options) == status::out_of_range);
  }
  options.bits = 8;
  for (int axis : {-2, 2, 9}) {
    options.axis = axis;
    const auto q = pare::quantize(in, options);
    CHECK(q == status::out_of_range);
    CHECK(q.error().position == axis);
  }
  options.axis = 0;
  options.rule = static_cast<rule>(9);
  CHECK(pare::quantize(in, options) == status::invalid_argument);
  options.rule = rule::pytorch;
  options.scheme = static_cast<symmetry>(9);
  CHECK(pare::quantize(in, options) == status::invalid_argument);
  options.scheme = symmetry::asymmetric;
  CHECK(pare::quantize(pare::view(x, 2, 0), options) == status::empty);
  CHECK(pare::quantize(pare::view(x, 0, 2), options) == status::empty);
  options.axis = pare::per_tensor;
  CHECK(pare::quantize(pare::view(x, 0), options) == status::empty);
}

TEST_CASE("dequantize refuses parameters that do not fit, and writes nothing") {
  const std::uint8_t codes[] = {1, 2, 3, 4, 5, 6};
  float out[] = {9, 9, 9, 9, 9, 9};
  const auto in = pare::view(codes, 2, 3);
  const auto to = pare::view(out, 2, 3);
  SUBCASE("one scale") {
    CHECK(pare::dequantize(in, {0.0f, 0}, to) == status::out_of_range);
    CHECK(pare::dequantize(in, {nan(), 0}, to) == status::non_finite);
    CHECK(pare::dequantize(in, {1.0f, -1}, to) == status::out_of_range);
    CHECK(pare::dequantize(in, {1.0f, 0}, pare::view(out, 3, 2)) == status::shape_mismatch);
  }
  SUBCASE("a view") {
    float scales[] = {1, 1, 1};
    const std::int32_t zeros[] = {0, 0, 0};
    pare::affine_view<std::uint8_t, pare::dextents<index_t, 2>> v;
    v.codes = in;
    v.scales = pare::view(scales);
    v.axis = 1;
    CHECK(pare::dequantize(v, pare::view(out, 3, 2)) == status::shape_mismatch);
    v.zero_points = pare::view(zeros, 2);
    CHECK(pare::dequantize(v, to) == status::shape_mismatch);
    v.zero_points = {};
    v.axis = 0;
    CHECK(pare::dequantize(v, to) == status::shape_mismatch);
    v.axis = pare::per_tensor;
    CHECK(pare::dequantize(v, to) == status::shape_mismatch);
    for (int axis : {-2, 2}) {
      v.axis = axis;
      CHECK(pare::dequantize(v, to) == status::out_of_range);
      CHECK(pare::dequantize(v) == status::out_of_range);
    }
    v.axis = 1;
    scales[1] = -1.0f;
    const status s = pare::dequantize(v, to);
    CHECK(s == status::out_of_range);
    CHECK(s.error().position == 1);
  }
  CHECK_EQUAL_RANGES(out, {9, 9, 9, 9, 9, 9});
}

TEST_CASE("dequantize reads and writes any layout, along any axis") {
  const auto codes = pare_test::random_codes<std::int8_t>({4, 5, 21}, 10);
  const auto left = pare_test::column_major_copy(codes);
  for (int axis = 0; axis < 3; ++axis) {
    CAPTURE(axis);
    const index_t channels = codes.extent(static_cast<std::size_t>(axis));
    pare::tensor<float, 1> scales({channels});
    pare::tensor<std::int32_t, 1> zeros({channels});
    for (index_t c = 0; c < channels; ++c) {
      scales(c) = 0.1f + 0.01f * static_cast<float>(c);
      zeros(c) = static_cast<std::int32_t>(c * 5 - 20);
    }
    pare::tensor<float, 3> expected(codes.extents());
    pare::for_each_pair(expected.view(), codes.view(), [&](float& x, std::int8_t code, index_t i) {
      const index_t at[] = {i / 105, i / 21 % 5, i % 21};
      x = static_cast<float>(code - zeros(at[axis])) * scales(at[axis]);
    });
    using shape = pare::dextents<index_t, 3>;
    const pare::affine_view<std::int8_t, shape> rows{codes.view(), scales.view(), zeros.view(),
                                                     axis};
    const pare::affine_view<std::int8_t, shape, pare::layout_left> columns{
        left.view(), scales.view(), zeros.view(), axis};
    const index_t strides[] = {130, 26, 1};
    pare_test::strided<float, 3> out({4, 5, 21}, {strides[0], strides[1], strides[2]});
    REQUIRE(pare::dequantize(rows, out.view()) == status::ok);
    CHECK(pare_test::equal_bits(out.view(), expected));
    CHECK(out.gaps_untouched());
    pare::for_each_element(out.view(), [](float& x, index_t) { x = -1.0f; });
    REQUIRE(pare::dequantize(columns, out.view()) == status::ok);
    CHECK(pare_test::equal_bits(out.view(), expected));
    CHECK(out.gaps_untouched());
  }
}

TEST_CASE("errors are those of the codes, for all axes and layouts") {
  const auto x = pare_test::random_normal<float>({3, 1500, 2}, 77);
  for (int axis = -1; axis < 3; ++axis) {
    for (const auto scheme : {pare::symmetry::symmetric, pare::symmetry::asymmetric}) {
      CAPTURE(axis);
      pare::affine options;
      options.bits = 4;
      options.axis = axis;
      options.scheme = scheme;
      pare::error_meter errors, again, expected;
      const auto q =
          pare::quantize(pare_test::column_major_copy(x).view(), options, &errors).value();
      const auto back = pare::dequantize(q.view()).value();
      for (pare::index_t i = 0; i < x.size(); ++i) expected.add(x.data()[i], back.data()[i]);
      CHECK(errors.count() == x.size());
      CHECK(errors.max_error() == expected.max_error());
      CHECK(errors.rms_error() == doctest::Approx(expected.rms_error()));
      CHECK(errors.sqnr() == doctest::Approx(expected.sqnr()));
      REQUIRE(pare::quantize(x.view(), options, &again));
      CHECK(again.max_error() == expected.max_error());
    }
  }
}

TEST_CASE("compressed-tensors clamps before it rounds, to the bit") {
  const auto v = pare_test::load("quantize/schemes.npz");
  const auto x = v.get<float, 2>("x");
  for (const int bits : {4, 8}) {
    for (const bool symmetric : {true, false}) {
      const std::string n =
          (symmetric ? "ct_symmetric" : "ct_asymmetric") + std::to_string(bits) + "_";
      CAPTURE(n);
      pare::affine options;
      options.bits = bits;
      options.axis = 0;
      options.rule = pare::affine_rule::compressed_tensors;
      options.scheme = symmetric ? pare::symmetry::symmetric : pare::symmetry::asymmetric;
      const auto q = pare::quantize(x.view(), options).value();
      CHECK(pare_test::equal_bits(q.scales, v.get<float, 1>(n + "scales")));
      const auto zeros = v.get<std::int32_t, 1>(n + "zero_points");
      for (index_t r = 0; r < 6; ++r) {
        CHECK((q.zero_points.empty() ? 0 : q.zero_points(r)) == zeros(r));
      }
      CHECK(pare_test::equal(q.codes, v.get<std::int8_t, 2>(n + "codes")));
    }
  }
  // 0.5 steps from a zero point of 1: 1.5 goes to 2; by ONNX 0.5 goes to 0, and 0 + 1 to 1.
  const float half[] = {0.5f};
  std::int8_t code[1];
  const pare::affine_params p{1.0f, 1};
  REQUIRE(pare::quantize(pare::view(half), p, pare::affine_rule::compressed_tensors,
                         pare::view(code)) == status::ok);
  CHECK(code[0] == 2);
  REQUIRE(pare::quantize(pare::view(half), p, pare::affine_rule::onnx, pare::view(code)) ==
          status::ok);
  CHECK(code[0] == 1);
}

TEST_CASE("the span of symmetric codes is chosen apart from the rule") {
  const auto v = pare_test::load("quantize/schemes.npz");
  const auto x = v.get<float, 2>("x");
  for (const int bits : {4, 8}) {
    CAPTURE(bits);
    pare::affine options;
    options.bits = bits;
    options.axis = 0;
    options.span = pare::code_span::restricted;
    const auto restricted = pare::quantize(x.view(), options).value();
    const std::string b = std::to_string(bits);
    CHECK(pare_test::equal_bits(restricted.scales, v.get<float, 1>("restricted" + b + "_scales")));
    CHECK(pare_test::equal(restricted.codes, v.get<std::int8_t, 2>("restricted" + b + "_codes")));
    options.span = pare::code_span::full;
    options.rule = pare::affine_rule::onnx;
    const auto full = pare::quantize(x.view(), options).value();
    CHECK(pare_test::equal_bits(full.scales, v.get<float, 1>("full" + b + "_scales")));
    CHECK(pare_test::equal(full.codes, v.get<std::int8_t, 2>("full" + b + "_codes")));
  }
  pare::affine options;
  options.span = static_cast<pare::code_span>(3);
  CHECK(pare::quantize(x.view(), options) == status::invalid_argument);
}
