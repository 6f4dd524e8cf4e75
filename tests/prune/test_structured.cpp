// Norms and structured masks against torch (vectors: tools/make_prune_vectors.py).
#include <pare/prune/structured.hpp>

#include <limits>
#include <string>

#include <pare/core/subview.hpp>
#include <pare/prune/scores.hpp>

#include <doctest/doctest.h>
#include "support/check.hpp"
#include "support/random.hpp"
#include "support/vectors.hpp"

namespace {

using pare::all;
using pare::amount;
using pare::index_t;
using pare::norm;
using pare::status;
using pare::subview;
using pare::view;
using pare_test::random_normal;

constexpr float quiet_nan = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

/// One tensor of a stack, as a view of rank R - 1.
template <class T, std::size_t R>
auto at(const pare::tensor<T, R>& stack, index_t i) {
  if constexpr (R == 3) {
    return subview(stack.view(), i, all, all);
  } else if constexpr (R == 4) {
    return subview(stack.view(), i, all, all, all);
  } else {
    return subview(stack.view(), i, all, all, all, all);
  }
}

template <std::size_t R>
void check_against_torch(const std::string& prefix) {
  const auto vectors = pare_test::load("prune/ln_structured.npz");
  const auto weights = vectors.get<float, R + 1>(prefix + "weights");
  const auto start = vectors.get<std::uint8_t, R + 1>(prefix + "start");
  const auto masks = vectors.get<std::uint8_t, R + 2>(prefix + "masks");
  const auto parameters = vectors.get<double, 2>(prefix + "parameters");
  REQUIRE(parameters.extent(0) == 12);
  for (index_t i = 0; i < parameters.extent(0); ++i) {
    CAPTURE(i);
    const auto w = at(weights, i);
    const int axis = static_cast<int>(parameters(i, 0));
    const double order = parameters(i, 1);
    const norm kind = order == 1 ? norm::l1 : order == 2 ? norm::l2 : norm::linf;

    const auto norms = pare::channel_norms(w, axis, kind).value();
    CHECK(pare_test::near(norms, vectors.get<double, 1>(prefix + "norms" + std::to_string(i)), 0,
                          1e-6));

    auto mask = pare::tensor<std::uint8_t, R>::copy_of(at(start, i)).value();
    for (index_t step = 0; step < 2; ++step) {
      CAPTURE(step);
      const auto pruned = amount::fraction(parameters(i, 2 + step));
      REQUIRE(pare::prune_channels(w, axis, kind, pruned, mask.view()) == status::ok);
      if constexpr (R == 2) {
        CHECK(pare_test::equal(mask, subview(masks.view(), i, step, all, all)));
      } else {
        CHECK(pare_test::equal(mask, subview(masks.view(), i, step, all, all, all, all)));
      }
    }
  }
}

}  // namespace

TEST_CASE("linear weights lose the neurons and inputs that ln_structured takes") {
  check_against_torch<2>("");
}

TEST_CASE("convolution weights lose the filters and channels that ln_structured takes") {
  check_against_torch<4>("conv_");
}

TEST_CASE("norms are over all dimensions but one") {
  const float weights[2][3] = {{3, 0, -4}, {1, -1, 1}};
  float rows[2], columns[3];
  REQUIRE(pare::channel_norms(view(weights), 0, norm::l1, view(rows)) == status::ok);
  CHECK_EQUAL_RANGES(rows, {7.0f, 3.0f});
  REQUIRE(pare::channel_norms(view(weights), 0, norm::l2, view(rows)) == status::ok);
  CHECK(rows[0] == 5.0f);
  REQUIRE(pare::channel_norms(view(weights), 0, norm::linf, view(rows)) == status::ok);
  CHECK_EQUAL_RANGES(rows, {4.0f, 1.0f});
  REQUIRE(pare::channel_norms(view(weights), 1, norm::l1, view(columns)) == status::ok);
  CHECK_EQUAL_RANGES(columns, {4.0f, 1.0f, 5.0f});
}

