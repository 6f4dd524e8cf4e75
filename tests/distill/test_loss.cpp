// Losses and gradients against torch.nn.functional and autograd (vectors:
// tools/make_distill_vectors.py).
#include <pare/distill/loss.hpp>

#include <limits>
#include <string>

#include <pare/core/subview.hpp>

#include <doctest/doctest.h>
#include "support/check.hpp"
#include "support/random.hpp"
#include "support/vectors.hpp"

namespace {

using pare::all;
using pare::index_t;
using pare::status;
using pare::subview;
using pare::tensor;
using pare::view;
using pare_test::random_normal;

constexpr float quiet_nan = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

pare::distillation options(double temperature, double alpha) {
  pare::distillation o;
  o.temperature = temperature;
  o.alpha = alpha;
  return o;
}

struct reference {
  tensor<float, 2> student, teacher;
  tensor<std::int64_t, 1> labels;
  double temperature, alpha;
  tensor<double, 2> softmax;
  tensor<double, 1> losses;
  tensor<double, 3> gradients;
};

/// f(case) for each case of the vectors.
template <class F>
void for_each_case(F f) {
  const auto v = pare_test::load("distill/loss.npz");
  int cases = 0;
  for (; v.has("student" + std::to_string(cases)); ++cases) {
    CAPTURE(cases);
    const std::string i = std::to_string(cases);
    const auto parameters = v.get<double, 1>("parameters" + i);
    f(reference{v.get<float, 2>("student" + i), v.get<float, 2>("teacher" + i),
                v.get<std::int64_t, 1>("labels" + i), parameters(0), parameters(1),
                v.get<double, 2>("softmax" + i), v.get<double, 1>("losses" + i),
                v.get<double, 3>("gradients" + i)});
  }
  CHECK(cases == 8);
}

/// What torch computed in double, within rounding of its own order of summation.
template <class G>
void check_near(double loss, const G& gradient, const reference& r, index_t which) {
  CHECK(loss == doctest::Approx(r.losses(which)).epsilon(1e-12).scale(1));
  CHECK(pare_test::near(gradient, subview(r.gradients.view(), which, all, all), 1e-13, 1e-11));
}

}  // namespace

TEST_CASE("softmax is torch's softmax of logits / T") {
  for_each_case([](const reference& r) {
    tensor<double, 2> p(r.teacher.extents());
    REQUIRE(pare::softmax(r.teacher.view(), r.temperature, p.view()) == status::ok);
    CHECK(pare_test::near(p, r.softmax, 1e-300, 1e-12));
  });
}

TEST_CASE("softmax may write over its logits") {
  auto logits = random_normal<float>({3, 6}, 1);
  tensor<float, 2> expected(logits.extents());
  REQUIRE(pare::softmax(logits.view(), 2.0, expected.view()) == status::ok);
  REQUIRE(pare::softmax(logits.view(), 2.0, logits.view()) == status::ok);
  CHECK(pare_test::equal_bits(logits, expected));
}

TEST_CASE("kl_divergence is torch's kl_div with batchmean") {
  for_each_case([](const reference& r) {
    tensor<double, 2> gradient(r.student.extents());
    const double loss =
        pare::kl_divergence(r.student.view(), r.teacher.view(), r.temperature, gradient.view())
            .value();
    check_near(loss, gradient, r, 0);
    CHECK(pare::kl_divergence(r.student.view(), r.teacher.view(), r.temperature).value() == loss);
  });
}

TEST_CASE("mean_squared_error is torch's mse_loss") {
  for_each_case([](const reference& r) {
    tensor<double, 2> gradient(r.student.extents());
    const double loss =
        pare::mean_squared_error(r.student.view(), r.teacher.view(), gradient.view()).value();
    check_near(loss, gradient, r, 1);
    CHECK(pare::mean_squared_error(r.student.view(), r.teacher.view()).value() == loss);
  });
}

