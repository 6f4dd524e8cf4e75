#include "sparse_peers.hpp"

#ifdef PARE_BENCH_LIBXSMM
#include <libxsmm.h>

#include <memory>
#include <vector>
#endif

namespace pare_bench {

#ifdef PARE_BENCH_LIBXSMM

std::function<void()> libxsmm_sparse_f32(product_shape s, const float* w) {
  struct state {
    libxsmm_spmdm_handle handle{};
    libxsmm_CSR_sparseslice* slices = nullptr;
    std::vector<float> b, c;
    ~state() { libxsmm_spmdm_destroy(&handle); }
  };
  auto p = std::make_shared<state>();
  p->b.assign(static_cast<std::size_t>(s.k * s.m), 1.0f);
  p->c.resize(static_cast<std::size_t>(s.n * s.m));
  libxsmm_init();
  libxsmm_spmdm_init(static_cast<int>(s.n), static_cast<int>(s.m), static_cast<int>(s.k), 1,
                     &p->handle, &p->slices);
  const int blocks = libxsmm_spmdm_get_num_createSparseSlice_blocks(&p->handle);
  for (int i = 0; i < blocks; ++i)
    libxsmm_spmdm_createSparseSlice_fp32_thread(&p->handle, 'N', w, p->slices, i, 0, 1);
  return [p] {
    const float alpha = 1, beta = 0;
    const int parts = libxsmm_spmdm_get_num_compute_blocks(&p->handle);
    for (int i = 0; i < parts; ++i) {
      libxsmm_spmdm_compute_fp32_thread(&p->handle, 'N', 'N', &alpha, p->slices, p->b.data(), 'N',
                                        &beta, p->c.data(), i, 0, 1);
    }
  };
}

#else

std::function<void()> libxsmm_sparse_f32(product_shape, const float*) { return {}; }

#endif

}  // namespace pare_bench
