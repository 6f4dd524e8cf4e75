// N:M masks and the search for a permutation.
#include <pare/prune/n_m.hpp>

#include <limits>

#include <doctest/doctest.h>
#include "support/check.hpp"
#include "support/random.hpp"

namespace {

using pare::index_t;
using pare::n_m;
using pare::status;
using pare::view;
using pare_test::ones_like;
using pare_test::random_normal;

double kept_magnitude(const pare::tensor<float, 2>& w, const pare::tensor<index_t, 1>& order,
                      n_m pattern) {
  pare::tensor<float, 2> permuted(w.extents());
  for (index_t r = 0; r < w.extent(0); ++r) {
    for (index_t c = 0; c < w.extent(1); ++c) permuted(r, c) = w(r, order(c));
  }
  auto mask = ones_like(w);
  REQUIRE(pare::prune_magnitude_n_m(permuted.view(), pattern, mask.view()) == status::ok);
  double sum = 0;
  for (index_t i = 0; i < w.size(); ++i) {
    sum += mask.data()[i] * std::abs(static_cast<double>(permuted.data()[i]));
  }
  return sum;
}

}  // namespace

TEST_CASE("2:4 keeps the two largest of four, the higher index on ties") {
  const float w[2][8] = {{1, -4, 3, 2, 0, 0, 0, 0}, {1, 1, 1, 1, -9, 8, 7, -6}};
  std::uint8_t mask[2][8];
  std::fill_n(&mask[0][0], 16, std::uint8_t{1});
  REQUIRE(pare::prune_magnitude_n_m(view(w), {2, 4}, view(mask)) == status::ok);
  CHECK_EQUAL_RANGES(view(&mask[0][0], 16), {0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0});
  CHECK(pare::is_n_m(view(mask), {2, 4}));
  CHECK_FALSE(pare::is_n_m(view(mask), {1, 4}));
}

TEST_CASE("any pattern, with a short group at the end") {
  const auto w = random_normal<float>({7, 19}, 1);
  for (const n_m pattern :
       {n_m{1, 2}, n_m{4, 8}, n_m{1, 4}, n_m{3, 5}, n_m{0, 3}, n_m{3, 3}, n_m{2, 64}}) {
    CAPTURE(pattern.of);
    auto mask = ones_like(w);
    REQUIRE(pare::prune_magnitude_n_m(w.view(), pattern, mask.view()) == status::ok);
    CHECK(pare::is_n_m(mask.view(), pattern));
    const index_t tail = 19 % pattern.of;
    CHECK(pare::kept(mask.view()) ==
          7 * (19 / pattern.of * pattern.keep + std::min(tail, pattern.keep)));
  }
}

TEST_CASE("2:4 within what a mask keeps already nests in it") {
  const auto w = random_normal<float>({16, 16}, 2);
  auto outer = ones_like(w);
  REQUIRE(pare::prune_random(1, pare::amount::fraction(0.4), outer.view()) == status::ok);
  auto inner = outer;
  REQUIRE(pare::prune_magnitude_n_m(w.view(), {2, 4}, inner.view()) == status::ok);
  CHECK(pare::nests_in(inner.view(), outer.view()));
  CHECK(pare::is_n_m(inner.view(), {2, 4}));
}

TEST_CASE("scores decide where they are given, whatever their sign") {
  const float scores[1][4] = {{-1, -2, 5, -3}};
  std::uint8_t mask[1][4] = {{1, 1, 1, 1}};
  REQUIRE(pare::prune_lowest_n_m(view(scores), {2, 4}, view(mask)) == status::ok);
  CHECK_EQUAL_RANGES(view(&mask[0][0], 4), {1, 0, 1, 0});
}

TEST_CASE("a permutation separates large columns that lie together") {
  // Columns 0 to 3 large, the others small: 2:4 as it is loses half of the large ones.
  pare::tensor<float, 2> w({5, 8});
  for (index_t r = 0; r < 5; ++r) {
    for (index_t c = 0; c < 8; ++c) w(r, c) = c < 4 ? 10.0f + static_cast<float>(r) : 1.0f;
  }
  const auto order = pare::n_m_permutation(w.view(), {2, 4}).value();
  CHECK(kept_magnitude(w, order, {2, 4}) == 4 * (10 + 11 + 12 + 13 + 14));
}

TEST_CASE("a permutation names each input once, and more search never keeps less") {
  const auto w = random_normal<float>({24, 30}, 3);
  pare::tensor<index_t, 1> as_it_is({30});
  for (index_t i = 0; i < 30; ++i) as_it_is(i) = i;
  double before = kept_magnitude(w, as_it_is, {2, 4});
  for (const index_t sweeps : {1, 8}) {
    pare::permutation_search search;
    search.sweeps = sweeps;
    search.escapes = sweeps == 8 ? 3 : 0;
    const auto order = pare::n_m_permutation(w.view(), {2, 4}, search).value();
    std::vector<int> seen(30);
    for (const index_t i : order) ++seen[static_cast<std::size_t>(i)];
    CHECK(seen == std::vector<int>(30, 1));
    const double now = kept_magnitude(w, order, {2, 4});
    CHECK(now >= before - 1e-6);
    before = now;
  }
}

TEST_CASE("N:M refuses bad input and leaves the mask untouched") {
  float w[1][4] = {{1, 2, 3, 4}};
  std::uint8_t mask[1][4] = {{1, 1, 1, 1}};
  n_m pattern;
  auto expected = status::invalid_argument;
  SUBCASE("more than all") { pattern = {5, 4}; }
  SUBCASE("of none") { pattern = {0, 0}; }
  SUBCASE("fewer than none") { pattern = {-1, 4}; }
  SUBCASE("infinity") {
    w[0][3] = std::numeric_limits<float>::infinity();
    expected = status::non_finite;
  }
  CHECK(pare::prune_magnitude_n_m(view(w), pattern, view(mask)) == expected);
  CHECK(pare::n_m_permutation(view(w), pattern) == expected);
  CHECK(pare::prune_magnitude_n_m(view(w), {}, view(&mask[0][0], 2, 2)) == status::shape_mismatch);
  CHECK_EQUAL_RANGES(view(&mask[0][0], 4), {1, 1, 1, 1});
}
