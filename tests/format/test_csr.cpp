// Compressed sparse rows: sizes, and the check of a matrix from an untrusted source.
#include <pare/format/csr.hpp>

#include <vector>

#include <doctest/doctest.h>
#include "support/check.hpp"

using pare::csr_view;
using pare::index_t;

namespace {

/// [1 0 2 0]
/// [0 0 0 0]
/// [0 3 0 4]
struct example {
  std::vector<std::uint32_t> offsets = {0, 2, 2, 4};
  std::vector<std::uint32_t> columns = {0, 2, 1, 3};
  std::vector<float> values = {1, 2, 3, 4};

  csr_view<float> view() const { return {3, 4, offsets.data(), columns.data(), values.data()}; }
  pare::status check() const { return pare::validate(view(), 4); }
};

constexpr std::uint32_t constant_offsets[] = {0, 1, 1};
constexpr std::uint32_t constant_columns[] = {2};
constexpr float constant_values[] = {5};

}  // namespace

TEST_CASE("a well-formed matrix is valid and tells what it costs") {
  const example m;
  CHECK(m.check() == pare::status::ok);
  CHECK(m.view().nonzeros() == 4);
  CHECK(m.view().bytes() == 4 * (4 + 4) + 4 * 4);
  constexpr csr_view<float> c{2, 3, constant_offsets, constant_columns, constant_values};
  static_assert(pare::validate(c, 1).is_ok() && c.nonzeros() == 1 && c.bytes() == 8 + 12);
}

TEST_CASE("a matrix without rows or columns is valid") {
  const csr_view<float> none;
  CHECK(pare::validate(none, 0) == pare::status::ok);
  CHECK(none.nonzeros() == 0);
  const std::uint32_t offsets[] = {0, 0, 0};
  CHECK(pare::validate(csr_view<float>{2, 0, offsets, nullptr, nullptr}, 0) == pare::status::ok);
}

TEST_CASE("every way to read beyond the matrix is refused, with its row") {
  example m;
  const auto refused_at = [&](index_t row) {
    const pare::status s = m.check();
    CHECK(s == pare::status::out_of_range);
    CHECK(s.error().kind == pare::position_kind::row);
    CHECK(s.error().position == row);
  };
  SUBCASE("an offset that falls") {
    m.offsets = {0, 2, 1, 4};
    refused_at(1);
  }
  SUBCASE("an offset beyond what is stored") {
    m.offsets = {0, 2, 2, 5};
    refused_at(2);
  }
  SUBCASE("an offset beyond what is stored that a later one takes back") {
    m.offsets = {0, 5, 5, 4};
    refused_at(0);
  }
  SUBCASE("a column beyond the last") {
    m.columns = {0, 2, 1, 4};
    refused_at(2);
  }
  SUBCASE("a column twice") {
    m.columns = {2, 2, 1, 3};
    refused_at(0);
  }
  SUBCASE("columns that fall") {
    m.columns = {0, 2, 3, 1};
    refused_at(2);
  }
  SUBCASE("columns that fall at the start of a row are another row's") {
    m.columns = {2, 3, 0, 1};
    CHECK(m.check() == pare::status::ok);
  }
}

TEST_CASE("a first offset that is not 0, and impossible sizes, are refused") {
  example m;
  m.offsets = {1, 2, 2, 4};
  CHECK(m.check() == pare::status::bad_format);
  const std::uint32_t offsets[] = {0};
  CHECK(pare::validate(csr_view<float>{1, 4, nullptr, nullptr, nullptr}, 0) ==
        pare::status::bad_format);
  CHECK(pare::validate(csr_view<float>{-1, 4, offsets, nullptr, nullptr}, 0) ==
        pare::status::out_of_range);
  CHECK(pare::validate(csr_view<float>{0, -1, offsets, nullptr, nullptr}, 0) ==
        pare::status::out_of_range);
  if constexpr (sizeof(index_t) > 4) {
    const auto wide = static_cast<index_t>(std::int64_t{1} << 32);
    CHECK(pare::validate(csr_view<float>{0, wide - 1, offsets, nullptr, nullptr}, 0) ==
          pare::status::ok);
    CHECK(pare::validate(csr_view<float>{0, wide, offsets, nullptr, nullptr}, 0) ==
          pare::status::out_of_range);
  }
}
