// Vectors of the host tier against what they hold, lane by lane.
#include <pare/core/xsimd.hpp>

#include <cstring>

#include <doctest/doctest.h>
#include "support/random.hpp"

#if PARE_XSIMD
namespace detail = pare::detail;

namespace {

using floats = xsimd::batch<float>;
using integers = xsimd::batch<std::int32_t>;
constexpr std::size_t width = floats::size;

}  // namespace

TEST_CASE("bits_of gives the bits of every lane, of any float") {
  pare_test::random_source random(1);
  for (int round = 0; round < 200; ++round) {
    std::uint32_t bits[width];
    for (std::uint32_t& b : bits) b = random.bits();
    if (round == 0) bits[0] = 0x7f800001u;  // a signalling NaN
    if (round == 1) bits[width - 1] = 0x80000000u;
    float values[width];
    std::memcpy(values, bits, sizeof(values));
    std::int32_t seen[width];
    detail::bits_of(floats::load_unaligned(values)).store_unaligned(seen);
    CHECK(std::memcmp(seen, bits, sizeof(seen)) == 0);
  }
}

TEST_CASE("smallest_lane and largest_lane find the extremes in every lane") {
  for (std::size_t at = 0; at < width; ++at) {
    CAPTURE(at);
    float values[width];
    std::int32_t whole[width];
    for (std::size_t i = 0; i < width; ++i) {
      values[i] = static_cast<float>(i) * 0.25f;
      whole[i] = static_cast<std::int32_t>(i);
    }
    values[at] = -3.5f;
    whole[at] = -7;
    CHECK(detail::smallest_lane(floats::load_unaligned(values)) == -3.5f);
    CHECK(detail::smallest_lane(integers::load_unaligned(whole)) == -7);
    values[at] = 1e30f;
    whole[at] = 0x7fffffff;
    CHECK(detail::largest_lane(floats::load_unaligned(values)) == 1e30f);
    CHECK(detail::largest_lane(integers::load_unaligned(whole)) == 0x7fffffff);
  }
}

TEST_CASE("fold_lanes takes the lanes in order, each once") {
  std::int32_t values[width];
  for (std::size_t i = 0; i < width; ++i) values[i] = static_cast<std::int32_t>(i + 1);
  std::int32_t calls = 0;
  const std::int32_t last =
      detail::fold_lanes(integers::load_unaligned(values), [&](std::int32_t a, std::int32_t b) {
        CHECK(b == a + 1);
        ++calls;
        return b;
      });
  CHECK(last == static_cast<std::int32_t>(width));
  CHECK(calls == static_cast<std::int32_t>(width) - 1);
}
#else
TEST_CASE("without xsimd the loops of the host tier have no vectors") { CHECK(PARE_XSIMD == 0); }
#endif
