// Singular values and truncated products against torch.linalg.svd (vectors:
// tools/make_factorize_vectors.py).
#include <pare/factorize/svd.hpp>

#include <limits>
#include <string>

#include <doctest/doctest.h>
#include "support/check.hpp"
#include "support/random.hpp"
#include "support/vectors.hpp"

namespace {

using pare::index_t;
using pare::status;
using pare::svd;
using pare::tensor;
using pare::view;
using pare_test::random_normal;

constexpr float quiet_nan = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

/// "w3". GCC 12 warns of literal + std::string as C++20 (bug 105651).
std::string numbered(std::string name, int i) {
  name += std::to_string(i);
  return name;
}

// Options as C++17 writes them.
svd of_rank(index_t rank) {
  svd options;
  options.rank = rank;
  return options;
}
svd of_energy(double energy) {
  svd options;
  options.energy = energy;
  return options;
}

template <class L, class R>
tensor<double, 2> product(const L& left, const R& right) {
  tensor<double, 2> p({left.extent(0), right.extent(1)});
  for (index_t i = 0; i < p.extent(0); ++i) {
    for (index_t j = 0; j < p.extent(1); ++j) {
      for (index_t k = 0; k < left.extent(1); ++k) {
        p(i, j) += static_cast<double>(left(i, k)) * static_cast<double>(right(k, j));
      }
    }
  }
  return p;
}

/// |a - b| / |b| in the Frobenius norm.
template <class A, class B>
double relative_error(const A& a, const B& b) {
  double difference = 0, whole = 0;
  pare::for_each_pair(a.view(), b.view(), [&](const auto& x, const auto& y, index_t) {
    const double d = static_cast<double>(x) - static_cast<double>(y);
    difference += d * d;
    whole += static_cast<double>(y) * static_cast<double>(y);
  });
  return std::sqrt(difference / whole);
}

}  // namespace

TEST_CASE("singular values and truncated products are torch's") {
  const auto vectors = pare_test::load("factorize/svd.npz");
  int cases = 0;
  for (; vectors.has(numbered("w", cases)); ++cases) {
    CAPTURE(cases);
    const auto w = vectors.get<float, 2>(numbered("w", cases));
    const auto expected = vectors.get<double, 1>(numbered("values", cases));
    const auto values = pare::singular_values(w.view()).value();
    // 1e-8 of the largest is what the method promises; float weights themselves hold 6e-8.
    CHECK(pare_test::near(values, expected, 1e-8 * expected(0)));

    const auto rank = vectors.scalar<index_t>(numbered("rank", cases));
    const auto factors = pare::truncated_svd(w.view(), of_rank(rank)).value();
    CHECK(factors.left.extent(1) == rank);
    const auto p = product(factors.left, factors.right);
    CHECK(
        pare_test::near(p, vectors.get<float, 2>(numbered("product", cases)), 1e-6 * expected(0)));
  }
  CHECK(cases == 7);
}

TEST_CASE("values above the noise are exact to many digits") {
  const auto vectors = pare_test::load("factorize/svd.npz");
  const auto values = pare::singular_values(vectors.get<float, 2>("w6").view()).value();
  // Six decades: even the smallest has far more digits than float.
  CHECK(pare_test::near(values, vectors.get<double, 1>("values6"), 0, 1e-9));
}

TEST_CASE("the error of a truncation is the tail of the singular values") {
  for (const bool wide : {true, false}) {
    CAPTURE(wide);
    const auto w = wide ? random_normal<float>({11, 19}, 1) : random_normal<float>({19, 11}, 1);
    const auto values = pare::singular_values(w.view()).value();
    REQUIRE(values.size() == 11);
    for (index_t rank = 1; rank <= 11; ++rank) {
      CAPTURE(rank);
      const auto factors = pare::truncated_svd(w.view(), of_rank(rank)).value();
      double tail = 0, total = 0;
      for (index_t i = 0; i < 11; ++i) total += values(i) * values(i);
      for (index_t i = rank; i < 11; ++i) tail += values(i) * values(i);
      const double error = relative_error(product(factors.left, factors.right), w);
      CHECK(error == doctest::Approx(std::sqrt(tail / total)).epsilon(1e-6).scale(1));
      CHECK(pare::truncation_error(values.view(), rank).value() ==
            doctest::Approx(std::sqrt(tail / total)).epsilon(1e-12));
    }
  }
}

TEST_CASE("factors of a matrix of double are as exact as its values") {
  const auto w = random_normal<double>({9, 14}, 2);
  const auto factors = pare::truncated_svd(w.view(), of_rank(9)).value();
  CHECK(relative_error(product(factors.left, factors.right), w) < 1e-14);
}

