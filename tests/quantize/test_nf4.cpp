// NF4 against the comparisons of bitsandbytes (vectors: tools/make_block_vectors.py).
#include <pare/quantize/nf4.hpp>

#include <limits>

#include "support/check.hpp"
#include "support/random.hpp"
#include "support/vectors.hpp"

using pare::index_t;
using pare::status;

TEST_CASE("bytes and scales are those of bitsandbytes") {
  const auto vectors = pare_test::load("quantize/nf4.npz");
  const auto w = vectors.get<float, 1>("w");
  const auto q = pare::quantize_nf4(w.view()).value();
  CHECK(pare_test::equal(q.codes, vectors.get<std::uint8_t, 1>("bytes")));
  CHECK(pare_test::equal_bits(q.scales, vectors.get<float, 1>("scales")));
}

TEST_CASE("every level comes back, and codes count in row-major order") {
  pare::tensor<float, 2> w({4, 5});
  for (index_t i = 0; i < 16; ++i) w.data()[i] = 2.0f * pare::nf4_levels[i];
  const auto transposed = pare_test::column_major_copy(w);
  pare::nf4 options;
  options.block = 20;
  const auto q = pare::quantize_nf4(transposed.view(), options).value();
  for (index_t i = 0; i < 16; ++i) CHECK(q.view().code(i) == i);
  CHECK(int{q.codes(0)} == 0x01);
  pare::tensor<float, 2> back({4, 5});
  REQUIRE(pare::dequantize(q.view(), back.view()) == status::ok);
  CHECK(pare_test::equal(back, w));
}

TEST_CASE("the nearest level, with its error") {
  const auto w = pare_test::random_normal<float>({7, 33}, 3);
  pare::error_meter errors, expected;
  pare::nf4 options;
  options.block = 50;
  const auto q = pare::quantize_nf4(w.view(), options, &errors).value();
  CHECK(q.scales.size() == 5);
  for (index_t i = 0; i < w.size(); ++i) {
    const float x = w.data()[i], scale = q.scales(i / 50), taken = q.view().value(i);
    for (const float level : pare::nf4_levels) {
      CHECK(std::abs(taken - x) <= std::abs(level * scale - x) * 1.00001f);
    }
    expected.add(x, taken);
  }
  CHECK(errors.rms_error() == expected.rms_error());
  CHECK(errors.max_error() == expected.max_error());
}

TEST_CASE("what NF4 refuses") {
  pare::tensor<float, 2> w({2, 40});
  pare::nf4 options;
  options.block = 0;
  CHECK(pare::quantize_nf4(w.view(), options) == status::out_of_range);
  CHECK(pare::quantize_nf4(pare::view(w.data(), 0, 4)).value().codes.empty());
  auto q = pare::quantize_nf4(w.view()).value();
  CHECK(pare::dequantize(q.view(), pare::view(w.data(), 79)) == status::shape_mismatch);
  q.size = 81;
  CHECK(pare::dequantize(q.view(), w.view()) == status::shape_mismatch);
  w(0, 7) = std::numeric_limits<float>::quiet_NaN();
  CHECK(pare::quantize_nf4(w.view()) == status::non_finite);
}
