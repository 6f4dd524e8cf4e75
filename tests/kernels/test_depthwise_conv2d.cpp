// int8 depthwise convolution on every instruction set, against plain loops, PyTorch, TFLite and
// ONNX's formula (vectors: tools/make_conv_vectors.py).
#include <pare/core/std_threads.hpp>
#include <pare/core/subview.hpp>
#include <pare/layers/depthwise_conv2d.hpp>

#include <string>
#include <vector>

#include "support/conv_case.hpp"
#include "support/conv_vectors.hpp"
#include "support/isas.hpp"

using pare::index_t;
using pare_test::conv_case;

namespace {

constexpr pare::requantization all_rules[] = {
    pare::requantization::nearest, pare::requantization::onnx,
    pare::requantization::double_rounding, pare::requantization::single_rounding};

/// A depthwise convolution: groups of one input channel.
struct depthwise_case : conv_case {
  depthwise_case(index_t channels, index_t multiplier, const pare::window& w, std::uint32_t seed,
                 std::int8_t least = -128)
      : conv_case(channels * multiplier, 1, channels, w, seed, least) {}

  pare::depthwise_conv2d_options options() const {
    pare::depthwise_conv2d_options o;
    o.window = window;
    o.multiplier = groups > 0 ? out / groups : 1;
    o.act = linear.options.act;
    o.input = linear.options.input;
    o.output = linear.options.output;
    o.rule = linear.options.rule;
    return o;
  }
  pare::depthwise_conv2d_layer pack() const {
    return pare::pack_depthwise_conv2d(view(), linear.bias.view(), options()).value();
  }
};

template <class X>
void check(const depthwise_case& c, const pare::tensor<X, 4>& x) {
  const auto layer = c.pack();
  const index_t n = x.extent(0), height = c.out_height(x.extent(1)),
                width = c.out_width(x.extent(2));
  // Pixels, rows and images apart on both sides, and gaps that must stay as they are.
  const auto x_apart = pare_test::strided_copy(x, 5);
  const index_t pixel = c.out + 3, row = width * pixel + 2, image = height * row + 1;
  pare_test::strided<std::int32_t, 4> y_s32({n, height, width, c.out}, {image, row, pixel, 1});
  REQUIRE(pare::depthwise_conv2d(x_apart.view(), layer, y_s32.view()) == pare::status::ok);
  CHECK(pare_test::equal(y_s32.view(), c.expected_s32(x)));
  CHECK(y_s32.gaps_untouched());

  const std::int32_t zero = c.linear.options.output.zero_point;
  if (zero <= 127) {
    pare::tensor<std::int8_t, 4> y({n, height, width, c.out});
    REQUIRE(pare::depthwise_conv2d(x.view(), layer, y.view()) == pare::status::ok);
    CHECK(pare_test::equal(y, c.expected_codes<std::int8_t>(x)));
  }
  if (zero >= 0) {
    pare_test::strided<std::uint8_t, 4> y({n, height, width, c.out}, {image, row, pixel, 1});
    REQUIRE(pare::depthwise_conv2d(x.view(), layer, y.view()) == pare::status::ok);
    CHECK(pare_test::equal(y.view(), c.expected_codes<std::uint8_t>(x)));
    CHECK(y.gaps_untouched());
  }
  if (c.linear.options.act == pare::activation::none) {
    pare_test::strided<float, 4> y({n, height, width, c.out}, {image, row, pixel, 1});
    REQUIRE(pare::depthwise_conv2d(x.view(), layer, y.view()) == pare::status::ok);
    CHECK(pare_test::equal_bits(y.view(), c.expected_f32(x)));
    CHECK(y.gaps_untouched());
  }
}

/// Both kinds of inputs, by a rule and an activation that follow from the seed.
void check_all(depthwise_case& c, index_t images, index_t height, index_t width,
               std::uint32_t seed) {
  c.linear.options.rule = all_rules[seed % 4];
  c.linear.options.act = static_cast<pare::activation>(seed / 4 % 3);
  c.linear.options.output.zero_point = static_cast<std::int32_t>(seed % 5) * 3 - 6;
  c.linear.options.output.scale = seed % 7 == 0 ? 0.002f : 0.1f;  // factors above and below 1
  check(c, pare_test::random_codes<std::int8_t>({images, height, width, c.groups}, seed));
  c.linear.options.input.zero_point = 131;
  check(c, pare_test::random_codes<std::uint8_t>({images, height, width, c.groups}, seed));
}

}  // namespace