TEST_CASE("both factors have the same share of each singular value, and signs are fixed") {
  const auto w = random_normal<float>({8, 13}, 3);
  const auto values = pare::singular_values(w.view()).value();
  const auto factors = pare::truncated_svd(w.view(), of_rank(8)).value();
  for (index_t k = 0; k < 8; ++k) {
    CAPTURE(k);
    double left = 0, right = 0, largest = 0;
    for (index_t i = 0; i < 8; ++i) {
      const double x = static_cast<double>(factors.left(i, k));
      left += x * x;
      if (std::abs(x) > std::abs(largest)) largest = x;
    }
    for (index_t j = 0; j < 13; ++j) {
      right += static_cast<double>(factors.right(k, j)) * static_cast<double>(factors.right(k, j));
    }
    CHECK(left == doctest::Approx(values(k)).epsilon(1e-6));
    CHECK(right == doctest::Approx(values(k)).epsilon(1e-6));
    CHECK(largest > 0);
  }
}

TEST_CASE("a rank that the matrix does not have leaves nothing but rounding") {
  // Outer products: rank 2 of 6.
  tensor<float, 2> w({6, 9});
  for (index_t i = 0; i < 6; ++i) {
    for (index_t j = 0; j < 9; ++j) w(i, j) = static_cast<float>(i + 1 + (i % 2) * (j % 3) * 4);
  }
  const auto values = pare::singular_values(w.view()).value();
  CHECK(values(1) > 1);
  CHECK(values(2) < 1e-13 * values(0));
  CHECK(pare::rank_for_energy(values.view(), 1.0).value() == 2);
  CHECK(pare::truncated_svd(w.view(), of_energy(1.0)).value().left.extent(1) == 2);
  const auto factors = pare::truncated_svd(w.view(), of_rank(6)).value();
  CHECK(relative_error(product(factors.left, factors.right), w) < 1e-6);
}

TEST_CASE("a matrix of zeros has factors of zeros") {
  const tensor<float, 2> w({3, 4});
  const auto factors = pare::truncated_svd(w.view(), of_energy(0.5)).value();
  CHECK(pare_test::equal(factors.left, tensor<float, 2>({3, 1})));
  CHECK(pare_test::equal(factors.right, tensor<float, 2>({1, 4})));
  CHECK_EQUAL_RANGES(pare::singular_values(w.view()).value(), {0.0, 0.0, 0.0});
}

TEST_CASE("a singular value of zero has factors of zeros") {
  const float w[2][2] = {{4, 0}, {0, 0}};
  const auto factors = pare::truncated_svd(view(w), of_rank(2)).value();
  const float left[2][2] = {{2, 0}, {0, 0}};
  CHECK(pare_test::equal(factors.left, view(left)));
  CHECK(pare_test::equal(factors.right, view(left)));
}

TEST_CASE("very large and very small weights neither overflow nor vanish") {
  for (const double scale : {1e-300, 1e-30, 1e30, 1e300}) {
    CAPTURE(scale);
    const double w[2][2] = {{3 * scale, 0}, {0, -4 * scale}};
    const auto values = pare::singular_values(view(w)).value();
    CHECK(values(0) / scale == doctest::Approx(4));
    CHECK(values(1) / scale == doctest::Approx(3));
  }
  const float smallest[1][1] = {{1e-45f}};
  CHECK(pare::singular_values(view(smallest)).value()(0) == double{1e-45f});
}

TEST_CASE("energy keeps the smallest rank that suffices") {
  const double values[] = {4, 2, 1, 1};  // squares 16, 4, 1, 1 of 22
  CHECK(pare::rank_for_energy(view(values), 1e-9).value() == 1);
  CHECK(pare::rank_for_energy(view(values), 0.727).value() == 1);
  CHECK(pare::rank_for_energy(view(values), 0.728).value() == 2);
  CHECK(pare::rank_for_energy(view(values), 0.91).value() == 3);
  CHECK(pare::rank_for_energy(view(values), 1.0).value() == 4);
  const float zeros[] = {0, 0};
  CHECK(pare::rank_for_energy(view(zeros), 0.5).value() == 1);
  CHECK(pare::truncation_error(view(zeros), 0).value() == 0.0);
  const double huge[] = {1e200, 1e200};
  CHECK(pare::rank_for_energy(view(huge), 0.6).value() == 2);
  CHECK(pare::truncation_error(view(huge), 1).value() == doctest::Approx(std::sqrt(0.5)));
  CHECK(pare::truncation_error(view(values), 0).value() == 1.0);
  CHECK(pare::truncation_error(view(values), 4).value() == 0.0);
}

