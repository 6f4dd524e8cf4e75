// Radix selection against sorting.
#include <pare/prune/detail/select.hpp>

#include <algorithm>
#include <limits>
#include <vector>

#include <doctest/doctest.h>
#include "support/check.hpp"
#include "support/random.hpp"

namespace {

using pare::index_t;
namespace detail = pare::detail;

template <class Key>
std::vector<bool> taken(const std::vector<Key>& keys, index_t n) {
  auto cut = detail::cut_smallest<Key>(n, [&keys](const auto& f) {
    for (const Key key : keys) f(key);
  });
  std::vector<bool> result;
  result.reserve(keys.size());
  for (const Key key : keys) result.push_back(detail::takes(cut, key));
  return result;
}

template <class Key>
std::vector<bool> first_of_stable_sort(const std::vector<Key>& keys, index_t n) {
  std::vector<std::size_t> order(keys.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&keys](std::size_t a, std::size_t b) { return keys[a] < keys[b]; });
  std::vector<bool> result(keys.size(), false);
  for (index_t i = 0; i < n; ++i) result[order[static_cast<std::size_t>(i)]] = true;
  return result;
}

}  // namespace

TEST_CASE_TEMPLATE("selection takes what a stable sort puts first", Key, std::uint32_t,
                   std::uint64_t) {
  pare_test::random_source random(1);
  for (const std::uint64_t distinct : {std::uint64_t{2}, std::uint64_t{17}, UINT64_MAX}) {
    std::vector<Key> keys;
    for (int i = 0; i < 300; ++i) {
      const std::uint64_t bits = (std::uint64_t{random.bits()} << 32) | random.bits();
      keys.push_back(static_cast<Key>(bits % distinct * 0x9e3779b97f4a7c15u));
    }
    keys.push_back(0);
    keys.push_back(std::numeric_limits<Key>::max());
    for (const index_t n : {1, 2, 151, 301, 302}) {
      CAPTURE(distinct);
      CAPTURE(n);
      CHECK(taken(keys, n) == first_of_stable_sort(keys, n));
    }
  }
}

TEST_CASE_TEMPLATE("value keys sort as the values do", T, float, double) {
  using limits = std::numeric_limits<T>;
  const T rising[] = {limits::lowest(),      -1, -limits::min(),
                      -limits::denorm_min(), 0,  limits::denorm_min(),
                      limits::min(),         1,  limits::max()};
  for (std::size_t i = 1; i < std::size(rising); ++i) {
    CAPTURE(i);
    CHECK(detail::value_key(rising[i - 1]) < detail::value_key(rising[i]));
  }
  CHECK(detail::value_key(T(-0.0)) == detail::value_key(T(0)));
}

TEST_CASE_TEMPLATE("magnitude keys sort as the magnitudes do", T, float, double, pare::half,
                   pare::bfloat16) {
  const auto key = [](float x) { return detail::magnitude_key(static_cast<T>(x)); };
  CHECK(key(-0.0f) == key(0.0f));
  CHECK(key(-2.0f) == key(2.0f));
  CHECK(key(0.0f) < key(-1e-4f));
  CHECK(key(1.0f) < key(-1.5f));
}

TEST_CASE("a check names the first element that cannot be ordered") {
  auto w = pare_test::random_normal<double, 2>({3, 4}, 2);
  CHECK(detail::check_prunable(w.view(), "w") == pare::status::ok);
  w(1, 2) = -std::numeric_limits<double>::infinity();
  w(2, 0) = std::numeric_limits<double>::quiet_NaN();
  const pare::status s = detail::check_prunable(w.view(), "w");
  CHECK(s == pare::status::non_finite);
  CHECK(s.error().position == 6);
  CHECK(detail::check_prunable(pare::matrix_view<float>(), "w") == pare::status::empty);
}
