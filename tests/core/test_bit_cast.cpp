// bit_cast against memcpy.
#include <pare/core/bit_cast.hpp>

#include <cstring>
#include <initializer_list>
#include <limits>

#include <doctest/doctest.h>

using pare::detail::bit_cast;

#ifdef PARE_DETAIL_BIT_CAST_BUILTIN
static_assert(bit_cast<std::uint32_t>(1.0f) == 0x3f800000u);
static_assert(bit_cast<float>(0xc0000000u) == -2.0f);
static_assert(bit_cast<std::uint64_t>(-0.0) == 0x8000000000000000u);
#endif

TEST_CASE("bits stay as they are") {
  for (float x : {0.0f, -0.0f, 1.5f, -3e38f, 1e-45f, std::numeric_limits<float>::infinity(),
                  std::numeric_limits<float>::quiet_NaN()}) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &x, sizeof(bits));
    CHECK(bit_cast<std::uint32_t>(x) == bits);
    const float back = bit_cast<float>(bits);
    CHECK(std::memcmp(&back, &x, sizeof(x)) == 0);
  }
}
