// Penalties: values, gradients against finite differences, and proximal steps against what they
// minimise.
#include <pare/prune/regularize.hpp>

#include <cmath>
#include <limits>

#include <doctest/doctest.h>
#include "support/check.hpp"
#include "support/random.hpp"

namespace {

using pare::index_t;
using pare::status;
using pare::tensor;
using pare::view;
using pare_test::random_normal;

template <class Penalty>
void check_gradient(const Penalty& p) {
  auto w = random_normal<double>({4, 6}, 1);
  tensor<double, 2> g(w.extents());
  for (double& x : g) x = 10;  // gradients are added
  REQUIRE(pare::add_penalty_gradient(p, w.view(), g.view()) == status::ok);
  constexpr double h = 1e-6;
  for (index_t i = 0; i < w.size(); ++i) {
    CAPTURE(i);
    const double x = w.data()[i];
    w.data()[i] = x + h;
    const double above = pare::penalty(p, w.view()).value();
    w.data()[i] = x - h;
    const double below = pare::penalty(p, w.view()).value();
    w.data()[i] = x;
    CHECK(g.data()[i] - 10 == doctest::Approx((above - below) / (2 * h)).epsilon(1e-5));
  }
}

/// The proximal step is not worse than any other point near it, or far from it.
template <class Penalty>
void check_minimum(const Penalty& p) {
  const auto w = random_normal<double>({3, 4}, 2);
  auto best = w;
  const double rate = 0.7;
  REQUIRE(pare::proximal_step(p, rate, best.view()) == status::ok);
  const auto cost = [&](const tensor<double, 2>& v) {
    double sum = 0;
    for (index_t i = 0; i < v.size(); ++i) {
      sum += 0.5 * (v.data()[i] - w.data()[i]) * (v.data()[i] - w.data()[i]);
    }
    return sum + rate * pare::penalty(p, v.view()).value();
  };
  const double least = cost(best);
  CHECK(least <= cost(w));
  pare_test::random_source random(3);
  for (int trial = 0; trial < 300; ++trial) {
    const double scale = std::pow(10.0, -static_cast<double>(trial % 5));
    auto other = best;
    for (double& x : other) {
      if (random.uniform() < 0.5) x += scale * random.normal();
      if (random.uniform() < 0.1) x = 0;
    }
    CHECK(cost(other) >= least - 1e-12);
  }
}

}  // namespace

TEST_CASE("values") {
  const float w[2][2] = {{3, -4}, {0, 1}};
  CHECK(pare::penalty(pare::l1_penalty{0.5}, view(w)).value() == 4);
  CHECK(pare::penalty(pare::l2_penalty{0.5}, view(w)).value() == 6.5);
  CHECK(pare::penalty(pare::linf_penalty{0.5}, view(w)).value() == 2);
  CHECK(pare::penalty(pare::l0_penalty{0.5}, view(w)).value() == 1.5);
  CHECK(pare::penalty(pare::group_lasso_penalty{0.5, 0, 1}, view(w)).value() ==
        doctest::Approx(0.5 * std::sqrt(2.0) * (5 + 1)));
  CHECK(pare::penalty(pare::group_lasso_penalty{0.5, 1, 2}, view(w)).value() ==
        doctest::Approx(0.5 * 2 * std::sqrt(26.0)));
}

TEST_CASE("gradients are those of the values") {
  check_gradient(pare::l1_penalty{0.3});
  check_gradient(pare::l2_penalty{0.3});
  check_gradient(pare::linf_penalty{0.3});
  check_gradient(pare::group_lasso_penalty{0.3, 0, 1});
  check_gradient(pare::group_lasso_penalty{0.3, 1, 3});
}

TEST_CASE("at zero there is no gradient, and the largest share one") {
  const float w[] = {0, 2, -2};
  float g[] = {0, 0, 0};
  REQUIRE(pare::add_penalty_gradient(pare::l1_penalty{1}, view(w), view(g)) == status::ok);
  CHECK_EQUAL_RANGES(g, {0.0f, 1.0f, -1.0f});
  REQUIRE(pare::add_penalty_gradient(pare::linf_penalty{1}, view(w), view(g)) == status::ok);
  CHECK_EQUAL_RANGES(g, {0.0f, 1.5f, -1.5f});
  const float zeros[2][2] = {};
  float none[2][2] = {};
  REQUIRE(pare::add_penalty_gradient(pare::group_lasso_penalty(), view(zeros), view(none)) ==
          status::ok);
  REQUIRE(pare::add_penalty_gradient(pare::linf_penalty(), view(zeros), view(none)) == status::ok);
  CHECK_EQUAL_RANGES(view(&none[0][0], 4), {0.0f, 0.0f, 0.0f, 0.0f});
}

