// The parallel-for that runs in order.
#include <pare/core/parallel.hpp>

#include <doctest/doctest.h>

namespace {

constexpr pare::index_t digits_in_order() {
  pare::index_t digits = 0;
  pare::serial{}(5, [&](pare::index_t i) { digits = 10 * digits + i + 1; });
  return digits;
}

}  // namespace

TEST_CASE("serial calls the body once for each index, in order") {
  static_assert(digits_in_order() == 12345);
  CHECK(digits_in_order() == 12345);
}

TEST_CASE("serial does nothing where there is nothing to do") {
  int calls = 0;
  pare::serial{}(0, [&](pare::index_t) { ++calls; });
  pare::serial{}(-1, [&](pare::index_t) { ++calls; });
  CHECK(calls == 0);
}
