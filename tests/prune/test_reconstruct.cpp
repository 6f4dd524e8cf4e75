// Least squares reconstruction against numpy.linalg.lstsq (vectors: tools/make_prune_vectors.py).
#include <pare/prune/reconstruct.hpp>

#include <limits>

#include <pare/core/eigen.hpp>

#include <doctest/doctest.h>
#include "support/check.hpp"
#include "support/vectors.hpp"

namespace {

using pare::index_t;
using pare::status;
using pare::view;

pare::tensor<double, 2> gram_of(const pare::tensor<double, 2>& x) {
  pare::tensor<double, 2> gram({x.extent(1), x.extent(1)});
  pare::to_eigen(gram.view()) = pare::to_eigen(x.view()).transpose() * pare::to_eigen(x.view());
  return gram;
}

}  // namespace

TEST_CASE("what stays is the least squares solution, and rows without weights are zero") {
  const auto v = pare_test::load("prune/reconstruct.npz");
  const auto gram = gram_of(v.get<double, 2>("x"));
  auto w = v.get<double, 2>("w");
  const auto mask = v.get<std::uint8_t, 2>("mask");
  REQUIRE(pare::reconstruct(gram.view(), 0, mask.view(), w.view()) == status::ok);
  CHECK(pare_test::near(w, v.get<double, 2>("best"), 1e-9, 1e-9));
}

TEST_CASE("without pruning nothing changes, damped or not") {
  const auto v = pare_test::load("prune/reconstruct.npz");
  const auto gram = gram_of(v.get<double, 2>("x"));
  const auto w = v.get<double, 2>("w");
  const auto all = pare_test::ones_like(w);
  for (const double damping : {0.0, 0.1}) {
    auto same = w;
    REQUIRE(pare::reconstruct(gram.view(), damping, all.view(), same.view()) == status::ok);
    CHECK(pare_test::near(same, w, 1e-9));
  }
}

TEST_CASE("reconstruct refuses bad input and leaves the weights untouched") {
  double gram[2][2] = {{1, 0}, {0, 1}};
  double w[1][2] = {{3, 4}};
  std::uint8_t mask[1][2] = {{1, 1}};
  double damping = 0;
  auto expected = status::invalid_argument;
  SUBCASE("inputs that depend on each other") { gram[0][1] = gram[1][0] = 1; }
  SUBCASE("negative damping") { damping = -1; }
  SUBCASE("NaN in the matrix") {
    gram[1][1] = std::numeric_limits<double>::quiet_NaN();
    expected = status::non_finite;
  }
  SUBCASE("NaN in the weights") {
    w[0][0] = std::numeric_limits<double>::quiet_NaN();
    expected = status::non_finite;
  }
  CHECK(pare::reconstruct(view(gram), damping, view(mask), view(w)) == expected);
  CHECK(pare::reconstruct(view(&gram[0][0], 1, 4), 0, view(mask), view(w)) != status::ok);
  CHECK(w[0][1] == 4);
}
