// Activations quantized on the fly: every instruction set against the scalar form, and that against
// its formula.
#include <pare/kernels/linear.hpp>

#include <cfloat>
#include <cmath>
#include <vector>

#include "support/check.hpp"
#include "support/isas.hpp"
#include "support/random.hpp"

using pare::index_t;

namespace {

/// Rows that could go wrong: signs, zeros, denormals, huge values, ties.
std::vector<std::vector<float>> rows() {
  std::vector<std::vector<float>> all = {
      {},
      {0.0f},
      {-0.0f, 0.0f},
      {1.0f},
      {-1.0f},
      {FLT_MAX, -FLT_MAX, 1.0f},
      {FLT_TRUE_MIN, -FLT_TRUE_MIN},
      {FLT_MIN, 0.0f, -FLT_MIN},
      {255.0f, 0.5f, 1.5f, 2.5f, 254.5f, 127.5f},
      {-255.0f, -0.5f, -1.5f, -2.5f, -254.5f, -127.5f},
      {1e-30f, 3e-30f, -2e-30f},
  };
  // Ties in every place, for those that take many values at a time.
  std::vector<float> ties = {255.0f};
  for (int i = 0; i < 100; ++i) ties.push_back(static_cast<float>(i) + 0.5f);
  all.push_back(ties);
  for (float& x : ties) x = -x;
  all.push_back(ties);
  pare_test::random_source random(3);
  for (index_t n = 1; n < 70; ++n) {
    std::vector<float> row;
    const double scale = std::pow(10.0, random.integer(-6, 6));
    for (index_t i = 0; i < n; ++i) row.push_back(static_cast<float>(random.normal() * scale));
    all.push_back(row);
  }
  return all;
}

}  // namespace

TEST_CASE("every instruction set chooses the same scale and codes as scalar code") {
  for (const auto& row : rows()) {
    const index_t n = static_cast<index_t>(row.size()), padded = pare::detail::round_up(n, 4);
    const auto expected = pare::kernels::scalar::row_range(row.data(), n);
    std::vector<std::uint8_t> expected_codes(static_cast<std::size_t>(padded) + 1, 77);
    pare::kernels::scalar::quantize_row(row.data(), n, padded, expected, expected_codes.data());
    CHECK(expected_codes.back() == 77);
    pare_test::for_each_isa([&](pare::isa i) {
      const auto kernel = pare::detail::linear_kernels_of(i);
      const auto q = kernel.row_range(row.data(), n);
      CHECK(q.scale == expected.scale);
      CHECK(q.inverse == expected.inverse);
      CHECK(q.zero_point == expected.zero_point);
      CHECK(q.finite);
      std::vector<std::uint8_t> codes(static_cast<std::size_t>(padded) + 1, 77);
      float scale = 0;
      std::int32_t zero_point = 0;
      kernel.quantize_rows(row.data(), n, 1, n, padded, codes.data(), padded, &scale, &zero_point);
      CHECK(pare_test::equal(codes, expected_codes));
      CHECK(scale == expected.scale);
      CHECK(zero_point == expected.zero_point);
    });
  }
}

TEST_CASE("many rows at once are as each alone, and bad ones are marked and left out") {
  constexpr index_t n = 27, stride = 31, count = 37, padded = 28, code_stride = 40, bad_row = 18;
  pare_test::random_source random(4);
  std::vector<float> x(static_cast<std::size_t>(count * stride));
  for (float& v : x) v = static_cast<float>(random.normal());
  x[bad_row * stride + 5] = NAN;
  // What lies between the rows is not looked at.
  for (index_t i = 0; i < count; ++i) x[static_cast<std::size_t>(i * stride + n)] = INFINITY;
  pare_test::for_each_isa([&](pare::isa isa) {
    std::vector<std::uint8_t> codes(static_cast<std::size_t>(count * code_stride), 77);
    std::vector<float> scales(count);
    std::vector<std::int32_t> zero_points(count);
    pare::detail::linear_kernels_of(isa).quantize_rows(x.data(), stride, count, n, padded,
                                                       codes.data(), code_stride, scales.data(),
                                                       zero_points.data());
    for (index_t i = 0; i < count; ++i) {
      const std::size_t row = static_cast<std::size_t>(i);
      std::vector<std::uint8_t> expected(code_stride, 77);
      if (i == bad_row) {
        CHECK(zero_points[row] == -1);
      } else {
        const auto q = pare::kernels::scalar::row_range(x.data() + i * stride, n);
        pare::kernels::scalar::quantize_row(x.data() + i * stride, n, padded, q, expected.data());
        CHECK(scales[row] == q.scale);
        CHECK(zero_points[row] == q.zero_point);
      }
      CHECK(std::equal(expected.begin(), expected.end(), codes.begin() + i * code_stride));
    }
  });
}

TEST_CASE("the scalar form follows its formula") {
  for (const auto& row : rows()) {
    float low = 0, high = 0;
    for (const float x : row) low = std::min(low, x), high = std::max(high, x);
    const float scale = std::max((high / 2 - low / 2) / 127.5f, 0x1p-126f);
    const auto q = pare::kernels::scalar::row_range(row.data(), static_cast<index_t>(row.size()));
    CHECK(q.scale == scale);
    CHECK(q.zero_point ==
          std::min(255, std::max(0, static_cast<int>(std::nearbyint(-low * (1.0f / scale))))));
    std::vector<std::uint8_t> codes(row.size());
    pare::kernels::scalar::quantize_row(row.data(), static_cast<index_t>(row.size()),
                                        static_cast<index_t>(row.size()), q, codes.data());
    for (std::size_t i = 0; i < row.size(); ++i) {
      const double back = (codes[i] - q.zero_point) * static_cast<double>(q.scale);
      CHECK(std::abs(back - row[i]) <= 1.01 * q.scale);
    }
  }
}

TEST_CASE("a NaN or an infinity anywhere is found") {
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    for (index_t n = 1; n < 40; ++n) {
      for (index_t at = 0; at < n; ++at) {
        std::vector<float> row(static_cast<std::size_t>(n), 1.0f);
        row[static_cast<std::size_t>(at)] = bad;
        pare_test::for_each_isa([&](pare::isa i) {
          CHECK_FALSE(pare::detail::linear_kernels_of(i).row_range(row.data(), n).finite);
        });
      }
    }
  }
}
