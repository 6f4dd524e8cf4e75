// Softmax against TensorFlow Lite's arithmetic (vectors: tools/make_elementwise_vectors.py).
#include <pare/core/std_threads.hpp>
#include <pare/core/subview.hpp>
#include <pare/kernels/softmax.hpp>

#include <cmath>
#include <limits>
#include <vector>

#include "support/check.hpp"
#include "support/random.hpp"
#include "support/vectors.hpp"

using pare::index_t;

namespace {

template <class Code>
void check_case(const pare_test::archive& a, const std::string& id) {
  const auto x = a.get<Code, 2>("x" + id), expected = a.get<Code, 2>("y" + id);
  const auto p =
      pare::make_softmax_params(a.scalar<float>("scale" + id), a.scalar<float>("beta" + id))
          .value();
  pare::tensor<Code, 2> y{x.extents()};
  REQUIRE(pare::softmax(x.view(), p, y.view()) == pare::status::ok);
  CHECK(pare_test::equal(y, expected));
  // Row by row: few codes keep an exponential each, many share a table.
  for (index_t i = 0; i < x.extent(0); ++i) {
    const index_t n = x.extent(1);
    std::vector<Code> row(static_cast<std::size_t>(n) + 1, Code{77});
    REQUIRE(pare::softmax(pare::view(x.data() + i * n, 1, n), p, pare::view(row.data(), 1, n)) ==
            pare::status::ok);
    CHECK(row.back() == 77);
    row.pop_back();
    CHECK(pare_test::equal(row, pare::view(expected.data() + i * n, n)));
  }
}

const auto some_params = pare::make_softmax_params(0.1f).value();
static_assert(pare::make_softmax_params(1.0f / 16)->factor.multiplier ==
              pare::softmax_params{}.factor.multiplier);
static_assert(pare::make_softmax_params(1.0f / 16)->factor.shift ==
              pare::softmax_params{}.factor.shift);
static_assert(pare::make_softmax_params(1.0f / 16)->least_difference ==
              pare::softmax_params{}.least_difference);

}  // namespace

TEST_CASE("probabilities are those of TensorFlow Lite's SOFTMAX") {
  const auto a = pare_test::load("kernels/softmax.npz");
  for (int i = 0; i < a.scalar<int>("cases"); ++i) {
    const std::string id = std::to_string(i);
    CAPTURE(id);
    if (a.scalar<int>("signed" + id) != 0) {
      check_case<std::int8_t>(a, id);
    } else {
      check_case<std::uint8_t>(a, id);
    }
  }
}

TEST_CASE("the exponential and the reciprocal are gemmlowp's") {
  const auto a = pare_test::load("kernels/softmax.npz");
  const auto x = a.get<std::int32_t, 1>("exp_a"), exponentials = a.get<std::int32_t, 1>("exp");
  for (index_t i = 0; i < x.extent(0); ++i) {
    CAPTURE(x(i));
    CHECK(pare::kernels::scalar::exp_of_negative(x(i)) == exponentials(i));
    CHECK(std::fabs(exponentials(i) / 2147483648.0 - std::exp(x(i) / 67108864.0)) < 3e-7);
  }
  const auto sums = a.get<std::int32_t, 1>("sums"), scales = a.get<std::int32_t, 1>("scales");
  for (index_t i = 0; i < sums.extent(0); ++i) {
    CAPTURE(sums(i));
    const auto r = pare::kernels::scalar::reciprocal_of(sums(i));
    CHECK(r.scale == scales(i));
    CHECK(std::fabs(std::ldexp(r.scale, -31 - r.bits) * sums(i) / 524288.0 - 1) < 1e-6);
  }
}

TEST_CASE("probabilities are near real arithmetic, and s8 and u8 agree") {
  const auto x = pare_test::random_codes<std::int8_t>({50, 20}, 1);
  pare::tensor<std::uint8_t, 2> unsigned_x({50, 20}), from_u8({50, 20}), mixed({50, 20});
  for (index_t i = 0; i < x.size(); ++i) {
    unsigned_x.data()[i] = static_cast<std::uint8_t>(x.data()[i] + 128);
  }
  pare::tensor<std::int8_t, 2> y({50, 20});
  const auto p = pare::make_softmax_params(0.05f, 0.7f).value();
  REQUIRE(pare::softmax(x.view(), p, y.view()) == pare::status::ok);
  REQUIRE(pare::softmax(unsigned_x.view(), p, from_u8.view()) == pare::status::ok);
  REQUIRE(pare::softmax(x.view(), p, mixed.view()) == pare::status::ok);
  for (index_t i = 0; i < 50; ++i) {
    double sum = 0;
    for (index_t j = 0; j < 20; ++j) sum += std::exp(0.05 * 0.7 * x(i, j));
    for (index_t j = 0; j < 20; ++j) {
      const double real = std::fmin(255, 256 * std::exp(0.05 * 0.7 * x(i, j)) / sum);
      CHECK(std::fabs(y(i, j) + 128 - real) <= 0.501);
      CHECK(from_u8(i, j) == y(i, j) + 128);
      CHECK(mixed(i, j) == y(i, j) + 128);
    }
  }
}

