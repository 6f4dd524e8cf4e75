// Removal against zeroing: torch's output with the other neurons or filters set to zero (vectors:
// tools/make_prune_vectors.py).
#include <pare/prune/surgery.hpp>

#include <algorithm>
#include <limits>
#include <vector>

#include <doctest/doctest.h>
#include "support/check.hpp"
#include "support/random.hpp"
#include "support/vectors.hpp"

namespace {

using pare::index_t;
using pare::status;
using pare::tensor;
using pare::view;
using pare_test::random_normal;

const index_t no_indices[] = {0};
const auto nothing = view(no_indices, 0);
const pare::vector_view<const float> no_bias;

/// y = x w^T + b, in double inside.
tensor<float, 2> linear(const tensor<float, 2>& x, const tensor<float, 2>& w,
                        const tensor<float, 1>& b) {
  tensor<float, 2> y({x.extent(0), w.extent(0)});
  for (index_t n = 0; n < x.extent(0); ++n) {
    for (index_t o = 0; o < w.extent(0); ++o) {
      double sum = b(o);
      for (index_t i = 0; i < w.extent(1); ++i) sum += double{x(n, i)} * double{w(o, i)};
      y(n, o) = static_cast<float>(sum);
    }
  }
  return y;
}

/// A convolution without padding, NCHW.
tensor<float, 4> convolve(const tensor<float, 4>& x, const tensor<float, 4>& w,
                          const tensor<float, 1>& b) {
  tensor<float, 4> y(
      {x.extent(0), w.extent(0), x.extent(2) - w.extent(2) + 1, x.extent(3) - w.extent(3) + 1});
  pare::for_each_element(y.view(), [&](float& out, index_t linear) {
    const index_t column = linear % y.extent(3), row = linear / y.extent(3) % y.extent(2);
    const index_t o = linear / y.extent(3) / y.extent(2) % y.extent(1);
    const index_t n = linear / y.extent(3) / y.extent(2) / y.extent(1);
    double sum = b(o);
    for (index_t i = 0; i < w.extent(1); ++i) {
      for (index_t r = 0; r < w.extent(2); ++r) {
        for (index_t c = 0; c < w.extent(3); ++c) {
          sum += double{x(n, i, row + r, column + c)} * double{w(o, i, r, c)};
        }
      }
    }
    out = static_cast<float>(sum);
  });
  return y;
}

template <std::size_t R>
tensor<float, R> relu(tensor<float, R> t) {
  for (float& x : t) x = std::max(x, 0.0f);
  return t;
}

}  // namespace

TEST_CASE("a linear layer without its pruned neurons computes what zeroing them does") {
  const auto v = pare_test::load("prune/surgery.npz");
  const auto w1 = v.get<float, 2>("linear_w1"), w2 = v.get<float, 2>("linear_w2");
  const auto b1 = v.get<float, 1>("linear_b1"), b2 = v.get<float, 1>("linear_b2");
  const auto kept = v.get<std::int64_t, 1>("linear_kept");
  const auto small = pare::remove_neurons(w1.view(), b1.view(), w2.view(), kept.view()).value();
  CHECK(small.weights.extent(0) == 5);
  CHECK(small.bias.size() == 5);
  CHECK(small.next_weights.extent(1) == 5);
  const auto hidden = relu(linear(v.get<float, 2>("linear_x"), small.weights, small.bias));
  CHECK(pare_test::near(linear(hidden, small.next_weights, b2), v.get<float, 2>("linear_y"), 1e-5,
                        1e-5));
}

TEST_CASE("a convolution without its pruned filters computes what zeroing them does") {
  const auto v = pare_test::load("prune/surgery.npz");
  const auto w1 = v.get<float, 4>("conv_w1"), w2 = v.get<float, 4>("conv_w2");
  const auto b1 = v.get<float, 1>("conv_b1"), b2 = v.get<float, 1>("conv_b2");
  const auto kept = v.get<std::int64_t, 1>("conv_kept");
  const auto x = v.get<float, 4>("conv_x");
  SUBCASE("in front of a convolution") {
    const auto small = pare::remove_filters(w1.view(), b1.view(), w2.view(), kept.view()).value();
    CHECK(small.weights.extent(0) == 3);
    CHECK(small.next_weights.extent(1) == 3);
    const auto hidden = relu(convolve(x, small.weights, small.bias));
    CHECK(pare_test::near(convolve(hidden, small.next_weights, b2), v.get<float, 4>("conv_y"), 1e-5,
                          1e-5));
  }
  SUBCASE("in front of a linear layer that reads it flattened") {
    const auto flat = v.get<float, 2>("flat_w");
    const auto small = pare::remove_filters(w1.view(), b1.view(), flat.view(), kept.view()).value();
    CHECK(small.next_weights.extent(1) == 3 * 4 * 5);
    const auto hidden = relu(convolve(x, small.weights, small.bias));
    const auto flattened = tensor<float, 2>::copy_of(view(hidden.data(), 2, 3 * 4 * 5)).value();
    CHECK(pare_test::near(linear(flattened, small.next_weights, v.get<float, 1>("flat_b")),
                          v.get<float, 2>("flat_y"), 1e-5, 1e-5));
  }
}

