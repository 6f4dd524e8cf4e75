// Which channels of a network must go together: a removed channel leaves the layer that makes it,
// all that read it, and whatever it is added to.
//
// Fang et al., "DepGraph: towards any structural pruning", 2023, arXiv:2301.12900, with channels
// instead of layers as what depends on each other.
//
//     pare::channel_graph g;                                     // a residual block
//     const auto x = g.input(3);
//     const auto a = g.conv2d(x, 64);
//     const auto b = g.conv2d(g.batch_norm(a), 64);
//     const auto y = g.linear(g.flatten(g.add(a, b), 49), 10);
//     g.output(y);
//     g.score(a, scores_of_a.view()), g.score(b, scores_of_b.view());
//     const auto plan = g.plan(pare::amount::fraction(0.5), 16).value();
//     w_a = pare::narrow_weights(w_a.view(), plan[a]).value();   // and so on for every layer
#ifndef PARE_PRUNE_CHANNEL_GRAPH_HPP
#define PARE_PRUNE_CHANNEL_GRAPH_HPP

#include <initializer_list>
#include <numeric>
#include <utility>
#include <vector>

#include <pare/core/tensor.hpp>
#include <pare/prune/structured.hpp>
#include <pare/prune/surgery.hpp>

namespace pare {

/// What stays of one layer.
struct layer_plan {
  tensor<index_t, 1> outputs;  ///< indices along axis 0 of weights, bias and batch norm
  tensor<index_t, 1> inputs;   ///< indices along axis 1 of weights; within one group of a grouped
                               ///< convolution
};

/// How a flatten lays out the positions (height * width) of its channels.
enum class flatten_order : std::uint8_t {
  channels_first,  ///< those of one channel side by side: NCHW, as PyTorch trains
  channels_last,   ///< all channels of one position side by side: NHWC, as kernels run
};

/// Layers and how they read each other, as far as channels go. Small: one number a channel.
///
/// Nodes are numbered as they are made. What is wrong with a layer (channels that do not fit, a
/// node that does not exist) is kept, and returned by `check` and `plan`.
class channel_graph {
 public:
  using node = index_t;

  /// What the network reads. Its channels stay.
  node input(index_t channels) noexcept {
    const node n = producer(channels);
    output(n);
    return n;
  }

  /// Weights [out, channels of `from`].
  node linear(node from, index_t out) noexcept { return conv2d(from, out, 1); }

  /// Weights [out, channels of `from` / groups, kh, kw]. Channels of a grouped convolution stay or
  /// go in all groups at once, so that groups remain equally wide.
  node conv2d(node from, index_t out, index_t groups = 1) noexcept {
    if (!exists(from)) return failed_node();
    const index_t in = width(from);
    if (groups < 1 || in % groups != 0 || out % groups != 0) {
      fail(status_code::shape_mismatch, "the groups of a convolution are equally wide");
      return failed_node();
    }
    const node n = producer(out);
    if (!failure_) return n;
    nodes_[index(n)].from = from;
    nodes_[index(n)].groups = groups;
    tie_groups(channels(from), groups);
    tie_groups(channels(n), groups);
    return n;
  }

  /// Weights [channels of `from` * multiplier, 1, kh, kw]: each output stays with its input.
  node depthwise_conv2d(node from, index_t multiplier = 1) noexcept {
    index_t count = 0;
    if (!exists(from)) return failed_node();
    if (multiplier < 1 || !detail::checked_multiply(width(from), multiplier, count) ||
        count > most_channels) {
      fail(status_code::out_of_range, "a depthwise convolution multiplies channels by 1 or more");
      return failed_node();
    }
    const node n = follow(from, false);
    std::vector<index_t>& own = channels(n);
    own.resize(static_cast<std::size_t>(count));
    for (index_t c = 0; c < count; ++c) {
      own[index(c)] = channels(from)[index(c / multiplier)];
    }
    return n;
  }

  /// Parameters [channels of `from`], and whatever else treats channels alone: activations, pooling.
  node batch_norm(node from) noexcept { return exists(from) ? follow(from, true) : failed_node(); }