TEST_CASE("truncated_svd by energy has the rank that rank_for_energy names") {
  const auto w = random_normal<float>({12, 10}, 4);
  const auto values = pare::singular_values(w.view()).value();
  for (const double energy : {0.3, 0.9, 0.99}) {
    CAPTURE(energy);
    const index_t rank = pare::rank_for_energy(values.view(), energy).value();
    const auto factors = pare::truncated_svd(w.view(), of_energy(energy)).value();
    CHECK(factors.view().rank() == rank);
    const double error = relative_error(product(factors.left, factors.right), w);
    CHECK(error * error <= 1 - energy + 1e-6);
  }
}

TEST_CASE("the layout of the weights makes no difference") {
  const auto w = random_normal<float>({7, 5}, 5);
  const auto expected = pare::truncated_svd(w.view(), of_rank(3)).value();
  const auto columns = pare_test::column_major_copy(w);
  const auto apart = pare_test::strided_copy(w, 3, 2);
  for (const auto& factors : {pare::truncated_svd(columns.view(), of_rank(3)).value(),
                              pare::truncated_svd(apart.view(), of_rank(3)).value()}) {
    CHECK(pare_test::equal_bits(factors.left, expected.left));
    CHECK(pare_test::equal_bits(factors.right, expected.right));
  }
}

TEST_CASE("factors are written to views of any layout") {
  const auto w = random_normal<float>({6, 8}, 6);
  const auto expected = pare::truncated_svd(w.view(), of_rank(2)).value();
  pare_test::strided<float, 2> left({6, 2}, {5, 2});
  pare_test::column_major<float, 2> right{pare::dextents<index_t, 2>(2, 8)};
  REQUIRE(pare::truncated_svd(w.view(), left.view(), right.view()) == status::ok);
  CHECK(pare_test::equal_bits(left.view(), expected.left));
  CHECK(pare_test::equal_bits(right.view(), expected.right));
  CHECK(left.gaps_untouched());
}

TEST_CASE("a view of the factors knows its sizes and bytes") {
  const auto w = random_normal<float>({6, 8}, 7);
  const auto factors = pare::truncated_svd(w.view(), of_rank(2)).value();
  CHECK(factors.view().out_features() == 6);
  CHECK(factors.view().in_features() == 8);
  CHECK(factors.view().bytes() == pare::low_rank_bytes<float>(6, 8, 2).value());
}

TEST_CASE("costs say when factorizing pays") {
  static_assert(*pare::low_rank_parameters(128, 784, 10) == 9120);
  CHECK(pare::low_rank_bytes<float>(128, 784, 10).value() == 36480);
  CHECK(pare::low_rank_bytes<std::int8_t>(128, 784, 10).value() == 9120);
  for (const index_t out : {1, 2, 6, 128}) {
    for (const index_t in : {1, 3, 6, 784}) {
      CAPTURE(out);
      CAPTURE(in);
      const index_t rank = pare::break_even_rank(out, in).value();
      CHECK((rank == 0 || pare::low_rank_parameters(out, in, rank).value() < out * in));
      CHECK(pare::low_rank_parameters(out, in, rank + 1).value() >= out * in);
    }
  }
  CHECK(pare::break_even_rank(6, 6).value() == 2);  // rank 3 costs 36, as much as the whole
  CHECK(pare::break_even_rank(0, 5).value() == 0);
}

TEST_CASE("costs of impossible sizes are errors") {
  constexpr index_t huge = std::numeric_limits<index_t>::max();
  CHECK(pare::low_rank_parameters(-1, 2, 1) == status::out_of_range);
  CHECK(pare::low_rank_parameters(huge, 1, 1) == status::overflow);
  CHECK(pare::low_rank_parameters(huge / 4, 1, 8) == status::overflow);
  CHECK(pare::low_rank_bytes<float>(huge / 2, 1, 1) == status::overflow);
  CHECK(pare::low_rank_bytes<float>(1, 1, -1) == status::out_of_range);
  CHECK(pare::break_even_rank(2, -1) == status::out_of_range);
  CHECK(pare::break_even_rank(huge, 2) == status::overflow);
  CHECK(pare::break_even_rank(huge, 1) == status::overflow);
}

TEST_CASE("bad options are errors") {
  const auto w = random_normal<float>({3, 5}, 8);
  const double nan_energy = std::numeric_limits<double>::quiet_NaN();
  CHECK(pare::truncated_svd(w.view(), svd{}) == status::invalid_argument);
  CHECK(pare::truncated_svd(w.view(), svd{2, 0.5}) == status::invalid_argument);
  CHECK(pare::truncated_svd(w.view(), of_rank(-1)) == status::out_of_range);
  CHECK(pare::truncated_svd(w.view(), of_rank(4)) == status::out_of_range);
  CHECK(pare::truncated_svd(w.view(), of_energy(-0.1)) == status::out_of_range);
  CHECK(pare::truncated_svd(w.view(), of_energy(1.1)) == status::out_of_range);
  CHECK(pare::truncated_svd(w.view(), of_energy(nan_energy)) == status::out_of_range);
}

