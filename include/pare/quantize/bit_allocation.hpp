// Mixed precision: one choice for each layer, such that the sum of errors is the least there is under
// a budget of bytes. Exact.
//
// A multiple-choice knapsack, solved by dynamic programming over undominated states (Dudzinski and
// Walukiewicz, "Exact methods for the knapsack problem and its generalizations", EJOR 28, 1987); states
// that a Lagrangian bound excludes are dropped.
#ifndef PARE_QUANTIZE_BIT_ALLOCATION_HPP
#define PARE_QUANTIZE_BIT_ALLOCATION_HPP

#include <algorithm>
#include <exception>
#include <limits>
#include <utility>
#include <vector>

#include <pare/core/checked.hpp>
#include <pare/core/rounding.hpp>
#include <pare/core/tensor.hpp>

namespace pare {

/// One way to quantize a layer.
struct bit_choice {
  int bits = 0;        ///< for the caller; the solver does not look at it
  index_t bytes = 0;   ///< not negative
  double error = 0.0;  ///< not negative, finite; errors of layers are summed
};

/// The best choice for each layer.
struct bit_allocation {
  tensor<index_t, 1> choices;  ///< [layers], indices of the layer's row of choices
  index_t bytes = 0;           ///< of all layers
  double error = 0.0;          ///< of all layers
};

namespace detail {
inline namespace PARE_ABI {

/// The solver; indices are those of a matrix of choices.
class bit_allocator {
 public:
  bit_allocator(matrix_view<const bit_choice> choices, index_t budget)
      : choices_(choices),
        layers_(choices.extent(0)),
        options_(choices.extent(1)),
        budget_(budget) {}

  /// Whether the budget is enough for the smallest choices; `solve` needs that.
  bool is_feasible() const { return smallest_from(0) <= budget_; }

  bit_allocation solve() {
    bound();
    std::vector<std::vector<state>> levels(static_cast<std::size_t>(layers_ + 1));
    levels[0].push_back({});
    for (index_t layer = 0; layer < layers_; ++layer) {
      levels[static_cast<std::size_t>(layer + 1)] =
          extend(levels[static_cast<std::size_t>(layer)], layer);
    }
    bit_allocation best;
    best.choices = tensor<index_t, 1>({layers_});
    // Undominated states fall in error as bytes rise: the last one is the best.
    const state& last = levels.back().back();
    best.bytes = last.bytes;
    best.error = last.error;
    std::size_t at = levels.back().size() - 1;
    for (index_t layer = layers_; layer-- > 0;) {
      const state& s = levels[static_cast<std::size_t>(layer + 1)][at];
      best.choices(layer) = s.choice;
      at = s.parent;
    }
    return best;
  }

 private:
  struct state {
    index_t bytes = 0;
    double error = 0.0;
    std::size_t parent = 0;
    index_t choice = 0;
  };

  double priced(index_t layer, double price, index_t& choice) const {
    double least = std::numeric_limits<double>::infinity();
    for (index_t o = 0; o < options_; ++o) {
      const bit_choice& c = choices_(layer, o);
      const double cost = c.error + price * static_cast<double>(c.bytes);
      if (cost < least || (cost == least && c.bytes < choices_(layer, choice).bytes)) {
        least = cost;
        choice = o;
      }
    }
    return least;
  }

  index_t smallest_from(index_t first) const {
    index_t sum = 0;
    for (index_t layer = first; layer < layers_; ++layer) {
      index_t least = choices_(layer, 0).bytes;
      for (index_t o = 1; o < options_; ++o) least = min(least, choices_(layer, o).bytes);
      sum += least;
    }
    return sum;
  }

  /// A price of a byte at which the budget is nearly spent, what is feasible there, and what the
  /// layers from each one on cost at the least.
  void bound() {
    rest_bytes_.assign(static_cast<std::size_t>(layers_ + 1), 0);
    rest_cost_.assign(static_cast<std::size_t>(layers_ + 1), 0.0);
    for (index_t layer = layers_; layer-- > 0;) {
      rest_bytes_[static_cast<std::size_t>(layer)] = smallest_from(layer);
    }
    const auto spend = [&](double price, double& error) {
      index_t bytes = 0;
      error = 0.0;
      for (index_t layer = 0; layer < layers_; ++layer) {
        index_t choice = 0;
        static_cast<void>(priced(layer, price, choice));
        bytes += choices_(layer, choice).bytes;
        error += choices_(layer, choice).error;
      }
      return bytes;
    };
    double total = 0.0, error = 0.0;
    for (index_t layer = 0; layer < layers_; ++layer) {
      for (index_t o = 0; o < options_; ++o) total += choices_(layer, o).error;
    }
    double low = 0.0, high = total + 1.0;  // at one byte's price of all errors, bytes decide
    most_error_ = std::numeric_limits<double>::infinity();
    if (spend(low, error) <= budget_) {
      most_error_ = error;
      high = low;
    } else if (spend(high, error) <= budget_) {
      most_error_ = error;
      for (int i = 0; i < 100; ++i) {
        const double middle = (low + high) / 2;
        if (spend(middle, error) <= budget_) {
          most_error_ = min(most_error_, error);
          high = middle;
        } else {
          low = middle;
        }
      }
    }
    price_ = high;
    for (index_t layer = layers_; layer-- > 0;) {
      index_t choice = 0;
      rest_cost_[static_cast<std::size_t>(layer)] =
          rest_cost_[static_cast<std::size_t>(layer + 1)] + priced(layer, price_, choice);
    }
  }

  /// Whether a state can still become better than what is known to be feasible.
  bool is_promising(const state& s, std::size_t next) const {
    if (s.bytes > budget_ - rest_bytes_[next]) return false;
    const double left = static_cast<double>(budget_ - s.bytes);
    const double least = s.error + rest_cost_[next] - price_ * left;
    // All three terms carry rounding errors of sums.
    return least <= most_error_ + 1e-9 * (most_error_ + rest_cost_[next] + price_ * left);
  }

  std::vector<state> extend(const std::vector<state>& from, index_t layer) const {
    std::vector<state> states;
    const auto next = static_cast<std::size_t>(layer + 1);
    for (std::size_t i = 0; i < from.size(); ++i) {
      for (index_t o = 0; o < options_; ++o) {
        const bit_choice& c = choices_(layer, o);
        const state s{from[i].bytes + c.bytes, from[i].error + c.error, i, o};
        if (is_promising(s, next)) states.push_back(s);
      }
    }
    std::sort(states.begin(), states.end(), [](const state& a, const state& b) {
      if (a.bytes != b.bytes) return a.bytes < b.bytes;
      if (a.error != b.error) return a.error < b.error;
      return a.parent != b.parent ? a.parent < b.parent : a.choice < b.choice;
    });
    std::vector<state> undominated;
    for (const state& s : states) {
      if (undominated.empty() || s.error < undominated.back().error) undominated.push_back(s);
    }
    return undominated;
  }

  matrix_view<const bit_choice> choices_;
  index_t layers_, options_, budget_;
  double price_ = 0.0, most_error_ = 0.0;
  std::vector<index_t> rest_bytes_;
  std::vector<double> rest_cost_;
};

}  // namespace PARE_ABI
}  // namespace detail

inline namespace PARE_ABI {

/// Chooses for each layer, so that the sum of errors is the least that `budget` bytes allow.
///
/// @param choices  [layers, options]; where a layer has fewer options, repeat one
/// @param budget   bytes for all layers
/// @return `empty`, `out_of_range` for a negative size or error or a budget below the smallest
///         choices, `non_finite` for an error, `overflow`, `out_of_memory`
///
/// Exponential at the worst, as the problem is; with a hundred layers of eight options, milliseconds.
[[nodiscard]] inline result<bit_allocation> allocate_bits(matrix_view<const bit_choice> choices,
                                                          index_t budget) noexcept {
  if (choices.empty()) return {status_code::empty, "there is nothing to choose from", "choices"};
  index_t most = 0;
  double total = 0.0;
  for (index_t i = 0; i < static_cast<index_t>(choices.size()); ++i) {
    const bit_choice& c = choices(i / choices.extent(1), i % choices.extent(1));
    if (!detail::is_finite(c.error)) {
      return {status_code::non_finite, "an error is a NaN or an infinity", "choices",
              position_kind::element, i};
    }
    if (c.bytes < 0 || c.error < 0.0) {
      return {status_code::out_of_range, "sizes and errors are not negative", "choices",
              position_kind::element, i};
    }
    total += c.error;
    if (!detail::checked_add(most, c.bytes, most) || !detail::is_finite(total)) {
      return {status_code::overflow, "the sum of bytes or errors does not fit", "choices"};
    }
  }
#if PARE_EXCEPTIONS
  try {
#endif
    detail::bit_allocator solver(choices, budget);
    if (!solver.is_feasible()) {
      return {status_code::out_of_range, "the smallest choices need more than the budget",
              "budget"};
    }
    return solver.solve();
#if PARE_EXCEPTIONS
  } catch (const std::exception&) {
    return {status_code::out_of_memory,
            "the host has not enough memory for the states of so many "
            "choices",
            "choices"};
  }
#endif
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_QUANTIZE_BIT_ALLOCATION_HPP
