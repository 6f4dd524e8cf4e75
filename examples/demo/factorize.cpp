// In a file of its own: the solver for eigenvalues takes the compiler longer than all the rest.
#include <pare/factorize/svd.hpp>

#include <utility>

#include "stages.hpp"

namespace demo {

mlp factorize(const mlp& network, double energy) {
  pare::svd options;
  options.energy = energy;
  mlp thin;
  for (const dense& layer : network) {
    auto factors = pare::truncated_svd(layer.weight.view(), options).value();
    thin.push_back({std::move(factors.right), {}, pare::activation::none});
    thin.push_back({std::move(factors.left), layer.bias, layer.act});
  }
  return thin;
}

}  // namespace demo