TEST_CASE("depthwise: every instruction set gives the accumulators and codes of plain loops") {
  pare_test::for_each_isa([](pare::isa) {
    pare_test::random_source random(1);
    for (std::uint32_t seed = 0; seed < 120; ++seed) {
      const index_t height = random.index(1, 12), width = random.index(1, 20);
      const index_t channels = random.index(1, 80);
      const index_t multiplier = seed % 3 == 0 ? random.index(2, 9) : 1;
      CAPTURE(seed);
      CAPTURE(height);
      CAPTURE(width);
      CAPTURE(channels);
      CAPTURE(multiplier);
      const auto w = pare_test::random_window(random, height, width);
      depthwise_case c(channels, multiplier, w, seed, seed % 2 == 0 ? -128 : -127);
      check_all(c, 1 + seed % 2, height, width, seed);
    }
  });
}

TEST_CASE("depthwise: the layers of mobile networks, and tails around every tile") {
  constexpr struct {
    index_t height, width, channels, size, stride, padding;
  } shapes[] = {{9, 150, 32, 3, 1, 1}, {7, 7, 130, 3, 1, 1},  {5, 61, 64, 3, 2, 1},
                {14, 14, 48, 5, 1, 2}, {14, 15, 16, 5, 2, 2}, {4, 40, 24, 3, 1, 1},
                {8, 9, 17, 7, 1, 3},   {3, 3, 65, 1, 1, 0},   {2, 300, 3, 3, 1, 1},
                {6, 5, 200, 4, 1, 1},  {5, 6, 96, 2, 2, 0},   {10, 33, 15, 3, 3, 0}};
  pare_test::for_each_isa([&](pare::isa) {
    std::uint32_t seed = 500;
    for (const auto& s : shapes) {
      CAPTURE(s.width);
      CAPTURE(s.channels);
      const auto w = pare_test::square_window(s.size, s.stride, s.padding);
      for (int rule = 0; rule < 4; ++rule) {
        depthwise_case c(s.channels, 1, w, ++seed, -127);
        check_all(c, 1, s.height, s.width, seed);
      }
    }
  });
}

TEST_CASE("depthwise: windows in several parts, and strides and dilations of any size") {
  pare_test::for_each_isa([](pare::isa) {
    pare::window wide;
    wide.width = 30;
    wide.height = 6;
    pare::window apart = pare_test::square_window(3, 1, 0);
    apart.dilation_x = 40;
    apart.dilation_y = 3;
    pare::window far = pare_test::square_window(2, 50, 0);
    far.dilation_x = 20;
    pare::window tall;
    tall.height = 14;
    tall.pad_top = 10;
    for (const auto& w : {wide, apart, far, tall}) {
      for (const index_t channels : {5, 65}) {
        CAPTURE(channels);
        depthwise_case c(channels, 1, w, 3);
        check_all(c, 1, 7, 100, 4);
      }
    }
  });
}

