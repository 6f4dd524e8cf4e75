#include <Eigen/Core>
#include <memory>

#include "peers.hpp"

namespace pare_bench {

std::function<void()> eigen_f32(product_shape s) {
  using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  struct state {
    matrix a, w, c;
  };
  Eigen::setNbThreads(1);
  auto p = std::make_shared<state>();
  p->a = matrix::Random(s.m, s.k);
  p->w = matrix::Random(s.n, s.k);
  p->c = matrix::Zero(s.m, s.n);
  return [p] { p->c.noalias() = p->a * p->w.transpose(); };
}

}  // namespace pare_bench
