// Which channels go together, and networks narrowed by that: what stays computes what zeroing the
// others would.
#include <pare/prune/channel_graph.hpp>

#include <limits>
#include <vector>

#include <doctest/doctest.h>
#include "support/check.hpp"
#include "support/random.hpp"

namespace {

using pare::amount;
using pare::channel_graph;
using pare::index_t;
using pare::status;
using pare::tensor;
using pare::view;
using pare_test::random_normal;

/// Scores that are lowest where `low` says.
tensor<float, 1> scores(index_t count, const std::vector<index_t>& low) {
  tensor<float, 1> s({count});
  for (float& x : s) x = 1;
  for (const index_t i : low) s(i) = 0.1f;
  return s;
}

/// A 1x1 convolution at one position: y[o] = sum over i of w[o, i] x[i], by groups.
tensor<float, 1> apply(const tensor<float, 2>& w, const tensor<float, 1>& x) {
  const index_t groups = x.size() / w.extent(1), wide = w.extent(0) / groups;
  tensor<float, 1> y({w.extent(0)});
  for (index_t o = 0; o < y.size(); ++o) {
    for (index_t i = 0; i < w.extent(1); ++i) y(o) += w(o, i) * x(o / wide * w.extent(1) + i);
  }
  return y;
}

tensor<float, 1> zeroed(tensor<float, 1> x, const tensor<index_t, 1>& kept) {
  auto mask = pare_test::ones_like(x);
  REQUIRE(pare::mask_channels(kept.view(), 0, mask.view()) == status::ok);
  REQUIRE(pare::apply_mask(mask.view(), x.view()) == status::ok);
  return x;
}

tensor<float, 2> narrowed(const tensor<float, 2>& w, const pare::layer_plan& p) {
  return pare::narrow_weights(w.view(), p).value();
}

tensor<float, 1> sum(tensor<float, 1> a, const tensor<float, 1>& b) {
  for (index_t i = 0; i < a.size(); ++i) a(i) += b(i);
  return a;
}

}  // namespace

TEST_CASE("what is added goes together, by the sum of its scores, and inputs and outputs stay") {
  channel_graph g;
  const auto x = g.input(3);
  const auto a = g.conv2d(x, 6);
  const auto b = g.conv2d(g.batch_norm(a), 6);
  const auto s = g.add(a, b);
  const auto y = g.linear(s, 4);
  g.output(y);
  REQUIRE(g.score(a, scores(6, {1, 2, 4}).view()) == status::ok);
  REQUIRE(g.score(b, scores(6, {0, 2, 4}).view()) == status::ok);
  REQUIRE(g.score(y, scores(4, {0, 1}).view()) == status::ok);
  const auto plan = g.plan(amount::count(2)).value();
  for (const auto n : {a, b, s}) {
    CHECK_EQUAL_RANGES(plan[static_cast<std::size_t>(n)].outputs, {0, 1, 3, 5});
  }
  CHECK_EQUAL_RANGES(plan[0].outputs, {0, 1, 2});
  CHECK_EQUAL_RANGES(plan[static_cast<std::size_t>(a)].inputs, {0, 1, 2});
  CHECK_EQUAL_RANGES(plan[static_cast<std::size_t>(b)].inputs, {0, 1, 3, 5});
  CHECK_EQUAL_RANGES(plan[static_cast<std::size_t>(y)].inputs, {0, 1, 3, 5});
  CHECK_EQUAL_RANGES(plan[static_cast<std::size_t>(y)].outputs, {0, 1, 2, 3});
}

TEST_CASE("a residual sum with the input keeps its channels") {
  channel_graph g;
  const auto x = g.input(4);
  const auto a = g.conv2d(x, 4);
  const auto y = g.linear(g.add(x, a), 2);
  g.output(y);
  REQUIRE(g.score(a, scores(4, {0, 1}).view()) == status::ok);
  const auto plan = g.plan(amount::fraction(0.5)).value();
  CHECK(plan[static_cast<std::size_t>(a)].outputs.size() == 4);
}

