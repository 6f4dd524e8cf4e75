// Distillation losses: how far a student's logits are from the teacher's and from the labels, and
// the gradients that bring them nearer.
//
// Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network", 2015, arXiv:1503.02531.
// L2 on logits: Ba and Caruana, "Do Deep Nets Really Need to be Deep?", 2014, arXiv:1312.6184.
// Reductions follow torch.nn.functional: kl_div with "batchmean", cross_entropy and mse_loss with
// "mean".
#ifndef PARE_DISTILL_LOSS_HPP
#define PARE_DISTILL_LOSS_HPP

#include <cmath>
#include <limits>
#include <type_traits>

#include <pare/core/result.hpp>
#include <pare/core/rounding.hpp>
#include <pare/core/tensor_view.hpp>

// Throughout: logits are [rows, classes] of float or double, any layout, finite, one row a sample.
// A gradient has the shape of the student's logits, float or double, and is that of the returned
// mean, so it already contains 1 / rows. All is computed in double, row by row, from logits shifted
// by their maximum (log-sum-exp): no size of logits overflows exp. Nothing is allocated.

namespace pare {

/// How a student learns from a teacher and from labels.
struct distillation {
  double temperature = 4.0;  ///< T, positive; both sides' logits are divided by it
  double alpha = 0.9;        ///< weight of the teacher, in [0, 1]; the labels weigh 1 - alpha
};

namespace detail {
inline namespace PARE_ABI {

/// Takes a gradient that nobody asked for.
struct no_gradient {
  constexpr PARE_ALWAYS_INLINE void operator()(index_t, index_t, double) const noexcept {}
};

/// Writes a gradient to a view.
template <class View>
struct gradient_writer {
  View out;
  PARE_ALWAYS_INLINE void operator()(index_t row, index_t c, double g) const noexcept {
    out(row, c) = static_cast<typename View::value_type>(g);
  }
};

/// The softmax of one row of logits / T, and its logarithm.
template <class View>
class softmax_row {
 public:
  softmax_row(const View& logits, index_t row, double temperature) noexcept
      : logits_(logits), row_(row), temperature_(temperature) {
    const auto classes = static_cast<index_t>(logits.extent(1));
    largest_ = static_cast<double>(logits(row, 0));
    for (index_t c = 1; c < classes; ++c) {
      const double z = static_cast<double>(logits(row, c));
      if (z > largest_) largest_ = z;
    }
    for (index_t c = 0; c < classes; ++c) {
      const double e = std::exp(shifted(c));
      if (c < remembered) exponentials_[c] = e;
      sum_ += e;
    }
    log_sum_ = std::log(sum_);
  }

  PARE_ALWAYS_INLINE double log_probability(index_t c) const noexcept {
    return shifted(c) - log_sum_;
  }
  PARE_ALWAYS_INLINE double probability(index_t c) const noexcept {
    return (c < remembered ? exponentials_[c] : std::exp(shifted(c))) / sum_;
  }

 private:
  // exp is most of the work of a loss; the usual few classes need it once.
  static constexpr index_t remembered = 32;

  PARE_ALWAYS_INLINE double shifted(index_t c) const noexcept {
    return (static_cast<double>(logits_(row_, c)) - largest_) / temperature_;
  }

  const View& logits_;
  index_t row_;
  double temperature_, largest_ = 0.0, log_sum_ = 0.0;
  double sum_ = 0.0;  // becomes at least 1: the largest logit adds exp(0)
  double exponentials_[remembered] = {};
};

template <class T>
inline constexpr bool is_logit =
    std::is_same_v<std::remove_const_t<T>, float> || std::is_same_v<std::remove_const_t<T>, double>;

/// `empty` or `non_finite`; otherwise the largest difference between two logits of one row.
template <class T, class E, class L>
[[nodiscard]] result<double> logit_spread(tensor_view<T, E, L> logits,
                                          const char* subject) noexcept {
  static_assert(E::rank() == 2, "pare: logits are [rows, classes]");
  static_assert(is_logit<T>, "pare: logits are float or double");
  const auto rows = static_cast<index_t>(logits.extent(0));
  const auto classes = static_cast<index_t>(logits.extent(1));
  if (rows == 0 || classes == 0) {
    return {status_code::empty, "a loss needs at least one row and one class", subject};
  }
  double spread = 0.0;
  for (index_t r = 0; r < rows; ++r) {
    double low = static_cast<double>(logits(r, 0)), high = low;
    for (index_t c = 0; c < classes; ++c) {
      const double z = static_cast<double>(logits(r, c));
      if (!is_finite(z)) {
        return {status_code::non_finite, "a NaN or an infinity is no logit", subject,
                position_kind::element, r * classes + c};
      }
      if (z < low) low = z;
      if (z > high) high = z;
    }
    if (high - low > spread) spread = high - low;
  }
  return spread;
}

[[nodiscard]] inline status check_temperature(double temperature) noexcept {
  if (is_finite(temperature) && temperature > 0.0) return {};
  return {status_code::out_of_range, "a temperature is positive and finite", "temperature"};
}

/// `overflow` where logits are too large, or the temperature too small or too large, for a loss of
/// `rows` rows to be a finite double or for its gradient to be a finite G.
template <class G>
[[nodiscard]] status check_magnitudes(double largest_loss, double largest_gradient, index_t rows,
                                      index_t classes) noexcept {
  const double loss =
      (largest_loss + std::log(static_cast<double>(classes))) * static_cast<double>(rows);
  if (is_finite(loss) && largest_gradient <= static_cast<double>(std::numeric_limits<G>::max())) {
    return {};
  }
  return {status_code::overflow, "the loss or its gradient does not fit its type", "student"};
}

template <class S, class SE, class SL, class T, class TE, class TL>
[[nodiscard]] status check_teacher(tensor_view<S, SE, SL> student,
                                   tensor_view<T, TE, TL> teacher) noexcept {
  static_assert(TE::rank() == 2, "pare: logits are [rows, classes]");
  if (same_shape(student, teacher)) return {};
  return {status_code::shape_mismatch, "student and teacher have logits of one shape", "teacher"};
}

template <class S, class SE, class SL, class G, class GE, class GL>
[[nodiscard]] status check_gradient(tensor_view<S, SE, SL> student,
                                    tensor_view<G, GE, GL> gradient) noexcept {
  static_assert(GE::rank() == 2, "pare: a gradient is [rows, classes]");
  static_assert(is_logit<G> && !std::is_const_v<G>,
                "pare: a gradient is float or double, and written to");
  if (same_shape(student, gradient)) return {};
  return {status_code::shape_mismatch, "a gradient has the shape of the student's logits",
          "gradient"};
}

template <class I, class IE, class IL>
[[nodiscard]] status check_labels(tensor_view<I, IE, IL> labels, index_t rows,
                                  index_t classes) noexcept {
  static_assert(IE::rank() == 1 && std::is_integral_v<I>, "pare: labels are a vector of integers");
  if (static_cast<index_t>(labels.extent(0)) != rows) {
    return {status_code::shape_mismatch, "there is one label for each row of logits", "labels"};
  }
  for (index_t r = 0; r < rows; ++r) {
    const auto label = labels(r);
    // One unsigned comparison: negative labels of any type become large.
    if (static_cast<std::uint64_t>(label) >= static_cast<std::uint64_t>(classes)) {
      return {status_code::out_of_range, "a label is below the number of classes and not negative",
              "labels", position_kind::row, r};
    }
  }
  return {};
}

template <class G, class S, class SE, class SL, class T, class TE, class TL, class Gradient>
[[nodiscard]] result<double> kl_loss(tensor_view<S, SE, SL> student, tensor_view<T, TE, TL> teacher,
                                     double temperature, const Gradient& gradient) noexcept {
  PARE_RETURN_IF_ERROR(check_teacher(student, teacher));
  PARE_RETURN_IF_ERROR(check_temperature(temperature));
  const auto rows = static_cast<index_t>(student.extent(0));
  const auto classes = static_cast<index_t>(student.extent(1));
  const result<double> student_spread = logit_spread(student, "student");
  if (!student_spread) return student_spread;
  const result<double> teacher_spread = logit_spread(teacher, "teacher");
  if (!teacher_spread) return teacher_spread;
  PARE_RETURN_IF_ERROR(
      check_magnitudes<G>(*student_spread / temperature + *teacher_spread / temperature,
                          1.0 / temperature, rows, classes));
  const double scale = 1.0 / (static_cast<double>(rows) * temperature);
  double sum = 0.0;
  for (index_t r = 0; r < rows; ++r) {
    const softmax_row s(student, r, temperature);
    const softmax_row t(teacher, r, temperature);
    for (index_t c = 0; c < classes; ++c) {
      const double p = t.probability(c);
      // The logarithms are finite, so that 0 * log 0 is 0.
      sum += p * (t.log_probability(c) - s.log_probability(c));
      gradient(r, c, scale * (s.probability(c) - p));
    }
  }
  return sum / static_cast<double>(rows);
}

template <class G, class S, class SE, class SL, class T, class TE, class TL, class Gradient>
[[nodiscard]] result<double> squared_loss(tensor_view<S, SE, SL> student,
                                          tensor_view<T, TE, TL> teacher,
                                          const Gradient& gradient) noexcept {
  PARE_RETURN_IF_ERROR(check_teacher(student, teacher));
  const auto rows = static_cast<index_t>(student.extent(0));
  const auto classes = static_cast<index_t>(student.extent(1));
  PARE_RETURN_IF_ERROR(logit_spread(student, "student").status());
  PARE_RETURN_IF_ERROR(logit_spread(teacher, "teacher").status());
  const double count = static_cast<double>(rows) * static_cast<double>(classes);
  double sum = 0.0, largest = 0.0;
  for (index_t r = 0; r < rows; ++r) {
    for (index_t c = 0; c < classes; ++c) {
      const double d = static_cast<double>(student(r, c)) - static_cast<double>(teacher(r, c));
      sum += d * d;
      if (std::fabs(d) > largest) largest = std::fabs(d);
    }
  }
  PARE_RETURN_IF_ERROR(check_magnitudes<G>(sum, 2.0 * largest, 1, 1));
  for (index_t r = 0; r < rows; ++r) {
    for (index_t c = 0; c < classes; ++c) {
      const double d = static_cast<double>(student(r, c)) - static_cast<double>(teacher(r, c));
      gradient(r, c, 2.0 * d / count);
    }
  }
  return sum / count;
}

template <class S, class SE, class SL, class I, class IE, class IL, class Gradient>
[[nodiscard]] result<double> label_loss(tensor_view<S, SE, SL> student,
                                        tensor_view<I, IE, IL> labels,
                                        const Gradient& gradient) noexcept {
  const auto rows = static_cast<index_t>(student.extent(0));
  const auto classes = static_cast<index_t>(student.extent(1));
  const result<double> spread = logit_spread(student, "student");
  if (!spread) return spread;
  PARE_RETURN_IF_ERROR(check_labels(labels, rows, classes));
  PARE_RETURN_IF_ERROR(check_magnitudes<float>(*spread, 1.0, rows, classes));
  const double scale = 1.0 / static_cast<double>(rows);
  double sum = 0.0;
  for (index_t r = 0; r < rows; ++r) {
    const softmax_row s(student, r, 1.0);
    const auto label = static_cast<index_t>(labels(r));
    sum -= s.log_probability(label);
    for (index_t c = 0; c < classes; ++c) {
      gradient(r, c, scale * (s.probability(c) - (c == label ? 1.0 : 0.0)));
    }
  }
  return sum / static_cast<double>(rows);
}

template <class G, class S, class SE, class SL, class T, class TE, class TL, class I, class IE,
          class IL, class Gradient>
[[nodiscard]] result<double> combined_loss(tensor_view<S, SE, SL> student,
                                           tensor_view<T, TE, TL> teacher,
                                           tensor_view<I, IE, IL> labels, distillation options,
                                           const Gradient& gradient) noexcept {
  PARE_RETURN_IF_ERROR(check_teacher(student, teacher));
  PARE_RETURN_IF_ERROR(check_temperature(options.temperature));
  const double temperature = options.temperature, alpha = options.alpha;
  if (!is_finite(alpha) || alpha < 0.0 || alpha > 1.0) {
    return {status_code::out_of_range, "the teacher's weight lies between 0 and 1", "alpha"};
  }
  const auto rows = static_cast<index_t>(student.extent(0));
  const auto classes = static_cast<index_t>(student.extent(1));
  const result<double> student_spread = logit_spread(student, "student");
  if (!student_spread) return student_spread;
  const result<double> teacher_spread = logit_spread(teacher, "teacher");
  if (!teacher_spread) return teacher_spread;
  PARE_RETURN_IF_ERROR(check_labels(labels, rows, classes));
  // T^2 KL is at most T^2 ((both spreads) / T + log classes): bounded without its rounding to 0.
  const double square = temperature * temperature;
  const double soft = *student_spread / temperature + *teacher_spread / temperature +
                      std::log(static_cast<double>(classes));
  PARE_RETURN_IF_ERROR(check_magnitudes<G>(soft * (square > 1.0 ? square : 1.0) + *student_spread,
                                           temperature > 1.0 ? temperature : 1.0, rows, classes));

  const double soft_scale = alpha * temperature / static_cast<double>(rows);
  const double hard_scale = (1.0 - alpha) / static_cast<double>(rows);
  double soft_sum = 0.0, hard_sum = 0.0;
  for (index_t r = 0; r < rows; ++r) {
    const softmax_row s(student, r, temperature);
    const softmax_row t(teacher, r, temperature);
    const softmax_row hard(student, r, 1.0);
    const auto label = static_cast<index_t>(labels(r));
    hard_sum -= hard.log_probability(label);
    for (index_t c = 0; c < classes; ++c) {
      const double p = t.probability(c);
      soft_sum += p * (t.log_probability(c) - s.log_probability(c));
      gradient(r, c,
               soft_scale * (s.probability(c) - p) +
                   hard_scale * (hard.probability(c) - (c == label ? 1.0 : 0.0)));
    }
  }
  return (alpha * square * soft_sum + (1.0 - alpha) * hard_sum) / static_cast<double>(rows);
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// The softened probabilities of logits: softmax(logits / T), row by row.
///
/// @param temperature    T, positive; 1 is plain softmax, above 1 is softer
/// @param probabilities  the shape of the logits, float or double; may be the logits' own memory
/// @return `shape_mismatch`, `empty`, `non_finite` at the first NaN or infinity, `out_of_range` for
///         the temperature, `overflow` where it is so small that logits / T overflow;
///         `probabilities` is then untouched
template <class T, class E, class L, class P, class PE, class PL>
[[nodiscard]] status softmax(tensor_view<T, E, L> logits, double temperature,
                             tensor_view<P, PE, PL> probabilities) noexcept {
  static_assert(PE::rank() == 2 && detail::is_logit<P> && !std::is_const_v<P>,
                "pare: probabilities are [rows, classes] of float or double");
  if (!detail::same_shape(logits, probabilities)) {
    return {status_code::shape_mismatch, "probabilities have the shape of the logits",
            "probabilities"};
  }
  PARE_RETURN_IF_ERROR(detail::check_temperature(temperature));
  const result<double> spread = detail::logit_spread(logits, "logits");
  if (!spread) return spread.error();
  const auto rows = static_cast<index_t>(logits.extent(0));
  const auto classes = static_cast<index_t>(logits.extent(1));
  PARE_RETURN_IF_ERROR(detail::check_magnitudes<P>(*spread / temperature, 1.0, 1, classes));
  for (index_t r = 0; r < rows; ++r) {
    const detail::softmax_row row(logits, r, temperature);
    for (index_t c = 0; c < classes; ++c) probabilities(r, c) = static_cast<P>(row.probability(c));
  }
  return {};
}

/// KL(teacher || student) of the softened probabilities: the sum over classes, the mean over rows.
///
/// T^2 is not in it: gradients shrink with 1 / T^2, and `distillation_loss` makes up for that.
///
/// @param student      logits
/// @param teacher      logits, same shape
/// @param temperature  T, positive; divides both
/// @param gradient     receives d loss / d student; must not overlap the logits
/// @return the loss; or `shape_mismatch`, `empty`, `non_finite` at the first NaN or infinity,
///         `out_of_range` for the temperature, `overflow` where the loss or its gradient has no
///         finite value; `gradient` is then untouched
template <class S, class SE, class SL, class T, class TE, class TL, class G, class GE, class GL>
[[nodiscard]] result<double> kl_divergence(tensor_view<S, SE, SL> student,
                                           tensor_view<T, TE, TL> teacher, double temperature,
                                           tensor_view<G, GE, GL> gradient) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_gradient(student, gradient));
  return detail::kl_loss<G>(student, teacher, temperature,
                            detail::gradient_writer<tensor_view<G, GE, GL>>{gradient});
}

/// As above, without the gradient.
template <class S, class SE, class SL, class T, class TE, class TL>
[[nodiscard]] result<double> kl_divergence(tensor_view<S, SE, SL> student,
                                           tensor_view<T, TE, TL> teacher,
                                           double temperature) noexcept {
  return detail::kl_loss<double>(student, teacher, temperature, detail::no_gradient{});
}

/// The squared difference of logits, its mean over rows and classes: L2 on logits.
///
/// @param student   logits
/// @param teacher   logits, same shape
/// @param gradient  receives d loss / d student; must not overlap the logits
/// @return as `kl_divergence`
template <class S, class SE, class SL, class T, class TE, class TL, class G, class GE, class GL>
[[nodiscard]] result<double> mean_squared_error(tensor_view<S, SE, SL> student,
                                                tensor_view<T, TE, TL> teacher,
                                                tensor_view<G, GE, GL> gradient) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_gradient(student, gradient));
  return detail::squared_loss<G>(student, teacher,
                                 detail::gradient_writer<tensor_view<G, GE, GL>>{gradient});
}

