#include <Eigen/Core>
#include <Eigen/SparseCore>
#include <memory>

#include "sparse_peers.hpp"

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

std::function<void()> eigen_sparse_f32(product_shape s, const float* w) {
  using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  struct state {
    Eigen::SparseMatrix<float, Eigen::RowMajor> w;
    matrix a, c;
  };
  auto p = std::make_shared<state>();
  p->w = Eigen::Map<const matrix>(w, s.n, s.k).sparseView();
  p->a = matrix::Random(s.k, s.m);
  p->c = matrix::Zero(s.n, s.m);
  return [p] { p->c.noalias() = p->w * p->a; };
}

}  // namespace pare_bench
