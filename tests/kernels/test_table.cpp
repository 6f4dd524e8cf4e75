// Tables of activations: their rule against TensorFlow Lite's arithmetic (vectors:
// tools/make_elementwise_vectors.py), and every instruction set against looking up code by code.
#include <pare/core/std_threads.hpp>
#include <pare/core/subview.hpp>
#include <pare/kernels/table.hpp>

#include <cmath>
#include <limits>
#include <vector>

#include "support/check.hpp"
#include "support/isas.hpp"
#include "support/random.hpp"
#include "support/vectors.hpp"

using pare::index_t;

namespace {

float function_of(int index, float x) {
  const double d = static_cast<double>(x);
  switch (index) {
    case 0: return static_cast<float>(1 / (1 + std::exp(-d)));
    case 1: return static_cast<float>(std::tanh(d));
    case 2: return static_cast<float>(0.5 * d * (1 + std::erf(d * std::sqrt(0.5))));
    default: return static_cast<float>(d * std::fmin(std::fmax(d + 3, 0), 6) / 6);
  }
}

template <class X, class Y>
void check_rule(const pare_test::archive& a, const std::string& id) {
  const auto scales = a.get<float, 1>("scales" + id);
  const auto zeros = a.get<std::int32_t, 1>("zeros" + id);
  const auto expected = a.get<Y, 1>("y" + id);
  const int index = a.scalar<int>("function" + id);
  const auto table =
      pare::make_table<X, Y>({scales(0), zeros(0)}, {scales(1), zeros(1)}, [index](float x) {
        return function_of(index, x);
      }).value();
  constexpr int least = std::numeric_limits<X>::min();
  for (int x = least; x < least + 256; ++x) {
    CAPTURE(x);
    CHECK(int{table(static_cast<X>(x))} == int{expected(x - least)});
  }
}

struct twice {
  constexpr float operator()(float x) const { return 2.0f * x; }
};

/// A table made by the compiler: nothing is left to do at run time.
constexpr auto doubled =
    pare::make_table<std::int8_t, std::uint8_t>({0.5f, 2}, {0.25f, 10}, twice{}).value();
static_assert(doubled(2) == 10 && doubled(3) == 14 && doubled(-128) == 0 && doubled(127) == 255);

template <class X, class Y>
pare::code_table<X, Y> random_table(std::uint32_t seed) {
  pare_test::random_source random(seed);
  pare::code_table<X, Y> table;
  for (Y& y : table.codes) y = static_cast<Y>(random.bits());
  return table;
}

}  // namespace

TEST_CASE("tables follow LUTPopulate") {
  const auto a = pare_test::load("kernels/table.npz");
  for (int i = 0; i < a.scalar<int>("cases"); ++i) {
    const std::string id = std::to_string(i);
    CAPTURE(id);
    const bool from_s8 = a.scalar<int>("x_signed" + id) != 0,
               to_s8 = a.scalar<int>("y_signed" + id) != 0;
    if (from_s8 && to_s8) check_rule<std::int8_t, std::int8_t>(a, id);
    if (from_s8 && !to_s8) check_rule<std::int8_t, std::uint8_t>(a, id);
    if (!from_s8 && to_s8) check_rule<std::uint8_t, std::int8_t>(a, id);
    if (!from_s8 && !to_s8) check_rule<std::uint8_t, std::uint8_t>(a, id);
  }
}

TEST_CASE("ties go away from zero") {
  const auto same = [](float x) { return x; };
  const auto t = pare::make_table<std::int8_t>({0.5f, 0}, {1.0f, 0}, same).value();
  CHECK(t(1) == 1);
  CHECK(t(3) == 2);
  CHECK(t(5) == 3);
  CHECK(t(-1) == -1);
  CHECK(t(-3) == -2);
  CHECK(t(-5) == -3);
}

TEST_CASE("values beyond all codes saturate") {
  const float infinity = std::numeric_limits<float>::infinity();
  const auto huge = [&](float x) { return x < 0 ? -infinity : x > 0 ? 3e38f : 0.0f; };
  const auto t = pare::make_table<std::int8_t>({1.0f, 0}, {1e-3f, 5}, huge).value();
  CHECK(t(-1) == -128);
  CHECK(t(0) == 5);
  CHECK(t(1) == 127);
}

