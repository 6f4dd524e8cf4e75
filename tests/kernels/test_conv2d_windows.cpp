// Convolutions by copied windows, which Cortex-M runs, with the scalar product against `conv2d`.
#include <pare/kernels/conv2d_windows.hpp>
#include <pare/layers/conv2d.hpp>

#include "support/conv_case.hpp"
#include "support/isas.hpp"

using pare::index_t;

namespace {

/// Both ways, with scratch of exactly the bytes that they ask for.
template <class X, class Y>
void check(const pare_test::conv_case& c, const pare::tensor<X, 4>& x, std::int32_t x_zero) {
  pare::conv2d_options options;
  options.window = c.window;
  options.groups = c.groups;
  options.rule = pare::requantization::double_rounding;
  options.input = {0.05f, x_zero};
  options.output = {0.5f, 3};
  const auto layer = pare::pack_conv2d(c.view(), c.linear.bias.view(), options).value();
  const pare::packed_conv2d_view packed = layer;
  const index_t height = c.out_height(x.extent(1)), width = c.out_width(x.extent(2));
  pare::tensor<Y, 4> expected({x.extent(0), height, width, c.out}), y = expected;
  const index_t padded = pare::conv2d_workspace_size(layer, x.extent(1), x.extent(2)).value();
  pare::tensor<std::byte, 1> memory({padded});
  REQUIRE(pare::conv2d(x.view(), layer, expected.view(),
                       pare::workspace(memory.data(), memory.size())));

  const index_t bytes = pare::detail::copied_window_bytes(packed, width);
  CHECK(bytes <= pare::detail::copied_windows * packed.first_group.in_features);
  pare::tensor<std::byte, 1> windows({bytes});
  const auto run = [&](pare::workspace scratch) {
    return pare::detail::run_conv2d_windows<X, Y>(
        pare::detail::linear_kernels_of(pare::isa::scalar).gemm,
        pare::detail::window_copier_of<X>(packed),
        pare::detail::output_choice_of<Y>(packed.first_group.options),
        pare::strided_image_view<const X>(x.view()), packed, pare::strided_image_view<Y>(y.view()),
        scratch);
  };
  REQUIRE(run(pare::workspace(windows.data(), bytes)));
  CHECK(pare_test::equal(y, expected));
  if (bytes > 0) {
    CHECK(run(pare::workspace(windows.data(), bytes - 1)) == pare::status::workspace_too_small);
  }
}

void check_all(const pare_test::conv_case& c, index_t height, index_t width, std::uint32_t seed) {
  const index_t channels = c.in * c.groups;
  check<std::int8_t, std::int8_t>(
      c, pare_test::random_codes<std::int8_t>({1 + seed % 2, height, width, channels}, seed), -7);
  check<std::uint8_t, std::int32_t>(
      c, pare_test::random_codes<std::uint8_t>({1, height, width, channels}, seed), 131);
  check<std::uint8_t, float>(
      c, pare_test::random_codes<std::uint8_t>({2, height, width, channels}, seed), 0);
}

}  // namespace

TEST_CASE("conv2d_windows: copied windows give what images in place give") {
  const pare::isa before = pare::active_isa();
  REQUIRE(pare::set_active_isa(pare::isa::scalar));
  pare_test::random_source random(3);
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    const index_t height = random.index(1, 7), width = random.index(1, 9);
    const index_t groups = seed % 3 == 0 ? random.index(2, 3) : 1;
    const index_t in = random.index(1, seed % 2 == 0 ? 5 : 13), out = groups * random.index(1, 6);
    CAPTURE(seed);
    const auto w = pare_test::random_window(random, height, width);
    check_all(pare_test::conv_case(out, in, groups, w, seed), height, width, seed);
  }
  // Steps of any size where nothing is stepped over, and windows that see padding only.
  pare::window single, far = pare_test::square_window(2, PTRDIFF_MAX / 2, 0),
                       outside = pare_test::square_window(2, 1, 4);
  single.dilation_x = single.dilation_y = single.stride_x = single.stride_y = PTRDIFF_MAX;
  for (const auto& w : {single, far, outside}) {
    for (const index_t in : {1, 3, 4, 6}) {
      check_all(pare_test::conv_case(5, in, 1, w, 9), 4, 3, 9);
      check_all(pare_test::conv_case(4, in, 2, w, 9), 4, 3, 9);
    }
  }
  CHECK(pare::set_active_isa(before));
}

TEST_CASE("conv2d_windows: windows of one pixel without padding are read in place") {
  pare::packed_conv2d_view layer;
  layer.first_group.in_features = 12;
  CHECK(pare::detail::reads_pixels(layer));
  CHECK(pare::detail::copied_window_bytes(layer, 9) == 0);
  layer.window.pad_right = 1;
  CHECK(!pare::detail::reads_pixels(layer));
  CHECK(pare::detail::copied_window_bytes(layer, 9) == 48);
  CHECK(pare::detail::copied_window_bytes(layer, 3) == 36);
}
