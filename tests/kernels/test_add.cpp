// Sums of codes against TensorFlow Lite's arithmetic with its three multipliers (vectors:
// tools/make_elementwise_vectors.py), and every instruction set against scalar code.
#include <pare/core/std_threads.hpp>
#include <pare/core/subview.hpp>
#include <pare/kernels/add.hpp>

#include <cmath>
#include <limits>
#include <vector>

#include "support/check.hpp"
#include "support/isas.hpp"
#include "support/random.hpp"
#include "support/vectors.hpp"

using pare::index_t;
using pare::requantization;

namespace {

template <class Code>
void check_case(const pare_test::archive& archive, const std::string& id) {
  const auto a = archive.get<Code, 1>("a" + id), b = archive.get<Code, 1>("b" + id);
  const auto scales = archive.get<float, 1>("scales" + id);
  const auto zeros = archive.get<std::int32_t, 1>("zeros" + id),
             limits = archive.get<std::int32_t, 1>("limits" + id);
  for (const auto rule : {requantization::double_rounding, requantization::single_rounding}) {
    const auto act = static_cast<pare::activation>(archive.scalar<int>("act" + id));
    const auto p = pare::make_add_params<Code>({scales(0), zeros(0)}, {scales(1), zeros(1)},
                                               {scales(2), zeros(2)}, {act, rule})
                       .value();
    CHECK(p.limits.low == limits(0));
    CHECK(p.limits.high == limits(1));
    const std::string name = rule == requantization::double_rounding ? "y_double" : "y_single";
    const auto expected = archive.get<Code, 1>(name + id);
    pare_test::for_each_isa([&](pare::isa) {
      pare::tensor<Code, 1> y({a.extent(0)});
      REQUIRE(pare::add(a.view(), b.view(), p, y.view()) == pare::status::ok);
      CHECK(pare_test::equal(y, expected));
    });
  }
}

/// A sum by the scalar kernel, one code at a time.
template <class Code>
Code add_one(Code a, Code b, const pare::add_params<Code>& p) {
  const auto args = pare::detail::args_of(p);
  const auto left = static_cast<std::uint8_t>(p.b_is_larger != 0 ? b : a),
             right = static_cast<std::uint8_t>(p.b_is_larger != 0 ? a : b);
  std::uint8_t y = 0;
  pare::kernels::scalar::add(args, &left, &right, 1, &y);
  return static_cast<Code>(y);
}

template <class Code>
void check_random(std::uint32_t seed) {
  CAPTURE(seed);
  pare_test::random_source random(seed);
  const auto params = [&](double low, double high) {
    return pare::affine_params{
        static_cast<float>(std::exp2(low + (high - low) * random.uniform())),
        static_cast<std::int32_t>(
            random.integer(std::numeric_limits<Code>::min(), std::numeric_limits<Code>::max()))};
  };
  pare::add_options options;
  options.act = static_cast<pare::activation>(random.integer(0, 2));
  if (random.integer(0, 1) == 1) options.rule = requantization::single_rounding;
  const auto sa = params(-10, 2), sb = params(-10, 2);
  auto sy = params(-12, 6);
  if (seed % 3 == 0) sy.scale = std::exp2(std::floor(std::log2(sa.scale))), options.act = {};
  const auto p = pare::make_add_params<Code>(sa, sb, sy, options).value();
  const index_t n = random.index(0, 100);
  const auto a = pare_test::random_codes<Code>({n + 1}, seed + 1),
             b = pare_test::random_codes<Code>({n + 1}, seed + 2);
  std::vector<Code> expected(static_cast<std::size_t>(n) + 1, Code{77});
  for (index_t i = 0; i < n; ++i) {
    expected[static_cast<std::size_t>(i)] = add_one<Code>(a(i), b(i), p);
  }
  pare_test::for_each_isa([&](pare::isa) {
    std::vector<Code> y(static_cast<std::size_t>(n) + 1, Code{77});
    REQUIRE(pare::add(pare::view(a.data(), n), pare::view(b.data(), n), p,
                      pare::view(y.data(), n)) == pare::status::ok);
    CHECK(pare_test::equal(y, expected));
  });
}

const auto some_params =
    pare::make_add_params<std::int8_t>({0.05f, 3}, {0.08f, -7}, {0.1f, 11}).value();

}  // namespace

TEST_CASE("sums are those of TensorFlow Lite's ADD") {
  const auto archive = pare_test::load("kernels/add.npz");
  for (int i = 0; i < archive.scalar<int>("cases"); ++i) {
    const std::string id = std::to_string(i);
    CAPTURE(id);
    if (archive.scalar<int>("signed" + id) != 0) {
      check_case<std::int8_t>(archive, id);
    } else {
      check_case<std::uint8_t>(archive, id);
    }
  }
}

