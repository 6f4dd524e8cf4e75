// Batch normalization folded into weights against PyTorch's fusion (vectors:
// tools/make_elementwise_vectors.py).
#include <pare/quantize/fold_batch_norm.hpp>

#include <limits>
#include <vector>

#include "support/check.hpp"
#include "support/random.hpp"
#include "support/vectors.hpp"

using pare::index_t;

namespace {

/// A layer of the archive, in T; the numbers are stored in double.
template <class T, std::size_t Rank>
struct layer {
  pare::tensor<T, Rank> w, folded_w;
  pare::tensor<T, 1> gamma, beta, mean, variance, b, folded_b;
  int axis;
  double epsilon;

  layer(const pare_test::archive& a, const std::string& name)
      : w(as<Rank>(a, name + "_w")),
        folded_w(as<Rank>(a, name + "_folded_w")),
        gamma(as_optional(a, name + "_gamma", 0)),
        beta(as_optional(a, name + "_beta", 0)),
        mean(as<1>(a, name + "_mean")),
        variance(as<1>(a, name + "_variance")),
        b(as_optional(a, name + "_b", mean.size())),
        folded_b(as<1>(a, name + "_folded_b")),
        axis(a.scalar<int>(name + "_axis")),
        epsilon(a.scalar<double>(name + "_epsilon")) {}

  template <std::size_t R>
  static pare::tensor<T, R> as(const pare_test::archive& a, const std::string& name) {
    const auto stored = a.get<double, R>(name);
    pare::tensor<T, R> t{pare::dextents<index_t, R>(stored.extents())};
    for (index_t i = 0; i < t.size(); ++i) t.data()[i] = static_cast<T>(stored.data()[i]);
    return t;
  }

  /// The vector, or zeros where the archive has none.
  static pare::tensor<T, 1> as_optional(const pare_test::archive& a, const std::string& name,
                                        index_t size) {
    if (a.has(name)) return as<1>(a, name);
    return pare::tensor<T, 1>({size});
  }

  pare::batch_norm<T> norm() const {
    return {mean.view(), variance.view(), gamma.view(), beta.view(), epsilon};
  }
};

template <class T, std::size_t Rank>
void check_layer(const char* name, double tolerance) {
  CAPTURE(name);
  layer<T, Rank> l(pare_test::load("quantize/fold_batch_norm.npz"), name);
  REQUIRE(pare::fold_batch_norm(l.w.view(), l.axis, l.b.view(), l.norm()) == pare::status::ok);
  CHECK(pare_test::near(l.w, l.folded_w, tolerance, tolerance));
  CHECK(pare_test::near(l.b, l.folded_b, tolerance, tolerance));
}

template <class T>
void check_all(double tolerance) {
  check_layer<T, 2>("linear", tolerance);
  check_layer<T, 4>("convolution", tolerance);
  check_layer<T, 4>("depthwise", tolerance);
  check_layer<T, 4>("transposed", tolerance);
  check_layer<T, 3>("not_affine", tolerance);
}

}  // namespace

TEST_CASE("folding gives PyTorch's fused layers") {
  check_all<double>(1e-14);
  check_all<float>(1e-6);
}

TEST_CASE("a folded layer computes what both did") {
  constexpr index_t channels = 6, taps = 9;
  auto w = pare_test::random_normal<float>({3, 3, channels}, 1);  // depthwise, channels last
  auto b = pare_test::random_normal<float>({channels}, 2);
  const auto gamma = pare_test::random_normal<float>({channels}, 3),
             beta = pare_test::random_normal<float>({channels}, 4),
             mean = pare_test::random_normal<float>({channels}, 5),
             variance = pare_test::random_uniform<float>({channels}, 6, 0.1, 3.0);
  const auto x = pare_test::random_normal<float>({taps, channels}, 7);
  std::vector<double> expected;
  for (index_t c = 0; c < channels; ++c) {
    double y = b(c);
    for (index_t t = 0; t < taps; ++t) y += static_cast<double>(w(t / 3, t % 3, c)) * x(t, c);
    expected.push_back((y - mean(c)) / std::sqrt(variance(c) + 1e-5) * gamma(c) + beta(c));
  }
  const pare::batch_norm<float> norm{mean.view(), variance.view(), gamma.view(), beta.view()};
  REQUIRE(pare::fold_batch_norm(w.view(), 2, b.view(), norm) == pare::status::ok);
  for (index_t c = 0; c < channels; ++c) {
    double y = b(c);
    for (index_t t = 0; t < taps; ++t) y += static_cast<double>(w(t / 3, t % 3, c)) * x(t, c);
    CHECK(y == doctest::Approx(expected[static_cast<std::size_t>(c)]).epsilon(1e-5));
  }
}

