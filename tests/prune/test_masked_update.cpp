// Steps under a mask against torch.optim (vectors: tools/make_prune_vectors.py).
#include <pare/prune/masked_update.hpp>

#include <limits>

#include <pare/core/subview.hpp>

#include <doctest/doctest.h>
#include "support/check.hpp"
#include "support/vectors.hpp"

namespace {

using pare::all;
using pare::index_t;
using pare::status;
using pare::subview;
using pare::view;

}  // namespace

TEST_CASE("without a mask steps are those of torch") {
  const auto v = pare_test::load("prune/optimizers.npz");
  const auto gradients = v.get<float, 3>("gradients");
  const auto start = v.get<float, 2>("w");
  const auto mask = pare_test::ones_like(start);
  auto w = start;
  pare::tensor<float, 2> velocity(w.extents()), first(w.extents()), second(w.extents());
  pare::sgd descent;
  descent.learning_rate = 0.1;
  descent.momentum = 0.9;
  descent.weight_decay = 0.01;
  for (index_t step = 0; step < gradients.extent(0); ++step) {
    REQUIRE(pare::masked_step(descent, subview(gradients.view(), step, all, all), mask.view(),
                              velocity.view(), w.view()) == status::ok);
  }
  CHECK(pare_test::near(w, v.get<float, 2>("sgd"), 1e-6));

  w = start;
  pare::adamw adam;
  adam.learning_rate = 0.05;
  adam.weight_decay = 0.1;
  for (index_t step = 0; step < gradients.extent(0); ++step) {
    REQUIRE(pare::masked_step(adam, step + 1, subview(gradients.view(), step, all, all),
                              mask.view(), first.view(), second.view(), w.view()) == status::ok);
  }
  CHECK(pare_test::near(w, v.get<float, 2>("adamw"), 1e-5));
}

TEST_CASE("a pruned weight stays zero, whatever it was, and forgets where it was going") {
  const float g[] = {1, 1};
  const std::uint8_t mask[] = {0, 1};
  float w[] = {std::numeric_limits<float>::quiet_NaN(), 1}, velocity[] = {5, 5};
  pare::sgd options;
  options.learning_rate = 0.5;
  options.momentum = 0.9;
  REQUIRE(pare::masked_step(options, view(g), view(mask), view(velocity), view(w)) == status::ok);
  CHECK_EQUAL_RANGES(w, {0.0f, -1.75f});
  CHECK_EQUAL_RANGES(velocity, {0.0f, 5.5f});

  float first[] = {5, 0}, second[] = {5, 0};
  w[1] = 1;
  for (index_t step = 1; step <= 3; ++step) {
    REQUIRE(pare::masked_step(pare::adamw(), step, view(g), view(mask), view(first), view(second),
                              view(w)) == status::ok);
    CHECK(w[0] == 0);
    CHECK(first[0] == 0);
    CHECK(second[0] == 0);
  }
  CHECK(w[1] == doctest::Approx(1 - 3e-3));
}

TEST_CASE("steps refuse bad input and change nothing") {
  float g[] = {1, 1}, w[] = {1, 2}, velocity[] = {3, 4};
  const std::uint8_t mask[] = {0, 1};
  pare::sgd options;
  auto expected = status::invalid_argument;
  SUBCASE("a gradient that is not a number") {
    g[1] = std::numeric_limits<float>::quiet_NaN();
    expected = status::non_finite;
  }
  SUBCASE("a negative rate") { options.learning_rate = -1; }
  SUBCASE("momentum that is infinite") {
    options.momentum = std::numeric_limits<double>::infinity();
  }
  CHECK(pare::masked_step(options, view(g), view(mask), view(velocity), view(w)) == expected);
  CHECK(pare::masked_step(options, view(g, 1), view(mask), view(velocity), view(w)) ==
        status::shape_mismatch);
  CHECK(pare::masked_step(options, view(g), view(mask, 1), view(velocity), view(w)) ==
        status::shape_mismatch);
  CHECK(pare::masked_step(options, view(g), view(mask), view(velocity, 1), view(w)) ==
        status::shape_mismatch);
  g[1] = 1;
  CHECK(pare::masked_step(pare::adamw(), 0, view(g), view(mask), view(velocity), view(velocity),
                          view(w)) == status::out_of_range);
  CHECK_EQUAL_RANGES(w, {1.0f, 2.0f});
  CHECK_EQUAL_RANGES(velocity, {3.0f, 4.0f});
}