/// As above, without the gradient.
template <class S, class SE, class SL, class T, class TE, class TL>
[[nodiscard]] result<double> mean_squared_error(tensor_view<S, SE, SL> student,
                                                tensor_view<T, TE, TL> teacher) noexcept {
  return detail::squared_loss<double>(student, teacher, detail::no_gradient{});
}

/// Cross entropy with labels: the mean over rows of -log softmax(student)[label].
///
/// @param student   logits
/// @param labels    [rows] of any integer type, 0 to classes - 1; none is ignored
/// @param gradient  receives d loss / d student; must not overlap the logits
/// @return as `kl_divergence`; `out_of_range` at the row of the first label that is no class
template <class S, class SE, class SL, class I, class IE, class IL, class G, class GE, class GL>
[[nodiscard]] result<double> cross_entropy(tensor_view<S, SE, SL> student,
                                           tensor_view<I, IE, IL> labels,
                                           tensor_view<G, GE, GL> gradient) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_gradient(student, gradient));
  return detail::label_loss(student, labels,
                            detail::gradient_writer<tensor_view<G, GE, GL>>{gradient});
}

/// As above, without the gradient.
template <class S, class SE, class SL, class I, class IE, class IL>
[[nodiscard]] result<double> cross_entropy(tensor_view<S, SE, SL> student,
                                           tensor_view<I, IE, IL> labels) noexcept {
  return detail::label_loss(student, labels, detail::no_gradient{});
}