TEST_CASE("bad weights are errors, and outputs stay untouched") {
  auto w = random_normal<float>({3, 4}, 9);
  double values[] = {7, 7, 7};
  float left[3][2] = {{7, 7}, {7, 7}, {7, 7}}, right[2][4] = {{7, 7, 7, 7}, {7, 7, 7, 7}};
  SUBCASE("NaN") {
    w(2, 1) = quiet_nan;
    CHECK(pare::truncated_svd(w.view(), of_rank(2)) == status::non_finite);
    CHECK(pare::singular_values(w.view()).error().position == 9);
  }
  SUBCASE("infinity") { w(0, 0) = -infinity; }
  SUBCASE("no elements") { w = tensor<float, 2>({3, 0}); }
  SUBCASE("factors of another shape") {
    w = random_normal<float>({4, 4}, 10);
    CHECK(pare::truncated_svd(w.view(), view(left), view(right)) == status::shape_mismatch);
    w = random_normal<float>({3, 5}, 10);
    CHECK(pare::truncated_svd(w.view(), view(left), view(right)) == status::shape_mismatch);
    CHECK(pare::truncated_svd(random_normal<float>({3, 4}, 10).view(), view(&left[0][0], 3, 1),
                              view(right)) == status::shape_mismatch);
  }
  SUBCASE("a rank above the shorter side, or 0") {
    w = random_normal<float>({3, 1}, 11);
    CHECK(pare::truncated_svd(w.view(), view(left), view(&right[0][0], 2, 1)) ==
          status::out_of_range);
    CHECK(pare::truncated_svd(w.view(), view(&left[0][0], 3, 0), view(&right[0][0], 0, 1)) ==
          status::out_of_range);
    w = random_normal<float>({2, 4}, 11);
  }
  CHECK(!pare::truncated_svd(w.view(), view(left), view(right)));
  CHECK(!pare::singular_values(w.view(), view(values, w.extent(1) == 5 ? 2 : 3)));
  CHECK(pare_test::equal(view(&left[0][0], 6), {7, 7, 7, 7, 7, 7}));
  CHECK(pare_test::equal(view(&right[0][0], 8), {7, 7, 7, 7, 7, 7, 7, 7}));
  CHECK_EQUAL_RANGES(values, {7.0, 7.0, 7.0});
}

TEST_CASE("tensors without elements are errors") {
  const tensor<float, 2> none({0, 4});
  CHECK(pare::singular_values(none.view()) == status::empty);
  CHECK(pare::truncated_svd(none.view(), of_rank(1)) == status::empty);
  CHECK(pare::rank_for_energy(pare::vector_view<const float>(), 0.5) == status::empty);
  CHECK(pare::truncation_error(pare::vector_view<const float>(), 0) == status::empty);
}

TEST_CASE("a singular value that does not fit is an error") {
  const double w[1][2] = {{1.7e308, 1.7e308}};
  CHECK(pare::singular_values(view(w)) == status::overflow);
  CHECK(pare::truncated_svd(view(w), of_rank(1)) == status::overflow);
  const float f[1][2] = {{3e38f, 3e38f}};
  float value[] = {7};
  CHECK(pare::singular_values(view(f), view(value)) == status::overflow);
  CHECK(value[0] == 7);
  CHECK(pare::singular_values(view(f)).value()(0) > 4e38);
}

TEST_CASE("values that are no singular values are errors") {
  const float rising[] = {1, 2}, negative[] = {1, -1}, bad[] = {2, quiet_nan}, good[] = {2, 1};
  CHECK(pare::rank_for_energy(view(rising), 0.5) == status::invalid_argument);
  CHECK(pare::rank_for_energy(view(negative), 0.5) == status::invalid_argument);
  CHECK(pare::rank_for_energy(view(bad), 0.5) == status::non_finite);
  CHECK(pare::rank_for_energy(view(bad), 0.5).error().position == 1);
  CHECK(pare::rank_for_energy(view(good), 0.0) == status::out_of_range);
  CHECK(pare::rank_for_energy(view(good), 1.5) == status::out_of_range);
  CHECK(pare::rank_for_energy(view(good), static_cast<double>(quiet_nan)) == status::out_of_range);
  CHECK(pare::truncation_error(view(good), 3) == status::out_of_range);
  CHECK(pare::truncation_error(view(good), -1) == status::out_of_range);
}
