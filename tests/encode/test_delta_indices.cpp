// Delta-coded indices: round trips through CSR and BCSR, known bytes, and hostile code.
#include <pare/core/tensor.hpp>
#include <pare/encode/delta_indices.hpp>
#include <pare/format/bcsr.hpp>

#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include "support/random.hpp"

using pare::index_t;
using pare::status_code;
using pare::vector_view;

namespace {

template <class T>
vector_view<const T> view_of(const std::vector<T>& v) {
  return vector_view<const T>(v.data(), static_cast<index_t>(v.size()));
}
template <class T>
vector_view<T> view_of(std::vector<T>& v) {
  return vector_view<T>(v.data(), static_cast<index_t>(v.size()));
}

template <class Index>
std::vector<std::uint8_t> encode(const std::vector<Index>& indices,
                                 const std::vector<std::uint32_t>& offsets) {
  const index_t size = pare::delta_indices_size(view_of(indices), view_of(offsets)).value();
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size));
  REQUIRE(pare::encode_delta_indices(view_of(indices), view_of(offsets), view_of(bytes)) ==
          pare::status::ok);
  return bytes;
}

using bytes_of = std::vector<std::uint8_t>;
const std::vector<std::uint32_t> one_line = {0, 3};

}  // namespace

TEST_CASE("gaps become the bytes that they should") {
  using u32 = std::vector<std::uint32_t>;
  CHECK(encode<std::uint32_t>({0, 1, 2}, one_line) == bytes_of{0, 0, 0});
  CHECK(encode<std::uint32_t>({5, 9, 264}, one_line) == bytes_of{5, 3, 254});
  CHECK(encode<std::uint32_t>({254, 510, 1021}, one_line) == bytes_of{254, 255, 0, 255, 255, 0});
  // Every line begins anew; empty lines take nothing.
  CHECK(encode<std::uint16_t>({7, 3, 4}, {0, 1, 1, 3}) == bytes_of{7, 3, 0});
  CHECK(encode<std::uint16_t>({65535}, {0, 1}).size() == 258);
  CHECK(encode<std::uint16_t>({}, {0}).empty());
  CHECK(encode<std::uint32_t>(u32{}, {0, 0, 0}).empty());
}

TEST_CASE("the block columns of a matrix come back, in half the bytes") {
  pare::tensor<std::int8_t, 2> dense = pare_test::random_codes<std::int8_t>({64, 700}, 3);
  const auto dice = pare_test::random_codes<std::uint8_t>({64, 700}, 4);
  for (index_t r = 0; r < 64; ++r) {
    for (index_t c = 0; c < 700; ++c) {
      if (dice(r, c) > 2) dense(r, c) = 0;
    }
  }
  pare::tensor<std::byte, 1> memory({pare::bcsr_size(dense.view(), {1, 1, 0}).value()});
  const auto m =
      pare::make_bcsr(dense.view(), {1, 1, 0}, pare::workspace(memory.data(), memory.size()))
          .value();
  const vector_view<const std::uint16_t> columns(m.block_columns, m.blocks());
  const vector_view<const std::uint32_t> offsets(m.block_offsets, m.lines() + 1);
  const index_t size = pare::delta_indices_size(columns, offsets).value();
  CHECK(size >= m.blocks());
  CHECK(size < m.blocks() * 3 / 2);
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size));
  REQUIRE(pare::encode_delta_indices(columns, offsets, view_of(bytes)) == pare::status::ok);
  std::vector<std::uint16_t> back(static_cast<std::size_t>(m.blocks()));
  REQUIRE(pare::decode_delta_indices(view_of(std::as_const(bytes)), offsets, 700, view_of(back)) ==
          pare::status::ok);
  for (index_t i = 0; i < m.blocks(); ++i)
    CHECK(back[static_cast<std::size_t>(i)] == m.block_columns[i]);
}

TEST_CASE("hostile code is turned away, at its byte") {
  std::vector<std::uint16_t> indices(3);
  const auto decode = [&](const bytes_of& bytes, std::uint64_t limit,
                          const std::vector<std::uint32_t>& offsets = one_line) {
    const pare::status s =
        pare::decode_delta_indices(view_of(bytes), view_of(offsets), limit, view_of(indices));
    return s ? std::pair<status_code, index_t>{status_code::ok, 0}
             : std::pair<status_code, index_t>{s.code(), s.error().position};
  };
  using answer = std::pair<status_code, index_t>;
  CHECK(decode({5, 3, 254}, 265) == answer{status_code::ok, 0});
  CHECK(indices == std::vector<std::uint16_t>{5, 9, 264});
  CHECK(decode({5, 3, 254}, 264) == answer{status_code::out_of_range, 2});
  CHECK(decode({5, 3}, 265) == answer{status_code::truncated, 2});
  CHECK(decode({5, 3, 255}, 1000) == answer{status_code::truncated, 3});
  CHECK(decode({}, 265) == answer{status_code::truncated, 0});
  CHECK(decode({5, 3, 1, 0}, 265) == answer{status_code::bad_format, 3});
  // 16 bits cannot hold it, whatever the limit.
  bytes_of long_gap(258, 255);
  CHECK(decode(long_gap, ~std::uint64_t{0}) == answer{status_code::out_of_range, 257});
  CHECK(decode({0, 0, 0}, 9, {0, 2, 1, 3}) == answer{status_code::out_of_range, 1});
  CHECK(decode({0, 0, 0}, 9, {0, 2}).first == status_code::shape_mismatch);
  CHECK(decode({0, 0, 0}, 9, {1, 3}).first == status_code::bad_format);
  CHECK(decode({0, 0, 0}, 9, {}).first == status_code::bad_format);
}

TEST_CASE("indices that do not rise have no code") {
  const auto code_of = [](const std::vector<std::uint32_t>& indices,
                          const std::vector<std::uint32_t>& offsets) {
    const auto size = pare::delta_indices_size(view_of(indices), view_of(offsets));
    return size ? status_code::ok : size.error().code;
  };
  CHECK(code_of({1, 2, 3}, {0, 3}) == status_code::ok);
  CHECK(code_of({1, 1, 3}, {0, 3}) == status_code::out_of_range);
  CHECK(code_of({3, 2, 5}, {0, 3}) == status_code::out_of_range);
  CHECK(code_of({4294967295u, 0, 1}, {0, 3}) == status_code::out_of_range);
  CHECK(code_of({1, 2, 3}, {0, 4}) == status_code::out_of_range);
  CHECK(code_of({1, 2, 3}, {0, 2}) == status_code::shape_mismatch);
  CHECK(code_of({1, 2, 3}, {0, 2, 1}) == status_code::out_of_range);
  CHECK(code_of({1, 2, 3}, {1, 3}) == status_code::bad_format);
  const std::vector<std::uint32_t> indices = {1, 2, 3};
  std::vector<std::uint8_t> bytes(2, 9);
  CHECK(pare::encode_delta_indices(view_of(indices), view_of(one_line), view_of(bytes)).code() ==
        status_code::shape_mismatch);
  CHECK(bytes == bytes_of{9, 9});
}