  /// Channel by channel: those at the same place stay or go together.
  node add(node a, node b) noexcept {
    if (!exists(a) || !exists(b)) return failed_node();
    if (width(a) != width(b)) {
      fail(status_code::shape_mismatch, "what is added has the same number of channels");
      return failed_node();
    }
    for (std::size_t c = 0; c < channels(a).size(); ++c) tie(channels(a)[c], channels(b)[c]);
    return follow(a, true);
  }

  /// One after the other along the channels.
  node concat(const std::vector<node>& from) noexcept {
    for (const node f : from) {
      if (!exists(f)) return failed_node();
    }
    std::vector<index_t> joined;
    for (const node f : from) joined.insert(joined.end(), channels(f).begin(), channels(f).end());
    nodes_.push_back({std::move(joined), -1, 1, {}});
    return last();
  }

  /// [channels * positions], for a linear layer behind a convolution.
  node flatten(node from, index_t positions,
               flatten_order order = flatten_order::channels_first) noexcept {
    index_t count = 0;
    if (!exists(from)) return failed_node();
    if (positions < 1 || !detail::checked_multiply(width(from), positions, count) ||
        count > most_channels) {
      fail(status_code::out_of_range, "a flatten has one position or more, and not too many");
      return failed_node();
    }
    const node n = follow(from, false);
    std::vector<index_t>& own = channels(n);
    own.resize(static_cast<std::size_t>(count));
    for (index_t i = 0; i < count; ++i) {
      const index_t c = order == flatten_order::channels_first ? i / positions : i % width(from);
      own[index(i)] = channels(from)[index(c)];
    }
    return n;
  }

  /// What the network gives: its channels stay.
  void output(node n) noexcept {
    if (!exists(n)) return;
    for (const index_t c : channels(n)) variables_[index(c)].is_fixed = true;
  }

  /// Scores of a layer's outputs, such as `channel_norms(w.view(), 0, norm::l2)`. Scores of channels
  /// that go together are added; channels of which none has a score stay.
  ///
  /// @return `out_of_range` for the node, `shape_mismatch`, `empty`, `non_finite`
  template <class S, class E, class L>
  [[nodiscard]] status score(node n, tensor_view<S, E, L> scores) noexcept {
    static_assert(E::rank() == 1, "pare: scores are a vector");
    if (n < 0 || n >= static_cast<index_t>(nodes_.size())) {
      return {status_code::out_of_range, "there is no such node", "node"};
    }
    if (static_cast<index_t>(scores.extent(0)) != width(n)) {
      return {status_code::shape_mismatch, "there is one score for each channel", "scores"};
    }
    PARE_RETURN_IF_ERROR(detail::check_prunable(scores, "scores"));
    std::vector<double>& own = nodes_[index(n)].scores;
    own.resize(index(width(n)));
    for (index_t c = 0; c < width(n); ++c) own[index(c)] = detail::to_double(scores(c));
    return {};
  }

  /// What went wrong first while the graph was made.
  [[nodiscard]] pare::status check() const noexcept { return failure_; }

  /// Channels that a node has now.
  index_t width(node n) const noexcept {
    return static_cast<index_t>(nodes_[index(n)].channels.size());
  }