TEST_CASE("layers without a bias stay without one") {
  const auto w1 = random_normal<float>({3, 2}, 1), w2 = random_normal<float>({4, 3}, 2);
  const index_t kept[] = {0, 2};
  const auto small = pare::remove_neurons(w1.view(), no_bias, w2.view(), view(kept)).value();
  CHECK(small.bias.empty());
  CHECK(small.weights.extent(0) == 2);
  CHECK(small.next_weights(3, 1) == w2(3, 2));
}

TEST_CASE("all neurons may stay, and all may go") {
  const auto w1 = random_normal<float>({2, 3}, 1), w2 = random_normal<float>({4, 2}, 2);
  const auto b1 = random_normal<float>({2}, 3);
  const index_t both[] = {0, 1};
  const auto same = pare::remove_neurons(w1.view(), b1.view(), w2.view(), view(both)).value();
  CHECK(pare_test::equal(same.weights, w1));
  CHECK(pare_test::equal(same.bias, b1));
  CHECK(pare_test::equal(same.next_weights, w2));
  const auto none = pare::remove_neurons(w1.view(), b1.view(), w2.view(), nothing).value();
  CHECK(none.weights.extent(0) == 0);
  CHECK(none.weights.extent(1) == 3);
  CHECK(none.bias.empty());
  CHECK(none.next_weights.extent(0) == 4);
  CHECK(none.next_weights.extent(1) == 0);
}

TEST_CASE("layers that do not fit each other are errors") {
  const auto w1 = random_normal<float>({3, 2}, 1), w2 = random_normal<float>({4, 6}, 2);
  const auto b1 = random_normal<float>({3}, 3);
  const index_t kept[] = {0, 2};
  // Twice as many inputs are a flattened convolution's, never a linear layer's.
  CHECK(pare::remove_neurons(w1.view(), b1.view(), w2.view(), view(kept)) ==
        status::shape_mismatch);
  CHECK(pare::remove_neurons(w1.view(), view(b1.data(), 2), view(w2.data(), 8, 3), view(kept)) ==
        status::shape_mismatch);

  const auto c1 = random_normal<float>({3, 1, 2, 2}, 4), c2 = random_normal<float>({2, 6, 1, 1}, 5);
  CHECK(pare::remove_filters(c1.view(), no_bias, c2.view(), view(kept)) == status::shape_mismatch);
  const auto flat = random_normal<float>({2, 7}, 6);
  CHECK(pare::remove_filters(c1.view(), no_bias, flat.view(), view(kept)) ==
        status::shape_mismatch);
}

TEST_CASE("keep_slices copies the named slices along any axis of any rank") {
  tensor<int, 3> source({2, 3, 4});
  for (index_t i = 0; i < source.size(); ++i) source.data()[i] = static_cast<int>(i);
  const std::int32_t kept[] = {0, 2};
  for (int axis = 1; axis < 3; ++axis) {
    CAPTURE(axis);
    const auto out = pare::keep_slices(source.view(), axis, view(kept)).value();
    CHECK(out.extent(static_cast<std::size_t>(axis)) == 2);
    for (index_t i = 0; i < out.extent(0); ++i) {
      for (index_t j = 0; j < out.extent(1); ++j) {
        for (index_t k = 0; k < out.extent(2); ++k) {
          CHECK(out(i, j, k) == (axis == 1 ? source(i, kept[j], k) : source(i, j, kept[k])));
        }
      }
    }
  }
  const float bias[] = {1, 2, 3};
  CHECK_EQUAL_RANGES(pare::keep_slices(view(bias), 0, view(kept)).value(), {1.0f, 3.0f});
}

TEST_CASE("a block keeps its slices together") {
  const int source[] = {0, 1, 2, 3, 4, 5, 6, 7};
  const index_t kept[] = {0, 2, 3};
  CHECK_EQUAL_RANGES(pare::keep_slices(view(source), 0, view(kept), 2).value(), {0, 1, 4, 5, 6, 7});
}

TEST_CASE("keep_slices reads and writes any layout") {
  const auto source = random_normal<float>({4, 5}, 7);
  const index_t kept[] = {1, 4};
  const auto expected = pare::keep_slices(source.view(), 1, view(kept)).value();
  const auto columns = pare_test::column_major_copy(source);
  auto out = pare_test::strided_copy(pare_test::ones_like(expected), 5, 2);
  pare_test::strided<float, 2> apart({4, 2}, {9, 2});
  REQUIRE(pare::keep_slices(columns.view(), 1, view(kept), apart.view()) == status::ok);
  CHECK(pare_test::equal(apart.view(), expected));
  CHECK(apart.gaps_untouched());
}

