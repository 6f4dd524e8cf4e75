// Every function of the target tier, instantiated without exceptions and RTTI: check.py looks at
// what this object needs from the outside. Compiled for Cortex-M as well.
#include <pare/inference.hpp>

#include "../io/small_network.hpp"

namespace {

template <class View>
pare::index_t sum_of_extents(const View& v) {
  pare::index_t sum = 0;
  for (std::size_t r = 0; r < View::rank(); ++r) sum += static_cast<pare::index_t>(v.extent(r));
  return sum;
}

}  // namespace

pare::index_t use_views(float* data, pare::index_t rows, pare::index_t columns) {
  const auto m = pare::view(data, rows, columns);
  const auto part = pare::subview(m, pare::range{0, rows / 2}, pare::strided_range{0, columns, 2});
  pare::for_each_element(part, [](float& x, pare::index_t i) { x += static_cast<float>(i); });
  pare::for_each_pair(part, part, [](float& a, const float& b, pare::index_t) { a *= b; });
  return sum_of_extents(pare::transposed(m)) + sum_of_extents(part);
}

std::int32_t use_fixed_point(pare::requantization rule, std::int32_t acc, double factor) {
  return pare::requantize(rule, acc, static_cast<float>(factor),
                          pare::make_fixed_multiplier(factor), 3, -128, 127);
}

float use_small_floats(float x) {
  return static_cast<float>(pare::half(x)) + static_cast<float>(pare::bfloat16(x));
}

float use_minifloats(float x) {
  return static_cast<float>(pare::float8_e4m3(x)) +
         static_cast<float>(pare::float8_e5m2::overflowing(x)) +
         static_cast<float>(pare::float4_e2m1(x));
}

float use_block_formats(const pare::nf4_view& nf4, const pare::mx_view& mx, float* out) {
  pare::ggml::decode(pare::ggml::q8_0(), out);
  pare::ggml::decode(pare::ggml::q4_0(), out);
  pare::ggml::decode(pare::ggml::q4_1(), out);
  pare::ggml::decode(pare::ggml::q4_k(), out);
  pare::ggml::decode(pare::ggml::q6_k(), out);
  pare::ggml::decode(pare::ggml::tq2_0(), out);
  pare::ggml::decode(pare::ggml::mxfp4(), out);
  return nf4.value(0) + mx.value(0, 0) + static_cast<float>(pare::nf4_code(*out)) +
         static_cast<float>(pare::encode_scaled(mx.kind, pare::mx_scale(mx.kind, *out), *out));
}

pare::result<pare::index_t> use_results(pare::workspace scratch, pare::index_t count) {
  const float* taken = scratch.take<float>(count);
  if (taken == nullptr) return {pare::status_code::workspace_too_small, "too small", "scratch"};
  return count;
}

pare::status use_csr(const pare::csr_view<float>& w) { return pare::validate(w, w.nonzeros()); }

pare::result<pare::packed_linear_view> use_pack(pare::matrix_view<const std::int8_t> codes,
                                                pare::vector_view<const float> scales,
                                                pare::vector_view<const float> bias,
                                                pare::workspace memory) {
  const pare::affine_view<std::int8_t, pare::dextents<pare::index_t, 2>> w{codes, scales, {}, 0};
  if (const auto size = pare::packed_linear_size(codes.extent(0), codes.extent(1)); !size) {
    return size.error();
  }
  return pare::pack_linear(w, bias, pare::linear_options{}, memory);
}

template <class X, class Y>
pare::status run(const X* x, const pare::packed_linear_view& layer, Y* y, pare::index_t rows,
                 pare::workspace scratch) {
  return pare::linear(pare::view(x, rows, layer.in_features), layer,
                      pare::view(y, rows, layer.out_features), scratch);
}

pare::status use_low_bit(const std::int8_t* x, const float* x_f32, std::int8_t* y, float* y_f32,
                         const pare::affine_view<std::int8_t, pare::dextents<pare::index_t, 2>>& w,
                         pare::vector_view<const float> bias, pare::workspace memory) {
  const auto layer =
      pare::pack_low_bit_linear(w, pare::low_bit::s4, bias, pare::linear_options{}, memory);
  if (!layer) return layer.error();
  const pare::index_t in = layer->base.in_features, out = layer->base.out_features;
  PARE_RETURN_IF_ERROR(pare::linear(pare::view(x, 1, in), *layer, pare::view(y, 1, out)));
  return pare::linear(pare::view(x_f32, 1, in), *layer, pare::view(y_f32, 1, out));
}

struct buffers {
  float* f32;
  std::int32_t* s32;
  std::int8_t* s8;
  std::uint8_t* u8;
};

pare::status use_linear(buffers x, const pare::packed_linear_view& layer, buffers y,
                        pare::index_t rows, pare::workspace scratch) {
  PARE_RETURN_IF_ERROR(pare::linear_workspace_size(layer.in_features, rows).status());
  PARE_RETURN_IF_ERROR(run(x.f32, layer, y.f32, rows, scratch));
  PARE_RETURN_IF_ERROR(run(x.s8, layer, y.s32, rows, scratch));
  PARE_RETURN_IF_ERROR(run(x.s8, layer, y.f32, rows, scratch));
  PARE_RETURN_IF_ERROR(run(x.s8, layer, y.s8, rows, scratch));
  PARE_RETURN_IF_ERROR(run(x.s8, layer, y.u8, rows, scratch));
  PARE_RETURN_IF_ERROR(run(x.u8, layer, y.s32, rows, scratch));
  PARE_RETURN_IF_ERROR(run(x.u8, layer, y.f32, rows, scratch));
  PARE_RETURN_IF_ERROR(run(x.u8, layer, y.s8, rows, scratch));
  return run(x.u8, layer, y.u8, rows, scratch);
}

