// Convolutions with block-sparse weights on every instruction set: int8 against plain loops and the
// bits of the dense kernel, f32 against sums in double.
#include <pare/core/std_threads.hpp>
#include <pare/layers/conv2d.hpp>
#include <pare/layers/sparse_conv2d.hpp>

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "support/conv_case.hpp"
#include "support/isas.hpp"

using pare::index_t;
using pare_test::conv_case;
using pare_test::square_window;

namespace {

struct sparse_conv_case : conv_case {
  sparse_conv_case(index_t outputs, index_t inputs, const pare::window& w, std::uint32_t seed)
      : conv_case(outputs, inputs, 1, w, seed) {
    const auto dice = pare_test::random_codes<std::uint8_t>(
        {outputs, inputs / 4 + 1, w.height * w.width}, seed + 9);
    const index_t taps = w.height * w.width;
    for (index_t o = 0; o < outputs; ++o) {
      for (index_t i = 0; i < inputs * taps; ++i) {
        if (dice(o, i / taps / 4, i % taps) < 160) linear.codes(o, i) = 0;
      }
    }
  }
  pare::conv2d_options options() const {
    pare::conv2d_options o;
    o.window = window;
    o.act = linear.options.act;
    o.input = linear.options.input;
    o.output = linear.options.output;
    o.rule = linear.options.rule;
    return o;
  }
  pare::sparse_conv2d_layer pack(pare::bcsr_shape shape) const {
    return pare::pack_sparse_conv2d(view(), shape, linear.bias.view(), options()).value();
  }
};

struct scratch_of {
  pare::tensor<std::byte, 1> bytes;
  template <class X>
  scratch_of(const pare::packed_sparse_conv2d_view& layer, const X& x)
      : bytes({pare::sparse_conv2d_workspace_size(layer, x.extent(0), x.extent(1), x.extent(2))
                   .value()}) {}
  operator pare::workspace() { return {bytes.data(), bytes.size()}; }
};

/// All outputs, with pixels apart on both sides.
template <class X>
void check(const sparse_conv_case& c, const pare::tensor<X, 4>& x, pare::bcsr_shape shape) {
  const auto layer = c.pack(shape);
  const index_t n = x.extent(0), height = c.out_height(x.extent(1)),
                width = c.out_width(x.extent(2));
  const auto x_apart = pare_test::strided_copy(x, 5);
  scratch_of scratch(layer, x);
  const index_t pixel = c.out + 3, row = width * pixel, image = height * row;
  pare_test::strided<std::int32_t, 4> y_s32({n, height, width, c.out}, {image, row, pixel, 1});
  REQUIRE(pare::conv2d(x_apart.view(), layer.view(), y_s32.view(), scratch) == pare::status::ok);
  CHECK(pare_test::equal(y_s32.view(), c.expected_s32(x)));
  CHECK(y_s32.gaps_untouched());
  pare::tensor<X, 4> y({n, height, width, c.out});
  REQUIRE(pare::conv2d(x.view(), layer.view(), y.view(), scratch) == pare::status::ok);
  CHECK(pare_test::equal(y.view(), c.template expected_codes<X>(x)));
  pare::tensor<float, 4> floats({n, height, width, c.out});
  REQUIRE(pare::conv2d(x.view(), layer.view(), floats.view(), scratch, pare::std_threads{2}) ==
          pare::status::ok);
  CHECK(pare_test::equal(floats.view(), c.expected_f32(x)));
}

constexpr pare::bcsr_shape blocks[] = {{1, 4, 0}, {4, 4, 0}, {4, 4, 32}};

}  // namespace

TEST_CASE("windows of any size, stride, dilation and padding") {
  pare_test::for_each_isa([&](pare::isa) {
    pare_test::random_source random(5);
    for (int i = 0; i < 12; ++i) {
      const index_t height = random.index(1, 9), width = random.index(1, 12);
      const auto window = pare_test::random_window(random, height, width);
      sparse_conv_case c(random.index(1, 40), random.index(1, 40), window,
                         static_cast<std::uint32_t>(i));
      c.linear.options.input = {0.02f, 7};
      c.linear.options.output = {0.5f, 3};
      const index_t n = random.index(1, 3);
      const auto seed = static_cast<std::uint32_t>(70 + i);
      INFO("case ", i);
      check(c, pare_test::random_codes<std::int8_t>({n, height, width, c.in}, seed), blocks[i % 3]);
      check(c, pare_test::random_codes<std::uint8_t>({n, height, width, c.in}, seed),
            blocks[i % 3]);
    }
  });
}

