// Means of channels against TensorFlow Lite's arithmetic (vectors:
// tools/make_elementwise_vectors.py), and every instruction set against scalar code.
#include <pare/core/std_threads.hpp>
#include <pare/core/subview.hpp>
#include <pare/kernels/global_average_pool.hpp>

#include <cmath>
#include <limits>

#include "support/check.hpp"
#include "support/isas.hpp"
#include "support/random.hpp"
#include "support/vectors.hpp"

using pare::index_t;
using pare::requantization;

namespace {

template <class Code>
void check_case(const pare_test::archive& a, const std::string& id) {
  const auto x = a.get<Code, 4>("mean_x" + id);
  const auto scales = a.get<float, 1>("mean_scales" + id);
  const auto zeros = a.get<std::int32_t, 1>("mean_zeros" + id);
  for (const auto rule : {requantization::double_rounding, requantization::single_rounding}) {
    const std::string name =
        rule == requantization::double_rounding ? "mean_double" : "mean_single";
    const auto expected = a.get<Code, 2>(name + id);
    const auto p = pare::make_global_average_pool_params<Code>({scales(0), zeros(0)},
                                                               {scales(1), zeros(1)}, {}, rule)
                       .value();
    pare_test::for_each_isa([&](pare::isa) {
      pare::tensor<Code, 2> y{expected.extents()};
      REQUIRE(pare::global_average_pool(x.view(), p, y.view()) == pare::status::ok);
      CHECK(pare_test::equal(y, expected));
    });
  }
}

template <class Code>
void check_real_arithmetic(const index_t (&shape)[4], std::uint32_t seed) {
  const pare::affine_params in{0.1f, 5}, out{0.04f, 9};
  // With two roundings, the first costs up to 1/16 of a code here.
  const auto p =
      pare::make_global_average_pool_params<Code>(in, out, {}, requantization::single_rounding)
          .value();
  const auto x = pare_test::random_codes<Code>(shape, seed);
  const auto apart = pare_test::strided_copy(x, 2);
  pare::tensor<Code, 2> expected({shape[0], shape[3]});
  bool first = true;
  pare_test::for_each_isa([&](pare::isa) {
    pare_test::strided<Code, 4> y({shape[0], 1, 1, shape[3]}, {shape[3] + 3, 1, 1, 1});
    REQUIRE(pare::global_average_pool(apart.view(), p, y.view(), pare::std_threads{2}) ==
            pare::status::ok);
    CHECK(y.gaps_untouched());
    for (index_t n = 0; n < shape[0]; ++n) {
      for (index_t c = 0; c < shape[3]; ++c) {
        const Code got = y.view()(n, 0, 0, c);
        if (first) {
          double sum = 0;
          for (index_t i = 0; i < shape[1] * shape[2]; ++i) {
            sum += x(n, i / shape[2], i % shape[2], c) - 5;
          }
          const double count = static_cast<double>(shape[1] * shape[2]);
          const double real = sum / count * (double{0.1f} / double{0.04f}) + 9;
          const double bounded = std::fmax(std::numeric_limits<Code>::min(),
                                           std::fmin(std::numeric_limits<Code>::max(), real));
          CHECK(std::fabs(bounded - got) <= 0.5001);
          expected(n, c) = got;
        } else {
          CHECK(got == expected(n, c));
        }
      }
    }
    first = false;
  });
}

const auto some_params =
    pare::make_global_average_pool_params<std::int8_t>({0.1f, 5}, {0.04f, 9}).value();

}  // namespace

TEST_CASE("means are those of TensorFlow Lite's MEAN") {
  const auto a = pare_test::load("kernels/pool.npz");
  for (int i = 0; i < a.scalar<int>("means"); ++i) {
    const std::string id = std::to_string(i);
    CAPTURE(id);
    if (a.scalar<int>("mean_signed" + id) != 0) {
      check_case<std::int8_t>(a, id);
    } else {
      check_case<std::uint8_t>(a, id);
    }
  }
}