TEST_CASE("norms do not depend on the layout") {
  const auto weights = random_normal<float>({4, 3, 2, 5}, 1);
  const auto columns = pare_test::column_major_copy(weights);
  const auto apart = pare_test::strided_copy(weights, 2, 3);
  for (int axis = 0; axis < 4; ++axis) {
    CAPTURE(axis);
    const auto expected = pare::channel_norms(weights.view(), axis, norm::l2).value();
    CHECK(pare_test::equal(pare::channel_norms(columns.view(), axis, norm::l2).value(), expected));
    CHECK(pare_test::equal(pare::channel_norms(apart.view(), axis, norm::l2).value(), expected));
  }
}

TEST_CASE("norms of a vector are its magnitudes, and half has float norms") {
  const pare::half weights[] = {pare::half(-2.0f), pare::half(0.5f)};
  const auto norms = pare::channel_norms(view(weights), 0, norm::l2).value();
  CHECK_EQUAL_RANGES(norms, {2.0f, 0.5f});
}

TEST_CASE("squares of large floats do not overflow") {
  const float weights[1][2] = {{3e30f, 4e30f}};
  float out[1];
  REQUIRE(pare::channel_norms(view(weights), 0, norm::l2, view(out)) == status::ok);
  CHECK(out[0] == doctest::Approx(5e30));
}

TEST_CASE("channel_norms refuses bad input and leaves the norms untouched") {
  float weights[2][2] = {{1, 2}, {3, 4}};
  float out[2] = {7, 7};
  SUBCASE("an axis that does not exist") {
    CHECK(pare::channel_norms(view(weights), 2, norm::l1, view(out)) == status::out_of_range);
    CHECK(pare::channel_norms(view(weights), -1, norm::l1, view(out)) == status::out_of_range);
    CHECK(pare::channel_norms(view(weights), 2, norm::l1) == status::out_of_range);
  }
  SUBCASE("another number of norms") {
    CHECK(pare::channel_norms(view(weights), 0, norm::l1, view(out, 1)) == status::shape_mismatch);
  }
  SUBCASE("NaN in the last channel") {
    weights[1][1] = quiet_nan;
    const status s = pare::channel_norms(view(weights), 0, norm::l1, view(out));
    CHECK(s == status::non_finite);
    CHECK(s.error().position == 3);
  }
  SUBCASE("no elements") {
    CHECK(pare::channel_norms(view(&weights[0][0], 2, 0), 0, norm::l1, view(out)) == status::empty);
  }
  SUBCASE("a norm beyond float") {
    weights[1][0] = weights[1][1] = std::numeric_limits<float>::max();
    const status s = pare::channel_norms(view(weights), 0, norm::l1, view(out));
    CHECK(s == status::overflow);
    CHECK(s.error().position == 1);
  }
  CHECK_EQUAL_RANGES(out, {7.0f, 7.0f});
}

TEST_CASE("keep_channels keeps the largest scores, in rising order of index") {
  const float scores[] = {0.5f, 3, -1, 2, 0.25f};
  const auto stay = pare::keep_channels(view(scores), amount::count(2)).value();
  CHECK_EQUAL_RANGES(stay, {0, 1, 3});
}

TEST_CASE("equal scores: the lower index goes") {
  const double scores[] = {1, 0.0, -0.0, 1, 0.0};
  CHECK_EQUAL_RANGES(pare::keep_channels(view(scores), amount::count(2)).value(), {0, 3, 4});
  CHECK_EQUAL_RANGES(pare::keep_channels(view(scores), amount::count(4)).value(), {3});
}

TEST_CASE("a fraction of the channels is rounded half to even") {
  const float scores[] = {1, 2, 3, 4, 5};
  CHECK(pare::keep_channels(view(scores), amount::fraction(0.5)).value().size() == 3);
}

TEST_CASE("no channel or every channel may go") {
  const float scores[] = {1, 2, 3};
  CHECK_EQUAL_RANGES(pare::keep_channels(view(scores), amount::fraction(0)).value(), {0, 1, 2});
  CHECK(pare::keep_channels(view(scores), amount::fraction(1)).value().empty());
}

