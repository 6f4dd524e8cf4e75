// Batch normalization folded into the weights and the bias of the layer before it, as it must be
// before the layer is quantized.
//
// Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
// Inference", 2018, arXiv:1712.05877, section 3.2. PyTorch: torch/nn/utils/fusion.py.
//
//     pare::batch_norm<float> norm{mean, variance, gamma, beta};
//     pare::fold_batch_norm(w.view(), 0, b.view(), norm);            // [out, in, kh, kw]
#ifndef PARE_QUANTIZE_FOLD_BATCH_NORM_HPP
#define PARE_QUANTIZE_FOLD_BATCH_NORM_HPP

#include <cmath>

#include <pare/core/for_each.hpp>
#include <pare/core/rounding.hpp>
#include <pare/quantize/range.hpp>

namespace pare {

/// A batch normalization at inference: gamma * (y - mean) / sqrt(variance + epsilon) + beta for
/// each channel.
///
/// @tparam T  float or double
template <class T>
struct batch_norm {
  channel_view<const T> mean;      ///< PyTorch's running_mean
  channel_view<const T> variance;  ///< running_var, not negative
  channel_view<const T> gamma{};   ///< weight; none where all are 1
  channel_view<const T> beta{};    ///< bias; none where all are 0
  double epsilon = 1e-5;           ///< not negative
};

namespace detail {
inline namespace PARE_ABI {

/// What one channel becomes: w * factor and b * factor + offset.
struct folded_channel {
  double factor, offset;
};

template <class T>
folded_channel fold_channel(const batch_norm<T>& norm, index_t c) noexcept {
  const double gamma = norm.gamma.empty() ? 1.0 : static_cast<double>(norm.gamma[c]);
  const double beta = norm.beta.empty() ? 0.0 : static_cast<double>(norm.beta[c]);
  const double deviation = std::sqrt(static_cast<double>(norm.variance[c]) + norm.epsilon);
  const double factor = gamma / deviation;
  return {factor, beta - static_cast<double>(norm.mean[c]) * factor};
}

template <class T>
status check_channel_values(const channel_view<const T>& v, index_t channels, bool optional,
                            const char* subject) noexcept {
  if (v.extent(0) != channels && !(optional && v.empty())) {
    return {status_code::shape_mismatch, "there is one number for each channel", subject};
  }
  for (index_t c = 0; c < v.extent(0); ++c) {
    if (is_finite(v[c])) continue;
    return {status_code::non_finite, "a number of the channel is a NaN or an infinity", subject,
            position_kind::element, c};
  }
  return {};
}

template <class T>
status check_batch_norm(const batch_norm<T>& norm, index_t channels) noexcept {
  PARE_RETURN_IF_ERROR(check_channel_values(norm.mean, channels, false, "mean"));
  PARE_RETURN_IF_ERROR(check_channel_values(norm.variance, channels, false, "variance"));
  PARE_RETURN_IF_ERROR(check_channel_values(norm.gamma, channels, true, "gamma"));
  PARE_RETURN_IF_ERROR(check_channel_values(norm.beta, channels, true, "beta"));
  if (!is_finite(norm.epsilon)) {
    return {status_code::non_finite, "epsilon is a NaN or an infinity", "epsilon"};
  }
  if (norm.epsilon < 0) return {status_code::out_of_range, "epsilon is not negative", "epsilon"};
  for (index_t c = 0; c < channels; ++c) {
    if (norm.variance[c] < 0 || static_cast<double>(norm.variance[c]) + norm.epsilon == 0) {
      return {status_code::out_of_range,
              "variances are not negative, and positive where epsilon is 0", "variance",
              position_kind::element, c};
    }
  }
  return {};
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Folds a batch normalization into the layer whose outputs it takes:
///
///     w = w * gamma / sqrt(variance + epsilon)
///     b = (b - mean) * gamma / sqrt(variance + epsilon) + beta
///
/// in double, rounded once to T.
///
/// @tparam T       float or double
/// @param weights  rank 1 or higher, any layout, finite; in and out
/// @param axis     its output channels: 0 for [out, in] and [out, in, kh, kw], 1 for transposed
///                 convolutions [in, out, kh, kw], the last for depthwise [kh, kw, channels]
/// @param bias     one for each channel, finite, 0 where the layer has none; in and out
/// @param norm     of as many channels
/// @return `out_of_range` for the axis, a negative variance or epsilon; `shape_mismatch`;
///         `non_finite` with the position of a NaN or an infinity, or of what would become one;
///         weights and bias are then untouched
///
/// Two passes, no allocation.
template <class T, class E, class L>
[[nodiscard]] status fold_batch_norm(tensor_view<T, E, L> weights, int axis,
                                     std::common_type_t<channel_view<T>> bias,
                                     const batch_norm<T>& norm) noexcept {
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>,
                "pare: weights are float or double");
  PARE_RETURN_IF_ERROR(detail::check_axis(axis, E::rank()));
  const index_t channels = static_cast<index_t>(weights.extent(static_cast<std::size_t>(axis)));
  PARE_RETURN_IF_ERROR(
      detail::check_channel_values(channel_view<const T>(bias), channels, false, "bias"));
  PARE_RETURN_IF_ERROR(detail::check_batch_norm(norm, channels));

  index_t inner = 1;  // elements from one channel to the next, in row-major order
  for (std::size_t r = static_cast<std::size_t>(axis) + 1; r < E::rank(); ++r) {
    inner *= static_cast<index_t>(weights.extent(r));
  }
  const auto folded_weight = [&](T w, index_t i) {
    const detail::folded_channel f = detail::fold_channel(norm, i / inner % channels);
    return static_cast<T>(static_cast<double>(w) * f.factor);
  };
  const auto folded_bias = [&](index_t c) {
    const detail::folded_channel f = detail::fold_channel(norm, c);
    return static_cast<T>(static_cast<double>(bias[c]) * f.factor + f.offset);
  };
  index_t position = 0;
  const bool finite = for_each_element_while(weights, [&](T w, index_t i) {
    position = i;
    return detail::is_finite(w) && detail::is_finite(folded_weight(w, i));
  });
  if (!finite) {
    return {status_code::non_finite, "a weight is, or would become, a NaN or an infinity",
            "weights", position_kind::element, position};
  }
  for (index_t c = 0; c < channels; ++c) {
    if (detail::is_finite(folded_bias(c))) continue;
    return {status_code::non_finite, "a bias would become a NaN or an infinity", "bias",
            position_kind::element, c};
  }
  for_each_element(weights, [&](T& w, index_t i) { w = folded_weight(w, i); });
  for (index_t c = 0; c < channels; ++c) bias[c] = folded_bias(c);
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_FOLD_BATCH_NORM_HPP
