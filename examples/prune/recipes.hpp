// Ways to prune a network that is being trained, on any list of weight matrices.
#ifndef PARE_EXAMPLES_PRUNE_RECIPES_HPP
#define PARE_EXAMPLES_PRUNE_RECIPES_HPP

#include <functional>
#include <string>
#include <vector>

#include <pare/format/bcsr.hpp>
#include <pare/prune/blocks.hpp>
#include <pare/prune/magnitude.hpp>
#include <pare/prune/n_m.hpp>
#include <pare/prune/schedule.hpp>

#include "../demo/network.hpp"

namespace demo {

/// The weights [out, in] of a layer that is pruned, and its mask.
using pruned_layer =
    pare::masked_weights<pare::matrix_view<const float>, pare::matrix_view<std::uint8_t>>;
using pruned_layers = std::vector<pruned_layer>;

/// What is pruned, and how much of it in the end.
struct recipe {
  std::string name, file;
  double sparsity = 0;
  pare::bcsr_shape stored;  ///< the blocks of what stays
  /// Makes masks that are `sparsity` sparse out of those there are.
  std::function<void(const pruned_layers&, double sparsity)> prune;
};

/// The smallest weights, wherever they are.
inline recipe unstructured(double sparsity) {
  return {"90 % of the weights",
          "90-percent",
          sparsity,
          {1, 1, 0},
          [](const pruned_layers& layers, double wanted) {
            pare::index_t kept = 0, all = 0;
            for (const pruned_layer& l : layers) {
              kept += pare::kept(l.mask);
              all += static_cast<pare::index_t>(l.mask.size());
            }
            const auto pruned = pare::amount_to_reach(wanted, kept, all).value();
            check(pare::prune_magnitude_globally(pruned, layers));
          }};
}

/// The weakest 4x4 blocks of each layer.
inline recipe blocks(double sparsity) {
  return {"75 % of 4x4 blocks",
          "75-percent-4x4",
          sparsity,
          {4, 1, 0},
          [](const pruned_layers& layers, double wanted) {
            for (const pruned_layer& l : layers) {
              // As many blocks as bring this layer there: all of them are equally large.
              const double left = 1 - pare::sparsity(l.mask);
              const double share = left > 0 ? 1 - (1 - wanted) / left : 0;
              check(pare::prune_blocks(l.weights, {4, 4}, pare::norm::l2,
                                       pare::amount::fraction(share > 0 ? share : 0), l.mask));
            }
          }};
}

/// Two of four; there is no half way.
inline recipe two_of_four() {
  return {"2:4", "2-of-4", 0.5, {1, 1, 0}, [](const pruned_layers& layers, double wanted) {
            if (wanted < 0.5) return;
            for (const pruned_layer& l : layers) {
              check(pare::prune_magnitude_n_m(l.weights, {2, 4}, l.mask));
            }
          }};
}

}  // namespace demo

#endif  // PARE_EXAMPLES_PRUNE_RECIPES_HPP
