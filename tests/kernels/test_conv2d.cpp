// int8 convolution on every instruction set, against plain loops, PyTorch, TFLite and ONNX (vectors:
// tools/make_conv_vectors.py).
#include <pare/core/std_threads.hpp>
#include <pare/core/subview.hpp>
#include <pare/layers/conv2d.hpp>

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

struct case_of_conv2d : conv_case {
  using conv_case::conv_case;

  pare::conv2d_options options() const {
    pare::conv2d_options o;
    o.window = window;
    o.groups = groups;
    o.act = linear.options.act;
    o.input = linear.options.input;
    o.output = linear.options.output;
    o.rule = linear.options.rule;
    return o;
  }
  pare::conv2d_layer pack() const {
    return pare::pack_conv2d(view(), linear.bias.view(), options()).value();
  }
};

/// Runs with scratch of exactly the size that the query says.
template <class X, class Y, class Parallel = pare::serial>
pare::status run(const X& x, const pare::conv2d_layer& layer, const Y& y,
                 const Parallel& parallel_for = {}) {
  const auto bytes = pare::conv2d_workspace_size(layer, x.extent(1), x.extent(2), x.stride(2));
  if (!bytes) return bytes.error();
  pare::tensor<std::byte, 1> memory({*bytes});
  return pare::conv2d(x, layer, y, pare::workspace(memory.data(), memory.size()), parallel_for);
}

template <class X>
void check(const case_of_conv2d& c, const pare::tensor<X, 4>& x) {
  const auto layer = c.pack();
  const index_t n = x.extent(0), height = c.out_height(x.extent(1)),
                width = c.out_width(x.extent(2));
  // Pixels, rows and images apart on both sides, and gaps that must stay as they are.
  const auto x_apart = pare_test::strided_copy(x, 5);
  const index_t pixel = c.out + 3, row = width * pixel + 2, image = height * row + 1;
  pare_test::strided<std::int32_t, 4> y_s32({n, height, width, c.out}, {image, row, pixel, 1});
  REQUIRE(run(x_apart.view(), layer, y_s32.view()) == pare::status::ok);
  CHECK(pare_test::equal(y_s32.view(), c.expected_s32(x)));
  CHECK(y_s32.gaps_untouched());

  const std::int32_t zero = c.linear.options.output.zero_point;
  if (zero <= 127) {
    pare::tensor<std::int8_t, 4> y({n, height, width, c.out});
    REQUIRE(run(x.view(), layer, y.view()) == pare::status::ok);
    CHECK(pare_test::equal(y, c.expected_codes<std::int8_t>(x)));
  }
  if (zero >= 0) {
    pare_test::strided<std::uint8_t, 4> y({n, height, width, c.out},
                                          {image, width * pixel, pixel, 1});
    REQUIRE(run(x.view(), layer, y.view()) == pare::status::ok);
    CHECK(pare_test::equal(y.view(), c.expected_codes<std::uint8_t>(x)));
    CHECK(y.gaps_untouched());
  }
  if (c.linear.options.act == pare::activation::none) {
    pare_test::strided<float, 4> y({n, height, width, c.out}, {image, row, pixel, 1});
    REQUIRE(run(x.view(), layer, y.view()) == pare::status::ok);
    CHECK(pare_test::equal_bits(y.view(), c.expected_f32(x)));
    CHECK(y.gaps_untouched());
  }
}

/// Both kinds of inputs, by a rule and an activation that follow from the seed.
void check_all(case_of_conv2d& c, index_t images, index_t height, index_t width,
               std::uint32_t seed) {
  c.linear.options.rule = all_rules[seed % 4];
  c.linear.options.act = static_cast<pare::activation>(seed / 4 % 3);
  c.linear.options.output.zero_point = static_cast<std::int32_t>(seed % 5) * 3 - 6;
  c.linear.options.output.scale = seed % 7 == 0 ? 0.01f : 0.5f;  // factors above and below 1
  const index_t channels = c.in * c.groups;
  check(c, pare_test::random_codes<std::int8_t>({images, height, width, channels}, seed));
  c.linear.options.input.zero_point = 131;
  check(c, pare_test::random_codes<std::uint8_t>({images, height, width, channels}, seed));
}

}  // namespace

