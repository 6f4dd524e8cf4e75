#include <pare/prune/mask.hpp>

#include <limits>

#include <doctest/doctest.h>
#include "support/check.hpp"
#include "support/random.hpp"

namespace {

using pare::status;
using pare::view;
using pare_test::random_normal;

}  // namespace

TEST_CASE("apply_mask sets to zero what is pruned and leaves the rest") {
  const std::uint8_t mask[] = {1, 0, 255, 0};
  float gradient[] = {1.5f, 2, -3, -4};
  REQUIRE(pare::apply_mask(view(mask), view(gradient)) == status::ok);
  CHECK_EQUAL_RANGES(gradient, {1.5f, 0.0f, -3.0f, 0.0f});
  CHECK(!std::signbit(gradient[3]));
}

TEST_CASE("apply_mask assigns: a NaN that is pruned becomes zero") {
  const std::uint8_t mask[] = {0, 1};
  float values[] = {std::numeric_limits<float>::quiet_NaN(), 1};
  REQUIRE(pare::apply_mask(view(mask), view(values)) == status::ok);
  CHECK_EQUAL_RANGES(values, {0.0f, 1.0f});
}

TEST_CASE("apply_mask takes any layout and element type") {
  auto mask = pare_test::random_codes<std::uint8_t>({3, 4, 5}, 1, 0, 1);
  auto codes = pare_test::random_codes<std::int8_t>({3, 4, 5}, 2, 1, 100);
  auto expected = codes;
  for (pare::index_t i = 0; i < codes.size(); ++i) {
    if (mask.data()[i] == 0) expected.data()[i] = 0;
  }
  const auto columns = pare_test::column_major_copy(mask);
  auto apart = pare_test::strided_copy(codes, 4, 2);
  REQUIRE(pare::apply_mask(columns.view(), apart.view()) == status::ok);
  CHECK(pare_test::equal(apart.view(), expected));
  CHECK(apart.gaps_untouched());
}

TEST_CASE("a mask of another shape changes nothing") {
  const std::uint8_t mask[] = {0, 0, 0};
  float values[] = {1, 2};
  CHECK(pare::apply_mask(view(mask), view(values)) == status::shape_mismatch);
  CHECK_EQUAL_RANGES(values, {1.0f, 2.0f});
  std::uint8_t other[] = {1, 1};
  CHECK(pare::combine_masks(view(mask), view(other)) == status::shape_mismatch);
  CHECK_EQUAL_RANGES(other, {1, 1});
}

TEST_CASE("masks multiply") {
  const std::uint8_t other[] = {1, 1, 0, 0};
  std::uint8_t mask[] = {1, 0, 1, 0};
  REQUIRE(pare::combine_masks(view(other), view(mask)) == status::ok);
  CHECK_EQUAL_RANGES(mask, {1, 0, 0, 0});
}

TEST_CASE("kept and sparsity count what is not zero") {
  const std::uint8_t mask[2][4] = {{1, 0, 0, 255}, {0, 0, 0, 2}};
  CHECK(pare::kept(view(mask)) == 3);
  CHECK(pare::sparsity(view(mask)) == 0.625);
  CHECK(pare::kept(pare::vector_view<const std::uint8_t>()) == 0);
  CHECK(pare::sparsity(pare::vector_view<const std::uint8_t>()) == 0.0);
}

TEST_CASE("a full mask keeps everything") {
  const auto weights = random_normal<float>({3, 2, 4}, 3);
  const auto mask = pare::full_mask(weights.view()).value();
  CHECK(pare_test::equal(mask, pare_test::ones_like(weights)));
  CHECK(pare::sparsity(mask.view()) == 0.0);
}

TEST_CASE("a full mask of a view too large for memory is an error") {
  float one = 1;
  using huge = pare::tensor_view<float, pare::dextents<pare::index_t, 2>, pare::layout_stride>;
  const pare::index_t side = std::numeric_limits<pare::index_t>::max() / 2;
  const huge weights(&one,
                     huge::mapping_type(pare::dextents<pare::index_t, 2>(side, side), {{0, 0}}));
  CHECK(pare::full_mask(weights) == status::overflow);
}

TEST_CASE("masks nest where the inner one keeps nothing that the outer one prunes") {
  const std::uint8_t outer[] = {1, 0, 7, 1}, inner[] = {0, 0, 1, 1}, other[] = {0, 1, 0, 0};
  CHECK(pare::nests_in(pare::view(inner), pare::view(outer)));
  CHECK(pare::nests_in(pare::view(outer), pare::view(outer)));
  CHECK_FALSE(pare::nests_in(pare::view(outer), pare::view(inner)));
  CHECK_FALSE(pare::nests_in(pare::view(other), pare::view(outer)));
  CHECK_FALSE(pare::nests_in(pare::view(inner, 3), pare::view(outer)));
}