TEST_CASE("pointwise: pixels as they lie, as rows, and stride 2") {
  pare_test::for_each_isa([&](pare::isa) {
    for (const index_t stride : {1, 2}) {
      sparse_conv_case c(33, 24, square_window(1, stride, 0), 3);
      c.linear.options.input = {0.02f, -5};
      c.linear.options.output = {0.4f, 0};
      for (const pare::bcsr_shape shape : blocks)
        check(c, pare_test::random_codes<std::int8_t>({3, 7, 5, 24}, 4), shape);
    }
    const sparse_conv_case c(33, 24, square_window(1, 1, 0), 3);
    const auto x = pare_test::random_codes<std::uint8_t>({1, 2, 2, 24}, 4);
    pare::tensor<std::int32_t, 4> y({1, 2, 2, 33});
    const auto layer = c.pack({16, 4, 0});
    REQUIRE(pare::conv2d(x.view(), layer.view(), y.view()) == pare::status::ok);
    CHECK(pare_test::equal(y.view(), c.expected_s32(x)));
  });
}

TEST_CASE("the bits of the dense kernel") {
  sparse_conv_case c(20, 16, square_window(3, 1, 1), 8);
  c.linear.options.input = {0.03f, 2};
  c.linear.options.output = {0.6f, -3};
  const auto x = pare_test::random_codes<std::int8_t>({2, 7, 7, 16}, 4);
  const auto dense = pare::pack_conv2d(c.view(), c.linear.bias.view(), c.options()).value();
  const auto sparse = c.pack({1, 4, 0});
  pare::tensor<std::byte, 1> memory({pare::conv2d_workspace_size(dense, 7, 7).value()});
  pare::tensor<std::int8_t, 4> expected({2, 7, 7, 20}), y({2, 7, 7, 20});
  REQUIRE(pare::conv2d(x.view(), dense.view(), expected.view(),
                       pare::workspace(memory.data(), memory.size())) == pare::status::ok);
  scratch_of scratch(sparse, x);
  REQUIRE(pare::conv2d(x.view(), sparse.view(), y.view(), scratch) == pare::status::ok);
  CHECK(pare_test::equal(y.view(), expected));
  CHECK(sparse.out_channels() == 20);
  CHECK(sparse.in_channels() == 16);
  CHECK(sparse.window().height == 3);
}

TEST_CASE("f32 against sums in double") {
  pare_test::for_each_isa([&](pare::isa) {
    pare_test::random_source random(6);
    for (int i = 0; i < 8; ++i) {
      const index_t height = random.index(1, 9), width = random.index(1, 12);
      auto window = pare_test::random_window(random, height, width);
      if (i < 2) window = square_window(1, i + 1, 0);
      const index_t in = random.index(1, 20), out = random.index(1, 40), n = random.index(1, 3);
      const auto seed = static_cast<std::uint32_t>(i);
      auto w =
          pare_test::random_uniform<float>({out, in, window.height, window.width}, seed, -1., 1.);
      const auto dice = pare_test::random_codes<std::uint8_t>(
          {out * in * window.height * window.width}, seed + 9);
      for (index_t k = 0; k < dice.extent(0); ++k) {
        if (dice(k) < 170) w.data()[k] = 0;
      }
      const auto x = pare_test::random_uniform<float>({n, height, width, in}, seed + 1, -1., 1.);
      const auto bias = pare_test::random_uniform<float>({out}, seed + 2, -1., 1.);
      const pare::bcsr_shape shape{i % 2 == 0 ? 1 : 4, 1, i % 3 == 0 ? 16 : 0};
      const auto matrix = pare::as_window_matrix(std::as_const(w).view());
      pare::tensor<std::byte, 1> memory({pare::bcsr_size(matrix, shape).value()});
      const auto sparse =
          pare::make_bcsr(matrix, shape, pare::workspace(memory.data(), memory.size())).value();
      pare::tensor<std::byte, 1> scratch(
          {pare::sparse_conv2d_workspace_size(sparse, window, n, height, width).value()});
      const index_t out_height = pare::output_height(window, height).value();
      const index_t out_width = pare::output_width(window, width).value();
      pare::tensor<float, 4> y({n, out_height, out_width, out});
      REQUIRE(pare::conv2d(x.view(), sparse, window, bias.view(), y.view(),
                           pare::workspace(scratch.data(), scratch.size()),
                           pare::activation::relu) == pare::status::ok);
      bool all_near = true;
      for (index_t p = 0; p < n * out_height * out_width; ++p) {
        for (index_t o = 0; o < out; ++o) {
          double sum = static_cast<double>(bias(o)), size = std::fabs(sum);
          for (index_t k = 0; k < in * window.height * window.width; ++k) {
            const index_t tap = k / in, c = k % in;
            const index_t r = p / out_width % out_height * window.stride_y - window.pad_top +
                              tap / window.width * window.dilation_y;
            const index_t q = p % out_width * window.stride_x - window.pad_left +
                              tap % window.width * window.dilation_x;
            if (r < 0 || r >= height || q < 0 || q >= width) continue;
            const double product =
                static_cast<double>(x(p / out_width / out_height, r, q, c)) *
                static_cast<double>(w(o, c, tap / window.width, tap % window.width));
            sum += product, size += std::fabs(product);
          }
          const double expected = std::max(sum, 0.0);
          if (!(std::fabs(expected - static_cast<double>(y.data()[p * out + o])) <=
                1e-6 * size + 1e-7))
            all_near = false;
        }
      }
      INFO("case ", i);
      CHECK(all_near);
    }
  });
}

