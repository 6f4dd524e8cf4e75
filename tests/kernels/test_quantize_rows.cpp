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
      kernel.quantize_row(row.data(), n, padded, q, codes.data());
      CHECK(pare_test::equal(codes, expected_codes));
    });
  }
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