TEST_CASE("every instruction set looks up the same, for all lengths") {
  const auto table = random_table<std::uint8_t, std::uint8_t>(1);
  pare_test::for_each_isa([&](pare::isa i) {
    const auto kernel = pare::detail::table_kernels_of(i);
    for (index_t n = 0; n < 200; ++n) {
      const auto x = pare_test::random_codes<std::uint8_t>({n + 1}, static_cast<std::uint32_t>(n));
      std::vector<std::uint8_t> y(static_cast<std::size_t>(n) + 1, 77), expected = y;
      for (index_t j = 0; j < n; ++j) expected[static_cast<std::size_t>(j)] = table(x(j));
      kernel.apply(x.data(), n, table.codes, y.data());
      CHECK(pare_test::equal(y, expected));
    }
    std::uint8_t all[256], out[256];
    for (int j = 0; j < 256; ++j) all[j] = static_cast<std::uint8_t>(j);
    kernel.apply(all, 256, table.codes, out);
    CHECK(pare_test::equal(out, table.codes));
  });
}

TEST_CASE("tables are applied to any strides, in place, and by threads") {
  const auto table = random_table<std::int8_t, std::int8_t>(2);
  const auto x = pare_test::random_codes<std::int8_t>({3, 7, 50}, 3);
  pare::tensor<std::int8_t, 3> expected({3, 7, 50});
  pare::for_each_pair(expected.view(), x.view(),
                      [&](std::int8_t& y, std::int8_t code, index_t) { y = table(code); });
  pare_test::for_each_isa([&](pare::isa) {
    const auto apart = pare_test::strided_copy(x, 5);
    pare_test::strided<std::int8_t, 3> y({3, 7, 50}, {400, 53, 1});
    REQUIRE(pare::apply_table(apart.view(), table, y.view()) == pare::status::ok);
    CHECK(pare_test::equal(y.view(), expected));
    CHECK(y.gaps_untouched());
    auto in_place = x;
    REQUIRE(pare::apply_table(in_place.view(), table, in_place.view(), pare::std_threads{3}) ==
            pare::status::ok);
    CHECK(pare_test::equal(in_place, expected));
  });
  const auto large = pare_test::random_codes<std::int8_t>({100001}, 4);
  pare::tensor<std::int8_t, 1> one({100001}), many({100001});
  REQUIRE(pare::apply_table(large.view(), table, one.view()) == pare::status::ok);
  REQUIRE(pare::apply_table(large.view(), table, many.view(), pare::std_threads{4}) ==
          pare::status::ok);
  CHECK(pare_test::equal(one, many));
  CHECK(one(100000) == table(large(100000)));
}

TEST_CASE("bad parameters make no table") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto make = [](pare::affine_params x, pare::affine_params y) {
    return pare::make_table<std::int8_t, std::uint8_t>(x, y, twice{}).status();
  };
  CHECK(make({nan, 0}, {1.0f, 0}) == pare::status::non_finite);
  CHECK(make({1.0f, 0}, {nan, 0}) == pare::status::non_finite);
  CHECK(make({0.0f, 0}, {1.0f, 0}) == pare::status::out_of_range);
  CHECK(make({1.0f, 0}, {-1.0f, 0}) == pare::status::out_of_range);
  CHECK(make({1.0f, 128}, {1.0f, 0}) == pare::status::out_of_range);
  CHECK(make({1.0f, 0}, {1.0f, -1}) == pare::status::out_of_range);
  const auto not_a_number = pare::make_table<std::int8_t>(
      {1.0f, 0}, {1.0f, 0}, [&](float x) { return x == -126.0f ? nan : x; });
  CHECK(not_a_number == pare::status::non_finite);
  CHECK(not_a_number.error().position == 2);
}

TEST_CASE("bad shapes leave y untouched") {
  const auto table = random_table<std::int8_t, std::int8_t>(5);
  const auto x = pare_test::random_codes<std::int8_t>({4, 4}, 6);
  pare::tensor<std::int8_t, 2> y({4, 4});
  const auto before = y;
  CHECK(pare::apply_table(pare::view(x.data(), 4, 3), table, pare::view(y.data(), 3, 4)) ==
        pare::status::shape_mismatch);
  CHECK(pare::apply_table(pare::view(x.data(), 4, 3), table, pare::view(y.data(), 12)) ==
        pare::status::shape_mismatch);
  CHECK(pare::apply_table(pare::transposed(x.view()), table, y.view()) ==
        pare::status::unsupported);
  CHECK(pare::apply_table(x.view(), table, pare::transposed(y.view())) ==
        pare::status::unsupported);
  CHECK(pare_test::equal(y, before));
  CHECK(pare::apply_table(pare::view(x.data(), 0, 3), table, pare::view(y.data(), 0, 3)) ==
        pare::status::ok);
}
