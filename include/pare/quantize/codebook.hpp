// Codebooks of up to 256 values by k-means in one dimension.
//
// Han, Mao and Dally, "Deep Compression", 2016, arXiv:1510.00149: the three ways to start and the
// gradients of centroids. Lloyd's iterations run on sorted values with running sums, so that each
// costs a search for each border, whatever the number of weights. The exact optimum is found by
// dynamic programming: Wang and Song, "Ckmeans.1d.dp", The R Journal 3(2), 2011, with the division of
// ranges of Gronlund et al., 2017, arXiv:1701.07204.
//
//     auto w4 = pare::quantize_codebook(w).value();  // 16 values, codes of 4 bits
#ifndef PARE_QUANTIZE_CODEBOOK_HPP
#define PARE_QUANTIZE_CODEBOOK_HPP

#include <atomic>

#include <pare/core/parallel.hpp>
#include <pare/core/tensor.hpp>
#include <pare/format/codebook.hpp>
#include <pare/quantize/affine.hpp>
#include <pare/quantize/detail/channels.hpp>
#include <pare/quantize/detail/nearest_level.hpp>
#include <pare/quantize/detail/sorted_values.hpp>
#include <pare/quantize/error_meter.hpp>
#include <pare/quantize/grid.hpp>

namespace pare {

/// How the centroids are found.
enum class codebook_search : std::uint8_t {
  linear,   ///< Lloyd's iterations from evenly spaced values; keeps large weights best
  density,  ///< from values with equal weight between them
  random,   ///< from values of the tensor, drawn by `seed`
  exact,  ///< the least squared error there is: time levels x n log n, memory levels x n x 4 bytes
};

/// How a tensor is quantized to a codebook.
struct codebook {
  index_t levels = 16;    ///< 1 to 256
  int axis = per_tensor;  ///< a dimension with a codebook for each index
  codebook_search search = codebook_search::linear;
  int iterations = 100;    ///< of Lloyd, at most; they end earlier where no weight moves
  std::uint32_t seed = 1;  ///< of `random`
};

/// Codes with their values, owned.
template <std::size_t Rank>
struct codebook_tensor {
  tensor<std::uint8_t, Rank> codes;  ///< row-major
  tensor<float, 2> levels;           ///< [1 or indices along `axis`, levels], rising in a row
  int axis = per_tensor;