TEST_CASE("keep_channels refuses bad input and leaves the indices untouched") {
  float scores[] = {1, 2, 3};
  index_t stay[] = {-7, -7};
  SUBCASE("infinity") {
    scores[2] = infinity;
    const status s = pare::keep_channels(view(scores), amount::count(1), view(stay));
    CHECK(s == status::non_finite);
    CHECK(s.error().position == 2);
  }
  SUBCASE("a fraction above one") {
    CHECK(pare::keep_channels(view(scores), amount::fraction(1.1), view(stay)) ==
          status::invalid_argument);
    CHECK(pare::keep_channels(view(scores), amount::fraction(1.1)) == status::invalid_argument);
  }
  SUBCASE("more than there are") {
    CHECK(pare::keep_channels(view(scores), amount::count(4), view(stay)) == status::out_of_range);
    CHECK(pare::keep_channels(view(scores), amount::count(4)) == status::out_of_range);
  }
  SUBCASE("another number of indices") {
    CHECK(pare::keep_channels(view(scores), amount::count(2), view(stay)) ==
          status::shape_mismatch);
  }
  SUBCASE("no scores") {
    CHECK(pare::keep_channels(pare::vector_view<float>(), amount::fraction(0.5)) == status::empty);
  }
  CHECK_EQUAL_RANGES(stay, {-7, -7});
}

TEST_CASE("equal norms: the lower channel is pruned, and only whole channels are") {
  const float weights[3][2] = {{1, -1}, {1, 1}, {-1, 1}};
  std::uint8_t mask[3][2] = {{1, 1}, {1, 1}, {1, 1}};
  REQUIRE(pare::prune_channels(view(weights), 0, norm::l2, amount::count(2), view(mask)) ==
          status::ok);
  CHECK(pare_test::equal(view(&mask[0][0], 6), {0, 0, 0, 0, 1, 1}));
}

TEST_CASE("a channel that is pruned already is not counted, and pruned weights have no norm") {
  const float weights[3][2] = {{1, 1}, {9, 2}, {3, 3}};
  std::uint8_t mask[3][2] = {{0, 0}, {0, 1}, {1, 1}};
  REQUIRE(pare::prune_channels(view(weights), 0, norm::l1, amount::fraction(0.5), view(mask)) ==
          status::ok);
  CHECK(pare_test::equal(view(&mask[0][0], 6), {0, 0, 0, 0, 1, 1}));
}

TEST_CASE("prune_channels refuses bad input and leaves the mask untouched") {
  float weights[2][2] = {{1, 2}, {3, 4}};
  std::uint8_t mask[2][2] = {{1, 1}, {1, 1}};
  SUBCASE("an axis that does not exist") {
    CHECK(pare::prune_channels(view(weights), 2, norm::l1, amount::count(1), view(mask)) ==
          status::out_of_range);
  }
  SUBCASE("a mask of another shape") {
    CHECK(pare::prune_channels(view(&weights[0][0], 2, 1), 0, norm::l1, amount::count(1),
                               view(mask)) == status::shape_mismatch);
  }
  SUBCASE("NaN") {
    weights[1][0] = quiet_nan;
    CHECK(pare::prune_channels(view(weights), 0, norm::l1, amount::count(1), view(mask)) ==
          status::non_finite);
  }
  SUBCASE("more channels than are left") {
    CHECK(pare::prune_channels(view(weights), 0, norm::l1, amount::count(3), view(mask)) ==
          status::out_of_range);
  }
  SUBCASE("a fraction below zero") {
    CHECK(pare::prune_channels(view(weights), 0, norm::l1, amount::fraction(-0.5), view(mask)) ==
          status::invalid_argument);
  }
  CHECK(pare_test::equal(view(&mask[0][0], 4), {1, 1, 1, 1}));

  const pare::tensor<float, 2> nothing({3, 0});
  pare::tensor<std::uint8_t, 2> no_mask({3, 0});
  CHECK(pare::prune_channels(nothing.view(), 0, norm::l1, amount::count(1), no_mask.view()) ==
        status::empty);
}

TEST_CASE("a norm beyond double is an error") {
  const double weights[2][2] = {{1, 1}, {1e200, 1e200}};
  std::uint8_t mask[2][2] = {{1, 1}, {1, 1}};
  CHECK(pare::prune_channels(view(weights), 0, norm::l2, amount::count(1), view(mask)) ==
        status::overflow);
  CHECK(pare_test::equal(view(&mask[0][0], 4), {1, 1, 1, 1}));
  CHECK(pare::channel_norms(view(weights), 0, norm::l2) == status::overflow);
}