TEST_CASE("cross_entropy is torch's cross_entropy") {
  for_each_case([](const reference& r) {
    tensor<double, 2> gradient(r.student.extents());
    const double loss =
        pare::cross_entropy(r.student.view(), r.labels.view(), gradient.view()).value();
    check_near(loss, gradient, r, 2);
    CHECK(pare::cross_entropy(r.student.view(), r.labels.view()).value() == loss);
  });
}

TEST_CASE("distillation_loss is alpha T^2 KL + (1 - alpha) CE") {
  for_each_case([](const reference& r) {
    tensor<double, 2> gradient(r.student.extents());
    const auto o = options(r.temperature, r.alpha);
    const double loss = pare::distillation_loss(r.student.view(), r.teacher.view(), r.labels.view(),
                                                o, gradient.view())
                            .value();
    check_near(loss, gradient, r, 3);
    CHECK(pare::distillation_loss(r.student.view(), r.teacher.view(), r.labels.view(), o).value() ==
          loss);
  });
}

TEST_CASE("float gradients are the double ones, rounded") {
  for_each_case([](const reference& r) {
    tensor<double, 2> exact(r.student.extents());
    tensor<float, 2> rounded(r.student.extents());
    const auto o = options(r.temperature, r.alpha);
    REQUIRE(pare::distillation_loss(r.student.view(), r.teacher.view(), r.labels.view(), o,
                                    exact.view()));
    REQUIRE(pare::distillation_loss(r.student.view(), r.teacher.view(), r.labels.view(), o,
                                    rounded.view()));
    CHECK(pare_test::equal_bits(rounded, tensor<float, 2>::copy_of(exact.view()).value()));
  });
}

TEST_CASE("a gradient is the slope of its loss") {
  auto student = random_normal<double>({2, 4}, 2);
  const auto teacher = random_normal<double>({2, 4}, 3);
  const std::uint8_t labels[] = {3, 0};
  tensor<double, 2> gradient(student.extents());
  const auto o = options(3.0, 0.6);
  const auto loss = [&] {
    return pare::distillation_loss(student.view(), teacher.view(), view(labels), o).value();
  };
  REQUIRE(
      pare::distillation_loss(student.view(), teacher.view(), view(labels), o, gradient.view()));
  for (index_t i = 0; i < student.size(); ++i) {
    CAPTURE(i);
    const double z = student.data()[i], h = 1e-5;
    student.data()[i] = z + h;
    const double above = loss();
    student.data()[i] = z - h;
    const double below = loss();
    student.data()[i] = z;
    CHECK(gradient.data()[i] == doctest::Approx((above - below) / (2 * h)).epsilon(1e-6).scale(1));
  }
}

TEST_CASE("a student that agrees with its teacher has nothing to learn from it") {
  const auto logits = random_normal<float>({3, 5}, 4);
  tensor<float, 2> gradient(logits.extents());
  const tensor<float, 2> zeros(logits.extents());
  CHECK(pare::kl_divergence(logits.view(), logits.view(), 4.0, gradient.view()).value() == 0.0);
  CHECK(pare_test::equal(gradient, zeros));
  CHECK(pare::mean_squared_error(logits.view(), logits.view(), gradient.view()).value() == 0.0);
  CHECK(pare_test::equal(gradient, zeros));
}

TEST_CASE("logits of any size give finite losses") {
  const float largest = std::numeric_limits<float>::max();
  const float student[2][2] = {{largest, -largest}, {0, 0}};
  const float teacher[2][2] = {{-largest, largest}, {largest, largest}};
  const std::int64_t labels[] = {1, 0};
  float gradient[2][2];
  const double spread = 2 * static_cast<double>(largest);
  CHECK(pare::cross_entropy(view(student), view(labels), view(gradient)).value() ==
        doctest::Approx((spread + std::log(2.0)) / 2));
  CHECK(gradient[0][0] == 0.5f);
  CHECK(gradient[0][1] == -0.5f);
  CHECK(pare::kl_divergence(view(student), view(teacher), 2.0, view(gradient)).value() ==
        doctest::Approx(spread / 2 / 2));
  CHECK(gradient[0][0] == 0.25f);
  CHECK(pare::distillation_loss(view(student), view(teacher), view(labels), options(2.0, 0.5))
            .has_value());
}

