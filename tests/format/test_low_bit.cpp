// Codes of few bits in bytes: ranges, order and sign.
#include <pare/format/low_bit.hpp>

#include <initializer_list>

#include <doctest/doctest.h>

using pare::low_bit;

TEST_CASE("each kind has its codes and no others") {
  const struct {
    low_bit kind;
    int bits, least, most;
  } kinds[] = {{low_bit::s4, 4, -8, 7}, {low_bit::s2, 2, -2, 1}, {low_bit::ternary, 2, -1, 1}};
  for (const auto k : kinds) {
    CHECK(pare::bits_of(k.kind) == k.bits);
    for (int code = -300; code <= 300; ++code) {
      CHECK(pare::is_low_bit_code(k.kind, code) == (code >= k.least && code <= k.most));
    }
  }
  CHECK_FALSE(pare::is_low_bit_code(static_cast<low_bit>(7), 0));
}

TEST_CASE("the first field of a byte has the lowest bits, in two's complement") {
  // CMSIS-NN: [1, 2, 3, 4] are 0x21 0x43.
  CHECK(pare::detail::pack_field(1, 4, 0) + pare::detail::pack_field(2, 4, 1) == 0x21);
  CHECK(pare::detail::pack_field(-1, 4, 1) == 0xf0);
  CHECK(pare::detail::pack_field(-2, 2, 3) == 0x80);
  for (const int bits : {2, 4}) {
    for (int field = 0; field < 8 / bits; ++field) {
      for (int code = -(1 << (bits - 1)); code < 1 << (bits - 1); ++code) {
        const std::uint8_t byte = pare::detail::pack_field(code, bits, field);
        for (int other = 0; other < 8 / bits; ++other) {
          CHECK(pare::detail::unpack_field(byte, bits, other) == (other == field ? code : 0));
        }
      }
    }
  }
}