TEST_CASE("conv2d: every instruction set gives the accumulators and codes of plain loops") {
  pare_test::for_each_isa([](pare::isa) {
    pare_test::random_source random(2);
    for (std::uint32_t seed = 0; seed < 150; ++seed) {
      const index_t height = random.index(1, 9), width = random.index(1, 15);
      const index_t groups = seed % 3 == 0 ? random.index(2, 4) : 1;
      const index_t in = random.index(1, seed % 2 == 0 ? 5 : 24);
      const index_t out = groups * random.index(1, groups > 1 ? 20 : 70);
      CAPTURE(seed);
      CAPTURE(height);
      CAPTURE(width);
      CAPTURE(groups);
      CAPTURE(in);
      CAPTURE(out);
      const auto w = pare_test::random_window(random, height, width);
      case_of_conv2d c(out, in, groups, w, seed, seed % 2 == 0 ? -128 : -127);
      check_all(c, 1 + seed % 2, height, width, seed);
    }
  });
}

TEST_CASE("conv2d: the layers of real networks") {
  constexpr struct {
    index_t height, width, in, out, size, stride, padding;
  } shapes[] = {{7, 14, 64, 64, 3, 1, 1}, {14, 14, 32, 48, 3, 2, 1}, {16, 30, 3, 32, 3, 2, 1},
                {8, 9, 128, 96, 1, 1, 0}, {9, 8, 32, 17, 1, 2, 0},   {12, 12, 1, 8, 5, 1, 2},
                {20, 20, 3, 16, 7, 2, 3}, {7, 7, 40, 130, 1, 1, 0},  {1, 40, 13, 24, 3, 1, 1},
                {5, 5, 16, 10, 5, 1, 0},  {6, 6, 2, 65, 2, 2, 0},    {7, 7, 16, 64, 3, 1, 1}};
  pare_test::for_each_isa([&](pare::isa) {
    std::uint32_t seed = 700;
    for (const auto& s : shapes) {
      CAPTURE(s.in);
      CAPTURE(s.out);
      case_of_conv2d c(s.out, s.in, 1, pare_test::square_window(s.size, s.stride, s.padding),
                       ++seed);
      check_all(c, 1, s.height, s.width, seed);
    }
  });
}

TEST_CASE("conv2d: windows of one row or column, wider than the image, and strides of any size") {
  pare_test::for_each_isa([](pare::isa) {
    pare::window row;
    row.width = 9;
    row.pad_left = 8;
    pare::window column;
    column.height = 7;
    column.pad_bottom = 3;
    pare::window large = pare_test::square_window(11, 1, 5);
    pare::window far = pare_test::square_window(2, PTRDIFF_MAX / 2, 0);
    pare::window full;
    full.height = 5;
    full.width = 6;
    pare::window outside = pare_test::square_window(2, 1, 4);  // whole windows of padding
    pare::window apart = pare_test::square_window(3, 1, 3);
    apart.dilation_y = 3;
    pare::window single;  // the dilation of one tap says nothing
    single.dilation_x = single.dilation_y = PTRDIFF_MAX;
    for (const auto& w : {row, column, large, far, full, outside, apart, single}) {
      for (const index_t in : {1, 3, 4, 6}) {
        for (const index_t groups : {1, 2}) {
          CAPTURE(w.width);
          CAPTURE(in);
          CAPTURE(groups);
          case_of_conv2d c(6, in, groups, w, 5);
          check_all(c, 2, 5, 6, 8);
        }
      }
    }
  });
}

TEST_CASE("conv2d: matches PyTorch, TFLite and ONNX") {
  pare_test::for_each_isa([](pare::isa) {
    pare_test::check_conv_vectors(
        [](const pare_test::conv_vector& v, const auto& bias, pare::requantization rule,
           pare::activation act) {
          auto o = v.options<pare::conv2d_options>(rule, act);
          o.groups = v.groups;
          return pare::pack_conv2d(v.view(), bias, o).value();
        },
        [](const auto& x, const auto& layer, const auto& y) { return run(x, layer, y); },
        [](const pare_test::conv_vector&) { return true; });
  });
}