  PARE_ALWAYS_INLINE codebook_view<dextents<index_t, Rank>> view() const noexcept {
    return {codes.view(), levels.view(), axis};
  }
};

namespace detail {
inline namespace PARE_ABI {

/// Where the values that belong to each of up to 256 centroids end.
struct cluster_ends {
  index_t at[256];
};

inline cluster_ends ends_of(const sorted_values& v, const double* centroids,
                            index_t count) noexcept {
  cluster_ends ends;
  for (index_t c = 0; c + 1 < count; ++c) {
    ends.at[c] = v.count_up_to((centroids[c] + centroids[c + 1]) / 2);
  }
  ends.at[count - 1] = v.size();
  return ends;
}

/// Each centroid becomes the mean of what belongs to it; one without weight stays.
inline void move_centroids(const sorted_values& v, const cluster_ends& ends, index_t count,
                           double* centroids) noexcept {
  index_t first = 0;
  for (index_t c = 0; c < count; ++c) {
    const double mass = v.mass(first, ends.at[c]);
    if (mass > 0) centroids[c] = v.mean() + v.sum(first, ends.at[c]) / mass;
    first = ends.at[c];
  }
}

inline void start_centroids(const sorted_values& v, const codebook& options,
                            double* centroids) noexcept {
  const index_t count = options.levels;
  const double low = double{v[0]}, high = double{v[v.size() - 1]};
  if (options.search == codebook_search::density) {
    for (index_t c = 0; c < count; ++c) {
      const double q = (static_cast<double>(c) + 0.5) / static_cast<double>(count);
      centroids[c] = double{v[v.quantile(q)]};
    }
  } else if (options.search == codebook_search::random) {
    // One of each of `count` equal runs of the sorted values: drawn, but never twice.
    std::uint64_t state = options.seed;
    for (index_t c = 0; c < count; ++c) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      const double u = static_cast<double>(state >> 11) * 0x1p-53;
      const double at =
          (static_cast<double>(c) + u) / static_cast<double>(count) * static_cast<double>(v.size());
      centroids[c] = double{v[min(static_cast<index_t>(at), v.size() - 1)]};
    }
  } else {
    for (index_t c = 0; c < count; ++c) {
      const double q = count == 1 ? 0.5 : static_cast<double>(c) / static_cast<double>(count - 1);
      centroids[c] = low + (high - low) * q;
    }
  }
}

inline void run_lloyd(const sorted_values& v, const codebook& options, double* centroids) noexcept {
  start_centroids(v, options, centroids);
  cluster_ends ends = ends_of(v, centroids, options.levels);
  for (int i = 0; i < options.iterations; ++i) {
    move_centroids(v, ends, options.levels, centroids);
    const cluster_ends next = ends_of(v, centroids, options.levels);
    if (std::memcmp(next.at, ends.at, static_cast<std::size_t>(options.levels) * sizeof(index_t)) ==
        0) {
      break;
    }
    ends = next;
  }
}

/// The best partition of sorted values, layer by layer: `gain` of the first i + 1 values in a number
/// of clusters, from that in one cluster fewer. A best start rises with i, so that halves of the
/// range search halves of the starts.
class exact_layer {
 public:
  exact_layer(const sorted_values& v, const double* previous, double* gains,
              std::int32_t* starts) noexcept
      : v_(v), previous_(previous), gains_(gains), starts_(starts) {}

  void solve(index_t first, index_t last, index_t low, index_t high) noexcept {
    while (first <= last) {
      const index_t middle = first + (last - first) / 2;
      double best = -1;
      index_t start = low;
      for (index_t j = low; j <= min(middle, high); ++j) {
        const double gain = (j == 0 ? 0.0 : previous_[j - 1]) + gain_of(j, middle + 1);
        if (gain > best) {
          best = gain;
          start = j;
        }
      }
      gains_[middle] = best;
      starts_[middle] = static_cast<std::int32_t>(start);
      solve(first, middle - 1, low, start);
      first = middle + 1;  // and the upper half without a call
      low = start;
    }
  }

  /// What a cluster of its own takes from the squared error.
  PARE_ALWAYS_INLINE double gain_of(index_t first, index_t last) const noexcept {
    const double mass = v_.mass(first, last), sum = v_.sum(first, last);
    return mass > 0 ? sum * sum / mass : 0.0;
  }

