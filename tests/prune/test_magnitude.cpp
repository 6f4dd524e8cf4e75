// Magnitude pruning against torch.nn.utils.prune (vectors: tools/make_prune_vectors.py).
#include <pare/prune/magnitude.hpp>

#include <limits>
#include <string>

#include <pare/core/subview.hpp>
#include <pare/prune/mask.hpp>

#include <doctest/doctest.h>
#include "support/check.hpp"
#include "support/random.hpp"
#include "support/vectors.hpp"

namespace {

using pare::all;
using pare::amount;
using pare::index_t;
using pare::masked_weights;
using pare::status;
using pare::subview;
using pare::view;
using pare_test::ones_like;
using pare_test::random_normal;

constexpr float quiet_nan = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

/// "w3". GCC 12 warns of literal + std::string as C++20 (bug 105651).
std::string numbered(std::string name, index_t i) {
  name += std::to_string(i);
  return name;
}

}  // namespace

TEST_CASE("prune_magnitude keeps what l1_unstructured keeps, step by step") {
  const auto vectors = pare_test::load("prune/l1_unstructured.npz");
  int cases = 0;
  for (; vectors.has(numbered("w", cases)); ++cases) {
    CAPTURE(cases);
    const auto weights = vectors.get<float, 2>(numbered("w", cases));
    const auto amounts = vectors.get<double, 1>(numbered("amounts", cases));
    const auto masks = vectors.get<std::uint8_t, 3>(numbered("masks", cases));
    const bool is_count = vectors.scalar<int>(numbered("is_count", cases)) != 0;
    auto mask = ones_like(weights);
    for (index_t step = 0; step < amounts.size(); ++step) {
      CAPTURE(step);
      const auto pruned = is_count ? amount::count(static_cast<index_t>(amounts(step)))
                                   : amount::fraction(amounts(step));
      REQUIRE(pare::prune_magnitude(weights.view(), pruned, mask.view()) == status::ok);
      CHECK(pare_test::equal(mask, subview(masks.view(), step, all, all)));
    }
  }
  CHECK(cases == 8);
}

TEST_CASE("convolution weights are pruned as l1_unstructured prunes them") {
  const auto vectors = pare_test::load("prune/l1_convolution.npz");
  const auto weights = vectors.get<float, 4>("w");
  auto mask = ones_like(weights);
  REQUIRE(pare::prune_magnitude(weights.view(), amount::fraction(vectors.scalar<double>("amount")),
                                mask.view()) == status::ok);
  CHECK(pare_test::equal(mask, vectors.get<std::uint8_t, 4>("mask")));
}

TEST_CASE("several layers are pruned as global_unstructured prunes them") {
  const auto vectors = pare_test::load("prune/global_unstructured.npz");
  const auto w0 = vectors.get<float, 2>("w0"), w1 = vectors.get<float, 2>("w1");
  const auto w2 = vectors.get<float, 4>("w2");
  const auto amounts = vectors.get<double, 1>("amounts");
  auto m0 = ones_like(w0), m1 = ones_like(w1);
  auto m2 = ones_like(w2);
  for (index_t step = 0; step < amounts.size(); ++step) {
    CAPTURE(step);
    REQUIRE(pare::prune_magnitude_globally(amount::fraction(amounts(step)),
                                           masked_weights{w0.view(), m0.view()},
                                           masked_weights{w1.view(), m1.view()},
                                           masked_weights{w2.view(), m2.view()}) == status::ok);
    CHECK(pare_test::equal(m0, vectors.get<std::uint8_t, 2>(numbered("mask0_", step))));
    CHECK(pare_test::equal(m1, vectors.get<std::uint8_t, 2>(numbered("mask1_", step))));
    CHECK(pare_test::equal(m2, vectors.get<std::uint8_t, 4>(numbered("mask2_", step))));
  }
}

TEST_CASE("a fraction prunes of what remains") {
  const auto weights = random_normal<float>({16, 32}, 1);
  auto mask = ones_like(weights);
  REQUIRE(pare::prune_magnitude(weights.view(), amount::fraction(0.5), mask.view()) == status::ok);
  CHECK(pare::kept(mask.view()) == 256);
  REQUIRE(pare::prune_magnitude(weights.view(), amount::fraction(0.5), mask.view()) == status::ok);
  CHECK(pare::kept(mask.view()) == 128);
}

