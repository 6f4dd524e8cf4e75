// The nearest level, for all numbers of levels, one value at a time and in rows.
#include <pare/quantize/detail/nearest_level.hpp>

#include <algorithm>

#include "support/check.hpp"
#include "support/random.hpp"

using pare::index_t;
using pare::detail::nearest_level;

TEST_CASE("rows and single values find the nearest level") {
  const auto x = pare_test::random_normal<float>({131}, 1);
  for (const index_t count : {1, 2, 3, 8, 15, 16, 17, 100, 255, 256}) {
    CAPTURE(count);
    auto levels = pare_test::random_normal<float>({count}, 2);
    std::sort(levels.begin(), levels.end());
    const nearest_level code_of(levels.data(), count);
    std::vector<std::uint8_t> codes(131);
    code_of.encode(x.data(), 131, codes.data());
    for (index_t i = 0; i < 131; ++i) {
      const auto code = codes[static_cast<std::size_t>(i)];
      CHECK(code == code_of(x(i)));
      REQUIRE(code < count);
      for (const float level : levels) {
        CHECK(std::abs(x(i) - levels(index_t{code})) <= std::abs(x(i) - level));
      }
    }
  }
}

TEST_CASE("the middle belongs to the lower level, also where it is no float") {
  const float levels[] = {1.0f, std::nextafter(1.0f, 2.0f), 3.0f, 3.0f, 7.0f};
  const nearest_level code_of(levels, 5);
  CHECK(code_of(1.0f) == 0);
  CHECK(code_of(levels[1]) == 1);
  CHECK(levels[code_of(5.0f)] == 3.0f);
  CHECK(code_of(std::nextafter(5.0f, 6.0f)) == 4);
  CHECK(code_of(-1e30f) == 0);
  CHECK(code_of(1e30f) == 4);
}