TEST_CASE("depthwise: matches PyTorch, TFLite and ONNX") {
  pare_test::for_each_isa([](pare::isa) {
    pare_test::check_conv_vectors(
        [](const pare_test::conv_vector& v, const auto& bias, pare::requantization rule,
           pare::activation act) {
          auto o = v.options<pare::depthwise_conv2d_options>(rule, act);
          o.multiplier = v.w.extent(0) / v.groups;
          return pare::pack_depthwise_conv2d(v.view(), bias, o).value();
        },
        [](const auto& x, const auto& layer, const auto& y) {
          return pare::depthwise_conv2d(x, layer, y);
        },
        [](const pare_test::conv_vector& v) { return v.is_depthwise(); });
  });
}

TEST_CASE("depthwise: extreme codes neither saturate nor lose a carry") {
  pare_test::for_each_isa([](pare::isa) {
    for (const int weight : {-128, -127, 127}) {
      for (const int code : {-128, 127}) {
        CAPTURE(weight);
        CAPTURE(code);
        depthwise_case c(70, 1, pare_test::square_window(7, 1, 3), 1);
        for (auto& w : c.linear.codes) w = static_cast<std::int8_t>(weight);
        pare::tensor<std::int8_t, 4> x_s8({1, 6, 9, 70});
        for (auto& x : x_s8) x = static_cast<std::int8_t>(code);
        check(c, x_s8);
        pare::tensor<std::uint8_t, 4> x_u8({1, 6, 9, 70});
        for (auto& x : x_u8) x = code < 0 ? 0 : 255;
        check(c, x_u8);
      }
    }
  });
}

TEST_CASE("depthwise: results far beyond the codes saturate at the right end") {
  pare_test::for_each_isa([](pare::isa) {
    for (const auto rule : {pare::requantization::nearest, pare::requantization::onnx}) {
      depthwise_case c(40, 1, pare_test::square_window(3, 1, 1), 5);
      c.linear.options.rule = rule;
      c.linear.options.output.scale = 1e-12f;  // factors near 1e8: products far beyond 2^31
      check(c, pare_test::random_codes<std::int8_t>({1, 7, 8, 40}, 6));
    }
  });
}

TEST_CASE("depthwise: any number of threads gives the same bits") {
  const depthwise_case c(96, 1, pare_test::square_window(3, 1, 1), 7);
  const auto x = pare_test::random_codes<std::int8_t>({3, 57, 40, 96}, 8);
  const auto layer = c.pack();
  pare::tensor<std::int8_t, 4> one({3, 57, 40, 96});
  REQUIRE(pare::depthwise_conv2d(x.view(), layer, one.view()) == pare::status::ok);
  CHECK(pare_test::equal(one, c.expected_codes<std::int8_t>(x)));
  for (const int threads : {2, 5}) {
    pare::tensor<std::int8_t, 4> many({3, 57, 40, 96});
    REQUIRE(pare::depthwise_conv2d(x.view(), layer, many.view(), pare::std_threads{threads}) ==
            pare::status::ok);
    CHECK(pare_test::equal(many, one));
  }
}

TEST_CASE("depthwise: a layer packed for one instruction set runs on every other") {
  const depthwise_case c(50, 1, pare_test::square_window(3, 1, 1), 9);
  const auto x = pare_test::random_codes<std::int8_t>({1, 5, 6, 50}, 10);
  pare_test::for_each_isa([&](pare::isa) {
    const auto layer = c.pack();
    pare_test::for_each_isa([&](pare::isa) {
      pare::tensor<std::int8_t, 4> y({1, 5, 6, 50});
      REQUIRE(pare::depthwise_conv2d(x.view(), layer, y.view()) == pare::status::ok);
      CHECK(pare_test::equal(y, c.expected_codes<std::int8_t>(x)));
    });
  });
}

TEST_CASE("depthwise: nothing is read outside the image") {
  // The image begins and ends where its memory does: the address sanitizer sees a read beyond it.
  pare_test::for_each_isa([](pare::isa) {
    for (index_t channels = 1; channels < 70; channels += channels < 20 ? 1 : 7) {
      for (const index_t multiplier : {1, 3}) {
        const depthwise_case c(channels, multiplier, pare_test::square_window(3, 1, 1), 11);
        const std::vector<std::int8_t> x(static_cast<std::size_t>(3 * 5 * channels), 1);
        pare::tensor<std::int32_t, 4> y({1, 3, 5, channels * multiplier});
        REQUIRE(pare::depthwise_conv2d(pare::view(x.data(), 1, 3, 5, channels), c.pack(),
                                       y.view()) == pare::status::ok);
      }
    }
  });
}

