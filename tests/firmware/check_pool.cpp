// Pooling over random images and windows; see check_linear.cpp.
#include <pare/kernels/global_average_pool.hpp>
#include <pare/kernels/pool.hpp>

#include "board.hpp"
#include "hash.hpp"

namespace {

using pare::index_t;
using image = pare::dextents<index_t, 4>;
using strided = pare::layout_stride;

constexpr index_t most_bytes = 2 * 9 * 9 * 50;
std::uint8_t inputs[most_bytes], outputs[most_bytes];

template <class Code>
void check(board::random& random) {
  constexpr std::int32_t least = std::is_signed_v<Code> ? -128 : 0;
  pare::window w;
  index_t height = 0, width = 0;
  do {
    w.height = random.between(1, 4), w.width = random.between(1, 4);
    w.stride_y = random.between(1, 3), w.stride_x = random.between(1, 3);
    w.pad_top = random.between(0, int(w.height) - 1);
    w.pad_left = random.between(0, int(w.width) - 1);
    w.pad_bottom = random.between(0, int(w.height) - 1);
    w.pad_right = random.between(0, int(w.width) - 1);
    height = random.between(1, 7), width = random.between(1, 7);
  } while (!pare::output_height(w, height) || !pare::output_width(w, width));
  const index_t images = random.between(1, 2), channels = random.between(1, 40);
  const index_t pixel = channels + random.between(0, 3), row = width * pixel;
  const pare::tensor_view<const Code, image, strided> x(
      reinterpret_cast<const Code*>(inputs),
      strided::mapping<image>(image(images, height, width, channels),
                              {height * row, row, pixel, 1}));
  for (std::uint8_t& code : inputs) code = std::uint8_t(random.between(0, 255));
  pare::code_limits limits;
  if (random.between(0, 1) == 1) {
    limits.low = least + random.between(0, 120), limits.high = least + random.between(121, 255);
  }
  const index_t out_height = *pare::output_height(w, height),
                out_width = *pare::output_width(w, width), out_pixel = channels + 1;
  const pare::tensor_view<Code, image, strided> y(
      reinterpret_cast<Code*>(outputs),
      strided::mapping<image>(
          image(images, out_height, out_width, channels),
          {out_height * out_width * out_pixel, out_width * out_pixel, out_pixel, 1}));
  CHECK(images * out_height * out_width * out_pixel <= most_bytes);
  // What lies between the pixels must stay as it is.
  for (std::uint8_t& code : outputs) code = 0x5a;
  CHECK(pare::max_pool(x, w, y, limits));
  board::print_hash(outputs, sizeof(outputs));
  CHECK(pare::average_pool(x, w, y, limits));
  board::print_hash(outputs, sizeof(outputs));

  const auto p = pare::make_global_average_pool_params<Code>(
      {0.1f, least + random.between(0, 255)}, {0.05f, least + random.between(0, 255)}, limits);
  CHECK(p);
  for (std::uint8_t& code : outputs) code = 0x5a;
  CHECK(pare::global_average_pool(x, *p,
                                  pare::tensor_view<Code, pare::dextents<index_t, 2>>(
                                      reinterpret_cast<Code*>(outputs), images, channels)));
  board::print_hash(outputs, sizeof(outputs));
}

}  // namespace

int main() {
  board::random random(4);
  for (int i = 0; i < 100; ++i) {
    check<std::int8_t>(random);
    check<std::uint8_t>(random);
  }
  return 0;
}