TEST_CASE("conv2d: matches the conformance data of ONNX ConvInteger") {
  // One channel, so that NCHW is NHWC and OIHW too; weights are u8 with small values.
  const auto a = pare_test::load("kernels/onnx_conv.npz");
  const float one[] = {1.0f};
  for (const std::string name : {"with", "without"}) {
    CAPTURE(name);
    const auto x = a.get<std::uint8_t, 4>(name + "_x");
    const auto w =
        pare::tensor<std::int8_t, 4>::copy_of(a.get<std::uint8_t, 4>(name + "_w").view()).value();
    const auto expected = a.get<std::int32_t, 4>(name + "_y");
    pare::conv2d_options o;
    if (name == "with") o.window = pare_test::square_window(2, 1, 1);
    o.input = {1.0f, a.scalar<std::int32_t>(name + "_x_zero")};
    const pare::affine_view<std::int8_t, pare::dextents<index_t, 4>> view{
        w.view(), pare::vector_view<const float>(one, index_t{1}), {}, pare::per_tensor};
    const auto layer = pare::pack_conv2d(view, pare::vector_view<const float>(), o).value();
    const index_t side = expected.extent(2);
    pare::tensor<std::int32_t, 4> y({1, side, side, 1});
    REQUIRE(run(pare::view(x.data(), 1, 3, 3, 1), layer, y.view()) == pare::status::ok);
    CHECK(pare_test::equal(pare::view(y.data(), y.size()),
                           pare::view(expected.data(), expected.size())));
  }
}

TEST_CASE(
    "conv2d: the requantization of ONNX QLinearConv's conformance data comes out to the bit") {
  // Its only weight is 0 - 255, which no symmetric int8 layer has.
  const auto a = pare_test::load("kernels/onnx_conv.npz");
  const auto x = a.get<std::uint8_t, 4>("q_x"), expected = a.get<std::uint8_t, 4>("q_y");
  const float factor =
      a.scalar<float>("q_x_scale") * a.scalar<float>("q_w_scale") / a.scalar<float>("q_y_scale");
  const int weight = a.scalar<int>("q_w") - a.scalar<int>("q_w_zero");
  for (index_t i = 0; i < x.size(); ++i) {
    const std::int32_t acc = (x.data()[i] - a.scalar<int>("q_x_zero")) * weight;
    CHECK(pare::requantize_onnx(acc, factor, a.scalar<int>("q_y_zero"), 0, 255) ==
          expected.data()[i]);
  }
}

TEST_CASE("conv2d: extreme codes neither saturate nor lose a carry") {
  pare_test::for_each_isa([](pare::isa) {
    for (const int weight : {-128, -127, 127}) {
      for (const int code : {-128, 127}) {
        CAPTURE(weight);
        CAPTURE(code);
        case_of_conv2d c(17, 30, 1, pare_test::square_window(3, 1, 1), 1);
        for (auto& w : c.linear.codes) w = static_cast<std::int8_t>(weight);
        pare::tensor<std::int8_t, 4> x_s8({1, 4, 9, 30});
        for (auto& x : x_s8) x = static_cast<std::int8_t>(code);
        check(c, x_s8);
        pare::tensor<std::uint8_t, 4> x_u8({1, 4, 9, 30});
        for (auto& x : x_u8) x = code < 0 ? 0 : 255;
        check(c, x_u8);
      }
    }
  });
}

TEST_CASE("conv2d: any number of threads gives the same bits") {
  for (const index_t groups : {1, 2}) {
    const case_of_conv2d c(96, 64 / groups, groups, pare_test::square_window(3, 1, 1), 7);
    const auto x = pare_test::random_codes<std::int8_t>({2, 60, 31, 64}, 8);
    const auto layer = c.pack();
    pare::tensor<std::int8_t, 4> one({2, 60, 31, 96});
    REQUIRE(run(x.view(), layer, one.view()) == pare::status::ok);
    for (const int threads : {2, 5}) {
      pare::tensor<std::int8_t, 4> many({2, 60, 31, 96});
      REQUIRE(run(x.view(), layer, many.view(), pare::std_threads{threads}) == pare::status::ok);
      CHECK(pare_test::equal(many, one));
    }
  }
}

