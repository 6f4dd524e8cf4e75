// Random int8 convolutions and what they must compute, by the shortest code that can say it.
#ifndef PARE_TESTS_SUPPORT_CONV_CASE_HPP
#define PARE_TESTS_SUPPORT_CONV_CASE_HPP

#include <algorithm>

#include <pare/format/window.hpp>

#include "support/linear_case.hpp"

namespace pare_test {

/// Weights [out, in, window], a scale and a bias for each output, over images of in * groups
/// channels: a linear layer whose inputs are those that the window shows.
struct conv_case {
  index_t out, in, groups;
  pare::window window;
  linear_case linear;  ///< weights [out, in * height * width]

  conv_case(index_t outputs, index_t inputs_of_group, index_t groups_, const pare::window& w,
            std::uint32_t seed, std::int8_t least = -128)
      : out(outputs),
        in(inputs_of_group),
        groups(groups_),
        window(w),
        linear(outputs, inputs_of_group * w.height * w.width, seed, least) {}

  using codes_view = pare::tensor_view<const std::int8_t, pare::dextents<index_t, 4>>;
  pare::affine_view<std::int8_t, pare::dextents<index_t, 4>> view() const {
    return {codes_view(linear.codes.data(), out, in, window.height, window.width),
            linear.scales.view(),
            {},
            0};
  }

  index_t out_height(index_t height) const { return pare::output_height(window, height).value(); }
  index_t out_width(index_t width) const { return pare::output_width(window, width).value(); }

  /// What the window shows to the outputs of each group, as rows of a linear layer: [pixels, in *
  /// height * width] in the order of the weights; padding is the zero point.
  template <class X>
  pare::tensor<X, 2> patches(const pare::tensor<X, 4>& x, index_t group) const {
    const index_t n = x.extent(0), height = out_height(x.extent(1)), width = out_width(x.extent(2));
    pare::tensor<X, 2> rows({n * height * width, linear.k});
    X* to = rows.data();
    for (index_t image = 0; image < n; ++image) {
      for (index_t p = 0; p < height * width; ++p) {
        for (index_t c = 0; c < in; ++c) {
          for (index_t tap = 0; tap < window.height * window.width; ++tap) {
            const index_t r = p / width * window.stride_y - window.pad_top +
                              tap / window.width * window.dilation_y;
            const index_t q = p % width * window.stride_x - window.pad_left +
                              tap % window.width * window.dilation_x;
            const bool is_inside = r >= 0 && r < x.extent(1) && q >= 0 && q < x.extent(2);
            *to++ = is_inside ? x(image, r, q, group * in + c)
                              : static_cast<X>(linear.options.input.zero_point);
          }
        }
      }
    }
    return rows;
  }

  /// The linear layer of a group's outputs.
  linear_case part(index_t group) const {
    const index_t n = out / groups, first = group * n;
    linear_case p(n, linear.k, 0);
    p.options = linear.options;
    std::copy_n(linear.codes.data() + first * linear.k, n * linear.k, p.codes.data());
    std::copy_n(linear.scales.data() + first, n, p.scales.data());
    std::copy_n(linear.bias.data() + first, n, p.bias.data());
    return p;
  }

  /// `of(part, rows)` gives a group's outputs [pixels, out / groups].
  template <class Y, class X, class F>
  pare::tensor<Y, 4> expected(const pare::tensor<X, 4>& x, F of) const {
    pare::tensor<Y, 4> y({x.extent(0), out_height(x.extent(1)), out_width(x.extent(2)), out});
    const index_t n = groups > 0 ? out / groups : 0;
    for (index_t group = 0; group < groups; ++group) {
      const pare::tensor<Y, 2> part_of_y = of(part(group), patches(x, group));
      for (index_t p = 0; p < part_of_y.extent(0); ++p)
        std::copy_n(part_of_y.data() + p * n, n, y.data() + p * out + group * n);
    }
    return y;
  }
  template <class X>
  pare::tensor<std::int32_t, 4> expected_s32(const pare::tensor<X, 4>& x) const {
    return expected<std::int32_t>(
        x, [](const linear_case& c, const auto& rows) { return c.expected_s32(rows); });
  }
  template <class Y, class X>
  pare::tensor<Y, 4> expected_codes(const pare::tensor<X, 4>& x) const {
    return expected<Y>(x, [](const linear_case& c, const auto& rows) {
      return c.template expected_codes<Y>(rows);
    });
  }
  template <class X>
  pare::tensor<float, 4> expected_f32(const pare::tensor<X, 4>& x) const {
    return expected<float>(x, [](const linear_case& c, const auto& rows) {
      pare::tensor<float, 2> y({rows.extent(0), c.n});
      for (index_t r = 0; r < rows.extent(0); ++r) {
        for (index_t o = 0; o < c.n; ++o) {
          const std::int32_t acc =
              c.accumulate(rows.data() + r * c.k, o, c.options.input.zero_point);
          const volatile float scale = c.options.input.scale * c.scales(o);
          const volatile float product = static_cast<float>(acc) * scale;
          y(r, o) = product + c.bias(o);
        }
      }
      return y;
    });
  }
};

/// A window with padding on all sides.
inline pare::window square_window(index_t size, index_t stride, index_t padding) {
  pare::window w;
  w.height = w.width = size;
  w.stride_y = w.stride_x = stride;
  w.pad_top = w.pad_bottom = w.pad_left = w.pad_right = padding;
  return w;
}

/// A random window that fits images of `height` x `width`: any size, strides, dilations and
/// padding, each different on each side.
inline pare::window random_window(random_source& random, index_t height, index_t width) {
  for (;;) {
    pare::window w;
    w.height = random.index(1, 6);
    w.width = random.index(1, 6);
    w.stride_y = random.index(1, 3);
    w.stride_x = random.index(1, 3);
    w.dilation_y = random.index(1, 3) == 1 ? random.index(1, 3) : 1;
    w.dilation_x = random.index(1, 3) == 1 ? random.index(1, 3) : 1;
    w.pad_top = random.index(0, 3);
    w.pad_bottom = random.index(0, 3);
    w.pad_left = random.index(0, 3);
    w.pad_right = random.index(0, 3);
    if (pare::output_height(w, height) && pare::output_width(w, width)) return w;
  }
}

}  // namespace pare_test

#endif  // PARE_TESTS_SUPPORT_CONV_CASE_HPP