TEST_CASE("a head is some rows side by side") {
  const auto weights = random_normal<float>({12, 5}, 4);  // three heads of four rows
  const auto heads = pare::channel_norms(weights.view(), 0, norm::l2, 4).value();
  REQUIRE(heads.size() == 3);
  const auto folded = view(weights.data(), 3, 20);
  CHECK(pare_test::equal(heads, pare::channel_norms(folded, 0, norm::l2).value()));

  auto mask = pare_test::ones_like(weights);
  REQUIRE(pare::prune_channels(weights.view(), 0, norm::l2, amount::count(1), mask.view(), 4) ==
          status::ok);
  const auto stay = pare::keep_channels(heads.view(), amount::count(1)).value();
  auto expected = pare_test::ones_like(weights);
  REQUIRE(pare::mask_channels(stay.view(), 0, expected.view(), 4) == status::ok);
  CHECK(pare_test::equal(mask, expected));
  CHECK(pare::kept(mask.view()) == 40);
  CHECK(pare::channel_norms(weights.view(), 0, norm::l2, 5) == status::shape_mismatch);
  CHECK(pare::channel_norms(weights.view(), 0, norm::l2, 0) == status::invalid_argument);
  CHECK(pare::prune_channels(weights.view(), 0, norm::l2, amount::count(1), mask.view(), 5) ==
        status::shape_mismatch);
}

TEST_CASE("the filter nearest to the geometric median has the least distance to all others") {
  const auto v = pare_test::load("prune/fpgm.npz");
  const auto w = v.get<double, 4>("w");
  double distances[7];
  REQUIRE(pare::channel_distances(w.view(), 0, view(distances)) == status::ok);
  CHECK(pare_test::near(distances, v.get<double, 1>("distances"), 0, 1e-6));
  // Three of a kind stand in for each other: one of them goes, and none of the others.
  const float equal[5][2] = {{9, 0}, {1, 1}, {1, 1}, {1, 1}, {0, -9}};
  float scores[5];
  REQUIRE(pare::channel_distances(view(equal), 0, view(scores)) == status::ok);
  CHECK_EQUAL_RANGES(pare::keep_channels(view(scores), amount::count(1)).value(), {0, 2, 3, 4});
}

TEST_CASE("Taylor scores of channels let opposite terms cancel") {
  const float w[2][3] = {{1, 2, 3}, {1, 1, 1}}, g[2][3] = {{1, 1, -1}, {-1, -2, 0}};
  float rows[2], columns[3];
  REQUIRE(pare::channel_taylor_scores(view(w), view(g), 0, view(rows)) == status::ok);
  CHECK_EQUAL_RANGES(rows, {0.0f, 3.0f});
  REQUIRE(pare::channel_taylor_scores(view(w), view(g), 1, view(columns)) == status::ok);
  CHECK_EQUAL_RANGES(columns, {0.0f, 0.0f, 3.0f});
  CHECK(pare::channel_taylor_scores(view(w), view(rows), 0, view(rows)) == status::shape_mismatch);
}

TEST_CASE("batch-norm scales of several layers choose channels together") {
  const float first[] = {0.5f, -0.1f, 0.9f}, second[] = {0.05f, 2, -0.3f, 0.2f};
  const auto a = pare::channel_norms(view(first), 0, norm::l1).value();
  const auto b = pare::channel_norms(view(second), 0, norm::l1).value();
  std::uint8_t m[] = {1, 1, 1}, n[] = {1, 1, 1, 1};
  REQUIRE(pare::prune_lowest_globally(amount::count(3), pare::masked_weights{a.view(), view(m)},
                                      pare::masked_weights{b.view(), view(n)}) == status::ok);
  CHECK_EQUAL_RANGES(pare::kept_indices(view(m)).value(), {0, 2});
  CHECK_EQUAL_RANGES(pare::kept_indices(view(n)).value(), {1, 2});
}

TEST_CASE("channels that do not exist make no mask") {
  std::uint8_t mask[2][2] = {{1, 1}, {1, 1}};
  const index_t beyond[] = {0, 2}, falling[] = {1, 0};
  CHECK(pare::mask_channels(view(beyond), 0, view(mask)) == status::out_of_range);
  CHECK(pare::mask_channels(view(falling), 0, view(mask)) == status::invalid_argument);
  CHECK(pare::mask_channels(view(falling), 3, view(mask)) == status::out_of_range);
  CHECK(pare_test::equal(view(&mask[0][0], 4), {1, 1, 1, 1}));
}