  /// Takes `pruned` out of each set of layers that are tied to each other, lowest score first.
  ///
  /// @param pruned    `amount::fraction(f)` of, or `amount::count(n)` from the channels of each set
  ///                  that have scores and may go
  /// @param multiple  of which the number of channels that stay is to be, because kernels work on
  ///                  that many at once; at least 1. Fewer are pruned then, never more, and at
  ///                  least one channel stays
  /// @return one plan for each node; the error of `check`, `invalid_argument`, `out_of_range`,
  ///         `out_of_memory`
  [[nodiscard]] result<std::vector<layer_plan>> plan(amount pruned,
                                                     index_t multiple = 1) const noexcept {
    PARE_RETURN_IF_ERROR(failure_);
    if (multiple < 1) {
      return {status_code::invalid_argument, "channels come in multiples of 1 or more", "multiple"};
    }
    const std::size_t count = variables_.size();
    std::vector<double> sums(count, 0.0);        // of scores, by root
    std::vector<std::uint8_t> scored(count, 0);  // by root
    std::vector<std::uint8_t> stays(count, 1);   // by root
    std::vector<std::uint8_t> fixed(count, 0);   // by root
    for (std::size_t v = 0; v < count; ++v) {
      if (variables_[v].is_fixed) fixed[index(find(static_cast<index_t>(v)))] = 1;
    }
    for (const layer& l : nodes_) {
      for (std::size_t c = 0; c < l.scores.size(); ++c) {
        const index_t root = find(l.channels[c]);
        sums[index(root)] += l.scores[c];
        scored[index(root)] = 1;
      }
    }
    // The sets, each with its roots in the order of their first channel.
    std::vector<std::vector<index_t>> sets(count);
    for (std::size_t v = 0; v < count; ++v) {
      const index_t root = find(static_cast<index_t>(v));
      if (root == static_cast<index_t>(v)) sets[index(find_set(root))].push_back(root);
    }
    for (const std::vector<index_t>& set : sets) {
      PARE_RETURN_IF_ERROR(prune_set(set, pruned, multiple, sums, scored, fixed, stays));
    }

    std::vector<layer_plan> plans(nodes_.size());
    for (std::size_t n = 0; n < nodes_.size(); ++n) {
      const layer& l = nodes_[n];
      auto outputs = kept_of(l.channels, l.channels.size(), stays);
      if (!outputs) return outputs.error();
      plans[n].outputs = *std::move(outputs);
      if (l.from < 0) continue;
      const std::vector<index_t>& read = nodes_[index(l.from)].channels;
      auto inputs = kept_of(read, read.size() / index(l.groups), stays);
      if (!inputs) return inputs.error();
      plans[n].inputs = *std::move(inputs);
    }
    return plans;
  }

 private:
  /// A channel that some layer makes.
  struct variable {
    mutable index_t parent;  ///< of the channels that stay or go with it
    index_t producer;        ///< the layer that makes it
    bool is_fixed;
  };
  struct layer {
    std::vector<index_t> channels;  ///< the variable behind each
    node from = -1;                 ///< whose channels axis 1 of the weights reads
    index_t groups = 1;
    std::vector<double> scores;  ///< of each channel, or empty
  };

  static constexpr index_t most_channels = index_t{1} << 28;

  static constexpr std::size_t index(index_t i) noexcept { return static_cast<std::size_t>(i); }
  node last() const noexcept { return static_cast<node>(nodes_.size()) - 1; }
  std::vector<index_t>& channels(node n) noexcept { return nodes_[index(n)].channels; }

  void fail(status_code code, const char* message) noexcept {
    if (failure_) failure_ = {code, message, "graph", position_kind::element, last() + 1};
  }
  /// A node without channels, so that the numbers of the next ones stay right.
  node failed_node() noexcept {
    nodes_.push_back({});
    return last();
  }
  bool exists(node n) noexcept {
    if (n >= 0 && n <= last()) return true;
    fail(status_code::out_of_range, "there is no such node");
    return false;
  }

  /// A layer with channels of its own.
  node producer(index_t count) noexcept {
    if (count < 1 || count > most_channels) {
      fail(status_code::out_of_range, "a layer has at least one channel, and not too many");
      return failed_node();
    }
    nodes_.push_back({});
    const auto set = static_cast<index_t>(set_parents_.size());
    set_parents_.push_back(set);
    for (index_t c = 0; c < count; ++c) {
      const auto v = static_cast<index_t>(variables_.size());
      variables_.push_back({v, set, false});
      nodes_.back().channels.push_back(v);
    }
    return last();
  }
  /// A layer that has the channels of another one.
  node follow(node from, bool copies) noexcept {
    layer l;
    if (copies) l.channels = channels(from);
    nodes_.push_back(std::move(l));
    return last();
  }

  static index_t find_in(const std::vector<index_t>& parents, index_t i) noexcept {
    while (parents[index(i)] != i) i = parents[index(i)];
    return i;
  }
  index_t find(index_t v) const noexcept {
    index_t root = v;
    while (variables_[index(root)].parent != root) root = variables_[index(root)].parent;
    while (v != root) v = std::exchange(variables_[index(v)].parent, root);
    return root;
  }
  index_t find_set(index_t v) const noexcept {
    return find_in(set_parents_, variables_[index(v)].producer);
  }
  /// The lower variable becomes the root.
  void tie(index_t a, index_t b) noexcept {
    const index_t set_a = find_set(a), set_b = find_set(b);
    set_parents_[index(detail::max(set_a, set_b))] = detail::min(set_a, set_b);
    const index_t root_a = find(a), root_b = find(b);
    variables_[index(detail::max(root_a, root_b))].parent = detail::min(root_a, root_b);
  }
  void tie_groups(const std::vector<index_t>& of, index_t groups) noexcept {
    const std::size_t wide = of.size() / index(groups);
    for (std::size_t c = wide; c < of.size(); ++c) tie(of[c % wide], of[c]);
  }

