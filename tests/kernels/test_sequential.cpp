// A chain of layers gives what the layers give one by one, in an arena of exactly the size it says.
#include <pare/core/thread_team.hpp>
#include <pare/kernels/sequential.hpp>
#include <pare/layers/conv2d.hpp>
#include <pare/layers/depthwise_conv2d.hpp>

#include "io/small_network.hpp"
#include "support/conv_case.hpp"
#include "support/isas.hpp"
#include "support/low_bit_case.hpp"

using pare::index_t;

namespace {

constexpr pare::affine_params between{0.1f, -3};

template <class Options>
Options with_window(const pare::window& w) {
  Options o;
  o.window = w;
  o.act = pare::activation::relu;
  o.input = between;
  o.output = between;
  return o;
}

pare::conv2d_layer conv(index_t out, index_t in, const pare::window& w, std::uint32_t seed) {
  const pare_test::conv_case c(out, in, 1, w, seed);
  return pare::pack_conv2d(c.view(), c.linear.bias.view(), with_window<pare::conv2d_options>(w))
      .value();
}

pare::depthwise_conv2d_layer depthwise(index_t channels, const pare::window& w,
                                       std::uint32_t seed) {
  const pare_test::conv_case c(channels, 1, 1, w, seed);
  return pare::pack_depthwise_conv2d(c.view(), c.linear.bias.view(),
                                     with_window<pare::depthwise_conv2d_options>(w))
      .value();
}

pare::linear_options codes() {
  pare::linear_options o;
  o.input = o.output = between;
  return o;
}

/// A small network of every kind of layer, over images of 9 x 7 x 3.
struct layers {
  pare::conv2d_layer first = conv(8, 3, pare_test::square_window(3, 1, 1), 1);
  pare::depthwise_conv2d_layer second = depthwise(8, pare_test::square_window(3, 2, 1), 2);
  pare::conv2d_layer third = conv(12, 8, pare::window{}, 3);
  pare::window pooled{2, 2, 1, 1};
  pare::global_average_pool_params<std::int8_t> mean =
      pare::make_global_average_pool_params<std::int8_t>(between, between).value();
  pare::low_bit_linear_layer fourth = few_bits();
  pare::linear_layer fifth = full();
  pare::softmax_params probabilities = pare::make_softmax_params(between.scale).value();

  static pare::low_bit_linear_layer few_bits() {
    pare_test::low_bit_case c(20, 12, 4, pare::low_bit::s4);
    c.options = codes();
    return c.pack_low_bit();
  }
  static pare::linear_layer full() {
    pare_test::linear_case c(10, 20, 5);
    c.options = codes();
    return c.pack();
  }

  auto net() const {
    return pare::sequential(pare::feature_shape{9, 7, 3}, first.view(), second.view(), third.view(),
                            pare::max_pooling{pooled}, pare::average_pooling{pooled}, mean,
                            fourth.view(), fifth.view(), probabilities);
  }

  pare::tensor<std::int8_t, 2> one_by_one(const pare::tensor<std::int8_t, 4>& x) const {
    const index_t n = x.extent(0);
    pare::tensor<std::byte, 1> memory({1 << 16});
    const pare::workspace scratch(memory.data(), memory.size());
    pare::tensor<std::int8_t, 4> a({n, 9, 7, 8}), b({n, 5, 4, 8}), c({n, 5, 4, 12}),
        d({n, 4, 3, 12}), e({n, 3, 2, 12});
    pare::tensor<std::int8_t, 2> f({n, 12}), g({n, 20}), h({n, 10}), y({n, 10});
    REQUIRE(pare::conv2d(x.view(), first, a.view(), scratch));
    REQUIRE(pare::depthwise_conv2d(a.view(), second, b.view()));
    REQUIRE(pare::conv2d(b.view(), third, c.view(), scratch));
    REQUIRE(pare::max_pool(c.view(), pooled, d.view()));
    REQUIRE(pare::average_pool(d.view(), pooled, e.view()));
    REQUIRE(pare::global_average_pool(e.view(), mean, f.view()));
    REQUIRE(pare::linear(f.view(), fourth, g.view()));
    REQUIRE(pare::linear(g.view(), fifth, h.view()));
    REQUIRE(pare::softmax(h.view(), probabilities, y.view()));
    return y;
  }
};

/// 64-byte aligned memory with marks on both sides.
struct guarded {
  pare::tensor<std::byte, 1> memory;
  index_t size;