TEST_CASE("strides, in place, threads") {
  const auto x = pare_test::random_codes<std::int8_t>({400, 70}, 2);
  pare::tensor<std::int8_t, 2> expected({400, 70});
  for (index_t i = 0; i < 400; ++i) {
    REQUIRE(pare::softmax(pare::view(x.data() + i * 70, 1, 70), some_params,
                          pare::view(expected.data() + i * 70, 1, 70)) == pare::status::ok);
  }
  auto apart = pare_test::strided_copy(x, 9);
  pare_test::strided<std::int8_t, 2> y({400, 70}, {75, 1});
  REQUIRE(pare::softmax(apart.view(), some_params, y.view(), pare::std_threads{3}) ==
          pare::status::ok);
  CHECK(pare_test::equal(y.view(), expected));
  CHECK(y.gaps_untouched());
  REQUIRE(pare::softmax(apart.view(), some_params, apart.view()) == pare::status::ok);
  CHECK(pare_test::equal(apart.view(), expected));
  CHECK(apart.gaps_untouched());
}

TEST_CASE("many equal logits saturate their sum") {
  for (const index_t n : {256, 257, 511, 512, 513, 1024, 4095, 4096, 5000}) {
    CAPTURE(n);
    pare::tensor<std::uint8_t, 2> x({1, n}), y({1, n});
    for (auto& code : x) code = 9;
    REQUIRE(pare::softmax(x.view(), some_params, y.view()) == pare::status::ok);
    // 256 / n of a code each; from 512 on, where TensorFlow Lite gives up, just below a half.
    const int expected = n < 512 ? 1 : 0;
    bool all = true;
    for (const int code : y) all = all && code == expected;
    CHECK(all);
  }
}

TEST_CASE("bad parameters") {
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              infinity = std::numeric_limits<float>::infinity();
  CHECK(pare::make_softmax_params(nan) == pare::status::non_finite);
  CHECK(pare::make_softmax_params(1.0f, infinity) == pare::status::non_finite);
  CHECK(pare::make_softmax_params(0.0f) == pare::status::out_of_range);
  CHECK(pare::make_softmax_params(-1.0f) == pare::status::out_of_range);
  CHECK(pare::make_softmax_params(1.0f, 0.0f) == pare::status::out_of_range);
  CHECK(pare::make_softmax_params(0x1p-26f) == pare::status::out_of_range);
  CHECK(pare::make_softmax_params(0x1.000002p-26f).has_value());
  // The largest factor there is: every other code counts as nothing.
  const auto p = pare::make_softmax_params(1e30f).value();
  CHECK(p.factor.multiplier == 0x7fffffff);
  CHECK(p.factor.shift == 31);
  CHECK(p.least_difference == 0);
  const std::int8_t x[1][3] = {{5, 4, 5}};
  std::int8_t y[1][3];
  REQUIRE(pare::softmax(pare::view(x), p, pare::view(y)) == pare::status::ok);
  CHECK(y[0][0] == 0);
  CHECK(y[0][1] == -128);
  CHECK(y[0][2] == 0);
  pare::tensor<std::int8_t, 2> wide({1, 300}), probabilities({1, 300});
  wide(0, 200) = 1;
  REQUIRE(pare::softmax(wide.view(), p, probabilities.view()) == pare::status::ok);
  for (index_t i = 0; i < 300; ++i) CHECK(probabilities(0, i) == (i == 200 ? 127 : -128));
}

TEST_CASE("exponentials are added to the sum rounded to 19 bits") {
  CHECK(pare::detail::softmax_part(0) == 0);
  CHECK(pare::detail::softmax_part(2047) == 0);
  CHECK(pare::detail::softmax_part(2048) == 1);
  CHECK(pare::detail::softmax_part(INT32_MAX) == 1u << 19);
}

TEST_CASE("bad shapes leave y untouched") {
  const auto x = pare_test::random_codes<std::int8_t>({4, 4}, 6);
  pare::tensor<std::int8_t, 2> y({4, 4});
  const auto before = y;
  CHECK(pare::softmax(pare::view(x.data(), 4, 3), some_params, y.view()) ==
        pare::status::shape_mismatch);
  CHECK(pare::softmax(pare::view(x.data(), 3, 4), some_params, y.view()) ==
        pare::status::shape_mismatch);
  CHECK(pare::softmax(pare::view(x.data(), 4, 0), some_params, pare::view(y.data(), 4, 0)) ==
        pare::status::empty);
  CHECK(pare::softmax(pare::transposed(x.view()), some_params, y.view()) ==
        pare::status::unsupported);
  CHECK(pare::softmax(x.view(), some_params, pare::transposed(y.view())) ==
        pare::status::unsupported);
  CHECK(pare_test::equal(y, before));
  CHECK(pare::softmax(pare::view(x.data(), 0, 4), some_params, pare::view(y.data(), 0, 4)) ==
        pare::status::ok);
}