TEST_CASE("a shift of all logits of a row changes nothing") {
  const float student[1][3] = {{1, 2, 4}}, shifted[1][3] = {{4097, 4098, 4100}};
  const float teacher[1][3] = {{3, 0, 1}};
  CHECK(pare::kl_divergence(view(student), view(teacher), 1.0).value() ==
        pare::kl_divergence(view(shifted), view(teacher), 1.0).value());
}

TEST_CASE("labels have any integer type") {
  const auto student = random_normal<float>({2, 300}, 5);
  const std::uint8_t small[] = {255, 7};
  const std::int32_t large[] = {255, 7};
  CHECK(pare::cross_entropy(student.view(), view(small)).value() ==
        pare::cross_entropy(student.view(), view(large)).value());
}

TEST_CASE("the layout of logits and gradients makes no difference") {
  const auto student = random_normal<float>({4, 5}, 6), teacher = random_normal<float>({4, 5}, 7);
  const std::int32_t labels[] = {0, 4, 2, 1};
  tensor<float, 2> expected(student.extents());
  const auto o = options(4.0, 0.9);
  const double loss =
      pare::distillation_loss(student.view(), teacher.view(), view(labels), o, expected.view())
          .value();
  const auto columns = pare_test::column_major_copy(student);
  const auto apart = pare_test::strided_copy(teacher, 2, 3);
  pare_test::strided<float, 2> gradient({4, 5}, {11, 2});
  CHECK(pare::distillation_loss(columns.view(), apart.view(), view(labels), o, gradient.view())
            .value() == loss);
  CHECK(pare_test::equal_bits(gradient.view(), expected));
  CHECK(gradient.gaps_untouched());
}

