#include "conv_peers.hpp"

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

std::function<void()> onednn_conv(const conv_shape& s, conv_source source) try {
  // oneDNN with OpenMP: by its own function, since the runtime reads the environment before main.
  if (void* set_threads = dlsym(RTLD_DEFAULT, "omp_set_num_threads")) {
    reinterpret_cast<void (*)(int)>(set_threads)(1);
  }
  using dnnl::memory;
  using type = memory::data_type;
  using tag = memory::format_tag;
  using convolution = dnnl::convolution_forward;
  struct state {
    dnnl::engine engine{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream{engine};
    convolution primitive;
    memory x, w, y, bias, scales;
    std::unordered_map<int, memory> arguments;
  };
  auto p = std::make_shared<state>();
  const memory::desc x_desc({1, s.in_channels, s.height, s.width},
                            source == conv_source::s8 ? type::s8 : type::u8, tag::nhwc);
  const memory::desc y_desc({1, s.out_channels, s.out_height(), s.out_width()}, type::s8,
                            tag::nhwc);
  const memory::dims w_dims = s.depthwise
                                  ? memory::dims{s.out_channels, 1, 1, s.window, s.window}
                                  : memory::dims{s.out_channels, s.in_channels, s.window, s.window};
  const memory::desc w_any(w_dims, type::s8, tag::any);
  const memory::desc w_plain(w_dims, type::s8, s.depthwise ? tag::goihw : tag::oihw);
  const memory::desc bias_desc({s.out_channels}, type::s32, tag::a);
  const memory::dims strides{s.stride, s.stride}, padding{s.padding, s.padding};

  dnnl::primitive_attr attributes;
  const std::vector<float> scales(static_cast<std::size_t>(s.out_channels), 0.001f);
#if DNNL_VERSION_MAJOR >= 3
  attributes.set_scales_mask(DNNL_ARG_WEIGHTS, s.depthwise ? 3 : 1);
  const convolution::primitive_desc chosen(
      p->engine, dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, x_desc,
      w_any, bias_desc, y_desc, strides, padding, padding, attributes);
#else
  attributes.set_output_scales(1 << 1, scales);
  const convolution::primitive_desc chosen(
      convolution::desc(dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
                        x_desc, w_any, bias_desc, y_desc, strides, padding, padding),
      attributes, p->engine);
#endif
  p->primitive = convolution(chosen);
  p->x = memory(x_desc, p->engine);
  p->y = memory(y_desc, p->engine);
  p->bias = memory(bias_desc, p->engine);
  std::memset(p->x.get_data_handle(), 1, x_desc.get_size());
  std::memset(p->bias.get_data_handle(), 0, bias_desc.get_size());
  memory plain(w_plain, p->engine);
  std::memset(plain.get_data_handle(), 1, w_plain.get_size());
  p->w = memory(chosen.weights_desc(), p->engine);
  dnnl::reorder(plain, p->w).execute(p->stream, plain, p->w);
  p->stream.wait();
  p->arguments = {{DNNL_ARG_SRC, p->x},
                  {DNNL_ARG_WEIGHTS, p->w},
                  {DNNL_ARG_BIAS, p->bias},
                  {DNNL_ARG_DST, p->y}};
#if DNNL_VERSION_MAJOR >= 3
  p->scales = memory(memory::desc({s.out_channels}, type::f32, tag::a), p->engine);
  std::memcpy(p->scales.get_data_handle(), scales.data(), scales.size() * sizeof(float));
  p->arguments.emplace(DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS, p->scales);
#endif
  return [p] {
    p->primitive.execute(p->stream, p->arguments);
    p->stream.wait();
  };
} catch (const dnnl::error&) {
  return {};
}

#else

std::function<void()> onednn_conv(const conv_shape&, conv_source) { return {}; }

#endif

}  // namespace pare_bench
