// Scores from gradients and activations (vectors: tools/make_prune_vectors.py).
#include <pare/prune/saliency.hpp>

#include <limits>

#include <doctest/doctest.h>
#include "support/check.hpp"
#include "support/random.hpp"
#include "support/vectors.hpp"

namespace {

using pare::index_t;
using pare::status;
using pare::view;

constexpr float quiet_nan = std::numeric_limits<float>::quiet_NaN();

}  // namespace

TEST_CASE("SNIP is the gradient of a mask of ones, over its sum") {
  const auto v = pare_test::load("prune/sensitivity.npz");
  const auto w = v.get<float, 2>("w"), g = v.get<float, 2>("g");
  auto expected = v.get<float, 2>("connections");
  pare::tensor<float, 2> scores(w.extents());
  REQUIRE(pare::taylor_scores(w.view(), g.view(), scores.view()) == status::ok);
  CHECK(pare_test::near(scores, expected, 1e-9, 1e-5));
  double sum = 0;
  for (const float c : expected) sum += static_cast<double>(c);
  for (float& c : expected) c = static_cast<float>(static_cast<double>(c) / sum);
  REQUIRE(pare::snip_scores(w.view(), g.view(), scores.view()) == status::ok);
  CHECK(pare_test::near(scores, expected, 1e-9, 1e-5));
}

TEST_CASE("a layer without gradients has no sensitivity") {
  const float w[] = {1, 2}, g[] = {0, 0};
  float scores[] = {7, 7};
  REQUIRE(pare::snip_scores(view(w), view(g), view(scores)) == status::ok);
  CHECK_EQUAL_RANGES(scores, {0.0f, 0.0f});
}

TEST_CASE("movement gains where steps lead away from zero, and adds up") {
  const float w[] = {1, -1, 2}, g[] = {-3, -3, 0.5f};
  double scores[] = {0, 0, 10};
  REQUIRE(pare::accumulate_movement(view(w), view(g), view(scores)) == status::ok);
  CHECK_EQUAL_RANGES(scores, {3.0, -3.0, 9.0});
  REQUIRE(pare::accumulate_movement(view(w), view(g), view(scores)) == status::ok);
  CHECK_EQUAL_RANGES(scores, {6.0, -6.0, 8.0});
}

TEST_CASE("Wanda weights magnitudes by the norm of the inputs") {
  const float w[2][3] = {{1, -2, 3}, {-4, 5, 0}};
  const double sums[] = {4, 9, 0};
  float scores[2][3];
  REQUIRE(pare::wanda_scores(view(w), view(sums), view(scores)) == status::ok);
  CHECK_EQUAL_RANGES(view(&scores[0][0], 6), {2.0f, 6.0f, 0.0f, 8.0f, 15.0f, 0.0f});
}

TEST_CASE("scores do not depend on the layout") {
  const auto w = pare_test::random_normal<float>({5, 4}, 1);
  const auto g = pare_test::random_normal<float>({5, 4}, 2);
  pare::tensor<float, 2> expected(w.extents());
  REQUIRE(pare::taylor_scores(w.view(), g.view(), expected.view()) == status::ok);
  const auto columns = pare_test::column_major_copy(w);
  const auto apart = pare_test::strided_copy(g, 3, 2);
  pare_test::strided<float, 2> scores({5, 4}, {9, 2});
  REQUIRE(pare::taylor_scores(columns.view(), apart.view(), scores.view()) == status::ok);
  CHECK(pare_test::equal(scores.view(), expected));
  CHECK(scores.gaps_untouched());
}

TEST_CASE("scores refuse bad input and are then untouched") {
  float w[] = {1, 2, 3}, g[] = {1, 2, 3}, scores[] = {7, 7, 7};
  SUBCASE("a gradient that is not a number") {
    g[1] = quiet_nan;
    const status s = pare::taylor_scores(view(w), view(g), view(scores));
    CHECK(s == status::non_finite);
    CHECK(s.error().position == 1);
  }
  SUBCASE("a product beyond float") {
    w[2] = g[2] = 3e38f;
    const status s = pare::taylor_scores(view(w), view(g), view(scores));
    CHECK(s == status::overflow);
    CHECK(s.error().position == 2);
  }
  SUBCASE("other shapes") {
    CHECK(pare::taylor_scores(view(w), view(g, 2), view(scores)) == status::shape_mismatch);
    CHECK(pare::taylor_scores(view(w), view(g), view(scores, 2)) == status::shape_mismatch);
    CHECK(pare::wanda_scores(view(w, 1, 3), view(g, 2), view(scores, 1, 3)) ==
          status::shape_mismatch);
  }
  SUBCASE("nothing") {
    CHECK(pare::taylor_scores(view(w, 0), view(g, 0), view(scores, 0)) == status::empty);
  }
  SUBCASE("a negative sum of squares") {
    g[2] = -1;
    const status s = pare::wanda_scores(view(w, 1, 3), view(g), view(scores, 1, 3));
    CHECK(s == status::invalid_argument);
    CHECK(s.error().position == 2);
  }
  CHECK_EQUAL_RANGES(scores, {7.0f, 7.0f, 7.0f});
}