TEST_CASE("proximal steps minimise what they say") {
  check_minimum(pare::l1_penalty{0.5});
  check_minimum(pare::l2_penalty{0.5});
  check_minimum(pare::linf_penalty{1.5});
  check_minimum(pare::linf_penalty{100});
  check_minimum(pare::l0_penalty{0.4});
  check_minimum(pare::group_lasso_penalty{0.6, 0, 1});
  check_minimum(pare::group_lasso_penalty{0.3, 1, 2});
}

TEST_CASE("thresholds make exact zeros") {
  float w[] = {0.5f, -1, 2, -0.25f};
  REQUIRE(pare::proximal_step(pare::l1_penalty{0.5}, 1, view(w)) == status::ok);
  CHECK_EQUAL_RANGES(w, {0.0f, -0.5f, 1.5f, 0.0f});
  REQUIRE(pare::proximal_step(pare::l0_penalty{0.125}, 1, view(w)) == status::ok);
  CHECK_EQUAL_RANGES(w, {0.0f, 0.0f, 1.5f, 0.0f});  // 0.5 is just not above root(2 * 0.125)
  float cut[] = {3, -5, 1};
  REQUIRE(pare::proximal_step(pare::linf_penalty{4}, 1, view(cut)) == status::ok);
  CHECK_EQUAL_RANGES(cut, {2.0f, -2.0f, 1.0f});
}

TEST_CASE("top-k keeps the largest, the higher index on ties") {
  float w[] = {1, -3, 1, 2, 1};
  REQUIRE(pare::proximal_step(pare::top_k{3}, 0, view(w)) == status::ok);
  CHECK_EQUAL_RANGES(w, {0.0f, -3.0f, 0.0f, 2.0f, 1.0f});
  REQUIRE(pare::proximal_step(pare::top_k{9}, 0, view(w)) == status::ok);
  CHECK(w[4] == 1);
  REQUIRE(pare::proximal_step(pare::top_k{0}, 0, view(w)) == status::ok);
  CHECK(w[1] == 0);
}

TEST_CASE("penalties refuse bad input and change nothing") {
  float w[2][2] = {{1, 2}, {3, 4}}, g[2][2] = {{7, 7}, {7, 7}};
  SUBCASE("a negative strength") {
    CHECK(pare::penalty(pare::l1_penalty{-1}, view(w)) == status::invalid_argument);
    CHECK(pare::add_penalty_gradient(pare::l2_penalty{-1}, view(w), view(g)) ==
          status::invalid_argument);
  }
  SUBCASE("a rate that is not a number") {
    CHECK(pare::proximal_step(pare::l1_penalty(), std::numeric_limits<double>::quiet_NaN(),
                              view(w)) == status::invalid_argument);
  }
  SUBCASE("an axis that does not exist, a block that does not divide") {
    CHECK(pare::penalty(pare::group_lasso_penalty{1, 2, 1}, view(w)) == status::out_of_range);
    CHECK(pare::penalty(pare::group_lasso_penalty{1, 0, 3}, view(w)) == status::shape_mismatch);
    CHECK(pare::penalty(pare::group_lasso_penalty{1, 0, 0}, view(w)) == status::invalid_argument);
  }
  SUBCASE("a number of weights below zero") {
    CHECK(pare::proximal_step(pare::top_k{-1}, 0, view(w)) == status::invalid_argument);
  }
  SUBCASE("other shapes") {
    CHECK(pare::add_penalty_gradient(pare::l1_penalty(), view(w), view(&g[0][0], 4)) ==
          status::shape_mismatch);
  }
  SUBCASE("nothing") {
    CHECK(pare::penalty(pare::l1_penalty(), view(&w[0][0], 0)) == status::empty);
  }
  CHECK(pare_test::equal(view(&w[0][0], 4), {1.0f, 2.0f, 3.0f, 4.0f}));
  CHECK(pare_test::equal(view(&g[0][0], 4), {7.0f, 7.0f, 7.0f, 7.0f}));
  w[1][1] = std::numeric_limits<float>::infinity();
  CHECK(pare::proximal_step(pare::l1_penalty(), 1, view(w)) == status::non_finite);
  const double large[] = {1e308, 1e308};
  CHECK(pare::penalty(pare::l1_penalty{10}, view(large)) == status::overflow);
}