TEST_CASE("conv2d: a layer packed for one instruction set runs on every other") {
  const case_of_conv2d c(50, 7, 2, pare_test::square_window(3, 1, 1), 9);
  const auto x = pare_test::random_codes<std::int8_t>({1, 5, 6, 14}, 10);
  pare_test::for_each_isa([&](pare::isa) {
    const auto layer = c.pack();
    pare_test::for_each_isa([&](pare::isa) {
      pare::tensor<std::int8_t, 4> y({1, 5, 6, 50});
      REQUIRE(run(x.view(), layer, y.view()) == pare::status::ok);
      CHECK(pare_test::equal(y, c.expected_codes<std::int8_t>(x)));
    });
  });
}

TEST_CASE("conv2d: nothing is read outside the image") {
  // The image begins and ends where its memory does: the address sanitizer sees a read beyond it.
  pare_test::for_each_isa([](pare::isa) {
    for (index_t in = 1; in < 20; ++in) {
      for (const index_t size : {1, 2, 3}) {
        const case_of_conv2d c(5, in, 1, pare_test::square_window(size, 1, 0), 11);
        const auto layer = c.pack();
        const std::vector<std::int8_t> x(static_cast<std::size_t>(4 * 5 * in), 1);
        const index_t bytes = pare::conv2d_workspace_size(layer, 4, 5).value();
        std::vector<std::byte> memory(static_cast<std::size_t>(bytes + 64));
        pare::tensor<std::int32_t, 4> y({1, 5 - size, 6 - size, 5});
        REQUIRE(pare::conv2d(pare::view(x.data(), 1, 4, 5, in), layer, y.view(),
                             pare::workspace(memory.data(), bytes + 64)) == pare::status::ok);
      }
    }
  });
}

TEST_CASE("conv2d: images are read in place where the window stays inside") {
  const auto needs = [](index_t in, const pare::window& w, index_t pixel_stride = 0) {
    const case_of_conv2d c(4, in, 1, w, 12);
    return pare::conv2d_workspace_size(c.pack(), 8, 9, pixel_stride).value();
  };
  CHECK(needs(3, pare_test::square_window(1, 1, 0)) == 0);
  CHECK(needs(8, pare_test::square_window(3, 1, 0)) == 0);
  CHECK(needs(8, pare_test::square_window(3, 1, 0), 16) == 0);
  CHECK(needs(3, pare_test::square_window(3, 2, 0)) == 0);
  CHECK(needs(3, pare_test::square_window(3, 2, 0), 4) == 8 * 9 * 3);
  CHECK(needs(8, pare_test::square_window(3, 1, 1)) == 8 * 11 * 8);
  pare::window tall;  // rows above and below are left out
  tall.height = 3;
  tall.pad_top = tall.pad_bottom = 1;
  CHECK(needs(8, tall) == 0);
  // Padding that no window reaches is none.
  pare::window w = pare_test::square_window(2, 2, 0);
  w.pad_bottom = 1;
  CHECK(needs(8, w) == 0);
  // One input channel: a row of three bytes is read as four.
  CHECK(needs(1, pare_test::square_window(3, 1, 0)) == 8 * 9 + 1);
}

TEST_CASE("conv2d: the workspace size is exact") {
  const case_of_conv2d c(10, 12, 1, pare_test::square_window(3, 1, 1), 13);
  const auto layer = c.pack();
  const pare::tensor<std::int8_t, 4> x({1, 6, 7, 12});
  pare::tensor<std::int8_t, 4> y({1, 6, 7, 10});
  const index_t bytes = pare::conv2d_workspace_size(layer, 6, 7).value();
  CHECK(bytes == 6 * 9 * 12);
  pare::tensor<std::byte, 1> memory({bytes});
  CHECK(pare::conv2d(x.view(), layer, y.view(), pare::workspace(memory.data(), bytes)) ==
        pare::status::ok);
  const auto s = pare::conv2d(x.view(), layer, y.view(), pare::workspace(memory.data(), bytes - 1));
  CHECK(s == pare::status::workspace_too_small);
  CHECK(s.error().position == bytes);
  CHECK(pare::conv2d_workspace_size(layer, PTRDIFF_MAX / 2, PTRDIFF_MAX / 2) ==
        pare::status::overflow);
  CHECK(pare::conv2d_workspace_size(layer, 0, 7) == pare::status::empty);
}