 private:
  const sorted_values& v_;
  const double* previous_;
  double* gains_;
  std::int32_t* starts_;
};

inline status find_exact(const sorted_values& v, index_t count, double* centroids) noexcept {
  const index_t size = v.size();
  if (size > INT32_MAX) {
    return {status_code::unsupported, "an exact codebook is for fewer than 2^31 weights", "w"};
  }
  auto gains = tensor<double, 2>::create(dextents<index_t, 2>(2, size));
  if (!gains) return gains.error();
  auto starts = tensor<std::int32_t, 2>::create(dextents<index_t, 2>(count, size));
  if (!starts) return starts.error();
  double *previous = gains->data(), *current = gains->data() + size;
  for (index_t i = 0; i < size; ++i) {
    previous[i] = exact_layer(v, nullptr, nullptr, nullptr).gain_of(0, i + 1);
  }
  for (index_t c = 1; c < count; ++c) {
    exact_layer(v, previous, current, starts->data() + c * size).solve(0, size - 1, 0, size - 1);
    std::swap(previous, current);
  }
  cluster_ends ends;
  index_t end = size;
  for (index_t c = count - 1; c >= 0; --c) {
    ends.at[c] = end;
    end = c == 0 || end == 0 ? 0 : (*starts)(c, end - 1);
  }
  for (index_t c = 0; c < count; ++c) centroids[c] = double{v[min(ends.at[c], size - 1)]};
  move_centroids(v, ends, count, centroids);
  return {};
}

/// The distinct values of v as centroids, the last one repeated, where there are no more of them than
/// levels. False where there are.
inline bool take_distinct(const sorted_values& v, index_t count, double* centroids) noexcept {
  index_t distinct = 0, i = 0;
  while (i < v.size()) {
    if (distinct == count) return false;
    centroids[distinct++] = double{v[i]};
    i = v.count_up_to(double{v[i]});
  }
  for (; distinct < count; ++distinct) centroids[distinct] = centroids[distinct - 1];
  return true;
}

/// Rising levels for sorted values.
inline status find_levels(const sorted_values& v, const codebook& options, float* levels) noexcept {
  double centroids[256];
  if (!take_distinct(v, options.levels, centroids)) {
    if (options.search == codebook_search::exact) {
      PARE_RETURN_IF_ERROR(find_exact(v, options.levels, centroids));
    } else {
      run_lloyd(v, options, centroids);
    }
  }
  for (index_t c = 0; c < options.levels; ++c) levels[c] = static_cast<float>(centroids[c]);
  // Centroids without weights may have been overtaken by their neighbours.
  for (index_t c = 1; c < options.levels; ++c) levels[c] = max(levels[c], levels[c - 1]);
  return {};
}

inline status check_codebook(const codebook& options, std::size_t rank) noexcept {
  if (options.levels < 1 || options.levels > 256) {
    return {status_code::out_of_range, "a codebook has 1 to 256 values", "levels"};
  }
  if (options.axis != per_tensor) PARE_RETURN_IF_ERROR(check_axis(options.axis, rank));
  if (options.iterations < 0) {
    return {status_code::out_of_range, "iterations are not negative", "iterations"};
  }
  switch (options.search) {
    case codebook_search::linear:
    case codebook_search::density:
    case codebook_search::random:
    case codebook_search::exact: return {};
  }
  return {status_code::invalid_argument, "the search is none of those offered", "search"};
}

/// Codes of x by `count` levels a channel; everything has been checked. `axis` may be `per_tensor`.
template <class X, class Codes>
void encode_levels(const X& x, int axis, const float* levels, index_t count, const Codes& codes,
                   error_meter* errors) noexcept {
  // Borders are made when the walk comes to a channel, and kept while it stays there.
  index_t known = 0;
  nearest_level code_of(levels, count);
  for_each_row(
      x, codes, axis,
      [&](const float* from, std::uint8_t* to, index_t channel, const row_loop& row) {
        if (row.step_channel == 0 && channel != known) {
          known = channel;
          code_of = nearest_level(levels + channel * count, count);
        }
        if (row.step_channel == 0 && row.step_a == 1 && row.step_b == 1) {
          code_of.encode(from, row.count, to);
        } else {
          for (index_t i = 0; i < row.count; ++i) {
            const float value = from[i * row.step_a];
            const float* own = levels + (channel + i) * count;
            to[i * row.step_b] =
                row.step_channel == 0
                    ? code_of(value)
                    : static_cast<std::uint8_t>(
                          level_grid{own, static_cast<std::int32_t>(count), 1.0f}.code(value));
          }
        }
        if (errors == nullptr) return;
        for (index_t i = 0; i < row.count; ++i) {
          errors->add(from[i * row.step_a],
                      levels[(channel + i * row.step_channel) * count + to[i * row.step_b]]);
        }
      });
}

/// As above, the indices along the first axis on their own. Errors are sums, whose order counts: with
/// them it is one walk.
template <class X, class Codes, class Parallel>
void encode_slices(const X& x, int axis, const tensor<float, 2>& levels, const Codes& codes,
                   error_meter* errors, const Parallel& parallel) noexcept {
  const index_t count = levels.extent(1);
  if constexpr (X::rank() > 1) {
    if (errors == nullptr) {
      parallel(static_cast<index_t>(x.extent(0)), [&](index_t i) {
        encode_levels(slice_of(x, 0, i, 1), axis, levels.data() + (axis == 0 ? i * count : 0),
                      count, slice_of(codes, 0, i, 1), nullptr);
      });
      return;
    }
  }
  encode_levels(x, axis, levels.data(), count, codes, errors);
}

template <class T, class E, class L, class W, class Parallel>
result<codebook_tensor<E::rank()>> quantize_codebook(const tensor_view<T, E, L>& x,
                                                     const W& importance, bool weighted,
                                                     const codebook& options, error_meter* errors,
                                                     const Parallel& parallel) noexcept {
  static_assert(is_float<T>, "pare: codes are made of float");
  PARE_RETURN_IF_ERROR(check_codebook(options, E::rank()));
  if (x.empty()) return {status_code::empty, "a tensor without elements has no values", "w"};
  PARE_RETURN_IF_ERROR(check_finite(input(x), "w"));
  tensor<float, 2> values, weights;
  PARE_RETURN_IF_ERROR(
      gather_channels(input(x), importance, options.axis, values, weighted ? &weights : nullptr));
  const index_t channels = values.extent(0), count = values.extent(1);
  auto codes = tensor<std::uint8_t, E::rank()>::create(dextents<index_t, E::rank()>(x.extents()));
  if (!codes) return codes.error();
  auto levels = tensor<float, 2>::create(dextents<index_t, 2>(channels, options.levels));
  if (!levels) return levels.error();
  std::atomic<index_t> failed{-1};  // a channel without levels
  const auto search = [&](index_t c) -> status {
    float* of_channel = weighted ? weights.data() + c * count : nullptr;
    bool any = false;
    for (index_t i = 0; i < count && weighted && !any; ++i) any = of_channel[i] > 0;
    // Where nothing matters, everything matters alike.
    const auto sorted =
        sorted_values::create(values.data() + c * count, any ? of_channel : nullptr, count);
    if (!sorted) return sorted.error();
    return find_levels(*sorted, options, levels->data() + c * options.levels);
  };
  parallel(channels, [&](index_t c) {
    if (!search(c)) failed.store(c, std::memory_order_relaxed);
  });
  if (failed.load() >= 0) {
    const status again = search(failed.load());
    if (!again) return again.error();
    return {status_code::out_of_memory, "the host has not enough memory for all codebooks", "w"};
  }
  encode_slices(input(x), options.axis, *levels, output(codes->view()), errors, parallel);
  return codebook_tensor<E::rank()>{*std::move(codes), *std::move(levels), options.axis};
}

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Quantizes to the values of a codebook, the nearest for each weight and the lower one in the middle.
///
/// Where a channel has no more distinct values than there are levels, it comes back exactly, and the
/// largest value fills up the codebook.
///
/// @param w         any rank and layout, finite, not empty
/// @param errors    gathers what is lost, where it is not null
/// @param parallel  codebooks along an axis, and the codes of indices along the first one, do not depend
///                  on each other: the same bits for any number of threads
/// @return `out_of_range` for levels, iterations or axis, `invalid_argument` for a search that is
///         none, `empty`, `non_finite` with the first NaN or infinity, `out_of_memory`
template <class T, class E, class L, class Parallel = serial>
[[nodiscard]] result<codebook_tensor<E::rank()>> quantize_codebook(
    tensor_view<T, E, L> w, codebook options = {}, error_meter* errors = nullptr,
    const Parallel& parallel = {}) noexcept {
  return detail::quantize_codebook(w, detail::input(w), false, options, errors, parallel);
}

/// As above, for the least error weighted by `importance`, such as the diagonal of a Hessian.
///
/// @param importance  the shape of w, any layout, finite and not negative; a channel of zeros counts
///                    as one of ones
/// @return also `shape_mismatch`, and `out_of_range` for an importance below 0
template <class T, class E, class L, class U, class WE, class WL, class Parallel = serial>
[[nodiscard]] result<codebook_tensor<E::rank()>> quantize_codebook(
    tensor_view<T, E, L> w, tensor_view<U, WE, WL> importance, codebook options = {},
    error_meter* errors = nullptr, const Parallel& parallel = {}) noexcept {
  static_assert(detail::is_float<U>, "pare: importance is float");
  PARE_RETURN_IF_ERROR(detail::check_same_shape(w, importance, "importance"));
  PARE_RETURN_IF_ERROR(detail::check_finite(detail::input(importance), "importance"));
  if (!w.empty() && detail::range_of(detail::input(importance), "importance")->min < 0) {
    return {status_code::out_of_range, "an importance is not negative", "importance"};
  }
  return detail::quantize_codebook(w, detail::input(importance), true, options, errors, parallel);
}

/// The values of codes.
///
/// @param out  the shape of the codes, any layout
/// @return `shape_mismatch` for `out` or the levels, `out_of_range` for the axis or with the first
///         code that has no value; `out` is then untouched
template <class E, class L, class OutE, class OutL>
[[nodiscard]] status dequantize(const codebook_view<E, L>& x,
                                tensor_view<float, OutE, OutL> out) noexcept {
  if (x.axis != per_tensor) PARE_RETURN_IF_ERROR(detail::check_axis(x.axis, E::rank()));
  PARE_RETURN_IF_ERROR(detail::check_same_shape(x.codes, out, "out"));
  if (x.levels.extent(0) != detail::channels_of(x.codes, x.axis)) {
    return {status_code::shape_mismatch,
            "there is one codebook for the tensor, or one for each index along the axis", "levels"};
  }
  const index_t count = x.levels.extent(1);
  index_t position = 0;
  const bool known = for_each_element_while(x.codes, [&](std::uint8_t code, index_t i) {
    position = i;
    return index_t{code} < count;
  });
  if (!known) {
    return {status_code::out_of_range, "a code has no value in its codebook", "codes",
            position_kind::element, position};
  }
  detail::for_each_in_channels(
      detail::input(x.codes), detail::output(out), x.axis,
      [&](std::uint8_t code, float& to, index_t channel) { to = x.levels_of(channel)[code]; });
  return {};
}

/// The gradients of the centroids: of each, the sum over the weights that it stands for.
///
/// @param gradient  of the weights, the shape of the codes, any layout
/// @param out       the shape of the levels; receives the sums, taken in double
/// @return as `dequantize`
template <class E, class L, class T, class GE, class GL>
[[nodiscard]] status centroid_gradients(const codebook_view<E, L>& x,
                                        tensor_view<T, GE, GL> gradient,
                                        matrix_view<float> out) noexcept {
  static_assert(detail::is_float<T>, "pare: gradients are float");
  if (x.axis != per_tensor) PARE_RETURN_IF_ERROR(detail::check_axis(x.axis, E::rank()));
  PARE_RETURN_IF_ERROR(detail::check_same_shape(x.codes, gradient, "gradient"));
  PARE_RETURN_IF_ERROR(detail::check_same_shape(x.levels, out, "out"));
  if (x.levels.extent(0) != detail::channels_of(x.codes, x.axis)) {
    return {status_code::shape_mismatch,
            "there is one codebook for the tensor, or one for each index along the axis", "levels"};
  }
  auto sums = tensor<double, 2>::create(out.extents());
  if (!sums) return sums.error();
  bool known = true;
  detail::for_each_in_channels(detail::input(x.codes), detail::input(gradient), x.axis,
                               [&](std::uint8_t code, float g, index_t channel) {
                                 known = known && index_t{code} < out.extent(1);
                                 if (known) {
                                   (*sums)(channel, index_t{code}) += double{g};
                                 }
                               });
  if (!known) return {status_code::out_of_range, "a code has no value in its codebook", "codes"};
  for (index_t i = 0; i < sums->size(); ++i) {
    out.data_handle()[i] = static_cast<float>(sums->data()[i]);
  }
  return {};
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_CODEBOOK_HPP