TEST_CASE("means are near real arithmetic, the same on every instruction set") {
  for (const index_t channels : {1, 15, 16, 17, 31, 33, 64, 65, 150}) {
    CAPTURE(channels);
    check_real_arithmetic<std::int8_t>({2, 7, 7, channels}, 1);
    check_real_arithmetic<std::uint8_t>({1, 20, 33, channels}, 2);
  }
  check_real_arithmetic<std::uint8_t>({1, 300, 300, 17}, 3);
}

TEST_CASE("limits clamp") {
  const auto x = pare_test::random_codes<std::int8_t>({1, 2, 2, 40}, 1);
  const auto p =
      pare::make_global_average_pool_params<std::int8_t>({0.1f, 5}, {0.04f, 9}, {9, 50}).value();
  pare::tensor<std::int8_t, 2> y({1, 40}), all({1, 40});
  REQUIRE(pare::global_average_pool(x.view(), p, y.view()) == pare::status::ok);
  REQUIRE(pare::global_average_pool(x.view(), some_params, all.view()) == pare::status::ok);
  for (index_t c = 0; c < 40; ++c) CHECK(y(0, c) == std::max(9, std::min<int>(50, all(0, c))));
}

TEST_CASE("bad input leaves y untouched") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const pare::affine_params good{1.0f, 0};
  const auto make = [](pare::affine_params x, pare::affine_params y, pare::code_limits limits = {},
                       requantization rule = requantization::double_rounding) {
    return pare::make_global_average_pool_params<std::uint8_t>(x, y, limits, rule).status();
  };
  CHECK(make(good, good) == pare::status::ok);
  CHECK(make({nan, 0}, good) == pare::status::non_finite);
  CHECK(make(good, {nan, 0}) == pare::status::non_finite);
  CHECK(make({0.0f, 0}, good) == pare::status::out_of_range);
  CHECK(make(good, {1.0f, 256}) == pare::status::out_of_range);
  CHECK(make({1.0f, -1}, good) == pare::status::out_of_range);
  CHECK(make({1048576.0f, 0}, good) == pare::status::out_of_range);
  CHECK(make({1048575.0f, 0}, good) == pare::status::ok);
  CHECK(make(good, good, {256, 300}) == pare::status::out_of_range);
  CHECK(make(good, good, {}, requantization::onnx) == pare::status::invalid_argument);

  const auto x = pare_test::random_codes<std::int8_t>({2, 3, 3, 4}, 1);
  pare::tensor<std::int8_t, 2> y({2, 4});
  const auto before = y;
  const auto pool = [](const auto& from, const auto& to) {
    return pare::global_average_pool(from, some_params, to);
  };
  CHECK(pool(x.view(), pare::view(y.data(), 1, 4)) == pare::status::shape_mismatch);
  CHECK(pool(x.view(), pare::view(y.data(), 2, 3)) == pare::status::shape_mismatch);
  CHECK(pool(pare::view(x.data(), 2, 3, 3, 2), pare::view(y.data(), 2, 2, 1, 2)) ==
        pare::status::shape_mismatch);
  CHECK(pool(pare::view(x.data(), 2, 3, 3, 2), pare::view(y.data(), 2, 1, 2, 2)) ==
        pare::status::shape_mismatch);
  CHECK(pool(pare::view(x.data(), 2, 0, 3, 4), y.view()) == pare::status::empty);
  CHECK(pool(pare::view(x.data(), 2, 3, 0, 4), y.view()) == pare::status::empty);
  CHECK(pool(pare::view(x.data(), 2, 1 << 12, 1 << 12, 4), y.view()) == pare::status::overflow);
  const auto apart =
      pare::subview(x.view(), pare::all, pare::all, pare::all, pare::strided_range{0, 4, 2});
  CHECK(pool(apart, pare::view(y.data(), 2, 2)) == pare::status::unsupported);
  CHECK(pool(pare::view(x.data(), 2, 3, 3, 2),
             pare::subview(y.view(), pare::all, pare::strided_range{0, 4, 2})) ==
        pare::status::unsupported);
  CHECK(pare_test::equal(y, before));
  CHECK(pool(pare::view(x.data(), 0, 3, 3, 4), pare::view(y.data(), 0, 4)) == pare::status::ok);
  CHECK(pool(pare::view(x.data(), 2, 3, 3, 0), pare::view(y.data(), 2, 0)) == pare::status::ok);
}