  /// How many channels of the layer that makes the first one of a set stay or go with it.
  index_t channels_of(index_t root) const noexcept {
    const index_t first = variables_[index(root)].producer;
    index_t count = 0;
    for (std::size_t v = 0; v < variables_.size(); ++v) {
      if (variables_[v].producer != first) continue;
      count += find(static_cast<index_t>(v)) == root ? 1 : 0;
    }
    return count;
  }

  [[nodiscard]] pare::status prune_set(const std::vector<index_t>& set, amount pruned,
                                       index_t multiple, const std::vector<double>& sums,
                                       const std::vector<std::uint8_t>& scored,
                                       const std::vector<std::uint8_t>& fixed,
                                       std::vector<std::uint8_t>& stays) const noexcept {
    std::vector<index_t> roots;
    std::vector<double> scores;
    for (const index_t root : set) {
      if (fixed[index(root)] != 0 || scored[index(root)] == 0) continue;
      roots.push_back(root);
      scores.push_back(sums[index(root)]);
    }
    const auto candidates = static_cast<index_t>(roots.size());
    if (candidates == 0) return {};
    const result<index_t> count = pruned.of(candidates);
    if (!count) return count.error();

    const auto total = static_cast<index_t>(set.size());
    const index_t step = multiple / std::gcd(multiple, channels_of(roots.front()));
    const index_t left =
        detail::min(detail::round_up(detail::max<index_t>(total - *count, 1), step), total);
    const auto stay = keep_channels(view(scores.data(), candidates), amount::count(total - left));
    if (!stay) return stay.error();
    for (const index_t root : roots) stays[index(root)] = 0;
    for (const index_t c : *stay) stays[index(roots[index(c)])] = 1;
    return {};
  }

  result<tensor<index_t, 1>> kept_of(const std::vector<index_t>& of, std::size_t count,
                                     const std::vector<std::uint8_t>& stays) const noexcept {
    std::vector<index_t> kept;
    for (std::size_t c = 0; c < count; ++c) {
      if (stays[index(find(of[c]))] != 0) kept.push_back(static_cast<index_t>(c));
    }
    return tensor<index_t, 1>::copy_of(view(kept.data(), static_cast<index_t>(kept.size())));
  }

  std::vector<layer> nodes_;
  std::vector<variable> variables_;
  std::vector<index_t> set_parents_;  ///< of sets of layers that are tied to each other
  pare::status failure_;
};

inline namespace PARE_ABI {

/// What stays of a layer's weights: [out, in, ...], or [out, 1, ...] of a depthwise convolution.
///
/// @return as `keep_slices`
template <class T, class E, class L>
[[nodiscard]] result<tensor<std::remove_const_t<T>, E::rank()>> narrow_weights(
    tensor_view<T, E, L> weights, const layer_plan& plan) noexcept {
  static_assert(E::rank() >= 2, "pare: weights are [out, in, ...]");
  auto outputs = keep_slices(weights, 0, plan.outputs.view());
  // A depthwise convolution reads each channel alone.
  if (!outputs || plan.inputs.empty()) return outputs;
  return keep_slices(outputs->view(), 1, plan.inputs.view());
}

/// What stays of a bias, or of a batch norm's scale, shift, mean or variance.
template <class T, class E, class L>
[[nodiscard]] result<tensor<std::remove_const_t<T>, 1>> narrow_vector(
    tensor_view<T, E, L> vector, const layer_plan& plan) noexcept {
  static_assert(E::rank() == 1, "pare: one number a channel");
  return keep_slices(vector, 0, plan.outputs.view());
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_PRUNE_CHANNEL_GRAPH_HPP
