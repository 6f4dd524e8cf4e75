// Pruning by scores against torch.nn.utils.prune (vectors: tools/make_prune_vectors.py).
#include <pare/prune/scores.hpp>

#include <limits>
#include <vector>

#include <doctest/doctest.h>
#include "support/check.hpp"
#include "support/random.hpp"
#include "support/vectors.hpp"

namespace {

using pare::amount;
using pare::index_t;
using pare::masked_weights;
using pare::status;
using pare::view;
using pare_test::ones_like;

}  // namespace

TEST_CASE("importance scores prune what they prune in torch") {
  const auto v = pare_test::load("prune/random_pruning.npz");
  const auto scores = v.get<float, 2>("numbers4");
  auto mask = ones_like(scores);
  REQUIRE(pare::prune_lowest(scores.view(), amount::fraction(v.scalar<double>("amount4")),
                             mask.view()) == status::ok);
  CHECK(pare_test::equal(mask, v.get<std::uint8_t, 2>("mask4")));
}

TEST_CASE("random_unstructured is the lowest of the negated numbers") {
  const auto v = pare_test::load("prune/random_pruning.npz");
  for (const std::string i : {"0", "1"}) {
    CAPTURE(i);
    auto scores = v.get<float, 2>("numbers" + i);
    for (float& s : scores) s = -s;
    const double n = v.scalar<double>("amount" + i);
    auto mask = ones_like(scores);
    REQUIRE(pare::prune_lowest(scores.view(),
                               n < 1 ? amount::fraction(n) : amount::count(static_cast<index_t>(n)),
                               mask.view()) == status::ok);
    CHECK(pare_test::equal(mask, v.get<std::uint8_t, 2>("mask" + i)));
  }
}

TEST_CASE("several layers share one threshold, named one by one or in a range") {
  const auto v = pare_test::load("prune/global_scores.npz");
  const auto s0 = v.get<float, 2>("s0"), s1 = v.get<float, 2>("s1");
  const auto s2 = v.get<float, 4>("s2");
  const auto pruned = amount::fraction(v.scalar<double>("amount"));
  auto m0 = ones_like(s0), m1 = ones_like(s1);
  auto m2 = ones_like(s2);
  REQUIRE(pare::prune_lowest_globally(pruned, masked_weights{s0.view(), m0.view()},
                                      masked_weights{s1.view(), m1.view()},
                                      masked_weights{s2.view(), m2.view()}) == status::ok);
  CHECK(pare_test::equal(m0, v.get<std::uint8_t, 2>("mask0")));
  CHECK(pare_test::equal(m1, v.get<std::uint8_t, 2>("mask1")));
  CHECK(pare_test::equal(m2, v.get<std::uint8_t, 4>("mask2")));

  const auto in_range = [&](const auto& s, auto& m) {
    return masked_weights{view(s.data(), s.size()), view(m.data(), m.size())};
  };
  auto n0 = ones_like(s0), n1 = ones_like(s1);
  auto n2 = ones_like(s2);
  const std::vector layers = {in_range(s0, n0), in_range(s1, n1), in_range(s2, n2)};
  REQUIRE(pare::prune_lowest_globally(pruned, layers) == status::ok);
  CHECK(pare_test::equal(n0, m0));
  CHECK(pare_test::equal(n1, m1));
  CHECK(pare_test::equal(n2, m2));
}

TEST_CASE("scores are compared with their signs, and ties fall to the lower index") {
  const float scores[] = {-3, 2, -0.0f, 0, 1};
  std::uint8_t mask[] = {1, 1, 1, 1, 1};
  REQUIRE(pare::prune_lowest(view(scores), amount::count(2), view(mask)) == status::ok);
  CHECK_EQUAL_RANGES(mask, {0, 1, 0, 1, 1});
  REQUIRE(pare::prune_lowest(view(scores), amount::count(1), view(mask)) == status::ok);
  CHECK_EQUAL_RANGES(mask, {0, 1, 0, 0, 1});
}

TEST_CASE("every group ends equally sparse") {
  const auto scores = pare_test::random_normal<float>({6, 20}, 1);
  auto mask = ones_like(scores);
  REQUIRE(pare::prune_lowest_in_groups(scores.view(), 8, amount::fraction(0.75), mask.view()) ==
          status::ok);
  for (index_t r = 0; r < 6; ++r) {
    CHECK(pare::kept(pare::subview(mask.view(), r, pare::range{0, 8})) == 2);
    CHECK(pare::kept(pare::subview(mask.view(), r, pare::range{8, 16})) == 2);
    CHECK(pare::kept(pare::subview(mask.view(), r, pare::range{16, 20})) == 1);
  }
}

TEST_CASE("rows are compared within themselves") {
  const float scores[2][3] = {{1, 2, 3}, {30, 20, 10}};
  std::uint8_t mask[2][3] = {{1, 1, 1}, {1, 1, 1}};
  REQUIRE(pare::prune_lowest_in_rows(view(scores), amount::count(2), view(mask)) == status::ok);
  CHECK_EQUAL_RANGES(view(&mask[0][0], 6), {0, 0, 1, 1, 0, 0});
}

TEST_CASE("scores refuse bad input and leave the mask untouched") {
  float scores[2][2] = {{1, 2}, {3, 4}};
  std::uint8_t mask[2][2] = {{1, 1}, {0, 1}};
  const auto all = view(&mask[0][0], 4);
  SUBCASE("NaN, also where it is pruned already") {
    scores[1][0] = std::numeric_limits<float>::quiet_NaN();
    const status s = pare::prune_lowest(view(scores), amount::count(1), view(mask));
    CHECK(s == status::non_finite);
    CHECK(s.error().position == 2);
  }
  SUBCASE("another shape") {
    CHECK(pare::prune_lowest(view(&scores[0][0], 4, 1), amount::count(1), view(mask)) ==
          status::shape_mismatch);
  }
  SUBCASE("more than a row has left, in the last row") {
    CHECK(pare::prune_lowest_in_rows(view(scores), amount::count(2), view(mask)) ==
          status::out_of_range);
  }
  SUBCASE("groups of nothing") {
    CHECK(pare::prune_lowest_in_groups(view(scores), 0, amount::count(1), view(mask)) ==
          status::invalid_argument);
  }
  SUBCASE("no layer in a range") {
    using layer = masked_weights<pare::matrix_view<float>, pare::matrix_view<std::uint8_t>>;
    CHECK(pare::prune_lowest_globally(amount::fraction(0.5), std::vector<layer>()) == status::ok);
    CHECK(pare::prune_lowest_globally(amount::count(1), std::vector<layer>()) ==
          status::out_of_range);
  }
  CHECK_EQUAL_RANGES(all, {1, 1, 0, 1});
}