TEST_CASE("what is refused leaves y as it was") {
  sparse_conv_case c(8, 8, square_window(3, 1, 1), 8);
  const auto layer = c.pack({4, 4, 0});
  const auto x = pare_test::random_codes<std::int8_t>({2, 5, 5, 8}, 4);
  pare::tensor<std::int32_t, 4> y({2, 5, 5, 8});
  for (auto& v : y) v = 77;
  const auto is_untouched = [&] {
    for (const auto v : y) {
      if (v != 77) return false;
    }
    return true;
  };
  scratch_of scratch(layer, x);
  pare::workspace less(scratch.bytes.data(), scratch.bytes.size() - 1);
  CHECK(pare::conv2d(x.view(), layer.view(), y.view(), less) ==
        pare::status_code::workspace_too_small);
  const auto narrow = pare_test::random_codes<std::int8_t>({2, 5, 5, 7}, 4);
  CHECK(pare::conv2d(narrow.view(), layer.view(), y.view(), scratch) ==
        pare::status_code::shape_mismatch);
  const auto tall = pare_test::random_codes<std::int8_t>({2, 6, 5, 8}, 4);
  CHECK(pare::conv2d(tall.view(), layer.view(), y.view(), scratch) ==
        pare::status_code::shape_mismatch);
  const auto of_16 = c.pack({16, 4, 0});
  CHECK(pare::conv2d(x.view(), of_16.view(), y.view(), scratch) == pare::status_code::unsupported);
  CHECK(is_untouched());
  pare_test::strided<std::int32_t, 4> uneven({2, 5, 5, 8}, {300, 50, 8, 1});
  CHECK(pare::conv2d(x.view(), layer.view(), uneven.view(), scratch) ==
        pare::status_code::unsupported);

  auto options = c.options();
  options.groups = 2;
  CHECK(pare::pack_sparse_conv2d(c.view(), {4, 4, 0}, c.linear.bias.view(), options).error().code ==
        pare::status_code::unsupported);
  options.groups = 1;
  options.window.stride_x = 0;
  CHECK(pare::pack_sparse_conv2d(c.view(), {4, 4, 0}, c.linear.bias.view(), options).error().code ==
        pare::status_code::out_of_range);
  CHECK(pare::pack_sparse_conv2d(c.view(), {2, 2, 0}, c.linear.bias.view(), c.options())
            .error()
            .code == pare::status_code::unsupported);
  CHECK(pare::sparse_conv2d_workspace_size(layer, std::numeric_limits<index_t>::max() / 2, 9, 9)
            .error()
            .code == pare::status_code::overflow);

  const auto floats = pare_test::random_uniform<float>({2, 5, 5, 8}, 1, -1., 1.);
  pare::tensor<float, 4> out({2, 5, 5, 4});
  const pare::tensor<float, 2> w({4, 71});
  const pare::bcsr_shape shape{1, 1, 0};
  pare::tensor<std::byte, 1> memory({pare::bcsr_size(w.view(), shape).value()});
  const auto sparse =
      pare::make_bcsr(w.view(), shape, pare::workspace(memory.data(), memory.size())).value();
  CHECK(pare::conv2d(floats.view(), sparse, c.window, {}, out.view(), scratch) ==
        pare::status_code::shape_mismatch);
}

TEST_CASE("nothing of nothing") {
  const sparse_conv_case c(8, 8, square_window(3, 1, 1), 8);
  const auto layer = c.pack({4, 4, 0});
  const pare::tensor<std::int8_t, 4> x({0, 5, 5, 8});
  pare::tensor<std::int8_t, 4> y({0, 5, 5, 8});
  scratch_of scratch(layer, x);
  CHECK(pare::conv2d(x.view(), layer.view(), y.view(), scratch) == pare::status::ok);
}