TEST_CASE("any layout gives the same") {
  layer<float, 2> l(pare_test::load("quantize/fold_batch_norm.npz"), "linear");
  auto apart = pare_test::strided_copy(l.w, 3, 2);
  auto columns = pare_test::column_major_copy(l.w);
  auto b1 = l.b, b2 = l.b;
  REQUIRE(pare::fold_batch_norm(apart.view(), 0, b1.view(), l.norm()) == pare::status::ok);
  REQUIRE(pare::fold_batch_norm(columns.view(), 0, b2.view(), l.norm()) == pare::status::ok);
  REQUIRE(pare::fold_batch_norm(l.w.view(), 0, l.b.view(), l.norm()) == pare::status::ok);
  CHECK(pare_test::equal(apart.view(), l.w));
  CHECK(apart.gaps_untouched());
  CHECK(pare_test::equal(columns.view(), l.w));
  CHECK(pare_test::equal(b1, l.b));
  CHECK(pare_test::equal(b2, l.b));
}

TEST_CASE("no outputs and no inputs are fine") {
  pare::tensor<float, 2> no_outputs({0, 3}), no_inputs({2, 0});
  pare::tensor<float, 1> none({index_t{0}}), b({2}), one({2});
  for (auto& v : one) v = 1.0f;
  CHECK(pare::fold_batch_norm(no_outputs.view(), 0, none.view(),
                              pare::batch_norm<float>{none.view(), none.view()}) ==
        pare::status::ok);
  CHECK(pare::fold_batch_norm(no_inputs.view(), 0, b.view(),
                              pare::batch_norm<float>{one.view(), one.view()}) == pare::status::ok);
  CHECK(b(0) == doctest::Approx(-1.0));
}

TEST_CASE("bad input leaves weights and bias untouched") {
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              infinity = std::numeric_limits<float>::infinity();
  pare::tensor<float, 2> w({2, 3});
  pare::tensor<float, 1> b({2}), mean({2}), variance({2}), gamma({2}), beta({2}), other({3});
  for (auto& v : w) v = 2.0f;
  for (auto* t : {&b, &mean, &variance, &gamma, &beta}) {
    for (auto& v : *t) v = 0.5f;
  }
  pare::batch_norm<float> norm{mean.view(), variance.view(), gamma.view(), beta.view()};
  int axis = 0;
  pare::status_code expected = pare::status::ok;
  index_t position = 0;
  SUBCASE("an axis that is not there") {
    axis = 2, expected = pare::status::out_of_range, position = 2;
  }
  SUBCASE("a negative axis") { axis = -1, expected = pare::status::out_of_range, position = -1; }
  SUBCASE("another number of channels") { axis = 1, expected = pare::status::shape_mismatch; }
  SUBCASE("mean") { norm.mean = other.view(), expected = pare::status::shape_mismatch; }
  SUBCASE("no mean") { norm.mean = {}, expected = pare::status::shape_mismatch; }
  SUBCASE("variance") { norm.variance = other.view(), expected = pare::status::shape_mismatch; }
  SUBCASE("gamma") { norm.gamma = other.view(), expected = pare::status::shape_mismatch; }
  SUBCASE("beta") { norm.beta = other.view(), expected = pare::status::shape_mismatch; }
  SUBCASE("NaN mean") { mean(1) = nan, expected = pare::status::non_finite, position = 1; }
  SUBCASE("NaN variance") { variance(1) = nan, expected = pare::status::non_finite, position = 1; }
  SUBCASE("infinite gamma") {
    gamma(0) = infinity, expected = pare::status::non_finite, position = 0;
  }
  SUBCASE("NaN beta") { beta(1) = nan, expected = pare::status::non_finite, position = 1; }
  SUBCASE("NaN bias") { b(1) = nan, expected = pare::status::non_finite, position = 1; }
  SUBCASE("NaN weight") { w(1, 1) = nan, expected = pare::status::non_finite, position = 4; }
  SUBCASE("NaN epsilon") { norm.epsilon = nan, expected = pare::status::non_finite; }
  SUBCASE("negative epsilon") { norm.epsilon = -1e-9, expected = pare::status::out_of_range; }
  SUBCASE("negative variance") {
    variance(1) = -1e-7f, expected = pare::status::out_of_range, position = 1;
  }
  SUBCASE("no variance at all") {
    norm.epsilon = 0, variance(1) = 0, expected = pare::status::out_of_range, position = 1;
  }
  SUBCASE("a weight that would overflow") {
    w(0, 2) = 3e38f, gamma(0) = 3.0f, expected = pare::status::non_finite, position = 2;
  }
  SUBCASE("a bias that would overflow") {
    mean(1) = 3e38f, gamma(1) = -3.0f, expected = pare::status::non_finite, position = 1;
  }
  const auto w_before = w;
  const auto b_before = b;
  const auto s = pare::fold_batch_norm(w.view(), axis, b.view(), norm);
  CHECK(s.code() == expected);
  CHECK(s.error().position == position);
  if (expected != pare::status::ok) {
    CHECK(pare_test::equal_bits(w, w_before));
    CHECK(pare_test::equal_bits(b, b_before));
  }
}