TEST_CASE("weights that are not numbers are moved, not judged") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float source[] = {1, nan, std::numeric_limits<float>::infinity()};
  const index_t kept[] = {1, 2};
  const float expected[] = {source[1], source[2]};
  CHECK(pare_test::equal_bits(pare::keep_slices(view(source), 0, view(kept)).value(), expected));
}

TEST_CASE("keep_slices refuses bad input and leaves the output untouched") {
  const auto source = random_normal<float>({4, 6}, 8);
  pare::tensor<float, 2> out({4, 2});
  for (float& x : out) x = 7;
  const auto untouched = out;
  const auto keep = [&](int axis, const std::vector<index_t>& kept, index_t block = 1) {
    const auto indices = view(kept.data(), static_cast<index_t>(kept.size()));
    return pare::keep_slices(source.view(), axis, indices, out.view(), block);
  };
  SUBCASE("an axis that does not exist") {
    CHECK(keep(2, {0, 1}) == status::out_of_range);
    CHECK(keep(-1, {0, 1}) == status::out_of_range);
  }
  SUBCASE("an index beyond the extent") {
    const status s = keep(1, {0, 6});
    CHECK(s == status::out_of_range);
    CHECK(s.error().position == 1);
  }
  SUBCASE("a negative index") { CHECK(keep(1, {-1, 2}) == status::out_of_range); }
  SUBCASE("indices that fall") { CHECK(keep(1, {3, 2}) == status::invalid_argument); }
  SUBCASE("an index that comes twice") {
    const status s = keep(1, {3, 3});
    CHECK(s == status::invalid_argument);
    CHECK(s.error().position == 1);
  }
  SUBCASE("an output too small or too large") {
    CHECK(keep(1, {1, 2, 3}) == status::shape_mismatch);
    CHECK(keep(1, {1}) == status::shape_mismatch);
    CHECK(keep(0, {1, 2}) == status::shape_mismatch);
  }
  SUBCASE("a block that does not divide the extent") {
    CHECK(keep(1, {0}, 4) == status::shape_mismatch);
  }
  SUBCASE("an index that is in range for slices but not for blocks") {
    CHECK(keep(1, {3}, 2) == status::out_of_range);
  }
  SUBCASE("a block without slices") {
    CHECK(keep(1, {0}, 0) == status::invalid_argument);
    CHECK(keep(1, {0}, -2) == status::invalid_argument);
  }
  CHECK(pare_test::equal(out, untouched));
}

TEST_CASE("keep_slices into a new tensor refuses the same") {
  const auto source = random_normal<float>({4, 6}, 9);
  const index_t kept[] = {0, 1, 2, 3, 4, 5, 6}, twice[] = {2, 2}, pair[] = {0, 1};
  CHECK(pare::keep_slices(source.view(), 1, view(kept)) == status::out_of_range);
  CHECK(pare::keep_slices(source.view(), 1, view(twice)) == status::invalid_argument);
  CHECK(pare::keep_slices(source.view(), 2, view(pair)) == status::out_of_range);
  CHECK(pare::keep_slices(source.view(), 1, view(pair), 4) == status::shape_mismatch);
  CHECK(pare::keep_slices(source.view(), 1, view(pair), 0) == status::invalid_argument);
  CHECK(pare::keep_slices(source.view(), 1, view(pair), std::numeric_limits<index_t>::max()) ==
        status::invalid_argument);
}

TEST_CASE("a tensor without elements has no slice to keep") {
  const tensor<float, 2> source({0, 3});
  const index_t kept[] = {0};
  CHECK(pare::keep_slices(source.view(), 0, view(kept)) == status::out_of_range);
  CHECK(pare::keep_slices(source.view(), 0, nothing).value().empty());
  CHECK(pare::keep_slices(source.view(), 1, view(kept)).value().extent(1) == 1);
}

TEST_CASE("slices in another order, and back") {
  const auto source = random_normal<float>({3, 4, 2}, 10);
  const index_t order[] = {2, 0, 3, 1}, back[] = {1, 3, 0, 2};
  const auto permuted = pare::permute_slices(source.view(), 1, view(order)).value();
  for (index_t i = 0; i < 4; ++i) CHECK(permuted(2, i, 1) == source(2, order[i], 1));
  CHECK(pare_test::equal(pare::permute_slices(permuted.view(), 1, view(back)).value(), source));
}

TEST_CASE("an order that is none is an error") {
  const auto source = random_normal<float>({3, 2}, 11);
  const index_t twice[] = {0, 0}, beyond[] = {0, 2}, three[] = {0, 1, 2};
  CHECK(pare::permute_slices(source.view(), 1, view(twice)) == status::invalid_argument);
  CHECK(pare::permute_slices(source.view(), 1, view(beyond)) == status::out_of_range);
  CHECK(pare::permute_slices(source.view(), 1, view(three)) == status::shape_mismatch);
  CHECK(pare::permute_slices(source.view(), 2, view(three)) == status::out_of_range);
}