TEST_CASE("ties fall to the lower index") {
  const float weights[] = {1, -1, 1, -1};
  std::uint8_t mask[] = {1, 1, 1, 1};
  REQUIRE(pare::prune_magnitude(view(weights), amount::count(2), view(mask)) == status::ok);
  CHECK_EQUAL_RANGES(mask, {0, 0, 1, 1});
}

TEST_CASE("ties fall to the earlier layer") {
  const float first[] = {2, 1}, second[] = {-1, 0};
  std::uint8_t first_mask[] = {1, 1}, second_mask[] = {1, 1};
  REQUIRE(pare::prune_magnitude_globally(
              amount::count(2), masked_weights{view(first), view(first_mask)},
              masked_weights{view(second), view(second_mask)}) == status::ok);
  CHECK_EQUAL_RANGES(first_mask, {1, 0});
  CHECK_EQUAL_RANGES(second_mask, {1, 0});
}

TEST_CASE("zeros of both signs are equally small") {
  const float weights[] = {0.0f, -0.0f, 1e-45f, -1e-45f};
  std::uint8_t mask[] = {1, 1, 1, 1};
  REQUIRE(pare::prune_magnitude(view(weights), amount::count(3), view(mask)) == status::ok);
  CHECK_EQUAL_RANGES(mask, {0, 0, 0, 1});
}

TEST_CASE("what was pruned before stays pruned and is not counted") {
  const float weights[] = {5, 1, 2, 3};
  std::uint8_t mask[] = {0, 1, 0, 255};
  REQUIRE(pare::prune_magnitude(view(weights), amount::fraction(0.5), view(mask)) == status::ok);
  CHECK_EQUAL_RANGES(mask, {0, 0, 0, 255});
}

TEST_CASE("nothing or everything may be pruned") {
  const auto weights = random_normal<float>({3, 5}, 2);
  auto mask = ones_like(weights);
  REQUIRE(pare::prune_magnitude(weights.view(), amount::fraction(0), mask.view()) == status::ok);
  CHECK(pare::kept(mask.view()) == 15);
  REQUIRE(pare::prune_magnitude(weights.view(), amount::fraction(1), mask.view()) == status::ok);
  CHECK(pare::kept(mask.view()) == 0);
  // Of nothing, any fraction is nothing.
  CHECK(pare::prune_magnitude(weights.view(), amount::fraction(1), mask.view()) == status::ok);
  CHECK(pare::prune_magnitude(weights.view(), amount::count(1), mask.view()) ==
        status::out_of_range);
}

TEST_CASE("the order does not depend on the layout") {
  const auto weights = random_normal<float>({7, 9}, 3);
  auto expected = ones_like(weights);
  REQUIRE(pare::prune_magnitude(weights.view(), amount::count(20), expected.view()) == status::ok);

  const auto columns = pare_test::column_major_copy(weights);
  auto mask = pare_test::strided_copy(ones_like(weights), 3, 2);
  REQUIRE(pare::prune_magnitude(columns.view(), amount::count(20), mask.view()) == status::ok);
  CHECK(pare_test::equal(mask.view(), expected));
  CHECK(mask.gaps_untouched());
}

TEST_CASE_TEMPLATE("every float type is ordered exactly", T, double, pare::half, pare::bfloat16) {
  const T weights[] = {T(3.0f), T(-0.5f), T(0.25f), T(-4.0f), T(0.5f)};
  std::uint8_t mask[] = {1, 1, 1, 1, 1};
  REQUIRE(pare::prune_magnitude(view(weights), amount::count(2), view(mask)) == status::ok);
  CHECK_EQUAL_RANGES(mask, {1, 0, 0, 1, 1});
}

TEST_CASE("doubles that agree as floats are told apart") {
  const double weights[] = {1 + 1e-12, 1, 1 - 1e-12};
  std::uint8_t mask[] = {1, 1, 1};
  REQUIRE(pare::prune_magnitude(view(weights), amount::count(2), view(mask)) == status::ok);
  CHECK_EQUAL_RANGES(mask, {1, 0, 0});
}

