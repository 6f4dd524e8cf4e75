// Requantization of codes against TensorFlow Lite's arithmetic (vectors:
// tools/make_elementwise_vectors.py) and, for the rules in float, against their formulas.
#include <pare/core/subview.hpp>
#include <pare/kernels/requantize.hpp>

#include <cmath>
#include <limits>

#include "support/check.hpp"
#include "support/isas.hpp"
#include "support/random.hpp"
#include "support/vectors.hpp"

using pare::index_t;
using pare::requantization;

namespace {

template <class X, class Y>
void check_case(const pare_test::archive& a, const std::string& id) {
  const auto scales = a.get<float, 1>("scales" + id);
  const auto zeros = a.get<std::int32_t, 1>("zeros" + id);
  pare::tensor<X, 1> x({256});
  for (int i = 0; i < 256; ++i) x(i) = static_cast<X>(std::numeric_limits<X>::min() + i);
  for (const auto rule : {requantization::double_rounding, requantization::single_rounding}) {
    const auto p =
        pare::make_requantize_params<X, Y>({scales(0), zeros(0)}, {scales(1), zeros(1)}, rule)
            .value();
    const std::string name = rule == requantization::double_rounding ? "y_double" : "y_single";
    const auto expected = a.get<Y, 1>(name + id);
    pare_test::for_each_isa([&](pare::isa) {
      pare::tensor<Y, 1> y({256}), few({255});
      REQUIRE(pare::requantize(x.view(), p, y.view()) == pare::status::ok);
      CHECK(pare_test::equal(y, expected));
      // Less than 256 codes go without a table.
      REQUIRE(pare::requantize(pare::view(x.data() + 1, 255), p, few.view()) == pare::status::ok);
      CHECK(pare_test::equal(few, pare::view(expected.data() + 1, 255)));
    });
  }
}

}  // namespace

TEST_CASE("codes are those of TensorFlow Lite's QUANTIZE") {
  const auto a = pare_test::load("kernels/requantize.npz");
  for (int i = 0; i < a.scalar<int>("cases"); ++i) {
    const std::string id = std::to_string(i);
    CAPTURE(id);
    const bool from_s8 = a.scalar<int>("x_signed" + id) != 0,
               to_s8 = a.scalar<int>("y_signed" + id) != 0;
    if (from_s8 && to_s8) check_case<std::int8_t, std::int8_t>(a, id);
    if (from_s8 && !to_s8) check_case<std::int8_t, std::uint8_t>(a, id);
    if (!from_s8 && to_s8) check_case<std::uint8_t, std::int8_t>(a, id);
    if (!from_s8 && !to_s8) check_case<std::uint8_t, std::uint8_t>(a, id);
  }
}

TEST_CASE("the rules in float follow their formulas") {
  const pare::affine_params x{0.3f, 7}, y{0.1f, -11};
  const auto nearest =
      pare::make_requantize_params<std::uint8_t, std::int8_t>(x, y, requantization::nearest)
          .value();
  const auto onnx =
      pare::make_requantize_params<std::uint8_t, std::int8_t>(x, y, requantization::onnx).value();
  const float factor = static_cast<float>(static_cast<double>(0.3f) / static_cast<double>(0.1f));
  for (int code = 0; code < 256; ++code) {
    const float scaled = static_cast<float>(code - 7) * factor;
    CHECK(nearest(static_cast<std::uint8_t>(code)) ==
          std::fmax(-128, std::fmin(127, std::nearbyint(scaled) - 11)));
    CHECK(onnx(static_cast<std::uint8_t>(code)) ==
          std::fmax(-128, std::fmin(127, std::nearbyint(scaled - 11))));
  }
}

TEST_CASE("s8 and u8 of the same scale differ by their zero points alone") {
  const auto p = *pare::make_requantize_params<std::uint8_t, std::int8_t>({0.1f, 128}, {0.1f, 0});
  for (int code = 0; code < 256; ++code) CHECK(p(static_cast<std::uint8_t>(code)) == code - 128);
}

TEST_CASE("any strides, and in place") {
  const auto p = *pare::make_requantize_params<std::int8_t>({0.1f, 3}, {0.2f, -4});
  const auto x = pare_test::random_codes<std::int8_t>({5, 3, 40}, 1);
  pare::tensor<std::int8_t, 3> expected({5, 3, 40});
  pare::for_each_pair(expected.view(), x.view(),
                      [&](std::int8_t& y, std::int8_t code, index_t) { y = p(code); });
  auto apart = pare_test::strided_copy(x);
  REQUIRE(pare::requantize(apart.view(), p, apart.view()) == pare::status::ok);
  CHECK(pare_test::equal(apart.view(), expected));
  CHECK(apart.gaps_untouched());
}

TEST_CASE("bad input") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto make = [](pare::affine_params x, pare::affine_params y,
                       requantization rule = requantization::double_rounding) {
    return pare::make_requantize_params<std::int8_t, std::uint8_t>(x, y, rule).status();
  };
  CHECK(make({nan, 0}, {1.0f, 0}) == pare::status::non_finite);
  CHECK(make({1.0f, 0}, {nan, 0}) == pare::status::non_finite);
  CHECK(make({0.0f, 0}, {1.0f, 0}) == pare::status::out_of_range);
  CHECK(make({1.0f, 0}, {0.0f, 0}) == pare::status::out_of_range);
  CHECK(make({1.0f, 128}, {1.0f, 0}) == pare::status::out_of_range);
  CHECK(make({1.0f, 0}, {1.0f, 256}) == pare::status::out_of_range);
  CHECK(make({4194304.0f, 0}, {1.0f, 0}) == pare::status::out_of_range);
  CHECK(make({4194303.0f, 0}, {1.0f, 0}) == pare::status::ok);
  CHECK(make({1e-30f, 0}, {1e30f, 0}) == pare::status::ok);
  CHECK(make({1.0f, 0}, {1.0f, 0}, static_cast<requantization>(9)) ==
        pare::status::invalid_argument);

  const auto p = *pare::make_requantize_params<std::int8_t>({0.1f, 3}, {0.2f, -4});
  const auto x = pare_test::random_codes<std::int8_t>({4, 4}, 6);
  pare::tensor<std::int8_t, 2> y({4, 4});
  const auto before = y;
  CHECK(pare::requantize(pare::view(x.data(), 4, 3), p, pare::view(y.data(), 3, 4)) ==
        pare::status::shape_mismatch);
  CHECK(pare::requantize(pare::transposed(x.view()), p, y.view()) == pare::status::unsupported);
  CHECK(pare::requantize(x.view(), p, pare::transposed(y.view())) == pare::status::unsupported);
  CHECK(pare_test::equal(y, before));
  CHECK(pare::requantize(pare::view(x.data(), 0), p, pare::view(y.data(), 0)) == pare::status::ok);
}
