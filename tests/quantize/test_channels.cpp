// Slices along an axis, gathered.
#include <pare/quantize/detail/channels.hpp>

#include "support/check.hpp"

using pare::index_t;

TEST_CASE("elements of each channel, and what belongs to them") {
  pare::tensor<float, 3> x({2, 3, 4});
  for (index_t i = 0; i < 24; ++i) x.data()[i] = static_cast<float>(i);
  auto beside = x;
  for (float& v : beside) v += 100;
  const auto columns = pare_test::column_major_copy(beside);
  for (int axis = -1; axis < 3; ++axis) {
    CAPTURE(axis);
    pare::tensor<float, 2> gathered, gathered_beside;
    REQUIRE(pare::detail::gather_channels(pare::detail::input(x.view()),
                                          pare::detail::input(columns.view()), axis, gathered,
                                          &gathered_beside));
    const index_t channels = axis < 0 ? 1 : x.extent(static_cast<std::size_t>(axis));
    REQUIRE(gathered.extent(0) == channels);
    REQUIRE(gathered.extent(1) == 24 / channels);
    for (index_t c = 0; c < channels; ++c) {
      for (index_t i = 0; i < gathered.extent(1); ++i) {
        CHECK(gathered_beside(c, i) == gathered(c, i) + 100);
        const auto linear = static_cast<index_t>(gathered(c, i));
        const index_t at[] = {linear / 12, linear / 4 % 3, linear % 4};
        if (axis >= 0) CHECK(at[axis] == c);
      }
    }
  }
}