TEST_CASE("a network with residuals, groups and a concatenation computes what zeroing would") {
  channel_graph g;
  const auto x = g.input(5);
  const auto a = g.conv2d(x, 8);      // grouped reading ties its channels two by two
  const auto b = g.conv2d(a, 12, 2);  // in two groups
  const auto c = g.conv2d(b, 8);
  const auto s = g.add(a, c);
  const auto joined = g.concat({s, b});
  const auto y = g.linear(joined, 3);
  g.output(y);
  const auto wa = random_normal<float>({8, 5}, 1), wb = random_normal<float>({12, 4}, 2);
  const auto wc = random_normal<float>({8, 12}, 3), wy = random_normal<float>({3, 20}, 4);
  REQUIRE(g.check() == status::ok);
  REQUIRE(g.score(a, pare::channel_norms(wa.view(), 0, pare::norm::l2).value().view()) ==
          status::ok);
  REQUIRE(g.score(b, pare::channel_norms(wb.view(), 0, pare::norm::l2).value().view()) ==
          status::ok);
  const auto plan = g.plan(amount::fraction(0.5)).value();
  const auto& pa = plan[static_cast<std::size_t>(a)];
  const auto& pb = plan[static_cast<std::size_t>(b)];
  const auto& pc = plan[static_cast<std::size_t>(c)];
  const auto& py = plan[static_cast<std::size_t>(y)];
  CHECK(pa.outputs.size() == 4);
  CHECK(pb.outputs.size() == 6);
  CHECK(pb.inputs.size() == 2);
  CHECK(py.inputs.size() == 10);
  // Both groups keep the same places.
  for (index_t i = 0; i < 3; ++i) CHECK(pb.outputs(i) + 6 == pb.outputs(i + 3));

  const auto input = random_normal<float>({5}, 9);
  const auto ha = zeroed(apply(wa, input), pa.outputs);
  const auto hb = zeroed(apply(wb, ha), pb.outputs);
  const auto hs = sum(ha, zeroed(apply(wc, hb), pc.outputs));
  tensor<float, 1> all({20});
  for (index_t i = 0; i < 20; ++i) all(i) = i < 8 ? hs(i) : hb(i - 8);
  const auto expected = apply(wy, all);

  const auto na = apply(narrowed(wa, pa), input);
  const auto nb = apply(narrowed(wb, pb), na);
  const auto ns = sum(na, apply(narrowed(wc, pc), nb));
  tensor<float, 1> few({10});
  for (index_t i = 0; i < 10; ++i) few(i) = i < 4 ? ns(i) : nb(i - 4);
  CHECK(pare_test::near(apply(narrowed(wy, py), few), expected, 1e-5, 1e-5));
}

TEST_CASE("a depthwise convolution follows what it reads, with its multiplier") {
  channel_graph g;
  const auto a = g.conv2d(g.input(1), 4);
  const auto d = g.depthwise_conv2d(a, 2);
  const auto y = g.conv2d(d, 3);
  g.output(y);
  REQUIRE(g.score(a, scores(4, {1, 3}).view()) == status::ok);
  const auto plan = g.plan(amount::count(2)).value();
  const auto& p = plan[static_cast<std::size_t>(d)];
  CHECK_EQUAL_RANGES(p.outputs, {0, 1, 4, 5});
  CHECK_EQUAL_RANGES(plan[static_cast<std::size_t>(y)].inputs, {0, 1, 4, 5});
  const auto w = random_normal<float>({8, 1, 3, 3}, 1);
  const auto small = pare::narrow_weights(w.view(), p).value();
  CHECK(small.extent(0) == 4);
  CHECK(small.extent(1) == 1);
  CHECK(small(2, 0, 1, 2) == w(4, 0, 1, 2));
}

TEST_CASE("a flatten spreads a channel over its positions, in either order") {
  for (const auto order :
       {pare::flatten_order::channels_first, pare::flatten_order::channels_last}) {
    channel_graph g;
    const auto a = g.conv2d(g.input(1), 3);
    const auto y = g.linear(g.flatten(a, 2, order), 2);
    g.output(y);
    REQUIRE(g.score(a, scores(3, {1}).view()) == status::ok);
    const auto plan = g.plan(amount::count(1)).value();
    const auto& inputs = plan[static_cast<std::size_t>(y)].inputs;
    if (order == pare::flatten_order::channels_first) {
      CHECK_EQUAL_RANGES(inputs, {0, 1, 4, 5});
    } else {
      CHECK_EQUAL_RANGES(inputs, {0, 2, 3, 5});
    }
  }
}

