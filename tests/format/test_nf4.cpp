// Levels, thresholds and the order of nibbles.
#include <pare/format/nf4.hpp>

#include <cmath>

#include <doctest/doctest.h>

TEST_CASE("a level is its own code, and middles belong to the lower") {
  for (int i = 0; i < 16; ++i) CHECK(pare::nf4_code(pare::nf4_levels[i]) == i);
  for (int i = 0; i < 15; ++i) {
    const auto middle =
        static_cast<float>((double{pare::nf4_levels[i]} + double{pare::nf4_levels[i + 1]}) / 2);
    CHECK(pare::nf4_code(middle) == i);
    CHECK(pare::nf4_code(std::nextafter(middle, 2.0f)) == i + 1);
  }
  CHECK(pare::nf4_code(-5.0f) == 0);
  CHECK(pare::nf4_code(5.0f) == 15);
}

TEST_CASE("the first code of a byte is in its high half") {
  const std::uint8_t codes[] = {0xf0, 0x70};
  const float scales[] = {2.0f, 4.0f};
  const pare::nf4_view v{pare::view(codes), pare::view(scales), 3, 2};
  CHECK(v.value(0) == 2.0f);
  CHECK(v.value(1) == -2.0f);
  CHECK(v.value(2) == 0.0f);
}
