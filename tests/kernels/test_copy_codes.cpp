// Boxes of codes copied and filled.
#include <pare/kernels/copy_codes.hpp>

#include "support/check.hpp"
#include "support/random.hpp"

using pare::index_t;

TEST_CASE("a part of a view is where its first element is") {
  auto whole = pare_test::random_codes<std::int8_t>({4, 5, 6}, 1);
  const pare::detail::any_view<std::int8_t, 3> v(whole.view());
  const index_t first[] = {1, 2, 3}, shape[] = {3, 2, 1};
  const auto part = pare::detail::part_of(v, first, shape);
  CHECK(part.extent(0) == 3);
  CHECK(part.extent(2) == 1);
  CHECK(&part(0, 0, 0) == &whole(1, 2, 3));
  CHECK(&part(2, 1, 0) == &whole(3, 3, 3));
  const index_t end[] = {4, 5, 6}, nothing[] = {0, 0, 0};
  CHECK(pare::detail::part_of(v, end, nothing).data_handle() == whole.data());
}

TEST_CASE("copies and fills keep to their box") {
  const auto x = pare_test::random_codes<std::uint8_t>({3, 4, 5}, 2);
  pare_test::strided<std::uint8_t, 3> y({3, 4, 5}, {60, 9, 1});
  pare::detail::copy_codes(x.view(), y.view(), pare::serial{});
  CHECK(pare_test::equal(y.view(), x));
  CHECK(y.gaps_untouched());
  pare::detail::fill_codes(y.view(), 200, pare::serial{});
  bool all = true;
  pare::for_each_element(y.view(), [&](int e, index_t) { all = all && e == 200; });
  CHECK(all);
  CHECK(y.gaps_untouched());
}
