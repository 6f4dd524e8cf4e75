// Sixteen bytes from integers and back.
#include <pare/quantize/detail/narrow.hpp>

#include <doctest/doctest.h>

#if PARE_XSIMD
namespace {

template <class Code>
void check_all(std::int32_t first) {
  using integers = xsimd::batch<std::int32_t>;
  constexpr std::size_t width = integers::size;
  for (std::int32_t start = first; start < first + 256; start += 16) {
    std::int32_t wide[16];
    Code codes[18] = {}, back[16];
    for (int i = 0; i < 16; ++i) wide[i] = start + i;
    integers vectors[pare::detail::vectors_of_16];
    for (std::size_t i = 0; i < 16 / width; ++i) {
      vectors[i] = integers::load_unaligned(wide + i * width);
    }
    pare::detail::narrow_16(vectors, codes + 1);  // at any address
    CHECK(codes[0] == 0);
    CHECK(codes[17] == 0);
    for (int i = 0; i < 16; ++i) CHECK(codes[i + 1] == static_cast<Code>(start + i));
    integers again[pare::detail::vectors_of_16];
    pare::detail::widen_16(codes + 1, again);
    for (std::size_t i = 0; i < 16 / width; ++i) again[i].store_unaligned(wide + i * width);
    for (int i = 0; i < 16; ++i) CHECK(wide[i] == start + i);
    pare::detail::narrow_16(again, back);
    CHECK(back[15] == codes[16]);
  }
}

}  // namespace

TEST_CASE("all bytes, signed and unsigned") {
  check_all<std::int8_t>(-128);
  check_all<std::uint8_t>(0);
}
#else
TEST_CASE("without xsimd there is nothing to narrow") { CHECK(PARE_XSIMD == 0); }
#endif