TEST_CASE("depthwise: no images and no channels are fine") {
  for (const index_t channels : {0, 4}) {
    const depthwise_case c(channels, 1, pare_test::square_window(3, 1, 1), 12);
    const index_t images = channels == 0 ? 2 : 0;
    const pare::tensor<std::int8_t, 4> x({images, 3, 3, channels});
    pare::tensor<std::int8_t, 4> y({images, 3, 3, channels});
    CHECK(pare::depthwise_conv2d(x.view(), c.pack(), y.view()) == pare::status::ok);
  }
}

TEST_CASE("depthwise: bad input leaves y untouched and says what is wrong") {
  depthwise_case c(10, 1, pare_test::square_window(3, 1, 1), 13);
  const auto layer = c.pack();
  pare::tensor<std::int8_t, 4> x({2, 4, 5, 10}), y({2, 4, 5, 10});
  for (auto& v : y) v = 42;
  const auto run = [&](const auto& input, const auto& output) {
    return pare::depthwise_conv2d(input, layer, output);
  };
  const auto error_at = [](const pare::status& s, const char* subject, index_t axis) {
    return s == pare::status::shape_mismatch && std::string(s.error().subject) == subject &&
           s.error().position == axis;
  };
  pare::tensor<std::int8_t, 4> other({2, 4, 5, 11});
  CHECK(error_at(run(other.view(), y.view()), "x", 3));
  CHECK(error_at(run(x.view(), other.view()), "y", 3));
  pare::tensor<std::int8_t, 4> three({3, 4, 5, 10}), taller({2, 5, 5, 10}), wider({2, 4, 6, 10});
  CHECK(error_at(run(x.view(), three.view()), "y", 0));
  CHECK(error_at(run(x.view(), taller.view()), "y", 1));
  CHECK(error_at(run(x.view(), wider.view()), "y", 2));
  pare::tensor<std::int8_t, 4> flat({2, 0, 5, 10});
  CHECK(run(flat.view(), y.view()) == pare::status::empty);
  pare::tensor<std::int8_t, 4> doubled({2, 4, 5, 20});
  const auto apart = pare::strided_range{0, 20, 2};
  CHECK(run(subview(doubled.view(), pare::all, pare::all, pare::all, apart), y.view()) ==
        pare::status::unsupported);
  CHECK(run(x.view(), subview(doubled.view(), pare::all, pare::all, pare::all, apart)) ==
        pare::status::unsupported);
  {
    const depthwise_case large(10, 1, pare_test::square_window(9, 1, 1), 14);
    CHECK(pare::depthwise_conv2d(x.view(), large.pack(), y.view()) == pare::status::shape_mismatch);
  }
  c.linear.options.input.zero_point = 200;
  CHECK(pare::depthwise_conv2d(x.view(), c.pack(), y.view()) == pare::status::out_of_range);
  c.linear.options.input.zero_point = 0;
  c.linear.options.output.zero_point = 200;
  CHECK(pare::depthwise_conv2d(x.view(), c.pack(), y.view()) == pare::status::out_of_range);
  c.linear.options.output = {0.0f, 0};
  CHECK(pare::depthwise_conv2d(x.view(), c.pack(), y.view()) == pare::status::invalid_argument);
  c.linear.options.input = {0.0f, 0};
  CHECK(pare::depthwise_conv2d(x.view(), c.pack(), y.view()) == pare::status::invalid_argument);
  for (const std::int8_t v : y) CHECK(v == 42);
}
