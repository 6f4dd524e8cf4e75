// The factor of a damped inverse, multiplied out in double.
#include <pare/quantize/inverse_cholesky.hpp>

#include <limits>
#include <vector>

#include "support/check.hpp"
#include "support/random.hpp"

using pare::index_t;
using pare::status;

namespace {

pare::hessian of(const pare::tensor<float, 2>& x) {
  auto h = pare::hessian::create(x.extent(1)).value();
  REQUIRE(pare::accumulate(x.view(), h) == status::ok);
  return h;
}

/// The largest element of U (H + lambda) U^T - I, with the inputs in the order of U.
double distance(const pare::tensor<float, 2>& u, const pare::hessian& h, double damping,
                const std::vector<index_t>& order) {
  const index_t n = h.inputs();
  double mean = 0, alive = 0, most = 0;
  for (index_t i = 0; i < n; ++i) mean += h.gram(i, i), alive += h.gram(i, i) > 0;
  mean = alive > 0 ? mean / alive : 1;
  const auto damped = [&](index_t a, index_t b) {
    const index_t i = order[static_cast<std::size_t>(a)], j = order[static_cast<std::size_t>(b)];
    const double on_diagonal = (h.gram(i, i) == 0 ? mean : 0) + damping * mean;
    return h.gram(i, j) + (i == j ? on_diagonal : 0.0);
  };
  std::vector<double> product(static_cast<std::size_t>(n * n));  // U (H + lambda)
  for (index_t r = 0; r < n; ++r) {
    for (index_t c = 0; c < n; ++c) {
      double sum = 0;
      for (index_t k = r; k < n; ++k) sum += u(r, k) * damped(k, c);
      product[static_cast<std::size_t>(r * n + c)] = sum;
    }
  }
  for (index_t r = 0; r < n; ++r) {
    for (index_t c = 0; c < n; ++c) {
      double sum = r == c ? -1 : 0;
      for (index_t k = c; k < n; ++k) sum += product[static_cast<std::size_t>(r * n + k)] * u(c, k);
      most = std::max(most, std::abs(sum));
    }
  }
  return most;
}

std::vector<index_t> in_order(index_t n) {
  std::vector<index_t> order;
  for (index_t i = 0; i < n; ++i) order.push_back(i);
  return order;
}

}  // namespace

TEST_CASE("U (H + lambda) U^T is the identity") {
  for (const index_t n : {1, 2, 31, 32, 33, 70, 130}) {
    CAPTURE(n);
    auto x = pare_test::random_normal<float>({200, n}, 1);
    for (index_t r = 0; r < 200; ++r) {
      for (index_t i = 1; i < n; ++i) x(r, i) += 0.5f * x(r, i - 1);
    }
    const auto h = of(x);
    const auto u = pare::inverse_cholesky(h, 0.05).value();
    CHECK(distance(u, h, 0.05, in_order(n)) < 1e-4);
    for (index_t r = 0; r < n; ++r) {
      CHECK(u(r, r) > 0.0f);
      for (index_t c = 0; c < r; ++c) REQUIRE(u(r, c) == 0.0f);
    }
  }
}

TEST_CASE("activation order is that of the mean squares, and permutes the factor") {
  auto x = pare_test::random_normal<float>({100, 40}, 2);
  for (index_t r = 0; r < 100; ++r) {
    for (index_t i = 0; i < 40; ++i) x(r, i) *= static_cast<float>(1 + i * 7 % 40);
    x(r, 5) = x(r, 20);
  }
  const auto h = of(x);
  const auto order = pare::activation_order(h).value();
  std::vector<index_t> inputs(order.begin(), order.end());
  for (std::size_t i = 1; i < 40; ++i) {
    CHECK(h.gram(inputs[i - 1], inputs[i - 1]) >= h.gram(inputs[i], inputs[i]));
    if (inputs[i] == 20) CHECK(inputs[i - 1] == 5);
  }
  const auto u = pare::inverse_cholesky(h, 0.01, order.view()).value();
  CHECK(distance(u, h, 0.01, inputs) < 1e-3);
}

TEST_CASE("singular Hessians need damping, and inputs that were always 0 do not") {
  auto x = pare_test::random_normal<float>({10, 50}, 3);  // of rank 10
  for (index_t r = 0; r < 10; ++r) x(r, 7) = 0.0f;
  const auto h = of(x);
  CHECK(pare::inverse_cholesky(h, 0.0) == status::invalid_argument);
  CHECK(distance(pare::inverse_cholesky(h, 0.01).value(), h, 0.01, in_order(50)) < 1e-2);

  auto regular = pare_test::random_normal<float>({100, 8}, 4);
  for (index_t r = 0; r < 100; ++r) regular(r, 3) = 0.0f;
  const auto dead = of(regular);
  const auto u = pare::inverse_cholesky(dead, 0.0).value();
  CHECK(distance(u, dead, 0.0, in_order(8)) < 1e-4);
  for (index_t i = 0; i < 8; ++i) CHECK((u(3, i) == 0.0f) == (i != 3));

  const auto all_dead = of(pare::tensor<float, 2>({5, 4}));
  CHECK(distance(pare::inverse_cholesky(all_dead, 0.0).value(), all_dead, 0.0, in_order(4)) == 0);
}

TEST_CASE("Hessians of any magnitude") {
  for (const float scale : {1e-15f, 1e15f}) {
    auto x = pare_test::random_normal<float>({60, 20}, 5);
    for (float& value : x) value *= scale;
    const auto h = of(x);
    CHECK(distance(pare::inverse_cholesky(h).value(), h, 0.01, in_order(20)) < 1e-3);
  }
}

TEST_CASE("what inverse_cholesky refuses") {
  auto h = of(pare_test::random_normal<float>({20, 3}, 6));
  CHECK(pare::inverse_cholesky(pare::hessian::create(3).value()) == status::empty);
  CHECK(pare::activation_order(pare::hessian::create(3).value()) == status::empty);
  CHECK(pare::inverse_cholesky(h, -0.01) == status::out_of_range);
  CHECK(pare::inverse_cholesky(h, std::numeric_limits<double>::quiet_NaN()) ==
        status::out_of_range);
  const index_t twice[] = {0, 1, 1}, short_order[] = {0, 1}, beyond[] = {0, 1, 3};
  CHECK(pare::inverse_cholesky(h, 0.01, pare::view(twice)) == status::invalid_argument);
  CHECK(pare::inverse_cholesky(h, 0.01, pare::view(short_order)) == status::invalid_argument);
  CHECK(pare::inverse_cholesky(h, 0.01, pare::view(beyond)) == status::invalid_argument);
  h.gram(1, 1) = std::numeric_limits<float>::quiet_NaN();
  CHECK(pare::inverse_cholesky(h) == status::non_finite);
}