TEST_CASE("bad input is an error for every loss that reads it, and gradients stay untouched") {
  float student[2][3] = {{1, 2, 3}, {4, 5, 6}}, teacher[2][3] = {{3, 2, 1}, {0, 1, 0}};
  std::int32_t labels[] = {2, 0};
  float out[2][3] = {{7, 7, 7}, {7, 7, 7}};
  const auto s = view(student), t = view(teacher);
  const auto gradient = view(out);
  const auto l = view(labels);
  const auto good = options(2.0, 0.5);

  SUBCASE("NaN in the student's logits") {
    student[1][0] = quiet_nan;
    const auto r = pare::kl_divergence(s, t, 2.0, gradient);
    CHECK(r == status::non_finite);
    CHECK(r.error().position == 3);
    CHECK(pare::mean_squared_error(s, t, gradient) == status::non_finite);
    CHECK(pare::cross_entropy(s, l, gradient) == status::non_finite);
    CHECK(pare::distillation_loss(s, t, l, good, gradient) == status::non_finite);
    CHECK(pare::softmax(s, 1.0, gradient) == status::non_finite);
  }
  SUBCASE("infinity in the teacher's logits") {
    teacher[1][2] = infinity;
    const auto r = pare::kl_divergence(s, t, 2.0, gradient);
    CHECK(r == status::non_finite);
    CHECK(r.error().position == 5);
    CHECK(r.error().subject == std::string("teacher"));
    CHECK(pare::mean_squared_error(s, t, gradient) == status::non_finite);
    CHECK(pare::distillation_loss(s, t, l, good, gradient) == status::non_finite);
  }
  SUBCASE("a temperature that is not positive and finite") {
    for (const double bad :
         {0.0, -1.0, static_cast<double>(quiet_nan), static_cast<double>(infinity)}) {
      CAPTURE(bad);
      CHECK(pare::kl_divergence(s, t, bad, gradient) == status::out_of_range);
      CHECK(pare::distillation_loss(s, t, l, options(bad, 0.5), gradient) == status::out_of_range);
      CHECK(pare::softmax(s, bad, gradient) == status::out_of_range);
    }
  }
  SUBCASE("alpha outside its range") {
    for (const double bad : {-0.1, 1.1, static_cast<double>(quiet_nan)}) {
      CAPTURE(bad);
      CHECK(pare::distillation_loss(s, t, l, options(2.0, bad), gradient) == status::out_of_range);
    }
  }
  SUBCASE("a label that is no class") {
    for (const std::int32_t bad : {3, -1, -100}) {
      CAPTURE(bad);
      labels[1] = bad;
      const auto r = pare::cross_entropy(s, l, gradient);
      CHECK(r == status::out_of_range);
      CHECK(r.error().position == 1);
      CHECK(pare::distillation_loss(s, t, l, good, gradient) == status::out_of_range);
    }
  }
  SUBCASE("another number of labels") {
    CHECK(pare::cross_entropy(s, view(labels, 1), gradient) == status::shape_mismatch);
    CHECK(pare::distillation_loss(s, t, view(labels, 1), good, gradient) == status::shape_mismatch);
  }
  SUBCASE("a teacher of another shape") {
    const auto other = view(&teacher[0][0], 3, 2);
    CHECK(pare::kl_divergence(s, other, 2.0, gradient) == status::shape_mismatch);
    CHECK(pare::mean_squared_error(s, other, gradient) == status::shape_mismatch);
    CHECK(pare::distillation_loss(s, other, l, good, gradient) == status::shape_mismatch);
  }
  SUBCASE("a gradient of another shape") {
    const auto other = view(&out[0][0], 1, 3);
    CHECK(pare::kl_divergence(s, t, 2.0, other) == status::shape_mismatch);
    CHECK(pare::mean_squared_error(s, t, other) == status::shape_mismatch);
    CHECK(pare::cross_entropy(s, l, other) == status::shape_mismatch);
    CHECK(pare::distillation_loss(s, t, l, good, other) == status::shape_mismatch);
    CHECK(pare::softmax(s, 1.0, other) == status::shape_mismatch);
  }
  SUBCASE("a temperature so small that logits overflow") {
    CHECK(pare::kl_divergence(s, t, 1e-308, gradient) == status::overflow);
    CHECK(pare::distillation_loss(s, t, l, options(1e-308, 0.5), gradient) == status::overflow);
    CHECK(pare::softmax(s, 1e-308, gradient) == status::overflow);
  }
  SUBCASE("a gradient beyond float") {
    CHECK(pare::kl_divergence(s, t, 1e-39, gradient) == status::overflow);
    CHECK(pare::kl_divergence(s, t, 1e-39).has_value());
    CHECK(pare::distillation_loss(s, t, l, options(1e39, 0.5), gradient) == status::overflow);
    student[0][0] = std::numeric_limits<float>::max();
    CHECK(pare::mean_squared_error(s, t, gradient) == status::overflow);
  }
  SUBCASE("a loss beyond double") {
    const double far[1][2] = {{1e300, -1e300}}, near[1][2] = {{0, 0}};
    double g[1][2] = {{7, 7}};
    CHECK(pare::mean_squared_error(view(far), view(near), view(g)) == status::overflow);
    CHECK(pare::distillation_loss(s, t, l, options(1e200, 0.5)) == status::overflow);
    CHECK(g[0][0] == 7);
  }
  CHECK(pare_test::equal(view(&out[0][0], 6), {7, 7, 7, 7, 7, 7}));
}

TEST_CASE("logits without rows or without classes are errors") {
  const tensor<float, 2> no_rows({0, 3}), no_classes({2, 0});
  const std::int32_t labels[] = {0, 0};
  CHECK(pare::kl_divergence(no_rows.view(), no_rows.view(), 1.0) == status::empty);
  CHECK(pare::mean_squared_error(no_classes.view(), no_classes.view()) == status::empty);
  CHECK(pare::cross_entropy(no_classes.view(), view(labels)) == status::empty);
  CHECK(pare::cross_entropy(no_rows.view(), view(labels, 0)) == status::empty);
  CHECK(pare::distillation_loss(no_rows.view(), no_rows.view(), view(labels, 0),
                                options(1.0, 0.5)) == status::empty);
  tensor<float, 2> out({0, 3});
  CHECK(pare::softmax(no_rows.view(), 1.0, out.view()) == status::empty);
}
