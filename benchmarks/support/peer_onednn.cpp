#include "peers.hpp"

#ifdef PARE_BENCH_ONEDNN
#include <dlfcn.h>
#include <dnnl.hpp>

#include <cstring>
#include <memory>
#include <unordered_map>
#include <vector>
#endif

namespace pare_bench {

#ifdef PARE_BENCH_ONEDNN

std::string onednn_name() {
  const dnnl_version_t* v = dnnl_version();
  return "oneDNN " + std::to_string(v->major) + "." + std::to_string(v->minor);
}

std::function<void()> onednn(product_shape s, onednn_kind kind) try {
  // oneDNN with OpenMP: by its own function, since the runtime reads the environment before main.
  if (void* set_threads = dlsym(RTLD_DEFAULT, "omp_set_num_threads")) {
    reinterpret_cast<void (*)(int)>(set_threads)(1);
  }
  using dnnl::memory;
  using type = memory::data_type;
  using tag = memory::format_tag;
  struct state {
    dnnl::engine engine{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream{engine};
    dnnl::matmul primitive;
    memory a, w, c, scales;
    std::unordered_map<int, memory> arguments;
  };
  auto p = std::make_shared<state>();
  const type a_type = kind == onednn_kind::f32      ? type::f32
                      : kind == onednn_kind::u8_s32 ? type::u8
                                                    : type::s8;
  const type w_type = kind == onednn_kind::f32 ? type::f32 : type::s8;
  const type c_type = kind == onednn_kind::f32      ? type::f32
                      : kind == onednn_kind::u8_s32 ? type::s32
                                                    : type::s8;
  const memory::desc a_desc({s.m, s.k}, a_type, tag::ab), c_desc({s.m, s.n}, c_type, tag::ab);
  const memory::desc w_any({s.k, s.n}, w_type, tag::any), w_plain({s.k, s.n}, w_type, tag::ba);

  dnnl::primitive_attr attributes;
  const std::vector<float> scales(static_cast<std::size_t>(s.n), 0.001f);
#if DNNL_VERSION_MAJOR >= 3
  if (kind == onednn_kind::s8_s8) attributes.set_scales_mask(DNNL_ARG_WEIGHTS, 1 << 1);
  const dnnl::matmul::primitive_desc chosen(p->engine, a_desc, w_any, c_desc, attributes);
#else
  if (kind == onednn_kind::s8_s8) attributes.set_output_scales(1 << 1, scales);
  const dnnl::matmul::primitive_desc chosen(dnnl::matmul::desc(a_desc, w_any, c_desc), attributes,
                                            p->engine);
#endif
  p->primitive = dnnl::matmul(chosen);
  p->a = memory(a_desc, p->engine);
  p->c = memory(c_desc, p->engine);
  std::memset(p->a.get_data_handle(), 1, a_desc.get_size());
  memory plain(w_plain, p->engine);
  std::memset(plain.get_data_handle(), 1, w_plain.get_size());
  p->w = memory(chosen.weights_desc(), p->engine);
  dnnl::reorder(plain, p->w).execute(p->stream, plain, p->w);
  p->stream.wait();
  p->arguments = {{DNNL_ARG_SRC, p->a}, {DNNL_ARG_WEIGHTS, p->w}, {DNNL_ARG_DST, p->c}};
#if DNNL_VERSION_MAJOR >= 3
  if (kind == onednn_kind::s8_s8) {
    p->scales = memory(memory::desc({s.n}, type::f32, tag::a), p->engine);
    std::memcpy(p->scales.get_data_handle(), scales.data(), scales.size() * sizeof(float));
    p->arguments.emplace(DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS, p->scales);
  }
#endif
  return [p] {
    p->primitive.execute(p->stream, p->arguments);
    p->stream.wait();
  };
} catch (const dnnl::error&) {
  return {};
}

#else

std::string onednn_name() { return {}; }
std::function<void()> onednn(product_shape, onednn_kind) { return {}; }

#endif

}  // namespace pare_bench
