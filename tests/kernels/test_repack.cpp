// A layer packed for one machine and repacked for another is the one that the other packs.
#include <pare/kernels/repack.hpp>
#include <pare/layers/conv2d.hpp>
#include <pare/layers/depthwise_conv2d.hpp>
#include <pare/layers/offset_grouped_linear.hpp>
#include <pare/layers/sparse_linear.hpp>

#include "support/conv_case.hpp"
#include "support/grouped_case.hpp"
#include "support/isas.hpp"
#include "support/low_bit_case.hpp"
#include "support/packed_parts.hpp"

using pare::index_t;

namespace {

/// A repacked layer and its memory.
template <class View>
struct repacked {
  pare::tensor<std::byte, 1> memory;
  View view;

  repacked(const View& layer, pare::isa target)
      : memory({pare::repacked_size(layer, target).value()}),
        view(pare::repack(layer, target, pare::workspace(memory.data(), memory.size())).value()) {}
};
template <class View>
repacked(const View&, pare::isa) -> repacked<View>;

/// From each isa to each other, and by way of those that this machine has not.
template <class Pack>
void check_all_ways(Pack pack) {
  pare_test::for_each_isa([&](pare::isa from) {
    const auto layer = pack();
    pare_test::for_each_isa([&](pare::isa to) {
      CAPTURE(pare::name(from));
      CHECK(pare_test::same_layer(repacked(layer.view(), to).view, pack().view()));
      CHECK(pare::set_active_isa(from) == pare::status::ok);
    });
    for (const pare::isa other : pare::all_isas) {
      const repacked there(layer.view(), other);
      CHECK(pare_test::same_layer(repacked(there.view, from).view, layer.view()));
    }
  });
}

}  // namespace

TEST_CASE("repack: linear layers of any shape and rule") {
  const index_t shapes[][2] = {{1, 1}, {10, 32}, {33, 7}, {64, 64}, {100, 30}, {0, 5}, {5, 0}};
  for (const auto& [out, in] : shapes) {
    pare_test::linear_case c(out, in, 1);
    for (const auto rule : {pare::requantization::nearest, pare::requantization::double_rounding}) {
      c.options.rule = rule;
      check_all_ways([&] { return c.pack(); });
    }
    c.options = {};
    c.options.act = pare::activation::relu;
    check_all_ways([&] { return c.pack(); });
  }
}

TEST_CASE("repack: weights of few bits") {
  for (const auto kind : {pare::low_bit::s4, pare::low_bit::s2, pare::low_bit::ternary}) {
    for (const bool has_zero_points : {false, true}) {
      const pare_test::low_bit_case c(37, 45, 2, kind, has_zero_points);
      check_all_ways([&] { return c.pack_low_bit(); });
    }
  }
}

TEST_CASE("repack: convolutions, with groups") {
  const index_t shapes[][3] = {{24, 8, 1}, {10, 3, 1}, {12, 4, 3}, {8, 1, 2}};
  for (const auto& [out, in, groups] : shapes) {
    const pare_test::conv_case c(out, in, groups, pare_test::square_window(3, 1, 1), 3);
    check_all_ways([&, in = groups] {
      pare::conv2d_options o;
      o.window = c.window;
      o.groups = in;
      o.input = c.linear.options.input;
      o.output = c.linear.options.output;
      return pare::pack_conv2d(c.view(), c.linear.bias.view(), o).value();
    });
  }
}

TEST_CASE("repack: depthwise convolutions, whose panels hold the window once or twice") {
  pare_test::random_source random(4);
  for (int i = 0; i < 20; ++i) {
    const pare_test::conv_case c(random.index(1, 90), 1, 1, pare_test::random_window(random, 9, 9),
                                 random.bits());
    check_all_ways([&] {
      pare::depthwise_conv2d_options o;
      o.window = c.window;
      o.input = c.linear.options.input;
      o.output = c.linear.options.output;
      return pare::pack_depthwise_conv2d(c.view(), c.linear.bias.view(), o).value();
    });
  }
}

