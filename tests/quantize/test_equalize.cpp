// Cross-layer equalisation: equal ranges on both sides, the same network.
#include <pare/quantize/equalize.hpp>

#include <limits>

#include "quantize/calibration.hpp"

using pare::index_t;
using pare::status;

TEST_CASE("both sides of a channel end with the same range, and the network stays") {
  auto w = pare_test::random_normal<float>({6, 9}, 1);
  auto next = pare_test::random_normal<float>({4, 6}, 2);
  auto bias = pare_test::random_normal<float>({6}, 3);
  for (index_t i = 0; i < 9; ++i) w(2, i) *= 100.0f, w(4, i) = 0.0f;
  const auto x = pare_test::random_normal<float>({5, 9}, 4);
  const auto run = [&](index_t row, index_t out) {
    double y = 0;
    for (index_t c = 0; c < 6; ++c) {
      double middle = bias(c);
      for (index_t i = 0; i < 9; ++i) middle += static_cast<double>(w(c, i)) * x(row, i);
      y += std::max(middle, 0.0) * next(out, c);
    }
    return y;
  };
  double before[5][4];
  for (index_t r = 0; r < 5; ++r) {
    for (index_t o = 0; o < 4; ++o) before[r][o] = run(r, o);
  }
  const auto scales = pare::equalize(w.view(), bias.view(), next.view()).value();
  CHECK(scales(4) == 1.0f);
  CHECK(scales(2) > 3.0f);
  for (index_t c = 0; c < 6; ++c) {
    float of_w = 0;
    for (index_t i = 0; i < 9; ++i) of_w = std::max(of_w, std::abs(w(c, i)));
    if (c != 4) CHECK(of_w == doctest::Approx(pare::detail::largest_of_column(next.view(), c)));
  }
  for (index_t r = 0; r < 5; ++r) {
    for (index_t o = 0; o < 4; ++o) CHECK(run(r, o) == doctest::Approx(before[r][o]).epsilon(1e-4));
  }
  const auto again = pare::equalize(w.view(), {}, next.view()).value();
  CHECK(pare_test::near(again, pare_test::random_uniform<float>({6}, 1, 1, 1), 1e-5));
}

TEST_CASE("what equalize refuses leaves both layers as they were") {
  auto w = pare_test::random_normal<float>({2, 3}, 1);
  auto next = pare_test::random_normal<float>({3, 2}, 2);
  pare::tensor<float, 1> bias({3});
  CHECK(pare::equalize(w.view(), bias.view(), next.view()) == status::shape_mismatch);
  CHECK(pare::equalize(w.view(), {}, w.view()) == status::shape_mismatch);
  CHECK(pare::equalize(w.view(), {}, pare::view(next.data(), 0, 2)) == status::empty);
  next(1, 1) = std::numeric_limits<float>::infinity();
  const auto before = w;
  CHECK(pare::equalize(w.view(), {}, next.view()) == status::non_finite);
  CHECK(pare_test::equal(w, before));
}
