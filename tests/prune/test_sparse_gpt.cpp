// SparseGPT against the method written down without blocks (vectors: tools/make_prune_vectors.py).
#include <pare/prune/sparse_gpt.hpp>

#include <cmath>
#include <limits>

#include <pare/core/eigen.hpp>
#include <pare/prune/magnitude.hpp>
#include <pare/quantize/inverse_cholesky.hpp>

#include <doctest/doctest.h>
#include "support/check.hpp"
#include "support/random.hpp"
#include "support/vectors.hpp"

namespace {

using pare::amount;
using pare::index_t;
using pare::n_m;
using pare::status;
using pare::view;
using pare_test::ones_like;
using pare_test::random_normal;

/// Inputs as layers have them: few directions carry most of what there is.
pare::tensor<float, 2> correlated(index_t rows, index_t columns, index_t directions) {
  const auto parts = random_normal<float>({rows, directions}, 1);
  const auto mix = random_normal<float>({directions, columns}, 2);
  auto x = random_normal<float>({rows, columns}, 3);
  for (float& e : x) e *= 0.3f;
  pare::to_eigen(x.view()) += pare::to_eigen(parts.view()) * pare::to_eigen(mix.view());
  return x;
}

}  // namespace

TEST_CASE("half of the weights go as the method says") {
  const auto v = pare_test::load("prune/sparse_gpt.npz");
  auto w = v.get<float, 2>("w");
  const auto u = v.get<float, 2>("u");
  auto mask = ones_like(w);
  REQUIRE(pare::sparse_gpt(w.view(), u.view(), amount::fraction(0.5), mask.view()) == status::ok);
  CHECK(pare_test::equal(mask, v.get<std::uint8_t, 2>("half_mask")));
  CHECK(pare_test::near(w, v.get<float, 2>("half_w"), 1e-4));
}

TEST_CASE("2:4 looks at each group when it comes to it, and rounding is part of the error") {
  const auto v = pare_test::load("prune/sparse_gpt.npz");
  const auto u = v.get<float, 2>("u");
  auto w = v.get<float, 2>("w");
  auto mask = ones_like(w);
  REQUIRE(pare::sparse_gpt(w.view(), u.view(), n_m{2, 4}, mask.view()) == status::ok);
  CHECK(pare_test::equal(mask, v.get<std::uint8_t, 2>("nm_mask")));
  CHECK(pare_test::near(w, v.get<float, 2>("nm_w"), 1e-4));

  const float scale = v.scalar<float>("scale");
  w = v.get<float, 2>("w");
  mask = ones_like(w);
  REQUIRE(pare::sparse_gpt(w.view(), u.view(), n_m{2, 4}, mask.view(),
                           [scale](index_t, index_t, float x) {
                             return std::nearbyint(x / scale) * scale;
                           }) == status::ok);
  CHECK(pare_test::equal(mask, v.get<std::uint8_t, 2>("codes_mask")));
  CHECK(pare_test::near(w, v.get<float, 2>("codes_w"), 1e-6));
}

TEST_CASE("at half of the weights the output error is at most half of magnitude's") {
  const auto x = correlated(600, 200, 20);
  const auto dense = random_normal<float>({32, 200}, 4);
  auto h = pare::hessian::create(200).value();
  REQUIRE(pare::accumulate(x.view(), h) == status::ok);
  const auto u = pare::inverse_cholesky(h).value();

  auto by_magnitude = dense;
  auto mask = ones_like(dense);
  REQUIRE(pare::prune_magnitude(dense.view(), amount::fraction(0.5), mask.view()) == status::ok);
  REQUIRE(pare::apply_mask(mask.view(), by_magnitude.view()) == status::ok);
  const double error = pare::output_error(dense.view(), by_magnitude.view(), h).value();

  for (const bool structured : {false, true}) {
    CAPTURE(structured);
    auto w = dense;
    auto kept = ones_like(dense);
    if (structured) {
      REQUIRE(pare::sparse_gpt(w.view(), u.view(), n_m{2, 4}, kept.view()) == status::ok);
      CHECK(pare::is_n_m(kept.view(), {2, 4}));
    } else {
      REQUIRE(pare::sparse_gpt(w.view(), u.view(), amount::fraction(0.5), kept.view()) ==
              status::ok);
    }
    CHECK(pare::sparsity(kept.view()) == 0.5);
    for (index_t i = 0; i < w.size(); ++i) CHECK((kept.data()[i] != 0 || w.data()[i] == 0));
    CHECK(pare::output_error(dense.view(), w.view(), h).value() < 0.5 * error);
  }
}