TEST_CASE("every instruction set gives the same sums") {
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    check_random<std::int8_t>(seed);
    check_random<std::uint8_t>(seed);
  }
}

TEST_CASE("all pairs of codes, where ties are many") {
  // Scales that are powers of two put half of the sums on ties.
  pare::tensor<std::int8_t, 2> a({256, 256}), b({256, 256}), y({256, 256}), expected({256, 256});
  for (index_t i = 0; i < 256; ++i) {
    for (index_t j = 0; j < 256; ++j) {
      a(i, j) = static_cast<std::int8_t>(i);
      b(i, j) = static_cast<std::int8_t>(j);
    }
  }
  for (const auto rule : {requantization::double_rounding, requantization::single_rounding}) {
    pare::add_options options;
    options.rule = rule;
    const auto p =
        pare::make_add_params<std::int8_t>({0.5f, 3}, {0.25f, -6}, {2.0f, 1}, options).value();
    for (index_t i = 0; i < 256 * 256; ++i) {
      expected.data()[i] = add_one<std::int8_t>(a.data()[i], b.data()[i], p);
    }
    pare_test::for_each_isa([&](pare::isa) {
      REQUIRE(pare::add(a.view(), b.view(), p, y.view()) == pare::status::ok);
      CHECK(pare_test::equal(y, expected));
    });
    // Against real arithmetic, ties aside.
    for (index_t i = 0; i < 256 * 256; ++i) {
      const double real = ((a.data()[i] - 3) * 0.5 + (b.data()[i] + 6) * 0.25) / 2.0 + 1;
      const double bounded = std::fmax(-128, std::fmin(127, real));
      if (std::fabs(bounded - expected.data()[i]) > 0.5) FAIL_CHECK("element " << i);
    }
  }
}

TEST_CASE("any strides, in place, and by threads") {
  const index_t shape[] = {3, 5, 7, 33};
  const auto a = pare_test::random_codes<std::int8_t>(shape, 1),
             b = pare_test::random_codes<std::int8_t>(shape, 2);
  pare::tensor<std::int8_t, 4> expected(shape);
  for (index_t i = 0; i < a.size(); ++i) {
    expected.data()[i] = add_one<std::int8_t>(a.data()[i], b.data()[i], some_params);
  }
  pare_test::for_each_isa([&](pare::isa) {
    const auto a_apart = pare_test::strided_copy(a, 4), b_apart = pare_test::strided_copy(b, 0);
    pare_test::strided<std::int8_t, 4> y(shape, {5000, 600, 40, 1});
    REQUIRE(pare::add(a_apart.view(), b_apart.view(), some_params, y.view()) == pare::status::ok);
    CHECK(pare_test::equal(y.view(), expected));
    CHECK(y.gaps_untouched());
    auto a_sum = a, b_sum = b;
    REQUIRE(pare::add(a_sum.view(), b.view(), some_params, a_sum.view(), pare::std_threads{3}) ==
            pare::status::ok);
    CHECK(pare_test::equal(a_sum, expected));
    REQUIRE(pare::add(a.view(), b_sum.view(), some_params, b_sum.view()) == pare::status::ok);
    CHECK(pare_test::equal(b_sum, expected));
  });
}

TEST_CASE("one operand may be a vector of channels, or one number") {
  for (const bool b_is_larger : {false, true}) {
    const auto p = pare::make_add_params<std::uint8_t>({0.05f, 3}, {b_is_larger ? 0.08f : 0.02f, 7},
                                                       {0.1f, 11})
                       .value();
    for (const index_t channels : {1, 2, 40, 300}) {
      const index_t shape[] = {2, 3, 5, channels};
      const auto a = pare_test::random_codes<std::uint8_t>(shape, 1);
      const auto b = pare_test::random_codes<std::uint8_t>({channels}, 2);
      const std::uint8_t number[] = {200};
      pare::tensor<std::uint8_t, 4> by_channel(shape), by_number(shape);
      for (index_t i = 0; i < a.size(); ++i) {
        by_channel.data()[i] = add_one<std::uint8_t>(a.data()[i], b(i % channels), p);
        by_number.data()[i] = add_one<std::uint8_t>(a.data()[i], number[0], p);
      }
      pare_test::for_each_isa([&](pare::isa) {
        const auto apart = pare_test::strided_copy(a, 3);
        pare_test::strided<std::uint8_t, 4> y(shape, {8000, 2000, 310, 1});
        REQUIRE(pare::add(apart.view(), b.view(), p, y.view()) == pare::status::ok);
        CHECK(pare_test::equal(y.view(), by_channel));
        REQUIRE(pare::add(a.view(), pare::view(number), p, y.view()) == pare::status::ok);
        CHECK(pare_test::equal(y.view(), by_number));
        CHECK(y.gaps_untouched());
      });
    }
  }
}