  explicit guarded(index_t bytes) : memory({bytes + 128}), size(bytes) {
    for (std::byte& b : memory) b = std::byte{0x5a};
  }
  pare::workspace arena() { return {memory.data() + 64, size}; }
  bool is_intact() const {
    for (index_t i = 0; i < 64; ++i) {
      if (memory(i) != std::byte{0x5a} || memory(64 + size + i) != std::byte{0x5a}) return false;
    }
    return true;
  }
};

}  // namespace

TEST_CASE("sequential: what the layers give one by one, for any batch, isa and threads") {
  pare_test::for_each_isa([](pare::isa) {
    const layers all;
    const auto net = all.net();
    const pare::thread_team team(3);
    for (const index_t images : {0, 1, 2, 5}) {
      const auto x = pare_test::random_codes<std::int8_t>({images, 9, 7, 3}, 6);
      const auto expected = all.one_by_one(x);
      guarded memory(net.arena_size(images).value());
      pare::tensor<std::int8_t, 2> y({images, 10});
      CHECK(net.run(x.view(), y.view(), memory.arena()) == pare::status::ok);
      CHECK(pare_test::equal(y, expected));
      pare::tensor<std::int8_t, 4> again({images, 1, 1, 10});
      CHECK(net.run(pare::view(x.data(), images, 9 * 7 * 3), again.view(), memory.arena(), team) ==
            pare::status::ok);
      CHECK(pare_test::equal(pare::view(again.data(), images, 10), expected));
      CHECK(memory.is_intact());
    }
  });
}

TEST_CASE("sequential: the arena is that of the largest layer") {
  const layers all;
  // The first layer: 9 x 7 x 8 outputs and its own scratch.
  const index_t scratch = pare::conv2d_workspace_size(all.first.view(), 9, 7).value();
  const index_t first = pare::detail::round_up(9 * 7 * 8, 64) + pare::detail::round_up(scratch, 64);
  CHECK(all.net().arena_size().value() == first);
  // For two images the scratch is the same.
  CHECK(all.net().arena_size(2).value() > first);
  CHECK(all.net().arena_size(2).value() < 2 * first + 512);
  const pare::sequential one(pare::feature_shape{1, 1, 20}, all.fifth.view());
  CHECK(one.arena_size(7).value() == 0);
  CHECK(all.net().output_shape().value().channels == 10);
}

TEST_CASE("sequential: constant layers make a constant network") {
  namespace written = pare_test::written;
  static constexpr auto net = pare::sequential(pare::feature_shape{8, 8, 4}, written::conv,
                                               pare::max_pooling{{4, 4, 4, 4}});
  constexpr index_t scratch = pare::conv2d_workspace_size(written::conv, 8, 8).value();
  static_assert(net.arena_size().value() == pare::detail::round_up(scratch, 64) + 8 * 8 * 6);
  static_assert(net.output_shape().value().height == 2);
  alignas(64) std::byte arena[static_cast<std::size_t>(net.arena_size().value())];

  const auto x = pare_test::random_codes<std::int8_t>({1, 8, 8, 4}, 7);
  pare::tensor<std::int8_t, 4> y({1, 2, 2, 6});
  CHECK(net.run(x.view(), y.view(), arena) == pare::status::ok);
  bool is_same = true;
  for (const std::int8_t code : y) is_same = is_same && code == y(0, 0, 0, 0);
  CHECK_FALSE(is_same);
}