pare::status use_grouped(const float* x, float* y,
                         const pare::grouped_view<pare::half, pare::dextents<pare::index_t, 2>>& w,
                         pare::vector_view<const float> bias, pare::workspace memory,
                         pare::workspace scratch) {
  PARE_RETURN_IF_ERROR(pare::packed_grouped_linear_size(w, 4).status());
  const auto layer = pare::pack_grouped_linear(w, 4, bias, {}, memory);
  if (!layer) return layer.error();
  PARE_RETURN_IF_ERROR(pare::grouped_linear_workspace_size(*layer, 1).status());
  return pare::linear(pare::view(x, 1, layer->in_features), *layer,
                      pare::view(y, 1, layer->out_features), scratch);
}

pare::status use_sparse_and_low_rank(const float* x, const pare::csr_view<float>& sparse,
                                     const pare::low_rank_view<float>& factors, float* y,
                                     pare::index_t rows, pare::workspace scratch) {
  PARE_RETURN_IF_ERROR(pare::linear(pare::view(x, rows, sparse.columns), sparse, {},
                                    pare::view(y, rows, sparse.rows)));
  PARE_RETURN_IF_ERROR(pare::low_rank_workspace_size(factors.rank(), rows).status());
  return pare::linear(pare::view(x, rows, factors.in_features()), factors, {},
                      pare::view(y, rows, factors.out_features()), scratch, pare::activation::relu);
}

void use_parallel(float* data, pare::index_t n) {
  pare::serial{}(n, [&](pare::index_t i) { data[i] = 0; });
}

pare::status use_image(const void* bytes, pare::index_t size, const std::int8_t* x, std::int8_t* y,
                       pare::workspace memory) {
  const auto image = pare::open_image(bytes, size);
  if (!image) return image.error();
  const auto layer = image->layer<pare::packed_linear_view>("fc");
  if (!layer) return layer.error();
  const auto repacked = pare::repack(*layer, pare::active_isa(), memory);
  if (!repacked) return repacked.error();
  const pare::sequential net(pare::feature_shape{1, 1, layer->in_features}, *repacked);
  PARE_RETURN_IF_ERROR(net.arena_size().status());
  return net.run(pare::view(x, 1, layer->in_features), pare::view(y, 1, layer->out_features),
                 memory);
}

pare::packed_linear_view use_static_linear() {
  static constexpr float weights[2][3] = {{0.5f, -0.25f, 1.0f}, {-1.0f, 0.75f, 0.125f}};
  static constexpr auto layer = pare::make_static_linear(weights).value();
  return layer.view();
}

// Written layers are constants, and so are the bytes that they need while they run: a buffer that is
// too small does not compile.

namespace {

namespace written = pare_test::written;

template <pare::index_t Bytes>
struct scratch_memory {
  static_assert(Bytes >= 0);  // sparse layers need none where code is plain C++
  alignas(
      pare::workspace_alignment) std::byte bytes[static_cast<std::size_t>(Bytes > 0 ? Bytes : 1)];
};

constexpr pare::index_t of_linear =
    pare::linear_workspace_size(written::fc_f32.in_features, 1).value();
constexpr pare::index_t of_grouped =
    pare::grouped_linear_workspace_size(written::fc_grouped, 1).value();
constexpr pare::index_t of_sparse =
    pare::sparse_linear_workspace_size(written::fc_sparse, 1).value();
constexpr pare::index_t of_pruned =
    pare::sparse_linear_workspace_size(written::fc_pruned, 1).value();
constexpr pare::index_t of_low_rank =
    pare::low_rank_workspace_size(written::fc_low_rank.rank(), 1).value();
constexpr pare::index_t of_conv = pare::conv2d_workspace_size(written::conv, 8, 8).value();
constexpr pare::index_t of_panels = pare::activation_panels_size<std::int8_t>(1, 22).value();
static_assert(pare::grouped_linear_workspace_size(written::fc_grouped_s8, 1).value() == 0);

}  // namespace

pare::status use_written(const float* x, const std::int8_t* codes, float* y, std::int8_t* out) {
  scratch_memory<of_linear> linear;
  scratch_memory<of_grouped> grouped;
  scratch_memory<of_sparse> sparse;
  scratch_memory<of_pruned> pruned;
  scratch_memory<of_low_rank> low_rank;
  scratch_memory<of_conv> conv;
  scratch_memory<of_panels> panels;
  PARE_RETURN_IF_ERROR(
      pare::linear(pare::view(x, 1, 12), written::fc_f32, pare::view(y, 1, 5), linear.bytes));
  PARE_RETURN_IF_ERROR(
      pare::linear(pare::view(x, 1, 40), written::fc_grouped, pare::view(y, 1, 6), grouped.bytes));
  PARE_RETURN_IF_ERROR(
      pare::linear(pare::view(x, 1, 70), written::fc_grouped_s8, pare::view(y, 1, 3)));
  PARE_RETURN_IF_ERROR(pare::linear(pare::view(codes, 1, 22), written::fc_sparse,
                                    pare::view(y, 1, 18), sparse.bytes));
  PARE_RETURN_IF_ERROR(pare::linear(pare::view(x, 1, 10), written::fc_pruned, {},
                                    pare::view(y, 1, 6), pruned.bytes));
  PARE_RETURN_IF_ERROR(pare::linear(pare::view(x, 1, 7), written::fc_low_rank, written::bias,
                                    pare::view(y, 1, 5), low_rank.bytes));
  PARE_RETURN_IF_ERROR(pare::pack_activations(pare::view(codes, 1, 22), panels.bytes).status());
  return pare::conv2d(pare::view(codes, 1, 8, 8, 4), written::conv, pare::view(out, 1, 8, 8, 6),
                      conv.bytes);
}
