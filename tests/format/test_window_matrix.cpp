#include <pare/core/tensor.hpp>
#include <pare/format/window_matrix.hpp>

#include "support/check.hpp"
#include "support/random.hpp"

using pare::index_t;

TEST_CASE(
    "a column is the tap's row, its column, the channel, whatever the layout of the weights") {
  const auto w = pare_test::random_codes<std::int8_t>({3, 5, 2, 4}, 1);
  const auto matrix = pare::as_window_matrix(w.view());
  REQUIRE(matrix.extent(0) == 3);
  REQUIRE(matrix.extent(1) == 40);
  const pare::tensor<std::int8_t, 4> w_ohwi({3, 2, 4, 5});
  using strided =
      pare::tensor_view<const std::int8_t, pare::dextents<index_t, 4>, pare::layout_stride>;
  const strided permuted(
      w_ohwi.data(),
      strided::mapping_type(pare::dextents<index_t, 4>(3, 5, 2, 4), {{40, 1, 20, 5}}));
  const auto in_order = pare::as_window_matrix(permuted);
  for (index_t o = 0; o < 3; ++o) {
    for (index_t y = 0; y < 2; ++y) {
      for (index_t x = 0; x < 4; ++x) {
        for (index_t c = 0; c < 5; ++c) {
          const index_t column = (y * 4 + x) * 5 + c;
          CHECK(&matrix(o, column) == &w(o, c, y, x));
          CHECK(&in_order(o, column) == w_ohwi.data() + o * 40 + column);
        }
      }
    }
  }
}

TEST_CASE("weights without channels are a matrix without columns") {
  const pare::tensor<float, 4> w({3, 0, 2, 2});
  const auto matrix = pare::as_window_matrix(w.view());
  CHECK(matrix.extent(0) == 3);
  CHECK(matrix.extent(1) == 0);
}
