#include "peers.hpp"
#include "sparse_peers.hpp"

#ifdef PARE_BENCH_XNNPACK
#include <xnnpack.h>

#include <limits>
#include <memory>
#include <vector>
#endif

namespace pare_bench {

#ifdef PARE_BENCH_XNNPACK

std::function<void()> xnnpack_s8(product_shape s) {
  struct state {
    xnn_operator_t op = nullptr;
    std::vector<std::int8_t> a, w, c;
    ~state() { xnn_delete_operator(op); }
  };
  if (xnn_initialize(nullptr) != xnn_status_success) return {};
  const auto m = static_cast<std::size_t>(s.m), n = static_cast<std::size_t>(s.n),
             k = static_cast<std::size_t>(s.k);
  auto p = std::make_shared<state>();
  // It may read up to 16 bytes beyond its inputs.
  p->a.assign(m * k + XNN_EXTRA_BYTES, 1);
  p->w.assign(n * k, 1);
  p->c.resize(m * n + XNN_EXTRA_BYTES);
  const std::vector<std::int32_t> bias(n, 0);
  if (xnn_create_fully_connected_nc_qs8(k, n, k, n, 3, 0.05f, 0.001f, p->w.data(), bias.data(), -4,
                                        0.5f, -128, 127, 0, &p->op) != xnn_status_success) {
    return {};
  }
  if (xnn_setup_fully_connected_nc_qs8(p->op, m, p->a.data(), p->c.data(), nullptr) !=
      xnn_status_success) {
    return {};
  }
  return [p] { xnn_run_operator(p->op, nullptr); };
}

std::function<void()> xnnpack_sparse_f32(product_shape s, const float* w) {
  struct state {
    xnn_operator_t op = nullptr;
    std::vector<float> a, c;
    ~state() { xnn_delete_operator(op); }
  };
  if (xnn_initialize(nullptr) != xnn_status_success) return {};
  const auto m = static_cast<std::size_t>(s.m), n = static_cast<std::size_t>(s.n),
             k = static_cast<std::size_t>(s.k);
  auto p = std::make_shared<state>();
  p->a.assign(m * k + XNN_EXTRA_BYTES / sizeof(float), 1.0f);
  p->c.resize(m * n + XNN_EXTRA_BYTES / sizeof(float));
  constexpr float all = std::numeric_limits<float>::infinity();
  if (xnn_create_convolution2d_nchw_f32(0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, k, n, k, n, w, nullptr,
                                        -all, all, 0, &p->op) != xnn_status_success ||
      xnn_setup_convolution2d_nchw_f32(p->op, 1, m, 1, p->a.data(), p->c.data(), nullptr) !=
          xnn_status_success) {
    return {};
  }
  return [p] { xnn_run_operator(p->op, nullptr); };
}

#else

std::function<void()> xnnpack_s8(product_shape) { return {}; }
std::function<void()> xnnpack_sparse_f32(product_shape, const float*) { return {}; }

#endif

}  // namespace pare_bench