TEST_CASE("limits may be narrowed by hand") {
  auto p = some_params;
  p.limits = {-5, 6};
  const auto a = pare_test::random_codes<std::int8_t>({100}, 1),
             b = pare_test::random_codes<std::int8_t>({100}, 2);
  pare::tensor<std::int8_t, 1> y({100}), all({100});
  REQUIRE(pare::add(a.view(), b.view(), some_params, all.view()) == pare::status::ok);
  pare_test::for_each_isa([&](pare::isa) {
    REQUIRE(pare::add(a.view(), b.view(), p, y.view()) == pare::status::ok);
    for (index_t i = 0; i < 100; ++i) CHECK(y(i) == std::max(-5, std::min<int>(6, all(i))));
  });
}

TEST_CASE("bad parameters") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const pare::affine_params good{1.0f, 0};
  const auto make = [](pare::affine_params a, pare::affine_params b, pare::affine_params y,
                       pare::add_options options = {}) {
    return pare::make_add_params<std::int8_t>(a, b, y, options).status();
  };
  CHECK(make(good, good, good) == pare::status::ok);
  for (const pare::affine_params bad : {pare::affine_params{0.0f, 0}, {-1.0f, 0}, {1.0f, 128}}) {
    CHECK(make(bad, good, good) == pare::status::out_of_range);
    CHECK(make(good, bad, good) == pare::status::out_of_range);
    CHECK(make(good, good, bad) == pare::status::out_of_range);
  }
  CHECK(make({nan, 0}, good, good) == pare::status::non_finite);
  CHECK(make(good, {nan, 0}, good) == pare::status::non_finite);
  CHECK(make(good, good, {nan, 0}) == pare::status::non_finite);
  CHECK(make({524288.0f, 0}, good, good) == pare::status::out_of_range);
  CHECK(make({524287.0f, 0}, good, good) == pare::status::ok);
  pare::add_options options;
  options.rule = requantization::nearest;
  CHECK(make(good, good, good, options) == pare::status::invalid_argument);
  options = {};
  options.act = static_cast<pare::activation>(7);
  CHECK(make(good, good, good, options) == pare::status::invalid_argument);
}

TEST_CASE("bad shapes leave y untouched") {
  const auto a = pare_test::random_codes<std::int8_t>({4, 6}, 6);
  pare::tensor<std::int8_t, 2> y({4, 6});
  const auto before = y;
  const auto square = pare::view(a.data(), 4, 4);
  auto out = pare::view(y.data(), 4, 4);
  CHECK(pare::add(a.view(), a.view(), some_params, out) == pare::status::shape_mismatch);
  CHECK(pare::add(a.view(), square, some_params, y.view()) == pare::status::shape_mismatch);
  CHECK(pare::add(a.view(), pare::view(a.data(), 4), some_params, y.view()) ==
        pare::status::shape_mismatch);
  CHECK(pare::add(a.view(), pare::view(a.data(), 0), some_params, y.view()) ==
        pare::status::shape_mismatch);
  CHECK(pare::add(pare::transposed(square), square, some_params, out) == pare::status::unsupported);
  CHECK(pare::add(square, pare::transposed(square), some_params, out) == pare::status::unsupported);
  CHECK(pare::add(square, square, some_params, pare::transposed(out)) == pare::status::unsupported);
  auto p = some_params;
  p.limits = {200, 300};
  CHECK(pare::add(a.view(), a.view(), p, y.view()) == pare::status::out_of_range);
  CHECK(pare_test::equal(y, before));
  CHECK(pare::add(pare::view(a.data(), 0, 6), pare::view(a.data(), 6), some_params,
                  pare::view(y.data(), 0, 6)) == pare::status::ok);
  CHECK(pare::add(pare::view(a.data(), 0, 6), pare::view(a.data(), 1), some_params,
                  pare::view(y.data(), 0, 6)) == pare::status::ok);
}

TEST_CASE("scaling in steps is scaling by the rules") {
  pare_test::random_source random(1);
  for (int run = 0; run < 20000; ++run) {
    const pare::fixed_multiplier m{
        static_cast<std::int32_t>(random.integer(1 << 30, INT32_MAX)),
        static_cast<std::int32_t>(random.integer(run % 2 == 0 ? -12 : -31, 0))};
    std::int32_t x = static_cast<std::int32_t>(random.integer(-(1 << 29) + 1, (1 << 29) - 1));
    if (run % 3 == 0) x -= x % 65536;  // where products have many zeros, there are ties
    const auto once = pare::kernels::steps_of(m, requantization::single_rounding),
               twice = pare::kernels::steps_of(m, requantization::double_rounding);
    CHECK(pare::kernels::scalar::scale_by_steps(x, once) == pare::scale_single_rounding(x, m));
    CHECK(pare::kernels::scalar::scale_by_steps(x, twice) == pare::scale_double_rounding(x, m));
  }
}