TEST_CASE("conv2d: no images, no channels and no outputs are fine") {
  for (int what = 0; what < 3; ++what) {
    const index_t images = what == 0 ? 0 : 1, in = what == 1 ? 0 : 4, out = what == 2 ? 0 : 5;
    for (const index_t groups : {1, 5}) {
      const case_of_conv2d c(out, in, groups, pare_test::square_window(3, 1, 1), 14);
      const pare::tensor<std::int8_t, 4> x({images, 3, 3, in * groups});
      pare::tensor<std::int8_t, 4> y({images, 3, 3, out});
      CHECK(run(x.view(), c.pack(), y.view()) == pare::status::ok);
      CHECK(pare_test::equal(y, c.expected_codes<std::int8_t>(x)));
    }
  }
}

TEST_CASE("conv2d: bad input leaves y untouched and says what is wrong") {
  case_of_conv2d c(10, 12, 1, pare_test::square_window(3, 1, 1), 15);
  const auto layer = c.pack();
  pare::tensor<std::int8_t, 4> x({2, 4, 5, 12}), y({2, 4, 5, 10});
  for (auto& v : y) v = 42;
  const auto error_at = [](const pare::status& s, const char* subject, index_t axis) {
    return s == pare::status::shape_mismatch && std::string(s.error().subject) == subject &&
           s.error().position == axis;
  };
  pare::tensor<std::int8_t, 4> other({2, 4, 5, 11});
  CHECK(error_at(run(other.view(), layer, y.view()), "x", 3));
  CHECK(error_at(run(x.view(), layer, other.view()), "y", 3));
  pare::tensor<std::int8_t, 4> three({3, 4, 5, 10}), taller({2, 5, 5, 10}), wider({2, 4, 6, 10});
  CHECK(error_at(run(x.view(), layer, three.view()), "y", 0));
  CHECK(error_at(run(x.view(), layer, taller.view()), "y", 1));
  CHECK(error_at(run(x.view(), layer, wider.view()), "y", 2));
  pare::tensor<std::int8_t, 4> flat({2, 0, 5, 12});
  CHECK(pare::conv2d(flat.view(), layer, y.view()) == pare::status::empty);
  pare::tensor<std::int8_t, 4> doubled({2, 4, 5, 24});
  const auto apart = pare::strided_range{0, 24, 2};
  CHECK(run(subview(doubled.view(), pare::all, pare::all, pare::all, apart), layer, y.view()) ==
        pare::status::unsupported);
  CHECK(pare::conv2d(x.view(), layer, y.view()) == pare::status::workspace_too_small);
  {
    const case_of_conv2d large(10, 12, 1, pare_test::square_window(9, 1, 1), 16);
    CHECK(run(x.view(), large.pack(), y.view()) == pare::status::shape_mismatch);
  }
  c.linear.options.input.zero_point = 200;
  CHECK(run(x.view(), c.pack(), y.view()) == pare::status::out_of_range);
  c.linear.options.input.zero_point = 0;
  c.linear.options.output.zero_point = 200;
  CHECK(run(x.view(), c.pack(), y.view()) == pare::status::out_of_range);
  c.linear.options.output = {0.0f, 0};
  CHECK(run(x.view(), c.pack(), y.view()) == pare::status::invalid_argument);
  c.linear.options.input = {0.0f, 0};
  CHECK(run(x.view(), c.pack(), y.view()) == pare::status::invalid_argument);
  for (const std::int8_t v : y) CHECK(v == 42);
}
