// Blocks of rows: order, strides, and zeros after the end.
#include <pare/quantize/detail/blocks.hpp>

#include "support/check.hpp"

TEST_CASE("every block of every row, filled up with zeros") {
  pare::tensor<float, 2> w({2, 5});
  for (int i = 0; i < 10; ++i) w.data()[i] = static_cast<float>(i + 1);
  const auto strided = pare_test::strided_copy(w, 2, 3);
  std::vector<float> seen;
  std::vector<pare::index_t> places;
  pare::detail::for_each_block<4>(strided.view(), [&](const float* x, pare::index_t count,
                                                      pare::index_t row, pare::index_t block) {
    seen.insert(seen.end(), x, x + 4);
    places.insert(places.end(), {count, row, block});
  });
  CHECK_EQUAL_RANGES(seen, {1, 2, 3, 4, 5, 0, 0, 0, 6, 7, 8, 9, 10, 0, 0, 0});
  CHECK_EQUAL_RANGES(places, {4, 0, 0, 1, 0, 1, 4, 1, 0, 1, 1, 1});
}

TEST_CASE("no blocks without elements") {
  pare::tensor<float, 2> w({2, 3});
  int calls = 0;
  const auto count = [&](const float*, pare::index_t, pare::index_t, pare::index_t) { ++calls; };
  pare::detail::for_each_block<4>(pare::view(w.data(), 0, 3), count);
  pare::detail::for_each_block<4>(pare::view(w.data(), 2, 0), count);
  CHECK(calls == 0);
}