TEST_CASE("what is pruned stays pruned, and any layout will do") {
  const auto v = pare_test::load("prune/sparse_gpt.npz");
  const auto dense = v.get<float, 2>("w");
  const auto u = v.get<float, 2>("u");
  auto first = ones_like(dense);
  REQUIRE(pare::prune_magnitude(dense.view(), amount::fraction(0.3), first.view()) == status::ok);
  auto mask = first;
  auto w = dense;
  REQUIRE(pare::sparse_gpt(w.view(), u.view(), amount::fraction(0.5), mask.view()) == status::ok);
  CHECK(pare::nests_in(mask.view(), first.view()));
  CHECK(pare::kept(mask.view()) == pare::kept(first.view()) / 2);

  auto columns = pare_test::column_major_copy(dense);
  auto kept = first;
  REQUIRE(pare::sparse_gpt(columns.view(), u.view(), amount::fraction(0.5), kept.view()) ==
          status::ok);
  CHECK(pare_test::equal(columns.view(), w));
}

TEST_CASE("nothing pruned changes nothing, and everything pruned leaves zeros") {
  const auto v = pare_test::load("prune/sparse_gpt.npz");
  const auto dense = v.get<float, 2>("w");
  const auto u = v.get<float, 2>("u");
  auto w = dense;
  auto mask = ones_like(w);
  REQUIRE(pare::sparse_gpt(w.view(), u.view(), amount::count(0), mask.view()) == status::ok);
  CHECK(pare_test::equal_bits(w, dense));
  REQUIRE(pare::sparse_gpt(w.view(), u.view(), amount::fraction(1), mask.view()) == status::ok);
  CHECK(pare::kept(mask.view()) == 0);
  for (const float e : w) CHECK(e == 0);
}

TEST_CASE("sparse_gpt refuses bad input and leaves weights and mask untouched") {
  float w[1][2] = {{1, 2}}, u[2][2] = {{1, 0.5f}, {0, 1}};
  std::uint8_t mask[1][2] = {{1, 1}};
  auto pruned = amount::count(1);
  auto expected = status::invalid_argument;
  SUBCASE("a factor without a diagonal") { u[1][1] = 0; }
  SUBCASE("a fraction above one") { pruned = amount::fraction(2); }
  SUBCASE("more than there are") {
    pruned = amount::count(3);
    expected = status::out_of_range;
  }
  SUBCASE("NaN in the factor") {
    u[0][1] = std::numeric_limits<float>::quiet_NaN();
    expected = status::non_finite;
  }
  SUBCASE("an update beyond float") {
    u[0][0] = 1e-20f;
    u[0][1] = 3e38f;
    expected = status::overflow;
    w[0][0] = 1.9e-20f;
  }
  const float before = w[0][0];
  CHECK(pare::sparse_gpt(view(w), view(u), pruned, view(mask)) == expected);
  CHECK(pare::sparse_gpt(view(w), view(u), n_m{3, 2}, view(mask)) == status::invalid_argument);
  CHECK(pare::sparse_gpt(view(w), view(&u[0][0], 1, 4), n_m{1, 2}, view(mask)) ==
        status::shape_mismatch);
  CHECK(w[0][0] == before);
  CHECK(w[0][1] == 2);
  CHECK_EQUAL_RANGES(view(&mask[0][0], 2), {1, 1});
}