TEST_CASE("as many channels stay as kernels like, never fewer than asked for, and one at least") {
  const auto left = [](index_t channels, amount pruned, index_t multiple, index_t groups = 1) {
    channel_graph g;
    const auto a = g.conv2d(g.input(1), channels);
    g.output(g.conv2d(a, 8, groups));
    REQUIRE(g.score(a, scores(channels, {0, 1, 2}).view()) == status::ok);
    return g.plan(pruned, multiple).value()[1].outputs.size();
  };
  CHECK(left(48, amount::fraction(0.5), 1) == 24);
  CHECK(left(48, amount::fraction(0.5), 16) == 32);
  CHECK(left(48, amount::fraction(0.75), 16) == 16);
  CHECK(left(20, amount::fraction(0.1), 16) == 20);  // there are no 32
  CHECK(left(48, amount::fraction(1.0), 16) == 16);
  CHECK(left(48, amount::fraction(1.0), 1) == 1);
  CHECK(left(48, amount::fraction(0.6), 16, 4) == 32);
}

TEST_CASE("channels without scores stay") {
  channel_graph g;
  const auto a = g.conv2d(g.input(2), 6);
  g.output(g.linear(a, 2));
  CHECK(g.plan(amount::fraction(0.5)).value()[static_cast<std::size_t>(a)].outputs.size() == 6);
}

TEST_CASE("vectors of a layer are narrowed with it") {
  channel_graph g;
  const auto a = g.conv2d(g.input(2), 3);
  g.output(g.linear(a, 2));
  REQUIRE(g.score(a, scores(3, {0}).view()) == status::ok);
  const auto plan = g.plan(amount::count(1)).value();
  const float bias[] = {1, 2, 3};
  CHECK_EQUAL_RANGES(pare::narrow_vector(view(bias), plan[1]).value(), {2.0f, 3.0f});
}

TEST_CASE("what does not fit is kept as the graph's error") {
  channel_graph g;
  const auto x = g.input(4);
  auto expected = status::shape_mismatch;
  SUBCASE("sums of different widths") { g.add(x, g.conv2d(x, 5)); }
  SUBCASE("groups that do not divide the inputs") { g.conv2d(x, 6, 3); }
  SUBCASE("groups that do not divide the outputs") { g.conv2d(x, 5, 2); }
  SUBCASE("a node that does not exist") {
    g.batch_norm(7);
    expected = status::out_of_range;
  }
  SUBCASE("no channels") {
    g.conv2d(x, 0);
    expected = status::out_of_range;
  }
  SUBCASE("a flatten beyond all memory") {
    g.flatten(x, std::numeric_limits<index_t>::max());
    expected = status::out_of_range;
  }
  SUBCASE("a multiplier of nothing") {
    g.depthwise_conv2d(x, 0);
    expected = status::out_of_range;
  }
  CHECK(g.check() == expected);
  CHECK(g.plan(amount::fraction(0.5)) == expected);
}

TEST_CASE("scores and amounts that do not fit are errors") {
  channel_graph g;
  const auto a = g.conv2d(g.input(2), 3);
  g.output(g.linear(a, 2));
  auto s = scores(3, {});
  CHECK(g.score(a, view(s.data(), 2)) == status::shape_mismatch);
  CHECK(g.score(9, s.view()) == status::out_of_range);
  CHECK(g.score(a, s.view()) == status::ok);
  CHECK(g.plan(amount::count(4)) == status::out_of_range);
  CHECK(g.plan(amount::fraction(1.5)) == status::invalid_argument);
  CHECK(g.plan(amount::count(1), 0) == status::invalid_argument);
  s(1) = std::numeric_limits<float>::quiet_NaN();
  CHECK(g.score(a, s.view()) == status::non_finite);
}