TEST_CASE("repack: grouped weights") {
  const index_t shapes[][2] = {{1, 1}, {10, 64}, {37, 45}, {70, 129}, {0, 5}, {5, 0}};
  for (const auto& [out, in] : shapes) {
    for (const int bits : {4, 8}) {
      for (const bool has_zero_points : {false, true}) {
        const pare_test::grouped_case c(out, in, 32, bits, has_zero_points, 7);
        check_all_ways([&] { return c.pack(); });
        const auto offsets = pare_test::random_uniform<float>({c.n, c.groups}, 9, -1.0, 1.0);
        check_all_ways([&] {
          return pare::pack_offset_grouped_linear(
                     pare::offset_grouped_view<pare::half, pare::dextents<index_t, 2>>{
                         c.view(), offsets.view()},
                     bits, c.bias.view(), c.options)
              .value();
        });
      }
    }
  }
}

TEST_CASE("repack: sparse weights, those without any block among them") {
  for (const int kept : {0, 3, 8}) {
    pare_test::linear_case c(21, 30, 8);
    for (index_t i = 0; i < c.codes.size(); ++i) {
      if (i / 4 % 8 >= kept) c.codes.data()[i] = 0;
    }
    for (const pare::bcsr_shape shape : {pare::bcsr_shape{1, 4, 8}, {4, 4, 0}, {16, 4, 0}}) {
      check_all_ways([&] {
        return pare::pack_sparse_linear(c.view(), shape, c.bias.view(), c.options).value();
      });
    }
  }
}

TEST_CASE("repack: float weights are copied") {
  const auto left = pare_test::random_uniform<float>({5, 3}, 1, -1.0, 1.0);
  const auto right = pare_test::random_uniform<float>({3, 9}, 2, -1.0, 1.0);
  const pare::low_rank_view<float> factors{left.view(), right.view()};
  const repacked copied(factors, pare::isa::scalar);
  CHECK(pare_test::same_layer(copied.view, factors));
  CHECK(copied.view.left.data_handle() != left.data());

  pare::tensor<std::byte, 1> memory({pare::bcsr_size(right.view(), {4, 1}).value()});
  const auto sparse =
      pare::make_bcsr(right.view(), {4, 1}, pare::workspace(memory.data(), memory.size())).value();
  CHECK(pare_test::same_layer(repacked(sparse, pare::isa::avx2).view, sparse));
  const pare::vector_view<const float> bias(left.data(), 5);
  CHECK(pare_test::same_layer(repacked(bias, pare::isa::avx2).view, bias));
}

TEST_CASE("repack: too little memory is refused with the bytes needed, and left alone") {
  const pare_test::linear_case c(10, 20, 5);
  const auto layer = c.pack();
  const index_t bytes = pare::repacked_size(layer.view(), pare::isa::scalar).value();
  pare::tensor<std::byte, 1> memory({bytes});
  for (std::byte& b : memory) b = std::byte{7};
  const auto r = pare::repack(layer.view(), pare::isa::scalar,
                              pare::workspace(memory.data(), memory.size() - 1));
  REQUIRE_FALSE(r);
  CHECK(r.error().code == pare::status::workspace_too_small);
  CHECK(r.error().position == bytes);
  for (const std::byte b : memory) CHECK(b == std::byte{7});
}

TEST_CASE("repack: sizes beyond the index type are refused") {
  pare::packed_linear_view layer;
  layer.out_features = pare::detail::max_index / 4;
  layer.in_features = 64;
  CHECK(pare::repacked_size(layer, pare::isa::scalar).error().code == pare::status::overflow);
  CHECK(pare::repack(layer, pare::isa::scalar, {}).error().code == pare::status::overflow);
  pare::packed_grouped_linear_view groups;
  groups.out_features = groups.in_features = pare::detail::max_index / 64;
  CHECK(pare::repacked_size(groups, pare::isa::scalar).error().code == pare::status::overflow);
  const index_t large = pare::detail::max_index / 8;
  const pare::low_rank_view<float> factors{pare::matrix_view<const float>(nullptr, large, 8),
                                           pare::matrix_view<const float>(nullptr, 8, 1)};
  CHECK(pare::repacked_size(factors, pare::isa::scalar).error().code == pare::status::overflow);
  const pare::vector_view<const float> vector(nullptr, large + 1);
  CHECK(pare::repacked_size(vector, pare::isa::scalar).error().code == pare::status::overflow);
}
