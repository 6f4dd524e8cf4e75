// Matrices with a bitmask: to and from dense and masks, exact sizes, N:M, values of 4 bits, and the
// check of a matrix from an untrusted source.
#include <pare/core/tensor.hpp>
#include <pare/format/bitmask.hpp>

#include <cstring>
#include <utility>

#include <doctest/doctest.h>
#include "support/check.hpp"
#include "support/random.hpp"

using pare::bitmask_kind;
using pare::bitmask_view;
using pare::index_t;
using pare::n_m;
using codes = pare::tensor<std::int8_t, 2>;
using masks = pare::tensor<std::uint8_t, 2>;

namespace {

struct sparse {
  pare::tensor<std::byte, 1> memory;
  bitmask_view view;

  explicit sparse(const codes& dense, bitmask_kind kind = {})
      : memory({pare::bitmask_size(dense.view(), kind).value()}),
        view(pare::make_bitmask(dense.view(), kind, pare::workspace(memory.data(), memory.size()))
                 .value()) {}
};

/// At most `pattern.keep` codes of each group are not zero; some groups have fewer.
codes random_pruned(index_t rows, index_t columns, const n_m& pattern, std::int32_t bits,
                    std::uint32_t seed) {
  auto dense = pare_test::random_codes<std::int8_t>({rows, columns}, seed);
  const auto dice = pare_test::random_codes<std::uint8_t>({rows, columns}, seed + 1);
  for (index_t r = 0; r < rows; ++r) {
    for (index_t c = 0, kept = 0; c < columns; ++c) {
      if (c % pattern.of == 0) kept = 0;
      if (bits == 4) dense(r, c) = static_cast<std::int8_t>(dense(r, c) >> 4);
      const bool goes = dice(r, c) < 100 || kept == pattern.keep;
      if (goes) dense(r, c) = 0;
      kept += dense(r, c) != 0 ? 1 : 0;
    }
  }
  return dense;
}

constexpr n_m patterns[] = {{0, 0}, {2, 4}, {1, 4}, {3, 4}, {4, 4},  {0, 4}, {1, 2},
                            {1, 1}, {2, 5}, {4, 8}, {1, 8}, {8, 16}, {1, 16}};

}  // namespace

TEST_CASE("dense, bitmask, dense: the same, for all kinds") {
  std::uint32_t seed = 1;
  for (const n_m& pattern : patterns) {
    for (const std::int32_t bits : {8, 4}) {
      for (const auto& shape : {std::pair<index_t, index_t>{1, 1},
                                {16, 4},
                                {17, 31},
                                {40, 66},
                                {20, 131},
                                {3, 3},
                                {0, 5},
                                {5, 0}}) {
        const index_t rows = shape.first, columns = shape.second;
        CAPTURE(pattern.keep);
        CAPTURE(pattern.of);
        CAPTURE(bits);
        CAPTURE(columns);
        const n_m kept = pattern.of == 0 ? n_m{99, 1} : pattern;
        const codes dense = random_pruned(rows, columns, kept, bits, ++seed);
        const sparse m(dense, {bits, pattern});
        CHECK(m.view.bytes() == m.memory.size());
        CHECK(pare::validate(m.view, m.memory.size()) == pare::status::ok);
        CHECK(pare::validate(m.view, m.memory.size() - 1).code() == pare::status_code::truncated);
        codes back({rows, columns});
        for (auto& x : back) x = 99;
        REQUIRE(pare::to_dense(m.view, back.view()) == pare::status::ok);
        CHECK(pare_test::equal(back.view(), dense));
      }
    }
  }
}

TEST_CASE("a known chunk: masks and values lie where they should") {
  codes dense({2, 8});
  dense(0, 1) = 5;   // bit 1 of chunk 0
  dense(1, 0) = -6;  // bit 4
  dense(1, 7) = 7;   // bit 7 of chunk 1
  const sparse m(dense);
  REQUIRE(m.view.tiles() == 1);
  CHECK(m.view.tile_offsets()[0] == 1);
  CHECK(m.view.tile_offsets()[1] == 2);
  const auto run = pare::detail::run_at(m.view.tile(0), 2);
  CHECK(run.masks[0] == 0x12);
  CHECK(run.masks[1] == 0x80);
  CHECK(run.values[0] == 5);
  CHECK(run.values[1] == 250);
  CHECK(run.values[2] == 7);
  CHECK(m.memory.size() == 64 + 64 + 64);

  // 4 bits: each chunk begins with a byte.
  const sparse small(dense, {4, {0, 0}});
  const auto run4 = pare::detail::run_at(small.view.tile(0), 2);
  CHECK(run4.values[0] == 0xa5);
  CHECK(run4.values[1] == 0x07);

  // Columns 4 to 6 are the last group's: bits 1 to 3.
  codes odd({1, 7});
  odd(0, 4) = 1, odd(0, 6) = 2;
  CHECK(pare::detail::run_at(sparse(odd).view.tile(0), 2).masks[1] == 0xa);
}