/// What a student is trained on:
/// alpha * T^2 * `kl_divergence`(student, teacher, T) + (1 - alpha) * `cross_entropy`(student,
/// labels).
///
///     pare::distillation_loss(student.view(), teacher.view(), labels.view(),
///                             pare::distillation{.temperature = 4, .alpha = 0.9},
///                             gradient.view());
///
/// @param student   logits
/// @param teacher   logits, same shape
/// @param labels    [rows] of any integer type, 0 to classes - 1
/// @param options   temperature and alpha
/// @param gradient  receives d loss / d student; must not overlap the logits
/// @return as the two losses; `out_of_range` for alpha outside [0, 1]. All inputs are checked even
///         where alpha gives them no weight
template <class S, class SE, class SL, class T, class TE, class TL, class I, class IE, class IL,
          class G, class GE, class GL>
[[nodiscard]] result<double> distillation_loss(tensor_view<S, SE, SL> student,
                                               tensor_view<T, TE, TL> teacher,
                                               tensor_view<I, IE, IL> labels, distillation options,
                                               tensor_view<G, GE, GL> gradient) noexcept {
  PARE_RETURN_IF_ERROR(detail::check_gradient(student, gradient));
  return detail::combined_loss<G>(student, teacher, labels, options,
                                  detail::gradient_writer<tensor_view<G, GE, GL>>{gradient});
}

/// As above, without the gradient.
template <class S, class SE, class SL, class T, class TE, class TL, class I, class IE, class IL>
[[nodiscard]] result<double> distillation_loss(tensor_view<S, SE, SL> student,
                                               tensor_view<T, TE, TL> teacher,
                                               tensor_view<I, IE, IL> labels,
                                               distillation options) noexcept {
  return detail::combined_loss<double>(student, teacher, labels, options, detail::no_gradient{});
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_DISTILL_LOSS_HPP
