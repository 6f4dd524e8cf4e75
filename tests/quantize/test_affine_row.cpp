// Rows on vectors against one element at a time, to the bit, for every rule.
#include <pare/quantize/detail/affine_row.hpp>

#include <cmath>
#include <vector>

#include <doctest/doctest.h>
#include "quantize/cases.hpp"
#include "support/check.hpp"
#include "support/isas.hpp"
#include "support/random.hpp"

using pare::index_t;
using rule = pare::affine_rule;
namespace detail = pare::detail;

namespace {

constexpr float scales[] = {1.0f, 0.1f, 0.00214854861f, 0.0039215689f, 3.0f, 1e-20f, 1e25f};

/// Values around all ties of a scale, with the floats next to them, and beyond all codes.
std::vector<float> values_for(float scale) {
  std::vector<float> values;
  for (int half = -540; half <= 540; ++half) {
    const float tie = static_cast<float>(half) * 0.5f * scale;
    values.push_back(tie);
    values.push_back(std::nextafter(tie, 0.0f));
    values.push_back(std::nextafter(tie, tie * 2.0f));
  }
  for (float far : {1e3f, 1e9f, 3e9f, 1e12f}) {
    values.push_back(far * scale);
    values.push_back(-far * scale);
  }
  values.push_back(quantize_cases::largest);
  values.push_back(-quantize_cases::largest);
  values.push_back(-0.0f);
  values.push_back(0.49999997f * scale);
  pare_test::random_source random(5);
  for (int i = 0; i < 300; ++i) {
    values.push_back(static_cast<float>((random.uniform() - 0.5) * 600.0) * scale);
  }
  return values;
}

template <rule Rule, class Code>
void check_rows() {
  for (float scale : scales) {
    CAPTURE(scale);
    const std::vector<float> values = values_for(scale);
    const index_t count = static_cast<index_t>(values.size());
    for (int zero : {0, 3, static_cast<int>(detail::full_codes<Code>.min),
                     static_cast<int>(detail::full_codes<Code>.max)}) {
      const detail::quantizer<Rule> code_of({scale, zero}, detail::full_codes<Code>);
      std::vector<Code> expected(values.size()), codes(values.size(), Code(77));
      for (std::size_t i = 0; i < values.size(); ++i) {
        expected[i] = static_cast<Code>(code_of(values[i]));
      }
      detail::quantize_row(values.data(), 1, codes.data(), 1, count, code_of);
      CHECK(pare_test::equal(codes, expected));
    }
  }
}

template <rule Rule>
void check_lengths() {
  const auto x = pare_test::random_normal<float>({70}, 6);
  const detail::quantizer<Rule> code_of({0.013f, -2}, detail::full_codes<std::int8_t>);
  for (index_t first = 0; first < 3; ++first) {
    for (index_t n = 0; n + first <= 70; ++n) {
      std::int8_t codes[72];
      for (std::int8_t& c : codes) c = 99;
      detail::quantize_row(x.data() + first, 1, codes + first, 1, n, code_of);
      for (index_t i = 0; i < 72; ++i) {
        const bool inside = i >= first && i < first + n;
        REQUIRE(static_cast<int>(codes[i]) == (inside ? code_of(x(i)) : 99));
      }
    }
  }
}

/// f() with the loops of the compiler's flags, and with those chosen at run time where there are any.
template <class F>
void for_each_loop(F f) {
  bool seen[2] = {};
  pare_test::for_each_isa([&](pare::isa) {
    bool& done = seen[detail::runs_on_avx2() ? 1 : 0];
    if (!done) f();
    done = true;
  });
}

}  // namespace

TEST_CASE("vectors quantize to the codes of single elements, ties and their neighbours included") {
  for_each_loop([] {
    check_rows<rule::pytorch, std::int8_t>();
    check_rows<rule::pytorch, std::uint8_t>();
    check_rows<rule::onnx, std::int8_t>();
    check_rows<rule::onnx, std::uint8_t>();
    check_rows<rule::tflite, std::int8_t>();
    check_rows<rule::tflite, std::uint8_t>();
    check_rows<rule::compressed_tensors, std::int8_t>();
    check_rows<rule::compressed_tensors, std::uint8_t>();
  });
}

TEST_CASE("rows of any length and alignment are written whole, and nothing beside them") {
  for_each_loop([] {
    check_lengths<rule::pytorch>();
    check_lengths<rule::onnx>();
    check_lengths<rule::tflite>();
    check_lengths<rule::compressed_tensors>();
  });
}

TEST_CASE("where a product with the inverse and a quotient differ, each rule has its own code") {
  // The example of FBGEMM's QuantUtils.h: 127.5 by the product, 127.499992 by the quotient.
  const pare::affine_params p{0.00214854861f, 0};
  const float x[16] = {0.273939937f, 0.273939937f};
  const auto first_two = [&](auto code_of) {
    std::uint8_t codes[16];
    detail::quantize_row(x, 1, codes, 1, 16, code_of);
    CHECK(codes[0] == codes[1]);
    CHECK(codes[0] == code_of(x[0]));
    return static_cast<int>(codes[0]);
  };
  const detail::code_range all = detail::full_codes<std::uint8_t>;
  CHECK(first_two(detail::quantizer<rule::pytorch>(p, all)) == 128);
  CHECK(first_two(detail::quantizer<rule::onnx>(p, all)) == 127);
  CHECK(first_two(detail::quantizer<rule::tflite>(p, all)) == 127);
}

TEST_CASE("codes come back as (code - zero point) * scale, on vectors and alone") {
  std::vector<std::int8_t> codes(256);
  for (int i = 0; i < 256; ++i)
    codes[static_cast<std::size_t>(i)] = static_cast<std::int8_t>(i - 128);
  for_each_loop([&] {
    for (float scale : scales) {
      for (int zero : {0, -128, 127, 5}) {
        std::vector<float> expected(256), row(256, -1.0f), apart(512, -1.0f);
        for (std::size_t i = 0; i < 256; ++i) {
          expected[i] = static_cast<float>(codes[i] - zero) * scale;
        }
        detail::dequantize_row(codes.data(), 1, row.data(), 1, 256, {scale, zero});
        CHECK(pare_test::equal_bits(row, expected));
        detail::dequantize_row(codes.data(), 1, apart.data(), 2, 256, {scale, zero});
        for (std::size_t i = 0; i < 256; ++i) {
          REQUIRE(apart[2 * i] == expected[i]);
          REQUIRE(apart[2 * i + 1] == -1.0f);
        }
      }
    }
    for (index_t n = 0; n <= 40; ++n) {
      float row[41];
      for (float& x : row) x = -1.0f;
      detail::dequantize_row(codes.data() + 3, 1, row, 1, n, {0.5f, 1});
      for (index_t i = 0; i < 41; ++i) {
        REQUIRE(row[i] == (i < n ? static_cast<float>(i - 126) * 0.5f : -1.0f));
      }
    }
  });
}
