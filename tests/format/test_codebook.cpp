// The levels of a channel.
#include <pare/format/codebook.hpp>

#include <doctest/doctest.h>

TEST_CASE("levels of the tensor or of a channel") {
  const std::uint8_t codes[2][2] = {{0, 1}, {1, 0}};
  const float levels[2][2] = {{-1, 1}, {-5, 5}};
  pare::codebook_view<pare::extents<pare::index_t, 2, 2>> v{pare::view(codes), pare::view(levels),
                                                            0};
  CHECK(v.levels_of(1)[0] == -5.0f);
  v.axis = pare::per_tensor;
  CHECK(v.levels_of(1)[0] == -1.0f);
}