TEST_CASE("2:4 takes five bits a weight") {
  codes dense({64, 512});
  for (index_t r = 0; r < 64; ++r) {
    for (index_t c = 0; c < 512; c += 4) dense(r, c + r % 4) = 1;
  }
  const index_t weights = 64 * 512;
  CHECK(sparse(dense, {8, {2, 4}}).memory.size() == weights * 5 / 8 + 128);
  CHECK(sparse(dense, {4, {2, 4}}).memory.size() == weights * 3 / 8 + 128);
  CHECK(sparse(dense).memory.size() == weights * 3 / 8 + 128);
}

TEST_CASE("a mask decides, and comes back") {
  const codes dense = pare_test::random_codes<std::int8_t>({20, 13}, 5);
  masks mask({20, 13}), back({20, 13});
  for (index_t r = 0; r < 20; ++r) {
    for (index_t c = 0; c < 13; ++c) mask(r, c) = (r * 5 + c * 3) % 4 == 0 ? 1 : 0;
  }
  const index_t bytes = pare::bitmask_size(dense.view(), {}, std::as_const(mask).view()).value();
  pare::tensor<std::byte, 1> memory({bytes});
  const auto m = pare::make_bitmask(dense.view(), {}, pare::workspace(memory.data(), bytes),
                                    std::as_const(mask).view())
                     .value();
  REQUIRE(pare::to_mask(m, back.view()) == pare::status::ok);
  CHECK(pare_test::equal(back.view(), mask));
  codes values({20, 13});
  REQUIRE(pare::to_dense(m, values.view()) == pare::status::ok);
  for (index_t r = 0; r < 20; ++r) {
    for (index_t c = 0; c < 13; ++c) CHECK(values(r, c) == (mask(r, c) != 0 ? dense(r, c) : 0));
  }
}

TEST_CASE("what is wrong is said") {
  using pare::status_code;
  codes dense({6, 8});
  dense(4, 4) = dense(4, 5) = 9;
  const auto code_of = [&](bitmask_kind kind) {
    const auto size = pare::bitmask_size(dense.view(), kind);
    return size ? status_code::ok : size.error().code;
  };
  CHECK(code_of({8, {2, 4}}) == status_code::ok);
  CHECK(code_of({8, {1, 4}}) == status_code::out_of_range);
  CHECK(pare::bitmask_size(dense.view(), {8, {1, 4}}).error().position == 4);
  CHECK(code_of({4, {0, 0}}) == status_code::out_of_range);
  CHECK(pare::bitmask_size(dense.view(), {4, {0, 0}}).error().position == 4 * 8 + 4);
  CHECK(code_of({2, {0, 0}}) == status_code::out_of_range);
  CHECK(code_of({8, {5, 4}}) == status_code::invalid_argument);
  CHECK(code_of({8, {-1, 4}}) == status_code::invalid_argument);
  CHECK(code_of({8, {2, 17}}) == status_code::out_of_range);
  CHECK(code_of({8, {1, 0}}) == status_code::invalid_argument);
  const masks narrow({6, 7});
  CHECK(pare::bitmask_size(dense.view(), {}, narrow.view()).error().code ==
        status_code::shape_mismatch);

  std::byte few[64] = {std::byte{7}};
  const auto small = pare::make_bitmask(dense.view(), {}, pare::workspace(few));
  REQUIRE(!small);
  CHECK(small.error().code == status_code::workspace_too_small);
  CHECK(small.error().position == pare::bitmask_size(dense.view()).value());
  CHECK(few[0] == std::byte{7});

  const sparse m(dense);
  codes other({6, 7});
  CHECK(pare::to_dense(m.view, other.view()).code() == status_code::shape_mismatch);
  masks other_mask({5, 8});
  CHECK(pare::to_mask(m.view, other_mask.view()).code() == status_code::shape_mismatch);
}

TEST_CASE("hostile matrices are turned away") {
  using pare::status_code;
  const codes dense = random_pruned(40, 20, {2, 4}, 8, 3);
  sparse m(dense, {8, {2, 4}});
  const index_t bytes = m.memory.size();
  const auto changed = [&](index_t at, int by) {
    std::byte& b = m.memory.data()[at];
    const std::byte before = b;
    b = static_cast<std::byte>(static_cast<int>(b) ^ by);
    const auto s = pare::validate(m.view, bytes);
    b = before;
    return s.code();
  };
  CHECK(pare::validate(m.view, bytes) == pare::status::ok);
  CHECK(changed(4, 1) == status_code::bad_format);    // where the second tile begins
  CHECK(changed(12, 64) == status_code::bad_format);  // where the last one ends
  CHECK(changed(64, 1) == status_code::bad_format);   // a mask
  for (index_t b = 0; b < bytes; ++b) CHECK(!pare::validate(m.view, b));
  bitmask_view view = m.view;
  view.rows = -1;
  CHECK(pare::validate(view, bytes).code() == status_code::out_of_range);
  view.rows = pare::detail::max_index;
  CHECK(pare::validate(view, bytes).code() == status_code::out_of_range);
  view = m.view;
  view.kind.value_bits = 5;
  CHECK(pare::validate(view, bytes).code() == status_code::out_of_range);
  view = m.view;
  view.data = nullptr;
  CHECK(pare::validate(view, bytes).code() == status_code::truncated);
}
