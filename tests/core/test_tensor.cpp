// tensor: the owner of elements on the host.
#include <pare/core/tensor.hpp>

#include <cstdint>
#include <utility>

#include <doctest/doctest.h>
#include "support/check.hpp"
#include "support/random.hpp"

using pare::dextents;
using pare::index_t;
using pare::tensor;

TEST_CASE("a new tensor is zero, row-major and aligned to a cache line") {
  for (index_t n : {1, 3, 17, 1000}) {
    tensor<float, 2> t({n, 3});
    CHECK(reinterpret_cast<std::uintptr_t>(t.data()) % 64 == 0);
    CHECK(t.size() == 3 * n);
    CHECK(t.extent(0) == n);
    for (float x : t) CHECK(x == 0.0f);
    t(n - 1, 2) = 5;
    CHECK(t.data()[3 * n - 1] == 5);
    CHECK(t.end() - t.begin() == 3 * n);
  }
  const tensor<double, 2> none;
  CHECK(none.empty());
  CHECK(none.data() == nullptr);
  CHECK(none.begin() == none.end());
}

TEST_CASE("copies are independent, moves take the memory along") {
  auto a = pare_test::random_normal<float>({4, 5}, 1);
  const float* memory = a.data();
  tensor<float, 2> b = a;
  CHECK(pare_test::equal_bits(a, b));
  b(0, 0) = 42;
  CHECK(a(0, 0) != 42);

  tensor<float, 2> c = std::move(a);
  CHECK(c.data() == memory);
  CHECK(a.empty());  // NOLINT(bugprone-use-after-move): a moved-from tensor is empty
  CHECK(a.extent(0) == 0);
  a = c;
  CHECK(pare_test::equal_bits(a, c));
  CHECK(a.data() != c.data());
  b = std::move(c);
  CHECK(b.data() == memory);
  b = *&b;
  CHECK(pare_test::equal_bits(a, b));
}

TEST_CASE("a copy of a tensor without elements keeps its shape") {
  const tensor<float, 3> none({2, 0, 3});
  const tensor<float, 3> copy = none;
  CHECK(copy.extent(0) == 2);
  CHECK(copy.extent(2) == 3);
  CHECK(copy.empty());
}

TEST_CASE("rank 0 holds one element once it is created") {
  tensor<float, 0> none;
  CHECK(none.empty());
  const tensor<float, 0> copy_of_none = none;
  CHECK(copy_of_none.empty());
  auto one = tensor<float, 0>::create({});
  REQUIRE(one);
  CHECK(one->size() == 1);
  (*one)() = 3;
  const tensor<float, 0> copy = *one;
  CHECK(copy() == 3);
  CHECK(copy.end() - copy.begin() == 1);
}

TEST_CASE("a shape from outside that cannot be held is an error") {
  constexpr index_t m = pare::detail::max_index;
  const auto overflow = tensor<float, 2>::create(dextents<index_t, 2>(m / 2, 8));
  CHECK(overflow == pare::status::overflow);
  CHECK(overflow.error().position == 0);
  CHECK(tensor<float, 2>::create(dextents<index_t, 2>(m / 16, 8)) == pare::status::overflow);
  // Where addresses have 32 bits, half of them may be had.
  if constexpr (sizeof(index_t) == 8) {
    CHECK(tensor<std::uint8_t, 1>::create(dextents<index_t, 1>(m - 4096)) ==
          pare::status::out_of_memory);
  }
}

TEST_CASE("copy_of gathers and converts the elements of any view") {
  const auto data = pare_test::random_codes<std::int8_t>({3, 4, 5}, 2);
  const auto columns = pare_test::column_major_copy(data);
  const auto apart = pare_test::strided_copy(data, 5, 2);
  CHECK(pare_test::equal_bits(*tensor<std::int8_t, 3>::copy_of(columns.view()), data));
  const auto floats = tensor<float, 3>::copy_of(apart.view());
  REQUIRE(floats);
  CHECK(pare_test::equal(*floats, data));
}

TEST_CASE("a tensor is a view where one is asked for") {
  tensor<float, 2> t({2, 3});
  const pare::matrix_view<float> v = t;
  v(1, 2) = 7;
  const tensor<float, 2>& c = t;
  const pare::matrix_view<const float> in = c;
  CHECK(in(1, 2) == 7);
  CHECK(c.view().data_handle() == t.data());
  static_assert(!std::is_convertible_v<const tensor<float, 2>&, pare::matrix_view<float>>);
}
