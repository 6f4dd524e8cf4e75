// Windows over NHWC tensors: output sizes and padding against counting by hand.
#include <pare/format/window.hpp>

#include "support/check.hpp"

using pare::index_t;

namespace {

/// Outputs, counted: a window begins every `stride` from -before, and must end within the padding.
index_t count_outputs(const pare::detail::window_axis& a, index_t size) {
  index_t n = 0;
  for (index_t at = -a.before; at + (a.taps - 1) * a.dilation < size + a.after; at += a.stride) ++n;
  return n;
}

static_assert(*pare::output_height(pare::window{3, 3, 2, 2, 1, 1, 1, 1, 1, 1}, 224) == 112);
static_assert(pare::same_padding(pare::window{3, 3, 2, 2}, 224, 224)->pad_bottom == 1);

}  // namespace

TEST_CASE("output sizes are those that counting gives") {
  for (index_t taps = 1; taps <= 5; ++taps)
    for (index_t stride = 1; stride <= 4; ++stride)
      for (index_t dilation = 1; dilation <= 3; ++dilation)
        for (index_t before = 0; before <= 3; ++before)
          for (index_t after = 0; after <= 3; ++after)
            for (index_t size = 1; size <= 12; ++size) {
              const pare::window w{taps,     taps,   stride, stride, dilation,
                                   dilation, before, after,  after,  before};
              const index_t rows = count_outputs({taps, stride, dilation, before, after}, size);
              const index_t columns = count_outputs({taps, stride, dilation, after, before}, size);
              const auto height = pare::output_height(w, size);
              const auto width = pare::output_width(w, size);
              if (rows == 0) {
                CHECK(height == pare::status::shape_mismatch);
                CHECK(width == pare::status::shape_mismatch);
              } else {
                CHECK(height.value() == rows);
                CHECK(width.value() == columns);
              }
            }
}

TEST_CASE("SAME padding gives size / stride outputs, rounded up, and the larger half at the end") {
  for (index_t taps = 1; taps <= 5; ++taps)
    for (index_t stride = 1; stride <= 4; ++stride)
      for (index_t dilation = 1; dilation <= 3; ++dilation)
        for (index_t size = 1; size <= 12; ++size) {
          const pare::window bare{taps, 1, stride, 1, dilation, 1};
          const auto w = pare::same_padding(bare, size, 7).value();
          CHECK(pare::output_height(w, size).value() == (size + stride - 1) / stride);
          CHECK(pare::output_width(w, 7).value() == 7);
          CHECK((w.pad_bottom - w.pad_top == 0 || w.pad_bottom - w.pad_top == 1));
          CHECK(w.pad_left + w.pad_right == 0);
          const pare::window turned{1, taps, 1, stride, 1, dilation};
          const auto t = pare::same_padding(turned, 7, size).value();
          CHECK(t.pad_left == w.pad_top);
          CHECK(t.pad_right == w.pad_bottom);
          CHECK(t.pad_top + t.pad_bottom == 0);
        }
  // What TensorFlow pads for MobileNet's first layer, and more than it needs is not kept.
  const auto w = pare::same_padding({3, 3, 2, 2, 1, 1, 9, 9, 9, 9}, 224, 225).value();
  CHECK(w.pad_top == 0);
  CHECK(w.pad_bottom == 1);
  CHECK(w.pad_left == 1);
  CHECK(w.pad_right == 1);
}

TEST_CASE("taps inside are those whose position is") {
  for (index_t taps = 1; taps <= 4; ++taps)
    for (index_t dilation = 1; dilation <= 3; ++dilation)
      for (index_t size = 1; size <= 5; ++size)
        for (index_t at = -12; at <= 12; ++at) {
          const auto r = pare::detail::taps_inside({taps, 1, dilation, 0, 0}, at, size);
          for (index_t t = 0; t < taps; ++t) {
            const index_t position = at + t * dilation;
            CHECK((t >= r.first && t < r.last) == (position >= 0 && position < size));
          }
        }
}

TEST_CASE("windows that cannot be") {
  constexpr index_t most = PTRDIFF_MAX;
  const auto code = [](const pare::window& w) { return pare::check_window(w).code(); };
  CHECK(code({}) == pare::status::ok);
  CHECK(code({0, 1}) == pare::status::out_of_range);
  CHECK(code({1, 0}) == pare::status::out_of_range);
  CHECK(code({1, 1, 0, 1}) == pare::status::out_of_range);
  CHECK(code({1, 1, 1, 0}) == pare::status::out_of_range);
  CHECK(code({1, 1, 1, 1, 0, 1}) == pare::status::out_of_range);
  CHECK(code({1, 1, 1, 1, 1, 0}) == pare::status::out_of_range);
  CHECK(code({1, 1, 1, 1, 1, 1, -1, 0, 0, 0}) == pare::status::out_of_range);
  CHECK(code({1, 1, 1, 1, 1, 1, 0, -1, 0, 0}) == pare::status::out_of_range);
  CHECK(code({1, 1, 1, 1, 1, 1, 0, 0, -1, 0}) == pare::status::out_of_range);
  CHECK(code({1, 1, 1, 1, 1, 1, 0, 0, 0, -1}) == pare::status::out_of_range);
  CHECK(code({3, 1, 1, 1, most, 1}) == pare::status::overflow);
  CHECK(code({1, 3, 1, 1, 1, most}) == pare::status::overflow);
  CHECK(code({1, 1, 1, 1, 1, 1, most, 1, 0, 0}) == pare::status::overflow);
  CHECK(pare::output_height({0, 1}, 3) == pare::status::out_of_range);
  CHECK(pare::output_height({}, 0) == pare::status::empty);
  CHECK(pare::output_width({}, -1) == pare::status::empty);
  CHECK(pare::output_height({1, 1, 1, 1, 1, 1, most, 0, 0, 0}, 1) == pare::status::overflow);
  CHECK(pare::output_height({most, 1}, most).value() == 1);
  CHECK(pare::same_padding({}, 0, 1) == pare::status::empty);
  CHECK(pare::same_padding({}, 1, 0) == pare::status::empty);
  CHECK(pare::same_padding({1, 1, 0, 1}, 1, 1) == pare::status::out_of_range);
  const auto largest = pare::same_padding({most, most, most, 1}, most, most).value();
  CHECK(pare::output_height(largest, most).value() == 1);
}