TEST_CASE("bad input leaves the mask untouched") {
  float weights[] = {1, 2, 3, 4};
  std::uint8_t mask[] = {1, 0, 1, 1};
  SUBCASE("NaN") {
    weights[2] = quiet_nan;
    const status s = pare::prune_magnitude(view(weights), amount::count(1), view(mask));
    CHECK(s == status::non_finite);
    CHECK(s.error().position == 2);
  }
  SUBCASE("infinity where the mask is 0") {
    weights[1] = -infinity;
    CHECK(pare::prune_magnitude(view(weights), amount::count(1), view(mask)) == status::non_finite);
  }
  SUBCASE("a fraction above one") {
    CHECK(pare::prune_magnitude(view(weights), amount::fraction(1.5), view(mask)) ==
          status::invalid_argument);
  }
  SUBCASE("a negative count") {
    CHECK(pare::prune_magnitude(view(weights), amount::count(-1), view(mask)) ==
          status::invalid_argument);
  }
  SUBCASE("a count above what remains") {
    CHECK(pare::prune_magnitude(view(weights), amount::count(4), view(mask)) ==
          status::out_of_range);
  }
  SUBCASE("weights of another shape") {
    CHECK(pare::prune_magnitude(view(weights, 3), amount::count(1), view(mask)) ==
          status::shape_mismatch);
  }
  SUBCASE("a NaN in the second of two layers") {
    const float other[] = {1, quiet_nan};
    std::uint8_t other_mask[] = {1, 1};
    CHECK(pare::prune_magnitude_globally(
              amount::count(1), masked_weights{view(weights), view(mask)},
              masked_weights{view(other), view(other_mask)}) == status::non_finite);
    CHECK_EQUAL_RANGES(other_mask, {1, 1});
  }
  CHECK_EQUAL_RANGES(mask, {1, 0, 1, 1});
}

TEST_CASE("tensors without elements are errors") {
  const pare::tensor<float, 2> weights({0, 4});
  pare::tensor<std::uint8_t, 2> mask({0, 4});
  CHECK(pare::prune_magnitude(weights.view(), amount::fraction(0.5), mask.view()) == status::empty);
  CHECK(pare::magnitude_mask(weights.view(), 1.0f, mask.view()) == status::empty);
}

TEST_CASE("magnitude_mask keeps what reaches the threshold") {
  const float weights[] = {-0.5f, 0.25f, 0.5f, -0.75f, 0.0f, -0.0f};
  std::uint8_t mask[] = {7, 7, 7, 7, 7, 7};
  REQUIRE(pare::magnitude_mask(view(weights), 0.5f, view(mask)) == status::ok);
  CHECK_EQUAL_RANGES(mask, {1, 0, 1, 1, 0, 0});
  REQUIRE(pare::magnitude_mask(view(weights), 0.0f, view(mask)) == status::ok);
  CHECK_EQUAL_RANGES(mask, {1, 1, 1, 1, 1, 1});
}

TEST_CASE("magnitude_mask takes any layout, and writable weights") {
  auto weights = random_normal<float>({4, 6}, 4);
  auto expected = ones_like(weights);
  for (index_t i = 0; i < weights.size(); ++i) {
    expected.data()[i] = std::abs(weights.data()[i]) >= 0.7f ? 1 : 0;
  }
  auto columns = pare_test::column_major_copy(weights);
  auto mask = pare_test::strided_copy(ones_like(weights));
  REQUIRE(pare::magnitude_mask(columns.view(), 0.7f, mask.view()) == status::ok);
  CHECK(pare_test::equal(mask.view(), expected));
  CHECK(mask.gaps_untouched());
}

TEST_CASE("magnitude_mask refuses bad input and leaves the mask untouched") {
  float weights[] = {1, 2, 3};
  std::uint8_t mask[] = {1, 0, 1};
  SUBCASE("a negative threshold") {
    CHECK(pare::magnitude_mask(view(weights), -1.0f, view(mask)) == status::invalid_argument);
  }
  SUBCASE("a threshold that is NaN") {
    CHECK(pare::magnitude_mask(view(weights), quiet_nan, view(mask)) == status::invalid_argument);
  }
  SUBCASE("an infinite threshold") {
    CHECK(pare::magnitude_mask(view(weights), infinity, view(mask)) == status::invalid_argument);
  }
  SUBCASE("an infinite weight") {
    weights[1] = infinity;
    const status s = pare::magnitude_mask(view(weights), 1.0f, view(mask));
    CHECK(s == status::non_finite);
    CHECK(s.error().position == 1);
  }
  SUBCASE("weights of another shape") {
    CHECK(pare::magnitude_mask(view(weights, 2), 1.0f, view(mask)) == status::shape_mismatch);
  }
  CHECK_EQUAL_RANGES(mask, {1, 0, 1});
}