TEST_CASE("sequential: other outputs than codes, and unsigned codes") {
  pare_test::linear_case first(20, 30, 8), second(10, 20, 9);
  first.options.input = first.options.output = second.options.input = {0.05f, 100};
  second.options.output = {};
  const auto a = first.pack(), b = second.pack();
  const pare::sequential net(pare::feature_shape{1, 1, 30}, a.view(), b.view());
  const auto x = pare_test::random_codes<std::uint8_t>({4, 30}, 10);
  guarded memory(net.arena_size(4).value());
  pare::tensor<std::uint8_t, 2> h({4, 20});
  pare::tensor<float, 2> y({4, 10}), expected({4, 10});
  REQUIRE(pare::linear(x.view(), a, h.view()));
  REQUIRE(pare::linear(h.view(), b, expected.view()));
  CHECK(net.run(x.view(), y.view(), memory.arena()) == pare::status::ok);
  CHECK(pare_test::equal(y, expected));
}

TEST_CASE("sequential: what does not fit is refused, and y left alone") {
  const layers all;
  const auto net = all.net();
  const auto x = pare_test::random_codes<std::int8_t>({2, 9, 7, 3}, 11);
  guarded memory(net.arena_size(2).value());
  pare::tensor<std::int8_t, 2> y({2, 10});
  for (std::int8_t& code : y) code = 77;
  const auto is_refused = [&](const pare::status& s, pare::status_code code) {
    CHECK(s == code);
    for (const std::int8_t kept : y) CHECK(kept == 77);
    return s == code;
  };
  using pare::status;
  const auto few = pare_test::random_codes<std::int8_t>({2, 9, 7, 2}, 11);
  CHECK(is_refused(net.run(few.view(), y.view(), memory.arena()), status::shape_mismatch));
  pare::tensor<std::int8_t, 2> wide({2, 11}), short_y({1, 10});
  CHECK(net.run(x.view(), wide.view(), memory.arena()) == status::shape_mismatch);
  CHECK(net.run(x.view(), short_y.view(), memory.arena()) == status::shape_mismatch);
  const status s =
      net.run(x.view(), y.view(), pare::workspace(memory.memory.data() + 64, memory.size - 1));
  CHECK(is_refused(s, status::workspace_too_small));
  CHECK(s.error().position == memory.size);
  CHECK(is_refused(net.run(x.view(), y.view(), {}), status::workspace_too_small));
  // Zero points that are no codes of the type of x: found by the first layer that cannot run.
  const auto u8 = pare_test::random_codes<std::uint8_t>({2, 9, 7, 3}, 11);
  const pare::sequential two(pare::feature_shape{9, 7, 3}, all.first.view(), all.third.view());
  pare::tensor<std::uint8_t, 4> z({2, 9, 7, 12});
  guarded more(two.arena_size(2).value());
  CHECK(two.run(u8.view(), z.view(), more.arena()) == status::out_of_range);

  CHECK(net.arena_size(-1).status() == status::out_of_range);
  CHECK(net.arena_size(pare::detail::max_index).status() == status::overflow);
  const pare::sequential other(pare::feature_shape{9, 7, 4}, all.first.view());
  CHECK(other.arena_size().status() == status::shape_mismatch);
  CHECK(other.output_shape().status() == status::shape_mismatch);
  const auto wide_x = pare_test::random_codes<std::int8_t>({1, 9, 7, 4}, 11);
  pare::tensor<std::int8_t, 4> other_y({1, 9, 7, 8});
  CHECK(other.run(wide_x.view(), other_y.view(), memory.arena()) == status::shape_mismatch);
  const pare::sequential tiny(pare::feature_shape{1, 1, 8}, pare::max_pooling{{2, 2, 1, 1}});
  CHECK(tiny.output_shape().status() == status::shape_mismatch);
  const index_t half = pare::detail::max_index / 2;
  const pare::sequential huge(pare::feature_shape{half, 3, 1}, pare::max_pooling{});
  CHECK(huge.arena_size().status() == status::overflow);
}
